"""ROC: found against false-positive rate, the rate logarithmic and no lower than the data carry."""

from __future__ import annotations

from typing import Any, Final

from sessionsim.core.readings import Reading
from sessionsim.report import _panels
from sessionsim.report._data import Readings, ReportData
from sessionsim.report._guesses import Attack, World, attacks
from sessionsim.report._numbers import of_reading, quantity, span_of
from sessionsim.report._svg import COLOUR

_MARK: Final = ": TPR at FPR "


def curve(readings: Readings, world: World) -> list[tuple[float, Reading]]:
    """Give found by false-positive rate, rising."""
    return _panels.curve(readings, "distinguishing", world, _MARK, float)


def drawable(readings: Readings, data: ReportData) -> list[Attack]:
    """List the attacks that have a curve."""
    return _panels.drawable(readings, data, curve)


def ready(data: ReportData, readings: Readings) -> bool:
    return bool(drawable(readings, data))


def height(readings: Readings, narrow: bool) -> int:
    names = {one.name.split(", ")[0] for one in readings.of("distinguishing") if _MARK in one.name}
    return _panels.height(len(names), narrow)


def describe(data: ReportData, readings: Readings) -> str:
    parts = []
    for attack in drawable(readings, data):
        for world in _panels.shown(attack.worlds):
            points = curve(readings, world)
            if points:
                rate, one = points[0]
                parts.append(f"{attack.name}, {world.words}: {of_reading(one)} found at a rate of {rate:g}")
    return "True-positive rate against false-positive rate, logarithmic. " + "; ".join(parts) + "."


def note(data: ReportData, readings: Readings) -> str:
    return (
        "Found: share of true pairs that score above all but this share of wrong ones. A curve begins where"
        " ten wrong pairs are left; to its left nothing is known. Dotted: a blind guess. Bars: 95 % intervals"
        " over seeds or accounts, never over pairs."
    )


def draw(figure: Any, data: ReportData, readings: Readings, narrow: bool) -> None:
    def panel(axes: Any, attack: Attack) -> None:
        lowest = 1.0
        for world, (role, dash, mark) in zip(_panels.shown(attack.worlds), _panels.STYLES, strict=False):
            points = curve(readings, world)
            if not points:
                continue
            x, y = [rate for rate, _ in points], [one.value for _, one in points]
            lowest = min(lowest, x[0])
            axes.plot(
                x, y, color=COLOUR[role], linestyle=dash, marker=mark, markersize=4, linewidth=1.8,
                label=world.words,
            )  # fmt: skip
            axes.vlines(
                x, [one.low for _, one in points], [one.high for _, one in points],
                color=COLOUR[role], linewidth=1, alpha=0.6,
            )  # fmt: skip
        grid = [10 ** (k / 8) for k in range(-48, 1)]
        axes.plot(grid, grid, color=COLOUR["muted"], linestyle=(0, (1, 2)), linewidth=1.2)
        axes.set_xscale("log")
        axes.set_xlim(lowest / 1.5, 1)
        axes.set_ylim(0, 1.04)
        axes.set_yticks([0, 0.5, 1], labels=["0", "50 %", "100 %"])
        decades = [10.0**k for k in range(-5, 1) if 10.0**k > lowest / 1.5]
        axes.set_xticks(decades, labels=[f"{100 * rate:g} %" for rate in decades])
        axes.minorticks_off()
        axes.set_xlabel("false-positive rate, logarithmic")
        axes.set_ylabel("found")

    _panels.draw_panels(figure, drawable(readings, data), narrow, panel)


def rows(data: ReportData, readings: Readings) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
    table: list[tuple[str, ...]] = []
    for attack in attacks(readings, data.manifest):
        for world in attack.worlds:
            prefix = f"{world.label}{_MARK}"
            for one in readings.of("distinguishing"):
                if one.name.startswith(prefix):
                    worth = one.counts.get("predictive value")
                    table.append(
                        (
                            f"{attack.name}, {world.words}: at {one.name[len(prefix) :]}",
                            of_reading(one),
                            span_of(one),
                            "" if worth is None else quantity(worth, "prob"),
                            f"1 in {1 / one.counts['prior']:,.0f}" if one.counts.get("prior") else "",
                        )
                    )
    return (
        "True-positive rate at false-positive rates, and what an alarm is worth at the base rate",
        (
            "attack, world, false-positive rate",
            "found",
            "95 % interval",
            "alarms that are true",
            "true pairs",
        ),
        table,
    )
