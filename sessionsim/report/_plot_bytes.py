"""Bytes on the wire by cause: stacked horizontal bars, one per group of clients, one for watched nodes."""

from __future__ import annotations

from typing import Any, Final

from sessionsim.core.readings import Reading
from sessionsim.report._data import Readings, ReportData
from sessionsim.report._numbers import of_reading, percent_digits, quantity, span_of, tick
from sessionsim.report._svg import COLOUR

# Four series at most: causes that serve one purpose are drawn together; the table has each of them.
GROUPS: Final = (
    (
        "messages, files and the like",
        ("message", "sync", "signal", "group", "file", "community"),
        "s1",
        "",
    ),
    ("polls", ("poll",), "s2", "//"),
    ("replication", ("replication",), "s3", "||"),
    (
        "keeping paths and state",
        ("lookup", "handshake", "keepalive", "path", "node_list", "config", "push"),
        "s4",
        "\\\\",
    ),
)
CAUSES: Final = tuple(cause for _, causes, _, _ in GROUPS for cause in causes)


def bars(readings: Readings) -> list[tuple[str, str]]:
    """Name the bars that can be drawn: how it is called in the readings, and on the page."""
    labels = list(dict.fromkeys(one.name.rsplit(", ", 1)[0] for one in readings.of("traffic")))
    shown = [label for label in labels if _total(readings, label)]
    names = {"client links": "all watched clients", "node links": "one watched node, to other nodes"}
    return [(label, names.get(label, label)) for label in shown]


def _total(readings: Readings, label: str) -> float:
    reading = readings.get("traffic", f"{label}, total")
    return reading.value if reading is not None and reading.value is not None else 0.0


def _reach(readings: Readings, label: str) -> float:
    """Give how far a bar and its interval reach: with few seeds the interval may be much the longer one."""
    reading = readings.get("traffic", f"{label}, total")
    high = reading.high if reading is not None and reading.high is not None else 0.0
    return max(_total(readings, label), high)


def ready(data: ReportData, readings: Readings) -> bool:
    """Tell whether a client's link was watched."""
    return bool(bars(readings))


def height(readings: Readings, narrow: bool) -> int:
    """Height in pixels: a row per bar, and the names of the series."""
    # A single bar needs room for the axis below it all the same.
    return 52 * max(len(bars(readings)), 2) + (110 if narrow else 64)


def describe(data: ReportData, readings: Readings) -> str:
    """Say what the bars show, for those who hear the page."""
    parts = []
    for label, name in bars(readings):
        shares = [
            f"{group} {quantity(_sum(readings, label, causes), 'bytes')}" for group, causes, _, _ in GROUPS
        ]
        parts.append(f"{name}: {', '.join(shares)}")
    return "Bytes on the wire in a day, by what they are for. " + "; ".join(parts) + "."


def note(data: ReportData, readings: Readings) -> str:
    """Say whose bytes they are."""
    reading = readings.get("traffic", "client links, total")
    text = "Bytes on the wire, both directions, of one client in a day of the measured kind."
    if reading is not None:
        watched, clients = reading.counts["watched clients"], reading.counts["clients"]
        text += f" {watched:,.0f} of {clients:,.0f} clients over all seeds had their links watched."
    if any(label == "node links" for label, _ in bars(readings)):
        text += " A node's bar holds only what the clients of this run cause."
    return text


def _sum(readings: Readings, label: str, causes: tuple[str, ...]) -> float:
    found = [readings.get("traffic", f"{label}, {cause}") for cause in causes]
    return sum(one.value for one in found if one is not None and one.value is not None)


def draw(figure: Any, data: ReportData, readings: Readings, narrow: bool) -> None:
    """Draw one bar per group; its name above it, its total at its end."""
    axes = figure.subplots()
    shown = bars(readings)
    longest = max(_reach(readings, label) for label, _ in shown)
    for row, (label, name) in enumerate(shown):
        left = 0.0
        for _, causes, role, hatch in GROUPS:
            amount = _sum(readings, label, causes)
            if amount > 0:
                axes.barh(
                    row,
                    amount,
                    0.46,
                    left,
                    color=COLOUR[role],
                    edgecolor=COLOUR["paper"],
                    linewidth=0.8,
                    hatch=hatch,
                )
                left += amount
        axes.text(0, row - 0.33, name, va="bottom", ha="left")
        _end(axes, readings, label, left, longest, row)
    axes.set_ylim(len(shown) - 0.6, -0.75)
    axes.set_xlim(0, longest * (1.32 if narrow else 1.16))
    axes.set_yticks([])
    axes.grid(False, axis="y")
    ticks = [at for at in axes.get_xticks() if 0 <= at <= longest * 1.02]
    ticks = ticks[:: 2 if narrow and len(ticks) > 4 else 1]
    axes.set_xticks(ticks, labels=["0" if at == 0 else tick(at, "bytes") for at in ticks])
    axes.set_xlabel("bytes in a day")
    _names(figure, narrow)


def _end(axes: Any, readings: Readings, label: str, at: float, longest: float, row: int) -> None:
    """Write the total at a bar's end, and draw its interval."""
    reading = readings.get("traffic", f"{label}, total")
    assert reading is not None
    if reading.low is not None and reading.high is not None and reading.high > reading.low:
        axes.plot([reading.low, reading.high], [row, row], color=COLOUR["ink"], linewidth=1.6)
        at = max(at, reading.high)
    text = quantity(reading.value, "bytes")
    axes.text(at + longest * 0.012, row, text, va="center", ha="left", fontweight="bold")


def _names(figure: Any, narrow: bool) -> None:
    """Name the series above the bars, each with its own swatch."""
    from matplotlib.patches import Patch

    swatches = [
        Patch(facecolor=COLOUR[role], edgecolor=COLOUR["paper"], hatch=hatch, label=group)
        for group, _, role, hatch in GROUPS
    ]
    figure.legend(
        handles=swatches,
        loc="outside upper left",
        ncols=1 if narrow else 4,
        frameon=False,
        handlelength=1.6,
        columnspacing=1.6,
    )


def rows(data: ReportData, readings: Readings) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
    """Give the table: one row per group of links and cause."""
    table = []
    for label, name in bars(readings):
        total = _total(readings, label)
        for cause in (*CAUSES, "total"):
            reading = readings.get("traffic", f"{label}, {cause}")
            if reading is not None and not (reading.value == 0 and cause != "total"):
                table.append(_row(reading, f"{name}: {_CAUSE_NAMES.get(cause, cause)}", total))
    return (
        "Bytes on the wire in a day, by cause; causes without a byte left out",
        ("what", "bytes in a day", "95 % interval", "share", "units of replication"),
        table,
    )


_CAUSE_NAMES: Final = {
    "message": "messages",
    "sync": "sync copies",
    "poll": "polls",
    "lookup": "swarm and node lookups",
    "handshake": "handshakes",
    "keepalive": "keep-alives",
    "path": "tests of guards and paths",
    "node_list": "node lists and clocks",
    "signal": "typing, receipts, calls and the like",
    "config": "configs and keys",
    "group": "groups",
    "file": "files",
    "push": "push",
    "community": "communities",
}


def _row(reading: Reading, name: str, total: float) -> tuple[str, ...]:
    share = f"{percent_digits(reading.value / total)} %" if reading.value is not None and total else ""
    return name, of_reading(reading), span_of(reading), share, f"{reading.n} {reading.n_unit}s"
