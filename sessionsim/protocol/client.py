"""The client machine: polls its own swarm, sends direct messages with their sync copies.

One machine for all platforms; what differs are `ClientRules`. Each poll asks one or more swarm nodes for
the account's namespaces in one signed batch; `last_hash` is kept per (node, namespace), so a node not
asked before gives everything again. After failed rounds the platforms pause differently. Sending is
`protocol.outbox`. Paths and guards are fixed for the run; guard tests, rotation, groups, config pushes and
their `expire` in polls, clock correction after a 406, and Android's own repeats of failed requests and its
merging of requests made within 100 ms are not part of this machine yet (docs/limitations.md).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.client_rules import ClientRules
from sessionsim.protocol.crypto.suite import Suite
from sessionsim.protocol.identity import Account
from sessionsim.protocol.machine import DELIVER, NOTHING, WAKE_AT, Effect, Effects
from sessionsim.protocol.outbox import Outbox
from sessionsim.protocol.paths import number_at
from sessionsim.protocol.requests import Purpose, Requests
from sessionsim.protocol.swarm_cache import SwarmCache
from sessionsim.protocol.versions.v1 import Profile, open_direct
from sessionsim.protocol.wire import rpc
from sessionsim.protocol.wire.onion import Hop
from sessionsim.protocol.wire.poll import PollTemplate

_POLL_NOTE = note_of(Cause.POLL)
MOST_PICKED = 16  # as many as one draw of 64 bytes has room for; swarms have 5 to 7 nodes (transport 2.1)
_PARALLEL_BITS = 2  # a poll asks at most four nodes (ClientRules.poll_nodes)


class Client:
    """A client of one account on one device.

    Args:
        account: its keys.
        nodes: the node list it holds; hops: the same as route entries.
        rules: its platform.
        suite, entropy: cryptography and addressed chance.
        epoch_ms: unix time in ms at simulated time 0.
        profile: what it tells about itself in texts.
    """

    def __init__(
        self,
        account: Account,
        nodes: NodeList,
        hops: tuple[Hop, ...],
        rules: ClientRules,
        suite: Suite,
        entropy: Entropy,
        epoch_ms: int,
        profile: Profile,
    ) -> None:
        self.account, self.rules, self.epoch_ms = account, rules, epoch_ms
        self.suite, self.entropy = suite, entropy
        self.body_style = rpc.BODY_STYLES[rules.body_style]
        sizes = [
            rules.max_size_configs if namespace else rules.max_size_messages for namespace in rules.namespaces
        ]
        self._sign = partial(suite.sign, account.ed)
        self._poll_template = PollTemplate(
            self.body_style, account.id_hex, account.ed.public.hex(), rules.namespaces, sizes
        )
        self.requests = Requests(nodes, hops, rules, suite, entropy)
        self.swarms = SwarmCache(self, nodes)
        self._outbox = Outbox(self, profile)
        self._polls = 0
        self._polls_open = 0
        self._next_poll_us: int | None = None
        self._poll_failures = 0  # rounds in a row that brought nothing
        self._poll_succeeded = False  # in the round under way
        self._cycle: list[int] = []
        self._cycle_of: tuple[int, ...] = ()
        self._sticky = -1
        self._last_hash: dict[tuple[int, int], str] = {}
        self._seen: set[str] = set()
        self._armed_us: int | None = None

    # --- the machine contract -------------------------------------------------------------------------

    def start(self, now_us: int) -> Effects:
        self._next_poll_us = now_us + number_at(self.entropy, b"phase", self.rules.poll_interval_us)
        return self._armed([], now_us)

    def receive(
        self, src: int, conn: int, exchange: int, head: str | int, payload: bytes, now_us: int
    ) -> Effects:
        request = self.requests.take(src, conn, exchange) if type(head) is int else None
        if request is None:
            return NOTHING
        status, body = head, b""  # what a guard says of itself is no answer of the node that was asked
        if head == 200:
            try:
                status, body = request.open(payload)
            except (ProtocolError, TypeError):  # TypeError: nested deeper than orjson can write it down
                status = 0
        effects: list[Effect] = request.done(status, body, now_us)
        return self._armed(effects, now_us)

    def failed(self, dst: int, conn: int, exchange: int, reason: str, now_us: int) -> Effects:
        request = self.requests.take(dst, conn, exchange)
        return self._armed(request.done(0, b"", now_us), now_us) if request else NOTHING

    def command(self, command: tuple[Any, ...], now_us: int) -> Effects:
        if command[0] == "send":
            _, ref, recipient_id, body = command
            return self._armed(self._outbox.accept(ref, recipient_id, body, now_us), now_us)
        if command[0] == "poll":
            return self._armed(self._poll(now_us), now_us)
        raise LocalProtocolError(f"unknown command {command[0]!r}")

    def wake(self, now_us: int) -> Effects:
        self._armed_us = None
        effects: list[Effect] = []
        for request in self.requests.overdue(now_us):
            effects += request.done(0, b"", now_us)
        effects += self._outbox.wake(now_us)
        if self._next_poll_us is not None and self._next_poll_us <= now_us:
            effects += self._poll(now_us)
        return self._armed(effects, now_us)

    def _armed(self, effects: list[Effect], now_us: int) -> Effects:
        """Add a wish to be woken when the earliest thing that can fall due is not covered yet."""
        due = self._next_poll_us
        for other in (self.requests.next_deadline_us(), self._outbox.next_due_us()):
            if other is not None and (due is None or other < due):
                due = other
        if due is not None and due != self._armed_us and (self._armed_us is None or due < self._armed_us):
            self._armed_us = due
            effects.append((WAKE_AT, due))
        return effects

    def wire_ms(self, now_us: int) -> int:
        """Give the client's clock as it writes it into requests: unix time in ms."""
        return self.epoch_ms + now_us // US_PER_MS

    # --- polling ----------------------------------------------------------------------------------------

    def _poll(self, now_us: int) -> list[Effect]:
        """Start one round; the next is due an interval after the last answer of this one."""
        self._next_poll_us = None
        number, self._polls = self._polls, self._polls + 1
        self._polls_open += 1
        return self.swarms.find(self.account.id, now_us, lambda swarm, t_us: self._ask(number, swarm, t_us))

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
                self.requests.send(
                    exchange, node, body, _POLL_NOTE, now_us,
                    lambda status, answer, t_us, node=node: self._polled(node, status, answer, t_us),
                )
            )  # fmt: skip
        return effects

    def _choose_nodes(self, number: int, swarm: tuple[int, ...]) -> list[int]:
        """Choose whom to ask, as the platform does (client-behaviour 6.1)."""
        draw = self.entropy
        if self.rules.poll_node_choice == "cycle":
            turn, place = divmod(number, min(len(swarm), MOST_PICKED))
            if place == 0 or swarm != self._cycle_of:
                self._cycle_of = swarm
                self._cycle = picked(swarm, len(swarm), draw, b"cycle" + turn.to_bytes(6, "little"))
            return [self._cycle[place]]
        if self.rules.poll_node_choice == "sticky":
            term, place = divmod(number, self.rules.polls_per_node)
            if place == 0 or self._sticky not in swarm:
                others = [node for node in swarm if node != self._sticky] or list(swarm)
                self._sticky = others[number_at(draw, b"sticky" + term.to_bytes(6, "little"), len(others))]
            return [self._sticky]
        return picked(swarm, self.rules.poll_nodes, draw, b"poll" + number.to_bytes(6, "little"))

    def _poll_body(self, node: int, now_us: int) -> bytes:
        """Write the batch of signed retrieves for one node."""
        cursors = [self._last_hash.get((node, namespace), "") for namespace in self.rules.namespaces]
        return self._poll_template.fill(self.wire_ms(now_us), cursors, self._sign)

    def _polled(self, node: int, status: int, body: bytes, now_us: int) -> list[Effect]:
        self._polls_open -= 1
        effects: list[Effect] = []
        try:
            if status == 200:
                for namespace, (code, fields) in zip(
                    self.rules.namespaces, rpc.read_batch(body), strict=False
                ):
                    if code == 421:
                        self.swarms.correct(self.account.id, fields)
                    elif code == 200:
                        if fields.get("messages") != []:
                            effects += self._take_messages(node, namespace, rpc.read_retrieved(fields)[0])
                        self._poll_succeeded = True
            elif status == 421:
                self.swarms.correct(self.account.id, rpc.read_object(body))
        except RemoteProtocolError:
            pass  # what was read before the fault counts; the next poll asks again
        return effects + self._round_done(now_us)

    def _round_done(self, now_us: int) -> list[Effect]:
        if self._polls_open == 0:
            self._poll_failures = 0 if self._poll_succeeded else self._poll_failures + 1
            self._poll_succeeded = False
            self._next_poll_us = now_us + self._poll_pause_us()
        return []

    def _poll_pause_us(self) -> int:
        """Give the pause before the next round (client-behaviour 6.1)."""
        rules, failures = self.rules, self._poll_failures
        if not failures or rules.poll_retry_rule == "interval":
            return rules.poll_interval_us
        steps = rules.poll_retry_step_us * failures
        if rules.poll_retry_rule == "alone":
            return min(steps, rules.poll_retry_cap_us)
        return max(rules.poll_interval_us, min(rules.poll_interval_us + steps, rules.poll_retry_cap_us))

    def _take_messages(self, node: int, namespace: int, messages: list[rpc.Retrieved]) -> list[Effect]:
        """Remember the cursor, open what is new, and deliver texts of others."""
        effects: list[Effect] = []
        for message_hash, _timestamp_ms, _expiry_ms, data in messages:
            self._last_hash[node, namespace] = message_hash
            if namespace != 0 or message_hash in self._seen:
                continue
            self._seen.add(message_hash)
            try:
                message = open_direct(self.suite, self.account, data)
            except ProtocolError:
                continue  # a stranger may store anything in an inbox (messages 1: any failure is a drop)
            if message.sender_id != self.account.id:
                effects.append((DELIVER, message.sender_id, message.sent_ms, message.body, message_hash))
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
