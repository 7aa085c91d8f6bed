"""Bytes by cause and version, worked out by hand: accounts 0 and 1 are of version 1, 2 and 3 of version 2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import Cause
from sessionsim.core.readings import Reading
from sessionsim.core.scene import Position
from sessionsim.metrics import Replicate, readings

Make = Callable[..., Replicate]
SECOND = 1_000_000
PHASE_DAYS = 10 / 86_400
FIRST = 12
NODE = 3
ROWS = [
    (2 * SECOND, FIRST, NODE, 400, Cause.MESSAGE),
    (3 * SECOND, NODE, FIRST, 50, Cause.MESSAGE),
    (2 * SECOND, FIRST + 2, NODE, 1700, Cause.MESSAGE),
    (2 * SECOND, FIRST + 2, NODE, 1600, Cause.SYNC),
    (2 * SECOND, FIRST + 3, NODE, 13_500, Cause.ACCOUNT_KEYS),
    (2 * SECOND, FIRST + 1, NODE, 70, Cause.POLL),
    (2 * SECOND, NODE, NODE + 1, 999, Cause.MESSAGE),  # between nodes
    (SECOND // 2, FIRST, NODE, 5000, Cause.MESSAGE),  # before the measured phase
]
TEXTS = [
    {"sender": 0, "recipient": 1, "stored_us": 3 * SECOND},
    {"sender": 2, "recipient": 3, "stored_us": 3 * SECOND},
    {"sender": 2, "recipient": 3, "stored_us": -1},  # never stored
    {"sender": 0, "recipient": 1, "stored_us": 3 * SECOND, "kind": "typing"},
]


def read(
    make: Make, seeds: int = 3, twins: bool = True, unseen: int = -1, rows: Any = ROWS
) -> dict[str, Reading]:
    watched = frozenset(range(FIRST, FIRST + 4)) - {unseen}
    found = []
    for seed in range(seeds):
        replicate = make(seed=seed, messages=TEXTS, rows=rows, watched=watched, positions={"p": Position()})
        accounts: dict[str, Any] = {
            **replicate.truth.accounts,
            "version": np.array([1, 1, 2, 2], dtype=np.int8),
            "twin": np.array([2, 3, 0, 1] if twins else [-1] * 4, dtype=np.int32),
        }
        found.append(replace(replicate, truth=replace(replicate.truth, accounts=accounts)))
    return {reading.name: reading for reading in readings(found) if reading.metric == "version-bytes"}


def test_without_version_2_there_are_no_readings(make_replicate: Make) -> None:
    found = readings([make_replicate(rows=ROWS, watched=frozenset({FIRST}))])
    assert [one for one in found if one.metric == "version-bytes"] == []


def test_a_run_without_a_byte_reads_zero(make_replicate: Make) -> None:
    found = read(make_replicate, rows=ROWS[-2:-1])
    assert set(found) >= {f"bytes per account and day, total, version {version}" for version in (1, 2)}
    assert not any(one.value for one in found.values())


def test_each_version_has_its_bytes_by_cause(make_replicate: Make) -> None:
    found, days = read(make_replicate), 2 * PHASE_DAYS
    expected = {
        ("message", 1): 450, ("message", 2): 1700, ("sync", 1): 0, ("sync", 2): 1600, ("poll", 1): 70,
        ("account_keys", 1): 0, ("account_keys", 2): 13_500, ("total", 1): 520, ("total", 2): 16_800,
    }  # fmt: skip
    for (cause, version), amount in expected.items():
        reading = found[f"bytes per account and day, {cause}, version {version}"]
        assert reading.value == pytest.approx(amount / days)
        assert (reading.n, reading.n_unit) == (3, "seed")
    assert not [name for name in found if "group" in name]  # causes that nobody has


def test_bytes_of_a_message_are_over_texts_that_were_stored(make_replicate: Make) -> None:
    found = read(make_replicate)
    expected = {("message", 1): 450, ("message", 2): 1700, ("sync", 2): 1600, ("account_keys", 2): 13_500}
    for (cause, version), amount in expected.items():
        assert found[f"bytes per message, {cause}, version {version}"].value == pytest.approx(amount)
    assert found["bytes per message, total, version 2"].value == pytest.approx(16_800)
    assert found["bytes per message, total, version 1"].value == pytest.approx(450)


def test_twins_are_compared_in_pairs_and_others_not(make_replicate: Make) -> None:
    found = read(make_replicate, seeds=2)
    more = found["bytes per account and day, total, version 2 less version 1"]
    assert (more.n, more.n_unit) == (4, "account")  # two pairs in each of two seeds
    assert more.value == pytest.approx((16_800 - 520) / 2 / PHASE_DAYS)
    apart = read(make_replicate, twins=False)
    assert not [name for name in apart if "less" in name]
    assert apart["bytes per account and day, total, version 2"].value == pytest.approx(
        16_800 / 2 / PHASE_DAYS
    )


def test_accounts_whose_links_were_not_watched_do_not_count(make_replicate: Make) -> None:
    found = read(make_replicate, unseen=FIRST + 3, twins=False)
    assert found["bytes per account and day, total, version 2"].value == pytest.approx(3300 / PHASE_DAYS)
