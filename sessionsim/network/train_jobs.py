"""What is to be drawn of idle polls, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from sessionsim.network.links import Numbers
from sessionsim.protocol.client.idling import IdlePolls, Reread

FEW: Final = 8  # Assumption: polls that are drawn in any case


class Again(NamedTuple):
    """The first poll of a node that gives what the client knows. Args: ask_us, answer_us: see `Job`."""

    reread: Reread
    ask_us: float
    answer_us: float


@dataclass(frozen=True, slots=True)
class Job:
    """Polls of one account by one client that are to be drawn.

    Args:
        endpoint: of the client; polls: as it told them; count: how many are drawn, at least one.
        until_us: a poll must be over before.
        pause_us: from the end of a poll to the next, where it polls this account alone.
        usable: whether a poll may go there: the whole swarm over one path, then over the next.
        asks_us: how long the bytes to the guard take on the lines, by place in the swarm.
        answers_us: the same of the bytes back, by place; where polls ask the swarm to keep messages longer,
            by how many members had heard of that in the same poll before.
        mates: by place, the members that pass this on, in order; empty where polls ask nothing of the sort.
        patience_us: how long nodes wait for these.
        shake_us: how long opening the connection of each path takes.
        used_us: when its connections were last used that are open, the oldest first.
        idle_limit_us: after which idle time a connection is opened anew.
        shared: requests at a time go over one connection; otherwise each needs one of its own.
        again: by place what the first poll there brings, if the client knows it; `asks_us` and `answers_us`
            are those of the polls after it.
    """

    endpoint: int
    polls: IdlePolls
    count: int
    until_us: int
    pause_us: int
    usable: list[bool]
    asks_us: list[float]
    answers_us: list[tuple[float, ...]]
    mates: list[tuple[int, ...]]
    patience_us: int
    shake_us: list[int]
    used_us: list[list[int]]
    idle_limit_us: int
    shared: bool
    again: Mapping[int, Again]

    @property
    def is_paired(self) -> bool:
        """Whether two nodes tell the swarm the same at once, so that it depends on who is first."""
        return bool(self.mates) and self.polls.at_a_time > 1

    @property
    def lines(self) -> int:
        """How many connections a poll may need over one path."""
        return 1 if self.shared else self.polls.at_a_time

    @property
    def is_clear(self) -> bool:
        """Whether polls may go everywhere, and change nothing at any node."""
        return self.polls.extension is None and all(self.usable)

    @property
    def is_plain(self) -> bool:
        """Whether polls follow one another, and it is known which connections those of a poll share."""
        few = self.polls.at_a_time == 1 or all([len(open_) <= self.lines for open_ in self.used_us])
        return few and not self.is_paired

    def line_at(self, path: int, t_us: int) -> int:
        """Give which connection a poll takes that asks one node, and is the first on a path: the oldest."""
        lines = enumerate(self.used_us[path])
        return next((line for line, used_us in lines if t_us - used_us <= self.idle_limit_us), 0)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The first polls of one client that nothing stands against, in order of their beginning.

    Args:
        starts_us: when each begins; ends_us: when its last answer arrives; shape (n,).
        next_us: when the next poll of each account would begin; of joint ones when the last was over.
        places, paths: in the swarm and among the routes; left_us: when the guards send the answers; lines:
            which connection of the path, those that were open counted first; each for all requests, poll by
            poll.
        whose: which account each poll is of; periods: the first of those polls between which there was always
            one under way. None: there is one account, and no poll begins before the last one is over.
    """

    starts_us: Numbers
    ends_us: Numbers
    next_us: tuple[int, ...]
    places: Numbers
    paths: Numbers
    left_us: Numbers
    lines: Numbers
    whose: bytes | None = None
    periods: Numbers | None = None
