"""Presence, onset, foreground and time zone: cases worked by hand, and traffic of known laws."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sessionsim.adversary.attacks import foreground, onset, presence, push_linkage, time_zone
from sessionsim.core.columns import HEAD_CODE
from sessionsim.core.verdict import Example, Question
from sessionsim.core.view import View
from tests.adversary.attacks.traffic import N_NODES, account_of, address, view_of

S, MIN, H = 1_000_000, 60_000_000, 3_600_000_000
RNG = np.random.default_rng(0)


# --- presence -----------------------------------------------------------------------------------------------


def test_a_silence_is_an_absence_if_it_is_longer_than_chance_makes_it() -> None:
    # Every 20 s in minutes 0 to 4, nothing in 5 to 9, again in 10 and 11.
    seen = np.r_[np.arange(0, 300, 20), np.arange(600, 720, 20)] * S
    prob = presence.online(seen, np.arange(12), 0.02)
    assert prob[[0, 1, 2, 3, 4, 10, 11]].tolist() == [0.99] * 7
    silent = math.exp(-(600 - 280) / 20)  # the whole gap, in units of the median one
    expected = silent * 0.98 / (silent * 0.98 + 0.02)
    assert prob[5:10].tolist() == pytest.approx([expected] * 5)
    assert expected < 1e-4


def test_a_missed_minute_of_somebody_who_goes_on_polling_is_no_absence() -> None:
    seen = np.array([0, 50, 100, 150, 245, 295, 345]) * S  # nothing in minute 3
    prob = presence.online(seen, np.arange(6), 0.02)
    silent = math.exp(-95 / 50)
    assert prob[3] == pytest.approx(silent * 0.98 / (silent * 0.98 + 0.02))
    assert prob[3] > 0.5


def test_each_minute_of_the_view_is_judged() -> None:
    view = view_of([0, 5 * MIN], [0, 0], retrieved=[(10 * S, 1, 3, ""), (20 * S, 1, 3, "")])
    attack = presence.Presence(presence.Config())
    found = attack.infer(view, (), RNG)
    assert found.subject.tolist() == [account_of(1)] * 6
    assert found.candidate.tolist() == [f"minute:{k}" for k in range(6)]
    assert (found.prob >= 0.5).tolist() == [True, False, False, False, False, False]


# --- onset --------------------------------------------------------------------------------------------------


def test_onset_is_the_end_of_the_longest_silence_less_half_a_gap() -> None:
    seen = np.r_[np.arange(0, 100, 10), np.arange(705, 800, 10)] * S
    assert onset.returned(seen, 0, 10.0) == 705 * S - 5 * S
    assert onset.returned(seen, -2000 * S, 10.0) == -5 * S  # the time before the first is a silence too
    assert onset.returned(np.arange(0, 800, 10) * S, 0, 10.0) is None
    assert onset.returned(np.array([S]), 0, 10.0) is None


def test_onset_is_off_by_the_deviation_of_a_uniform_phase() -> None:
    """Metrics 2d: with period T the first poll is late by T/2 on average, deviation T/sqrt(12)."""
    rng, period = np.random.default_rng(1), 30 * S
    off = []
    for _ in range(2000):
        back = 4000 * S
        phase = int(rng.integers(period))
        seen = np.r_[np.arange(0, 600 * S, period), np.arange(back + phase, back + 900 * S, period)]
        found = onset.returned(seen, 0, 10.0)
        assert found is not None
        off.append((found - back) / period)
    assert np.mean(off) == pytest.approx(0.0, abs=4 / math.sqrt(12 * 2000))
    assert np.std(off) == pytest.approx(1 / math.sqrt(12), rel=0.05)


def test_onset_leaves_out_whoever_was_there_all_the_time() -> None:
    rows = [(t * S, 0, 3, "") for t in range(0, 1000, 10)]
    rows += [(t * S, 1, 3, "") for t in range(800, 1000, 10)]
    found = onset.Onset(onset.Config()).infer(view_of([0], [0], retrieved=rows), (), RNG)
    assert found.subject.tolist() == [account_of(1)]
    assert found.score.tolist() == [795 * S]


# --- foreground ---------------------------------------------------------------------------------------------


def looking(seed: int) -> tuple[View, Example]:
    """Four phones: ten requests a minute while somebody looks, one otherwise."""
    rng = np.random.default_rng(seed)
    front = rng.random((4, 60)) < 0.4
    rows = [
        (minute * MIN + int(t * S), client)
        for client in range(4)
        for minute in range(60)
        for t in np.sort(rng.uniform(0, 60, 10 if front[client, minute] else 1))
    ]
    rows.sort()
    view = view_of([t for t, _ in rows], [client for _, client in rows])
    truth = {address(k): tuple(f"minute:{m}" for m in np.flatnonzero(front[k]).tolist()) for k in range(4)}
    return view, Example(view, (), {Question.FOREGROUND_MINUTE: truth}, {})


def test_minutes_with_many_requests_are_taken_for_looked_at() -> None:
    attack = foreground.Foreground(foreground.Config())
    attack.fit([looking(1)[1]])
    view, example = looking(2)
    found = attack.infer(view, (), RNG)
    truth = example.labels[Question.FOREGROUND_MINUTE]
    holds = np.array([c in truth[s] for s, c in zip(found.subject, found.candidate, strict=True)])
    assert len(found) == 240
    assert np.mean((found.prob >= 0.5) == holds) > 0.95


def test_what_a_minute_looks_like() -> None:
    clients, minutes, features = foreground.busy(
        view_of([0, 10 * S, 40 * S, 130 * S], [0, 0, 0, 1], [100, 100, 55, 7])
    )
    assert clients.tolist() == [N_NODES, N_NODES + 1]
    assert minutes.tolist() == [0, 1, 2]
    assert features[0, 0].tolist() == pytest.approx([2.0, 8.0, 30.0])
    assert features[1, 2].tolist() == pytest.approx([1.0, 3.0, 60.0])
    assert features[0, 1].tolist() == [0.0, 0.0, 60.0]


# --- time zone ----------------------------------------------------------------------------------------------


def days(seed: int, offsets: tuple[int, ...], events: int = 200) -> tuple[View, Example]:
    """People who are busy from 18 to 24 by their own clock, rarely else, for three days."""
    rng = np.random.default_rng(seed)
    day = np.where(np.arange(24) >= 18, 10.0, 1.0)
    rows = []
    for k, offset in enumerate(offsets):
        local = rng.choice(24, events, p=day / day.sum())
        utc = (local - offset) % 24 + 24 * rng.integers(3, size=events)
        rows += [(int((hour + rng.random()) * H), k, 3, "") for hour in utc.tolist()]
    view = view_of([0, 72 * H - 1], [0, 0], retrieved=rows)
    labels = {account_of(k): (str(float(offset)),) for k, offset in enumerate(offsets)}
    return view, Example(view, (), {Question.TIME_ZONE: labels}, {})


def test_a_burst_of_requests_counts_once_in_its_hour() -> None:
    hour, minute = 3600 * S, 60 * S
    seen = [9 * hour + k * S for k in range(50)] + [9 * hour + 30 * minute, 20 * hour]
    view = view_of(retrieved=[(t_us, 3, 1, "") for t_us in seen])
    (counts,) = time_zone.hours_of(view).values()
    assert {k: counts[k] for k in np.flatnonzero(counts).tolist()} == {9: 2.0, 20: 1.0}


def test_the_hours_of_activity_tell_the_zone() -> None:
    attack = time_zone.TimeZone(time_zone.Config())
    attack.fit([days(1, (0, 2, -5, 9))[1]])
    offsets = (0, 9, -8, 5, -3)
    found = attack.infer(days(2, offsets)[0], (), RNG)
    assert found.subject.tolist() == [account_of(k) for k in range(5)]
    off = np.abs(found.score - np.array(offsets))
    assert np.minimum(off, 24 - off).max() <= 1
    assert len(time_zone.TimeZone(time_zone.Config()).infer(days(2, (0,))[0], (), RNG)) == 0


def test_the_likeliest_shift_worked_by_hand() -> None:
    day = np.where(np.arange(24) == 20, 0.54, 0.02)  # busy at 20 by one's own clock
    counts = np.zeros(24)
    counts[17] = 5.0  # seen at 17 UTC: three hours ahead
    assert time_zone.likeliest(counts, np.ones(24), day) == 3.0
    # Seen only from 16 to 18: at 17 all the same, since that is where everything is.
    looked = np.zeros(24)
    looked[16:18] = 1.0
    assert time_zone.likeliest(counts, looked, day) == 3.0


def test_hours_that_are_looked_at_twice_count_twice() -> None:
    looked = time_zone.exposure(view_of([6 * H, 31 * H], [0, 0]))
    assert looked[6] == pytest.approx(2.0)
    assert looked[8] == pytest.approx(1.0)
    assert looked.sum() == pytest.approx(25.0)


# --- push ---------------------------------------------------------------------------------------------------


def pushed(told_at: list[tuple[int, int]], stored: list[tuple[int, int, int, int, bool]]) -> View:
    """A view of a push platform: what it told which device when."""
    view = view_of([t for t, _ in told_at], [0] * len(told_at), stored=stored)
    view.rows["dst"] = np.array([N_NODES + client for _, client in told_at])
    view.rows["src"] = np.full(len(told_at), 500)
    view.rows["head"] = np.full(len(told_at), HEAD_CODE["push_delivery"])
    view.rows["direction"] = np.zeros(len(told_at), dtype=np.int64)
    return view


def test_the_device_that_is_told_after_each_store_is_the_owners() -> None:
    stored = [(t * S, 7, t, 500, True) for t in (100, 300, 500)]
    told_at = [(101 * S, 0), (200 * S, 1), (301 * S, 0), (420 * S, 1), (502 * S, 0), (503 * S, 1)]
    view = pushed(told_at, stored)
    found = push_linkage.PushLinkage(push_linkage.Config()).infer(view, (), RNG)
    assert found.subject.tolist() == [account_of(7)] * 2
    best = found.candidate[int(found.score.argmax())]
    assert best == address(0)
    # Three hits of three, and one of three; each told three times in 403 s, five of which count.
    chance = 3 * 5 / (503 - 100)
    spread = math.sqrt(3 * chance * (1 - chance) + 0.25)
    scores = dict(zip(found.candidate.tolist(), found.score.tolist(), strict=True))
    assert scores[address(0)] == pytest.approx((3 - 3 * chance) / spread)
    assert scores[address(1)] == pytest.approx((1 - 3 * chance) / spread)


def test_without_deliveries_nothing_is_concluded() -> None:
    view = view_of([1], [0], stored=[(5, 0, 1, 500, True)])
    assert len(push_linkage.PushLinkage(push_linkage.Config()).infer(view, (), RNG)) == 0
