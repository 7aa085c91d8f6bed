"""Nodes that stop and start, whose clock is wrong or whose disk is full; connected nodes of both versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sessionsim.core.units import US_PER_DAY, US_PER_MIN, US_PER_S
from sessionsim.protocol.wire import monitor
from sessionsim.protocol.wire.monitor import MonitorCall

Make = Callable[..., Any]
SECOND = 1 << 63


def start(make_world: Make, caller: Make, **changes: Any) -> Any:
    world = make_world(**changes)
    return caller(world, world.person(0))


def sent(world: Any, head: str) -> set[tuple[int, int]]:
    return {(row[1], row[2]) for row in world.log if row[3] == head}


def test_a_node_that_starts_again_serves_what_lay_on_its_disk(make_world: Make, caller: Make) -> None:
    by = start(make_world, caller)
    hashes = by.put(b"one", b"two")
    by.world.tell(3, "restart", False)
    by.world.run(60 * US_PER_S)
    assert [m["hash"] for m in by.ask(3, by.retrieve())[1]["messages"]] == hashes
    assert sent(by.world, "sn.data_ready") == set()


def test_a_node_that_lost_its_disk_asks_the_others_for_everything(make_world: Make, caller: Make) -> None:
    by = start(make_world, caller)
    hashes = by.put(b"one", b"two")
    by.world.tell(3, "restart", True)
    assert by.held(3) == []
    by.world.run(40 * US_PER_S)
    assert by.held(3) == sorted(hashes)
    assert sent(by.world, "sn.data_ready") == {(3, node) for node in (0, 1, 2, 4, 5, 6)}


def test_an_old_node_that_starts_again_hands_on_what_it_has_and_gets_nothing(
    make_world: Make, caller: Make
) -> None:
    by = start(make_world, caller, old=range(12))
    by.put(b"one")
    by.world.machines[5].store.clear()
    by.world.tell(5, "restart", True)
    by.world.tell(3, "restart", False)
    by.world.run(60 * US_PER_S)
    assert sent(by.world, "sn.data") == {(3, node) for node in (0, 1, 2, 4, 5, 6)}
    assert len(by.held(5)) == 1  # from node 3, which took itself for new


def test_what_was_under_way_when_it_stopped_is_forgotten(make_world: Make, caller: Make) -> None:
    by = start(make_world, caller)
    world = by.world
    world.silent = {4}
    world.answers.clear()
    payload, _ = world.onion([0, 1, 2, 3], b"x")
    world.put(0, 0, 77, "onion_req", payload)
    world.run(15_000)
    assert world.machines[0].pending == 1
    world.tell(0, "restart", False)
    assert world.machines[0].pending == 0
    world.run(60 * US_PER_S)
    assert world.answers == []  # the answer came back to a program that knows of no question
    # And it works on.
    assert by.put(b"after")


def test_what_a_node_owes_a_silent_member_outlives_its_restart_but_not_its_disk(
    make_world: Make, caller: Make
) -> None:
    for disk_lost in (False, True):
        by = start(make_world, caller)
        by.world.silent = by.world.unreachable = {3}
        hashes = by.put(b"one")
        by.world.tell(0, "restart", disk_lost)
        by.world.silent = by.world.unreachable = set()
        by.world.run(2 * US_PER_MIN)
        assert by.held(3) == ([] if disk_lost else hashes)


def test_revoked_tokens_are_gone_with_the_disk(make_world: Make, caller: Make) -> None:
    by = start(make_world, caller)
    group = caller(by.world, by.world.group(0))
    token = group.subaccount(3).asker.subaccount.token
    assert group.parts(0, group.revoke([token]))
    assert len(group.ask(3, group.revoked())[1]["revoked_subaccounts"]) == 1
    by.world.tell(3, "restart", False)
    assert len(group.ask(3, group.revoked())[1]["revoked_subaccounts"]) == 1
    by.world.tell(3, "restart", True)
    assert group.ask(3, group.revoked())[1]["revoked_subaccounts"] == []


@pytest.mark.parametrize(("ahead_s", "status"), [(59, 200), (61, 406), (-59, 200), (-61, 406), (0, 200)])
def test_a_wrong_clock_refuses_signatures_beyond_a_minute(
    make_world: Make, caller: Make, ahead_s: int, status: int
) -> None:
    by = start(make_world, caller)
    by.world.tell(0, "clock", ahead_s * US_PER_S)
    assert by.ask(0, by.retrieve())[0] == status
    assert by.ask(1, by.retrieve())[0] == 200
    by.world.tell(0, "clock", 0)
    assert by.ask(0, by.retrieve())[0] == 200


def test_the_clock_is_the_same_for_forwarded_and_batched_calls_and_subscriptions(
    make_world: Make, caller: Make
) -> None:
    by = start(make_world, caller)
    by.world.tell(3, "clock", 20 * US_PER_S)
    arrives_ms = by.world.now_ms + 10
    assert by.ask(3, by.store(b"one"))[1]["t"] == arrives_ms + 20_000
    # A message that lives ten seconds has expired for the node that is ahead, and is refused there.
    parts = by.parts(0, by.store(b"short", ttl_ms=10_000, age_ms=9_000))
    assert [node for node, part in parts.items() if part.failed] == [3]


def test_a_full_disk_keeps_what_there_is_and_takes_nothing_new(make_world: Make, caller: Make) -> None:
    by = start(make_world, caller)
    first = by.put(b"one")
    by.world.tell(3, "disk", True)
    second = by.put(b"two")
    assert by.held(3) == first
    assert by.held(4) == sorted(first + second)
    by.world.tell(3, "disk", False)
    third = by.put(b"three")
    assert by.held(3) == sorted(first + third)


def test_subscriptions_and_handed_on_messages_meet_the_same_clock(make_world: Make, caller: Make) -> None:
    by = start(make_world, caller)
    world = by.world
    by.put(b"one")
    stamp = world.now_ms // 1000
    signature = by.sign(monitor.signed_text(by.person.id, stamp, False, (0,)))
    call = MonitorCall(b"", by.person.ed.public, b"", b"", False, (0,), signature, stamp)
    # The time of a subscription may lie fourteen days back.
    for node, ahead_us in ((3, 2 * US_PER_DAY), (4, 15 * US_PER_DAY)):
        world.tell(node, "clock", ahead_us)
    asked = (2000, 1, 5, "monitor", monitor.write_call(call), world.now_us)
    answers = [monitor.read_answer(world.machines[node].receive(*asked)[0][5]) for node in (3, 4)]
    assert answers[0] == [0]
    assert answers[1] != [0]
    # Node 4 takes its own message to be over when it looks at what another hands on.
    world.machines[4].receive(1, 2, 6, "sn.data", b"\x01le", world.now_us)
    assert by.held(4) == []
    assert len(by.held(5)) == 1
