"""The keys of a group that a device holds, and which of them count (messages 4.2).

Sorted by (generation, time, key). The newest one encrypts, all of them open. An admin who made a key holds
it as pending, and already uses it, until it comes back from the swarm or a later generation overtakes it.

A generation is dropped when the one after it is more than 60 days older than the newest key: whoever was
offline for that long has lost the messages anyway. Times are the swarm's, never the device's own clock, so
the last generations stay for as long as nothing newer comes. Source: libsession-util:
src/config/groups/keys.cpp (insert_key, remove_expired, needs_rekey).
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple

from sessionsim.core.errors import LocalProtocolError

if TYPE_CHECKING:
    from sessionsim.protocol.groups.loading import OpenedKeys
    from sessionsim.protocol.groups.rekey import Rekeyed

KEY_LIFE_MS: Final = 60 * 24 * 60 * 60 * 1000  # Source: messages 4.2 (KEY_EXPIRY, twice the longest TTL)


class GroupKey(NamedTuple):
    """One key; tuples compare in the order of the ring. Args: time_ms: when the swarm got it, unix ms."""

    generation: int
    time_ms: int
    key: bytes


class KeyRing:
    """All keys of one group on one device. Args: key_life_ms: see `KEY_LIFE_MS`."""

    def __init__(self, *, key_life_ms: int = KEY_LIFE_MS) -> None:
        self._life_ms = key_life_ms
        self._keys: list[GroupKey] = []
        self._hashes: dict[int, set[str]] = {}
        self._pending: Rekeyed | None = None

    @property
    def held(self) -> tuple[GroupKey, ...]:
        """Confirmed keys, oldest first."""
        return tuple(self._keys)

    @property
    def opening_keys(self) -> tuple[bytes, ...]:
        """All keys to try on a message or config: the pending one, then the newest first."""
        pending = () if self._pending is None else (self._pending.key,)
        return (*pending, *(held.key for held in reversed(self._keys)))

    @property
    def sending_key(self) -> bytes:
        """The key that encrypts: the pending one, else the newest. Raises LocalProtocolError: no key."""
        if self._pending is not None:
            return self._pending.key
        if not self._keys:
            raise LocalProtocolError("this device holds no key of the group")
        return self._keys[-1].key

    @property
    def generation(self) -> int:
        """The newest confirmed generation; 0 without keys, as in the reference."""
        return self._keys[-1].generation if self._keys else 0

    @property
    def next_generation(self) -> int:
        """What a rekey has to use; a pending key does not count."""
        return self._keys[-1].generation + 1 if self._keys else 0

    @property
    def needs_rekey(self) -> bool:
        """Two admins made different keys of the same, newest generation: an admin has to make another."""
        return len(self._keys) > 1 and self._keys[-1].generation == self._keys[-2].generation

    @property
    def active_hashes(self) -> frozenset[str]:
        """Hashes of the messages whose life a client extends as long as their generation is held."""
        return frozenset().union(*self._hashes.values())

    @property
    def pending(self) -> Rekeyed | None:
        """A key of our own that has not come back from the swarm; its message has still to be stored."""
        return self._pending

    def propose(self, made: Rekeyed) -> None:
        """Hold a key that we made as pending; replaces an earlier one.

        Raises:
            LocalProtocolError: it is not of the next generation.
        """
        if made.generation != self.next_generation:
            raise LocalProtocolError(f"the next key has generation {self.next_generation}")
        self._pending = made

    def take(self, opened: OpenedKeys, message_hash: str) -> bool:
        """Take in what was found in a keys message.

        Args:
            message_hash: the swarm's hash of the message.

        Returns:
            Whether it held keys for us, known ones included.
        """
        if opened.keys and self._pending is not None:
            first = opened.keys[0]
            if first.generation > self._pending.generation or first.key == self._pending.key:
                self._pending = None
        for found in opened.keys:
            self._insert(found, message_hash)
        if not opened.keys:
            self._hashes.setdefault(opened.generation, set()).add(message_hash)
            self._drop_lapsed()
        return bool(opened.keys)

    def _insert(self, found: GroupKey, message_hash: str) -> None:
        # A known key is the same at another time: re-stored messages come with slightly different ones.
        if any((held.generation, held.key) == (found.generation, found.key) for held in self._keys):
            self._hashes.setdefault(found.generation, set()).add(message_hash)
            return
        if self._comes_too_late(found):
            return
        self._hashes.setdefault(found.generation, set()).add(message_hash)
        self._keys.insert(bisect_left(self._keys, found), found)
        self._drop_lapsed()

    def _comes_too_late(self, found: GroupKey) -> bool:
        keys = self._keys
        return (
            len(keys) > 1
            and found.generation < keys[0].generation
            and keys[0].time_ms + self._life_ms < keys[-1].time_ms
        )

    def _drop_lapsed(self) -> None:
        keys, first_kept = self._keys, 0
        for at in range(1, len(keys)):
            if keys[at].generation == keys[at - 1].generation:
                continue
            # `at` is the oldest key of the generation that superseded the one before it.
            if keys[at].time_ms + self._life_ms >= keys[-1].time_ms:
                break
            first_kept = at
        del keys[:first_kept]
        # Without any key the history is not ours to keep alive.
        oldest = keys[0].generation if keys else None
        for generation in list(self._hashes):
            if oldest is None or generation < oldest:
                del self._hashes[generation]
