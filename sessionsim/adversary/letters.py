"""What a held key opens in a stored message: who wrote it, whom a copy was for, and what it holds."""

from __future__ import annotations

from typing import NamedTuple

from sessionsim.adversary.keyring import Keys
from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.contents import Text, TimerUpdate
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.direct import open_message


class Letter(NamedTuple):
    """An opened message.

    Args:
        key: number of the secret that opens it.
        writer: 33-byte id of who signed it.
        target: id of the other person, in a copy for the writer's own devices; empty in others.
        kind: what it holds, for example `text` or `typing`.
    """

    key: int
    writer: bytes
    target: bytes
    kind: str


def open_letter(suite: Suite, keys: Keys, inbox: bytes, stored: bytes) -> Letter | None:
    """Open a stored message with the key of its inbox; None where that is not held or does not open it."""
    account = keys.account(inbox)
    if account is None:
        return None
    try:
        received = open_message(suite, account, stored)
    except ProtocolError:
        return None
    part = received.message.part
    target = part.sync_target if isinstance(part, Text | TimerUpdate) else b""
    return Letter(keys.find(inbox[1:]), received.sender_id, target, type(part).__name__.lower())
