"""Ten thousand random fault schedules; here the first sixty, with SESSIONSIM_FULL all.

What must hold of each is told in `selfcheck/fault_schedules.py`. One takes a tenth of a second of one core,
so all of them some eight minutes on two; a hundred portions show how far it is.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest

from sessionsim.network.orders import orders_of
from sessionsim.selfcheck.fault_schedules import check_schedule, schedule

FULL = bool(os.environ.get("SESSIONSIM_FULL"))
SCHEDULES = 10_000 if FULL else 60
PORTIONS = 100 if FULL else 12


@pytest.mark.parametrize("portion", range(PORTIONS))
def test_whatever_fails_every_message_has_an_account_and_time_moves_on(portion: int) -> None:
    outcomes: Counter[str] = Counter()
    for number in range(portion, SCHEDULES, PORTIONS):
        outcomes.update(check_schedule(number).outcomes)
    # Faults do not always hit: over a portion most messages come to something.
    orders = [len(orders_of(schedule(number).intents)) for number in range(portion, SCHEDULES, PORTIONS)]
    assert min(orders) == 6
    assert sum(outcomes.values()) == sum(orders)
    assert outcomes["delivered"] > 0


# A client that was taken out of its train slept past what else was due before its next poll; another slept
# through polls whose relays no longer knew each other (730), one through polls whose guard was not ready
# (3739, 7888) or whose time a node would have refused (3887). A group message was lost to one reader (4097).
@pytest.mark.parametrize("number", [79, 730, 3739, 3887, 4097, 5007, 5130, 7888])
def test_schedules_that_once_broke_hold(number: int) -> None:
    check_schedule(number)
