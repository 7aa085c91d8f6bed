"""Presence: what a client does without network, in the background, and when it is woken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_H, US_PER_MIN, US_PER_S
from sessionsim.protocol.client.rules import ANDROID, DESKTOP, IOS, PLATFORMS, ClientRules, settled
from sessionsim.protocol.machine import Effects
from tests.protocol.client.table import EVERY, FRIEND, Asked, Table

PHONES = pytest.mark.parametrize("rules", [ANDROID, IOS], ids=["android", "ios"])


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(swarms=[0] * 20 + [1 << 62] * 20)


def plain(rules: ClientRules, **changes: Any) -> ClientRules:
    """No upkeep and no lookups, so that polls and sends show alone."""
    return replace(settled(rules), swarm_lookup="compute", **changes)


def passing(table: Table, until_us: int, since_us: int = 0) -> list[tuple[int, Asked]]:
    """Let time pass, everything being answered at once; give what was asked."""
    made = []
    while table.wake_us is not None and table.wake_us <= until_us:
        table.wake_us = max(table.wake_us, since_us)
        now, asked = table.wake()
        while asked:
            made += [(now, request) for request in asked]
            asked = [later for request in asked for later in table.natural(request, now)]
    return made


def rounds(made: list[tuple[int, Asked]], method: str = "batch") -> list[int]:
    """Give when something was asked, once for each time."""
    return sorted({now for now, request in made if request.method == method})


def started(world: Any, rules: ClientRules, until_us: int = 20 * US_PER_S, seed: int = 4) -> Table:
    """A client that has run for a while, with nothing under way."""
    table = Table(world, rules, Seeds(seed).entropy("client"))
    table.start()
    assert len(rounds(passing(table, until_us))) > 3
    return table


# --- no network ---------------------------------------------------------------------------------------------


@EVERY
def test_without_network_nothing_goes_out_and_connections_are_closed(world, rules) -> None:
    table = started(world, plain(rules))
    requests = table.client.requests
    guards = {(path.nodes[0], requests.connection) for path in requests.keeper.all}
    assert table.command(20 * US_PER_S, "online", False) == []
    assert set(table.closed) == guards
    assert len(table.closed) == len(guards)
    assert passing(table, 10 * US_PER_H) == []
    assert table.wake_us is None


@EVERY
def test_back_online_a_client_polls_at_once_and_goes_on_in_its_rhythm(world, rules) -> None:
    table = started(world, plain(rules, paths_at_online=False))
    table.command(20 * US_PER_S, "online", False)
    passing(table, US_PER_H)
    asked = table.command(US_PER_H, "online", True)
    assert {request.method for request in asked} == {"batch"}
    assert len(asked) == rules.poll_nodes
    for request in asked:
        table.natural(request, US_PER_H)
    later = rounds(passing(table, US_PER_H + 3 * rules.poll_interval_us))
    assert later == [US_PER_H + k * rules.poll_interval_us for k in (1, 2, 3)]


@EVERY
def test_what_is_sent_without_network_waits_in_order(world, rules) -> None:
    table = started(world, plain(rules, paths_at_online=False, poll_interval_us=US_PER_H), 4 * US_PER_H)
    start_us = 4 * US_PER_H
    table.command(start_us, "online", False)
    for ref in (7, 8):
        assert table.command(start_us + ref, "send", ref, FRIEND.id, f"text {ref}") == []
    assert table.logs == []
    assert list(table.client.presence.pending()) == [7, 8]
    asked = table.command(start_us + 100, "online", True)
    assert list(table.client.presence.pending()) == []
    while asked:
        asked = [later for request in asked for later in table.natural(request, start_us + 100)]
    assert [log[1] for log in table.logs if log[0] == "stored"] == [7, 8]


@EVERY
def test_what_is_under_way_when_the_network_goes_is_tried_again(world, rules) -> None:
    table = started(world, plain(rules, paths_at_online=False, poll_interval_us=US_PER_H), 4 * US_PER_H)
    start_us = 4 * US_PER_H
    (store,) = table.command(start_us, "send", 7, FRIEND.id, "text")
    table.command(start_us + 1, "online", False)
    assert len(table.client.requests) == 0
    assert table.natural(store, start_us + 2) == []  # too late
    assert [log for log in table.logs if log[0] in ("stored", "failed")] == []
    asked = table.command(start_us + US_PER_H, "online", True)
    again = [request for request in asked if request.note == store.note]
    assert [request.body["method"] for request in again] == [store.body["method"]]
    while asked:
        asked = [later for request in asked for later in table.natural(request, start_us + US_PER_H)]
    assert ("stored", 7, start_us + US_PER_H) in table.logs


@EVERY
def test_no_path_is_blamed_for_a_missing_network(world, rules) -> None:
    table = Table(world, plain(rules, paths_at_online=False))
    before = table.client.requests.paths
    for k in range(1, 40):
        table.command(k * US_PER_MIN, "poll")
        table.command(k * US_PER_MIN + 1, "online", False)
        table.command(k * US_PER_MIN + 2, "online", True)
        table.command(k * US_PER_MIN + 3, "online", False)
        table.command(k * US_PER_MIN + 4, "online", True)
    assert table.client.requests.paths == before


@EVERY
def test_what_is_told_twice_changes_nothing(world, rules) -> None:
    table = started(world, plain(rules))
    assert table.command(20 * US_PER_S, "online", True) == []
    assert table.command(20 * US_PER_S, "foreground", True) == []
    table.command(20 * US_PER_S, "online", False)
    closed = len(table.closed)
    table.command(20 * US_PER_S, "online", False)
    assert len(table.closed) == closed
    assert rounds(passing(table, US_PER_MIN)) == []


def test_tests_of_guards_under_way_are_abandoned_and_begun_again(world) -> None:
    """Desktop's search for guards: what the first candidates answer after the network went is for nobody."""
    table = Table(world, replace(plain(DESKTOP), first_start=True, ships_list=True))
    tests = table.take(table.client.start(0))
    assert {request.method for request in tests} == {"get_swarm"}
    assert table.command(1, "online", False) == []
    for request in tests:
        assert table.natural(request, 2) == []
    assert table.client.requests.paths == ()
    table.command(3, "online", True)
    passing(table, US_PER_MIN)
    assert len(table.client.requests.paths) == DESKTOP.paths


