"""Requests to a swarm that are tried until they succeed or their attempts are used up.

An errand is a few storage calls that belong together: the push of a config and the deletion of what it
supersedes, a kick and a revocation, a group's message. Each attempt asks a random node of the swarm and
writes the calls anew, because their signatures hold for a minute only (transport 5.2). Repeating a store,
a deletion or a revocation does no harm (transport 5.4), so all calls are repeated when one has failed. A 421
replaces the cached swarm and is retried at once, as in `outbox`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.client.confirmations import are_proved, confirmed
from sessionsim.protocol.client.paths import number_at
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.wire import rpc

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_ATTEMPT_BITS: Final = (
    8  # room for the attempts of one errand in an exchange number (Patience.attempts ≤ 100)
)
_NUMBER_BITS: Final = 24  # and for the errands of one purpose and place

Answers = Sequence[tuple[int, dict[str, Any]]]


class Patience(NamedTuple):
    """How often something is tried.

    Args:
        pause_us: before the second attempt; growth: what each further one is longer by, as a factor.
        cap_us: the longest; 0 for no limit.
    """

    attempts: int
    pause_us: int
    growth: float = 1.0
    cap_us: int = 0

    def pause_after(self, attempts: int) -> int:
        """Give the pause after so many attempts, µs."""
        pause_us = self.pause_us * self.growth ** (attempts - 1)
        return int(min(pause_us, self.cap_us) if self.cap_us else pause_us)


@dataclass(slots=True)
class Errand:
    """What is to be done at one swarm.

    Args:
        account_id: 33 bytes, whose swarm it is.
        purpose, place: with a running number they make the exchange numbers; `place` tells groups apart.
        note: of its requests.
        calls: writes the calls; gets the client's clock, unix ms.
        form: "sequence", "batch", or "store" for a single call sent bare.
        patience: how often it is tried.
        done: gets the answers to all calls, none of them an error, and the time in µs.
        given_up: gets the last status (0: no answer) and the time in µs.
        tried: gets the number of the attempt that begins.
        wanted: says whether it still is; if not, it ends without a word.
        message: number of the message that its only call stores, of which all members are heard; None for
            all else.
    """

    account_id: bytes
    purpose: Purpose
    place: int
    note: int
    calls: Callable[[int], Sequence[rpc.Call]]
    form: str
    patience: Patience
    done: Callable[[Answers, int], list[Effect]]
    given_up: Callable[[int, int], list[Effect]]
    tried: Callable[[int], list[Effect]] = lambda attempt: []
    wanted: Callable[[], bool] = lambda: True
    message: int | None = None
    number: int = field(default=0, init=False)
    attempts: int = field(default=0, init=False)

    @property
    def exchange(self) -> int:
        numbered = self.place << _NUMBER_BITS | self.number
        return (numbered << _ATTEMPT_BITS | self.attempts) << 4 | self.purpose


class Errands:
    """The errands of a client under way. Args: client: whose."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._begun: dict[tuple[Purpose, int], int] = {}
        self._retries: list[tuple[int, int, Errand]] = []

    def run(self, errand: Errand, now_us: int) -> list[Effect]:
        """Begin an errand."""
        kind = errand.purpose, errand.place
        errand.number = self._begun.get(kind, 0)
        self._begun[kind] = errand.number + 1
        return self._attempt(errand, now_us)

    def next_due_us(self) -> int | None:
        """Give when the earliest retry is due."""
        return self._retries[0][0] if self._retries else None

    def wake(self, now_us: int) -> list[Effect]:
        """Start the retries that are due."""
        effects: list[Effect] = []
        while self._retries and self._retries[0][0] <= now_us:
            effects += self._attempt(heappop(self._retries)[2], now_us)
        return effects

    def _attempt(self, errand: Errand, now_us: int) -> list[Effect]:
        return self._client.swarms.find(
            errand.account_id, now_us, lambda swarm, t_us: self._ask(errand, swarm, t_us)
        )

    def _ask(self, errand: Errand, swarm: tuple[int, ...], now_us: int) -> list[Effect]:
        client, exchange = self._client, errand.exchange
        if not errand.wanted():
            return []
        errand.attempts += 1
        if not swarm:
            return self._failed(errand, 0, {}, now_us)
        node = swarm[number_at(client.entropy, b"errand" + exchange.to_bytes(8, "little"), len(swarm))]
        calls = errand.calls(client.wire_ms(now_us))
        if errand.form == "store":
            (call,) = calls
            body = rpc.request_body(client.body_style, call)
        else:
            body = rpc.batch_body(client.body_style, calls, errand.form.encode())
        effects = errand.tried(errand.attempts)
        effects.append(
            client.requests.send(
                exchange, node, body, errand.note, now_us,
                lambda status, answer, t_us: self._answered(errand, calls, status, answer, t_us),
            )
        )  # fmt: skip
        return effects

    def _answered(
        self, errand: Errand, calls: Sequence[rpc.Call], status: int, body: bytes, now_us: int
    ) -> list[Effect]:
        answers: list[tuple[int, dict[str, Any]]] = []
        if not errand.wanted():
            return []
        try:
            if status == 200 and errand.form != "store":
                answers = rpc.read_batch(body)
            elif status in (200, 421):
                answers = [(status, rpc.read_object(body))]
        except RemoteProtocolError:
            status = 0
        wrong = next(((code, fields) for code, fields in answers if code != 200), None)
        if wrong is not None:
            return self._failed(errand, *wrong, now_us)
        if status != 200 or len(answers) != len(calls):
            return self._failed(errand, status if status != 200 else 0, {}, now_us)
        client = self._client
        share, deleters = client.rules.store_confirmed_prob, client.rules.delete_confirmed
        if errand.message is None:
            if not are_proved(client.suite, errand.account_id, calls, answers, share, deleters):
                return self._failed(errand, 0, {}, now_us)
            return errand.done(answers, now_us)
        believed, told = confirmed(client.suite, answers[0][1], share, errand.message)
        return told + (errand.done(answers, now_us) if believed else self._failed(errand, 0, {}, now_us))

    def _failed(self, errand: Errand, status: int, fields: dict[str, Any], now_us: int) -> list[Effect]:
        """Try again later, or give up after the last attempt."""
        if status == 421:
            self._client.swarms.correct(errand.account_id, fields)
        if errand.attempts >= errand.patience.attempts:
            return errand.given_up(status, now_us)
        if status == 421:
            return self._attempt(errand, now_us)
        due_us = now_us + errand.patience.pause_after(errand.attempts)
        heappush(self._retries, (due_us, errand.exchange, errand))
        return []
