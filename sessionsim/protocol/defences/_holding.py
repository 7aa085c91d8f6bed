"""A guard that passes requests on with the slots, and gives answers a fixed time after their requests came.

When a request leaves the guard would tell how far away its client is, and so, of all that was sent at one
slot, which message is whose; passed on at the next slot with all others, it tells nothing. Clients have the
slots of all, so a request that is not late waits for no more than one.

How soon an answer comes tells which nodes a request went through, and it comes back as its destination
gives it; held until one and the same time for all, it tells neither. An answer that is later than that
waits for the next slot. Each request gets one answer, as ever, if only that its time is up; so where each
slot holds a request, each holds an answer.
"""

from __future__ import annotations

from sessionsim.protocol.machine import LATER, SEND, Effect, Effects
from sessionsim.protocol.snode import ServiceNode

_Asked = tuple[int, int, int]  # a client's request: who asked, its connection and exchange


def _goes_on(effect: Effect) -> bool:
    """Say whether an effect passes a request on."""
    return effect[0] == SEND and type(effect[4]) is str


class HoldingNode(ServiceNode):
    """A service node that does so, once it is told how long."""

    _hold_us = _slot_us = 0

    def hold(self, hold_us: int, slot_us: int) -> None:
        """Hold requests of clients, and answers to them, from now on.

        Args:
            hold_us: from a request's coming to its answer's leaving, µs.
            slot_us: from one slot to the next, µs: when requests are passed on, and answers that are later.
        """
        self._hold_us, self._slot_us = hold_us, slot_us
        self._asked_us: dict[_Asked, int] = {}

    def receive(
        self, src: int, conn: int, exchange: int, head: str | int, payload: bytes, now_us: int
    ) -> Effects:
        effects = super().receive(src, conn, exchange, head, payload, now_us)
        if head == "onion_req" and src >= self._count and self._hold_us:
            self._asked_us[src, conn, exchange] = now_us
            leaves_us = (now_us // self._slot_us + 1) * self._slot_us
            effects = [(LATER, leaves_us, one) if _goes_on(one) else one for one in effects]
        return self._held(effects, now_us)

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
