"""Whose groups' swarms open to a thief of a phrase or device, on real machines."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import pytest

from sessionsim.adversary import claims, deduce, observe
from sessionsim.core.intents import GroupAction, GroupText, Wish
from sessionsim.core.ledger import Relation
from sessionsim.core.records import MemoryRecords
from sessionsim.core.scene import Position, Taking
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_S
from sessionsim.core.view import Table
from sessionsim.network.stolen_access import OWNER, access_in_configs, access_on_device
from sessionsim.network.thefts import Thefts
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client import Client

S, EPOCH_MS = US_PER_S, 1_777_377_600_000
BEFORE_US, TALKED_US, LATE_US, END_US = 2 * S, 27 * S, 50 * S, 55 * S
WISHES: tuple[Wish, ...] = (
    GroupAction(4 * S, 0, 0, 0, "create", (1, 2), "walkers"),
    GroupAction(12 * S, 1, 0, 1, "join"),
    GroupAction(13 * S, 2, 0, 2, "join"),
    *(GroupText((18 + k) * S, k, 0, f"before {k}", 0) for k in range(2)),
    GroupAction(28 * S, 0, 0, 3, "remove", (2,)),
    GroupText(40 * S, 1, 0, "after", 0),
)
ADMIN, MEMBER, REMOVED, OTHER = range(4)


class Run(NamedTuple):
    world: World
    truth: Truth
    hauls: Table

    def known(self, client: int, t_us: int, *, copies: bool = False) -> set[tuple[Relation, str, str]]:
        world = self.world
        taking = Taking(world.scene.client_endpoints[client], t_us, False, copies, True)
        owners = {
            end: f"account:{world.accounts[seat.account].id_hex}"
            for end, seat in zip(world.scene.client_endpoints, world.seats, strict=True)
        }
        position, none, keys = Position(taken=frozenset({taking})), MemoryRecords().table(), self.truth.keys
        view = observe(
            "eve", position, none, {}, keys, world.nodes, "fast", owners, world.endpoints, hauls=self.hauls
        )
        return claims(deduce(view))

    def texts(self, client: int, t_us: int, *, copies: bool = False) -> set[str]:
        known = self.known(client, t_us, copies=copies)
        return {one for what, one, other in known if what is Relation.HOLDS and other == "kind:text"}

    def wished(self, until_us: int) -> set[str]:
        messages = self.truth.messages
        rows = zip(*(messages[name].tolist() for name in ("hash", "kind", "stored_us")), strict=True)
        return {
            f"message:{name}" for name, kind, t_us in rows if kind == "group-text" and 0 <= t_us <= until_us
        }


@pytest.fixture(scope="module")
def run() -> Run:
    spec = WorldSpec(
        date="2026-04-28", platforms=("desktop", "android", "ios", "desktop"), intents=WISHES,
        horizon_us=END_US, measured=(0, END_US), seeds=Seeds(5), epoch_ms=EPOCH_MS, limit_swarms=6,
        suite="fast",
    )  # fmt: skip
    world = build(spec)
    asking = {
        Taking(end, t_us, False, copies, True)
        for end in world.scene.client_endpoints
        for t_us in (BEFORE_US, TALKED_US, LATE_US)
        for copies in (False, True)
    }
    thefts = Thefts([Position(taken=frozenset(asking))], world.scene, EPOCH_MS)
    return Run(world, world.run(None, frozenset(), thefts=thefts), thefts.hauls())


@pytest.mark.parametrize("copies", [False, True])
@pytest.mark.parametrize("client", [ADMIN, MEMBER])
def test_an_account_leads_to_what_the_swarms_of_its_groups_hold(run: Run, client: int, copies: bool) -> None:
    assert run.texts(client, BEFORE_US, copies=copies) == set()
    both, all_ = run.wished(TALKED_US), run.wished(LATE_US)
    assert len(both) == 2
    assert len(all_) == 3
    assert run.texts(client, TALKED_US, copies=copies) == both
    assert run.texts(client, LATE_US, copies=copies) == all_
    members = {
        one for what, one, _ in run.known(client, LATE_US, copies=copies) if what is Relation.MEMBER_OF
    }
    assert members >= {f"account:{run.world.accounts[k].id_hex}" for k in (ADMIN, MEMBER)}


def test_who_was_removed_gets_nothing_more(run: Run) -> None:
    assert run.texts(REMOVED, TALKED_US) == run.wished(TALKED_US)
    assert run.texts(REMOVED, LATE_US) == run.texts(REMOVED, LATE_US, copies=True) == set()


def test_who_is_in_no_group_gets_nothing_of_any(run: Run) -> None:
    end = run.world.scene.client_endpoints[OTHER]
    accounts = set(run.hauls["account"][run.hauls["endpoint"] == end].tolist())
    assert accounts <= {run.world.accounts[OTHER].id_hex}


def test_a_token_that_is_not_the_groups_own_opens_no_swarm(run: Run) -> None:
    client = run.world.machines[run.world.scene.client_endpoints[MEMBER]]
    assert isinstance(client, Client)
    ((group_id, token),) = access_on_device(client).items()
    assert token != OWNER
    assert len(token) == 36
    (part,) = (part for part in client.parts if hasattr(part, "standings"))
    standing = part.standings[group_id]
    real = standing.access
    try:
        standing.access = dataclasses.replace(real, token_signature=bytes(64))
        assert access_on_device(client) == {}
    finally:
        standing.access = real


def test_configs_that_do_not_open_lead_nowhere(run: Run) -> None:
    """The haul of one account, tried with the keys of another."""
    client = run.world.machines[run.world.scene.client_endpoints[OTHER]]
    assert isinstance(client, Client)
    store = next(
        machine.store
        for machine in run.world.machines
        if hasattr(machine, "store") and machine.store.holds(run.world.accounts[MEMBER].id)
    )
    held = [one for one in store.everything() if one.account == run.world.accounts[MEMBER].id]
    member = run.world.machines[run.world.scene.client_endpoints[MEMBER]]
    assert isinstance(member, Client)
    assert len(access_in_configs(member.suite, member.account, held, EPOCH_MS)) == 1
    assert access_in_configs(client.suite, client.account, held, EPOCH_MS) == {}
    assert np.unique(run.hauls["on_device"]).tolist() == [False, True]
