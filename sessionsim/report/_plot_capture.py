"""Capture: the share of campaigns with nodes in a chosen swarm, against registrations and their stake."""

from __future__ import annotations

from typing import Any, Final

from sessionsim.report._data import Readings, ReportData
from sessionsim.report._months import captures
from sessionsim.report._numbers import of_reading, quantity, span_of
from sessionsim.report._svg import COLOUR

# What a campaign came to: its name in readings, colour, dash, mark.
_GOALS: Final = (
    ("a member", "s1", "solid", "o"), ("most members", "s2", (0, (5, 2)), "s"),
    ("all members", "s3", (0, (2, 1.5)), "D"),
)  # fmt: skip


def ready(data: ReportData, readings: Readings) -> bool:
    return len(captures(readings, "a member")) > 1


def height(readings: Readings, narrow: bool) -> int:
    return 330 if narrow else 360


def describe(data: ReportData, readings: Readings) -> str:
    parts = [
        f"{what} after {number:,} registrations: {of_reading(one)}"
        for what, *_ in _GOALS
        for number, one in captures(readings, what)[-1:]
    ]
    return "Share of campaigns against the number of nodes registered. " + "; ".join(parts) + "."


def note(data: ReportData, readings: Readings) -> str:
    return (
        "Nodes are registered one after the other until they land in the swarm of a chosen account; each"
        " costs its stake. Bars: 95 % intervals over campaigns. Thin dotted: the closed form for the"
        " network's rule, which places newcomers in the smaller swarms."
    )


def draw(figure: Any, data: ReportData, readings: Readings, narrow: bool) -> None:
    axes = figure.subplots()
    for what, role, dash, mark in _GOALS:
        found = captures(readings, what)
        if not found:
            continue
        x = [number for number, _ in found]
        axes.plot(
            x, [one.value for _, one in found], color=COLOUR[role], linestyle=dash, marker=mark, markersize=5,
            linewidth=1.8, label=f"{what} of the swarm",
        )  # fmt: skip
        axes.vlines(x, [one.low for _, one in found], [one.high for _, one in found], color=COLOUR[role])
        floor = [(number, one.baseline) for number, one in found if one.baseline is not None]
        if floor:
            axes.plot(*zip(*floor, strict=True), color=COLOUR[role], linestyle=(0, (1, 2)), linewidth=1.2)
    axes.set_xlim(0)
    axes.set_ylim(0, 1.04)
    axes.set_yticks([0, 0.5, 1], labels=["0", "50 %", "100 %"])
    axes.set_xlabel("nodes registered")
    axes.set_ylabel("" if narrow else "share of campaigns")
    drawn = axes.legend(frameon=False, loc="upper left", handlelength=3.2)
    for text in drawn.get_texts():
        text.set_color(COLOUR["muted"])


def rows(data: ReportData, readings: Readings) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
    table: list[tuple[str, ...]] = [
        (
            f"{what} after {number:,}",
            of_reading(one),
            span_of(one),
            quantity(one.baseline, "prob") if one.baseline is not None else "",
            quantity(one.counts["placed at random"], "prob") if "placed at random" in one.counts else "",
            f"{one.counts['stake SESH']:,.0f} SESH" if "stake SESH" in one.counts else "",
        )
        for what, *_ in _GOALS
        for number, one in captures(readings, what)
    ]
    return (
        "Campaigns of registrations against one swarm",
        (
            "goal, registrations",
            "share of campaigns",
            "95 % interval",
            "closed form",
            "if placed anywhere",
            "stake",
        ),
        table,
    )
