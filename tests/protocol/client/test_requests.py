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
from sessionsim.protocol.client.exchanges import HELD, REPEAT_SHIFT
from sessionsim.protocol.client.path_keeper import OnionPath
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
from sessionsim.protocol.wire.rpc_answers import quic_error
from sessionsim.protocol.wire.v4 import encode_answer

N_NODES = 40
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


class NoBuilder:
    """In the place of the builder: nothing is built; it is noted when that was wished for."""

    def __init__(self) -> None:
        self.called_us: list[int] = []

    def build(self, now_us: int) -> None:
        self.called_us.append(now_us)


def make(rules: ClientRules = DESKTOP, client: int = 0) -> Requests:
    requests = Requests(NODES, HOPS, rules, SUITE, Seeds(3).entropy("client", client))
    requests.keeper.builder = NoBuilder()  # type: ignore[assignment]
    return requests


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
    request = requests._pending.take(effect[1], effect[2], 16)
    assert request is not None
    assert open_answer(request.layer, seal_answer(layer, 200, b"hi", bytes(24))) == (200, b"hi")


@pytest.mark.parametrize("hops", [1, 2, 5, 15])
@pytest.mark.parametrize("platform", sorted(PLATFORMS))
def test_a_request_takes_as_many_relays_as_the_rules_say(platform: str, hops: int) -> None:
    requests = make(
        replace(PLATFORMS[platform], path_hops=hops, paths=1, file_paths=0, exclude_destination=True)
    )
    requests.unsealed = True  # only the usual paths have requests without bytes
    node = outside(requests)
    effect = send(requests, 16, node, body=b'{"method":"info"}')
    route, body, _ = peel(effect)
    assert (tuple(route[:-1]), route[-1]) == (requests.paths[0], node)
    assert len(route) == hops + 1
    assert body == b'{"method":"info"}'
    assert not requests.is_quiet()
    server = SUITE.ephemeral(bytes(32))
    address = ServerAddress("files.example", server.public, "http", 80)
    asked = requests.send_to_server(32, address, b"question", 0, 0, nothing)
    blob, ephemeral, enc_type = decode_client_request(asked[5])
    for relay in requests.paths[0]:
        _, plaintext = open_request(SUITE, KEYS[relay], ephemeral, enc_type, blob)
        inner = decode_inner(plaintext)
        if relay != requests.paths[0][-1]:
            assert inner[0] == TO_NODE
            _, blob, ephemeral, enc_type, _ = inner  # type: ignore[assignment]
    assert open_server_request(SUITE, server, plaintext)[2] == b"question"


def test_the_connection_is_that_of_the_platform() -> None:
    assert [send(make(rules), 1)[2] for rules in (DESKTOP, ANDROID, IOS)] == [HTTPS, HTTPS, QUIC]


def test_an_answer_counts_once_and_only_from_the_guard_and_connection_asked() -> None:
    requests = make()
    _, guard, conn, *_rest = send(requests, 5, outside(requests))
    assert requests._pending.take(guard + 1, conn, 5) is None
    assert requests._pending.take(guard, conn + 1, 5) is None
    assert requests._pending.take(guard, conn, 6) is None
    assert len(requests) == 1
    assert requests._pending.take(guard, conn, 5) is not None
    assert requests._pending.take(guard, conn, 5) is None
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
    assert set(taken) == {path.nodes[0] for path in requests.keeper.ready}
    assert all(150 < times < 250 for times in taken.values())  # five standard deviations


def test_the_least_busy_path_is_taken_and_freed_by_answer_and_time_out() -> None:
    requests = make(IOS)
    node = outside(requests)
    first, second = send(requests, 1, node), send(requests, 2, node, 1)
    assert first[1] != second[1]  # the other path was idle
    assert requests._pending.take(second[1], QUIC, 2) is not None
    third = send(requests, 3, node, 2)
    assert third[1] == second[1]
    assert [r.deadline_us for _, r in requests.overdue(10_000_000)] == [10_000_000]  # frees the first path
    assert send(requests, 4, node)[1] == first[1]


