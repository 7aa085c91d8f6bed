"""Somebody is looked up by name over real nodes, and written to when three of them agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import CAUSE_MASK, Cause
from sessionsim.core.intents import Intent, NameLookup, Strangers, Wish
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_S
from sessionsim.network.given_names import given_name
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol import names
from sessionsim.protocol.client.names import PLATFORMS
from sessionsim.protocol.snode import ServiceNode

NAMES = ("desktop", "android", "ios")
S = US_PER_S


def world_of(*wishes: Wish, seconds: int = 60, **changed: Any) -> World:
    spec = WorldSpec(
        date="2026-04-28", platforms=NAMES, intents=wishes, horizon_us=seconds * S,
        measured=(0, seconds * S), seeds=Seeds(8), epoch_ms=1_790_000_000_000, limit_swarms=12, suite="fast",
    )  # fmt: skip
    return build(replace(spec, **changed))


def fates(truth: Truth) -> list[tuple[str, str, str]]:
    columns = (truth.messages[name].tolist() for name in ("kind", "outcome", "reason"))
    return list(zip(*columns, strict=True))


def meeting(who: int, whom: int) -> tuple[Wish, ...]:
    return (
        Strangers(5 * S, who, whom),
        NameLookup(5 * S, who, whom),
        Intent(5 * S + 1, who, whom, "found you", 0),
    )


@pytest.mark.parametrize("who", range(3), ids=NAMES)
def test_a_text_waits_for_the_name_and_then_goes_out(who: int) -> None:
    world = world_of(*meeting(who, (who + 1) % 3))
    truth = world.run()
    assert fates(truth) == [("name-lookup", "delivered", ""), ("text", "delivered", "")]
    answered_us, stored_us = truth.messages["stored_us"].tolist()
    assert 5 * S < answered_us < stored_us
    of_names = truth.events["what"] == "name-resolved"
    assert truth.events["value"][of_names].tolist() == [3]
    assert truth.events["endpoint"][of_names].tolist() == [world.endpoint_of[who, 0]]


def test_every_node_gives_what_only_who_knows_the_name_can_open() -> None:
    world = world_of(*meeting(0, 1))
    nodes = [machine for machine in world.machines if isinstance(machine, ServiceNode)]
    known = nodes[0]._rpc.names
    assert all(node._rpc.names is known for node in nodes)
    ((value, nonce),) = known.values()
    answer = names.Answer(value, nonce)
    assert names.open_answer(given_name(1), answer) == world.accounts[1].id


def test_three_nodes_are_asked_each_over_an_onion_and_nothing_else_is() -> None:
    def lookups(*wishes: Wish) -> int:
        world, records = world_of(*wishes, seconds=20), MemoryRecords()
        end = world.endpoint_of[2, 0]  # iOS, which looks up no swarms
        world.run(records, frozenset([end]))
        rows = records.table()
        mine = (rows["src"] == end) & (rows["direction"] == 0)
        return int(((rows["note"][mine] & CAUSE_MASK) == int(Cause.LOOKUP)).sum())

    assert lookups(Strangers(0, 2, 0)) == 0
    assert lookups(Strangers(0, 2, 0), NameLookup(5 * S, 2, 0)) == 3


def test_how_many_are_asked_and_must_agree_are_rules() -> None:
    rules = {name: replace(one, nodes=5, agreement=2) for name, one in PLATFORMS.items()}
    truth = world_of(*meeting(0, 1), name_rules=rules).run()
    assert truth.events["value"][truth.events["what"] == "name-resolved"].tolist() == [5]


def test_a_name_that_nobody_holds_is_not_found_and_its_text_is_refused() -> None:
    world = world_of(*meeting(0, 1), Intent(40 * S, 0, 1, "once more", 1))
    for machine in world.machines:
        if isinstance(machine, ServiceNode):
            machine.know_names({})
    truth = world.run()
    assert fates(truth) == [
        ("name-lookup", "refused", "nobody holds this name"),
        ("text", "refused", "nobody was found under the name"),
        ("text", "refused", "nobody was found under the name"),
    ]


def test_one_node_that_says_something_else_spoils_the_look_up() -> None:
    world = world_of(*meeting(0, 1))
    nodes = [machine for machine in world.machines if isinstance(machine, ServiceNode)]
    (hashed,) = nodes[0]._rpc.names
    lie = names.seal_answer(given_name(1), world.accounts[2].id, bytes(24))
    for node in nodes[::2]:
        node.know_names({hashed: (lie.ciphertext, bytes(24))})
    told = {fates(world.run())[0][1:]}
    assert told == {("refused", "nodes disagree about the name")}


def test_a_text_of_before_and_one_to_somebody_else_wait_for_no_name() -> None:
    early, other = Intent(2 * S, 0, 1, "known", 0), Intent(6 * S, 0, 2, "hi", 0)
    world = world_of(early, NameLookup(5 * S, 0, 1), other)
    for machine in world.machines:
        if isinstance(machine, ServiceNode):
            machine.know_names({})
    outcomes = {kind: outcome for kind, outcome, _ in fates(world.run())}
    assert outcomes == {"text": "delivered", "name-lookup": "refused"}


def test_a_look_up_at_the_very_end_is_still_under_way() -> None:
    world = world_of(Strangers(0, 0, 1), NameLookup(60 * S - 1, 0, 1), Intent(60 * S - 1, 0, 1, "late", 0))
    assert fates(world.run()) == [
        ("name-lookup", "waiting", "with its sender"), ("text", "waiting", "what it is about has not come")
    ]  # fmt: skip


def test_in_bulk_or_poll_by_poll_look_ups_have_the_same_outcomes_and_records() -> None:
    def told(how: str, watched: bool) -> list[Any]:
        wishes = sorted((*meeting(0, 1), *meeting(1, 2), *meeting(2, 0)), key=lambda wish: wish.t_us)
        world, records = world_of(*wishes, idle_polls=how, seconds=90), MemoryRecords()
        truth = world.run(records, frozenset([world.endpoint_of[0, 0]] if watched else ()))
        rows = records.table()
        return [fates(truth), truth.messages["stored_us"].tolist(), *(rows[name].tolist() for name in rows)]

    for watched in (False, True):
        bulk, each = told("bulk", watched), told("each", watched)
        assert bulk == each
        assert np.unique([outcome for _, outcome, _ in bulk[0]]).tolist() == ["delivered"]
