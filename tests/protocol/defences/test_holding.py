"""A guard that holds requests and answers: when they leave, and whose they are."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.core.columns import Transport
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.defences._holding import HoldingNode
from sessionsim.protocol.machine import LATER, SEND, WAKE_AT
from sessionsim.protocol.snode import ServiceNode

HTTPS, OMQ = int(Transport.HTTPS), int(Transport.OMQ)
CLIENT, HOLD, SLOT = 40, 2 * US_PER_S, US_PER_S


class Answering(HoldingNode):
    """A node of which only the answers are looked at; it gives those that a test has laid ready."""

    def __init__(self) -> None:
        self._count = 40
        self.ready: list[Any] = []


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Answering:
    monkeypatch.setattr(ServiceNode, "receive", lambda self, *_: tuple(self.ready))
    monkeypatch.setattr(ServiceNode, "wake", lambda self, _: tuple(self.ready))
    found = Answering()
    found.hold(HOLD, SLOT)
    return found


def answer(exchange: int, dst: int = CLIENT) -> tuple[Any, ...]:
    return (SEND, dst, HTTPS, exchange, 200, b"", 0)


@pytest.mark.parametrize(
    ("now_us", "leaves_us"),
    [(0, SLOT), (1, SLOT), (SLOT - 1, SLOT), (SLOT, 2 * SLOT), (2 * SLOT + 7, 3 * SLOT)],
)
def test_a_request_goes_on_at_the_next_slot(node: Answering, now_us: int, leaves_us: int) -> None:
    passed = (SEND, 7, OMQ, 1 << 62, "sn.onion_request", b"", 0)
    node.ready = [passed, (WAKE_AT, now_us + 9)]
    found = list(node.receive(CLIENT, HTTPS, 5, "onion_req", b"", now_us))
    assert found == [(LATER, leaves_us, passed), (WAKE_AT, now_us + 9)]
    # What comes from another node goes on at once: the guard has taken the client's place from it.
    assert list(node.receive(3, OMQ, 5, "sn.onion_request", b"", now_us)) == node.ready


def test_a_guard_that_refuses_says_so_a_fixed_time_later_too(node: Answering) -> None:
    refusal = (SEND, CLIENT, HTTPS, 5, 503, b"Server busy, try again later", 0)
    node.ready = [refusal]
    assert list(node.receive(CLIENT, HTTPS, 5, "onion_req", b"", 40)) == [(LATER, 40 + HOLD, refusal)]


def test_an_answer_leaves_a_fixed_time_after_its_request(node: Answering) -> None:
    assert list(node.receive(CLIENT, HTTPS, 5, "onion_req", b"", 100)) == []
    node.ready = [answer(5)]
    assert list(node.receive(1, OMQ, 9, 200, b"", 700_000)) == [(LATER, 100 + HOLD, answer(5))]
    # It is given once; an answer to nothing that was asked goes out as it comes.
    assert list(node.receive(1, OMQ, 9, 200, b"", 800_000)) == [answer(5)]


@pytest.mark.parametrize(
    ("now_us", "leaves_us"),
    [(HOLD, HOLD), (HOLD + 1, HOLD + SLOT), (HOLD + SLOT, HOLD + SLOT), (HOLD + SLOT + 1, HOLD + 2 * SLOT)],
)
def test_an_answer_that_is_late_waits_for_the_next_slot(node: Answering, now_us: int, leaves_us: int) -> None:
    node.receive(CLIENT, HTTPS, 5, "onion_req", b"", 0)
    node.ready = [answer(5)]
    assert list(node.wake(now_us)) == [(LATER, leaves_us, answer(5))]


def test_what_nodes_ask_each_other_is_not_held(node: Answering) -> None:
    node.ready = [answer(5, dst=3)]
    assert list(node.receive(3, OMQ, 5, "sn.onion_request", b"", 0)) == [answer(5, dst=3)]
    assert list(node.receive(3, OMQ, 5, "onion_req", b"", 0)) == [answer(5, dst=3)]


def test_a_node_that_was_not_told_holds_nothing() -> None:
    plain = Answering()
    assert plain._held([answer(5)], 0) == [answer(5)]
