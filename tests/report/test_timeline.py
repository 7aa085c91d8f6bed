"""The drawing of a time line: marks where and as large as their records, counts of all, words for all."""

from __future__ import annotations

import dataclasses
import re
from xml.etree import ElementTree

import pytest

from sessionsim.core.sights import Sights
from sessionsim.report._timeline import NARROW, WIDE, Scale, clock, describe, half_width, ticks, timeline


def paths(text: str, style: str) -> list[str]:
    return [e.get("d", "") for e in ElementTree.fromstring(text).iter("path") if e.get("class") == style]


def test_each_record_is_one_mark_of_the_class_of_its_opening(sights: Sights) -> None:
    text = timeline(sights.sights[0], "x", WIDE)
    for style in ("outside", "sealed", "peeled"):
        (d,) = paths(text, f"mark {style}")
        assert d.count("M") == 1
    assert paths(text, "mark read") == []
    assert paths(text, "mark known")[0].count("M") == 2
    assert paths(timeline(sights.sights[2], "x", WIDE), "mark emergent")[0].count("M") == 1


def test_first_and_last_record_stand_at_the_ends_and_answers_point_down(sights: Sights) -> None:
    text = timeline(sights.sights[0], "x", WIDE)
    first, second, last = (paths(text, f"mark {style}")[0] for style in ("outside", "sealed", "peeled"))
    scale = Scale(1_000_000, 10_000_000, WIDE)
    left = [float(re.match(r"M([\d.]+) ", d)[1]) for d in (first, second, last)]  # type: ignore[index]
    assert left[0] == pytest.approx(scale.x(1_000_000) - half_width(900), abs=0.06)
    assert left[2] == pytest.approx(scale.x(10_000_000) - half_width(902), abs=0.06)
    drops = [float(re.search(r" (-?[\d.]+)z", d)[1]) for d in (first, second, last)]  # type: ignore[index]
    assert [drop > 0 for drop in drops] == [False, True, False]


def test_marks_grow_with_bytes_between_bounds() -> None:
    widths = [half_width(size) for size in (0, 64, 1000, 100_000, 1 << 20, 1 << 30)]
    assert widths == sorted(widths)
    assert widths[0] == widths[1] < widths[2] < widths[3] < widths[4] == widths[5]


@pytest.mark.parametrize(
    ("begin", "end", "most"),
    [(0, 90_000_000, 8), (230_000, 400_000, 4), (5, 5, 4), (0, 40 * 86400 * 10**6, 8)],
)
def test_ticks_are_round_few_and_within(begin: int, end: int, most: int) -> None:
    found = ticks(begin, end, most)
    assert len(found) <= most + 1
    assert all(begin <= t <= end for t in found)
    assert found == sorted(set(found))


@pytest.mark.parametrize(
    ("t_us", "text"),
    [
        (0, "0"), (200_000, "200 ms"), (20_000_000, "20 s"), (90_000_000, "90 s"), (1_800_000_000, "30 min"),
        (7_200_000_000, "2 h"),
    ],
)  # fmt: skip
def test_times_are_as_long_as_they_must_be(t_us: int, text: str) -> None:
    assert clock(t_us) == text


def test_words_say_all_that_is_drawn_and_counted(sights: Sights) -> None:
    assert describe(sights.sights[0]) == (
        "40 records client – node, from 1 s to 10 s. 30 only that it passed, 5 bytes held, nothing opened, 3"
        " a layer opened, another inside, 2 request or answer read. 3 marks drawn."
    )


def test_drawings_have_title_description_and_bounded_size(sights: Sights) -> None:
    hostile = dataclasses.replace(sights.sights[0], observer="</svg><script>x")
    for width in (WIDE, NARROW):
        root = ElementTree.fromstring(timeline(hostile, f"n-{width}", width))
        assert root.get("aria-labelledby") == f"n-{width}-title n-{width}-desc"
        assert [e.text for e in root.iter("title")] == ["Time line of </svg><script>x"]
        assert len(list(root.iter())) < 40
