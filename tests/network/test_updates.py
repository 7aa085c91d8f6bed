"""Version checks through a small world: when they are made, what the server learns, what a failure costs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import CAUSE_MASK, Cause
from sessionsim.core.intents import Intent, Presence, Wish
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_H, US_PER_MIN, US_PER_S
from sessionsim.network.servers import ServerRules
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.client.rules import PLATFORMS as CLIENTS
from sessionsim.protocol.client.update_rules import OFF, PLATFORMS
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.files.version_check import version_request

NAMES = ("desktop", "android", "ios")
S, MIN, H = US_PER_S, US_PER_MIN, US_PER_H
SELDOM = {name: replace(rules, poll_interval_us=10 * MIN) for name, rules in CLIENTS.items()}
# All platforms alike, every ten minutes.
OFTEN = {name: replace(rules, interval_us=10 * MIN, retry_us=4 * MIN) for name, rules in PLATFORMS.items()}


def world_of(*wishes: Wish, minutes: int = 45, **changed: Any) -> World:
    spec = WorldSpec(
        date="2026-04-28", platforms=NAMES, intents=tuple(sorted(wishes, key=lambda one: one.t_us)),
        horizon_us=minutes * MIN, measured=(0, minutes * MIN), seeds=Seeds(5), epoch_ms=1_777_377_600_000,
        limit_swarms=6, suite="fast", idle_polls="bulk", client_rules=SELDOM, update_rules=OFTEN,
    )  # fmt: skip
    return build(replace(spec, **changed))


def checks(truth: Truth, world: World) -> dict[str, list[tuple[float, int]]]:
    """When (min) which platform's device heard what of its question for the newest version."""
    columns = [truth.events[name].tolist() for name in ("endpoint", "t_us", "what", "value")]
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in NAMES}
    for end, t_us, what, value in zip(*columns, strict=True):
        if what == "version-checked":
            found[world.scene.client_platform[end - len(world.nodes)]].append((t_us / MIN, value))
    return found


def server_of(world: World) -> Any:
    (file,) = world.scene.servers["file"]
    return world.machines[file].server  # type: ignore[attr-defined]


def test_every_device_asks_once_an_interval_from_a_random_moment_on() -> None:
    world = world_of()
    found = checks(world.run(), world)
    for name in NAMES:
        times = [t for t, status in found[name] if status == 200]
        assert len(times) == len(found[name]) in (4, 5)
        assert 0 <= times[0] < 10.1
        assert all(10 <= b - a < 10.1 for a, b in pairwise(times))
    assert len({round(times[0][0], 2) for times in found.values()}) == 3


def test_the_file_server_learns_a_version_id_of_each_account_and_its_platform() -> None:
    world = world_of()
    found = checks(world.run(), world)
    noted = server_of(world).checks
    assert len(noted) == sum(len(one) for one in found.values())
    ids = {check.version_id: check.platform for check in noted}
    accounts = [world.machines[end].account for end in world.scene.client_endpoints]  # type: ignore[attr-defined]
    expected = {
        version_request(suite_named("fast"), account, name, 0).headers["X-FS-Pubkey"]: name
        for account, name in zip(accounts, NAMES, strict=True)
    }
    assert ids == expected
    assert {name[:2] for name in ids} == {"07"}


def test_checks_count_among_the_requests_of_files_and_nothing_else_is_asked_for_them() -> None:
    def asked(rules: Any) -> dict[str, int]:
        world, records = world_of(update_rules=rules), MemoryRecords()
        clients = frozenset(world.scene.client_endpoints)
        world.run(records, clients)
        rows = records.table()
        mine = np.isin(rows["src"], list(clients)) & (rows["direction"] == 0)
        mine &= (rows["exchange"] & 15) == Purpose.FILE
        ordinary = ~np.isin(rows["note"] & CAUSE_MASK, (Cause.HANDSHAKE, Cause.KEEPALIVE))
        assert set((rows["note"][mine & ordinary] & CAUSE_MASK).tolist()) <= {int(Cause.FILE)}
        counts = {}
        for end in clients:
            of_it = mine & ordinary & (rows["src"] == end)
            counts[world.scene.client_platform[end - len(world.nodes)]] = int(of_it.sum())
        return counts

    assert asked(OFF) == dict.fromkeys(NAMES, 0)
    counts = asked(OFTEN)
    assert all(4 <= counts[name] <= 5 for name in NAMES)


@pytest.mark.parametrize("servers", [ServerRules(off=("file",)), ServerRules(file_in=())])
def test_without_an_answer_it_asks_again_after_the_pause_for_that(servers: ServerRules) -> None:
    rules = {name: replace(one, interval_us=20 * MIN) for name, one in OFTEN.items()}
    world = world_of(server_rules=servers, update_rules=rules, minutes=60)
    found = checks(world.run(), world)
    for name in NAMES:
        times = [t for t, _ in found[name]]
        assert 200 not in {status for _, status in found[name]}
        assert len(times) >= 7
        # A server that is off is silent until the request is given up, and desktop tries three times.
        assert all(4 <= b - a < 15 for a, b in pairwise(times))


