"""A device's own keys: when they change (H1), how long replaced ones are kept (H2)."""

from __future__ import annotations

import hashlib
from statistics import fmean, stdev

import pytest

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.units import US_PER_DAY, US_PER_H
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.v2 import V2Rules, device_keys
from sessionsim.protocol.v2.devices.own_keys import OwnKeys

SUITE = suite_named("fast")
NOW_US = 1_777_000_000_000_000
DEVICE = b"\x01" * 32


def seed(k: int) -> bytes:
    return hashlib.sha256(b"%d" % k).digest()


def test_keys_change_after_seven_days_give_or_take_twelve_hours() -> None:
    ages = []
    for k in range(600):
        due_us = OwnKeys(SUITE, seed(k), NOW_US).due_us(DEVICE, V2Rules())
        assert due_us is not None
        ages.append((due_us - NOW_US) / US_PER_H)
    assert 156 <= min(ages) < 156.3
    assert 179.7 < max(ages) <= 180
    assert fmean(ages) == pytest.approx(168, abs=4 * 6.93 / 600**0.5)
    assert stdev(ages) == pytest.approx(24 / 12**0.5, rel=0.1)


def test_the_time_depends_on_device_and_key() -> None:
    own = OwnKeys(SUITE, seed(1), NOW_US)
    due = {own.due_us(bytes([k]) * 32, V2Rules()) for k in range(4)}
    own.rotate(seed(2), NOW_US)
    assert own.due_us(DEVICE, V2Rules()) not in due
    assert len(due) == 4


def test_todays_code_never_changes_them() -> None:
    assert OwnKeys(SUITE, seed(1), NOW_US).due_us(DEVICE, V2Rules(device_key_rotation="never")) is None


def test_replaced_keys_are_kept_until_the_record_is_pushed_and_48_hours_more() -> None:
    own = OwnKeys(SUITE, seed(1), NOW_US)
    own.rotate(seed(2), NOW_US)
    assert own.current == device_keys(SUITE, seed(2))
    assert own.all == [device_keys(SUITE, seed(2)), device_keys(SUITE, seed(1))]
    assert own.drop_lapsed(NOW_US + 100 * US_PER_DAY) == 0  # the new record is not pushed yet
    own.pushed(NOW_US, 48 * US_PER_H)
    own.pushed(NOW_US + US_PER_H, 48 * US_PER_H)  # a later push does not begin it again
    assert own.drop_lapsed(NOW_US + 48 * US_PER_H - 1) == 0
    assert own.drop_lapsed(NOW_US + 48 * US_PER_H) == 1
    assert own.all == [device_keys(SUITE, seed(2))]


def test_without_retention_they_are_dropped_with_the_push() -> None:
    own = OwnKeys(SUITE, seed(1), NOW_US)
    own.rotate(seed(2), NOW_US)
    own.pushed(NOW_US, 0)
    assert own.drop_lapsed(NOW_US) == 1


@pytest.mark.parametrize("bad", [b"", bytes(31), seed(1)])
def test_a_seed_that_is_none_or_not_fresh_is_our_mistake(bad: bytes) -> None:
    own = OwnKeys(SUITE, seed(1), NOW_US)
    with pytest.raises(LocalProtocolError):
        own.rotate(bad, NOW_US)
