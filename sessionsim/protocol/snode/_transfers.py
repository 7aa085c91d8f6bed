"""Handing messages on when swarms change, and taking what others hand on (transport 5.10).

In 2.8 a node sends new members of its swarm all it has as soon as it sees them. In newer versions a new
member asks each of the others (sn.data_ready), again until one says OK, and gets the messages at the next
regular check. New swarms, and all swarms when one's own is gone, get theirs unasked in every version. Nobody
waits for an answer to a batch.
Source: session-storage-server: oxenss/snode/service_node.cpp check_new_members, bootstrap_swarms, swarm.cpp.
"""

from __future__ import annotations

from collections.abc import Iterator

from sessionsim.core.columns import Cause, Transport, note_of
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.handovers import change_for, handovers, split_by_swarm
from sessionsim.protocol.machine import SEND, Effect
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.snode._retries import NEVER_US
from sessionsim.protocol.storage import MessageStore
from sessionsim.protocol.stored import Held
from sessionsim.protocol.wire import sn_data

_OMQ = int(Transport.OMQ)
_NOTE = note_of(Cause.REPLICATION)


class _Question:
    """A member that is to be asked. Args: next_us: not before; attempts: made so far."""

    __slots__ = ("attempts", "next_us")

    def __init__(self) -> None:
        self.attempts, self.next_us = 0, 0


class Transfers:
    """The transfers of one node.

    Args:
        node: its endpoint.
        nodes: the list it knows at first.
        store: its messages.
        rules: version and intervals.
        numbers: the node's exchange numbers.
    """

    def __init__(
        self, node: int, nodes: NodeList, store: MessageStore, rules: NodeRules, numbers: Iterator[int]
    ) -> None:
        self._numbers = numbers
        self._node, self._nodes, self._store, self._rules = node, nodes, store, rules
        self._unasked: dict[int, _Question] = {}
        self._askers: list[int] = []
        self._awaited: dict[int, int] = {}  # exchange number -> member
        self.next_us = NEVER_US  # the next regular check at which there is something to do

    def __len__(self) -> int:
        return len(self._awaited)

    def change(self, nodes: NodeList, effects: list[Effect], now_us: int, now_ms: int) -> None:
        """Learn a new node list, and hand on what is due at once."""
        self._store.expire(now_ms)
        change = change_for(self._node, self._nodes, nodes)
        self._nodes = nodes
        others = self._others()
        self._unasked = {member: self._unasked[member] for member in others if member in self._unasked}
        self._askers = [member for member in self._askers if member in others]
        self._awaited = {exchange: m for exchange, m in self._awaited.items() if m in self._unasked}
        on_request = self._rules.transfer_on_request
        if on_request and change.entered:
            self._unasked = {member: _Question() for member in others}
        for takers, messages in handovers(
            self._node, change, nodes.members, self._store.everything(), unasked=not on_request
        ):
            self._send(takers, messages, effects)
        self._settle(now_us)

    def restart(self, effects: list[Effect], now_us: int) -> None:
        """Begin anew with what the store holds.

        2.8 takes itself for new in its swarm and hands the others what it has. Newer versions know from their
        disk that they are not new, and ask the others only if it is empty.
        Source: session-storage-server: oxenss/snode/swarm.cpp derive_swarm_events, update_swarms.
        """
        self._unasked, self._askers, self._awaited = {}, [], {}
        if not self._rules.transfer_on_request:
            self._send(self._others(), self._share(), effects)
        elif not len(self._store):
            self._unasked = {member: _Question() for member in self._others()}
        self._settle(now_us)

    def _others(self) -> tuple[int, ...]:
        """Give the other members of the node's swarm."""
        members = self._nodes.members.get(self._nodes.swarm[self._node], ())
        return tuple(member for member in members if member != self._node)

    def _share(self) -> tuple[Held, ...]:
        """Give what it holds of its own swarm."""
        own = self._nodes.swarm[self._node]
        return tuple(split_by_swarm(self._store.everything(), self._nodes.members).get(own, ()))

    def _settle(self, now_us: int) -> None:
        if self._askers:
            earliest_us = now_us
        elif self._unasked:
            earliest_us = max(now_us, min(question.next_us for question in self._unasked.values()) - 1)
        else:
            self.next_us = NEVER_US
            return
        period_us = self._rules.newcomer_check_us
        self.next_us = (earliest_us // period_us + 1) * period_us

    def check(self, effects: list[Effect], now_us: int) -> None:
        """Ask whom there is to ask, and send those who asked."""
        for member, question in list(self._unasked.items()):
            if question.next_us > now_us:
                continue
            if question.attempts >= self._rules.newcomer_attempts_max:
                self._asked_enough(member)
                continue
            question.attempts += 1
            question.next_us = now_us + self._rules.newcomer_retry_us
            exchange = next(self._numbers)
            effects.append((SEND, member, _OMQ, exchange, "sn.data_ready", sn_data.write_ready(True), _NOTE))
            self._awaited[exchange] = member
        askers, self._askers = self._askers, []
        if askers:
            self._send(tuple(askers), self._share(), effects)
        self._settle(now_us)

    def _send(self, nodes: tuple[int, ...], messages: tuple[Held, ...], effects: list[Effect]) -> None:
        batches = sn_data.write_batches(
            messages, namespaces=self._rules.transfer_namespaces, most_bytes=self._rules.transfer_batch_bytes
        )
        for node in nodes:
            for batch in batches:
                effects.append((SEND, node, _OMQ, next(self._numbers), "sn.data", batch, _NOTE))

    def asked(self, src: int, payload: bytes, now_us: int) -> bytes:
        """Answer another node's sn.data_ready."""
        if src not in self._nodes.members.get(self._nodes.swarm[self._node], ()):
            return b"Swarm mismatch"
        if not payload:
            return b"Request payload missing"
        try:
            needs = sn_data.read_ready(payload)
        except RemoteProtocolError:
            return b"Request payload malformed."
        if needs and src not in self._askers:
            self._askers.append(src)
            self._settle(now_us)
        return sn_data.OK

    def given(self, payload: bytes, now_ms: int) -> None:
        """Take a batch that another node hands on; what cannot be read is dropped, as in the server."""
        try:
            messages, misplaced = sn_data.read_batch(payload)
        except RemoteProtocolError:
            return
        self._store.merge(messages, misplaced=misplaced, now_ms=now_ms)

    def take(self, src: int, exchange: int, payload: bytes, now_us: int) -> bool:
        """Take the answer to a question; False if nothing like it is awaited."""
        if self._awaited.get(exchange) != src:
            return False
        del self._awaited[exchange]
        if payload == sn_data.OK:
            self._asked_enough(src)
            self._settle(now_us)
        return True

    def _asked_enough(self, member: int) -> None:
        self._unasked.pop(member, None)
        self._awaited = {exchange: one for exchange, one in self._awaited.items() if one != member}
