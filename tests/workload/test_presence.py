from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.intents import Device, Presence
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN, US_PER_S
from sessionsim.workload.clock import BodyClock, day_curve
from sessionsim.workload.presence import Act, Attendance, PresenceRules, foreground_share
from sessionsim.workload.spans import Span, containing, union

RULES = PresenceRules()
ONE = dataclasses.replace(RULES, second_device_share=0.0)
CURVE = day_curve(21, 12.0)


def attendance(
    n: int, days: float, rules: PresenceRules | None = RULES, platform: str = "android", seed: int = 1
) -> Attendance:
    clocks = [BodyClock(CURVE, 0.0)] * n
    return Attendance(rules, People.alike(n, platform), clocks, int(days * US_PER_DAY), Seeds(seed))


def spans_of(wishes: list[Device | Presence], what: str, end_us: int) -> dict[int, list[Span]]:
    """Give when each device was in a state, from the stream of changes; demand that it alternates."""
    states: dict[int, list[Presence]] = defaultdict(list)
    for wish in wishes:
        if isinstance(wish, Presence) and wish.what == what:
            states[wish.device].append(wish)
    found: dict[int, list[Span]] = {}
    for device, told in states.items():
        assert told[0].t_us == 0
        assert [wish.number for wish in told] == list(range(len(told)))
        assert all(a.on != b.on and a.t_us < b.t_us for a, b in itertools.pairwise(told))
        ends = [wish.t_us for wish in told[1:]] + [end_us]
        found[device] = [(wish.t_us, end) for wish, end in zip(told, ends, strict=True) if wish.on]
    return found


