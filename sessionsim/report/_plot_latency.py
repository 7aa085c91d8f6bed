"""Latency: how many of the delivered messages have arrived after so much time (ECDF, logarithmic time)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sessionsim.report._data import Readings, ReportData, SeedFacts
from sessionsim.report._numbers import of_reading, quantity, span_of, tick
from sessionsim.report._svg import COLOUR

FloatArray = npt.NDArray[np.float64]

STRETCHES: Final = (
    ("intent to stored", "intent_us", "stored_us", "s2", (0, (5, 2))),
    ("stored to delivered", "stored_us", "delivered_us", "s3", (0, (2, 1.5))),
    ("end to end", "intent_us", "delivered_us", "s1", "solid"),
)
# Where a curve is named: at which share, on which side, how far above. The first two run left of the third.
_NAMED: Final = {
    "intent to stored": (0.8, "right", 0),
    "stored to delivered": (0.1, "right", 9),
    "end to end": (0.25, "left", 0),
}
_POINTS: Final = 400  # report guide: a curve of 400 points is 33 kB and loses nothing the eye sees
_FLOOR_US: Final = 10_000.0  # shorter times are drawn here: a logarithmic axis has no zero


def times(seed: SeedFacts, begin: str, end: str) -> FloatArray:
    """Give the durations (µs) of one stretch, ascending, of messages that went through it."""
    start, stop = getattr(seed, begin), getattr(seed, end)
    seen = (start >= 0) & (stop >= 0)
    return np.sort(np.maximum(stop[seen] - start[seen], 0).astype(np.float64))


def ready(data: ReportData, readings: Readings) -> bool:
    """Tell whether enough messages were delivered for a curve."""
    return sum(len(times(seed, "intent_us", "delivered_us")) for seed in data.seeds) >= 5


def height(readings: Readings, narrow: bool) -> int:
    """Height in pixels."""
    return 330 if narrow else 400


def describe(data: ReportData, readings: Readings) -> str:
    """Say what the curves show, for those who hear the page."""
    parts = []
    for name, *_ in STRETCHES:
        half, late = (readings.get("latency", f"{name}, {q}") for q in ("p50", "p95"))
        parts.append(f"{name}: half within {of_reading(half)}, 95 % within {of_reading(late)}")
    return "Share of messages against time on a logarithmic axis. " + "; ".join(parts) + "."


def note(data: ReportData, readings: Readings) -> str:
    """Say how to read it."""
    text = "A curve's height is the share, of all messages that came so far, which took at most that long."
    if _banded(data):
        text += f" The band spans the {len(data.seeds)} seeds, end to end."
    return text + " Marks on the curve: p50, p95 and p99 with their 95 % intervals, where the data suffice."


def _banded(data: ReportData) -> bool:
    return len(data.seeds) >= 3


def draw(figure: Any, data: ReportData, readings: Readings, narrow: bool) -> None:
    """Draw three curves, the band over seeds, and the quantiles of the whole way."""
    axes = figure.subplots()
    pooled = {
        name: np.sort(np.concatenate([times(seed, begin, end) for seed in data.seeds]))
        for name, begin, end, _, _ in STRETCHES
    }
    everything = np.concatenate([values for values in pooled.values() if len(values)])
    low = max(_FLOOR_US, float(np.quantile(everything, 0.004)) * 0.7)
    high = float(everything.max()) * (3 if narrow else 1.9)  # room for the names of quantiles
    grid = np.geomspace(low, high, _POINTS // 2)
    if _banded(data):
        curves = np.array([_share(times(seed, "intent_us", "delivered_us"), grid) for seed in data.seeds])
        axes.fill_between(
            grid, curves.min(axis=0), curves.max(axis=0), color=COLOUR["s1"], alpha=0.16, linewidth=0
        )
    for name, _, _, role, dash in STRETCHES:
        values = pooled[name]
        if len(values):
            x, y = _steps(np.maximum(values, low))
            width = 2.6 if role == "s1" else 2.0
            axes.plot(x, y, color=COLOUR[role], linestyle=dash, linewidth=width, drawstyle="steps-post")
            _label(axes, values, name, role, (low, high, narrow))
    for name in ("p50", "p95", "p99"):
        _mark(axes, readings, name)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(0, 1.06)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], labels=["0", "25 %", "50 %", "75 %", "100 %"])
    ticks = _ticks(low, high, narrow)
    axes.set_xticks(ticks, labels=[tick(at, "us") for at in ticks])
    axes.minorticks_off()
    axes.set_xlabel("time, logarithmic")
    axes.set_ylabel("" if narrow else "share of messages")


def _share(ascending: FloatArray, at: FloatArray) -> FloatArray:
    """Give the share of values at or below each point; 0 everywhere if there are none."""
    return np.searchsorted(ascending, at, side="right") / max(len(ascending), 1)


def _steps(ascending: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give the corners of the ECDF, thinned to at most `_POINTS`."""
    rank = np.arange(1, len(ascending) + 1) / len(ascending)
    keep = np.unique(np.linspace(0, len(ascending) - 1, _POINTS).astype(int))
    return np.concatenate([ascending[:1], ascending[keep]]), np.concatenate([[0.0], rank[keep]])


