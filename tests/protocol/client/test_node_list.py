"""The node list of a client: when it is asked for, from whom, what is believed, and seed nodes."""

from __future__ import annotations

import base64
from dataclasses import replace

import orjson
import pytest

from sessionsim.core.columns import Cause, Transport, note_of
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN, US_PER_S
from sessionsim.protocol.client.rules import ANDROID, DESKTOP, IOS, ClientRules
from sessionsim.protocol.servers.seed import SeedNode
from sessionsim.protocol.wire.active_nodes import write_active_nodes
from sessionsim.protocol.wire.rpc_oxend import service_node_states
from tests.protocol.client.table import FRIEND, Asked, Table

HTTPS, QUIC = int(Transport.HTTPS), int(Transport.QUIC)
N = 40
SWARMS = [0] * 20 + [1 << 62] * 20
VERSION = (2, 11, 3)
SEEDS = (900, 901, 902)  # endpoints of seed nodes
NOTE = note_of(Cause.NODE_LIST)


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(swarms=SWARMS)


def quiet(rules: ClientRules, **changes) -> ClientRules:
    base = dict(rotation_us=0, poll_interval_us=US_PER_DAY, file_paths=0, swarm_lookup="compute")
    return replace(rules, **(base | changes))


def oxend(nodes: NodeList, but: tuple[int, ...] = ()) -> bytes:
    fields = dict.fromkeys(("public_ip", "storage_port", "pubkey_x25519", "pubkey_ed25519"), True)
    states = service_node_states(nodes, VERSION, {"fields": fields, "active_only": True})
    gone = {nodes.ed25519[node].hex() for node in but}
    states = [state for state in states if state["pubkey_ed25519"] not in gone]
    body = {"hf": [19, 3], "result": {"service_node_states": states, "status": "OK"}, "t": 5}
    return orjson.dumps({"results": [{"code": 200, "body": body}]})


def without(nodes: NodeList, but: tuple[int, ...]) -> bytes:
    """Packed nodes without some of them."""
    raw = write_active_nodes(nodes, VERSION)
    gone = {nodes.ed25519[node] for node in but}
    records = [raw[k : k + 51] for k in range(0, len(raw), 51)]
    return b"".join(record for record in records if record[:32] not in gone)


def next_asked(table: Table) -> tuple[int, list[Asked]]:
    asked: list[Asked] = []
    while not asked:
        now, asked = table.wake()
    return now, asked


def pool_of(table: Table) -> list[int]:
    return [node for node in range(N) if node in table.client.requests.pool]


# --- desktop ------------------------------------------------------------------------------------------------


def test_desktop_refreshes_after_five_minutes_and_then_hourly(world) -> None:
    table = Table(world, quiet(DESKTOP))
    table.start()
    times = []
    for _ in range(3):
        now, asked = next_asked(table)
        times.append(now)
        for request in asked:
            table.answer(request, 200, oxend(world.nodes), now + US_PER_S)
    assert times == [
        5 * US_PER_MIN,
        5 * US_PER_MIN + US_PER_S + US_PER_H,
        5 * US_PER_MIN + 2 * US_PER_S + 2 * US_PER_H,
    ]


def test_desktop_asks_three_nodes_over_its_paths_in_a_batch(world) -> None:
    table = Table(world, quiet(DESKTOP))
    table.start()
    _, asked = next_asked(table)
    assert len({request.route[-1] for request in asked}) == len(asked) == 3
    for request in asked:
        assert request.route[:3] in table.client.requests.paths
        assert request.note == NOTE
        (call,) = request.calls
        assert (request.method, call["endpoint"]) == ("batch", "get_service_nodes")


def test_desktop_keeps_the_nodes_that_all_three_name(world) -> None:
    table = Table(world, quiet(DESKTOP))
    table.start()
    now, asked = next_asked(table)
    for request, but in zip(asked, ((1, 2), (2, 3), ()), strict=True):
        table.answer(request, 200, oxend(world.nodes, but), now)
    assert pool_of(table) == [node for node in range(N) if node not in (1, 2, 3)]


