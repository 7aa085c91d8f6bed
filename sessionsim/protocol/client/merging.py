"""Batches to one node that are made shortly after one another go out as one (client-behaviour 6.1, 6.3).

Android lets every batch wait for a moment; what else is asked of the same node meanwhile joins it. The answer
is split again, so that nobody who asked can tell. The joined request has the exchange number of its first
part.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from sessionsim.core.columns import Cause, note_of
from sessionsim.protocol.client.exchanges import Done
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.wire.batches import MOST_CALLS, count_calls, divided, joined

_POLL: Final = note_of(Cause.POLL)


class _Part(NamedTuple):
    """What waits. Args: calls: how many sub-requests."""

    exchange: int
    body: bytes
    calls: int
    note: int
    done: Done
    timeout_us: int


# Sends what is due: exchange, node, body, note, time, done, time-out.
Sender = Callable[[int, int, bytes, int, int, Done, int], Effect]


class Merger:
    """Joins the batches of one client. Args: window_us: how long the first waits for others; send: sends."""

    def __init__(self, window_us: int, send: Sender) -> None:
        self._window_us, self._send = window_us, send
        self._waiting: dict[int, tuple[int, list[_Part]]] = {}  # node -> when it is due, parts; in time order

    def __len__(self) -> int:
        return sum(len(parts) for _, parts in self._waiting.values())

    def take(
        self, exchange: int, node: int, body: bytes, note: int, now_us: int, done: Done, timeout_us: int
    ) -> Effect | None:
        """Let a batch wait. Gives what has to go out at once, since no more fit into one batch."""
        calls = count_calls(body)
        due_us, parts = self._waiting.get(node, (now_us + self._window_us, []))
        full = None
        if parts and sum(part.calls for part in parts) + calls > MOST_CALLS:
            full = self._join(node, parts, now_us)
            del self._waiting[node]
            due_us, parts = now_us + self._window_us, []
        parts.append(_Part(exchange, body, calls, note, done, timeout_us))
        self._waiting[node] = due_us, parts
        return full

    def next_due_us(self) -> int | None:
        """Give when the first batch goes out."""
        return next(iter(self._waiting.values()))[0] if self._waiting else None

    def wake(self, now_us: int) -> list[Effect]:
        """Send what has waited long enough."""
        effects = []
        while self._waiting:
            node, (due_us, parts) = next(iter(self._waiting.items()))
            if due_us > now_us:
                break
            del self._waiting[node]
            effects.append(self._join(node, parts, now_us))
        return effects

    def cut(self, now_us: int) -> list[Effect]:
        """End all that waits."""
        waiting, self._waiting = self._waiting, {}
        return [
            effect for _, parts in waiting.values() for part in parts for effect in part.done(0, b"", now_us)
        ]

    def _join(self, node: int, parts: list[_Part], now_us: int) -> Effect:
        first = parts[0]
        if len(parts) == 1:
            return self._send(
                first.exchange, node, first.body, first.note, now_us, first.done, first.timeout_us
            )
        body = joined([part.body for part in parts])
        # For truth a joined request is what it carries beside polls.
        note = next((part.note for part in parts if part.note != _POLL), first.note)
        timeout_us = max(part.timeout_us for part in parts)

        def done(status: int, answer: bytes, t_us: int) -> list[Effect]:
            return _split(parts, status, answer, t_us)

        return self._send(first.exchange, node, body, note, now_us, done, timeout_us)


def _split(parts: list[_Part], status: int, answer: bytes, now_us: int) -> list[Effect]:
    """Give every part its share of an answer; all of it to each if it is no answer to the batch."""
    counts = [part.calls for part in parts]
    shares = divided(answer, counts) if status == 200 else [answer] * len(parts)
    effects: list[Effect] = []
    for part, share in zip(parts, shares, strict=True):
        effects += part.done(status, share, now_us)
    return effects
