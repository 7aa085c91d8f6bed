"""Idle polls in bulk of clients of version 2, which also read their device group and the account's record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sessionsim.core.intents import Device, DeviceChange, Presence, order_of
from sessionsim.core.units import US_PER_MIN, US_PER_S
from sessionsim.network.host import Host
from sessionsim.network.version2 import V2People, Version2
from sessionsim.network.world import WorldSpec
from sessionsim.protocol.v2 import V2Rules
from tests.network.test_trains import assert_same_records, assert_same_truth, carried, spec
from tests.network.test_trains_configs import CHANGES, expiries, run

S = US_PER_S
# Keys of the account and of the group change within the run, so that pushes and locked messages do occur.
HASTY = V2Rules(account_key_period_us=90 * S, account_key_window_us=30 * S)
VISIT = (
    Device(0, 0, 1, "ios"),
    Device(0, 1, 1, "android", linked=False),
    Presence(0, 1, 1, "online", False, 0),
    Presence(80 * S, 1, 1, "online", True, 1),
    DeviceChange(80 * S, 1, 1, "link", 0, 0),
)


def second(seed: int, rules: V2Rules, *more: object, minutes: int = 5) -> WorldSpec:
    plain = spec(seed, 10)
    wishes = tuple(sorted((*plain.intents, *more), key=order_of))
    until_us = minutes * US_PER_MIN
    hasty = rules.account_key_period_us == HASTY.account_key_period_us
    who = Version2(rules, V2People(group_age_us=0) if hasty else V2People())
    return replace(plain, intents=wishes, horizon_us=until_us, measured=(0, until_us), version2=who)


@pytest.mark.parametrize(
    ("seed", "rules", "more"),
    [
        (1, V2Rules(adoption_prob=1), ()),
        (2, replace(HASTY, adoption_prob=1), VISIT),
        (3, replace(HASTY, adoption_prob=0.5), CHANGES),
        (4, replace(HASTY, adoption_prob=1, polls_own_namespaces=False), VISIT),
    ],
)
def test_outcomes_and_records_are_those_of_carrying_out_each_poll(
    seed: int, rules: V2Rules, more: tuple[object, ...]
) -> None:
    each, bulk = (run(second(seed, rules, *more), how, frozenset({3, 11})) for how in ("each", "bulk"))
    assert_same_truth(each[1], bulk[1])
    assert_same_records(each[2], bulk[2])
    assert expiries(each[0]) == expiries(bulk[0])
    assert bulk[0].trains is not None
    assert bulk[0].trains.polls > 200


def test_nothing_is_left_out_of_the_count() -> None:
    given = second(5, replace(HASTY, adoption_prob=1))
    each, bulk = (run(given, how) for how in ("each", "bulk"))
    assert_same_truth(each[1], bulk[1])
    assert isinstance(each[0].host, Host)
    assert carried(bulk[0]) == each[0].host.transmissions
    assert bulk[0].trains is not None
    assert bulk[0].trains.transmissions > 0.5 * each[0].host.transmissions
    assert "group pushed" in set(bulk[1].events["what"])
