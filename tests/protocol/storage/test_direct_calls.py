"""Clients of OMQ and QUIC without an onion: JSON and bencode answers, ifelse, oxend_request, packed nodes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.nodelist import UNASSIGNED
from sessionsim.protocol.wire import bencode, rpc_signed, rpc_write
from sessionsim.protocol.wire.active_nodes import RECORD_BYTES, read_active_nodes, write_active_nodes
from sessionsim.protocol.wire.rpc import DESKTOP, batch_body, info_call, request_body
from sessionsim.protocol.wire.rpc_answers import quic_error_text
from sessionsim.protocol.wire.rpc_direct import write_direct

Make = Callable[..., Any]
SECOND, HTTPS, QUIC, OMQ = 1 << 63, 0, 1, 2


@pytest.fixture
def by(make_world: Make, caller: Make) -> Any:
    world = make_world()
    return caller(world, world.group(0))


def send(world: Any, method: str, body: bytes, conn: int, node: int = 0) -> tuple[int, bytes]:
    world.answers.clear()
    world.put(node, conn, 5, "storage_rpc", write_direct(method, body))
    world.run(answers=1)
    ((_src, _exchange, status, answer, _t),) = world.answers
    return status, answer


def raw(call: Any) -> bytes:
    """Write a call's parameters in bencode."""
    fields = orjson.loads(call[1])
    for name in ("signature", "data", "subaccount", "subaccount_sig"):
        if name in fields:
            fields[name] = base64.b64decode(fields[name])
    fields = {name: int(value) if isinstance(value, bool) else value for name, value in fields.items()}
    return bencode.encode({name.encode(): value for name, value in fields.items()})


@pytest.mark.parametrize("conn", [OMQ, QUIC])
def test_a_store_and_its_answer_in_both_forms(by: Any, conn: int) -> None:
    world = by.world
    call = by.store(b"hello", 11)
    status, answer = send(world, "store", call[1], conn)
    parsed = orjson.loads(answer)
    if conn == QUIC:
        assert parsed[0] == 200
        parsed = parsed[1]
    assert status == 200
    assert len(parsed["swarm"]) == 7
    status, answer = send(world, "store", raw(by.store(b"hello", 11)), conn)
    coded: Any = bencode.decode(answer)
    if conn == QUIC:
        assert coded[0] == 200
        coded = coded[1]
    assert coded[b"hash"].decode() == parsed["hash"]
    for node in range(7):
        entry = coded[b"swarm"][world.nodes.ed25519[node].hex().encode()]
        assert world.suite.verify(world.ed[node].public, coded[b"hash"], entry[b"signature"])
        assert entry[b"already"] == 1


@pytest.mark.parametrize("conn", [OMQ, QUIC])
def test_messages_come_as_bytes(by: Any, conn: int) -> None:
    by.put(b"\x00\xffhello", namespace=11)
    _status, answer = send(by.world, "retrieve", raw(by.retrieve(11)), conn)
    coded: Any = bencode.decode(answer)
    (message,) = (coded[1] if conn == QUIC else coded)[b"messages"]
    assert message[b"data"] == b"\x00\xffhello"


@pytest.mark.parametrize("conn", [OMQ, QUIC])
def test_recursive_calls_and_tokens(by: Any, conn: int) -> None:
    hashes = by.put(b"one", b"two", namespace=11)
    token = by.subaccount(1).asker.subaccount.token
    call = by.revoke([token])
    fields = orjson.loads(call[1]) | {"revoke": [token], "signature": by.sign(
        rpc_signed.tokens_text("revoke_subaccount", by.world.now_ms, [token])
    )}  # fmt: skip
    body = bencode.encode({name.encode(): value for name, value in fields.items()})
    assert send(by.world, "revoke_subaccount", body, conn)[0] == 200
    coded: Any = bencode.decode(send(by.world, "revoked_subaccounts", raw(by.revoked()), conn)[1])
    assert (coded[1] if conn == QUIC else coded)[b"revoked_subaccounts"] == [token]
    coded = bencode.decode(send(by.world, "delete", raw(by.delete(hashes)), conn)[1])
    swarm = (coded[1] if conn == QUIC else coded)[b"swarm"]
    assert all(entry[b"deleted"] == [hash_.encode() for hash_ in sorted(hashes)] for entry in swarm.values())


@pytest.mark.parametrize(
    ("method", "body", "status", "text"),
    [
        ("get_stats", b"{}", 404, "no such endpoint get_stats"),
        ("delete", b"{", 400, "invalid body: expected json or bt_dict"),
        ("delete", b"[]", 400, "invalid body: expected json or bt_dict"),
        ("delete", b"{}", 400, "invalid request: Required field 'pubkey' missing"),
        ("delete", b"de", 400, "invalid request: Required field 'pubkey' missing"),
        ("delete", b"dx", 400, "invalid request: "),
    ],
)
def test_errors(by: Any, method: str, body: bytes, status: int, text: str) -> None:
    assert send(by.world, method, body, OMQ)[0] == status
    assert send(by.world, method, body, OMQ)[1].decode().startswith(text)
    outer, answer = send(by.world, method, body, QUIC)
    assert outer == status
    assert quic_error_text(answer).decode().startswith(text)