def test_ties_of_the_least_busy_rule_are_broken_at_random() -> None:
    guards = set()
    requests = make(IOS)
    for k in range(40):
        effect = send(requests, k, outside(requests))
        guards.add(effect[1])
        requests._pending.take(effect[1], QUIC, k)
    assert guards == {path.nodes[0] for path in requests.keeper.ready}


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
    assert requests.next_due_us() == 10_000_100
    assert requests.overdue(10_000_099) == []
    assert [r.deadline_us for _, r in requests.overdue(10_000_200)] == [10_000_100, 10_000_200]
    assert requests._pending.take(effects[2][1], HTTPS, 2) is None  # too late
    assert requests.next_due_us() == 10_000_300
    assert requests._pending.take(effects[1][1], HTTPS, 1) is not None
    assert requests.next_due_us() is None
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
            assert requests._pending.take(asked.pop(exchange)[0], QUIC, exchange) is not None
        elif what == "time":
            now += value
            late = [r.deadline_us for _, r in requests.overdue(now)]
            assert late == sorted(d for _, d in asked.values() if d <= now)
            asked = {k: v for k, v in asked.items() if v[1] > now}
        assert len(requests) == len(asked)
        assert requests.next_due_us() == min((d for _, d in asked.values()), default=None)


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
    request = requests._pending.take(effect[1], effect[2], 5)
    assert request is not None
    assert (request.node, request.deadline_us) == (SERVER, 10 + rules.request_timeout_us)
    answer = encode_answer(ServerAnswer(404, {}, b"gone"))
    assert request.open(opened.layer.seal(answer, bytes(24))) == (404, b"gone")
    assert len(requests) == 0


def test_an_iphone_opens_the_gcm_answer_of_an_old_server() -> None:
    requests, own = make(IOS), SUITE.ephemeral(bytes(range(32)))
    effect = requests.send_to_server(5, ServerAddress("h", own.public), b"", 0, 0, nothing)
    request = requests._pending.take(effect[1], effect[2], 5)
    assert request is not None
    xchacha, gcm = request.layers
    assert request.open(gcm.seal(encode_answer(ServerAnswer(200, {}, b"x")), bytes(24))) == (200, b"x")
    assert type(xchacha) is not type(gcm)


# --- refusals in clear --------------------------------------------------------------------------------------


