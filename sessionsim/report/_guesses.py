"""What attacks concluded, in words: two sentences and one row of a table per attack and world.

*Guesses right* is said of verdicts, never *knows*. Each figure of privacy stands between the blind guess and
the oracle's ceiling, with the lower tail beside the mean and the price of the network beside both. Worlds are
named: a closed world of the run's accounts, or an open one with the number of monthly accounts about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sessionsim.core.readings import Reading
from sessionsim.report._data import Readings
from sessionsim.report._numbers import (
    MISSING,
    count_of,
    of_reading,
    percent_digits,
    quantity,
    span_of,
    too_few,
)

_LABEL: Final = re.compile(r"(?P<attack>.+), (?:closed world of (?P<n>[\d,]+)|population (?P<p>[\d,]+))\Z")
# Metrics whose readings are named by attack and world.
_METRICS: Final = ("rank-of-truth", "distinguishing", "estimation-error", "anonymity-set", "calibration")
HEAD: Final = (
    "attack and world", "right", "blind guess", "ceiling", "advantage", "crowd left (one in 20 below)",
)  # fmt: skip


class World(NamedTuple):
    """One attack in one world. Args: people: monthly accounts, 0 if closed; accounts: of the run."""

    label: str
    attack: str
    people: int
    accounts: int

    @property
    def words(self) -> str:
        """Name the world."""
        if self.people:
            return f"among {self.people:,} monthly accounts"
        return f"closed world of {self.accounts:,} accounts"


class Attack(NamedTuple):
    """One attack of the scenario. Args: asks: the question in words; source: who published it."""

    name: str
    kind: str
    observer: str
    asks: str
    secret: str
    source: str
    worlds: tuple[World, ...]


def attacks(readings: Readings, manifest: Mapping[str, Any]) -> list[Attack]:
    """List the attacks that have readings, in the order of the scenario, their worlds by size."""
    worlds: dict[str, dict[str, World]] = {}
    for metric in _METRICS:
        for one in readings.of(metric):
            label = one.name.rpartition(": ")[0]
            match = _LABEL.match(label)
            if match:
                people, accounts = (int((match[key] or "0").replace(",", "")) for key in ("p", "n"))
                worlds.setdefault(match["attack"], {})[label] = World(
                    label, match["attack"], people, accounts
                )
    declared = {str(one["name"]): one for one in manifest.get("attacks", ())}
    order = [*(name for name in declared if name in worlds), *(n for n in worlds if n not in declared)]
    found = []
    for name in order:
        facts = declared.get(name, {})
        kind, vantage, asks, secret, source = (
            str(facts.get(key, "")) for key in ("kind", "vantage", "asks", "secret", "source")
        )
        sizes = sorted(worlds[name].values(), key=lambda world: world.people)
        found.append(Attack(name, kind, vantage, asks, secret, source, tuple(sizes)))
    return found


def sentences(readings: Readings, attack: Attack) -> tuple[str, str]:
    """Make the two answer sentences of an attack: the closed world, then the largest open one."""
    first, last = attack.worlds[0], attack.worlds[-1]
    opening = f"“{attack.name}”" + (f", from what “{attack.observer}” sees," if attack.observer else "")
    one = f"{opening} {_success(readings, first, attack.asks)}."
    if last is first:
        tail = _tail(readings, last)
        return one, f"No world with other people in it was asked for{f'; {tail}' if tail else ''}."
    text = _success(readings, last, "")
    tail = _tail(readings, last)
    return one, f"{last.words[0].upper()}{last.words[1:]} it {text}{f'; {tail}' if tail else ''}."


def _success(readings: Readings, world: World, asks: str) -> str:
    """Say how often it is right, in the way its kind of question asks for."""
    about = f" {asks}" if asks else ""
    where = "" if not asks else f" in the {world.words}" if not world.people else f" {world.words}"
    top = readings.get("rank-of-truth", f"{world.label}: top 1")
    if top is not None:
        if top.value is None:
            return f"cannot be judged{about}{where}: {of_reading(top)}"
        right, asked = top.counts["right"], top.counts["asked"]
        text = f"guesses right{about}{where} for {right:,.0f} of {asked:,.0f}"
        return f"{text}: {_weak(top)}" if too_few(top) else f"{text}, {_between(top)}"
    alarms = readings.get("distinguishing", f"{world.label}: alarms that are true")
    if alarms is not None:
        counts, what = alarms.counts, f", asked{about}," if about else ""
        found = f"finds {counts['hits']:,.0f} of {counts['true pairs']:,.0f} pairs{where}"
        if alarms.value is None:
            text = f"{what} {found} and raises too few alarms to judge ({of_reading(alarms)})"
            return text.lstrip(", ")
        if too_few(alarms):
            return f"{what} {found}; whether its alarms are true: {_weak(alarms)}".lstrip(", ")
        return f"{what} {found}; of its alarms {_between(alarms)} are true".lstrip(", ")
    error = readings.get("estimation-error", f"{world.label}: mean error")
    if error is not None and error.value is not None:
        near, late = (readings.get("estimation-error", f"{world.label}: error, p{p}") for p in (5, 95))
        text = f"errs{about}{where} by {_between(error)} on average"
        if near is None or late is None:
            return text
        if near.value is None or late.value is None:
            return f"{text}; its smallest and largest errors: {of_reading(near)}"
        return (
            f"{text}, by less than {of_reading(near)} for one in twenty and by more than {of_reading(late)}"
            " for another"
        )
    return f"gave no verdict{about}{where}"


def _weak(reading: Reading) -> str:
    """Say that a share is too uncertain for a number, and how many units would do."""
    units = count_of(reading.n, reading.n_unit)
    return f"{MISSING} (interval {span_of(reading)} over {units}; about {too_few(reading):,} would do)"


def _between(reading: Reading) -> str:
    """Write the value, and in parentheses its interval, floor and ceiling."""
    parts = []
    if interval := span_of(reading):
        parts.append(f"interval {interval}")
    if reading.baseline is not None:
        parts.append(f"blind guess {quantity(reading.baseline, reading.unit)}")
    if "ceiling" in reading.counts and reading.unit == "prob":
        parts.append(f"ceiling {quantity(reading.counts['ceiling'], 'prob')}")
    value = quantity(reading.value, reading.unit)
    return f"{value} ({'; '.join(parts)})" if parts else value


def _tail(readings: Readings, world: World) -> str:
    """Say how large the crowd is that is left, and how small for one in twenty."""
    holds = readings.get("anonymity-set", f"{world.label}: posterior calibrated")
    size = readings.get("anonymity-set", f"{world.label}: effective anonymity set (M2)")
    low = readings.get("anonymity-set", f"{world.label}: effective anonymity set (M2), p5")
    if holds is not None and holds.value == 0.0:
        said, true = holds.counts.get("claimed"), holds.counts.get("came true")
        if said is not None and true is not None:
            return (
                f"it claims {quantity(said, 'prob')} and {quantity(true, 'prob')} come true, so its"
                " probabilities make no crowd size"
            )
        return ""
    if size is None or size.value is None or low is None:
        return ""
    if low.value is None:  # a mean without its lower tail hides those who are worst off
        return f"how large a crowd it leaves: {of_reading(low)}"
    text = f"it leaves a crowd of {size.value:,.1f} on average"
    return f"{text}, fewer than {low.value:,.1f} for one in twenty"


def rows(readings: Readings, found: list[Attack]) -> list[tuple[str, ...]]:
    """Give one row per attack and world, see HEAD."""
    table: list[tuple[str, ...]] = []
    for attack in found:
        for world in attack.worlds:
            main = _main(readings, world)
            won = readings.get("distinguishing", f"{world.label}: advantage")
            ceiling = main.counts.get("ceiling") if main is not None else None
            table.append(
                (
                    f"{attack.name}, {world.words}",
                    _with_interval(main),
                    ""
                    if main is None
                    else quantity(main.baseline, main.unit)
                    if main.baseline is not None
                    else "",
                    "" if ceiling is None or main is None else quantity(ceiling, main.unit),
                    _with_interval(won),
                    _crowd(readings, world),
                )
            )
    return table


def _main(readings: Readings, world: World) -> Reading | None:
    """The reading that says how good an attack is: rank, true alarms, or error."""
    names = (("rank-of-truth", "top 1"), ("distinguishing", "alarms that are true"),
             ("estimation-error", "mean error"))  # fmt: skip
    found = (readings.get(metric, f"{world.label}: {name}") for metric, name in names)
    return next((one for one in found if one is not None), None)


def _with_interval(reading: Reading | None) -> str:
    if reading is None:
        return ""
    interval = span_of(reading)
    return f"{of_reading(reading)} ({interval})" if interval else of_reading(reading)


def _crowd(readings: Readings, world: World) -> str:
    """Give the effective set that is left, and what it is below for one in twenty; or why there is none."""
    holds = readings.get("anonymity-set", f"{world.label}: posterior calibrated")
    if holds is None:
        return "nothing claimed"
    if not holds.value:
        return "claims do not hold"
    size = readings.get("anonymity-set", f"{world.label}: effective anonymity set (M2)")
    low = readings.get("anonymity-set", f"{world.label}: effective anonymity set (M2), p5")
    mean, tail = (
        f"{one.value:,.1f}" if one is not None and one.value is not None else MISSING for one in (size, low)
    )
    return f"{mean} ({tail})"


def price(readings: Readings) -> str:
    """Say what the network costs that figures of privacy are of; empty where it was not measured."""
    half, late = (readings.get("latency", f"end to end, {name}") for name in ("p50", "p95"))
    total, arrived = readings.get("traffic", "client links, total"), readings.get("delivery", "delivered")
    if half is None and total is None:
        return ""
    which = "half of the messages delivered"
    if arrived is not None and arrived.value is not None:
        which = f"{percent_digits(arrived.value)} % of the messages delivered, half of these"
    parts = [f"{which} within {of_reading(half)}"]
    if late is not None and late.value is not None:
        parts.append(f"95 of 100 within {of_reading(late)}")
    link = "no client's link was watched"
    if total is not None and total.n:
        link = f"bytes of a client in a day: {of_reading(total)}"
        if total.value is not None:
            link = f"a client's link carries {of_reading(total)} a day"
    return f"Price of this network: {', '.join(parts)}; {link}."