def test_desktop_with_too_few_common_nodes_asks_three_others_a_second_later(world) -> None:
    table = Table(world, quiet(DESKTOP))
    table.start()
    now, asked = next_asked(table)
    for request in asked:
        table.answer(request, 200, oxend(world.nodes, tuple(range(17))), now)  # 23 are left, 24 are needed
    assert pool_of(table) == list(range(N))
    later, again = next_asked(table)
    assert later == now + US_PER_S
    assert {request.route[-1] for request in again} != {request.route[-1] for request in asked}
    for request in again:
        table.answer(request, 200, oxend(world.nodes, tuple(range(16))), later)
    assert pool_of(table) == list(range(16, N))


def test_desktop_asks_a_seed_in_the_clear_after_four_attempts(world) -> None:
    table = Table(world, quiet(DESKTOP), seeds=SEEDS)
    table.start()
    now, asked = next_asked(table)
    for _ in range(4):
        assert [request.head for request in asked] == ["onion_req"] * 3
        for request in asked:
            table.answer(request, 200, b"nonsense", now)
        now, asked = next_asked(table)
    (request,) = asked
    assert (request.head, request.conn, request.note) == ("json_rpc", HTTPS, NOTE)
    assert request.guard in SEEDS
    assert request.body["method"] == "get_n_service_nodes"
    seed = SeedNode(world.nodes, VERSION)
    ((_, _, _, _, status, answer, _),) = seed.receive(1, HTTPS, 5, "json_rpc", request.payload, 0)
    table.client.requests.pool.drop(7)
    table.raw(request, status, answer, now)
    assert pool_of(table) == list(range(N))
    later, asked = next_asked(table)
    assert (later, len(asked)) == (now + US_PER_H, 3)


def test_another_seed_is_tried_when_one_fails_and_the_next_refresh_awaited_when_all_do(world) -> None:
    table = Table(world, quiet(DESKTOP, list_tries=1, seed_tries=3), seeds=SEEDS)
    table.start()
    now, asked = next_asked(table)
    for request in asked:
        table.answer(request, 500, b"", now)
    asked_seeds = []
    for answer in (b"{}", b"", b"junk"):
        now, (request,) = next_asked(table)
        asked_seeds.append(request.guard)
        table.raw(request, 200, answer, now)
    assert set(asked_seeds) <= set(SEEDS)
    later, asked = next_asked(table)
    assert [request.head for request in asked] == ["onion_req"] * 3
    assert later == now + US_PER_S + US_PER_H
    assert pool_of(table) == list(range(N))


def test_a_list_that_comes_after_the_next_attempt_began_is_ignored(world) -> None:
    table = Table(world, quiet(DESKTOP))
    table.start()
    now, (one, two, three) = next_asked(table)
    table.answer(one, 500, b"", now)
    table.answer(two, 200, oxend(world.nodes), now)
    table.answer(three, 200, oxend(world.nodes), now)
    now, again = next_asked(table)
    for request in again[:2]:
        table.answer(request, 200, oxend(world.nodes, (5,)), now)
    assert table.answer(one, 200, oxend(world.nodes), now) == []
    assert pool_of(table) == list(range(N))
    table.answer(again[2], 200, oxend(world.nodes, (5,)), now)
    assert 5 not in pool_of(table)


def test_with_fewer_than_sixteen_nodes_desktop_refreshes_from_a_seed(world) -> None:
    table = Table(world, quiet(DESKTOP), seeds=SEEDS)
    table.start()
    for node in range(25):
        table.client.requests.pool.drop(node)
    _, (request,) = next_asked(table)
    assert request.head == "json_rpc"


# --- phones -------------------------------------------------------------------------------------------------


def begun(world, rules: ClientRules, client: int = 4) -> tuple[Table, int, list[Asked]]:
    """A client whose list is due, and what it asks."""
    table = Table(world, rules, entropy=Seeds(client).entropy("client"), seeds=SEEDS)
    table.start()
    due = table.client.node_list._due_us
    assert due is not None
    if rules.list_trigger == "path":
        table.client.requests.on_choice(due)
        return table, due, table.take(table.client.requests.settled([]))
    asked = table.command(due, "send", 1, FRIEND.id, "hello")
    return table, due, [request for request in asked if request.note == NOTE]


