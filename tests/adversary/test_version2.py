"""Thieves of phrases and of devices, with an archive of the swarm: what differs between versions 1 and 2.

Two people write to each other every five minutes, and their twins of version 2 write the same. Keys live for
twenty minutes and are kept for half an hour more; the theft is after an hour and a half.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from sessionsim.adversary import Closure, Transcript, deduce, facts_of, observe
from sessionsim.adversary.explaining import explain
from sessionsim.core.intents import Intent
from sessionsim.core.ledger import Fact, Relation
from sessionsim.core.nodelist import NodeList
from sessionsim.core.records import MemoryRecords
from sessionsim.core.scene import Position, Taking
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_MIN, US_PER_S
from sessionsim.core.view import Table, View
from sessionsim.network.thefts import Thefts
from sessionsim.network.version2 import V2People, Version2, doubled
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.rules import PLATFORMS
from sessionsim.protocol.v2 import V2Rules

THEFT_US = 90 * US_PER_MIN
PERIOD_US, RETENTION_US, USABLE_US = 20 * US_PER_MIN, 30 * US_PER_MIN, 10 * US_PER_MIN
OWN_PERIOD_US = 40 * US_PER_MIN  # of each device's own keys
RULES = V2Rules(
    device_key_period_us=OWN_PERIOD_US,
    device_key_jitter_us=0,
    device_key_retention_us=5 * US_PER_MIN,
    account_key_period_us=PERIOD_US,
    account_key_window_us=2 * US_PER_MIN,
    account_key_retention_us=RETENTION_US,
    keys_fresh_us=5 * US_PER_MIN,
    keys_usable_us=USABLE_US,
)
HORIZON_US = 150 * US_PER_MIN
OPENED = ("opens Envelope.content", "opens a message of version 2")
HOW = ((False, False), (False, True))  # a phrase alone, a copy of a device
MINE, TWIN = 1, 3  # the two whose phrase or device is stolen: of version 1, and of version 2


@dataclass
class Run:
    world: World
    truth: Truth
    records: MemoryRecords
    hauls: Table

    def at(self, position: Position) -> View:
        world, table = self.world, self.records.table()
        table["row"] = np.arange(len(table["src"]))
        owners = {
            end: f"account:{world.accounts[seat.account].id_hex}"
            for end, seat in enumerate(world.seats, len(world.nodes))
        }
        return observe(
            "eve", position, table, self.records.blobs, self.truth.keys, world.nodes, world.spec.suite,
            owners, world.endpoints, hauls=self.hauls,
        )  # fmt: skip

    def archive(self, account: int) -> Position:
        """Every member of an account's swarm."""
        swarm = int(self.truth.accounts["swarm"][account], 16)
        return Position(operated=frozenset(self.world.nodes.members[swarm]))

    def theft(self, account: int, **how: Any) -> Position:
        end = self.world.endpoint_of[account, 0]
        return Position(taken=frozenset({Taking(end, THEFT_US, **{"stays": False, **how})}))

    def seeds(self, account: int) -> list[tuple[str, int, int]]:
        """Give kind, beginning and end of each seed that an account's device has had."""
        keys, owner = self.truth.keys, f"device:{self.world.endpoint_of[account, 0]}"
        columns = (keys[name].tolist() for name in ("owner", "kind", "made_us", "gone_us"))
        return [row[1:] for row in zip(*columns, strict=True) if row[0] == owner and "seed" in row[1]]

    def opened(self, account: int, position: Position) -> list[int]:
        """Give when the messages to an account were wished for that a position opens, in minutes."""
        return sorted(self.opened_facts(account, position))

    def opened_facts(self, account: int, position: Position) -> dict[int, Fact]:
        messages = self.truth.messages
        minute = {
            f"message:{name}": t_us // US_PER_MIN
            for name, t_us, to in zip(
                *(messages[column].tolist() for column in ("hash", "intent_us", "recipient")), strict=True
            )
            if to == account
        }
        facts = deduce(self.at(position))
        return {
            minute[fact.subject]: fact
            for fact in facts
            if fact.relation is Relation.WRITTEN_BY
            and fact.subject in minute
            and any(step.endswith(OPENED) for step in fact.derivation)
        }


@pytest.fixture(scope="module", params=["fast", "sodium"])
def run(request: Any) -> Run:
    return perform(request.param, RULES)


def perform(suite: str, v2: V2Rules) -> Run:
    wishes = [
        Intent(minute * US_PER_MIN, writer, 1 - writer, f"text {minute}", number)
        for number, minute in enumerate(range(1, 145, 5))
        for writer in (0, 1)
    ]
    rules = {name: replace(rules, poll_interval_us=US_PER_MIN) for name, rules in PLATFORMS.items()}
    spec = WorldSpec(
        date="2026-04-28", limit_swarms=6, platforms=("desktop",) * 4, intents=doubled(wishes, 4),
        horizon_us=HORIZON_US, measured=(0, HORIZON_US), seeds=Seeds(5), epoch_ms=1_777_000_000_000,
        version2=Version2(v2, V2People(population="twins", group_age_us=3_600_000_000)),
        client_rules=rules, suite=suite,
    )  # fmt: skip
    world, records = build(spec), MemoryRecords()
    nodes = frozenset(range(len(world.nodes)))
    asking = {Taking(world.endpoint_of[k, 0], THEFT_US, *how, True) for k in (MINE, TWIN) for how in HOW}
    thefts = Thefts([Position(taken=frozenset(asking))], world.scene, spec.epoch_ms)
    return Run(world, world.run(records, nodes, True, thefts=thefts), records, thefts.hauls())


