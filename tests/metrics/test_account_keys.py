"""Readings of account keys, worked out by hand on a replicate of four accounts; and of twins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import Cause
from sessionsim.core.readings import Reading
from sessionsim.metrics import Replicate, readings
from sessionsim.metrics.closed_forms.account_key_costs import group_message_bytes

Make = Callable[..., Replicate]
SECOND = 1_000_000
PHASE_DAYS = 10 / 86_400  # the fixture measures ten seconds
FIRST = 12  # endpoint of account 0


def named(found: list[Reading], metric: str) -> dict[str, Reading]:
    return {reading.name: reading for reading in found if reading.metric == metric}


def told(
    replicate: Replicate, events: list[tuple[Any, ...]], version: tuple[int, ...] = (2, 2, 2, 1)
) -> Replicate:
    """Add events: (time in s, account, what, message, value)."""
    table = {
        "t_us": np.array([int(one[0] * SECOND) for one in events], dtype=np.int64),
        "endpoint": np.array([FIRST + one[1] for one in events], dtype=np.int32),
        "what": np.array([one[2] for one in events], dtype=object),
        "message": np.array([one[3] for one in events], dtype=np.int64),
        "value": np.array([one[4] for one in events], dtype=np.int64),
    }
    accounts = {**replicate.truth.accounts, "version": np.array([2, 2, 2, 1], dtype=np.int8)}
    return replace(replicate, truth=replace(replicate.truth, events=table, accounts=accounts))


def test_without_version_2_there_are_no_readings(make_replicate: Make) -> None:
    assert named(readings([make_replicate()]), "account-keys") == {}


def test_messages_are_counted_by_how_they_were_sealed(make_replicate: Make) -> None:
    events = [
        *((2 + k, 0, "sealed v2", k, 0) for k in range(6)),
        (3, 1, "sealed v2", 6, 4 * SECOND),
        (4, 1, "sealed v2 fallback", 7, 10 * SECOND),
        (5, 2, "sealed v1", 8, 10 * SECOND),
        (6, 2, "sealed v1", 9, 0),
        (0.5, 2, "sealed v1", 10, 0),  # before the measured phase
        (11, 2, "sealed v1", 11, 0),  # after it
    ]
    found = named(readings([told(make_replicate(), events)]), "account-keys")
    assert found["sealed under account keys"].value == pytest.approx(0.7)
    assert found["sealed under the long-term key in version 2"].value == pytest.approx(0.1)
    assert found["sealed under version 1"].value == pytest.approx(0.2)
    assert found["sealed under account keys"].counts == {"hits": 7, "of": 10}
    assert found["waited for keys"].value == pytest.approx(0.3)
    assert found["wait of a message"].value == pytest.approx(2.4 * SECOND)


def test_states_of_the_recipients_keys_are_shares_of_all(make_replicate: Make) -> None:
    states = ("fresh", "fresh", "stale", "none", "refused", "expired", "fresh", "fresh")
    events = [(2, k % 3, f"keys {state}", k, 0) for k, state in enumerate(states)]
    found = named(readings([told(make_replicate(), events)]), "account-keys")
    assert found["recipient's keys fresh"].value == pytest.approx(0.5)
    values = [
        found[f"recipient's keys {state}"].value for state in ("fresh", "stale", "expired", "refused", "none")
    ]
    assert sum(value or 0 for value in values) == pytest.approx(1)


def test_a_message_is_undecryptable_on_the_devices_that_never_unlock_it(make_replicate: Make) -> None:
    events = [
        *((2, 0, "opened v2", k, 1536) for k in range(5)),
        (3, 0, "locked", 5, 1536),
        (4, 1, "locked", 5, 1536),
        (10.5, 1, "unlocked", 5, 7 * SECOND),
        (10.5, 1, "opened v2", 5, 1536),
        (5, 2, "opened v1", 6, 400),
        (5, 2, "opened v2 fallback", 7, 1536),
        (6, 2, "locked", 8, 1536),
        (13, 2, "unlocked", 8, 7 * SECOND),  # after the measured phase, but it was unlocked
    ]
    found = named(readings([told(make_replicate(), events)]), "account-keys")
    # Eight opened in the phase, one locked for ever.
    assert found["undecryptable"].value == pytest.approx(1 / 9)
    assert found["locked at first"].value == pytest.approx(3 / 9)


def test_costs_are_per_account_or_device_and_day(make_replicate: Make) -> None:
    events = [
        (2, 0, "account keys changed", -1, 0),
        (2, 1, "account keys changed", -1, 0),
        (3, 0, "group pushed", -1, 13_393),
        (3, 0, "record pushed", -1, 1302),
        (3, 1, "group pushed", -1, 13_393),
        (3, 2, "push failed", -1, 0),
        (4, 4, "group merged", -1, 13_393),  # the second device of account 0
        (5, 2, "keys fetched", -1, 1302),
        (5, 2, "keys fetched", -1, 0),
        (5, 1, "keys fetched", -1, -1),
        (5, 3, "group pushed", -1, 99),  # of an account of version 1, which no client does
    ]
    settings = {
        "device_key_rotation": "never", "device_key_period_us": 1, "received_seeds": "distributed",
        "account_key_period_us": 43_200 * SECOND, "account_key_retention_us": 16 * 86_400 * SECOND,
        "group_age_us": 17 * 86_400 * SECOND,
    }  # fmt: skip
    replicate = told(make_replicate(further=0), [one for one in events if one[1] != 3])
    replicate = replace(replicate, version2=settings)
    found = named(readings([replicate]), "account-keys")
    assert found["changes of keys per account and day"].value == pytest.approx(2 / 3 / PHASE_DAYS)
    assert found["group pushes per account and day"].value == pytest.approx(2 / 3 / PHASE_DAYS)
    assert found["failed pushes per account and day"].value == pytest.approx(1 / 3 / PHASE_DAYS)
    uploaded = found["uploaded for keys per account and day"]
    assert uploaded.value == pytest.approx((2 * 13_393 + 1302) / 3 / PHASE_DAYS)
    assert uploaded.baseline == pytest.approx(29_390)
    assert found["changes of keys per account and day"].baseline == pytest.approx(2)
    own = replace(
        replicate,
        version2=settings | {"device_key_rotation": "periodic", "device_key_period_us": 86_400 * SECOND},
    )
    uploaded = named(readings([own]), "account-keys")["uploaded for keys per account and day"]
    # Two accounts of one device, one of two, each of which changes its own keys once a day.
    assert uploaded.baseline == pytest.approx(29_390 + 4 / 3 * 13_393)
    # Kept for so long that a third bucket is needed; but the group has not been there for so long.
    long = settings | {"account_key_retention_us": 60 * 86_400 * SECOND}
    for age_days, size in ((60, 19_793), (17, 13_393)):
        one = replace(replicate, version2=long | {"group_age_us": age_days * 86_400 * SECOND})
        uploaded = named(readings([one]), "account-keys")["uploaded for keys per account and day"]
        assert uploaded.baseline == pytest.approx(2 * (size + 1302), abs=4)
    plain = named(readings([replace(replicate, version2={})]), "account-keys")
    assert plain["uploaded for keys per account and day"].baseline is None
    read = found["group messages read per device and day"]
    assert read.value == pytest.approx(13_393 / 4 / PHASE_DAYS)
    assert found["keys of others fetched per account and day"].value == pytest.approx(1302 / 3 / PHASE_DAYS)


def test_what_a_device_outside_the_group_cannot_read_is_kept_from_it(make_replicate: Make) -> None:
    events = [
        (1.5, 0, "membership removed", -1, 0),
        (2, 0, "locked", 1, 1536),
        (3, 0, "membership in group", -1, 0),
        (4, 0, "locked", 2, 1536),
        (5, 1, "locked", 1, 1536),  # in the group all the time, and told nothing
        (5, 1, "opened v2", 3, 1536),
    ]
    found = named(readings([told(make_replicate(), events)]), "account-keys")
    assert found["undecryptable"].counts == {"hits": 2, "of": 3}
    assert found["locked at first"].counts == {"hits": 2, "of": 3}
    assert found["kept from devices outside the group"].counts == {
        "hits": 1,
        "of": pytest.approx(3 * PHASE_DAYS),
    }


# ---- Twins ----


def twins(make_replicate: Make, watched: frozenset[int] = frozenset(range(FIRST, FIRST + 4))) -> Replicate:
    """Accounts 0 and 1 use version 1; 2 and 3 are their twins. Message k and k + 3 are the same wish."""
    wishes = [(2, 0, 1), (3, 1, 0), (4, 0, 1)]
    took = [(1, 3), (2, 2), (5, -1)]
    messages = [
        {
            "intent_us": t * SECOND, "sender": a + shift, "recipient": b + shift,
            "delivered_us": (t + took[k][shift // 2]) * SECOND if took[k][shift // 2] >= 0 else -1,
        }
        for shift in (0, 2)
        for k, (t, a, b) in enumerate(wishes)
    ]  # fmt: skip
    # Both directions of message 0 and of its twin, a copy of each, and what passes beyond the guard.
    rows = [
        (2 * SECOND, FIRST, 0, 1000, Cause.MESSAGE),
        (2 * SECOND, 0, FIRST, 500, Cause.MESSAGE),
        (2 * SECOND, 0, 1, 9999, Cause.MESSAGE),
        (2 * SECOND, FIRST + 2, 0, 3000, Cause.MESSAGE),
        (2 * SECOND, FIRST, 0, 700, Cause.SYNC),
        (2 * SECOND, FIRST + 2, 0, 2700, Cause.SYNC),
        (2 * SECOND, FIRST, 0, 5, Cause.POLL),
    ]
    made = make_replicate(messages=messages, rows=rows, watched=watched)
    refs = np.array([0, 0, 0, 3, 0, 3, -1], dtype=np.int64)
    accounts = {
        **made.truth.accounts,
        "version": np.array([1, 1, 2, 2], dtype=np.int8),
        "twin": np.array([2, 3, 0, 1], dtype=np.int32),
    }
    truth = replace(made.truth, accounts=accounts, transmissions={**made.truth.transmissions, "ref": refs})
    return replace(made, truth=truth)


def three(make_replicate: Make, **options: Any) -> dict[str, Reading]:
    return named(
        readings([replace(twins(make_replicate, **options), seed=seed) for seed in (1, 2, 3)]), "twins"
    )


def test_times_are_compared_within_pairs_that_both_arrived(make_replicate: Make) -> None:
    found = three(make_replicate)
    assert found["end to end, version 1"].value == pytest.approx(1.5 * SECOND)
    assert found["end to end, version 2"].value == pytest.approx(2.5 * SECOND)
    difference = found["end to end, version 2 less version 1"]
    assert difference.value == pytest.approx(SECOND)
    assert difference.counts == {"pairs": 6}
    assert difference.baseline == 0


def test_times_to_storage_are_compared_whether_it_was_delivered_or_not(make_replicate: Make) -> None:
    made = twins(make_replicate)
    stored = made.truth.messages["intent_us"] + np.array([1, 2, -9, 3, 5, 4]) * SECOND
    messages = {**made.truth.messages, "stored_us": np.where(stored < 3 * SECOND - 9, -1, stored)}
    messages["stored_us"][2] = -1
    made = replace(made, truth=replace(made.truth, messages=messages))
    found = named(readings([replace(made, seed=seed) for seed in (1, 2, 3)]), "twins")
    assert found["intent to stored, version 2 less version 1"].value == pytest.approx(2.5 * SECOND)
    assert found["intent to stored, version 1"].counts == {"pairs": 6}


def test_bytes_are_those_on_the_senders_link(make_replicate: Make) -> None:
    found = three(make_replicate)
    assert found["bytes of a message on its sender's link, version 1"].value == pytest.approx(1500 / 3)
    assert found["bytes of a message on its sender's link, version 2"].value == pytest.approx(3000 / 3)
    assert found["bytes of its copy on its sender's link, version 2 less version 1"].value == pytest.approx(
        2000 / 3
    )
    assert found["bytes of a message on its sender's link, version 1"].counts == {"pairs": 9}


def test_bytes_of_unwatched_senders_are_not_compared(make_replicate: Make) -> None:
    assert [
        name for name in three(make_replicate, watched=frozenset({FIRST})) if name.startswith("bytes")
    ] == []
    assert named(readings([make_replicate()]), "twins") == {}


def test_configs_that_do_not_open_are_counted_where_devices_share_their_keys(make_replicate: Make) -> None:
    events = [
        (2, 0, "config locked", -1, 256),
        (3, 0, "config unlocked", -1, 256),
        (3, 1, "config locked", -1, 256),
        (11, 1, "config locked", -1, 256),  # after the measured phase
    ]
    settings = {
        "device_key_rotation": "never", "device_key_period_us": 1, "received_seeds": "distributed",
        "account_key_period_us": 43_200 * SECOND, "account_key_retention_us": 16 * 86_400 * SECOND,
        "group_age_us": 0,
    }  # fmt: skip
    replicate = told(make_replicate(), events)
    both = (
        replace(replicate, version2=settings | {"groups_and_configs": how}) for how in ("v1", "device-group")
    )
    plain, shared = (named(readings([one]), "account-keys") for one in both)
    assert "configs locked per account and day" not in plain
    assert shared["configs locked per account and day"].value == pytest.approx(2 / 3 / PHASE_DAYS)
    assert shared["configs unlocked per account and day"].value == pytest.approx(1 / 3 / PHASE_DAYS)


@pytest.mark.parametrize("goes", ["left the group", "removed"])
def test_what_is_expected_counts_devices_that_come_and_go(make_replicate: Make, goes: str) -> None:
    """Account 0 has a guest, from 3 s to 7 s of ten seconds; keys change each second, one push each."""
    settings = {
        "device_key_rotation": "never", "device_key_period_us": 1, "received_seeds": "distributed",
        "account_key_period_us": SECOND, "account_key_retention_us": SECOND, "group_age_us": 60 * SECOND,
        "groups_and_configs": "v1",
    }  # fmt: skip
    guest = 4  # the second device of account 0
    events = [
        (0.2, guest, "membership groups visible", -1, 0),
        (3, guest, "membership in group", -1, 0),
        *([(7, guest, goes, -1, 0)] if goes != "removed" else [(6.5, 0, "device removed", -1, 0)]),
        (7, guest, "membership groups visible", -1, 0),
    ]
    replicate = replace(told(make_replicate(further=0), events), version2=settings)
    found = named(readings([replicate]), "account-keys")
    alone, both = group_message_bytes(1, 2, 8), group_message_bytes(2, 2, 8)
    assert alone == both  # one bucket, four slots
    # Three accounts for ten seconds; then, of account 0: two pushes when the guest comes (the admission, its
    # own record), and when it goes its own farewell if it leaves, and the push of the one that stays, which
    # changes the keys and puts off the next change by half a period.
    changes, pushes = 30 + 0.5, 30 + 2 + 0.5 + (goes != "removed")
    days = 3 * PHASE_DAYS
    assert found["changes of keys per account and day"].baseline == pytest.approx(changes / days)
    assert found["group pushes per account and day"].baseline == pytest.approx(pushes / days)
    uploaded = found["uploaded for keys per account and day"]
    assert uploaded.baseline == pytest.approx((pushes * alone + changes * 1302) / days)
    each = replace(replicate, version2=settings | {"received_seeds": "undistributed"})
    assert named(readings([each]), "account-keys")["group pushes per account and day"].baseline is None
