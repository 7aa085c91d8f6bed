"""What became of every message, worked out at the end of a run, so that none is unaccounted for.

Each message has, for each device it was for, one of five outcomes:

    delivered   the device has it
    expired     its time in the swarm was over before the device fetched it
    lost        it was stored, its time is not over, and no node or server has it any more
    refused     its sender gave it up, or the device dropped it unread; the reason says why
    waiting     still on its way: not begun, with its sender, where the device can fetch it, or on the device
                under a key that it lacks

and as a whole the worst of what its readers' accounts have, an account having what the best of its devices
has. A message that is none of these is a bug of ours, and the run ends with an error.

Reordering: a device shows a message of somebody after one that the same person wrote later to the same place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, NamedTuple, Protocol, runtime_checkable

import numpy as np

from sessionsim.core.arrivals import SPOKEN
from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.truth import BLOCKED, OUTCOMES
from sessionsim.core.units import US_PER_MS
from sessionsim.core.view import Table
from sessionsim.network.journal import MISSING, MessageJournal

_RANK: Final = {name: rank for rank, name in enumerate(OUTCOMES)}  # from best to worst


@runtime_checkable
class Holder(Protocol):
    """A machine that keeps messages for others."""

    def held_hashes(self) -> Iterable[str]:
        """Give the hashes under which truth knows what it keeps."""


@runtime_checkable
class Carrier(Protocol):
    """A part of a client that carries out orders."""

    def pending(self) -> Iterable[int]:
        """Give the messages it was told of and has neither logged as stored nor as failed."""


@runtime_checkable
class Copier(Protocol):
    """A part of a client that stores copies for the account's other devices."""

    def pending_copies(self) -> Iterable[int]:
        """Give the messages whose sync copy it has sealed and neither logged as stored nor as failed."""


@runtime_checkable
class Locker(Protocol):
    """A part of a client that keeps what no key opens yet."""

    def locked_hashes(self) -> Iterable[str]:
        """Give the hashes of these messages."""


@dataclass(frozen=True, slots=True)
class Closing:
    """What is known at the end beside the journal.

    Args:
        t_us: the end of the run; epoch_ms: unix ms at time 0.
        pending, pending_copies: messages and sync copies that some client still works on.
        unasked: messages that no client was told of -> why.
        awaited: messages that no client was told of, since they wait for others -> which.
        is_held: whether a node or server keeps what has this hash.
        deleted: messages whose author had them deleted.
        locked: by seat, the hashes of what its device has and no key of it opens.
    """

    t_us: int
    epoch_ms: int
    pending: Set[int] = frozenset()
    pending_copies: Set[int] = frozenset()
    unasked: Mapping[int, str] = field(default_factory=dict)
    awaited: Mapping[int, Set[int]] = field(default_factory=dict)
    is_held: Callable[[str], bool] = lambda _hash: False
    deleted: Set[int] = frozenset()
    locked: Mapping[int, Set[str]] = field(default_factory=dict)


LOCKED: Final = "no key on the device opens it"
NEVER: Final = "what it is about never came"
NO_NAME: Final = "nobody was found under the name"
NOT_YET: Final = "what it is about has not come"


class Fate(NamedTuple):
    """What became of something. Args: outcome: one of core.truth.OUTCOMES; reason: empty if delivered."""

    outcome: str
    reason: str = ""


_DELIVERED: Final = Fate("delivered")


