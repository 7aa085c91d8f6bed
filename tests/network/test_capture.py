"""Campaigns of registrations, on small rings of swarms worked by hand."""

from __future__ import annotations

import numpy as np

from sessionsim.core.seeds import Seeds
from sessionsim.network.capture import campaign
from sessionsim.protocol.swarm_rules import SwarmRules

RULES = SwarmRules()
FAR = 1 << 62


def ring(swarms: int, size: int = 5) -> dict[int, list[int]]:
    return {k * FAR // swarms: list(range(k * size, (k + 1) * size)) for k in range(swarms)}


def test_into_the_only_swarm_every_registration_goes() -> None:
    own, size = campaign(ring(1), 0, 2, RULES, Seeds(1), 0)
    assert own.tolist() == [1, 2]
    assert size.tolist() == [6, 7]


def test_a_registration_reaches_one_of_equal_swarms_by_chance() -> None:
    reached = [campaign(ring(10), 3 * FAR // 10, 1, RULES, Seeds(1), k)[0][0] for k in range(400)]
    assert abs(np.mean(reached) - 0.1) < 4.5 * np.sqrt(0.09 / 400)


def test_the_same_campaign_is_the_same_again_and_another_is_not() -> None:
    first, again, other = (campaign(ring(8), 5, 30, RULES, Seeds(1), k)[0].tolist() for k in (0, 0, 1))
    assert first == again
    assert first != other


def test_large_swarms_get_no_newcomers() -> None:
    swarms = ring(4)
    swarms[0] = list(range(100, 107))
    own, _ = campaign(swarms, 0, 3, RULES, Seeds(1), 0)
    assert own.tolist() == [0, 0, 0]  # a quarter of the smallest take them first
