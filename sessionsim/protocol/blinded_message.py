"""Messages between two blinded ids of one community (messages 3.2).

    q = own secret · other's point           (15: the account's scalar a; 25: the blinded scalar ±k·a)
    key = BLAKE2b-32( q ‖ sender point ‖ recipient point )
    sealed = 00 ‖ XChaCha( message ‖ sender's Ed25519 key ; nonce, key ) ‖ nonce

The community stores them and sees the two blinded ids; the key inside tells the recipient who the sender
really is, and must blind to the sender's id. Both ends open a message alike: a sender reads its own outbox.
Such messages are stored, so the arithmetic is real in every suite.
Source: messages 3.2; libsession-util: src/session_encrypt.cpp.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol import blinding
from sessionsim.protocol.blinding import PREFIX_15, PREFIX_25
from sessionsim.protocol.crypto import aead, curve
from sessionsim.protocol.crypto.blake2b import blake2b
from sessionsim.protocol.identity import ID_BYTES, Account, account_id_of_ed25519

VERSION: Final = b"\x00"  # Source: messages 3.2
_ED25519_BYTES: Final = 32
# What a sealed message is longer than its text: 73. Source: messages 3.2
OVERHEAD_BYTES: Final = len(VERSION) + _ED25519_BYTES + aead.TAG_BYTES + aead.NONCE_BYTES


class Opened(NamedTuple):
    """What came out of a message.

    Args:
        message: the padded Content.
        sender: account id of the sender, 33 bytes, as its own key inside the message says.
    """

    message: bytes
    sender: bytes


def own_id(account: Account, server_x: bytes, prefix: bytes) -> bytes:
    """Give an account's id of one kind on a server. Raises CannotOpen: a prefix that is not 15 or 25."""
    if prefix == PREFIX_15:
        return prefix + blinding.blind15_key(account, server_x).public
    if prefix == PREFIX_25:
        return prefix + blinding.blind25_key(account, server_x).public
    raise CannotOpen("not a blinded id")


def _shared_key(
    own: Account, server_x: bytes, other_id: bytes, sender_id: bytes, recipient_id: bytes
) -> bytes:
    """Derive the key between an own and another id of the same kind."""
    if not len(sender_id) == len(recipient_id) == ID_BYTES or sender_id[:1] != recipient_id[:1]:
        raise CannotOpen("not two blinded ids of one kind")
    # A 15 factor is the same for both ends and is in the other's point already.
    blinds_itself = sender_id[:1] == PREFIX_25
    secret = blinding.blind25_key(own, server_x).scalar if blinds_itself else own.x.secret
    return blake2b(curve.times(secret, other_id[1:]) + sender_id[1:] + recipient_id[1:], 32)


def seal(sender: Account, server_x: bytes, recipient_id: bytes, message: bytes, nonce24: bytes) -> bytes:
    """Encrypt to a blinded id.

    Args:
        sender: writes under its id of the same kind.
        server_x: X25519 key of the community.
        recipient_id: 33 bytes starting with 15 or 25, with the sign under which the recipient is known there.
        message: the padded Content.
        nonce24: 24 random bytes.

    Returns:
        73 bytes more than the message.

    Raises:
        CannotOpen: the recipient's id is no blinded id or no point of the main group.
        LocalProtocolError: a nonce or a server key of another length.
    Source: messages 3.2.
    """
    if len(nonce24) != aead.NONCE_BYTES:
        raise LocalProtocolError(f"a nonce has {aead.NONCE_BYTES} bytes, not {len(nonce24)}")
    sender_id = own_id(sender, server_x, recipient_id[:1])
    key = _shared_key(sender, server_x, recipient_id, sender_id, recipient_id)
    return VERSION + aead.seal(message + sender.ed.public, nonce24, key) + nonce24


def unseal(
    own: Account,
    server_x: bytes,
    sender_id: bytes,
    recipient_id: bytes,
    sealed: bytes,
    *,
    either_sign: bool = True,
    empty: bool = True,
) -> Opened:
    """Decrypt as recipient or as sender, and check that the sender is who the outer id says.

    Args:
        own: the account that reads; one of the two ids is its own.
        server_x: X25519 key of the community.
        sender_id, recipient_id: 33-byte blinded ids, as the community gives them.
        sealed: the stored message.
        either_sign: whether the key inside may blind to the sender's 15 id with the other sign. Messages 3.2
            says so; libsession-util 1.2.0 to 2026 means to, but turns a bit of the last byte but one, and
            session-desktop compares exactly: with them only the true sign passes (False).
        empty: whether a message of 0 bytes is one. True: libsession-util; False: session-desktop.

    Raises:
        CannotOpen: malformed, for someone else, altered, or from another sender than the outer id says.
        LocalProtocolError: a server key of another length.
    Source: messages 3.2; libsession-util: src/session_encrypt.cpp; session-desktop:
    ts/session/apis/open_group_api/sogsv3/sogsBlinding.ts.
    """
    if len(sealed) < OVERHEAD_BYTES + (not empty):
        raise CannotOpen("too short for a message between blinded ids")
    if sealed[:1] != VERSION:
        raise CannotOpen("a message between blinded ids of an unknown version")
    is_sender = sender_id == own_id(own, server_x, sender_id[:1])
    other_id = recipient_id if is_sender else sender_id
    key = _shared_key(own, server_x, other_id, sender_id, recipient_id)
    plain = aead.unseal(sealed[1 : -aead.NONCE_BYTES], sealed[-aead.NONCE_BYTES :], key)
    message, ed25519 = plain[:-_ED25519_BYTES], plain[-_ED25519_BYTES:]
    account_id = account_id_of_ed25519(ed25519)
    if not _blinds_to(ed25519, sender_id, server_x, either_sign=either_sign):
        raise CannotOpen("the sender inside is not the sender outside")
    return Opened(message, account_id)


def _blinds_to(ed25519: bytes, blinded_id: bytes, server_x: bytes, *, either_sign: bool) -> bool:
    if blinded_id[:1] == PREFIX_25:
        return blinding.blind25_id_of_ed25519(ed25519, server_x) == blinded_id
    true_id = blinding.blind15_id_of_ed25519(ed25519, server_x)
    return blinded_id == true_id or (either_sign and blinded_id == blinding.other_sign(true_id))
