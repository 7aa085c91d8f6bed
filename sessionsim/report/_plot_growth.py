"""Growth: how an attack fares as the number of people about grows (both worlds and crowds logarithmic)."""

from __future__ import annotations

from typing import Any, Final

from sessionsim.report import _panels
from sessionsim.report._data import Readings, ReportData
from sessionsim.report._guesses import Attack, attacks
from sessionsim.report._numbers import of_reading, span_of
from sessionsim.report._svg import COLOUR

# What is followed over worlds: metric, name, words, colour, dash, mark.
_FOLLOWED: Final = (
    ("rank-of-truth", "top 1", "right at once", "s1", "solid", "o"),
    ("rank-of-truth", "top 10", "within ten guesses", "s2", (0, (5, 2)), "s"),
    ("distinguishing", "alarms that are true", "alarms that are true", "s3", (0, (2, 1.5)), "D"),
)


def drawable(readings: Readings, data: ReportData) -> list[Attack]:
    """List the attacks that were made in two open worlds or more."""
    return [
        attack
        for attack in attacks(readings, data.manifest)
        if sum(world.people > 0 for world in attack.worlds) > 1
    ]


def ready(data: ReportData, readings: Readings) -> bool:
    return bool(drawable(readings, data))


def height(readings: Readings, narrow: bool) -> int:
    names: dict[str, set[str]] = {}
    for metric in ("rank-of-truth", "distinguishing"):
        for one in readings.of(metric):
            name, mark, world = one.name.rpartition(": ")[0].partition(", population ")
            if mark:
                names.setdefault(name, set()).add(world)
    return _panels.height(sum(len(worlds) > 1 for worlds in names.values()), narrow)


def describe(data: ReportData, readings: Readings) -> str:
    parts = []
    for attack in drawable(readings, data):
        for world in (attack.worlds[0], attack.worlds[-1]):
            for metric, name, words, *_ in _FOLLOWED:
                one = readings.get(metric, f"{world.label}: {name}")
                if one is not None and one.value is not None:
                    parts.append(f"{attack.name}, {world.words}: {words} {of_reading(one)}")
    return "Success against the number of monthly accounts, logarithmic. " + "; ".join(parts) + "."


def note(data: ReportData, readings: Readings) -> str:
    closed = any(not world.people for attack in drawable(readings, data) for world in attack.worlds)
    return (
        "The simulated accounts in the company of strangers, whose streams are resampled from theirs at the"
        " rate of the stated population." + " The leftmost mark is the closed world of the run." * closed
    )


def draw(figure: Any, data: ReportData, readings: Readings, narrow: bool) -> None:
    def panel(axes: Any, attack: Attack) -> None:
        smallest = min(world.people for world in attack.worlds if world.people)
        for metric, name, words, role, dash, mark in _FOLLOWED:
            x, found = [], []
            for world in attack.worlds:
                one = readings.get(metric, f"{world.label}: {name}")
                if one is not None and one.value is not None:
                    # A closed world has no place on the axis; it stands a third of a decade before the first.
                    x.append(world.people or smallest / 3)
                    found.append(one)
            if found:
                y = [one.value for one in found]
                axes.plot(x, y, color=COLOUR[role], linestyle=dash, marker=mark, markersize=5, label=words)
                axes.vlines(
                    x,
                    [one.low for one in found],
                    [one.high for one in found],
                    color=COLOUR[role],
                    linewidth=1,
                )
        people = sorted({world.people or smallest / 3 for world in attack.worlds})
        axes.set_xscale("log")
        axes.set_xticks(people, labels=["closed" if p < smallest else _short(p) for p in people])
        axes.minorticks_off()
        axes.set_ylim(0, 1.04)
        axes.set_yticks([0, 0.5, 1], labels=["0", "50 %", "100 %"])
        axes.set_xlabel("monthly accounts, logarithmic")

    _panels.draw_panels(figure, drawable(readings, data), narrow, panel)


def _short(people: float) -> str:
    for factor, sign in ((1e6, " M"), (1e3, " k")):
        if people >= factor:
            return f"{people / factor:g}{sign}"
    return f"{people:g}"


def rows(data: ReportData, readings: Readings) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
    table: list[tuple[str, ...]] = []
    for attack in drawable(readings, data):
        for world in attack.worlds:
            for metric, name, words, *_ in _FOLLOWED:
                one = readings.get(metric, f"{world.label}: {name}")
                if one is not None:
                    table.append((f"{attack.name}, {world.words}: {words}", of_reading(one), span_of(one)))
    return (
        "Success by the number of monthly accounts",
        ("attack, world", "share", "95 % interval"),
        table,
    )
