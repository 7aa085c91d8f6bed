"""Groups as a part of a client: what its person wants there, and what comes in from outside the groups.

Commands: `("group-text", ref, group id, body, files)`, and `("group-action", ref, group id, what, person ids,
name, history, seed)` with `what` as in `core.intents.GROUP_ACTIONS`; `seed` comes with "create" only. About
messages there: `("group-react", ref, group id, author id, its time, emoji, removed)` and `("group-unsend",
ref, group id, its hash)`.
What becomes of each is logged under its `ref`: `stored` when the group's swarm has taken it, `failed`
otherwise; a text is delivered by every other device that reads it. What polls bring is in `hearing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from sessionsim.core.columns import Cause, note_of
from sessionsim.protocol.client.errands import Errands
from sessionsim.protocol.client.groups import calls
from sessionsim.protocol.client.groups.changes import Changes
from sessionsim.protocol.client.groups.founded import Founded
from sessionsim.protocol.client.groups.hearing import Hearing
from sessionsim.protocol.client.groups.invitations import Invitations
from sessionsim.protocol.client.groups.news import News
from sessionsim.protocol.client.groups.polling import GroupPoller
from sessionsim.protocol.client.groups.pushes import Pushes
from sessionsim.protocol.client.groups.removals import Removals
from sessionsim.protocol.client.groups.standing import Place, Standing
from sessionsim.protocol.client.groups.talk import Talk
from sessionsim.protocol.client.groups.waiting import NOT_IN, GroupWish, Waiting
from sessionsim.protocol.client.idling import IdlePolls
from sessionsim.protocol.client.outcomes import Outcomes
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.contents import (
    GroupDeleteContent,
    GroupMemberLeft,
    GroupMemberLeftNotice,
    GroupUpdate,
    Reaction,
    Text,
)
from sessionsim.protocol.groups import (
    Group,
    Subaccount,
    group_from_seed,
)
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.namespaces import GROUP_MESSAGES
from sessionsim.protocol.wire.rpc import Retrieved

if TYPE_CHECKING:
    from sessionsim.core.intents import File
    from sessionsim.protocol.client.errands import Answers
    from sessionsim.protocol.client.extras import Extras
    from sessionsim.protocol.client.files import Files
    from sessionsim.protocol.client.groups.rules import GroupRules
    from sessionsim.protocol.client.machine import Client
    from sessionsim.protocol.contents import Profile

# Told that a standing has changed, for what the account's devices share.
Noted = Callable[[Standing, int], list[Effect]]


class Groups:
    """All groups of one device.

    Args:
        client: whose.
        rules: its platform's.
        profile: what it tells about itself in groups; None for nothing.
        founded: groups it is in since before the run.
        files: uploads what hangs on a text; None if it cannot.
    """

    def __init__(
        self,
        client: Client,
        rules: GroupRules,
        profile: Profile | None = None,
        founded: Iterable[Founded] = (),
        files: Files | None = None,
    ) -> None:
        self._client, self._rules, self._files = client, rules, files
        self._errands = Errands(client)
        self._outcomes = Outcomes()
        told = profile if client.rules.send_profile else None
        self.talk = Talk(client, rules, self._errands, self._outcomes, told)
        self._pushes = Pushes(client, rules, self._errands)
        self.invitations = Invitations(client, rules, self._errands, self.talk)
        self._changes = Changes(client, rules, self.talk, self._pushes, self.invitations, self._outcomes)
        self._removals = Removals(client, rules, self.talk, self._pushes, self._changes, self._outcomes)
        self.hearing = Hearing(
            client, rules, self.talk, self._pushes, self._removals, self._outcomes, self._went_out
        )
        self.hearing.heard_of = self.try_waiting
        self._waiting = Waiting()
        self.standings: dict[bytes, Standing] = {}
        self._pollers: dict[bytes, GroupPoller] = {}
        self._tags = 0
        # Who is told of changes, beside this part: the configs of the account.
        self.noted: list[Noted] = []
        self.news = News(client, self)
        client.group_updates = self.news.take_update
        client.other_polls.append(self)
        for one in founded:
            self._know(one)

    def _know(self, one: Founded) -> None:
        """Take up a group that stood before the run."""
        standing = self.begin_standing(one.group_id, one.access, one.name, Place.IN, 0)
        one.give_to(standing, self._client.wire_ms(0))
        self._pollers[one.group_id] = self._poller(standing, one.newest)

    def begin_standing(
        self, group_id: bytes, access: Group | Subaccount, name: str, place: Place, now_us: int
    ) -> Standing:
        self._tags += 1
        client = self._client
        standing = self.standings[group_id] = Standing(
            client.suite, client.account, group_id, self._tags, access, name, place,
            now_us - self._rules.quiet_before_us,
        )  # fmt: skip
        return standing

    def _poller(self, standing: Standing, known: Mapping[int, str]) -> GroupPoller:
        return GroupPoller(self._client, self._rules, standing, self.hearing, known)

    # ---- The contract of a part ----

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {
            "group-text": self._text,
            "group-action": self._action,
            "group-react": self._react,
            "group-unsend": self._unsend,
            "poll-group": self._poll,
        }

    def start(self, now_us: int) -> list[Effect]:
        return [effect for poller in self._pollers.values() for effect in poller.start(now_us)]

    def next_due_us(self) -> int | None:
        dues = [poller.next_due_us() for poller in self._pollers.values()]
        dues.append(self.next_due_beside_us())
        return min((due for due in dues if due is not None), default=None)

    def next_due_beside_us(self) -> int | None:
        """Give when something else than a poll falls due."""
        dues = [self._errands.next_due_us(), self._pushes.next_due_us()]
        dues += [self._removals.next_due_us(), self.hearing.next_due_us()]
        return min((due for due in dues if due is not None), default=None)

    def idle(self, until_us: int, now_us: int) -> list[IdlePolls] | None:
        """Tell the polls of each group to come; None while one of them may lead to something."""
        found = []
        for group_id, poller in self._pollers.items():
            standing = self.standings[group_id]
            waits = self._waiting.any(group_id) or self.hearing.awaits(standing)
            if waits or any(config.awaits_parts for config in standing.configs):
                return None
            polls = poller.idle(until_us, now_us)
            if polls is None:
                return None
            found.append(polls)
        return found

    def skip(self, account_id: bytes, count: int, next_us: int, last: int) -> None:
        """Go on behind idle polls of one group."""
        poller = self._pollers.get(account_id)
        if poller is not None:
            poller.skip(count, next_us, last)

    def wake(self, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        effects += self._errands.wake(now_us)
        effects += self._removals.wake(now_us)
        effects += self._pushes.wake(now_us)
        effects += self.hearing.wake(now_us)
        for poller in list(self._pollers.values()):
            effects += poller.wake(now_us)
        return effects

    # ---- What the person wants ----

    def pending(self) -> Iterable[int]:
        """Give the wishes that have neither been stored nor given up."""
        return self._outcomes.pending()

    def forget(self, reason: str, now_us: int) -> list[Effect]:
        """Give up the texts that are not stored yet; what waits for an invitation or keys waits on."""
        return self.talk.forget(reason, now_us)

    def _text(
        self, ref: int, group_id: bytes, body: str, files: tuple[File, ...], now_us: int
    ) -> list[Effect]:
        self._outcomes.begin(ref)
        return self._wish(group_id, GroupWish(ref, "text", body, files=files), now_us)

    def _react(
        self,
        ref: int,
        group_id: bytes,
        author_id: bytes,
        time_ms: int,
        emoji: str,
        removed: bool,
        now_us: int,
    ) -> list[Effect]:
        self._outcomes.begin(ref)
        remark = Text(reaction=Reaction(time_ms, author_id, emoji, removed))
        return self._wish(group_id, GroupWish(ref, "remark", remark=remark), now_us)

    def _unsend(self, ref: int, group_id: bytes, message_hash: str, now_us: int) -> list[Effect]:
        self._outcomes.begin(ref)
        remark = GroupUpdate(GroupDeleteContent(hashes=(message_hash,)))
        return self._wish(group_id, GroupWish(ref, "remark", remark=remark), now_us)

    def _action(
        self,
        ref: int,
        group_id: bytes,
        what: str,
        person_ids: tuple[bytes, ...],
        name: str,
        history: bool,
        seed: bytes,
        now_us: int,
    ) -> list[Effect]:
        self._outcomes.begin(ref)
        if what == "create":
            standing = self.begin_standing(group_id, group_from_seed(seed), name, Place.IN, now_us)
            poller = self._pollers[group_id] = self._poller(standing, {})
            effects = self._changes.found(standing, ref, person_ids, now_us)
            return effects + poller.start_now(now_us) + self.note(standing, now_us)
        return self._wish(group_id, GroupWish(ref, what, "", person_ids, name, history), now_us)

    def _wish(self, group_id: bytes, wish: GroupWish, now_us: int) -> list[Effect]:
        self._waiting.put(group_id, wish)
        return self.try_waiting(group_id, now_us)

    def try_waiting(self, group_id: bytes, now_us: int) -> list[Effect]:
        """Carry out what has become possible in a group, and refuse what has become impossible."""
        effects: list[Effect] = []
        standing = self.standings.get(group_id)
        can, cannot = self._waiting.sort(group_id, standing)
        for wish in can:
            assert standing is not None
            effects += self._do(standing, wish, now_us)
        for wish in cannot:
            effects += self._outcomes.failed(wish.ref, NOT_IN)
        return effects

    def _do(self, standing: Standing, wish: GroupWish, now_us: int) -> list[Effect]:
        ref, person_ids = wish.ref, wish.person_ids
        if wish.what == "text":
            return self._say(standing, wish, now_us)
        if wish.what == "remark":
            return self.talk.say(standing, ref, "", None, now_us, wish.remark)
        if wish.what == "join":
            return self._join(standing, ref, now_us)
        if wish.what == "leave":
            return self._leave(standing, ref, now_us)
        if wish.what == "invite":
            return self._changes.invite(standing, ref, person_ids, wish.history, now_us)
        if wish.what == "remove":
            return self._removals.remove(standing, ref, person_ids, now_us)
        if wish.what == "promote":
            return self._changes.promote(standing, ref, person_ids, now_us)
        effects = self._changes.rename(standing, ref, wish.name, now_us)
        return effects + self.note(standing, now_us)

    def _say(self, standing: Standing, wish: GroupWish, now_us: int) -> list[Effect]:
        """Send a text, once its files, if any, lie on their server."""
        if self._files is None or not self._files.has_extras(wish.ref, wish.files):
            return self.talk.say(standing, wish.ref, wish.body, None, now_us)

        def ready(extras: Extras | str, t_us: int) -> list[Effect]:
            if isinstance(extras, str):
                return self._outcomes.failed(wish.ref, extras)
            return self.talk.say(standing, wish.ref, wish.body, extras, t_us)

        return self._files.attach(wish.ref, wish.files, ready, now_us)

    def _join(self, standing: Standing, ref: int, now_us: int) -> list[Effect]:
        """Accept an invitation: poll from now on, and say so once the keys are there."""
        if standing.place is Place.IN:  # accepted on another device
            return self._outcomes.stored(ref, now_us)
        self.hearing.respond(standing, ref)
        return self.enter(standing, now_us) + self.note(standing, now_us)

    def enter(self, standing: Standing, now_us: int) -> list[Effect]:
        """Begin to read a group."""
        standing.place = Place.IN
        poller = self._pollers[standing.group_id] = self._poller(standing, {})
        return poller.start_now(now_us)

    def _leave(self, standing: Standing, ref: int, now_us: int) -> list[Effect]:
        """Tell the group, then forget it; what admins have to do is theirs."""
        client, sent_ms, ttl_us = self._client, self._client.wire_ms(now_us), self._rules.message_ttl_us
        steps = [
            calls.store(
                client.body_style, standing, GROUP_MESSAGES,
                self.talk.seal_update(standing, GroupUpdate(change), sent_ms), ttl_us,
            )
            for change in (GroupMemberLeftNotice(), GroupMemberLeft())
        ]  # fmt: skip
        effects = self.stop(standing, Place.LEFT)

        def told(_answers: Answers, t_us: int) -> list[Effect]:
            return [*self._outcomes.stored(ref, t_us), *self.note(standing, t_us)]

        def not_told(status: int, t_us: int) -> list[Effect]:
            return [*self._outcomes.failed(ref, f"status {status}"), *self.note(standing, t_us)]

        effects += self._pushes.sequence(standing, steps, now_us, told, not_told, note_of(Cause.GROUP, ref))
        return effects + self.try_waiting(standing.group_id, now_us)

    # ---- What is pushed ----

    def pushed(self, group_id: bytes, namespace: int, message: Retrieved | None, now_us: int) -> list[Effect]:
        """Take what a push brought from a group; without a message, poll it."""
        standing, poller = self.standings[group_id], self._pollers.get(group_id)
        if poller is None:
            return []  # it is not read any more
        if message is not None:
            effects = self.hearing.take(standing, namespace, [message], now_us)
            return effects + self.try_waiting(group_id, now_us)
        if self._client.presence.awake:
            return poller.start_now(now_us)
        return self._client.presence.come_round(now_us, "poll-group", group_id)

    def _poll(self, group_id: bytes, now_us: int) -> list[Effect]:
        poller = self._pollers.get(group_id)
        return poller.start_now(now_us) if poller is not None else []

    def promote(self, standing: Standing, group: Group) -> None:
        """Take up the group's keys; where the platform does so, read all that its swarm has once more."""
        news = standing.admin is None
        standing.promote(group)
        poller = self._pollers.get(standing.group_id)
        if news and poller is not None and self._rules.promoted_reads_again:
            poller.forget()

    # ---- Coming and going ----

    def stop(self, standing: Standing, place: Place) -> list[Effect]:
        """Read a group no more. Args: place: why."""
        standing.place = place
        poller = self._pollers.pop(standing.group_id, None)
        if poller is not None:
            poller.stop()
        return self.hearing.drop(standing)

    def _went_out(self, standing: Standing, now_us: int) -> list[Effect]:
        """Learn that an admin has removed this account."""
        effects = self.stop(standing, Place.KICKED)
        effects += self.try_waiting(standing.group_id, now_us)
        return effects + self.note(standing, now_us)

    def note(self, standing: Standing, now_us: int) -> list[Effect]:
        """Tell the account's configs how this device now stands to a group."""
        return [effect for noted in self.noted for effect in noted(standing, now_us)]
