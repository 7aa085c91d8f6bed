"""When a fault strikes: once, or again and again with exponential distances and lengths."""

from __future__ import annotations

import numpy as np

from sessionsim.network.faults.kinds import Struck
from sessionsim.network.faults.plan import FOREVER_US

Spell = tuple[int, int]  # from when to when, us

MOST_SPELLS = 100_000  # Assumption: more in one run on one machine are a mistake


def spells(config: Struck, chance: np.random.Generator, horizon_us: int) -> list[Spell]:
    """List the spells of one machine, or of one fault that strikes its machines together.

    Args:
        config: when it strikes.
        chance: of this machine and fault alone; used only for what comes again.
        horizon_us: spells that begin later are left out.
    """
    if config.at_us >= horizon_us:
        return []
    if not config.every_us:
        end_us = config.at_us + config.lasts_us if config.lasts_us else FOREVER_US
        return [(config.at_us, end_us)]
    found: list[Spell] = []
    t_us = config.at_us
    while len(found) < MOST_SPELLS:
        t_us += 1 + int(chance.exponential(config.every_us))
        if t_us >= horizon_us:
            break
        end_us = t_us + 1 + int(chance.exponential(config.lasts_us))
        found.append((t_us, end_us))
        t_us = end_us
    return found
