"""Groups and configs in whole worlds: real clients, real nodes, and every wish accounted for."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import CAUSE_MASK, REF_SHIFT, Cause
from sessionsim.core.intents import (
    ConfigChange,
    Device,
    File,
    Group,
    GroupAction,
    GroupText,
    Intent,
    Presence,
    order_of,
)
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_S
from sessionsim.network.kernels import HeapKernel
from sessionsim.network.world import World, WorldSpec, build

S = US_PER_S
PLATFORMS = ("desktop", "android", "ios", "desktop", "android", "ios")


def small(wishes: tuple[Any, ...], seconds: int = 90, **changed: Any) -> World:
    spec = WorldSpec(
        date="2026-04-28",
        platforms=PLATFORMS,
        intents=tuple(sorted(wishes, key=order_of)),
        horizon_us=seconds * S,
        measured=(0, seconds * S),
        seeds=Seeds(5),
        epoch_ms=1_777_377_600_000,
        limit_swarms=6,
    )
    return build(dataclasses.replace(spec, **changed))


STOOD = Group(0, 0, 0, tuple(range(6)), "everybody")
TEXTS = tuple(GroupText((5 + k) * S, k % 6, 0, f"text {k}", k // 6) for k in range(12))


def outcomes(truth: Truth) -> list[tuple[str, str]]:
    return list(zip(truth.messages["outcome"].tolist(), truth.messages["reason"].tolist(), strict=True))


def readers(truth: Truth, ref: int) -> list[int]:
    """Accounts with a device that was delivered a message."""
    rows = (truth.deliveries["message"] == ref) & (truth.deliveries["delivered_us"] >= 0)
    return sorted(set(truth.deliveries["account"][rows].tolist()))


def test_every_member_gets_every_text_once() -> None:
    truth = small((STOOD, *TEXTS)).run()
    assert outcomes(truth) == [("delivered", "")] * 12
    for ref, text in enumerate(TEXTS):
        assert readers(truth, ref) == [k for k in range(6) if k != text.sender]
    assert truth.deliveries["repeated"].sum() == 0
    assert len(truth.deliveries["message"]) == 12 * 5


STORY = (
    Group(0, 0, 0, (0, 1, 2), "three"),
    GroupText(5 * S, 1, 0, "of old", 0),
    GroupAction(8 * S, 0, 0, 0, "invite", (3, 4), history=True),
    GroupAction(9 * S, 3, 0, 1, "join"),
    GroupAction(10 * S, 4, 0, 2, "join"),
    GroupText(35 * S, 3, 0, "we are five", 0),
    GroupAction(50 * S, 0, 0, 3, "remove", (2,), rekey="removed"),
    GroupText(75 * S, 4, 0, "we are four", 0),
    GroupText(80 * S, 2, 0, "may I?", 0),
    GroupAction(85 * S, 0, 0, 4, "promote", (1,)),
    GroupAction(86 * S, 1, 0, 5, "rename", name="four"),
    GroupAction(120 * S, 3, 0, 6, "leave", rekey="left"),
    GroupText(150 * S, 1, 0, "we are three", 1),
    GroupAction(5 * S, 5, 1, 0, "create", (0, 2), "another"),
    GroupAction(30 * S, 2, 1, 1, "join"),
    GroupText(60 * S, 5, 1, "welcome", 0),
)  # fmt: skip


@pytest.fixture(scope="module")
def story() -> tuple[World, Truth]:
    world = small(STORY, 180)
    return world, world.run()


def refs(what: str) -> list[int]:
    ordered = [wish for wish in sorted(STORY, key=order_of) if not isinstance(wish, Group)]
    return [
        ref
        for ref, wish in enumerate(ordered)
        if what == (wish.body if isinstance(wish, GroupText) else wish.what)
    ]


def test_a_group_s_story_ends_as_it_should(story: tuple[World, Truth]) -> None:
    truth = story[1]
    found = outcomes(truth)
    (asked,) = refs("may I?")
    assert found[asked] == ("refused", "not a member")
    assert [one for ref, one in enumerate(found) if ref != asked] == [("delivered", "")] * 14
    assert readers(truth, refs("of old")[0]) == [0, 2, 3, 4]  # those invited read what is older
    assert readers(truth, refs("we are five")[0]) == [0, 1, 2, 4]
    assert readers(truth, refs("we are four")[0]) == [0, 1, 3]
    assert readers(truth, refs("we are three")[0]) == [0, 4]
    assert readers(truth, refs("welcome")[0]) == [2]


def test_who_came_later_reads_beyond_what_was_meant_for_it(story: tuple[World, Truth]) -> None:
    deliveries = story[1].deliveries
    of_old = deliveries["message"] == refs("of old")[0]
    copies = dict(
        zip(deliveries["account"][of_old].tolist(), deliveries["copy"][of_old].tolist(), strict=True)
    )
    assert copies == {0: "message", 2: "message", 3: "beyond", 4: "beyond"}


def test_both_suites_and_both_kernels_give_the_same_records() -> None:
    wishes = tuple(wish for wish in STORY if wish.t_us < 60 * S)
    found = []
    for changed, kernel in (({}, None), ({"suite": "sodium"}, None), ({}, HeapKernel())):
        world, records = small(wishes, 70, **changed), MemoryRecords()
        truth = world.run(records, frozenset(range(len(world.machines))), kernel=kernel)
        found.append((records.table(), truth.messages, truth.deliveries))
    for other in found[1:]:
        for mine, its in zip(found[0], other, strict=True):
            for name in mine:
                if name not in ("hash",):
                    assert np.array_equal(mine[name], its[name]), name


def test_rows_say_what_groups_and_configs_cause() -> None:
    wishes = (STOOD, *TEXTS, ConfigChange(9 * S, 1, "profile", "name", 0))
    world, records = small(wishes, 30), MemoryRecords()
    truth = world.run(records, frozenset(range(len(world.machines))))
    rows, first = records.table(), len(world.nodes)
    out = (rows["src"] >= first) & (rows["direction"] == 0) & (rows["exchange"] >= 0)
    causes = Counter((rows["note"][out] & CAUSE_MASK).tolist())
    assert causes[int(Cause.GROUP)] == 12
    assert causes[int(Cause.CONFIG)] == 1
    refs_of_texts = sorted(
        (rows["note"][out & (rows["note"] & CAUSE_MASK == int(Cause.GROUP))] >> REF_SHIFT).tolist()
    )
    kinds = truth.messages["kind"].tolist()
    assert [kinds[ref - 1] for ref in refs_of_texts] == ["group-text"] * 12


def test_files_of_a_group_text_are_uploaded_once_and_fetched_by_every_reader() -> None:
    text = GroupText(5 * S, 1, 0, "look", 0, (File("voice", 5_000),))
    world = small((STOOD, text), 60)
    truth = world.run()
    assert outcomes(truth) == [("delivered", "")]
    events = Counter(truth.events["what"].tolist())
    assert events == {"file-uploaded": 1, "file-fetched": 5}
    assert set(truth.events["message"].tolist()) == {0}


def test_devices_of_an_account_share_groups_and_configs() -> None:
    wishes = (
        Group(0, 0, 0, (0, 1), "two"),
        Device(0, 1, 1, "android"),
        GroupText(5 * S, 0, 0, "to both", 0),
        GroupText(6 * S, 1, 0, "from the second", 0, device=1),
        ConfigChange(7 * S, 1, "contacts", "contact", 0),
        ConfigChange(8 * S, 1, "profile", "avatar", 0, File("avatar", 4_000), device=1),
        Intent(3 * S, 0, 1, "hello"),
        ConfigChange(9 * S, 1, "conversations", "read", 0),
        GroupAction(20 * S, 0, 1, 0, "create", (1,), "three"),
        GroupAction(21 * S, 1, 1, 1, "join"),
        GroupText(60 * S, 0, 1, "all your devices", 0),
    )  # fmt: skip
    world = small(wishes, 90)
    truth = world.run()
    assert outcomes(truth) == [("delivered", "")] * 9
    bodies = [wish.body for wish in wishes if isinstance(wish, GroupText)]
    endpoints = {}
    for ref, kind in enumerate(truth.messages["kind"].tolist()):
        if kind == "group-text":
            rows = truth.deliveries["message"] == ref
            endpoints[bodies[len(endpoints)]] = sorted(truth.deliveries["endpoint"][rows].tolist())
    first = len(world.nodes)
    assert endpoints == {
        "to both": [first + 1, first + 6], "from the second": [first, first + 1],
        "all your devices": [first + 1, first + 6],
    }  # fmt: skip


def test_a_new_picture_is_fetched_once_by_every_device_of_those_who_read_its_owner() -> None:
    wishes = (
        Group(0, 0, 0, (0, 1, 2), "three"),
        Device(0, 1, 1, "ios"),
        ConfigChange(5 * S, 0, "profile", "avatar", 0, File("avatar", 4_000)),
        Intent(20 * S, 0, 1, "how do I look?"),
        GroupText(22 * S, 0, 0, "and you?", 0),
        Intent(40 * S, 0, 1, "well?"),
        Intent(45 * S, 3, 1, "hello"),  # has shown nothing new
    )
    world = small(wishes, 90)
    truth = world.run()
    assert outcomes(truth) == [("delivered", "")] * 5
    events = Counter(zip(truth.events["what"].tolist(), truth.events["value"].tolist(), strict=True))
    # Two devices of account 1, of which one may have it from the other's config, and account 2.
    assert events == {("picture-fetched", 200): 3}
    fetchers = truth.events["endpoint"][truth.events["what"] == "picture-fetched"]
    first = len(world.nodes)
    assert sorted(fetchers.tolist()) == [first + 1, first + 2, first + 6]


def test_members_who_are_offline_or_look_elsewhere_catch_up_when_they_are_back() -> None:
    wishes = (
        STOOD, *TEXTS,
        Presence(0, 1, 0, "online", True, 0), Presence(4 * S, 1, 0, "online", False, 1),
        Presence(40 * S, 1, 0, "online", True, 2),
        Presence(0, 2, 0, "foreground", True, 0), Presence(4 * S, 2, 0, "foreground", False, 1),
        Presence(45 * S, 2, 0, "foreground", True, 2),
        GroupAction(20 * S, 0, 0, 0, "rename", name="renamed meanwhile"),
        ConfigChange(21 * S, 1, "profile", "name", 0),
    )  # fmt: skip
    world = small(wishes)
    truth = world.run()
    assert outcomes(truth) == [("delivered", "")] * 14
    own = truth.deliveries["account"] == 1
    assert own.sum() == 10
    assert truth.deliveries["delivered_us"][own].min() > 40 * S
    written = truth.messages["sender"] == 1
    assert written.sum() == 3
    assert truth.messages["stored_us"][written].min() > 40 * S
    for ref in range(12):
        assert readers(truth, ref) == [k for k in range(6) if k != TEXTS[ref].sender]


def test_a_run_without_groups_has_none_of_their_parts() -> None:
    world = small((Intent(5 * S, 0, 1, "hello"),), 10)
    (client, *_) = world.machines[len(world.nodes) :]
    assert len(client.parts) == 2
    assert client.group_updates is None
    assert client.poll_extras == []


def test_idle_polls_in_bulk_change_nothing_for_members_of_groups() -> None:
    wishes = (Group(0, 0, 0, (0, 1, 2), "three"), *(text for text in TEXTS if text.sender < 3))
    found = []
    for idle_polls in ("each", "bulk"):
        world, records = small(wishes, 60, idle_polls=idle_polls), MemoryRecords()
        truth = world.run(records, frozenset(range(10)))
        found.append((records.table(), truth.messages, truth.deliveries))
    for mine, its in zip(*found, strict=True):
        for name in mine:
            assert np.array_equal(mine[name], its[name]), name