class Told:
    """Whoever waits for an answer."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes, int]] = []

    def __call__(self, status: int, body: bytes, now_us: int) -> list[Effect]:
        self.answers.append((status, body, now_us))
        return []


def ask(
    requests: Requests, exchange: int = 1, node: int | None = None, now_us: int = 0
) -> tuple[Effect, Told]:
    told = Told()
    effect = requests.send(exchange, outside(requests) if node is None else node, b"{}", 0, now_us, told)
    return effect, told


def path_of(requests: Requests, effect: Effect) -> OnionPath:
    return next(path for path in requests.keeper.all if path.nodes[0] == effect[1])


def test_a_node_that_is_not_found_leaves_the_path_and_the_caller_hears_of_the_status() -> None:
    requests = make()
    effect, told = ask(requests)
    path = path_of(requests, effect)
    lost = path.nodes[1]
    text = b"Next node not found: " + NAMES[lost].hex().encode()
    assert requests.receive(effect[1], effect[2], 1, 502, text, 9) == []
    assert told.answers == [(502, b"", 9)]
    assert lost not in path.nodes
    assert lost not in requests.pool


def test_a_destination_that_is_not_found_costs_the_path_nothing() -> None:
    requests = make()
    node = outside(requests)
    effect, told = ask(requests, node=node)
    text = b"Next node not found: " + NAMES[node].hex().encode()
    requests.receive(effect[1], effect[2], 1, 502, text, 9)
    assert node not in requests.pool
    assert path_of(requests, effect).strikes == 0
    assert told.answers == [(502, b"", 9)]


def test_over_quic_a_refusal_is_read_out_of_its_stream_error() -> None:
    requests = make(IOS)
    effect, told = ask(requests)
    path = path_of(requests, effect)
    lost = path.nodes[2]
    text = b"Next node is currently unreachable: " + NAMES[lost].hex().encode()
    requests.receive(effect[1], effect[2], 1, 502, quic_error(502, text), 9)
    assert lost not in path.nodes
    assert (path.strikes, told.answers) == (1, [(502, b"", 9)])


@pytest.mark.parametrize("status", [406, 421, 425])
def test_a_clock_or_a_swarm_that_is_wrong_costs_nobody_anything(status: int) -> None:
    for rules in PLATFORMS.values():
        requests = make(rules)
        effect, told = ask(requests)
        requests.receive(effect[1], effect[2], 1, status, b"", 9)
        assert (requests.pool.version, path_of(requests, effect).strikes) == (0, 0)
        assert told.answers == [(status, b"", 9)]


def test_errors_of_the_destination_count_against_it_alone() -> None:
    requests = make()
    node = outside(requests)
    for exchange in range(3):
        effect, told = ask(requests, exchange, node)
        _, _, layer = peel(effect)
        requests.receive(effect[1], effect[2], exchange, 200, seal_answer(layer, 500, b"sorry", bytes(24)), 9)
        assert told.answers == [(500, b"sorry", 9)]
    assert node not in requests.pool
    assert all(path.strikes == 0 for path in requests.keeper.all)


def test_a_server_that_answers_with_an_error_is_no_service_node() -> None:
    requests = make()
    told = Told()
    own = SUITE.ephemeral(bytes(range(32)))
    effect = requests.send_to_server(5, ServerAddress("h", own.public), b"", 0, 0, told)
    requests.receive(effect[1], effect[2], 5, 502, b"Could not resolve host: h", 3)
    assert (told.answers, requests.pool.version) == ([(502, b"", 3)], 0)


def test_files_go_over_paths_of_their_own_on_an_iphone() -> None:
    requests, own = make(IOS), SUITE.ephemeral(bytes(range(32)))
    guards = {
        requests.send_to_server(k, ServerAddress("h", own.public), b"", 0, 0, nothing, 0, files=True)[1]
        for k in range(10)
    }
    assert guards == {path.nodes[0] for path in requests.keeper.for_files}


@given(st.sampled_from(sorted(PLATFORMS)), st.integers(100, 700), st.binary(max_size=120), st.booleans())
@settings(deadline=None, max_examples=150, derandomize=True)
def test_no_refusal_raises(platform: str, status: int, payload: bytes, known: bool) -> None:
    requests = make(PLATFORMS[platform])
    if known:
        payload = b"Next node not found: " + NAMES[payload[0] % N_NODES if payload else 0].hex().encode()
    for exchange in range(5):
        effect, _told = ask(requests, exchange)
        if effect is HELD:
            break
        requests.receive(effect[1], effect[2], exchange, status, payload, 9)
    requests.wake(1 << 50)


# --- repetitions by the client itself -----------------------------------------------------------------------


def test_android_repeats_a_failed_request_four_times_with_growing_pauses() -> None:
    requests = make(replace(ANDROID, path_strikes=100, node_strikes=100))
    effect, told = ask(requests, 0x51)
    now, begun = 0, []
    for repeat in range(1, 5):
        assert requests.receive(effect[1], effect[2], effect[3], 504, b"Request time out", now) == []
        due = requests.next_due_us()
        assert due == now + repeat * 2_000_000
        (effect,) = requests.wake(due)
        begun.append(due)
        assert effect[3] == 0x51 | repeat << REPEAT_SHIFT
        now = due + 10
    assert told.answers == []
    requests.receive(effect[1], effect[2], effect[3], 504, b"Request time out", now)
    assert told.answers == [(504, b"", now)]
    assert begun == [2_000_000, 6_000_010, 12_000_020, 20_000_030]
    assert len(requests) == 0


def test_a_repetition_that_is_answered_tells_the_caller_and_nothing_else_happens() -> None:
    requests = make(ANDROID)
    effect, told = ask(requests)
    requests.unreachable(effect[1], effect[2], effect[3], 5)
    (effect,) = requests.wake(2_000_005)
    _, _, layer = peel(effect)
    requests.receive(
        effect[1], effect[2], effect[3], 200, seal_answer(layer, 200, b"ok", bytes(24)), 2_000_100
    )
    assert told.answers == [(200, b"ok", 2_000_100)]
    assert requests.wake(1 << 40) == []


def test_android_does_not_repeat_what_another_path_would_not_mend() -> None:
    for status, text in ((400, b"Invalid ciphertext"), (406, b""), (421, b"{}"), (404, b"what")):
        requests = make(ANDROID)
        effect, told = ask(requests)
        requests.receive(effect[1], effect[2], 1, status, text, 9)
        assert told.answers == [(status, b"", 9)]


def test_desktop_and_ios_repeat_nothing_by_themselves() -> None:
    for rules in (DESKTOP, IOS):
        requests = make(rules)
        effect, told = ask(requests)
        requests.receive(effect[1], effect[2], 1, 504, b"Request time out", 9)
        assert told.answers == [(504, b"", 9)]


def test_requests_to_servers_are_repeated_too() -> None:
    requests, told = make(ANDROID), Told()
    own = SUITE.ephemeral(bytes(range(32)))
    effect = requests.send_to_server(5, ServerAddress("h", own.public), b"l2:{}e", 3, 0, told)
    requests.receive(effect[1], effect[2], 5, 504, b"Request time out", 0)
    (again,) = requests.wake(2_000_000)
    assert (again[3], again[6]) == (5 | 1 << REPEAT_SHIFT, 3)
    assert told.answers == []


# --- without paths, offline ---------------------------------------------------------------------------------


def without_paths(rules: ClientRules = DESKTOP) -> tuple[Requests, list[OnionPath]]:
    requests = make(rules)
    paths = list(requests.keeper.all)
    for path in paths:
        requests.keeper.discard(path)
    return requests, paths


def test_a_request_without_a_path_waits_and_has_paths_built() -> None:
    requests, paths = without_paths()
    effect, told = ask(requests, 7, 0, 50)
    assert effect is HELD
    assert requests.stirred
    assert requests.settled([effect]) == []
    assert requests.keeper.builder.called_us == [50]  # type: ignore[union-attr]
    assert len(requests) == 1
    requests.keeper.adopt(paths[0])
    requests.let_go(60)
    (sent,) = requests.settled([])
    assert (sent[0], sent[3]) == (SEND, 7)
    assert requests.next_due_us() == 50 + 10_000_000  # an alarm for nothing, and then the new deadline
    assert requests.wake(50 + 10_000_000) == []
    assert requests.next_due_us() == 60 + 10_000_000
    assert told.answers == []


def test_a_request_that_waits_in_vain_ends_at_its_deadline() -> None:
    requests, _ = without_paths()
    _, told = ask(requests, 7, 0, 50)
    requests.wake(50 + 10_000_000)
    assert told.answers == [(0, b"", 50 + 10_000_000)]
    assert len(requests) == 0


def test_what_waits_fails_when_no_path_can_be_built() -> None:
    requests, _ = without_paths()
    _, told = ask(requests, 7, 0, 50)
    requests.fail_held(70)
    assert told.answers == [(0, b"", 70)]
    assert requests.wake(1 << 50) == []


def test_going_offline_ends_all_requests_without_blame_and_later_ones_wait() -> None:
    requests = make(ANDROID)
    one, told_one = ask(requests, 1)
    two, told_two = ask(requests, 2)
    requests.receive(two[1], two[2], 2, 504, b"Request time out", 3)
    strikes = [path.strikes for path in requests.keeper.all]
    assert requests.cut(5) == []
    assert told_one.answers == [(0, b"", 5)]
    assert told_two.answers == [(0, b"", 5)]  # it waited to be repeated
    assert [path.strikes for path in requests.keeper.all] == strikes
    assert requests.receive(one[1], one[2], 1, 200, b"", 6) is None
    effect, told = ask(requests, 3, now_us=7)
    assert effect is HELD
    assert requests.keeper.builder.called_us == []  # type: ignore[union-attr]
    requests.shut = False
    requests.let_go(8)
    assert [sent[3] for sent in requests.settled([])] == [3]
    assert told.answers == []


def test_a_path_under_test_is_taken_whatever_the_others_are() -> None:
    requests = make()
    path = OnionPath((30, 31, 32), False, 0, 0)
    told = Told()
    effect = requests.send(9, 33, b"{}", 0, 0, told, path, 5_000_000)
    assert peel(effect)[0] == [30, 31, 32, 33]
    assert requests.next_due_us() == 5_000_000
    requests.wake(5_000_000)
    assert told.answers == [(0, b"", 5_000_000)]
    assert requests.pool.version == 0