def test_a_phrase_opens_all_of_version_1_and_nothing_of_version_2(run: Run) -> None:
    everything = list(range(1, 145, 5))
    assert run.opened(MINE, run.archive(MINE) | run.theft(MINE)) == everything
    assert run.opened(TWIN, run.archive(TWIN) | run.theft(TWIN)) == []
    assert set(run.truth.messages["outcome"]) == {"delivered"}


def test_a_phrase_opens_what_the_swarm_holds_at_the_theft_and_nothing_of_version_2(run: Run) -> None:
    before = [minute for minute in range(1, 145, 5) if minute * US_PER_MIN < THEFT_US]
    assert run.opened(MINE, run.theft(MINE, fetches=True)) == before
    assert run.opened(MINE, run.theft(MINE)) == []
    assert run.opened(TWIN, run.theft(TWIN, fetches=True)) == []
    facts = deduce(run.at(run.theft(MINE, fetches=True)))
    assert {fact.t_us for fact in facts} == {THEFT_US}
    owner = f"account:{run.world.accounts[MINE].id_hex}"
    assert all(f"still in the swarm of {owner} when" in fact.derivation[0] for fact in facts)


def test_a_copied_device_opens_in_the_swarm_what_its_kept_keys_open(run: Run) -> None:
    copy, swarm = run.theft(TWIN, copies=True, fetches=True), run.theft(TWIN, fetches=True)
    alone, archive = (
        run.opened(TWIN, copy),
        run.opened(TWIN, run.archive(TWIN) | run.theft(TWIN, copies=True)),
    )
    # Group messages of the devices hold older keys; an archive has more of these than a swarm still holds.
    oldest_us = min(made_us for made_us, _ in held_at(run, "account seed", THEFT_US))
    passed = {minute for minute in archive if minute * US_PER_MIN < THEFT_US}
    kept = {minute for minute in passed if minute * US_PER_MIN >= oldest_us}
    assert kept
    assert kept <= set(alone) < passed
    assert len(run.at(copy).hauls) == len(run.at(swarm).hauls)


def test_a_haul_is_explained(run: Run) -> None:
    closure = Closure(run.at(run.theft(MINE, fetches=True)))
    fact = next(fact for fact in facts_of(closure) if fact.relation is Relation.WRITTEN_BY)
    steps = explain(closure, fact).steps
    assert any("the thief asks the swarm" in line for line in steps[0].told)


def held_at(run: Run, kind: str, t_us: int) -> list[tuple[int, int]]:
    rows = [(made, gone) for its, made, gone in run.seeds(TWIN) if its == kind]
    return [(made, gone) for made, gone in rows if made <= t_us and not 0 <= gone <= t_us]


def since_us(run: Run, theft_us: int) -> int:
    """Give since when group messages are to the device keys of a time; all are in the archive."""
    return min(made for made, _ in held_at(run, "device seed", theft_us))


def until_us(run: Run, theft_us: int) -> int:
    """Give when the device changes its own keys next."""
    return min((made for kind, made, _ in run.seeds(TWIN) if kind == "device seed" and made > theft_us))


def account_key_at(run: Run, t_us: int) -> tuple[int, int]:
    """Give when the oldest account seed held at a time was made, and when the active one goes."""
    made = sorted(made for kind, made, _ in run.seeds(TWIN) if kind == "account seed")
    oldest = min(made for made, _ in held_at(run, "account seed", t_us))
    return oldest, min((one for one in made if one > t_us), default=HORIZON_US)


def test_a_copied_device_opens_a_window_of_version_2(run: Run) -> None:
    everything = list(range(1, 145, 5))
    assert run.opened(MINE, run.archive(MINE) | run.theft(MINE, copies=True)) == everything
    found = run.opened(TWIN, run.archive(TWIN) | run.theft(TWIN, copies=True))
    first, last = (bound(run, THEFT_US) for bound in (since_us, until_us))
    oldest, replaced = account_key_at(run, first)[0], account_key_at(run, last)[1]
    for minute in everything:
        t_us = minute * US_PER_MIN
        # In between, it depends on when the writer has fetched keys last.
        if oldest + USABLE_US < t_us < replaced:
            assert minute in found
        elif t_us < oldest or t_us > replaced + USABLE_US:
            assert minute not in found


