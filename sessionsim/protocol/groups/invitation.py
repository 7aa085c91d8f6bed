"""Inviting and promoting: what goes to one person as a direct message (messages 2.3, 4.4).

    invite     group id in hex, name, signing value (100 bytes), group's signature over INVITE ‖ member ‖ time
    promotion  the group's seed (32 bytes), name

An invite gives access to the swarm; the keys are fetched from there. A promotion gives everything: who holds
the seed is an admin, for good. Both stand in `groupUpdateMessage` of a data message.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.errors import CannotOpen, InvalidInput, RemoteProtocolError
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.groups.admin_signature import invite_text
from sessionsim.protocol.groups.identity import Group, group_from_seed, is_group_id
from sessionsim.protocol.groups.subaccount import Subaccount, is_granted, signing_value, subaccount_of
from sessionsim.protocol.identity import ID_BYTES, SEED_BYTES, Account
from sessionsim.protocol.wire.envelope import text_of
from sessionsim.protocol.wire.session_pb2 import (
    GroupUpdateInvite,
    GroupUpdateMessage,
    GroupUpdatePromote,
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """A verified invite. Args: group_id: 33 bytes; name: the group's, as the admin wrote it."""

    group_id: bytes
    name: str
    subaccount: Subaccount


def write_invite(suite: Suite, group: Group, name: str, member_id: bytes, sent_ms: int) -> GroupUpdateMessage:
    """Write the invite of an account.

    Args:
        member_id: account id, 33 bytes.
        sent_ms: the `sigTimestamp` of the Content it is sent in, unix ms.

    Raises:
        InvalidInput: a name that UTF-8 cannot express.
        LocalProtocolError: no account id.
        CannotOpen: an account id that holds no usable key.
    Source: messages 2.3, 4.4; session-desktop: ts/session/apis/snode_api/signature/groupSignature.ts.
    """
    return GroupUpdateMessage(
        invite=GroupUpdateInvite(
            groupSessionId=group.id_hex,
            name=_utf8(name),
            memberAuthData=signing_value(suite, group, member_id),
            adminSignature=suite.sign_stored(group.ed, invite_text(member_id, sent_ms)),
        )
    )


def read_invite(suite: Suite, account: Account, update: GroupUpdateMessage, sent_ms: int) -> Invitation:
    """Check an invite and work out the access it gives.

    Args:
        sent_ms: the `sigTimestamp` of the Content it came in.

    Raises:
        CannotOpen: not signed by the group, for somebody else, or a signing value the group did not sign.
        RemoteProtocolError: anything else that is not an invite.
    Source: messages 4.4; session-desktop: ts/receiver/groupv2/handleGroupV2Message.ts.
    """
    if not update.HasField("invite"):
        raise RemoteProtocolError("not an invite to a group")
    invite = update.invite
    group_id = _group_id_of(text_of(invite.groupSessionId))
    if not suite.verify_stored(group_id[1:], invite_text(account.id, sent_ms), invite.adminSignature):
        raise CannotOpen("an invite that the group did not sign for this account")
    subaccount = subaccount_of(account, invite.memberAuthData)
    if not is_granted(suite, group_id, subaccount):
        raise CannotOpen("an invite with a signing value of somebody else")
    return Invitation(group_id, text_of(invite.name), subaccount)


def write_promotion(group: Group, name: str) -> GroupUpdateMessage:
    """Write the promotion of a member. Raises InvalidInput: a name that UTF-8 cannot express.

    Source: messages 2.3; session-desktop: ts/session/apis/snode_api/signature/groupSignature.ts.
    """
    return GroupUpdateMessage(promote=GroupUpdatePromote(groupIdentitySeed=group.ed.secret, name=_utf8(name)))


def read_promotion(update: GroupUpdateMessage) -> tuple[Group, str]:
    """Take the group's keys out of a promotion.

    Returns:
        The group, and the name the admin wrote. That the reader is a member of this group is for the caller
        to check: anyone can make a seed.

    Raises:
        RemoteProtocolError: not a promotion, or no seed of 32 bytes.
    Source: messages 2.3; session-desktop: ts/receiver/groupv2/handleGroupV2Message.ts.
    """
    if not update.HasField("promote") or len(update.promote.groupIdentitySeed) != SEED_BYTES:
        raise RemoteProtocolError("not a promotion with a seed")
    return group_from_seed(update.promote.groupIdentitySeed), text_of(update.promote.name)


def _utf8(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError as wrong:
        raise InvalidInput("group name", name, "characters that UTF-8 can express") from wrong
    return name


def _group_id_of(written: str) -> bytes:
    try:
        group_id = bytes.fromhex(written)
    except ValueError:
        group_id = b""
    # bytes.fromhex skips blanks, so the length of the text is checked too.
    if len(written) != 2 * ID_BYTES or not is_group_id(group_id):
        raise RemoteProtocolError("an invite names no group id")
    return group_id
