"""When the configs of an account go to its swarm, and when again (messages 5.7).

One push at a time; it holds every config that needs it. What changes meanwhile waits for the next one. A push
that fails is due again: configs stay marked until a push of them has succeeded.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.client.errands import Errand, Errands, Patience
from sessionsim.protocol.client.paths import number_at
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.configs.pushes import PushPlan, plan_push
from sessionsim.protocol.wire import rpc, rpc_signed, rpc_write

if TYPE_CHECKING:
    from sessionsim.protocol.client.configs.held import Held
    from sessionsim.protocol.client.configs.rules import ConfigPushRules
    from sessionsim.protocol.client.errands import Answers
    from sessionsim.protocol.client.machine import Client
    from sessionsim.protocol.client.outcomes import Outcomes
    from sessionsim.protocol.machine import Effect

CONFIG_NOTE: Final = note_of(Cause.CONFIG)


class Pushing:
    """The pushes of one device's account configs.

    Args:
        client: whose.
        rules: its platform's.
        held: the configs.
        outcomes: what is logged of wishes.
    """

    def __init__(self, client: Client, rules: ConfigPushRules, held: Held, outcomes: Outcomes) -> None:
        self._client, self._rules, self._held, self._outcomes = client, rules, held, outcomes
        self._errands = Errands(client)
        self._patience = Patience(rules.attempts, rules.pause_us, rules.pause_growth, rules.pause_cap_us)
        account = client.account
        self.asker = rpc_write.Asker(account.id, account.ed.public)
        self._refs: list[int] = []  # changes that no push under way holds
        self._due_us: int | None = None
        self._forced_us: int | None = None
        self._last_us: int | None = None
        self._under_way = False

    def start(self, now_us: int) -> None:
        """Choose when everything is pushed again for the first time."""
        if self._rules.forced_us:
            self._forced_us = now_us + number_at(self._client.entropy, b"forced push", self._rules.forced_us)

    def changed(self, now_us: int, ref: int = -1) -> list[Effect]:
        """Learn that a config has changed. Args: ref: the wish that ends with its push; -1 for none."""
        if ref >= 0:
            self._refs.append(ref)
        if not self._held.has_keys:  # outside the device group (hole H9 of version 2): until it is in
            return []
        if not any(config.needs_push for config in self._held.all):
            return self._ended(now_us) if not self._under_way else []
        self._later(now_us)
        return []

    def _later(self, now_us: int) -> None:
        if self._due_us is None:
            due_us, last_us = now_us + self._rules.delay_us, self._last_us
            self._due_us = due_us if last_us is None else max(due_us, last_us + self._rules.spacing_us)

    def _ended(self, now_us: int) -> list[Effect]:
        """End the changes that made no difference: the swarm holds them."""
        refs, self._refs = self._refs, []
        return [effect for ref in refs for effect in self._outcomes.stored(ref, now_us)]

    def next_due_us(self) -> int | None:
        """Give when the next push, or attempt of one, is due."""
        dues = [self._errands.next_due_us()]
        if not self._under_way:
            dues += [self._due_us, self._forced_us]
        return min((due for due in dues if due is not None), default=None)

    def wake(self, now_us: int) -> list[Effect]:
        """Start what is due."""
        effects = self._errands.wake(now_us)
        if self._under_way:
            return effects
        if self._forced_us is not None and self._forced_us <= now_us:
            self._forced_us = now_us + self._rules.forced_us
            return effects + self._push(now_us, forced=True)
        if self._due_us is not None and self._due_us <= now_us:
            return effects + self._push(now_us, forced=False)
        return effects

    def _push(self, now_us: int, *, forced: bool) -> list[Effect]:
        client = self._client
        self._due_us = None
        if not self._held.has_keys:
            return []
        plan = plan_push(self._held.all, client.wire_ms(now_us), forced=forced)
        if not plan.stores:
            return self._ended(now_us)
        self._under_way, self._last_us = True, now_us
        refs, self._refs = self._refs, []
        errand = Errand(
            client.account.id, Purpose.CONFIG, 0, CONFIG_NOTE, lambda now_ms: self._calls(plan, now_ms),
            "sequence", self._patience, lambda answers, t_us: self._pushed(plan, refs, answers, t_us),
            lambda _status, t_us: self._given_up(refs, t_us),
        )  # fmt: skip
        return self._errands.run(errand, now_us)

    def _calls(self, plan: PushPlan, now_ms: int) -> list[rpc.Call]:
        """Write one store for each part, then the deletion."""
        client, style = self._client, self._client.body_style
        calls = []
        for one in plan.stores:
            text = rpc_signed.namespaced_text("store", one.namespace, now_ms)
            signature, ttl_ms = client.suite.sign(client.account.ed, text), self._rules.ttl_us // US_PER_MS
            calls.append(
                rpc_write.signed_store_call(
                    style, self.asker, one.namespace, one.message, now_ms, ttl_ms, signature
                )
            )
        if plan.delete is not None:
            signature = client.suite.sign(client.account.ed, rpc_signed.delete_text(plan.delete.hashes))
            calls.append(rpc_write.delete_call(style, self.asker, plan.delete.hashes, signature))
        return calls

    def _pushed(self, plan: PushPlan, refs: Sequence[int], answers: Answers, now_us: int) -> list[Effect]:
        self._under_way = False
        with suppress(RemoteProtocolError):  # without names the configs stay unconfirmed
            plan.confirm([rpc.read_stored(fields)[0] for _code, fields in answers[: len(plan.stores)]])
        effects = [effect for ref in refs for effect in self._outcomes.stored(ref, now_us)]
        return effects + self.changed(now_us)

    def _given_up(self, refs: list[int], now_us: int) -> list[Effect]:
        self._under_way = False
        self._refs = refs + self._refs
        self._due_us = now_us + max(self._rules.spacing_us, self._rules.pause_us)
        return []
