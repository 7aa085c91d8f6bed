"""Keys and configs on their way to a group's swarm (messages 5.7).

A push is one sequence: what has to be there first, a key that is not known to be stored yet, the configs
that changed, messages that go along, the deletion of what the configs supersede, and what comes last. What an
admin does is pushed at once; what follows from polls waits a little, so that several changes go together, and
keeps a distance from the push before. A push that fails is due again; the configs stay marked until one
succeeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.client.errands import Errand, Patience
from sessionsim.protocol.client.groups import calls
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.configs.pushes import PushPlan, plan_push
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.namespaces import GROUP_KEYS
from sessionsim.protocol.wire import rpc

if TYPE_CHECKING:
    from sessionsim.protocol.client.errands import Answers, Errands
    from sessionsim.protocol.client.groups.calls import Write
    from sessionsim.protocol.client.groups.rules import GroupRules
    from sessionsim.protocol.client.groups.standing import Standing
    from sessionsim.protocol.client.machine import Client

GROUP_NOTE: Final = note_of(Cause.GROUP)
Pushed = Callable[[int], list[Effect]]
GivenUp = Callable[[int, int], list[Effect]]


class Pushes:
    """The pushes of one device to the swarms of its groups.

    Args:
        client: whose.
        rules: its platform's.
        errands: carries requests out.
    """

    def __init__(self, client: Client, rules: GroupRules, errands: Errands) -> None:
        self._client, self._rules, self._errands = client, rules, errands
        self._patience = Patience(rules.push_attempts, rules.push_pause_us)
        self._due: dict[int, tuple[int, Standing]] = {}
        self._told: dict[int, list[Pushed]] = {}  # who is to be told when the next push has succeeded
        self._last_us: dict[int, int] = {}  # of pushes that were not made at once
        self._under_way: dict[int, int] = {}

    def sequence(
        self,
        standing: Standing,
        writes: Sequence[Write],
        now_us: int,
        done: Callable[[Answers, int], list[Effect]],
        given_up: GivenUp,
        note: int = GROUP_NOTE,
    ) -> list[Effect]:
        """Carry out calls at a group's swarm, one after the other."""
        errand = Errand(
            standing.group_id, Purpose.GROUP, standing.tag, note,
            lambda now_ms: [write(now_ms) for write in writes], "sequence", self._patience, done, given_up,
        )  # fmt: skip
        return self._errands.run(errand, now_us)

    def push(
        self,
        standing: Standing,
        now_us: int,
        *,
        first: Sequence[Write] = (),
        along: Sequence[Write] = (),
        last: Sequence[Write] = (),
        done: Pushed = lambda now_us: [],
        given_up: GivenUp = lambda status, now_us: [],
        note: int = GROUP_NOTE,
    ) -> list[Effect]:
        """Push at once what is not stored yet, and carry out what goes with it.

        Args:
            first, along, last: calls before the keys, after the configs, and at the end.
            done: told the time in µs when all of it succeeded; at once if there was nothing to do.
            given_up: told the last status and the time.
        """
        tag, style, rules = standing.tag, self._client.body_style, self._rules
        self._due.pop(tag, None)
        told = self._told.pop(tag, [])
        plan = plan_push(standing.configs, self._client.wire_ms(now_us))
        pending = standing.ring.pending
        writes = list(first)
        if pending is not None:
            writes.append(calls.store(style, standing, GROUP_KEYS, pending.message, rules.config_ttl_us))
        begin = len(writes)
        writes += [
            calls.store(style, standing, one.namespace, one.message, rules.config_ttl_us)
            for one in plan.stores
        ]
        writes += along
        if plan.delete is not None:
            writes.append(calls.delete(style, standing, plan.delete.hashes))
        writes += last
        if not writes:
            return _told(told, now_us) + done(now_us)
        self._under_way[tag] = self._under_way.get(tag, 0) + 1

        def succeeded(answers: Answers, t_us: int) -> list[Effect]:
            self._under_way[tag] -= 1
            _confirm(plan, answers[begin : begin + len(plan.stores)])
            return _told(told, t_us) + done(t_us)

        def failed(status: int, t_us: int) -> list[Effect]:
            self._under_way[tag] -= 1
            self._told[tag] = told + self._told.get(tag, [])
            self.later(standing, t_us)
            return given_up(status, t_us)

        return self.sequence(standing, writes, now_us, succeeded, failed, note)

    def later(self, standing: Standing, now_us: int, done: Pushed | None = None) -> None:
        """Have what changed pushed soon, if this device may. Args: done: told when it is stored."""
        if standing.admin is None:
            return
        if done is not None:
            self._told.setdefault(standing.tag, []).append(done)
        if standing.tag in self._due:
            return
        due_us = now_us + self._rules.push_delay_us
        last_us = self._last_us.get(standing.tag)
        if last_us is not None:
            due_us = max(due_us, last_us + self._rules.push_spacing_us)
        self._due[standing.tag] = due_us, standing

    def next_due_us(self) -> int | None:
        """Give when the earliest push is due that need not wait for one under way."""
        waits = self._under_way.get
        return min((due_us for tag, (due_us, _) in self._due.items() if not waits(tag)), default=None)

    def wake(self, now_us: int) -> list[Effect]:
        """Start the pushes that are due; one that is under way is waited for."""
        effects: list[Effect] = []
        for tag, (due_us, standing) in sorted(self._due.items(), key=lambda item: item[0]):
            if due_us <= now_us and not self._under_way.get(tag):
                self._last_us[tag] = now_us
                effects += self.push(standing, now_us)
        return effects


def _told(waiting: Sequence[Pushed], now_us: int) -> list[Effect]:
    return [effect for done in waiting for effect in done(now_us)]


def _confirm(plan: PushPlan, answers: Answers) -> None:
    """Tell the configs under which names they are stored; without names they stay unconfirmed."""
    with suppress(RemoteProtocolError):
        plan.confirm([rpc.read_stored(fields)[0] for _code, fields in answers])
