"""Messages through weeks of swarm changes by the real assignment: nothing is lost but what 2.8 loses.

Nodes join and leave, swarms are fed, come up and dissolve, and after each block the nodes hand on what they
have to. In the end every member of an account's swarm must hold every message in its namespace; with 2.8,
which hands messages on without it, the same messages stand in namespace 0 wherever they were handed on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sessionsim.core.nodelist import ABSENT, UNASSIGNED
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.swarm_membership import (
    Membership,
    changes,
    decommission,
    recommission,
    register,
    remove,
    settle,
)
from sessionsim.protocol.swarm_rules import SwarmRules

Make = Callable[..., Any]
NODES, FIRST = 64, 24
NAMESPACES = (0, 5, -10)


class Weeks:
    """A network of up to 64 nodes, of which 24 serve at first."""

    def __init__(self, make_world: Make, seed: int, **changes_: Any) -> None:
        self.chance = np.random.Generator(np.random.PCG64(seed))
        self.membership: Membership[int] = settle(register(Membership(), range(FIRST)), 77, SwarmRules())
        self.next = FIRST
        self.world = make_world(swarms=self.swarms(), **changes_)
        self.seen = {"created": 0, "dissolved": 0, "moved": 0}

    def swarms(self) -> tuple[int, ...]:
        found = [ABSENT] * NODES
        for node in self.membership.waiting | self.membership.decommissioned:
            found[node] = UNASSIGNED
        for swarm, nodes in self.membership.swarms.items():
            for node in nodes:
                found[node] = swarm
        return tuple(found)

    def block(self, what: Callable[..., Any], nodes: list[int]) -> None:
        """Apply a change, tell everybody within 3 s, and give them two minutes."""
        before = self.membership
        self.membership = settle(what(before, nodes), int(self.chance.integers(1 << 63)), SwarmRules())
        changed = changes(before.swarms, self.membership.swarms)
        for name in self.seen:
            self.seen[name] += len(getattr(changed, name))
        listed = self.world.nodes_with(self.swarms())
        for node in self.chance.permutation(NODES).tolist():
            self.world.run(3 * US_PER_S // NODES)
            self.world.tell(node, "swarms", listed, 2_000_000)
        self.world.nodes = listed
        self.world.run(120 * US_PER_S)

    def some(self, count: int) -> list[int]:
        return sorted(self.chance.choice(self.world.nodes.active, count, replace=False).tolist())

    def pass_by(self) -> None:
        """Let the network grow, shrink and rest: swarms come up, dissolve and are fed."""
        for count in (9, 9, 9, 9):
            self.block(register, list(range(self.next, self.next + count)))
            self.next += count
        for _ in range(3):
            out = self.some(2)
            self.block(decommission, out)
            self.block(recommission, out)
        for _ in range(17):
            self.block(remove, self.some(2))


def writers(weeks: Weeks, caller: Make) -> list[Any]:
    """Give sixteen accounts, wherever on the ring they stand."""
    person = type(weeks.world.person(next(iter(weeks.world.nodes.members))))
    return [caller(weeks.world, person(f"writer {number}")) for number in range(16)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("version", ["new", "2.8"])
def test_storing_before_and_after_swarms_move_loses_nothing_but_what_the_version_does(
    make_world: Make, caller: Make, seed: int, version: str
) -> None:
    weeks = Weeks(make_world, seed, old=range(NODES) if version == "2.8" else ())
    world = weeks.world
    stored: dict[bytes, dict[int, set[str]]] = {}
    people = writers(weeks, caller)
    for by in people:
        for namespace in NAMESPACES:
            entry = world.nodes.members[swarm_of(world, by)][0]
            stored.setdefault(by.person.id, {})[namespace] = set(
                by.put(f"before {namespace}".encode(), node=entry, namespace=namespace)
            )
    weeks.pass_by()
    assert weeks.seen["created"] >= 2
    assert weeks.seen["dissolved"] >= 3
    assert weeks.seen["moved"] >= 10
    for by in people:
        members = world.nodes.members[swarm_of(world, by)]
        for namespace in NAMESPACES:
            stored[by.person.id][namespace] |= set(
                by.put(f"after {namespace}".encode(), node=members[0], namespace=namespace)
            )
        expected = stored[by.person.id]
        for node in members:
            held = {namespace: hashes(world, node, by, namespace) for namespace in NAMESPACES}
            if version == "new":
                assert held == expected
            else:
                # Nothing is gone, but what was handed on lies in namespace 0.
                assert set().union(*held.values()) == set().union(*expected.values())
                assert held[0] >= expected[0]
                assert all(held[namespace] <= expected[namespace] for namespace in NAMESPACES[1:])
    if version == "2.8":
        nodes = [(by, node) for by in people for node in world.nodes.members[swarm_of(world, by)]]
        lost = [by for by, node in nodes if hashes(world, node, by, 5) != stored[by.person.id][5]]
        assert len(lost) > len(nodes) / 2


def hashes(world: Any, node: int, by: Any, namespace: int) -> set[str]:
    return {message.hash for message in world.machines[node].store.box(by.person.id, namespace)}


def swarm_of(world: Any, by: Any) -> int:
    first = {swarm: world.machines[nodes[0]] for swarm, nodes in world.nodes.members.items()}
    return next(swarm for swarm, machine in first.items() if machine._rpc.is_ours(by.person.id))


def test_a_client_that_asks_the_old_members_is_told_the_new_ones(make_world: Make, caller: Make) -> None:
    weeks = Weeks(make_world, 9)
    people = writers(weeks, caller)
    old = {by.person.id: weeks.world.nodes.members[swarm_of(weeks.world, by)] for by in people}
    weeks.pass_by()
    world, redirected = weeks.world, 0
    for by in people:
        members = world.nodes.members[swarm_of(world, by)]
        for node in old[by.person.id]:
            if node in members or world.nodes.swarm_of(node) is None:
                continue
            status, answer = by.ask(node, by.retrieve())
            assert status == 421
            named = {world.nodes.index[bytes.fromhex(one["pubkey_ed25519"])] for one in answer["snodes"]}
            assert named == set(members)
            redirected += 1
    assert redirected > 5
