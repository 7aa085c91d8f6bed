"""The times of idle polls, worked out for many clients at once.

Which nodes and paths a poll takes is told by the clients (`protocol.client.idling.plan`); how long each of
its eight transmissions takes follows from the address of the exchange, as in the host. What is left to find
out is when a connection to a guard has been idle for too long and is opened anew, which puts off all that
follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.core.seeds import mix_array
from sessionsim.network.links import Links, Numbers, delays_us
from sessionsim.protocol.client.idling import IdlePolls, Plan, plan

_HOPS: Final = 4  # guard, middle, last hop, destination. Source: transport 3.1
STEPS: Final = 2 * _HOPS  # transmissions of an exchange, to the node and back
# What a machine sends because of something it got is counted from 1 (`protocol.machine`).
_FIRST_SENT: Final = np.array(1, dtype=np.uint64)
_TURNS: Final = 16  # Assumption: usually three suffice

Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Job:
    """A client whose next polls are to be drawn.

    Args:
        endpoint: of the client; polls: as it told them; count: how many are drawn, at least one.
        until_us: a poll must be over before.
        usable: whether a poll may go there: the whole swarm over one path, then over the next.
        bytes_us: how long the bytes to and from the guard take on the lines, by place in the swarm.
        shake_us: how long opening the connection of each path takes.
        used_us: when each was last used, -NEVER_US if it is not open.
        idle_limit_us: after which idle time a connection is opened anew.
    """

    endpoint: int
    polls: IdlePolls
    count: int
    until_us: int
    usable: list[bool]
    bytes_us: list[tuple[float, float]]
    shake_us: list[int]
    used_us: list[int]
    idle_limit_us: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """The first polls of one client that nothing stands against; w of them run at a time.

    Args:
        starts_us: when each begins, and behind the last when the next one would; shape (n + 1,).
        ends_us: when the last answer of each arrives; shape (n,).
        places, paths: in the swarm and among the routes; left_us: when the guards send the answers; shape
            (n · w,).
    """

    starts_us: Numbers
    ends_us: Numbers
    places: Numbers
    paths: Numbers
    left_us: Numbers


def draw(jobs: Sequence[Job], addresses: npt.NDArray[np.uint64], links: Links) -> list[Drawn]:
    """Draw the next polls of clients.

    Args:
        jobs: at least one.
        addresses: draw address of every endpoint.
        links: between them. Lines of nodes must have no limit.
    """
    polls = [job.polls for job in jobs]
    counts = [job.count for job in jobs]
    planned = plan(polls, counts)
    whose = planned.whose
    paths = _starts_of([len(one.routes) for one in polls])[whose] + planned.paths
    nodes = _starts_of([len(one.swarm) for one in polls])[whose] + planned.places
    bytes_us = np.array([both for job in jobs for both in job.bytes_us])[nodes]
    takes_us, answers_us = _exchanges(jobs, planned, paths, nodes, bytes_us, addresses, links)
    chain = _Chain(jobs, planned, paths, takes_us, answers_us)
    chain.settle()
    pairs = _starts_of([len(job.usable) for job in jobs])[whose]
    pairs = pairs + planned.paths * np.array([len(one.swarm) for one in polls])[whose] + planned.places
    usable = chain.over_polls(np.array([one for job in jobs for one in job.usable])[pairs])
    return chain.cut(usable, counts, planned)


def _starts_of(lengths: Sequence[int]) -> Numbers:
    """Give where each of some stretches begins that lie behind one another."""
    ends: Numbers = np.cumsum(np.array(lengths, dtype=np.int64))
    return ends - np.array(lengths, dtype=np.int64)


def _exchanges(
    jobs: Sequence[Job],
    planned: Plan,
    paths: Numbers,
    nodes: Numbers,
    bytes_us: npt.NDArray[np.float64],
    addresses: npt.NDArray[np.uint64],
    links: Links,
) -> tuple[Numbers, Numbers]:
    """Give how long each exchange takes on an open connection, and after what time the guard answers."""
    routes = np.array([route for job in jobs for route in job.polls.routes])
    swarms = np.array([node for job in jobs for node in job.polls.swarm])
    clients = np.array([job.endpoint for job in jobs])[planned.whose]
    stops = np.concatenate((clients[None], routes[paths].T, swarms[nodes][None]))
    least, scale, sigma = links.ways(stops[:-1], stops[1:])
    there_and_back = [*range(_HOPS), *range(_HOPS - 1, -1, -1)]
    draws = np.empty((STEPS, len(paths)), dtype=np.uint64)
    draws[0] = mix_array(addresses[clients], planned.exchanges.astype(np.uint64))
    for step in range(1, STEPS):
        draws[step] = mix_array(draws[step - 1], _FIRST_SENT)
    bytes_of = np.zeros(draws.shape)
    bytes_of[0], bytes_of[-1] = bytes_us.T
    steps_us = delays_us(least[there_and_back], scale[there_and_back], sigma[there_and_back], bytes_of, draws)
    left_us = steps_us[:-1].sum(axis=0)
    return left_us + steps_us[-1], left_us


class _Chain:
    """Polls one behind the other, with a handshake where a connection has been idle for too long.

    Whether one has depends on when the polls before began; so handshakes are guessed and put right until
    nothing changes. Each turn makes at least one more poll of every client right.
    """

    def __init__(
        self, jobs: Sequence[Job], planned: Plan, paths: Numbers, takes_us: Numbers, answers_us: Numbers
    ) -> None:
        self._jobs, self._poll, self._takes_us, self._answers_us = jobs, planned.poll, takes_us, answers_us
        counts = np.array([job.count for job in jobs])
        self._job_of = np.repeat(np.arange(len(jobs)), counts)
        self._firsts = np.cumsum(counts) - counts  # the first poll of each
        self._requests = np.searchsorted(planned.poll, np.arange(len(self._job_of)))  # the first of each poll
        self._single = len(planned.poll) == len(self._job_of)
        self._due_us = np.array([job.polls.due_us for job in jobs])
        self._wait_us = np.array([job.polls.wait_us for job in jobs])[self._job_of]
        self._pause_us = np.array([job.polls.pause_us for job in jobs])[self._job_of]
        self._shake_us = np.array([us for job in jobs for us in job.shake_us])[paths]
        used_us = np.array([us for job in jobs for us in job.used_us])
        limit_us = np.array([job.idle_limit_us for job in jobs])
        # Uses of a connection: requests of one poll over one path, in order of path and poll.
        order = np.lexsort((planned.poll, paths))
        path, poll = paths[order], planned.poll[order]
        begins = np.ones(len(order), dtype=bool)
        begins[1:] = (path[1:] != path[:-1]) | (poll[1:] != poll[:-1])
        self._order, self._use_begins = order, np.flatnonzero(begins)
        self._use_of = np.empty(len(order), dtype=np.int64)  # of each request
        self._use_of[order] = np.cumsum(begins) - 1
        path, self._poll_of_use = path[begins], poll[begins]
        self._used_us = used_us[path]
        self._is_first = np.ones(len(path), dtype=bool)
        self._is_first[1:] = path[1:] != path[:-1]
        self._limit_us = limit_us[self._job_of[self._poll_of_use]]

    def over_polls(self, of_requests: Truths) -> Truths:
        """Say of which polls something holds for all requests."""
        if self._single:
            return of_requests
        return np.logical_and.reduceat(of_requests, self._requests)

    def settle(self) -> None:
        """Work out the times."""
        closed = np.zeros(len(self._poll_of_use), dtype=bool)
        for _ in range(_TURNS):
            shake_us = np.where(closed[self._use_of], self._shake_us, 0)
            round_us = self._takes_us + shake_us
            if not self._single:
                round_us = np.maximum.reduceat(round_us, self._requests)
            round_us = round_us + self._wait_us
            behind_us = np.cumsum(round_us + self._pause_us)
            begun_us = behind_us - round_us - self._pause_us
            starts_us = begun_us + (self._due_us - begun_us[self._firsts])[self._job_of]
            sent_us = starts_us + self._wait_us
            left_us = sent_us[self._poll] + shake_us + self._answers_us
            last_us = np.maximum.reduceat(left_us[self._order], self._use_begins)
            before_us = self._used_us.copy()
            at = np.flatnonzero(~self._is_first)
            before_us[at] = np.maximum(last_us[at - 1], before_us[at])
            right = sent_us[self._poll_of_use] - before_us > self._limit_us
            wrong = right != closed
            if not wrong.any():
                break
            closed = right
        self._starts_us, self._ends_us, self._left_us = starts_us, starts_us + round_us, left_us
        self._certain = np.ones(len(starts_us), dtype=bool)
        self._certain[self._poll_of_use[wrong]] = False

    def cut(self, usable: Truths, counts: Sequence[int], planned: Plan) -> list[Drawn]:
        """Give the polls of each client up to the first that is not usable, not certain or not in time."""
        until_us = np.array([job.until_us for job in self._jobs])[self._job_of]
        timeout_us = np.array([job.polls.timeout_us for job in self._jobs])[self._job_of]
        fine = usable & self._certain & (self._ends_us - self._starts_us < timeout_us)
        fine &= self._ends_us < until_us
        bad = np.where(fine, len(fine), np.arange(len(fine)))
        ends = np.minimum.reduceat(bad, self._firsts).tolist()
        drawn = []
        for job, first, count, end in zip(self._jobs, self._firsts.tolist(), counts, ends, strict=True):
            end = min(end, first + count)
            next_us = self._starts_us[first]
            if end > first:
                next_us = self._ends_us[end - 1] + job.polls.pause_us
            width = job.polls.at_a_time
            at = int(self._requests[first])
            requests = slice(at, at + width * (end - first))
            drawn.append(
                Drawn(
                    np.append(self._starts_us[first:end], next_us),
                    self._ends_us[first:end].copy(),
                    planned.places[requests].copy(),
                    planned.paths[requests].copy(),
                    self._left_us[requests].copy(),
                )
            )
        return drawn
