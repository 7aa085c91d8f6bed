"""Idle polls in bulk: polls that bring nothing and that nobody sees are drawn as arrays, not carried out.

When a client says that only polls are ahead of it (`protocol.client.idling`), and its swarm has nothing for
it, the times of its next polls follow from addressed draws alone: when each begins, how long it takes, when
its guard sends the answer (`train_draws`). They are kept as a `_Train`, and the client sleeps to its end. A
client whose train is over, or that wants to be woken, is asked when its next poll is due, together with all
others that wait for theirs; so many are drawn at once. A train ends before the first poll that

    asks a node that has something for the client, or whose answer will change by itself
    passes an endpoint that somebody watches, or with which something is wrong
    takes so long that the client would give it up
    or begins when something else falls due at the client.

Until then anything may happen: a command, an arrival at the client, a change of its messages at a node, a
node that learns of another node list, something that fails. Just before it does, the client is set to where
it would be (`Trains.catch_up`): behind all polls that are over, and with a poll that is under way carried out
from its beginning, its events lying in the past. Those events touch nothing but relays, the client and nodes
that still hold what they held then, so they come out as they would have. Outcomes and records are those of a
run without trains (tested).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Final, Protocol

import numpy as np

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.units import US_PER_MS
from sessionsim.network.connections import Connections
from sessionsim.network.links import Links
from sessionsim.network.train_draws import draw
from sessionsim.network.train_exchanges import STEPS
from sessionsim.network.train_jobs import Job
from sessionsim.network.train_kept import Train
from sessionsim.network.train_scouts import Scouts
from sessionsim.network.wire_sizes import WireSizes
from sessionsim.protocol.client.idling import IdlePolls
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.crypto.suite import Suite
from sessionsim.protocol.machine import Machine
from sessionsim.protocol.snode import ServiceNode

_FEW: Final = 8  # Assumption: polls that are drawn in any case
_MOST: Final = 1024  # polls in one train: bounds the memory it takes
_SHORT_US: Final = 200 * US_PER_MS  # Assumption: few polls are answered sooner; before it is known better
_TRANSPORT: Final = 7  # the low bits of a connection handle. Source: core.columns.Transport


class Host(Protocol):
    """What trains must know of, and have done by, whoever carries out all else."""

    connections: Connections

    def afflicted(self, now: int) -> frozenset[int] | None:
        """Give the endpoints with which something is wrong, or None if all may be struck."""

    def wake_at(self, endpoint: int, t_us: int) -> None:
        """Wake a machine then, and not before if nothing else happens to it."""

    def rewind(self, endpoint: int, t_us: int, now: int) -> None:
        """Wake a machine at a time that may be past, and carry out what would have come of it by now."""


@dataclass(slots=True)
class _Lately:
    """How it went with a client. Args: polls: that its next train may well have; round_us: a poll's time."""

    polls: int = _MOST
    round_us: int = _SHORT_US


