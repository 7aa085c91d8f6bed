"""One node, four roles: what an observer sees that looks at one of them only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sessionsim.adversary import claims, deduce
from sessionsim.adversary.roles import ROLES, roles_of
from sessionsim.core.columns import DTYPE, HEAD_CODE
from sessionsim.core.ledger import Relation
from sessionsim.core.scene import Position, Role
from sessionsim.core.view import Table
from sessionsim.protocol.wire.onion import encode_hop

NODE, OTHER, CLIENT, SERVER = 0, 1, 10, 11
N_NODES = 10
BUSY = 0  # the node of the stage that is guard, middle and last hop in turn


def role(row: tuple[Any, ...], *, payload: bytes = b"") -> tuple[Role | None, Role | None]:
    """Give the roles of the ends of one row: src, dst, head, direction."""
    src, dst, head, direction = row
    table: Table = {name: np.zeros(1, DTYPE[name]) for name in DTYPE.names or ()}
    for name, value in (("src", src), ("dst", dst), ("head", HEAD_CODE[head]), ("direction", direction)):
        table[name][0] = value
    pair = roles_of(table, {0: payload}, N_NODES, {SERVER: "file"})
    return tuple(ROLES[number[0]] if number[0] >= 0 else None for number in pair)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ((CLIENT, NODE, "onion_req", 0), (None, Role.GUARD)),
        ((CLIENT, NODE, "storage_rpc", 0), (None, Role.GUARD)),
        ((CLIENT, NODE, "handshake", 0), (None, Role.GUARD)),
        ((NODE, CLIENT, "handshake", 1), (Role.GUARD, None)),
        ((NODE, SERVER, "lsrpc/v4", 0), (Role.LAST, None)),
        ((SERVER, NODE, "monitor", 0), (None, Role.MEMBER)),
        ((NODE, SERVER, "notify", 0), (Role.MEMBER, None)),
        ((NODE, OTHER, "sn.storage_cc", 0), (Role.MEMBER, Role.MEMBER)),
        ((NODE, OTHER, "sn.data", 0), (Role.MEMBER, Role.MEMBER)),
        ((NODE, OTHER, "ping_test", 0), (None, None)),
        ((NODE, OTHER, "sn.storage_cc", 1), (None, None)),  # an answer to nothing that was seen
    ],
)
def test_the_role_is_in_the_kind_of_transmission(row: tuple[Any, ...], expected: Any) -> None:
    assert role(row) == expected


@pytest.mark.parametrize(
    ("hop", "expected"),
    [
        (1, (Role.GUARD, Role.MIDDLE)),
        (2, (Role.MIDDLE, Role.LAST)),
        (3, (Role.LAST, Role.MEMBER)),
        (4, (Role.MEMBER, Role.MEMBER)),
        (15, (Role.MEMBER, Role.MEMBER)),
    ],
)
def test_the_hop_number_tells_the_roles_between_nodes(hop: int, expected: Any) -> None:
    payload = encode_hop(bytes(100), bytes(32), "aes-gcm", hop)
    assert role((NODE, OTHER, "sn.onion_request", 0), payload=payload) == expected


@pytest.mark.parametrize("payload", [b"", b"d4:data", b"le", b"\xff" * 40])
def test_an_onion_request_that_cannot_be_read_has_no_roles(payload: bytes) -> None:
    assert role((NODE, OTHER, "sn.onion_request", 0), payload=payload) == (None, None)


def test_answers_have_the_role_of_their_request() -> None:
    rows = [
        (NODE, OTHER, "sn.storage_cc", 0, 4),
        (NODE, OTHER, "sn.onion_request", 0, 5),
        (OTHER, NODE, "sn.storage_cc", 1, 5),  # the head of an answer is its status
        (OTHER, NODE, "sn.storage_cc", 1, 4),
        (OTHER, NODE, "sn.storage_cc", 1, 6),
    ]
    table: Table = {name: np.zeros(len(rows), DTYPE[name]) for name in DTYPE.names or ()}
    for k, (src, dst, head, direction, exchange) in enumerate(rows):
        table["src"][k], table["dst"][k], table["direction"][k] = src, dst, direction
        table["head"][k], table["exchange"][k], table["blob"][k] = HEAD_CODE[head], exchange, k
    payload = encode_hop(bytes(100), bytes(32), "aes-gcm", 2)
    sender, receiver = roles_of(table, {1: payload}, N_NODES, {})
    names = [None if number < 0 else ROLES[number] for number in [*sender[2:], *receiver[2:]]]
    assert names == [Role.LAST, Role.MEMBER, None, Role.MIDDLE, Role.MEMBER, None]


def busy(stage: Any) -> Any:
    """Let node 0 be guard of Alice, middle and last hop of Bob, and ask nothing of its own swarm."""
    stage.store(0, 1, (BUSY, 1, 2, 12))
    stage.poll(1, (3, BUSY, 5, 13))
    stage.poll(1, (4, 6, BUSY, 14))
    return stage


def only(*roles: Role, node: int = BUSY) -> Position:
    return Position(in_role=frozenset((node, its) for its in roles))


def others(view: Any) -> set[int]:
    """Give the ends that a view shows beside the observer's own."""
    return (set(view.rows["src"].tolist()) | set(view.rows["dst"].tolist())) - {BUSY}