def test_with_device_keys_that_never_change_a_copy_opens_everything() -> None:
    """Today's code never changes them (hole H1): every group message since the device joined is open."""
    forever = perform("fast", replace(RULES, device_key_rotation="never"))
    found = forever.opened_facts(TWIN, forever.archive(TWIN) | forever.theft(TWIN, copies=True))
    assert sorted(found) == list(range(1, 145, 5))
    seeds = {step for fact in found.values() for step in fact.derivation if "slot of a device group" in step}
    end = forever.world.endpoint_of[TWIN, 0]
    assert seeds == {f"device seed of device:{end} opens a slot of a device group message"}
    assert forever.opened(TWIN, forever.archive(TWIN) | forever.theft(TWIN)) == []


def test_malware_opens_all_that_comes_later(run: Run) -> None:
    found = run.opened(TWIN, run.archive(TWIN) | run.theft(TWIN, stays=True))
    copied = run.opened(TWIN, run.archive(TWIN) | run.theft(TWIN, copies=True))
    assert found == list(range(copied[0], 145, 5))
    assert len(found) > len(copied)


def test_a_copy_reads_old_messages_from_the_theft_on_and_later_ones_as_they_come(run: Run) -> None:
    found = run.opened_facts(TWIN, run.archive(TWIN) | run.theft(TWIN, copies=True))
    before = [fact.t_us for minute, fact in found.items() if minute * US_PER_MIN < THEFT_US - US_PER_MIN]
    after = [(minute, fact.t_us) for minute, fact in found.items() if minute * US_PER_MIN > THEFT_US]
    assert set(before) == {THEFT_US}
    assert len(before) > 3
    assert all(0 <= t_us - minute * US_PER_MIN < US_PER_MIN for minute, t_us in after)
    (words,) = {step for fact in found.values() for step in fact.derivation if step.endswith(OPENED)}
    account = run.world.accounts[TWIN].id_hex
    assert words == f"account seed of account:{account} opens a message of version 2"


def test_without_an_archive_a_copy_reads_nothing(run: Run) -> None:
    assert run.opened(TWIN, run.theft(TWIN, copies=True)) == []
    assert run.opened(TWIN, run.archive(TWIN)) == []


def test_one_transcript_for_all_observers_gives_each_what_its_own_keys_open(run: Run) -> None:
    positions = [
        run.archive(TWIN) | run.theft(TWIN, **how) for how in ({}, {"copies": True}, {"stays": True})
    ]
    joint = positions[0] | positions[1] | positions[2]
    transcript = Transcript(run.at(joint))
    for position in positions:
        assert deduce(run.at(position), transcript) == deduce(run.at(position))


def test_truth_has_each_seed_for_the_time_in_which_a_device_had_it(run: Run) -> None:
    rows, end = run.seeds(TWIN), run.world.endpoint_of[TWIN, 0]
    own = [(made, gone) for kind, made, gone in rows if kind == "device seed"]
    turns = [made for made, _ in own if made > 0]
    assert [b - a for a, b in pairwise(turns)] == [pytest.approx(OWN_PERIOD_US, abs=US_PER_MIN)] * (
        len(turns) - 1
    )
    assert len(turns) >= 3
    rows = [row for row in rows if row[0] == "account seed"]
    changed = run.truth.events["t_us"][
        (run.truth.events["endpoint"] == end) & (run.truth.events["what"] == "account keys changed")
    ].tolist()
    assert [made for _, made, _ in rows if made > 0] == changed
    lives = [gone - made for _, made, gone in rows if made > 0 and gone > 0]
    slack_us = 2 * US_PER_S
    assert len(lives) > 2
    assert all(abs(life - PERIOD_US - RETENTION_US) <= US_PER_MIN + slack_us for life in lives)
    assert not [row for row in rows if row[1] == 0 and 0 <= row[2] < US_PER_S]
    assert run.seeds(2)
    assert not run.seeds(MINE)


def test_a_key_is_taken_only_while_it_is_there() -> None:
    end, n = 40, 5
    table = {
        "owner": np.array([f"device:{end}"] * n, object),
        "kind": np.array(["x25519"] * n, object),
        "public": np.array([f"{k:064x}" for k in range(n)], object),
        "secret": np.array(["00" * 32] * n, object),
        # Gone by the theft at 50; there; there to the end; made later; of a request made at that time.
        "made_us": np.array([0, 10, 20, 60, 50], np.int64),
        "gone_us": np.array([50, 51, -1, 70, 50], np.int64),
    }
    nodes, records = NodeList((), (), (), (), ()), MemoryRecords().table()

    def held(**how: bool) -> dict[int, int]:
        taking = Taking(end, 50, **{"stays": False, **how})
        position = Position(taken=frozenset({taking}), clock_offset_us=3)
        view = observe("eve", position, records, {}, table, nodes, "fast", {end: "account:05"})
        return {int.from_bytes(key.public, "big"): key.since_us for key in view.keys}

    assert held() == {}
    assert held(copies=True) == {1: 53, 2: 53}
    assert held(stays=True) == {1: 53, 2: 53, 3: 63, 4: 53}
