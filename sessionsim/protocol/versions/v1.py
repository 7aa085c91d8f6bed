"""Protocol version 1: one sealed, self-contained message, with no state between messages (messages 1, 2).

    Content (protobuf) -> padding -> ‖ sender key ‖ signature -> sealed box to the recipient -> wrapper

The signature covers padded Content ‖ sender's Ed25519 key A ‖ recipient's X25519 key Y. Y itself is not sent:
it ties the message to its recipient, who knows it. Nothing outside the box names the sender; the time in the
wrapper is readable by the storing node. There is no forward secrecy: the recipient's long-term key opens all.

Here are the cryptography and the short way for plain texts that the client takes. All other kinds of content,
Pro, and the form of older clients are in `direct`, on top of this.

A message to a person is stored twice: for the recipient, and, with `sync_target` set, for the sender's own
devices. Both are made here by the same functions, each with fresh randomness.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import CannotOpen, InvalidInput, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.contents import Profile as Profile
from sessionsim.protocol.crypto import KeyPair, Suite
from sessionsim.protocol.identity import ACCOUNT_PREFIX, ID_BYTES, Account, account_id_of_ed25519
from sessionsim.protocol.wire.envelope import decode, text_of, unwrap, wrap
from sessionsim.protocol.wire.padding import pad, unpad
from sessionsim.protocol.wire.session_pb2 import Content, DataMessage, LokiProfile

KEY_BYTES: Final = 32  # Source: messages 1
SIGNATURE_BYTES: Final = 64  # Source: messages 1
SEAL_BYTES: Final = 48  # ephemeral key 32, tag 16. Source: messages 1; libsodium crypto_box_seal
RANDOM_BYTES: Final = 96  # ephemeral secret 32, decoy 64 (messages 2.2)
_TRAILER_BYTES: Final = KEY_BYTES + SIGNATURE_BYTES
_DETERMINISTIC_KEY: Final = (
    b"SessionBoxEphemeralHashKey"  # Source: messages 1; libsession-util: src/session_encrypt.cpp
)


@dataclass(frozen=True, slots=True)
class DirectMessage:
    """An opened and verified direct message.

    Args:
        sender_id: 33 bytes, from the key that signed.
        sent_ms: the signed time of sending, unix ms.
        body: the text; empty if the message has none.
        sync_target: the id (33 bytes) of the other person if this is the copy for the sender's own devices;
            otherwise empty.
        envelope_ms: the time in the wrapper, unix ms; anyone could have changed it.
    """

    sender_id: bytes
    sent_ms: int
    body: str
    sync_target: bytes
    envelope_ms: int


def encode_text(
    body: str, sent_ms: int, *, profile: Profile | None = None, sync_target: bytes = b""
) -> bytes:
    """Write a text as Content.

    Args:
        body: the text.
        sent_ms: unix time in ms.
        profile: the sender's profile. With it the full form of today's clients is written: profile, and
            disappearing-message fields even when they are 0; without it the minimal one (messages 2.4).
        sync_target: id of the person (33 bytes) in the copy for the sender's own devices.

    Raises:
        InvalidInput: the text or the profile holds characters that UTF-8 cannot express.
        LocalProtocolError: a number out of range or an id of wrong length.
    Source: messages 2.3, 2.4; session-desktop: ts/session/messages/outgoing.
    """
    if sync_target and len(sync_target) != ID_BYTES:
        raise LocalProtocolError(f"an account id has 33 bytes, not {len(sync_target)}")
    try:
        text = DataMessage(body=body)
        content = Content(sigTimestamp=sent_ms)
        if sync_target:
            text.syncTarget = sync_target.hex()
        if profile is not None:
            text.profile.CopyFrom(_profile_of(profile))
            if profile.key:
                text.profileKey = profile.key
            content.expirationType = Content.UNKNOWN
            content.expirationTimer = 0
    except UnicodeEncodeError as wrong:
        raise InvalidInput("message text", body, "characters that UTF-8 can express") from wrong
    except ValueError as wrong:
        raise LocalProtocolError(f"a Content cannot hold these numbers: {wrong}") from wrong
    content.dataMessage.CopyFrom(text)
    return content.SerializeToString()


def _profile_of(profile: Profile) -> LokiProfile:
    written = LokiProfile(displayName=profile.name, lastUpdateSeconds=profile.updated_s)
    if profile.picture_url:
        written.profilePicture = profile.picture_url
    return written


def sign_for_recipient(suite: Suite, sender: Account, recipient: bytes, message: bytes) -> bytes:
    """Give what is sealed: the message, the sender's key and a signature that binds both to the recipient.

    Args:
        recipient: X25519 key, 32 bytes; signed, but not part of the result.

    Source: messages 1; libsession-util: src/session_encrypt.cpp (sign_for_recipient).
    """
    named = message + sender.ed.public
    return named + suite.sign_stored(sender.ed, named + recipient)


def encrypt(
    suite: Suite, sender: Account, recipient: bytes, message: bytes, ephemeral_secret: bytes
) -> bytes:
    """Sign and seal bytes; 144 bytes longer than them.

    Args:
        recipient: X25519 key, 32 bytes.
        message: any bytes; in real traffic a padded Content.
        ephemeral_secret: 32 bytes never used before.

    Raises:
        CannotOpen: the recipient's key is no usable curve point.
    Source: messages 1; libsession-util: src/session_encrypt.cpp.
    """
    inner = sign_for_recipient(suite, sender, recipient, message)
    return suite.seal_box(inner, recipient, suite.ephemeral(ephemeral_secret))


def encrypt_deterministic(suite: Suite, sender: Account, recipient: bytes, message: bytes) -> bytes:
    """`encrypt` with an ephemeral key derived from sender, recipient and message: same input, same bytes.

    Source: messages 1; libsession-util: src/session_encrypt.cpp (encrypt_for_recipient_deterministic).
    """
    seed = hashlib.blake2b(
        sender.ed.secret + recipient + message, digest_size=32, key=_DETERMINISTIC_KEY
    ).digest()
    # crypto_box_seed_keypair of libsodium: the secret is the first half of SHA-512 of the seed.
    return encrypt(suite, sender, recipient, message, hashlib.sha512(seed).digest()[:32])


def decrypt(suite: Suite, recipient: KeyPair, ciphertext: bytes) -> tuple[bytes, bytes]:
    """Open sealed bytes and check who signed them.

    Args:
        recipient: the X25519 pair.

    Returns:
        The sender's Ed25519 public key (32 bytes) and the message as it was given to `encrypt`.

    Raises:
        CannotOpen: too short, not for this key, altered, or not signed for this recipient.
    Source: messages 1; libsession-util: src/session_encrypt.cpp (decrypt_incoming).
    """
    if len(ciphertext) < SEAL_BYTES + _TRAILER_BYTES:
        raise CannotOpen("too short for a sealed message")
    inner = suite.open_box(ciphertext, recipient)
    sender = inner[-_TRAILER_BYTES:-SIGNATURE_BYTES]
    if not suite.verify_stored(sender, inner[:-SIGNATURE_BYTES] + recipient.public, inner[-SIGNATURE_BYTES:]):
        raise CannotOpen("the sender's signature is not valid for this recipient")
    return sender, inner[:-_TRAILER_BYTES]


def seal_direct(
    suite: Suite, sender: Account, recipient_id: bytes, content: bytes, sent_ms: int, random: bytes
) -> bytes:
    """Turn a Content into the bytes that a swarm stores.

    Args:
        recipient_id: account id, 33 bytes; the sender's own id for the sync copy.
        content: from `encode_text`.
        sent_ms: unix time in ms for the wrapper.
        random: at least 96 bytes, never used before: 32 for the ephemeral key, 64 for the decoy signature.

    Returns:
        The stored message; 398 bytes for a short minimal text (messages 2.4).

    Raises:
        LocalProtocolError: an id or randomness of wrong length, or a time that cannot be written.
        CannotOpen: the recipient's key is no usable curve point.
    Source: messages 1, 2.1, 2.2; libsession-util: src/session_protocol.cpp (encode_for_1o1).
    """
    if len(recipient_id) != ID_BYTES or not recipient_id.startswith(ACCOUNT_PREFIX):
        raise LocalProtocolError("a direct message goes to a 33-byte account id that starts with 05")
    if len(random) < RANDOM_BYTES:
        raise LocalProtocolError(f"a direct message needs 96 random bytes, not {len(random)}")
    sealed = encrypt(suite, sender, recipient_id[1:], pad(content), random[:32])
    return wrap(sealed, sent_ms, suite.decoy_signature(random[32:RANDOM_BYTES]))


def open_direct(suite: Suite, recipient: Account, stored: bytes) -> DirectMessage:
    """Open what a swarm stored for an account.

    Args:
        stored: any bytes.

    Raises:
        CannotOpen: not for this account, altered, or not signed by the key it names.
        RemoteProtocolError: anything else that is not a text of this version: no wrapper, no data message, no
            time, text that is not UTF-8, or a sync copy that another account made.
    Source: messages 1, 2; session-desktop: ts/receiver/dataMessage.ts (foreign sync copies are dropped).
    """
    envelope_ms, sealed = unwrap(stored)
    sender, padded = decrypt(suite, recipient.x, sealed)
    sender_id = account_id_of_ed25519(sender)
    return DirectMessage(sender_id, *read_content(unpad(padded), sender_id, recipient.id), envelope_ms)


def read_content(content: bytes, sender_id: bytes, own_id: bytes) -> tuple[int, str, bytes]:
    """Read a Content that holds a text.

    Args:
        content: serialised, without padding; any bytes.
        sender_id: whose signature was found good.
        own_id: of the account that reads it.

    Returns:
        Signed time (unix ms), body, and the other person's id if it is the copy for the sender's own devices.

    Raises:
        RemoteProtocolError: no text: no data message, no time, text that is not UTF-8, or a sync copy that
            another account made.
    Source: messages 2.3; session-desktop: ts/receiver/dataMessage.ts.
    """
    parsed = decode(Content, content)
    if not parsed.HasField("dataMessage") or not parsed.HasField("sigTimestamp"):
        raise RemoteProtocolError("a Content without data message or without time")
    text = parsed.dataMessage
    sync_target = _id_of(text_of(text.syncTarget)) if text.syncTarget else b""
    if sync_target and sender_id != own_id:
        raise RemoteProtocolError("a sync copy made by another account")
    return parsed.sigTimestamp, text_of(text.body), sync_target


def _id_of(written: str) -> bytes:
    try:
        account_id = bytes.fromhex(written)
    except ValueError:
        account_id = b""
    # bytes.fromhex skips blanks, so the length of the text is checked too.
    if len(written) != 2 * ID_BYTES or len(account_id) != ID_BYTES:
        raise RemoteProtocolError("a sync target that is no account id")
    return account_id
