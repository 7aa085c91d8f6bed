"""Runs with `fast` and with `sodium`: equal records, and equal ledgers once byte strings are renamed.

Byte strings that differ between the suites (ephemeral keys, ciphertexts, and with them the hashes of stored
messages) are renamed by order of first appearance: a hash by the message that truth says it is of, any other
string by its place in the ledger. Everything else must be the same, derivations included.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from sessionsim.adversary import Transcript, deduce, join, observe
from sessionsim.core.ledger import Fact, Relation
from sessionsim.core.records import MemoryRecords
from sessionsim.core.scene import Position
from sessionsim.core.truth import Truth
from sessionsim.core.view import Table, View
from sessionsim.experiment import installed
from sessionsim.experiment.stage import operated_by, positions_of, spec_of, tasks_of, watched_by
from sessionsim.network.world import build
from sessionsim.scenario import read_scenario, resolve

RUN = """\
title = "Both suites"
question = "Do the cheap and the real suite give the same run?"
[run]
seeds = "5"
warmup = "1 s"
duration = "20 s"
drain = "5 s"
keep_bytes = true
[workload]
pattern = "active-pairs"
pace = 100
"""
SCENARIOS = {
    "every platform, provider and random nodes": """
[network]
limit_swarms = 10
[clients]
desktop = 2
android = 2
ios = 2
[vantages.isp]
kind = "provider"
fraction = "50 %"
[vantages.nodes]
kind = "snodes"
fraction = "40 %"
[vantages.both]
kind = "coalition"
members = ["isp", "nodes"]
""",
    "phones with long texts, largest networks": """
# long texts
[network]
limit_swarms = 30
[clients]
ios = 2
android = 2
[vantages.nodes]
kind = "snodes"
by = "net16"
fraction = "60 %"
""",
    "two computers, a country and a contact": """
[network]
date = "2026-02-27"
limit_swarms = 8
[clients]
desktop = 4
[vantages.country]
kind = "snodes"
by = "country"
country = "DE"
[vantages.reader]
kind = "contact"
[vantages.together]
kind = "coalition"
members = ["country", "reader"]
""",
    "some of version 2, whose keys change within the run": """
[network]
limit_swarms = 10
[clients]
desktop = 2
android = 2
ios = 2
[v2]
adoption = "70 %"
account_key_period = "1 min"
account_key_window = "1 min"
[v2.people]
group_age = "10 min"
[vantages.isp]
kind = "provider"
fraction = "50 %"
[vantages.nodes]
kind = "snodes"
fraction = "40 %"
""",
}


class Outcome(NamedTuple):
    records: Table
    truth: Truth
    ledgers: dict[str, list[Fact]]


def outcome(text: str, suite: str, folder: Path) -> Outcome:
    path = folder / "both.toml"
    path.write_text(RUN + text, "utf-8")
    scenario = resolve(read_scenario(path), installed())
    (task,) = tasks_of(scenario)
    spec = spec_of(scenario, replace(task, suite=suite))
    if "# long texts" in text:  # several segments each, some thousands of bytes apart
        longer = (
            intent._replace(body=intent.body * (30 + 40 * (k % 3))) for k, intent in enumerate(spec.intents)
        )
        spec = replace(spec, intents=tuple(longer))
    world = build(spec)
    positions = positions_of(scenario, world.scene, spec.seeds)
    sink = MemoryRecords()
    truth = world.run(sink, watched_by(positions), keep_bytes=True, owned=operated_by(positions))
    accounts, devices = truth.accounts, truth.devices
    # One device each.
    pairs = zip(devices["endpoint"].tolist(), accounts["account_id"].tolist(), strict=True)
    owners = {endpoint: f"account:{account}" for endpoint, account in pairs}
    records = sink.table()

    def see(name: str, position: Position) -> View:
        return observe(
            name, position, records, sink.blobs, truth.keys, world.nodes, suite, owners, world.endpoints
        )

    transcript = Transcript(see("all", join(positions.values())))
    ledgers = {name: deduce(see(name, position), transcript) for name, position in positions.items()}
    return Outcome(records, truth, ledgers)


STRINGS = re.compile(r"\b(ephemeral key|ciphertext) ([0-9a-f]{16}…)")
HASH = re.compile(r"[A-Za-z0-9+/]{43}(?![A-Za-z0-9+/])")


def renamed(facts: list[Fact], truth: Truth) -> list[tuple[object, ...]]:
    """Write a ledger with names for the strings that differ, in an order that no string decides."""
    hashes = {
        hash_: f"<{kind} {number}>"
        for kind in ("hash", "sync_hash")
        for number, hash_ in enumerate(truth.messages[kind].tolist())
        if hash_
    }

    def named(text: str) -> str:
        return HASH.sub(lambda found: hashes.get(found[0], found[0]), text)

    rows = [
        (f.t_us, f.relation, named(f.subject), named(f.object), tuple(map(named, f.derivation)))
        for f in facts
    ]
    # Other stored strings (device groups, records of keys) have no name in truth: they are called by the
    # order in which they appear, which must not depend on what they are.
    rows.sort(key=lambda row: (row[0], row[1], *(HASH.sub("?", text) for text in (*row[2:4], *row[4]))))
    others: dict[str, str] = {}

    def known(text: str) -> str:
        return HASH.sub(lambda found: others.setdefault(found[0], f"<other {len(others)}>"), text)

    rows = [(*row[:2], known(row[2]), known(row[3]), tuple(map(known, row[4]))) for row in rows]
    names: dict[str, str] = {}
    return [
        (
            *row[:4],
            tuple(
                STRINGS.sub(lambda m: f"{m[1]} <{names.setdefault(m[2], str(len(names)))}>", step)
                for step in row[4]
            ),
        )
        for row in rows
    ]


@pytest.mark.parametrize("text", SCENARIOS.values(), ids=SCENARIOS)
def test_fast_and_sodium_give_the_same_run(text: str, tmp_path: Path) -> None:
    fast, sodium = (outcome(text, suite, tmp_path) for suite in ("fast", "sodium"))
    assert len(fast.records["src"]) > 300
    for column, values in fast.records.items():
        np.testing.assert_array_equal(values, sodium.records[column], err_msg=column)
    for column, values in fast.truth.messages.items():
        if column not in ("hash", "sync_hash"):
            np.testing.assert_array_equal(values, sodium.truth.messages[column], err_msg=column)
    for own, other in (
        (fast.truth.accounts, sodium.truth.accounts),
        (fast.truth.devices, sodium.truth.devices),
    ):
        for column, values in own.items():
            np.testing.assert_array_equal(values, other[column], err_msg=column)
    for name, facts in fast.ledgers.items():
        assert renamed(facts, fast.truth) == renamed(sodium.ledgers[name], sodium.truth)
    # The comparison is about something: messages got through, their bytes differ, and facts came out.
    assert "delivered" in fast.truth.messages["outcome"]
    assert set(fast.truth.messages["hash"]).isdisjoint(set(sodium.truth.messages["hash"]) - {""})
    found = {fact.relation for facts in fast.ledgers.values() for fact in facts}
    assert {Relation.ADDRESSED_TO, Relation.HAS_SIZE, Relation.ONLINE} <= found
