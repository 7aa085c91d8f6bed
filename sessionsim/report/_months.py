"""What a report says of months of guards and paths, and of campaigns to get into a chosen swarm.

Templates, tested word by word, like the three answers. What was staked stands beside what it bought.
"""

from __future__ import annotations

from typing import Final

from sessionsim.core.readings import Reading
from sessionsim.report._data import Readings
from sessionsim.report._numbers import count_of, of_reading, percent_digits, quantity, span_of

LABEL: Final = "Over months"
_TIMES: Final = "time-to-compromise"
CAPTURE: Final = "swarm-capture"
_DENIAL: Final = ": owned among working paths under selective denial"
_EVENT: Final = ": a bad guard and a bad replica, "  # what links an address to an account, metrics 2a
_US_PER_DAY: Final = 86_400_000_000


def months_answer(readings: Readings) -> str:
    """Give one paragraph; empty if nobody was followed over months."""
    dropped = denials(readings)
    parts = []
    for name, last in _last(readings).items():
        parts.append(_stood(name, last))
        if name in dropped:
            parts.append(_denied(dropped[name]))
    return " ".join([*parts, *_campaigns(readings)])


def denials(readings: Readings) -> dict[str, list[tuple[str, Reading]]]:
    """Give, by coalition, the share of each platform's working paths that it owns under selective denial."""
    found: dict[str, list[tuple[str, Reading]]] = {}
    for one in readings.of(_TIMES):
        group, event, _ = one.name.partition(_DENIAL)
        if event and one.value is not None:
            name, _, platform = group.rpartition(", ")
            found.setdefault(name, []).append((platform, one))
    return found


def _denied(shares: list[tuple[str, Reading]]) -> str:
    """Say what dropping paths buys; the closed forms are those of fresh paths on any platform."""
    named = [
        f"{of_reading(one)} of those of {platform} ({span_of(one)})" if span_of(one) else
        f"{of_reading(one)} of those of {platform}"
        for platform, one in shares
    ]  # fmt: skip
    first, remarks = shares[0][1], []
    if first.baseline is not None:
        remarks.append(f"closed form {quantity(first.baseline, 'prob')}")
    if (plain := first.counts.get("both ends if none is dropped")) is not None:
        remarks.append(f"{quantity(plain, 'prob')} if none is dropped")
    about = f"; {', '.join(remarks)}" if remarks else ""
    return (
        "If it drops fresh paths that do not profit it, it owns both ends of those that still work:"
        f" {_listed(named)}{about}."
    )


def _last(readings: Readings) -> dict[str, list[tuple[str, Reading]]]:
    """Give, by coalition, the latest share of each platform."""
    found: dict[str, dict[str, Reading]] = {}
    for one in readings.of(_TIMES):
        name, event, series = one.name.partition(_EVENT)
        if event and "by us" in one.counts and one.value is not None:
            platform = series.partition(": ")[0]
            held = found.setdefault(name, {})
            if platform not in held or held[platform].counts["by us"] < one.counts["by us"]:
                held[platform] = one
    return {name: list(held.items()) for name, held in found.items()}


def _stood(name: str, last: list[tuple[str, Reading]]) -> str:
    counts = last[0][1].counts
    days = counts["by us"] / _US_PER_DAY
    shares = [
        f"{of_reading(one)} of {platform} accounts ({span_of(one)})" if span_of(one) else
        f"{of_reading(one)} of {platform} accounts"
        for platform, one in last
    ]  # fmt: skip
    held = f"{counts['bad nodes']:,.0f} of {counts['nodes']:,.0f} nodes"
    if stake := counts.get("stake SESH"):
        held += f", {stake:,.0f} SESH at stake"
    return (
        f"“{name}” ({held}) stood as a guard and in the swarm of {_listed(shares)} within"
        f" {count_of(days, 'day')}."
    )


def captures(readings: Readings, what: str) -> list[tuple[int, Reading]]:
    """Give the share of campaigns that came to something, by number of registrations, rising.

    Args:
        what: `a member`, `most members` or `all members`.
    """
    begin = f"{what} after "
    found = [
        (int(one.name.removeprefix(begin).split()[0]), one)
        for one in readings.of(CAPTURE)
        if one.name.startswith(begin) and one.value is not None
    ]
    return sorted(found, key=lambda point: point[0])


def _campaigns(readings: Readings) -> list[str]:
    """Say what campaigns came to: after as many registrations as get half of them in, or after all."""
    inside, most = captures(readings, "a member"), captures(readings, "most members")
    if not inside:
        return []
    number, one = next((point for point in inside if (point[1].value or 0) >= 0.5), inside[-1])
    counts = one.counts
    text = (
        f"Of {count_of(counts['campaigns'], 'campaign')} against one account's swarm,"
        f" {counts['reached']:,.0f} ({of_reading(one)}; interval {span_of(one)}) had a node in it"
        f" after {number:,} registrations"
    )
    if stake := counts.get("stake SESH"):
        text += f", {stake:,.0f} SESH at stake"
    if one.baseline is not None:
        text += f"; the rule of placement gives {quantity(one.baseline, 'prob')}"
        if "placed at random" in counts:
            text += f", placement anywhere would {quantity(counts['placed at random'], 'prob')}"
    if most:
        number, one = most[-1]
        bound = "" if one.high is None else f" (at most {percent_digits(one.high)} %)"
        text += f"; {one.counts['reached']:,.0f} had most of it after {number:,}"
        text += bound if not one.counts["reached"] else f" ({of_reading(one)}; interval {span_of(one)})"
    return [f"{text}."]


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
