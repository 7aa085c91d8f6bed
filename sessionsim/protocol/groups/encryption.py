"""Encryption to a group (messages 4.3, steps 2 to 6).

    dict   "" version 1, a sender's Ed25519 key, d body or z compressed body, s signature
    padded = dict ‖ zeros, so that 40 + its length is a multiple of 256
    stored = nonce (24) ‖ XChaCha(padded, nonce, group key)

Everyone who holds the group key can encrypt; the signature says who did. The body is compressed when that
makes it shorter, so unlike that of a direct message the size depends on what is said: a compression side
channel, in steps of 256 bytes.

Version difference: the reference of January 2025 signs the body alone, newer ones body ‖ group's Ed25519
key, so that a message cannot be carried into another group. The two do not accept each other's messages.
`signs_group` chooses, True by default. Source: messages 4.3; libsession-util: src/config/groups/keys.cpp
(January 2025), src/session_encrypt.cpp (encrypt_for_group, decrypt_group_message).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.crypto import KeyPair, Suite, aead, real
from sessionsim.protocol.groups.identity import group_ed25519
from sessionsim.protocol.wire.compression import compress as shorten
from sessionsim.protocol.wire.compression import decompress
from sessionsim.protocol.wire.group_dict import GroupDict, read_group_dict, write_group_dict

STEP_BYTES: Final = 256  # Source: messages 4.3
MOST_PLAINTEXT_BYTES: Final = 1_000_000  # Source: messages 4.3 (GROUPS_MAX_PLAINTEXT_MESSAGE_SIZE)
OVERHEAD_BYTES: Final = aead.NONCE_BYTES + aead.TAG_BYTES


class Body(NamedTuple):
    """The signed part of a message, as it is transmitted. Args: compressed: it is a zstd frame."""

    raw: bytes
    compressed: bool


class Decrypted(NamedTuple):
    """An opened and verified message. Args: sender: Ed25519 public key; key: the group key that fitted."""

    sender: bytes
    plaintext: bytes
    key: bytes


def body_of(plaintext: bytes, *, compress: bool = True) -> Body:
    """Compress if that is wanted and makes it shorter.

    Raises:
        LocalProtocolError: nothing to send, or more than 1 000 000 bytes.
    """
    if not 0 < len(plaintext) <= MOST_PLAINTEXT_BYTES:
        raise LocalProtocolError(f"a group message has 1 to {MOST_PLAINTEXT_BYTES} bytes of plaintext")
    if compress:
        shorter = shorten(plaintext)
        if len(shorter) < len(plaintext):
            return Body(shorter, True)
    return Body(plaintext, False)


def encrypt_body(
    suite: Suite,
    sender: KeyPair,
    group_id: bytes,
    key: bytes,
    body: Body,
    nonce24: bytes,
    *,
    signs_group: bool = True,
    step_bytes: int = STEP_BYTES,
) -> bytes:
    """Sign, pad and encrypt what `body_of` gave.

    Args:
        sender: the account's Ed25519 pair.
        key: 32-byte group key, `KeyRing.sending_key`.
        nonce24: 24 bytes never used before with this key.
        signs_group: see the module.
        step_bytes: the length is filled up to a multiple of it; 1 for none.

    Raises:
        LocalProtocolError: a key, nonce or id of wrong length.
    """
    if len(nonce24) != aead.NONCE_BYTES or len(key) != aead.KEY_BYTES:
        raise LocalProtocolError("a group message needs a key of 32 and a nonce of 24 bytes")
    signature = suite.sign_stored(sender, _signed(body.raw, group_id, signs_group))
    written = write_group_dict(GroupDict(sender.public, body.raw, body.compressed, signature))
    padded = written + bytes(-(len(written) + OVERHEAD_BYTES) % step_bytes)
    return nonce24 + aead.seal(padded, nonce24, key)


def encrypt(
    suite: Suite,
    sender: KeyPair,
    group_id: bytes,
    key: bytes,
    plaintext: bytes,
    nonce24: bytes,
    *,
    compress: bool = True,
    signs_group: bool = True,
) -> bytes:
    """Encrypt bytes to a group: `body_of`, then `encrypt_body`, with their errors.

    Args:
        plaintext: in real traffic an envelope (`wire.group_envelope`).

    Source: messages 4.3.
    """
    body = body_of(plaintext, compress=compress)
    return encrypt_body(suite, sender, group_id, key, body, nonce24, signs_group=signs_group)


def decrypt_body(
    suite: Suite, group_id: bytes, keys: Iterable[bytes], ciphertext: bytes, *, signs_group: bool = True
) -> tuple[Body, bytes, bytes]:
    """Decrypt and verify, but leave the body as it was transmitted.

    Args:
        keys: 32-byte group keys to try in turn, `KeyRing.opening_keys`.
        ciphertext: any bytes.

    Returns:
        The body, the sender's Ed25519 public key, and the group key that fitted.

    Raises:
        CannotOpen: none of the keys fits, or the signature is not the sender's.
        RemoteProtocolError: the key fits, but what is inside is not of this form.
    """
    padded, key = _opened(ciphertext, keys)
    # A stranger to the group cannot get here, but any member, present or past, can.
    sender, raw, compressed, signature = read_group_dict(padded)
    real.x25519_public_of_ed25519(sender)  # a sender has an account id
    if not suite.verify_stored(sender, _signed(raw, group_id, signs_group), signature):
        raise CannotOpen("a group message that its sender did not sign for this group")
    return Body(raw, compressed), sender, key


def decrypt(
    suite: Suite, group_id: bytes, keys: Iterable[bytes], ciphertext: bytes, *, signs_group: bool = True
) -> Decrypted:
    """Decrypt, verify and expand; arguments and errors of `decrypt_body`.

    Raises:
        RemoteProtocolError: also if the compressed body is none, or longer than 1 000 000 bytes.
    Source: messages 4.3.
    """
    body, sender, key = decrypt_body(suite, group_id, keys, ciphertext, signs_group=signs_group)
    plaintext = decompress(body.raw, MOST_PLAINTEXT_BYTES) if body.compressed else body.raw
    return Decrypted(sender, plaintext, key)


def _signed(body: bytes, group_id: bytes, signs_group: bool) -> bytes:
    return body + group_ed25519(group_id) if signs_group else body


def _opened(ciphertext: bytes, keys: Iterable[bytes]) -> tuple[bytes, bytes]:
    nonce, sealed = ciphertext[: aead.NONCE_BYTES], ciphertext[aead.NONCE_BYTES :]
    if len(sealed) >= aead.TAG_BYTES:
        for key in keys:
            try:
                return aead.unseal(sealed, nonce, key), key
            except CannotOpen:
                continue
    raise CannotOpen("a group message for none of these keys")
