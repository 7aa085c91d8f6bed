"""Small multiples of attacks: one panel each, their worlds as lines that differ by colour, dash and mark."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from sessionsim.core.readings import Reading
from sessionsim.report._data import Readings, ReportData
from sessionsim.report._guesses import Attack, World, attacks
from sessionsim.report._svg import COLOUR

# Closed world, then open ones by size. Report guide: at most four series, told apart by more than colour.
STYLES: Final = (
    ("s1", "solid", "o"), ("s2", (0, (5, 2)), "s"), ("s3", (0, (2, 1.5)), "D"), ("s4", (0, (6, 2, 1, 2)),
    "^"),
)  # fmt: skip
MOST_PANELS: Final = 6  # more attacks than that are in the table only


def shown(worlds: Sequence[World]) -> list[World]:
    """Choose up to four worlds: the smallest and the largest, and those evenly between."""
    if len(worlds) <= len(STYLES):
        return list(worlds)
    step = (len(worlds) - 1) / (len(STYLES) - 1)
    return [worlds[round(k * step)] for k in range(len(STYLES))]


def curve(
    readings: Readings, metric: str, world: World, mark: str, place: Callable[[str], float]
) -> list[tuple[float, Reading]]:
    """Give the points of one world's line that have a value, from left to right.

    Args:
        metric, mark: readings of this metric whose names have this between the world and the place.
        place: reads where a point lies from the rest of its name.
    """
    prefix = f"{world.label}{mark}"
    found = [
        (place(one.name.removeprefix(prefix)), one)
        for one in readings.of(metric)
        if one.name.startswith(prefix) and one.value is not None
    ]
    return sorted(found, key=lambda point: point[0])


def drawable(
    readings: Readings, data: ReportData, line: Callable[[Readings, World], Sequence[object]]
) -> list[Attack]:
    """List the attacks of which some world has a line, which takes two points."""
    return [
        attack
        for attack in attacks(readings, data.manifest)
        if any(len(line(readings, world)) > 1 for world in attack.worlds)
    ]


def height(panels: int, narrow: bool, each: int = 250) -> int:
    """Height in pixels of a figure with so many panels, and with a legend above them."""
    panels = min(panels, MOST_PANELS)
    return (120 if narrow else 84) + each * (panels if narrow else math.ceil(panels / 2))


def draw_panels(
    figure: Any, wanted: Sequence[Attack], narrow: bool, draw: Callable[[Any, Attack], None]
) -> None:
    """Lay out one panel per attack and let `draw` fill it."""
    some = wanted[:MOST_PANELS]
    columns = 1 if narrow or len(some) == 1 else 2
    lines = math.ceil(len(some) / columns)
    grid = figure.subplots(lines, columns, squeeze=False)
    for k, attack in enumerate(some):
        axes = grid[k // columns][k % columns]
        draw(axes, attack)
        axes.set_title(attack.name, loc="left", color=COLOUR["ink"], fontweight="bold", fontsize="medium")
    for k in range(len(some), lines * columns):
        grid[k // columns][k % columns].set_visible(False)
    _legend_of(figure, narrow)


def _legend_of(figure: Any, narrow: bool) -> None:
    """Name the lines of all panels once, above them, where no line can run through the names."""
    named: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    if named:
        drawn = figure.legend(
            list(named.values()), list(named), loc="outside upper left", frameon=False, fontsize="small",
            ncols=1 if narrow else min(len(named), 4), handlelength=3.2, borderaxespad=0,
        )  # fmt: skip
        for text in drawn.get_texts():
            text.set_color(COLOUR["muted"])


def legend(axes: Any) -> None:
    """Name the lines inside the panel, for panels whose lines differ."""
    drawn = axes.legend(frameon=False, fontsize="small", loc="best", handlelength=3.2)
    for text in drawn.get_texts():
        text.set_color(COLOUR["muted"])
