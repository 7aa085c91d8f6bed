"""Path compromise over many paths, and what it costs to get into a swarm (metrics 2a).

f is the share of nodes, or of selection weight, that the coalition holds. These forms take positions as
independent; `coverage` has the exact ones without replacement.
"""

from __future__ import annotations

import math
from collections.abc import Mapping


def after_rebuilds(f: float, rebuilds: int) -> float:
    """Probability that some of so many fresh paths has first and last relay bad: 1 - (1 - f^2)^r."""
    return -math.expm1(rebuilds * math.log1p(-f * f)) if f < 1 else 1.0


def after_guards(f: float, paths: int, periods: int) -> float:
    """The same with a guard kept for a period of so many paths: 1 - (1 - f (1 - (1-f)^n))^G."""
    period = f * (1 - (1 - f) ** paths)
    return 1 - (1 - period) ** periods


def compromised_if_working(f: float, honest: int) -> float:
    """Share of working paths that are owned at both ends, when all others with a member are dropped.

    f^2 / (f^2 + (1-f)^h), h the positions that must be honest for a path to be left alone.

    Source: Borisov et al., CCS 2007.
    """
    both = f * f
    return both / (both + (1 - f) ** honest)


def swarm_reached(swarms: int, registrations: int) -> float:
    """Probability that one of m registrations lands in a chosen swarm, if each may: 1 - (1 - 1/S)^m.

    The network places newcomers in small swarms only, which makes it larger: `swarm_reached_by_size`.
    """
    return -math.expm1(registrations * math.log1p(-1 / swarms)) if swarms > 1 else 1.0


def swarm_reached_by_size(
    swarms: Mapping[int, int], chosen: Mapping[int, float], percentile: int, registrations: int
) -> list[float]:
    """Probability that a chosen swarm is reached where newcomers go to small swarms, after each registration.

    A newcomer goes to one of the swarms that are no larger than the one at a percentile of all, each equally
    likely, and makes it larger. So while swarms of the least size are many, no registration falls into one
    that has been reached: m of n are reached by m. The numbers of swarms of each size follow their means,
    which is exact as long as only swarms of one size take newcomers.

    Args:
        swarms: size -> how many swarms have it, before the first registration.
        chosen: size -> probability that the chosen swarm has it.
        percentile: of the sizes, below which newcomers are placed, 0 to 100.
        registrations: how many; no new swarm is formed meanwhile (see `registrations_before_new`).

    Returns:
        The probability after 1, 2, … registrations.
    Source: transport 2.3 (assign, fill percentile 25), by counting.
    """
    many = {size: float(number) for size, number in sorted(swarms.items())}
    place = percentile * (sum(swarms.values()) - 1) // 100
    missed, found = dict(chosen), []
    for _ in range(registrations):
        below, limit = 0.0, 0
        for limit in sorted(many):  # up to the size at that place of the order
            below += many[limit]
            if below > place:
                break
        share = 1 / below
        missed = {size: prob * (1 - share) if size <= limit else prob for size, prob in missed.items()}
        grown = {size: number * share for size, number in many.items() if size <= limit}
        for size, number in grown.items():
            many[size] -= number
            many[size + 1] = many.get(size + 1, 0.0) + number
        found.append(1 - sum(missed.values()))
    return found


def registrations_before_new(swarms: Mapping[int, int], least_size: int, new_size: int, margin: int) -> int:
    """Registrations that form no new swarm: one is formed of what swarms have beyond their least size.

    Args:
        swarms: size -> how many swarms have it; none is smaller than the least size.
        new_size, margin: a new swarm takes so many nodes, and so many per swarm must be left.
    Source: transport 2.3 (create_from_excess).
    """
    excess = sum((size - least_size) * number for size, number in swarms.items())
    return max(0, new_size + margin * sum(swarms.values()) - 1 - excess)


def registrations_for(swarms: int, prob: float) -> int:
    """Smallest number of registrations that reach a chosen swarm with this probability, in (0, 1)."""
    return math.ceil(math.log1p(-prob) / math.log1p(-1 / swarms) - 1e-12) if swarms > 1 else 1


def stake(share: float, honest: int, per_node: float) -> float:
    """Stake that makes a coalition of this share beside so many honest nodes: f/(1-f) N stake."""
    return share / (1 - share) * honest * per_node
