"""Devices that go offline and to the background, over real nodes: when messages come, and where they wait."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.core.intents import Device, Intent, Presence, Wish
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_MIN, US_PER_S
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.push import PLATFORMS as PUSH
from sessionsim.protocol.client.rules import PLATFORMS as CLIENTS

NAMES = ("desktop", "android", "ios")
DESKTOP, ANDROID, IOS = range(3)
S, MIN = US_PER_S, US_PER_MIN


def world_of(*wishes: Wish, minutes: int = 20, seed: int = 5, **changed: Any) -> World:
    spec = WorldSpec(
        date="2026-04-28", platforms=NAMES, intents=tuple(sorted(wishes, key=lambda one: one.t_us)),
        horizon_us=minutes * MIN, measured=(0, minutes * MIN), seeds=Seeds(seed),
        epoch_ms=1_777_377_600_000, limit_swarms=6, suite="fast", idle_polls="bulk",
    )  # fmt: skip
    return build(replace(spec, **changed))


def states(account: int, what: str, *changes: tuple[int, bool], device: int = 0) -> list[Presence]:
    """The state at time 0 and changes after it: (time, on)."""
    return [Presence(t_us, account, device, what, on, k) for k, (t_us, on) in enumerate(changes)]


def fates(truth: Truth) -> list[tuple[str, str]]:
    return list(zip(truth.messages["outcome"].tolist(), truth.messages["reason"].tolist(), strict=True))


def lags_s(truth: Truth) -> list[float]:
    return ((truth.messages["delivered_us"] - truth.messages["intent_us"]) / S).tolist()


def test_phones_in_the_background_get_messages_when_they_are_woken_or_looked_at() -> None:
    front = states(IOS, "foreground", (0, False), (12 * MIN, True))
    away = states(ANDROID, "foreground", (0, True), (4 * MIN, False))
    slow = {**CLIENTS, "ios": replace(CLIENTS["ios"], background_interval_us=0)}
    texts = (
        Intent(2 * MIN, DESKTOP, ANDROID, "a", 0),
        Intent(6 * MIN, DESKTOP, ANDROID, "b", 1),
        Intent(6 * MIN, DESKTOP, IOS, "c", 2),
        Intent(13 * MIN, DESKTOP, IOS, "d", 3),
    )
    truth = world_of(*front, *away, *texts, client_rules=slow).run()
    in_front, woken, looked_at, seen = lags_s(truth)
    assert in_front < 6
    # Woken 30 s after 4 min, which is before the text, and 15 min later.
    assert 13.5 * 60 < woken < 13.5 * 60 + 6
    assert 6 * 60 < looked_at < 6 * 60 + 6
    assert seen < 6


def test_desktop_polls_in_the_background_too() -> None:
    truth = world_of(
        *states(DESKTOP, "foreground", (0, False)), Intent(2 * MIN, IOS, DESKTOP, "a", 0), minutes=4
    ).run()
    assert lags_s(truth)[0] < 10


def test_what_is_written_without_network_waits_with_its_sender_until_there_is_one() -> None:
    texts = [Intent(2 * MIN, who, (who + 1) % 3, "a", 0) for who in range(3)]
    off = [one for who in range(3) for one in states(who, "online", (0, True), (MIN, False))]
    truth = world_of(*off, *texts, minutes=4).run()
    assert fates(truth) == [("waiting", "with its sender")] * 3
    back = [
        one for who in range(3) for one in states(who, "online", (0, True), (MIN, False), (3 * MIN, True))
    ]
    truth = world_of(*back, *texts, minutes=6).run()
    assert [fate[0] for fate in fates(truth)] == ["delivered"] * 3
    assert all(60 < lag < 75 for lag in lags_s(truth))


def test_a_second_device_that_is_off_gets_its_copies_later() -> None:
    later = states(DESKTOP, "online", (0, False), (5 * MIN, True), device=1)
    truth = world_of(
        Device(0, DESKTOP, 1, "ios"), *later, Intent(2 * MIN, ANDROID, DESKTOP, "a", 0), minutes=7
    ).run()
    got_us = truth.deliveries["delivered_us"][truth.deliveries["copy"] == "message"]
    assert sorted(got_us // MIN) == [2, 5]


def pushed(*wishes: Wish, **more: Any) -> Truth:
    """Phones in fast mode, which are in the background from the first."""
    fast = {name: replace(rules, fast_prob=float(name != "desktop")) for name, rules in PUSH.items()}
    front = [one for who in (ANDROID, IOS) for one in states(who, "foreground", (0, False))]
    slow = {**CLIENTS, "ios": replace(CLIENTS["ios"], background_interval_us=0)}
    return world_of(*front, *wishes, push_rules=fast, client_rules=slow, **more).run()


def test_sleeping_phones_in_fast_mode_hear_at_once_also_of_what_does_not_fit_into_a_push() -> None:
    texts = [
        Intent(3 * MIN, DESKTOP, who, body, who + k)
        for who in (1, 2)
        for k, body in ((0, "a"), (5, "x" * 3000))
    ]
    truth = pushed(*texts, minutes=5)
    assert [fate[0] for fate in fates(truth)] == ["delivered"] * 4
    assert max(lags_s(truth)) < 6


def test_pushes_for_a_phone_without_network_come_when_it_is_back() -> None:
    """Apple keeps one push for an app, Google a hundred; the first text to the iPhone waits in the swarm."""
    texts = [Intent(3 * MIN + k * S, DESKTOP, who, f"{k}", 5 * who + k) for who in (1, 2) for k in (0, 1)]
    gaps = [one for who in (1, 2) for one in states(who, "online", (0, True), (MIN, False), (6 * MIN, True))]
    truth = pushed(*gaps, *texts, minutes=8)
    to = {
        (one.recipient, one.body): fate[0]
        for one, fate in zip(sorted(texts, key=lambda o: o.t_us), fates(truth), strict=True)
    }
    assert to == {
        (ANDROID, "0"): "delivered", (ANDROID, "1"): "delivered",
        (IOS, "0"): "waiting", (IOS, "1"): "delivered",
    }  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_idle_polls_in_bulk_change_nothing(seed: int) -> None:
    """Devices come and go at uneven times; texts go between them all the time."""
    drawn = Seeds(seed).stream("comings").integers(5 * S, 9 * MIN, (3, 2, 6))
    comings: list[Wish] = []
    for who in range(3):
        for k, what in enumerate(("online", "foreground")):
            times = [0, *sorted(drawn[who, k].tolist())]
            comings += states(who, what, *((t_us, n % 2 == 0) for n, t_us in enumerate(times)))
    texts = [Intent((20 + 29 * k) * S, k % 3, (k + 1 + k % 2) % 3, f"{k}", k) for k in range(18)]
    quick = {
        name: replace(rules, background_interval_us=rules.background_interval_us and MIN)
        for name, rules in CLIENTS.items()
    }
    found = []
    for how in ("each", "bulk"):
        world = world_of(*comings, *texts, minutes=10, seed=seed, idle_polls=how, client_rules=quick)
        records = MemoryRecords()
        truth = world.run(records, frozenset({0, 1, len(world.nodes)}), keep_bytes=True)
        found.append((truth, records.table(), world))
    (one, rows, _), (other, bulk_rows, world) = found
    assert world.trains is not None
    assert world.trains.polls > 20
    for table in ("messages", "deliveries", "events", "devices"):
        for name, values in getattr(one, table).items():
            np.testing.assert_array_equal(values, getattr(other, table)[name], err_msg=f"{table}.{name}")
    for name, values in rows.items():
        np.testing.assert_array_equal(values, bulk_rows[name], err_msg=name)
