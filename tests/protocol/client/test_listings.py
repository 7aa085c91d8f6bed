"""Reading node lists: as real nodes and seeds write them, damaged ones, and what several agree on."""

from __future__ import annotations

import base64
import contextlib

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.client import listings
from sessionsim.protocol.client.listings import agreed, read_listing
from sessionsim.protocol.client.pool import Listing
from sessionsim.protocol.wire.active_nodes import write_active_nodes
from sessionsim.protocol.wire.rpc import DESKTOP, batch_body, request_body
from sessionsim.protocol.wire.rpc_write import active_nodes_call, service_nodes_call
from sessionsim.protocol.wire.seed_json import nodes_answer, nodes_request

ROUTE = (0, 1, 2, 3)


@pytest.fixture(scope="module")
def world(make_world):
    return make_world()


def oxend(world) -> bytes:
    status, inner, body = world.ask(ROUTE, batch_body(DESKTOP, [service_nodes_call(DESKTOP)]))
    assert (status, inner) == (200, 200)
    return body


def test_the_batch_of_a_node_names_all_nodes_without_swarms(world) -> None:
    listing = read_listing("oxend", oxend(world), world.nodes)
    assert sorted(listing.order) == list(range(12))
    assert listing.members == {}


def test_packed_nodes_come_with_their_swarms(world) -> None:
    status, inner, body = world.ask(ROUTE, request_body(DESKTOP, active_nodes_call()))
    assert (status, inner) == (200, 200)
    listing = read_listing("packed", body, world.nodes)
    assert {swarm: sorted(nodes) for swarm, nodes in listing.members.items()} == {
        swarm: sorted(nodes) for swarm, nodes in world.nodes.members.items()
    }
    raw = write_active_nodes(world.nodes, (2, 11, 3))
    assert read_listing("raw", raw, world.nodes).members == listing.members


def test_a_seed_names_all_nodes(world) -> None:
    answer = nodes_answer(nodes_request(), world.nodes, (2, 11, 3))
    assert sorted(read_listing("seed", answer, world.nodes).order) == list(range(12))


def test_equal_lists_of_other_times_are_read_once(world) -> None:
    one = oxend(world)
    world.now_us += 5_000_000
    two = oxend(world)
    assert one != two
    assert read_listing("oxend", one, world.nodes) is read_listing("oxend", two, world.nodes)


def test_the_memo_is_bounded_and_does_not_mix_kinds(world) -> None:
    for number in range(40):
        raw = write_active_nodes(world.nodes, (2, 11, number))
        read_listing("raw", raw, world.nodes)
    assert len(listings._memo) <= 8
    with pytest.raises(RemoteProtocolError):
        read_listing("packed", write_active_nodes(world.nodes, (2, 11, 39)), world.nodes)


def test_nodes_without_address_and_keys_of_nobody_are_left_out(world) -> None:
    states = [
        {"public_ip": "0.0.0.0", "pubkey_ed25519": world.nodes.ed25519[0].hex()},
        {"public_ip": "", "pubkey_ed25519": world.nodes.ed25519[1].hex()},
        {"public_ip": "1.2.3.4", "pubkey_ed25519": "00" * 32},
        {"public_ip": "1.2.3.4", "pubkey_ed25519": "no hex"},
        {"public_ip": "1.2.3.4", "pubkey_ed25519": world.nodes.ed25519[4].hex()},
        {"public_ip": "1.2.3.4", "pubkey_ed25519": world.nodes.ed25519[4].hex()},
        7,
    ]  # fmt: skip
    body = {"results": [{"code": 200, "body": {"result": {"service_node_states": states}, "t": 1}}]}
    assert read_listing("oxend", orjson.dumps(body), world.nodes).order == (4,)


@pytest.mark.parametrize(
    "answer",
    [b"", b"{}", b'{"results":[]}', b'{"results":[{"code":500,"body":"x"}]}',
     b'{"results":[{"code":200,"body":{"result":[]}}]}', b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_list_is_refused(world, answer: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_listing("oxend", answer, world.nodes)


@given(st.sampled_from(("oxend", "packed", "raw", "seed")), st.binary(max_size=200))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_any_bytes_give_a_list_or_a_protocol_error(world, kind: str, answer: bytes) -> None:
    for tried in (answer, base64.b64encode(answer)):
        with contextlib.suppress(RemoteProtocolError):
            assert isinstance(read_listing(kind, tried, world.nodes), Listing)


def test_nodes_count_that_stand_in_enough_lists() -> None:
    one, two, three = Listing((1, 2, 3), (9, 9, 8)), Listing((2, 3, 4), (7, 8, 8)), Listing((3, 1), (8, 9))
    assert agreed([one, two, three], 3).order == (3,)
    most = agreed([one, two, three], 2)
    assert sorted(most.order) == [1, 2, 3]
    assert most.members == {8: (3,), 9: (1, 2)}  # of two opinions on a swarm, that of the first list
    assert agreed([one, two, three], 4).order == ()
    assert agreed([], 1).order == ()


def test_three_times_the_same_list_is_that_list() -> None:
    one = Listing((1, 2), (5, 5))
    assert agreed([one, one, one], 3) is one
    assert agreed([one, one], 3).order == ()


def test_lists_without_swarms_agree_on_nodes_alone() -> None:
    found = agreed([Listing((1, 2)), Listing((2, 1), (3, 3))], 2)
    assert (sorted(found.order), found.members) == ([1, 2], {3: (1, 2)})
    assert agreed([Listing((1, 2)), Listing((2, 1))], 2).members == {}
