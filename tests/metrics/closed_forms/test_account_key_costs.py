"""Sizes written out a second time agree with the messages that the protocol makes, and with the spec."""

from __future__ import annotations

import pytest

from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_DAY, US_PER_H
from sessionsim.metrics.closed_forms.account_key_costs import (
    RECORD_BYTES,
    KeyLaw,
    group_message_bytes,
    payload_bytes,
)
from sessionsim.protocol.client.v2.standing import standing_group
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.namespaces import ACCOUNT_KEYS, DEVICES
from sessionsim.protocol.v2 import AccountSeed, HybridKeys, V2Rules, device_keys
from sessionsim.protocol.v2.devices.payload import encode_payload
from sessionsim.protocol.v2.devices.record import DeviceRecord

NOW_US = 1_777_000_000_000_000


@pytest.mark.parametrize(
    ("devices", "removed", "size"),
    [(1, 0, 13_393), (4, 0, 13_393), (4, 1, 13_463), (5, 0, 24_282), (8, 0, 24_282), (12, 0, 35_171)],
)
def test_sizes_are_those_of_the_specification(devices: int, removed: int, size: int) -> None:
    assert group_message_bytes(devices, 33, 28, removed) == size


@pytest.mark.parametrize("devices", [1, 2, 4, 5, 8])
@pytest.mark.parametrize("retention_d", [2, 16, 60])
def test_sizes_are_those_of_messages_that_are_made(devices: int, retention_d: int) -> None:
    rules = V2Rules(account_key_retention_us=retention_d * US_PER_DAY, device_key_rotation="never")
    account, suite = account_from_seed(bytes(range(16))), suite_named("fast")
    entropies = [Entropy(bytes([k]) * 32) for k in range(devices)]
    begun_us = NOW_US - (retention_d + 2) * US_PER_DAY
    standing = standing_group(suite, account, entropies, rules, begun_us, NOW_US)
    stored = dict((namespace, one.data) for namespace, one in standing.stored)
    law = KeyLaw(rules.account_key_period_us, rules.account_key_retention_us, 0, False)
    held = len(standing.devices[0].seeds)
    assert abs(held - law.seeds) <= 2 + law.seeds // 16  # changes do not come exactly every 12 h
    assert len(stored[DEVICES]) == group_message_bytes(devices, held, len("device 0"))
    assert len(stored[ACCOUNT_KEYS]) == RECORD_BYTES


@pytest.mark.parametrize(("devices", "seeds"), [(1, 1), (3, 33), (8, 2)])
def test_payloads_have_the_length_of_real_ones(devices: int, seeds: int) -> None:
    keys: HybridKeys = device_keys(suite_named("fast"), bytes(32))
    record = DeviceRecord(17, 1_777_000_000, keys.public, b"x" * 28)
    held = [AccountSeed(bytes([k]) * 32, 1_777_000_000 + k, 1_777_000_001 + k) for k in range(seeds - 1)]
    held.append(AccountSeed(b"a" * 32, 1_777_100_000))
    payload = encode_payload({bytes([k]) * 32: record for k in range(devices)}, held)
    assert len(payload) == payload_bytes(devices, seeds, 28)


def test_the_cost_of_a_day_follows_the_settings() -> None:
    half_day, week = US_PER_DAY / 2, 7 * US_PER_DAY
    plain = KeyLaw(half_day, 16 * US_PER_DAY, 0, False)
    assert plain.seeds == 33
    assert [plain.uploaded_per_day(n, 28) for n in (1, 4)] == [29_390, 29_390]  # 29.4 kB: protocol-v2 13
    assert plain.uploaded_per_day(8, 28) == 2 * (24_282 + 1302)
    own = KeyLaw(half_day, 16 * US_PER_DAY, week, False)
    assert own.uploaded_per_day(4, 28) == pytest.approx(29_390 + 4 / 7 * 13_393)
    each = KeyLaw(half_day, 16 * US_PER_DAY, 0, True)
    assert each.uploaded_per_day(4, 28) == 2 * (4 * 13_393 + 1302)
    quick = KeyLaw(6 * US_PER_H, 16 * US_PER_DAY, 0, False)
    assert (quick.changes_per_day, quick.seeds) == (4, 65)
