"""The curves of a sweep: a panel for each followed reading, intervals as bars, values in their order."""

from __future__ import annotations

import math
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from sessionsim.core.readings import Reading
from sessionsim.report._numbers import of_reading, tick
from sessionsim.report._svg import COLOUR, STYLE, finish, raw_svg
from sessionsim.report._sweep import SweptData

_WIDTH, _PANEL = 980, 240  # CSS pixels
_NAME: Final = "sweep"


def drawn(data: SweptData) -> str:
    """Draw the curve as inline SVG; empty if no followed reading has a value anywhere."""
    panels = [(shown, _found(data, shown)) for shown in data.show]
    panels = [(shown, found) for shown, found in panels if found]
    if not panels:
        return ""
    lines = math.ceil(len(panels) / 2)
    style: Any = {**STYLE, "font.size": 14.0}
    with mpl.rc_context(style):
        size = (_WIDTH / 72, (60 + _PANEL * lines) / 72)
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.04))
        grid = figure.subplots(lines, 2, squeeze=False)
        for k, (shown, found) in enumerate(panels):
            _panel(grid[k // 2][k % 2], data, shown, found)
        if len(panels) % 2:
            grid[-1][1].set_visible(False)
        return finish(raw_svg(figure), _NAME, data.title, _described(data, panels), inline=True)


def _found(data: SweptData, shown: str) -> list[tuple[int, Reading]]:
    got = ((k, point.get(shown)) for k, point in enumerate(data.points))
    return [(k, one) for k, one in got if one is not None and one.value is not None]


def _panel(axes: Any, data: SweptData, shown: str, found: list[tuple[int, Reading]]) -> None:
    x, unit = [k for k, _ in found], found[0][1].unit
    axes.plot(x, [one.value for _, one in found], color=COLOUR["s1"], marker="o", markersize=5)
    for k, one in found:
        if one.low is not None and one.high is not None:
            axes.vlines(k, one.low, one.high, color=COLOUR["s1"], linewidth=1.5)
    axes.set_xticks(range(len(data.points)), labels=[point.label for point in data.points])
    axes.set_xlim(-0.3, len(data.points) - 0.7)
    if unit != "prob":
        axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda value, _place: tick(value, unit) if value else "0")
    axes.set_title(shown, loc="left", color=COLOUR["ink"], fontweight="bold", fontsize="medium")


def _described(data: SweptData, panels: list[tuple[str, list[tuple[int, Reading]]]]) -> str:
    parts = [
        f"{shown} at {data.points[k].label}: {of_reading(one)}" for shown, found in panels for k, one in found
    ]
    return f"Readings against {', '.join(data.keys)}. {'; '.join(parts)}."