def test_whoever_is_not_ready_answers_here_all_the_same(make_world: Make) -> None:
    world = make_world(swarms=(UNASSIGNED,) * 2 + (0,) * 10)
    assert send(world, "info", b"{}", OMQ)[0] == 200
    assert world.direct(0, request_body(DESKTOP, info_call()))[0] == 503


def test_junk_and_too_much(by: Any) -> None:
    world = by.world
    for payload in (b"l", b"le", b"l1:ae", b"li1ei2ee", b"l1:a1:b1:ce"):
        effects = world.machines[0].receive(1000, OMQ, 5, "storage_rpc", payload, world.now_us)
        assert effects[0][4] == 400
    large = b"l" + bytes(10 * 1024 * 1024)
    assert world.machines[0].receive(1000, OMQ, 5, "storage_rpc", large, world.now_us)[0][4] == 413
    # Without the two parts it is nothing that OMQ knows.
    assert world.machines[0].receive(1000, OMQ, 5, "storage_rpc", b"{}", world.now_us) == ()


# Ifelse


def conditional(by: Any, conditions: dict[str, Any], then: Any, otherwise: Any = None) -> tuple[int, Any]:
    status, answer = by.ask(0, rpc_write.ifelse_call(by.style, conditions, then, otherwise))
    return status, answer


@pytest.mark.parametrize(
    ("conditions", "held"),
    [
        ({"hf_at_least": [19]}, True),
        ({"hf_at_least": [19, 3]}, True),
        ({"hf_at_least": [19, 3, 7]}, True),
        ({"hf_at_least": [19, 4]}, False),
        ({"hf_at_least": 19}, True),
        ({"hf_before": [19, 3]}, False),
        ({"hf_before": [19, 4]}, True),
        ({"hf_before": [20]}, True),
        ({"v_at_least": [2, 11]}, True),
        ({"v_at_least": [2, 11, 4]}, False),
        ({"v_before": [2, 12]}, True),
        ({"v_before": [2, 11, 3]}, False),
        ({"height_at_least": 1_900_000}, True),
        ({"height_at_least": 1_900_001}, False),
        ({"height_before": 1_900_001}, True),
        ({"height_before": 1_900_000}, False),
        ({"hf_at_least": [19], "height_before": 5}, False),
        ({"hf_at_least": [], "height_before": 5}, False),
    ],
)
def test_conditions(by: Any, conditions: dict[str, Any], held: bool) -> None:
    status, answer = conditional(by, conditions, info_call(), by.get_expiries(["all"]))
    assert status == 200
    assert (answer["condition"], answer["height"], answer["hf"], answer["v"]) == (
        held,
        1_900_000,
        [19, 3],
        [2, 11, 3],
    )
    assert answer["result"]["code"] == 200
    assert ("version" in answer["result"]["body"]) is held


def test_an_empty_branch_has_no_result(by: Any) -> None:
    assert "result" not in conditional(by, {"height_before": 1}, info_call())[1]


def test_conditional_stores_wait_for_the_swarm_and_nest(by: Any) -> None:
    inner = rpc_write.ifelse_call(by.style, {"height_before": 1}, info_call(), by.store(b"hello"))
    _status, answer = conditional(by, {"hf_at_least": [19]}, inner)
    nested = answer["result"]["body"]
    assert (answer["condition"], nested["condition"], nested["result"]["code"]) == (True, False, 200)
    assert len(nested["result"]["body"]["swarm"]) == 7
    batch = (
        b"batch",
        orjson.dumps(orjson.loads(batch_body(DESKTOP, [info_call(), by.delete_all()]))["params"]),
    )
    _status, answer = conditional(by, {"hf_at_least": [19]}, batch)
    assert [one["code"] for one in answer["result"]["body"]["results"]] == [200, 200]


def test_refusals_inside(by: Any) -> None:
    status, answer = conditional(by, {"hf_at_least": [19]}, by.delete_all(at_ms=-100_000))
    assert (status, answer["result"]["code"]) == (200, 406)
    assert "too far" in answer["result"]["body"]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"if": {}},
        {"if": {"height_at_least": 1}},
        {"if": {"height_at_least": "1"}, "then": {"method": "info", "params": {}}},
        {"if": {"hf_at_least": [19.5]}, "then": {"method": "info", "params": {}}},
        {"if": {"height_at_least": 1}, "then": {"method": "none", "params": {}}},
        {"if": {"height_at_least": 1}, "then": {"method": "info"}},
        {"if": {"height_at_least": 1}, "then": None},
        {"if": [], "then": {"method": "info", "params": {}}},
    ],
)
def test_malformed_conditions(by: Any, params: dict[str, Any]) -> None:
    assert by.ask(0, (b"ifelse", orjson.dumps(params)))[0] == 400


def test_height_and_fork_follow_the_blockchain(by: Any) -> None:
    by.world.tell(0, "swarms", by.world.nodes, 5)
    assert conditional(by, {"height_before": 6}, info_call())[1]["height"] == 5


# The blockchain daemon


