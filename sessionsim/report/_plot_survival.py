"""Survival: the share of accounts not yet identified, or not yet compromised, as time goes on."""

from __future__ import annotations

from typing import Any, Final

from sessionsim.core.readings import Reading
from sessionsim.report import _panels
from sessionsim.report._data import Readings, ReportData
from sessionsim.report._months import denials
from sessionsim.report._numbers import of_reading, quantity, span_of, tick
from sessionsim.report._svg import COLOUR

METRICS: Final = ("time-to-compromise", "time-to-identify")
_US_PER_DAY: Final = 86_400_000_000


def curves(readings: Readings) -> dict[str, dict[str, list[tuple[float, Reading]]]]:
    """Give panels of curves: what is waited for -> whose -> (time in µs, share that met it)."""
    found: dict[str, dict[str, list[tuple[float, Reading]]]] = {}
    for metric in METRICS:
        for one in readings.of(metric):
            if one.value is None or "by us" not in one.counts:
                continue
            head = one.name.rpartition(": ")[0]
            panel, _, series = head.partition(", ")
            place = found.setdefault(panel, {}).setdefault(series or "all", [])
            place.append((one.counts["by us"], one))
    return {
        panel: {name: sorted(points, key=lambda p: p[0]) for name, points in lines.items()}
        for panel, lines in found.items()
    }


def ready(data: ReportData, readings: Readings) -> bool:
    return any(len(points) > 1 for lines in curves(readings).values() for points in lines.values())


def height(readings: Readings, narrow: bool) -> int:
    return _panels.height(len(curves(readings)), narrow)


def describe(data: ReportData, readings: Readings) -> str:
    parts = [
        f"{panel}, {series}: {of_reading(points[-1][1])} by {quantity(points[-1][0], 'us')}"
        for panel, lines in curves(readings).items()
        for series, points in lines.items()
    ]
    return "Share that has not met the event yet, against time, logarithmic. " + "; ".join(parts) + "."


def note(data: ReportData, readings: Readings) -> str:
    return (
        "Who never meets the event while watched counts as watched that long (Kaplan-Meier), not left out."
        " The mean hides that some are met at once and others never: the curve is all or nothing per account."
        " Bars: 95 % intervals."
    )


def draw(figure: Any, data: ReportData, readings: Readings, narrow: bool) -> None:
    panels = curves(readings)
    some = list(panels)[: _panels.MOST_PANELS]
    columns = 1 if narrow or len(some) == 1 else 2
    lines = -(-len(some) // columns)
    grid = figure.subplots(lines, columns, squeeze=False)
    for k, panel in enumerate(some):
        _panel(grid[k // columns][k % columns], panel, panels[panel])
    for k in range(len(some), lines * columns):
        grid[k // columns][k % columns].set_visible(False)


def _panel(axes: Any, title: str, lines: dict[str, list[tuple[float, Reading]]]) -> None:
    chosen = list(lines)[: len(_panels.STYLES)]
    for series, (role, dash, mark) in zip(chosen, _panels.STYLES, strict=False):
        points = lines[series]
        x, left = [t for t, _ in points], [1 - (one.value or 0.0) for _, one in points]
        axes.plot(x, left, color=COLOUR[role], linestyle=dash, marker=mark, markersize=4, label=series)
        axes.vlines(
            x, [1 - (one.high or 0.0) for _, one in points], [1 - (one.low or 0.0) for _, one in points],
            color=COLOUR[role], linewidth=1,
        )  # fmt: skip
    times = sorted({t for points in lines.values() for t, _ in points})
    axes.set_xscale("log")
    shown = times[:: max(1, len(times) // 5)]
    axes.set_xticks(shown, labels=[_when(t) for t in shown])
    axes.minorticks_off()
    axes.set_ylim(0, 1.04)
    axes.set_yticks([0, 0.5, 1], labels=["0", "50 %", "100 %"])
    axes.set_ylabel("not yet")
    axes.set_title(title, loc="left", color=COLOUR["ink"], fontweight="bold", fontsize="medium")
    _panels.legend(axes)


def _when(t_us: float) -> str:
    return f"{t_us / _US_PER_DAY:g} d" if t_us >= _US_PER_DAY else tick(t_us, "us")


def rows(data: ReportData, readings: Readings) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
    table: list[tuple[str, ...]] = [
        (
            f"{panel}, {series}: by {_when(t_us)}",
            of_reading(one),
            span_of(one),
            f"{one.counts.get('at risk', 0):,.0f}",
            quantity(one.baseline, "prob") if one.baseline is not None else "",
        )
        for panel, lines in curves(readings).items()
        for series, points in lines.items()
        for t_us, one in points
    ]
    # Not a time, but what the same coalitions make of paths meanwhile.
    table += [
        (
            f"{name}, {platform}: both ends, of paths that work under selective denial",
            of_reading(one),
            span_of(one),
            f"{one.counts.get('working', 0):,.0f}",
            quantity(one.baseline, "prob") if one.baseline is not None else "",
        )
        for name, shares in denials(readings).items()
        for platform, one in shares
    ]
    return (
        "Share that has met the event by a time",
        ("what, whose, by when", "met", "95 % interval", "still at risk", "closed form"),
        table,
    )
