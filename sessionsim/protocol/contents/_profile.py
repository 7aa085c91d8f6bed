"""What a client tells about its owner: name, picture, and when they changed (messages 2.3).

The profile stands in two fields of the message that carries it: a `LokiProfile`, and beside it the key of the
picture. Texts carry it, so do answers to message requests and some group updates.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.protocol.contents._checks import KEY_BYTES, check_size
from sessionsim.protocol.wire.envelope import text_of
from sessionsim.protocol.wire.session_pb2 import DataMessage, MessageRequestResponse


@dataclass(frozen=True, slots=True)
class Profile:
    """What a client tells about its owner in each text (messages 2.3).

    Args:
        name: display name.
        picture_url: address of the picture with its key fragment; empty for none.
        key: 32-byte profile key; empty for none.
        updated_s: unix time of the last change, s; None from clients that do not say.
    """

    name: str
    picture_url: str
    key: bytes
    updated_s: int | None

    def __post_init__(self) -> None:
        check_size(self.key, "profile key", 0, KEY_BYTES)


def write_profile(profile: Profile | None, into: DataMessage | MessageRequestResponse) -> None:
    """Put a profile into a message; nothing if there is none."""
    if profile is None:
        return
    written = into.profile
    written.displayName = profile.name
    if profile.updated_s is not None:
        written.lastUpdateSeconds = profile.updated_s
    if profile.picture_url:
        written.profilePicture = profile.picture_url
    if profile.key:
        into.profileKey = profile.key


def read_profile(carrier: DataMessage | MessageRequestResponse) -> Profile | None:
    """Take the profile out of a message; None if neither field is there. Raises RemoteProtocolError."""
    if not carrier.HasField("profile") and not carrier.profileKey:
        return None
    found = carrier.profile
    return Profile(
        text_of(found.displayName),
        text_of(found.profilePicture),
        carrier.profileKey,
        found.lastUpdateSeconds if found.HasField("lastUpdateSeconds") else None,
    )
