"""Calibration: what guesses claim against how often they come true."""

from __future__ import annotations

from typing import Any, Final

from sessionsim.core.readings import Reading
from sessionsim.report import _panels
from sessionsim.report._data import Readings, ReportData
from sessionsim.report._guesses import Attack, World, attacks
from sessionsim.report._numbers import of_reading, quantity, span_of
from sessionsim.report._svg import COLOUR

_MARK: Final = ": came true of claims from "


def points(readings: Readings, world: World) -> list[tuple[float, Reading]]:
    """Give what came true by what was claimed on average, rising."""
    found = [
        (one.counts["claimed"], one)
        for one in readings.of("calibration")
        if one.name.startswith(f"{world.label}{_MARK}") and one.value is not None
    ]
    return sorted(found, key=lambda point: point[0])


def drawable(readings: Readings, data: ReportData) -> list[Attack]:
    """List the attacks that claim probabilities."""
    return [
        attack
        for attack in attacks(readings, data.manifest)
        if any(points(readings, world) for world in attack.worlds)
    ]


def ready(data: ReportData, readings: Readings) -> bool:
    return bool(drawable(readings, data))


def height(readings: Readings, narrow: bool) -> int:
    names = {one.name.split(", ")[0] for one in readings.of("calibration") if _MARK in one.name}
    return _panels.height(len(names), narrow)


def describe(data: ReportData, readings: Readings) -> str:
    parts = [
        f"{attack.name}, {world.words}: claims of {quantity(claimed, 'prob')} come true in {of_reading(one)}"
        for attack in drawable(readings, data)
        for world in _panels.shown(attack.worlds)
        for claimed, one in points(readings, world)[-1:]
    ]
    return "Share that came true against what was claimed. " + "; ".join(parts) + "."


def note(data: ReportData, readings: Readings) -> str:
    return (
        "On the diagonal probabilities mean what they say. Below it an attack is surer than it is right, and"
        " the crowd it seems to leave is too small: then no entropy is given. Bars: 95 % intervals; larger"
        " marks stand for more claims."
    )


def draw(figure: Any, data: ReportData, readings: Readings, narrow: bool) -> None:
    def panel(axes: Any, attack: Attack) -> None:
        axes.plot([0, 1], [0, 1], color=COLOUR["muted"], linestyle=(0, (1, 2)), linewidth=1.2)
        for world, (role, dash, mark) in zip(_panels.shown(attack.worlds), _panels.STYLES, strict=False):
            found = points(readings, world)
            if not found:
                continue
            x, y = [claimed for claimed, _ in found], [one.value for _, one in found]
            total = sum(one.counts["claims"] for _, one in found)
            sizes = [16 + 80 * (one.counts["claims"] / total) ** 0.5 for _, one in found]
            axes.plot(x, y, color=COLOUR[role], linestyle=dash, linewidth=1.4)
            axes.vlines(
                x,
                [one.low for _, one in found],
                [one.high for _, one in found],
                color=COLOUR[role],
                linewidth=1,
            )
            axes.scatter(x, y, s=sizes, color=COLOUR[role], marker=mark, label=world.words, zorder=3)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.04)
        for set_ticks in (axes.set_xticks, axes.set_yticks):
            set_ticks([0, 0.5, 1], labels=["0", "50 %", "100 %"])
        axes.set_xlabel("claimed")
        axes.set_ylabel("came true")

    _panels.draw_panels(figure, drawable(readings, data), narrow, panel)


def rows(data: ReportData, readings: Readings) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
    table: list[tuple[str, ...]] = [
        (
            f"{attack.name}, {world.words}: {one.name.partition(_MARK)[2]}",
            quantity(claimed, "prob"),
            of_reading(one),
            span_of(one),
            f"{one.counts['claims']:,.0f}",
        )
        for attack in attacks(readings, data.manifest)
        for world in attack.worlds
        for claimed, one in points(readings, world)
    ]
    return (
        "Claims in tenths against what came true",
        ("attack, world, claims", "claimed on average", "came true", "95 % interval", "claims"),
        table,
    )
