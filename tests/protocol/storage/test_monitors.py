"""Subscriptions at nodes: who gets them, what is announced to whom, and how they end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sessionsim.core.units import US_PER_DAY, US_PER_MIN, US_PER_S
from sessionsim.protocol.authorisation import ANY_PREFIX, DELETE, READ, WRITE
from sessionsim.protocol.machine import BACK
from sessionsim.protocol.stored import Held, Message
from sessionsim.protocol.wire import bencode, monitor, rpc, sn_data
from sessionsim.protocol.wire.monitor import MonitorCall, MonitorError
from sessionsim.protocol.wire.rpc import request_body

Make = Callable[..., Any]
SECOND = 1 << 63
HTTPS, QUIC, OMQ = 0, 1, 2
SUBSCRIBER = 2000


def call(by: Any, namespaces: tuple[int, ...] = (0,), *, data: bool = False, at_s: int = 0) -> bytes:
    stamp = by.world.now_ms // 1000 + at_s
    text = monitor.signed_text(by.person.id, stamp, data, namespaces)
    token, token_signature = by.asker.subaccount or (b"", b"")
    key = by.asker.ed25519
    return monitor.write_call(
        MonitorCall(
            b"" if key else by.person.id, key or b"", token, token_signature, data, namespaces,
            by.sign(text), stamp,
        )
    )  # fmt: skip


def subscribe(
    by: Any, payload: bytes, node: int = 0, *, conn: int = QUIC, src: int = SUBSCRIBER
) -> list[int]:
    world = by.world
    ((_send, dst, back, exchange, status, answer, _note),) = world.machines[node].receive(
        src, conn, 5, "monitor", payload, world.now_us
    )
    assert (dst, back, exchange, status) == (src, conn, 5, 200)
    return monitor.read_answer(answer)


def announced(effects: Any, head: str = "notify") -> list[tuple[int, int, bytes]]:
    """Give whom it goes to, over which of the connections that these have opened, and its bytes."""
    found = [effect for effect in effects if effect[0] == 0 and effect[4] == head]
    assert all(effect[2] & BACK for effect in found)
    return [(effect[1], effect[2] ^ BACK, effect[5]) for effect in found]


def store(by: Any, data: bytes = b"hello", namespace: int = 0, node: int = 0, **changes: Any) -> list[Any]:
    body = request_body(by.style, by.store(data, namespace, **changes))
    return list(by.world.machines[node].receive(1000, HTTPS, 9, "storage_rpc", body, by.world.now_us))


@pytest.fixture(params=["person", "group"])
def by(request: pytest.FixtureRequest, make_world: Make, caller: Make) -> Any:
    world = make_world()
    return caller(world, getattr(world, request.param)(0))


@pytest.mark.parametrize("conn", [QUIC, OMQ])
@pytest.mark.parametrize("data", [True, False])
def test_a_new_message_is_announced_on_the_subscriber_s_connection(by: Any, conn: int, data: bool) -> None:
    assert subscribe(by, call(by, (0, 5), data=data), conn=conn) == [0]
    world = by.world
    ((endpoint, back, payload),) = announced(store(by, b"hello", 5))
    assert (endpoint, back) == (SUBSCRIBER, conn)
    notification = monitor.read_notification(payload)
    assert notification == (
        by.person.id,
        rpc.message_hash(by.person.id, 5, b"hello"),
        5,
        world.now_ms,
        world.now_ms + 14 * 86_400_000,
        b"hello" if data else None,
    )
    assert announced(store(by, b"elsewhere", 2)) == []


def test_the_answer_goes_first_where_it_is_ready(by: Any) -> None:
    subscribe(by, call(by))
    heads = [effect[4] for effect in store(by) if effect[0] == 0]
    assert heads == ["sn.storage_cc"] * 6 + ["notify"]


def test_every_member_announces_what_it_gets_but_duplicates_and_other_accounts_are_not_news(
    by: Any, caller: Make
) -> None:
    for node in range(7):
        assert subscribe(by, call(by), node) == [0]
    world = by.world
    since = len(world.log)
    by.put(b"hello", node=2)
    assert sorted(row[1] for row in world.log[since:] if row[3] == "notify") == list(range(7))
    since = len(world.log)
    by.put(b"hello", node=3)
    other = caller(world, world.group(0) if by.person.ed_hex else world.person(0))
    other.put(b"hello")
    assert [row for row in world.log[since:] if row[3] == "notify"] == []


def test_asking_again_widens_and_prolongs(by: Any) -> None:
    world = by.world
    subscribe(by, call(by, (0,)))
    world.now_us += 60 * US_PER_MIN
    subscribe(by, call(by, (5,), data=True))
    world.now_us += 60 * US_PER_MIN
    for namespace in (0, 5):
        ((_endpoint, _conn, payload),) = announced(store(by, b"x", namespace))
        assert monitor.read_notification(payload).data == b"x"
    # Not for a subscription without body afterwards: it stays wanted.
    subscribe(by, call(by, (2,)))
    assert monitor.read_notification(announced(store(by, b"y", 2))[0][2]).data == b"y"


def test_connections_are_subscribers_of_their_own(by: Any) -> None:
    subscribe(by, call(by, data=True), conn=QUIC)
    subscribe(by, call(by), conn=OMQ)
    subscribe(by, call(by), src=SUBSCRIBER + 1)
    found = {
        (endpoint, conn): monitor.read_notification(p).data for endpoint, conn, p in announced(store(by))
    }
    assert found == {
        (SUBSCRIBER, QUIC): b"hello",
        (SUBSCRIBER, OMQ): None,
        (SUBSCRIBER + 1, QUIC): None,
    }


def test_it_lives_sixty_five_minutes(by: Any) -> None:
    subscribe(by, call(by))
    by.world.now_us += 65 * US_PER_MIN
    assert len(announced(store(by, b"in time"))) == 1
    by.world.now_us += 1
    assert announced(store(by, b"too late")) == []
    assert subscribe(by, call(by, (5,))) == [0]
    assert announced(store(by, b"dropped", 0)) == []


@pytest.mark.parametrize(
    ("age_us", "codes"),
    [
        (14 * US_PER_DAY - US_PER_S, [0]),
        (14 * US_PER_DAY + US_PER_S, [MonitorError.BAD_TS]),
        (-US_PER_DAY + US_PER_S, [0]),
        (-US_PER_DAY - US_PER_S, [MonitorError.BAD_TS]),
    ],
)
def test_a_signature_is_good_for_two_weeks(by: Any, age_us: int, codes: list[int]) -> None:
    by.world.now_us += 100 * US_PER_DAY
    assert subscribe(by, call(by, at_s=-age_us // US_PER_S)) == codes


def test_what_is_wrong_has_a_number(by: Any, caller: Make) -> None:
    world = by.world
    good = bencode.decode(call(by))
    assert isinstance(good, dict)
    changes: list[tuple[dict[bytes, Any], int]] = [
        ({b"t": b"now"}, MonitorError.BAD_ARGS),
        ({b"n": [5, 0]}, MonitorError.BAD_NS),
        ({b"n": [0, 5]}, MonitorError.BAD_SIG),
        ({b"d": 1}, MonitorError.BAD_SIG),
        ({b"t": good[b"t"] + 1}, MonitorError.BAD_SIG),
        ({b"s": bytes(64)}, MonitorError.BAD_SIG),
        ({b"s": bytes(63)}, MonitorError.BAD_SIG),
        ({b"t": 5}, MonitorError.BAD_TS),
        ({b"P" if b"P" in good else b"p": bytes(31)}, MonitorError.BAD_PUBKEY),
    ]
    if b"P" in good:
        changes.append(({b"P": b"\xff" * 32}, MonitorError.BAD_PUBKEY))
    for change, code in changes:
        assert subscribe(by, bencode.encode(good | change)) == [code]
    for junk in (b"", b"i5e", b"le" + b"x", b"d"):
        assert subscribe(by, junk) == [MonitorError.BAD_ARGS]
    # A list is answered one by one, and what is good of it holds.
    other = caller(world, world.person(SECOND))
    asked = [bencode.encode(good | {b"t": 5}), call(by), call(other)]
    assert subscribe(by, monitor.write_calls(asked)) == [MonitorError.BAD_TS, 0, MonitorError.WRONG_SWARM]
    assert len(announced(store(by))) == 1


def test_subaccounts_that_may_read_subscribe_even_if_revoked(by: Any) -> None:
    for flags, code in ((READ, 0), (READ | WRITE | DELETE, 0), (WRITE | DELETE, MonitorError.BAD_SIG)):
        assert subscribe(by, call(by.subaccount(flags))) == [code]
    foreign = 3 if by.person.id[0] == 5 else 5
    assert subscribe(by, call(by.subaccount(READ, prefix=foreign))) == [MonitorError.BAD_SIG]
    assert subscribe(by, call(by.subaccount(READ | ANY_PREFIX, prefix=foreign))) == [0]
    sub = by.subaccount(READ)
    by.parts(0, by.revoke([sub.asker.subaccount.token]))
    assert subscribe(by, call(sub)) == [0]


def test_other_doors_are_shut(by: Any) -> None:
    assert by.world.machines[0].receive(SUBSCRIBER, HTTPS, 5, "monitor", call(by), by.world.now_us) == ()


@pytest.mark.parametrize("ends", [True, False])
def test_it_ends_when_the_account_leaves_the_swarm(make_world: Make, caller: Make, ends: bool) -> None:
    world = make_world(monitor_ends=ends)
    by, stays = caller(world, world.person(0)), caller(world, world.person(SECOND))
    assert subscribe(by, call(by)) == [0]
    assert subscribe(stays, call(stays)) == ([MonitorError.WRONG_SWARM] if ends else [0])
    effects = world.machines[0].command(
        ("swarms", world.nodes_with((SECOND,) * 6 + (0,) * 6), 1), world.now_us
    )
    found = announced(effects, "monitor_ended")
    if not ends:
        assert found == []
        return
    ((endpoint, conn, payload),) = found
    assert (endpoint, conn) == (SUBSCRIBER, QUIC)
    assert monitor.read_ended(payload) == (by.person.id, MonitorError.WRONG_SWARM)
    assert world.machines[0].command(("swarms", world.nodes_with((SECOND,) * 6 + (0,) * 6), 1), 0) == []
    world.machines[0].command(("swarms", world.nodes, 1), world.now_us)
    assert announced(store(by)) == []


def test_a_lost_connection_ends_it_on_quic_and_omq_does_not_notice(by: Any) -> None:
    for conn, left in ((QUIC, 0), (OMQ, 1)):
        subscribe(by, call(by), conn=conn)
        (effect,) = [e for e in store(by, str(conn).encode()) if e[4:5] == ("notify",)]
        by.world.machines[0].failed(SUBSCRIBER, conn, effect[3], "unreachable", by.world.now_us)
        assert len(announced(store(by, b"again" + str(conn).encode()))) == left


def test_nothing_is_announced_of_what_nodes_hand_on(by: Any) -> None:
    subscribe(by, call(by))
    held = Held(by.person.id, 0, Message(0, "A" * 43, by.world.now_ms, by.world.now_ms + 10**8, b"x"))
    (batch,) = sn_data.write_batches([held], namespaces=True, most_bytes=10**6)
    effects = by.world.machines[0].receive(1, OMQ, 5, "sn.data", batch, by.world.now_us)
    assert announced(effects) == []
    assert len(by.world.machines[0].store) == 1
