"""What a client does with messages of its own inbox (namespace 0): open each once, deliver what is new.

New is what others wrote, and what another device of the account wrote, to others or to itself. What this
device stored here itself it knows already. A stranger may store anything in an inbox, so whatever cannot be
opened or read is dropped (messages 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.contents import GroupUpdate, Message, read
from sessionsim.protocol.machine import DELIVER, Effect
from sessionsim.protocol.versions.v1 import read_content
from sessionsim.protocol.wire.rpc import Retrieved

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client
    from sessionsim.protocol.client.sealing import Opened


class Inbox:
    """The receiving half of a client. Args: client: whose."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._seen: set[str] = set()
        self._own: set[str] = set()  # made here and not fetched yet
        self.fetched_again = 0  # messages that were there already, from another member of the swarm

    def made(self, message_hash: str) -> None:
        """Learn what this device itself stores here: a sync copy, or a note to its own account."""
        self._own.add(message_hash)

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
        take = self._client.group_updates
        update = _group_update(opened.content) if take is not None else None
        if take is not None and update is not None:
            return take(message_hash, sender_id, update, now_us)
        sent_ms, body, _sync_target = read_content(opened.content, sender_id, self._client.account.id)
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
