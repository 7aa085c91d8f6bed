"""The push server on the network: asked by clients through last hops, listening at nodes, telling platforms.

    client, last hop ──> /subscribe ──> all members of the account's swarm, by OxenMQ, anew every 45-55 min
    node ──> notification ──> the first of each message only ──> Apple, Google or Huawei ──> device

What it keeps and decides is `push.server.PushServer`; here are links and times. The nodes of an account are
computed from the node list, which the server has from the chain, and looked up anew when that changes.
A node that cannot be reached is tried again after a while. The real server keeps a connection to every node
from its start; here one is opened when the first account there is subscribed to.
Source: client-behaviour 6.4; session-push-notification-server: spns/hive/snode.cpp, spns/hivemind.cpp.
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final

from sessionsim.core.columns import Cause, Transport, note_of
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.machine import EVENT, NOTHING, SEND, WAKE_AT, Effect, Effects
from sessionsim.protocol.push.notifiers import Push
from sessionsim.protocol.push.rules import PushRules
from sessionsim.protocol.push.server import PushServer
from sessionsim.protocol.servers.behind_onion import ServerBehindOnion
from sessionsim.protocol.servers.platform import write_push
from sessionsim.protocol.swarms import nearest_swarm, swarm_position
from sessionsim.protocol.wire.monitor import read_ended

_OMQ, _HTTPS = int(Transport.OMQ), int(Transport.HTTPS)
_TRANSPORT: Final = 7  # the low bits of a connection handle. Source: core.columns.Transport
_NOTE: Final = note_of(Cause.PUSH)
# Exchange numbers: requests to nodes and to platforms lie apart.
_TO_NODES, _TO_PLATFORMS = 1 << 40, 2 << 40


class PushMachine:
    """One push server.

    Args:
        server: what it keeps and decides.
        front: its onion endpoint, around `server.handle`.
        rules: limits and periods.
        nodes: the node list at the start.
        platforms: endpoint of every service (`push.subscription.SERVICES`); what is missing gets no pushes.
    """

    def __init__(
        self,
        server: PushServer,
        front: ServerBehindOnion,
        rules: PushRules,
        nodes: NodeList,
        platforms: Mapping[str, int],
    ) -> None:
        self.server, self.front, self._rules, self._nodes = server, front, rules, nodes
        self._platforms = platforms
        self._to_nodes, self._to_platforms = count(_TO_NODES), count(_TO_PLATFORMS)
        self._members: dict[bytes, tuple[int, ...]] = {}  # of each account that is monitored
        # When something is to be asked of a node, (time, node); what `_next_us` does not name is stale.
        self._due: list[tuple[int, int]] = []
        self._next_us: dict[int, int] = {}
        self._lost: dict[int, int] = {}  # nodes that could not be reached, and when to try again
        self._armed_us: int | None = None

    def start(self, now_us: int) -> Effects:
        return NOTHING

    def receive(
        self, src: int, conn: int, exchange: int, head: str | int, payload: bytes, now_us: int
    ) -> Effects:
        transport = conn & _TRANSPORT
        if transport == _OMQ:
            # Who is no node was never subscribed at, so nothing of it can come over our own connection.
            if 0 <= src < len(self._nodes) and head == "notify":
                return self._announced(payload, now_us)
            if 0 <= src < len(self._nodes) and head == "monitor_ended":
                return self._ended(src, payload, now_us)
            return NOTHING
        if type(head) is not str:
            return NOTHING
        effects = [*self.front.receive(src, conn, exchange, head, payload, now_us)]
        fresh = self.server.take_fresh()
        for account in fresh:
            self._spread(account, at_once=True)
        return self._asked(effects, now_us) if fresh else effects

    def failed(self, dst: int, conn: int, exchange: int, reason: str, now_us: int) -> Effects:
        """Learn that a node or platform cannot be reached. A push that does not get through is lost."""
        if conn & _TRANSPORT == _OMQ and dst not in self._lost:
            self._lost[dst] = now_us + self._rules.reconnect_us
            self._plan(dst, self._lost[dst])
            return self._armed([])
        return NOTHING

    def command(self, command: tuple[Any, ...], now_us: int) -> Effects:
        """Learn of a new node list: ("swarms", nodes, height). Others are not for it."""
        if command[0] != "swarms":
            return NOTHING
        self._nodes = command[1]
        for account in list(self._members):
            self._spread(account, at_once=False)
        return self._asked([], now_us)

    def wake(self, now_us: int) -> Effects:
        self._armed_us = None
        return self._asked([], now_us)

    # --- subscriptions at nodes ---------------------------------------------------------------------------

    def _spread(self, account: bytes, *, at_once: bool) -> None:
        """Have an account subscribed to at all members of its swarm, and at nobody else."""
        renewals = self.server.renewals
        swarm = nearest_swarm(swarm_position(account[1:]), self._nodes.swarm_ids)
        members = self._nodes.members[swarm] if swarm is not None else ()
        before = self._members.get(account, ())
        self._members[account] = members
        for node in before:
            if node not in members:
                renewals.drop(node, account)
        for node in members:
            renewals.add(node, account, at_once=at_once)
            if node not in self._lost:
                self._plan(node, renewals.next_us(node))

    def _plan(self, node: int, t_us: int | None) -> None:
        """Have a node asked at a time; only the last such wish counts."""
        if t_us is not None and self._next_us.get(node) != t_us:
            self._next_us[node] = t_us
            heappush(self._due, (t_us, node))

    def _asked(self, effects: list[Effect], now_us: int) -> Effects:
        """Add what is due at nodes, and the wish to be woken for what comes after it."""
        due, renewals = self._due, self.server.renewals
        while due and due[0][0] <= now_us:
            t_us, node = heappop(due)
            if self._next_us.get(node) != t_us:
                continue
            del self._next_us[node]
            if self._lost.pop(node, None) is not None:
                renewals.reconnected(node)
            while (payload := self.server.calls(node, now_us)) is not None:
                exchange = next(self._to_nodes)
                effects.append((SEND, node, _OMQ, exchange, "monitor", payload, _NOTE))
            self._plan(node, renewals.next_us(node))
        return self._armed(effects)

    def _armed(self, effects: list[Effect]) -> Effects:
        if self._due and (self._armed_us is None or self._due[0][0] < self._armed_us):
            self._armed_us = self._due[0][0]
            effects.append((WAKE_AT, self._armed_us))
        return effects

    # --- what nodes tell ----------------------------------------------------------------------------------

    def _announced(self, payload: bytes, now_us: int) -> Effects:
        try:
            pushes = self.server.announced(payload, now_us)
        except RemoteProtocolError:
            return NOTHING
        effects: list[Effect] = []
        for push in pushes:
            effects += self._pushed(push)
        return effects

    def _pushed(self, push: Push) -> list[Effect]:
        platform = self._platforms.get(push.service)
        if platform is None:
            return []
        body = write_push(push)
        told: Effect = (EVENT, "push-sent", -1, len(push.body))
        return [told, (SEND, platform, _HTTPS, next(self._to_platforms), "push", body, 0)]

    def _ended(self, node: int, payload: bytes, now_us: int) -> Effects:
        """A node no longer has an account: others do, or will have once the node list says so."""
        try:
            account, _code = read_ended(payload)
        except RemoteProtocolError:
            return NOTHING
        if account in self._members:
            self.server.renewals.drop(node, account)
        return NOTHING
