"""How long a store takes: up the path, the slowest member of the swarm, and back (client-behaviour 7.3).

    store = four links up + max over the members (one round trip each) + four links down

Nodes take no time for their work here, so the law holds to the microsecond. It is read off the rows of all
links. With a silent member the middle term is the five seconds that a node waits at most.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import HEADS, Cause, split_note
from sessionsim.core.intents import Intent
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_S
from sessionsim.network.faults import KINDS, Fault
from sessionsim.network.world import WorldSpec, build

S = US_PER_S
TEXTS = 18
NAMES = ("desktop", "android", "ios")
CAP_US = 5 * S  # Source: transport 5.5
CC, RELAY = HEADS.index("sn.storage_cc"), HEADS.index("sn.onion_request")
CLIENT = HEADS.index("onion_req")


def stores(faults: tuple[Fault, ...] = ()) -> tuple[Any, Any, dict[str, np.ndarray]]:
    """Run with every link watched; give world, truth and rows."""
    texts = tuple(Intent((20 + 5 * k) * S, k % 3, (k + 1 + k % 2) % 3, f"text {k}") for k in range(TEXTS))
    horizon_us = (60 + 5 * TEXTS) * S
    world = build(
        WorldSpec(
            date="2026-04-28", platforms=NAMES, intents=texts, horizon_us=horizon_us,
            measured=(0, horizon_us), seeds=Seeds(8), epoch_ms=1_777_377_600_000, limit_swarms=12,
            faults=faults,
        )
    )  # fmt: skip
    records = MemoryRecords()
    truth = world.run(records, frozenset(range(len(world.machines))))
    return world, truth, records.table()


class Store:
    """The rows of one store, made in one attempt. Args: rows: of all; ref: its message."""

    def __init__(self, rows: dict[str, np.ndarray], ref: int) -> None:
        cause, of = split_note(rows["note"])
        mine, ours = (of == ref) & (cause == Cause.MESSAGE), (of == ref) & (cause == Cause.REPLICATION)
        onward = mine & (rows["direction"] == 0) & np.isin(rows["head"], (CLIENT, RELAY))
        self.up_us = rows["t_recv_us"][onward] - rows["t_sent_us"][onward]
        self.begun_us = int(rows["t_sent_us"][onward].min())
        self.reached_us = int(rows["t_recv_us"][onward].max())
        (arrival,) = np.flatnonzero(onward & (rows["t_recv_us"] == self.reached_us))
        self.keeper = int(rows["dst"][arrival])
        # The copy for the own account has replicas of its own, later and mostly elsewhere.
        forwards = ours & (rows["src"] == self.keeper) & (rows["head"] == CC)
        forwards &= rows["t_sent_us"] == self.reached_us
        self.members = set(rows["dst"][forwards].tolist())
        exchanges = rows["exchange"][forwards]
        told = ours & (rows["direction"] == 1) & (rows["dst"] == self.keeper)
        told &= np.isin(rows["exchange"], exchanges)
        self.told_us = rows["t_recv_us"][told]
        down = mine & (rows["direction"] == 1)
        self.down_us = rows["t_recv_us"][down] - rows["t_sent_us"][down]
        back = (rows["direction"] == 1) & (rows["exchange"] == rows["exchange"][arrival])
        back &= (rows["src"] == self.keeper) & (rows["dst"] == rows["src"][arrival])
        (self.left_us,) = rows["t_sent_us"][back & (rows["t_sent_us"] >= self.reached_us)].tolist()


@pytest.fixture(scope="module")
def healthy() -> tuple[Any, Any, dict[str, np.ndarray]]:
    return stores()


def test_a_store_is_its_path_and_its_slowest_member(healthy: tuple[Any, Any, dict[str, np.ndarray]]) -> None:
    world, truth, rows = healthy
    messages = truth.messages
    assert list(messages["outcome"]) == ["delivered"] * TEXTS
    assert set(messages["attempts"].tolist()) == {1}
    slowest = []
    for ref in range(TEXTS):
        store = Store(rows, ref)
        assert len(store.up_us) == len(store.down_us) == 4
        swarm = next(members for members in world.nodes.members.values() if store.keeper in members)
        assert store.members == set(swarm) - {store.keeper}
        assert len(store.told_us) == len(store.members)
        # It answers when the last member has, and neither before nor later.
        assert store.left_us == store.told_us.max()
        waited_us = store.left_us - store.reached_us
        assert 0 < waited_us < CAP_US
        expected_us = store.up_us.sum() + waited_us + store.down_us.sum()
        assert messages["stored_us"][ref] == store.begun_us + expected_us
        slowest.append(waited_us)
    # Members far away are what a store waits for: swarms spread over two continents.
    assert 50_000 < np.median(slowest) < 400_000


@pytest.mark.parametrize("answer", ["refused", "silent"])
def test_it_waits_five_seconds_for_a_member_that_does_not_answer(answer: str) -> None:
    """OxenMQ tells nobody that a member has died, whichever way it did."""
    dead = Fault("dead", "crash", KINDS["crash"](by="per-swarm", count=1, answer=answer))
    world, truth, rows = stores((dead,))
    capped = 0
    for ref in range(TEXTS):
        if truth.messages["attempts"][ref] == 1 and truth.messages["stored_us"][ref] >= 0:
            store = Store(rows, ref)
            assert store.left_us == store.reached_us + CAP_US
            assert len(store.told_us) == len(store.members) - 1
            capped += 1
    # Dead nodes stand on paths too, so many stores take more than one attempt.
    assert capped >= 3
    assert len(world.nodes.members) == 12
