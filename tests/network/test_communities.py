"""Rooms through a small world: posts over onion paths, shown to their readers; and servers that are off."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import CAUSE_MASK, HEADS, Cause
from sessionsim.core.intents import Device, File, Post, Reader
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_S
from sessionsim.network.servers import ServerRules
from sessionsim.network.world import World, WorldSpec, build

READERS = tuple(Reader(0, account, room) for room in (0, 1) for account in (0, 1, 2))
POSTS = tuple(
    Post((20 + k) * US_PER_S, k, room, f"post {k} in {room}", 0) for k in range(3) for room in (0, 1)
)
VOICE = File("voice", 4_000)


def small(intents: tuple[Any, ...] = (*READERS, *POSTS), suite: str = "fast", **changed: Any) -> World:
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
    )
    return build(dataclasses.replace(spec, **changed))


def delivered(truth: Truth) -> set[tuple[int, int, str]]:
    table = truth.deliveries
    columns = (table[name].tolist() for name in ("message", "account", "outcome"))
    return set(zip(*columns, strict=True))


def test_every_post_reaches_every_other_reader_of_its_room_within_a_poll() -> None:
    truth = small().run()
    assert list(truth.messages["kind"]) == ["post"] * 6
    assert list(truth.messages["outcome"]) == ["delivered"] * 6
    expected = {
        (ref, account, "delivered") for ref in range(6) for account in range(3) if account != ref // 2
    }
    assert delivered(truth) == expected
    took = truth.deliveries["delivered_us"] - truth.messages["intent_us"][truth.deliveries["message"]]
    assert took.max() < 14 * US_PER_S  # the desktop's 10 s, two onion round trips


def test_the_community_sees_pseudonyms_and_last_hops_and_no_account() -> None:
    world, records = small(), MemoryRecords()
    world.run(records, frozenset(range(len(world.machines))), keep_bytes=True)
    rows, (server,) = records.table(), world.scene.servers["community"]
    asked = (rows["dst"] == server) & (rows["head"] == HEADS.index("lsrpc/v4"))
    assert asked.sum() > 20
    assert np.all(rows["src"][asked] < len(world.nodes))
    assert set((rows["note"][asked] & CAUSE_MASK).tolist()) == {int(Cause.COMMUNITY)}
    community = world.machines[server].held_hashes.__self__  # type: ignore[attr-defined]
    authors = {post.author for room in community.state.rooms.values() for post in room.posts.values()}
    assert len(authors) == 3
    assert all(author.startswith("15") for author in authors)
    assert not authors & {account.id_hex for account in world.accounts}


def test_both_suites_give_the_same_records_and_truth() -> None:
    found = []
    for suite in ("fast", "sodium"):
        world, records = small(suite=suite), MemoryRecords()
        truth = world.run(records, frozenset(range(len(world.machines))))
        found.append((records.table(), truth.messages["stored_us"], truth.deliveries["delivered_us"]))
    (rows, *times), (other_rows, *other) = found
    for name in rows:
        assert np.array_equal(rows[name], other_rows[name]), name
    for mine, theirs in zip(times, other, strict=True):
        assert np.array_equal(mine, theirs)


def test_files_of_posts_are_fetched_from_the_room() -> None:
    posts = tuple(dataclasses.replace(post, files=(VOICE,)) for post in POSTS)
    truth = small((*READERS, *posts)).run()
    assert list(truth.messages["outcome"]) == ["delivered"] * 6
    happened = list(zip(truth.events["what"], truth.events["value"], strict=True))
    assert happened.count(("file-uploaded", 4_000)) == 6
    assert happened.count(("post-fetched", 200)) == 12


def test_a_further_device_shows_the_posts_of_its_account_too() -> None:
    truth = small((Device(0, 0, 1, "ios"), *READERS, *POSTS[:1])).run()
    assert {(account, outcome) for _, account, outcome in delivered(truth)} == {
        (0, "delivered"), (1, "delivered"), (2, "delivered")
    }  # fmt: skip


@pytest.mark.parametrize("rules", [ServerRules(off=("community",)), ServerRules(community_in=())])
def test_without_its_server_a_post_is_refused_or_waits_with_its_sender(rules: ServerRules) -> None:
    truth = small(server_rules=rules).run()
    assert delivered(truth) == {(ref, a, o) for ref, a, o in delivered(truth) if o != "delivered"}
    outcomes = dict(zip(truth.messages["sender"].tolist(), truth.messages["outcome"], strict=True))
    assert outcomes == {0: "refused", 1: "waiting", 2: "waiting"}  # phones try for minutes
    assert truth.messages["reason"][0] == "status 502"


def test_rooms_are_dealt_out_to_several_servers_that_are_polled_apart() -> None:
    world, records = small(server_rules=ServerRules(community_in=("DE", "JP"))), MemoryRecords()
    truth = world.run(records, frozenset(range(len(world.machines))))
    assert list(truth.messages["outcome"]) == ["delivered"] * 6
    rows = records.table()
    for server in world.scene.servers["community"]:
        assert ((rows["dst"] == server) & (rows["head"] == HEADS.index("lsrpc/v4"))).sum() > 10


def test_who_reads_no_room_polls_no_community() -> None:
    world, records = small((*READERS[:2], POSTS[0])), MemoryRecords()
    truth = world.run(records, frozenset(range(len(world.machines))))
    assert delivered(truth) == {(0, 1, "delivered")}
    rows, outsider = records.table(), len(world.nodes) + 2
    notes = rows["note"][(rows["src"] == outsider) | (rows["dst"] == outsider)]
    assert int(Cause.COMMUNITY) not in set((notes & CAUSE_MASK).tolist())
