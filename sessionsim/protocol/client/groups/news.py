"""What a device learns about groups from outside them: invitations, promotions, what the other devices did.

An invitation or promotion comes as a direct message. What one device of the account did stands in the config
of its groups, which all of them read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.client.groups.standing import OUT, Place, Standing
from sessionsim.protocol.contents import GroupInvite, GroupPromote, GroupUpdate, Message, write_change
from sessionsim.protocol.groups import (
    Group,
    Subaccount,
    group_from_seed,
    read_invite,
    read_promotion,
    subaccount_of,
)

if TYPE_CHECKING:
    from sessionsim.protocol.client.groups.part import Groups
    from sessionsim.protocol.client.machine import Client
    from sessionsim.protocol.configs.user_groups import JoinedGroup
    from sessionsim.protocol.machine import Effect


class News:
    """Takes what comes. Args: client: whose; groups: what it changes."""

    def __init__(self, client: Client, groups: Groups) -> None:
        self._client, self._groups = client, groups

    def follow(self, joined: Iterable[JoinedGroup], now_us: int) -> list[Effect]:
        """Do what another device of the account has done: join, leave, take up an admin's keys.

        Args:
            joined: all groups of the account, as its configs have them.
        """
        effects: list[Effect] = []
        listed = {one.id: one for one in joined}
        for group_id, one in listed.items():
            effects += self._follow(self._groups.standings.get(group_id), one, now_us)
        for group_id, standing in list(self._groups.standings.items()):
            if group_id not in listed and standing.place not in OUT:
                effects += self._groups.stop(standing, Place.LEFT) + self._groups.try_waiting(
                    group_id, now_us
                )
        return effects

    def _follow(self, standing: Standing | None, one: JoinedGroup, now_us: int) -> list[Effect]:
        if one.removed:
            if standing is None or standing.place in OUT:
                return []
            return self._groups.stop(standing, Place.KICKED) + self._groups.try_waiting(one.id, now_us)
        if standing is None or standing.place in OUT:
            access = self._access(one)
            if access is None:
                return []
            standing = self._groups.begin_standing(one.id, access, one.name, Place.INVITED, now_us)
            standing.auth = one.auth
        elif one.seed and standing.admin is None:
            self._groups.promote(standing, group_from_seed(one.seed))
        effects = []
        if standing.place is Place.INVITED and not one.membership.invited:
            effects += self._groups.enter(standing, now_us)
        return effects + self._groups.try_waiting(one.id, now_us)

    def _access(self, one: JoinedGroup) -> Group | Subaccount | None:
        """Give what a config entry gives access with; None if it does not."""
        if one.seed:
            return group_from_seed(one.seed)
        try:
            return subaccount_of(self._client.account, one.auth)
        except ProtocolError:
            return None

    def take_update(self, message_hash: str, sender_id: bytes, message: Message, now_us: int) -> list[Effect]:
        """Take a group update that came to the account itself: an invitation or a promotion."""
        update = message.part
        if not isinstance(update, GroupUpdate) or sender_id == self._client.account.id:
            return []
        try:
            if isinstance(update.change, GroupInvite):
                effects = self._invited(update.change, message.sent_ms, now_us)
            elif isinstance(update.change, GroupPromote):
                effects = self._promoted(update.change, now_us)
            else:
                return []
        except ProtocolError:
            return []
        return effects + self._groups.invitations.forget(message_hash, now_us)

    def _invited(self, invite: GroupInvite, sent_ms: int, now_us: int) -> list[Effect]:
        client = self._client
        found = read_invite(client.suite, client.account, write_change(invite), sent_ms)
        known = self._groups.standings.get(found.group_id)
        if known is not None and known.place not in OUT:
            return []
        standing = self._groups.begin_standing(
            found.group_id, found.subaccount, found.name, Place.INVITED, now_us
        )
        standing.auth = invite.member_auth
        return self._groups.note(standing, now_us) + self._groups.try_waiting(found.group_id, now_us)

    def _promoted(self, promotion: GroupPromote, now_us: int) -> list[Effect]:
        group, name = read_promotion(write_change(promotion))
        standing = self._groups.standings.get(group.id)
        if standing is None or standing.place in OUT:
            standing = self._groups.begin_standing(group.id, group, name, Place.INVITED, now_us)
        else:
            self._groups.promote(standing, group)
        return self._groups.note(standing, now_us) + self._groups.try_waiting(group.id, now_us)
