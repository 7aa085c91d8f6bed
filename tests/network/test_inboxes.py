"""First contact through a community: asked under pseudonyms, answered from account to account."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import CAUSE_MASK, Cause
from sessionsim.core.intents import Acceptance, Device, InboxText, Intent, MessageAt, Reader, Strangers
from sessionsim.core.records import MemoryRecords
from sessionsim.core.units import US_PER_S
from sessionsim.network.servers import ServerRules
from sessionsim.protocol.client.configs.part import AccountConfigs
from sessionsim.protocol.client.machine import Client
from tests.network.test_communities import small

S = US_PER_S
READERS = (Reader(0, 0, 0), Reader(0, 1, 0))
MEET = (Strangers(0, 0, 1), *READERS, InboxText(15 * S, 0, 1, 0, "was that you?", 0))
YES = Acceptance(30 * S, 1, 0, MessageAt("inbox", 1, 0, 0))


def fates(truth: Any) -> list[tuple[str, str, str]]:
    columns = (truth.messages[name].tolist() for name in ("kind", "outcome", "reason"))
    return list(zip(*columns, strict=True))


def flags(world: Any, account: int, other: int) -> tuple[bool, bool] | None:
    client = world.machines[world.endpoint_of[account, 0]]
    assert isinstance(client, Client)
    (configs,) = [part for part in client.parts if isinstance(part, AccountConfigs)]
    contact = configs.held.contacts.get(world.accounts[other].id)
    return None if contact is None else (contact.approved, contact.approved_me)


def test_a_pseudonym_is_asked_says_yes_and_is_written_to_as_an_account() -> None:
    device = Device(0, 0, 1, "ios")
    world = small((device, *MEET, YES, Intent(45 * S, 0, 1, "it was me", 0)))
    truth = world.run()
    assert fates(truth) == [
        ("inbox-text", "delivered", ""), ("acceptance", "delivered", ""), ("text", "delivered", "")
    ]  # fmt: skip
    copies = truth.deliveries["copy"][truth.deliveries["message"] == 0]
    assert sorted(copies.tolist()) == ["message", "sync"]  # the writer's phone reads the outbox
    assert set(truth.deliveries["outcome"].tolist()) == {"delivered"}
    assert flags(world, 0, 1) == flags(world, 1, 0) == (True, True)


def test_until_the_yes_the_writer_knows_no_account() -> None:
    world = small(MEET)
    truth = world.run()
    assert fates(truth) == [("inbox-text", "delivered", "")]
    assert flags(world, 0, 1) is None
    assert flags(world, 1, 0) == (False, True)
    assert truth.messages["recipient"].tolist() == [1]


def test_a_server_that_is_off_gives_no_answer() -> None:
    world = small((*MEET, YES), server_rules=ServerRules(off=("community",)))
    (mail, yes) = fates(world.run())
    assert mail[1] in ("refused", "waiting")
    assert (
        yes[1] == mail[1] if mail[1] == "waiting" else yes[1:] == ("refused", "what it is about never came")
    )


def test_it_passes_as_what_a_community_is_asked_and_goes_to_no_swarm() -> None:
    world, records = small(MEET), MemoryRecords()
    truth = world.run(records, frozenset(range(len(world.machines))))
    rows = records.table()
    noted = (rows["note"].astype(np.int64) & CAUSE_MASK) == int(Cause.COMMUNITY)
    assert noted.sum() > 0
    assert not ((rows["note"].astype(np.int64) & CAUSE_MASK) == int(Cause.MESSAGE)).any()
    assert truth.messages["attempts"].tolist() == [1]


@pytest.mark.parametrize("suite", ["fast", "sodium"])
def test_both_suites_tell_the_same(suite: str) -> None:
    truth = small((*MEET, YES), suite=suite).run()
    assert [outcome for _, outcome, _ in fates(truth)] == ["delivered", "delivered"]
