"""Groups that stood before the run: as old as they are said to be, of one mind, in the phases of the law."""

from __future__ import annotations

from itertools import pairwise
from statistics import mean
from typing import Any

import pytest

from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_S
from sessionsim.protocol.client.v2.standing import standing_group
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.v2 import V2Rules, read_record
from sessionsim.protocol.v2.devices import Membership

NOW_US = 1_777_000_000_000_000


def stood(count: int, days: float = 17, seed: int = 1, suite: str = "fast", **rules: Any) -> Any:
    entropies = [Seeds(seed).entropy("device", k) for k in range(count)]
    account = account_from_seed(Seeds(seed).key("account")[:16])
    begun_us = NOW_US - round(days * US_PER_DAY)
    return standing_group(suite_named(suite), account, entropies, V2Rules(**rules), begun_us, NOW_US), account


@pytest.mark.parametrize("suite", ["fast", "sodium"])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_all_devices_are_members_and_agree(count: int, suite: str) -> None:
    (devices, stored), account = stood(count, suite=suite)
    assert len(devices) == count
    for device in devices:
        assert device.membership(NOW_US) is Membership.IN_GROUP
        assert device.seeds == devices[0].seeds
        assert device.devices() == devices[0].devices()
        assert tuple(device.needs_push()) == (False, False)
    (group_at, group), (record_at, record) = stored
    assert (group_at, record_at) == (21, -21)
    assert len(group.data) == 13_393
    assert read_record(account.id, record.data) == devices[0].account_keys[0].public
    assert len({device.device_id for device in devices}) == count


def test_after_seventeen_days_it_holds_all_keys_that_are_retained() -> None:
    (devices, _), _ = stood(1)
    seeds = devices[0].seeds
    assert 31 <= len(seeds) <= 34  # 16 days of 12 h
    for days in (16.3, 16.4, 16.5, 17.0, 17.2):
        (again, _), _ = stood(1, days=days)
        changed = [seed.rotated_s for seed in again[0].seeds if seed.rotated_s is not None]
        assert min(changed) >= NOW_US // US_PER_S - 16 * 86_400
    ages_h = [(NOW_US - seed.created_s * US_PER_S) / US_PER_H for seed in seeds]
    assert 0 <= ages_h[0] < 13
    gaps = [b - a for a, b in pairwise(ages_h)]
    assert all(10.99 <= gap <= 13.01 for gap in gaps)


def test_the_age_of_the_active_key_is_spread_over_its_life() -> None:
    ages_h = []
    for seed in range(60):
        (devices, _), _ = stood(1, days=3, seed=seed)
        ages_h.append((NOW_US - devices[0].seeds[0].created_s * US_PER_S) / US_PER_H)
    assert min(ages_h) < 2
    assert max(ages_h) > 9
    assert 4 < mean(ages_h) < 8  # half of 12 h


def test_a_group_made_now_has_one_key() -> None:
    (devices, _), _ = stood(3, days=0)
    assert len(devices[0].seeds) == 1
    assert all(device.is_member for device in devices)


def test_device_keys_have_changed_too() -> None:
    (devices, _), _ = stood(2, days=20)
    for device in devices:
        record = device.record(device.device_id)
        assert record.keys == device.device_keys[0].public
        assert NOW_US // US_PER_S - record.updated_s < 7.5 * 86_400
    (never, _), _ = stood(2, days=20, device_key_rotation="never")
    assert all(len(device.device_keys) == 1 for device in never)


def test_the_same_chance_gives_the_same_group_in_both_suites() -> None:
    (fast, _), _ = stood(2, suite="fast")
    (sodium, _), _ = stood(2, suite="sodium")
    assert fast[0].seeds == sodium[0].seeds
    assert [device.device_id for device in fast] == [device.device_id for device in sodium]
    assert [device.next_due_us() for device in fast] == [device.next_due_us() for device in sodium]
