"""The three sentences on top of a report: how fast, how reliably and at what price, who learned what.

Templates, tested word by word. Counts stand beside percents, intervals beside values; *knows* is said of
ledger facts only; where nothing was found it says *not seen here*; where the data are too few it says how
many would do. Nothing is called by a word that judges (threat-model 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sessionsim.core.readings import Reading
from sessionsim.report._data import Readings
from sessionsim.report._numbers import count_of, of_reading, percent_digits, quantity, span_of
from sessionsim.report._secrets import SECRETS, Secret, known_of

# The secrets that join two ends; the third sentence is about these.
_LINKS = tuple(secret for secret in SECRETS if secret.id in ("S6", "S5"))


def answers(readings: Iterable[Reading], manifest: Mapping[str, Any]) -> tuple[str, str, str]:
    """Make the three answer sentences.

    Args:
        readings: of all seeds together.
        manifest: of one replicate; only its list of observers is used, for their order.
    """
    found = Readings(readings)
    return _speed(found), _reliability(found), _knowledge(found, manifest)


def _speed(readings: Readings) -> str:
    half, late = (readings.get("latency", f"end to end, {name}") for name in ("p50", "p95"))
    mean = readings.get("latency", "end to end, mean")
    if half is None or half.value is None:
        if mean is not None and mean.value is not None:
            return (
                f"A delivered message took {_with_span(mean)} on average, from the wish to send until it was"
                f" handed over; too few messages for a median ({of_reading(half)})."
            )
        return f"How fast messages are cannot be said ({of_reading(half)})."
    text = f"Half of the delivered messages arrived within {_with_span(half)} of the wish to send"
    if late is not None and late.value is not None:
        text += f", 95 of 100 within {_with_span(late)}"
    elif late is not None:
        text += f"; the slowest 5 of 100 cannot be told from so few ({late.needed:,} messages would do)"
    numbers = half.counts
    return f"{text}; {count_of(numbers['messages'], 'message')} in {count_of(numbers['seeds'], 'seed')}."


def _reliability(readings: Readings) -> str:
    delivered = readings.get("delivery", "delivered")
    if delivered is None or delivered.value is None:
        text = f"How many messages arrive cannot be said ({of_reading(delivered)})"
    else:
        counts = delivered.counts
        decided = counts["messages"] - counts["waiting"]
        text = (
            f"{counts['delivered']:,.0f} of {decided:,.0f} messages arrived"
            f" ({percent_digits(delivered.value)} %; {_bounds(delivered)})"
        )
        causes = [key.split(": ", 1) for key in sorted(counts) if ": " in key]
        for outcome, reason in causes:
            number = counts[f"{outcome}: {reason}"]
            text += f", {number:,.0f} {'was' if number == 1 else 'were'} {outcome} ({reason})"
        unfinished = counts["waiting"]
        if unfinished:
            text += f", {unfinished:,.0f} more {'was' if unfinished == 1 else 'were'} unfinished at the end"
    total = readings.get("traffic", "client links, total")
    if total is not None and total.value is None and total.n:
        return f"{text}; what a client's link carries cannot be said ({of_reading(total)})."
    if total is None or total.value is None:
        return f"{text}; no client's link was watched, so bytes were not measured."
    text += f"; a client's link carried {_with_span(total)} a day"
    polls = readings.get("traffic", "client links, poll")
    if polls is not None and polls.value is not None and total.value > 0:
        text += f", {percent_digits(polls.value / total.value)} % of it for polls"
    return f"{text}."


def _knowledge(readings: Readings, manifest: Mapping[str, Any]) -> str:
    observers = _ordered(readings.observers(), manifest)
    if not observers:
        return "Who learned what was not asked: no replicate of this run kept its bytes to be opened."
    known: dict[str, list[str]] = {}
    for observer in observers:
        parts = [_clause(readings, observer, secret) for secret in _LINKS]
        known.setdefault(" and ".join(part for part in parts if part), []).append(observer)
    nothing = known.pop("", [])
    clauses = [f"{_names(who)} {'knows' if len(who) == 1 else 'know'} {what}" for what, who in known.items()]
    if nothing:
        what = " and ".join(secret.title[0].lower() + secret.title[1:] for secret in _LINKS)
        clauses.append(f"{what}: not seen here by {_names(nothing)}{_bound(readings, nothing)}")
    text = "; ".join(clauses)
    return text[0].upper() + text[1:] + "."


def _names(observers: list[str]) -> str:
    quoted = [f"“{observer}”" for observer in observers]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _clause(readings: Readings, observer: str, secret: Secret) -> str:
    """Say how much of one secret an observer knows; empty if nothing."""
    reading = readings.get("who-learned-what", f"{observer}: {secret.id}")
    if reading is None:
        return ""
    known, total = known_of(reading)
    if not known:
        return ""
    remarks = [f"{percent_digits(known / total)} %"]
    if interval := span_of(reading):
        remarks.append(f"interval {interval}")
    if reading.baseline is not None:
        remarks.append(f"blind guess {quantity(reading.baseline, 'prob')}")
    if "ceiling" in reading.counts:
        held = f"{reading.counts['ceiling']:,.0f} of {total:,.0f}"
        remarks.append(f"ceiling {held}, by the guards, replicas and devices operated")
    of = "of" if secret.id == "S6" else "for"
    return f"{secret.object} {of} {known:,.0f} of {total:,.0f} {secret.nouns} ({'; '.join(remarks)})"


def _bound(readings: Readings, observers: list[str]) -> str:
    """Say how much could have gone unseen, from the widest upper bound."""
    highs = [
        reading.high
        for observer in observers
        for secret in _LINKS
        if (reading := readings.get("who-learned-what", f"{observer}: {secret.id}")) is not None
        and reading.high is not None
    ]
    return f" (at most {percent_digits(max(highs))} % by the interval)" if highs else ""


def _ordered(observers: list[str], manifest: Mapping[str, Any]) -> list[str]:
    """Put observers in the order of the scenario; unknown ones behind."""
    declared = [str(one["name"]) for one in manifest.get("observers", ())]
    return sorted(
        observers, key=lambda name: (declared.index(name) if name in declared else len(declared), name)
    )


def _with_span(reading: Reading) -> str:
    interval = span_of(reading)
    value = of_reading(reading)
    return f"{value} ({interval})" if interval else value


def _bounds(reading: Reading) -> str:
    """Say the interval of a share: as a bound where there was no exception at all."""
    if reading.value == 1.0 and reading.low is not None:
        return f"at least {percent_digits(reading.low)} % by {count_of(reading.n, reading.n_unit)}"
    return f"interval {span_of(reading)} over {count_of(reading.n, reading.n_unit)}"
