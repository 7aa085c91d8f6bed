"""Requests over onion paths: choice of path, matching of answers, deadlines."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.columns import Transport
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Seeds
from sessionsim.protocol.client.requests import SERVER, Purpose, Requests
from sessionsim.protocol.client.rules import ANDROID, DESKTOP, IOS, PLATFORMS, ClientRules
from sessionsim.protocol.crypto import KeyPair, suite_named
from sessionsim.protocol.machine import SEND, Effect
from sessionsim.protocol.server_request import ServerAnswer
from sessionsim.protocol.wire.onion import (
    FINAL,
    TO_NODE,
    TO_SERVER,
    Hop,
    decode_client_request,
    decode_inner,
    open_answer,
    open_request,
    seal_answer,
)
from sessionsim.protocol.wire.onion_server import ServerAddress, open_server_request
from sessionsim.protocol.wire.v4 import encode_answer

N_NODES = 20
SUITE = suite_named("fast")
KEYS = [SUITE.ephemeral(hashlib.sha256(b"%d" % i).digest()) for i in range(N_NODES)]
NAMES = tuple(hashlib.sha256(b"name %d" % i).digest() for i in range(N_NODES))
NODES = NodeList(
    NAMES,
    tuple(pair.public for pair in KEYS),
    (0,) * N_NODES,
    tuple(i << 8 for i in range(N_NODES)),
    (1,) * N_NODES,
)
HOPS = tuple(Hop(NAMES[i].hex().encode(), KEYS[i].public) for i in range(N_NODES))
HTTPS, QUIC = int(Transport.HTTPS), int(Transport.QUIC)


def make(rules: ClientRules = DESKTOP, client: int = 0) -> Requests:
    return Requests(NODES, HOPS, rules, SUITE, Seeds(3).entropy("client", client))


def nothing(status: int, body: bytes, now_us: int) -> list[Effect]:
    return []


def send(requests: Requests, exchange: int, node: int = 0, now_us: int = 0, body: bytes = b"{}") -> Effect:
    return requests.send(exchange, node, body, 0, now_us, nothing)


def outside(requests: Requests) -> int:
    """A node that is on no path."""
    return next(n for n in range(N_NODES) if all(n not in path for path in requests.paths))


def peel(effect: Effect) -> tuple[list[int], bytes, Any]:
    """Open all layers as the nodes would: the route, the body, and the layer to answer under."""
    route = [effect[1]]
    blob, ephemeral, enc_type = decode_client_request(effect[5])
    while True:
        own: KeyPair = KEYS[route[-1]]
        layer, plaintext = open_request(SUITE, own, ephemeral, enc_type, blob)
        inner = decode_inner(plaintext)
        if inner[0] == FINAL:
            return route, inner[1], layer  # type: ignore[return-value]
        assert inner[0] == TO_NODE
        _, blob, ephemeral, enc_type, destination = inner  # type: ignore[assignment]
        route.append(NODES.index[destination])


@pytest.mark.parametrize("platform", sorted(PLATFORMS))
def test_a_request_reaches_its_node_over_one_path_and_its_answer_opens(platform: str) -> None:
    requests = make(PLATFORMS[platform])
    node = outside(requests)
    effect = send(requests, 16, node, body=b'{"method":"info"}')
    route, body, layer = peel(effect)
    assert effect[0] == SEND
    assert effect[4] == "onion_req"
    assert effect[3] == 16
    assert tuple(route[:3]) in requests.paths
    assert route[3] == node
    assert body == b'{"method":"info"}'
    request = requests.take(effect[1], effect[2], 16)
    assert request is not None
    assert open_answer(request.layer, seal_answer(layer, 200, b"hi", bytes(24))) == (200, b"hi")


def test_the_connection_is_that_of_the_platform() -> None:
    assert [send(make(rules), 1)[2] for rules in (DESKTOP, ANDROID, IOS)] == [HTTPS, HTTPS, QUIC]


def test_an_answer_counts_once_and_only_from_the_guard_and_connection_asked() -> None:
    requests = make()
    _, guard, conn, *_rest = send(requests, 5, outside(requests))
    assert requests.take(guard + 1, conn, 5) is None
    assert requests.take(guard, conn + 1, 5) is None
    assert requests.take(guard, conn, 6) is None
    assert len(requests) == 1
    assert requests.take(guard, conn, 5) is not None
    assert requests.take(guard, conn, 5) is None
    assert len(requests) == 0


def test_a_destination_on_a_path_is_reached_over_another() -> None:
    requests = make()
    for k, node in enumerate(requests.paths[0]):
        route = peel(send(requests, k, node))[0]
        assert tuple(route[:3]) == requests.paths[1]


def test_android_does_not_avoid_the_destination() -> None:
    requests = make(ANDROID)
    node = requests.paths[0][1]
    taken = {tuple(peel(send(requests, k, node))[0][:3]) for k in range(40)}
    assert taken == set(requests.paths)


def test_with_no_other_path_left_the_one_that_holds_the_destination_is_used() -> None:
    requests = make(replace(DESKTOP, paths=1))
    assert peel(send(requests, 1, requests.paths[0][2]))[0][:3] == list(requests.paths[0])


def test_random_choice_takes_both_paths_equally_often() -> None:
    requests = make()
    node = outside(requests)
    taken = Counter(send(requests, k, node)[1] for k in range(400))
    assert set(taken) == {path[0] for path in requests.paths}
    assert all(150 < times < 250 for times in taken.values())  # five standard deviations


def test_the_least_busy_path_is_taken_and_freed_by_answer_and_time_out() -> None:
    requests = make(IOS)
    node = outside(requests)
    first, second = send(requests, 1, node), send(requests, 2, node, 1)
    assert first[1] != second[1]  # the other path was idle
    assert requests.take(second[1], QUIC, 2) is not None
    third = send(requests, 3, node, 2)
    assert third[1] == second[1]
    assert [r.deadline_us for r in requests.overdue(10_000_000)] == [10_000_000]  # frees the first path
    assert send(requests, 4, node)[1] == first[1]


def test_ties_of_the_least_busy_rule_are_broken_at_random() -> None:
    guards = set()
    requests = make(IOS)
    for k in range(40):
        effect = send(requests, k, outside(requests))
        guards.add(effect[1])
        requests.take(effect[1], QUIC, k)
    assert guards == {path[0] for path in requests.paths}


def test_the_bytes_depend_on_the_exchange_alone() -> None:
    one, two = make(), make()
    node = outside(one)
    for k in range(50, 90):
        send(two, k, node)
    assert send(one, 7, node, 1) == send(two, 7, node, 99)
    assert send(one, 8, node)[5] != send(one, 9, node)[5]


def test_requests_are_given_up_at_their_deadline_in_order() -> None:
    requests = make()
    node = outside(requests)
    effects = {k: send(requests, k, node, now_us=t) for k, t in ((1, 300), (2, 100), (3, 200))}
    assert requests.next_deadline_us() == 10_000_100
    assert requests.overdue(10_000_099) == []
    assert [r.deadline_us for r in requests.overdue(10_000_200)] == [10_000_100, 10_000_200]
    assert requests.take(effects[2][1], HTTPS, 2) is None  # too late
    assert requests.next_deadline_us() == 10_000_300
    assert requests.take(effects[1][1], HTTPS, 1) is not None
    assert requests.next_deadline_us() is None
    assert requests.overdue(1 << 60) == []


def test_the_largest_exchange_number_can_be_sent() -> None:
    requests = make()
    exchange = (1 << 63) - 1
    assert send(requests, exchange, outside(requests))[3] == exchange


def test_purposes_fit_into_four_bits() -> None:
    assert len({int(p) for p in Purpose}) == len(Purpose)
    assert max(Purpose) < 16


@given(
    st.lists(st.tuples(st.sampled_from(("send", "answer", "time")), st.integers(0, 15_000_000)), max_size=60)
)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_the_next_deadline_is_always_that_of_the_oldest_request_under_way(steps) -> None:
    requests, now, asked, number = make(IOS), 0, {}, 0
    for what, value in steps:
        if what == "send":
            asked[number] = (send(requests, number, value % N_NODES, now)[1], now + 10_000_000)
            number += 1
        elif what == "answer" and asked:
            exchange = sorted(asked)[value % len(asked)]
            assert requests.take(asked.pop(exchange)[0], QUIC, exchange) is not None
        elif what == "time":
            now += value
            late = [r.deadline_us for r in requests.overdue(now)]
            assert late == sorted(d for _, d in asked.values() if d <= now)
            asked = {k: v for k, v in asked.items() if v[1] > now}
        assert len(requests) == len(asked)
        assert requests.next_deadline_us() == min((d for _, d in asked.values()), default=None)


@pytest.mark.parametrize("rules", [DESKTOP, ANDROID, IOS], ids=lambda rules: rules.style)
def test_a_request_to_a_server_leaves_at_the_third_hop_and_its_answer_is_v4(rules: ClientRules) -> None:
    requests, own = make(rules), SUITE.ephemeral(bytes(range(32)))
    server, payload = ServerAddress("files.example", own.public, "http"), b"l2:{}e"
    effect = requests.send_to_server(5, server, payload, 3, 10, nothing)
    assert (effect[0], effect[3], effect[4], effect[6]) == (SEND, 5, "onion_req", 3)
    ciphertext, ephemeral, enc_type = decode_client_request(effect[5])
    for node in next(path for path in requests.paths if path[0] == effect[1]):
        _, plaintext = open_request(SUITE, KEYS[node], ephemeral, enc_type, ciphertext)
        inner: Any = decode_inner(plaintext)
        if inner[0] == TO_NODE:
            _, ciphertext, ephemeral, enc_type, _ = inner
    assert inner[0] == TO_SERVER
    opened = open_server_request(SUITE, own, inner[1])
    assert opened.payload == payload
    request = requests.take(effect[1], effect[2], 5)
    assert request is not None
    assert (request.node, request.deadline_us) == (SERVER, 10 + rules.request_timeout_us)
    answer = encode_answer(ServerAnswer(404, {}, b"gone"))
    assert request.open(opened.layer.seal(answer, bytes(24))) == (404, b"gone")
    assert len(requests) == 0


def test_an_iphone_opens_the_gcm_answer_of_an_old_server() -> None:
    requests, own = make(IOS), SUITE.ephemeral(bytes(range(32)))
    effect = requests.send_to_server(5, ServerAddress("h", own.public), b"", 0, 0, nothing)
    request = requests.take(effect[1], effect[2], 5)
    assert request is not None
    xchacha, gcm = request.layers
    assert request.open(gcm.seal(encode_answer(ServerAnswer(200, {}, b"x")), bytes(24))) == (200, b"x")
    assert type(xchacha) is not type(gcm)
