"""Fast mode in groups, over real nodes: texts wake phones that sleep, for as long as they are in a group."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sessionsim.core.intents import Group, GroupAction, GroupText, Presence, Wish
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_MIN, US_PER_S
from sessionsim.network.servers import ServerRules
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.push import PLATFORMS as PUSH
from sessionsim.protocol.client.rules import PLATFORMS as CLIENTS
from sessionsim.protocol.namespaces import GROUP_MESSAGES

NAMES = ("desktop", "android", "ios")
DESKTOP, ANDROID, IOS = range(3)
S, MIN = US_PER_S, US_PER_MIN
FAST = {name: replace(rules, fast_prob=float(name != "desktop")) for name, rules in PUSH.items()}
# Phones that the system never wakes to poll, so that what comes to them asleep was pushed.
SLEEPY = {name: replace(rules, background_interval_us=0) for name, rules in CLIENTS.items()}
ASLEEP = tuple(Presence(30 * S, who, 0, "foreground", False, 0) for who in (ANDROID, IOS))
ALL = Group(0, DESKTOP, 0, (DESKTOP, ANDROID, IOS), "three")


def world_of(*wishes: Wish, minutes: int = 4, **changed: Any) -> World:
    spec = WorldSpec(
        date="2026-04-28", platforms=NAMES, intents=tuple(sorted(wishes, key=lambda one: one.t_us)),
        horizon_us=minutes * MIN, measured=(0, minutes * MIN), seeds=Seeds(5), epoch_ms=1_777_377_600_000,
        limit_swarms=6, suite="fast", idle_polls="bulk", push_rules=FAST, client_rules=SLEEPY,
    )  # fmt: skip
    return build(replace(spec, **changed))


def lags_s(truth: Truth, ref: int) -> dict[int, float]:
    """How long after the wish each account showed a message; -1 for never."""
    of = truth.deliveries["message"] == ref
    intent = truth.messages["intent_us"][ref]
    pairs = zip(truth.deliveries["account"][of], truth.deliveries["delivered_us"][of], strict=True)
    return {int(who): (t_us - intent) / S if t_us >= 0 else -1.0 for who, t_us in pairs}


def told(truth: Truth, what: str) -> list[tuple[int, int]]:
    columns = (truth.events[name].tolist() for name in ("endpoint", "what", "value"))
    return [(endpoint, value) for endpoint, name, value in zip(*columns, strict=True) if name == what]


def test_a_text_in_a_group_wakes_phones_in_fast_mode_and_no_others() -> None:
    text = GroupText(2 * MIN, DESKTOP, 0, "hello", 0)
    fast, slow = (world_of(ALL, *ASLEEP, text, push_rules=rules).run() for rules in (FAST, PUSH))
    assert all(0 < lag < 6 for lag in lags_s(fast, 0).values())
    assert set(lags_s(fast, 0)) == {ANDROID, IOS}
    assert lags_s(slow, 0) == {ANDROID: -1.0, IOS: -1.0}


@pytest.mark.parametrize("suite", ["fast", "sodium"])
def test_members_subscribe_with_their_subaccount_and_admins_with_the_groups_key(suite: str) -> None:
    """The real push server and the real nodes check it; Android founds the group, iOS is a member."""
    own = Group(0, ANDROID, 0, (DESKTOP, ANDROID, IOS), "three")
    world = world_of(own, *ASLEEP, GroupText(2 * MIN, DESKTOP, 0, "hello", 0), suite=suite)
    truth = world.run()
    first = len(world.nodes)
    assert sorted(told(truth, "push-groups")) == [(first + ANDROID, 1), (first + IOS, 1)]
    assert all(0 < lag < 6 for lag in lags_s(truth, 0).values())


def test_a_long_text_is_announced_and_then_polled() -> None:
    text = GroupText(2 * MIN, DESKTOP, 0, "long " * 1200, 0)
    truth = world_of(ALL, *ASLEEP, text, minutes=5).run()
    lags = lags_s(truth, 0)
    assert all(0 < lag < 20 for lag in lags.values())
    assert set(lags) == {ANDROID, IOS}


def test_who_joins_subscribes_and_who_leaves_hears_no_more() -> None:
    """iOS leaves and Android is invited; each is then looked at no more."""
    pair = Group(0, DESKTOP, 0, (DESKTOP, IOS), "two")
    wishes = (
        pair,
        GroupAction(10 * S, DESKTOP, 0, 0, "invite", (ANDROID,), "", True, ""),
        GroupAction(30 * S, ANDROID, 0, 0, "join", (), "", True, ""),
        GroupAction(40 * S, IOS, 0, 0, "leave", (), "", True, ""),
        *(Presence(90 * S, who, 0, "foreground", False, 0) for who in (ANDROID, IOS)),
        GroupText(2 * MIN, DESKTOP, 0, "hello", 0),
    )
    world = world_of(*wishes)
    truth = world.run()
    lags = lags_s(truth, len(truth.messages["message"]) - 1)
    assert 0 < lags[ANDROID] < 6
    assert lags.get(IOS, -1.0) == -1.0
    first = len(world.nodes)
    # iOS at its start; Android when it has joined.
    assert told(truth, "push-groups") == [(first + IOS, 1), (first + ANDROID, 1)]
    (push,) = world.scene.servers["push"]
    devices = world.machines[push].server.devices  # type: ignore[attr-defined]
    group_id = next(account for account in devices if account[0] == 3)
    assert len(devices[group_id]) == 1


def test_only_what_a_device_asks_for_is_pushed() -> None:
    few = {name: replace(rules, group_namespaces=(12, 13)) for name, rules in FAST.items()}
    assert GROUP_MESSAGES not in few["ios"].group_namespaces
    truth = world_of(ALL, *ASLEEP, GroupText(2 * MIN, DESKTOP, 0, "hello", 0), push_rules=few).run()
    assert lags_s(truth, 0) == {ANDROID: -1.0, IOS: -1.0}


def test_without_the_own_account_subscribed_nothing_is_asked_for_groups() -> None:
    off = ServerRules(off=("push",))
    truth = world_of(ALL, server_rules=off, minutes=3).run()
    assert told(truth, "push-groups") == []
    assert {value for _, value in told(truth, "push-subscribed")} == {0}
