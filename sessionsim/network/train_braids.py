"""The idle polls of a client that polls several accounts, or whose polls race with each other.

The streams of polls meet at the client: they keep each other's connections open, keep paths busy, and two
batches that wait for the same node at the same time go out as one. So their times are worked out poll by
poll, in order of their beginning; how long each exchange takes is drawn for all of them before. What is not
foreseen here ends the train before the stretch of polls in which it happens, so that a train always ends when
nothing is under way.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sessionsim.network.links import Links
from sessionsim.network.train_exchanges import Exchanges, Requests, Tables, exchanges
from sessionsim.network.train_jobs import Drawn, Job
from sessionsim.network.train_scouts import never_if_none
from sessionsim.protocol.client.idling import NEVER_US, Plan


class _Strand(NamedTuple):
    """The polls of one account, as lists.

    Args:
        job: see there; swarm, width: nodes, and how many are asked at a time.
        places, ways: of the requests, in the swarm and among the routes; drawn: what chooses among free ones.
        takes_us, left_us, certain: see `Exchanges`; by path where a free one is taken, else of the one path.
        told_us, later_us: see there; empty where nothing races.
    """

    job: Job
    swarm: tuple[int, ...]
    width: int
    places: list[int]
    ways: list[int]
    drawn: list[int]
    takes_us: list[list[int]]
    left_us: list[list[int]]
    certain: list[list[bool]]
    told_us: list[list[int]]
    later_us: list[list[int]]


def braid(
    jobs: Sequence[Job],
    numbers: Sequence[int],
    tables: Tables,
    rows: Requests,
    planned: Plan,
    found: Exchanges,
    addresses: npt.NDArray[np.uint64],
    links: Links,
) -> Drawn:
    """Work out the polls of one client.

    Args:
        jobs: its jobs; numbers: of these among all.
        tables, rows, planned, found: of all jobs.
        addresses, links: see `draw`.
    """
    return _Braid(
        [
            _strand(job, number, tables, rows, planned, found, addresses, links)
            for job, number in zip(jobs, numbers, strict=True)
        ]
    ).plait()


def _strand(
    job: Job,
    number: int,
    tables: Tables,
    rows: Requests,
    planned: Plan,
    found: Exchanges,
    addresses: npt.NDArray[np.uint64],
    links: Links,
) -> _Strand:
    begin, end = np.searchsorted(rows.whose, (number, number + 1)).tolist()
    its = slice(begin, end)
    results = [(found.takes_us[its], found.left_us[its], found.certain[its])]
    if job.polls.least_busy:
        results = []
        for way in range(len(job.polls.routes)):
            ways = np.full(end - begin, way)
            over = tables.rows(rows.whose[its], rows.places[its], ways, rows.exchanges[its])
            one = exchanges(tables, over, addresses, links)
            results.append((one.takes_us, one.left_us, one.certain))
    told, later = [], []
    if job.is_paired:
        pairs = slice(*np.searchsorted(found.paired, (begin, end)).tolist())
        told, later = found.told_us[pairs, : len(job.polls.swarm)].tolist(), found.later_us[pairs].tolist()
    return _Strand(
        job, job.polls.swarm, job.polls.at_a_time,
        rows.places[its].tolist(), rows.ways[its].tolist(), planned.drawn[its].tolist(),
        [takes.tolist() for takes, _, _ in results], [left.tolist() for _, left, _ in results],
        [certain.tolist() for _, _, certain in results], told, later,
    )  # fmt: skip


class _Unforeseen(Exception):
    """Something happens that only carrying it out can tell."""


class _Braid:
    """The polls of one client, plaited. Args: strands: one for each account."""

    def __init__(self, strands: Sequence[_Strand]) -> None:
        self._strands, job = strands, strands[0].job
        polls, ways = job.polls, len(job.polls.routes)
        self._wait_us, self._timeout_us, self._until_us = polls.wait_us, polls.timeout_us, job.until_us
        self._limit_us, self._shake_us = job.idle_limit_us, job.shake_us
        self._every = tuple(range(ways))
        # Of each path: when its connection was last used and is open, what is still to use it, and when the
        # requests under way on it are over.
        self._shared = job.shared
        self._used_us, self._ready_us = (
            [never_if_none(max(one, default=None)) for one in job.used_us],
            [0] * ways,
        )
        # Or, if requests do not share it, of each that is open: number, last use, from when on it is free.
        self._open = [[[k, t_us, t_us] for k, t_us in enumerate(one)] for one in job.used_us]
        self._opened = [len(one) for one in job.used_us]
        self._to_use: list[list[int]] = [[] for _ in range(ways)]
        self._over_us: list[list[int]] = [[] for _ in range(ways)]
        self._waiting: dict[int, int] = {}  # node -> when what waits for it goes out
        self.places: list[int] = []
        self.ways: list[int] = []
        self.left_us: list[int] = []
        self.lines: list[int] = []

    def plait(self) -> Drawn:
        """Work out all polls until something is not foreseen."""
        return self._rounds() if self._strands[0].job.polls.in_rounds else self._each()

    def _rounds(self) -> Drawn:
        """Work out rounds that begin with the first account and take all others whose pause is over."""
        strands = self._strands
        polls = [strand.job.polls for strand in strands]
        due_us, counts = [one.due_us for one in polls], [0] * len(strands)
        starts, ends, whose, periods = list[int](), list[int](), list[int](), list[int]()
        while True:
            start_us, begin, before, period = due_us[0], len(self.places), list(due_us), len(starts)
            taken = [0]
            for number, one in enumerate(polls):
                if number and start_us - due_us[number] >= one.pause_us(start_us):
                    taken.append(number)
            try:
                for number in taken:
                    strand = strands[number]
                    if counts[number] * strand.width >= len(strand.places):
                        raise _Unforeseen
                    due_us[number] = self._poll(strand, counts[number], start_us)
            except _Unforeseen:
                due_us = before
                for column in (self.places, self.ways, self.left_us, self.lines):
                    del column[begin:]
                break
            for number in taken:
                counts[number] += 1
                starts.append(start_us)
                ends.append(due_us[number])
                whose.append(number)
                periods.append(period)
            over_us = max([due_us[number] for number in taken])
            due_us[0] = over_us + polls[0].pause_us(over_us)
        return self._drawn(starts, ends, due_us, whose, periods, len(self.places))

    def _each(self) -> Drawn:
        """Work out polls of each account in a rhythm of its own."""
        strands = self._strands
        next_us = [strand.job.polls.due_us for strand in strands]
        due = [(t_us, number) for number, t_us in enumerate(next_us)]
        heapify(due)
        counts = [0] * len(strands)
        starts: list[int] = []
        ends: list[int] = []
        whose: list[int] = []
        periods: list[int] = []
        begins: list[int] = []  # where the requests of each poll begin
        reached_us, period = -1, 0
        while True:
            start_us, number = heappop(due)
            strand = strands[number]
            if start_us >= reached_us:
                period = len(starts)
            if counts[number] * strand.width >= len(strand.places):
                break
            begin = len(self.places)
            try:
                end_us = self._poll(strand, counts[number], start_us)
            except _Unforeseen:
                for column in (self.places, self.ways, self.left_us, self.lines):
                    del column[begin:]
                break
            counts[number] += 1
            starts.append(start_us)
            ends.append(end_us)
            whose.append(number)
            periods.append(period)
            begins.append(begin)
            reached_us = max(reached_us, end_us)
            next_us[number] = end_us + strand.job.polls.pause_us(end_us)
            heappush(due, (next_us[number], number))
        begins.append(len(self.places))
        for at in range(len(starts) - 1, period - 1, -1):
            next_us[whose[at]] = starts[at]
        requests = begins[period] if period < len(begins) else len(self.places)
        return self._drawn(
            starts[:period], ends[:period], next_us, whose[:period], periods[:period], requests
        )

    def _drawn(
        self,
        starts: Sequence[int],
        ends: Sequence[int],
        next_us: Sequence[int],
        whose: Sequence[int],
        periods: Sequence[int],
        requests: int,
    ) -> Drawn:
        """Give what was worked out. Args: requests: so many of the first count."""
        return Drawn(
            np.array(starts, dtype=np.int64),
            np.array(ends, dtype=np.int64),
            tuple(next_us),
            np.array(self.places[:requests], dtype=np.int64),
            np.array(self.ways[:requests], dtype=np.int64),
            np.array(self.left_us[:requests], dtype=np.int64),
            np.array(self.lines[:requests], dtype=np.int64),
            bytes(whose),
            np.array(periods, dtype=np.int64),
        )

    def _poll(self, strand: _Strand, count: int, start_us: int) -> int:
        """Carry out one poll; when it is over."""
        sent_us, width, job = start_us + self._wait_us, strand.width, strand.job
        rows = range(count * width, (count + 1) * width)
        readies: list[int] = []
        taken: list[list[int]] = []
        over: list[tuple[int, int]] = []  # path, and column of what is drawn for it
        for row in rows:
            place = strand.places[row]
            if self._wait_us:
                node = strand.swarm[place]
                if self._waiting.get(node, -1) >= start_us:
                    raise _Unforeseen
                self._waiting[node] = sent_us
            way, column = strand.ways[row], 0
            if job.polls.least_busy:
                way = column = self._free(
                    job.polls.usable.get(place, self._every), strand.drawn[row], sent_us
                )
            if not (job.usable[way * len(strand.swarm) + place] and strand.certain[column][row]):
                raise _Unforeseen
            if self._shared:
                readies.append(self._ready(way, sent_us))
            else:
                line, ready_us = self._take(way, sent_us)
                readies.append(ready_us)
                taken.append(line)
            over.append((way, column))
        takes_us = [strand.takes_us[column][row] for row, (_, column) in zip(rows, over, strict=True)]
        if strand.told_us:
            takes_us = self._raced(strand, rows, readies)
        ends_us: list[int] = []
        for row, (way, column), ready_us, takes in zip(rows, over, readies, takes_us, strict=True):
            end_us, left_us = ready_us + takes, ready_us + strand.left_us[column][row]
            if end_us - sent_us >= self._timeout_us or takes > self._limit_us or end_us >= self._until_us:
                raise _Unforeseen
            if self._shared:
                self._to_use[way].append(left_us)
            if job.polls.least_busy:
                self._over_us[way].append(end_us)
            self.places.append(strand.places[row])
            self.ways.append(way)
            self.left_us.append(left_us)
            self.lines.append(0)
            ends_us.append(end_us)
        for k, line in enumerate(taken):
            self.lines[k - width], line[1], line[2] = line[0], self.left_us[k - width], ends_us[k]
        return max(ends_us)

    def _take(self, way: int, now_us: int) -> tuple[list[int], int]:
        """Take a connection that nobody else uses, as `http_lines` does, and when the request may leave."""
        open_ = self._open[way] = [
            line for line in self._open[way] if line[2] > now_us or now_us - line[1] <= self._limit_us
        ]
        for line in open_:
            if line[2] == now_us:
                raise _Unforeseen
            if line[2] < now_us:
                line[2] = NEVER_US
                return line, now_us
        number, self._opened[way] = self._opened[way], self._opened[way] + 1
        line = [number, now_us, NEVER_US]
        open_.append(line)
        return line, now_us + self._shake_us[way]

    def _free(self, usable: Sequence[int], drawn: int, now_us: int) -> int:
        """Choose one of the paths with the fewest requests under way, as `PathKeeper.choose` does."""
        under_way = self._over_us
        for way in usable:
            under_way[way] = [t_us for t_us in under_way[way] if t_us > now_us]
        fewest = min([len(under_way[way]) for way in usable])
        free = [way for way in usable if len(under_way[way]) == fewest]
        return free[drawn % len(free)]

    def _ready(self, way: int, now_us: int) -> int:
        """Use a connection, as `Connections.client` does: when the request may leave."""
        for t_us in self._to_use[way]:
            if self._used_us[way] < t_us <= now_us:
                self._used_us[way] = t_us
        self._to_use[way] = [t_us for t_us in self._to_use[way] if t_us > now_us]
        if now_us - self._used_us[way] > self._limit_us:
            self._ready_us[way] = now_us + self._shake_us[way]
        self._used_us[way] = ready_us = max(self._ready_us[way], now_us)
        return ready_us

    @staticmethod
    def _raced(strand: _Strand, rows: range, readies: Sequence[int]) -> list[int]:
        """Give how long the requests of one poll take whose news race through the swarm."""
        told = [
            [ready_us + t_us for t_us in strand.told_us[row]]
            for row, ready_us in zip(rows, readies, strict=True)
        ]
        late = [0] * len(told)
        for times in zip(*told, strict=True):
            first = min(times)
            if times.count(first) > 1:
                raise _Unforeseen
            for number, t_us in enumerate(times):
                late[number] += t_us > first
        return [strand.later_us[row][count] for row, count in zip(rows, late, strict=True)]
