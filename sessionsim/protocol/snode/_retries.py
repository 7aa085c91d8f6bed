"""Forwards that a member did not answer in time, sent again until it does (transport 5.5; not in 2.8).

Only silence counts: a member that answered with an error is left alone. What is due is looked for on a fixed
grid of the clock, and only while there is anything. The next attempt is fixed when one is made, so an answer
that comes too late changes nothing.
Source: session-storage-server: oxenss/storage/database.cpp foreach_ready_retry_request,
oxenss/snode/service_node.cpp check_retry_requests.
"""

from __future__ import annotations

from collections.abc import Iterator

from sessionsim.core.columns import Cause, Transport, note_of
from sessionsim.protocol.machine import SEND, Effect
from sessionsim.protocol.node_rules import NodeRules

NEVER_US = 1 << 62
_OMQ = int(Transport.OMQ)
_NOTE = note_of(Cause.REPLICATION)


class _Forward:
    __slots__ = ("created_us", "next_us", "node", "payload")

    def __init__(self, node: int, payload: bytes, created_us: int, next_us: int) -> None:
        self.node, self.payload, self.created_us, self.next_us = node, payload, created_us, next_us


class Retries:
    """What a node still owes other members. Args: rules: intervals, limits; numbers: its exchange numbers."""

    def __init__(self, rules: NodeRules, numbers: Iterator[int]) -> None:
        self._numbers = numbers
        self._period_us, self._timeout_us = rules.retry_check_us, rules.retry_timeout_us
        self._first_us, self._again_us = rules.retry_first_us, rules.retry_again_us
        self._for_us, self._most = rules.retry_for_us, rules.retry_kept_max
        self._count = 0
        self._kept: dict[int, _Forward] = {}
        self._earliest_us = NEVER_US  # of `next_us`, or earlier
        # Exchange number -> deadline, member, which forward. In order of deadline.
        self._awaited: dict[int, tuple[int, int, int]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def awaited(self) -> int:
        """How many answers are awaited."""
        return len(self._awaited)

    def add(self, node: int, payload: bytes, now_us: int) -> None:
        """Keep a forward that has just gone unanswered."""
        self._count += 1
        self._kept[self._count] = _Forward(node, payload, now_us, now_us + self._first_us)
        self._earliest_us = min(self._earliest_us, now_us + self._first_us)
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]

    def next_us(self) -> int:
        """Give the first time on the grid at which something is due."""
        if not self._kept:
            return NEVER_US
        return (self._earliest_us // self._period_us + 1) * self._period_us

    def check(self, effects: list[Effect], now_us: int) -> None:
        """Send what is due and drop what is too old."""
        for exchange in [e for e, (deadline, _, _) in self._awaited.items() if deadline <= now_us]:
            del self._awaited[exchange]
        for number, forward in list(self._kept.items()):
            if now_us - forward.created_us > self._for_us:
                del self._kept[number]
            elif forward.next_us < now_us:
                forward.next_us = now_us + self._again_us
                exchange = next(self._numbers)
                effects.append((SEND, forward.node, _OMQ, exchange, "sn.storage_cc", forward.payload, _NOTE))
                self._awaited[exchange] = (now_us + self._timeout_us, forward.node, number)
        self._earliest_us = min((forward.next_us for forward in self._kept.values()), default=NEVER_US)

    def take(self, src: int, exchange: int, now_us: int) -> bool:
        """Take a member's answer, whatever it says; False if nothing like it is awaited."""
        awaited = self._awaited.get(exchange)
        if awaited is None or awaited[1] != src:
            return False
        del self._awaited[exchange]
        if now_us < awaited[0]:
            self._kept.pop(awaited[2], None)
        return True

    def restart(self, disk_lost: bool) -> None:
        """Await nothing any more; what is owed lies on the disk. Source: transport 5.5."""
        self._awaited.clear()
        if disk_lost:
            self._kept.clear()
            self._earliest_us = NEVER_US

    def keep_members(self, members: frozenset[int]) -> None:
        """Forget what is owed to nodes that are no longer in the swarm."""
        for number, forward in list(self._kept.items()):
            if forward.node not in members:
                del self._kept[number]
