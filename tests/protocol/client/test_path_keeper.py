"""Paths as they are used, struck, repaired and dropped, by the rules of each platform."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN
from sessionsim.protocol.client.path_keeper import OnionPath, PathKeeper
from sessionsim.protocol.client.paths import build_paths
from sessionsim.protocol.client.pool import Pool, listing_of
from sessionsim.protocol.client.reactions import TABLES, Cost, Failure
from sessionsim.protocol.client.rules import ANDROID, DESKTOP, IOS, ClientRules

N_NODES = 60


def nodes_of(per_net: int) -> NodeList:
    keys = tuple(bytes([i]) * 32 for i in range(N_NODES))
    ips = tuple(i // per_net << 8 | i % per_net for i in range(N_NODES))
    return NodeList(keys, keys, (0,) * N_NODES, ips, (1,) * N_NODES)


class Waiting:
    """In the place of the builder: remembers when it was called."""

    def __init__(self) -> None:
        self.called_us: list[int] = []

    def build(self, now_us: int) -> None:
        self.called_us.append(now_us)


def keeper_of(rules: ClientRules, client: int = 0, per_net: int = 2) -> PathKeeper:
    nodes = nodes_of(per_net)
    keeper = PathKeeper(nodes, Pool(listing_of(nodes)), rules, Seeds(5).entropy("client", client))
    keeper.builder = Waiting()  # type: ignore[assignment]
    return keeper


def called(keeper: PathKeeper) -> list[int]:
    return keeper.builder.called_us  # type: ignore[union-attr]


def fail(
    keeper: PathKeeper, path: OnionPath, failure: Failure, named: int | None = None, now: int = 0
) -> None:
    keeper.pay(path, TABLES[keeper.rules.reactions][failure], named, now)


# --- a client that ran before -------------------------------------------------------------------------------


@pytest.mark.parametrize("rules", [DESKTOP, ANDROID, IOS], ids=lambda rules: rules.reactions)
def test_the_first_paths_are_those_of_the_path_rules(rules: ClientRules) -> None:
    for client in range(20):
        keeper = keeper_of(rules, client)
        expected = build_paths(keeper.nodes, rules, keeper.entropy)
        assert tuple(path.nodes for path in keeper.ready) == expected


def test_an_iphone_has_two_more_paths_for_files_with_guards_of_their_own() -> None:
    keeper = keeper_of(IOS)
    nodes = [node for path in keeper.all for node in path.nodes]
    assert (len(keeper.ready), len(keeper.for_files)) == (2, 2)
    assert len({keeper.nodes.net24(node) for node in nodes}) == 12  # all in /24s of their own
    assert list(keeper.guards_ever) == [path.nodes[0] for path in keeper.all]


def test_guards_of_a_client_that_ran_before_have_all_ages_up_to_the_limit() -> None:
    paths = [path for client in range(300) for path in keeper_of(IOS, client).all]
    ages = sorted(-path.guard_since_us for path in paths)
    assert ages[0] < 0.02 * 10 * US_PER_DAY
    assert 0.98 * 10 * US_PER_DAY < ages[-1] <= 10 * US_PER_DAY
    middle = ages[len(ages) // 2] / US_PER_DAY
    assert 4.5 < middle < 5.5  # standard error of the median of 1,200 uniform ages: 0.14 days
    assert all(-10 * US_PER_MIN < path.born_us <= 0 for path in paths)
    assert len({path.born_us for path in paths}) > 1100
    assert all(path.guard_since_us <= path.born_us for path in paths)


def test_a_first_start_has_no_paths_yet() -> None:
    keeper = keeper_of(replace(DESKTOP, first_start=True))
    assert keeper.all == []
    assert keeper.choose(3, b"x") is None


# --- the choice of a path -----------------------------------------------------------------------------------


def test_files_take_their_own_paths_only_where_there_are_such() -> None:
    iphone, desktop = keeper_of(IOS), keeper_of(DESKTOP)
    assert {iphone.choose(-1, b"%d" % k, files=True) for k in range(40)} == set(iphone.for_files)
    assert {iphone.choose(-1, b"%d" % k) for k in range(40)} == set(iphone.ready)
    assert {desktop.choose(-1, b"%d" % k, files=True) for k in range(40)} == set(desktop.ready)


def test_with_fewer_paths_than_the_least_no_request_goes_out() -> None:
    for least, chosen in ((1, True), (2, False)):
        keeper = keeper_of(replace(DESKTOP, paths_least=least))
        assert keeper.choose(3, b"x") is not None
        keeper.discard(keeper.ready[0])
        assert (keeper.choose(3, b"x") is not None) is chosen
        keeper.discard(keeper.ready[0])
        assert keeper.choose(3, b"x") is None


def test_more_paths_cannot_be_waited_for_than_are_kept() -> None:
    with pytest.raises(InvalidInput, match="paths_least: found 3"):
        replace(DESKTOP, paths_least=3)


def test_a_path_for_files_that_is_gone_is_not_replaced_by_another() -> None:
    keeper = keeper_of(IOS)
    for path in list(keeper.for_files):
        keeper.discard(path)
    assert keeper.choose(-1, b"x", files=True) is None
    assert keeper.choose(-1, b"x") is not None


# --- desktop ------------------------------------------------------------------------------------------------


def test_desktop_drops_a_path_with_its_guard_at_the_third_failure() -> None:
    keeper = keeper_of(DESKTOP)
    path, other = keeper.ready
    for now in (1, 2):
        fail(keeper, path, Failure.SILENT, now=now)
        assert keeper.ready == [path, other]
    assert called(keeper) == []
    fail(keeper, path, Failure.PATH, now=3)
    assert keeper.ready == [other]
    # The guard goes with its path; the others had three strikes by then, one each time.
    assert [node in keeper.pool for node in path.nodes] == [False, False, False]
    assert called(keeper) == [3]


def test_desktop_takes_a_node_out_of_its_path_at_its_third_strike_elsewhere() -> None:
    keeper = keeper_of(DESKTOP)
    path = keeper.ready[0]
    guard, middle, last = path.nodes
    for now in range(3):
        keeper.strike(middle, now)
    assert middle not in keeper.pool
    assert path.nodes[:2] == (guard, last)  # moved up; the newcomer stands at the end
    assert path.strikes == 0


def test_desktop_appends_the_replacement_of_a_node_that_is_not_found_at_the_end() -> None:
    keeper = keeper_of(DESKTOP)
    path = keeper.ready[0]
    guard, middle, last = path.nodes
    fail(keeper, path, Failure.NOT_FOUND, middle)
    assert path.nodes[:2] == (guard, last)
    new = path.nodes[2]
    assert new not in (guard, middle, last)
    assert keeper.nodes.net24(new) not in {keeper.nodes.net24(node) for node in (guard, middle, last)}
    assert path.strikes == 0
    assert keeper.guards_ever.keys() == {p.nodes[0] for p in keeper.ready}


def test_a_desktop_path_that_loses_its_guard_has_its_middle_node_for_one() -> None:
    keeper = keeper_of(DESKTOP)
    path = keeper.ready[0]
    _guard, middle, last = path.nodes
    for now in (5, 6, 7):
        keeper.strike(path.nodes[0], now)  # it failed as a destination
    assert path.nodes[:2] == (middle, last)
    assert path.guard_since_us == 7
    assert keeper.guards_ever[middle] == 7


def test_a_replacement_on_desktop_may_serve_in_the_other_path_too() -> None:
    shared = 0
    for client in range(200):
        keeper = keeper_of(DESKTOP, client)
        path, other = keeper.ready
        fail(keeper, path, Failure.NOT_FOUND, path.nodes[1])
        shared += path.nodes[2] in other.nodes
    assert 5 <= shared <= 45  # about 3 of 54 nodes: 11 of 200


def test_desktop_removes_a_destination_that_is_not_found_and_blames_no_path() -> None:
    keeper = keeper_of(DESKTOP)
    path = keeper.ready[0]
    stranger = next(n for n in range(N_NODES) if all(n not in p.nodes for p in keeper.ready))
    before = [p.nodes for p in keeper.ready]
    fail(keeper, path, Failure.DESTINATION_NOT_FOUND, stranger)
    assert stranger not in keeper.pool
    assert [p.nodes for p in keeper.ready] == before
    assert path.strikes == 0


def test_a_new_node_list_forgives_desktop_everything() -> None:
    keeper = keeper_of(DESKTOP)
    path = keeper.ready[0]
    for now in range(2):
        fail(keeper, path, Failure.SILENT, now=now)
    keeper.forget_strikes()
    for now in range(2):
        fail(keeper, path, Failure.SILENT, now=now)
    assert path in keeper.ready
    assert all(node in keeper.pool for node in path.nodes)


# --- Android ------------------------------------------------------------------------------------------------


def test_android_strikes_the_path_with_the_node_and_replaces_the_node_in_place() -> None:
    keeper = keeper_of(ANDROID)
    path = keeper.ready[0]
    guard, middle, last = path.nodes
    fail(keeper, path, Failure.NOT_FOUND, middle)
    assert (path.nodes[0], path.nodes[2], path.strikes) == (guard, last, 1)
    assert path.nodes[1] not in {node for p in keeper.ready for node in p.nodes if p is not path} | {middle}
    assert middle not in keeper.pool


def test_android_strikes_a_silent_guard_and_drops_the_path_at_the_third_time() -> None:
    keeper = keeper_of(ANDROID)
    path = keeper.ready[0]
    for now in (1, 2):
        fail(keeper, path, Failure.SILENT, now=now)
    assert (path.strikes, path in keeper.ready) == (2, True)
    fail(keeper, path, Failure.NO_GUARD, now=3)
    assert path not in keeper.ready
    assert [node in keeper.pool for node in path.nodes] == [False, True, True]
    assert called(keeper) == [3]


def test_android_strikes_every_node_of_a_bad_path() -> None:
    keeper = keeper_of(ANDROID)
    path = keeper.ready[0]
    for now in range(3):
        fail(keeper, path, Failure.PATH, now=now)
    assert path not in keeper.ready
    assert [node in keeper.pool for node in path.nodes] == [False] * 3


def test_android_puts_another_node_in_the_place_of_a_struck_one() -> None:
    keeper = keeper_of(ANDROID)
    path = keeper.ready[0]
    keeper.strike(path.nodes[2], 0)
    keeper.strike(path.nodes[2], 1)
    guard, middle, last = path.nodes
    fail(keeper, path, Failure.PATH, now=2)
    assert path.nodes[:2] == (guard, middle)
    assert path.nodes[2] != last
    assert path in keeper.ready


# --- libsession ---------------------------------------------------------------------------------------------


def test_libsession_removes_the_named_node_in_place_and_strikes_the_path() -> None:
    keeper = keeper_of(IOS)
    path = keeper.ready[0]
    guard, middle, last = path.nodes
    fail(keeper, path, Failure.NOT_FOUND, middle)
    assert (path.nodes[0], path.nodes[2], path.strikes) == (guard, last, 1)
    nets = Counter(keeper.nodes.net24(node) for p in keeper.all for node in p.nodes)
    assert max(nets.values()) == 1


def test_libsession_drops_the_path_whose_guard_is_removed() -> None:
    keeper = keeper_of(IOS)
    path = keeper.ready[0]
    fail(keeper, keeper.ready[1], Failure.DESTINATION_NOT_FOUND, path.nodes[0])
    assert path not in keeper.ready
    assert len(keeper.ready) == 1


def test_a_node_removed_in_one_path_is_replaced_in_the_path_where_it_serves() -> None:
    keeper = keeper_of(IOS)
    path, other = keeper.ready
    victim = other.nodes[1]
    fail(keeper, path, Failure.DESTINATION_UNREACHABLE, victim)
    assert victim not in other.nodes
    assert path.strikes == other.strikes == 0


def test_libsession_strikes_the_nodes_once_when_the_path_is_given_up() -> None:
    keeper = keeper_of(IOS)
    path = keeper.ready[0]
    for now in range(3):
        fail(keeper, path, Failure.PATH, now=now)
    assert path not in keeper.ready
    assert all(node in keeper.pool for node in path.nodes)
    for node in path.nodes:
        keeper.strike(node, 4)
        assert node in keeper.pool
        keeper.strike(node, 5)
        assert node not in keeper.pool


def test_libsession_drops_a_path_at_once_when_the_connection_is_lost() -> None:
    keeper = keeper_of(IOS)
    path = keeper.ready[0]
    fail(keeper, path, Failure.NO_GUARD)
    assert path not in keeper.ready


def test_silence_costs_an_iphone_nothing() -> None:
    keeper = keeper_of(IOS)
    path = keeper.ready[0]
    for now in range(50):
        fail(keeper, path, Failure.SILENT, now=now)
    assert (path.strikes, path in keeper.ready) == (0, True)


def test_strikes_of_libsession_are_forgotten_after_two_days() -> None:
    keeper = keeper_of(IOS)
    for now in (0, US_PER_H, 48 * US_PER_H + 1, 49 * US_PER_H):
        keeper.strike(7, now)
        assert 7 in keeper.pool
    keeper.strike(7, 49 * US_PER_H + 1)  # the first two are over, so these are three
    assert 7 not in keeper.pool
    keeper.pool.forgive(97 * US_PER_H)
    assert 7 not in keeper.pool
    keeper.pool.forgive(97 * US_PER_H + 1)
    assert 7 in keeper.pool


# --- all of them --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rules", [DESKTOP, ANDROID, IOS], ids=lambda rules: rules.reactions)
def test_a_failure_that_costs_nothing_changes_nothing(rules: ClientRules) -> None:
    keeper = keeper_of(rules)
    before = [path.nodes for path in keeper.all]
    keeper.pay(keeper.ready[0], Cost(), 5, 0)
    assert [path.nodes for path in keeper.all] == before
    assert keeper.pool.version == 0
    assert called(keeper) == []


@pytest.mark.parametrize("rules", [DESKTOP, ANDROID, IOS], ids=lambda rules: rules.reactions)
def test_a_failure_on_a_path_that_is_no_more_in_use_drops_nothing(rules: ClientRules) -> None:
    keeper = keeper_of(rules)
    gone, kept = keeper.ready
    keeper.discard(gone)
    for now in range(5):
        fail(keeper, gone, Failure.PATH, now=now)
    assert keeper.ready == [kept]


def test_thresholds_are_settings() -> None:
    keeper = keeper_of(replace(DESKTOP, path_strikes=1, node_strikes=5))
    path = keeper.ready[0]
    fail(keeper, path, Failure.PATH)
    assert path not in keeper.ready
    assert [node in keeper.pool for node in path.nodes] == [False, True, True]


@pytest.mark.parametrize("rules", [DESKTOP, ANDROID], ids=lambda rules: rules.reactions)
def test_a_path_that_cannot_be_repaired_is_dropped(rules: ClientRules) -> None:
    keeper = keeper_of(rules)
    used = {node for path in keeper.ready for node in path.nodes}
    for node in range(N_NODES):
        if node not in used:
            keeper.give_up(node)
    path = keeper.ready[0]
    other = keeper.ready[1]
    if rules is DESKTOP:  # which would take a node of the other path
        for node in other.nodes:
            keeper.give_up(node)
        keeper._gone.clear()
    fail(keeper, path, Failure.NOT_FOUND, path.nodes[1])
    assert path not in keeper.ready
