"""Fast mode through a small world: from the store to the device, in both suites, and with servers off."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import CAUSE_MASK, HEADS, REF_SHIFT, Cause, Transport
from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import Device, Intent
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_H, US_PER_S
from sessionsim.network.servers import ServerRules
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.push import PLATFORMS
from sessionsim.protocol.client.rules import PLATFORMS as CLIENTS
from sessionsim.protocol.swarms import nearest_swarm, swarm_position

# Phones that poll once in a blue moon, so that what reaches them soon was pushed.
SLEEPY = {
    name: dataclasses.replace(rules, poll_interval_us=US_PER_H) if name != "desktop" else rules
    for name, rules in CLIENTS.items()
}
FAST = {
    name: dataclasses.replace(rules, fast_prob=0.0 if name == "desktop" else 1.0)
    for name, rules in PLATFORMS.items()
}
TEXTS = tuple(Intent((k + 20) * US_PER_S, k, (k + 1) % 3, f"hello {k}") for k in range(3))
LONG = Intent(24 * US_PER_S, 1, 2, "long " * 600, 1)


def small(intents: tuple[Any, ...] = (*TEXTS, LONG), suite: str = "fast", **changed: Any) -> World:
    spec = WorldSpec(
        date="2026-04-28",
        platforms=("desktop", "android", "ios"),
        intents=intents,
        horizon_us=60 * US_PER_S,
        measured=(0, 60 * US_PER_S),
        seeds=Seeds(5),
        epoch_ms=1_777_377_600_000,
        limit_swarms=6,
        suite=suite,
        client_rules=SLEEPY,
        push_rules=FAST,
    )
    return build(dataclasses.replace(spec, **changed))


def events(truth: Truth, what: str) -> list[tuple[int, int, int]]:
    columns = [truth.events[name].tolist() for name in ("endpoint", "what", "message", "value")]
    return [(end, message, value) for end, name, message, value in zip(*columns, strict=True) if name == what]


def test_messages_reach_fast_phones_within_seconds_and_slow_ones_not() -> None:
    fast, slow = small().run(), small(push_rules=PLATFORMS).run()
    assert list(fast.messages["outcome"]) == ["delivered"] * 4
    assert max(fast.messages["delivered_us"] - fast.messages["intent_us"]) < 6 * US_PER_S
    assert list(slow.messages["outcome"]) == ["waiting", "waiting", "delivered", "waiting"]
    assert len(slow.events["what"]) == 0


def test_a_short_message_comes_with_the_push_and_a_long_one_by_the_poll_after_it() -> None:
    world = small()
    truth, first = world.run(), len(world.nodes)
    pushed = {(end, message): value for end, message, value in events(truth, "pushed")}
    assert pushed[first + 1, 0] == pushed[first + 2, 1] == 558  # messages 2.4: a short text, as stored
    assert pushed[first + 2, 3] == -1
    assert sorted(events(truth, "push-subscribed")) == [(first + 1, -1, 1), (first + 2, -1, 1)]


def test_android_cannot_read_the_older_metadata_and_polls_all_the_same() -> None:
    world = small((Intent(24 * US_PER_S, 0, 1, "long " * 600),))
    truth = world.run()
    assert list(truth.messages["outcome"]) == ["delivered"]
    assert events(truth, "pushed") == []


def test_every_member_announces_over_the_connection_that_the_push_server_opened() -> None:
    world, records = small(TEXTS[:1]), MemoryRecords()
    world.run(records, frozenset(range(len(world.machines))))
    rows = records.table()
    (push,) = world.scene.servers["push"]
    reader = world.accounts[1]
    swarm = nearest_swarm(swarm_position(reader.id[1:]), world.nodes.swarm_ids)
    assert swarm is not None
    members = set(world.nodes.members[swarm])
    told = rows["head"] == HEADS.index("notify")
    assert set(rows["src"][told].tolist()) == members
    assert set(rows["dst"][told].tolist()) == {push}
    assert set(rows["note"][told] & CAUSE_MASK) == {int(Cause.PUSH)}
    assert set((rows["note"][told] >> REF_SHIFT).tolist()) == {1}  # for message 0
    shaken = (rows["head"] == HEADS.index("handshake")) & (rows["transport"] == Transport.OMQ)
    assert set(rows["src"][shaken & (rows["direction"] == 0)].tolist()) == {push}
    opened = set(zip(rows["dst"][shaken].tolist(), rows["conn"][shaken].tolist(), strict=True))
    assert set(zip(rows["src"][told].tolist(), rows["conn"][told].tolist(), strict=True)) <= opened


def test_the_platform_speaks_with_a_device_over_one_connection_in_classes_of_256_bytes() -> None:
    world, records = small(), MemoryRecords()
    world.run(records, frozenset(range(len(world.machines))))
    rows, device = records.table(), len(world.nodes) + 1
    (google,) = world.scene.servers["google"]
    theirs = ((rows["src"] == google) & (rows["dst"] == device)) | (
        (rows["src"] == device) & (rows["dst"] == google)
    )
    assert set(rows["transport"][theirs].tolist()) == {int(Transport.TLS)}
    assert len(set(rows["conn"][theirs].tolist())) == 1
    pushes = theirs & (rows["head"] == HEADS.index("push_delivery"))
    confirmed = theirs & (rows["direction"] == 1) & (rows["src"] == device) & (rows["head"] == 200)
    assert pushes.sum() == confirmed.sum() >= 2
    # Base64 of 24 + 16 bytes and a multiple of 256, in JSON.
    json_bytes = len('{"enc_payload":"","spns":"1"}')
    for size in rows["app_bytes"][pushes].tolist():
        sealed = (size - json_bytes) * 3 // 4
        assert min((sealed - 40 - k) % 256 for k in range(3)) == 0


def test_both_suites_give_the_same_records_and_events() -> None:
    found = []
    for suite in ("fast", "sodium"):
        world, records = small(suite=suite), MemoryRecords()
        truth = world.run(records, frozenset(range(len(world.machines))))
        found.append((records.table(), truth.events))
    (rows, happened), (other_rows, other) = found
    for name in rows:
        assert np.array_equal(rows[name], other_rows[name]), name
    for name in happened:
        assert np.array_equal(happened[name], other[name]), name


def test_all_devices_of_an_account_are_pushed_to() -> None:
    devices = (Device(0, 1, 1, "ios"), Device(0, 1, 2, "android"))
    world = small((*devices, TEXTS[0]))
    pushed = events(world.run(), "pushed")
    first = len(world.nodes)
    assert sorted(end for end, message, _ in pushed if message == 0) == [first + 1, first + 3, first + 4]


@pytest.mark.parametrize(
    "rules", [ServerRules(off=("push",)), ServerRules(push_in=()), ServerRules(off=("google", "apple"))]
)
def test_without_push_server_or_platforms_phones_hear_nothing_until_they_poll(rules: ServerRules) -> None:
    truth = small(server_rules=rules).run()
    assert list(truth.messages["outcome"]) == ["waiting", "waiting", "delivered", "waiting"]
    assert events(truth, "pushed") == []
    if rules.off != ("google", "apple"):
        assert {value for _, _, value in events(truth, "push-subscribed")} == {0}


def test_a_larger_share_of_fast_devices_only_adds_some() -> None:
    devices = tuple(Device(0, account, number, "ios") for account in (1, 2) for number in range(1, 20))
    fast: list[set[int]] = []
    for share in (0.25, 0.75):
        rules = {name: dataclasses.replace(one, fast_prob=share) for name, one in FAST.items()}
        rules["desktop"] = PLATFORMS["desktop"]
        world = small(devices, push_rules=rules, horizon_us=10 * US_PER_S)
        fast.append({end for end, _, value in events(world.run(), "push-subscribed") if value})
    assert fast[0] < fast[1]
    assert 4 <= len(fast[0]) <= 18 <= len(fast[1]) <= 38


def test_desktops_have_no_fast_mode_and_phones_need_their_platform() -> None:
    every = {name: dataclasses.replace(one, fast_prob=1.0) for name, one in PLATFORMS.items()}
    with pytest.raises(InvalidInput, match="desktops have no fast mode"):
        small(push_rules=every)
    with pytest.raises(InvalidInput, match=r"servers\.google_in"):
        small(server_rules=ServerRules(google_in=()))
