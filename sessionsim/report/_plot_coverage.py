"""Coverage: the share of accounts with a bad replica, a bad guard, both, against the size of a coalition."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.metrics import Coverage, Shape, mean_coverage
from sessionsim.report._data import Readings, ReportData
from sessionsim.report._numbers import of_reading, percent_digits, quantity, span_of
from sessionsim.report._svg import COLOUR

EVENTS: Final = (
    ("bad replica", "replica", "s1", "solid", "o"),
    ("bad guard", "guard", "s2", (0, (5, 2)), "s"),
    ("both", "both", "s3", (0, (2, 1.5)), "D"),
)
_LABELS: Final = {"bad replica": "a replica", "bad guard": "a guard", "both": "both"}
_RANDOM: Final = "random coalition of "
_MOST: Final = 0.5
_APART: Final = 0.006
# Where on a curve of 51 points its name may stand, the best first, and how far from observers' marks.
_PLACES: Final = {"replica": (22, 32, 40, 12), "guard": (21, 32, 41, 12), "both": (28, 38, 45, 14)}
_CLEAR: Final = 0.07
_PATCH: Final = {"facecolor": COLOUR["paper"], "edgecolor": "none", "pad": 1.5, "alpha": 0.85}


class Point(NamedTuple):
    """One reading in the plane. Args: fraction: of nodes operated; label: observer, empty if random."""

    fraction: float
    event: str
    label: str
    reading: Reading


def points(readings: Readings) -> list[Point]:
    """Place every reading of the metric."""
    found = []
    for reading in readings.of("coalition-coverage"):
        label, _, event = reading.name.partition(": ")
        fraction = reading.counts["bad nodes"] / reading.counts["nodes"]
        found.append(Point(fraction, event, "" if label.startswith(_RANDOM) else label, reading))
    return found


def ready(data: ReportData, readings: Readings) -> bool:
    """Tell whether there are accounts with known guards and swarms."""
    return any(point.reading.value is not None for point in points(readings))


def height(readings: Readings, narrow: bool) -> int:
    """Height in pixels."""
    return 340 if narrow else 430


def describe(data: ReportData, readings: Readings) -> str:
    """Say what the points show, for those who hear the page."""
    parts = [
        f"{point.label} with {percent_digits(point.fraction)} % of the nodes, {point.event}:"
        f" {of_reading(point.reading)}, closed form {quantity(point.reading.baseline, 'prob')}"
        for point in points(readings)
        if point.label
    ]
    return (
        "Share of accounts against the share of nodes a coalition operates; curves are the closed form. "
        + "; ".join(parts)
        + "."
    )


def note(data: ReportData, readings: Readings) -> str:
    """Say how to read it."""
    one = points(readings)[0].reading
    return (
        "Lines: closed form (hypergeometric) for the actual swarms and guards of"
        f" {one.counts['accounts']:,.0f} accounts on {one.counts['nodes']:,.0f} nodes."
        " Small open marks: random coalitions drawn over the same accounts, without traffic."
        " Large marks: this scenario's observers, with 95 % intervals. To stand"
        " there is what it takes to know; it is not yet knowing."
    )


def curve(readings: Readings, fractions: np.ndarray) -> list[Coverage]:
    """Give the closed form at each fraction, for the accounts that the readings describe."""
    counts = points(readings)[0].reading.counts
    shapes: dict[Shape, float] = {}
    for key, number in counts.items():
        if key.startswith("accounts of shape "):
            shapes[Shape(*(int(part) for part in key.split()[3:]))] = number
    nodes = int(counts["nodes"])
    return [mean_coverage(nodes, round(nodes * fraction), shapes) for fraction in fractions]


def draw(figure: Any, data: ReportData, readings: Readings, narrow: bool) -> None:
    """Draw three curves, the random draws on them, and the scenario's observers."""
    axes = figure.subplots()
    fractions = np.linspace(0, _MOST, 51)
    closed = curve(readings, fractions)
    for event, field, role, dash, marker in EVENTS:
        values = [getattr(one, field) for one in closed]
        axes.plot(fractions, values, color=COLOUR[role], linestyle=dash, linewidth=2)
        at, above = _free_place(readings, field), field != "both"
        axes.annotate(
            _LABELS[event],
            (fractions[at], values[at]),
            xytext=(-7, 7) if above else (9, -9),
            textcoords="offset points",
            color=COLOUR[role],
            ha="right" if above else "left",
            va="bottom" if above else "top",
        )
        for point in points(readings):
            if point.event == event and point.reading.value is not None and point.fraction <= _MOST:
                _point(axes, point, role, marker)
    _name_observers(axes, readings, narrow)
    axes.set_xlim(0, _MOST)
    axes.set_ylim(0, 1.04)
    ticks = np.arange(0, _MOST + 0.01, 0.1)
    axes.set_xticks(ticks, labels=["0", *(f"{tick:.0%}".replace("%", " %") for tick in ticks[1:])])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], labels=["0", "25 %", "50 %", "75 %", "100 %"])
    axes.set_xlabel("share of nodes in the coalition")
    axes.set_ylabel("" if narrow else "share of accounts")