# --- the background -----------------------------------------------------------------------------------------


def test_desktop_goes_on_in_the_background(world) -> None:
    table, same = (started(world, plain(DESKTOP)) for _ in range(2))
    table.command(20 * US_PER_S, "foreground", False)
    assert rounds(passing(table, 2 * US_PER_MIN)) == rounds(passing(same, 2 * US_PER_MIN)) != []
    table.command(2 * US_PER_MIN, "online", False)
    assert table.command(3 * US_PER_MIN, "online", True) != []


@PHONES
def test_phones_stop_once_nothing_is_under_way(world, rules) -> None:
    table = started(world, plain(rules, background_interval_us=0))
    table.command(20 * US_PER_S, "foreground", False)
    assert table.closed
    assert passing(table, US_PER_H) == []


@PHONES
def test_what_is_under_way_may_end_in_the_background(world, rules) -> None:
    table = started(world, plain(rules, background_interval_us=0, sync_copy=True))
    (store,) = table.command(20 * US_PER_S, "send", 7, FRIEND.id, "text")
    table.command(20 * US_PER_S + 1, "foreground", False)
    assert table.closed == []
    (copy,) = [one for one in table.natural(store, 20 * US_PER_S + 2) if one.note != store.note]
    assert table.closed == []
    table.natural(copy, 20 * US_PER_S + 3)
    assert table.closed
    assert passing(table, US_PER_H) == []


@PHONES
def test_but_not_for_ever(world, rules) -> None:
    slow = plain(rules, background_interval_us=0, poll_interval_us=US_PER_H, request_timeout_us=US_PER_MIN)
    table = started(world, slow, 4 * US_PER_H)
    start_us = 4 * US_PER_H
    table.command(start_us, "send", 7, FRIEND.id, "text")
    table.command(start_us, "foreground", False)
    while not table.closed:
        now, _ = table.wake()
    assert now == start_us + rules.background_linger_us
    assert table.wake_us is None


