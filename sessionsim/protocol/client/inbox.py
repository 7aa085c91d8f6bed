"""What a client does with messages of its own inbox (namespace 0): open each once, deliver what is new.

New is what others wrote, and what another device of the account wrote, to others or to itself. What this
device stored here itself it knows already. A stranger may store anything in an inbox, so whatever cannot be
opened or read is dropped (messages 1). So is what somebody wrote whom the account has blocked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.contents import GroupUpdate, Message, read
from sessionsim.protocol.machine import DELIVER, EVENT, Effect
from sessionsim.protocol.versions.v1 import read_content
from sessionsim.protocol.wire.rpc import Retrieved

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client
    from sessionsim.protocol.client.sealing import Opened


DROPPED: Final = "dropped"


class Inbox:
    """The receiving half of a client. Args: client: whose."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._seen: set[str] = set()
        self._own: set[str] = set()  # made here and not fetched yet
        self.fetched_again = 0  # messages that were there already, from another member of the swarm
        # Who takes what is no plain text: gets hash, what was opened and the time; None: it is not for them.
        self.signals: Callable[[str, Opened, int], list[Effect] | None] | None = None
        # Says whether what somebody wrote is dropped unread, by their id; None: nothing is.
        self.drops: Callable[[bytes], bool] | None = None
        # Hash of what lies here by author's id and time of sending (unix ms); None: nobody asks for it.
        self.archive: dict[tuple[bytes, int], str] | None = None

    def made(self, message_hash: str, sent_ms: int) -> None:
        """Learn what this device itself stores here: a sync copy, or a note to its own account."""
        self._own.add(message_hash)
        if self.archive is not None:
            self.archive[self._client.account.id, sent_ms] = message_hash

    def knows(self, message_hash: str) -> bool:
        """Say whether a message is one of which `is_new` will say no."""
        return message_hash in self._seen or message_hash in self._own

    def is_new(self, message_hash: str) -> bool:
        """Say whether a message is seen for the first time, and take it for seen from now on."""
        if message_hash in self._seen:
            self.fetched_again += 1
            return False
        self._seen.add(message_hash)
        if message_hash in self._own:
            self._own.discard(message_hash)
            return False
        return True

    def take(self, message: Retrieved, now_us: int) -> list[Effect]:
        """Take a message that a poll brought; each node of the swarm brings each message."""
        if not self.is_new(message.hash):
            return []
        try:
            return self.accept(message.hash, self._client.sealing.open(message.data), now_us)
        except ProtocolError:
            return []

    def accept(self, message_hash: str, opened: Opened, now_us: int) -> list[Effect]:
        """Deliver an opened message. Raises RemoteProtocolError: no text of this version inside."""
        sender_id = opened.sender_id
        if self.drops is not None and self.drops(sender_id):
            return [(EVENT, DROPPED, message_hash, 0)]
        take = self._client.group_updates
        update = _group_update(opened.content) if take is not None else None
        if take is not None and update is not None:
            return take(message_hash, sender_id, update, now_us)
        try:
            sent_ms, body, _sync_target = read_content(opened.content, sender_id, self._client.account.id)
        except ProtocolError:
            signal = self.signals(message_hash, opened, now_us) if self.signals else None
            if signal is None:
                raise
            return signal
        if not body and self.signals is not None:
            signal = self.signals(message_hash, opened, now_us)
            if signal is not None:
                return signal
        if self.archive is not None:
            self.archive[sender_id, sent_ms] = message_hash
        effects: list[Effect] = [(DELIVER, sender_id, sent_ms, body, message_hash)]
        for reader in self._client.readers:
            effects += reader(message_hash, opened, now_us)
        return effects


def _group_update(content: bytes) -> Message | None:
    """Read a Content that holds a group update; None for any other."""
    try:
        found = read(content)
    except ProtocolError:
        return None
    return found if isinstance(found.part, GroupUpdate) else None
