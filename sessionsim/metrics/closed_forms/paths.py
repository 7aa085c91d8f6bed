"""Path compromise over many paths, and what it costs to get into a swarm (metrics 2a).

f is the share of nodes, or of selection weight, that the coalition holds. These forms take positions as
independent; `coverage` has the exact ones without replacement.
"""

from __future__ import annotations

import math


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
    """Probability that one of m registrations lands in a chosen swarm: 1 - (1 - 1/S)^m."""
    return -math.expm1(registrations * math.log1p(-1 / swarms)) if swarms > 1 else 1.0


def registrations_for(swarms: int, prob: float) -> int:
    """Smallest number of registrations that reach a chosen swarm with this probability, in (0, 1)."""
    return math.ceil(math.log1p(-prob) / math.log1p(-1 / swarms) - 1e-12) if swarms > 1 else 1


def stake(share: float, honest: int, per_node: float) -> float:
    """Stake that makes a coalition of this share beside so many honest nodes: f/(1-f) N stake."""
    return share / (1 - share) * honest * per_node
