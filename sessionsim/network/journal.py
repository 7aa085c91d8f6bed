"""Takes down truth while a run goes on: what became of each intent, as the machines themselves report it.

Deliveries are matched to messages by their storage hash, which the sending client logs before its first
attempt; so a delivery counts only if the very bytes that were stored came out at the recipient.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.intents import Intent
from sessionsim.core.view import Table
from sessionsim.network.devices import Seat

_MISSING = -1


class MessageJournal:
    """Truth about messages.

    Args:
        intents: in message-number order.
        measured: [start, end) in µs.
        seats: all devices; first_endpoint: of the first of them, the others follow.
    """

    def __init__(
        self, intents: Sequence[Intent], measured: tuple[int, int], seats: Sequence[Seat], first_endpoint: int
    ) -> None:
        self._intents, self._measured = intents, measured
        self._seats, self._first = seats, first_endpoint
        n = len(intents)
        self._text: dict[str, list[str]] = {"hash": [""] * n, "sync_hash": [""] * n, "failed": [""] * n}
        self._number: dict[str, list[int]] = {
            "stored": [_MISSING] * n,
            "sync_stored": [_MISSING] * n,
            "delivered": [_MISSING] * n,
            "attempts": [0] * n,
        }
        self._by_hash: dict[str, int] = {}
        self._by_sync_hash: dict[str, int] = {}
        self._sync_delivered: set[tuple[int, int]] = set()  # message, endpoint of the writer's other device
        self.duplicates = 0
        self._events: list[tuple[int, int, str, int | str, int]] = []

    def log(self, endpoint: int, effect: tuple[Any, ...], now_us: int) -> None:
        """Take a LOG effect of a client."""
        _, what, ref, value = effect
        if what in self._text:
            self._text[what][ref] = value
            if what == "hash":
                self._by_hash[value] = ref
            elif what == "sync_hash":
                self._by_sync_hash[value] = ref
        elif what in self._number:
            self._number[what][ref] = value
        else:
            raise LocalProtocolError(f"unknown log {what!r} from endpoint {endpoint}")

    def event(self, endpoint: int, effect: tuple[Any, ...], now_us: int) -> None:
        """Take an EVENT effect."""
        _, what, ref, value = effect
        self._events.append((now_us, endpoint, what, ref, value))

    def events(self) -> Table:
        """Give the events table of core.truth; a message named by its hash gets its number."""
        numbers = {**self._by_sync_hash, **self._by_hash}
        refs = [
            ref if type(ref) is int else numbers.get(str(ref), _MISSING) for _, _, _, ref, _ in self._events
        ]
        return {
            "t_us": np.array([event[0] for event in self._events], dtype=np.int64),
            "endpoint": np.array([event[1] for event in self._events], dtype=np.int32),
            "what": np.array([event[2] for event in self._events], dtype=object),
            "message": np.array(refs, dtype=np.int64),
            "value": np.array([event[4] for event in self._events], dtype=np.int64),
        }

    def deliver(self, endpoint: int, effect: tuple[Any, ...], now_us: int) -> None:
        """Take a DELIVER effect.

        A message that no intent explains, with another text, or on a device that it was not for, is our bug.
        """
        body, message_hash = effect[3], effect[4]
        ref = self._by_hash.get(message_hash)
        is_sync = ref is None
        if ref is None:
            ref = self._by_sync_hash.get(message_hash)
        if ref is None or body != self._intents[ref].body or not self._is_for(ref, endpoint, is_sync):
            raise LocalProtocolError(f"endpoint {endpoint} delivered {message_hash!r}, which nobody sent so")
        if is_sync:
            if (ref, endpoint) in self._sync_delivered:
                self.duplicates += 1
            self._sync_delivered.add((ref, endpoint))
        elif self._number["delivered"][ref] == _MISSING:
            self._number["delivered"][ref] = now_us
        else:
            self.duplicates += 1

    def _is_for(self, ref: int, endpoint: int, is_sync: bool) -> bool:
        """Tell whether a device may get a copy: one of the recipient, or another one of the writer."""
        intent, seat = self._intents[ref], self._seats[endpoint - self._first]
        owner = intent.sender if is_sync else intent.recipient
        return seat.account == owner and seat[:2] != (intent.sender, intent.device)

    def _outcome(self, ref: int) -> str:
        if self._number["delivered"][ref] != _MISSING:
            return "delivered"
        if self._text["failed"][ref]:
            return "failed"
        return "stored" if self._number["stored"][ref] != _MISSING else "censored"

    def table(self) -> Table:
        """Give the messages table of core.truth."""
        intents = self._intents
        start, end = self._measured
        intent_us = np.array([i.t_us for i in intents], dtype=np.int64)

        def numbers(name: str) -> np.ndarray:
            return np.array(self._number[name], dtype=np.int64)

        def texts(values: list[str]) -> np.ndarray:
            return np.array(values, dtype=object)

        return {
            "message": np.arange(len(intents), dtype=np.int64),
            "sender": np.array([i.sender for i in intents], dtype=np.int32),
            "recipient": np.array([i.recipient for i in intents], dtype=np.int32),
            "intent_us": intent_us,
            "body_bytes": np.array([len(i.body.encode()) for i in intents], dtype=np.int32),
            "hash": texts(self._text["hash"]),
            "sync_hash": texts(self._text["sync_hash"]),
            "stored_us": numbers("stored"),
            "sync_stored_us": numbers("sync_stored"),
            "delivered_us": numbers("delivered"),
            "attempts": numbers("attempts").astype(np.int32),
            "outcome": texts([self._outcome(ref) for ref in range(len(intents))]),
            "measured": (intent_us >= start) & (intent_us < end),
        }