def _label(axes: Any, values: FloatArray, name: str, role: str, ends: tuple[float, float, bool]) -> None:
    """Name a curve beside it, where the other curves are not.

    Args:
        ends: of the time axis, and whether the drawing is narrow.
    """
    low, high, narrow = ends
    level, side, above = _NAMED[name]
    room = (0.44 if narrow else 0.16) * np.log(high / low)  # the width of a name on the logarithmic axis
    x = max(float(np.quantile(values, level)), low)
    while side == "right" and np.log(x / low) < room and level < 0.95:
        level += 0.03
        x = max(float(np.quantile(values, level)), low)
    axes.annotate(
        name,
        (x, level),
        xytext=(9 if side == "left" else -9, above),
        textcoords="offset points",
        color=COLOUR[role],
        va="center",
        ha=side,
        bbox={"facecolor": COLOUR["paper"], "edgecolor": "none", "pad": 1.5, "alpha": 0.8},
    )


def _mark(axes: Any, readings: Readings, quantile: str) -> None:
    """Mark a quantile of the whole way with its interval."""
    reading = readings.get("latency", f"end to end, {quantile}")
    if reading is None or reading.value is None or reading.low is None or reading.high is None:
        return
    level = float(quantile[1:]) / 100
    axes.plot([reading.low, reading.high], [level, level], color=COLOUR["ink"], linewidth=1.6)
    axes.plot([reading.value], [level], marker="o", markersize=6, color=COLOUR["ink"], linestyle="none")
    axes.annotate(
        f"{quantile} {quantity(reading.value, 'us')}",
        (reading.high, level),
        xytext=(8, {"p95": -7, "p99": 7}.get(quantile, 0)),
        textcoords="offset points",
        ha="left",
        va="center",
        color=COLOUR["ink"],
        fontweight="bold",
        bbox={"facecolor": COLOUR["paper"], "edgecolor": "none", "pad": 1.5, "alpha": 0.8},
    )


def _ticks(low: float, high: float, narrow: bool) -> list[float]:
    """Give round times inside the axis: 1, 2, 5 of each decade, or the decades alone if those are many."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    every = [step * 10.0**k for k in decades for step in (1, 2, 5)]
    inside = [at for at in every if low <= at <= high]
    return (
        inside
        if len(inside) <= (6 if narrow else 12)
        else [at for at in inside if f"{at:e}".startswith("1.")]
    )


def rows(data: ReportData, readings: Readings) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
    """Give the table: one row per stretch and statistic."""
    table: list[tuple[str, ...]] = []
    for name, *_ in STRETCHES:
        for statistic in ("mean", "p50", "p95", "p99"):
            reading = readings.get("latency", f"{name}, {statistic}")
            if reading is not None:
                n = f"{reading.n} {reading.n_unit}s"
                messages = f"{reading.counts['messages']:,.0f}"
                table.append((f"{name}, {statistic}", of_reading(reading), span_of(reading), messages, n))
    return (
        "Time of messages that came so far",
        ("what", "value", "95 % interval", "messages", "units of replication"),
        table,
    )
