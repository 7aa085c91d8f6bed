"""A time line of one observer's records as SVG: one lane per kind of link, one mark per record that is shown.

Up is a request, down an answer; the size of a mark grows with the logarithm of the bytes; how full it is says
how far the observer gets into the record. Bars behind the marks count all records, shown or not. The script
of the page draws the same marks again with more freedom; what is here is whole without it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree

from sessionsim.core.sights import Opening, Record, Sight
from sessionsim.report._numbers import count_of, quantity

WIDE: Final = 940  # pixels; a phone shows the narrow drawing
NARROW: Final = 340
_LANE_PX: Final = 58  # height of a lane without its title
_TITLE_PX: Final = 22
_FACTS_PX: Final = 26
_AXIS_PX: Final = 26
_SMALLEST_PX: Final = 2.5  # half of a mark's width
_LARGEST_PX: Final = 9.0
_FROM_BYTES: Final = 64  # where marks are smallest
_TO_BYTES: Final = 1 << 20  # where they are largest
CLASSES: Final = {
    Opening.OUTSIDE: "outside",
    Opening.SEALED: "sealed",
    Opening.PEELED: "peeled",
    Opening.READ: "read",
}
WORDS: Final = {
    Opening.OUTSIDE: "only that it passed",
    Opening.SEALED: "bytes held, nothing opened",
    Opening.PEELED: "a layer opened, another inside",
    Opening.READ: "request or answer read",
}
# Steps between ticks, in seconds.
_STEPS_S: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)


def timeline(sight: Sight, name: str, width: int) -> str:
    """Draw what an observer saw.

    Args:
        sight: what it saw; some records at least.
        name: put before every identifier; letters, digits and hyphens.
        width: in pixels, WIDE or NARROW.
    """
    lanes = list(sight.lanes)
    height = len(lanes) * (_LANE_PX + _TITLE_PX) + _FACTS_PX + _TITLE_PX + _AXIS_PX
    root = ElementTree.Element("svg", {"viewBox": f"0 0 {width} {height}", "role": "img", "class": "line"})
    root.set("aria-labelledby", f"{name}-title {name}-desc")
    _text_child(root, "title", f"{name}-title", f"Time line of {sight.observer}")
    _text_child(root, "desc", f"{name}-desc", describe(sight))
    scale = Scale(sight.begin_us, sight.end_us, width)
    top = 0.0
    for t_us in ticks(sight.begin_us, sight.end_us, 8 if width == WIDE else 4):
        _line(root, "tick", scale.x(t_us), _TITLE_PX, height - _AXIS_PX)
        anchor = "start" if scale.x(t_us) < 20 else "end" if scale.x(t_us) > width - 24 else "middle"
        _label(root, "axis", scale.x(t_us), height - 8, clock(t_us), anchor)
    for lane in lanes:
        total = sum(sight.lanes[lane])
        _label(root, "lane", 0, top + 15, f"{lane}: {count_of(total, 'record')}", "start")
        top += _TITLE_PX
        middle = top + _LANE_PX / 2
        _path(root, "counts", _bars(sight.lanes[lane], scale, top + _LANE_PX))
        _line_across(root, middle, width)
        here = [record for record in sight.records if record.lane == lane]
        for opening, style in CLASSES.items():
            marks = [mark(scale.x(r.t_us), middle, r) for r in here if r.opening is opening]
            _path(root, f"mark {style}", "".join(marks))
        top += _LANE_PX
    known = f"{len(sight.explained)} of {count_of(sight.facts, 'fact')}, by the time when they were known"
    _label(root, "lane", 0, top + 15, known, "start")
    middle = top + _TITLE_PX + _FACTS_PX / 2
    for emergent, style in ((False, "known"), (True, "emergent")):
        at = [scale.x(fact.t_us) for fact in sight.explained if fact.emergent == emergent]
        _path(root, f"mark {style}", "".join(f"M{x:.1f} {middle - 6:.1f}l5 6l-5 6l-5-6z" for x in at))
    return ElementTree.tostring(root, encoding="unicode")


class Scale:
    """From times to pixels. Args: begin_us, end_us: at the ends; width: of the drawing."""

    def __init__(self, begin_us: int, end_us: int, width: int) -> None:
        self._begin_us, self._span_us, self._width = begin_us, max(1, end_us - begin_us), width

    def x(self, t_us: float) -> float:
        """Give where a time lies; a little room is left at both ends."""
        share = min(1.0, max(0.0, (t_us - self._begin_us) / self._span_us))
        return _LARGEST_PX + share * (self._width - 2 * _LARGEST_PX)


def half_width(size_bytes: int) -> float:
    """Give half of the width of a record's mark, in pixels."""
    share = math.log(max(size_bytes, 1) / _FROM_BYTES) / math.log(_TO_BYTES / _FROM_BYTES)
    return _SMALLEST_PX + (_LARGEST_PX - _SMALLEST_PX) * min(1.0, max(0.0, share))


