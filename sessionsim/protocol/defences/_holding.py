"""A guard that gives answers to clients a fixed time after their requests came.

How soon an answer comes tells which nodes a request went through, and it comes back as its destination
gives it; held until one and the same time for all, it tells neither. An answer that is later than that
waits for the next slot. Each request gets one answer, as ever, if only that its time is up; so where each
slot holds a request, each holds an answer.
"""

from __future__ import annotations

from sessionsim.protocol.machine import LATER, SEND, Effect, Effects
from sessionsim.protocol.snode import ServiceNode

_Asked = tuple[int, int, int]  # a client's request: who asked, its connection and exchange


class HoldingNode(ServiceNode):
    """A service node that does so, once it is told how long."""

    _hold_us = _slot_us = 0

    def hold(self, hold_us: int, slot_us: int) -> None:
        """Hold answers to clients from now on.

        Args:
            hold_us: from a request's coming to its answer's leaving, µs.
            slot_us: what answers wait for that are later, µs.
        """
        self._hold_us, self._slot_us = hold_us, slot_us
        self._asked_us: dict[_Asked, int] = {}

    def receive(
        self, src: int, conn: int, exchange: int, head: str | int, payload: bytes, now_us: int
    ) -> Effects:
        if head == "onion_req" and src >= self._count and self._hold_us:
            self._asked_us[src, conn, exchange] = now_us
        return self._held(super().receive(src, conn, exchange, head, payload, now_us), now_us)

    def failed(self, dst: int, conn: int, exchange: int, reason: str, now_us: int) -> Effects:
        return self._held(super().failed(dst, conn, exchange, reason, now_us), now_us)

    def wake(self, now_us: int) -> Effects:
        return self._held(super().wake(now_us), now_us)

    def _held(self, effects: Effects, now_us: int) -> Effects:
        """Put the answers to clients off."""
        if not self._hold_us or not self._asked_us:
            return effects
        return [self._put_off(effect, now_us) if effect[0] == SEND else effect for effect in effects]

    def _put_off(self, effect: Effect, now_us: int) -> Effect:
        asked_us = self._asked_us.pop((effect[1], effect[2], effect[3]), None)
        if asked_us is None:
            return effect
        due_us = asked_us + self._hold_us
        if due_us < now_us:
            due_us -= (due_us - now_us) // self._slot_us * self._slot_us
        return (LATER, due_us, effect)
