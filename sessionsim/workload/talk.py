"""Direct messages: who knows whom, and what they write to each other.

A contact graph with the measured numbers of contacts (`contacts.py`), and on it the dialogue process with
the measured gaps, answers and sessions (`dialogue.py`). Present-day people write more than those of 2004:
the waits between sessions are shortened until the wanted number of messages a day comes out; what happens
inside a session keeps its measured speed, and every law keeps its shape. Source: metrics 4.1.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sessionsim.core.intents import Intent
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.workload.clock import DAY_S
from sessionsim.workload.contacts import Circle, circles
from sessionsim.workload.dialogue import Dialogue
from sessionsim.workload.fits import (
    LEAD_IN_DAYS,
    MANNER,
    MUTUAL_REPLY_PROB,
    ONE_WAY_SHARE,
    ONE_WAY_SLOWNESS,
    RATE_BY_SLOWNESS,
    REPLY_PROB,
)
from sessionsim.workload.laws import Manner
from sessionsim.workload.lengths import message
from sessionsim.workload.rhythm import Clock


@dataclass(frozen=True)
class Talk:
    """Settings of direct messages."""

    messages_per_day: float = setting(
        40.0,
        doc="Direct messages an account writes per day, averaged over accounts; 1.1 is the rate of 2004.",
        source="metrics 4.1: 30-60 a day for present-day messengers; the middle of it",
        low=0.3,
        high=140.0,
    )


@dataclass(frozen=True)
class Acquaintance:
    """Settings of who knows whom."""

    one_way_share: float = setting(
        ONE_WAY_SHARE,
        unit="prob",
        doc="Share of ties between contacts on which only one side ever writes.",
        source="metrics 4.1: 63.6 % of directed ties have their reverse, so 46.7 % of ties are mutual",
        low=0.0,
        high=1.0,
    )
    home_share: float = setting(
        0.8,
        unit="prob",
        doc="Share of a person's contacts that live in the same country, beyond what chance gives.",
        source="Assumption: most of whom one knows live in one's country",
        low=0.0,
        high=1.0,
    )


def acquainted(people: People, rules: Acquaintance, seeds: Seeds) -> list[Circle]:
    """Draw the contact graph of some people. Args: seeds: used as in `contacts.circles`."""
    return circles(len(people), seeds, people.countries, rules.home_share, rules.one_way_share)


def manner_for(one_way_share: float) -> Manner:
    """Give how people converse where so large a share of ties has one side only.

    On the other ties answers are the more probable, and waits the shorter: as calibrated at the measured
    share, and linearly below and above, so that gaps keep their law.
    """
    part = one_way_share / ONE_WAY_SHARE
    answer_prob = REPLY_PROB + (MUTUAL_REPLY_PROB - REPLY_PROB) * part
    own_gap = MANNER.own_gap.with_long_scaled(1 + (ONE_WAY_SLOWNESS - 1) * part)
    return replace(MANNER, own_gap=own_gap, answer_prob=answer_prob)


def direct_texts(
    known: list[Circle],
    clocks: list[Clock],
    messages_per_day: float,
    one_way_share: float,
    end_us: int,
    seeds: Seeds,
) -> Iterator[Intent]:
    """Give all direct messages in time order, times in [0, end_us).

    The process begins earlier, so that time 0 is a moment like any other; what was written before is not
    given.

    Args:
        one_way_share: as the circles were drawn with.
        seeds: streams as in `Dialogue`.
    """
    slowness = slowness_for(messages_per_day)
    start_s, manner = -LEAD_IN_DAYS * DAY_S * slowness, manner_for(one_way_share)
    dialogue = Dialogue(known, clocks, slowness, seeds, start_s, manner)
    last_us = end_us - 1  # rounding must not push a wish over the edge
    written: Counter[tuple[int, int]] = Counter()
    for said in dialogue.until(end_us / US_PER_S):
        if said.t_s >= 0:
            tie = (said.sender, said.recipient)
            body = message(said.u_length, said.u_text)
            yield Intent(min(int(said.t_s * US_PER_S), last_us), *tie, body, written[tie])
            written[tie] += 1


def slowness_for(messages_per_day: float) -> float:
    """Give the factor on all long waits that makes people write so many messages a day; 1 as measured.

    Args:
        messages_per_day: average over accounts, within the range of RATE_BY_SLOWNESS.
    """
    logs = [(math.log(rate), math.log(slowness)) for slowness, rate in reversed(RATE_BY_SLOWNESS)]
    place = min(max(bisect_left(logs, (math.log(messages_per_day),)), 1), len(logs) - 1)
    (x0, y0), (x1, y1) = logs[place - 1], logs[place]
    return math.exp(y0 + (y1 - y0) * (math.log(messages_per_day) - x0) / (x1 - x0))
