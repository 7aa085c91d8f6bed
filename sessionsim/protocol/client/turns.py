"""Which nodes of a swarm a poll asks, and over which path a request goes: one at a time, or many at once.

A client chooses by the number of the poll and of the exchange alone (`core.seeds.mix` at an address of its
own), so what poll number 5,000 would do is known without those before it. Each choice is written twice, for
one number and for an array of them; a test holds both equal. What the rules are: client-behaviour 6.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

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
    drawn = mix_array(np.array(luck, dtype=np.uint64), numbers.astype(np.uint64))
    return (drawn % np.uint64(below)).astype(np.int64)


def picked(items: Sequence[int], count: int, luck: int, number: int) -> list[int]:
    """Pick up to MOST_PICKED different items in random order. Args: number: of the choice."""
    order = list(items)
    count = min(count, len(order), MOST_PICKED)
    for k in range(count):
        j = k + number_of(luck, number * _PLACES + k, len(order) - k)
        order[k], order[j] = order[j], order[k]
    return order[:count]


def all_picked(items: Sequence[int], count: int, luck: int, numbers: Numbers) -> Numbers:
    """`picked` for numbers of shape (n,): shape (n, count)."""
    order = np.tile(np.array(items, dtype=np.int64), (len(numbers), 1))
    count = min(count, len(items), MOST_PICKED)
    rows = np.arange(len(numbers))
    for k in range(count):
        j = k + numbers_of(luck, numbers * _PLACES + k, len(items) - k)
        first = order[:, k].copy()
        order[:, k] = order[rows, j]
        order[rows, j] = first
    return order[:, :count]


class Turns:
    """Whom the polls of one account ask.

    Args:
        luck: address of its choices.
        rule: "random" anew each time, "cycle" each once in turn, "sticky" one for `stay` polls.
        count: nodes asked at a time, where the rule is random.
        stay: see `rule`.
    """

    __slots__ = ("_count", "_cycle", "_cycle_of", "_luck", "_rule", "_stay", "_sticky")

    def __init__(self, luck: int, rule: str, count: int, stay: int) -> None:
        self._luck, self._rule, self._count, self._stay = luck, rule, count, stay
        self._cycle: list[int] = []
        self._cycle_of: tuple[int, Sequence[int]] = (-1, ())
        self._sticky = -1

    def choose(self, number: int, swarm: tuple[int, ...]) -> list[int]:
        """Choose the nodes that poll `number` asks. To be called for one number after the other."""
        if self._rule == "cycle":
            turn, place = divmod(number, min(len(swarm), MOST_PICKED))
            if self._cycle_of != (turn, swarm):
                self._cycle_of = (turn, swarm)
                self._cycle = picked(swarm, len(swarm), self._luck, turn)
            return [self._cycle[place]]
        if self._rule == "sticky":
            term, place = divmod(number, self._stay)
            if place == 0 or self._sticky not in swarm:
                self._sticky = self._other(term, swarm, self._sticky)
            return [self._sticky]
        return picked(swarm, self._count, self._luck, number)

    def _other(self, term: int, swarm: Sequence[int], than: int) -> int:
        others = [node for node in swarm if node != than] or list(swarm)
        return others[number_of(self._luck, term, len(others))]

    def plan(self, following: int, ahead: int, count: int, swarm: tuple[int, ...]) -> Numbers:
        """Give what `choose` would give for polls to come; nothing is remembered, `skip` goes there.

        Args:
            following: number of the next poll.
            ahead: polls between that and the first one to be planned.

        Returns:
            The nodes asked, shape (count, nodes at a time).
        """
        first = following + ahead
        numbers = np.arange(first, first + count, dtype=np.int64)
        if self._rule == "random":
            return all_picked(swarm, self._count, self._luck, numbers)
        if self._rule == "cycle":
            turns, places = np.divmod(numbers, min(len(swarm), MOST_PICKED))
            distinct, which = np.unique(turns, return_inverse=True)
            cycles = all_picked(swarm, len(swarm), self._luck, distinct)
            return cycles[which, places][:, None]
        return np.array(self._terms(following, ahead + count, swarm)[ahead:], dtype=np.int64)[:, None]

    def _terms(self, first: int, count: int, swarm: tuple[int, ...]) -> list[int]:
        nodes: list[int] = []
        number, sticky = first, self._sticky
        while number < first + count:
            term, place = divmod(number, self._stay)
            if place == 0 or sticky not in swarm:
                sticky = self._other(term, swarm, sticky)
            stays = min(self._stay - place, first + count - number)
            nodes += [sticky] * stays
            number += stays
        return nodes

    def skip(self, first: int, count: int, swarm: tuple[int, ...]) -> None:
        """Go on as if `choose` had been called for polls first … first + count - 1."""
        if self._rule == "sticky" and count:
            self._sticky = self._terms(first, count, swarm)[-1]
