"""Takes down truth while a run goes on: what became of each order, as the machines themselves report it.

Deliveries are matched to messages by their storage hash, which the sending client logs before its first
attempt; so a delivery counts only if the very bytes that were stored came out at a device that they were for.
What it all comes to is worked out at the end, in `accounts_book`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.view import Table
from sessionsim.network.devices import Seat
from sessionsim.network.orders import Order
from sessionsim.network.showing import shows
from sessionsim.protocol.client.inbox import DROPPED

MISSING: Final = -1


class MessageJournal:
    """What the machines said about messages.

    Args:
        orders: in message-number order.
        seats: all devices; first_endpoint: of the first of them, the others follow.
        account_of: number of each account by its id (33 bytes).
    """

    def __init__(
        self,
        orders: Sequence[Order],
        seats: Sequence[Seat],
        first_endpoint: int,
        account_of: Mapping[bytes, int],
    ) -> None:
        self.orders, self.seats, self.first_endpoint = orders, seats, first_endpoint
        self._account_of = account_of
        self._n_seats = max(len(seats), 1)
        self._seat_at = {seat[:2]: place for place, seat in enumerate(seats)}
        n = len(orders)
        self.texts: dict[str, list[str]] = {
            name: [""] * n for name in ("hash", "sync_hash", "failed", "sync_failed")
        }
        self.numbers: dict[str, list[int]] = {
            "stored": [MISSING] * n,
            "sync_stored": [MISSING] * n,
            "attempts": [0] * n,
        }
        # When its writer's clock says it was written and when nodes forget it, unix ms.
        self.written: list[tuple[int, int]] = [(MISSING, MISSING)] * n
        self.written_on: list[int] = [MISSING] * n  # endpoint
        self.audience: dict[int, tuple[int, ...]] = {}  # accounts a message to several was for
        self._by_hash: dict[str, int] = {}
        self._by_sync_hash: dict[str, int] = {}
        self._sealed_again: set[int] = set()
        # First delivery by message × seats + seat, in the order in which they came.
        self._delivered: dict[int, int] = {}
        self._sync_delivered: dict[int, int] = {}
        # Learns which device has which message (message, seat, time of writing in unix ms, now in µs).
        self.tell_people: Callable[[int, int, int, int], None] | None = None
        # How often a device showed a message once more, as above.
        self._again: dict[int, int] = {}
        self.dropped: dict[tuple[str, int], None] = {}  # by hash and seat: what a device has dropped unread
        self._events: list[tuple[int, int, str, int | str, int]] = []

    # --- what the host tells --------------------------------------------------------------------------

    def log(self, endpoint: int, effect: tuple[Any, ...], now_us: int) -> None:
        """Take a LOG effect of a client; what there is to say stands in `protocol.machine`."""
        _, what, ref, value = effect
        if what in self.numbers:
            self.numbers[what][ref] = value
            if what == "stored" and self.tell_people is not None:
                self.tell_people(ref, self.own_seat(ref), self.written[ref][0], now_us)
        elif what in self.texts:
            if what == "hash":
                self._sealed(ref, value, endpoint)
            elif what == "sync_hash":
                self._by_sync_hash[value] = ref
            self.texts[what][ref] = value
        elif what == "written":
            self.written[ref] = value
        elif what == "to":
            self.audience[ref] = tuple(sorted(self._account_of[account_id] for account_id in value))
        else:
            raise LocalProtocolError(f"unknown log {what!r} from endpoint {endpoint}")

    def deliver(self, endpoint: int, effect: tuple[Any, ...], now_us: int) -> None:
        """Take a DELIVER effect.

        A message that nobody ordered, with another text, or on a device that it was not for, is our bug.
        """
        body, message_hash = effect[3], effect[4]
        ref = self._by_hash.get(message_hash)
        delivered = self._delivered
        if ref is None:
            ref, delivered = self._by_sync_hash.get(message_hash), self._sync_delivered
        if ref is None or not self._is_right(ref, endpoint, body, delivered is self._sync_delivered):
            raise LocalProtocolError(f"endpoint {endpoint} delivered {message_hash!r}, which nobody sent so")
        key = ref * self._n_seats + endpoint - self.first_endpoint
        if key not in delivered:
            delivered[key] = now_us
            if self.tell_people is not None:
                self.tell_people(ref, endpoint - self.first_endpoint, effect[2], now_us)
        else:
            self._again[key] = self._again.get(key, 0) + 1

    def event(self, endpoint: int, effect: tuple[Any, ...], now_us: int) -> None:
        """Take an EVENT effect."""
        _, what, ref, value = effect
        if what == DROPPED:
            self.dropped[ref, endpoint - self.first_endpoint] = None
        self._events.append((now_us, endpoint, what, ref, value))

    # --- what it was told -----------------------------------------------------------------------------

    def delivered_us(self, ref: int, seat: int, *, sync: bool) -> int:
        """Give when a device first showed a copy of a message, µs; -1 if it never did."""
        delivered = self._sync_delivered if sync else self._delivered
        return delivered.get(ref * self._n_seats + seat, MISSING)

    def deliveries(self, *, sync: bool) -> Iterator[tuple[int, int, int]]:
        """Give message, seat and time in µs of all first deliveries, in the order in which they came."""
        for key, t_us in (self._sync_delivered if sync else self._delivered).items():
            yield *divmod(key, self._n_seats), t_us

    def events(self) -> Table:
        """Give the events table of core.truth; a message named by its hash gets its number."""
        numbers = {**self._by_sync_hash, **self._by_hash}
        refs = [
            ref if type(ref) is int else numbers.get(str(ref), MISSING) for _, _, _, ref, _ in self._events
        ]
        return {
            "t_us": np.array([event[0] for event in self._events], dtype=np.int64),
            "endpoint": np.array([event[1] for event in self._events], dtype=np.int32),
            "what": np.array([event[2] for event in self._events], dtype=object),
            "message": np.array(refs, dtype=np.int64),
            "value": np.array([event[4] for event in self._events], dtype=np.int64),
        }

    def hash_of(self, ref: int) -> str:
        """Give the hash under which a message was stored; empty if it never was sealed."""
        return self.texts["hash"][ref]

    def has_begun(self, ref: int) -> bool:
        """Tell whether a message was ever sealed."""
        return bool(self.texts["hash"][ref])

    def repeats(self, ref: int, seat: int) -> tuple[int, str]:
        """Give how often a device showed a message once more, and why; (0, "") if it did not."""
        times = self._again.get(ref * self._n_seats + seat, 0)
        if not times:
            return 0, ""
        return times, "sealed again" if ref in self._sealed_again else "taken again"

    def own_seat(self, ref: int) -> int:
        """Give the seat of the device that writes a message; -1 while that is open."""
        if self.written_on[ref] != MISSING:
            return self.written_on[ref] - self.first_endpoint
        return self._seat_at.get((self.orders[ref].sender, self.orders[ref].device), MISSING)

    def _sealed(self, ref: int, message_hash: str, endpoint: int) -> None:
        if self.texts["hash"][ref] not in ("", message_hash):
            self._sealed_again.add(ref)
        self._by_hash[message_hash] = ref
        self.written_on[ref] = endpoint

    def _is_right(self, ref: int, endpoint: int, body: object, sync: bool) -> bool:
        """Tell whether a device may get this: one of the reader's, or another one of the writer's."""
        order = self.orders[ref]
        if body != order.body and not shows(body, order):
            return False
        if endpoint == self.written_on[ref]:
            return False
        if not sync and order.recipient < 0:
            return True  # a group or room: who is in it, only the run knows
        owner = order.sender if sync else order.recipient
        return self.seats[endpoint - self.first_endpoint].account == owner
