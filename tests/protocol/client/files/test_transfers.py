"""Transfers: what is tried when, what ends them, and how many run at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sessionsim.core.units import US_PER_S
from sessionsim.protocol.client.files.rules import ANDROID, DESKTOP, IOS, FileRules
from sessionsim.protocol.client.files.transfers import Transfers
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.files.client import download_request, upload_request
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from sessionsim.protocol.wire.onion_server import ServerAddress

SERVER = ServerAddress("filev2.getsession.org", bytes(32), "http")


def up(exchange: int, now_us: int) -> ServerRequest:
    return upload_request(b"blob")


def down(exchange: int, now_us: int) -> ServerRequest:
    return download_request("1")


class Wire:
    """Stands for the onion side: keeps what is sent, and answers when the test says so."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, int, int]] = []  # exchange, time, timeout
        self.waiting: list[Callable[[int, bytes, int], list[Effect]]] = []

    def send_to_server(
        self, exchange: int, server: ServerAddress, payload: bytes, note: int, now_us: int, done: Any,
        timeout_us: int = 0, files: bool = False,
    ) -> Effect:  # fmt: skip
        assert server == SERVER
        assert files
        self.sent.append((exchange, now_us, timeout_us))
        self.waiting.append(done)
        return ("sent", exchange)

    def answer(self, status: int, now_us: int, body: bytes = b"") -> list[Effect]:
        return self.waiting.pop(0)(status, body, now_us)


def transfers(rules: FileRules) -> tuple[Transfers, Wire]:
    wire = Wire()
    client = SimpleNamespace(requests=wire, rules=SimpleNamespace(style="desktop"))
    return Transfers(cast("Client", client), rules), wire


