"""How the platforms encrypt, upload and download files, as numbers a scenario may change.

A transfer is a job of some attempts, and each attempt of some tries. Desktop tries every request to a server
three times within a second and takes up a failed download again after half a minute and half an hour; the
others know only attempts, with a pause that doubles.
Sources: client-behaviour 6.3, 6.5; messages 6; and those named with each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_MS, US_PER_S

_ONION: Final = "session-desktop: ts/session/onions/onionSend.ts (retries: 2, minTimeout: 100)"
_DOWNLOADS: Final = "session-desktop: ts/session/utils/AttachmentsDownload.ts"
_ANDROID: Final = "session-android: .../messaging/jobs/"
_IOS: Final = "session-ios: SessionMessagingKit/Jobs/"
_SHORTEST_US: Final = US_PER_MS


@dataclass(frozen=True, slots=True)
class FileRules:
    """Files on one platform. Times in microseconds."""

    encryption: str = setting(
        "legacy",
        doc="How attachments are encrypted: with random keys, or deterministically.",
        source="messages 6.1, 6.2: iOS deterministic, Android and desktop not unless asked to",
        choices=("legacy", "deterministic"),
    )
    max_bytes: int = setting(
        10_000_000, unit="bytes", low=1, high=10_218_286,
        doc="Largest file that a person may attach.", source="client-behaviour 6.5",
    )  # fmt: skip
    upload_timeout_us: int = setting(
        30 * US_PER_S, unit="us", low=100 * US_PER_MS, high=US_PER_DAY,
        doc="How long the answer to an upload is awaited.",
        source="client-behaviour 6.5: desktop 30 s, libsession 60 s; Android 120 s as for all (6.3)",
    )  # fmt: skip
    download_timeout_us: int = setting(
        30 * US_PER_S, unit="us", low=100 * US_PER_MS, high=US_PER_DAY,
        doc="How long the answer to a download is awaited.",
        source="client-behaviour 6.5: 30 s; Android 120 s as for all (6.3)",
    )  # fmt: skip
    tries: int = setting(3, low=1, high=15, doc="Tries within one attempt.", source=f"{_ONION}; others 1")
    try_pause_us: int = setting(
        100 * US_PER_MS, unit="us", low=_SHORTEST_US, high=US_PER_DAY,
        doc="Pause before the second try; it doubles with each.", source=_ONION,
    )  # fmt: skip
    attempt_timeout_us: int = setting(
        0, unit="us", low=0, high=US_PER_DAY,
        doc="After how long an attempt tries no more; 0: only the number of tries ends it.",
        source="transport 4: libsession 300 s for the whole file job",
    )  # fmt: skip
    upload_attempts: int = setting(
        1, low=1, high=100,
        doc="Attempts of an upload; then the message has failed.",
        source=f"desktop: a failed upload fails the message ({_ONION}); client-behaviour 6.3: "
        f"Android 20; {_IOS}AttachmentUploadJob.swift 10",
    )  # fmt: skip
    download_attempts: int = setting(
        3, low=1, high=100,
        doc="Attempts of a download; then the file is not there.",
        source=f"{_DOWNLOADS} 3; {_ANDROID}AttachmentDownloadJob.kt 2; {_IOS}AttachmentDownloadJob.swift 3",
    )  # fmt: skip
    pause_us: int = setting(
        30 * US_PER_S, unit="us", low=_SHORTEST_US, high=US_PER_DAY,
        doc="Pause before the second attempt.", source=f"{_DOWNLOADS} 30 s; others 0.25·2^n s (6.3)",
    )  # fmt: skip
    pause_growth: float = setting(
        60.0, low=1, high=100,
        doc="Factor by which it grows with each attempt.", source=f"{_DOWNLOADS}: 30 s, 30 min; others 2",
    )  # fmt: skip
    pause_cap_us: int = setting(
        6 * 3600 * US_PER_S, unit="us", low=_SHORTEST_US, high=US_PER_DAY,
        doc="Longest pause between attempts.", source=f"{_DOWNLOADS} 6 h; 150 s (6.3)",
    )  # fmt: skip
    parallel_downloads: int = setting(
        3, low=1, high=100,
        doc="Downloads under way at once; the others wait.",
        source=f"{_DOWNLOADS} 3; {_IOS}AttachmentDownloadJob.swift 1; that Android does as iOS: Assumption",
    )  # fmt: skip
    downloads: bool = setting(
        True,
        doc="Whether files are fetched as soon as a message points to them; else nobody fetches any.",
        source="Assumption: people trust whom they write with (a question of each client, once per contact)",
    )


DESKTOP: Final = FileRules()
_MOBILE: Final = replace(
    DESKTOP,
    tries=1,
    pause_us=500 * US_PER_MS,
    pause_growth=2.0,
    pause_cap_us=150 * US_PER_S,
    parallel_downloads=1,
)
ANDROID: Final = replace(
    _MOBILE,
    upload_attempts=20,
    download_attempts=2,
    upload_timeout_us=120 * US_PER_S,
    download_timeout_us=120 * US_PER_S,
)
IOS: Final = replace(
    _MOBILE,
    encryption="deterministic",
    upload_attempts=10,
    upload_timeout_us=60 * US_PER_S,
    attempt_timeout_us=300 * US_PER_S,
)
PLATFORMS: Final = {"android": ANDROID, "desktop": DESKTOP, "ios": IOS}
