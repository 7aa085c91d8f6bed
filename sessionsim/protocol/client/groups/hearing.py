"""What the polls of a group bring, and what a device does about it (messages 4.2 to 4.4, 5.3).

Members read: texts are delivered, keys and configs kept, and a kick ends it all. Admins also act: they strike
those who left, note who accepted, settle two keys of one generation with a third, and push what was merged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sessionsim.protocol.client.groups.waiting import NOT_IN
from sessionsim.protocol.client.sealing import Opened
from sessionsim.protocol.configs.group_members import ACCEPTED
from sessionsim.protocol.contents import (
    GroupDeleteContent,
    GroupInfoChange,
    GroupInviteResponse,
    GroupMemberChange,
    GroupMemberLeft,
    GroupMemberLeftNotice,
    GroupUpdate,
    Text,
    is_from_admin,
)
from sessionsim.protocol.machine import DELIVER, Effect
from sessionsim.protocol.namespaces import GROUP_KEYS, GROUP_MESSAGES, REVOKED_RETRIEVABLE
from sessionsim.protocol.wire.rpc import Retrieved

if TYPE_CHECKING:
    from sessionsim.protocol.client.groups.pushes import Pushes
    from sessionsim.protocol.client.groups.removals import Removals
    from sessionsim.protocol.client.groups.rules import GroupRules
    from sessionsim.protocol.client.groups.standing import Standing
    from sessionsim.protocol.client.groups.talk import Said, Talk
    from sessionsim.protocol.client.machine import Client
    from sessionsim.protocol.client.outcomes import Outcomes


class Hearing:
    """The listener of all pollers of groups of one device.

    Args:
        client: whose.
        rules: its platform's.
        talk, pushes, removals: how it reads, stores and removes.
        outcomes: what is logged of wishes.
        went_out: told that this account was removed from a group.
    """

    def __init__(
        self,
        client: Client,
        rules: GroupRules,
        talk: Talk,
        pushes: Pushes,
        removals: Removals,
        outcomes: Outcomes,
        went_out: Callable[[Standing, int], list[Effect]],
    ) -> None:
        self._client, self._rules, self._talk = client, rules, talk
        self._pushes, self._removals, self._went_out = pushes, removals, went_out
        self._outcomes = outcomes
        # Told at the end of each round, which may have made possible what waits.
        self.heard_of: Callable[[bytes, int], list[Effect]] = lambda group_id, now_us: []
        self._seen: dict[str, bytes] = {}  # hash -> who wrote it
        self._responses: dict[int, tuple[Standing, int, int | None]] = {}  # standing, ref, when due

    # ---- What came ----

    def take(
        self, standing: Standing, namespace: int, messages: Sequence[Retrieved], now_us: int
    ) -> list[Effect]:
        if namespace == REVOKED_RETRIEVABLE:
            return self._went_out(standing, now_us) if standing.is_kicked_by(messages) else []
        if namespace == GROUP_MESSAGES:
            return [
                effect for message in messages for effect in self._take_message(standing, message, now_us)
            ]
        if namespace == GROUP_KEYS:
            standing.take_keys(messages)
        else:
            standing.merge(namespace, messages, self._client.wire_ms(now_us))
        self._pushes.later(standing, now_us)  # a merge may have made something to push
        return []

    def _take_message(self, standing: Standing, message: Retrieved, now_us: int) -> list[Effect]:
        # What no key opens is not ticked off: another node gives it again, perhaps after the key.
        if message.hash in self._seen or message.hash in self._talk.own_hashes:
            return []
        said = self._talk.read(standing, message)
        if said is None:
            return []
        self._seen[message.hash] = said.sender_id
        if isinstance(said.part, Text) and said.part.reaction is not None:
            return [(DELIVER, said.sender_id, said.sent_ms, said.part.reaction, message.hash)]
        if isinstance(said.part, Text):
            standing.active_us = now_us
            effects = self._accepted(standing, said.sender_id, now_us)
            effects.append((DELIVER, said.sender_id, said.sent_ms, said.part.body, message.hash))
            opened = Opened(said.sender_id, said.content, standing.group_id)
            for reader in self._client.readers:
                effects += reader(message.hash, opened, now_us)
            return effects
        if isinstance(said.part, GroupUpdate):
            if isinstance(said.part.change, GroupDeleteContent):
                return self._deleted(standing, said, said.part.change, message.hash, now_us)
            return self._updated(standing, said, said.part, now_us)
        return []

    def _deleted(
        self, standing: Standing, said: Said, change: GroupDeleteContent, message_hash: str, now_us: int
    ) -> list[Effect]:
        """Let a member delete what it wrote; an admin's device then deletes it from the swarm.

        Source: session-android: GroupManagerV2Impl.kt (handleDeleteMemberContent).
        """
        own = [hash_ for hash_ in change.hashes if self._seen.get(hash_) == said.sender_id]
        if change.admin_signature or change.ids or len(own) != len(change.hashes):
            return []
        effects: list[Effect] = [(DELIVER, said.sender_id, said.sent_ms, change, message_hash)]
        return effects + self._talk.delete(standing, own, now_us)

    def _updated(self, standing: Standing, said: Said, update: GroupUpdate, now_us: int) -> list[Effect]:
        change = update.change
        if isinstance(change, GroupMemberLeft):
            return self._removals.left(standing, said.sender_id, now_us)
        if isinstance(change, GroupInviteResponse):
            return self._accepted(standing, said.sender_id, now_us) if change.approved else []
        shown = isinstance(change, GroupMemberLeftNotice) or (
            isinstance(change, GroupInfoChange | GroupMemberChange)
            and is_from_admin(self._client.suite, standing.group_id, change, said.sent_ms)
        )
        if shown:
            standing.active_us = now_us
        return []

    def _accepted(self, standing: Standing, person_id: bytes, now_us: int) -> list[Effect]:
        """Note, as an admin, that somebody invited is there: by answering, or by speaking."""
        if standing.admin is None:
            return []
        known = standing.members.get(person_id)
        if known is not None and known.invitation != ACCEPTED:
            standing.members.set(replace(known, invitation=ACCEPTED))
            self._pushes.later(standing, now_us)
        return []

    # ---- After each round ----

    def polled(self, standing: Standing, now_us: int) -> list[Effect]:
        if standing.admin is not None:
            if standing.ring.needs_rekey:
                standing.rekey()
                self._pushes.later(standing, now_us)
            if standing.accepts_own_promotion():
                self._pushes.later(standing, now_us)
            self._removals.look(standing, now_us)
        waits = self._responses.get(standing.tag)
        if waits is not None and waits[2] is None and standing.can_speak:
            self._responses[standing.tag] = (*waits[:2], now_us + self._rules.response_delay_us)
        return self.heard_of(standing.group_id, now_us)

    def awaits(self, standing: Standing) -> bool:
        """Say whether the end of a round may lead to something although it brought nothing."""
        if standing.tag in self._responses:
            return True
        if standing.admin is None:
            return False
        ready = not standing.ring.needs_rekey and standing.has_accepted_promotion
        return not ready or bool(standing.removed_ids())

    def respond(self, standing: Standing, ref: int) -> None:
        """Have the group told, once its keys are known, that this account has joined."""
        self._responses[standing.tag] = standing, ref, None

    def drop(self, standing: Standing) -> list[Effect]:
        """Learn that this account is out of a group: nobody is answered any more."""
        waits = self._responses.pop(standing.tag, None)
        return self._outcomes.failed(waits[1], NOT_IN) if waits is not None else []

    def next_due_us(self) -> int | None:
        """Give when the earliest answer to an invitation is due."""
        return min((due for _, _, due in self._responses.values() if due is not None), default=None)

    def wake(self, now_us: int) -> list[Effect]:
        """Send the answers that are due."""
        effects: list[Effect] = []
        for tag, (standing, ref, due_us) in list(self._responses.items()):
            if due_us is not None and due_us <= now_us:
                del self._responses[tag]
                update = GroupUpdate(GroupInviteResponse(True), self._talk.profile)
                sent_ms = self._client.wire_ms(now_us)
                effects += self._talk.tell(standing, update, sent_ms, now_us, ref)
        return effects
