"""The requests of one client that await an answer, and their deadlines.

Deadlines are a heap cleaned from the top: a request that was answered costs no wake-up of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from sessionsim.protocol.client.exchanges import Request


class Pending:
    """What is awaited, by exchange number."""

    __slots__ = ("_deadlines", "_requests")

    def __init__(self) -> None:
        self._requests: dict[int, Request] = {}
        self._deadlines: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._requests)

    def __contains__(self, exchange: object) -> bool:
        return exchange in self._requests

    def __iter__(self) -> Iterator[int]:
        return iter(tuple(self._requests))

    def begin(self, exchange: int, request: Request) -> None:
        """Await an answer."""
        self._requests[exchange] = request
        if request.path is not None:
            request.path.busy += 1
        heappush(self._deadlines, (request.deadline_us, exchange))

    def take(self, src: int, conn: int, exchange: int) -> Request | None:
        """Take the request an answer belongs to, if it was asked there and is still awaited."""
        request = self._requests.get(exchange)
        if request is None or conn != request.conn or src != request.first:
            return None
        return self.finish(exchange)

    def finish(self, exchange: int) -> Request:
        """Await it no longer."""
        request = self._requests.pop(exchange)
        if request.path is not None:
            request.path.busy -= 1
        return request

    def overdue(self, now_us: int) -> list[tuple[int, Request]]:
        """Take all requests whose deadline has come, in order of deadline."""
        late: list[tuple[int, Request]] = []
        deadlines = self._deadlines
        while deadlines and deadlines[0][0] <= now_us:
            deadline_us, exchange = heappop(deadlines)
            request = self._requests.get(exchange)
            if request is not None and request.deadline_us == deadline_us:
                late.append((exchange, self.finish(exchange)))
        return late

    def next_due_us(self) -> int | None:
        """Give the earliest deadline; after a request was put off, perhaps one too early."""
        deadlines = self._deadlines
        while deadlines and deadlines[0][1] not in self._requests:
            heappop(deadlines)
        return deadlines[0][0] if deadlines else None
