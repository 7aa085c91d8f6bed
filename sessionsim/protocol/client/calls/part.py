"""Media of calls on a device: TURN servers are asked, the other side is tried directly, and then talk flows.

A client that gathers candidates asks two TURN servers, which learn its address. Once a call is answered both
sides try the addresses that they have told each other, so each sees the other's, whether or not the media go
that way in the end: no client insists on a relay (client-behaviour 6.5).

When that happens is taken from the wish, not from the signalling messages that the parts exchange: a call
whose signals were late or lost would in reality begin later, or not at all. Video is not told apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from sessionsim.core.columns import Cause, Transport, note_of
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.client.calls.rules import MediaRules
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.machine import SEND, Effect
from sessionsim.protocol.servers.turn import ALLOCATE, MEDIA, write_relayed

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_UDP: Final = int(Transport.UDP)
_NOTE: Final = note_of(Cause.SIGNAL)
_APART: Final = 1 << 40  # exchange numbers of media, apart from those of signals
# Attributes of a request: transport, user, realm, nonce, integrity. Source: RFC 8656, section 7.1.
_ALLOCATE: Final = bytes(132)
_CHECK: Final = bytes(100)  # a connectivity check. Source: RFC 8445, section 7.1


@dataclass(slots=True)
class _Talk:
    """A call on this device. Args: via: TURN server that relays it, or None."""

    number: int
    other: int
    via: int | None
    end_us: int
    steps: int = 0


class CallMedia:
    """The part of a client that moves the media of its calls. Args: client: whose; rules: of all calls."""

    def __init__(self, client: Client, rules: MediaRules) -> None:
        self._client, self._rules = client, rules
        self._sent = 0
        self._calls = 0
        self._due: list[tuple[int, int, _Talk]] = []
        self._media = bytes(rules.rate_bit_per_s * rules.step_us // 8 // US_PER_S)

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"call-media": self.begin}

    def start(self, now_us: int) -> list[Effect]:
        return []

    def next_due_us(self) -> int | None:
        return self._due[0][0] if self._due else None

    def begin(
        self, other: int, turns: Sequence[int], relayed: bool, after_us: int, talk_us: int, now_us: int
    ) -> list[Effect]:
        """Gather candidates for a call, and let the media flow from its answer to its end.

        Args:
            other: endpoint of the other side's device.
            turns: endpoints of the TURN servers that this side asks.
            relayed: whether the media go through the first of them.
            after_us: from now to the answer.
            talk_us: from there to the end; 0 for a call that is not answered.
        """
        self._calls += 1
        if talk_us:
            answer_us = now_us + after_us
            via = turns[0] if relayed and turns else None
            heappush(self._due, (answer_us, self._calls, _Talk(self._calls, other, via, answer_us + talk_us)))
        return [self._send(turn, ALLOCATE, _ALLOCATE) for turn in turns]

    def wake(self, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        while self._due and self._due[0][0] <= now_us:
            t_us, number, talk = heappop(self._due)
            if not talk.steps:
                effects.append(self._send(talk.other, MEDIA, _CHECK))
            talk.steps += 1
            if talk.via is None:
                effects.append(self._send(talk.other, MEDIA, self._media))
            else:
                effects.append(self._send(talk.via, MEDIA, write_relayed(talk.other, self._media)))
            if t_us + self._rules.step_us < talk.end_us:
                heappush(self._due, (t_us + self._rules.step_us, number, talk))
        return effects

    def _send(self, endpoint: int, head: str, payload: bytes) -> Effect:
        self._sent += 1
        return (SEND, endpoint, _UDP, (_APART | self._sent) << 4 | Purpose.SIGNAL, head, payload, _NOTE)
