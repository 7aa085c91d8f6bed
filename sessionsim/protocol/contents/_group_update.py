"""Group updates on the wire: field 120 of the data message, and the profile beside it (messages 2.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.contents._checks import id_of, ids_of
from sessionsim.protocol.contents._group_change import (
    GroupChange,
    GroupDeleteContent,
    GroupInfoChange,
    GroupInvite,
    GroupInviteResponse,
    GroupMemberChange,
    GroupMemberLeft,
    GroupMemberLeftNotice,
    GroupPromote,
    InfoKind,
    MemberKind,
)
from sessionsim.protocol.contents._profile import Profile, read_profile, write_profile
from sessionsim.protocol.wire import session_pb2
from sessionsim.protocol.wire.envelope import text_of
from sessionsim.protocol.wire.session_pb2 import DataMessage, GroupUpdateMessage


@dataclass(frozen=True, slots=True)
class GroupUpdate:
    """A group update. Args: profile: sent with invitations, their answers and promotions."""

    change: GroupChange
    profile: Profile | None = None


def write_group_update(update: GroupUpdate, into: DataMessage) -> None:
    """Put a group update into a data message."""
    write_profile(update.profile, into)
    into.groupUpdateMessage.CopyFrom(write_change(update.change))


def write_change(change: GroupChange) -> GroupUpdateMessage:
    """Give the wire form of a change, as `groups.read_invite` and `groups.read_promotion` take it."""
    match change:
        case GroupInvite(group_id, name, auth, signature):
            return GroupUpdateMessage(
                invite=session_pb2.GroupUpdateInvite(
                    groupSessionId=group_id.hex(), name=name, memberAuthData=auth, adminSignature=signature
                )
            )
        case GroupInfoChange(kind, signature, new_name, timer_s):
            return GroupUpdateMessage(
                infoChange=session_pb2.GroupUpdateInfoChange(
                    type=cast("session_pb2.GroupUpdateInfoChange.Type", kind),
                    name=new_name,
                    expiration=timer_s,
                    adminSignature=signature,
                )
            )
        case GroupMemberChange(kind, ids, signature, shared):
            return GroupUpdateMessage(
                memberChange=session_pb2.GroupUpdateMemberChange(
                    type=cast("session_pb2.GroupUpdateMemberChange.Type", kind),
                    memberSessionIds=[one.hex() for one in ids],
                    historyShared=shared,
                    adminSignature=signature,
                )
            )
        case GroupPromote(seed, name):
            return GroupUpdateMessage(
                promote=session_pb2.GroupUpdatePromote(groupIdentitySeed=seed, name=name)
            )
        case GroupMemberLeft():
            return GroupUpdateMessage(memberLeft=session_pb2.GroupUpdateMemberLeft())
        case GroupMemberLeftNotice():
            return GroupUpdateMessage(memberLeftNotification=session_pb2.GroupUpdateMemberLeftNotification())
        case GroupInviteResponse(approved):
            return GroupUpdateMessage(
                inviteResponse=session_pb2.GroupUpdateInviteResponse(isApproved=approved)
            )
        case GroupDeleteContent(ids, hashes, signature):
            return GroupUpdateMessage(
                deleteMemberContent=session_pb2.GroupUpdateDeleteMemberContent(
                    memberSessionIds=[one.hex() for one in ids],
                    messageHashes=hashes,
                    adminSignature=signature or None,
                )
            )


def read_group_update(found: DataMessage) -> GroupUpdate:
    """Read the group update of a data message.

    Raises:
        RemoteProtocolError, LocalProtocolError: an update of no known kind, or malformed.
    """
    return GroupUpdate(read_change(found.groupUpdateMessage), read_profile(found))


def read_change(found: GroupUpdateMessage) -> GroupChange:
    """Read a change from its wire form, as `groups.write_invite` and `groups.write_promotion` give it.

    Raises:
        RemoteProtocolError, LocalProtocolError: an update of no known kind, or malformed.
    """
    if found.HasField("invite"):
        invite = found.invite
        group_id = id_of(invite.groupSessionId, "group")
        return GroupInvite(group_id, text_of(invite.name), invite.memberAuthData, invite.adminSignature)
    if found.HasField("infoChange"):
        info = found.infoChange
        return GroupInfoChange(
            InfoKind(info.type),
            info.adminSignature,
            text_of(info.name) if info.HasField("name") else None,
            info.expiration if info.HasField("expiration") else None,
        )
    if found.HasField("memberChange"):
        change = found.memberChange
        return GroupMemberChange(
            MemberKind(change.type),
            ids_of(change.memberSessionIds, "member"),
            change.adminSignature,
            change.historyShared if change.HasField("historyShared") else None,
        )
    if found.HasField("promote"):
        return GroupPromote(found.promote.groupIdentitySeed, text_of(found.promote.name))
    if found.HasField("memberLeft"):
        return GroupMemberLeft()
    if found.HasField("inviteResponse"):
        return GroupInviteResponse(found.inviteResponse.isApproved)
    if found.HasField("deleteMemberContent"):
        wish = found.deleteMemberContent
        return GroupDeleteContent(
            ids_of(wish.memberSessionIds, "member"),
            tuple(map(text_of, wish.messageHashes)),
            wish.adminSignature,
        )
    if found.HasField("memberLeftNotification"):
        return GroupMemberLeftNotice()
    raise RemoteProtocolError("a group update of no known kind")
