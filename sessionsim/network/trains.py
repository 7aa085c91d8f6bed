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

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Protocol

import numpy as np

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.units import US_PER_MS
from sessionsim.network.connections import Connections
from sessionsim.network.links import Links
from sessionsim.network.train_draws import STEPS, Drawn, Job, draw
from sessionsim.network.wire_sizes import WireSizes
from sessionsim.protocol.client.idling import NEVER_US, IdlePolls
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.crypto.suite import Suite
from sessionsim.protocol.machine import Machine
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.wire.onion_sizes import exchange_bytes

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


class _Train:
    """Idle polls of one client: as it told them, and as they were drawn (`Drawn`)."""

    __slots__ = ("ends_us", "left_us", "paths", "places", "polls", "starts_us")

    def __init__(self, polls: IdlePolls, drawn: Drawn) -> None:
        self.polls = polls
        self.starts_us, self.ends_us, self.left_us = (
            array("q", column.tobytes()) for column in (drawn.starts_us, drawn.ends_us, drawn.left_us)
        )
        self.places, self.paths = (bytes(column.tolist()) for column in (drawn.places, drawn.paths))

    def last_uses(self, polls: int) -> dict[int, int]:
        """Give when the first polls last use the paths they take, µs, by position."""
        found: dict[int, int] = {}
        width, n_paths = self.polls.at_a_time, len(self.polls.routes)
        for at in range(polls - 1, -1, -1):
            here: dict[int, int] = {}
            for k in range(at * width, (at + 1) * width):
                path, left_us = self.paths[k], self.left_us[k]
                if path not in found and left_us > here.get(path, -1):
                    here[path] = left_us
            found.update(here)
            if len(found) == n_paths:
                break
        return found


