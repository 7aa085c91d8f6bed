"""Requests per hour of a client in two groups, against a calculation by hand from client-behaviour 6.1, 6.2.

In the village a request takes eight transmissions of 10 ms, so 80 ms; a round is as long as its request, and
on Android the 100 ms longer that a batch waits for others.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

from sessionsim.protocol.client.requests import Purpose

REQUEST_S = 0.08
# iOS: the pause grows from 3 s by 27 s in 12 h, from a group quiet for 5 min: dn = dt / (pause + request).
_SLOPE = 27 / 43_200
_IOS_GROUP = math.log((3 + REQUEST_S + _SLOPE * (3600 + 300)) / (3 + REQUEST_S + _SLOPE * 300)) / _SLOPE
EXPECTED = {
    # Polls of the own account, polls of each group, lookups (the own swarm and that of each group).
    "desktop": (2 * 3600 / (5 + REQUEST_S), 2 * 3600 / (5 + REQUEST_S), 3),
    "android": (3600 / (2 + 0.1 + REQUEST_S), 3600 / (2 + 0.1 + REQUEST_S), 3),
    "ios": (3600 / (1.5 + REQUEST_S), _IOS_GROUP, 0),
}


@pytest.mark.parametrize("platform", EXPECTED)
def test_a_client_in_two_groups_makes_three_streams_of_polls(village: Any, platform: str) -> None:
    crowds = [village.crowd([0, 1], [1], name=name) for name in (0, 1)]
    village.settle(platform, 0, {}, [crowd.of(0) for crowd in crowds])
    village.begin()
    village.run(3600)
    counted = Counter(exchange & 15 for _, _, exchange, _ in village.asked)
    own, group, lookups = EXPECTED[platform]
    assert counted.pop(Purpose.POLL) == pytest.approx(own, abs=3)
    assert counted.pop(Purpose.GROUP_POLL) == pytest.approx(2 * group, abs=6)
    assert counted.pop(Purpose.LOOKUP, 0) == lookups
    for upkeep in (Purpose.NODE_LIST, Purpose.PATH_TEST):  # of the client itself, with groups or without
        counted.pop(upkeep, 0)
    assert counted == {}


def test_the_calculation_for_ios_is_838_polls_of_a_group_in_the_first_hour() -> None:
    # 1600 · ln(5.5175 / 3.2675) = 1600 · 0.5239
    assert abs(_IOS_GROUP - 838) < 1
