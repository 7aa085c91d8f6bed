"""What clients do that nobody looks at: go on, or sleep and be woken now and then (client-behaviour 6.1)."""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_S


@dataclass(frozen=True)
class BackgroundRules:
    """The background of one platform. Times in microseconds."""

    in_background: str = setting(
        "runs",
        doc="What a client does when it is not in front: it goes on as before, or sleeps but for what comes "
        "and what is set here.",
        source="client-behaviour 6.1: desktop has no focus rule, Android polls only while it is visible; "
        "libsession-util: onion_request_router.cpp, suspend (iOS)",
        choices=("runs", "sleeps"),
    )
    background_linger_us: int = setting(
        30 * US_PER_S,
        unit="us",
        doc="How long what is under way may go on after the app has left the front, or was woken.",
        source="Assumption: as long as iOS lets a background task run",
        low=0,
        high=US_PER_DAY,
    )
    background_first_us: int = setting(
        0,
        unit="us",
        doc="After how long in the background a device in slow mode is first woken to poll.",
        source="client-behaviour 6.1: Android 30 s",
        low=0,
        high=366 * US_PER_DAY,
    )
    background_interval_us: int = setting(
        0,
        unit="us",
        doc="After how long it is woken again; 0: it is never woken.",
        source="client-behaviour 6.1: Android 15 min. Assumption: iOS once an hour, as the system chooses",
        low=0,
        high=366 * US_PER_DAY,
    )
    background_luck: str = setting(
        "none",
        doc="Whether these times are kept, or each pause is exponential with the interval as its mean.",
        source="client-behaviour 6.1: iOS by the choice of the system, which is an Assumption",
        choices=("none", "exponential"),
    )
    woken_single_path: bool = setting(
        False,
        doc="A push wakes an extension of the app, which has one path for all it does, around the guard of "
        "the app's first one.",
        source="transport 4: iOS, one path in extension mode; libsession-util: single_path_mode",
    )
    woken_in_fast_mode: bool = setting(
        False,
        doc="A device in fast mode is woken to poll too.",
        source="client-behaviour 6.1: Android only if not in fast mode, iOS both",
    )
