"""Buckets of tokens: the reference's figures, and whom the node limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.units import US_PER_S
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.snode._rate_limiter import RateLimiter
from sessionsim.protocol.wire.rpc import DESKTOP, info_call, request_body
from sessionsim.protocol.wire.rpc_direct import write_direct

GROUPS = json.loads((Path(__file__).parents[2] / "vectors" / "storage.json").read_text("utf-8"))["groups"]
BUCKET = GROUPS["transport:storage.rate_limiter"]["bucket"]
RULES = NodeRules()
INFO = request_body(DESKTOP, info_call())
HTTPS, QUIC, OMQ = 0, 1, 2
Make = Callable[..., Any]


def limiter(**changes: int) -> RateLimiter:
    return RateLimiter(
        **{"bucket": BUCKET, "client_per_s": 300, "node_per_s": 600, "clients_max": 10_000} | changes
    )


def test_the_rules_are_the_reference_s() -> None:
    assert (RULES.rate_bucket, RULES.rate_client_per_s, RULES.rate_node_per_s) == (BUCKET, 300, 600)
    assert RULES.rate_clients_max == 10_000


@pytest.mark.parametrize(("kind", "per_s"), [("client", 300), ("node", 600)])
def test_a_full_bucket_passes_then_one_per_period(kind: str, per_s: int) -> None:
    buckets = limiter()
    refuses: Any = buckets.refuses_client if kind == "client" else buckets.refuses_node
    who: Any = 7 if kind == "client" else b"key"
    now = 5 * US_PER_S
    assert [refuses(who, now) for _ in range(BUCKET + 1)] == [False] * BUCKET + [True]
    period = US_PER_S // per_s
    assert refuses(who, now + period - 1)
    assert not refuses(who, now + period)
    assert refuses(who, now + period)
    # What is left of a period is lost when a token is taken.
    assert not refuses(who, now + 2 * period + period // 2)
    assert refuses(who, now + 3 * period)


def test_buckets_are_apart() -> None:
    buckets = limiter(bucket=1)
    assert not buckets.refuses_client(1, 0)
    assert not buckets.refuses_client(2, 0)
    assert not buckets.refuses_node(b"1", 0)
    assert buckets.refuses_client(1, 0)
    assert buckets.refuses_node(b"1", 0)


def test_so_many_clients_are_watched_and_others_refused_until_buckets_are_full_again() -> None:
    buckets = limiter(clients_max=3, bucket=2)
    assert [buckets.refuses_client(n, 0) for n in range(4)] == [False, False, False, True]
    assert len(buckets) == 3
    assert not buckets.refuses_client(3, US_PER_S)
    assert len(buckets) == 1


def test_full_buckets_are_dropped_every_ten_seconds() -> None:
    buckets = limiter()
    for n in range(100):
        buckets.refuses_client(n, n)
    assert len(buckets) == 100
    buckets.refuses_client(500, 9 * US_PER_S)
    assert len(buckets) == 101
    buckets.refuses_client(500, 10 * US_PER_S)
    assert len(buckets) == 1


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.lists(st.integers(0, 3_000_000), max_size=60), st.integers(1, 5))
def test_never_more_than_the_bucket_and_what_has_come_since(gaps: list[int], bucket: int) -> None:
    buckets, now, passed, start = limiter(bucket=bucket, client_per_s=2), 0, 0, 0
    for gap in gaps:
        now += gap
        passed += not buckets.refuses_client(1, now)
        # The clean-up may count a time twice, once every ten seconds.
        allowance = bucket + (now - start) // 500_000 + (now // (10 * US_PER_S)) * bucket
        assert passed <= allowance


# At the node


def refused(world: Any, conn: int, head: str, payload: bytes, src: int = 1000) -> list[Any]:
    outcomes = []
    for exchange in range(4):
        effects = world.machines[0].receive(src, conn, exchange, head, payload, world.now_us)
        outcomes.append(effects[0][4:6])
    return outcomes


@pytest.mark.parametrize(
    ("conn", "payload", "text"),
    [
        (HTTPS, INFO, b"Too Many Requests\n"),
        (QUIC, INFO, b"Too Many Requests\n"),
        (QUIC, write_direct("info", b"{}"), b"Too many requests, try again later"),
        (OMQ, write_direct("info", b"de"), b"Too many requests, try again later"),
    ],
)
def test_clients_without_an_onion_are_limited(
    make_world: Make, conn: int, payload: bytes, text: bytes
) -> None:
    world = make_world(rate_bucket=3)
    outcomes = refused(world, conn, "storage_rpc", payload)
    assert [status for status, _ in outcomes] == [200, 200, 200, 429]
    assert text in outcomes[3][1]
    # Another client has a bucket of its own, and time fills this one.
    assert world.machines[0].receive(1001, conn, 1, "storage_rpc", payload, world.now_us)[0][4] == 200
    world.now_us += US_PER_S
    assert refused(world, conn, "storage_rpc", payload)[0][0] == 200


def test_doors_share_the_bucket(make_world: Make) -> None:
    world = make_world(rate_bucket=3)
    refused(world, OMQ, "storage_rpc", write_direct("info", b"de"))
    assert refused(world, HTTPS, "storage_rpc", INFO)[0][0] == 429


def test_onions_are_not_limited(make_world: Make) -> None:
    world = make_world(rate_bucket=1, rate_client_per_s=1)
    for name in "abc":
        assert world.ask((7, 8, 0), INFO, name=name)[:2] == (200, 200)
        assert world.ask((0,), INFO, name=name)[:2] == (200, 200)
