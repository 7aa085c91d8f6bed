"""Slots of a client: one request leaves at each, a real one that waits or a dummy.

All clients share one grid of slots, whole multiples of the slot since time 0: slots with a phase of one's
own would be a name, which whoever serves the client sees too. A real request waits for the next free slot.
A dummy is what a client really sends sometimes: the question which nodes hold an account, put to a random
node over one of the client's paths; the account is drawn at random. Connections to guards are opened as
soon as there is a path through them, since a request that waits for its connection leaves at a time of its
own. While the client sleeps nothing leaves, and nothing is made up for later.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from sessionsim.core.columns import Cause, note_of
from sessionsim.protocol.client.exchanges import HELD, Purpose
from sessionsim.protocol.identity import ACCOUNT_PREFIX
from sessionsim.protocol.machine import CONNECT, SEND, Effect
from sessionsim.protocol.wire import rpc

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_DUMMY: Final = 1 << 59  # in an exchange number; those of look-ups are smaller
_OPENING: Final = 1 << 58  # likewise
_DUMMY_NOTE: Final = note_of(Cause.DUMMY)
_KEY_BYTES: Final = 32  # Source: messages 1


def _forgotten(*_: object) -> list[Effect]:
    """Take the answer to a dummy."""
    return []


class Slots:
    """The slots of one client.

    Args:
        client: whose.
        slot_us: from one slot to the next.
        nodes: how many service nodes there are; what goes elsewhere leaves at once.
    """

    def __init__(self, client: Client, slot_us: int, nodes: int) -> None:
        self._client, self._slot_us, self._nodes = client, slot_us, nodes
        self._waiting: deque[Effect] = deque()
        self._next_us = slot_us
        self._dummies = 0
        self._opened: set[int] = set()  # guards
        self._openings_made = 0

    def paced(self, effects: list[Effect], now_us: int) -> list[Effect]:
        """Keep the requests back; let the one leave whose slot has come."""
        kept: list[Effect] = []
        for effect in effects:
            if effect[0] == SEND and effect[1] < self._nodes and type(effect[4]) is str:
                self._waiting.append(effect)
            else:
                kept.append(effect)
        if not self._client.presence.awake:
            self._waiting.clear()
            self._opened.clear()
        elif now_us >= self._next_us:
            if now_us % self._slot_us == 0:
                kept += self._leaving(now_us)
            self._next_us = (now_us // self._slot_us + 1) * self._slot_us
        return kept + self._openings()

    def next_due_us(self) -> int | None:
        return self._next_us if self._client.presence.awake else None

    def _openings(self) -> list[Effect]:
        """Open the connections to guards that have none yet."""
        requests, found = self._client.requests, list[Effect]()
        for path in requests.keeper.ready if self._client.presence.awake else ():
            guard = path.nodes[0]
            if guard not in self._opened:
                number, self._openings_made = self._openings_made, self._openings_made + 1
                self._opened.add(guard)
                exchange = _OPENING | number << 4 | Purpose.GUARD_TEST
                found.append((CONNECT, guard, requests.connection, exchange, _DUMMY_NOTE))
        return found

    def _leaving(self, now_us: int) -> list[Effect]:
        """Give what leaves now; nothing only while the client has no path."""
        while self._waiting:
            effect = self._waiting.popleft()
            if self._client.requests.awaits(effect[3]):
                return [effect]
        return self._dummy(now_us)

    def _dummy(self, now_us: int) -> list[Effect]:
        client = self._client
        requests, entropy, style = client.requests, client.entropy, client.body_style
        number, self._dummies = self._dummies, self._dummies + 1
        address = number.to_bytes(8, "little")
        node = requests.pool.pick(entropy, b"dummy" + address)
        if node is None or not requests.keeper.ready:
            return []
        account = ACCOUNT_PREFIX + entropy.draw(b"dummy account" + address)[:_KEY_BYTES]
        body = rpc.request_body(style, rpc.get_swarm_call(style, account.hex()))
        exchange = _DUMMY | number << 4 | Purpose.LOOKUP
        effect = requests.send(exchange, node, body, _DUMMY_NOTE, now_us, _forgotten, merged=True)
        return [] if effect is HELD else [effect]
