"""Direct messages of every kind: a message in, the bytes a swarm stores out, and back (messages 1, 2).

`versions.v1` has the cryptography and a short way for plain texts; this is the whole of it: every kind of
content, Pro signatures, the form of clients before libsession, and what a receiver checks beyond the
signature. How long stored bytes are follows from the length of the Content alone, so the sizes that a node
sees can be computed without sealing anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.contents import DESKTOP_READS, Message, ReadRules, Text, TimerUpdate, read, write
from sessionsim.protocol.crypto import KeyPair, Suite
from sessionsim.protocol.identity import ACCOUNT_PREFIX, ID_BYTES, Account, account_id_of_ed25519
from sessionsim.protocol.pro_signature import Decoy, ProStatus, pro_signature, status_of
from sessionsim.protocol.versions import v1
from sessionsim.protocol.wire.envelope import DIRECT, EnvelopeParts, body_of, read_envelope, wrap, wrap_old
from sessionsim.protocol.wire.padding import pad, pad_old, padded_bytes, padded_bytes_old, unpad

# Sealed box, key and signature inside it. Source: messages 1.
SEALING_BYTES: Final = v1.SEAL_BYTES + v1.KEY_BYTES + v1.SIGNATURE_BYTES
TIME_BYTES: Final = 6  # of a time in ms as a varint, from 2004 to 2109. Source: messages 2.2
REQUEST_ID_BYTES: Final = 5  # of a random 32-bit id as a varint, mostly. Source: messages 2.4 (353 bytes)


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A direct message that has been opened and checked.

    Args:
        sender_id: 33 bytes, from the key that signed.
        message: what it says.
        sealed: the box it came in, which a Pro signature covers.
        pro_signature: 64 bytes, real or decoy; empty from clients before libsession.
    """

    sender_id: bytes
    message: Message
    sealed: bytes
    pro_signature: bytes


def seal_message(
    suite: Suite,
    sender: Account,
    recipient_id: bytes,
    message: Message,
    random: bytes,
    *,
    rotating: KeyPair | None = None,
    decoy: Decoy = Decoy.SCALARS,
) -> bytes:
    """Turn a message into the bytes that a swarm stores, as libsession does.

    Args:
        recipient_id: account id, 33 bytes; the sender's own id for the sync copy.
        message: its `sent_ms` is also the time of the wrapper, which receivers compare.
        random: 96 bytes, never used before: 32 for the ephemeral key, 64 for the decoy signature.
        rotating: the key of the sender's Pro proof; None without Pro.
        decoy: what stands in place of the signature without Pro.

    Raises:
        InvalidInput, LocalProtocolError: see `contents.write`; an id or randomness of wrong length.
        CannotOpen: the recipient's key is no usable curve point.
    Source: messages 1, 2.1, 2.2; libsession-util: src/session_protocol.cpp (encode_for_1o1).
    """
    check_recipient(recipient_id)
    if len(random) != v1.RANDOM_BYTES:
        raise LocalProtocolError(f"a direct message needs 96 random bytes, not {len(random)}")
    sealed = v1.encrypt(suite, sender, recipient_id[1:], pad(write(message)), random[:32])
    signature = pro_signature(suite, rotating, sealed, random[32:], decoy=decoy)
    return wrap(sealed, message.sent_ms, signature)


def seal_message_old(
    suite: Suite,
    sender: Account,
    recipient_id: bytes,
    message: Message,
    ephemeral_secret: bytes,
    request_id: int,
    *,
    source_device: int | None = None,
) -> bytes:
    """`seal_message` as clients did before libsession: other padding and wrapper, no Pro signature.

    Args:
        ephemeral_secret: 32 bytes never used before.
        request_id, source_device: see `wrap_old`.

    Source: messages 2.1, 2.2; session-desktop before commit cb8d9a7a.
    """
    check_recipient(recipient_id)
    sealed = v1.encrypt(suite, sender, recipient_id[1:], pad_old(write(message)), ephemeral_secret)
    return wrap_old(sealed, message.sent_ms, request_id, source_device=source_device)


