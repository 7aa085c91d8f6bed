"""What an admin signs so that members believe a change (messages 2.3, `adminSignature`).

The texts are ASCII without separators; times are those of the message's Content (`sigTimestamp`), ms in
decimal, so a signature cannot be used again in a later message. Kinds of change are the numbers of the
protobuf enums. Source: session-android: org/session/libsession/messaging/utilities/MessageAuthentication.kt;
session-desktop: ts/session/messages/outgoing/controlMessage/group_v2,
ts/receiver/groupv2/handleGroupV2Message.ts. messages.md names the fields but not the texts.
"""

from __future__ import annotations

from collections.abc import Iterable

from sessionsim.protocol.groups.derivation import ids_in_hex


def invite_text(member_id: bytes, sent_ms: int) -> bytes:
    """Invite of an account (33 bytes). Raises LocalProtocolError: no account id."""
    return b"INVITE%b%d" % (ids_in_hex([member_id]), sent_ms)


def info_change_text(kind: int, sent_ms: int) -> bytes:
    """Change of name (1), picture (2) or disappearing messages (3)."""
    return b"INFO_CHANGE%d%d" % (kind, sent_ms)


def member_change_text(kind: int, sent_ms: int) -> bytes:
    """Members added (1), removed (2) or promoted (3); whom is not signed."""
    return b"MEMBER_CHANGE%d%d" % (kind, sent_ms)


def delete_content_text(member_ids: Iterable[bytes], hashes: Iterable[str], sent_ms: int) -> bytes:
    """Deletion of all messages of members, and of single ones. Raises LocalProtocolError: no account id."""
    return b"DELETE_CONTENT%d%b%b" % (sent_ms, ids_in_hex(member_ids), "".join(hashes).encode())
