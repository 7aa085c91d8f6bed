"""Errands: tried until they succeed, anew each time, and given up in the end."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol.client.errands import Errand, Errands, Patience
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.client.rules import ANDROID, DESKTOP, IOS
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.wire import rpc
from tests.protocol.client.stores import deleted, held

OWNER = b"\x05" + bytes(32)
PATIENCE = Patience(3, US_PER_S)


class Client:
    """As much of a client as an errand needs."""

    def __init__(self, swarm: tuple[int, ...] = (1, 2, 3, 4, 5)) -> None:
        self.swarm, self.entropy, self.body_style = swarm, Seeds(3).entropy("errands"), rpc.DESKTOP
        self.swarms, self.requests, self.rules, self.suite = self, self, DESKTOP, suite_named("fast")
        self.asked: list[tuple[int, int, dict[str, Any]]] = []
        self.corrected: list[Any] = []
        self._done: Any = None

    def find(self, _account_id: bytes, now_us: int, found: Any) -> Any:
        return found(self.swarm, now_us)

    def correct(self, account_id: bytes, fields: Any) -> None:
        self.corrected.append((account_id, fields))

    def wire_ms(self, now_us: int) -> int:
        return now_us // US_PER_MS

    def send(self, exchange: int, node: int, body: bytes, note: int, now_us: int, done: Any) -> Any:
        self.asked.append((exchange, node, orjson.loads(body)))
        self._done = done
        return ("sent", exchange)

    def answer(self, status: int, body: Any, now_us: int) -> Any:
        return self._done(status, body if type(body) is bytes else orjson.dumps(body), now_us)


def errand(**changes: Any) -> Errand:
    fields: dict[str, Any] = {
        "account_id": OWNER, "purpose": Purpose.GROUP, "place": 2, "note": 7,
        "calls": lambda now_ms: [(b"info", b"{}"), (b"store", b'{"t":%d}' % now_ms)], "form": "sequence",
        "patience": PATIENCE, "done": lambda answers, t_us: [("done", [code for code, _ in answers], t_us)],
        "given_up": lambda status, t_us: [("given up", status, t_us)],
    }  # fmt: skip
    return Errand(**(fields | changes))


def results(*codes: int) -> dict[str, Any]:
    return {"results": [{"code": code, "body": {}} for code in codes]}


def test_an_errand_that_succeeds_is_done_once() -> None:
    client = Client()
    errands = Errands(client)
    assert errands.run(errand(), 5_000_000)[0][0] == "sent"
    exchange, node, body = client.asked[0]
    assert exchange & 15 == Purpose.GROUP
    assert node in client.swarm
    assert body["method"] == "sequence"
    assert body["params"]["requests"][1] == {"method": "store", "params": {"t": 5_000}}
    assert client.answer(200, results(200, 200), 6_000_000) == [("done", [200, 200], 6_000_000)]
    assert errands.next_due_us() is None


def test_after_a_failure_all_is_written_anew_and_asked_again_until_the_attempts_are_used_up() -> None:
    client = Client()
    errands = Errands(client)
    errands.run(errand(), 0)
    for k in range(1, 3):
        assert client.answer(500, b"oops", k * 100_000_000) == []
        due_us = errands.next_due_us()
        assert due_us == k * 100_000_000 + US_PER_S
        assert errands.wake(due_us - 1) == []
        errands.wake(due_us)
        assert client.asked[-1][2]["params"]["requests"][1]["params"]["t"] == due_us // US_PER_MS
    assert client.answer(502, b"", 7) == [("given up", 502, 7)]
    assert errands.next_due_us() is None
    assert len({exchange for exchange, _, _ in client.asked}) == 3


@pytest.mark.parametrize(
    ("status", "body", "last"),
    [
        (200, results(200, 401), 401), (200, results(200), 0), (200, {"results": 7}, 0), (200, b"{", 0),
        (0, b"", 0), (200, {"results": [{"code": 200, "body": {}}] * 3}, 0),
    ],
)  # fmt: skip
def test_anything_but_success_of_all_calls_is_a_failure(status: int, body: Any, last: int) -> None:
    client = Client()
    errands = Errands(client)
    errands.run(errand(patience=Patience(1, US_PER_S)), 0)
    assert client.answer(status, body, 9) == [("given up", last, 9)]


def test_421_corrects_the_swarm_and_is_tried_again_at_once() -> None:
    client = Client()
    errands = Errands(client)
    errands.run(errand(), 0)
    fields = {"snodes": []}
    (sent,) = client.answer(200, {"results": [{"code": 421, "body": fields}]}, 5)
    assert sent[0] == "sent"
    assert client.corrected == [(OWNER, fields)]
    (sent,) = client.answer(421, fields, 6)
    assert sent[0] == "sent"
    assert client.answer(421, fields, 7) == [("given up", 421, 7)]  # the third attempt was the last


def test_without_a_swarm_it_fails_and_waits() -> None:
    client = Client(())
    errands = Errands(client)
    assert errands.run(errand(), 0) == []
    client.swarm = (1, 2, 3)
    assert errands.wake(US_PER_S)[0][0] == "sent"


def test_a_single_call_may_go_bare() -> None:
    client = Client()
    errands = Errands(client)
    errands.run(errand(form="store", calls=lambda now_ms: [(b"store", b"{}")]), 0)
    assert client.asked[0][2]["method"] == "store"
    assert client.answer(200, {"hash": "x"}, 1) == [("done", [200], 1)]


def test_an_iphone_tries_again_what_no_member_has_proved_and_others_do_not() -> None:
    calls = [(b"store", b"{}"), (b"delete", b'{"messages":["a"]}')]
    unsigned = {"results": [{"code": 200, "body": {"hash": "x", "swarm": {}}}, {"code": 200, "body": {}}]}
    suite, pairs = suite_named("fast"), [account_from_seed(bytes([k]) * 16).ed for k in range(1, 7)]
    bodies = (held(suite, pairs), deleted(suite, pairs[:1], OWNER, ["a"], []))
    signed = {"results": [{"code": 200, "body": body} for body in bodies]}
    for rules in (DESKTOP, ANDROID, IOS):
        client = Client()
        client.rules = rules
        errands = Errands(client)  # type: ignore[arg-type]
        errands.run(errand(calls=lambda now_ms: calls), 0)
        if rules is IOS:
            assert client.answer(200, unsigned, 5) == []
            due_us = errands.next_due_us()
            assert due_us == 5 + US_PER_S
            errands.wake(due_us)
            assert client.answer(200, signed, 6) == [("done", [200, 200], 6)]
        else:
            assert client.answer(200, unsigned, 5) == [("done", [200, 200], 5)]


def test_numbers_differ_between_errands_places_and_purposes() -> None:
    client = Client()
    errands = Errands(client)
    for _ in range(3):
        for place in (0, 1):
            for purpose in (Purpose.GROUP, Purpose.CONFIG):
                errands.run(errand(place=place, purpose=purpose), 0)
    assert len({exchange for exchange, _, _ in client.asked}) == 12


def test_the_number_of_an_errand_does_not_depend_on_those_of_other_places() -> None:
    alone, busy = Client(), Client()
    Errands(alone).run(errand(), 0)
    errands = Errands(busy)
    errands.run(errand(place=5), 0)
    errands.run(errand(purpose=Purpose.CONFIG), 0)
    errands.run(errand(), 0)
    assert busy.asked[-1][:2] == alone.asked[0][:2]


def test_each_attempt_is_told() -> None:
    client = Client()
    errands = Errands(client)
    told: list[int] = []

    def tried(attempt: int) -> list[Any]:
        told.append(attempt)
        return []

    errands.run(errand(tried=tried), 0)
    client.answer(0, b"", 0)
    errands.wake(US_PER_S)
    assert told == [1, 2]


@pytest.mark.parametrize(
    ("patience", "pauses"),
    [
        (Patience(9, 100), [100, 100, 100]), (Patience(9, 100, 2.0), [100, 200, 400]),
        (Patience(9, 100, 2.0, 250), [100, 200, 250]),
    ],
)  # fmt: skip
def test_pauses_grow_up_to_their_cap(patience: Patience, pauses: list[int]) -> None:
    assert [patience.pause_after(k) for k in (1, 2, 3)] == pauses
