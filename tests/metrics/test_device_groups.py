"""Device groups, worked out by hand on a replicate of four accounts, the first with two devices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.core.readings import Reading
from sessionsim.metrics import Replicate, readings

Make = Callable[..., Replicate]
SECOND = 1_000_000
PHASE_DAYS = 10 / 86_400
FIRST = 12  # endpoint of account 0; its second device is at 16
DEFAULTS = {
    "device_key_rotation": "periodic", "device_key_period_us": 5 * SECOND, "received_seeds": "distributed",
    "account_key_period_us": SECOND, "account_key_retention_us": 4 * SECOND,
    "group_age_us": 9 * SECOND,
}  # fmt: skip


def read(make: Make, events: list[tuple[Any, ...]], **settings: Any) -> dict[str, Reading]:
    """Add events (time in s, number of the endpoint from the first client on, what, value in s)."""
    replicate = make(further=0)
    table = {
        "t_us": np.array([int(one[0] * SECOND) for one in events], dtype=np.int64),
        "endpoint": np.array([FIRST + one[1] for one in events], dtype=np.int32),
        "what": np.array([one[2] for one in events], dtype=object),
        "message": np.full(len(events), -1, dtype=np.int64),
        "value": np.array([int(one[3] * SECOND) for one in events], dtype=np.int64),
    }
    accounts = {**replicate.truth.accounts, "version": np.array([2, 2, 2, 1], dtype=np.int8)}
    truth = replace(replicate.truth, events=table, accounts=accounts)
    found = readings([replace(replicate, truth=truth, version2={**DEFAULTS, **settings} if settings else {})])
    return {reading.name: reading for reading in found if reading.metric == "device-groups"}


def test_without_version_2_there_are_no_readings(make_replicate: Make) -> None:
    assert [one for one in readings([make_replicate()]) if one.metric == "device-groups"] == []


def test_changes_of_device_keys_are_per_device_and_day(make_replicate: Make) -> None:
    events = [(k + 2, k, "device keys changed", 0) for k in (0, 4, 1)]
    found = read(
        make_replicate, [*events, (0.5, 2, "device keys changed", 0)], device_key_rotation="periodic"
    )
    changes = found["changes of device keys per device and day"]
    assert changes.value == pytest.approx(3 / 4 / PHASE_DAYS)
    assert changes.baseline == pytest.approx(86_400 / 5)
    never = read(make_replicate, events, device_key_rotation="never")
    assert never["changes of device keys per device and day"].baseline == 0
    unknown = read(make_replicate, events)["changes of device keys per device and day"]
    assert (unknown.baseline, unknown.baseline_name) == (None, "")


def test_two_that_replace_the_same_key_race_and_the_first_to_know_better_settles_it(
    make_replicate: Make,
) -> None:
    events = [
        (3, 0, "account keys changed", 1.0),  # of account 0: both replace the key made at 2 s
        (3.5, 4, "account keys changed", 1.5),
        (4, 0, "account keys overtaken", 1.0),  # the first one learns of the second one's
        (6, 0, "account keys changed", 2.5),  # the winner's key goes in its turn
        (6.2, 4, "account keys overtaken", 2.7),
        (5, 1, "account keys changed", 1.0),  # of another account, as long after its own key
        (5, 2, "account keys changed", 1.0),
    ]
    found = read(make_replicate, events)
    assert found["races of account keys per account and day"].value == pytest.approx(1 / 3 / PHASE_DAYS)
    assert found["changes of account keys that raced"].counts == {"hits": 2, "of": 5}
    assert found["races settled by the end"].counts == {"hits": 1, "of": 1}
    assert found["time until a race was settled"].counts == {"hits": 1 * SECOND, "of": 1}


def test_a_race_whose_loser_never_hears_is_not_settled(make_replicate: Make) -> None:
    events = [(3, 0, "account keys changed", 1.0), (3.5, 4, "account keys changed", 1.5)]
    found = read(make_replicate, events)
    assert found["races settled by the end"].counts == {"hits": 0, "of": 1}
    assert found["time until a race was settled"].value is None


def test_comings_and_goings_are_counted_by_account(make_replicate: Make) -> None:
    events = [
        (2, 0, "device admitted", 0), (3, 4, "left the group", 0), (4, 1, "device removed", 0),
        (5, 1, "device removed", 0), (5, 1, "removals left out", 0), (5, 2, "membership displaced", 0),
        (6, 2, "membership cut off", 0), (1, 0, "link request pushed", 0),
    ]  # fmt: skip
    found = read(make_replicate, events)
    expected = {
        "devices admitted": 1, "devices that left": 1, "devices removed": 2, "devices displaced": 1,
        "devices cut off": 1, "link requests pushed": 1, "pushes that left removals out": 1,
    }  # fmt: skip
    more = [
        (4, 0, "account keys changed for a departure", 0),
        (5, 4, "account keys changed for a departure", 0),
    ]
    again = read(make_replicate, [*events, *more])["changes of account keys for a departure"]
    assert again.counts == {"hits": 2, "of": 1}
    for name, count in expected.items():
        assert found[f"{name} per account and day"].counts["hits"] == count
    assert found["devices removed per account and day"].value == pytest.approx(2 / 3 / PHASE_DAYS)


def test_days_of_devices_are_those_in_the_group(make_replicate: Make) -> None:
    # The second device of account 0 is in the group from 3 s to 7 s of the phase, which is 1 s to 11 s.
    events = [
        (0.2, 4, "membership groups visible", 0),
        (3, 4, "membership in group", 0),
        (4, 4, "device keys changed", 0),
        (7, 4, "membership removed", 0),
    ]
    found = read(make_replicate, events, device_key_rotation="periodic")
    changes = found["changes of device keys per device and day"]
    assert changes.counts["of"] == pytest.approx((3 * 10 + 4) / 86_400)
    assert changes.value == pytest.approx(1 / (34 / 86_400))
    assert changes.baseline == pytest.approx(86_400 / 5)
