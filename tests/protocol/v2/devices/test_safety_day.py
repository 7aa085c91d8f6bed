"""How much of the day of margin is left, measured by opening messages: none, and less after a race (5).

A sender may use keys until they have been 48 h in its cache, a message lives 14 days, and changed keys are
kept 16 days. The messages that do not open are counted with the real cache, group and opening.
"""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_S
from sessionsim.protocol.v2 import KeyCache, V2Rules, open_message, seal
from sessionsim.protocol.v2.receiving import NoKeyFits

STEPS = 24


def lost(cast: Any, swarm: Any, keys: Any, member: Any, fetched_us: int) -> tuple[int, int]:
    """Count the messages that do not open at the end of their life, and all that were sent.

    They are sent evenly over the 48 h after `keys` were fetched, as far as the cache allows it.
    """
    cache, missed, sent = KeyCache(swarm.rules), 0, 0
    cache.fetched(b"id", keys, fetched_us)
    for step in range(STEPS):
        sent_us = fetched_us + (step * 2 + 1) * US_PER_H
        plan = cache.plan(b"id", sent_us)
        if plan.keys is None:
            continue
        stored = seal(cast.suite, cast.alice.ed, swarm.account.id, plan.keys, b"content", cast.raw(step))
        member.lapse(sent_us + 14 * US_PER_DAY)
        sent += 1
        try:
            open_message(cast.suite, swarm.account, member.account_keys, stored)
        except NoKeyFits:
            missed += 1
    return missed, sent


def test_keys_fetched_just_before_they_change_open_to_the_last_hour(fast: Any, swarm: Any) -> None:
    (device,) = swarm.group_of(1)
    keys = device.account_keys[0].public
    device.rotate_account_keys(swarm.now_us + US_PER_S)
    assert lost(fast, swarm, keys, device, swarm.now_us) == (0, STEPS)


def test_with_the_day_less_that_the_document_names_half_of_them_do_not(fast: Any, make_swarm: Any) -> None:
    rules = V2Rules(account_key_retention_us=15 * US_PER_DAY)
    swarm = make_swarm(fast.suite, rules)
    (device,) = swarm.group_of(1)
    keys = device.account_keys[0].public
    device.rotate_account_keys(swarm.now_us + US_PER_S)
    missed, sent = lost(fast, swarm, keys, device, swarm.now_us)
    assert (missed / sent, sent) == (pytest.approx(1 / 2, abs=1 / STEPS), STEPS)


def test_a_record_that_lost_a_race_overspends_the_day(fast: Any, make_swarm: Any) -> None:
    """Two devices change keys at once, and the record of the one that loses is stored last.

    It names keys that count as changed already, until the next change replaces it: fetched f hours later and
    used a hours after that, a message at the end of its life is f + a + 14 d old in terms of its key. Of all
    that is sent from such keys, f even over 12 h and a over 48 h, 12/(2·48) = 12.5 % do not open.
    """
    missed = sent = 0
    for hours in range(12):
        swarm = make_swarm(fast.suite)
        one, two = swarm.group_of(2)
        for device in (one, two):
            device.rotate_account_keys(swarm.now_us)
        # Of seeds made in one second the smaller wins.
        loser = max((one, two), key=lambda device: device.seeds[0].seed)
        keys = loser.account_keys[0].public
        swarm.settle(one, two)
        assert one.account_keys[0].public != keys
        assert one.account_keys[1].public == keys
        fetched_us = swarm.now_us + hours * US_PER_H + US_PER_H // 2
        counted = lost(fast, swarm, keys, one, fetched_us)
        missed, sent = missed + counted[0], sent + counted[1]
    assert sent == 12 * STEPS
    assert missed / sent == pytest.approx(0.125, abs=0.01)
