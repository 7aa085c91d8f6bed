"""One run with everything in it: all facts of all observers are true, and each secret is somebody's to learn.

The test may look at truth; the room under test may not.
"""

from __future__ import annotations

import pytest

from sessionsim.adversary import claims, deduce
from sessionsim.core.intents import (
    Call,
    CallSignal,
    ConfigChange,
    Device,
    File,
    Group,
    GroupAction,
    GroupText,
    InboxText,
    Intent,
    Post,
    Reader,
    Wish,
)
from sessionsim.core.ledger import Fact, Relation
from sessionsim.core.scene import Position, Role, Taking
from sessionsim.core.units import US_PER_S
from sessionsim.metrics import Replicate
from sessionsim.metrics._answer_sheet import AnswerSheet
from sessionsim.metrics._secrets import SECRETS
from tests.adversary.test_findings import Findings, of

S = US_PER_S
SIGNALS = (
    CallSignal(0, True, "pre-offer", 0), CallSignal(0, True, "offer", 2000),
    CallSignal(4 * S, False, "answer", 2000), CallSignal(5 * S, True, "ice", 780),
    CallSignal(5 * S, False, "ice", 780), CallSignal(12 * S, True, "end", 0),
)  # fmt: skip
WISHES: tuple[Wish, ...] = (
    Group(0, 0, 0, (0, 1, 2), "three"),
    Device(0, 1, 1, "desktop"),
    *(Reader(0, account, room) for room in (0, 1) for account in (0, 1)),
    Call(8 * S, 0, 1, 0, "answered", 4 * S, 6 * S, SIGNALS),
    *(GroupText((20 + k) * S, k, 0, f"all {k}", 0) for k in range(3)),
    *(Intent((24 + k) * S, k, (k + 1) % 3, f"hello {k}") for k in range(3)),
    Intent(27 * S, 2, 0, "see", 0, (File("voice", 4_000),)),
    *(Post((30 + k) * S, k, room, f"post {k} {room}", 0) for k in range(2) for room in (0, 1)),
    InboxText(34 * S, 1, 0, 0, "was that you?", 0),
    GroupAction(36 * S, 0, 0, 0, "promote", (1,)),
    ConfigChange(40 * S, 1, "contacts", "contact", 0),
    ConfigChange(42 * S, 1, "profile", "name", 0),
)


@pytest.fixture(scope="module")
def world() -> Findings:
    return Findings("own-swarm", wishes=WISHES, owned=True)


def positions(world: Findings) -> dict[str, Position]:
    """Give observers of many kinds, and everybody together."""
    nodes, scene = range(len(world.world.nodes)), world.world.scene
    members = Position(in_role=frozenset((node, Role.MEMBER) for node in nodes))
    guards = Position(in_role=frozenset((node, Role.GUARD) for node in nodes))
    ends = scene.client_endpoints
    thieves = {
        f"phrase {k}": members | Position(taken=frozenset({Taking(ends[k], 0, stays=False)}))
        for k in range(3)
    }
    stays = frozenset(Taking(end, 0, stays=True) for end in ends)
    every = frozenset((*nodes, *(end for kind in scene.servers.values() for end in kind)))
    return {
        "guards": guards, "members": members, "both": guards | members, **thieves,
        "nodes": Position(operated=frozenset(nodes)),
        "device": Position(taken=frozenset({Taking(ends[0], 0, stays=True)})),
        "files": Position(operated=frozenset((*nodes, *scene.servers["file"]))),
        "everything": Position(operated=every, known=frozenset(ends[:2]), taken=stays),
    }  # fmt: skip


@pytest.fixture(scope="module")
def ledgers(world: Findings) -> dict[str, list[Fact]]:
    return {name: deduce(world.view(place), world.transcript) for name, place in positions(world).items()}


@pytest.fixture(scope="module")
def sheet(world: Findings) -> AnswerSheet:
    inside, records = world.world, world.records.table()
    everyone = frozenset(range(len(inside.machines)))
    return AnswerSheet(
        Replicate(5, "fast", world.truth, records, everyone, inside.nodes, inside.endpoints, {}, {})
    )


