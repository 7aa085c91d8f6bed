"""Ten thousand random fault schedules; here the first thirty, with SESSIONSIM_FULL all.

What must hold of each is told in `selfcheck/fault_schedules.py`.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest

from sessionsim.selfcheck.fault_schedules import check_schedule

FULL = bool(os.environ.get("SESSIONSIM_FULL"))
SCHEDULES = 10_000 if FULL else 30
PORTIONS = 15


@pytest.mark.parametrize("portion", range(PORTIONS))
def test_whatever_fails_every_message_has_an_account_and_time_moves_on(portion: int) -> None:
    outcomes: Counter[str] = Counter()
    for number in range(portion, SCHEDULES, PORTIONS):
        outcomes.update(check_schedule(number).outcomes)
    # Faults do not always hit: over a portion most messages come to something.
    assert sum(outcomes.values()) == 6 * len(range(portion, SCHEDULES, PORTIONS))
    assert outcomes["delivered"] > 0
