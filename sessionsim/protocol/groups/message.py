"""A message to a group, from Content to what the swarm stores in namespace 11 and back (messages 4.3).

    Content -> envelope of type 7 -> `encryption`

The swarm sees size and time of storing, and the token of who stored; sender, time of sending and everything
else is inside. One store serves all members, and the sender needs no second copy for its own devices.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.crypto import Suite, aead
from sessionsim.protocol.groups.encryption import decrypt, encrypt
from sessionsim.protocol.groups.key_ring import KeyRing
from sessionsim.protocol.identity import Account, account_id_of_ed25519
from sessionsim.protocol.wire.group_envelope import unwrap_group, wrap_group

DECOY_BYTES: Final = 64  # randomness of the signature of somebody without Pro. Source: messages 2.2
RANDOM_BYTES: Final = aead.NONCE_BYTES + DECOY_BYTES


class GroupMessage(NamedTuple):
    """An opened and verified message.

    Args:
        sender_id: 33 bytes, from the key that signed.
        content: the Content as bytes; it has its own, trusted time.
        envelope_ms: the envelope's time, unix ms.
        pro_signature: 64 bytes over `content`, or a decoy; empty if there is none.
    """

    sender_id: bytes
    content: bytes
    envelope_ms: int
    pro_signature: bytes


def seal_group(
    suite: Suite,
    sender: Account,
    group_id: bytes,
    ring: KeyRing,
    content: bytes,
    sent_ms: int,
    random: bytes,
    *,
    pro_signature: bytes = b"",
    signs_group: bool = True,
) -> bytes:
    """Turn a Content into the bytes that a swarm stores.

    Args:
        content: not padded.
        sent_ms: unix time in ms for the envelope.
        random: at least 88 bytes, never used before: 24 for the nonce, 64 for the decoy signature.
        pro_signature: made with the Pro key over `content`; without it a decoy is written.
        signs_group: see `encryption`.

    Returns:
        A multiple of 256 bytes.

    Raises:
        LocalProtocolError: no key, randomness or signature of wrong length, a time that cannot be written,
            or too much to say.
    Source: messages 4.3; libsession-util: src/session_protocol.cpp (encode_for_group).
    """
    if len(random) < RANDOM_BYTES:
        raise LocalProtocolError(f"a group message needs {RANDOM_BYTES} random bytes, not {len(random)}")
    signature = pro_signature or suite.decoy_signature(random[aead.NONCE_BYTES : RANDOM_BYTES])
    envelope = wrap_group(content, sent_ms, signature)
    nonce = random[: aead.NONCE_BYTES]
    return encrypt(suite, sender.ed, group_id, ring.sending_key, envelope, nonce, signs_group=signs_group)


def open_group(
    suite: Suite, group_id: bytes, ring: KeyRing, stored: bytes, *, signs_group: bool = True
) -> GroupMessage:
    """Open what a swarm stored in namespace 11.

    Args:
        stored: any bytes.
        signs_group: see `encryption`.

    Raises:
        CannotOpen: none of the ring's keys fits, or the sender did not sign it for this group.
        RemoteProtocolError: anything else that is not a group message.
    Source: messages 4.3; libsession-util: src/session_protocol.cpp (decode_envelope).
    """
    opened = decrypt(suite, group_id, ring.opening_keys, stored, signs_group=signs_group)
    envelope = unwrap_group(opened.plaintext)
    return GroupMessage(account_id_of_ed25519(opened.sender), *envelope)