def test_each_role_shows_its_own_neighbours_and_no_others(stage: Any) -> None:
    busy(stage)
    assert others(stage.at(only(Role.GUARD))) == {16, 1}
    assert others(stage.at(only(Role.MIDDLE))) == {3, 5}
    assert others(stage.at(only(Role.LAST))) == {6, 14}
    assert others(stage.at(only(Role.MEMBER))) == set()


def test_all_roles_together_are_the_node_itself(stage: Any) -> None:
    busy(stage)
    rows = [set(stage.at(only(its)).rows["row"].tolist()) for its in Role]
    assert set.union(*rows) == set(stage.view([BUSY]).rows["row"].tolist())
    assert sum(map(len, rows)) == len(set.union(*rows))
    held = [key.secret for key in stage.at(only(Role.GUARD)).keys]
    assert held == [key.secret for key in stage.view([BUSY]).keys]


@pytest.fixture(scope="module")
def run(perform: Any) -> Any:
    """Run platforms that keep the destination out of the path: there every node has one role at a time."""
    return perform(("desktop", "ios") * 3)


def learned(run: Any, *roles: Role) -> set[tuple[Any, str, str]]:
    position = Position(in_role=frozenset((node, its) for node in run.nodes for its in roles))
    return claims(deduce(run.at(position), run.transcript))


def test_every_node_as_middle_hop_learns_nothing_at_all(run: Any) -> None:
    assert learned(run, Role.MIDDLE) == set()


def test_every_node_as_last_hop_learns_no_account_and_no_address(run: Any) -> None:
    assert learned(run, Role.LAST) == set()


def test_every_node_as_guard_learns_addresses_and_nothing_of_messages(run: Any) -> None:
    facts = learned(run, Role.GUARD)
    assert {relation for relation, _, _ in facts} == {Relation.ONLINE, Relation.SHOWS}
    assert all(subject.startswith("addr:") for _, subject, _ in facts)
    assert len({subject for _, subject, _ in facts if subject.startswith("addr:")}) == len(run.clients)


def test_every_node_as_swarm_member_learns_accounts_and_messages_and_no_address(run: Any) -> None:
    facts = learned(run, Role.MEMBER)
    about = {Relation.ONLINE, Relation.ADDRESSED_TO, Relation.HAS_SIZE, Relation.HAS_TTL, Relation.STAMPED}
    assert {relation for relation, _, _ in facts} == about | {Relation.SEEN, Relation.SHOWS}
    assert not [term for _, *terms in facts for term in terms if term.startswith("addr:")]
    online = {subject for relation, subject, _ in facts if relation is Relation.ONLINE}
    assert online == {f"account:{name}" for name in run.truth.accounts["account_id"]}


def test_guards_and_members_together_link_as_the_whole_nodes_do(run: Any) -> None:
    pooled = learned(run, Role.GUARD, Role.MEMBER)
    linked = {(subject, term) for relation, subject, term in pooled if relation is Relation.ACTS_FOR}
    whole = {
        (fact.subject, fact.object) for fact in run.facts(run.nodes) if fact.relation is Relation.ACTS_FOR
    }
    assert linked == whole
    assert whole


def test_a_last_hop_that_is_the_destination_too_learns_the_account(perform: Any) -> None:
    """Android does not keep the destination out of the path: with six swarms its last hop is often it."""
    android = perform(("android",) * 6)
    relations = {relation for relation, _, _ in learned(android, Role.LAST)}
    assert Relation.ONLINE in relations
