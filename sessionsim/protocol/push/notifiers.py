"""What the push server hands to Apple, Google and Huawei (client-behaviour 6.4).

Each service knows a device by a token, and with it a person. It learns the token, the time, and the size in
classes of 256 bytes; Apple also shows a fixed text until the client has opened the payload.
Source: session-push-notification-server: spns/notifiers/apns.py, firebase.py, huawei.py.
"""

from __future__ import annotations

import binascii
from typing import Any, Final, NamedTuple

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.push.payload import VERSION
from sessionsim.protocol.wire.push_json import write_fields

APPLE: Final = frozenset({"apns", "apns-sandbox"})
_APPLE_TOKEN_LENGTH: Final = 64  # Source: spns/notifiers/apns.py
_TOKEN_LENGTHS: Final = range(32, 1000)  # Source: spns/hivemind.hpp
# Source: spns/notifiers/apns.py (BASE_APS)
_APS: Final[dict[str, Any]] = {
    "alert": {"title": "Session", "body": "You've got a new message"},
    "badge": 1,
    "sound": "default",
    "mutable-content": 1,
    "category": "SECRET",
}


class Push(NamedTuple):
    """One push on its way to a service.

    Args:
        service: which one. token: the device.
        body: JSON; `enc_payload` and `spns`, and for Apple what to show meanwhile.
    """

    service: str
    token: str
    body: bytes


def make_push(service: str, token: str, payload: bytes) -> Push:
    """Wrap an encrypted payload for a service. Source: the notifiers named above."""
    encoded = binascii.b2a_base64(payload, newline=False).decode()
    # Apple gets the version as a number, the others as text.
    fields: dict[str, Any] = (
        {"aps": _APS, "spns": VERSION, "enc_payload": encoded}
        if service in APPLE
        else {"enc_payload": encoded, "spns": str(VERSION)}
    )
    return Push(service, token, write_fields([fields], as_list=False))


def check_token(service: str, token: object) -> str:
    """Check the token of a registration and pass it through.

    Raises:
        RemoteProtocolError: no text, or not of a length that the service or the server takes.
    Source: the notifiers named above; spns/hivemind.hpp (SERVICE_ID_MIN_SIZE, _MAX_SIZE).
    """
    if type(token) is not str or not token:
        raise RemoteProtocolError(f"Invalid {service} device token")
    if service in APPLE and len(token) != _APPLE_TOKEN_LENGTH:
        raise RemoteProtocolError(
            f"Invalid token: expected length-{_APPLE_TOKEN_LENGTH} device token, not {len(token)}"
        )
    if len(token.encode("utf-8", "replace")) not in _TOKEN_LENGTHS:
        raise RemoteProtocolError("a device token too short or too long")
    return token