def _free_place(readings: Readings, field: str) -> int:
    """Choose where on its curve a name stands: away from the observers' marks, names one below the other."""
    taken = [point.fraction for point in points(readings) if point.label]
    places = _PLACES[field]
    free = [at for at in places if all(abs(at / 50 * _MOST - fraction) > _CLEAR for fraction in taken)]
    return (free or places)[0]


def _point(axes: Any, point: Point, role: str, marker: str) -> None:
    reading = point.reading
    # The three marks of an observer stand side by side, so that their intervals can be told apart.
    shift = (tuple(_LABELS).index(point.event) - 1) * _APART if point.label else 0.0
    x = point.fraction + shift
    size = 8.5 if point.label else 5
    if point.label:
        ends = [reading.low, reading.high]
        axes.plot([x, x], ends, color=COLOUR["ink"], linewidth=1.8)
    axes.plot(
        [x],
        [reading.value],
        marker=marker,
        markersize=size,
        linestyle="none",
        markerfacecolor=COLOUR[role] if point.label else COLOUR["paper"],
        markeredgecolor=COLOUR["ink"] if point.label else COLOUR[role],
        markeredgewidth=1.0 if point.label else 1.2,
    )


def _name_observers(axes: Any, readings: Readings, narrow: bool) -> None:
    """Write observers' names above their highest point; those that stand at one place share a name."""
    places: dict[float, list[Point]] = {}
    for point in points(readings):
        if point.label and point.reading.value is not None and point.fraction <= _MOST:
            places.setdefault(point.fraction, []).append(point)
    for fraction, here in places.items():
        top = max(point.reading.high or 0.0 for point in here)
        names = " = ".join(dict.fromkeys(point.label for point in here))
        side = "left" if narrow and fraction < _MOST / 3 else "center"
        at = (fraction - 2 * _APART if side == "left" else fraction, top)
        axes.annotate(
            names, at, xytext=(0, 7), textcoords="offset points", ha=side, fontweight="bold", bbox=_PATCH
        )


def rows(data: ReportData, readings: Readings) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
    """Give the table: the scenario's observers, then the random draws."""
    ordered = sorted(points(readings), key=lambda point: (not point.label, point.label))
    table: list[tuple[str, ...]] = [
        (
            f"{point.label or 'random draws'}, {percent_digits(point.fraction)} % of nodes: {point.event}",
            of_reading(point.reading),
            span_of(point.reading),
            quantity(point.reading.baseline, "prob"),
            f"{point.reading.n} {point.reading.n_unit}s",
        )
        for point in ordered
    ]
    return (
        "Share of accounts with operated nodes in their swarm, among their guards, in both",
        ("who and what", "share of accounts", "95 % interval", "closed form", "units of replication"),
        table,
    )
