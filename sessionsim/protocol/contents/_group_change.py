"""What happens in a group, told by messages: invitations, changes, departures, deletions (messages 2.3).

Two kinds, the invitation and the promotion, go to a person as direct messages; the others go to the group's
own swarm. Some carry the signature of the group's key over a short text (`groups.admin_signature`), so that a
member cannot announce what only an admin may do. That of a member change covers neither whom it is about nor
whether history was shared, and that of an info change not the new value: whoever can post in the group can
put others beside it within the same ms. What an invitation or a promotion is worth is for `groups` to check.

Ids of members are those of accounts. Desktop skips others among them; here such an update is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.contents._checks import SIGNATURE_BYTES, check_accounts, check_size
from sessionsim.protocol.crypto import KeyPair, Suite
from sessionsim.protocol.groups.admin_signature import (
    delete_content_text,
    info_change_text,
    invite_text,
    member_change_text,
)
from sessionsim.protocol.groups.identity import is_group_id

MEMBER_AUTH_BYTES: Final = 100  # Source: messages 2.3, 4.4
SEED_BYTES: Final = 32  # Source: messages 2.3


class InfoKind(IntEnum):
    """What changed about a group. Source: messages 2.3."""

    NAME = 1
    AVATAR = 2
    DISAPPEARING = 3


class MemberKind(IntEnum):
    """What happened to members. Source: messages 2.3."""

    ADDED = 1
    REMOVED = 2
    PROMOTED = 3


@dataclass(frozen=True, slots=True)
class GroupInvite:
    """An invitation, sent to the invited.

    Args:
        group_id: 33 bytes, 03 ‖ the group's Ed25519 key.
        name: the group's name.
        member_auth: 100 bytes with which the member signs requests (messages 4.4).
        admin_signature: 64 bytes.
    """

    group_id: bytes
    name: str
    member_auth: bytes
    admin_signature: bytes

    def __post_init__(self) -> None:
        if not is_group_id(self.group_id):
            raise LocalProtocolError("an invitation to what is no group")
        check_size(self.member_auth, "member authentication", MEMBER_AUTH_BYTES)
        check_size(self.admin_signature, "admin signature", SIGNATURE_BYTES)


@dataclass(frozen=True, slots=True)
class GroupInfoChange:
    """A new name, picture or timer. Args: name, timer_s: the new value where the kind has one."""

    kind: InfoKind
    admin_signature: bytes
    name: str | None = None
    timer_s: int | None = None

    def __post_init__(self) -> None:
        check_size(self.admin_signature, "admin signature", SIGNATURE_BYTES)


@dataclass(frozen=True, slots=True)
class GroupMemberChange:
    """Members added, removed or promoted. Args: ids: 33 bytes each; history_shared: None if not said."""

    kind: MemberKind
    ids: tuple[bytes, ...]
    admin_signature: bytes
    history_shared: bool | None = None

    def __post_init__(self) -> None:
        check_accounts(self.ids, "member")
        check_size(self.admin_signature, "admin signature", SIGNATURE_BYTES)


@dataclass(frozen=True, slots=True)
class GroupPromote:
    """A member becomes admin and gets the group's seed, 32 bytes; sent to the promoted."""

    seed: bytes
    name: str

    def __post_init__(self) -> None:
        check_size(self.seed, "group seed", SEED_BYTES)


@dataclass(frozen=True, slots=True)
class GroupMemberLeft:
    """The sender leaves; admins act on it and nothing is shown."""


@dataclass(frozen=True, slots=True)
class GroupMemberLeftNotice:
    """The sender has left; this is what the others are shown."""


@dataclass(frozen=True, slots=True)
class GroupInviteResponse:
    """The invited person joins, or not."""

    approved: bool


@dataclass(frozen=True, slots=True)
class GroupDeleteContent:
    """Messages to delete.

    Args:
        ids: members whose messages all go; only an admin may.
        hashes: storage hashes of single messages.
        admin_signature: 64 bytes; empty when a member deletes its own messages.
    """

    ids: tuple[bytes, ...] = ()
    hashes: tuple[str, ...] = ()
    admin_signature: bytes = b""

    def __post_init__(self) -> None:
        check_accounts(self.ids, "member")
        check_size(self.admin_signature, "admin signature", 0, SIGNATURE_BYTES)
        if not self.ids and not self.hashes:
            raise LocalProtocolError("a deletion without members and hashes")


GroupChange: TypeAlias = (
    GroupInvite
    | GroupInfoChange
    | GroupMemberChange
    | GroupPromote
    | GroupMemberLeft
    | GroupMemberLeftNotice
    | GroupInviteResponse
    | GroupDeleteContent
)


def signed_text(change: GroupChange, sent_ms: int, *, invited: bytes = b"") -> bytes | None:
    """Give the text that the group's key signs for an update.

    Args:
        sent_ms: the signed time of the message that carries it, unix ms.
        invited: the id (33 bytes) of the person invited; only for invitations.

    Returns:
        None if this kind of update is not signed.

    Raises:
        LocalProtocolError: an invitation without the id of an account.
    Source: see `groups.admin_signature`.
    """
    match change:
        case GroupInvite():
            return invite_text(invited, sent_ms)
        case GroupInfoChange():
            return info_change_text(change.kind, sent_ms)
        case GroupMemberChange():
            return member_change_text(change.kind, sent_ms)
        case GroupDeleteContent():
            return delete_content_text(change.ids, change.hashes, sent_ms)
    return None


def admin_signature(
    suite: Suite, group: KeyPair, change: GroupChange, sent_ms: int, *, invited: bytes = b""
) -> bytes:
    """Sign an update with the group's key; put the result into the change with `dataclasses.replace`.

    Raises:
        LocalProtocolError: this kind of update is not signed.
    """
    text = signed_text(change, sent_ms, invited=invited)
    if text is None:
        raise LocalProtocolError(f"a {type(change).__name__} is not signed")
    return suite.sign_stored(group, text)


def is_from_admin(
    suite: Suite, group_id: bytes, change: GroupChange, sent_ms: int, *, invited: bytes = b""
) -> bool:
    """Check the group's signature on an update; False for one without signature."""
    text = signed_text(change, sent_ms, invited=invited)
    signature: bytes = getattr(change, "admin_signature", b"")
    return text is not None and suite.verify_stored(group_id[1:], text, signature)