class Trains:
    """The trains of one run.

    Args:
        machines: of the run; n_nodes: how many are service nodes, which come first.
        addresses, links, sizes, families: as the host has them.
        suite: of the run.
        watched: endpoints all of whose links are recorded.
        horizon_us: end of the run.
        host: carries out all else.

    Raises:
        LocalProtocolError: nodes with lines that are limited.
    """

    def __init__(
        self,
        machines: Sequence[Machine],
        n_nodes: int,
        addresses: Sequence[int],
        links: Links,
        sizes: WireSizes,
        families: bytes,
        suite: Suite,
        watched: frozenset[int],
        horizon_us: int,
        host: Host,
    ) -> None:
        if any(links.us_per_byte(node, node) for node in range(n_nodes)):
            raise LocalProtocolError("trains: the lines of nodes must have no limit")
        self._machines, self._families = machines, families
        self._addresses = np.array(addresses, dtype=np.uint64)
        self._links, self._sizes, self._suite = links, sizes, suite
        self._watched, self._horizon_us, self._host = watched, horizon_us, host
        self._scouts = Scouts(machines, links, sizes, families, suite, watched)
        self._lately: dict[tuple[int, bytes], _Lately] = {}
        self._waiting: dict[int, None] = {}  # clients that wait to be woken, perhaps for an idle poll
        self._in_the_past = False
        self.running: dict[int, Train] = {}
        # Clients whose trains rest on the messages of an account, and on a node.
        self._clients_of: dict[bytes, list[int]] = {}
        self._clients_over: dict[int, set[int]] | None = None
        # Who asks that the messages of an account be kept longer; None for several.
        self._extenders: dict[bytes, int | None] = {}
        self._node_changes = 0  # how often nodes have changed
        self.riders: set[int] = set()  # clients that ever had a train
        self.polls = 0  # that were not carried out
        self.transmissions = 0  # that those would have been
        self.now_us = 0
        self._patience_us = 0
        for number, node in enumerate(machines[:n_nodes]):
            assert isinstance(node, ServiceNode)
            self._patience_us = node.patience_us
            node.store.on_change = partial(self._changing, number)
            node.store.on_look = self._looking

    def wait(self, endpoint: int) -> None:
        """Learn that a machine is going to be woken."""
        if endpoint not in self._watched and isinstance(self._machines[endpoint], Client):
            self._waiting[endpoint] = None

    def goes_on(self, endpoint: int, now_us: int) -> bool:
        """Say whether a client that is to be woken now sleeps on through idle polls.

        If its next poll is due and idle, the polls of all clients that wait are drawn with it.
        """
        self._waiting.pop(endpoint, None)
        client = self._machines[endpoint]
        if not isinstance(client, Client) or self._in_the_past or endpoint in self._watched:
            return False
        polls = client.idle(now_us)
        if polls is None or polls.next_of([stream.due_us for stream in polls.streams]) != now_us:
            return False
        afflicted = self._host.afflicted(now_us)
        if afflicted is None:
            return False
        first = self._jobs(endpoint, polls, now_us, afflicted)
        if not first:
            return False
        ahead = [first]
        waiting, self._waiting = self._waiting, {}
        for other in waiting:
            one = self._machines[other]
            its = one.idle(now_us) if isinstance(one, Client) else None
            jobs = self._jobs(other, its, now_us, afflicted) if its is not None else []
            if jobs:
                ahead.append(jobs)
        self._begin(ahead)
        return endpoint in self.running

    def settle(self) -> None:
        """Count the polls of trains that the end of the run finds on their way."""
        for endpoint in tuple(self.running):
            self.end(endpoint)

    # --- drawing ------------------------------------------------------------------------------------------

    def _begin(self, ahead: list[list[Job]]) -> None:
        for jobs, drawn in zip(ahead, draw(ahead, self._addresses, self._links), strict=True):
            endpoint, count = jobs[0].endpoint, len(drawn.starts_us)
            polls, whose = jobs[0].polls, drawn.whose
            next_us = polls.next_of(drawn.next_us)
            for number, job in enumerate(jobs):
                lately = self._lately[endpoint, job.polls.account_id]
                its = count if whose is None else whose.count(number)
                cycle_us = job.pause_us + lately.round_us
                blocked = its < job.count and next_us + cycle_us < job.until_us
                lately.polls = its if blocked else max(lately.polls, 4 * its)
                if its > 1:
                    took_us = (drawn.next_us[number] - job.polls.due_us) // its - job.pause_us
                    lately.round_us = max(took_us, 1)
            if not count:
                continue
            self.running[endpoint] = train = Train(jobs, drawn)
            self.riders.add(endpoint)
            for stream in polls.streams:
                self._clients_of.setdefault(stream.account_id, []).append(endpoint)
            if self._clients_over is not None:
                self._note_nodes(self._clients_over, endpoint, polls)
            # All polls of the train are over by the time at which something else falls due.
            self._host.wake_at(endpoint, min(train.end_us, polls.until_us))

    def _jobs(self, endpoint: int, polls: IdlePolls, now_us: int, afflicted: frozenset[int]) -> list[Job]:
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
            sight = self._scouts.look(endpoint, stream, now_us, afflicted, self._node_changes)
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
        limit_us, connections = self._sizes.idle_limit_us(transport), self._host.connections
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
            if self._node_changes:
                clear = [one and self._leads(r, stream) for one, r in zip(free, polls.routes, strict=True)]
            # As many as fit before something falls due, and some more; but where trains were short lately,
            # for many polls pass somebody who watches, not many more than then.
            pause_us = stream.pause_us(now_us)
            fitting = (until_us - stream.due_us) // (pause_us + its_lately.round_us)
            if fitting < 0 and len(streams) == 1:
                return []
            count = min(_MOST, max(fitting, 0) + max(fitting, 0) // 16 + 2, _FEW + 2 * its_lately.polls)
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

    # --- going on -----------------------------------------------------------------------------------------

    def end(self, endpoint: int) -> None:
        """Take a client out of its train, at the end of which it is woken."""
        train = self._take(endpoint)
        self._skip(endpoint, train, len(train))

    def catch_up(self, endpoint: int, now_us: int) -> None:
        """Set a client to where it would be, just before something happens to it or to its messages."""
        train = self._take(endpoint)
        next_us = self._skip(endpoint, train, train.done_by(now_us))
        self._in_the_past = True
        # Something else may fall due before the next poll.
        self._host.rewind(endpoint, min(next_us, train.polls.until_us), now_us)
        self._in_the_past = False
        if next_us >= now_us:
            self._waiting[endpoint] = None

    def catch_up_all(self, now_us: int) -> None:
        """Set all clients to where they would be, just before something fails or recovers."""
        for endpoint in tuple(self.running):
            if endpoint in self.running:  # one may have taken another along
                self.catch_up(endpoint, now_us)

    def catch_up_over(self, node: int, now_us: int) -> None:
        """Set clients whose polls may pass a node to where they would be, just before the node changes."""
        self._node_changes += 1
        if self._clients_over is None:  # most runs have no such changes
            self._clients_over = {}
            for endpoint, train in self.running.items():
                self._note_nodes(self._clients_over, endpoint, train.polls)
        for endpoint in sorted(self._clients_over.get(node, ())):
            if endpoint in self.running:
                self.catch_up(endpoint, now_us)

    def _changing(self, node: int, account_id: bytes) -> None:
        self._scouts.change(account_id, node)
        now_us = self.now_us
        for endpoint in tuple(self._clients_of.get(account_id, ())):
            if endpoint in self.running:
                self.catch_up(endpoint, now_us)
        self.now_us = now_us

    def _looking(self, account_id: bytes) -> None:
        """Have asked for what trains ask of the messages of an account."""
        now_us = self.now_us
        for endpoint in tuple(self._clients_of.get(account_id, ())):
            train = self.running.get(endpoint)
            if train is not None and any(
                [one.extension is not None for one in train.polls.streams if one.account_id == account_id]
            ):
                self.catch_up(endpoint, now_us)
        self.now_us = now_us

    def _take(self, endpoint: int) -> Train:
        train = self.running.pop(endpoint)
        for stream in train.polls.streams:
            self._clients_of[stream.account_id].remove(endpoint)
        if self._clients_over is not None:
            for node in _nodes_of(train.polls):
                self._clients_over[node].discard(endpoint)
        return train

    @staticmethod
    def _note_nodes(over: dict[int, set[int]], endpoint: int, polls: IdlePolls) -> None:
        for node in _nodes_of(polls):
            over.setdefault(node, set()).add(endpoint)

    def _skip(self, endpoint: int, train: Train, count: int) -> int:
        """Set a client behind the first polls of its train; when its next one begins."""
        client, polls = self._machines[endpoint], train.polls
        assert isinstance(client, Client)
        skips = train.skips(count)
        client.skip(skips)
        for path, uses_us in train.last_uses(count).items():
            self._host.connections.use(endpoint, polls.routes[path][0], polls.connection, uses_us)
        for number, (stream, skip) in enumerate(zip(polls.streams, skips, strict=True)):
            requests = skip.polls * stream.at_a_time
            self.polls += requests
            self.transmissions += requests * STEPS
            if stream.extension is not None and skip.polls:
                self.transmissions += requests * 2 * (len(stream.swarm) - 1)
                asked_ms = client.wire_ms(train.last_start_us(number, count))
                asked_ms += stream.extension.life_us // US_PER_MS
                for node in stream.swarm:
                    machine = self._machines[node]
                    assert isinstance(machine, ServiceNode)
                    for hash_ in stream.extension.hashes:
                        machine.store.extend(stream.account_id, hash_, asked_ms)
        return polls.next_of([skip.next_us for skip in skips])


def _nodes_of(polls: IdlePolls) -> set[int]:
    """Give all nodes that the polls may pass."""
    swarms = [node for stream in polls.streams for node in stream.swarm]
    return {*swarms, *(node for route in polls.routes for node in route)}
