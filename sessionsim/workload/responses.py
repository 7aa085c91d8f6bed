"""What follows a message: somebody puts an emoji on it, its author deletes it.

Both hang on the message alone, so they stay when other parts of the workload are switched off. A reaction
comes after the measured delay of an answer, on the clock of whoever reacts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sessionsim.core.intents import Deletion, Reaction, Spoken
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_MIN, US_PER_S
from sessionsim.workload.draws import Luck, pick
from sessionsim.workload.fits import REPLY_DELAY
from sessionsim.workload.laws import LogNormal
from sessionsim.workload.rhythm import Clock, wait_until

# Assumption: one of the six that clients offer first, all alike; each is 4 bytes of UTF-8.
EMOJI: Final = ("😂", "🥰", "😢", "😡", "😮", "😈")


@dataclass(frozen=True)
class ResponseRules:
    """Settings of reactions and deletions."""

    reaction_share: float = setting(
        0.08,
        unit="prob",
        doc="Share of messages on which somebody who reads them puts an emoji; one person each.",
        source="Assumption: about one in twelve",
        low=0.0,
        high=1.0,
    )
    taken_back_share: float = setting(
        0.03,
        unit="prob",
        doc="Share of reactions that are taken back.",
        source="Assumption: slips of the finger",
        low=0.0,
        high=1.0,
    )
    deletion_share: float = setting(
        0.005,
        unit="prob",
        doc="Share of messages that their author deletes for everybody.",
        source="Assumption: one in two hundred",
        low=0.0,
        high=1.0,
    )
    deletion_median_us: int = setting(
        US_PER_MIN,
        unit="us",
        doc="Median time from a message to its deletion; log-normal with sigma 1.5.",
        source="Assumption: mostly mistakes that are noticed soon",
        low=US_PER_S,
    )


_DELETION_SIGMA: Final = 1.5  # Assumption: from seconds to hours
_BACK: Final = LogNormal.of_median(8.0, 0.8)  # Assumption: seconds until a reaction is taken back


class Responses:
    """Draws what follows messages. Args: clocks: of all accounts; seeds: luck ("response", *place)."""

    def __init__(self, rules: ResponseRules, clocks: Sequence[Clock], seeds: Seeds) -> None:
        self._rules, self._clocks, self._seeds = rules, clocks, seeds
        self._luck: dict[tuple[str, int, int], Luck] = {}
        self._deletion = LogNormal.of_median(rules.deletion_median_us / US_PER_S, _DELETION_SIGMA)

    def to(self, spoken: Spoken, readers: Sequence[int]) -> Iterator[Reaction | Deletion]:
        """Give what follows a message, in time order. Args: readers: who may react; the author does not."""
        target = spoken.address
        key = (target.where, target.place, target.author)
        luck = self._luck.get(key)
        if luck is None:
            luck = self._luck[key] = Luck(self._seeds, "response", *key)
        rules, row, t_s = self._rules, target.number, spoken.t_us / US_PER_S
        gone_us = None
        if luck.at(row, 0) < rules.deletion_share:
            gone_us = spoken.t_us + int(self._deletion.at(luck.at(row, 1)) * US_PER_S) + 1
        others = [reader for reader in readers if reader != target.author]
        if others and luck.at(row, 2) < rules.reaction_share:
            who = pick(others, luck.at(row, 3))
            at_s = wait_until(REPLY_DELAY, self._clocks[who], t_s, luck.at(row, 4), luck.at(row, 5))
            reaction = Reaction(int(at_s * US_PER_S), who, target, pick(EMOJI, luck.at(row, 6)))
            if gone_us is None or reaction.t_us < gone_us:
                yield reaction
                if luck.at(row, 7) < rules.taken_back_share:
                    back_us = reaction.t_us + int(_BACK.at(luck.at(row, 8)) * US_PER_S) + 1
                    if gone_us is None or back_us < gone_us:
                        yield Reaction(back_us, who, target, reaction.emoji, removed=True)
        if gone_us is not None:
            yield Deletion(gone_us, target.author, target)
