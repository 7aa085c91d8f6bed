"""Fast mode on the platforms, as numbers a scenario may change (client-behaviour 6.4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MS, US_PER_S
from sessionsim.protocol.push.subscription import ANDROID_NAMESPACES, GROUP_NAMESPACES, IOS_NAMESPACES

_SOURCE: Final = "client-behaviour 6.4"


@dataclass(frozen=True, slots=True)
class PushListenerRules:
    """Push notifications on one platform. Times in microseconds."""

    fast_prob: float = setting(
        0.0, unit="prob", low=0, high=1,
        doc="Share of devices in fast mode; the others are in slow mode and hear of messages by polling.",
        source="Assumption: fast mode is opt-in and no figures are published; desktop has none "
        "(client-behaviour 6.4)",
    )  # fmt: skip
    service: str = setting(
        "firebase",
        doc="Whose pushes the device gets.",
        source=_SOURCE,
        choices=("apns", "firebase", "huawei"),
    )
    namespaces: tuple[int, ...] = setting(
        ANDROID_NAMESPACES, doc="Namespaces of the own account that it subscribes to.", source=_SOURCE
    )
    group_namespaces: tuple[int, ...] = setting(
        GROUP_NAMESPACES, doc="Namespaces of each group that it subscribes to.", source=_SOURCE
    )
    group_delay_us: int = setting(
        US_PER_S, unit="us", low=0, high=US_PER_DAY,
        doc="How long after joining or leaving a group the push server is told.",
        source="Assumption: what changes at once goes in one request",
    )  # fmt: skip
    renew_us: int = setting(
        12 * US_PER_H, unit="us", low=US_PER_S, high=14 * US_PER_DAY,
        doc="How long after a subscription the device subscribes again.",
        source=f"{_SOURCE}: iOS checks its token every 12 h; that Android's worker does too: Assumption",
    )  # fmt: skip
    retry_us: int = setting(
        10 * US_PER_S, unit="us", low=100 * US_PER_MS, high=US_PER_DAY,
        doc="Pause before a failed subscription is tried again; it doubles with each failure.",
        source="Assumption: what job runners of mobile systems do",
    )  # fmt: skip
    retry_cap_us: int = setting(
        US_PER_H, unit="us", low=100 * US_PER_MS, high=14 * US_PER_DAY,
        doc="Longest such pause.", source="Assumption: as above",
    )  # fmt: skip
    takes_body: bool = setting(
        True,
        doc="Whether a pushed message is read at once; else each push makes the device poll.",
        source=f"{_SOURCE}; session-android: notifications/PushReceiver.kt; session-ios: extension",
    )
    polls_without_body: bool = setting(
        True,
        doc="Whether a push that carries no message makes the device poll.",
        source=f"{_SOURCE}: larger messages are announced only, the client then polls",
    )
    reads_dict: bool = setting(
        False,
        doc="Whether metadata in the older form are understood.",
        source="messages 9; session-ios: NotificationMetadata.swift reads them, session-android does not",
    )


DESKTOP: Final = PushListenerRules()
ANDROID: Final = DESKTOP
IOS: Final = replace(DESKTOP, service="apns", namespaces=IOS_NAMESPACES, reads_dict=True)
PLATFORMS: Final = {"android": ANDROID, "desktop": DESKTOP, "ios": IOS}
