"""Reactions to and deletions of what stands in groups and rooms, over real nodes and servers."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.core.intents import (
    Deletion,
    Device,
    Group,
    GroupText,
    MessageAt,
    Post,
    Reaction,
    Reader,
    Wish,
)
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_S
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.snode import ServiceNode

S = US_PER_S
GROUP = Group(0, 0, 5, (0, 1, 2), "club")  # account 0 is its admin
SAID = MessageAt("group", 5, 1, 0)
POSTED = MessageAt("room", 3, 1, 0)


def world_of(*wishes: Wish, seconds: int = 60) -> World:
    return build(
        WorldSpec(
            date="2026-04-28", platforms=("android", "desktop", "ios"), intents=wishes,
            horizon_us=seconds * S, measured=(0, seconds * S), seeds=Seeds(8), epoch_ms=1_790_000_000_000,
            limit_swarms=12,
        )
    )  # fmt: skip


def outcomes(truth: Truth) -> list[tuple[str, str]]:
    return list(zip(truth.messages["kind"].tolist(), truth.messages["outcome"].tolist(), strict=True))


def copies(truth: Truth, ref: int) -> list[str]:
    return [str(one) for one in truth.deliveries["outcome"][truth.deliveries["message"] == ref]]


def held_anywhere(world: World, message_hash: str) -> bool:
    return any(
        one.message.hash == message_hash
        for node in world.machines
        if isinstance(node, ServiceNode)
        for one in node.store.everything()
    )


def test_reactions_in_a_group_reach_every_member_and_the_own_other_device() -> None:
    wishes = (
        GROUP, Device(0, 2, 1, "desktop"), GroupText(5 * S, 1, 5, "hello", 0),
        Reaction(5 * S, 2, SAID, "😮"), Reaction(30 * S, 2, SAID, "😮", removed=True),
    )  # fmt: skip
    truth = world_of(*wishes).run()
    assert outcomes(truth) == [
        ("group-text", "delivered"),
        ("reaction", "delivered"),
        ("reaction", "delivered"),
    ]
    assert copies(truth, 1) == copies(truth, 2) == ["delivered"] * 3  # of accounts 0 and 1, and the computer
    assert truth.messages["stored_us"][1] > truth.messages["delivered_us"][0]


@pytest.mark.parametrize("author", [0, 1])
def test_what_its_author_deletes_is_gone_from_the_groups_swarm_once_an_admin_knows(author: int) -> None:
    target = MessageAt("group", 5, author, 0)
    wishes = (GROUP, GroupText(5 * S, author, 5, "oops", 0), Deletion(20 * S, author, target))
    world = world_of(*wishes)
    truth = world.run()
    assert outcomes(truth) == [("group-text", "delivered"), ("deletion", "delivered")]
    assert not held_anywhere(world, truth.messages["hash"][0])
    assert held_anywhere(world, truth.messages["hash"][1])


def test_a_message_deleted_before_somebody_read_it_is_lost_with_the_reason() -> None:
    readers = (Reader(0, 0, 3), Reader(0, 1, 3))
    wishes = (*readers, Post(20 * S, 1, 3, "oops", 0), Deletion(20 * S, 1, POSTED))
    world = world_of(*wishes, seconds=120)
    truth = world.run()
    assert truth.messages["outcome"][1] == "delivered"
    assert (truth.messages["outcome"][0], truth.messages["reason"][0]) in [
        ("delivered", ""), ("lost", "deleted by its author"),
    ]  # fmt: skip


def test_reactions_and_deletions_in_a_room_are_the_servers() -> None:
    readers = tuple(Reader(0, account, 3) for account in range(3))
    wishes: tuple[Wish, ...] = (
        *readers, Post(20 * S, 1, 3, "hello", 0), Reaction(21 * S, 2, POSTED, "😮"),
        Reaction(60 * S, 2, POSTED, "😮", removed=True), Deletion(90 * S, 1, POSTED),
    )  # fmt: skip
    world = world_of(*wishes, seconds=130)
    machines: Any = world.machines
    truth = world.run()
    assert {outcome for _, outcome in outcomes(truth)} == {"delivered"}
    times = truth.messages["stored_us"].tolist()
    assert times == sorted(times)
    server = machines[world.scene.servers["community"][0]]
    assert list(server.held_hashes()) == []  # the post is gone


def test_a_room_that_is_not_read_takes_no_reaction() -> None:
    world = world_of(Reader(0, 1, 3), Post(5 * S, 1, 3, "x", 0))
    client: Any = world.machines[world.scene.client_endpoints[1]]
    effects = client.command(("room-react", 0, 9, "name", "😮", False), 5)
    assert ("failed", 0, "a room that is not read") in [effect[1:] for effect in effects]
