"""Faults in whole worlds: the real machines live through them, the same way each time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import Intent
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_S
from sessionsim.network.faults import KINDS, Fault
from sessionsim.network.kernels import HeapKernel
from sessionsim.network.world import WorldSpec, build
from sessionsim.protocol.client.rules import PLATFORMS

S = US_PER_S
SPEC = WorldSpec(
    date="2026-04-28",
    limit_swarms=6,
    platforms=("desktop", "android", "ios", "desktop"),
    intents=tuple(Intent((5 + 2 * k) * S, k % 4, (k + 1) % 4, f"text {k}") for k in range(12)),
    horizon_us=90 * S,
    measured=(0, 90 * S),
    seeds=Seeds(7),
    epoch_ms=1_777_000_000_000,
)


def fault(kind: str, name: str = "x", **settings: Any) -> Fault:
    return Fault(name, kind, KINDS[kind](**settings))


def run(*faults: Fault, **changes: Any) -> tuple[Truth, Any, dict[str, np.ndarray]]:
    kernel = changes.pop("kernel", None)
    world = build(replace(SPEC, faults=faults, **changes))
    records = MemoryRecords()
    truth = world.run(records, frozenset(range(len(world.machines))), keep_bytes=True, kernel=kernel)
    return truth, world, records.table()


def outcomes(truth: Truth) -> Counter[str]:
    return Counter(truth.messages["outcome"])


def test_a_fault_that_never_comes_changes_nothing() -> None:
    _, world, quiet = run()
    assert world.host.trouble is None
    _, world, other = run(fault("crash", at_us=3600 * S))
    assert world.host.trouble is None
    # A plan with something harmless in it takes the longer way through the host to the same rows.
    _, world, longer = run(fault("disk-full", at_us=89 * S, lasts_us=1))
    assert world.host.trouble is not None
    for name in quiet:
        assert (quiet[name] == other[name]).all()
        assert (quiet[name] == longer[name]).all()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_same_seed_same_records_whatever_fails_and_under_both_kernels(kind: str) -> None:
    struck = {"by": "per-swarm", "count": 2, "at_us": 4 * S, "every_us": 20 * S, "lasts_us": 10 * S}
    truth, _, first = run(fault(kind, **struck))
    again, _, second = run(fault(kind, **struck), kernel=HeapKernel())
    for name in first:
        assert (first[name] == second[name]).all()
    for name in truth.messages:
        assert list(truth.messages[name]) == list(again.messages[name])
    _, _, quiet = run()
    assert len(quiet["src"]) != len(first["src"]) or (quiet["t_recv_us"] != first["t_recv_us"]).any()


def test_a_member_that_is_off_holds_a_store_up_for_five_seconds() -> None:
    intents = tuple(Intent((10 + 20 * k) * S, 1 + k % 3, 0, f"text {k}") for k in range(12))
    long = {"intents": intents, "horizon_us": 300 * S}
    off = fault("crash", by="swarm-of", client=0, count=1, answer="silent")
    for faults, low, high in (((), 0, 2 * S), ((off,), 5 * S, 7 * S)):
        messages = run(*faults, **long)[0].messages
        took = (messages["stored_us"] - messages["intent_us"])[messages["stored_us"] >= 0]
        assert len(took) >= 8  # some wait behind one whose path holds that member
        assert low < np.median(took) < high
        assert (took > low).all()


def test_disks_that_are_full_everywhere_refuse_with_a_reason() -> None:
    truth, _, _ = run(fault("disk-full", by="random"))
    assert outcomes(truth)["delivered"] == 0
    assert (truth.messages["stored_us"] < 0).all()
    assert outcomes(truth)["refused"] > 0


def test_clocks_a_quarter_of_a_minute_off_do_no_harm_and_two_minutes_do() -> None:
    assert outcomes(run(fault("clock", by="random", ahead_us=15 * S))[0]) == {"delivered": 12}
    wrong = fault("clock", by="random", ahead_us=120 * S)
    never = {name: replace(rules, clock_samples=0) for name, rules in PLATFORMS.items()}
    assert outcomes(run(wrong, client_rules=never)[0])["delivered"] == 0
    # Clients find out, and put their own clocks as wrong as those of the nodes.
    assert outcomes(run(wrong)[0]) == {"delivered": 12}


def test_a_fault_for_machines_that_are_not_there_is_refused_before_the_run() -> None:
    with pytest.raises(InvalidInput, match=r"faults\.x\.country"):
        build(replace(SPEC, faults=(fault("crash", by="country", country="ZZ"),)))