def test_service_nodes_with_the_fields_asked_for(by: Any) -> None:
    status, answer = by.ask(0, rpc_write.service_nodes_call(DESKTOP))
    states = answer["result"]["service_node_states"]
    assert status == 200
    assert len(states) == 12
    nodes = by.world.nodes
    assert states[3] == {
        "public_ip": ".".join(str(byte) for byte in nodes.ip[3].to_bytes(4, "big")),
        "storage_port": nodes.port[3],
        "pubkey_x25519": nodes.x25519[3].hex(),
        "pubkey_ed25519": nodes.ed25519[3].hex(),
    }
    _status, answer = by.ask(0, oxend({"limit": 2}))
    assert len(answer["result"]["service_node_states"]) == 2
    assert answer["result"]["service_node_states"][0]["swarm_id"] == nodes.swarm[0]


def oxend(params: Any, endpoint: str = "get_service_nodes") -> Any:
    return b"oxend_request", orjson.dumps({"endpoint": endpoint, "params": params})


def test_nodes_without_swarm_are_not_active(make_world: Make, caller: Make) -> None:
    world = make_world(swarms=(0,) * 11 + (UNASSIGNED,))
    by = caller(world, world.group(0))
    assert len(by.ask(0, oxend({"active_only": True}))[1]["result"]["service_node_states"]) == 11
    # True, 1 and 1.0 are equal, but only the first is a yes, and only the second a number of nodes.
    assert len(by.ask(0, oxend({"active_only": 1}))[1]["result"]["service_node_states"]) == 12
    assert len(by.ask(0, oxend({"limit": 1}))[1]["result"]["service_node_states"]) == 1
    assert len(by.ask(0, oxend({"limit": True}))[1]["result"]["service_node_states"]) == 12
    states = by.ask(0, oxend({}))[1]["result"]["service_node_states"]
    assert [state["active"] for state in states] == [True] * 11 + [False]
    assert len(by.ask(0, oxend(None))[1]["result"]["service_node_states"]) == 12


def test_names_are_resolved_by_their_hash(by: Any) -> None:
    hash_, encrypted, nonce = bytes(range(32)), b"secret", bytes(24)
    by.world.tell(0, "names", {hash_: (encrypted, nonce)})
    for text in (base64.b64encode(hash_).decode(), hash_.hex()):
        result = by.ask(0, oxend({"type": 0, "name_hash": text}, "ons_resolve"))[1]["result"]
        assert (result["encrypted_value"], result["nonce"]) == (encrypted.hex(), nonce.hex())
    _status, answer = by.ask(0, rpc_write.resolve_name_call(DESKTOP, bytes(32)))
    assert "encrypted_value" not in answer["result"]
    for wrong in ({}, {"type": 1, "name_hash": hash_.hex()}, {"type": 0, "name_hash": "short"}, []):
        assert by.ask(0, oxend(wrong, "ons_resolve"))[0] == 400


# Packed nodes


def test_active_nodes_are_packed_records_in_order(by: Any) -> None:
    world = by.world
    blob = by.ask(0, rpc_write.active_nodes_call())[1].encode("latin-1")
    assert blob == write_active_nodes(world.nodes, (2, 11, 3))
    # In a batch, and through an onion, it is text.
    text = base64.b64encode(blob).decode()
    body = batch_body(DESKTOP, [rpc_write.active_nodes_call()])
    assert orjson.loads(world.direct(0, body)[1])["results"][0]["body"] == text
    assert world.ask((7, 0), request_body(DESKTOP, rpc_write.active_nodes_call()))[2].decode() == text
    assert len(blob) == 12 * RECORD_BYTES == 12 * 51
    records = read_active_nodes(blob)
    assert [(one.swarm, one.ed25519) for one in records] == sorted(
        (world.nodes.swarm[node], world.nodes.ed25519[node]) for node in range(12)
    )
    one = records[0]
    node = world.nodes.index[one.ed25519]
    assert (one.ip, one.https_port, one.version) == (world.nodes.ip[node], world.nodes.port[node], (2, 11, 3))
    assert blob[:32] == one.ed25519
    assert blob[32:40] == one.swarm.to_bytes(8, "big")


@pytest.mark.parametrize("conn", [OMQ, QUIC])
def test_clients_of_omq_and_quic_get_the_bytes(by: Any, conn: int) -> None:
    expected = write_active_nodes(by.world.nodes, (2, 11, 3))
    for body in (b"", b"{}", b"de"):
        assert send(by.world, "active_nodes_bin", body, conn) == (200, expected)


def test_records_are_whole() -> None:
    assert read_active_nodes(b"") == []
    for size in (1, 50, 52):
        with pytest.raises(RemoteProtocolError):
            read_active_nodes(bytes(size))


def test_old_nodes_have_neither(make_world: Make, caller: Make) -> None:
    world = make_world(old=(0,))
    by = caller(world, world.group(0))
    for call in (rpc_write.active_nodes_call(), by.revoked()):
        assert by.ask(0, call)[0] == 400
        assert by.ask(1, call)[0] == 200
        assert send(world, call[0].decode(), call[1], OMQ)[0] == 404
