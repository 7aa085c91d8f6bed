"""A clock that is wrong is put right by the nodes, seldom, and by most of them."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.units import US_PER_DAY, US_PER_MIN, US_PER_S
from sessionsim.protocol.client.rules import DESKTOP, PLATFORMS, ClientRules, settled
from tests.protocol.client.table import EPOCH_MS, EVERY, FRIEND, Asked, Table, batched

WRONG = b'{"results":[{"body":"retrieve timestamp too far from current time","code":406}]}'


@pytest.fixture(scope="module")
def world(make_world):
    return make_world()


def quiet(rules: ClientRules, **changes) -> ClientRules:
    return replace(settled(rules), poll_interval_us=US_PER_DAY, swarm_lookup="compute", **changes)


def doubting(world, rules: ClientRules = DESKTOP, now: int = 10, **changes) -> tuple[Table, list[Asked]]:
    """A client that a node has told that its time is wrong; what it asks then."""
    table = Table(world, quiet(rules, **changes))
    table.start()
    poll = table.command(now, "poll")[0]
    return table, table.answer(poll, 200, WRONG, now)


def info(shown_ms: int) -> bytes:
    return b'{"hf":[19,3],"t":%d,"timestamp":%d,"version":[2,11,3]}' % (shown_ms, shown_ms)


@EVERY
def test_a_406_in_a_batch_makes_the_client_ask_three_nodes(world, rules) -> None:
    table, asked = doubting(world, rules)
    assert [request.method for request in asked] == ["info"] * 3
    assert len({request.route[-1] for request in asked}) == 3
    assert all(request.route[:3] in table.client.requests.paths for request in asked)
    assert all(request.note == note_of(Cause.NODE_LIST) for request in asked)


def test_the_clock_is_put_right_by_the_median(world) -> None:
    table, asked = doubting(world)
    # Asked at 10 µs, answered at 2 s and 10 µs: nodes wrote their time at 1 s, as far as the client can tell.
    now = 2 * US_PER_S + 10
    for request, ahead_ms in zip(asked, (90_000, -5_000_000, 91_000), strict=True):
        table.answer(request, 200, info(EPOCH_MS + 1000 + ahead_ms), now)
    assert table.client.wire_ms(now) == EPOCH_MS + 2000 + 90_000
    (poll, *_) = table.command(now, "poll")
    assert poll.calls[0]["timestamp"] == EPOCH_MS + 92_000


def test_a_device_whose_clock_is_wrong_shows_it_until_it_is_put_right(world) -> None:
    table = Table(world, quiet(DESKTOP))
    table.start()
    table.command(1, "clock", 120 * US_PER_S)
    assert table.client.wire_ms(0) == EPOCH_MS + 120_000
    poll = table.command(10, "poll")[0]
    for request in table.answer(poll, 406, b"", 10):
        table.answer(request, 200, info(EPOCH_MS), 10)
    assert table.client.wire_ms(0) == EPOCH_MS
    table.command(20, "clock", 121 * US_PER_S)  # moved by a second more
    assert table.client.wire_ms(0) == EPOCH_MS + 1000


@pytest.mark.parametrize("status", [406, 425])
def test_the_code_of_a_whole_answer_counts_too_sealed_or_in_clear(world, status) -> None:
    for rules in PLATFORMS.values():
        for sealed in (True, False):
            table = Table(world, quiet(rules))
            table.start()
            poll = table.command(10, "poll")[0]
            asked = table.answer(poll, status, b"", 20) if sealed else table.raw(poll, status, b"", 20)
            assert [request.method for request in asked] == ["info"] * 3


def test_other_errors_are_no_reason(world) -> None:
    table = Table(world, quiet(DESKTOP))
    table.start()
    for code in (200, 400, 401, 421):
        poll, *_ = table.command(10, "poll")
        assert table.answer(poll, 200, orjson.dumps({"results": [batched(code, "x")]}), 20) == []


def test_what_a_stranger_stored_is_no_reason(world) -> None:
    table = Table(world, quiet(DESKTOP))
    table.start()
    poll, *_ = table.command(10, "poll")
    body = {"results": [batched(200, {"messages": [], "note": '"code":406'})]}
    assert table.answer(poll, 200, orjson.dumps(body), 20) == []  # its quotes are escaped


def test_the_clock_is_looked_at_once_in_ten_minutes(world) -> None:
    table, asked = doubting(world)
    for request in asked:
        table.answer(request, 200, info(EPOCH_MS), 10)
    for now, count in ((10 * US_PER_MIN + 9, 0), (10 * US_PER_MIN + 10, 3)):
        poll, *_ = table.command(now, "poll")
        assert len(table.answer(poll, 200, WRONG, now)) == count


def test_nodes_that_do_not_answer_are_left_out_and_none_leaves_the_clock_alone(world) -> None:
    table, asked = doubting(world)
    for request, body in zip(asked, (b"junk", b'{"timestamp":"x"}', info(EPOCH_MS + 7000)), strict=True):
        table.answer(request, 200, body, 10)
    assert table.client.wire_ms(0) == EPOCH_MS + 7000
    table, asked = doubting(world)
    for request in asked:
        table.answer(request, 500, b"", 10)
    assert table.client.wire_ms(0) == EPOCH_MS


def test_a_time_from_another_age_is_not_believed(world) -> None:
    table, asked = doubting(world)
    for request in asked:
        table.answer(request, 200, info(1 << 80), 10)
    assert table.client.wire_ms(0) == EPOCH_MS


def test_it_can_be_switched_off(world) -> None:
    assert doubting(world, clock_samples=0)[1] == []


def test_real_nodes_put_a_clock_right(make_world) -> None:
    real = make_world()
    table = Table(real, quiet(DESKTOP))
    table.start(real.now_us)
    table.command(real.now_us, "clock", -300 * US_PER_S)
    waiting = {}
    begun = table.command(real.now_us, "send", 0, FRIEND.id, "hello") + table.command(real.now_us, "poll")
    for request in begun:
        waiting[request.exchange] = request
        real.put(request.guard, request.conn, request.exchange, "onion_req", request.payload)
    while waiting:
        real.answers.clear()
        real.run(answers=1)
        ((_src, exchange, status, payload, now),) = real.answers
        for request in table.raw(waiting.pop(exchange), status, payload, now):
            waiting[request.exchange] = request
            real.put(request.guard, request.conn, request.exchange, "onion_req", request.payload)
    assert abs(table.client.wire_ms(real.now_us) - real.now_ms) <= 1
