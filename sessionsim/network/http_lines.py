"""The HTTP/1.1 connections of one client to one guard: each carries one request at a time.

While all are busy, a further request opens another one, as the agent of node-fetch (desktop) and OkHttp
(Android) do without limit. The oldest free one is taken (Assumption: OkHttp looks through its pool in this
order), and one that has been idle for too long is closed by the server (transport 3.6). Who gives a request
up closes its connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_BUSY: Final = 1 << 62
Line = list[int]  # number, when it is ready, when it was last used, from when on it is free
NUMBER, READY, USED, FREE = range(4)


class Lines:
    """Connections from one client to one endpoint. Args: limit_us: idle time after which one is closed."""

    __slots__ = ("_asked", "_limit_us", "_lines")

    def __init__(self, limit_us: int) -> None:
        self._limit_us = limit_us
        self._lines: list[Line] = []
        self._asked: dict[int, Line] = {}  # by exchange

    def free(self, now_us: int) -> Line | None:
        """Give the connection that a request may use now; None if one must be opened."""
        limit_us = self._limit_us
        self._lines = [one for one in self._lines if one[FREE] == _BUSY or now_us - one[USED] <= limit_us]
        return next((one for one in self._lines if one[FREE] <= now_us), None)

    def add(self, number: int, ready_us: int) -> Line:
        """Open another one."""
        line = [number, ready_us, ready_us, ready_us]
        self._lines.append(line)
        return line

    def ask(self, line: Line, exchange: int, now_us: int) -> int:
        """Have a request use a connection. Returns when it may leave."""
        ready_us = max(line[READY], now_us)
        line[USED], line[FREE] = ready_us, _BUSY
        self._asked[exchange] = line
        return ready_us

    def answer(self, exchange: int, now_us: int) -> Line | None:
        """Have an answer use the connection of its request; None if nothing was asked."""
        line = self._asked.pop(exchange, None)
        if line is not None:
            line[USED] = now_us
        return line

    def give_up(self, exchange: int) -> None:
        """Close the connection of a request that is no longer waited for; an answer may be on its way."""
        line = self._asked.get(exchange)
        if line is not None:
            self._lines = [one for one in self._lines if one is not line]

    def last_uses(self) -> list[int] | None:
        """Give when each was last used, the oldest first; None while one is busy."""
        if any([one[FREE] == _BUSY for one in self._lines]):
            return None
        return [one[USED] for one in self._lines]

    def put(self, uses_us: Sequence[int]) -> None:
        """Take as many as open, nobody watching, and last used then."""
        self._lines = [[-1, 0, t_us, t_us] for t_us in uses_us]
