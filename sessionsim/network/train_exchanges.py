"""How long onion exchanges take that nothing disturbs, for many at once.

Each transmission draws at the address it would have had in the host (`protocol.machine`): the first at that
of the exchange, each further one at that of the transmission that led to it. A poll that asks the swarm to
keep messages longer waits at its node until all other members have answered, and what leaves then hangs on
the answer that came last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sessionsim.core.seeds import mix_array
from sessionsim.network.links import Links, Numbers, Reals, delays_us
from sessionsim.network.train_jobs import Job

_HOPS: Final = 4  # guard, middle, last hop, destination. Source: transport 3.1
STEPS: Final = 2 * _HOPS  # transmissions of an exchange, to the node and back
# What a machine sends because of something it got is counted from 1 (`protocol.machine`).
_FIRST_SENT: Final = np.array(1, dtype=np.uint64)

Draws = npt.NDArray[np.uint64]


class Requests(NamedTuple):
    """Requests, one a row; all of shape (rows,).

    Args:
        whose: of which job; places: of the nodes in the swarms; ways: of the paths among the routes.
        paths, nodes: the same among all routes and swarms of all jobs.
        exchanges: their numbers.
    """

    whose: Numbers
    places: Numbers
    ways: Numbers
    paths: Numbers
    nodes: Numbers
    exchanges: Numbers


class Exchanges(NamedTuple):
    """What is known of requests that go out on an open connection.

    Args:
        takes_us: until the answer arrives; left_us: until the guard sends it; shape (rows,).
        certain: whether this is sure.
        paired: rows of paired jobs (see `Job`); told_us: until each member of the swarm has heard of it, by
            place; later_us: `takes_us` by how many members had heard of it before; shape (paired, ·).
    """

    takes_us: Numbers
    left_us: Numbers
    certain: npt.NDArray[np.bool_]
    paired: Numbers
    told_us: Numbers
    later_us: Numbers


def starts_of(lengths: Sequence[int]) -> Numbers:
    """Give where each of some stretches begins that lie behind one another."""
    ends: Numbers = np.cumsum(np.array(lengths, dtype=np.int64))
    return ends - np.array(lengths, dtype=np.int64)


class Tables:
    """Routes, swarms and lines of jobs, all behind one another. Args: jobs: at least one."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.jobs, polls = jobs, [job.polls for job in jobs]
        self._routes_at = starts_of([len(one.routes) for one in polls])
        self._swarms_at = starts_of([len(one.swarm) for one in polls])
        self._usable_at = starts_of([len(job.usable) for job in jobs])
        self._usable = np.array([one for job in jobs for one in job.usable])
        self._swarm_of = np.array([len(one.swarm) for one in polls])
        self.routes = np.array([route for one in polls for route in one.routes])
        self.swarms = np.array([node for one in polls for node in one.swarm])
        self.clients = np.array([job.endpoint for job in jobs])
        self.asks_us = np.array([us for job in jobs for us in job.asks_us])
        self.answers_us = np.array([by[0] for job in jobs for by in job.answers_us])
        self.spreads = any([job.mates for job in jobs])
        self._again = [(number, *one) for number, job in enumerate(jobs) for one in job.again.items()]

    def rows(self, whose: Numbers, places: Numbers, ways: Numbers, exchanges: Numbers) -> Requests:
        """Give requests; see `Requests`."""
        paths, nodes = self._routes_at[whose] + ways, self._swarms_at[whose] + places
        return Requests(whose, places, ways, paths, nodes, exchanges)

    def usable(self, rows: Requests) -> npt.NDArray[np.bool_]:
        """Say which requests may be made; see `Job`."""
        at = self._usable_at[rows.whose] + rows.ways * self._swarm_of[rows.whose] + rows.places
        usable: npt.NDArray[np.bool_] = self._usable[at]
        return usable

    def lines_us(self, rows: Requests) -> tuple[Reals, Reals]:
        """Give how long requests and answers take on the lines; see `Job`."""
        asks_us, answers_us = self.asks_us[rows.nodes], self.answers_us[rows.nodes]
        for number, place, again in self._again:
            begin, end = np.searchsorted(rows.whose, (number, number + 1)).tolist()
            found = np.flatnonzero(rows.places[begin:end] == place)
            if len(found):
                asks_us[begin + found[0]], answers_us[begin + found[0]] = again.ask_us, again.answer_us
        return asks_us, answers_us