def mark(x: float, middle: float, record: Record) -> str:
    """Draw one record: a triangle above the middle for a request, below it for an answer."""
    half = half_width(record.size_bytes)
    way = 1 if record.answer else -1
    return f"M{x - half:.1f} {middle + way:.1f}h{2 * half:.1f}l{-half:.1f} {way * 2 * half:.1f}z"


def ticks(begin_us: int, end_us: int, most: int) -> list[int]:
    """Choose round times to write below, at most so many between the ends."""
    span_s = max(end_us - begin_us, 1) / 1e6
    days = math.ceil(span_s / most / 86400)
    step = next((step for step in _STEPS_S if span_s / step <= most), days * 86400)
    first = math.ceil(begin_us / 1e6 / step)
    last = math.floor(end_us / 1e6 / step)
    return [round(k * step * 1e6) for k in range(first, last + 1)]


def describe(sight: Sight) -> str:
    """Say in words what the drawing shows."""
    lanes = "; ".join(f"{count_of(sum(numbers), 'record')} {lane}" for lane, numbers in sight.lanes.items())
    openings = ", ".join(
        f"{number:,} {WORDS[opening]}"
        for opening, number in zip(Opening, sight.openings, strict=True)
        if number
    )
    times = f"from {clock(sight.begin_us)} to {clock(sight.end_us)}"
    return f"{lanes}, {times}. {openings}. {count_of(len(sight.records), 'mark')} drawn."


def clock(t_us: int) -> str:
    """Write a time as long as it must be: whole hours, minutes or seconds where it is."""
    for each_us, sign, least in ((3_600_000_000, "h", 1), (60_000_000, "min", 10), (1_000_000, "s", 1)):
        if t_us >= least * each_us and t_us % each_us == 0:
            return f"{t_us // each_us:,} {sign}"
    return quantity(t_us, "us") if t_us else "0"


def _bars(numbers: Sequence[int], scale: Scale, floor: float) -> str:
    """Draw counts as one outline; the highest reaches half of a lane."""
    most, parts = max(numbers, default=0), len(numbers)
    left, right = scale.x(-math.inf), scale.x(math.inf)
    width = (right - left) / max(parts, 1)
    steps = "".join(
        f"V{floor - number / most * _LANE_PX * 0.9:.1f}h{width:.2f}" for number in numbers if most
    )
    return f"M{left:.1f} {floor:.1f}{steps}V{floor:.1f}z" if steps else ""


def _path(root: ElementTree.Element, style: str, d: str) -> None:
    if d:
        ElementTree.SubElement(root, "path", {"class": style, "d": d})


def _line(root: ElementTree.Element, style: str, x: float, top: float, bottom: float) -> None:
    _path(root, style, f"M{x:.1f} {top:.0f}V{bottom:.0f}")


def _line_across(root: ElementTree.Element, y: float, width: int) -> None:
    _path(root, "tick", f"M0 {y:.1f}H{width}")


def _label(root: ElementTree.Element, style: str, x: float, y: float, text: str, anchor: str) -> None:
    place = {"class": style, "x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}
    ElementTree.SubElement(root, "text", place).text = text


def _text_child(root: ElementTree.Element, tag: str, name: str, text: str) -> None:
    ElementTree.SubElement(root, tag, {"id": name}).text = text
