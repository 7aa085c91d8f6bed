"""Idle polls in bulk: polls that bring nothing and that nobody sees are drawn as arrays, not carried out.

When a client says that only polls are ahead of it (`protocol.client.idling`), and its swarm has nothing for
it, the times of its next polls follow from addressed draws alone: when each begins, how long it takes, when
its guard sends the answer (`train_draws`). They are kept as a `Train`, and the client sleeps to its end. A
client whose train is over, or that wants to be woken, is asked when its next poll is due. To draw for one
client takes hardly less than for twenty. So where nothing but time can end the train soon, drawing is put off
for seconds, until more of them wait or somebody must know; otherwise it is done at once, for all that wait to
be woken too. A train ends before the first poll that

    asks a node that has news for the client, or whose answer will change by itself
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
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

import numpy as np

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.network.connections import Connections
from sessionsim.network.links import Links
from sessionsim.network.train_draws import draw
from sessionsim.network.train_exchanges import STEPS
from sessionsim.network.train_jobs import FEW, Job
from sessionsim.network.train_kept import Train
from sessionsim.network.train_prospects import Prospects
from sessionsim.network.train_scouts import Scouts
from sessionsim.network.wire_sizes import WireSizes
from sessionsim.protocol.client.exchanges import Purpose
from sessionsim.protocol.client.idling import PURPOSE_BITS, IdlePolls
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.crypto.suite import Suite
from sessionsim.protocol.machine import Effects, Machine
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.wire.unsealed import UnsealedAnswer

# How long a client may have begun its next polls before they are drawn, and how many such there are at most.
_LATE_US: Final = 4 * US_PER_S  # Assumption: makes it some ten of a thousand clients
_TOGETHER: Final = 64  # Assumption: more at a time hardly make it cheaper


class Host(Protocol):
    """What trains must know of, and have done by, whoever carries out all else."""

    connections: Connections

    def afflicted(self, now: int) -> frozenset[int] | None:
        """Give the endpoints with which something is wrong, or None if all may be struck."""

    def wake_at(self, endpoint: int, t_us: int) -> None:
        """Wake a machine then, and not before if nothing else happens to it."""

    def emit(self, endpoint: int, effects: Effects, now: int) -> None:
        """Carry out what a machine wants."""

    def rewind(self, endpoint: int, t_us: int, now: int) -> None:
        """Wake a machine at a time that may be past, and carry out what would have come of it by now."""


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
        self._links, self._watched, self._horizon_us, self._host = links, watched, horizon_us, host
        self._scouts = Scouts(machines, links, sizes, families, suite, watched)
        self._waiting: dict[int, None] = {}  # clients that wait to be woken, perhaps for an idle poll
        self._in_the_past = False
        # Clients that have idle polls ahead; None as long as these are put off.
        self.running: dict[int, Train | None] = {}
        self._put_off: dict[int, list[Job]] = {}
        # Clients whose trains rest on the messages of an account, and on a node.
        self._clients_of: dict[bytes, list[int]] = {}
        self._clients_over: dict[int, set[int]] | None = None
        self.riders: set[int] = set()  # clients that ever had a train
        self.polls = 0  # that were not carried out
        self.transmissions = 0  # that those would have been
        self.now_us = 0
        patience_us = 0
        for number, node in enumerate(machines[:n_nodes]):
            assert isinstance(node, ServiceNode)
            patience_us = node.patience_us
            node.store.on_change = partial(self._changing, number)
            node.store.on_look = self._looking
        self._prospects = Prospects(
            machines, links, sizes, watched, horizon_us, self._scouts, host.connections, patience_us
        )

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
        first = self._prospects.jobs(endpoint, polls, now_us, afflicted)
        if not first:
            return False
        if self._puts_off(first, now_us):
            return True
        ahead = [first]
        waiting, self._waiting = self._waiting, {}
        for other in waiting:
            one = self._machines[other]
            its = one.idle(now_us) if isinstance(one, Client) and other not in self.running else None
            jobs = self._prospects.jobs(other, its, now_us, afflicted) if its is not None else []
            if jobs:
                ahead.append(jobs)
        self._begin(ahead)
        return endpoint in self.running

    def settle(self) -> None:
        """Count the polls of trains that the end of the run finds on their way."""
        self._draw_put_off(self._horizon_us)
        for endpoint, train in tuple(self.running.items()):
            assert train is not None
            self._skip(endpoint, train, len(train))
        self.running.clear()

    # --- drawing ------------------------------------------------------------------------------------------

    def _puts_off(self, jobs: list[Job], now_us: int) -> bool:
        """Put drawing off, so that many are drawn at once, if until then nothing but idle polls can happen.

        One of these may turn out to be none, but long under way. It is carried out when that is known, in the
        past; something comes of it only once it is given up, which is later.
        """
        until_us = min([now_us + _LATE_US, jobs[0].polls.beside_us, *[job.until_us for job in jobs]])
        until_us = min([until_us, *[now_us + job.polls.timeout_us // 2 for job in jobs]])
        if until_us <= now_us or not all([job.is_clear for job in jobs]):
            return False
        if len(self._put_off) >= _TOGETHER:
            self._draw_put_off(now_us)
        endpoint = jobs[0].endpoint
        self._put_off[endpoint] = jobs
        self._enter(endpoint, jobs[0].polls, None)
        self._host.wake_at(endpoint, until_us)
        return True

    def _draw_put_off(self, now_us: int, disturbed: int = -1) -> None:
        """Draw what was put off. Args: disturbed: a client that hardly comes further than now."""
        put_off, self._put_off = self._put_off, {}
        if disturbed in put_off:
            put_off[disturbed] = [replace(job, count=min(job.count, FEW)) for job in put_off[disturbed]]
        if put_off:
            self._begin([*put_off.values()])
        empty = [endpoint for endpoint in put_off if endpoint not in self.running]
        for endpoint in empty:
            polls = put_off[endpoint][0].polls
            self._rewind(endpoint, polls.next_of([stream.due_us for stream in polls.streams]), now_us)
        for endpoint in put_off:
            train = self.running.get(endpoint)
            if train is not None and train.end_us < now_us:
                self.catch_up(endpoint, now_us)

    def _begin(self, ahead: list[list[Job]]) -> None:
        for jobs, drawn in zip(ahead, draw(ahead, self._addresses, self._links), strict=True):
            self._prospects.learn(jobs, drawn)
            endpoint, polls = jobs[0].endpoint, jobs[0].polls
            if endpoint in self.running:
                self._leave(endpoint, polls)
            if len(drawn.starts_us):
                train = Train(jobs, drawn)
                self._enter(endpoint, polls, train)
                self._host.wake_at(endpoint, min(train.over_us, polls.beside_us))

    def _enter(self, endpoint: int, polls: IdlePolls, train: Train | None) -> None:
        self.running[endpoint] = train
        self.riders.add(endpoint)
        for stream in polls.streams:
            self._clients_of.setdefault(stream.account_id, []).append(endpoint)
        if self._clients_over is not None:
            self._note_nodes(self._clients_over, endpoint, polls)

    def _leave(self, endpoint: int, polls: IdlePolls) -> None:
        del self.running[endpoint]
        for stream in polls.streams:
            self._clients_of[stream.account_id].remove(endpoint)
        if self._clients_over is not None:
            for node in _nodes_of(polls):
                self._clients_over[node].discard(endpoint)

    # --- going on -----------------------------------------------------------------------------------------

    def end(self, endpoint: int, now_us: int) -> bool:
        """Take a client out of its train, if it is woken at the end of that."""
        train = self.running[endpoint]
        if train is None:
            self._draw_put_off(now_us)
            return False
        if now_us < train.over_us:
            self._do_beside(endpoint, train, now_us)
            return False
        self._leave(endpoint, train.polls)
        self._skip(endpoint, train, len(train))
        return True

    def _do_beside(self, endpoint: int, train: Train, now_us: int) -> None:
        """Have a client do what falls due while its train goes on."""
        client = self._machines[endpoint]
        assert isinstance(client, Client)
        effects = client.wake_beside(now_us)
        if effects is None:
            self.catch_up(endpoint, now_us)
            return
        self._host.emit(endpoint, effects, now_us)
        self.goes_on_beside(endpoint)

    def is_beside(self, endpoint: int, exchange: int, payload: object) -> bool:
        """Say whether an answer is to what a client did beside its train, which goes on."""
        if self.running.get(endpoint) is None or type(payload) is not UnsealedAnswer:
            return False
        return exchange & ((1 << PURPOSE_BITS) - 1) == Purpose.PATH_TEST and payload.status == 200

    def goes_on_beside(self, endpoint: int) -> None:
        """Have a client woken anew that has done something beside its train."""
        client, train = self._machines[endpoint], self.running[endpoint]
        assert isinstance(client, Client)
        assert train is not None
        train.polls.beside_us = client.next_beside_us()
        self._host.wake_at(endpoint, min(train.over_us, train.polls.beside_us))

    def catch_up(self, endpoint: int, now_us: int) -> None:
        """Set a client to where it would be, just before something happens to it or to its messages."""
        train = self.running[endpoint]
        if train is None:
            self._draw_put_off(now_us, endpoint)
            train = self.running.get(endpoint)
            if train is None:
                return  # it is there already
        self._leave(endpoint, train.polls)
        next_us = self._skip(endpoint, train, train.done_by(now_us))
        # Something else may fall due before the next poll.
        self._rewind(endpoint, min(next_us, train.polls.until_us, train.polls.beside_us), now_us)
        if next_us >= now_us:
            self._waiting[endpoint] = None

    def _rewind(self, endpoint: int, t_us: int, now_us: int) -> None:
        before, self._in_the_past = self._in_the_past, True
        self._host.rewind(endpoint, t_us, now_us)
        self._in_the_past = before

    def catch_up_all(self, now_us: int) -> None:
        """Set all clients to where they would be, just before something fails or recovers."""
        for endpoint in tuple(self.running):
            if endpoint in self.running:  # one may have taken another along
                self.catch_up(endpoint, now_us)

    def catch_up_over(self, node: int, now_us: int) -> None:
        """Set clients whose polls may pass a node to where they would be, just before the node changes."""
        self._prospects.node_changes += 1
        if self._clients_over is None:  # most runs have no such changes
            self._clients_over = {}
            for endpoint in self.running:
                self._note_nodes(self._clients_over, endpoint, self._polls_of(endpoint))
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
            if endpoint in self.running and any(
                [
                    one.extension is not None
                    for one in self._polls_of(endpoint).streams
                    if one.account_id == account_id
                ]
            ):
                self.catch_up(endpoint, now_us)
        self.now_us = now_us

    def _polls_of(self, endpoint: int) -> IdlePolls:
        train = self.running[endpoint]
        return self._put_off[endpoint][0].polls if train is None else train.polls

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
