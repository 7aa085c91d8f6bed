"""Idle polls in bulk beside what nodes do by themselves: pushes, retries and transfers keep their numbers.

A poll that extends configs makes the asked node pass it on to its swarm. In bulk that is not carried out, and
must shift neither the exchange numbers under which the node tells push servers of messages, nor those that
the delays of its own later exchanges are drawn by.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sessionsim.core.columns import HEAD_CODE
from sessionsim.core.intents import ConfigChange, order_of
from sessionsim.core.units import US_PER_MIN, US_PER_S
from sessionsim.network.faults import Fault
from sessionsim.network.faults.kinds import KINDS
from sessionsim.network.world import WorldSpec, build
from sessionsim.protocol.client.push import PLATFORMS
from sessionsim.protocol.snode import ServiceNode
from tests.network.test_trains import assert_same_records, assert_same_truth, run, spec

S = US_PER_S
FAST = {name: replace(rules, fast_prob=float(name != "desktop")) for name, rules in PLATFORMS.items()}
CHANGES = tuple(ConfigChange((10 + k) * S, k, "profile", "name", 1) for k in range(6))


def pushed(seed: int, *faults: Fault) -> WorldSpec:
    plain = spec(seed, 8)
    wishes = tuple(sorted((*plain.intents, *CHANGES), key=order_of))
    minutes = 6
    return replace(
        plain, intents=wishes, horizon_us=minutes * US_PER_MIN, measured=(0, minutes * US_PER_MIN),
        push_rules=FAST, faults=faults,
    )  # fmt: skip


def test_a_watched_push_server_sees_the_same_in_bulk() -> None:
    given = pushed(3)
    push = frozenset(build(given).scene.servers["push"])
    each, bulk = (run(given, how, push) for how in ("each", "bulk"))
    rows = each[2]
    told = rows["head"][rows["direction"] == 0] == HEAD_CODE["notify"]
    assert told.sum() > 20
    assert_same_truth(each[1], bulk[1])
    assert_same_records(each[2], bulk[2])
    assert bulk[0].trains is not None
    assert bulk[0].trains.polls > 100


def test_what_nodes_repeat_after_a_silence_comes_at_the_same_times_in_bulk() -> None:
    """A member that hung gets later what it has missed, and whoever asks it next reads it then."""
    hang: Any = KINDS["hang"]
    fault = Fault("hang", "hang", hang(at_us=20 * S, lasts_us=100 * S, share_prob=0.3))
    given = pushed(4, fault)
    each, bulk = (run(given, how) for how in ("each", "bulk"))
    numbers = []
    for world in (each[0], bulk[0]):
        kept = [node._upkeep._retries for node in world.machines if isinstance(node, ServiceNode)]
        assert sum(one._count for one in kept if one is not None) > 5
        numbers.append([next(one._numbers) for one in kept if one is not None])
    assert numbers[0] == numbers[1]  # delays of repetitions are drawn by them
    assert_same_truth(each[1], bulk[1])
    assert bulk[0].trains is not None
    assert bulk[0].trains.polls > 100


@pytest.mark.parametrize("seed", [3, 5, 7])
def test_a_sequence_that_goes_on_behind_a_silent_member_takes_as_long_in_bulk(seed: int) -> None:
    """What comes second in a push of configs goes out when the first has waited for a member in vain."""
    plain = pushed(seed)
    again = tuple(ConfigChange((60 + k) * S, k, "profile", "name", 2) for k in range(6))
    crash: Any = KINDS["crash"]
    silent = crash(at_us=60 * S, lasts_us=6 * S, by="per-swarm", count=1, answer="silent")
    given = replace(
        plain, intents=tuple(sorted((*plain.intents, *again), key=order_of)),
        faults=(Fault("silent", "crash", silent),), horizon_us=100 * S, measured=(0, 100 * S),
    )  # fmt: skip
    each, bulk = (run(given, how) for how in ("each", "bulk"))
    assert_same_truth(each[1], bulk[1])
    stored_us = each[1].messages["stored_us"][each[1].messages["kind"] == "config-change"]
    assert any(66 * S < t_us < 90 * S for t_us in stored_us)
    assert bulk[0].trains is not None
    assert bulk[0].trains.polls > 80
