"""The message store of one service node (transport 5.4, 5.6, 5.11).

Messages lie in boxes, one per account and namespace, in the order in which *this* node got them. The hash
covers account, namespace and bytes, so storing the same bytes again is a duplicate that can only prolong the
expiry. A hash names at most one message of an account, whatever its namespace. Expired messages go in the
node's regular clean-up, which runs on a fixed grid of the clock; the store catches up with that grid whenever
it is used, so that an idle node costs nothing.
Source: session-storage-server: oxenss/storage/database.cpp.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heappush

from sessionsim.protocol.namespaces import is_public_outbox
from sessionsim.protocol.stored import Held, Message, Stored

_NEVER_MS = 1 << 62
_SLACK = 64  # Assumption: stale entries allowed beyond one per message


class _Box:
    __slots__ = ("by_hash", "orders")

    def __init__(self) -> None:
        self.by_hash: dict[str, Message] = {}
        # Ascending by `order`.
        self.orders: list[Message] = []


def _order_of(message: Message) -> int:
    return message.order


def _start(box: _Box, last_hash: str) -> int:
    """Give the place behind a message; the first one if it is not there."""
    last = box.by_hash.get(last_hash)
    return 0 if last is None else bisect_right(box.orders, last.order, key=_order_of)


class MessageStore:
    """All messages of one node.

    Args:
        cleanup_period_ms: grid of the clock on which expired messages are removed, ms.
        disk_max_bytes: bytes of messages after which nothing new is stored.
        overhead_bytes: what a retrieve counts per message beside hash and base64 text.
        newest_wins: a public outbox takes only what is newer than what it holds, in its place; otherwise
            whatever comes last, as a message that has just come.
        merge_prolongs: a message handed on by another node prolongs the expiry of the same one here.
    """

    __slots__ = (
        "_boxes",
        "_count",
        "_disk_max",
        "_disk_size",
        "_expiries",
        "_live",
        "_merge_prolongs",
        "_misplaced",
        "_newest_wins",
        "_next_ms",
        "_overhead",
        "_owners",
        "_period",
        "on_change",
        "on_gone",
        "on_look",
        "used_bytes",
    )

    def __init__(
        self,
        *,
        cleanup_period_ms: int,
        disk_max_bytes: int,
        overhead_bytes: int,
        newest_wins: bool = True,
        merge_prolongs: bool = True,
    ) -> None:
        self._period, self._overhead = max(1, cleanup_period_ms), overhead_bytes
        self._disk_max = self._disk_size = disk_max_bytes
        self._newest_wins, self._merge_prolongs = newest_wins, merge_prolongs
        self._boxes: dict[tuple[bytes, int], _Box] = {}
        self._owners: dict[bytes, set[int]] = {}
        # Hashes of messages that may lie in another box than their bytes say: handed on without namespace.
        self._misplaced: dict[str, tuple[bytes, int]] = {}
        # Told of an account before any but the regular clean-up changes its messages.
        self.on_change: Callable[[bytes], None] | None = None
        # Told of an account of which somebody is about to be given messages, or to see or change expiries.
        self.on_look: Callable[[bytes], None] | None = None
        # Told of an account whose last message has gone.
        self.on_gone: Callable[[bytes], None] | None = None
        # (expiry, order, account, namespace): an entry may be early or stale, never missing.
        self._expiries: list[tuple[int, int, bytes, int]] = []
        self._next_ms = _NEVER_MS
        self._count = 0
        self._live = 0
        self.used_bytes = 0

    def __len__(self) -> int:
        return self._live

    def fill_disk(self, full: bool) -> None:
        """Let something else take all that is free on the disk, or give it back."""
        self._disk_max = 0 if full else self._disk_size

    def clear(self) -> None:
        """Lose everything, as when a disk dies."""
        if self.on_change is not None:
            for account in list(self._owners):
                self.on_change(account)
        self._boxes.clear()
        self._owners.clear()
        self._misplaced.clear()
        self._expiries.clear()
        self._next_ms, self._live, self.used_bytes = _NEVER_MS, 0, 0

    def store(
        self,
        account: bytes,
        namespace: int,
        hash_: str,
        timestamp_ms: int,
        expiry_ms: int,
        data: bytes,
        now_ms: int,
    ) -> tuple[Stored, int]:
        """Keep a message.

        Args:
            account: 33 bytes.
            namespace: 16-bit number.
            hash_: its message hash, 43 characters.
            timestamp_ms, expiry_ms: unix ms.
            data: its bytes.
            now_ms: the node's clock, unix ms.

        Returns:
            What became of it, and the expiry that now holds, unix ms.
        """
        if now_ms >= self._next_ms:
            self._clean(now_ms)
        key = (account, namespace)
        box = self._boxes.get(key)
        if box is None:
            box = _Box()
        known = box.by_hash.get(hash_)
        if known is None and self._misplaced:
            placed = self._misplaced.get(hash_, key)
            if placed[0] == account:
                box = self._boxes.get(placed, box)
                known = box.by_hash.get(hash_)
        if known is not None:
            return Stored.ALREADY, self._prolong(box, known, expiry_ms)
        if self.used_bytes + len(data) > self._disk_max:
            return Stored.FULL, expiry_ms
        if self.on_change is not None:
            self.on_change(account)
        if is_public_outbox(namespace) and box.orders:
            return self._replace_outbox(key, box, hash_, timestamp_ms, expiry_ms, data)
        self._add(key, box, hash_, timestamp_ms, expiry_ms, data)
        return Stored.NEW, expiry_ms

    def _prolong(self, box: _Box, known: Message, expiry_ms: int) -> int:
        if expiry_ms <= known.expiry_ms:
            return known.expiry_ms
        # Its entry among the expiries is early now, and moves when its time comes.
        longer = known._replace(expiry_ms=expiry_ms)
        box.by_hash[known.hash] = longer
        box.orders[bisect_right(box.orders, known.order, key=_order_of) - 1] = longer
        return expiry_ms

    def _add(
        self, key: tuple[bytes, int], box: _Box, hash_: str, timestamp_ms: int, expiry_ms: int, data: bytes
    ) -> None:
        account, namespace = key
        if not box.orders:
            self._owners.setdefault(account, set()).add(namespace)
        self._count += 1
        message = Message(self._count, hash_, timestamp_ms, expiry_ms, data)
        box.by_hash[hash_] = message
        box.orders.append(message)
        self._boxes[key] = box
        self._live += 1
        self.used_bytes += len(data)
        self._expire_later(expiry_ms, message.order, account, namespace)

    def _replace_outbox(
        self, key: tuple[bytes, int], box: _Box, hash_: str, timestamp_ms: int, expiry_ms: int, data: bytes
    ) -> tuple[Stored, int]:
        old = box.orders[0]
        if not self._newest_wins:
            self._add(key, box, hash_, timestamp_ms, expiry_ms, data)
            while len(box.orders) > 1:
                self._remove(*key, box, 0)
            return Stored.NEW, expiry_ms
        if timestamp_ms <= old.timestamp_ms:
            # Not newer: the real database leaves its row alone, and the message counts as not new.
            return Stored.ALREADY, expiry_ms
        del box.by_hash[old.hash]
        # The row keeps its place in the order, as an SQL update does.
        new = Message(old.order, hash_, timestamp_ms, expiry_ms, data)
        box.by_hash[hash_] = new
        box.orders[0] = new
        self.used_bytes += len(data) - len(old.data)
        self._expire_later(expiry_ms, new.order, *key)
        return Stored.NEW, expiry_ms

    def retrieve(
        self, account: bytes, namespace: int, last_hash: str, max_count: int, max_bytes: int, now_ms: int
    ) -> tuple[list[Message], bool]:
        """Read a box in order of arrival.

        Args:
            account, namespace: the box.
            last_hash: give only what came after this message; empty, or unknown to this node: from the start.
            max_count: most messages; 0 for no limit.
            max_bytes: most bytes, counted with overhead and as base64; one message is given in any case.
            now_ms: the node's clock, unix ms.

        Returns:
            The messages, and whether there are more.
        """
        if now_ms >= self._next_ms:
            self._clean(now_ms)
        box = self._boxes.get((account, namespace))
        if box is None:
            return [], False
        if self.on_look is not None and _start(box, last_hash) < len(box.orders):
            self.on_look(account)
        return self._read(box, last_hash, max_count, max_bytes)

    def peek(
        self, account: bytes, namespace: int, last_hash: str, max_bytes: int, now_ms: int
    ) -> tuple[list[Message], bool]:
        """Give what `retrieve` would give, where nobody is going to be given it."""
        if now_ms >= self._next_ms:
            self._clean(now_ms)
        box = self._boxes.get((account, namespace))
        return ([], False) if box is None else self._read(box, last_hash, 0, max_bytes)

    def _read(self, box: _Box, last_hash: str, max_count: int, max_bytes: int) -> tuple[list[Message], bool]:
        orders, start = box.orders, _start(box, last_hash)
        found: list[Message] = []
        total = 0
        for position in range(start, len(orders)):
            message = orders[position]
            if max_count and len(found) >= max_count:
                return found, True
            total += self._overhead + len(message.hash) + len(message.data) * 4 // 3
            if found and total > max_bytes:
                return found, True
            found.append(message)
        return found, False

    def is_empty(self, account: bytes, namespace: int, now_ms: int) -> bool:
        """Say whether a box holds nothing; as `retrieve`, it first removes what has expired."""
        if now_ms >= self._next_ms:
            self._clean(now_ms)
        return (account, namespace) not in self._boxes

    def has_after(self, account: bytes, namespace: int, last_hash: str, now_ms: int) -> tuple[bool, int]:
        """Say whether `retrieve` would give anything after a message.

        Returns:
            That, and until when (unix ms) it stays so if nothing is stored or deleted: the clean-up that
            removes the message `last_hash`, after which everything is given again.
        """
        if now_ms >= self._next_ms:
            self._clean(now_ms)
        box = self._boxes.get((account, namespace))
        if box is None:
            return False, _NEVER_MS
        last = box.by_hash.get(last_hash)
        if last is None or box.orders[-1].order > last.order:
            return True, _NEVER_MS
        return False, self.cleaned_ms(last.expiry_ms)

    def cleaned_ms(self, expiry_ms: int) -> int:
        """Give when the clean-up removes what expires then."""
        return -(-expiry_ms // self._period) * self._period

    def holds(self, account: bytes) -> bool:
        """Say whether an account has any message here."""
        return account in self._owners

    def namespaces(self, account: bytes) -> list[int]:
        """List the namespaces in which an account has messages, ascending."""
        return sorted(self._owners.get(account, ()))

    def box(self, account: bytes, namespace: int) -> Sequence[Message]:
        """Give the messages of a box in order of arrival, as they are now."""
        box = self._boxes.get((account, namespace))
        return tuple(box.orders) if box is not None else ()

    def find(self, account: bytes, hash_: str) -> Held | None:
        """Find a message of an account by its hash, in whatever namespace; None if there is none."""
        for namespace in self._owners.get(account, ()):
            message = self._boxes[account, namespace].by_hash.get(hash_)
            if message is not None:
                return Held(account, namespace, message)
        return None

    def everything(self) -> Iterator[Held]:
        """Give all messages in order of arrival."""
        held = [Held(*key, message) for key, box in self._boxes.items() for message in box.orders]
        return iter(sorted(held, key=lambda one: one.message.order))

    def remove(self, held: Held) -> None:
        """Delete a message that `find` or `everything` gave and that is still there."""
        if self.on_change is not None:
            self.on_change(held.account)
        box = self._boxes[held.account, held.namespace]
        position = bisect_right(box.orders, held.message.order, key=_order_of) - 1
        self._remove(held.account, held.namespace, box, position)

    def reschedule(self, held: Held, expiry_ms: int) -> None:
        """Give such a message another expiry, unix ms, earlier or later."""
        if self.on_change is not None:
            self.on_change(held.account)
        account, namespace, message = held
        box = self._boxes[account, namespace]
        changed = message._replace(expiry_ms=expiry_ms)
        box.by_hash[message.hash] = changed
        box.orders[bisect_right(box.orders, message.order, key=_order_of) - 1] = changed
        if expiry_ms < message.expiry_ms:
            self._expire_later(expiry_ms, message.order, account, namespace)

    def extend(self, account: bytes, hash_: str, expiry_ms: int) -> None:
        """Give a message a later expiry, unix ms, that was asked for before; nobody is told."""
        held = self.find(account, hash_)
        if held is not None:
            self._prolong(self._boxes[account, held.namespace], held.message, expiry_ms)

    def merge(self, given: Sequence[Held], *, misplaced: bool, now_ms: int) -> int:
        """Take messages that another node hands on, all or, if they do not fit on the disk, none.

        Args:
            given: what it hands on; its orders mean nothing here.
            misplaced: the namespaces were dropped on the way.
            now_ms: the node's clock, unix ms.

        Returns:
            How many were not here yet.

        Source: transport 5.10; session-storage-server: oxenss/storage/database.cpp bulk_store.
        """
        self.expire(now_ms)
        if self.used_bytes + sum(len(held.message.data) for held in given) > self._disk_max:
            given = [held for held in given if self.find(held.account, held.message.hash) is None]
            if self.used_bytes + sum(len(held.message.data) for held in given) > self._disk_max:
                return 0
        before = self._live
        for held in given:
            self._merge_one(held, misplaced)
        return self._live - before

    def _merge_one(self, held: Held, misplaced: bool) -> None:
        _order, hash_, timestamp_ms, expiry_ms, data = held.message
        key = (held.account, held.namespace)
        known = self.find(held.account, hash_)
        if known is not None:
            if self._merge_prolongs:
                self._prolong(self._boxes[known.account, known.namespace], known.message, expiry_ms)
            return
        if self.on_change is not None:
            self.on_change(held.account)
        box = self._boxes.get(key) or _Box()
        if self._newest_wins and is_public_outbox(held.namespace) and box.orders:
            self._replace_outbox(key, box, hash_, timestamp_ms, expiry_ms, data)
            return
        self._add(key, box, hash_, timestamp_ms, expiry_ms, data)
        if misplaced:
            self._misplaced[hash_] = key

    def expire(self, now_ms: int) -> None:
        """Catch up with the clean-ups that were due until `now_ms`."""
        if now_ms >= self._next_ms:
            self._clean(now_ms)

    def _expire_later(self, expiry_ms: int, order: int, account: bytes, namespace: int) -> None:
        expiries = self._expiries
        if len(expiries) > 2 * self._live + _SLACK:
            # Outboxes that are replaced over and over leave stale entries: start anew from what there is.
            expiries[:] = [
                (message.expiry_ms, message.order, *key)
                for key, box in self._boxes.items()
                for message in box.orders
            ]
            heapify(expiries)
        else:
            heappush(expiries, (expiry_ms, order, account, namespace))
            if expiries[0][1] != order:
                return  # something else expires earlier, and is scheduled
        self._schedule()

    def _schedule(self) -> None:
        # The first clean-up that finds something: the grid point at or after the earliest expiry.
        expiries = self._expiries
        self._next_ms = -(-expiries[0][0] // self._period) * self._period if expiries else _NEVER_MS

    def _clean(self, now_ms: int) -> None:
        due = now_ms - now_ms % self._period
        expiries = self._expiries
        while expiries and expiries[0][0] <= due:
            _expiry, order, account, namespace = heappop(expiries)
            box = self._boxes.get((account, namespace))
            if box is None:
                continue
            position = bisect_right(box.orders, order, key=_order_of) - 1
            if position < 0 or box.orders[position].order != order:
                continue
            message = box.orders[position]
            if message.expiry_ms > due:
                heappush(expiries, (message.expiry_ms, order, account, namespace))
                continue
            self._remove(account, namespace, box, position)
        self._schedule()

    def _remove(self, account: bytes, namespace: int, box: _Box, position: int) -> None:
        message = box.orders.pop(position)
        del box.by_hash[message.hash]
        self.used_bytes -= len(message.data)
        self._live -= 1
        if self._misplaced:
            self._misplaced.pop(message.hash, None)
        if not box.orders:
            del self._boxes[account, namespace]
            self._disown(account, namespace)

    def _disown(self, account: bytes, namespace: int) -> None:
        namespaces = self._owners[account]
        namespaces.discard(namespace)
        if not namespaces:
            del self._owners[account]
            if self.on_gone is not None:
                self.on_gone(account)