def check_recipient(recipient_id: bytes) -> None:
    """Raise LocalProtocolError unless the id is that of an account."""
    if len(recipient_id) != ID_BYTES or not recipient_id.startswith(ACCOUNT_PREFIX):
        raise LocalProtocolError("a direct message goes to a 33-byte account id that starts with 05")


def open_message(
    suite: Suite, recipient: Account, stored: bytes, *, rules: ReadRules = DESKTOP_READS
) -> ReceivedMessage:
    """Open what a swarm stored for an account, in either form, and check it as a client does.

    Args:
        stored: any bytes.
        rules: where clients differ.

    Raises:
        CannotOpen: not for this account, altered, or not signed by the key it names.
        RemoteProtocolError: not a direct message, not readable, of another time than its wrapper, or a sync
            copy made by another account.
    Source: messages 1, 2; session-desktop: ts/receiver/contentMessage.ts, ts/receiver/dataMessage.ts.
    """
    envelope = direct_envelope(stored)
    sender, padded = v1.decrypt(suite, recipient.x, envelope.content)
    sender_id = account_id_of_ed25519(sender)
    message = read(unpad(padded), outer_ms=envelope.sent_ms, rules=rules)
    if (
        sender_id != recipient.id
        and isinstance(message.part, Text | TimerUpdate)
        and message.part.sync_target
    ):
        raise RemoteProtocolError("a sync copy made by another account")
    return ReceivedMessage(sender_id, message, envelope.content, envelope.pro_signature)


def direct_envelope(stored: bytes) -> EnvelopeParts:
    """Read the envelope of a stored direct message; no key is needed.

    libsession no longer looks at the type; this does, since nobody writes another one here.

    Raises:
        RemoteProtocolError: see `read_envelope`; or the envelope of a group.
    """
    envelope = read_envelope(body_of(stored))
    if envelope.kind != DIRECT:
        raise RemoteProtocolError("not the envelope of a direct message")
    return envelope


def pro_status(suite: Suite, received: ReceivedMessage, backend: bytes) -> ProStatus | None:
    """Judge the Pro claim of a message; None if it has none, or comes without a signature.

    Args:
        backend: the Pro backend's Ed25519 public key.

    Source: messages 2.2, 7.2; libsession-util: src/session_protocol.cpp (decode_envelope).
    """
    claim = received.message.pro
    if claim is None or not received.pro_signature:
        return None
    at_ms = received.message.sent_ms
    return status_of(suite, claim, backend, received.sealed, received.pro_signature, at_ms)


def _field_bytes(size: int) -> int:
    """Length of a protobuf field of up to 15 with its length prefix and `size` bytes in it."""
    return 1 + max(1, -(-size.bit_length() // 7)) + size


def stored_bytes(content_bytes: int) -> int:
    """Give the stored length of a direct message from that of its Content, today's form, in bytes.

    Source: messages 2.1, 2.2, 2.4.
    """
    sealed = padded_bytes(content_bytes) + SEALING_BYTES
    # type, time, source device, content, Pro signature
    envelope = 2 + 1 + TIME_BYTES + 2 + _field_bytes(sealed) + _field_bytes(v1.SIGNATURE_BYTES)
    request = _field_bytes(0) + _field_bytes(0) + _field_bytes(envelope) + 2  # verb, path, body, id
    return 2 + _field_bytes(request)


def stored_bytes_old(content_bytes: int, request_id_bytes: int = REQUEST_ID_BYTES) -> int:
    """`stored_bytes` for the form before libsession.

    Args:
        request_id_bytes: length of the random request id as a varint, 1..10.

    Source: messages 2.1, 2.2, 2.4.
    """
    sealed = padded_bytes_old(content_bytes) + SEALING_BYTES
    envelope = 2 + _field_bytes(0) + 1 + TIME_BYTES + _field_bytes(sealed)  # type, source, time, content
    request = _field_bytes(3) + _field_bytes(15) + _field_bytes(envelope) + 1 + request_id_bytes
    return 2 + _field_bytes(request)