def test_a_phone_asks_in_front_only_and_makes_up_for_it_there() -> None:
    away = (Presence(0, k, 0, "foreground", False, 0) for k in range(3))
    back = (Presence(25 * MIN, k, 0, "foreground", True, 1) for k in range(3))
    world = world_of(*away, *back)
    found = checks(world.run(), world)
    for name in ("android", "ios"):
        times = [t for t, _ in found[name]]
        assert 25 <= times[0] < 25.2
        assert all(10 <= b - a < 10.1 for a, b in pairwise(times))
        assert len(times) == 2
    assert found["desktop"][0][0] < 10.1  # which has no focus rule


def test_a_desktop_that_is_switched_on_asks_a_minute_later_and_a_phone_remembers() -> None:
    rules = {name: replace(one, interval_us=40 * MIN) for name, one in OFTEN.items()}
    off = [Presence(41 * MIN, k, 0, "online", False, 0) for k in range(3)]
    on = [Presence(43 * MIN, k, 0, "online", True, 1) for k in range(3)]
    world = world_of(*off, *on, update_rules=rules, minutes=80)
    found = checks(world.run(), world)
    desktop = [t for t, _ in found["desktop"]]
    assert len(desktop) == 2
    assert desktop[0] < 41
    assert 44 <= desktop[1] < 44.1
    for name in ("android", "ios"):
        first, second = (t for t, _ in found[name])
        assert 40 <= second - first < 44


def test_a_phone_whose_check_failed_tries_again_when_it_comes_to_the_front() -> None:
    rules = {name: replace(one, interval_us=MIN, retry_us=H) for name, one in OFTEN.items()}
    away = [Presence(20 * MIN, k, 0, "foreground", False, 0) for k in range(3)]
    back = [Presence(25 * MIN, k, 0, "foreground", True, 1) for k in range(3)]
    world = world_of(*away, *back, update_rules=rules, server_rules=ServerRules(file_in=()))
    found = checks(world.run(), world)
    for name in ("android", "ios"):
        times = [t for t, _ in found[name]]
        assert len(times) == 2
        assert times[0] < 1.5
        assert 25 <= times[1] < 25.5
    assert len(found["desktop"]) == 1  # retries after an hour, wherever it stands


def test_a_first_start_asks_at_once_or_after_the_while_of_its_platform() -> None:
    fresh = {name: replace(rules, first_start=True) for name, rules in SELDOM.items()}
    rules = {name: replace(one, interval_us=H) for name, one in PLATFORMS.items()}
    world = world_of(client_rules=fresh, update_rules=rules, minutes=5)
    found = checks(world.run(), world)
    assert 1 <= found["desktop"][0][0] < 1.1
    assert all(found[name][0][0] < 0.2 for name in ("android", "ios"))


def test_polls_in_bulk_leave_the_checks_where_they_are() -> None:
    """The same times of answers to the microsecond, the same outcomes and records of a watched provider."""
    texts = tuple(Intent((40 + 7 * k) * S, k, (k + 1) % 3, f"text {k}") for k in range(3))

    def told(how: str, watched: bool) -> tuple[Any, ...]:
        rules = {name: replace(one, interval_us=2 * MIN) for name, one in OFTEN.items()}
        world = world_of(
            *texts, minutes=12, idle_polls=how, update_rules=rules, client_rules=CLIENTS, limit_swarms=12
        )
        records = MemoryRecords()
        ends = frozenset(world.scene.servers["file"]) if watched else frozenset()
        truth = world.run(records, ends)
        rows = [records.table()[name].tolist() for name in ("t_sent_us", "t_recv_us", "src", "app_bytes")]
        outcomes = [truth.messages[name].tolist() for name in ("outcome", "stored_us")]
        return checks(truth, world), rows, outcomes

    for watched in (False, True):
        bulk, each = told("bulk", watched), told("each", watched)
        assert bulk == each
        assert all(5 <= len(found) <= 6 for found in bulk[0].values())
        assert bool(bulk[1][0]) is watched


def test_default_rules_ask_daily_or_every_four_hours() -> None:
    world = world_of(update_rules=PLATFORMS, minutes=12 * 60, client_rules={
        name: replace(rules, poll_interval_us=H) for name, rules in CLIENTS.items()
    })  # fmt: skip
    found = checks(world.run(), world)
    assert len(found["desktop"]) <= 1
    assert [len(found[name]) for name in ("android", "ios")] == [3, 3]
