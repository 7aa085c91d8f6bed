"""What a message to a pseudonym and the yes to it tell the server between them, and the nodes."""

from __future__ import annotations

import pytest

from sessionsim.adversary import claims, deduce
from sessionsim.core.intents import Acceptance, InboxText, Intent, MessageAt, Post, Reader, Strangers, Wish
from sessionsim.core.ledger import Fact, Relation
from sessionsim.core.scene import Position, Role, Taking
from sessionsim.core.units import US_PER_S
from sessionsim.metrics import Replicate
from sessionsim.metrics._answer_sheet import AnswerSheet
from sessionsim.protocol.blinding import blind15_id_of_ed25519
from tests.adversary.test_findings import Findings, of

S = US_PER_S
WISHES: tuple[Wish, ...] = (
    *(Reader(0, account, 0) for account in (0, 1)),
    Post(8 * S, 1, 0, "anybody here?", 0),
    Strangers(15 * S, 0, 1),
    InboxText(15 * S, 0, 1, 0, "was that you?", 0),
    Acceptance(28 * S, 1, 0, MessageAt("inbox", 1, 0, 0)),
    Intent(40 * S, 0, 1, "good to know", 0),
)


@pytest.fixture(scope="module")
def world() -> Findings:
    return Findings("own-swarm", wishes=WISHES, owned=True)


def ledger(world: Findings, place: Position) -> list[Fact]:
    facts = deduce(world.view(place), world.transcript)
    inside, records = world.world, world.records.table()
    everyone = frozenset(range(len(inside.machines)))
    sheet = AnswerSheet(
        Replicate(5, "fast", world.truth, records, everyone, inside.nodes, inside.endpoints, {}, {})
    )
    assert not [fact for fact in facts if sheet.contradicts(fact)]
    return facts


def pseudonym(world: Findings, account: int) -> str:
    server = next(one for one in world.world.servers if (one.kind, one.number) == ("community", 0))
    public = world.world.accounts[account].ed.public
    return f"blinded:{blind15_id_of_ed25519(public, server.x.public).hex()}"


def test_the_community_sees_who_writes_to_whom_by_their_pseudonyms_and_no_account(world: Findings) -> None:
    servers = world.world.scene.servers
    known = claims(ledger(world, Position(operated=frozenset(servers["community"]))))
    one, other = pseudonym(world, 0), pseudonym(world, 1)
    assert (one, other) in of(known, Relation.NAMED)
    assert not [name for claim in known for name in claim[1:] if name.startswith(("account:", "addr:"))]


def test_members_of_the_swarm_see_the_yes_arrive_at_an_account_and_no_pseudonym(world: Findings) -> None:
    members = frozenset((node, Role.MEMBER) for node in range(len(world.world.nodes)))
    known = claims(ledger(world, Position(in_role=members)))
    assert any(account == world.accounts[0] for _, account in of(known, Relation.ADDRESSED_TO))
    assert not [name for claim in known for name in claim[1:] if name.startswith("blinded:")]


def test_whoever_has_the_askers_phrase_and_the_server_joins_pseudonym_and_account(world: Findings) -> None:
    scene = world.world.scene
    nodes = frozenset((node, Role.MEMBER) for node in range(len(world.world.nodes)))
    taken = frozenset({Taking(scene.client_endpoints[0], 0, stays=False)})
    place = Position(operated=frozenset(scene.servers["community"]), in_role=nodes, taken=taken)
    linked = of(claims(ledger(world, place)), Relation.LINKED)
    for account in (0, 1):  # the other one from the yes that the swarm keeps
        assert (world.accounts[account], pseudonym(world, account)) in linked


def letters(world: Findings) -> set[str]:
    """Give the terms of letters in inboxes."""
    messages = world.truth.messages
    kinds = zip(messages["kind"].tolist(), messages["hash"].tolist(), strict=True)
    return {f"message:{name}" for kind, name in kinds if kind == "inbox-text"}


@pytest.mark.parametrize("whose", [0, 1])
def test_who_has_a_letter_and_the_phrase_of_one_end_opens_it(world: Findings, whose: int) -> None:
    scene, (letter,) = world.world.scene, letters(world)
    servers = frozenset(scene.servers["community"])
    taken = frozenset({Taking(scene.client_endpoints[whose], 0, stays=False)})
    known = claims(ledger(world, Position(operated=servers, taken=taken)))
    assert (Relation.HOLDS, letter, "kind:text") in known
    assert (Relation.WRITTEN_BY, letter, world.accounts[0]) in known
    assert (Relation.LINKED, world.accounts[0], pseudonym(world, 0)) in known
    reader = (Relation.LINKED, world.accounts[1], pseudonym(world, 1))
    addressed = (Relation.ADDRESSED_TO, letter, world.accounts[1])
    talks = (Relation.TALKS_TO, world.accounts[0], world.accounts[1])
    assert ({reader, addressed, talks} <= known) == (whose == 1)


def test_neither_the_letter_nor_the_phrase_opens_it_alone(world: Findings) -> None:
    scene, (letter,) = world.world.scene, letters(world)
    servers = frozenset(scene.servers["community"])
    taken = frozenset({Taking(scene.client_endpoints[1], 0, stays=False)})
    for place in (Position(operated=servers), Position(taken=taken)):
        assert letter not in {term for claim in claims(ledger(world, place)) for term in claim[1:]}


def test_both_phrases_tell_no_less_than_each(world: Findings) -> None:
    scene = world.world.scene
    servers = frozenset(scene.servers["community"])
    taken = [Taking(scene.client_endpoints[whose], 0, stays=False) for whose in (0, 1)]
    each = [claims(ledger(world, Position(operated=servers, taken=frozenset({one})))) for one in taken]
    both = claims(ledger(world, Position(operated=servers, taken=frozenset(taken))))
    assert each[0] | each[1] <= both


def test_the_device_of_either_end_reads_it(world: Findings) -> None:
    scene, (letter,) = world.world.scene, letters(world)
    for whose in (0, 1):
        place = Position(operated=frozenset({scene.client_endpoints[whose]}))
        facts = ledger(world, place)
        (fact,) = [one for one in facts if (one.relation, one.subject) == (Relation.WRITTEN_BY, letter)]
        assert fact.object == world.accounts[0]
        assert any("opens a letter in a community's inbox" in step for step in fact.derivation)
