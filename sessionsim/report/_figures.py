"""The figures of a report: one per question, each in a wide and a narrow drawing, each with its table.

Each function draws from readings and samples only and returns None when there is nothing to draw.
Series differ by colour, dash and a label at the curve, never by colour alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from sessionsim.report import (
    _plot_bytes,
    _plot_calibration,
    _plot_capture,
    _plot_coverage,
    _plot_growth,
    _plot_latency,
    _plot_rank,
    _plot_roc,
    _plot_survival,
)
from sessionsim.report._data import Readings, ReportData
from sessionsim.report._guesses import price
from sessionsim.report._svg import STYLE, finish, raw_svg

# Width in CSS pixels of the two drawings; a phone shows the narrow one.
WIDE, NARROW = 980, 358
# Figures of privacy: the price of the network stands beside each.
_PRIVACY: Final = ("coverage", "rank", "roc", "growth", "survival", "capture", "calibration")
_FONT_PX: Final = {WIDE: 14.0, NARROW: 12.5}


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of a figure. Args: head: column titles; rows: texts, the first one titles the row."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """One figure of the page. Args: wide, narrow: inline SVG; alone: an SVG file; note: how to read it."""

    name: str
    title: str
    note: str
    wide: str
    narrow: str
    alone: str
    table: Table


@dataclass(frozen=True, slots=True)
class Plot:
    """How one figure is made. Args: ready: whether there is anything to draw; height: in pixels."""

    name: str
    title: str
    ready: Callable[[ReportData, Readings], bool]
    describe: Callable[[ReportData, Readings], str]
    note: Callable[[ReportData, Readings], str]
    draw: Callable[[Any, ReportData, Readings, bool], None]
    rows: Callable[[ReportData, Readings], tuple[str, tuple[str, ...], list[tuple[str, ...]]]]
    height: Callable[[Readings, bool], int]


def _plot(name: str, title: str, module: Any) -> Plot:
    """Make a plot of a module that has all parts under their own names."""
    return Plot(
        name, title, module.ready, module.describe, module.note, module.draw, module.rows, module.height
    )


PLOTS: Final = (
    Plot(
        "latency",
        "How long does a message take?",
        _plot_latency.ready,
        _plot_latency.describe,
        _plot_latency.note,
        _plot_latency.draw,
        _plot_latency.rows,
        _plot_latency.height,
    ),
    Plot(
        "bytes",
        "What do the bytes go to?",
        _plot_bytes.ready,
        _plot_bytes.describe,
        _plot_bytes.note,
        _plot_bytes.draw,
        _plot_bytes.rows,
        _plot_bytes.height,
    ),
    Plot(
        "coverage",
        "How many accounts does a coalition stand around?",
        _plot_coverage.ready,
        _plot_coverage.describe,
        _plot_coverage.note,
        _plot_coverage.draw,
        _plot_coverage.rows,
        _plot_coverage.height,
    ),
    _plot("rank", "How many guesses does it take?", _plot_rank),
    _plot("roc", "How many are found at how many false alarms?", _plot_roc),
    _plot("growth", "What if more people are about?", _plot_growth),
    _plot("survival", "How long does it take?", _plot_survival),
    _plot("capture", "What gets a coalition into a chosen swarm?", _plot_capture),
    _plot("calibration", "Do probabilities mean what they say?", _plot_calibration),
)


def figures(data: ReportData, readings: Readings) -> list[Drawn]:
    """Draw every figure there are data for, in the order of the page."""
    return [_drawn(plot, data, readings) for plot in PLOTS if plot.ready(data, readings)]


def _raw(plot: Plot, data: ReportData, readings: Readings, width: int) -> str:
    style: Any = {**STYLE, "font.size": _FONT_PX[width]}
    with mpl.rc_context(style):
        size = (width / 72, plot.height(readings, width == NARROW) / 72)
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.04))
        plot.draw(figure, data, readings, width == NARROW)
        return raw_svg(figure)


def _drawn(plot: Plot, data: ReportData, readings: Readings) -> Drawn:
    description = plot.describe(data, readings)
    wide, narrow = (_raw(plot, data, readings, width) for width in (WIDE, NARROW))
    svg = {
        key: finish(raw, f"{plot.name}-{key}", plot.title, description, inline=inline)
        for key, raw, inline in (("wide", wide, True), ("narrow", narrow, True), ("alone", wide, False))
    }
    caption, head, rows = plot.rows(data, readings)
    note = plot.note(data, readings)
    if plot.name in _PRIVACY:
        note = f"{note} {price(readings)}".strip()
    return Drawn(
        plot.name,
        plot.title,
        note,
        svg["wide"],
        svg["narrow"],
        svg["alone"],
        Table(caption, head, tuple(rows)),
    )
