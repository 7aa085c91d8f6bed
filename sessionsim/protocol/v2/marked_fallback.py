"""The other reading of the fallback: a marker of its own and a smaller least size (protocol-v2 11, hole H3).

    00 01 ‖ E (32) ‖ XChaCha20-Poly1305(inner ‖ zeros)           256 bytes and then steps of 256

The design document reserves 0x01 and names a least size of 256 bytes, but also demands that the fallback
cannot be told from a message with forward secrecy; the public code follows the demand, and so does the
default here. This form is for comparison: what it would save, and what every node could then see. What stands
behind the marker is not public: key, inner dict and padding are those of the fallback (7.4), and what only
hides it, indicator and ML-KEM ciphertext, is left out (Assumption).
"""

from __future__ import annotations

from typing import Final

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.crypto import KeyPair, Suite, aead
from sessionsim.protocol.identity import Account
from sessionsim.protocol.v2 import combiner
from sessionsim.protocol.v2.inner import write_inner
from sessionsim.protocol.v2.message import STEP_BYTES, x_of
from sessionsim.protocol.v2.receiving import BadFormat, NoKeyFits, Opened, read_padded

MARKER: Final = b"\x00\x01"  # Source: protocol-v2 11 H3
LEAST_BYTES: Final = 256  # Source: protocol-v2 11 H3
_E_AT: Final = len(MARKER)
_SEALED_AT: Final = _E_AT + 32
OVERHEAD_BYTES: Final = _SEALED_AT + aead.TAG_BYTES  # 50


def is_marked(stored: bytes) -> bool:
    """Say whether bytes begin with the reserved marker."""
    return stored.startswith(MARKER)


def marked_bytes(length: int) -> int:
    """Give the length of a stored message with an inner dict of `length` bytes."""
    return max(LEAST_BYTES, -(-(OVERHEAD_BYTES + length) // STEP_BYTES) * STEP_BYTES)


def seal_marked(
    suite: Suite,
    sender: KeyPair,
    recipient_id: bytes,
    content: bytes,
    secret: bytes,
    pro: KeyPair | None = None,
) -> bytes:
    """Encrypt to an account's long-term key, and say so.

    Args:
        secret: 32 bytes never used before. Others as for `message.seal`.

    Raises:
        CannotOpen: the recipient's key is no usable curve point.
        LocalProtocolError: an id or randomness of wrong length.
    """
    account_x = x_of(recipient_id)
    if len(secret) != 32:
        raise LocalProtocolError(f"a marked fallback needs 32 random bytes, not {len(secret)}")
    ephemeral = suite.ephemeral(secret)
    key = combiner.fallback_key(suite.agree(ephemeral, account_x), account_x, ephemeral.public)
    inner = write_inner(suite, sender, recipient_id, content, pro)
    padded = inner.ljust(marked_bytes(len(inner)) - OVERHEAD_BYTES, b"\0")
    return MARKER + ephemeral.public + aead.seal(padded, key.nonce, key.key)


def open_marked(suite: Suite, recipient: Account, stored: bytes) -> Opened:
    """Open a stored message of this form.

    Raises:
        BadFormat: another marker, too short, or malformed or badly signed inside.
        NoKeyFits: for another account, or altered.
    """
    if not is_marked(stored) or len(stored) < LEAST_BYTES:
        raise BadFormat(f"a marked fallback has at least {LEAST_BYTES} bytes")
    ephemeral = stored[_E_AT:_SEALED_AT]
    try:
        shared = suite.agree(recipient.x, ephemeral)
        key = combiner.fallback_key(shared, recipient.x.public, ephemeral)
        padded = aead.unseal(stored[_SEALED_AT:], key.nonce, key.key)
    except CannotOpen as wrong:
        raise NoKeyFits("the long-term key does not open it") from wrong
    return Opened(read_padded(suite, recipient, padded), None)
