"""Storing before and after a swarm moves: nothing is lost, except where the node version itself loses it.

Half a day in which a third of the nodes leaves and as many join; people fetch every half hour, so what was
stored lies through moves. Nodes of 2.8 hand messages on without their namespace (transport 5.10): nothing of
namespace 0 is missed, while what a group said reappears where none of its members looks.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from sessionsim.core.intents import Group, GroupText, Intent, Wish
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_MIN
from sessionsim.network.membership import MembershipRules
from sessionsim.network.world import WorldSpec, build
from sessionsim.protocol.client.groups.rules import PLATFORMS as GROUPS
from sessionsim.protocol.client.rules import PLATFORMS
from sessionsim.protocol.namespaces import GROUP_MESSAGES
from sessionsim.protocol.node_rules import VERSION_2_8, NodeRules
from sessionsim.protocol.swarms import nearest_swarm, swarm_position

HORIZON = US_PER_DAY // 2
PAUSE = 30 * US_PER_MIN
N_GROUPS = 12
CHANGING = MembershipRules(mode="rates", joins_prob=0.7, leaves_prob=0.7, outages_prob=0.0)
VERSIONS = {"new": NodeRules(), "2.8": NodeRules(**VERSION_2_8)}


def wishes() -> tuple[Wish, ...]:
    """Groups of three at different swarms, and texts to people and groups until an hour before the end."""
    stood = [Group(0, k % 3, k, (0, 1, 2), f"group {k}") for k in range(N_GROUPS)]
    step = (HORIZON - US_PER_DAY // 24) // 48
    said: list[Wish] = []
    for k in range(48):
        t_us = (k + 1) * step - step // 2
        if k % 2:
            said.append(Intent(t_us, k % 3, (k + 1) % 3, f"text {k}", k))
        else:
            said.append(GroupText(t_us, k % 3, k // 2 % N_GROUPS, f"text {k}", k))
    return (*stood, *said)


@cache
def run(version: str) -> tuple[Any, dict[str, np.ndarray]]:
    quiet = {"poll_interval_us": PAUSE, "poll_quiet_us": PAUSE, "poll_middle_us": PAUSE}
    groups: Any = {name: replace(rules, **quiet, poll_retry_cap_us=PAUSE) for name, rules in GROUPS.items()}
    spec = WorldSpec(
        date="2026-04-08", limit_swarms=8, platforms=("desktop", "android", "ios"), intents=wishes(),
        horizon_us=HORIZON, measured=(0, HORIZON), seeds=Seeds(11), epoch_ms=1_777_000_000_000,
        client_rules={name: replace(rules, poll_interval_us=PAUSE) for name, rules in PLATFORMS.items()},
        group_rules=groups, membership=CHANGING, node_rules=VERSIONS[version],
    )  # fmt: skip
    world = build(spec)
    assert sum(len(block.changed.moved) + len(block.changed.joined) for block in world.history.blocks) > 10
    return world, world.run().messages


def share_delivered(version: str, kind: str) -> float:
    messages = run(version)[1]
    return float((messages["outcome"][messages["kind"] == kind] == "delivered").mean())


def missing(version: str, kind: str) -> tuple[int, int]:
    """Of the newcomers to the swarm of each text: how many lack it where it belongs; how many there are."""
    world, messages = run(version)
    last, lacking, newcomers = world.history.blocks[-1].nodes, 0, 0
    swarm_ids = sorted(last.members)
    for ref in np.flatnonzero(messages["kind"] == kind):
        if kind == "text":
            owner, namespace = world.accounts[messages["recipient"][ref]].id, 0
        else:
            owner, namespace = world._before.groups.keys[messages["group"][ref]].id, GROUP_MESSAGES
        swarm = nearest_swarm(swarm_position(owner[1:]), swarm_ids)
        for node in last.members[swarm]:
            first = world.nodes.swarm[node] != swarm
            if first and not world.host.trouble.crashed[node]:
                newcomers += 1
                held = {message.hash for message in world.machines[node].store.box(owner, namespace)}
                lacking += messages["hash"][ref] not in held
    return lacking, newcomers


@pytest.mark.parametrize("version", list(VERSIONS))
@pytest.mark.parametrize("kind", ["text", "group-text"])
def test_what_was_said_outlives_the_moves(version: str, kind: str) -> None:
    """Members who stay keep it where it belongs, so that even the loss of 2.8 seldom shows."""
    assert share_delivered(version, kind) == 1.0


def test_newcomers_to_a_swarm_hold_what_was_stored_before_they_came() -> None:
    for kind in ("text", "group-text"):
        lacking, newcomers = missing("new", kind)
        assert newcomers > 10
        assert lacking == 0


def test_newcomers_of_2_8_hold_what_groups_said_where_nobody_looks_for_it() -> None:
    assert missing("2.8", "text")[0] == 0
    lacking, newcomers = missing("2.8", "group-text")
    assert newcomers > 10
    # What was said after they came they have got like everybody.
    assert 0 < lacking < newcomers
