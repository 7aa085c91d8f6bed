"""Campaigns of registrations on the list of 28 April, against the closed form of the network's placement.

The rule of assignment itself is held to the reference code in `test_swarm_statistics`. Here it says how soon
registered nodes stand in a chosen swarm: sooner than if each could land anywhere, since newcomers go to the
smaller swarms, and these are hit one after another. (At 200 registrations 76 % against 55 %.)
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import scipy

from sessionsim.core.seeds import Seeds
from sessionsim.experiment.months import by_rule
from sessionsim.metrics.closed_forms.paths import swarm_reached
from sessionsim.metrics.estimators.proportions import clopper_pearson
from sessionsim.network.capture import campaign
from sessionsim.network.snapshots import load_snapshot
from sessionsim.protocol.swarm_assignment import reassign
from sessionsim.protocol.swarm_rules import SwarmRules

RULES = SwarmRules()
AFTER = (50, 100, 150, 200, 250)


@cache
def april() -> dict[int, tuple[int, ...]]:
    swarms: dict[int, list[int]] = {}
    for node, swarm in enumerate(load_snapshot("2026-04-28").swarm):
        swarms.setdefault(swarm, []).append(node)
    return {swarm: tuple(nodes) for swarm, nodes in swarms.items()}


def reached(seed: int) -> list[float]:
    """Share of the ring, weighed by arcs, whose swarm has a registered node, after each of AFTER."""
    ids = sorted(april())
    gaps = np.diff([*ids, ids[0] + (1 << 64)]).astype(np.float64)
    arc = dict(zip(ids, (gaps + np.roll(gaps, 1)) / 2 / 2.0**64, strict=True))
    current, found = dict(april()), []
    for k in range(AFTER[-1]):
        current = reassign(current, [-1 - k], Seeds(seed).address("block", k), RULES)
        if k + 1 in AFTER:
            found.append(sum(arc[one] for one, nodes in current.items() if min(nodes) < 0))
    return found


def test_the_share_of_swarms_that_are_reached_is_the_closed_form() -> None:
    shares, closed = np.array([reached(seed) for seed in range(12)]), by_rule(april(), RULES, AFTER[-1])
    half = scipy.stats.t.ppf(0.9995, 11) * shares.std(axis=0, ddof=1) / np.sqrt(12)
    for place, many in enumerate(AFTER):
        expected = closed[many - 1]
        assert shares[:, place].mean() == pytest.approx(expected, abs=half[place] + 0.002), many
        assert half[place] < 0.03
        # Placement anywhere is far off.
        assert expected - swarm_reached(len(april()), many) > half[place]


def test_campaigns_against_one_account_agree_with_it() -> None:
    stream = Seeds(3).stream("targets")
    inside = np.zeros(AFTER[-1])
    for k in range(150):
        target = int(stream.integers(1 << 63)) * 2
        inside += campaign(april(), target, AFTER[-1], RULES, Seeds(3), k)[0] > 0
    closed = by_rule(april(), RULES, AFTER[-1])
    for many in AFTER:
        low, high = clopper_pearson(int(inside[many - 1]), 150, 0.999)
        assert low <= closed[many - 1] <= high, many
    low, _ = clopper_pearson(int(inside[199]), 150, 0.999)
    assert low > swarm_reached(len(april()), 200)
