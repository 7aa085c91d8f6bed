"""Polling the own inbox: a signed batch of retrieves to one or more nodes of the own swarm, again and again.

`last_hash` is kept per (node, namespace), so a node not asked before gives everything again. After failed
rounds the platforms pause differently (client-behaviour 6.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.paths import number_at
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.wire import rpc
from sessionsim.protocol.wire.poll import PollTemplate

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_POLL_NOTE = note_of(Cause.POLL)
MOST_PICKED = 16  # as many as one draw of 64 bytes has room for; swarms have 5 to 7 nodes (transport 2.1)
_PARALLEL_BITS = 2  # a poll asks at most four nodes (ClientRules.poll_nodes)


class Poller:
    """The polling half of a client. Args: client: whose."""

    def __init__(self, client: Client) -> None:
        rules = client.rules
        self._client, self._rules, self._account_id = client, rules, client.account.id
        sizes = [
            rules.max_size_configs if namespace else rules.max_size_messages for namespace in rules.namespaces
        ]
        self._sign = partial(client.suite.sign, client.account.ed)
        self._template = PollTemplate(
            client.body_style, client.account.id_hex, client.account.ed.public.hex(), rules.namespaces, sizes
        )
        self._polls = 0
        self._polls_open = 0
        self._next_us: int | None = None
        self._failures = 0  # rounds in a row that brought nothing
        self._succeeded = False  # in the round under way
        self._cycle: list[int] = []
        self._cycle_of: tuple[int, ...] = ()
        self._sticky = -1
        self._last_hash: dict[tuple[int, int], str] = {}

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"poll": self._poll}

    def start(self, now_us: int) -> list[Effect]:
        self._next_us = now_us + number_at(self._client.entropy, b"phase", self._rules.poll_interval_us)
        return []

    def next_due_us(self) -> int | None:
        return self._next_us

    def wake(self, now_us: int) -> list[Effect]:
        return self._poll(now_us) if self._next_us is not None and self._next_us <= now_us else []

    def _poll(self, now_us: int) -> list[Effect]:
        """Start one round; the next is due an interval after the last answer of this one."""
        self._next_us = None
        number, self._polls = self._polls, self._polls + 1
        self._polls_open += 1
        return self._client.swarms.find(
            self._account_id, now_us, lambda swarm, t_us: self._ask(number, swarm, t_us)
        )

    def _ask(self, number: int, swarm: tuple[int, ...], now_us: int) -> list[Effect]:
        self._polls_open -= 1
        if not swarm:
            return self._round_done(now_us)
        effects = []
        for k, node in enumerate(self._choose_nodes(number, swarm)):
            exchange = (number << _PARALLEL_BITS | k) << 4 | Purpose.POLL
            body = self._poll_body(node, now_us)
            self._polls_open += 1
            effects.append(
                self._client.requests.send(
                    exchange, node, body, _POLL_NOTE, now_us,
                    lambda status, answer, t_us, node=node: self._polled(node, status, answer, t_us),
                )
            )  # fmt: skip
        return effects

    def _choose_nodes(self, number: int, swarm: tuple[int, ...]) -> list[int]:
        """Choose whom to ask, as the platform does (client-behaviour 6.1)."""
        draw = self._client.entropy
        if self._rules.poll_node_choice == "cycle":
            turn, place = divmod(number, min(len(swarm), MOST_PICKED))
            if place == 0 or swarm != self._cycle_of:
                self._cycle_of = swarm
                self._cycle = picked(swarm, len(swarm), draw, b"cycle" + turn.to_bytes(6, "little"))
            return [self._cycle[place]]
        if self._rules.poll_node_choice == "sticky":
            term, place = divmod(number, self._rules.polls_per_node)
            if place == 0 or self._sticky not in swarm:
                others = [node for node in swarm if node != self._sticky] or list(swarm)
                self._sticky = others[number_at(draw, b"sticky" + term.to_bytes(6, "little"), len(others))]
            return [self._sticky]
        return picked(swarm, self._rules.poll_nodes, draw, b"poll" + number.to_bytes(6, "little"))

    def _poll_body(self, node: int, now_us: int) -> bytes:
        """Write the batch of signed retrieves for one node."""
        cursors = [self._last_hash.get((node, namespace), "") for namespace in self._rules.namespaces]
        return self._template.fill(self._client.wire_ms(now_us), cursors, self._sign)

    def _polled(self, node: int, status: int, body: bytes, now_us: int) -> list[Effect]:
        self._polls_open -= 1
        effects: list[Effect] = []
        try:
            if status == 200:
                for namespace, (code, fields) in zip(
                    self._rules.namespaces, rpc.read_batch(body), strict=False
                ):
                    if code == 421:
                        self._client.swarms.correct(self._account_id, fields)
                    elif code == 200:
                        if fields.get("messages") != []:
                            effects += self._take_messages(
                                node, namespace, rpc.read_retrieved(fields)[0], now_us
                            )
                        if namespace in self._client.read_to_end and fields.get("more") is not True:
                            effects += self._client.read_to_end[namespace](now_us)
                        self._succeeded = True
            elif status == 421:
                self._client.swarms.correct(self._account_id, rpc.read_object(body))
        except RemoteProtocolError:
            pass  # what was read before the fault counts; the next poll asks again
        return effects + self._round_done(now_us)

    def _round_done(self, now_us: int) -> list[Effect]:
        if self._polls_open == 0:
            self._failures = 0 if self._succeeded else self._failures + 1
            self._succeeded = False
            self._next_us = now_us + self._poll_pause_us()
        return []

    def _poll_pause_us(self) -> int:
        """Give the pause before the next round (client-behaviour 6.1)."""
        rules, failures = self._rules, self._failures
        if not failures or rules.poll_retry_rule == "interval":
            return rules.poll_interval_us
        steps = rules.poll_retry_step_us * failures
        if rules.poll_retry_rule == "alone":
            return min(steps, rules.poll_retry_cap_us)
        return max(rules.poll_interval_us, min(rules.poll_interval_us + steps, rules.poll_retry_cap_us))

    def _take_messages(
        self, node: int, namespace: int, messages: list[rpc.Retrieved], now_us: int
    ) -> list[Effect]:
        """Remember the cursor, and hand on what the client reads of this namespace."""
        effects: list[Effect] = []
        take = self._client.takers.get(namespace)
        for message in messages:
            self._last_hash[node, namespace] = message.hash
            if take is not None:
                effects += take(message, now_us)
        return effects


def picked(items: tuple[int, ...], count: int, entropy: Entropy, address: bytes) -> list[int]:
    """Pick up to MOST_PICKED different items in random order, drawn at one address."""
    order = list(items)
    random = entropy.draw(address)
    count = min(count, len(order), MOST_PICKED)
    for k in range(count):
        j = k + int.from_bytes(random[4 * k : 4 * k + 4], "little") % (len(order) - k)
        order[k], order[j] = order[j], order[k]
    return order[:count]
