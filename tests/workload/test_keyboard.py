from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.intents import File, GroupText, Intent
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_S
from sessionsim.workload.keyboard import Draft, Keyboard, KeyboardRules, steps

S = US_PER_S
RULES = KeyboardRules()
SHOWN = dataclasses.replace(RULES, typing_share=1.0, pause_share=0.0)


def test_typing_without_a_pause_by_hand() -> None:
    draft = Draft(100 * S, 125 * S)
    on = [(100 * S, "start"), (110 * S, "refresh"), (120 * S, "refresh")]
    assert list(steps(draft, RULES, "android")) == on
    assert list(steps(draft, RULES, "desktop")) == on
    assert list(steps(draft, RULES, "ios")) == [*on, (125 * S, "stop")]


def test_typing_with_a_pause_by_hand() -> None:
    """Keys until 104 s, silence until 124 s, then on until 130 s: a phone gives up at 107, Desktop at 114."""
    draft = Draft(100 * S, 130 * S, (104 * S, 124 * S))
    assert list(steps(draft, RULES, "android")) == [(100 * S, "start"), (107 * S, "stop"), (124 * S, "start")]
    assert list(steps(draft, RULES, "desktop")) == [
        (100 * S, "start"), (110 * S, "refresh"), (114 * S, "stop"), (124 * S, "start"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("which", "stopping"),
    [
        ("none", set()),
        ("ios", {"ios"}),
        ("phones", {"ios", "android"}),
        ("all", {"ios", "android", "desktop"}),
    ],
)
def test_who_says_stop_on_sending_is_a_setting(which: str, stopping: set[str]) -> None:
    rules = dataclasses.replace(RULES, stop_on_send=which)
    assert {name for name in ("ios", "android", "desktop") if rules.stops_on_send(name)} == stopping


def test_speeds_have_the_published_mean_and_spread() -> None:
    keyboard = Keyboard(RULES, Seeds(1))
    for platform, mean, sigma in (("ios", 36.2, 13.2), ("desktop", 51.6, 20.2)):
        wpm = [60 * S * 100 / (5 * keyboard.typed_us(100, a, platform)) for a in range(20_000)]
        # Cut off at 10 words a minute, which moves the mean up by less than one.
        assert np.mean(wpm) == pytest.approx(mean, abs=0.7)
        assert np.std(wpm) == pytest.approx(sigma, rel=0.06)
        assert min(wpm) >= 9.99
    assert keyboard.typed_us(100, 7, "ios") == keyboard.typed_us(100, 7, "android")


def test_nobody_types_before_the_last_message_was_sent() -> None:
    keyboard = Keyboard(dataclasses.replace(RULES, pause_share=1.0), Seeds(1))
    text = Intent(100 * S, 0, 1, "x" * 400)
    assert keyboard.draft(text, 95 * S, "ios") == Draft(95 * S, 100 * S)
    free = keyboard.draft(text, -1000 * S, "ios")
    assert free.pause_us[1] - free.pause_us[0] >= 3 * S
    typed_us = free.end_us - free.begin_us - (free.pause_us[1] - free.pause_us[0])
    assert typed_us == keyboard.typed_us(400, 0, "ios")


def test_a_tenth_pauses() -> None:
    keyboard = Keyboard(RULES, Seeds(1))
    drafts = [keyboard.draft(Intent(0, 0, 1, "hello", k), -1000 * S, "ios") for k in range(10_000)]
    assert np.mean([draft.pause_us != (0, 0) for draft in drafts]) == pytest.approx(0.1, abs=0.01)


def test_a_file_takes_a_moment_and_no_indicator() -> None:
    keyboard = Keyboard(SHOWN, Seeds(1))
    photo = Intent(100 * S, 0, 1, "", 0, (File("photo", 1),))
    draft = keyboard.draft(photo, 0, "ios")
    assert draft == Draft(92 * S, 100 * S)
    assert list(keyboard.indicators(photo, draft, "ios")) == []


def test_indicators_name_the_message_and_count_through() -> None:
    keyboard = Keyboard(SHOWN, Seeds(1))
    text = Intent(100 * S, 3, 4, "x" * 200, 8, device=1)
    found = list(keyboard.indicators(text, keyboard.draft(text, 0, "android"), "android"))
    assert len(found) > 2
    assert {(one.sender, one.recipient, one.number, one.device) for one in found} == {(3, 4, 8, 1)}
    assert [one.turn for one in found] == list(range(len(found)))
    assert [one.step for one in found] == ["start"] + ["refresh"] * (len(found) - 1)


def test_half_of_the_accounts_show_that_they_type() -> None:
    keyboard = Keyboard(RULES, Seeds(1))
    shown = [
        bool(list(keyboard.indicators(Intent(9 * S, a, 0, "x"), Draft(0, 9 * S), "ios"))) for a in range(3000)
    ]
    assert np.mean(shown) == pytest.approx(0.5, abs=0.03)


def test_what_was_before_the_run_is_left_out() -> None:
    keyboard = Keyboard(SHOWN, Seeds(1))
    found = list(keyboard.indicators(Intent(5 * S, 0, 1, "x"), Draft(-20 * S, 5 * S), "ios"))
    assert [(one.t_us, one.step, one.turn) for one in found] == [(0, "refresh", 2), (5 * S, "stop", 3)]


@settings(deadline=None, max_examples=80, derandomize=True)
@given(
    characters=st.integers(0, 2000), free_s=st.integers(-2000, 3000), row=st.integers(0, 500),
    platform=st.sampled_from(("ios", "android", "desktop")), pause_share=st.floats(0, 1),
    refresh_s=st.integers(1, 60),
)  # fmt: skip
def test_any_draft_lies_between_its_borders_and_its_indicators_within(
    characters: int, free_s: int, row: int, platform: str, pause_share: float, refresh_s: int
) -> None:
    rules = dataclasses.replace(RULES, pause_share=pause_share, typing_refresh_us=refresh_s * S)
    text = GroupText(3000 * S, 0, 1, "x" * characters, row)
    draft = Keyboard(rules, Seeds(1)).draft(text, free_s * S, platform)
    assert free_s * S <= draft.begin_us <= draft.end_us == text.t_us
    if draft.pause_us != (0, 0):
        assert draft.begin_us <= draft.pause_us[0] < draft.pause_us[1] <= draft.end_us
    told = list(steps(draft, rules, platform))
    assert all(a[0] <= b[0] for a, b in itertools.pairwise(told))
    assert all(draft.begin_us <= t_us <= draft.end_us for t_us, _ in told)
    # A refresh only while typing goes on, a stop only after a start.
    going = False
    for _, step in told:
        assert going == (step != "start")
        going = step != "stop"
