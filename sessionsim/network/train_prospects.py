"""What is to be drawn of the idle polls of a client, if anything: a `Job` for each account that it polls.

Who asks is `trains`; what nodes would say is found out by `train_scouts`. How it went lately says how many
polls are worth drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from sessionsim.core.units import US_PER_MS
from sessionsim.network.connections import Connections
from sessionsim.network.links import Links
from sessionsim.network.train_jobs import FEW, Drawn, Job
from sessionsim.network.train_scouts import Scouts
from sessionsim.network.wire_sizes import WireSizes
from sessionsim.protocol.client.idling import IdlePolls
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.machine import Machine
from sessionsim.protocol.snode import ServiceNode

_MOST: Final = 1024  # polls in one train: bounds the memory it takes
_SHORT_US: Final = 200 * US_PER_MS  # Assumption: few polls are answered sooner; before it is known better
_TRANSPORT: Final = 7  # the low bits of a connection handle. Source: core.columns.Transport


@dataclass(slots=True)
class _Lately:
    """How it went with a client. Args: polls: that its next train may well have; round_us: a poll's time."""

    polls: int = _MOST
    round_us: int = _SHORT_US


class Prospects:
    """Says what is to be drawn.

    Args:
        machines, links, sizes, watched, horizon_us: see `Trains`.
        scouts: find out what nodes would say.
        connections: of the host.
        patience_us: how long nodes wait for the others of their swarm.
    """

    def __init__(
        self,
        machines: Sequence[Machine],
        links: Links,
        sizes: WireSizes,
        watched: frozenset[int],
        horizon_us: int,
        scouts: Scouts,
        connections: Connections,
        patience_us: int,
    ) -> None:
        self._machines, self._links, self._sizes = machines, links, sizes
        self._watched, self._horizon_us, self._scouts = watched, horizon_us, scouts
        self._connections, self._patience_us = connections, patience_us
        self._lately: dict[tuple[int, bytes], _Lately] = {}
        # Who asks that the messages of an account be kept longer; None for several.
        self._extenders: dict[bytes, int | None] = {}
        self.node_changes = 0  # how often nodes have changed

    def learn(self, jobs: Sequence[Job], drawn: Drawn) -> None:
        """Learn what came of drawing."""
        count, whose = len(drawn.starts_us), drawn.whose
        next_us = jobs[0].polls.next_of(drawn.next_us)
        for number, job in enumerate(jobs):
            lately = self._lately[job.endpoint, job.polls.account_id]
            its = count if whose is None else whose.count(number)
            cycle_us = job.pause_us + lately.round_us
            blocked = its < job.count and next_us + cycle_us < job.until_us
            lately.polls = its if blocked else max(lately.polls, 4 * its)
            if its > 1:
                took_us = (drawn.next_us[number] - job.polls.due_us) // its - job.pause_us
                lately.round_us = max(took_us, 1)

    def jobs(self, endpoint: int, polls: IdlePolls, now_us: int, afflicted: frozenset[int]) -> list[Job]:
        """Say what is to be drawn for a client; nothing if that is not worth while."""
        if endpoint in afflicted:
            return []
        self._in_time(endpoint, polls)
        streams, until_us = polls.streams, min(polls.until_us, self._horizon_us)
        lately = [self._lately.setdefault((endpoint, one.account_id), _Lately()) for one in streams]
        due_us = polls.next_of([one.due_us for one in streams])
        # Hardly a poll is answered in half the time that they usually take.
        if until_us - due_us < lately[0].round_us // 2:
            return []
        shunned = (self._watched, afflicted)
        free = [all([them.isdisjoint(route) for them in shunned]) for route in polls.routes]
        if not any(free):
            return []
        sights, idle = [], []
        for stream in streams:
            if not self._extends_alone(endpoint, stream):
                return []
            sight = self._scouts.look(
                endpoint, stream, max(due_us, stream.due_us), now_us, afflicted, self.node_changes
            )
            idle.append([t_us is not None for t_us in sight.until_us])
            if stream.due_us == due_us and not all(
                [idle[-1][stream.swarm.index(node)] for node in stream.next_nodes()]
            ):
                return []
            until_us = min([until_us, *(t_us for t_us in sight.until_us if t_us is not None)])
            sights.append(sight)
        transport = polls.connection & _TRANSPORT
        round_trips = self._sizes.handshake(transport)[2]
        guards = [route[0] for route in polls.routes]
        shake_us = [round_trips * self._links.base_rtt_us(endpoint, guard) for guard in guards]
        limit_us, connections = self._sizes.idle_limit_us(transport), self._connections
        last_us = []
        for guard in guards:
            uses_us = connections.last_uses(endpoint, guard, polls.connection)
            if uses_us is None:
                return []  # what the client does not wait for any more
            last_us.append([t_us for t_us in uses_us if now_us - t_us <= limit_us])
        shared = connections.is_shared(endpoint, polls.connection)
        jobs = []
        for stream, sight, its_idle, its_lately in zip(streams, sights, idle, lately, strict=True):
            clear = free
            if self.node_changes:
                clear = [one and self._leads(r, stream) for one, r in zip(free, polls.routes, strict=True)]
            # As many as fit before something falls due, and some more; but where trains were short lately,
            # for many polls pass somebody who watches, not many more than then.
            pause_us = stream.pause_us(now_us)
            fitting = (until_us - stream.due_us) // (pause_us + its_lately.round_us)
            if fitting < 0 and len(streams) == 1:
                return []
            count = min(_MOST, max(fitting, 0) + max(fitting, 0) // 16 + 2, FEW + 2 * its_lately.polls)
            jobs.append(
                Job(
                    endpoint, stream, count, until_us, pause_us,
                    [path and node for path in clear for node in its_idle],
                    sight.asks_us, sight.answers_us, sight.mates, self._patience_us,
                    shake_us, last_us, limit_us, shared, sight.again,
                )
            )  # fmt: skip
        return jobs

    def _extends_alone(self, endpoint: int, polls: IdlePolls) -> bool:
        """Say whether nobody else asks that the messages of an account be kept longer, if the client does.

        What nodes say to that depends on who has asked last.
        """
        if polls.extension is None:
            return True
        who = self._extenders.setdefault(polls.account_id, endpoint)
        if who != endpoint:
            self._extenders[polls.account_id] = None
        return who == endpoint

    def _in_time(self, endpoint: int, polls: IdlePolls) -> None:
        """Have a train end before the first poll that takes so long that a node may refuse its time."""
        client, node = self._machines[endpoint], self._machines[polls.swarm[0]]
        assert isinstance(client, Client)
        assert isinstance(node, ServiceNode)
        left_us = node.window_us - abs(client.clock.off_ms) * US_PER_MS
        for stream in polls.streams:
            stream.timeout_us = min(left_us, stream.timeout_us)

    def _leads(self, route: Sequence[int], polls: IdlePolls) -> bool:
        """Say whether every relay of a path would ask the next one, which may have left its list."""
        steps = [*pairwise(route), *((route[-1], node) for node in polls.swarm)]
        for relay, node in steps:
            machine = self._machines[relay]
            assert isinstance(machine, ServiceNode)
            if not machine.knows(node):
                return False
        return True
