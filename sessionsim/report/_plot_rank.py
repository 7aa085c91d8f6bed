"""Rank of the truth: among how many of its best guesses an attack has it (logarithmic number of guesses)."""

from __future__ import annotations

from typing import Any, Final

from sessionsim.core.readings import Reading
from sessionsim.report import _panels
from sessionsim.report._data import Readings, ReportData
from sessionsim.report._guesses import Attack, World, attacks
from sessionsim.report._numbers import of_reading, quantity, span_of
from sessionsim.report._svg import COLOUR

_MANY: Final = 7  # ticks that fit below a panel
_MARK: Final = ": top "


def curve(readings: Readings, world: World) -> list[tuple[float, Reading]]:
    """Give success by number of guesses, rising."""
    return _panels.curve(readings, "rank-of-truth", world, _MARK, int)


def drawable(readings: Readings, data: ReportData) -> list[Attack]:
    """List the attacks that have a curve."""
    return _panels.drawable(readings, data, curve)


def ready(data: ReportData, readings: Readings) -> bool:
    return bool(drawable(readings, data))


def height(readings: Readings, narrow: bool) -> int:
    names = {one.name.split(", ")[0] for one in readings.of("rank-of-truth") if f"{_MARK}2" in one.name}
    return _panels.height(len(names), narrow)


def describe(data: ReportData, readings: Readings) -> str:
    parts = []
    for attack in drawable(readings, data):
        for world in _panels.shown(attack.worlds):
            points = curve(readings, world)
            if points:
                found = f"right at once {of_reading(points[0][1])}"
                end = f"within {points[-1][0]} {of_reading(points[-1][1])}"
                parts.append(f"{attack.name}, {world.words}: {found}, {end}")
    return "Share of subjects against the number of guesses, logarithmic. " + "; ".join(parts) + "."


def note(data: ReportData, readings: Readings) -> str:
    return (
        "A curve's height is the share of subjects whose truth is among that many best guesses. Thin dotted:"
        " a blind guess over the same candidates. Bars: 95 % intervals. The left end is what a single guess"
        " gets; where a curve rises late, many are hidden though some are not."
    )


def draw(figure: Any, data: ReportData, readings: Readings, narrow: bool) -> None:
    def panel(axes: Any, attack: Attack) -> None:
        most = 2
        for world, (role, dash, mark) in zip(_panels.shown(attack.worlds), _panels.STYLES, strict=False):
            points = curve(readings, world)
            if not points:
                continue
            x = [k for k, _ in points]
            most = max(most, int(x[-1]))
            axes.plot(
                x, [one.value for _, one in points], color=COLOUR[role], linestyle=dash, marker=mark,
                markersize=4, linewidth=1.8, label=world.words,
            )  # fmt: skip
            axes.vlines(
                x, [one.low for _, one in points], [one.high for _, one in points],
                color=COLOUR[role], linewidth=1, alpha=0.6,
            )  # fmt: skip
            floor = [one.baseline or 0.0 for _, one in points]
            axes.plot(x, floor, color=COLOUR[role], linestyle=(0, (1, 2)), linewidth=1)
        axes.set_xscale("log")
        axes.set_xlim(0.9, most * 1.15)
        ticks = [k for k in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if k <= most]
        ticks = ticks if len(ticks) < _MANY else ticks[::2]
        axes.set_xticks(ticks, labels=[str(k) for k in ticks])
        axes.minorticks_off()
        axes.set_ylim(0, 1.04)
        axes.set_yticks([0, 0.5, 1], labels=["0", "50 %", "100 %"])
        axes.set_xlabel("guesses, logarithmic")
        axes.set_ylabel("truth among them")

    _panels.draw_panels(figure, drawable(readings, data), narrow, panel)


def rows(data: ReportData, readings: Readings) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
    table: list[tuple[str, ...]] = []
    for attack in attacks(readings, data.manifest):
        for world in attack.worlds:
            for k, one in curve(readings, world):
                table.append(
                    (
                        f"{attack.name}, {world.words}: within {k}",
                        of_reading(one),
                        span_of(one),
                        quantity(one.baseline, "prob") if one.baseline is not None else "",
                        quantity(one.counts["ceiling"], "prob") if "ceiling" in one.counts else "",
                    )
                )
    return (
        "Truth among the best guesses",
        ("attack, world, guesses", "share", "95 % interval", "blind guess", "ceiling"),
        table,
    )
