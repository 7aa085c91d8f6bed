"""The times of idle polls, worked out for many clients at once.

Which nodes and paths a poll takes is told by the clients (`protocol.client.idling.plan`); how long each of
its transmissions takes follows from the address of the exchange, as in the host (`train_exchanges`). What is
left to find out is when a connection to a guard has been idle for too long and is opened anew, which puts off
all that follows. A client that polls groups beside its own account, or asks two nodes at a time to keep
messages longer, is worked out poll by poll (`train_braids`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.network.links import Links, Numbers
from sessionsim.network.train_braids import braid
from sessionsim.network.train_exchanges import Tables, exchanges
from sessionsim.network.train_jobs import Drawn, Job
from sessionsim.protocol.client.idling import NEVER_US, Plan, plan

_TURNS: Final = 16  # Assumption: usually three suffice

Truths = npt.NDArray[np.bool_]


def draw(clients: Sequence[Sequence[Job]], addresses: npt.NDArray[np.uint64], links: Links) -> list[Drawn]:
    """Draw the next polls of clients.

    Args:
        clients: at least one, each with a job for every account that it polls.
        addresses: draw address of every endpoint.
        links: between them. Lines of nodes must have no limit.
    """
    simple = [len(jobs) == 1 and jobs[0].is_plain for jobs in clients]
    ordered = [*(jobs for jobs, one in zip(clients, simple, strict=True) if one)]
    n_simple = len(ordered)
    ordered += [jobs for jobs, one in zip(clients, simple, strict=True) if not one]
    jobs = [*chain.from_iterable(ordered)]
    planned = plan([job.polls for job in jobs], [job.count for job in jobs])
    tables = Tables(jobs)
    rows = tables.rows(planned.whose, planned.places, planned.paths, planned.exchanges)
    found = exchanges(tables, rows, addresses, links)
    drawn: list[Drawn] = []
    if n_simple:
        end = int(np.searchsorted(planned.whose, n_simple))
        whole = planned.first(end)
        line = _Chain(jobs[:n_simple], whole, rows.paths[:end], found.takes_us[:end], found.left_us[:end])
        line.settle()
        usable = line.over_polls(tables.usable(rows)[:end] & found.certain[:end])
        drawn = line.cut(usable, [job.count for job in jobs[:n_simple]], whole)
    at = n_simple
    for ahead in ordered[n_simple:]:
        drawn.append(braid(ahead, range(at, at + len(ahead)), tables, rows, planned, found, addresses, links))
        at += len(ahead)
    in_order = iter(drawn[:n_simple]), iter(drawn[n_simple:])
    return [next(in_order[0] if one else in_order[1]) for one in simple]


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
        self._pause_us = np.array([job.pause_us for job in jobs])[self._job_of]
        self._shake_us = np.array([us for job in jobs for us in job.shake_us])[paths]
        width = max([job.lines for job in jobs])
        used_us = np.array([us for job in jobs for open_ in job.used_us for us in _padded(job, open_, width)])
        lines = self._lines = paths * width + self._slots(jobs, planned, paths, width)
        self._width, self._open_us = width, used_us
        limit_us = np.array([job.idle_limit_us for job in jobs])
        # Uses of a connection: requests of one poll over it, in order of connection and poll.
        order = np.lexsort((planned.poll, lines))
        path, poll = lines[order], planned.poll[order]
        begins = np.ones(len(order), dtype=bool)
        begins[1:] = (path[1:] != path[:-1]) | (poll[1:] != poll[:-1])
        self._order, self._use_begins = order, np.flatnonzero(begins)
        self._use_of = np.empty(len(order), dtype=np.int64)  # of each request
        self._use_of[order] = np.cumsum(begins) - 1
        path, self._poll_of_use = path[begins], poll[begins]
        self._line_of_use, self._used_us = path, used_us[path]
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
        if self._width > 1:
            self._certain[self._poll_of_use[self._taken_over(closed, sent_us, last_us)]] = False

    @staticmethod
    def _slots(jobs: Sequence[Job], planned: Plan, paths: Numbers, width: int) -> Numbers:
        """Give which connection of its path each request takes: one that those beside it leave free."""
        slots, poll = np.zeros(len(paths), dtype=np.int64), planned.poll
        for back in range(1, width):
            slots[back:] += (poll[back:] == poll[:-back]) & (paths[back:] == paths[:-back])
        return np.where(np.array([job.shared for job in jobs])[planned.whose], 0, slots)

    def _taken_over(self, closed: Truths, sent_us: Numbers, last_us: Numbers) -> Truths:
        """Find uses of connections that are closed while a later one of the path is still open.

        Then that one would be taken; it is too rare to be worked out.
        """
        line, poll, width = self._line_of_use, self._poll_of_use, self._width
        polls = len(self._job_of)
        keys, found = line * polls + poll, np.zeros(len(line), dtype=bool)
        for further in range(1, width):
            other = line + further
            beside = line % width + further < width
            at = np.searchsorted(keys, other * polls + poll) - 1
            before_us = np.where(
                (at >= 0) & (line[at] == other), last_us[at], self._open_us[np.where(beside, other, line)]
            )
            found |= beside & closed & (sent_us[poll] - before_us <= self._limit_us)
        return found

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
                next_us = self._ends_us[end - 1] + job.pause_us
            width = job.polls.at_a_time
            at = int(self._requests[first])
            requests = slice(at, at + width * (end - first))
            paths, lines = planned.paths[requests], self._lines[requests] % self._width
            if job.lines == 1:
                for path, open_ in enumerate(job.used_us):
                    its = np.flatnonzero(paths == path)
                    if len(open_) > 1 and len(its):
                        sent_us = int(self._starts_us[first + its[0]]) + job.polls.wait_us
                        lines[its] = job.line_at(path, sent_us)
            drawn.append(
                Drawn(
                    self._starts_us[first:end],
                    self._ends_us[first:end],
                    (int(next_us),),
                    planned.places[requests],
                    paths,
                    self._left_us[requests],
                    lines,
                )
            )
        return drawn


def _padded(job: Job, open_us: Sequence[int], width: int) -> list[int]:
    """Give when so many connections were last used; those that are not open, never.

    One poll after the other keeps to one connection, which is the last that has been used from then on.
    """
    used_us = [max(open_us)] if job.lines == 1 and open_us else open_us
    return [*used_us, *[-NEVER_US] * (width - len(used_us))]