def test_phones_that_ran_before_refresh_at_a_random_time_of_two_hours(world) -> None:
    for rules in (ANDROID, IOS):
        due = []
        for client in range(200):
            table = Table(world, quiet(rules), entropy=Seeds(9).entropy("client", client))
            table.start()
            due.append(table.client.node_list._due_us)
        assert 0 <= min(due) < 5 * US_PER_MIN
        assert 115 * US_PER_MIN < max(due) < 2 * US_PER_H


def test_android_refreshes_with_a_request_and_not_by_itself(world) -> None:
    table = Table(world, quiet(ANDROID))
    table.start()
    while table.wake_us is not None and table.wake_us < 3 * US_PER_H:
        assert table.wake()[1] == []
    asked = table.command(3 * US_PER_H, "send", 1, FRIEND.id, "hello")
    assert [request.method for request in asked] == ["batch", *["active_nodes_bin"] * 3]


def test_android_asks_nodes_of_different_24s_over_its_paths(make_world) -> None:
    close = make_world(swarms=SWARMS)
    nodes = close.nodes
    ips = tuple((k // 10) << 8 | k for k in range(N))
    close.nodes = NodeList(nodes.ed25519, nodes.x25519, nodes.swarm, ips, nodes.port)
    for client in range(15):
        table, _, asked = begun(close, quiet(ANDROID), client)
        assert len({close.nodes.net24(request.route[-1]) for request in asked}) == 3
        assert all(request.route[:3] in table.client.requests.paths for request in asked)


def test_android_believes_two_of_three(world) -> None:
    table, now, asked = begun(world, quiet(ANDROID))
    for request, but in zip(asked, ((1, 2), (2, 3), (4,)), strict=True):
        table.answer(request, 200, base64.b64encode(without(world.nodes, but)), now)
    assert pool_of(table) == [node for node in range(N) if node != 2]
    listing = table.client.requests.pool.listing
    assert {len(members) for members in listing.members.values()} == {19, 20}


def test_android_asks_a_seed_when_one_of_the_three_fails(world) -> None:
    table, now, asked = begun(world, quiet(ANDROID, repeats=0))
    for request, status in zip(asked, (200, 200, 500), strict=True):
        table.answer(request, status, b"", now)
    while True:
        now, asked = table.wake()
        asked = [request for request in asked if request.note == NOTE]
        if asked:
            break
    assert [request.head for request in asked] == ["json_rpc"]


def test_ios_asks_three_nodes_directly_for_packed_records(world) -> None:
    table, now, asked = begun(world, quiet(IOS))
    assert len({request.guard for request in asked}) == len(asked) == 3
    for request in asked:
        assert (request.head, request.conn, request.layer) == ("storage_rpc", QUIC, None)
        assert b"16:active_nodes_bin" in request.payload
    for request, but in zip(asked, ((1, 2), (2, 3), ()), strict=True):
        table.raw(request, 200, without(world.nodes, but), now)
    assert pool_of(table) == [node for node in range(N) if node != 2]


def test_real_nodes_answer_an_iphone_directly(make_world) -> None:
    real = make_world(swarms=SWARMS)
    table, now, asked = begun(real, quiet(IOS))
    table.client.requests.pool.drop(11)
    for request in asked:
        status, body = real.direct(request.guard, request.payload, QUIC)
        table.raw(request, status, body, now)
    assert pool_of(table) == list(range(N))
    assert set(table.client.requests.pool.listing.swarm_ids) == {0, 1 << 62}


def test_an_iphone_asks_a_seed_over_quic_when_it_knows_fewer_than_three_nodes(world) -> None:
    table = Table(world, quiet(IOS), seeds=SEEDS)
    table.start()
    for node in range(N - 2):
        table.client.requests.pool.drop(node)
    table.client.requests.on_choice(2 * US_PER_H)
    (request,) = table.take(table.client.requests.settled([]))
    assert request.guard in SEEDS
    seed = SeedNode(world.nodes, VERSION)
    ((_, _, _, _, status, answer, _),) = seed.receive(1, QUIC, 5, request.head, request.payload, 0)
    table.raw(request, status, answer, 2 * US_PER_H)
    assert len(table.client.requests.pool.listing) == N
    assert table.client.requests.pool.listing.members


@pytest.mark.parametrize(("rules", "asked_s"), [(IOS, 2), (DESKTOP, 1), (ANDROID, 1)])
def test_an_iphone_lets_a_list_grow_two_seconds_old_before_it_asks_for_another(world, rules, asked_s) -> None:
    table = Table(world, quiet(rules), seeds=SEEDS)
    table.start()
    table.client.node_list.needed(0)
    (request,) = table.take(table.client.requests.settled([]))
    seed = SeedNode(world.nodes, VERSION)
    ((_, _, _, _, status, answer, _),) = seed.receive(1, request.conn, 5, request.head, request.payload, 0)
    table.raw(request, status, answer, 0)
    for node in range(N):
        table.client.requests.pool.drop(node)
    table.wake_us = None
    table.client.node_list.needed(US_PER_S)
    asked = table.take(table.client._armed([], US_PER_S))
    if asked_s > 1:
        assert asked == []
        assert table.wake_us == 2 * US_PER_S
        now, asked = table.wake()
        assert now == 2 * US_PER_S
    assert [request.guard in SEEDS for request in asked] == [True]


@pytest.mark.parametrize(("unused", "asks"), [(12, 0), (11, 3)])
@pytest.mark.parametrize("files", [0, 2])
def test_an_iphone_refreshes_when_too_few_nodes_stand_on_no_path(world, unused, asks, files) -> None:
    table = Table(world, quiet(IOS, file_paths=files), seeds=SEEDS)
    table.start()
    requests = table.client.requests
    free = [node for node in range(N) if all(node not in path for path in requests.paths)]
    for node in free[unused:]:
        requests.pool.drop(node)
    requests.on_choice(US_PER_S)
    asked = table.take(requests.settled([]))
    assert len(asked) == asks
    assert all(request.guard not in SEEDS for request in asked)
    for request in asked:
        table.raw(request, 200, without(world.nodes, tuple(free[unused:])), US_PER_S)
    # The new list lacks as many, and is left alone until it is old enough.
    for now_s, again in ((2, 0), (3, asks)):
        requests.on_choice(now_s * US_PER_S)
        assert len(table.take(requests.settled([]))) == again


def test_a_list_is_not_refreshed_before_its_least_age_however_short_the_interval(world) -> None:
    table = Table(world, quiet(IOS, list_interval_us=US_PER_S, list_least_age_us=5 * US_PER_S), seeds=SEEDS)
    table.start()
    table.client.node_list.needed(0)
    (request,) = table.take(table.client.requests.settled([]))
    seed = SeedNode(world.nodes, VERSION)
    ((_, _, _, _, status, answer, _),) = seed.receive(1, request.conn, 5, request.head, request.payload, 0)
    table.raw(request, status, answer, 0)
    for now_s, asks in ((4, 0), (5, 3)):
        table.client.requests.on_choice(now_s * US_PER_S)
        assert len(table.take(table.client.requests.settled([]))) == asks


# --- the first start ----------------------------------------------------------------------------------------


def test_a_new_desktop_asks_a_seed_then_its_candidates_and_then_works(world) -> None:
    table = Table(world, quiet(DESKTOP, first_start=True, swarm_lookup="ask"), seeds=SEEDS)
    (seed,) = table.take(table.client.start(0))
    assert seed.head == "json_rpc"
    assert table.client.requests.paths == ()
    assert table.command(1, "send", 1, FRIEND.id, "hello") == []
    answer = SeedNode(world.nodes, VERSION).receive(1, HTTPS, 5, "json_rpc", seed.payload, 0)[0][5]
    tests = table.raw(seed, 200, answer, 10)
    assert [test.head for test in tests] == ["storage_rpc"] * 2
    asked = [later for test in tests for later in table.natural(test, 20)]
    assert [request.method for request in asked] == ["get_swarm"]  # for the text that waited
    assert asked[0].route[:3] in table.client.requests.paths


def test_a_new_desktop_without_seeds_waits_and_asks_again(world) -> None:
    table = Table(world, quiet(DESKTOP, first_start=True, seed_tries=2), seeds=SEEDS)
    (seed,) = table.take(table.client.start(0))
    table.take(table.client.failed(seed.guard, seed.conn, seed.exchange, "refused", 5))
    now, (second,) = next_asked(table)
    assert now == 5 + US_PER_S
    table.take(table.client.failed(second.guard, second.conn, second.exchange, "refused", now))
    assert table.client.requests.paths == ()
    later, (third,) = next_asked(table)
    assert later == now + US_PER_S + US_PER_MIN
    assert third.head == "json_rpc"


@pytest.mark.parametrize("rules", [ANDROID, IOS], ids=["android", "ios"])
def test_a_new_phone_starts_with_the_list_it_ships_with(world, rules) -> None:
    table = Table(world, quiet(rules, first_start=True), seeds=SEEDS)
    asked = table.take(table.client.start(0))
    assert all(request.method == "connect" for request in asked)
    assert len(table.client.requests.pool) == N


def test_a_phone_that_has_given_up_all_nodes_takes_the_list_it_ships_with_when_no_seed_answers(world) -> None:
    table = Table(world, quiet(ANDROID, seed_tries=1, repeats=0), seeds=SEEDS)
    table.start()
    for node in range(N - 5):
        table.client.requests.pool.drop(node)
    for path in list(table.client.requests.keeper.ready):
        table.client.requests.keeper.discard(path)
    (seed,) = table.command(1, "send", 1, FRIEND.id, "hello")
    assert seed.head == "json_rpc"
    table.take(table.client.failed(seed.guard, seed.conn, seed.exchange, "refused", 5))
    _, asked = next_asked(table)
    assert len(table.client.requests.pool) == N
    assert any(request.head == "onion_req" for request in asked)


# --- what depends on the list -------------------------------------------------------------------------------


def test_a_swarm_that_was_asked_for_is_asked_for_again_when_fewer_than_three_of_it_are_left(world) -> None:
    table = Table(world, replace(quiet(DESKTOP), swarm_lookup="ask"))
    table.start()
    swarm = [30, 31, 32, 33]
    table.client.swarms.correct(
        FRIEND.id, {"snodes": [{"pubkey_ed25519": world.nodes.ed25519[n].hex()} for n in swarm]}
    )
    pool = table.client.requests.pool
    pool.drop(30)
    (store,) = table.command(1, "send", 1, FRIEND.id, "hello")
    assert store.route[-1] in (31, 32, 33)
    pool.drop(31)
    (lookup,) = table.command(2, "send", 2, OTHER, "hello")  # of another account, as every first time
    assert lookup.method == "get_swarm"
    table.client.swarms.find(FRIEND.id, 3, lambda nodes, t_us: [])
    assert FRIEND.id not in table.client.swarms._known


OTHER = b"\x05" + bytes(31) + b"\x09"


def test_an_iphone_computes_swarms_anew_with_a_new_list(world) -> None:
    table, now, asked = begun(world, quiet(IOS))
    found: list[tuple[int, ...]] = []

    def take(nodes: tuple[int, ...], t_us: int) -> list:
        found.append(nodes)
        return []

    table.client.swarms.find(FRIEND.id, now, take)
    moved = NodeList(
        world.nodes.ed25519, world.nodes.x25519, tuple(SWARMS[::-1]), world.nodes.ip, world.nodes.port
    )
    for request in asked:
        table.raw(request, 200, write_active_nodes(moved, VERSION), now)
    table.client.swarms.find(FRIEND.id, now, take)
    assert set(found[0]).isdisjoint(found[1])