@PHONES
def test_who_comes_back_in_time_never_slept(world, rules) -> None:
    table = started(world, plain(rules))
    table.command(20 * US_PER_S, "poll")
    table.command(20 * US_PER_S + 1, "foreground", False)
    table.command(20 * US_PER_S + 2, "foreground", True)
    assert table.closed == []
    assert table.client.presence.settled


@PHONES
def test_a_phone_in_front_polls_at_once(world, rules) -> None:
    table = started(world, plain(rules, background_interval_us=0, paths_at_online=False))
    table.command(20 * US_PER_S, "foreground", False)
    passing(table, US_PER_H)
    (poll,) = table.command(US_PER_H, "foreground", True)
    assert poll.method == "batch"


@PHONES
def test_a_phone_that_has_no_network_sleeps_on_when_it_is_looked_at(world, rules) -> None:
    table = started(world, plain(rules))
    table.command(20 * US_PER_S, "online", False)
    table.command(20 * US_PER_S, "foreground", False)
    assert table.command(US_PER_H, "foreground", True) == []
    assert passing(table, 2 * US_PER_H) == []
    for request in table.command(2 * US_PER_H, "online", True):
        table.natural(request, 2 * US_PER_H)
    assert len(rounds(passing(table, 2 * US_PER_H + US_PER_MIN))) > 3


@PHONES
def test_a_phone_in_the_background_sleeps_on_when_the_network_is_back(world, rules) -> None:
    table = started(world, plain(rules, background_interval_us=0))
    table.command(20 * US_PER_S, "foreground", False)
    table.command(30 * US_PER_S, "online", False)
    assert table.command(40 * US_PER_S, "online", True) == []
    assert passing(table, US_PER_H) == []


def test_ios_builds_its_paths_anew_around_the_same_guards_when_it_wakes(world) -> None:
    table = started(world, plain(IOS, background_interval_us=0))
    before = table.client.requests.paths
    table.command(20 * US_PER_S, "foreground", False)
    asked = table.command(US_PER_MIN, "foreground", True)
    assert {request.method for request in asked} == {"connect"}
    while asked:
        asked = [later for request in asked for later in table.natural(request, US_PER_MIN)]
    after = table.client.requests.paths
    assert sorted(nodes[0] for nodes in after) == sorted(nodes[0] for nodes in before)
    assert {nodes[1:] for nodes in after}.isdisjoint({nodes[1:] for nodes in before})


def test_android_keeps_its_paths(world) -> None:
    table = started(world, plain(ANDROID, background_interval_us=0))
    before = table.client.requests.paths
    table.command(20 * US_PER_S, "foreground", False)
    table.command(US_PER_MIN, "foreground", True)
    assert table.client.requests.paths == before


# --- woken by the system ------------------------------------------------------------------------------------


def test_android_is_woken_after_30_s_and_then_every_15_min(world) -> None:
    """Each time one round of polls is made, and the client sleeps again when it is answered."""
    table = started(world, plain(ANDROID))
    table.command(20 * US_PER_S, "foreground", False)
    made = passing(table, US_PER_H + 20 * US_PER_S)
    assert [request.method for _, request in made] == ["batch"] * 4
    assert rounds(made) == [50 * US_PER_S + k * 15 * US_PER_MIN for k in range(4)]
    assert not table.client.presence.awake


def test_android_in_the_background_from_the_first_is_woken_at_any_time_of_the_quarter(world) -> None:
    """It has been in the background for a while then: the phases of clients are uniform (64 of them)."""
    first = []
    for seed in range(64):
        table = Table(world, plain(ANDROID), Seeds(seed).entropy("client"))
        table.start()
        table.command(0, "foreground", False)
        a, b = rounds(passing(table, 30 * US_PER_MIN))
        assert b - a == 15 * US_PER_MIN
        first.append(a / (15 * US_PER_MIN))
    # Kolmogorov and Smirnov: over 1.63 / sqrt(64) in one of a hundred.
    gaps = np.abs(np.sort(first) - (np.arange(64) + 0.5) / 64)
    assert gaps.max() < 0.21


