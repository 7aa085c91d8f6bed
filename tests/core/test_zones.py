from __future__ import annotations

from sessionsim.core.zones import OFFSETS_H, only_zone, zone_name


def test_zones_are_written_as_people_do() -> None:
    assert [zone_name(h) for h in (2, -4, 5.5, 0, -3.5)] == [
        "UTC+2",
        "UTC-4",
        "UTC+5:30",
        "UTC+0",
        "UTC-3:30",
    ]


def test_a_country_tells_the_zone_where_it_has_one() -> None:
    assert only_zone("DE") == "UTC+2"
    assert only_zone("IN") == "UTC+5:30"
    assert only_zone("US") == ""
    assert only_zone("XX") == ""


def test_no_country_has_a_zone_twice() -> None:
    assert all(len(set(offsets)) == len(offsets) > 0 for offsets in OFFSETS_H.values())
