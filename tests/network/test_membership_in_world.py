"""Nodes come, go and move while real clients write: nothing that the rules keep is lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.core.intents import Intent
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_MIN
from sessionsim.network.kernels import HeapKernel
from sessionsim.network.membership import MembershipRules
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.rules import PLATFORMS

HORIZON = 2 * US_PER_DAY
SLOW = {name: replace(rules, poll_interval_us=30 * US_PER_MIN) for name, rules in PLATFORMS.items()}
SPEC = WorldSpec(
    date="2026-04-08",
    limit_swarms=8,
    platforms=("desktop", "android", "ios") * 2,
    intents=tuple(
        Intent((1 + k) * US_PER_DAY // 24, k % 6, (k + 1 + k % 4) % 6, f"text {k}") for k in range(44)
    ),
    horizon_us=HORIZON,
    measured=(0, HORIZON),
    seeds=Seeds(11),
    epoch_ms=1_777_000_000_000,
    client_rules=SLOW,
)
# As much as a real network sees in a month.
RATES = MembershipRules(mode="rates", joins_prob=0.15, leaves_prob=0.15, outages_prob=0.1)


def run(**changes: Any) -> tuple[World, dict[str, Any], dict[str, np.ndarray]]:
    kernel = changes.pop("kernel", None)
    world = build(replace(SPEC, **changes))
    records = MemoryRecords()
    truth = world.run(records, frozenset(range(len(world.machines))), kernel=kernel)
    return world, truth.messages, records.table()


@pytest.fixture(scope="module")
def lively() -> tuple[World, dict[str, Any], dict[str, np.ndarray]]:
    return run(membership=RATES)


def test_the_network_really_changes(lively: Any) -> None:
    world = lively[0]
    what = Counter[str]()
    for block in world.history.blocks:
        for name in ("created", "dissolved", "moved", "joined", "left"):
            what[name] += len(getattr(block.changed, name))
    assert what["joined"] > 8
    assert what["left"] > 8
    assert what["moved"] > 2


def test_machines_end_with_the_list_of_the_last_block(lively: Any) -> None:
    world = lively[0]
    last = world.history.blocks[-1].nodes
    off = [node for node in last.index.values() if world.host.trouble.crashed[node]]
    for node in last.index.values():
        if node not in off:
            assert world.machines[node]._nodes is last
    assert len(off) < 10


def test_every_message_has_an_account_and_most_arrive(lively: Any) -> None:
    outcomes = Counter(lively[1]["outcome"])
    assert sum(outcomes.values()) == len(SPEC.intents)
    assert outcomes["delivered"] >= 42


def test_every_member_of_a_swarm_holds_what_its_accounts_were_sent(lively: Any) -> None:
    world, messages, _ = lively
    last = world.history.blocks[-1].nodes
    hashes: dict[int, set[str]] = {}
    for recipient, hash_, stored in zip(
        messages["recipient"], messages["hash"], messages["stored_us"], strict=True
    ):
        # What was stored in the last half hour may be on its way still.
        if 0 <= stored < HORIZON - 30 * US_PER_MIN:
            hashes.setdefault(int(recipient), set()).add(hash_)
    for account, expected in hashes.items():
        id_ = world.accounts[account].id
        machine = world.machines[last.active[0]]
        machine._rpc.use(last)
        swarm = next(s for s, nodes in last.members.items() if world.machines[nodes[0]]._rpc.is_ours(id_))
        for node in last.members[swarm]:
            if not world.host.trouble.crashed[node]:
                held = {message.hash for message in world.machines[node].store.box(id_, 0)}
                assert expected <= held


def test_the_same_seed_gives_the_same_records_under_both_kernels(lively: Any) -> None:
    _, messages, rows = run(membership=RATES, kernel=HeapKernel())
    for name in rows:
        assert (rows[name] == lively[2][name]).all()
    for name in messages:
        assert list(messages[name]) == list(lively[1][name])


def test_a_network_that_stands_still_has_no_blocks_and_no_trouble() -> None:
    short = {"horizon_us": US_PER_DAY // 8, "measured": (0, US_PER_DAY // 8)}
    world, messages, _ = run(**short, intents=SPEC.intents[:1])
    assert world.history.blocks == ()
    assert world.host.trouble is None
    assert list(messages["outcome"]) == ["delivered"]