class Outcome:
    """Takes what comes of a transfer."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.answer: ServerAnswer | None = None

    def __call__(self, answer: ServerAnswer | None, status: int, now_us: int) -> list[Effect]:
        self.answer, self.status = answer, status
        return []


def run_down(rules: FileRules, *, upload: bool, status: int = 502, took_us: int = 0) -> tuple[list[int], int]:
    """Let every try fail. Gives the times of the tries and the time of giving up, µs."""
    moved, wire = transfers(rules)
    outcome, now_us = Outcome(), 0
    (moved.upload if upload else moved.download)(SERVER, up if upload else down, 0, now_us, outcome)
    while outcome.status is None:
        if wire.waiting:
            now_us += took_us
            wire.answer(status, now_us)
        else:
            now_us = cast("int", moved.next_due_us())
            moved.wake(now_us)
    assert outcome.status == status
    assert len(moved) == 0
    return [t_us for _, t_us, _ in wire.sent], now_us


def test_an_answer_ends_a_transfer() -> None:
    moved, wire = transfers(DESKTOP)
    outcome = Outcome()
    assert moved.upload(SERVER, up, 7, 5, outcome) == [("sent", 1 << 16 | Purpose.FILE)]
    assert wire.sent == [(1 << 16 | Purpose.FILE, 5, 30 * US_PER_S)]
    wire.answer(200, 9, b"body")
    assert outcome.answer == ServerAnswer(200, {}, b"body")
    assert moved.next_due_us() is None


def test_desktop_tries_an_upload_three_times_and_gives_up() -> None:
    # 100 ms after the first failure, 200 ms after the second.
    times, over_us = run_down(DESKTOP, upload=True, took_us=1000)
    assert times == [0, 101_000, 302_000]
    assert over_us == 303_000


def test_desktop_takes_a_download_up_again_after_half_a_minute_and_half_an_hour() -> None:
    times, _ = run_down(DESKTOP, upload=False)
    tries = [0, 100_000, 300_000]
    second, third = 300_000 + 30 * US_PER_S, 600_000 + 30 * US_PER_S + 1800 * US_PER_S
    assert times == [start + t_us for start in (0, second, third) for t_us in tries]


def test_android_uploads_twenty_times_with_a_pause_that_doubles_to_150_s() -> None:
    times, _ = run_down(ANDROID, upload=True)
    pauses = [(b - a) / US_PER_S for a, b in pairwise(times)]
    assert len(times) == 20
    assert pauses == [0.5, 1, 2, 4, 8, 16, 32, 64, 128, *[150] * 10]


def test_an_attempt_tries_no_more_when_its_time_is_up() -> None:
    """Three tries 100 and 200 ms apart, the answers taking a second: the third would begin after 2.3 s."""
    for limit_us, times in ((2_100_000, 2), (2_000_000, 2), (1_000_000, 1), (2_200_000, 3)):
        rules = replace(DESKTOP, attempt_timeout_us=limit_us)
        assert len(run_down(rules, upload=True, took_us=US_PER_S)[0]) == times


@pytest.mark.parametrize(("rules", "uploads", "downloads"), [(ANDROID, 20, 2), (IOS, 10, 3), (DESKTOP, 3, 9)])
def test_attempts_of_the_platforms(rules: FileRules, uploads: int, downloads: int) -> None:
    assert len(run_down(rules, upload=True)[0]) == uploads
    assert len(run_down(rules, upload=False)[0]) == downloads


def test_timeouts_of_the_platforms() -> None:
    for rules, up_s, down_s in ((DESKTOP, 30, 30), (ANDROID, 120, 120), (IOS, 60, 30)):
        moved, wire = transfers(rules)
        moved.upload(SERVER, up, 0, 0, Outcome())
        moved.download(SERVER, down, 0, 0, Outcome())
        assert [timeout_us for _, _, timeout_us in wire.sent] == [up_s * US_PER_S, down_s * US_PER_S]


@pytest.mark.parametrize("rules", [DESKTOP, ANDROID, IOS])
def test_a_file_that_is_gone_is_not_asked_for_again(rules: FileRules) -> None:
    assert run_down(rules, upload=False, status=404)[0] == [0]


def test_downloads_wait_for_one_another_beyond_the_platforms_number() -> None:
    moved, wire = transfers(replace(DESKTOP, parallel_downloads=2))
    outcomes = [Outcome() for _ in range(4)]
    for outcome in outcomes:
        moved.download(SERVER, down, 0, 0, outcome)
    assert len(wire.sent) == 2
    assert len(moved) == 4
    assert moved.next_due_us() is None
    wire.answer(200, 5)
    assert [t_us for _, t_us, _ in wire.sent] == [0, 0, 5]
    wire.answer(404, 6)
    wire.answer(200, 7)
    wire.answer(200, 8)
    assert [outcome.status for outcome in outcomes] == [200, 404, 200, 200]
    assert len(moved) == 0
    # There is room again.
    moved.download(SERVER, down, 0, 9, Outcome())
    assert wire.sent[-1][1] == 9


def test_a_download_that_waits_for_its_next_try_keeps_its_place() -> None:
    moved, wire = transfers(replace(IOS, parallel_downloads=1))
    moved.download(SERVER, down, 0, 0, Outcome())
    moved.download(SERVER, down, 0, 0, Outcome())
    wire.answer(0, 10)
    assert len(wire.sent) == 1
    assert moved.next_due_us() == 10 + 500_000


def test_every_try_of_every_transfer_has_an_exchange_number_of_its_own() -> None:
    moved, wire = transfers(replace(ANDROID, upload_attempts=100))
    outcomes = [Outcome(), Outcome()]
    for outcome in outcomes:
        moved.upload(SERVER, up, 0, 0, outcome)
    now_us = 0
    while any(outcome.status is None for outcome in outcomes):
        while wire.waiting:
            wire.answer(502, now_us)
        now_us = moved.next_due_us() or now_us
        moved.wake(now_us)
    exchanges = [exchange for exchange, _, _ in wire.sent]
    assert len(exchanges) == len(set(exchanges)) == 200
    assert {exchange & 15 for exchange in exchanges} == {Purpose.FILE}
