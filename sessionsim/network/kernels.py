"""Queues of future entries that drive the host: simpy's, and a heap loop of ten lines.

The heap loop exists to prove that machines do not depend on the kernel (equal effects and rows, tested).
Only this file, and `Host` where it pushes into `queue`, know how the queues look.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final, Protocol

import simpy

# An entry of the queue is a flat tuple: time in µs, 1, rank, kind, and what belongs to the kind. Entries of
# one time are taken by rank, the order in which they were put; nothing behind the rank is ever compared.
#   (t_us, 1, rank, ARRIVE, dst, src, conn, exchange, head, payload, trace, note)
#   (t_us, 1, rank, WAKE, endpoint, number of the wish)
#   (t_us, 1, rank, COMMAND, endpoint, command)
#   (t_us, 1, rank, FAILED, src, dst, conn, exchange, reason, trace, note)
#   (t_us, 1, rank, START, endpoint)
#   (t_us, 1, rank, TURN, change of what works)
#   (t_us, 1, rank, CALL, what is to be called with the time)
#   (t_us, 1, rank, LATE, src, transmission, trace of its cause, note)
#   (t_us, 1, rank, PASS, guard, answer, trace, note)
Entry = tuple[Any, ...]
ARRIVE, WAKE, COMMAND, FAILED, START, TURN, CALL, LATE, PASS = range(9)
_SIMPY_ENTRY: Final = 4  # length of an entry that simpy put


class Kernel(Protocol):
    """A queue of future entries.

    `queue` is a heap that entries are pushed into, `ranks` gives the next rank. `later` takes entries that
    mostly come in order of time and outlive their reason.
    """

    queue: list[Any]
    ranks: Iterator[int]

    def later(self, entry: Entry) -> None: ...
    def run(self, until_us: int, handle: Callable[[Entry], None]) -> None: ...


class SimpyKernel:
    """simpy's Environment, whose queue also takes our flat tuples; its own events run beside them.

    simpy's entries are (time, priority, rank, event); ours are longer and of the same first three. Only this
    class, and `Host` where it pushes into `queue`, know how that queue looks. The safe way, dearer, would be
    `timeout = env.timeout(t_us - env.now, entry); timeout.callbacks.append(handle)` and `env.run(until_us)`.

    `later` is for wishes to be woken after a time-out. Most come in order of time and outlive their reason,
    so they wait in a plain queue and leave the heap small; entries of both are taken in one order.
    """

    def __init__(self) -> None:
        self.env = simpy.Environment(0)
        self.queue: list[Any] = self.env._queue
        self.ranks: Iterator[int] = self.env._eid
        self._late: deque[Entry] = deque()

    def later(self, entry: Entry) -> None:
        if self._late and entry[0] < self._late[-1][0]:
            heappush(self.queue, entry)
        else:
            self._late.append(entry)

    def run(self, until_us: int, handle: Callable[[Entry], None]) -> None:
        env, queue, late = self.env, self.queue, self._late
        while queue or late:
            if late and (not queue or late[0] < queue[0]):
                if late[0][0] >= until_us:
                    break
                entry = late.popleft()
            else:
                entry = queue[0]
                if entry[0] >= until_us:
                    break
                if len(entry) == _SIMPY_ENTRY:
                    env.step()
                    continue
                heappop(queue)
            env._now = entry[0]
            handle(entry)
        env._now = until_us


class HeapKernel:
    """The ten-line heap loop: same order of entries as simpy, no library."""

    def __init__(self) -> None:
        self.queue: list[Any] = []
        self.ranks: Iterator[int] = count()

    def later(self, entry: Entry) -> None:
        heappush(self.queue, entry)

    def run(self, until_us: int, handle: Callable[[Entry], None]) -> None:
        while self.queue and self.queue[0][0] < until_us:
            handle(heappop(self.queue))
