"""Configs under the device group's keys (hole H9, what if): what thieves and an archive of the swarm read.

One account of version 2 renames itself every ten minutes; its keys live for twenty minutes and are kept for
half an hour more, the device's own keys for twenty minutes. Somebody takes the words, or copies the device,
after an hour and a half.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sessionsim.adversary import deduce, observe
from sessionsim.core.intents import ConfigChange
from sessionsim.core.ledger import Relation
from sessionsim.core.records import MemoryRecords
from sessionsim.core.scene import Position, Taking
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_MIN
from sessionsim.network.version2 import V2People, Version2
from sessionsim.network.world import WorldSpec, build
from sessionsim.protocol.client.rules import PLATFORMS
from sessionsim.protocol.v2 import V2Rules

THEFT_US, HORIZON_US = 90 * US_PER_MIN, 130 * US_PER_MIN
RULES = V2Rules(
    device_key_period_us=20 * US_PER_MIN,
    device_key_jitter_us=0,
    device_key_retention_us=0,
    account_key_period_us=20 * US_PER_MIN,
    account_key_window_us=2 * US_PER_MIN,
    account_key_retention_us=30 * US_PER_MIN,
    keys_fresh_us=5 * US_PER_MIN,
    keys_usable_us=10 * US_PER_MIN,
)
RENAMED = range(5, 125, 10)  # minutes


class Run:
    def __init__(self, how: str, suite: str) -> None:
        wishes = tuple(
            ConfigChange(minute * US_PER_MIN, 0, "profile", "name", number)
            for number, minute in enumerate(RENAMED)
        )
        self.spec = WorldSpec(
            date="2026-04-28", limit_swarms=4, platforms=("desktop",) * 2, intents=wishes,
            horizon_us=HORIZON_US, measured=(0, HORIZON_US), seeds=Seeds(5), epoch_ms=1_777_000_000_000,
            version2=Version2(
                replace(RULES, groups_and_configs=how), V2People(group_age_us=60 * US_PER_MIN)
            ),
            client_rules={"desktop": replace(PLATFORMS["desktop"], poll_interval_us=US_PER_MIN)}, suite=suite,
        )  # fmt: skip
        self.world, self.records = build(self.spec), MemoryRecords()
        self.nodes = frozenset(range(len(self.world.nodes)))
        self.truth = self.world.run(self.records, self.nodes, True)

    def read(self, *, words: bool = False, device: bool = False) -> set[int]:
        """Give which of the names an archive of all nodes reads, with words or device stolen."""
        end = self.world.endpoint_of[0, 0]
        taken = [Taking(end, THEFT_US, stays=False, copies=device)] if words or device else []
        position = Position(operated=self.nodes, taken=frozenset(taken))
        table = self.records.table()
        table["row"] = np.arange(len(table["src"]))
        owner = {end: f"account:{self.world.accounts[0].id_hex}"}
        view = observe(
            "eve", position, table, self.records.blobs, self.truth.keys, self.world.nodes, self.spec.suite,
            owner, self.world.endpoints,
        )  # fmt: skip
        names = [fact.object for fact in deduce(view) if fact.relation is Relation.CALLED]
        return {
            number for number in range(len(RENAMED)) if any(name.endswith(f" {number + 1}") for name in names)
        }


@pytest.fixture(scope="module")
def what_if() -> Run:
    return Run("device-group", "fast")


def test_by_default_the_words_open_every_config_of_all_time() -> None:
    run = Run("v1", "fast")
    assert run.read() == set()
    assert run.read(words=True) == run.read(device=True) == set(range(len(RENAMED)))


def test_the_words_open_none_under_the_keys_of_the_group(what_if: Run) -> None:
    assert what_if.read(words=True) == what_if.read() == set()


def test_a_copied_device_opens_those_of_its_window_of_keys(what_if: Run) -> None:
    found = what_if.read(device=True)
    keys = what_if.truth.keys
    columns = (keys[name].tolist() for name in ("kind", "made_us", "gone_us"))
    seeds = [row for row in zip(*columns, strict=True) if row[0] == "account seed"]
    held = [made for _, made, gone in seeds if made <= THEFT_US and not 0 <= gone <= THEFT_US]
    passed = {k for k, minute in enumerate(RENAMED) if minute * US_PER_MIN < THEFT_US}
    window = {k for k in passed if RENAMED[k] * US_PER_MIN > min(held)}
    assert window
    assert found >= window
    # Group messages that the device's own keys open hand out older ones; but not those of the beginning.
    assert found == set(range(min(found), max(found) + 1))
    assert RENAMED[min(found)] * US_PER_MIN > THEFT_US - (20 + 30 + 22) * US_PER_MIN
