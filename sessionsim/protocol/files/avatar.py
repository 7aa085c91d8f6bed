"""Profile pictures: how they are kept, handed out, and kept alive (messages 6, client-behaviour 6.5).

A picture is a file like any other; its address and its key of 32 bytes stand in the owner's profile, and
every contact downloads it. Files expire after two weeks, so a daily job extends the file, or uploads it anew
where that fails. With deterministic encryption the new upload has the same id; with the older scheme it has
another one, and all contacts download it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_H
from sessionsim.protocol.files import deterministic, legacy_picture
from sessionsim.protocol.files.address import read_address

KEY_BYTES: Final = 32  # Source: messages 2.3, 6
HASH_ID_LENGTH: Final = 44  # Source: client-behaviour 6.5


@dataclass(frozen=True, slots=True)
class ProfilePicture:
    """Address and key of a picture, as a profile carries them. Args: key: 32 bytes."""

    url: str
    key: bytes


def open_picture(picture: ProfilePicture, blob: bytes) -> bytes:
    """Open a downloaded picture; the address says how it is encrypted.

    Raises:
        CannotOpen: wrong key, altered, or encrypted in another way than the address says.
        RemoteProtocolError: an address or key that is none.
    Source: messages 6.1, 6.2.
    """
    if len(picture.key) != KEY_BYTES:
        raise RemoteProtocolError("a profile key of wrong length")
    if read_address(picture.url).deterministic:
        return deterministic.open_file(blob, picture.key)
    return legacy_picture.open_picture(blob, picture.key)


class Upkeep(Enum):
    """What the daily job does with the picture."""

    NOTHING = "nothing"
    EXTEND = "extend"
    UPLOAD = "upload"


@dataclass(frozen=True, slots=True)
class UpkeepRules:
    """When a client keeps its picture alive. Times in microseconds."""

    period_us: int = setting(
        US_PER_DAY,
        unit="us",
        low=0,
        doc="How often the job runs; 0: never.",
        source="client-behaviour 6.5; session-android: AvatarReuploadWorker.kt (1 day, flexible by 12 h)",
    )
    extend_after_us: int = setting(
        2 * US_PER_H,
        unit="us",
        low=0,
        doc="A file whose profile changed less than so long ago is left alone.",
        source="session-desktop: AvatarReuploadJob.ts; session-ios: ReuploadUserDisplayPictureJob.swift",
    )
    upload_after_us: int = setting(
        12 * US_PER_DAY,
        unit="us",
        low=0,
        doc="A file that could not be extended is uploaded anew if its profile is older than this.",
        source="session-desktop: AvatarReuploadJob.ts; session-android: AvatarReuploadWorker.kt",
    )


PLATFORMS: Final = {name: UpkeepRules() for name in ("android", "desktop", "ios")}


def upkeep(rules: UpkeepRules, picture: ProfilePicture, updated_us: int, now_us: int) -> Upkeep:
    """Say what the job does when it runs.

    Args:
        picture: the own picture.
        updated_us: when the profile was last changed or its picture renewed, unix µs; 0 if that was never
            noted, as by clients before there was a job.
        now_us: unix µs.

    Returns:
        EXTEND, to be followed by `upkeep_after_refusal` if the server refuses; UPLOAD; or NOTHING.

    Raises:
        RemoteProtocolError: the address is none of a file server.
    Source: session-desktop: ts/session/utils/job_runners/jobs/AvatarReuploadJob.ts.
    """
    file_id = read_address(picture.url).file_id
    if updated_us == 0:
        return Upkeep.UPLOAD
    if now_us - updated_us <= rules.extend_after_us:
        return Upkeep.NOTHING
    # A client does not ask for an extension of an old id; it goes on as if that had been refused.
    if len(file_id) != HASH_ID_LENGTH:
        return upkeep_after_refusal(rules, updated_us, now_us)
    return Upkeep.EXTEND


def upkeep_after_refusal(
    rules: UpkeepRules, updated_us: int, now_us: int, *, expired: bool = False
) -> Upkeep:
    """Say what the job does when the file could not be extended.

    Args:
        updated_us, now_us: as in `upkeep`.
        expired: the client knows that the file has expired (Android keeps the time).

    Source: as `upkeep`; session-android: AvatarReuploadWorker.kt.
    """
    return Upkeep.UPLOAD if expired or now_us - updated_us > rules.upload_after_us else Upkeep.NOTHING
