"""Rotation in time: iOS path by path behind a test, Android all at once at a request, desktop never."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_MIN, US_PER_S
from sessionsim.network.path_choices import joined as joined_rows
from sessionsim.network.path_choices import rest_of
from sessionsim.network.population import rotated
from sessionsim.protocol.client.paths import choose_rest, joined
from sessionsim.protocol.client.pool import Pool, listing_of, number_at
from sessionsim.protocol.client.rules import ANDROID, DESKTOP, IOS, PLATFORMS, ClientRules
from tests.protocol.client.table import EVERY, FRIEND, Asked, Table

TEN_MIN = 10 * US_PER_MIN


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(swarms=[0] * 20 + [1 << 62] * 20)


def quiet(rules: ClientRules, **changes) -> ClientRules:
    """No polls and no node list, so that rotation shows alone."""
    return replace(rules, list_interval_us=0, poll_interval_us=US_PER_DAY, swarm_lookup="compute", **changes)


def passing(table: Table, until_us: int, answer: bool = True) -> list[tuple[int, Asked]]:
    """Let time pass; give the tests of paths that were made, answering them at once or never."""
    made = []
    while table.wake_us is not None and table.wake_us <= until_us:
        now, asked = table.wake()
        while asked:
            made += [(now, request) for request in asked]
            if not answer:
                break
            asked = [later for request in asked for later in table.natural(request, now)]
    return made


def next_test(table: Table) -> tuple[int, list[Asked]]:
    """Let time pass until something is asked."""
    asked: list[Asked] = []
    while not asked:
        now, asked = table.wake()
    return now, asked


def test_desktop_never_rotates(world) -> None:
    table = Table(world, quiet(DESKTOP))
    table.start()
    before = table.client.requests.paths
    assert passing(table, 5 * 60 * US_PER_MIN) == []
    table.command(5 * 60 * US_PER_MIN, "send", 1, FRIEND.id, "hello")
    assert table.client.requests.paths == before


# --- iOS ----------------------------------------------------------------------------------------------------


def test_ios_rotates_each_path_ten_minutes_after_it_was_made(world) -> None:
    table = Table(world, quiet(IOS))
    table.start()
    keeper = table.client.requests.keeper
    born = sorted(path.born_us for path in keeper.all)
    made = passing(table, TEN_MIN)
    first = [now for now, _ in made[:4]]
    assert first == [time + TEN_MIN for time in born]
    for _now, request in made:
        assert request.method == "info"
        assert request.note == note_of(Cause.PATH)
    later = passing(table, 2 * TEN_MIN)
    assert [now for now, _ in later] == [time + TEN_MIN for time in first]


def test_ios_keeps_the_guard_and_takes_nodes_that_no_path_used(world) -> None:
    table = Table(world, quiet(IOS))
    table.start()
    keeper = table.client.requests.keeper
    before = {path.nodes[0]: path.nodes for path in keeper.all}
    used = {node for nodes in before.values() for node in nodes}
    now, (request,) = next_test(table)
    guard, middle, last, asked = request.route
    assert guard in before
    assert not {middle, last, asked} & used
    assert keeper.all
    assert {path.nodes for path in keeper.all} == set(before.values())
    table.natural(request, now + 7)
    assert (guard, middle, last) in table.client.requests.paths
    assert before[guard] not in table.client.requests.paths


def test_the_answer_of_a_request_on_the_old_path_still_counts(world) -> None:
    table = Table(world, quiet(IOS, file_paths=0, paths=1))
    table.start()
    (path,) = table.client.requests.keeper.ready
    (store,) = table.command(path.born_us + TEN_MIN - 1, "send", 1, FRIEND.id, "hello")
    now, (test,) = next_test(table)
    table.natural(test, now)
    assert table.client.requests.paths == (test.route[:3],)
    assert store.route[:3] == path.nodes
    table.natural(store, now + 1)
    assert "stored" in [log[0] for log in table.logs]


def test_ios_tries_again_a_minute_after_a_test_without_an_answer(world) -> None:
    table = Table(world, quiet(IOS, file_paths=0, paths=1))
    table.start()
    before = table.client.requests.paths
    made = passing(table, TEN_MIN + 3 * US_PER_MIN, answer=False)
    times = [now for now, _ in made]
    assert [b - a for a, b in itertools.pairwise(times)] == [70 * US_PER_S] * (len(times) - 1)
    assert len({request.route for _, request in made}) == len(made) > 1
    assert table.client.requests.paths == before


def test_a_silent_test_costs_nobody_anything(world) -> None:
    table = Table(world, quiet(IOS, file_paths=0, paths=1))
    table.start()
    passing(table, 4 * TEN_MIN, answer=False)
    assert table.client.requests.pool.version == 0


def test_ios_takes_another_guard_when_its_own_is_ten_days_old(world) -> None:
    table = Table(world, quiet(IOS, file_paths=0, paths=1))
    table.start()
    (path,) = table.client.requests.keeper.ready
    old = path.nodes[0]
    path.guard_since_us = path.born_us + TEN_MIN - 10 * US_PER_DAY  # ten days old, but not older
    passing(table, path.born_us + TEN_MIN)
    (path,) = table.client.requests.keeper.ready
    assert path.nodes[0] == old
    passing(table, path.born_us + TEN_MIN)
    (path,) = table.client.requests.keeper.ready
    assert path.nodes[0] != old
    assert path.guard_since_us == path.born_us
    assert set(table.client.requests.keeper.guards_ever) == {old, path.nodes[0]}


# --- Android ------------------------------------------------------------------------------------------------


def due_us(table: Table) -> int:
    return min(path.born_us for path in table.client.requests.keeper.ready) + TEN_MIN


def test_android_rotates_at_the_first_request_after_the_time_is_up(world) -> None:
    table = Table(world, quiet(ANDROID))
    table.start()
    before = table.client.requests.paths
    assert passing(table, due_us(table) + TEN_MIN) == []  # nothing happens by itself
    early = table.command(due_us(table) - 1, "send", 1, FRIEND.id, "hello")
    assert [request.method for request in early] == ["batch"]
    now = due_us(table)
    asked = table.command(now, "send", 2, OTHER_ID, "hello")
    store, test = asked
    assert [store.method, test.method] == ["batch", "info"]
    assert store.route[:3] in before  # the old paths serve until the new ones have answered
    (second,) = table.natural(test, now + 10)
    assert table.client.requests.paths == before
    assert table.natural(second, now + 20) == []
    after = table.client.requests.paths
    assert [path[0] for path in after] == [path[0] for path in before]
    assert not {n for path in after for n in path[1:]} & {n for path in before for n in path}
    assert [test.route[:3], second.route[:3]] == list(after)


OTHER_ID = b"\x05" + bytes(31) + b"\x09"


def test_android_keeps_its_paths_when_one_of_the_new_ones_fails_and_tries_at_the_next_request(world) -> None:
    table = Table(world, quiet(ANDROID))
    table.start()
    before, now = table.client.requests.paths, due_us(table)
    _, test = table.command(now, "send", 1, FRIEND.id, "hello")
    (second,) = table.natural(test, now + 10)
    assert table.raw(second, 504, b"Request time out", now + 20) == []  # not repeated either
    assert table.client.requests.paths == before
    assert table.client.requests.pool.version == 0
    assert all(path.strikes == 0 for path in table.client.requests.keeper.ready)
    again = table.command(now + 30, "send", 2, OTHER_ID, "hello")
    assert [request.method for request in again] == ["batch", "info"]


def test_android_does_not_test_twice_at_the_same_time(world) -> None:
    table = Table(world, quiet(ANDROID))
    table.start()
    now = due_us(table)
    assert len(table.command(now, "send", 1, FRIEND.id, "hello")) == 2
    assert len(table.command(now + 1, "send", 2, OTHER_ID, "hello")) == 1


def test_a_rotation_is_dropped_when_a_path_was_replaced_meanwhile(world) -> None:
    table = Table(world, quiet(ANDROID))
    table.start()
    now, keeper = due_us(table), table.client.requests.keeper
    _, test = table.command(now, "send", 1, FRIEND.id, "hello")
    keeper.discard(keeper.ready[0])
    table.client.builder.build(now)
    mended = table.client.requests.paths
    (second,) = table.natural(test, now + 10)
    table.natural(second, now + 20)
    assert table.client.requests.paths == mended


def test_the_next_rotation_is_due_ten_minutes_after_the_last(world) -> None:
    table = Table(world, quiet(ANDROID))
    table.start()
    now = due_us(table) + 5 * US_PER_S
    _, test = table.command(now, "send", 1, FRIEND.id, "hello")
    (second,) = table.natural(test, now)
    table.natural(second, now)
    assert len(table.command(now + TEN_MIN - 1, "send", 2, OTHER_ID, "x")) == 1
    assert [request.method for request in table.command(now + TEN_MIN, "poll")][-1] == "info"


# --- all ----------------------------------------------------------------------------------------------------


@EVERY
def test_the_same_client_rotates_to_the_same_paths(world, rules) -> None:
    def run() -> tuple:
        table = Table(world, quiet(rules))
        table.start()
        passing(table, 3 * TEN_MIN)
        return table.client.requests.paths

    assert run() == run()


@pytest.mark.parametrize("hops", [1, 3, 5])
@pytest.mark.parametrize("platform", sorted(PLATFORMS))
def test_rotated_paths_are_those_of_the_path_only_engine(world, platform: str, hops: int) -> None:
    """Fed with one client's candidates for a rotation, the engine puts the same nodes behind its guards."""
    rules, nodes = replace(PLATFORMS[platform], path_hops=hops), world.nodes
    net24 = np.array([nodes.net24(node) for node in range(len(nodes))])
    pool = Pool(listing_of(nodes))
    for client in range(50):
        entropy = Seeds(3).entropy("client", client)
        guards, address = [client % 19, 20 + client % 19], b"rotate" + (7).to_bytes(4, "little")

        def candidate(k: int, positions: np.ndarray, entropy=entropy, address=address) -> np.ndarray:
            return np.array(
                [number_at(entropy, address + k.to_bytes(4, "little"), len(nodes)) for _ in positions]
            )

        rest = choose_rest(pool.draws(entropy, address), 2 * hops - 2, nodes, rules, guards)
        chosen = np.array([guards])
        found = joined_rows(chosen, rest_of(net24, rules, chosen, 2, candidate))
        assert found.tolist() == [[list(path) for path in joined(guards, rest, hops - 1)]]


