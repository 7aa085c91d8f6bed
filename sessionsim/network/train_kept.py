"""A train as it is kept: idle polls of one client that lie ahead, and where it stands at some time."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from sessionsim.network.train_jobs import Drawn, Job
from sessionsim.protocol.client.idling import Reread, Skip


class Train:
    """Idle polls of one client. Args: jobs: of its accounts; drawn: the first polls of them."""

    __slots__ = (
        "_again", "_begins", "_ends_us", "_left_us", "_limit_us", "_lines", "_next_us", "_open_us", "_paths",
        "_periods", "_places", "_reached_us", "_shared", "_starts_us", "_whose", "polls",
    )  # fmt: skip

    def __init__(self, jobs: Sequence[Job], drawn: Drawn) -> None:
        job, self._again = jobs[0], [one.again for one in jobs]
        polls = self.polls = job.polls
        self._next_us, self._open_us = drawn.next_us, job.used_us
        self._limit_us, self._shared, self._lines = job.idle_limit_us, job.shared, _packed(drawn.lines)
        self._starts_us, self._left_us = _packed(drawn.starts_us), _packed(drawn.left_us)
        self._places, self._paths = bytes(drawn.places.tolist()), bytes(drawn.paths.tolist())
        self._whose, self._periods, self._begins = drawn.whose, None, None
        self._ends_us = _packed(drawn.ends_us) if polls.in_rounds else None
        self._reached_us = _packed(drawn.ends_us)
        if drawn.whose is not None:
            assert drawn.periods is not None
            self._periods = _packed(drawn.periods)
            self._reached_us = _packed(np.maximum.accumulate(drawn.ends_us))
            widths = np.array([stream.at_a_time for stream in polls.streams])
            begins = np.cumsum(widths[np.frombuffer(drawn.whose, dtype=np.uint8)])
            self._begins = _packed(np.concatenate(([0], begins)))

    def __len__(self) -> int:
        return len(self._starts_us)

    @property
    def end_us(self) -> int:
        """When the first poll behind the train would begin; by then all of it is over."""
        return self.polls.next_of(self._next_us)

    @property
    def over_us(self) -> int:
        """When the client is to be woken: all polls are over by then, if something else falls due before."""
        return min(self.end_us, self.polls.until_us)

    def done_by(self, now_us: int) -> int:
        """Give how many polls are over, but for those since when there always was one under way."""
        begun = bisect_left(self._starts_us, now_us)
        if begun and self._reached_us[begun - 1] > now_us:
            return begun - 1 if self._periods is None else self._periods[begun - 1]
        return begun

    def skips(self, count: int) -> list[Skip]:
        """Say how the client goes on behind so many polls."""
        found, whose = [], self._whose
        for number, polls in enumerate(self.polls.streams):
            if whose is None:
                own, at, last = count, count if count < len(self) else -1, count - 1
            else:
                own, at = whose.count(number, 0, count), whose.find(number, count)
                last = whose.rfind(number, 0, count)
            next_us = self._starts_us[at] if at >= 0 else self._next_us[number]
            if polls.joint:
                assert self._ends_us is not None
                next_us = self._ends_us[last] if own else polls.due_us
            node = polls.swarm[self._places[self._requests(last + 1) - 1]] if own else -1
            rereads = self._rereads(number, count) if self._again[number] else ()
            found.append(Skip(polls.account_id, own, next_us, node, rereads))
        return found

    def _rereads(self, number: int, count: int) -> tuple[Reread, ...]:
        """Give what the first polls bring that the client knows. Args: number: of the account."""
        if self._whose is None:
            asked = set(self._places[: self._requests(count)])
        else:
            its = [at for at in range(count) if self._whose[at] == number]
            asked = {k for at in its for k in self._places[self._requests(at) : self._requests(at + 1)]}
        return tuple([one.reread for place, one in self._again[number].items() if place in asked])

    def last_start_us(self, number: int, count: int) -> int:
        """Give when the last of the first polls began. Args: number: of the account, which has one."""
        return self._starts_us[count - 1 if self._whose is None else self._whose.rfind(number, 0, count)]

    def last_uses(self, count: int) -> dict[int, list[int]]:
        """Give when the connections of the paths that the first polls take are used last, the oldest first.

        By position of the path. What would be closed by now may be missing.
        """
        found: dict[int, dict[int, int]] = {}
        newest_us = -1
        for at in range(count - 1, -1, -1):
            for k in range(self._requests(at), self._requests(at + 1)):
                lines, line, left_us = found.setdefault(self._paths[k], {}), self._lines[k], self._left_us[k]
                if left_us > lines.get(line, -1):
                    lines[line] = left_us
                newest_us = max(newest_us, left_us)
            before_us = self._reached_us[at - 1] if at else -1
            if self._shared and len(found) == len(self.polls.routes):
                if before_us <= min([lines[0] for lines in found.values()]):
                    break
            elif before_us < newest_us - self._limit_us:
                break
        for path, lines in found.items():
            for line, t_us in enumerate(self._open_us[path]):
                lines.setdefault(line, t_us)
        return {path: [lines[line] for line in sorted(lines)] for path, lines in found.items()}

    def _requests(self, polls: int) -> int:
        """Give how many requests the first polls make."""
        return polls * self.polls.at_a_time if self._begins is None else self._begins[polls]


def _packed(column: np.ndarray) -> array[int]:
    return array("q", column.astype(np.int64).tobytes())
