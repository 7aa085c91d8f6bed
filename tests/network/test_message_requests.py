"""First contact over real nodes: the request, what is withheld until the yes, and what contacts say of it."""

from __future__ import annotations

import dataclasses

import pytest

from sessionsim.core.columns import CAUSE_MASK, Cause
from sessionsim.core.intents import (
    Acceptance,
    Device,
    Intent,
    MessageAt,
    Receipt,
    Refusal,
    Strangers,
    Typing,
    Wish,
)
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_S
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.configs.part import AccountConfigs
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.configs.contacts import Contact

S = US_PER_S
STRANGERS, REQUEST = Strangers(0, 0, 1), MessageAt("direct", 1, 0, 0)


def world_of(*wishes: Wish, seconds: int = 60, suite: str = "fast") -> World:
    return build(
        WorldSpec(
            date="2026-04-28", platforms=("desktop", "android", "ios"), intents=wishes,
            horizon_us=seconds * S, measured=(0, seconds * S), seeds=Seeds(8), epoch_ms=1_790_000_000_000,
            limit_swarms=12, suite=suite,
        )
    )  # fmt: skip


def fates(truth: Truth) -> list[tuple[str, str, str]]:
    columns = (truth.messages[name].tolist() for name in ("kind", "outcome", "reason"))
    return list(zip(*columns, strict=True))


def flags(world: World, account: int, other: int, number: int = 0) -> tuple[bool, bool] | None:
    """Give what a device's contacts say: whether the account has accepted the other one, and the reverse."""
    client = world.machines[world.endpoint_of[account, number]]
    assert isinstance(client, Client)
    (configs,) = [part for part in client.parts if isinstance(part, AccountConfigs)]
    contact = configs.held.contacts.get(world.accounts[other].id)
    return None if contact is None else (contact.approved, contact.approved_me)


def contact_of(world: World, account: int, other: int, number: int = 0) -> Contact | None:
    client = world.machines[world.endpoint_of[account, number]]
    assert isinstance(client, Client)
    (configs,) = [part for part in client.parts if isinstance(part, AccountConfigs)]
    return configs.held.contacts.get(world.accounts[other].id)


def name_of(world: World, account: int, other: int) -> str:
    client = world.machines[world.endpoint_of[account, 0]]
    assert isinstance(client, Client)
    (configs,) = [part for part in client.parts if isinstance(part, AccountConfigs)]
    contact = configs.held.contacts.get(world.accounts[other].id)
    return contact.name if contact is not None else ""


def test_a_request_is_made_accepted_and_then_everything_goes_both_ways() -> None:
    world = world_of(
        STRANGERS,
        Device(0, 1, 1, "desktop"),
        Typing(4 * S, 0, 1, 0, 0, "start"),
        Intent(5 * S, 0, 1, "hello?", 0),
        Receipt(9 * S, 1, 0, (0,)),
        Acceptance(12 * S - 1000, 1, 0, REQUEST),
        Intent(12 * S, 1, 0, "who is it?", 0),
        Typing(30 * S, 0, 1, 1, 0, "start"),
        Intent(31 * S, 0, 1, "me", 1),
        Receipt(40 * S, 1, 0, (1,)),
    )
    truth = world.run()
    assert fates(truth) == [
        ("typing", "refused", "not an approved contact"),
        ("text", "delivered", ""),
        ("receipt", "refused", "a request that was not accepted"),
        ("acceptance", "delivered", ""),
        ("text", "delivered", ""),
        ("typing", "delivered", ""),
        ("text", "delivered", ""),
        ("receipt", "delivered", ""),
    ]
    assert truth.messages["stored_us"][3] < truth.messages["stored_us"][4]  # the yes goes first
    assert truth.messages["sync_hash"][3]  # Android copies it
    for account, other in ((0, 1), (1, 0)):
        assert flags(world, account, other) == (True, True)
        assert name_of(world, account, other) == f"Client {other:06d}"
    assert flags(world, 1, 0, number=1) == (True, True)  # the other device has heard of it


def test_a_request_that_is_left_lying_stays_one() -> None:
    world = world_of(STRANGERS, Intent(5 * S, 0, 1, "hello?", 0), Intent(20 * S, 0, 1, "hello!", 1))
    truth = world.run()
    assert [outcome for _, outcome, _ in fates(truth)] == ["delivered"] * 2
    assert flags(world, 0, 1) == (True, False)
    assert flags(world, 1, 0) == (False, True)


def test_strangers_are_no_contacts_and_old_ties_with_one_side_are_old_requests() -> None:
    world = world_of(STRANGERS, Intent(50 * S, 0, 2, "hi", 0), Intent(59 * S, 0, 1, "hello?", 0))
    assert flags(world, 0, 1) is flags(world, 1, 0) is None
    assert flags(world, 0, 2) == (True, False)
    assert flags(world, 2, 0) == (False, True)


def test_two_who_write_at_once_need_no_yes() -> None:
    world = world_of(
        STRANGERS,
        Intent(5 * S, 0, 1, "hello?", 0),
        Acceptance(5 * S, 1, 0, REQUEST),
        Intent(5 * S, 1, 0, "hello?", 0),
    )
    truth = world.run()
    assert sorted(fates(truth)) == [
        ("acceptance", "refused", "no open request"), ("text", "delivered", ""), ("text", "delivered", "")
    ]  # fmt: skip
    assert flags(world, 0, 1) == flags(world, 1, 0) == (True, True)


