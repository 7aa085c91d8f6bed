"""Paths that come back: guards found and tested, requests that wait, what a first start does."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from sessionsim.core.columns import Cause, Transport, note_of
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_MS, US_PER_S
from sessionsim.protocol.client.reactions import Cost
from sessionsim.protocol.client.rules import ANDROID, DESKTOP, IOS, ClientRules, settled
from sessionsim.protocol.machine import CONNECTED
from tests.protocol.client.table import EVERY, FRIEND, OWN, Asked, Table, honest

HTTPS, QUIC = int(Transport.HTTPS), int(Transport.QUIC)
# Twelve nodes are too few for iOS, which wants twelve on its paths and one more for a test.
PHONE = replace(settled(IOS), file_paths=0)


@pytest.fixture(scope="module")
def world(make_world):
    return make_world()


@pytest.fixture(scope="module")
def large(make_world):
    return make_world(swarms=[0] * 20 + [1 << 62] * 20)


def first(rules: ClientRules) -> ClientRules:
    return replace(settled(rules), first_start=True, ships_list=True, pool_minimum=8)


def begin(world, rules: ClientRules, **options) -> tuple[Table, list[Asked]]:
    table = Table(world, rules, **options)
    return table, table.take(table.client.start(0))


# --- desktop ------------------------------------------------------------------------------------------------


def test_desktop_tells_candidates_its_account_in_the_clear(world) -> None:
    table, tests = begin(world, first(DESKTOP))
    assert len(tests) == 2
    for test in tests:
        assert (test.head, test.conn, test.layer) == ("storage_rpc", HTTPS, None)
        assert test.body["method"] == "get_swarm"
        assert test.body["params"]["pubkey"] == OWN.id_hex
        assert OWN.id_hex.encode() in test.payload
        assert test.note == note_of(Cause.PATH)
    assert len({test.guard for test in tests}) == 2
    assert table.client.requests.paths == ()


def test_desktop_builds_its_paths_around_the_candidates_that_answer(world) -> None:
    table, tests = begin(world, first(DESKTOP))
    table.natural(tests[0], 1000)
    assert table.client.requests.paths == ()
    table.natural(tests[1], 2000)
    paths = table.client.requests.paths
    assert [path[0] for path in paths] == [test.guard for test in tests]
    assert len({node for path in paths for node in path}) == 6
    assert table.client.requests.keeper.guards_ever == {test.guard: 2000 for test in tests}


def test_desktop_keeps_a_good_candidate_and_asks_two_more(world) -> None:
    table, (good, bad) = begin(world, first(DESKTOP))
    table.raw(bad, 503, b"Service node is not ready: not in any swarm\n", 10)
    more = table.natural(good, 20)
    assert len(more) == 2
    assert not {test.guard for test in more} & {good.guard, bad.guard}
    for test in more:
        table.natural(test, 30)
    # The first good one, and the first of the two that came later.
    assert [path[0] for path in table.client.requests.paths] == [good.guard, more[0].guard]


def test_a_candidate_that_is_silent_or_unreachable_is_passed_over(world) -> None:
    table, (one, two) = begin(world, first(DESKTOP))
    assert table.take(table.client.failed(one.guard, one.conn, one.exchange, "unreachable", 10)) == []
    assert table.wake_us is not None
    while table.wake_us < DESKTOP.guard_test_timeout_us:  # polls wait for paths
        table.wake()
    now, more = table.wake()
    assert now == DESKTOP.guard_test_timeout_us
    assert len([test for test in more if test.head == "storage_rpc"]) == 2
    assert table.client.receive(two.guard, two.conn, two.exchange, 200, b"{}", now + 1) == ()  # too late


def test_desktop_gives_up_after_its_rounds_and_tries_again_after_a_pause(large) -> None:
    rules = replace(first(DESKTOP), guard_test_rounds=3, build_retries=1, poll_interval_us=US_PER_DAY)
    table, tests = begin(large, rules)
    rounds = 0
    now = 0
    while tests:
        rounds += 1
        now += 5
        for test in tests:
            tests = table.raw(test, 500, b"", now)
    assert rounds == 3
    assert table.wake_us == now + DESKTOP.build_pause_us
    now, tests = table.wake()
    while tests:
        rounds += 1
        for test in tests:
            tests = table.raw(test, 500, b"", now)
    assert rounds == 6
    assert table.client.builder.next_due_us() is None  # no retries left: until somebody needs a path


def test_no_candidate_is_asked_twice_in_one_attempt_and_another_attempt_asks_others(large) -> None:
    rules = replace(first(DESKTOP), guard_test_rounds=5, build_retries=1, poll_interval_us=US_PER_DAY)
    attempts = []
    table, tests = begin(large, rules)
    for _ in range(2):
        asked = []
        while tests:
            asked += [test.guard for test in tests]
            for test in tests:
                tests = table.raw(test, 500, b"", 7)
        attempts.append(asked)
        if len(attempts) < 2:
            _, tests = table.wake()
    assert [len(set(asked)) for asked in attempts] == [10, 10]
    assert attempts[0] != attempts[1]


def test_candidates_of_one_24_are_not_taken_together(make_world) -> None:
    world = make_world(swarms=[0] * 12)
    ips = tuple(7 << 8 | k if k < 11 else 9 << 8 for k in range(12))  # one node stands apart
    nodes = world.nodes
    world.nodes = NodeList(nodes.ed25519, nodes.x25519, nodes.swarm, ips, nodes.port)
    for client in range(20):
        _, tests = begin(world, first(DESKTOP), entropy=Seeds(8).entropy("client", client))
        assert 11 in {test.guard for test in tests}


def test_a_text_waits_for_the_paths_and_then_goes_out(world) -> None:
    table, tests = begin(world, replace(first(DESKTOP), swarm_lookup="compute"))
    assert table.command(5, "send", 1, FRIEND.id, "hello") == []
    assert [log[0] for log in table.logs] == ["hash", "attempts"]
    table.natural(tests[0], 10)
    (store,) = table.natural(tests[1], 20)
    assert store.method == "sequence"
    assert store.route[:3] in table.client.requests.paths


def test_what_waits_too_long_fails_and_is_tried_again(world) -> None:
    rules = replace(first(DESKTOP), swarm_lookup="compute", guard_test_timeout_us=60 * US_PER_S)
    table, _tests = begin(world, rules)
    table.command(5, "send", 1, FRIEND.id, "hello")
    now = 0
    while now < 5 + rules.request_timeout_us + rules.send_backoff_us:
        now, asked = table.wake()
        assert asked == []
    assert [log for log in table.logs if log[0] == "attempts"] == [("attempts", 1, 1), ("attempts", 1, 2)]


def test_desktop_replaces_both_guards_when_one_is_lost(world) -> None:
    table = Table(world, replace(settled(DESKTOP), pool_minimum=3))
    requests = table.client.requests
    table.start()
    lost, kept = requests.keeper.ready
    for now in range(3):
        requests.keeper.pay(lost, Cost(path="strike"), None, now)
    tests = table.take(requests.settled([]))
    assert requests.paths == (kept.nodes,)  # it serves until new guards are found
    assert len(tests) == 2
    for test in tests:
        table.natural(test, 50)
    assert [path[0] for path in requests.paths] == [test.guard for test in tests]
    assert kept not in requests.keeper.ready


# --- Android ------------------------------------------------------------------------------------------------


def test_android_starts_without_a_test(world) -> None:
    table, asked = begin(world, first(ANDROID))
    assert asked == []
    assert len(table.client.requests.paths) == 2


def test_android_replaces_a_dropped_path_at_once_and_keeps_the_other(world) -> None:
    table = Table(world, replace(settled(ANDROID), pool_minimum=3))
    keeper = table.client.requests.keeper
    table.start()
    lost, kept = keeper.ready
    keeper.discard(lost)
    table.client.builder.build(5)
    assert keeper.ready[0] is kept
    assert len(keeper.ready) == 2
    new = keeper.ready[1]
    assert not set(new.nodes) & set(kept.nodes)


def test_android_finds_no_path_in_a_network_without_room(make_world) -> None:
    world = make_world(swarms=[0] * 5)
    rules = replace(first(ANDROID), paths=2, pool_minimum=1, swarm_lookup="compute", repeats=0)
    table, asked = begin(world, rules)
    assert asked == []
    assert len(table.client.requests.paths) == 1  # five nodes hold one path
    for path in list(table.client.requests.keeper.ready):
        table.client.requests.keeper.discard(path)
    for node in (0, 1, 2):
        table.client.requests.pool.drop(node)
    assert table.command(5, "send", 1, FRIEND.id, "hello") == []
    assert table.client.requests.paths == ()


# --- iOS ----------------------------------------------------------------------------------------------------


def test_ios_opens_connections_to_its_guards_and_uses_the_paths_when_they_are_open(large) -> None:
    table, opened = begin(large, first(IOS))
    assert len(opened) == 4
    assert [(test.payload, test.conn) for test in opened] == [(b"", QUIC)] * 4
    assert len({test.guard for test in opened}) == 4
    requests = table.client.requests
    for k, test in enumerate(opened):
        table.natural(test, 100 + k)
        assert len(requests.paths) == k + 1
    assert [path.files for path in requests.keeper.all] == [False, False, True, True]
    nodes = [node for path in requests.paths for node in path]
    assert len({large.nodes.net24(node) for node in nodes}) == 12


def test_ios_tries_another_guard_after_growing_pauses(large) -> None:
    table, opened = begin(large, replace(first(IOS), file_paths=0, poll_interval_us=US_PER_DAY))
    table.natural(opened[0], 0)
    test, now = opened[1], 1000
    pauses, guards = [], [test.guard]
    for _ in range(10):
        table.take(table.client.failed(test.guard, test.conn, test.exchange, "refused", now))
        failed_us, asked = now, []
        while not asked:
            now, asked = table.wake()
        (test,) = asked
        pauses.append(now - failed_us)
        guards.append(test.guard)
    assert pauses == [ms * US_PER_MS for ms in (400, 800, 1600, 3200, 5000, 5000, 5000, 5000, 5000, 5000)]
    assert all(a != b for a, b in pairwise(guards))
    table.take(table.client.failed(test.guard, test.conn, test.exchange, "refused", now))
    assert table.client.builder.next_due_us() is None  # given up after ten repetitions


def test_a_handshake_that_takes_longer_than_three_seconds_has_failed(large) -> None:
    table, opened = begin(large, replace(first(IOS), file_paths=0, poll_interval_us=US_PER_DAY))
    now, _ = table.wake()
    assert now == 3 * US_PER_S
    assert table.raw(opened[0], CONNECTED, b"", now + 1) == []
    assert table.client.requests.paths == ()


def test_a_guard_that_fails_its_handshake_three_times_is_given_up(large) -> None:
    table, opened = begin(large, replace(first(IOS), file_paths=0))
    guard = opened[0].guard
    for now in (0, 1):
        table.client.requests.keeper.strike(guard, now)
    table.take(table.client.failed(guard, opened[0].conn, opened[0].exchange, "refused", 2))
    assert guard not in table.client.requests.pool


def test_a_poll_waits_for_the_first_open_path(large) -> None:
    table, opened = begin(large, first(IOS))
    now, asked = table.wake()
    assert asked == []
    (poll,) = table.natural(opened[1], now + 5)
    assert poll.method == "batch"
    assert poll.guard == opened[1].guard


def test_a_poll_waits_for_as_many_paths_as_it_is_told_to(large) -> None:
    table, opened = begin(large, replace(first(IOS), paths_least=2))
    now, asked = table.wake()
    assert asked == []
    assert table.natural(opened[0], now + 5) == []
    assert table.natural(opened[2], now + 6) == []  # those of files do not count
    (poll,) = table.natural(opened[1], now + 7)
    assert poll.method == "batch"


def test_an_extension_waits_for_its_one_path_only(large) -> None:
    table = Table(large, replace(settled(IOS), file_paths=0, paths_least=2))
    builder, keeper = table.client.builder, table.client.requests.keeper
    builder.rebuild(0, single=True)
    (opened,) = table.take(table.client.requests.settled([]))
    assert not keeper.enough
    table.raw(opened, CONNECTED, b"", 5)
    assert (len(keeper.ready), keeper.enough) == (1, True)
    builder.rebuild(10)
    for one in table.take(table.client.requests.settled([])):
        assert not keeper.enough
        table.raw(one, CONNECTED, b"", 15)
    assert (len(keeper.ready), keeper.enough) == (2, True)


def test_what_waits_for_two_paths_fails_when_only_one_can_be_built(large) -> None:
    rules = replace(
        first(IOS), file_paths=0, paths_least=2, build_retries=0, swarm_lookup="compute",
        poll_interval_us=US_PER_DAY, request_timeout_us=US_PER_DAY,
    )  # fmt: skip
    table, opened = begin(large, rules)
    table.command(1, "send", 1, FRIEND.id, "hello")
    assert table.natural(opened[0], 2) == []
    table.take(table.client.failed(opened[1].guard, opened[1].conn, opened[1].exchange, "refused", 3))
    assert len(table.client.requests.paths) == 1
    assert not len(table.client.requests)  # nothing waits any more
    assert table.client.outbox.next_due_us() == 3 + rules.send_backoff_us


# --- around the same guards ---------------------------------------------------------------------------------


@EVERY
def test_a_rebuild_keeps_the_guards_and_changes_the_rest(large, rules) -> None:
    table = Table(large, settled(rules))
    table.start()
    keeper = table.client.requests.keeper
    before = [(path.nodes, path.files, path.guard_since_us) for path in keeper.all]
    table.client.builder.rebuild(77)
    opened = table.take(table.client.requests.settled([]))
    assert all(test.method == "connect" for test in opened)
    for test in opened:
        table.natural(test, 80)
    after = [(path.nodes, path.files, path.guard_since_us) for path in keeper.all]
    assert [(n[0], f, s) for n, f, s in after] == [(n[0], f, s) for n, f, s in before]
    assert all(a[0][1:] != b[0][1:] for a, b in zip(before, after, strict=True))


def test_a_rebuild_replaces_guards_that_are_too_old(large) -> None:
    table = Table(large, PHONE)
    table.start()
    keeper = table.client.requests.keeper
    old, young = keeper.ready
    old.guard_since_us, young.guard_since_us = -20 * US_PER_DAY, -US_PER_DAY
    table.client.builder.rebuild(0)
    for test in table.take(table.client.requests.settled([])):
        table.natural(test, 10)
    assert young.nodes[0] in [path.nodes[0] for path in keeper.ready]
    assert old.nodes[0] not in [path.nodes[0] for path in keeper.ready]
    assert len(keeper.ready) == 2


def test_a_guard_that_was_to_shake_hands_again_survives_the_sleep_of_its_phone(large) -> None:
    table = Table(large, PHONE)
    table.start()
    keeper, presence = table.client.requests.keeper, table.client.presence
    before = {path.nodes[0]: path.guard_since_us for path in keeper.all}
    for now in (10, 20, 30):  # it comes and goes before the second handshake is over
        table.command(now, "online", False)
        opened = table.command(now + 5, "online", True)
        hands = [one for one in opened if one.method == "connect"]
        assert {one.guard for one in hands} == set(before)
        table.natural(hands[0], now + 6)
        assert len(keeper.ready) == 1
    assert presence.awake
    table.natural(hands[1], 40)
    assert {path.nodes[0]: path.guard_since_us for path in keeper.all} == before


def test_a_new_guard_that_has_not_shaken_hands_is_none_after_the_sleep_of_its_phone(large) -> None:
    table, opened = begin(large, replace(first(IOS), file_paths=0))
    fresh = {one.guard for one in opened}
    table.command(10, "online", False)
    again = [one for one in table.command(20, "online", True) if one.method == "connect"]
    assert len(again) == 2
    assert {one.guard for one in again} != fresh


def test_a_guard_whose_handshake_fails_is_replaced_and_stays_so(large) -> None:
    table = Table(large, PHONE)
    table.start()
    keeper = table.client.requests.keeper
    lost = keeper.ready[0].nodes[0]
    table.command(10, "online", False)
    (hand,) = [one for one in table.command(20, "online", True) if one.guard == lost]
    table.take(table.client.failed(lost, hand.conn, hand.exchange, "refused", 30))
    table.command(40, "online", False)
    again = [one.guard for one in table.command(50, "online", True) if one.method == "connect"]
    assert lost not in again
    assert len(again) == 2


def test_an_app_that_takes_over_from_its_extension_keeps_the_guard_that_shook_hands_for_it(large) -> None:
    table = Table(large, PHONE)
    builder, keeper = table.client.builder, table.client.requests.keeper
    before = {path.nodes[0]: path.guard_since_us for path in keeper.all}
    builder.rebuild(0, single=True)
    assert len(table.take(table.client.requests.settled([]))) == 1  # under way when the app opens
    builder.rebuild(5)
    hands = table.take(table.client.requests.settled([]))
    assert {one.guard for one in hands} == set(before)
    for one in hands:
        table.natural(one, 10)
    assert {path.nodes[0]: path.guard_since_us for path in keeper.all} == before


def test_the_answer_to_a_search_that_was_abandoned_is_ignored(world) -> None:
    table, tests = begin(world, first(DESKTOP))
    table.client.builder.abandon()
    for test in tests:
        table.raw(test, 200, b"{}", 5)
    assert table.client.requests.paths == ()


def test_honest_nodes_pass_the_test_of_desktop(make_world) -> None:
    real = make_world()
    _table, tests = begin(real, first(DESKTOP))
    for test in tests:
        status, body = real.direct(test.guard, test.payload)
        assert (status, body) == (200, body)
        assert b'"snodes"' in body
        assert honest(real, test)[:8] == body[:8]