def test_android_in_fast_mode_is_not_woken_and_ios_is(world) -> None:
    for rules, woken in ((ANDROID, False), (IOS, True)):
        table = started(world, plain(rules))
        table.client.presence.fast_mode = True
        table.command(20 * US_PER_S, "foreground", False)
        assert bool(passing(table, 40 * US_PER_H)) is woken


def test_ios_is_woken_as_the_system_likes(world) -> None:
    """Pauses are exponential with a mean of an hour: mean and standard deviation of 400 agree within 15 %."""
    table = started(world, plain(IOS, paths_at_online=False))
    table.command(20 * US_PER_S, "foreground", False)
    times = rounds(passing(table, 400 * US_PER_H))
    pauses = np.diff([20 * US_PER_S, *times]) / US_PER_H
    assert 340 < len(times) < 460
    assert pauses.mean() == pytest.approx(1, rel=0.15)
    assert pauses.std() == pytest.approx(1, rel=0.15)


def test_being_woken_without_network_waits_for_it(world) -> None:
    table = started(world, plain(ANDROID))
    table.command(20 * US_PER_S, "foreground", False)
    table.command(30 * US_PER_S, "online", False)
    assert passing(table, 40 * US_PER_MIN) == []
    table.command(40 * US_PER_MIN, "online", True)
    assert rounds(passing(table, US_PER_H, 40 * US_PER_MIN)) == [40 * US_PER_MIN, 55 * US_PER_MIN]


# --- woken by something else --------------------------------------------------------------------------------


@PHONES
def test_a_sleeping_client_comes_round_for_a_command_and_does_it_once(world, rules) -> None:
    single = {"woken_single_path": False}  # an extension would open its path first
    table = started(world, plain(rules, background_interval_us=0, paths_at_online=False, **single))
    table.command(20 * US_PER_S, "foreground", False)
    client = table.client
    effects = client.presence.come_round(US_PER_MIN, "poll")
    (poll,) = table.take(client._armed(effects, US_PER_MIN))
    assert poll.method == "batch"
    table.natural(poll, US_PER_MIN)
    assert not client.presence.awake
    assert passing(table, US_PER_H) == []


def guards_of(table: Table) -> list[tuple[int, bool]]:
    return [(path.nodes[0], path.files) for path in table.client.requests.keeper.all]


def answered(table: Table, effects: Effects, now_us: int) -> list[Asked]:
    """Carry on at one moment, with everything answered; give what was asked."""
    asked, new = [], table.take(table.client._armed(list(effects), now_us))
    while new:
        asked += new
        new = [later for request in new for later in table.natural(request, now_us)]
    return asked


def opened(asked: list[Asked]) -> list[int]:
    return sorted(request.guard for request in asked if request.method == "connect")


def test_a_push_wakes_an_extension_with_one_path_and_the_app_has_its_own_again_later(world) -> None:
    table = started(world, plain(IOS, background_interval_us=0, file_paths=2))
    client, before = table.client, guards_of(table)
    assert len(before) == 4
    table.command(20 * US_PER_S, "foreground", False)
    asked = answered(table, client.presence.come_round(US_PER_MIN, "poll"), US_PER_MIN)
    assert opened(asked) == [before[0][0]]
    assert [request.guard for request in asked if request.method == "batch"] == [before[0][0]]
    assert not client.presence.awake
    # Files go over it too.
    assert client.requests.keeper.choose(-1, bytes(8), files=True) is client.requests.keeper.ready[0]
    # A second one has the same guard; then somebody opens the app, or the system wakes it.
    asked = answered(table, client.presence.come_round(2 * US_PER_MIN, "poll"), 2 * US_PER_MIN)
    assert opened(asked) == [before[0][0]]
    asked = answered(table, client.presence.set_foreground(True, 3 * US_PER_MIN), 3 * US_PER_MIN)
    assert opened(asked) == sorted(guard for guard, _ in before)
    assert sorted(guards_of(table)) == sorted(before)


