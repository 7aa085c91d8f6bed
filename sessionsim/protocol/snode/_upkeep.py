"""What a node does by itself, at times of its own: sending forwards again, and handing messages on.

Both run on grids of the clock, and only while there is something to do; `next_us` is the next such time.
"""

from __future__ import annotations

from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.snode._retries import NEVER_US, Retries
from sessionsim.protocol.snode._transfers import Transfers


class Upkeep:
    """The regular work of one node. Args: retries: None for a version that sends nothing again."""

    __slots__ = ("_retries", "_transfers", "next_us")

    def __init__(self, retries: Retries | None, transfers: Transfers) -> None:
        self._retries, self._transfers = retries, transfers
        self.next_us = NEVER_US

    def __len__(self) -> int:
        return len(self._transfers) + (self._retries.awaited if self._retries is not None else 0)

    def work(self, effects: list[Effect], now_us: int) -> None:
        """Do what is due."""
        if self._retries is not None and self._retries.next_us() <= now_us:
            self._retries.check(effects, now_us)
        if self._transfers.next_us <= now_us:
            self._transfers.check(effects, now_us)
        self.settle()

    def settle(self) -> None:
        """Find the next time there is something to do."""
        retry_us = self._retries.next_us() if self._retries is not None else NEVER_US
        self.next_us = min(retry_us, self._transfers.next_us)

    def change(
        self,
        nodes: NodeList,
        members: frozenset[int],
        effects: list[Effect],
        now_us: int,
        now_ms: int,
    ) -> None:
        """Learn a new node list. Args: members: of the node's own swarm."""
        if self._retries is not None:
            self._retries.keep_members(members)
        self._transfers.change(nodes, effects, now_us, now_ms)
        self.settle()

    def restart(self, disk_lost: bool, effects: list[Effect], now_us: int) -> None:
        """Begin anew with what is on the disk. Args: disk_lost: nothing is."""
        if self._retries is not None:
            self._retries.restart(disk_lost)
        self._transfers.restart(effects, now_us)
        self.settle()

    def asked(self, src: int, payload: bytes, now_us: int) -> bytes:
        """Answer another node that asks for messages."""
        answer = self._transfers.asked(src, payload, now_us)
        self.settle()
        return answer

    def given(self, payload: bytes, now_ms: int) -> None:
        """Take messages that another node hands on."""
        self._transfers.given(payload, now_ms)

    def take(self, src: int, exchange: int, payload: bytes, now_us: int) -> None:
        """Take another node's answer, if it is to one of our own requests."""
        if self._retries is None or not self._retries.take(src, exchange, now_us):
            self._transfers.take(src, exchange, payload, now_us)
        self.settle()
