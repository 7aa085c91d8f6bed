"""Constant rate: every slot holds a request, real or dummy, and every answer is equally late (metrics 3).

Clients send one onion request at each slot; guards pass all that came during a slot on together at the next
one, and give the answers a fixed time after the requests. So the times on a client's link say that the app
runs, and nothing else; and what goes on from a guard says nothing of how far away its client is, which would
tell clients apart to who sees when their requests reach guards and when messages reach a swarm. Lengths are
the business of `constant-size`. The price is a request and its answer per slot, and that what a client wants
to send or to know waits: for its slot, for what stands before it, and twice for the guard.

Not in slots: what goes to no service node (seed nodes, pushes, calls, link previews), and that a client
sleeps. If requests under way at a time had connections of their own (HTTP/1.1), each that is opened would
show and delay what waits for it; so under this defence they share one (Assumption: as over HTTP/2).

Source: metrics section 3 (constant-rate poll; slots of a payload queue); Shmatikov, Wang, Timing Analysis in
Low-Latency Mix Networks, ESORICS 2006: what is added beside the traffic leaks, what takes its place does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_MIN, US_PER_MS, US_PER_S
from sessionsim.protocol._defences import DEFENCES
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import ClientRules
from sessionsim.protocol.defences._holding import HoldingNode
from sessionsim.protocol.defences._slots import Slots
from sessionsim.protocol.lsrpc import OnionEndpoint
from sessionsim.protocol.snode import ServiceNode


@dataclass(frozen=True, slots=True)
class Config:
    """How often something leaves, and how late answers come."""

    slot_us: int = setting(
        US_PER_S, unit="us", doc="Time from one slot to the next; all clients have the same slots.",
        source="Assumption: what the busiest platform needs to poll as often as it does, and some more",
        low=10 * US_PER_MS, high=10 * US_PER_MIN,
    )  # fmt: skip
    answer_after_us: int = setting(
        3 * US_PER_S, unit="us", doc="How long after a request its guard gives the answer.",
        source="Assumption: a slot to wait for, and twice what all but one in twenty onion round trips take"
        " (metrics 5)",
        low=1, high=10 * US_PER_MIN,
    )  # fmt: skip


@DEFENCES.register(config=Config, source="metrics section 3; Shmatikov, Wang, ESORICS 2006")
class ConstantRate:
    """A request at every slot, real or dummy, passed on with all others; every answer equally late."""

    node_type: type[ServiceNode] = HoldingNode
    multiplexes: bool = True

    def __init__(self, config: Config) -> None:
        self._config = config

    def rules(self, rules: ClientRules) -> ClientRules:
        """Give the rules as they are: what a client wants is the same, only later."""
        return rules

    def defend_client(self, client: Client) -> None:
        """Have requests leave in slots."""
        client.pacing = Slots(client, self._config.slot_us, client.requests.nodes)

    def defend_node(self, node: ServiceNode) -> None:
        """Have requests of clients, and answers to them, held."""
        if isinstance(node, HoldingNode):
            node.hold(self._config.answer_after_us, self._config.slot_us)

    def defend_server(self, endpoint: OnionEndpoint) -> None:
        """Change nothing: when a server answers, the guard hides."""
