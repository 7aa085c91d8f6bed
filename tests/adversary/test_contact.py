"""The recipient's row of the structural table on a real run: an observer with one client's own device."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sessionsim.adversary import deduce, observe
from sessionsim.core.intents import Intent
from sessionsim.core.ledger import Relation
from sessionsim.core.records import MemoryRecords
from sessionsim.core.scene import Position
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_S
from sessionsim.network.world import WorldSpec, build

SPEC = WorldSpec(
    date="2026-04-28",
    limit_swarms=8,
    platforms=("desktop", "ios", "android"),
    intents=(Intent(4 * US_PER_S, 0, 1, "hello"), Intent(9 * US_PER_S, 2, 1, "hi")),
    horizon_us=30 * US_PER_S,
    measured=(0, 30 * US_PER_S),
    seeds=Seeds(3),
    epoch_ms=1_777_000_000_000,
)


@pytest.mark.parametrize("suite", ["fast", "sodium"])
def test_the_recipients_device_knows_who_wrote_and_no_address_of_theirs(suite: str) -> None:
    world = build(replace(SPEC, suite=suite))
    device = len(world.nodes) + 1
    records = MemoryRecords()
    truth = world.run(records, frozenset({device}), keep_bytes=True, owned=frozenset({device}))
    view = observe(
        "contact", Position(operated=frozenset({device})), records.table(), records.blobs, truth.keys,
        world.nodes, suite, {device: f"account:{world.accounts[1].id_hex}"}, world.endpoints,
    )  # fmt: skip
    facts = deduce(view)
    written = {(f.subject, f.object) for f in facts if f.relation is Relation.WRITTEN_BY}
    hashes = truth.messages["hash"]
    assert written >= {
        (f"message:{hashes[0]}", f"account:{world.accounts[0].id_hex}"),
        (f"message:{hashes[1]}", f"account:{world.accounts[2].id_hex}"),
    }
    others = {f"account:{world.accounts[k].id_hex}" for k in (0, 2)}
    assert not [f for f in facts if f.relation is Relation.ACTS_FOR and f.object in others]
    own_ip = int(world.endpoints["ip"][device])
    text = ".".join(str(own_ip >> shift & 255) for shift in (24, 16, 8, 0))
    addresses = {term for f in facts for term in (f.subject, f.object) if term.startswith("addr:")}
    assert addresses <= {f"addr:{text}"}


def test_without_its_request_secrets_the_device_could_not_read_its_answers() -> None:
    world = build(SPEC)
    device = len(world.nodes) + 1
    records = MemoryRecords()
    truth = world.run(records, frozenset({device}), keep_bytes=True)
    view = observe(
        "contact", Position(operated=frozenset({device})), records.table(), records.blobs, truth.keys,
        world.nodes, "fast", {device: f"account:{world.accounts[1].id_hex}"}, world.endpoints,
    )  # fmt: skip
    assert not [f for f in deduce(view) if f.relation is Relation.WRITTEN_BY]
