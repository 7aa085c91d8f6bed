"""Direct messages of V2 on the wire, and making them (protocol-v2 7.1, 7.2, 7.4).

    00 02 ‖ indicator (2) ‖ E (32) ‖ ML-KEM ciphertext (1088) ‖ XChaCha20-Poly1305(inner ‖ zeros)

1536 bytes and then steps of 256, stored as they are: no wrapper around them, no time and no name in the
clear. The first byte tells them from V1, whose wrapper never begins with zero. Without the recipient's
account keys the same layout is sent with a random indicator and a random ciphertext, under its long-term key:
whoever does not hold that cannot tell the two.

In the `sodium` suite the ML-KEM ciphertext differs from run to run, see `mlkem`.
"""

from __future__ import annotations

from typing import Final

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.crypto import KeyPair, Suite, aead, mlkem
from sessionsim.protocol.identity import ACCOUNT_PREFIX, ID_BYTES
from sessionsim.protocol.v2 import combiner, indicator
from sessionsim.protocol.v2.inner import inner_bytes, write_inner
from sessionsim.protocol.v2.keys import PublicKeys

MARKER: Final = b"\x00\x02"  # Source: protocol-v2 7.2
STEP_BYTES: Final = 256  # Source: protocol-v2 7.1
LEAST_BYTES: Final = 1536  # Source: protocol-v2 7.2, with and without forward secrecy (hole H3)
E_AT: Final = 4  # Source: protocol-v2 7.2
CIPHERTEXT_AT: Final = E_AT + 32
SEALED_AT: Final = CIPHERTEXT_AT + mlkem.CIPHERTEXT_BYTES
OVERHEAD_BYTES: Final = SEALED_AT + aead.TAG_BYTES  # 1140. Source: protocol-v2 7.2
RANDOM_BYTES: Final = 32 + mlkem.COINS_BYTES  # ephemeral secret, coins
FALLBACK_RANDOM_BYTES: Final = 32 + indicator.INDICATOR_BYTES + mlkem.CIPHERTEXT_BYTES


def padded_bytes(length: int) -> int:
    """Give the length of an inner dict of `length` bytes with its zeros."""
    whole = -(-(OVERHEAD_BYTES + length) // STEP_BYTES) * STEP_BYTES
    return max(LEAST_BYTES, whole) - OVERHEAD_BYTES


def message_bytes(content_bytes: int, *, pro: bool = False) -> int:
    """Give the length of a stored message for a length of content. Source: protocol-v2 7.2."""
    return OVERHEAD_BYTES + padded_bytes(inner_bytes(content_bytes, pro=pro))


def seal(
    suite: Suite,
    sender: KeyPair,
    recipient_id: bytes,
    keys: PublicKeys,
    content: bytes,
    random: bytes,
    pro: KeyPair | None = None,
) -> bytes:
    """Encrypt to an account's current keys, with forward secrecy.

    Args:
        sender: the account's Ed25519 pair.
        recipient_id: 33 bytes.
        keys: from the recipient's record.
        content: a serialised Content.
        random: 64 bytes never used before: ephemeral secret, coins of the encapsulation.
        pro: Ed25519 pair of the sender's Pro key.

    Raises:
        CannotOpen: a key of the recipient is none.
        LocalProtocolError: an id or randomness of wrong length.
    Source: protocol-v2 7.1; libsession-util: src/session_encrypt.cpp.
    """
    account_x = x_of(recipient_id)
    if len(random) != RANDOM_BYTES:
        raise LocalProtocolError(f"a V2 message needs {RANDOM_BYTES} random bytes, not {len(random)}")
    ephemeral = suite.ephemeral(random[:32])
    kem_shared, ciphertext = suite.kem_encapsulate(keys.kem, random[32:])
    hidden_by = indicator.mask(
        suite.agree(ephemeral, account_x), ephemeral.public, account_x, indicator.MESSAGE_PERSON
    )
    shared = suite.agree(ephemeral, keys.x)
    key = combiner.pfs_key(kem_shared, shared, ephemeral.public, keys.x)
    inner = write_inner(suite, sender, recipient_id, content, pro)
    return _whole(indicator.masked(keys.kem, hidden_by), ephemeral.public, ciphertext, inner, key)


def seal_fallback(
    suite: Suite,
    sender: KeyPair,
    recipient_id: bytes,
    content: bytes,
    random: bytes,
    pro: KeyPair | None = None,
) -> bytes:
    """Encrypt to an account's long-term key, for want of its current ones.

    Args:
        random: 1122 bytes never used before: ephemeral secret, indicator, ML-KEM ciphertext.
        Others as for `seal`.

    Raises:
        CannotOpen: the recipient's key is no usable curve point.
        LocalProtocolError: an id or randomness of wrong length.
    Source: protocol-v2 7.4; libsession-util: src/session_encrypt.cpp.
    """
    account_x = x_of(recipient_id)
    if len(random) != FALLBACK_RANDOM_BYTES:
        raise LocalProtocolError(f"a V2 fallback needs {FALLBACK_RANDOM_BYTES} random bytes")
    ephemeral = suite.ephemeral(random[:32])
    shared = suite.agree(ephemeral, account_x)
    key = combiner.fallback_key(shared, account_x, ephemeral.public)
    inner = write_inner(suite, sender, recipient_id, content, pro)
    return _whole(random[32:34], ephemeral.public, random[34:], inner, key)


def _whole(two: bytes, ephemeral: bytes, ciphertext: bytes, inner: bytes, key: combiner.MessageKey) -> bytes:
    sealed = aead.seal(inner.ljust(padded_bytes(len(inner)), b"\0"), key.nonce, key.key)
    return b"".join((MARKER, two, ephemeral, ciphertext, sealed))


def x_of(recipient_id: bytes) -> bytes:
    """Give the X25519 key of an account id. Raises LocalProtocolError: it is none."""
    if len(recipient_id) != ID_BYTES or recipient_id[:1] != ACCOUNT_PREFIX:
        raise LocalProtocolError("a direct message goes to a 33-byte account id that starts with 05")
    return recipient_id[1:]
