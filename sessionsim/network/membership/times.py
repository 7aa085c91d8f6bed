"""Times at which nodes come or fail, drawn as Poisson processes."""

from __future__ import annotations

from sessionsim.core.seeds import Name, Seeds
from sessionsim.core.units import US_PER_DAY
from sessionsim.network.membership.rules import MembershipRules


def poisson_times(seeds: Seeds, what: Name, a_day: float, horizon_us: int) -> list[int]:
    """Draw times in us, ascending. Args: what: names the draws; a_day: how many are expected in a day."""
    found, t_us = list[int](), 0.0
    chance = seeds.stream("membership", what)
    while a_day > 0 and (t_us := t_us + chance.exponential(US_PER_DAY / a_day)) < horizon_us:
        found.append(int(t_us))
    return found


def join_times(rules: MembershipRules, count: int, seeds: Seeds, horizon_us: int) -> list[int]:
    """Give when nodes register, at rates. Args: count: nodes at the start."""
    if rules.mode != "rates":
        return []
    return poisson_times(seeds, "joins", rules.joins_prob * count, horizon_us)