def test_the_app_takes_over_from_an_extension_that_still_runs(world) -> None:
    table = started(world, plain(IOS, background_interval_us=0, file_paths=2))
    client, before = table.client, guards_of(table)
    table.command(20 * US_PER_S, "foreground", False)
    (only,) = table.take(client._armed(client.presence.come_round(US_PER_MIN, "poll"), US_PER_MIN))
    table.natural(only, US_PER_MIN)
    assert client.presence.awake
    asked = answered(table, client.presence.set_foreground(True, US_PER_MIN + 9), US_PER_MIN + 9)
    assert opened(asked) == sorted(guard for guard, _ in before)
    assert sorted(guards_of(table)) == sorted(before)


@pytest.mark.parametrize("rules", [IOS, replace(IOS, woken_single_path=False)])
def test_the_system_wakes_the_app_and_no_extension(world, rules) -> None:
    table = started(world, plain(rules, background_interval_us=0, file_paths=2))
    client = table.client
    table.command(20 * US_PER_S, "foreground", False)
    pushed = () if rules.woken_single_path else ("poll",)
    asked = answered(table, client.presence.come_round(US_PER_MIN, *pushed), US_PER_MIN)
    assert len(opened(asked)) == 4


@PHONES
def test_an_errand_wakes_a_sleeping_client_and_no_other(world, rules) -> None:
    for foreground in (True, False):
        due_us: list[int | None] = [US_PER_MIN]
        table = started(world, plain(rules, background_interval_us=0, paths_at_online=False))
        table.client.presence.errands.append(lambda due_us=due_us: due_us[0])
        table.command(20 * US_PER_S, "foreground", foreground)
        if foreground:
            assert table.client.presence.next_due_us() is None
            continue
        assert table.client.presence.next_due_us() == US_PER_MIN
        while not table.client.presence.awake:
            now, _ = table.wake()
        assert now == US_PER_MIN
        due_us[0] = None


@EVERY
def test_what_is_asked_by_a_sleeping_client_goes_out_when_it_wakes(world, rules) -> None:
    table = started(world, plain(rules, paths_at_online=False, poll_interval_us=US_PER_H), 4 * US_PER_H)
    start_us, answers = 4 * US_PER_H, []
    table.command(start_us, "online", False)
    requests, node = table.client.requests, 7
    sent = requests.send(
        16, node, b'{"method":"info","params":{}}', 0, start_us, lambda *answer: answers.append(answer) or []
    )
    assert table.take(table.client._armed([sent], start_us)) == []
    asked = table.command(start_us + US_PER_MIN, "online", True)
    (info,) = [request for request in asked if request.method == "info"]
    assert info.route[-1] == node
    table.natural(info, start_us + US_PER_MIN)
    assert [status for status, _, _ in answers] == [200]


@EVERY
def test_the_clock_of_the_device_runs_on(world, rules) -> None:
    table = started(world, plain(rules))
    shown_ms = table.client.wire_ms(0)
    table.command(20 * US_PER_S, "online", False)
    table.command(30 * US_PER_S, "clock", 5 * US_PER_S)
    assert table.client.wire_ms(0) == shown_ms + 5000


def test_offline_nothing_that_comes_is_heard(world) -> None:
    table = started(world, plain(ANDROID))
    heard = []
    table.client.listeners["told"] = lambda *what: heard.append(what) or []
    table.client.receive(3, 1, 2, "told", b"", 20 * US_PER_S)
    table.command(21 * US_PER_S, "online", False)
    table.client.receive(3, 1, 2, "told", b"", 22 * US_PER_S)
    assert len(heard) == 1


# --- idle polls ---------------------------------------------------------------------------------------------


@EVERY
def test_no_idle_polls_while_asleep_and_none_beyond_the_time_it_is_woken(world, rules) -> None:
    table = started(world, plain(rules))
    assert table.client.idle(0) is not None
    table.command(20 * US_PER_S, "online", False)
    assert table.client.idle(20 * US_PER_S) is None


def test_presets_say_where_platforms_sleep() -> None:
    assert {name: rules.in_background for name, rules in PLATFORMS.items()} == {
        "android": "sleeps", "desktop": "runs", "ios": "sleeps",
    }  # fmt: skip
