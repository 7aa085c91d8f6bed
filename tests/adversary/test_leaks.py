"""Secrets in clear are keys: who reads one opens with it what it holds, from then on; others do not."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest

from sessionsim.adversary import Closure, Transcript, claims, deduce, facts_of
from sessionsim.adversary.explaining import explain
from sessionsim.adversary.leaks import leaks_in
from sessionsim.core.columns import HEAD_CODE
from sessionsim.core.ledger import Relation
from sessionsim.core.scene import Position, Role, Taking
from sessionsim.protocol.crypto import real
from sessionsim.protocol.groups.identity import group_from_seed
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.mnemonic import phrase_of
from tests.adversary.test_findings import Findings, of
from tests.adversary.test_more_plants import wishes
from tests.adversary.test_odd_plants import N_NODES
from tests.adversary.test_plants import GUARD, LAST, MIDDLE, OTHER, REPLICA, ROUTE, SENDER, in_frame

BOB = 1
ENTROPY = bytes([78]) * 16  # Bob's, as the stage makes him
ACCOUNT = account_from_seed(ENTROPY)
WAYS = {
    "seed in hex": ACCOUNT.ed.secret.hex(),
    "seed in base64": base64.b64encode(ACCOUNT.ed.secret).decode(),
    "entropy": ENTROPY.hex(),
    "recovery phrase": phrase_of(ENTROPY),
    "long form": (ACCOUNT.ed.secret + ACCOUNT.ed.public).hex(),
    "scalar": ACCOUNT.x.secret.hex(),
}


def opened(stage: Any, *operated: int) -> set[tuple[str, str]]:
    """Give the messages that are open to who has some places, with their writers."""
    found = claims(deduce(stage.at(Position(operated=frozenset(operated)))))
    return {(message, who) for what, message, who in found if what is Relation.WRITTEN_BY}


def leak(stage: Any, way: str) -> str:
    """Let Bob poll with a secret of his beside the onion, and Alice write to him. Returns the message."""
    assert stage.accounts[BOB].id == ACCOUNT.id
    stage.plants["outer"] = lambda raw: in_frame(raw, debug=WAYS[way])
    stage.poll(BOB, (GUARD, MIDDLE, LAST, 13))
    del stage.plants["outer"]
    return f"message:{stage.store(SENDER, BOB, (3, 4, 5, REPLICA))}"


@pytest.mark.parametrize("way", WAYS)
def test_who_reads_a_secret_and_has_the_message_opens_it(stage: Any, way: str) -> None:
    written = {(leak(stage, way), stage.account(SENDER))}
    assert opened(stage, GUARD, REPLICA) == written
    assert opened(stage, GUARD, OTHER) == written  # another member has the message too
    for others in ((GUARD,), (REPLICA,), (MIDDLE, REPLICA), (LAST, OTHER), (3, REPLICA)):
        assert opened(stage, *others) == set(), others


@pytest.mark.parametrize("way", ["seed in hex", "scalar"])
def test_the_secret_says_whose_it_is_to_who_knows_the_account(stage: Any, way: str) -> None:
    leak(stage, way)
    named = (Relation.NAMED, stage.address(BOB), stage.account(BOB))
    assert named in stage.claims(GUARD, 13)
    assert named not in stage.claims(GUARD) | stage.claims(13)


def test_each_learns_the_same_from_what_all_have_read_together(stage: Any) -> None:
    leak(stage, "seed in hex")
    everyone = Position(operated=frozenset(range(N_NODES)))
    together = Transcript(stage.at(everyone))
    for places in ((GUARD,), (REPLICA,), (GUARD, REPLICA), (MIDDLE, OTHER)):
        view = stage.at(Position(operated=frozenset(places)))
        assert deduce(view, together) == deduce(view)


def test_what_lay_there_before_the_secret_came_opens_then(stage: Any) -> None:
    hash_ = stage.store(SENDER, BOB, ROUTE)
    before_us = stage.now_us
    stage.plants["outer"] = lambda raw: in_frame(raw, debug=WAYS["seed in hex"])
    stage.poll(BOB, (GUARD, MIDDLE, LAST, 13))
    facts = stage.facts([GUARD, REPLICA])
    (fact,) = [
        one for one in facts if (one.relation, one.subject) == (Relation.WRITTEN_BY, f"message:{hash_}")
    ]
    assert fact.t_us > before_us


def test_the_derivation_says_where_the_secret_was_read(stage: Any) -> None:
    message = leak(stage, "recovery phrase")
    closure = Closure(stage.view((GUARD, REPLICA)))
    facts = [
        one for one in facts_of(closure) if (one.relation, one.subject) == (Relation.WRITTEN_BY, message)
    ]
    steps = facts[0].derivation
    assert f"there stands string:{WAYS['recovery phrase']}" in steps
    assert f"it is a secret ed25519 key, and from it follows account:{ACCOUNT.id_hex}" in steps
    assert steps.index(f"there stands string:{WAYS['recovery phrase']}") < len(steps) - 1
    assert len(explain(closure, facts[0]).steps) == len(steps)


def test_a_secret_of_nobody_is_a_string(stage: Any) -> None:
    stage.plants["outer"] = lambda raw: in_frame(raw, debug=(b"\x17" * 32).hex())
    stage.store(SENDER, BOB, ROUTE)
    assert opened(stage, GUARD, REPLICA) == set()


def test_the_seed_of_a_group_opens_the_group_to_its_swarm() -> None:
    """The admin gives the seed; then the same run is looked at with the seed in one frame instead."""
    world = Findings("none", wishes=wishes(lambda place: "nothing"))
    scene, table = world.world.scene, world.records.table()
    members = frozenset((node, Role.MEMBER) for node in range(len(scene.nodes)))
    stolen = Position(in_role=members, taken=frozenset({Taking(scene.client_endpoints[0], 0, stays=False)}))
    keys = Transcript(world.view(stolen)).keys
    seed = next(
        pair.secret for pair, owner in zip(keys.pairs, keys.owners, strict=True) if "seed of" in owner
    )
    row = next(
        row for row, head in enumerate(table["head"].tolist()) if head == HEAD_CODE["onion_req"]
        and int(table["blob"][row]) in world.records.blobs and not table["direction"][row]
    )  # fmt: skip
    blobs = dict(world.records.blobs)
    altered = max(blobs) + 1
    blobs[altered] = in_frame(blobs[int(table["blob"][row])], debug=seed.hex())
    table["blob"][row] = altered
    world.records = SimpleNamespace(blobs=blobs, table=lambda: table)  # type: ignore[assignment]
    guard = frozenset({int(table["dst"][row])})
    kinds = {
        len(place.operated): {what for _, what in of(claims(deduce(world.view(place))), Relation.HOLDS)}
        for place in (Position(in_role=members), Position(in_role=members, operated=guard))
    }
    assert kinds[0] == set()
    assert {"kind:group-keys", "kind:group-members", "kind:text"} <= kinds[1]


def test_secrets_are_told_by_what_follows_from_them() -> None:
    group = group_from_seed(bytes(range(32)))
    terms = [f"string:{text}" for text in (*WAYS.values(), bytes(range(32)).hex(), "nothing at all 12345")]
    found = leaks_in(terms, {ACCOUNT.id, group.id})
    assert {(leak.string, leak.kind, leak.id) for leak in found} == {
        *((term, "x25519" if term.endswith(WAYS["scalar"]) else "ed25519", ACCOUNT.id) for term in terms[:6]),
        (terms[6], "ed25519", group.id),
    }
    assert leaks_in(terms, {real.x25519_keypair(bytes([1]) * 32).public}) == leaks_in([], {ACCOUNT.id}) == []