@dataclass(slots=True)
class _Lately:
    """What was found out about one client before.

    Args:
        polls: that its next train may well have; round_us: how long they take.
        form: for what the rest holds.
        until_us: by place in the swarm until when the node has nothing for it; None: it has, or is shunned.
        bytes_us: see `Job`.
    """

    polls: int = _MOST
    round_us: int = _SHORT_US
    form: tuple[object, ...] = ()
    until_us: list[int | None] = field(default_factory=list)
    bytes_us: list[tuple[float, float]] = field(default_factory=list)


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
        self._lengths: dict[tuple[str, int, int], tuple[int, ...]] = {}
        self._lately: dict[int, _Lately] = {}
        self._waiting: dict[int, None] = {}  # clients that wait to be woken, perhaps for an idle poll
        self._in_the_past = False
        self.running: dict[int, _Train] = {}
        # Clients whose trains rest on the messages of an account, and on a node.
        self._clients_of: dict[bytes, list[int]] = {}
        self._clients_over: dict[int, set[int]] | None = None
        # How often they have changed.
        self._changes: dict[bytes, int] = {}
        self._node_changes = 0
        self.polls = 0  # that were not carried out
        self.transmissions = 0  # that those would have been
        self.now_us = 0
        for node in machines[:n_nodes]:
            assert isinstance(node, ServiceNode)
            node.store.on_change = self._changing

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
        polls = client.idle()
        if polls is None or polls.due_us != now_us:
            return False
        afflicted = self._host.afflicted(now_us)
        if afflicted is None:
            return False
        first = self._job(endpoint, polls, now_us, afflicted)
        if first is None:
            return False
        jobs = [first]
        waiting, self._waiting = self._waiting, {}
        for other in waiting:
            one = self._machines[other]
            its = one.idle() if isinstance(one, Client) else None
            job = self._job(other, its, now_us, afflicted) if its is not None else None
            if job is not None:
                jobs.append(job)
        self._begin(jobs)
        return endpoint in self.running

    def settle(self) -> None:
        """Count the polls of trains that the end of the run finds on their way."""
        for endpoint in tuple(self.running):
            self.end(endpoint)

    # --- drawing ------------------------------------------------------------------------------------------

    def _begin(self, jobs: list[Job]) -> None:
        for job, drawn in zip(jobs, draw(jobs, self._addresses, self._links), strict=True):
            endpoint, polls = job.endpoint, job.polls
            count, lately = len(drawn.ends_us), self._lately[endpoint]
            cycle_us = polls.pause_us + lately.round_us
            blocked = count < job.count and drawn.starts_us[-1] + cycle_us < job.until_us
            lately.polls = count if blocked else max(lately.polls, 4 * count)
            if not count:
                continue
            lately.round_us = int((drawn.starts_us[-1] - drawn.starts_us[0]) // count) - polls.pause_us
            self.running[endpoint] = train = _Train(polls, drawn)
            self._clients_of.setdefault(polls.account_id, []).append(endpoint)
            if self._clients_over is not None:
                self._note_nodes(self._clients_over, endpoint, polls)
            # All polls of the train are over by the time at which something else falls due.
            self._host.wake_at(endpoint, min(train.starts_us[-1], polls.until_us))

    def _job(self, endpoint: int, polls: IdlePolls, now_us: int, afflicted: frozenset[int]) -> Job | None:
        """Say what is to be drawn for a client; None if that is not worth while."""
        until_us = min(polls.until_us, self._horizon_us)
        lately = self._lately.setdefault(endpoint, _Lately())
        # Hardly a poll is answered in half the time that they usually take.
        if until_us - polls.due_us < lately.round_us // 2 or endpoint in afflicted:
            return None
        self._ask(endpoint, polls, now_us, afflicted, lately)
        idle = [t_us is not None for t_us in lately.until_us]
        if not all([idle[polls.swarm.index(node)] for node in polls.next_nodes()]):
            return None
        shunned = (self._watched, afflicted)
        clear = [all([them.isdisjoint(route) for them in shunned]) for route in polls.routes]
        if self._node_changes:
            leads = [self._leads(route, polls) for route in polls.routes]
            clear = list(map(all, zip(clear, leads, strict=True)))
        # As many as fit before something falls due, and some more; but where trains were short lately, for
        # many polls pass somebody who watches, not many more than then.
        until_us = min([until_us, *(t_us for t_us in lately.until_us if t_us is not None)])
        fitting = (until_us - polls.due_us) // (polls.pause_us + lately.round_us)
        if fitting < 0 or not any(clear):
            return None
        transport = polls.connection & _TRANSPORT
        round_trips = self._sizes.handshake(transport)[2]
        guards = [route[0] for route in polls.routes]
        used = [self._host.connections.last_used_us(endpoint, guard, polls.connection) for guard in guards]
        return Job(
            endpoint,
            polls,
            min(_MOST, fitting + fitting // 16 + 2, _FEW + 2 * lately.polls),
            until_us,
            [path and node for path in clear for node in idle],
            lately.bytes_us,
            [round_trips * self._links.base_rtt_us(endpoint, guard) for guard in guards],
            [-NEVER_US if t_us is None else t_us for t_us in used],
            self._sizes.idle_limit_us(transport),
        )

    def _leads(self, route: Sequence[int], polls: IdlePolls) -> bool:
        """Say whether every relay of a path knows the one it is to ask next; some may have left its list."""
        steps = [*pairwise(route), *((route[-1], node) for node in polls.swarm)]
        for relay, node in steps:
            machine = self._machines[relay]
            assert isinstance(machine, ServiceNode)
            if not machine.knows(node):
                return False
        return True

    def _ask(
        self, endpoint: int, polls: IdlePolls, now_us: int, afflicted: frozenset[int], lately: _Lately
    ) -> None:
        """Find out which nodes have nothing for the client, and how long the bytes of its polls take."""
        account_id = polls.account_id
        changes = self._changes.get(account_id, 0), self._node_changes
        form = (polls.heard, changes, polls.swarm, polls.style, polls.connection, afflicted)
        if lately.form == form and all([t_us is None or t_us > now_us for t_us in lately.until_us]):
            return
        lately.form = form
        out, guard, transport = self._links.us_per_byte, polls.routes[0][0], polls.connection & _TRANSPORT
        lately.until_us, lately.bytes_us = [], []
        for node in polls.swarm:
            machine, cursors, until_us = self._machines[node], polls.cursors(node), None
            assert isinstance(machine, ServiceNode)
            if node not in self._watched and node not in afflicted:
                until_us = machine.idle_until_us(account_id, cursors, now_us)
            lately.until_us.append(until_us)
            if until_us is None:
                lately.bytes_us.append((0.0, 0.0))
                continue
            lengths = self._exchange_bytes(polls, polls.body_bytes(cursors), len(cursors), now_us)
            ask, _ = self._sizes.wire(transport, 0, lengths[0], self._families[endpoint])
            answer, _ = self._sizes.wire(transport, 1, lengths[-1], self._families[guard])
            # All guards are as fast as each other.
            lately.bytes_us.append((ask * out(endpoint, guard), answer * out(guard, endpoint)))

    def _exchange_bytes(self, polls: IdlePolls, body_bytes: int, boxes: int, now_us: int) -> tuple[int, ...]:
        """Give the lengths of the payloads of an exchange that brings nothing."""
        # The answers of one length differ in their times alone.
        form = (polls.style, body_bytes, boxes)
        if form not in self._lengths:
            node = self._machines[polls.swarm[0]]
            assert isinstance(node, ServiceNode)
            answer = node.idle_answer(boxes, now_us)
            self._lengths[form] = exchange_bytes(self._suite, polls.style, body_bytes, answer)
        return self._lengths[form]

    # --- going on -----------------------------------------------------------------------------------------

    def end(self, endpoint: int) -> None:
        """Take a client out of its train, at the end of which it is woken."""
        train = self._take(endpoint)
        self._skip(endpoint, train, len(train.ends_us), train.starts_us[-1])

    def catch_up(self, endpoint: int, now_us: int) -> None:
        """Set a client to where it would be, just before something happens to it or to its messages."""
        train = self._take(endpoint)
        begun = bisect_left(train.starts_us, now_us, hi=len(train.ends_us))
        if begun and train.ends_us[begun - 1] > now_us:
            begun -= 1  # the poll under way is carried out
        self._skip(endpoint, train, begun, train.starts_us[begun])
        self._in_the_past = True
        # Something else may fall due before the next poll.
        self._host.rewind(endpoint, min(train.starts_us[begun], train.polls.until_us), now_us)
        self._in_the_past = False
        if train.starts_us[begun] >= now_us:
            self._waiting[endpoint] = None

    def catch_up_all(self, now_us: int) -> None:
        """Set all clients to where they would be, just before something fails or recovers."""
        for endpoint in tuple(self.running):
            self.catch_up(endpoint, now_us)

    def catch_up_over(self, node: int, now_us: int) -> None:
        """Set clients whose polls may pass a node to where they would be, just before the node changes."""
        self._node_changes += 1
        if self._clients_over is None:  # most runs have no such changes
            self._clients_over = {}
            for endpoint, train in self.running.items():
                self._note_nodes(self._clients_over, endpoint, train.polls)
        for endpoint in sorted(self._clients_over.get(node, ())):
            self.catch_up(endpoint, now_us)

    def _changing(self, account_id: bytes) -> None:
        self._changes[account_id] = self._changes.get(account_id, 0) + 1
        for endpoint in tuple(self._clients_of.get(account_id, ())):
            self.catch_up(endpoint, self.now_us)

    def _take(self, endpoint: int) -> _Train:
        train = self.running.pop(endpoint)
        self._clients_of[train.polls.account_id].remove(endpoint)
        if self._clients_over is not None:
            for node in _nodes_of(train.polls):
                self._clients_over[node].discard(endpoint)
        return train

    @staticmethod
    def _note_nodes(over: dict[int, set[int]], endpoint: int, polls: IdlePolls) -> None:
        for node in _nodes_of(polls):
            over.setdefault(node, set()).add(endpoint)

    def _skip(self, endpoint: int, train: _Train, count: int, next_us: int) -> None:
        client, polls = self._machines[endpoint], train.polls
        assert isinstance(client, Client)
        requests = count * polls.at_a_time
        client.skip(count, next_us, polls.swarm[train.places[requests - 1]] if count else -1)
        for path, t_us in train.last_uses(count).items():
            self._host.connections.use(endpoint, polls.routes[path][0], polls.connection, t_us)
        self.polls += requests
        self.transmissions += requests * STEPS


def _nodes_of(polls: IdlePolls) -> set[int]:
    """Give all nodes that the polls may pass."""
    return {*polls.swarm, *(node for route in polls.routes for node in route)}
