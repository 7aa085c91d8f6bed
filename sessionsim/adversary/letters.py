"""What a held key opens in a stored message: who wrote it, whom a copy was for, and what it holds."""

from __future__ import annotations

from typing import Final, NamedTuple

from sessionsim.adversary.account_seeds import AccountSeeds
from sessionsim.adversary.keyring import Keys
from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.contents import Message, Text, TimerUpdate, read
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.direct import open_message
from sessionsim.protocol.identity import Account, account_id_of_ed25519

_V2_START: Final = b"\0"  # Source: protocol-v2 7.2; the wrapper of version 1 never begins so


class Letter(NamedTuple):
    """An opened message.

    Args:
        key: number of the secret that opens it.
        writer: 33-byte id of who signed it.
        target: id of the other person, in a copy for the writer's own devices; empty in others.
        kind: what it holds, for example `text` or `typing`.
        by, where: what the secret is and what it opens, as people are told.
    """

    key: int
    writer: bytes
    target: bytes
    kind: str
    by: str = "key x25519"
    where: str = "Envelope.content"


def open_letter(suite: Suite, keys: Keys, seeds: AccountSeeds, inbox: bytes, stored: bytes) -> Letter | None:
    """Open a stored message with keys of its inbox; None where none is held that opens it.

    Args:
        seeds: those of the keys that are seeds of version 2.
    """
    account = keys.account(inbox)
    if account is None:
        return None
    try:
        if stored.startswith(_V2_START):
            return _open_v2(seeds, account, stored)
        received = open_message(suite, account, stored)
    except ProtocolError:
        return None
    return _letter(keys.find(inbox[1:]), received.sender_id, received.message)


def _open_v2(seeds: AccountSeeds, account: Account, stored: bytes) -> Letter:
    under = seeds.open(account, stored)
    letter = _letter(under.key, account_id_of_ed25519(under.inner.sender), read(under.inner.content))
    by = "key x25519" if under.key == seeds.long_term(account) else "account seed"
    return letter._replace(by=by, where="a message of version 2")


def _letter(key: int, writer: bytes, message: Message) -> Letter:
    part = message.part
    target = part.sync_target if isinstance(part, Text | TimerUpdate) else b""
    return Letter(key, writer, target, type(part).__name__.lower())
