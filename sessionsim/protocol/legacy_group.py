"""Legacy closed groups, for reading: messages, and the key pairs that open them (messages 4.1).

A group is an id, 05 ‖ an X25519 key whose secret nobody keeps, and a list of X25519 pairs that all members
share. Its messages are sealed boxes of version 1 to the newest of these keys, in an envelope of type 7 that
names the group in clear; anyone may store and fetch them, in namespace −10. Nobody has written such messages
since 2025, and nothing here does.

The specification says that pairs were distributed in field 104 of the data message and no more. Its layout,
and that a pair inside it is sealed without padding, are from oxen-io/session-desktop:
protos/SignalService.proto @ 1780f5b (ClosedGroupUpdateV2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import CannotOpen, RemoteProtocolError
from sessionsim.protocol.contents import DESKTOP_READS, Message, ReadRules, read
from sessionsim.protocol.crypto import KeyPair, Suite, real
from sessionsim.protocol.identity import ID_BYTES, Account, account_id_of_ed25519
from sessionsim.protocol.versions import v1
from sessionsim.protocol.wire.envelope import GROUP, body_of, decode, read_envelope, text_of
from sessionsim.protocol.wire.padding import unpad
from sessionsim.protocol.wire.session_pb2 import ClosedGroupControl, ClosedGroupKeyPair, Content

NAMESPACE: Final = -10  # Source: messages 4.1
KEY_BYTES: Final = 32  # Source: messages 4.1


@dataclass(frozen=True, slots=True)
class LegacyGroupMessage:
    """An opened message of a legacy group.

    Args:
        group_id: 33 bytes, from the envelope; the box is bound to a key of the group, not to this.
        sender_id: 33 bytes, from the key that signed.
        message: what it says; an empty text if it is about members or keys.
        content: the Content it was read from, for `read_key_distribution`.
    """

    group_id: bytes
    sender_id: bytes
    message: Message
    content: bytes


@dataclass(frozen=True, slots=True)
class KeyDistribution:
    """Key pairs of a legacy group on their way to members.

    Args:
        group_id: 33 bytes; empty if the message leaves it to the envelope that it came in.
        pair: the pair itself, when a group is new and each member gets a message of its own; otherwise None.
        wrapped: member's id -> the pair sealed to that member, when a pair is replaced.
        name, members, admins: of a new group.
    """

    group_id: bytes
    pair: KeyPair | None
    wrapped: dict[bytes, bytes]
    name: str
    members: tuple[bytes, ...]
    admins: tuple[bytes, ...]


def open_group_message(
    suite: Suite, pairs: Sequence[KeyPair], stored: bytes, *, rules: ReadRules = DESKTOP_READS
) -> LegacyGroupMessage:
    """Open what a swarm stored for a legacy group.

    Args:
        pairs: the group's X25519 pairs, the newest last; it is tried first.
        stored: any bytes.

    Raises:
        CannotOpen: not for any of these pairs, altered, or not signed by the key it names.
        RemoteProtocolError: anything else that is no such message.
    Source: messages 4.1; session-desktop before 2025.
    """
    envelope = read_envelope(body_of(stored))
    if envelope.kind != GROUP or not envelope.source:
        raise RemoteProtocolError("not the envelope of a legacy group")
    group_id = _id_of_hex(envelope.source)
    sender, padded = _decrypt(suite, pairs, envelope.content)
    content = unpad(padded)
    message = read(content, outer_ms=envelope.sent_ms, rules=rules)
    return LegacyGroupMessage(group_id, account_id_of_ed25519(sender), message, content)


def _decrypt(suite: Suite, pairs: Sequence[KeyPair], sealed: bytes) -> tuple[bytes, bytes]:
    for pair in reversed(pairs):
        try:
            return v1.decrypt(suite, pair, sealed)
        except CannotOpen:
            continue
    raise CannotOpen(f"none of {len(pairs)} keys of the group opens this")


def read_key_distribution(content: bytes) -> KeyDistribution | None:
    """Read the key pairs that a Content carries.

    Args:
        content: without padding, from a direct message or a message of the group.

    Returns:
        None if it carries none: no field 104, or another of its kinds (names, members).

    Raises:
        RemoteProtocolError: malformed.
    """
    found = decode(Content, content).dataMessage.closedGroupControl
    if not found:
        return None
    control = decode(ClosedGroupControl, found)
    if control.type not in (ClosedGroupControl.NEW, ClosedGroupControl.ENCRYPTION_KEY_PAIR):
        return None
    if control.type == ClosedGroupControl.NEW and not control.HasField("encryptionKeyPair"):
        raise RemoteProtocolError("a new group without key pair")
    return KeyDistribution(
        group_id=_id(control.publicKey) if control.publicKey else b"",
        pair=_pair(control.encryptionKeyPair) if control.HasField("encryptionKeyPair") else None,
        wrapped={_id(one.publicKey): one.encryptedKeyPair for one in control.wrappers},
        name=text_of(control.name),
        members=tuple(map(_id, control.members)),
        admins=tuple(map(_id, control.admins)),
    )


def open_key_pair(suite: Suite, member: Account, distribution: KeyDistribution) -> tuple[bytes, KeyPair]:
    """Open the pair that was sealed to a member when the group's key was replaced.

    Returns:
        The id (33 bytes) of who sealed it, which must be an admin, and the pair.

    Raises:
        CannotOpen: there is none for this member, or it does not open.
        RemoteProtocolError: something else is inside.
    """
    sealed = distribution.wrapped.get(member.id)
    if sealed is None:
        raise CannotOpen("no key pair for this member")
    sender, plain = v1.decrypt(suite, member.x, sealed)
    return account_id_of_ed25519(sender), _pair(decode(ClosedGroupKeyPair, plain))


def _pair(found: ClosedGroupKeyPair) -> KeyPair:
    # The public key came with and without the 05 before it.
    public = found.publicKey[1:] if len(found.publicKey) == ID_BYTES else found.publicKey
    if len(public) != KEY_BYTES or len(found.privateKey) != KEY_BYTES:
        raise RemoteProtocolError("a group's key pair of wrong length")
    if real.x25519_keypair(found.privateKey).public != public:
        raise RemoteProtocolError("a group's key pair that is none")
    return KeyPair(public, found.privateKey)


def _id(found: bytes) -> bytes:
    if len(found) != ID_BYTES:
        raise RemoteProtocolError("an id of wrong length in a group's message")
    return found


def _id_of_hex(written: str) -> bytes:
    try:
        return _id(bytes.fromhex(written))
    except ValueError as wrong:
        raise RemoteProtocolError("an id that is not hex") from wrong