class Book:
    """The accounts of a run. Args: journal: what the machines said; closing: what else is known.

    Raises:
        LocalProtocolError: a message is unaccounted for, or accounted for twice.
    """

    def __init__(self, journal: MessageJournal, closing: Closing, measured: tuple[int, int]) -> None:
        self._journal, self._closing, self._measured = journal, closing, measured
        self._seats_of: dict[int, list[int]] = defaultdict(list)
        for seat, (account, _, _) in enumerate(journal.seats):
            self._seats_of[account].append(seat)
        self._rows: list[tuple[int, int, str, int, Fate]] = []  # message, seat, copy, delivered_us, fate
        self._fates = [self._settle(ref) for ref in range(len(journal.orders))]
        self._assert_conserved()

    # --- one message ----------------------------------------------------------------------------------

    def _settle(self, ref: int) -> Fate:
        """Write the rows of a message, and give the fate of the whole."""
        journal, order = self._journal, self._journal.orders[ref]
        undelivered = self._undelivered(ref)
        own_seat = journal.own_seat(ref)
        readers = (order.recipient,) if order.recipient >= 0 else journal.audience.get(ref, ())
        worst: Fate | None = None
        for account in readers:
            fates = [
                self._copy(ref, seat, "message", undelivered)
                for seat in self._seats_of[account]
                if seat != own_seat
            ]
            if fates:
                best = min(fates, key=lambda fate: _RANK[fate.outcome])
                worst = best if worst is None else max(worst, best, key=lambda fate: _RANK[fate.outcome])
        if journal.texts["sync_hash"][ref]:
            without_copy = self._undelivered(ref, sync=True)
            for seat in self._seats_of[order.sender]:
                if seat != own_seat:
                    self._copy(ref, seat, "sync", without_copy)
        if worst is not None:
            return worst
        # Nobody else is to get it (a note on a single device, a group of one): it is done once it is stored.
        return _DELIVERED if journal.numbers["stored"][ref] != MISSING else undelivered

    def _copy(self, ref: int, seat: int, copy: str, undelivered: Fate) -> Fate:
        delivered_us = self._journal.delivered_us(ref, seat, sync=copy == "sync")
        fate = undelivered if delivered_us == MISSING else _DELIVERED
        name = self._journal.texts["sync_hash" if copy == "sync" else "hash"][ref]
        if delivered_us == MISSING and name in self._closing.locked.get(seat, ()):
            fate = Fate("waiting", LOCKED)
        if delivered_us == MISSING and (name, seat) in self._journal.dropped:
            fate = Fate("refused", BLOCKED)
        self._rows.append((ref, seat, copy, delivered_us, fate))
        return fate

    def _undelivered(self, ref: int, *, sync: bool = False) -> Fate:
        """Give what a copy of a message is that has not come to a device."""
        journal, closing = self._journal, self._closing
        prefix = "sync_" if sync else ""
        if journal.numbers[f"{prefix}stored"][ref] != MISSING:
            return self._in_swarm(ref, journal.texts[f"{prefix}hash"][ref])
        if journal.texts[f"{prefix}failed"][ref]:
            return Fate("refused", journal.texts[f"{prefix}failed"][ref])
        if ref in (closing.pending_copies if sync else closing.pending):
            return Fate("waiting", "with its sender")
        if not sync and ref in closing.unasked:
            return Fate("waiting", closing.unasked[ref])
        if not sync and ref in closing.awaited:
            targets = closing.awaited[ref]
            if any(one >= 0 and journal.orders[one].kind == "name-lookup" for one in targets):
                is_open = all(self._undelivered(one).outcome == "waiting" for one in targets)
                return Fate("waiting", NOT_YET) if is_open else Fate("refused", NO_NAME)
            dropped = {name for name, _ in journal.dropped}
            comes = all(
                one >= 0
                and journal.hash_of(one) not in dropped
                and self._undelivered(one).outcome == "waiting"
                for one in targets
            )
            return Fate("waiting", NOT_YET) if comes else Fate("refused", NEVER)
        raise LocalProtocolError(f"message {ref} ({journal.orders[ref].kind}) is unaccounted for")

    def _in_swarm(self, ref: int, message_hash: str) -> Fate:
        closing, (_, expiry_ms) = self._closing, self._journal.written[ref]
        if expiry_ms != MISSING and closing.t_us // US_PER_MS + closing.epoch_ms >= expiry_ms:
            return Fate("expired", "not fetched in time")
        if closing.is_held(message_hash):
            return Fate("waiting", "in the swarm")
        return Fate("lost", "deleted by its author" if ref in closing.deleted else "no node holds it")

    # --- all of them ----------------------------------------------------------------------------------

    def _assert_conserved(self) -> None:
        """Make sure that what is said of a message agrees with everything else that is known of it."""
        journal, closing = self._journal, self._closing
        for ref, order in enumerate(journal.orders):
            stored, failed = journal.numbers["stored"][ref] != MISSING, bool(journal.texts["failed"][ref])
            unasked = ref in closing.unasked or ref in closing.awaited
            states = (stored, failed, ref in closing.pending, unasked)
            if sum(states) != 1:
                names = ("stored", "given up", "with its sender", "not begun")
                said = " and ".join(name for name, holds in zip(names, states, strict=True) if holds)
                raise LocalProtocolError(f"message {ref} ({order.kind}) is {said or 'nowhere'}")
        for ref, _, _, delivered_us, _ in self._rows:
            if delivered_us != MISSING and delivered_us < journal.orders[ref].t_us:
                raise LocalProtocolError(f"message {ref} was delivered before anybody wished it")
        expected = {(ref, seat, copy == "sync") for ref, seat, copy, _, _ in self._rows}
        for sync in (False, True):
            for ref, seat, t_us in journal.deliveries(sync=sync):
                if (ref, seat, sync) not in expected:
                    # A group or room: whoever came later may read what was written before.
                    self._rows.append((ref, seat, "beyond", t_us, _DELIVERED))

    def messages(self) -> Table:
        """Give the messages table of core.truth."""
        journal, (start, end) = self._journal, self._measured
        orders, numbers, texts = journal.orders, journal.numbers, journal.texts
        intent_us = np.array([order.t_us for order in orders], dtype=np.int64)
        first = [MISSING] * len(orders)
        for ref, _, t_us in journal.deliveries(sync=False):
            first[ref] = t_us if first[ref] == MISSING else min(first[ref], t_us)
        return {
            "message": np.arange(len(orders), dtype=np.int64),
            "kind": _texts([order.kind for order in orders]),
            "sender": _small([order.sender for order in orders]),
            "device": _small([self._device(ref) for ref in range(len(orders))]),
            "recipient": _small([order.recipient for order in orders]),
            "group": _small([order.group for order in orders]),
            "room": _small([order.room for order in orders]),
            "intent_us": intent_us,
            "body_bytes": _small([len((order.body or "").encode()) for order in orders]),
            "hash": _texts(texts["hash"]),
            "sync_hash": _texts(texts["sync_hash"]),
            "stored_us": np.array(numbers["stored"], dtype=np.int64),
            "sync_stored_us": np.array(numbers["sync_stored"], dtype=np.int64),
            "delivered_us": np.array(first, dtype=np.int64),
            "attempts": _small(numbers["attempts"]),
            "outcome": _texts([fate.outcome for fate in self._fates]),
            "reason": _texts([fate.reason for fate in self._fates]),
            "measured": (intent_us >= start) & (intent_us < end),
        }

    def deliveries(self) -> Table:
        """Give the deliveries table of core.truth."""
        late = self._late()
        rows, journal = self._rows, self._journal
        repeats = [journal.repeats(row[0], row[1]) for row in rows]
        return {
            "message": np.array([row[0] for row in rows], dtype=np.int64),
            "account": _small([journal.seats[row[1]].account for row in rows]),
            "endpoint": _small([journal.first_endpoint + row[1] for row in rows]),
            "copy": _texts([row[2] for row in rows]),
            "delivered_us": np.array([row[3] for row in rows], dtype=np.int64),
            "outcome": _texts([row[4].outcome for row in rows]),
            "reason": _texts([row[4].reason for row in rows]),
            "overtaken": _texts([late.get(row[:2], "") if row[2] != "sync" else "" for row in rows]),
            "repeated": _small([times for times, _ in repeats]),
            "repeat_cause": _texts([cause for _, cause in repeats]),
        }

    def _device(self, ref: int) -> int:
        seat = self._journal.own_seat(ref)
        return self._journal.orders[ref].device if seat == MISSING else self._journal.seats[seat].number

    def _late(self) -> dict[tuple[int, int], str]:
        """Find the messages that a device showed after a later one, and give the cause of each."""
        orders = self._journal.orders
        spoken = [
            (ref, seat) for ref, seat, _ in self._journal.deliveries(sync=False) if orders[ref].kind in SPOKEN
        ]

        def stream(one: tuple[int, int]) -> tuple[int, int, int, int, bool]:
            order = orders[one[0]]
            return one[1], order.sender, order.group, order.room, order.kind == "inbox-text"

        found: dict[tuple[int, int], str] = {}
        for _, ones in groupby(sorted(spoken, key=stream), key=stream):  # keeps the order of arrival
            latest = MISSING
            for ref, seat in ones:
                if ref < latest:
                    found[ref, seat] = self._why_late(ref, latest)
                latest = max(latest, ref)
        return found

    def _why_late(self, ref: int, later: int) -> str:
        if self._device(ref) != self._device(later):
            return "written on another device"
        return "stored again" if self._journal.numbers["attempts"][ref] > 1 else "other replicas"


def _texts(values: list[str]) -> np.ndarray:
    return np.array(values, dtype=object)


def _small(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.int32)