def test_a_yes_to_what_never_came_is_refused() -> None:
    truth = world_of(STRANGERS, Acceptance(5 * S, 1, 0, REQUEST), seconds=10).run()
    assert fates(truth) == [("acceptance", "refused", "what it is about never came")]


# --- no -----------------------------------------------------------------------------------------------------

TEXTS = (Intent(5 * S, 0, 1, "hello?", 0), Intent(60 * S, 0, 1, "hello!", 1))


def no(blocks: bool) -> Refusal:
    return Refusal(20 * S, 1, 0, REQUEST, blocks)


def test_a_declined_stranger_is_no_contact_and_asks_anew_with_the_next_text() -> None:
    first = world_of(STRANGERS, TEXTS[0], no(False))
    assert fates(first.run()) == [("text", "delivered", ""), ("refusal", "delivered", "")]
    assert contact_of(first, 1, 0) is None
    assert flags(first, 0, 1) == (True, False)  # who asked hears nothing
    world = world_of(STRANGERS, TEXTS[0], no(False), TEXTS[1], seconds=90)
    assert [outcome for _, outcome, _ in fates(world.run())] == ["delivered"] * 3
    assert flags(world, 1, 0) == (False, True)


def test_what_a_blocked_stranger_writes_is_dropped_by_every_device_and_accounted_for() -> None:
    late = (Typing(50 * S, 0, 1, 1, 0, "start"), TEXTS[1], Receipt(70 * S, 1, 0, (1,)))
    world = world_of(STRANGERS, Device(0, 1, 1, "desktop"), TEXTS[0], no(True), *late, seconds=90)
    truth = world.run()
    assert fates(truth) == [
        ("text", "delivered", ""),
        ("refusal", "delivered", ""),
        ("typing", "refused", "not an approved contact"),
        ("text", "refused", "its reader has blocked its writer"),
        ("receipt", "refused", "what it is about never came"),
    ]
    for number in (0, 1):
        contact = contact_of(world, 1, 0, number)
        assert contact is not None
        assert (contact.approved, contact.approved_me, contact.blocked) == (False, False, True)
    dropped = truth.events["endpoint"][truth.events["what"] == "dropped"].tolist()
    assert sorted(dropped) == sorted(world.endpoint_of[1, number] for number in (0, 1))
    assert flags(world, 0, 1) == (True, False)


def test_a_device_that_has_not_heard_of_the_block_shows_the_text() -> None:
    """The text and the push of the contacts cross, so the other device may be told too late, not never."""
    soon = Intent(20 * S + 100_000, 0, 1, "hello!", 1)
    world = world_of(STRANGERS, Device(0, 1, 1, "desktop"), TEXTS[0], no(True), soon, seconds=90)
    truth = world.run()
    assert fates(truth)[2] == ("text", "delivered", "")
    rows = [
        (int(end), str(outcome))
        for ref, end, outcome in zip(
            *(truth.deliveries[name].tolist() for name in ("message", "endpoint", "outcome")), strict=True
        )
        if ref == 2
    ]
    assert rows == [(world.endpoint_of[1, 0], "refused"), (world.endpoint_of[1, 1], "delivered")]


@pytest.mark.parametrize("blocks", [False, True])
def test_a_no_is_a_push_of_contacts_and_nothing_in_the_swarm_of_who_asked(blocks: bool) -> None:
    def stores(*wishes: Wish) -> dict[Cause, int]:
        world, records = world_of(STRANGERS, TEXTS[0], *wishes, seconds=60), MemoryRecords()
        end = world.endpoint_of[1, 0]
        world.run(records, frozenset([end]))
        rows = records.table()
        mine = (rows["src"] == end) & (rows["direction"] == 0) & (rows["t_sent_us"] >= 20 * S)
        causes = (rows["note"][mine] & CAUSE_MASK).tolist()
        return {cause: causes.count(int(cause)) for cause in (Cause.CONFIG, Cause.SIGNAL, Cause.MESSAGE)}

    assert stores() == {Cause.CONFIG: 0, Cause.SIGNAL: 0, Cause.MESSAGE: 0}
    assert stores(no(blocks)) == {Cause.CONFIG: 1, Cause.SIGNAL: 0, Cause.MESSAGE: 0}


@pytest.mark.parametrize("blocks", [False, True])
def test_a_no_to_whom_one_has_written_is_refused(blocks: bool) -> None:
    world = world_of(STRANGERS, TEXTS[0], Intent(10 * S, 1, 0, "yes?", 0), no(blocks))
    assert fates(world.run())[2] == ("refusal", "refused", "no open request")
    assert flags(world, 1, 0) == (True, True)


def test_in_bulk_or_poll_by_poll_a_block_has_the_same_outcomes_and_records() -> None:
    def told(how: str) -> list[object]:
        world = world_of(STRANGERS, Device(0, 1, 1, "desktop"), TEXTS[0], no(True), TEXTS[1], seconds=90)
        world = build(dataclasses.replace(world.spec, idle_polls=how))
        records = MemoryRecords()
        truth = world.run(records, frozenset([world.endpoint_of[1, 0]]))
        rows = records.table()
        return [fates(truth), truth.messages["stored_us"].tolist(), *(rows[name].tolist() for name in rows)]

    assert told("bulk") == told("each")
