"""What a held key opens in a stored direct message: who wrote it, whom a copy was for, and what it holds."""

from __future__ import annotations

from typing import Final, NamedTuple

from sessionsim.adversary.account_seeds import AccountSeeds
from sessionsim.adversary.keyring import Keys
from sessionsim.adversary.opened import UNREADABLE, kind_of, target_of
from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.contents import Message, read
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.direct import direct_envelope
from sessionsim.protocol.identity import Account, account_id_of_ed25519
from sessionsim.protocol.versions import v1
from sessionsim.protocol.wire.padding import unpad

V2_START: Final = b"\0"  # Source: protocol-v2 7.2; the wrapper of version 1 never begins so


class Letter(NamedTuple):
    """An opened message.

    Args:
        key: number of the secret that opens it.
        writer: 33-byte id of who signed it.
        target: id of the other person, in a copy for the writer's own devices; empty in others.
        kind: what it holds, for example `text` or `typing`.
        plaintext: the Content as bytes.
        message: the Content as it is read; None for bytes that are none.
        by, where: what the secret is and what it opens, as people are told.
    """

    key: int
    writer: bytes
    target: bytes
    kind: str
    plaintext: bytes
    message: Message | None
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
        if stored.startswith(V2_START):
            return _open_v2(seeds, account, stored)
        envelope = direct_envelope(stored)
        sender, padded = v1.decrypt(suite, account.x, envelope.content)
    except ProtocolError:
        return None
    return _read(keys.find(inbox[1:]), account, sender, padded, envelope.sent_ms)


def _read(key: int, account: Account, sender: bytes, padded: bytes, sent_ms: int) -> Letter | None:
    """Read what came out of a sealed box; what is no message is looked at all the same."""
    try:
        writer, plaintext = account_id_of_ed25519(sender), unpad(padded)
    except ProtocolError:
        return None
    try:
        message = read(plaintext, outer_ms=sent_ms)
    except ProtocolError:
        return Letter(key, writer, b"", UNREADABLE, padded, None)
    if writer != account.id and target_of(message):
        return None  # only its owner may write a copy for the own devices
    return _letter(key, writer, plaintext, message)


def _open_v2(seeds: AccountSeeds, account: Account, stored: bytes) -> Letter:
    under = seeds.open(account, stored)
    writer, plaintext = account_id_of_ed25519(under.inner.sender), under.inner.content
    try:
        letter = _letter(under.key, writer, plaintext, read(plaintext))
    except ProtocolError:
        letter = Letter(under.key, writer, b"", UNREADABLE, plaintext, None)
    by = "key x25519" if under.key == seeds.long_term(account) else "account seed"
    return letter._replace(by=by, where="a message of version 2")


def _letter(key: int, writer: bytes, plaintext: bytes, message: Message) -> Letter:
    return Letter(key, writer, target_of(message), kind_of(message), plaintext, message)
