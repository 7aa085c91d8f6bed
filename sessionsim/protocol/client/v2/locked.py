"""The inbox of a device that may lack keys: what does not open waits for a key (protocol-v2 7.3, 10).

A device that was away does not know the account keys that others made meanwhile. A message under such a key
fits none that it holds, so it reads its device group's messages and tries again, and once more whenever it
learns of a key. Anyone may store in an inbox, so such messages may also be nobody's: only so many are kept.

A phone may be given a message with a push notification, before any poll ("woken"); if it does not open, the
same reading of the group follows: a push, then a fetch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.v2 import happenings
from sessionsim.protocol.client.v2.sealing import SealingV2
from sessionsim.protocol.machine import EVENT, Effect
from sessionsim.protocol.v2.receiving import NoKeyFits
from sessionsim.protocol.wire.rpc import Retrieved

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

MOST_LOCKED: Final = 1000  # Assumption: far more than a person gets between two rotations


class LockedInbox:
    """Namespace 0 of a client of version 2.

    Args:
        client: whose.
        sealing: opens messages.
        read_group: reads the device group's messages, unless that is under way.
    """

    def __init__(self, client: Client, sealing: SealingV2, read_group: Callable[[int], list[Effect]]) -> None:
        self._client, self._sealing, self._read_group = client, sealing, read_group
        self._locked: dict[str, tuple[Retrieved, int]] = {}

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"woken": self.woken}

    def start(self, now_us: int) -> list[Effect]:
        return []

    def next_due_us(self) -> int | None:
        return None

    def wake(self, now_us: int) -> list[Effect]:
        return []

    @property
    def locked(self) -> int:
        """Give how many messages wait for a key."""
        return len(self._locked)

    def locked_hashes(self) -> Iterable[str]:
        """Give the hashes of these messages."""
        return self._locked.keys()

    def take(self, message: Retrieved, now_us: int) -> list[Effect]:
        """Take a message that a poll brought; see `parts.Taker`."""
        if not self._client.inbox.is_new(message.hash):
            return []
        effects = self._opened(message, now_us)
        if effects is not None:
            return effects
        if len(self._locked) >= MOST_LOCKED:
            del self._locked[next(iter(self._locked))]
        self._locked[message.hash] = message, now_us
        locked: Effect = (EVENT, happenings.LOCKED, message.hash, len(message.data))
        return [locked, *self._read_group(now_us)]

    def woken(self, message_hash: str, stored: bytes, now_us: int) -> list[Effect]:
        """Take a message that came with a push notification; times of the swarm are not in it."""
        return self.take(Retrieved(message_hash, 0, 0, stored), now_us)

    def unlock(self, now_us: int) -> list[Effect]:
        """Try again what did not open, after the device has learnt of a key."""
        found: list[Effect] = []
        for message, since_us in list(self._locked.values()):
            effects = self._opened(message, now_us)
            if effects is not None:
                del self._locked[message.hash]
                found += [(EVENT, happenings.UNLOCKED, message.hash, now_us - since_us), *effects]
        return found

    def _opened(self, message: Retrieved, now_us: int) -> list[Effect] | None:
        """Open and deliver a message, or refuse it; None if no key fits."""
        try:
            how, opened = self._sealing.open_as(message.data)
            told: Effect = (EVENT, how, message.hash, len(message.data))
            return [told, *self._client.inbox.accept(message.hash, opened, now_us)]
        except NoKeyFits:
            return None
        except ProtocolError:
            return [(EVENT, happenings.REFUSED, message.hash, len(message.data))]
