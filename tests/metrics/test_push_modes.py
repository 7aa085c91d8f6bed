"""Times on phones in fast and in slow mode, counted by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sessionsim.core.truth import no_events
from sessionsim.metrics import Replicate, readings

Make = Callable[..., Replicate]
S = 1_000_000
# Endpoints of conftest: 12 and 13 are desktops, 14 and 15 phones of accounts 2 and 3.
FAST, SLOW = 14, 15


def modes(
    make: Make, shown: list[tuple[int, int, int, str]], pushes: tuple[tuple[int, int, int], ...] = ()
) -> Replicate:
    """Give a replicate of messages wished at 2 s.

    Args:
        shown: endpoint, account, when it showed the message in µs (-1: never), which copy.
        pushes: endpoint, message, bytes of the body or -1.
    """
    plain = make(
        messages=[{"recipient": 2 + k % 2} for k in range(len(shown))],
        deliveries=[
            {"message": k, "endpoint": end, "account": account, "delivered_us": t_us, "copy": copy}
            for k, (end, account, t_us, copy) in enumerate(shown)
        ],
    )
    devices = plain.truth.devices | {"fast": plain.truth.devices["endpoint"] == FAST}
    events = no_events() | {
        "t_us": np.full(len(pushes), 3 * S, dtype=np.int64),
        "endpoint": np.array([end for end, _, _ in pushes], dtype=np.int32),
        "what": np.array(["pushed"] * len(pushes), dtype=object),
        "message": np.array([message for _, message, _ in pushes], dtype=np.int64),
        "value": np.array([value for _, _, value in pushes], dtype=np.int64),
    }
    truth = dataclasses.replace(plain.truth, devices=devices, events=events)
    return dataclasses.replace(plain, truth=truth)


def found(*replicates: Replicate) -> dict[str, Any]:
    """Give the readings of some replicates, three times over: as many seeds as an interval needs."""
    seeds = [dataclasses.replace(one, seed=10 * k + one.seed) for k in range(3) for one in replicates]
    return {one.name: one for one in readings(seeds) if one.metric == "push-modes"}


def test_a_run_without_fast_phones_says_nothing(make_replicate: Make) -> None:
    assert found(make_replicate()) == {}


def test_times_of_each_mode_are_those_of_its_phones(make_replicate: Make) -> None:
    shown = [(FAST, 2, 3 * S, "message"), (SLOW, 3, 902 * S, "message")] * 30
    readings_ = found(modes(make_replicate, shown))
    for name, value in (("fast mode", S), ("slow mode", 900 * S)):
        for label in ("mean", "p50"):
            assert readings_[f"{name}, {label}"].value == pytest.approx(value)
        assert readings_[f"{name}, p50"].counts == {"messages": 90, "seeds": 3}


def test_desktops_copies_for_oneself_and_what_never_came_do_not_count(make_replicate: Make) -> None:
    shown = [
        (FAST, 2, 3 * S, "message"), (12, 0, 900 * S, "message"), (FAST, 2, 800 * S, "sync"),
        (FAST, 2, -1, "message"), (SLOW, 3, 5 * S, "message"),
    ]  # fmt: skip
    readings_ = found(modes(make_replicate, shown))
    assert readings_["fast mode, mean"].value == S
    assert readings_["slow mode, mean"].value == 3 * S


def test_pushes_of_measured_messages_count_with_what_they_carried(make_replicate: Make) -> None:
    shown = [(FAST, 2, 3 * S, "message")] * 3
    pushes = ((FAST, 0, 558), (FAST, 1, -1), (FAST, 2, 0), (FAST, -1, 70))
    carried = found(modes(make_replicate, shown, pushes))["pushes that carried the message"]
    assert carried.counts == {"pushes": 9, "carried": 6}
    assert carried.value == pytest.approx(2 / 3)


def test_a_mode_that_nobody_is_in_has_no_value(make_replicate: Make) -> None:
    readings_ = found(modes(make_replicate, [(FAST, 2, 3 * S, "message")]))
    assert readings_["slow mode, mean"].value is None


def test_seeds_without_fast_phones_do_not_spoil_the_others(make_replicate: Make) -> None:
    readings_ = found(make_replicate(seed=2), modes(make_replicate, [(FAST, 2, 3 * S, "message")]))
    assert readings_["fast mode, mean"].value == S
