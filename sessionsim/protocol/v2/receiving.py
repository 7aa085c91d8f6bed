"""Opening direct messages of V2, and every way to refuse one (protocol-v2 7.3).

The marker decides the version. The indicator, shown with the long-term key, names the account keys to try;
then the fallback is tried. ML-KEM gives a secret to a wrong key too, so that shows only when the message does
not open. One that opens and is wrong inside is dropped at once: no other key, no fallback. A length that is
no multiple of 256 is taken. As the public code does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sessionsim.core.errors import CannotOpen, RemoteProtocolError
from sessionsim.protocol.crypto import Suite, aead
from sessionsim.protocol.identity import Account
from sessionsim.protocol.v2 import combiner, indicator
from sessionsim.protocol.v2.inner import Inner, read_inner
from sessionsim.protocol.v2.keys import HybridKeys
from sessionsim.protocol.v2.message import CIPHERTEXT_AT, E_AT, LEAST_BYTES, MARKER, SEALED_AT

V1: Final = 1
V2: Final = 2


class UnknownVersion(RemoteProtocolError):
    """A message of a version that does not exist yet: dropped."""


class BadFormat(RemoteProtocolError):
    """A V2 message that is too short, or that opens and is malformed or badly signed inside."""


class NoKeyFits(CannotOpen):
    """A V2 message that no held key opens, the long-term key included."""


class Opened(NamedTuple):
    """An opened and verified message.

    Args:
        inner: sender, content, Pro signature.
        key: position, among the held keys, of the one that opened it; None if the long-term key did, and the
            reader has to be told that the protection was weaker.
    """

    inner: Inner
    key: int | None


def version_of(stored: bytes) -> int:
    """Say which version a stored direct message is: `V1` or `V2`.

    Raises:
        UnknownVersion: zero, then another number than 2.
        BadFormat: nothing, or a zero and nothing.
    Source: protocol-v2 7.3; the reference's text does not say what becomes of fewer than two bytes.
    """
    if stored[:1] not in (b"", b"\0"):
        return V1
    if len(stored) < len(MARKER):
        raise BadFormat("too short for a version")
    if stored[: len(MARKER)] != MARKER:
        raise UnknownVersion("a message of an unknown version")
    return V2


def indicator_of(suite: Suite, recipient: Account, stored: bytes) -> bytes:
    """Show the two bytes with which the key begins that a V2 message claims to be under.

    Raises:
        BadFormat: too short. NoKeyFits: its ephemeral key is no usable curve point.
    """
    return _indicator(recipient, stored, _long_term_shared(suite, recipient, stored))


def candidates(two: bytes, held: Sequence[HybridKeys]) -> list[int]:
    """Give the positions of the keys that begin with an indicator."""
    # By position, since this is done for each message and all held keys: `keys.kem.public`.
    return [place for place, keys in enumerate(held) if keys[0][0][:2] == two]


def open_message(suite: Suite, recipient: Account, held: Sequence[HybridKeys], stored: bytes) -> Opened:
    """Open a stored V2 message.

    Args:
        held: the account's keys, active and retained, in any order.
        stored: any bytes.

    Raises:
        UnknownVersion, BadFormat: see there; also for a message of V1.
        NoKeyFits: for another account, altered, or under a key that is not held.
    Source: protocol-v2 7.3; libsession-util: src/session_encrypt.cpp, src/core.cpp.
    """
    if version_of(stored) != V2:
        raise BadFormat("a message of version 1")
    shared, ephemeral = _long_term_shared(suite, recipient, stored), stored[E_AT:CIPHERTEXT_AT]
    for place in candidates(_indicator(recipient, stored, shared), held):
        keys = held[place]
        kem_shared = suite.kem_decapsulate(keys.kem, stored[CIPHERTEXT_AT:SEALED_AT])
        x_shared = suite.agree(keys.x, ephemeral)
        padded = _padded(stored, combiner.pfs_key(kem_shared, x_shared, ephemeral, keys.x.public))
        if padded is not None:
            return Opened(read_padded(suite, recipient, padded), place)
    padded = _padded(stored, combiner.fallback_key(shared, recipient.x.public, ephemeral))
    if padded is None:
        raise NoKeyFits("no held key opens it")
    return Opened(read_padded(suite, recipient, padded), None)


def _long_term_shared(suite: Suite, recipient: Account, stored: bytes) -> bytes:
    if len(stored) < LEAST_BYTES:
        raise BadFormat(f"a V2 message has at least {LEAST_BYTES} bytes")
    try:
        return suite.agree(recipient.x, stored[E_AT:CIPHERTEXT_AT])
    except CannotOpen as wrong:
        raise NoKeyFits("its ephemeral key is no usable curve point") from wrong


def _indicator(recipient: Account, stored: bytes, shared: bytes) -> bytes:
    ephemeral = stored[E_AT:CIPHERTEXT_AT]
    hidden_by = indicator.mask(shared, ephemeral, recipient.x.public, indicator.MESSAGE_PERSON)
    return indicator.masked(stored[2:E_AT], hidden_by)


def _padded(stored: bytes, key: combiner.MessageKey) -> bytes | None:
    try:
        return aead.unseal(stored[SEALED_AT:], key.nonce, key.key)
    except CannotOpen:
        return None


def read_padded(suite: Suite, recipient: Account, padded: bytes) -> Inner:
    """Read what an opened message holds. Raises BadFormat: malformed or badly signed."""
    try:
        return read_inner(suite, recipient.id, padded)
    except RemoteProtocolError as wrong:
        raise BadFormat(f"opened, but {wrong}") from wrong
