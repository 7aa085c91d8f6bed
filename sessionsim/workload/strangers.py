"""People who meet: ties on which nobody has written before, and what becomes of the first text on each.

A share of the ties that are used is new. The first text on such a tie is a message request; whoever gets it
says yes at the latest when they answer, react or call, and some say yes without ever answering. Until then
clients offer the asker neither files nor calls; more texts may follow the first one. Nobody says no: a
request that is not wanted is left lying, which looks the same to everybody else (client-behaviour 6.3). How
often people meet is not published: all numbers are assumptions, and keys.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sessionsim.core.intents import Acceptance, Call, Intent, MessageAt, Reaction, Strangers, Wish
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_S
from sessionsim.workload.draws import Luck

_NEVER_US: Final = 1 << 62
# How long before an answer the yes is given that it needs. Source: session-desktop: ts/models/conversation.ts
# (sendMessageJob, approvalMessageTimestamp).
_YES_BEFORE_US: Final = 100_000


@dataclass(frozen=True)
class StrangerRules:
    """Settings of people who meet."""

    strangers_share: float = setting(
        0.03,
        unit="prob",
        doc="Share of the ties used in a run on which nobody has written before it.",
        source="Assumption: a few of one's contacts are new",
        low=0.0,
        high=1.0,
    )
    silent_acceptance_share: float = setting(
        0.5,
        unit="prob",
        doc="Share of message requests that are accepted although they are never answered.",
        source="Assumption: every other one",
        low=0.0,
        high=1.0,
    )
    acceptance_mean_us: int = setting(
        6 * US_PER_H,
        unit="us",
        doc="Mean time until somebody who does not answer before says yes to a request; exponential.",
        source="Assumption: some hours; clients show requests apart and without a sound",
        low=US_PER_S,
        high=30 * US_PER_DAY,
    )


class _Deed(NamedTuple):
    """Something one side of a tie does for the other. Args: wish: a text, a reaction or a call."""

    wish: Intent | Reaction | Call
    other: int


@dataclass(slots=True)
class Meetings:
    """What comes of strangers.

    Args:
        wishes: who are strangers, and who says yes.
        bare: texts whose writer is offered no files.
        undone: calls that are not offered.
    """

    wishes: list[Wish] = field(default_factory=list)
    bare: set[MessageAt] = field(default_factory=set)
    undone: set[tuple[str, int, int, int]] = field(default_factory=set)


def meetings(happened: Sequence[Wish], rules: StrangerRules, end_us: int, seeds: Seeds) -> Meetings:
    """Find the new ties among what people do, and what follows from them.

    Args:
        happened: texts, reactions, calls and anything else, in time order.
        end_us: of the run; who meets later does not, and a yes that comes later is not given.
        seeds: luck ("strangers", a, b) of each tie, a < b.
    """
    ties: dict[tuple[int, int], list[_Deed]] = {}
    for deed in _deeds(happened):
        pair = (min(deed.wish.sender, deed.other), max(deed.wish.sender, deed.other))
        ties.setdefault(pair, []).append(deed)
    found = Meetings()
    for pair, deeds in ties.items():
        luck = Luck(seeds, "strangers", *pair)
        first = next((deed.wish for deed in deeds if isinstance(deed.wish, Intent)), None)
        if first is not None and first.t_us < end_us and luck.at(0) < rules.strangers_share:
            _meet(first, deeds, rules, luck, end_us, found)
    return found


def _meet(
    first: Intent, deeds: Sequence[_Deed], rules: StrangerRules, luck: Luck, end_us: int, found: Meetings
) -> None:
    """Enter what becomes of one new tie. Args: first: the request; deeds: on the tie, in time order."""
    asker, asked = first.sender, first.recipient
    found.wishes.append(Strangers(0, asker, asked))
    reacts = (
        deed.wish.t_us
        for deed in deeds
        if deed.wish.sender == asked and deed.wish.t_us >= first.t_us and not isinstance(deed.wish, Call)
    )
    answered_us = next(reacts, _NEVER_US)
    yes_us = max(first.t_us, answered_us - _YES_BEFORE_US)
    if answered_us != _NEVER_US or luck.at(1) < rules.silent_acceptance_share:
        considered_us = -math.log1p(-luck.at(2)) * rules.acceptance_mean_us
        yes_us = min(yes_us, first.t_us + int(considered_us))
    if yes_us < end_us:
        found.wishes.append(Acceptance(yes_us, asked, asker, first.address))
    for deed in deeds:
        if deed.wish.t_us < yes_us and isinstance(deed.wish, Call):
            found.undone.add(deed.wish.address)
        elif deed.wish.t_us < yes_us and isinstance(deed.wish, Intent):
            found.bare.add(deed.wish.address)


def _deeds(happened: Sequence[Wish]) -> Iterator[_Deed]:
    for wish in happened:
        if isinstance(wish, Intent | Call):
            yield _Deed(wish, wish.recipient)
        elif isinstance(wish, Reaction) and wish.target.where == "direct":
            author, reader = wish.target.author, wish.target.place
            yield _Deed(wish, author if wish.sender == reader else reader)
