"""People who meet: ties on which nobody has written before, and what becomes of the first text on each.

A share of the ties between people who know each other is new. The first text on such a tie is a message
request; whoever gets it says yes at the latest when they answer or react, and some say yes before. Until then
clients offer the asker no files; more texts may follow the first one. Nobody calls whom they have just met
(Assumption). Of the requests that are never answered some are declined, and the askers of some blocked; the
others are left lying. All of that looks the same to everybody else (client-behaviour 6.3). Who writes to the
pseudonym of somebody unknown writes to a stranger too. How often people meet is not published: all numbers
are assumptions, and keys.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import (
    Acceptance,
    Call,
    InboxText,
    Intent,
    MessageAt,
    NameLookup,
    Reaction,
    Refusal,
    Strangers,
    Wish,
)
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_S
from sessionsim.workload.draws import Luck

_NEVER_US: Final = 1 << 62
# How long before an answer the yes is given that it needs. Source: session-desktop: ts/models/conversation.ts
# (sendMessageJob, approvalMessageTimestamp).
_YES_BEFORE_US: Final = 100_000
_NAME_BEFORE_US: Final = 20 * US_PER_S  # Assumption: who has found somebody then types a text


@dataclass(frozen=True)
class StrangerRules:
    """Settings of people who meet."""

    strangers_share: float = setting(
        0.03,
        unit="prob",
        doc="Share of the ties of the contact graph on which nobody has written before the run.",
        source="Assumption: a few of one's contacts are new",
        low=0.0,
        high=1.0,
    )
    name_share: float = setting(
        0.05,
        unit="prob",
        doc="Share of new ties on which the first text goes to a name, which is looked up before.",
        source="Assumption: one in twenty; names cost money",
        low=0.0,
        high=1.0,
    )
    silent_acceptance_share: float = setting(
        0.5,
        unit="prob",
        doc="Share of message requests that are accepted without waiting for something to answer.",
        source="Assumption: every other one",
        low=0.0,
        high=1.0,
    )
    declined_share: float = setting(
        0.2,
        unit="prob",
        doc="Share of the message requests that are neither answered nor accepted so which are declined.",
        source="Assumption: one in five",
        low=0.0,
        high=1.0,
    )
    blocked_share: float = setting(
        0.1,
        unit="prob",
        doc="Share of the same whose writer is blocked.",
        source="Assumption: one in ten",
        low=0.0,
        high=1.0,
    )
    acceptance_mean_us: int = setting(
        6 * US_PER_H,
        unit="us",
        doc="Mean time until such a request is accepted, if it is not answered before, declined or blocked; "
        "exponential.",
        source="Assumption: some hours; clients show requests apart and without a sound",
        low=US_PER_S,
        high=30 * US_PER_DAY,
    )

    def __post_init__(self) -> None:
        shares = self.declined_share + self.blocked_share
        if shares > 1.0 + 1e-9:
            raise InvalidInput("blocked_share", f"{shares:.0%} in all", "with declined_share at most 100 %")


class _Deed(NamedTuple):
    """Something one side of a tie does for the other."""

    wish: Intent | InboxText | Reaction
    other: int


@dataclass(slots=True)
class Meetings:
    """What comes of strangers.

    Args:
        wishes: who are strangers, who looks up a name, and who says yes or no.
        bare: texts whose writer is offered no files.
        undone: calls that nobody makes.
    """

    wishes: list[Wish] = field(default_factory=list)
    bare: set[MessageAt] = field(default_factory=set)
    undone: set[tuple[str, int, int, int]] = field(default_factory=set)


def meetings(
    happened: Sequence[Wish], known: Sequence[Set[int]], rules: StrangerRules, end_us: int, seeds: Seeds
) -> Meetings:
    """Find the new ties among what people do, and what follows from them.

    Args:
        happened: texts, reactions, calls and anything else, in time order.
        known: of each account, those whom it knows; all others are strangers to it.
        end_us: of the run; who meets later does not, and a yes that comes later is not given.
        seeds: luck ("strangers", a, b) of each tie, a < b.
    """
    ties: dict[tuple[int, int], list[_Deed]] = {}
    for deed in _deeds(happened):
        ties.setdefault(_pair(deed.wish.sender, deed.other), []).append(deed)

    def are_new(pair: tuple[int, int]) -> bool:
        return pair[1] not in known[pair[0]] or Luck(seeds, "strangers", *pair).at(0) < rules.strangers_share

    found = Meetings()
    for pair, deeds in ties.items():
        if are_new(pair):
            _meet(deeds, rules, Luck(seeds, "strangers", *pair), end_us, found)
    calls = (wish for wish in happened if isinstance(wish, Call))
    found.undone = {wish.address for wish in calls if are_new(_pair(wish.sender, wish.recipient))}
    return found


def _pair(one: int, other: int) -> tuple[int, int]:
    return min(one, other), max(one, other)


def _meet(deeds: Sequence[_Deed], rules: StrangerRules, luck: Luck, end_us: int, found: Meetings) -> None:
    """Enter what becomes of one new tie. Args: deeds: on it, in time order."""
    first = next((deed.wish for deed in deeds if not isinstance(deed.wish, Reaction)), None)
    if first is None or first.t_us >= end_us:
        return
    asker, asked = first.sender, first.recipient
    found.wishes.append(Strangers(first.t_us, asker, asked))
    if isinstance(first, Intent) and luck.at(3) < rules.name_share:
        found.wishes.append(NameLookup(max(0, first.t_us - _NAME_BEFORE_US), asker, asked))
    answers = [
        deed.wish.t_us
        for deed in deeds
        if deed.wish.sender == asked and deed.wish.t_us >= first.t_us and not isinstance(deed.wish, InboxText)
    ]
    yes_us = max(first.t_us, (answers or [_NEVER_US])[0] - _YES_BEFORE_US)
    considered_us = first.t_us + int(-math.log1p(-luck.at(2)) * rules.acceptance_mean_us)
    chance, accepted = luck.at(1), rules.silent_acceptance_share
    if chance < accepted:
        yes_us = min(yes_us, considered_us)
    elif not answers and considered_us < end_us:
        left = (chance - accepted) / (1.0 - accepted)  # of those that nobody accepts
        if left < rules.declined_share + rules.blocked_share:
            blocks = left >= rules.declined_share
            found.wishes.append(Refusal(considered_us, asked, asker, first.address, blocks))
    if yes_us < end_us:
        found.wishes.append(Acceptance(yes_us, asked, asker, first.address))
    found.bare.update(
        deed.wish.address for deed in deeds if isinstance(deed.wish, Intent) and deed.wish.t_us < yes_us
    )


def _deeds(happened: Sequence[Wish]) -> Iterator[_Deed]:
    for wish in happened:
        if isinstance(wish, Intent | InboxText):
            yield _Deed(wish, wish.recipient)
        elif isinstance(wish, Reaction) and wish.target.where == "direct":
            author, reader = wish.target.author, wish.target.place
            yield _Deed(wish, author if wish.sender == reader else reader)
