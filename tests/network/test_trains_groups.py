"""Idle polls in bulk of clients that poll groups beside their own account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sessionsim.core.intents import Device, Group, GroupAction, GroupText, order_of
from sessionsim.core.units import US_PER_MIN, US_PER_S
from sessionsim.network.host import Host
from sessionsim.network.world import WorldSpec, build
from sessionsim.protocol.client.groups.part import Groups
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import PLATFORMS
from sessionsim.protocol.configs.group_members import REMOVED
from tests.network.test_trains import N, assert_same_records, assert_same_truth, carried, spec
from tests.network.test_trains_configs import CHANGES, expiries, run

S = US_PER_S
GROUPS = (Group(0, 0, 0, tuple(range(N)), "all"), Group(0, 4, 1, (1, 2, 4), "three"))
TALK = (
    GroupText(65 * S, 1, 0, "first", 0),
    GroupText(66 * S, 4, 1, "also first", 0),
    GroupText(190 * S, 2, 0, "second", 0),
)


def in_groups(seed: int, *more: object, minutes: int = 5) -> WorldSpec:
    plain = spec(seed, 4)
    wishes = tuple(sorted((*plain.intents, *GROUPS, *TALK, *more), key=order_of))
    until_us = minutes * US_PER_MIN
    return replace(plain, intents=wishes, horizon_us=until_us, measured=(0, until_us))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_outcomes_and_records_are_those_of_carrying_out_each_poll(seed: int) -> None:
    each, bulk = (run(in_groups(seed), how, frozenset({3, 11})) for how in ("each", "bulk"))
    assert_same_truth(each[1], bulk[1])
    assert_same_records(each[2], bulk[2])
    assert expiries(each[0]) == expiries(bulk[0])
    assert set(bulk[1].messages["outcome"]) == {"delivered"}
    assert bulk[0].trains is not None
    assert bulk[0].trains.polls > 300


@pytest.mark.parametrize("seed", [1, 3, 4])
def test_devices_that_extend_the_keys_of_one_group_in_turn_find_what_the_other_left(seed: int) -> None:
    """A group polled in rounds is asked when the round begins, not when its last poll was over."""
    plain = in_groups(seed, *CHANGES, Device(0, 0, 1, "desktop"), minutes=2)
    given = replace(plain, platforms=("desktop",) * N)
    watched = frozenset(build(given).scene.client_endpoints[:1])  # the other device polls one by one
    each, bulk = (run(given, how, watched) for how in ("each", "bulk"))
    assert_same_truth(each[1], bulk[1])
    assert_same_records(each[2], bulk[2])
    assert bulk[0].trains is not None
    assert bulk[0].trains.polls > 200


def test_nothing_is_left_out_of_the_count() -> None:
    each, bulk = (run(in_groups(4), how) for how in ("each", "bulk"))
    assert_same_truth(each[1], bulk[1])
    assert isinstance(each[0].host, Host)
    assert carried(bulk[0]) == each[0].host.transmissions
    assert bulk[0].trains is not None
    assert bulk[0].trains.transmissions > 0.6 * each[0].host.transmissions


def test_what_admins_do_finds_members_where_they_would_be() -> None:
    story = (
        GroupAction(80 * S, 4, 1, 0, "invite", (3,), history=True),
        GroupAction(85 * S, 3, 1, 1, "join"),
        GroupAction(120 * S, 4, 1, 2, "remove", (2,), rekey="removed"),
        GroupText(150 * S, 2, 1, "may I?", 0),
        GroupAction(160 * S, 0, 0, 0, "promote", (1,)),
        GroupAction(200 * S, 5, 0, 1, "leave", rekey="left"),
        GroupAction(40 * S, 5, 2, 0, "create", (0, 2), "another"),
        GroupAction(60 * S, 2, 2, 1, "join"),
    )
    each, bulk = (run(in_groups(5, *story), how, frozenset({17})) for how in ("each", "bulk"))
    assert_same_truth(each[1], bulk[1])
    assert_same_records(each[2], bulk[2])
    assert expiries(each[0]) == expiries(bulk[0])
    assert bulk[0].trains is not None
    assert bulk[0].trains.polls > 100


def test_members_with_configs_are_drawn_too() -> None:
    each, bulk = (run(in_groups(6, *CHANGES), how, frozenset({3, 11})) for how in ("each", "bulk"))
    assert_same_truth(each[1], bulk[1])
    assert_same_records(each[2], bulk[2])
    assert expiries(each[0]) == expiries(bulk[0])
    assert bulk[0].trains is not None
    assert bulk[0].trains.polls > 100


def test_pauses_grow_within_a_train_as_a_group_falls_silent() -> None:
    # On iOS the pause grows evenly from 3 s to 30 s while nobody speaks; five minutes shall do here.
    plain = in_groups(7)
    rules = {name: replace(one, active_for_us=5 * US_PER_MIN) for name, one in plain.group_rules.items()}
    calm = {name: replace(one, rotation_us=0, list_interval_us=0) for name, one in PLATFORMS.items()}
    given = replace(plain, group_rules=rules, client_rules=calm)
    each, bulk = (run(given, how) for how in ("each", "bulk"))
    assert_same_truth(each[1], bulk[1])
    assert carried(bulk[0]) == each[0].host.transmissions
    assert bulk[0].trains is not None
    assert bulk[0].trains.polls > 300


def test_a_watched_member_polls_one_by_one_and_the_others_do_not() -> None:
    given = in_groups(8, minutes=3)
    first = len(build(given).nodes)
    each, bulk = (run(given, how, frozenset({first + 1})) for how in ("each", "bulk"))
    assert_same_records(each[2], bulk[2])
    assert_same_truth(each[1], bulk[1])
    trains = bulk[0].trains
    assert trains is not None
    assert first + 1 not in trains.riders
    assert {first + number for number in range(N) if number != 1} <= trains.riders


def test_an_admin_with_something_to_do_at_the_end_of_a_round_is_not_idle() -> None:
    world, _, _ = run(in_groups(9, minutes=1), "bulk")
    client = world.machines[world.endpoint_of[4, 0]]  # admin of "three"
    assert isinstance(client, Client)
    (groups,) = [part for part in client.parts if isinstance(part, Groups)]
    (standing,) = [one for one in groups.standings.values() if one.admin is not None]
    assert not groups.hearing.awaits(standing)
    now_us = world.spec.horizon_us
    assert groups.idle(now_us + S, now_us) is not None
    (known, *_) = [one for one in standing.members if not one.admin]
    standing.members.set(replace(known, removal=REMOVED))
    assert groups.hearing.awaits(standing)
    assert groups.idle(now_us + S, now_us) is None


def test_what_two_devices_keep_alive_is_never_drawn_for_both() -> None:
    """What nodes say to one then depends on when the other has asked; the first may ride until they meet."""
    world, _, _ = run(in_groups(9, *CHANGES, Device(0, 3, 1, "desktop"), minutes=2), "bulk")
    assert world.trains is not None
    assert len(world.trains.riders & {world.endpoint_of[3, 0], world.endpoint_of[3, 1]}) <= 1
    assert world.endpoint_of[1, 0] in world.trains.riders
