"""Whatever bytes arrive at a service node, it answers with an error or stays silent, and bounds its work."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.columns import HEADS
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.machine import NOTHING, SEND, WAKE_AT
from sessionsim.protocol.wire import rpc
from sessionsim.protocol.wire.frame import encode_frame
from sessionsim.protocol.wire.onion import (
    DESKTOP,
    LIBSESSION,
    Style,
    decode_hop,
    decode_hop_slowly,
    encode_hop,
)

MakeWorld = Callable[..., Any]
CLIENT, HTTPS, QUIC, OMQ = 1000, 0, 1, 2
ROUTE = (7, 8, 9, 0)
EXAMPLES = settings(deadline=None, max_examples=150, derandomize=True)
# Assumption: no honest request takes a node a tenth of this; quadratic work on a megabyte takes far longer.
PATIENCE_S = 5.0
ENDPOINTS = st.sampled_from([0, 3, 7, 11, 12, CLIENT, -1, 1 << 40])
CONNECTIONS = st.sampled_from([HTTPS, QUIC, OMQ, 3, 7, 8 + HTTPS, 8 + OMQ])
CALLED = st.sampled_from([*HEADS, "", "storage.store", 0, 100, 200, 400, 502, 599, 600, -1, 1 << 40])


@pytest.fixture(scope="module")
def world(make_world: MakeWorld) -> Any:
    return make_world()


def check(node: Any, src: int, conn: int, exchange: int, head: str | int, payload: bytes) -> list[Any]:
    """Deliver to a node and hold its effects against the contract: nobody but the sender is answered."""
    before = node.pending
    effects = list(node.receive(src, conn, exchange, head, payload, 5_000_000))
    for effect in effects:
        assert effect[0] in (SEND, WAKE_AT)
        if effect[0] == WAKE_AT:
            assert effect[1] > 5_000_000
            continue
        _kind, dst, to_conn, number, what, body, _note = effect
        assert type(body) is bytes
        if type(what) is int:
            assert (dst, to_conn, number) == (src, conn, exchange)
            assert 100 <= what < 600
        else:
            assert what in ("sn.onion_request", "sn.storage_cc")
            assert 0 <= dst < 12
    if type(head) is int:
        assert effects == []  # answers that nobody awaits
    assert node.pending - before <= 6 * 20
    return effects


def spoil(payload: bytes, data: st.DataObject) -> bytes:
    """Cut, flip a bit, insert, or repeat a part of a valid message."""
    how = data.draw(st.sampled_from(["cut", "flip", "insert", "repeat", "zeros"]))
    at = data.draw(st.integers(0, max(0, len(payload) - 1)))
    if how == "cut":
        return payload[:at]
    if how == "insert":
        return payload[:at] + data.draw(st.binary(min_size=1, max_size=8)) + payload[at:]
    if how == "repeat":
        return payload[:at] + payload[at // 2 :]
    if how == "zeros":
        return payload[:at] + bytes(8) + payload[at + 8 :]
    bit = 1 << data.draw(st.integers(0, 7))
    return payload[:at] + bytes([payload[at] ^ bit]) + payload[at + 1 :]


def store_body(world: Any, swarm: int = 0) -> bytes:
    person = world.person(swarm)
    return rpc.request_body(
        rpc.DESKTOP, rpc.store_call(rpc.DESKTOP, person.id_hex, b"x" * 60, world.now_ms, 86_400_000)
    )


def poll_body(world: Any) -> bytes:
    person, stamp = world.person(0), world.now_ms
    calls = []
    for namespace in (0, 2):
        signature = world.suite.sign(person.ed, rpc.signed_text("retrieve", namespace, stamp))
        calls.append(
            rpc.retrieve_call(
                rpc.DESKTOP, person.id_hex, person.ed_hex, namespace, "A" * 43, stamp, signature, -2
            )
        )
    return rpc.batch_body(rpc.DESKTOP, calls)


def forward_of(world: Any, make_world: MakeWorld) -> bytes:
    effects = make_world().machines[0].receive(CLIENT, HTTPS, 1, "storage_rpc", store_body(world), 1_000_000)
    return next(effect[5] for effect in effects if effect[4] == "sn.storage_cc")


@EXAMPLES
@given(st.binary(max_size=200), CALLED, ENDPOINTS, CONNECTIONS, st.integers(0, 1 << 62))
def test_random_bytes_at_every_endpoint(
    world: Any, payload: bytes, head: str | int, src: int, conn: int, exchange: int
) -> None:
    check(world.machines[0], src, conn, exchange, head, payload)


@EXAMPLES
@given(st.data(), st.sampled_from([DESKTOP, LIBSESSION]), CONNECTIONS)
def test_spoilt_onion_request_is_refused_in_clear_or_changes_nothing(
    world: Any, data: st.DataObject, style: Style, conn: int
) -> None:
    payload, _layer = world.onion(ROUTE, b"{}", style)
    hop = world.machines[8].receive(7, OMQ, 1, "sn.onion_request", world_hop(world, payload, style), 0)
    expected = next(effect[5] for effect in hop if effect[4] == "sn.onion_request")
    hostile = spoil(payload, data)
    effects = check(world.machines[7], CLIENT, conn, 1, "onion_req", hostile)
    relayed = [effect for effect in effects if effect[0] == SEND and effect[4] == "sn.onion_request"]
    for effect in relayed:  # the damage was beside the authenticated part
        again = world.machines[8].receive(7, OMQ, 1, "sn.onion_request", effect[5], 0)
        assert next(effect[5] for effect in again if effect[4] == "sn.onion_request") == expected
    for effect in effects:
        if effect[0] == SEND and type(effect[4]) is int:
            assert effect[4] == 400


def world_hop(world: Any, payload: bytes, style: Style) -> bytes:
    """What the guard of a request sends to the middle."""
    effects = world.machines[7].receive(CLIENT, HTTPS, 2, "onion_req", payload, 0)
    hop: bytes = next(effect[5] for effect in effects if effect[4] == "sn.onion_request")
    return hop


@EXAMPLES
@given(st.data(), st.sampled_from([DESKTOP, LIBSESSION]))
def test_spoilt_hop_message(world: Any, data: st.DataObject, style: Style) -> None:
    hop = world_hop(world, world.onion(ROUTE, b"{}", style)[0], style)
    hostile = spoil(hop, data)
    try:
        quick = decode_hop(hostile)
    except RemoteProtocolError:
        with pytest.raises(RemoteProtocolError):
            decode_hop_slowly(hostile)
    else:
        assert quick == decode_hop_slowly(hostile)
    for effect in check(world.machines[8], 7, OMQ, 1, "sn.onion_request", hostile):
        if effect[0] == SEND and type(effect[4]) is int:
            assert effect[4] == 400


@EXAMPLES
@given(st.data(), st.sampled_from([HTTPS, QUIC]))
def test_spoilt_storage_rpc(world: Any, data: st.DataObject, conn: int) -> None:
    body = data.draw(st.sampled_from([store_body(world), store_body(world, 1 << 63), poll_body(world)]))
    check(world.machines[0], CLIENT, conn, 1, "storage_rpc", spoil(body, data))


@EXAMPLES
@given(st.data())
def test_spoilt_forward_never_stores_under_a_wrong_hash(
    world: Any, make_world: MakeWorld, data: st.DataObject
) -> None:
    hostile = spoil(forward_of(world, make_world), data)
    node = make_world().machines[3]
    (effect,) = check(node, 0, OMQ, 1, "sn.storage_cc", hostile)
    assert effect[4] in (200, 400, 401, 403, 406, 421)
    assert len(node.store) == (1 if effect[4] == 200 else 0)


CONTROL = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), 1 << 63) | st.floats() | st.text(max_size=70)
    | st.sampled_from(["aes-gcm", "xchacha20", "aes-cbc", "ab" * 32, "/loki/v3/lsrpc", "http", "é" * 64]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip
NAMES = st.sampled_from(
    [
        "headers",
        "json",
        "base64",
        "host",
        "target",
        "port",
        "protocol",
        "destination",
        "ephemeral_key",
        "enc_type",
    ]
)


@EXAMPLES
@given(st.dictionaries(NAMES, CONTROL, max_size=6), st.binary(max_size=80), st.booleans())
def test_hostile_inside_of_an_authentic_layer(
    world: Any, control: dict[str, Any], body: bytes, known_node: bool
) -> None:
    if known_node:
        control["destination"] = world.nodes.ed25519[5].hex()
    style = Style(DESKTOP.name, DESKTOP.layer, orjson.dumps(control), DESKTOP.key_field)
    payload, _layer = world.onion((0,), body, style)
    assert check(world.machines[0], CLIENT, HTTPS, 1, "onion_req", payload)


@EXAMPLES
@given(st.binary(max_size=80))
def test_random_plaintext_inside_of_an_authentic_layer(world: Any, plaintext: bytes) -> None:
    ephemeral = world.suite.ephemeral(b"e" * 32)
    layer = DESKTOP.layer(
        world.suite.agree(ephemeral, world.x[0].public), ephemeral.public, world.x[0].public
    )
    control = b'{"ephemeral_key":"%b"}' % ephemeral.public.hex().encode()
    payload = encode_frame(layer.seal(plaintext, bytes(56)), control)
    assert check(world.machines[0], CLIENT, HTTPS, 1, "onion_req", payload)


@pytest.mark.parametrize("key", ["00" * 32, "ff" * 32, "01" + "00" * 31])
@pytest.mark.parametrize("suite", ["fast", "sodium"])
def test_useless_ephemeral_key_is_an_invalid_ciphertext(make_world: MakeWorld, suite: str, key: str) -> None:
    node = make_world(suite=suite).machines[0]
    payload = encode_frame(b"x" * 50, b'{"ephemeral_key":"%b"}' % key.encode())
    ((*_, status, text, _note),) = node.receive(CLIENT, HTTPS, 1, "onion_req", payload, 0)
    assert (status, text) == (400, b"Invalid ciphertext")


def in_time(node: Any, src: int, conn: int, head: str, payload: bytes) -> list[Any]:
    began = time.process_time()
    effects = check(node, src, conn, 1, head, payload)
    assert time.process_time() - began < PATIENCE_S
    return effects


BIG = 1_000_000


@pytest.mark.parametrize(
    "payload",
    [
        b"[" * BIG,
        b'{"a":' * BIG,
        b"l" * BIG,
        b"d1:a" * (BIG // 4),
        b"i" + b"9" * BIG + b"e",
        b"9" * BIG + b":",
        b"d4:data" + b"0" * BIG + b":",
        (0xFFFFFFFF).to_bytes(4, "little") + b"x" * BIG,
        (4).to_bytes(4, "little") + b"abcd" + b"[" * BIG,
        (4).to_bytes(4, "little") + b'abcd{"ephemeral_key":"' + b"a" * BIG + b'"}',
        b'{"method":"' + b"m" * BIG + b'","params":{}}',
        b'{"method":"batch","params":{"requests":[' + b'{"method":"info","params":{}},' * 20_000 + b"{}]}}",
        b'{"method":"store","params":{"data":"' + b"=" * BIG + b'","pubkey":"","timestamp":1,"ttl":1}}',
        b'{"method":"store","params":{"timestamp":"' + b"9" * BIG + b'"}}',
        b'{"method":"info","params":{"x":' + b"9" * 100_000 + b"}}",
    ],
    ids=lambda payload: repr(payload[:12]),
)
@pytest.mark.parametrize(
    ("head", "src", "conn"),
    [
        ("onion_req", CLIENT, HTTPS),
        ("sn.onion_request", 5, OMQ),
        ("storage_rpc", CLIENT, QUIC),
        ("sn.storage_cc", 5, OMQ),
    ],
)
def test_large_and_deep_messages_cost_bounded_work(
    make_world: MakeWorld, payload: bytes, head: str, src: int, conn: int
) -> None:
    world = make_world()
    ((*_, status, text, _note),) = in_time(world.machines[0], src, conn, head, payload)
    assert 400 <= status < 500 or (head == "storage_rpc" and status == 200)
    assert len(text) < 1000


@pytest.mark.parametrize(("conn", "text"), [(HTTPS, b"Request body too large"), (QUIC, None)])
def test_request_beyond_the_limit_is_refused_unread(
    make_world: MakeWorld, conn: int, text: bytes | None
) -> None:
    world = make_world(request_max_bytes=1000)
    for head in ("onion_req", "storage_rpc"):
        ((*_, status, answer, _note),) = world.machines[0].receive(CLIENT, conn, 1, head, b"x" * 1001, 0)
        assert status == 413
        assert text is None or answer == text
    for head in ("sn.onion_request", "sn.storage_cc"):
        assert world.machines[0].receive(5, OMQ, 1, head, b"x" * 1001, 0) == NOTHING


def test_node_endpoints_are_closed_to_clients_and_client_endpoints_to_nodes(make_world: MakeWorld) -> None:
    world = make_world()
    node = world.machines[8]
    hop = world_hop(world, world.onion(ROUTE, b"{}")[0], DESKTOP)
    forward = forward_of(world, make_world)
    for head, payload in (("sn.onion_request", hop), ("sn.storage_cc", forward)):
        for src, conn in ((CLIENT, OMQ), (-1, OMQ), (7, HTTPS), (CLIENT, HTTPS), (7, QUIC)):
            assert node.receive(src, conn, 1, head, payload, 0) == NOTHING
        assert node.receive(7, OMQ, 1, head, payload, 0) != NOTHING
    for head in ("onion_req", "storage_rpc"):
        assert node.receive(7, OMQ, 1, head, b"{}", 0) == NOTHING
    for head in ("handshake", "keepalive", "ping_test", "snode_ping", ""):
        assert node.receive(7, OMQ, 1, head, b"", 0) == NOTHING


# Answers


def pending_relay(world: Any) -> tuple[Any, int]:
    """Make node 7 wait for node 8; give the node and the number of its request."""
    node = world.machines[7]
    effects = node.receive(CLIENT, HTTPS, 42, "onion_req", world.onion(ROUTE, b"{}")[0], 0)
    return node, effects[0][3]


def test_answer_counts_once_and_only_from_the_node_that_was_asked(make_world: MakeWorld) -> None:
    node, number = pending_relay(make_world())
    for src, conn, exchange in ((9, OMQ, number), (8, HTTPS, number), (8, QUIC, number), (8, OMQ, number + 1),
                                (CLIENT, HTTPS, 42), (8, OMQ, 42)):  # fmt: skip
        assert node.receive(src, conn, exchange, 200, b"forged", 1) == NOTHING
        node.failed(src if src != 8 else 9, conn, exchange, "unreachable", 1)
    assert node.pending == 1
    assert node.receive(8, OMQ, number, 200, b"true", 1) == ((SEND, CLIENT, HTTPS, 42, 200, b"true", 0),)
    assert node.receive(8, OMQ, number, 200, b"again", 1) == NOTHING
    assert node.failed(8, OMQ, number, "unreachable", 1) == NOTHING


@pytest.mark.parametrize("status", [0, -5, 7, 99, 600, 1 << 40])
def test_impossible_status_of_the_next_node_becomes_an_internal_error(
    make_world: MakeWorld, status: int
) -> None:
    node, number = pending_relay(make_world())
    ((*_, got, text, _note),) = node.receive(8, OMQ, number, status, b"", 1)
    assert (got, text) == (500, b"Invalid response from snode")


def test_oversized_answer_of_the_next_node_becomes_an_internal_error(make_world: MakeWorld) -> None:
    node, number = pending_relay(make_world(request_max_bytes=2000))
    ((*_, got, text, _note),) = node.receive(8, OMQ, number, 200, b"x" * 2001, 1)
    assert (got, text) == (500, b"Invalid response from snode")


@EXAMPLES
@given(st.binary(max_size=120), st.integers(0, 700))
def test_any_bytes_of_the_next_node_pass_back_as_they_are(
    make_world: MakeWorld, payload: bytes, status: int
) -> None:
    node, number = pending_relay(make_world())
    ((_kind, dst, _conn, exchange, got, text, _note),) = node.receive(8, OMQ, number, status, payload, 1)
    assert (dst, exchange) == (CLIENT, 42)
    assert (got, text) == (
        (status, payload) if 100 <= status < 600 else (500, b"Invalid response from snode")
    )


@EXAMPLES
@given(st.lists(st.tuples(st.integers(0, 700), st.binary(max_size=120)), min_size=6, max_size=6))
def test_any_bytes_of_members_end_in_a_well_formed_answer(
    world: Any, make_world: MakeWorld, answers: list[tuple[int, bytes]]
) -> None:
    node = make_world().machines[0]
    effects = node.receive(CLIENT, HTTPS, 42, "storage_rpc", store_body(world), 1_000_000)
    copies = [effect for effect in effects if effect[4:5] == ("sn.storage_cc",)]
    final: Any = []
    for copy, (status, payload) in zip(copies, answers, strict=True):
        for src, number in ((9, copy[3]), (copy[1], copy[3] + 1)):  # no member; never asked so
            assert node.receive(src, OMQ, number, status, payload, 1_000_000) == NOTHING
        assert not final
        final = node.receive(copy[1], OMQ, copy[3], status, payload, 1_000_000)
    ((_kind, dst, _conn, exchange, status, body, _note),) = final
    assert (dst, exchange, status, node.pending) == (CLIENT, 42, 200, 0)
    fields = orjson.loads(body)
    assert len(fields["swarm"]) == 7
    own = fields["swarm"][world.nodes.ed25519[0].hex()]
    assert base64.b64decode(own["signature"]) == world.suite.sign(world.ed[0], fields["hash"].encode())


def test_same_exchange_number_twice_gets_two_answers(make_world: MakeWorld) -> None:
    world = make_world()
    for name in ("first", "second"):
        world.put(7, HTTPS, 5, "onion_req", world.onion(ROUTE, b"{}", name=name)[0])
    world.run()
    assert [(src, exchange, status) for src, exchange, status, _payload, _t in world.answers] == [
        (7, 5, 200)
    ] * 2


def test_request_sent_through_a_node_to_itself_ends(make_world: MakeWorld) -> None:
    world = make_world()
    outer, status, body = world.ask((7, 7, 7, 7), rpc.request_body(rpc.DESKTOP, rpc.info_call()))
    assert (outer, status) == (200, 200)
    assert b"version" in body


def test_path_longer_than_the_limit_ends_with_an_error(make_world: MakeWorld) -> None:
    world = make_world()
    route = [7, 8] * 9
    assert world.ask(route, b"{}") == (400, 0, b"onion request max path length exceeded")
    assert world.ask(route[:16], b"{}")[0] == 200
    assert [machine.pending for machine in world.machines] == [0] * 12


def test_unknown_cipher_of_the_next_layer_is_not_relayed(make_world: MakeWorld) -> None:
    for name, legacy in (("rot13", True), ("aes-cbc", False)):
        world = make_world(accepts_aes_cbc=legacy)
        message = encode_hop(b"x" * 48, bytes(32), name, 1)
        ((*_, status, text, _note),) = world.machines[0].receive(5, OMQ, 1, "sn.onion_request", message, 0)
        assert status == 400
        assert text == (
            b"Invalid internal onion request: Invalid encryption type rot13"
            if legacy
            else b"Invalid ciphertext"
        )
        control = orjson.dumps(
            {"destination": world.nodes.ed25519[5].hex(), "ephemeral_key": "ab" * 32, "enc_type": name}
        )
        style = Style(DESKTOP.name, DESKTOP.layer, control, DESKTOP.key_field)
        assert world.ask((0,), b"x", style) == (200, 400, b"Invalid json")


def test_flood_of_half_open_relays_is_bounded_and_drains(make_world: MakeWorld) -> None:
    world = make_world(relays_max=50)
    node = world.machines[7]
    payloads = [world.onion(ROUTE, b"{}", name=f"flood {i}")[0] for i in range(60)]
    statuses = [
        node.receive(CLIENT, HTTPS, i, "onion_req", payload, i)[0][4] for i, payload in enumerate(payloads)
    ]
    assert statuses == ["sn.onion_request"] * 50 + [503] * 10
    effects = node.wake(31_000_000)
    assert [effect[4] for effect in effects] == [504] * 50
    assert node.pending == 0


def test_flood_of_stores_is_bounded_and_drains(make_world: MakeWorld) -> None:
    world = make_world(relays_max=50)
    node, person = world.machines[0], world.person(0)
    heads = []
    for i in range(60):
        call = rpc.store_call(rpc.DESKTOP, person.id_hex, b"%d" % i, world.now_ms, 86_400_000)
        body = rpc.request_body(rpc.DESKTOP, call)
        heads.append(node.receive(CLIENT, HTTPS, i, "storage_rpc", body, world.now_us)[0][4])
    taken = 9  # six other members each: the ninth store finds 48 answers awaited, the tenth 54
    assert heads == ["sn.storage_cc"] * taken + [503] * (60 - taken)
    assert node.pending == 6 * taken
    node.wake(world.now_us + 6_000_000)
    assert node.pending == 0
