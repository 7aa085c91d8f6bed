"""HTTP/1.1 connections: one request at a time on each, several at a time to one guard."""

from __future__ import annotations

from dataclasses import replace

from sessionsim.core.columns import HEAD_CODE
from sessionsim.core.intents import Intent
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_S
from sessionsim.core.view import Table
from sessionsim.network.http_lines import FREE, NUMBER, Line, Lines
from sessionsim.network.wire_rules import WireRules
from sessionsim.network.world import WorldSpec, build
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.client.rules import PLATFORMS, settled

S = US_PER_S


def opened(lines: Lines, number: int, exchange: int, now_us: int) -> Line:
    """A request that finds no free connection."""
    assert lines.free(now_us) is None
    line = lines.add(number, now_us + 7)
    assert lines.ask(line, exchange, now_us) == now_us + 7
    return line


def answered(lines: Lines, exchange: int, left_us: int, arrives_us: int) -> None:
    line = lines.answer(exchange, left_us)
    assert line is not None
    line[FREE] = arrives_us


def test_a_connection_is_free_again_when_the_answer_has_arrived() -> None:
    lines = Lines(10 * S)
    opened(lines, 1, 100, 0)
    assert lines.free(5) is None
    answered(lines, 100, 2 * S, 3 * S)
    assert lines.free(3 * S - 1) is None
    free = lines.free(3 * S)
    assert free is not None
    assert free[NUMBER] == 1
    assert lines.ask(free, 101, 3 * S) == 3 * S


def test_the_oldest_free_one_is_taken() -> None:
    lines = Lines(10 * S)
    for k in range(3):
        opened(lines, k, 100 + k, 0)
    for k in (2, 0, 1):
        answered(lines, 100 + k, S, (2 + k) * S)
    assert [line[NUMBER] for line in map(lines.free, (2 * S, 3 * S, 4 * S)) if line] == [0, 0, 0]
    first = lines.free(5 * S)
    assert first is not None
    lines.ask(first, 200, 5 * S)
    second = lines.free(5 * S)
    assert second is not None
    assert second[NUMBER] == 1


def test_the_server_closes_what_was_idle_for_too_long_and_nothing_that_is_busy() -> None:
    lines = Lines(10 * S)
    opened(lines, 0, 100, 0)
    opened(lines, 1, 101, 0)
    answered(lines, 100, S, 2 * S)
    assert lines.free(11 * S) is not None  # ten seconds after the answer had left
    assert lines.free(11 * S + 1) is None
    answered(lines, 101, 30 * S, 31 * S)
    free = lines.free(31 * S)
    assert free is not None
    assert free[NUMBER] == 1


def test_a_request_that_is_given_up_takes_its_connection_with_it() -> None:
    lines = Lines(10 * S)
    line = opened(lines, 0, 100, 0)
    assert lines.last_uses() is None
    lines.give_up(100)
    lines.give_up(999)
    assert lines.last_uses() == []
    assert lines.answer(100, 11 * S) is line  # it comes late, and frees nothing
    line[FREE] = 12 * S
    assert lines.free(12 * S) is None
    assert lines.answer(100, 13 * S) is None


def test_what_is_put_stands_in_its_order() -> None:
    lines = Lines(10 * S)
    lines.put([3 * S, 5 * S])
    assert lines.last_uses() == [3 * S, 5 * S]
    assert lines.free(13 * S) is not None
    assert lines.last_uses() == [3 * S, 5 * S]
    assert lines.free(13 * S + 1) is not None
    assert lines.last_uses() == [5 * S]


# --- whole worlds -------------------------------------------------------------------------------------------


def polls_of_a_desktop(https_parallel: str, idle_polls: str = "each") -> Table:
    """What a desktop client asks that has one path, so that both requests of a poll go over it."""
    rules = {"desktop": replace(settled(PLATFORMS["desktop"]), paths=1)}
    spec = WorldSpec(
        date="2026-04-28", platforms=("desktop", "desktop"), intents=(Intent(20 * S, 0, 1, "hello"),),
        horizon_us=90 * S, measured=(0, 90 * S), seeds=Seeds(3), epoch_ms=1_777_000_000_000, limit_swarms=8,
        client_rules=rules, wire_rules=WireRules(https_parallel=https_parallel), idle_polls=idle_polls,
    )  # fmt: skip
    world, records = build(spec), MemoryRecords()
    world.run(records, frozenset(world.scene.client_endpoints[:1]))
    rows = records.table()
    its = (rows["head"] == HEAD_CODE["onion_req"]) & (rows["src"] == world.scene.client_endpoints[0])
    return {name: values[its] for name, values in rows.items()}


def test_both_requests_of_a_poll_have_connections_of_their_own() -> None:
    rows = polls_of_a_desktop("connections")
    pairs: dict[int, list[int]] = {}
    for exchange, conn in zip(rows["exchange"].tolist(), rows["conn"].tolist(), strict=True):
        if exchange & 15 == Purpose.POLL:
            pairs.setdefault(exchange >> 6, []).append(conn)
    assert len(pairs) > 10
    assert all(len(set(pair)) == 2 for pair in pairs.values())
    # One poll after the other has the same two.
    assert len({conn for pair in pairs.values() for conn in pair}) == 2
    shared = polls_of_a_desktop("shared")
    assert len(set(shared["conn"].tolist())) == 1
    # Nothing else has changed but what waits for a handshake.
    assert shared["exchange"].tolist()[:9] == rows["exchange"].tolist()[:9]
