"""When devices and accounts were there, from changes told to truth, by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from sessionsim.core.verdict import Question
from sessionsim.metrics import AnswerKey, Replicate

Make = Callable[..., Replicate]
MIN = 60_000_000
A, B, FURTHER = (f"account:05{letter * 64}" for letter in "abc")


def with_events(made: Replicate, rows: list[tuple[int, int, str, int]]) -> Replicate:
    n = len(made.nodes)
    events: dict[str, Any] = {
        "t_us": np.array([row[0] for row in rows]), "endpoint": np.array([n + row[1] for row in rows]),
        "what": np.array([row[2] for row in rows], dtype=object), "message": np.full(len(rows), -1),
        "value": np.array([row[3] for row in rows]),
    }  # fmt: skip
    truth = replace(made.truth, events=events, start_us=MIN, end_us=10 * MIN)
    return replace(made, truth=truth)


def test_minutes_of_which_half_was_spent_awake(make_replicate: Make) -> None:
    key = AnswerKey(
        with_events(
            make_replicate(),
            [(2 * MIN + 20_000_000, 0, "awake", 0), (5 * MIN + 40_000_000, 0, "awake", 1),
             (7 * MIN, 0, "awake", 0)],
        )
    )  # fmt: skip
    found = key.truths(Question.ACTIVE_MINUTE)
    # Of minute 2 a third, of minute 5 a third; 6 whole; nothing after.
    assert found[A] == ("minute:0", "minute:1", "minute:6")
    assert len(found[B]) == 10
    # Minutes outside the measured phase are not asked for.
    assert key.is_apart(Question.ACTIVE_MINUTE, A, "minute:0")
    assert not key.is_apart(Question.ACTIVE_MINUTE, A, "minute:9")
    assert key.is_apart(Question.ACTIVE_MINUTE, A, "minute:10")


def test_an_account_is_there_while_one_of_its_devices_is(make_replicate: Make) -> None:
    rows = [(3 * MIN, 0, "awake", 0), (2 * MIN, 4, "awake", 0), (8 * MIN, 4, "awake", 1)]
    key = AnswerKey(with_events(make_replicate(further=0), rows))
    assert key.truths(Question.ACTIVE_MINUTE)[A] == tuple(f"minute:{k}" for k in (0, 1, 2, 8, 9))


def test_in_front_means_awake_too(make_replicate: Make) -> None:
    rows = [
        (0, 0, "foreground", 0), (3 * MIN, 0, "foreground", 1), (6 * MIN, 0, "foreground", 0),
        (4 * MIN, 0, "awake", 0), (5 * MIN, 0, "awake", 1),
    ]  # fmt: skip
    found = AnswerKey(with_events(make_replicate(), rows)).truths(Question.FOREGROUND_MINUTE)
    assert found["addr:244.0.0.1"] == ("minute:3", "minute:5")


def test_the_return_from_the_longest_absence(make_replicate: Make) -> None:
    rows = [
        (1 * MIN, 0, "awake", 0), (2 * MIN, 0, "awake", 1),
        (3 * MIN, 0, "awake", 0), (7 * MIN, 0, "awake", 1),
    ]  # fmt: skip
    found = AnswerKey(with_events(make_replicate(), rows)).truths(Question.FIRST_SEEN)
    assert found[A] == (str(7 * MIN),)
    assert found[B] == ()


def test_time_zones_are_those_of_the_table(make_replicate: Make) -> None:
    made = make_replicate()
    assert AnswerKey(made).truths(Question.TIME_ZONE) == {}
    accounts = {**made.truth.accounts, "utc_offset_h": np.array([2.0, -3.0, 9.5, np.nan])}
    found = AnswerKey(replace(made, truth=replace(made.truth, accounts=accounts))).truths(Question.TIME_ZONE)
    assert list(found.values()) == [("2.0",), ("-3.0",), ("9.5",), ()]
