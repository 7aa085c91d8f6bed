"""Nodes in a single role learn nothing where nothing should show, whatever the seed and whoever takes part.

Desktop's test of guards, and destinations among the own hops, are off (metrics 2i); `test_findings` has both.
"""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.core.intents import File, Group, GroupAction, GroupText, Intent, Post, Reader, Wish
from sessionsim.core.ledger import Relation
from sessionsim.core.scene import Role
from sessionsim.core.units import US_PER_S
from tests.adversary.test_findings import Claims, Findings, of

S = US_PER_S
WISHES: tuple[Wish, ...] = (
    Group(0, 1, 0, (1, 0, 3), "four"),
    *(Reader(0, account, 0) for account in (2, 3)),
    GroupText(17 * S, 3, 0, "all", 0),
    Intent(19 * S, 2, 0, "a picture", 0, (File("photo", 9_000),)),
    *(Intent((21 + k) * S, k, (k + 2) % 4, f"hello {k}", int(k == 2)) for k in range(4)),
    Post(27 * S, 3, 0, "post", 0),
    GroupAction(30 * S, 1, 0, 0, "remove", (3,)),
)
CASES: dict[str, dict[str, Any]] = {
    "seed 7": {"seed": 7, "platforms": ("ios", "android", "desktop", "ios")},
    "seed 23": {"seed": 23, "platforms": ("android", "android", "android", "desktop")},
}


@pytest.fixture(scope="module", params=sorted(CASES))
def world(request: Any) -> Findings:
    return Findings("none", wishes=WISHES, **CASES[request.param])


def terms(known: Claims) -> set[str]:
    return {term.partition(":")[0] for _, *both in known for term in both if term}


def test_messages_did_arrive(world: Findings) -> None:
    messages = world.truth.messages
    rows = zip(messages["kind"].tolist(), messages["outcome"].tolist(), strict=True)
    texts = [outcome for kind, outcome in rows if kind == "text"]
    assert len(texts) == 5
    assert "delivered" in texts


def test_middle_and_last_hops_learn_nothing_alone_or_together(world: Findings) -> None:
    for roles in ((Role.MIDDLE,), (Role.LAST,), (Role.MIDDLE, Role.LAST)):
        assert world.role(*roles) == set()


def test_guards_learn_addresses_their_places_and_programs_and_nothing_else(world: Findings) -> None:
    known = world.role(Role.GUARD)
    assert terms(known) <= {"addr", "country", "zone", "transport", "cipher"}
    assert {what for what, _, _ in known} == {Relation.ONLINE, Relation.LOCATED, Relation.SHOWS}
    assert {who for who, _ in of(known, Relation.ONLINE)} == {world.address(k) for k in range(4)}


def test_swarm_members_learn_no_address_and_no_writer_but_by_token(world: Findings) -> None:
    known = world.role(Role.MEMBER)
    assert not terms(known) & {"addr", "country", "zone", "name", "kind", "token", "blinded", "file"}
    signed = {who.partition(":")[0] for _, who in of(known, Relation.WRITTEN_BY)}
    messages = world.truth.messages
    rows = zip(messages["hash"].tolist(), messages["kind"].tolist(), strict=True)
    texts = {f"message:{name}" for name, kind in rows if kind == "text"}
    assert texts & {m for m, _ in of(known, Relation.ADDRESSED_TO, "message:", "account:")}
    assert not texts & {m for m, _ in of(known, Relation.WRITTEN_BY)}
    assert signed <= {"account", "group", "member"}
    assert of(known, Relation.TALKS_TO) == of(known, Relation.LINKED) == of(known, Relation.SENT) == set()


def test_servers_learn_no_address_of_who_comes_over_the_onion(world: Findings) -> None:
    for kinds in (("file",), ("push",), ("community",), ("file", "push", "community")):
        assert not terms(world.servers(*kinds)) & {"addr", "country", "zone"}
    assert not terms(world.servers("file", "community")) & {"account"}
