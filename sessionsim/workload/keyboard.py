"""How long people take to write a message, and the typing indicators that their clients send meanwhile.

Somebody types up to the moment of sending, at a speed of their own on phone or computer, and not before the
last message they sent was finished. Some pause in between for longer than their client waits.

An indicator is sent when typing starts, again every ten seconds while it goes on, and a stop when no key was
pressed for 3 s (phones) or 10 s (Desktop). On sending, iOS says stop, Android and Desktop say nothing.
Only in direct conversations, and only by accounts that switched indicators on. Source: client-behaviour 6.3;
session-android: components/TypingStatusSender.java; session-ios: TypingIndicators.swift; session-desktop:
ts/models/conversation.ts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sessionsim.core.intents import Intent, Spoken, Typing
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.workload.draws import Luck
from sessionsim.workload.presence import DESKTOP

_CHARACTERS_PER_WORD: Final = 5  # Source: the definition of words per minute in both studies
_SLOWEST_WPM: Final = 10.0  # Assumption: a bound on the normal law
_FILE_US: Final = 8 * US_PER_S  # Assumption: choosing a picture, or speaking
_PAUSE_MEAN_S: Final = 15.0  # Assumption: what a pause lasts beyond the client's patience; exponential


@dataclass(frozen=True)
class KeyboardRules:
    """Settings of typing."""

    typing_share: float = setting(
        0.5,
        unit="prob",
        doc="Share of accounts that switched typing indicators on.",
        source="Assumption: off by default, offered to everybody",
        low=0.0,
        high=1.0,
    )
    phone_wpm: float = setting(
        36.2,
        doc="Mean typing speed on phones, words a minute; normal, sigma 13.2.",
        source="Palin et al., How do people type on mobile devices?, MobileHCI 2019 (37,000 people)",
        low=10.0,
        high=200.0,
    )
    desktop_wpm: float = setting(
        51.6,
        doc="Mean typing speed on computers, words a minute; normal, sigma 20.2.",
        source="Dhakal et al., Observations on typing from 136 million keystrokes, CHI 2018",
        low=10.0,
        high=200.0,
    )
    pause_share: float = setting(
        0.1,
        unit="prob",
        doc="Share of texts whose writer pauses for longer than the client waits.",
        source="Assumption: one in ten",
        low=0.0,
        high=1.0,
    )
    typing_refresh_us: int = setting(
        10 * US_PER_S,
        unit="us",
        doc="How often an indicator is sent again while typing goes on.",
        source="client-behaviour 6.3",
        low=US_PER_S,
    )
    typing_pause_phone_us: int = setting(
        3 * US_PER_S,
        unit="us",
        doc="After how long without a key a phone says that typing stopped.",
        source="client-behaviour 6.3 (Android); session-ios: TypingIndicators.swift",
        low=US_PER_S,
    )
    typing_pause_desktop_us: int = setting(
        10 * US_PER_S,
        unit="us",
        doc="After how long without a key Desktop says that typing stopped.",
        source="client-behaviour 6.3",
        low=US_PER_S,
    )
    stop_on_send: str = setting(
        "ios",
        doc="Which platforms say on sending that typing stopped.",
        source="TypingIndicators.swift (stop always sends), TypingStatusSender.java (silent). Assumption: "
        "Desktop is silent too, as the client it comes from",
        choices=("none", "ios", "phones", "all"),
    )

    def patience_us(self, platform: str) -> int:
        return self.typing_pause_desktop_us if platform == DESKTOP else self.typing_pause_phone_us

    def stops_on_send(self, platform: str) -> bool:
        silent = {"none": ("ios", "android", DESKTOP), "ios": ("android", DESKTOP), "phones": (DESKTOP,)}
        return platform not in silent.get(self.stop_on_send, ())


_SIGMA_WPM: Final = {False: 13.2, True: 20.2}  # phone, computer. Source: the same studies


@dataclass(frozen=True, slots=True)
class Draft:
    """How a message came about, µs. Args: begin_us..end_us: typing; pause_us: when no key was pressed, from
    and until, inside; (0, 0) for none."""

    begin_us: int
    end_us: int
    pause_us: tuple[int, int] = (0, 0)


class Keyboard:
    """How fast everybody types. Args: seeds: luck ("wpm"), ("typing") by account, ("draft", *place)."""

    def __init__(self, rules: KeyboardRules, seeds: Seeds) -> None:
        self._rules, self._seeds = rules, seeds
        self._wpm, self._shown = Luck(seeds, "wpm"), Luck(seeds, "typing")
        self._luck: dict[tuple[str, int, int], Luck] = {}

    def draft(self, spoken: Spoken, free_us: int, platform: str) -> Draft:
        """Say how a message was typed. Args: free_us: when its writer finished the message before."""
        rules, (where, place, author, row) = self._rules, spoken.address
        luck = self._luck.get((where, place, author))
        if luck is None:
            luck = self._luck[where, place, author] = Luck(self._seeds, "draft", where, place, author)
        taken_us = self.typed_us(len(spoken.body), author, platform) + (_FILE_US if spoken.files else 0)
        begin_us = min(max(spoken.t_us - taken_us, free_us), spoken.t_us)
        if not spoken.body or luck.at(row, 0) >= rules.pause_share:
            return Draft(begin_us, spoken.t_us)
        pause_us = rules.patience_us(platform) + int(-math.log1p(-luck.at(row, 1)) * _PAUSE_MEAN_S * US_PER_S)
        if spoken.t_us - taken_us - pause_us < free_us:
            return Draft(begin_us, spoken.t_us)  # no time for it
        begin_us -= pause_us
        at_us = begin_us + int(luck.at(row, 2) * taken_us)
        return Draft(begin_us, spoken.t_us, (at_us, at_us + pause_us))

    def typed_us(self, characters: int, account: int, platform: str) -> int:
        """Give how long somebody takes to type so many characters."""
        at_desk = platform == DESKTOP
        mean = self._rules.desktop_wpm if at_desk else self._rules.phone_wpm
        wpm = max(_SLOWEST_WPM, mean + _SIGMA_WPM[at_desk] * self._wpm.normal(account, int(at_desk)))
        return int(characters * 60 * US_PER_S / (wpm * _CHARACTERS_PER_WORD))

    def indicators(self, text: Intent, draft: Draft, platform: str) -> Iterator[Typing]:
        """Give the typing indicators of a direct message, in time order; none before time 0."""
        if self._shown.at(text.sender) >= self._rules.typing_share or not text.body:
            return
        for turn, (t_us, step) in enumerate(steps(draft, self._rules, platform)):
            if t_us >= 0:
                yield Typing(t_us, text.sender, text.recipient, text.number, turn, step, text.device)


def steps(draft: Draft, rules: KeyboardRules, platform: str) -> Iterator[tuple[int, str]]:
    """Give moments and steps of the indicators for one message, in time order."""
    pause_begin_us, pause_end_us = draft.pause_us
    begin_us = draft.begin_us
    if pause_end_us:
        stop_us = pause_begin_us + rules.patience_us(platform)
        yield from _going_on(begin_us, stop_us, rules.typing_refresh_us)
        yield stop_us, "stop"
        begin_us = pause_end_us
    if begin_us < draft.end_us:
        yield from _going_on(begin_us, draft.end_us, rules.typing_refresh_us)
        if rules.stops_on_send(platform):
            yield draft.end_us, "stop"


def _going_on(begin_us: int, end_us: int, refresh_us: int) -> Iterator[tuple[int, str]]:
    """Start, and refresh until the end, which is excluded."""
    yield begin_us, "start"
    yield from ((t_us, "refresh") for t_us in range(begin_us + refresh_us, end_us, refresh_us))
