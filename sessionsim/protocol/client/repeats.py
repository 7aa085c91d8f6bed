"""Requests that a client repeats by itself after a pause, before whoever asked learns that they failed."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import NamedTuple

from sessionsim.protocol.client.exchanges import Done
from sessionsim.protocol.machine import Effect


class _Repeat(NamedTuple):
    """A request to be repeated. Args: number: exchange number of the repetition, which also orders them."""

    due_us: int
    number: int
    again: Callable[..., Effect]
    done: Done


class Repeats:
    """The repetitions that one client has before it."""

    def __init__(self) -> None:
        self._heap: list[_Repeat] = []

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due_us: int, number: int, again: Callable[..., Effect], done: Done) -> None:
        """Repeat a request at some time. Args: again: starts it, given number and time; done: its own."""
        heappush(self._heap, _Repeat(due_us, number, again, done))

    def next_due_us(self) -> int | None:
        return self._heap[0].due_us if self._heap else None

    def wake(self, now_us: int) -> list[Effect]:
        """Start what is due."""
        effects = []
        while self._heap and self._heap[0].due_us <= now_us:
            repeat = heappop(self._heap)
            effects.append(repeat.again(repeat.number, now_us))
        return effects

    def cut(self, now_us: int) -> list[Effect]:
        """End all of them."""
        effects: list[Effect] = []
        while self._heap:
            effects += heappop(self._heap).done(0, b"", now_us)
        return effects
