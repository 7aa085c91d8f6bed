"""Seed nodes: what they are asked, what they answer, and what strangers may send them."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionsim.core.columns import Transport
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.machine import SEND
from sessionsim.protocol.servers.seed import HEAD, SeedNode
from sessionsim.protocol.wire.seed_json import nodes_answer, nodes_request, read_nodes

HTTPS, OMQ = int(Transport.HTTPS), int(Transport.OMQ)
UNASSIGNED = (1 << 64) - 1


def node_list(n: int) -> NodeList:
    keys = tuple(bytes([k]) * 32 for k in range(1, n + 1))
    swarm = (*([0] * (n - 1)), UNASSIGNED)
    return NodeList(
        keys, keys, swarm, tuple(0xF0000001 + k for k in range(n)), tuple(range(22021, 22021 + n))
    )


def test_a_client_asks_in_clear_as_desktop_does() -> None:
    assert nodes_request() == (
        b'{"jsonrpc":"2.0","id":"0","method":"get_n_service_nodes","params":{"active_only":true,"fields":'
        b'{"public_ip":true,"storage_port":true,"pubkey_x25519":true,"pubkey_ed25519":true,'
        b'"storage_server_version":true}}}'
    )


def test_the_answer_names_the_active_nodes_with_the_fields_asked_for() -> None:
    nodes = read_nodes(nodes_answer(nodes_request(), node_list(3), (2, 11, 3)))
    assert nodes == [
        {
            "public_ip": f"240.0.0.{k}",
            "storage_port": 22020 + k,
            "pubkey_x25519": f"0{k}" * 32,
            "pubkey_ed25519": f"0{k}" * 32,
            "storage_server_version": [2, 11, 3],
        }
        for k in (1, 2)
    ]
    assert len(read_nodes(nodes_answer(nodes_request(limit=1), node_list(3), (2, 11, 3)))) == 1


def test_a_seed_tells_the_newest_list_it_has_been_told() -> None:
    seed = SeedNode(node_list(3), (2, 11, 3))
    assert seed.start(0) == ()
    ((kind, dst, conn, exchange, status, body, note),) = seed.receive(9, HTTPS, 4, HEAD, nodes_request(), 0)
    assert (kind, dst, conn, exchange, status, note) == (SEND, 9, HTTPS, 4, 200, 0)
    assert len(read_nodes(body)) == 2
    assert seed.command(("swarms", node_list(5), 7), 1) == ()
    ((*_, body, _),) = seed.receive(9, HTTPS, 5, HEAD, nodes_request(), 2)
    assert len(read_nodes(body)) == 4


def test_other_heads_and_links_get_no_answer() -> None:
    seed = SeedNode(node_list(3), (2, 11, 3))
    for conn, head in ((HTTPS, "onion_req"), (OMQ, HEAD), (HTTPS, 200)):
        assert seed.receive(9, conn, 1, head, nodes_request(), 0) == ()
    assert seed.failed(9, HTTPS, 1, "unreachable", 0) == seed.wake(0) == seed.command(("poll",), 0) == ()


@pytest.mark.parametrize(
    ("request_", "code", "number"),
    [
        (b"", -32600, None),
        (b"[]", -32600, None),
        (b'{"id":7,"method":"get_info"}', -32601, 7),
        (b'{"id":{},"method":3}', -32601, None),
        (b'{"id":18446744073709551615,"method":3}', -32601, None),
        (b'{"id":true}', -32601, None),
        (b" " * 100_001, -32600, None),
    ],
)
def test_wrong_requests_get_the_errors_of_json_rpc(request_: bytes, code: int, number: int | None) -> None:
    answer = orjson.loads(nodes_answer(request_, node_list(3), (2, 11, 3)))
    assert (answer["error"]["code"], answer["id"], answer["jsonrpc"]) == (code, number, "2.0")


@pytest.mark.parametrize(
    "answer", [b"", b"{}", b'{"error":{}}', b'{"result":[]}', b'{"result":{"service_node_states":[1]}}']
)
def test_answers_without_nodes_are_refused(answer: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_nodes(answer)


@given(st.binary(max_size=200) | st.dictionaries(st.text(), st.integers()).map(lambda d: repr(d).encode()))
def test_any_bytes_get_an_answer(payload: bytes) -> None:
    assert orjson.loads(nodes_answer(payload, node_list(3), (2, 11, 3)))["jsonrpc"] == "2.0"
