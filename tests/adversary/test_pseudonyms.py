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