@pytest.mark.parametrize(("platform", "files"), [("android", 0), ("ios", 0), ("ios", 2)])
def test_what_a_client_rotates_to_is_what_the_path_only_engine_says(world, platform: str, files: int) -> None:
    """Ten rotations of a running client, each from what stood before it."""
    rules = quiet(PLATFORMS[platform], file_paths=files)
    table = Table(world, rules)
    table.start()
    keeper, nodes = table.client.requests.keeper, world.nodes
    net24 = np.array([nodes.net24(node) for node in range(len(nodes))])
    order, entropy = keeper.pool.listing.order, keeper.entropy

    def candidates(number: int):
        address = b"rotate" + number.to_bytes(4, "little")

        def candidate(k: int, positions: np.ndarray) -> np.ndarray:
            drawn = number_at(entropy, address + k.to_bytes(4, "little"), len(order))
            return np.full(len(positions), order[drawn])

        return candidate

    paths = sorted(keeper.all, key=lambda path: path.born_us)
    guards = np.array([[path.nodes[0] for path in paths]])
    rest = np.array([[node for path in paths for node in path.nodes[1:]]])
    by_guard = {path.nodes[0]: path.nodes for path in paths}
    if platform == "android":  # its rotations are begun by requests, in the order of its paths
        guards = np.array([[path.nodes[0] for path in keeper.ready]])
        rest = np.array([[node for path in keeper.ready for node in path.nodes[1:]]])
    for rotation in range(10):
        if platform == "ios":
            passing(table, (rotation + 1) * TEN_MIN)
        else:
            now_us = due_us(table) + rotation
            asked = table.command(now_us, "send", rotation, FRIEND.id, "hello")
            while asked:
                asked = [later for request in asked for later in table.natural(request, now_us)]
        own = candidates if platform == "ios" else lambda number: candidates(number // 2)
        rest = rotated(net24, rules, guards, rest, rotation, own)
        expected = {row[0]: tuple(row) for row in joined_rows(guards, rest)[0].tolist()}
        assert {path.nodes[0]: path.nodes for path in keeper.all} == expected
        for guard, path in expected.items():
            assert not set(path[1:]) & set(by_guard[guard][1:])
        by_guard = expected
