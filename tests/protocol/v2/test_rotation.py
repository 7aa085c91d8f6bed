"""The time of rotation: the law for one to eight devices, and that the day of margin is spent."""

from __future__ import annotations

import hashlib
from math import sqrt
from statistics import fmean, stdev

import pytest

from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_S
from sessionsim.protocol.v2.key_cache import KeyCache, KeyState
from sessionsim.protocol.v2.keys import PublicKeys
from sessionsim.protocol.v2.rotation import rotation_age_us, rotation_due_us, rotation_share
from sessionsim.protocol.v2.rules import V2Rules
from sessionsim.protocol.v2.seed_ring import AccountSeed, SeedRing

ROUNDS = 8_000
NOW_S = 1_777_000_000


def earliest_h(devices: int, rules: V2Rules) -> list[float]:
    """Give, for many seeds, after how many hours the first of some devices rotates."""
    ids = [hashlib.sha256(b"device %d" % k).digest() for k in range(devices)]
    return [
        min(
            rotation_due_us(device_id, hashlib.sha256(b"seed %d" % k).digest(), NOW_S, devices, rules)
            - NOW_S * US_PER_S
            for device_id in ids
        )
        / US_PER_H
        for k in range(ROUNDS)
    ]


@pytest.mark.parametrize("devices", [1, 2, 4, 8])
def test_the_first_of_any_number_of_devices_is_spread_evenly_over_11_to_13_hours(devices: int) -> None:
    # protocol-v2 section 5: mean 12 h, standard deviation 2 h/√12 = 0.577 h, whatever the number.
    hours = sorted(earliest_h(devices, V2Rules()))
    assert hours[0] >= 11
    assert hours[-1] <= 13
    spread = 2 / sqrt(12)
    assert fmean(hours) == pytest.approx(12, abs=4 * spread / sqrt(ROUNDS))
    # The standard deviation of n evenly spread values varies by about its value · √(0.2/n).
    assert stdev(hours) == pytest.approx(spread, abs=4 * spread * sqrt(0.2 / ROUNDS))
    largest = max(abs((k + 0.5) / ROUNDS - (hour - 11) / 2) for k, hour in enumerate(hours))
    assert largest < 1.63 / sqrt(ROUNDS)  # Kolmogorov's test at 1 %


def test_a_device_that_did_not_know_of_the_others_would_rotate_too_early() -> None:
    # The law is needed: the earliest of eight that each think themselves alone has another mean.
    ids = [hashlib.sha256(b"device %d" % k).digest() for k in range(8)]
    alone = [
        min(rotation_age_us(rotation_share(i, hashlib.sha256(b"seed %d" % k).digest()), 1) for i in ids)
        for k in range(500)
    ]
    assert fmean(alone) / US_PER_H < 11.4


def test_period_and_window_are_rules() -> None:
    rules = V2Rules(account_key_period_us=6 * US_PER_H, account_key_window_us=US_PER_H)
    hours = earliest_h(2, rules)
    assert 5.5 <= min(hours) < 5.51
    assert 6.49 < max(hours) <= 6.5


def undecryptable(rules: V2Rules, step_us: int = US_PER_H // 4) -> float:
    """Give the share of messages that do not open when fetched at the end of a life of 14 days.

    The sender fetched the keys just before they were changed, and sends evenly over the time its cache lets
    it; the recipient drops keys by the rules.
    """
    cache, keys, ring = KeyCache(rules), PublicKeys(b"m", b"x"), SeedRing()
    fetched_us = NOW_S * US_PER_S
    cache.fetched(b"id", keys, fetched_us)
    ring.merge([AccountSeed(b"n" * 32, NOW_S), AccountSeed(b"o" * 32, NOW_S - 40_000, NOW_S)])
    sent = lost = 0
    for age_us in range(0, 5 * US_PER_DAY, step_us):
        if cache.plan(b"id", fetched_us + age_us).keys is None:
            continue
        read_s = (fetched_us + age_us + 14 * US_PER_DAY) // US_PER_S
        copy = SeedRing()
        copy.merge(ring.held)
        copy.drop_lapsed(read_s, rules.account_key_retention_us // US_PER_S)
        sent += 1
        lost += all(held.seed != b"o" * 32 for held in copy.held)
    return lost / sent


def test_the_safety_day_is_spent_but_not_overspent() -> None:
    # protocol-v2 section 5: retention 16 d = 14 d of life + 48 h of cache, to the second and no more.
    assert undecryptable(V2Rules()) == 0
    # One hour less of retention loses the messages of the last hour of the cache.
    one_hour_less = V2Rules(account_key_retention_us=16 * US_PER_DAY - US_PER_H)
    assert undecryptable(one_hour_less) == pytest.approx(1 / 48, abs=0.003)
    # The 15 days that the document allows at least lose all that is sent from stale keys: half of it.
    assert undecryptable(V2Rules(account_key_retention_us=15 * US_PER_DAY)) == pytest.approx(1 / 2, abs=0.01)
    # And keys used at any age, as in the code that we read, lose whatever is sent after two days.
    assert undecryptable(V2Rules(cache_enforce_expiry=False)) == pytest.approx(3 / 5, abs=0.01)


def test_the_cache_of_that_sender_is_usable_for_48_hours() -> None:
    cache = KeyCache()
    cache.fetched(b"id", PublicKeys(b"m", b"x"), 0)
    assert cache.state(b"id", 48 * US_PER_H) is KeyState.STALE
    assert cache.state(b"id", 48 * US_PER_H + 1) is KeyState.EXPIRED
