from __future__ import annotations

import dataclasses
import itertools
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import CALL_STEPS, Call, CallSignal
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_MS, US_PER_S
from sessionsim.workload.calls import CallRules, opted_in, signals
from sessionsim.workload.laws import LogNormal
from sessionsim.workload.patterns.calls import Calls, Config

S = US_PER_S
PHONES = (200 * US_PER_MS, 200 * US_PER_MS)
# Nobody is busy for long, everybody calls and can be reached.
FREE = Config(
    diurnal=False, one_way_share=0.0, call_share=1.0, calls_per_day=1.0, call_sigma=0.0, call_median_us=S
)


def made(config: Config, n: int, days: float, seed: int = 1, platform: str = "android") -> list[Call]:
    return Calls(config).intents(People.alike(n, platform), int(days * US_PER_DAY), Seeds(seed))


def test_an_answered_call_by_hand() -> None:
    assert signals("answered", 8 * S, 60 * S, PHONES, by_caller=False) == (
        CallSignal(0, True, "pre-offer", 0),
        CallSignal(0, True, "offer", 2000),
        CallSignal(500_000, True, "ice", 780),
        CallSignal(8 * S, False, "answer", 2000),
        CallSignal(8 * S + 500_000, False, "ice", 780),
        CallSignal(68 * S, False, "end", 0),
    )


def test_a_refused_call_and_one_in_vain_by_hand() -> None:
    refused = signals("declined", 4 * S, 0, PHONES, by_caller=True)
    assert [(s.step, s.by_caller) for s in refused] == [
        ("pre-offer", True), ("offer", True), ("ice", True), ("end", False),
    ]  # fmt: skip
    in_vain = signals("missed", 60 * S, 0, PHONES, by_caller=False)
    assert [(s.step, s.by_caller) for s in in_vain][-1] == ("end", True)
    assert in_vain[-1].after_us == 60 * S


def test_no_candidates_after_the_end() -> None:
    short = signals("answered", S, S, (2 * S, 2 * S), by_caller=True)  # Desktop waits for two seconds
    assert [s.step for s in short] == ["pre-offer", "offer", "answer", "end"]


def test_desktop_waits_longer_for_candidates_than_phones() -> None:
    after = {
        platform: {
            s.after_us
            for call in made(FREE, 6, 3, platform=platform)
            for s in call.signals
            if s.step == "ice"
        }
        for platform in ("android", "ios", "desktop")
    }
    assert min(after["android"]) == min(after["ios"]) == 500_000
    assert min(after["desktop"]) == 2_300_000


def test_outcomes_and_times_follow_the_settings() -> None:
    calls = made(FREE, 60, 60)
    outcomes = Counter(call.outcome for call in calls)
    n = len(calls)
    assert n / (60 * 60) == pytest.approx(1.0, abs=0.06)  # three Poisson standard deviations
    assert outcomes["answered"] / n == pytest.approx(0.6, abs=0.03)
    assert outcomes["declined"] / n == pytest.approx(0.1, abs=0.02)
    rings = [call.ring_us / S for call in calls if call.outcome == "answered"]
    assert np.median(rings) == pytest.approx(8, rel=0.05)
    assert {call.ring_us for call in calls if call.outcome == "missed"} == {60 * S}


def test_lengths_follow_their_law() -> None:
    calls = made(dataclasses.replace(FREE, call_median_us=120 * S, call_sigma=1.3), 60, 40)
    lengths = np.sort([call.talk_us / S for call in calls if call.outcome == "answered"])
    law = LogNormal.of_median(120, 1.3)
    expected = np.array([law.below(length) for length in lengths])
    distance = np.abs(expected - (np.arange(len(lengths)) + 0.5) / len(lengths)).max()
    assert distance < 1.63 / len(lengths) ** 0.5  # Kolmogorov-Smirnov at 1 %


def test_only_who_opted_in_calls_or_answers() -> None:
    config = Config(call_share=0.5, calls_per_day=5.0)
    reachable = opted_in(config, 60, Seeds(1))
    assert 0.3 < np.mean(reachable) < 0.7
    calls = made(config, 60, 10)
    assert all(reachable[call.sender] for call in calls)
    assert all(call.outcome == "missed" for call in calls if not reachable[call.recipient])
    beyond = np.mean([not reachable[call.recipient] for call in calls])
    assert 0 < beyond < 0.25  # some know nobody who opted in


@settings(deadline=None, max_examples=30, derandomize=True)
@given(
    n=st.integers(0, 12), share=st.floats(0, 1), per_day=st.floats(0, 100), answered=st.floats(0, 0.5),
    declined=st.floats(0, 0.5), median_s=st.integers(1, 7200), sigma=st.floats(0, 3), seed=st.integers(0, 99),
)  # fmt: skip
def test_nobody_is_ever_in_two_calls(
    n: int,
    share: float,
    per_day: float,
    answered: float,
    declined: float,
    median_s: int,
    sigma: float,
    seed: int,
) -> None:
    config = Config(
        call_share=share, calls_per_day=per_day, call_answered_share=answered, call_declined_share=declined,
        call_median_us=median_s * S, call_sigma=sigma,
    )  # fmt: skip
    calls = made(config, n, 1, seed)
    engaged: dict[int, list[tuple[int, int]]] = defaultdict(list)
    numbers: Counter[tuple[int, int]] = Counter()
    for call in calls:
        end_us = call.t_us + call.ring_us + call.talk_us
        engaged[call.sender].append((call.t_us, end_us))
        if call.outcome != "missed":
            engaged[call.recipient].append((call.t_us, end_us))
        assert (call.talk_us > 0) == (call.outcome == "answered")
        assert [s.after_us for s in call.signals] == sorted(s.after_us for s in call.signals)
        assert {s.step for s in call.signals} <= set(CALL_STEPS)
        assert call.signals[-1] == CallSignal(
            call.ring_us + call.talk_us, call.signals[-1].by_caller, "end", 0
        )
        assert call.number == numbers[call.sender, call.recipient]
        numbers[call.sender, call.recipient] += 1
    for spans in engaged.values():
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(sorted(spans)))
    assert [call.t_us for call in calls] == sorted(call.t_us for call in calls)


def test_outcomes_cannot_exceed_all_calls() -> None:
    with pytest.raises(InvalidInput, match="call_declined_share"):
        CallRules(call_answered_share=0.9, call_declined_share=0.2)
