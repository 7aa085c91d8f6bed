"""What a client has forgotten and what it still knows when its program starts again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sessionsim.core.units import US_PER_DAY, US_PER_MIN, US_PER_S
from sessionsim.protocol.client.rules import DESKTOP, PLATFORMS
from tests.protocol.client.table import FRIEND, Table

NOW = 20 * US_PER_MIN
EACH = pytest.mark.parametrize("platform", sorted(PLATFORMS))


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(swarms=[0] * 20 + [1 << 62] * 20)


def started(world, platform: str, **changes) -> Table:
    """A client that polls once a day, so that what it does at a restart shows alone."""
    rules = replace(PLATFORMS[platform], poll_interval_us=US_PER_DAY, swarm_lookup="compute", **changes)
    table = Table(world, rules)
    table.start()
    return table


@EACH
def test_failures_are_counted_anew_and_the_clock_has_no_correction(world, platform: str) -> None:
    client = started(world, platform).client
    keeper, node = client.requests.keeper, client.requests.keeper.ready[0].nodes[1]
    keeper.strike(node, 0)
    keeper.ready[0].strikes = 2
    client.clock._correction_ms = 7_000
    client.clock._changed()
    before_ms = client.wire_ms(NOW)
    client.command(("restart", False), NOW)
    assert keeper._strikes == {}
    assert [path.strikes for path in keeper.all] == [0] * len(keeper.all)
    assert client.wire_ms(NOW) == before_ms - 7_000


@EACH
def test_a_clock_that_is_wrong_stays_wrong(world, platform: str) -> None:
    client = started(world, platform).client
    client.command(("clock", 5 * US_PER_S), 0)
    ahead_ms = client.wire_ms(NOW)
    client.command(("restart", False), NOW)
    assert client.wire_ms(NOW) == ahead_ms


@EACH
def test_guards_and_nodes_given_up_are_remembered(world, platform: str) -> None:
    client = started(world, platform).client
    keeper = client.requests.keeper
    guards, lost = [path.nodes[0] for path in keeper.ready], keeper.ready[0].nodes[2]
    keeper.pool.drop(lost)
    client.command(("restart", False), NOW)
    assert lost not in keeper.pool
    if platform == "desktop":
        assert [path.nodes[0] for path in keeper.ready] == guards
    elif platform == "android":
        assert [path.nodes[0] for path in keeper.ready] == guards
        assert keeper.ready[0].nodes[2] == lost  # paths are stored whole; the loss shows when they fail


def test_desktop_refreshes_its_list_five_minutes_after_each_start_and_phones_when_it_is_due(world) -> None:
    desktop = started(world, "desktop").client
    desktop.command(("restart", False), NOW)
    assert desktop.node_list.next_due_us() == NOW + DESKTOP.list_first_us
    ios = started(world, "ios").client
    due_us = ios.node_list._due_us
    ios.command(("restart", False), NOW)
    assert ios.node_list._due_us == due_us


@EACH
def test_nothing_under_way_is_answered_afterwards(world, platform: str) -> None:
    table = started(world, platform, merge_window_us=0, queue_kept=False)
    (store,) = table.command(US_PER_S, "send", 1, FRIEND.id, "hello")
    client = table.client
    assert len(client.requests) >= 1
    client.command(("restart", False), 2 * US_PER_S)
    table.natural(store, 3 * US_PER_S)
    assert [log for log in table.logs if log[0] == "stored"] == []
    assert not list(client.outbox.pending())


def test_a_restart_asks_to_be_woken_since_nobody_would(world) -> None:
    client = started(world, "desktop").client
    assert client._armed_us is not None
    armed_us = client._armed_us
    effects = client.command(("restart", False), NOW)
    assert client._armed_us is not None
    assert any(effect[0] == 1 for effect in effects)  # WAKE_AT
    assert client._armed_us != armed_us
