"""Check of the structural table: who learns what for certain, on bytes of the real machines: V27.

A world of a few clients runs; one message whose relays are no replicas of it is cut out of the records; then
each role alone, and guard and replica together, get to deduce what its bytes give away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sessionsim.adversary import Closure, Exchange, Transcript, deduce, emergent, exchanges, observe
from sessionsim.core.columns import HEADS
from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import Intent
from sessionsim.core.ledger import Fact, Relation
from sessionsim.core.records import MemoryRecords
from sessionsim.core.scene import Position
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_S
from sessionsim.core.view import View
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.selfcheck.validate._check import check
from sessionsim.selfcheck.validate._finding import Finding, number_of
from sessionsim.selfcheck.validate._parameter import whole, word

_EPOCH_MS = 1_777_000_000_000
_HORIZON_US = 25 * US_PER_S
# Field names and framing that every message of a kind carries; the same in all exchanges, so no link.
_PUBLIC = (
    b'{"ephemeral_key":"', b'"enc_type":"xchacha20","ephemeral_key":"',
    b"8:enc_type9:xchacha2013:ephemeral_key32:", b"8:enc_type7:aes-gcm13:ephemeral_key32:",
)  # fmt: skip
_WIDTH = 16  # bytes; equal strings of this length do not come about by chance
GUARD, MIDDLE, LAST, REPLICA, OTHER = range(5)
_ABOUT = {Relation.ADDRESSED_TO, Relation.HAS_SIZE, Relation.HAS_TTL, Relation.STAMPED, Relation.SHOWS}
# Source: transport 3.3, 3.6, client-behaviour 6.6.
_STYLES = {
    "android": {"cipher:aes-gcm", "transport:https"},
    "desktop": {"cipher:aes-gcm", "transport:https"},
    "ios": {"cipher:xchacha20", "transport:quic"},
}


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """One message of a run. Args: rows: its transmissions; roles: guard, middle, last, replica, another."""

    world: World
    truth: Truth
    records: MemoryRecords
    transcript: Transcript
    hash: str
    rows: tuple[int, ...]
    roles: tuple[int, ...]

    def view(self, *roles: int) -> View:
        return _view(self.world, self.truth, self.records, [self.roles[role] for role in roles], self.rows)

    def facts(self, *roles: int) -> list[Fact]:
        return deduce(self.view(*roles), self.transcript)


@check(
    "structure", "V27", source="metrics 2i; transport 3.8",
    platform=word(("desktop", "ios"), "platforms of the clients", ("android", "desktop", "ios")),
    suite=word(("fast", "sodium"), "crypto suites", ("fast", "sodium")),
    clients=whole(6, "clients of the world", 2, 50),
    swarms=whole(6, "swarms of the world", 4, 200),
    seed=whole(11, "seed of the world", 0, 10**18),
)  # fmt: skip
def structure(
    platform: tuple[str, ...], suite: tuple[str, ...], clients: int, swarms: int, seed: int
) -> Iterator[Finding]:
    """What guard, middle, last hop, replica and guard with replica deduce from one message."""
    for case, (system, kind) in enumerate(zip(platform, _as_long(suite, platform), strict=True)):
        label = f"{system}, {kind}"
        cut = _cut(system, kind, clients, swarms, Seeds(seed + case * 1000))
        guard, middle, last, replica, other = (cut.facts(role) for role in range(5))
        message = f"message:{cut.hash}"
        seen = {(fact.relation, _type(fact.subject), fact.object) for fact in guard}
        shown = {(Relation.SHOWS, "addr", style) for style in _STYLES[system]}
        yield _same(
            f"{label}: guard knows that an address is online, and its style, and no more",
            seen, {(Relation.ONLINE, "addr", ""), *shown},
        )  # fmt: skip
        yield number_of(f"{label}: facts of the middle", 0, len(middle))
        yield number_of(f"{label}: facts of the last hop", 0, len(last))
        about = {fact.relation for fact in replica if fact.subject == message}
        yield _same(f"{label}: replica knows inbox, size, lifetime, time, form", about, _ABOUT)
        rest = {(fact.relation, fact.subject) for fact in replica if fact.subject != message}
        inbox = {fact.object for fact in replica if fact.relation == Relation.ADDRESSED_TO}
        yield _same(
            f"{label}: beside that only that the inbox is used", rest, {(Relation.SEEN, a) for a in inbox}
        )
        yield _same(f"{label}: another replica knows the same", _claims(other), _claims(replica))
        joint = emergent([guard, replica], cut.facts(GUARD, REPLICA))
        linked = {(fact.relation, _type(fact.subject), fact.object) for fact in joint}
        yield _same(
            f"{label}: guard and replica know the sender's address",
            linked,
            {(Relation.SENT, "addr", message), *((Relation.NAMED, "addr", account) for account in inbox)},
        )
        by_answer = sum("answer ciphertext" in step for fact in joint for step in fact.derivation)
        yield number_of(f"{label}: and that from the answer's bytes", 1, int(by_answer > 0))
        surplus = emergent([guard, other], cut.facts(GUARD, OTHER))
        yield number_of(f"{label}: guard and a replica that was not asked learn more", 0, len(surplus))
        common = _shared(_bytes(cut.view(GUARD), 0), _bytes(cut.view(REPLICA), 0))
        yield number_of(f"{label}: strings of {_WIDTH} bytes in both requests", 0, len(common))
        both = _shared(_bytes(cut.view(GUARD)), _bytes(cut.view(REPLICA)))
        yield number_of(f"{label}: the answer's bytes are in both", 1, int(bool(both)))


def _as_long(words: tuple[str, ...], as_: tuple[str, ...]) -> tuple[str, ...]:
    if len(words) == len(as_):
        return words
    if len(words) == 1:
        return words * len(as_)
    if len(as_) == 1:
        return words[:1]
    raise InvalidInput("validate structure --suite", f"{len(words)} values", f"1 or {len(as_)}, as platforms")


def _same(what: str, got: set[Any], expected: set[Any]) -> Finding:
    """Compare two sets: all of the one, and nothing else."""
    return number_of(f"{what} (differences)", 0, len(got ^ expected))


def _claims(facts: Sequence[Fact]) -> set[Any]:
    return {(fact.relation, fact.subject, fact.object) for fact in facts}


def _type(term: str) -> str:
    return term.partition(":")[0]


def _cut(platform: str, suite: str, clients: int, swarms: int, seeds: Seeds) -> _Cut:
    """Run a world and cut one message out of it; tries a few seeds until one has its roles apart."""
    for number in range(8):
        one = Seeds(seeds.root + number)
        intents = tuple(
            Intent(2_000_000 + 1_500_000 * k, k % clients, (k * 3 + 1) % clients, f"text {k}")
            for k in range(8)
            if k % clients != (k * 3 + 1) % clients
        )
        spec = WorldSpec(
            date="2026-04-28", platforms=(platform,) * clients, intents=intents, horizon_us=_HORIZON_US,
            measured=(0, _HORIZON_US), seeds=one, epoch_ms=_EPOCH_MS, limit_swarms=swarms, suite=suite,
        )  # fmt: skip
        world, records = build(spec), MemoryRecords()
        truth = world.run(records, frozenset(range(len(world.machines))), keep_bytes=True)
        closure = Closure(_view(world, truth, records, range(len(world.nodes)), None))
        every = exchanges(closure)
        for exchange in every:
            found = _roles_apart(world, truth, every, exchange)
            if found is not None:
                return _Cut(world, truth, records, closure.transcript, *found)
    raise InvalidInput(
        "validate structure --seed", seeds.root, "a seed with a message whose relays are no replicas"
    )


def _view(
    world: World, truth: Truth, records: MemoryRecords, operated: Sequence[int], rows: Sequence[int] | None
) -> View:
    table = records.table()
    table["row"] = np.arange(len(table["src"]))
    if rows is not None:
        table = {name: values[list(rows)] for name, values in table.items()}
    owners = {
        endpoint: f"account:{account.id_hex}"
        for endpoint, account in zip(world.scene.client_endpoints, world.accounts, strict=True)
    }
    return observe(
        "eve", Position(frozenset(), frozenset(operated)), table, records.blobs, truth.keys, world.nodes,
        world.spec.suite, owners, world.endpoints,
    )  # fmt: skip


def _roles_apart(
    world: World, truth: Truth, every: Sequence[Exchange], exchange: Exchange
) -> tuple[str, tuple[int, ...], tuple[int, ...]] | None:
    """Give hash, rows and roles of an exchange that stored a message through relays outside its swarm."""
    if not exchange.clients or exchange.results is None:
        return None
    sightings = exchange.sightings
    route = [seen.dst for seen in sightings if seen.direction == 0]
    hashes = set(truth.messages["hash"].tolist()) - {""}
    stored = {result.fields.get("hash") for result in exchange.results} & hashes
    if not stored or len(route) != 4 or len(sightings) < 5:
        return None
    if world.nodes.swarm[route[3]] in {world.nodes.swarm[node] for node in route[:3]}:
        return None
    forwards = [
        other.sightings
        for other in every
        if other.sightings[0].head == HEADS.index("sn.storage_cc") and other.sightings[0].src == route[3]
        if sightings[3].t_us <= other.sightings[0].t_us <= sightings[4].t_us
    ]
    if not forwards:
        return None
    rows = {seen.row for some in (sightings, *forwards) for seen in some}
    return str(min(map(str, stored))), tuple(sorted(rows)), (*route, forwards[0][0].dst)


def _bytes(view: View, direction: int | None = None) -> list[bytes]:
    rows = zip(view.rows["blob"].tolist(), view.rows["direction"].tolist(), strict=True)
    return [view.blobs[blob] for blob, way in rows if direction is None or way == direction]


def _shared(first: list[bytes], second: list[bytes]) -> set[bytes]:
    """Give the strings of 16 bytes that occur on both sides and are no public constants."""
    one, other = (
        {text[k : k + _WIDTH] for text in side for k in range(len(text) - _WIDTH + 1)}
        for side in (first, second)
    )
    return {common for common in one & other if not any(common in constant for constant in _PUBLIC)}