@pytest.mark.parametrize("platform", ["android", "ios", "desktop"])
def test_share_in_front_of_each_hour_is_the_stated_one(platform: str) -> None:
    """Per platform and hour: looks × mean length × curve; of a computer, in the time it is on."""
    days = 40
    there = attendance(60, days, ONE, platform)
    in_front, on = np.zeros(24), np.zeros(24)
    for account in range(60):
        wishes = list(there.wishes(account, []))
        for begin, end in spans_of(wishes, "foreground", days * US_PER_DAY)[0]:
            in_front[begin // US_PER_H % 24] += end - begin
        for begin, end in spans_of(wishes, "online", days * US_PER_DAY)[0]:
            for hour in range(begin // US_PER_H, (end - 1) // US_PER_H + 1):
                on[hour % 24] += min(end, (hour + 1) * US_PER_H) - max(begin, hour * US_PER_H)
    hour_us = 60 * days * US_PER_H
    expected = np.array([foreground_share(RULES, platform, rate) for rate in CURVE])
    expected *= on / hour_us if platform == "desktop" else 1.0
    # Looks that overlap, or are cut off with the computer, lose a few per cent; the noise is about 6 %.
    assert in_front / hour_us == pytest.approx(expected, rel=0.25, abs=2e-4)
    assert (in_front / hour_us).sum() == pytest.approx(expected.sum(), rel=0.1)


def test_a_phone_is_online_but_for_gaps_and_a_computer_while_it_is_on() -> None:
    for platform, low, high in (("ios", 0.97, 0.985), ("desktop", 0.2, 0.4)):
        there = attendance(60, 20, ONE, platform)
        spans = [spans_of(list(there.wishes(a, [])), "online", 20 * US_PER_DAY)[0] for a in range(60)]
        share = sum(end - begin for some in spans for begin, end in some) / (60 * 20 * US_PER_DAY)
        assert low < share < high, platform


def test_lengths_of_looks_have_their_mean() -> None:
    rules = dataclasses.replace(ONE, phone_looks_per_day=2.0)  # so few that they hardly ever overlap
    lengths = [end - begin for some in attendance(200, 30, rules).looks for begin, end in some]
    assert len(lengths) / (200 * 30) == pytest.approx(2.0, abs=0.06)
    assert np.mean(lengths) / US_PER_S == pytest.approx(72, rel=0.06)


def test_a_seventh_has_a_second_device_of_the_other_sort() -> None:
    for platform, others in (("android", {"desktop"}), ("desktop", {"android", "ios"})):
        there = attendance(3000, 0.01, platform=platform)
        seconds = [own[1] for own in there.platforms if len(own) > 1]
        assert len(seconds) / 3000 == pytest.approx(0.15, abs=0.02)
        assert set(seconds) == others
        assert all(own[0] == platform for own in there.platforms)


def test_a_second_device_is_used_in_its_share_of_half_hours_and_stays_for_a_look() -> None:
    there = attendance(
        4, 60, dataclasses.replace(RULES, second_device_share=1.0, computer_starts_per_day=0.0)
    )
    slots = [there.device_at(0, k * 30 * US_PER_MIN) for k in range(2880)]
    assert np.mean(slots) == pytest.approx(0.3, abs=0.03)
    for begin, end in there.looks[0]:
        assert there.device_at(0, begin) == there.device_at(0, end - 1) == 0  # the computer is never on
    assert there.platform_at(0, there.looks[0][0][0]) == "android"


def test_without_presence_everybody_has_one_device_and_always_looks() -> None:
    there = attendance(3, 1, None)
    assert there.platforms == [("android",)] * 3
    assert there.device_at(1, 5) == 0
    assert there.attention(1, []) == [(0, US_PER_DAY)]


def test_who_acts_is_online_and_in_front_by_hand() -> None:
    still = dataclasses.replace(
        ONE,
        phone_looks_per_day=0.0,
        desktop_looks_per_day=0.0,
        phone_gaps_per_day=0.0,
        computer_starts_per_day=0.0,
    )
    acts: list[Act] = [(100, 200, 0), (150, 300, 0), (900, 950, 0)]
    phone = list(attendance(1, 1, still, "ios").wishes(0, acts))
    assert spans_of(phone, "foreground", US_PER_DAY)[0] == [(100, 300), (900, 950)]
    assert spans_of(phone, "online", US_PER_DAY)[0] == [(0, US_PER_DAY)]
    computer = list(attendance(1, 1, still, "desktop").wishes(0, acts))
    assert spans_of(computer, "online", US_PER_DAY)[0] == [(100, 950 + 30 * US_PER_MIN)]


acts = st.lists(st.tuples(st.integers(0, 86_000), st.integers(1, 2000), st.integers(0, 1)), max_size=12)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    some=acts, platform=st.sampled_from(("ios", "android", "desktop")), looks=st.floats(0, 60),
    gaps=st.floats(0, 60), starts=st.floats(0, 12), seed=st.integers(0, 50),
)  # fmt: skip
def test_every_act_has_a_device_that_is_online_and_in_front(
    some: list[tuple[int, int, int]], platform: str, looks: float, gaps: float, starts: float, seed: int
) -> None:
    rules = PresenceRules(
        second_device_share=0.5, phone_looks_per_day=looks, desktop_looks_per_day=looks,
        phone_gaps_per_day=gaps, computer_starts_per_day=starts,
    )  # fmt: skip
    there = attendance(1, 1, rules, platform, seed)
    devices = len(there.platforms[0])
    done: list[Act] = [(t * US_PER_S, (t + n) * US_PER_S, d % devices) for t, n, d in some]
    wishes = list(there.wishes(0, done))
    assert sum(isinstance(wish, Device) for wish in wishes) == devices - 1
    for what in ("online", "foreground"):
        told = spans_of(wishes, what, US_PER_DAY)
        assert set(told) == set(range(devices))
        for begin, end, device in done:
            place = containing(told[device], begin)
            assert place >= 0
            assert told[device][place][1] >= min(end, US_PER_DAY)
    seen = there.attention(0, done)
    in_front = union(span for spans in spans_of(wishes, "foreground", US_PER_DAY).values() for span in spans)
    assert in_front == [(begin, min(end, US_PER_DAY)) for begin, end in seen if begin < US_PER_DAY]
