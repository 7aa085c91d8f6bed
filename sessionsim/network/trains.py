"""Idle polls in bulk: polls that bring nothing and that nobody sees are drawn as arrays, not carried out.

When a client says that only polls are ahead of it (`protocol.client.idling`), and its swarm has nothing for
it, the times of its next polls follow from addressed draws alone: when each begins, how long it takes, when
its guard sends the answer. They are kept as a `_Train`, and the client sleeps to its end. A train ends before
the first poll that

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

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from sessionsim.core.columns import Transport
from sessionsim.core.seeds import mix_array
from sessionsim.core.units import US_PER_MS
from sessionsim.network.links import Links, Numbers, Reals, delays_us
from sessionsim.network.wire_sizes import WireSizes
from sessionsim.protocol.client.idling import NEVER_US, IdlePolls
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.crypto.suite import Suite
from sessionsim.protocol.machine import Machine
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.wire.onion_sizes import exchange_bytes

_LEAST: Final = 4  # Assumption: polls for which a train is worth its making
_FEW: Final = 24  # Assumption: polls that are drawn in any case
_MOST: Final = 1024  # polls in one train: bounds the memory it takes
_SHORT_US: Final = 300 * US_PER_MS  # Assumption: few polls are answered sooner
_STEPS: Final = 8  # transmissions of an exchange, to the node and back. Source: transport 3.1
# What a machine sends because of something it got is counted from 1 (`protocol.machine`).
_FIRST_SENT: Final = np.array(1, dtype=np.uint64)
_TURNS: Final = 16  # Assumption: usually three suffice
_OMQ: Final = int(Transport.OMQ)
_TRANSPORT: Final = 7  # the low bits of a connection handle. Source: core.columns.Transport


class Connections(Protocol):
    """What trains must know of the connections of clients to their guards."""

    def last_used_us(self, src: int, dst: int, conn: int) -> int | None:
        """Give when an open connection was last used, or will be; None if it is not open."""

    def use(self, src: int, dst: int, conn: int, t_us: int) -> None:
        """Take a connection as used then."""


@dataclass(slots=True)
class _Train:
    """Idle polls of one client.

    Args:
        polls: as the client told them.
        starts_us: when each begins, and behind the last when the next one would; shape (n + 1,).
        ends_us: when the last answer of each arrives; shape (n,).
        paths: positions of the paths each takes, left_us: when the guards send the answers; shape (n, nodes
            at a time).
    """

    polls: IdlePolls
    starts_us: list[int]
    ends_us: list[int]
    paths: Numbers
    left_us: Numbers


class Trains:
    """The trains of one run.

    Args:
        machines: of the run; n_nodes: how many are service nodes, which come first.
        addresses, links, sizes, families: as the host has them.
        suite: of the run.
        watched: endpoints all of whose links are recorded.
        horizon_us: end of the run.
        connections: of the clients.
        afflicted: gives the endpoints with which something is wrong just now, or None if all may be struck.
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
        connections: Connections,
        afflicted: Callable[[int], frozenset[int] | None],
    ) -> None:
        self._machines, self._addresses, self._families = machines, addresses, families
        self._links, self._sizes, self._suite = links, sizes, suite
        self._watched, self._horizon_us, self._connections = watched, horizon_us, connections
        self._afflicted = afflicted
        self._ways: dict[tuple[int, int], tuple[int, float, float, float]] = {}
        self._lengths: dict[tuple[str, int, int], tuple[int, ...]] = {}
        self._tables_of: dict[int, tuple[tuple[object, ...], _Tables]] = {}
        self.running: dict[int, _Train] = {}
        # Clients whose trains rest on the messages of an account, and on a node.
        self._lately: dict[int, int] = {}  # how long the last train of each client was
        self._clients_of: dict[bytes, list[int]] = {}
        self._clients_over: dict[int, set[int]] = {}
        self.polls = 0  # that were not carried out
        self.transmissions = 0  # that those would have been
        # Who carries out what lies in the past before a client is touched: endpoint, when it is to wake, now.
        self.rewind: Callable[[int, int, int], None] = _nobody
        self.now_us = 0
        for node in machines[:n_nodes]:
            assert isinstance(node, ServiceNode)
            node.store.on_change = self._changing

    def begin(self, endpoint: int, now_us: int, wakes_us: int) -> int:
        """Let a client that wants to be woken sleep through its idle polls. Gives when it is to be woken."""
        client = self._machines[endpoint]
        if not isinstance(client, Client) or endpoint in self._watched:
            return wakes_us
        polls = client.idle()
        if polls is None or polls.due_us != wakes_us:
            return wakes_us
        until_us = min(polls.until_us, self._horizon_us)
        if until_us - polls.due_us < _LEAST * polls.pause_us:
            return wakes_us
        afflicted = self._afflicted(now_us)
        if afflicted is None or endpoint in afflicted:
            return wakes_us
        train = self._draw(endpoint, polls, until_us, now_us, self._watched | afflicted)
        if train is None:
            return wakes_us
        self.running[endpoint] = train
        self._clients_of.setdefault(polls.account_id, []).append(endpoint)
        for node in _nodes_of(polls):
            self._clients_over.setdefault(node, set()).add(endpoint)
        # All polls of the train are over by the time at which something else falls due.
        return min(train.starts_us[-1], polls.until_us)

    def settle(self) -> None:
        """Count the polls of trains that the end of the run finds on their way."""
        for endpoint in tuple(self.running):
            self.end(endpoint)

    # --- drawing ------------------------------------------------------------------------------------------

    def _draw(
        self, endpoint: int, polls: IdlePolls, until_us: int, now_us: int, shunned: frozenset[int]
    ) -> _Train | None:
        """Draw the next idle polls. Args: shunned: endpoints that they must not pass."""
        app_bytes, until_us = self._ask(polls, until_us, now_us, shunned)
        if not app_bytes:
            return None
        tables = self._tables(endpoint, polls, app_bytes)
        usable_pairs = np.zeros((len(polls.routes), len(polls.swarm)), dtype=bool)
        clear = [k for k, route in enumerate(polls.routes) if shunned.isdisjoint(route)]
        usable_pairs[np.ix_(clear, list(app_bytes))] = True
        place_of = np.full(max(polls.swarm) + 1, -1, dtype=np.int64)
        place_of[list(polls.swarm)] = np.arange(len(polls.swarm))
        used = [
            self._connections.last_used_us(endpoint, route[0], polls.connection) for route in polls.routes
        ]
        used_us = np.array([-NEVER_US if t_us is None else t_us for t_us in used], dtype=np.int64)
        parts: list[tuple[Numbers, Numbers, Numbers, Numbers]] = []
        due_us, drawn = polls.due_us, 0
        # As many as fit before something falls due, if none takes long; but where trains were short lately,
        # because many polls pass somebody who watches, not many more than then.
        fitting = (until_us - due_us) // (polls.pause_us + _SHORT_US) + _LEAST
        count = min(_MOST, fitting, _FEW + 2 * self._lately.get(endpoint, _MOST))
        while drawn < _MOST:
            nodes, paths, exchanges = polls.plan(drawn, count)
            places = place_of[nodes]
            times = self._times(endpoint, tables, paths * len(polls.swarm) + places, exchanges)
            starts_us, ends_us, left_us, certain = self._chain(polls, tables, paths, times, due_us, used_us)
            usable = usable_pairs[paths, places].all(axis=1) & (ends_us - starts_us[:-1] < polls.timeout_us)
            # A poll must be over, not only begun, before anything may change by itself.
            usable[certain:] = False
            usable &= ends_us < until_us
            fine = count if usable.all() else int(np.argmin(usable))
            parts.append((starts_us[:fine], ends_us[:fine], paths[:fine], left_us[:fine]))
            drawn += fine
            due_us = int(starts_us[fine])
            if fine < count:
                break
            used_us = np.maximum(used_us, _last_uses(paths, left_us, len(used_us)).max(axis=0))
            count = min(4 * count, _MOST - drawn)
        self._lately[endpoint] = drawn
        if drawn < _LEAST:
            return None
        starts, ends, over, left = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return _Train(polls, [*starts.tolist(), due_us], ends.tolist(), over, left)

    def _ask(
        self, polls: IdlePolls, until_us: int, now_us: int, shunned: frozenset[int]
    ) -> tuple[dict[int, tuple[int, ...]], int]:
        """Ask which nodes have nothing for the client.

        Returns:
            By position in the swarm the lengths of the payloads of an exchange; and until when that holds.
        """
        lengths: dict[int, tuple[int, ...]] = {}
        for place, node in enumerate(polls.swarm):
            machine = self._machines[node]
            assert isinstance(machine, ServiceNode)
            told = None if node in shunned else machine.idle_answer(
                polls.account_id, polls.cursors(node), now_us
            )  # fmt: skip
            if told is None:
                continue
            answer, same_until_us = told
            until_us = min(until_us, same_until_us)
            # The answers of one length differ in their times alone.
            form = (polls.style, polls.body_bytes(node), len(answer[1]))
            if form not in self._lengths:
                self._lengths[form] = exchange_bytes(self._suite, polls.style, form[1], answer)
            lengths[place] = self._lengths[form]
        return lengths, until_us

    def _tables(self, endpoint: int, polls: IdlePolls, app_bytes: dict[int, tuple[int, ...]]) -> _Tables:
        """Work out what the delays of each pair of path and node are made of, one row per pair."""
        form = (polls.routes, polls.swarm, polls.connection, tuple(app_bytes.items()))
        known = self._tables_of.get(endpoint)
        if known is not None and known[0] == form:
            return known[1]
        n_pairs = len(polls.routes) * len(polls.swarm)
        least = np.zeros((n_pairs, _STEPS), dtype=np.int64)
        scale, sigma, bytes_us = (np.zeros((n_pairs, _STEPS)) for _ in range(3))
        for path, route in enumerate(polls.routes):
            for place, sizes in app_bytes.items():
                row = path * len(polls.swarm) + place
                stops = (endpoint, *route, polls.swarm[place])
                for step in range(_STEPS):
                    back = step >= _STEPS // 2
                    hop = _STEPS - 1 - step if back else step
                    src, dst = (stops[hop + 1], stops[hop]) if back else (stops[hop], stops[hop + 1])
                    transport = polls.connection & _TRANSPORT if hop == 0 else _OMQ
                    size = sizes[-1] if back else sizes[step]
                    wire, _segments = self._sizes.wire(transport, int(back), size, self._families[src])
                    way = self._ways.get((src, dst))
                    if way is None:
                        way = self._ways[src, dst] = self._links.way(src, dst)
                    least[row, step], scale[row, step], sigma[row, step] = way[:3]
                    bytes_us[row, step] = wire * way[3]
        transport = polls.connection & _TRANSPORT
        round_trips = self._sizes.handshake(transport)[2]
        shake_us = [round_trips * self._links.base_rtt_us(endpoint, route[0]) for route in polls.routes]
        tables = _Tables(
            least, scale, sigma, bytes_us, np.array(shake_us), self._sizes.idle_limit_us(transport)
        )
        self._tables_of[endpoint] = (form, tables)
        return tables

    def _times(
        self, endpoint: int, tables: _Tables, pairs: Numbers, exchanges: Numbers
    ) -> tuple[Numbers, Numbers]:
        """Give how long each exchange takes on an open connection, and after what time the guard answers."""
        trace = mix_array(np.array(self._addresses[endpoint], dtype=np.uint64), exchanges.astype(np.uint64))
        total = np.zeros(pairs.shape, dtype=np.int64)
        left = total
        for step in range(_STEPS):
            if step:
                trace = mix_array(trace, _FIRST_SENT)
            if step == _STEPS - 1:
                left = total.copy()
            total += delays_us(
                tables.least[pairs, step], tables.scale[pairs, step], tables.sigma[pairs, step],
                tables.bytes_us[pairs, step], trace,
            )  # fmt: skip
        return total, left

    def _chain(
        self,
        polls: IdlePolls,
        tables: _Tables,
        paths: Numbers,
        times: tuple[Numbers, Numbers],
        due_us: int,
        used_us: Numbers,
    ) -> tuple[Numbers, Numbers, Numbers, int]:
        """Put polls one behind the other, with a handshake where a connection has been idle for too long.

        Whether one has depends on when the polls before began; so handshakes are guessed and put right until
        nothing changes. Each turn makes at least one more poll right.

        Args:
            used_us: when the connection of each path was last used before.

        Returns:
            Starts and, behind the last poll, when the next would begin, shape (n + 1,); ends, shape (n,);
            when the guards send the answers, shape as `paths`; how many polls are certain.
        """
        takes_us, answers_us = times
        count, n_paths = len(paths), len(used_us)
        over = np.stack([(paths == path).any(axis=1) for path in range(n_paths)], axis=1)
        closed = np.zeros((count, n_paths), dtype=bool)
        rows = np.arange(count)[:, None]
        for _ in range(_TURNS):
            shake_us = np.where(closed, tables.shake_us, 0)[rows, paths]
            round_us = polls.wait_us + (takes_us + shake_us).max(axis=1)
            starts_us = np.empty(count + 1, dtype=np.int64)
            starts_us[0] = 0
            np.cumsum(round_us + polls.pause_us, out=starts_us[1:])
            starts_us += due_us
            sent_us = starts_us[:-1, None] + polls.wait_us
            left_us = sent_us + shake_us + answers_us
            uses_us = np.vstack((used_us, _last_uses(paths, left_us, n_paths)[:-1]))
            right = over & (sent_us - np.maximum.accumulate(uses_us) > tables.idle_limit_us)
            wrong = (right != closed).any(axis=1)
            if not wrong.any():
                return starts_us, starts_us[:-1] + round_us, left_us, count
            closed = right
        return starts_us, starts_us[:-1] + round_us, left_us, int(np.argmax(wrong))

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
        self.rewind(endpoint, train.starts_us[begun], now_us)

    def catch_up_all(self, now_us: int) -> None:
        """Set all clients to where they would be, just before something fails or recovers."""
        for endpoint in tuple(self.running):
            self.catch_up(endpoint, now_us)

    def catch_up_over(self, node: int, now_us: int) -> None:
        """Set clients whose polls may pass a node to where they would be, just before the node changes."""
        for endpoint in sorted(self._clients_over.get(node, ())):
            self.catch_up(endpoint, now_us)

    def _changing(self, account_id: bytes) -> None:
        for endpoint in tuple(self._clients_of.get(account_id, ())):
            self.catch_up(endpoint, self.now_us)

    def _take(self, endpoint: int) -> _Train:
        train = self.running.pop(endpoint)
        self._clients_of[train.polls.account_id].remove(endpoint)
        for node in _nodes_of(train.polls):
            self._clients_over[node].discard(endpoint)
        return train

    def _skip(self, endpoint: int, train: _Train, count: int, next_us: int) -> None:
        client = self._machines[endpoint]
        assert isinstance(client, Client)
        client.skip(count, next_us, train.polls.swarm)
        if count:
            routes, connection = train.polls.routes, train.polls.connection
            last_us = _last_uses(train.paths[:count], train.left_us[:count], len(routes)).max(axis=0)
            for route, t_us in zip(routes, last_us.tolist(), strict=True):
                if t_us > -NEVER_US:
                    self._connections.use(endpoint, route[0], connection, t_us)
        self.polls += count * train.paths.shape[1]
        self.transmissions += count * train.paths.shape[1] * _STEPS


@dataclass(frozen=True, slots=True)
class _Tables:
    """What the times of one client's polls are made of.

    Args:
        least, scale, sigma, bytes_us: what `delays_us` takes, by pair of path and node, and transmission.
        shake_us: how long opening the connection of each path takes.
        idle_limit_us: after which idle time a connection is opened anew.
    """

    least: Numbers
    scale: Reals
    sigma: Reals
    bytes_us: Reals
    shake_us: Numbers
    idle_limit_us: int


def _last_uses(paths: Numbers, left_us: Numbers, n_paths: int) -> Numbers:
    """Give when each poll last uses the connection of each path, -NEVER_US if not; shape (n, n_paths)."""
    return np.stack(
        [np.where(paths == path, left_us, -NEVER_US).max(axis=1) for path in range(n_paths)], axis=1
    )


def _nodes_of(polls: IdlePolls) -> set[int]:
    """Give all nodes that the polls may pass."""
    return {*polls.swarm, *(node for route in polls.routes for node in route)}


def _nobody(endpoint: int, wakes_us: int, now_us: int) -> None:
    """Listen in nobody's place."""