def exchanges(tables: Tables, rows: Requests, addresses: Draws, links: Links) -> Exchanges:
    """Work out what becomes of requests. Args: addresses: draw address of every endpoint."""
    clients = tables.clients[rows.whose]
    stops = np.concatenate((clients[None], tables.routes[rows.paths].T, tables.swarms[rows.nodes][None]))
    least, scale, sigma = links.ways(stops[:-1], stops[1:])
    there_and_back = [*range(_HOPS), *range(_HOPS - 1, -1, -1)]
    draws = np.empty((STEPS, len(clients)), dtype=np.uint64)
    draws[0] = mix_array(addresses[clients], rows.exchanges.astype(np.uint64))
    for step in range(1, _HOPS):
        draws[step] = mix_array(draws[step - 1], _FIRST_SENT)
    spread = _spread(tables, rows, draws[_HOPS - 1], links) if tables.spreads else None
    # What the answer hangs on.
    draws[_HOPS] = mix_array(draws[_HOPS - 1] if spread is None else spread.causes, _FIRST_SENT)
    for step in range(_HOPS + 1, STEPS):
        draws[step] = mix_array(draws[step - 1], _FIRST_SENT)
    bytes_of = np.zeros(draws.shape)
    bytes_of[0], bytes_of[-1] = tables.lines_us(rows)
    steps_us = delays_us(least[there_and_back], scale[there_and_back], sigma[there_and_back], bytes_of, draws)
    left_us = steps_us[:-1].sum(axis=0)
    if spread is None:
        none = np.zeros(0, dtype=np.int64)
        return Exchanges(left_us + steps_us[-1], left_us, np.ones(len(left_us), dtype=bool), none, none, none)
    left_us = left_us + spread.waits_us
    at = spread.paired
    heard_us = steps_us[:_HOPS].sum(axis=0)[at]
    by_told = np.array([by for job in tables.jobs for by in _padded(job, spread.members + 1)])
    columns = spread.members + 1
    least, scale, sigma = (np.repeat(one[0][at][:, None], columns, axis=1) for one in (least, scale, sigma))
    draws_of = np.repeat(draws[-1][at][:, None], columns, axis=1)
    later_us = left_us[at][:, None] + delays_us(least, scale, sigma, by_told[rows.nodes[at]], draws_of)
    return Exchanges(
        left_us + steps_us[-1], left_us, spread.certain, at, heard_us[:, None] + spread.told_us, later_us
    )


def _padded(job: Job, length: int) -> list[tuple[float, ...]]:
    """Give `answers_us`, each as long as that."""
    return [(*by, *[0.0] * (length - len(by))) for by in job.answers_us]


class _Spread(NamedTuple):
    """What became of the news at the swarm, by row.

    Args:
        causes: address of the transmission that the answer hangs on; waits_us: until it came.
        certain: whether this is sure; members: of the largest swarm.
        paired, told_us: as in `Exchanges`, from when the node had it.
    """

    causes: Draws
    waits_us: Numbers
    certain: npt.NDArray[np.bool_]
    members: int
    paired: Numbers
    told_us: Numbers


def _spread(tables: Tables, rows: Requests, came: Draws, links: Links) -> _Spread:
    """Let nodes pass on what goes with polls. Args: came: address of what brought each request."""
    jobs = tables.jobs
    members = max([len(job.polls.swarm) for job in jobs])
    width = members - 1
    mates = np.full((len(tables.swarms), width), -1)
    places = np.zeros((len(tables.swarms), width), dtype=np.int64)
    at = 0
    for job in jobs:
        swarm = job.polls.swarm
        for number, others in enumerate(job.mates):
            mates[at + number, : len(others)] = others
            places[at + number, : len(others)] = [swarm.index(node) for node in others]
        at += len(swarm)
    of_jobs = np.array([bool(job.mates) for job in jobs])
    which = np.flatnonzero(of_jobs[rows.whose])
    nodes = rows.nodes[which]
    to: Numbers = mates[nodes]
    there = to >= 0
    asked = np.repeat(tables.swarms[nodes][:, None], width, axis=1)
    least, scale, sigma = links.ways(asked, np.where(there, to, asked))
    none = np.zeros(to.shape)
    told = mix_array(came[which][:, None], np.arange(1, width + 1, dtype=np.uint64)[None])
    heard = mix_array(told, _FIRST_SENT)
    told_us = delays_us(least, scale, sigma, none, told)
    heard_us = np.where(there, told_us + delays_us(least, scale, sigma, none, heard), -1)
    last = heard_us.argmax(axis=1)
    every = np.arange(len(which))
    longest = heard_us[every, last]
    patience = np.array([job.patience_us for job in jobs])[rows.whose[which]]
    # Who of two is last that answer in the same microsecond is not known here.
    certain = np.ones(len(came), dtype=bool)
    certain[which] = ((heard_us == longest[:, None]).sum(axis=1) == 1) & (longest < patience)
    causes, waits_us = came.copy(), np.zeros(len(came), dtype=np.int64)
    causes[which], waits_us[which] = heard[every, last], longest
    pairs = np.array([job.is_paired for job in jobs])[rows.whose[which]]
    by_place = np.zeros((int(pairs.sum()), members), dtype=np.int64)
    line, column = np.nonzero(there[pairs])
    by_place[line, places[nodes[pairs]][line, column]] = told_us[pairs][line, column]
    return _Spread(causes, waits_us, certain, members, which[pairs], by_place)
