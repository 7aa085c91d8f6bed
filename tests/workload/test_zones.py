import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.network.clients import ACCESS_MBIT_PER_S
from sessionsim.workload.zones import ZONES, utc_offset_h


def test_every_country_a_client_can_have_has_a_zone() -> None:
    assert set(ZONES) == set(ACCESS_MBIT_PER_S)


def test_shares_of_zones_add_up_and_offsets_are_of_this_world() -> None:
    for zones in ZONES.values():
        assert sum(share for _, share in zones) == pytest.approx(1)
        assert all(-12 <= offset <= 14 and offset * 4 % 1 == 0 for offset, _ in zones)


def test_summer_time_of_april_2026_by_hand() -> None:
    assert utc_offset_h("DE", 0.5) == 2
    assert utc_offset_h("IN", 0.99) == 5.5
    # New York up to 47 %, Chicago up to 76, Denver up to 83, Los Angeles for the rest.
    assert [utc_offset_h("US", u) for u in (0.0, 0.46, 0.48, 0.75, 0.77, 0.84, 0.999999)] == [
        -4, -4, -5, -5, -6, -7, -7,
    ]  # fmt: skip


def test_an_unknown_country_is_told() -> None:
    with pytest.raises(InvalidInput, match="country: found 'XX'"):
        utc_offset_h("XX", 0.5)