def test_no_fact_contradicts_truth(ledgers: dict[str, list[Fact]], sheet: AnswerSheet) -> None:
    for name, facts in ledgers.items():
        wrong = [fact for fact in facts if sheet.contradicts(fact)]
        assert wrong == [], name


def test_whoever_has_everything_knows_something_of_every_secret(
    ledgers: dict[str, list[Fact]], sheet: AnswerSheet
) -> None:
    for name, secret in SECRETS.items():
        total = int(sheet.population(secret.kind, name).sum())
        known = sheet.items(ledgers["everything"], name)
        assert total, name
        if name not in ("S1-named", "S2-named"):  # nothing of the kind is in these bytes
            assert known, name
        assert len(known) <= total


def test_roles_learn_what_they_may_and_no_more(ledgers: dict[str, list[Fact]], sheet: AnswerSheet) -> None:
    known = {
        name: {secret for secret in SECRETS if sheet.items(facts, secret)} for name, facts in ledgers.items()
    }
    assert known["members"] == {"S3", "S7", "S9-token", "S10", "S13-devices"}
    # Desktop's question for its own swarm, which its first guard is asked directly (client-behaviour 3.2).
    assert known["guards"] <= {"S6-named", "S7-address", "S12-address", "S7", "S12", "S12-zone", "S6"}
    assert {"S8", "S9", "S10-type", "S2", "S5"} <= known["phrase 1"]
    assert not {"S1", "S4", "S6", "S12", "S12-zone"} & known["phrase 1"]


def test_a_lookup_is_a_question_about_an_account(world: Findings, ledgers: dict[str, list[Fact]]) -> None:
    asked = of(claims(ledgers["nodes"]), Relation.ASKED, "addr:", "account:")
    assert {(world.address(k), world.accounts[k + 1]) for k in range(2)} <= asked  # whom they wrote to first
    assert of(claims(ledgers["guards"]), Relation.ASKED) <= {
        (world.address(k), world.accounts[seat.account]) for k, seat in enumerate(world.world.seats)
    }
    assert of(claims(ledgers["members"]), Relation.ASKED) == set()


def test_a_call_tells_the_other_side_the_address_and_where_it_stands(
    world: Findings, ledgers: dict[str, list[Fact]]
) -> None:
    """The device of account 0 holds what account 1 sent it; the address stands among the candidates."""
    known = claims(ledgers["device"])
    assert (Relation.GIVES, world.accounts[1], world.address(1)) in known
    assert (Relation.LOCATED, world.accounts[1]) in {(r, s) for r, s, _ in known}
    assert of(claims(ledgers["nodes"]), Relation.GIVES) == set()
    opened = claims(ledgers["phrase 1"])
    assert (Relation.GIVES, world.accounts[0], world.address(0)) in opened  # the archive of the swarm


def test_a_file_joins_who_wrote_with_who_read(world: Findings, ledgers: dict[str, list[Fact]]) -> None:
    pair = world.address(2), world.address(0)
    for name in ("files", "nodes"):
        known = claims(ledgers[name])
        sent = of(known, Relation.SENT, "addr:", "file:")
        assert bool(sent) == (name == "files")
        if sent:
            (file,) = {file for address, file in sent if address == pair[0]}
            assert (Relation.FETCHED, pair[1], file) in known
    by_file = [
        fact
        for fact in ledgers["files"]
        if fact.relation is Relation.REACHED and (fact.subject, fact.object) == pair
    ]
    assert by_file
    reached = of(claims(ledgers["nodes"]), Relation.REACHED, "addr:", "addr:")
    assert {(world.address(k), world.address((k + 1) % 3)) for k in range(3)} <= reached


def test_each_new_fact_says_how_it_came_about(ledgers: dict[str, list[Fact]]) -> None:
    new = (
        Relation.ASKED, Relation.REACHED, Relation.GIVES, Relation.LOCATED, Relation.HOLDS, Relation.KNOWS,
        Relation.CALLED, Relation.LEADS,
    )  # fmt: skip
    for relation in new:
        found = [fact for fact in ledgers["everything"] if fact.relation is relation]
        assert found, relation
        assert all(fact.derivation for fact in found)
        assert all(
            any("row " in step or "registry" in step or "rows " in step for step in fact.derivation)
            for fact in found
        )
