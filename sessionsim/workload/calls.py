"""Calls: who calls whom when, what becomes of it, and the messages that set it up.

A caller's client sends PRE_OFFER, and OFFER with a session description as soon as that is stored; then, in
one message, the candidates found within a pause (transport: WebRTC). Who takes the call sends ANSWER and its
own candidates; whoever ends, refuses or gives up sends END_CALL. Source: messages 2.3, client-behaviour 6.5;
session-android: webrtc/CallManager.kt (order of messages, pause 200 ms); session-desktop: CallManager.ts
(pause 2 s, the caller's time limit).

Only people who opted in call or can be reached, and mostly those are called; a call to somebody else rings
nowhere. Nobody is in two calls at once: who is busy does not call, and cannot be reached.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import Call, CallSignal
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_MIN, US_PER_MS, US_PER_S
from sessionsim.workload.contacts import Circle
from sessionsim.workload.draws import Luck, Rows
from sessionsim.workload.laws import LogNormal
from sessionsim.workload.rhythm import Clock, moments

# Session descriptions. Source: messages 2.4 (an OFFER with an SDP of 2 kB). Assumption: an ANSWER has the
# same size; six candidates of 130 bytes each.
_SDP_BYTES: Final = 2000
_ICE_BYTES: Final = 6 * 130
# From a session description to the last candidate. Assumption: answers of TURN servers take about this long.
_GATHERING_US: Final = 300 * US_PER_MS
# How often people think of somebody else if they know that a contact cannot be reached. Assumption: enough
# for nine calls in ten to go to somebody who opted in.
_TRIES: Final = 8
_FIRST_TRY: Final = 8  # the first column of luck used for it
_RING_SIGMA: Final = 0.6  # Assumption: most people take a call within 3 to 20 s
_SHORTEST_US: Final = US_PER_S  # Assumption: nobody answers or ends sooner


@dataclass(frozen=True)
class CallRules:
    """Settings of calls."""

    call_share: float = setting(
        0.3,
        unit="prob",
        doc="Share of accounts that opted in to calls; only these call and can be reached.",
        source="Assumption: calls are off by default (client-behaviour 6.5)",
        low=0.0,
        high=1.0,
    )
    calls_per_day: float = setting(
        0.5,
        doc="Calls that somebody who opted in begins per day.",
        source="Assumption: one every other day",
        low=0.0,
        high=100.0,
    )
    call_answered_share: float = setting(
        0.6,
        unit="prob",
        doc="Share of calls to people who can be reached that are answered.",
        source="Assumption: three in five",
        low=0.0,
        high=1.0,
    )
    call_declined_share: float = setting(
        0.1,
        unit="prob",
        doc="Share of calls to people who can be reached that are refused; the others ring in vain.",
        source="Assumption: one in ten",
        low=0.0,
        high=1.0,
    )
    call_ring_median_us: int = setting(
        8 * US_PER_S,
        unit="us",
        doc="Median time until a call is answered or refused; log-normal.",
        source="Assumption: as long as it takes to look and to decide",
        low=US_PER_S,
    )
    call_limit_us: int = setting(
        60 * US_PER_S,
        unit="us",
        doc="When a caller whom nobody answers gives up.",
        source="Assumption: a minute; Desktop has such a limit (CallManager.ts)",
        low=US_PER_S,
    )
    call_median_us: int = setting(
        2 * US_PER_MIN,
        unit="us",
        doc="Median length of a call that was answered; log-normal.",
        source="Assumption: minutes; no figure is published for this messenger",
        low=US_PER_S,
    )
    call_sigma: float = setting(
        1.3,
        doc="Standard deviation of ln(length of a call).",
        source="Assumption: from half a minute to ten minutes",
        low=0.0,
        high=3.0,
    )
    candidate_pause_phone_us: int = setting(
        200 * US_PER_MS,
        unit="us",
        doc="How long a phone waits for more candidates before it sends those it has.",
        source="session-android: webrtc/CallManager.kt. Assumption: iOS does the same",
        low=0,
    )
    candidate_pause_desktop_us: int = setting(
        2 * US_PER_S,
        unit="us",
        doc="How long Desktop waits for more candidates before it sends those it has.",
        source="session-desktop: ts/session/utils/calling/CallManager.ts",
        low=0,
    )

    def __post_init__(self) -> None:
        if self.call_answered_share + self.call_declined_share > 1:
            allowed = "with call_answered_share at most 100 %"
            raise InvalidInput("call_declined_share", self.call_declined_share, allowed)

    def pause_us(self, platform: str) -> int:
        return self.candidate_pause_desktop_us if platform == "desktop" else self.candidate_pause_phone_us


def opted_in(rules: CallRules, n_accounts: int, seeds: Seeds) -> list[bool]:
    """Say for each account whether it can make and take calls. Args: seeds: luck ("calls")."""
    luck = Luck(seeds, "calls")
    return [luck.at(account) < rules.call_share for account in range(n_accounts)]


def calls(
    rules: CallRules,
    people: People,
    circles: Sequence[Circle],
    clocks: Sequence[Clock],
    end_us: int,
    seeds: Seeds,
) -> Iterator[Call]:
    """Give all calls in time order, times in [0, end_us).

    Args:
        seeds: as in `opted_in`; stream ("workload", "calls", a) and luck ("call", a) per caller.
    """
    reachable = opted_in(rules, len(people), seeds)
    wished: list[tuple[float, int, int]] = []
    for account in range(len(people)):
        if reachable[account] and circles[account].writes:
            draws = Rows(seeds, 1, "calls", account)
            begun = moments(rules.calls_per_day, clocks[account], 0.0, end_us / US_PER_S, draws)
            wished += [(t_s, account, k) for k, t_s in enumerate(begun)]
    wished.sort()
    lucks = {account: Luck(seeds, "call", account) for _, account, _ in wished}
    busy_until: Counter[int] = Counter()
    made: Counter[tuple[int, int]] = Counter()
    for t_s, caller, k in wished:
        t_us, luck = int(t_s * US_PER_S), lucks[caller]
        if t_us < busy_until[caller]:
            continue
        callee = _callee(circles[caller], reachable, luck, k)
        outcome, ring_us, talk_us = _course(rules, luck, k)
        if not reachable[callee] or t_us < busy_until[callee]:
            outcome, ring_us, talk_us = "missed", rules.call_limit_us, 0
        by_caller = luck.at(k, 4) < 0.5
        pauses = rules.pause_us(people.platforms[caller]), rules.pause_us(people.platforms[callee])
        sent = signals(outcome, ring_us, talk_us, pauses, by_caller=by_caller)
        number = made[caller, callee]
        made[caller, callee] += 1
        busy_until[caller] = t_us + ring_us + talk_us
        if outcome != "missed":
            busy_until[callee] = max(busy_until[callee], busy_until[caller])
        yield Call(t_us, caller, callee, number, outcome, ring_us, talk_us, sent)


def _callee(circle: Circle, reachable: Sequence[bool], luck: Luck, k: int) -> int:
    """Choose a contact by use of the tie, some tries long among those who can be reached."""
    found = [circle.pick(luck.at(k, _FIRST_TRY + attempt)) for attempt in range(_TRIES)]
    return next((callee for callee in found if reachable[callee]), found[-1])


def _course(rules: CallRules, luck: Luck, k: int) -> tuple[str, int, int]:
    """Draw what becomes of a call that rings: outcome, microseconds of ringing and of talk."""
    u = luck.at(k, 1)
    if u >= rules.call_answered_share + rules.call_declined_share:
        return "missed", rules.call_limit_us, 0
    ring = LogNormal.of_median(rules.call_ring_median_us / US_PER_S, _RING_SIGMA)
    ring_us = max(_SHORTEST_US, int(ring.at(luck.at(k, 2), rules.call_limit_us / US_PER_S) * US_PER_S))
    if u >= rules.call_answered_share:
        return "declined", ring_us, 0
    talk = LogNormal.of_median(rules.call_median_us / US_PER_S, rules.call_sigma)
    return "answered", ring_us, max(_SHORTEST_US, int(talk.at(luck.at(k, 3)) * US_PER_S))


def signals(
    outcome: str, ring_us: int, talk_us: int, pauses_us: tuple[int, int], *, by_caller: bool
) -> tuple[CallSignal, ...]:
    """List the messages of a call in time order, as if none needed time to arrive.

    Args:
        pauses_us: how long the caller's and the callee's client wait for more candidates.
        by_caller: who ends an answered call.
    """
    end_us = ring_us + talk_us
    sent = [CallSignal(0, True, "pre-offer", 0), CallSignal(0, True, "offer", _SDP_BYTES)]
    candidates = [(_GATHERING_US + pauses_us[0], True)]
    if outcome == "answered":
        sent.append(CallSignal(ring_us, False, "answer", _SDP_BYTES))
        candidates.append((ring_us + _GATHERING_US + pauses_us[1], False))
    # A client that has ended the call sends no more candidates.
    sent += [CallSignal(at_us, who, "ice", _ICE_BYTES) for at_us, who in candidates if at_us < end_us]
    ends = by_caller if outcome == "answered" else outcome == "missed"
    sent.append(CallSignal(end_us, ends, "end", 0))
    return tuple(sorted(sent, key=lambda signal: signal.after_us))  # stable: equal times keep their order
