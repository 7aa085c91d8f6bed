"""Deleting: by hash, all of a namespace or of all, and up to a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]
HOUR_MS = 3_600_000


@pytest.fixture(params=["person", "group"])
def by(request: pytest.FixtureRequest, make_world: Make, caller: Make) -> Any:
    world = make_world()
    return caller(world, getattr(world, request.param)(0))


def test_hashes_are_deleted_in_whatever_namespace_they_are_and_named_in_order(by: Any) -> None:
    hashes = by.put(b"a", b"b", b"c") + by.put(b"d", namespace=5) + by.put(b"e", namespace=-20)
    unknown = "z" * 43
    asked = [hashes[4], unknown, hashes[0], hashes[3], hashes[0]]
    for part in by.parts(0, by.delete(asked)).values():
        assert part.fields.keys() == {"deleted", "signature"}
        assert part.fields["deleted"] == sorted([hashes[0], hashes[3], hashes[4]])
    assert all(by.held(node) == sorted(hashes[1:3]) for node in range(7))


def test_another_account_s_messages_are_out_of_reach(by: Any, caller: Make) -> None:
    world = by.world
    other = caller(world, world.person(0) if by.person.ed_hex is None else world.group(0))
    (hash_,) = other.put(b"theirs")
    assert by.parts(0, by.delete([hash_]))[0].fields["deleted"] == []
    by.parts(0, by.delete_all(None))
    by.parts(0, by.delete_before(world.now_ms, None))
    assert other.held(0) == [hash_]


def test_delete_all_empties_one_namespace_or_all(by: Any) -> None:
    zero, five, out = by.put(b"a", b"b"), by.put(b"c", namespace=5), by.put(b"d", namespace=-20)
    part = by.parts(0, by.delete_all(5))[2]
    assert part.fields["deleted"] == five
    assert by.held(2) == sorted(zero + out)
    part = by.parts(0, by.delete_all(None))[2]
    assert part.fields["deleted"] == {"-20": out, "0": sorted(zero)}
    assert by.held(2) == []
    assert by.parts(0, by.delete_all(None))[2].fields["deleted"] == {}
    assert by.parts(0, by.delete_all(5))[2].fields["deleted"] == []


def test_delete_before_takes_its_own_time_along_and_looks_at_timestamps(by: Any) -> None:
    world = by.world
    old = by.put(b"old", age_ms=2 * HOUR_MS) + by.put(b"old too", namespace=5, age_ms=2 * HOUR_MS)
    edge_ms = world.machines[0].store.find(by.person.id, old[0]).message.timestamp_ms
    new = by.put(b"new")
    assert by.parts(0, by.delete_before(edge_ms - 1, 0))[3].fields["deleted"] == []
    assert by.parts(0, by.delete_before(edge_ms, 0))[3].fields["deleted"] == old[:1]
    assert by.parts(0, by.delete_before(world.now_ms, None))[3].fields["deleted"] == {
        "0": new,
        "5": old[1:],
    }


def test_delete_before_may_lie_a_minute_ahead_and_any_time_behind(by: Any) -> None:
    hop_ms = by.world.latency_us // 1000
    assert by.ask(0, by.delete_before(1_000_000_000))[0] == 200
    assert by.ask(0, by.delete_before(by.world.now_ms + 60_000 + hop_ms))[0] == 200
    status, text = by.ask(0, by.delete_before(by.world.now_ms + 60_001 + hop_ms))
    assert (status, text) == (401, "delete_before timestamp too far in the future")


def test_what_has_expired_is_not_named(by: Any) -> None:
    by.put(b"short", ttl_ms=10_000)
    (long,) = by.put(b"long", ttl_ms=HOUR_MS)
    by.world.now_us += 25_000_000
    assert by.parts(0, by.delete_all(None))[1].fields["deleted"] == {"0": [long]}


@pytest.mark.parametrize("namespace", [0, 5, None])
def test_the_namespace_is_part_of_what_is_signed(by: Any, namespace: int | None) -> None:
    for write in (by.delete_all, lambda space: by.delete_before(by.world.now_ms, space)):
        method, params = write(namespace)
        for wrong in (b'"all"', b"7", b"0"):
            text = {None: b'"all"', 0: b"0", 5: b"5"}[namespace]
            changed = params.replace(b'"namespace":' + text, b'"namespace":' + wrong)
            assert by.ask(0, (method, changed))[0] == (200 if wrong == text else 401)
