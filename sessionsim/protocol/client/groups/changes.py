"""What an admin's device does to a group: founding, inviting, promoting, renaming (messages 4.2, 4.4, 5.7).

Each changes the group's configs, and most the key; both go to the swarm, with the message that tells the
group and, for newcomers, the old keys and the validity of their tokens. The orders are those of the clients,
see `rules`. Removing people has a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from sessionsim.core.columns import Cause, note_of
from sessionsim.protocol.client.groups import calls
from sessionsim.protocol.configs.group_members import FAILED, NOT_SENT, SENT, Member
from sessionsim.protocol.contents import (
    GroupInfoChange,
    GroupMemberChange,
    GroupUpdate,
    InfoKind,
    MemberKind,
    admin_signature,
)
from sessionsim.protocol.groups import subaccount_token, supplement
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.namespaces import GROUP_KEYS, GROUP_MESSAGES

if TYPE_CHECKING:
    from sessionsim.protocol.client.groups.calls import Write
    from sessionsim.protocol.client.groups.invitations import Invitations
    from sessionsim.protocol.client.groups.pushes import Pushes
    from sessionsim.protocol.client.groups.rules import GroupRules
    from sessionsim.protocol.client.groups.standing import Standing
    from sessionsim.protocol.client.groups.talk import Talk
    from sessionsim.protocol.client.machine import Client
    from sessionsim.protocol.client.outcomes import Outcomes

_NO_SIGNATURE = bytes(64)
_MS_PER_S = 1000
Next = Callable[[int], list[Effect]]
Signed = GroupInfoChange | GroupMemberChange


class Changes:
    """The changes one device makes to groups whose keys it holds.

    Args:
        client: whose.
        rules: its platform's.
        talk, pushes, invitations: how it speaks, stores and invites.
        outcomes: what is logged of wishes.
    """

    def __init__(
        self,
        client: Client,
        rules: GroupRules,
        talk: Talk,
        pushes: Pushes,
        invitations: Invitations,
        outcomes: Outcomes,
    ) -> None:
        self._client, self._rules = client, rules
        self._talk, self._pushes, self._invitations = talk, pushes, invitations
        self._outcomes = outcomes

    def found(self, standing: Standing, ref: int, invited_ids: Sequence[bytes], now_us: int) -> list[Effect]:
        """Bring a group into being: name, members and the first key; then invite."""
        client, own_id = self._client, self._client.account.id
        standing.info.set_name(standing.name)
        standing.info.set_created(client.wire_ms(now_us) // _MS_PER_S)
        standing.members.set(Member(own_id, self._own_name(), admin=True))
        for person_id in invited_ids:
            standing.members.set(Member(person_id, invitation=NOT_SENT))
        standing.rekey()
        return self._carry_out(
            standing, ref, now_us, GroupMemberChange(MemberKind.ADDED, tuple(invited_ids), _NO_SIGNATURE),
            then=lambda t_us: self._invite_all(standing, ref, invited_ids, t_us), waits=True,
        )  # fmt: skip

    def _own_name(self) -> str:
        profile = self._talk.profile
        return profile.name if profile is not None else ""

    def invite(
        self, standing: Standing, ref: int, person_ids: Sequence[bytes], history: bool, now_us: int
    ) -> list[Effect]:
        """Add people, who get what they need from the swarm, and invite them."""
        group, style, client = standing.admin, self._client.body_style, self._client
        assert group is not None
        old_keys = standing.ring.held
        for person_id in person_ids:
            known = standing.members.get(person_id) or Member(person_id)
            standing.members.set(replace(known, invitation=NOT_SENT, with_history=history, removal=0))
        before: list[Write] = []
        if history:
            data = supplement(client.suite, group, old_keys, person_ids)
            before.append(calls.store(style, standing, GROUP_KEYS, data, self._rules.config_ttl_us))
        if self._rules.always_rekeys or not history:
            standing.rekey()
        tokens = [subaccount_token(group, person_id) for person_id in person_ids]
        unrevoke = calls.revoke(style, standing, tokens, undo=True)
        first = [unrevoke, *before] if self._rules.unrevokes_first else before
        last = [] if self._rules.unrevokes_first else [unrevoke]
        told = GroupMemberChange(MemberKind.ADDED, tuple(person_ids), _NO_SIGNATURE, history)
        return self._carry_out(
            standing, ref, now_us, told, first=first, last=last,
            then=lambda t_us: self._invite_all(standing, ref, person_ids, t_us),
            otherwise=lambda t_us: self._mark(standing, person_ids, FAILED, t_us),
        )  # fmt: skip

    def promote(self, standing: Standing, ref: int, person_ids: Sequence[bytes], now_us: int) -> list[Effect]:
        """Make members admins: each is sent the group's seed."""
        for person_id in person_ids:
            known = standing.members.get(person_id) or Member(person_id)
            standing.members.set(replace(known, admin=True, invitation=0, promotion=NOT_SENT))

        def send(t_us: int) -> list[Effect]:
            effects = []
            for person_id in person_ids:
                sent = partial(self._promoted, standing, person_id)
                effects += self._invitations.send(standing, person_id, ref, t_us, sent, promotes=True)
            return effects

        told = GroupMemberChange(MemberKind.PROMOTED, tuple(person_ids), _NO_SIGNATURE)
        return self._carry_out(standing, ref, now_us, told, then=send)

    def _promoted(self, standing: Standing, person_id: bytes, sent: bool, now_us: int) -> list[Effect]:
        known = standing.members.get(person_id)
        if known is not None and known.promotion == NOT_SENT:  # else it was accepted meanwhile
            standing.members.set(replace(known, promotion=SENT if sent else FAILED))
            if self._rules.invites_pushed:
                self._pushes.later(standing, now_us)
        return []

    def rename(self, standing: Standing, ref: int, name: str, now_us: int) -> list[Effect]:
        """Give the group another name."""
        standing.name = name
        standing.info.set_name(name)
        told = GroupInfoChange(InfoKind.NAME, _NO_SIGNATURE, name)
        return self._carry_out(standing, ref, now_us, told)

    # ---- Inviting ----

    def _invite_all(
        self, standing: Standing, ref: int, person_ids: Sequence[bytes], now_us: int
    ) -> list[Effect]:
        return [
            effect
            for person_id in person_ids
            for effect in self._invite_one(standing, ref, person_id, now_us)
        ]

    def _invite_one(self, standing: Standing, ref: int, person_id: bytes, now_us: int) -> list[Effect]:
        group = standing.admin
        assert group is not None

        def send(t_us: int) -> list[Effect]:
            return self._invitations.send(
                standing, person_id, ref, t_us,
                lambda sent, at_us: self._mark(standing, [person_id], SENT if sent else FAILED, at_us),
                promotes=False,
            )  # fmt: skip

        if not self._rules.invite_unrevokes:
            return send(now_us)
        unrevoke = calls.revoke(
            self._client.body_style, standing, [subaccount_token(group, person_id)], undo=True
        )
        return self._pushes.push(
            standing, now_us, last=[unrevoke], done=send, note=note_of(Cause.GROUP, ref),
            given_up=lambda _status, t_us: self._mark(standing, [person_id], FAILED, t_us),
        )  # fmt: skip

    def _mark(
        self, standing: Standing, person_ids: Sequence[bytes], invitation: int, now_us: int
    ) -> list[Effect]:
        """Write into the list how far the invitations have come, of those not accepted meanwhile."""
        if standing.admin is None:
            return []
        for person_id in person_ids:
            known = standing.members.get(person_id)
            if known is not None and known.invitation:
                standing.members.set(replace(known, invitation=invitation))
        if self._rules.invites_pushed:
            self._pushes.later(standing, now_us)
        return []

    # ---- The one way to the swarm ----

    def signed(self, standing: Standing, change: Signed, sent_ms: int) -> GroupUpdate:
        """Sign a change as the group. Args: sent_ms: when it is said, unix ms."""
        group = standing.admin
        assert group is not None
        signature = admin_signature(self._client.suite, group.ed, change, sent_ms)
        return GroupUpdate(replace(change, admin_signature=signature))

    def _carry_out(
        self,
        standing: Standing,
        ref: int,
        now_us: int,
        change: Signed,
        *,
        first: Sequence[Write] = (),
        last: Sequence[Write] = (),
        then: Next = lambda now_us: [],
        otherwise: Next = lambda now_us: [],
        waits: bool = False,
    ) -> list[Effect]:
        """Push what changed and tell the group, in the order of the platform; then go on.

        Args:
            first, last: calls before and after the push, where they go with it.
            then: what follows success; otherwise: what follows failure.
            waits: whether it goes on only after the push, also where that goes by itself.
        """
        sent_ms, rules = self._client.wire_ms(now_us), self._rules
        told = self.signed(standing, change, sent_ms)
        standing.active_us = now_us
        note = note_of(Cause.GROUP, ref)

        def stored(t_us: int) -> list[Effect]:
            return self._outcomes.stored(ref, t_us)

        def go_on(t_us: int) -> list[Effect]:
            effects = then(t_us)
            if not rules.told_in_push:
                effects += self._talk.tell(standing, told, sent_ms, t_us)
            return effects

        def given_up(status: int, t_us: int) -> list[Effect]:
            return [*self._outcomes.failed(ref, f"status {status}"), *otherwise(t_us)]

        if rules.push_joins_action:
            along = []
            if rules.told_in_push:
                data = self._talk.seal_update(standing, told, sent_ms)
                ttl_us = rules.message_ttl_us
                along.append(calls.store(self._client.body_style, standing, GROUP_MESSAGES, data, ttl_us))
            return self._pushes.push(
                standing, now_us, first=first, along=along, last=last, note=note,
                done=lambda t_us: stored(t_us) + go_on(t_us), given_up=given_up,
            )  # fmt: skip
        if waits:
            self._pushes.later(standing, now_us, lambda t_us: stored(t_us) + go_on(t_us))
            return []
        self._pushes.later(standing, now_us, stored)
        if not (first or last):
            return go_on(now_us)
        return self._pushes.sequence(
            standing, [*first, *last], now_us, lambda _answers, t_us: go_on(t_us), given_up, note
        )
