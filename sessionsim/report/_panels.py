"""Small multiples of attacks: one panel each, their worlds as lines that differ by colour, dash and mark."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from sessionsim.report._guesses import Attack, World
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


def height(panels: int, narrow: bool, each: int = 250) -> int:
    """Height in pixels of a figure with so many panels, and with a legend above them."""
    panels = min(panels, MOST_PANELS)
    return (120 if narrow else 84) + each * (panels if narrow else math.ceil(panels / 2))


def draw_panels(
    figure: Any, attacks: Sequence[Attack], narrow: bool, draw: Callable[[Any, Attack], None]
) -> None:
    """Lay out one panel per attack and let `draw` fill it."""
    some = attacks[:MOST_PANELS]
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
