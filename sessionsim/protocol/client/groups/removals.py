"""Removing people from a group, and what their leaving leads to (messages 4.4).

An admin marks who is to go in the list of members; every admin's device that finds such a mark does the
rest, so that it happens even if the first one goes offline: it stores a kick for them and revokes their
tokens, then strikes them from the list and makes a new key for those who stay. Two devices that do it at once
write the same key and the same list.
Source: session-desktop: GroupPendingRemovalsJob.ts; session-android: RemoveGroupMemberHandler.kt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sessionsim.core.columns import Cause, note_of
from sessionsim.protocol.client.groups import calls
from sessionsim.protocol.configs.group_members import REMOVED
from sessionsim.protocol.contents import GroupMemberChange, MemberKind
from sessionsim.protocol.crypto.aead import NONCE_BYTES
from sessionsim.protocol.groups import kick_message, subaccount_token
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.namespaces import GROUP_MESSAGES, REVOKED_RETRIEVABLE

if TYPE_CHECKING:
    from sessionsim.protocol.client.groups.changes import Changes
    from sessionsim.protocol.client.groups.pushes import Pushes
    from sessionsim.protocol.client.groups.rules import GroupRules
    from sessionsim.protocol.client.groups.standing import Standing
    from sessionsim.protocol.client.groups.talk import Talk
    from sessionsim.protocol.client.machine import Client
    from sessionsim.protocol.client.outcomes import Outcomes

_NO_SIGNATURE = bytes(64)


class Removals:
    """The removals one device carries out.

    Args:
        client: whose.
        rules: its platform's.
        talk, pushes, changes: how it speaks, stores and signs.
        outcomes: what is logged of wishes.
    """

    def __init__(
        self,
        client: Client,
        rules: GroupRules,
        talk: Talk,
        pushes: Pushes,
        changes: Changes,
        outcomes: Outcomes,
    ) -> None:
        self._client, self._rules = client, rules
        self._talk, self._pushes, self._changes = talk, pushes, changes
        self._outcomes = outcomes
        self._due: dict[int, tuple[int, Standing]] = {}
        self._under_way: set[int] = set()
        self._kicks: dict[bytes, int] = {}
        self._refs: dict[tuple[int, bytes], int] = {}  # the action that a person's removal belongs to

    def remove(self, standing: Standing, ref: int, person_ids: Sequence[bytes], now_us: int) -> list[Effect]:
        """Remove members, as an admin wishes."""
        gone = [person_id for person_id in person_ids if standing.is_member(person_id)]
        if not gone:
            return self._outcomes.failed(ref, "nobody to remove")
        for person_id in gone:
            self._refs[standing.tag, person_id] = ref
        self._mark(standing, gone)
        standing.active_us = now_us
        sent_ms, rules = self._client.wire_ms(now_us), self._rules
        change = GroupMemberChange(MemberKind.REMOVED, tuple(gone), _NO_SIGNATURE)
        told = self._changes.signed(standing, change, sent_ms)
        self._expect(standing, now_us)
        if rules.told_in_push:
            data = self._talk.seal_update(standing, told, sent_ms)
            along = [
                calls.store(self._client.body_style, standing, GROUP_MESSAGES, data, rules.message_ttl_us)
            ]
            return self._pushes.push(standing, now_us, along=along, note=note_of(Cause.GROUP, ref))
        effects = self._push_mark(standing, now_us)
        return effects + self._talk.tell(standing, told, sent_ms, now_us)

    def left(self, standing: Standing, person_id: bytes, now_us: int) -> list[Effect]:
        """Learn that a member has left; who is an admin sees to the rest.

        Nobody asks how old the farewell is. An admin who reads it only when promoted, with keys of before it
        came, so removes a member who left and was invited again.
        Source: session-desktop: handleGroupV2Message.ts; session-android: GroupManagerV2Impl.kt.
        """
        if standing.admin is None or not standing.is_member(person_id):
            return []
        self._mark(standing, [person_id])
        self._expect(standing, now_us)
        return self._push_mark(standing, now_us)

    def _mark(self, standing: Standing, person_ids: Sequence[bytes]) -> None:
        for person_id in person_ids:
            known = standing.members.get(person_id)
            assert known is not None
            standing.members.set(replace(known, removal=REMOVED))

    def _push_mark(self, standing: Standing, now_us: int) -> list[Effect]:
        if self._rules.push_joins_action:
            return self._pushes.push(standing, now_us)
        self._pushes.later(standing, now_us)
        return []

    def look(self, standing: Standing, now_us: int) -> None:
        """See whether the list of members marks anybody, after it may have changed."""
        if standing.admin is not None and standing.removed_ids():
            self._expect(standing, now_us)

    def _expect(self, standing: Standing, now_us: int) -> None:
        if standing.tag not in self._under_way:
            self._due.setdefault(standing.tag, (now_us + self._rules.removal_delay_us, standing))

    def next_due_us(self) -> int | None:
        """Give when the earliest removal is due."""
        return min((due_us for due_us, _ in self._due.values()), default=None)

    def wake(self, now_us: int) -> list[Effect]:
        """Start the removals that are due."""
        effects: list[Effect] = []
        for tag, (due_us, standing) in sorted(self._due.items(), key=lambda item: item[0]):
            if due_us <= now_us:
                del self._due[tag]
                effects += self._shut_out(standing, now_us)
        return effects

    def _shut_out(self, standing: Standing, now_us: int) -> list[Effect]:
        """Kick and revoke, in one sequence."""
        group, gone, style = standing.admin, standing.removed_ids(), self._client.body_style
        if group is None or not gone:
            return []
        number = self._kicks[standing.group_id] = self._kicks.get(standing.group_id, -1) + 1
        address = b"kick" + standing.group_id + number.to_bytes(6, "little")
        nonce = self._client.entropy.draw(address)[:NONCE_BYTES]
        kick = kick_message(self._client.suite, group, gone, standing.ring.generation, nonce)
        steps = [
            calls.store(style, standing, REVOKED_RETRIEVABLE, kick, self._rules.config_ttl_us),
            calls.revoke(style, standing, [subaccount_token(group, person_id) for person_id in gone]),
        ]
        if not self._rules.kicks_before_revoking:
            steps.reverse()
        self._under_way.add(standing.tag)
        return self._pushes.sequence(
            standing, steps, now_us,
            lambda _answers, t_us: self._strike(standing, gone, t_us),
            lambda status, t_us: self._not_shut_out(standing, gone, status, t_us),
        )  # fmt: skip

    def _strike(self, standing: Standing, gone: Sequence[bytes], now_us: int) -> list[Effect]:
        """Strike who is shut out from the list and make a new key, unless another admin has done so."""
        self._under_way.discard(standing.tag)
        erased = [standing.members.erase(person_id) for person_id in gone]
        if any(erased):
            standing.rekey()
            self._pushes.later(standing, now_us)
        self.look(standing, now_us)  # more may have been marked meanwhile
        ended = [self._outcomes.stored(ref, now_us) for ref in self._done_with(standing, gone)]
        return [effect for effects in ended for effect in effects]

    def _not_shut_out(
        self, standing: Standing, gone: Sequence[bytes], status: int, now_us: int
    ) -> list[Effect]:
        self._under_way.discard(standing.tag)
        ended = [self._outcomes.failed(ref, f"status {status}") for ref in self._done_with(standing, gone)]
        return [effect for effects in ended for effect in effects]

    def _done_with(self, standing: Standing, gone: Sequence[bytes]) -> list[int]:
        found = [self._refs.pop((standing.tag, person_id), -1) for person_id in gone]
        return sorted({ref for ref in found if ref >= 0})
