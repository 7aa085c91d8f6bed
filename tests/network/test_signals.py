"""Signals between devices over real nodes: who gets them, who gets copies, what a deletion leaves behind."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import CAUSE_MASK, Cause
from sessionsim.core.intents import (
    Call,
    CallSignal,
    Deletion,
    Device,
    Intent,
    MessageAt,
    Reaction,
    Receipt,
    Strangers,
    Typing,
    Wish,
)
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_MIN, US_PER_S
from sessionsim.network.approvals import Approved, approvals
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.rules import PLATFORMS as RULES
from sessionsim.protocol.snode import ServiceNode

PLATFORMS = ("android", "desktop", "ios")
S = US_PER_S
# Android (account 0) has a computer too, the desktop (1) a phone, the phone of account 2 is alone.
SECONDS = (Device(0, 0, 1, "desktop"), Device(0, 1, 1, "ios"))


def world_of(*wishes: Wish, seconds: int = 60, suite: str = "fast", **more: Any) -> World:
    return build(
        WorldSpec(
            date="2026-04-28", platforms=PLATFORMS, intents=wishes, horizon_us=seconds * S,
            measured=(0, seconds * S), seeds=Seeds(8), epoch_ms=1_790_000_000_000, limit_swarms=12,
            suite=suite, **more,
        )
    )  # fmt: skip


def outcomes(truth: Truth) -> list[tuple[str, str, str]]:
    return [
        (kind, outcome, reason)
        for kind, outcome, reason in zip(
            *(truth.messages[name].tolist() for name in ("kind", "outcome", "reason")), strict=True
        )
    ]


def copies(truth: Truth, ref: int, copy: str) -> list[str]:
    rows = (truth.deliveries["message"] == ref) & (truth.deliveries["copy"] == copy)
    return [str(outcome) for outcome in truth.deliveries["outcome"][rows]]


def test_receipts_reactions_and_typing_reach_all_devices_and_come_after_what_they_are_about() -> None:
    wishes: tuple[Wish, ...] = (
        *SECONDS,
        Typing(3 * S, 0, 1, 0, 0, "start"),
        Intent(5 * S, 0, 1, "hello", 0),
        Receipt(5 * S, 1, 0, (0,), device=1),
        Reaction(5 * S, 1, MessageAt("direct", 1, 0, 0), "😮"),
        Intent(30 * S, 1, 0, "thanks", 0),
    )
    truth = world_of(*wishes).run()
    assert {outcome for _, outcome, _ in outcomes(truth)} == {"delivered"}
    kinds = truth.messages["kind"].tolist()
    text, receipt, reaction, typing = (kinds.index(k) for k in ("text", "receipt", "reaction", "typing"))
    assert copies(truth, typing, "message") == ["delivered"] * 2
    assert copies(truth, typing, "sync") == ["delivered"]  # Android copies it to the own computer
    assert copies(truth, receipt, "message") == ["delivered"] * 2
    assert copies(truth, receipt, "sync") == []  # iOS does not
    assert copies(truth, reaction, "sync") == ["delivered"]
    for ref, device in ((receipt, 1), (reaction, 0)):
        assert truth.messages["device"][ref] == device
        seen = truth.deliveries["delivered_us"][
            (truth.deliveries["message"] == text)
            & (truth.deliveries["endpoint"] == _endpoint(truth, 1, device))
        ]
        assert truth.messages["stored_us"][ref] > seen[0] > 5 * S


def _endpoint(truth: Truth, account: int, number: int) -> int:
    rows = (truth.devices["account"] == account) & (truth.devices["number"] == number)
    return int(truth.devices["endpoint"][rows][0])


def test_typing_to_who_never_writes_back_is_refused_with_the_reason() -> None:
    truth = world_of(Typing(3 * S, 0, 2, 0, 0, "start"), Intent(5 * S, 0, 2, "hello", 0), seconds=20).run()
    assert outcomes(truth)[0] == ("typing", "refused", "not an approved contact")
    said = (Intent(0, 0, 2, "x"), Typing(0, 2, 0, 0, 0, "start"))
    assert approvals(said, 3) == (Approved(given={2}), Approved(), Approved(got={0}))


def test_who_calls_has_accepted_and_been_accepted_but_strangers_have_not() -> None:
    call = Call(0, 0, 1, 0, "missed", S, 0, ())
    assert approvals((call,), 2) == (Approved({1}, {1}), Approved({0}, {0}))
    met = (Strangers(0, 0, 1), Intent(0, 0, 1, "x"), call)
    assert approvals(met, 2) == (Approved(strangers={1}), Approved(strangers={0}))


def test_typing_that_is_not_fetched_within_its_lifetime_has_expired() -> None:
    back = Intent(2 * S, 2, 0, "hi", 0)
    slow = {**RULES, "ios": replace(RULES["ios"], poll_interval_us=5 * US_PER_MIN)}
    typing = Typing(30 * S, 0, 2, 0, 0, "start")
    truth = world_of(back, typing, seconds=55, client_rules=slow).run()
    assert outcomes(truth)[1] == ("typing", "expired", "not fetched in time")


def held_anywhere(world: World, message_hash: str) -> bool:
    return any(
        one.message.hash == message_hash
        for node in world.machines
        if isinstance(node, ServiceNode)
        for one in node.store.everything()
    )


@pytest.mark.parametrize("author", [0, 1, 2])
def test_a_deletion_leaves_nothing_in_either_swarm(author: int) -> None:
    other = (author + 1) % 3
    target = MessageAt("direct", other, author, 0)
    wishes = (*SECONDS, Intent(5 * S, author, other, "oops", 0), Deletion(20 * S, author, target))
    world = world_of(*wishes)
    truth = world.run()
    assert [outcome for _, outcome, _ in outcomes(truth)] == ["delivered"] * 2
    assert not held_anywhere(world, truth.messages["hash"][0])
    assert truth.messages["sync_hash"][0]
    assert not held_anywhere(world, truth.messages["sync_hash"][0])
    assert held_anywhere(world, truth.messages["hash"][1])


def test_another_own_device_deletes_what_the_first_one_wrote() -> None:
    target = MessageAt("direct", 2, 0, 0)
    wishes = (*SECONDS, Intent(5 * S, 0, 2, "oops", 0), Deletion(6 * S, 0, target, device=1))
    world = world_of(*wishes)
    truth = world.run()
    assert [outcome for _, outcome, _ in outcomes(truth)] == ["delivered"] * 2
    assert truth.messages["device"].tolist() == [0, 1]
    assert not held_anywhere(world, truth.messages["hash"][0])


SIGNALS = (
    CallSignal(0, True, "pre-offer", 0),
    CallSignal(300_000, True, "offer", 2000),
    CallSignal(800_000, True, "ice", 780),
    CallSignal(4 * S, False, "answer", 2000),
    CallSignal(4_500_000, False, "ice", 780),
    CallSignal(20 * S, True, "end", 0),
)


def test_a_call_is_set_up_on_the_device_that_rings_and_its_signals_are_copied_by_platform() -> None:
    call = Call(5 * S, 0, 1, 0, "answered", 4 * S, 16 * S, SIGNALS)
    truth = world_of(*SECONDS, call).run()
    assert outcomes(truth) == [("call", "delivered", "")] * 6
    assert truth.messages["sender"].tolist() == [0, 0, 0, 1, 1, 0]
    answered_on = truth.messages["device"][3]
    assert truth.messages["device"][4] == answered_on
    offer = (truth.deliveries["message"] == 1) & (truth.deliveries["copy"] == "message")
    first = np.argmin(truth.deliveries["delivered_us"][offer])
    assert truth.deliveries["endpoint"][offer][first] == _endpoint(truth, 1, int(answered_on))
    # Android copies each step; of the other account's devices the phone copies the answer, the computer none.
    sync = [len(copies(truth, ref, "sync")) for ref in range(6)]
    assert sync == [1, 1, 1, int(answered_on == 1), 0, 1]
    ms = truth.messages
    assert ms["stored_us"][3] > ms["delivered_us"][1]


def test_signals_have_a_cause_of_their_own_on_the_wire() -> None:
    wishes = (
        Intent(5 * S, 0, 1, "hello", 0),
        Receipt(9 * S, 1, 0, (0,)),
        Intent(24 * S, 1, 0, "hello", 0),
    )
    records = MemoryRecords()
    world = world_of(*wishes, seconds=25)
    world.run(records, watched=frozenset(world.scene.client_endpoints))
    causes: Counter[int] = Counter((records.table()["note"].astype(np.int64) & CAUSE_MASK).tolist())
    assert causes[Cause.SIGNAL] >= 2
    assert causes[Cause.MESSAGE] >= 2


def test_signals_are_the_same_under_both_suites() -> None:
    wishes: tuple[Wish, ...] = (
        *SECONDS,
        Typing(3 * S, 0, 1, 0, 0, "start"),
        Intent(5 * S, 0, 1, "hello", 0),
        Intent(5 * S, 1, 0, "hi", 0),
        Receipt(6 * S, 1, 0, (0,)),
        Reaction(6 * S, 1, MessageAt("direct", 1, 0, 0), "😮"),
        Call(8 * S, 0, 1, 0, "answered", 4 * S, 16 * S, SIGNALS),
        Deletion(20 * S, 0, MessageAt("direct", 1, 0, 0)),
    )
    runs = []
    for suite in ("fast", "sodium"):
        records = MemoryRecords()
        world = world_of(*wishes, seconds=40, suite=suite)
        truth = world.run(records, watched=frozenset(world.scene.client_endpoints))
        runs.append((truth, records.table()))
    (fast, fast_rows), (sodium, sodium_rows) = runs
    for name in ("t_sent_us", "t_recv_us", "src", "dst", "app_bytes", "wire_bytes", "note"):
        np.testing.assert_array_equal(fast_rows[name], sodium_rows[name], err_msg=name)
    for name, values in fast.deliveries.items():
        np.testing.assert_array_equal(values, sodium.deliveries[name], err_msg=name)
    assert set(fast.messages["outcome"]) == {"delivered"}
