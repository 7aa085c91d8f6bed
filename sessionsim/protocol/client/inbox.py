"""What a client does with messages of its own inbox (namespace 0): open each once, deliver texts of others.

A stranger may store anything in an inbox, so whatever cannot be opened or read is dropped (messages 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.machine import DELIVER, Effect
from sessionsim.protocol.versions.v1 import open_direct

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client


class Inbox:
    """The receiving half of a client. Args: client: whose."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._seen: set[str] = set()

    def take(self, message_hash: str, stored: bytes, now_us: int) -> list[Effect]:
        """Take a message that a poll brought; each node of the swarm brings each message."""
        if message_hash in self._seen:
            return []
        self._seen.add(message_hash)
        client = self._client
        try:
            message = open_direct(client.suite, client.account, stored)
        except ProtocolError:
            return []
        if message.sender_id == client.account.id:
            return []
        return [(DELIVER, message.sender_id, message.sent_ms, message.body, message_hash)]
