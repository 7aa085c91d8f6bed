"""Which nodes of a swarm a poll asks, and over which path a request goes: one at a time, or many at once.

A client chooses by the number of the poll and of the exchange alone (`core.seeds.mix` at an address of its
own), so what poll number 5,000 would do is known without those before it. Each choice is written twice, for
one number and for an array of them; a test holds both equal. What the rules are: client-behaviour 6.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sessionsim.core.seeds import Entropy, mix, mix_array

MOST_PICKED: Final = 16  # nodes one draw may choose from; swarms have 5 to 7 (transport 2.1)
_PLACES: Final = MOST_PICKED  # draws of one number

Numbers = npt.NDArray[np.int64]


def luck_of(entropy: Entropy, place: bytes) -> int:
    """Give the 64-bit address of one kind of choice."""
    return int.from_bytes(entropy.draw(place)[:8], "little")


def number_of(luck: int, number: int, below: int) -> int:
    """Draw a whole number in 0..below-1. The modulo bias is below 2^-50 for swarms and paths."""
    return mix(luck, number) % below


def numbers_of(luck: int, numbers: Numbers, below: int) -> Numbers:
    """`number_of` for an array of numbers, any shape."""
    return (_drawn(luck, numbers) % np.uint64(below)).astype(np.int64)


def _drawn(luck: int, numbers: Numbers) -> npt.NDArray[np.uint64]:
    return mix_array(np.array(luck, dtype=np.uint64), numbers.astype(np.uint64))


def picked(items: Sequence[int], count: int, luck: int, number: int) -> list[int]:
    """Pick up to MOST_PICKED different items in random order. Args: number: of the choice."""
    order = list(items)
    count = min(count, len(order), MOST_PICKED)
    for k in range(count):
        j = k + number_of(luck, number * _PLACES + k, len(order) - k)
        order[k], order[j] = order[j], order[k]
    return order[:count]


class Turns:
    """Whom the polls of one account ask.

    Args:
        luck: address of its choices.
        rule: "random" anew each time, "cycle" each once in turn, "sticky" one for `stay` polls.
        count: nodes asked at a time, where the rule is random.
        stay: see `rule`.
    """

    __slots__ = ("_count", "_cycle", "_cycle_of", "_stay", "_sticky", "luck", "rule")

    def __init__(self, luck: int, rule: str, count: int, stay: int) -> None:
        self.luck, self.rule, self._count, self._stay = luck, rule, count, stay
        self._cycle: list[int] = []
        self._cycle_of: tuple[int, Sequence[int]] = (-1, ())
        self._sticky = -1

    def choose(self, number: int, swarm: tuple[int, ...]) -> list[int]:
        """Choose the nodes that poll `number` asks. To be called for one number after the other."""
        if self.rule == "cycle":
            turn, place = divmod(number, min(len(swarm), MOST_PICKED))
            if self._cycle_of != (turn, swarm):
                self._cycle_of = (turn, swarm)
                self._cycle = picked(swarm, len(swarm), self.luck, turn)
            return [self._cycle[place]]
        if self.rule == "sticky":
            term, place = divmod(number, self._stay)
            if place == 0 or self._sticky not in swarm:
                self._sticky = self._other(term, swarm, self._sticky)
            return [self._sticky]
        return picked(swarm, self._count, self.luck, number)

    def coming(self, number: int, swarm: tuple[int, ...]) -> list[int]:
        """Give what `choose` will give next; nothing is remembered."""
        if self.rule != "sticky":
            return self.choose(number, swarm)
        term, place = divmod(number, self._stay)
        if place == 0 or self._sticky not in swarm:
            return [self._other(term, swarm, self._sticky)]
        return [self._sticky]

    def _other(self, term: int, swarm: Sequence[int], than: int) -> int:
        others = [node for node in swarm if node != than] or list(swarm)
        return others[number_of(self.luck, term, len(others))]

    def terms(self, first: int, count: int, swarm: tuple[int, ...]) -> Numbers:
        """Give the places of the nodes that polls to come ask, each for a while; shape (count,)."""
        stay, length = self._stay, len(swarm)
        at = swarm.index(self._sticky) if self._sticky in swarm else -1
        term, place = divmod(first, stay)
        last = (first + count - 1) // stay
        # The first may stand already.
        begins = term if place == 0 or at < 0 else term + 1
        places = [at] if begins > term else []
        for luck in _drawn(self.luck, np.arange(begins, last + 1)).tolist():
            among = length - 1 if at >= 0 and length > 1 else length
            other = luck % among
            at = other + 1 if among < length and other >= at else other
            places.append(at)
        stays = np.full(len(places), stay)
        stays[0] = stay - place
        return np.repeat(np.array(places, dtype=np.int64), stays)[:count]

    def skip(self, node: int) -> None:
        """Go on as if `choose` had been called for all polls up to one that asked this node last."""
        self._sticky = node

    @property
    def at_a_time(self) -> int:
        """How many nodes a poll asks, where the swarm has so many."""
        return self._count if self.rule == "random" else 1


class Ahead(NamedTuple):
    """Polls to come of one account. Args: first: number of the next; polls: how many."""

    turns: Turns
    swarm: tuple[int, ...]
    first: int
    polls: int


def planned(many: Sequence[Ahead]) -> Numbers:
    """Give what `Turns.choose` would give for polls to come; nothing is remembered, `Turns.skip` goes there.

    Returns:
        Places in the swarm, shape (all nodes asked,): account by account, poll by poll.
    """
    rows = _Rows(many)
    places = []
    for number, ahead in enumerate(many):
        turns, length = ahead.turns, min(len(ahead.swarm), MOST_PICKED)
        if turns.rule == "sticky":
            places.append(turns.terms(ahead.first, ahead.polls, ahead.swarm))
            continue
        order = rows.of(number)
        if turns.rule == "cycle":
            places.append(order[:, :length].ravel()[ahead.first % length :][: ahead.polls])
        else:
            places.append(order[:, : min(turns.at_a_time, length)].ravel())
    return np.concatenate(places)


class _Rows:
    """Swarms in random order: one for each poll where the rule is random, one for each turn in a cycle."""

    def __init__(self, many: Sequence[Ahead]) -> None:
        lucks: list[int] = []
        firsts: list[int] = []
        counts: list[int] = []
        lengths: list[int] = []
        depths: list[int] = []
        for ahead in many:
            turns, length = ahead.turns, min(len(ahead.swarm), MOST_PICKED)
            first, count = ahead.first, ahead.polls
            if turns.rule == "cycle":
                count = (first + count - 1) // length - first // length + 1
                first //= length
            elif turns.rule == "sticky":
                count = 0
            lucks.append(turns.luck)
            firsts.append(first)
            counts.append(count)
            lengths.append(len(ahead.swarm))
            depths.append(length if turns.rule == "cycle" else min(turns.at_a_time, length))
        counted = np.array(counts)
        self._ends = np.cumsum(counted).tolist()
        self._counts = counts
        total = self._ends[-1]
        of = np.repeat(np.arange(len(many)), counted)
        luck = np.array(lucks, dtype=np.uint64)[of]
        numbers = np.arange(total) + (np.array(firsts) - np.array(self._ends) + counted)[of]
        length_of = np.array(lengths)[of]
        self._order = order = np.tile(np.arange(max(lengths)), (total, 1))
        if not total:
            return
        every = np.arange(total)
        drawn = [depth for depth, count in zip(depths, counts, strict=True) if count]
        for k in range(max(drawn)):
            left = np.maximum(length_of - k, 1)
            drawn_at = mix_array(luck, (numbers * _PLACES + k).astype(np.uint64)) % left.astype(np.uint64)
            j = k + drawn_at.astype(np.int64)
            first_place = order[:, k].copy()
            order[:, k] = order[every, j]
            order[every, j] = first_place

    def of(self, number: int) -> Numbers:
        """Give the rows of one account, shape (rows, longest swarm)."""
        return self._order[self._ends[number] - self._counts[number] : self._ends[number]]
