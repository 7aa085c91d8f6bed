"""A post of a community room: the padded Content in clear, and a signature that stays with it (messages 3.3).

The author signs the padded bytes: with the blinded key where the community asks for blinded ids, otherwise
with the X25519 key of the account (XEd25519). The server keeps the Content without padding and gives it out
with the padding restored, so the signature still holds. It does not check signatures; readers do, and real
ones in every suite, since they are kept.
Source: session-pysogs: sogs/model/room.py, sogs/utils.py; session-desktop: sogsv3/sogsApiV3.ts.
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.blinding import PREFIX_15, blind15_sign_stored
from sessionsim.protocol.crypto import real, xed25519
from sessionsim.protocol.identity import ACCOUNT_PREFIX, ID_BYTES, Account
from sessionsim.protocol.wire.padding import pad, unpad

SIGNATURE_BYTES: Final = 64
_NAME_BYTES: Final = 32
_MARK: Final = b"\x80"


class SignedPost(NamedTuple):
    """What an author sends. Args: content: padded Content; signature: 64 bytes over it."""

    content: bytes
    signature: bytes


def sign_post(
    account: Account,
    server_x: bytes,
    content: bytes,
    *,
    blinded: bool = True,
    random64: bytes = b"",
    nonce_of_seed: bool = False,
) -> SignedPost:
    """Pad and sign a Content.

    Args:
        account: the author.
        server_x: X25519 key of the community.
        content: the Content, not padded.
        blinded: sign with the 15 key.
        random64: 64 fresh random bytes; only for a signature that is not blinded.
        nonce_of_seed: see `blinding.blind15_sign`.

    Raises:
        LocalProtocolError: the random bytes are missing.
    """
    padded = pad(content)
    if blinded:
        return SignedPost(padded, blind15_sign_stored(account, server_x, padded, nonce_of_seed=nonce_of_seed))
    return SignedPost(padded, xed25519.sign(account.x.secret, random64, padded))


def post_name(content: bytes, signature: bytes) -> str:
    """Give what a post is recognised by: a digest of what its author signed, and of the signature.

    Args:
        content: as it is given out, with padding.
    """
    return hashlib.blake2b(content + signature, digest_size=_NAME_BYTES).hexdigest()


def is_genuine(session_id: bytes, content: bytes, signature: bytes) -> bool:
    """Say whether the author named by the server signed these bytes.

    Args:
        session_id: 33 bytes, 15… or 05…; False for any other.
        content: as it was given out, with padding.
        signature: 64 bytes.
    """
    if len(session_id) != ID_BYTES:
        return False
    if session_id[:1] == PREFIX_15:
        return real.ed25519_verify(session_id[1:], content, signature)
    return session_id[:1] == ACCOUNT_PREFIX and xed25519.verify(session_id[1:], content, signature)


def strip_padding(content: bytes) -> bytes:
    """Give what the server keeps; with the length before, `restore_padding` undoes it.

    Source: session-pysogs: sogs/utils.py (remove_session_message_padding).
    """
    return unpad(content)


def restore_padding(kept: bytes, size_bytes: int) -> bytes:
    """Give a post as its author sent it.

    Args:
        kept: what `strip_padding` left.
        size_bytes: length before.

    Raises:
        LocalProtocolError: the length is less than what is kept.
    """
    if size_bytes < len(kept):
        raise LocalProtocolError("a post shorter than what is kept of it")
    return (kept + _MARK).ljust(size_bytes, b"\0") if size_bytes > len(kept) else kept
