"""Asking the file server for the newest client: the one request that is signed (transport 1.4, messages 3.1).

The key belongs to the account but is derived for this purpose alone (id prefix 07), so the server counts
accounts without learning who they are. Signed is  seconds ‖ GET ‖ path with query,  as text (`blinding`).
"""

from __future__ import annotations

import binascii
import re
from typing import Final

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.core.units import US_PER_DAY, US_PER_S
from sessionsim.protocol.blinding import PLATFORMS, PREFIX_07, version_key, version_sign, version_text
from sessionsim.protocol.crypto import Suite, curve
from sessionsim.protocol.identity import Account
from sessionsim.protocol.server_request import ServerRequest

PATH: Final = "/session_version"  # Source: messages 3.1
# How far the time may be off. Source: session-file-server: fileserver/routes.py (24 hours, both ways).
WINDOW_US: Final = US_PER_DAY
_HEADERS: Final = ("X-FS-Pubkey", "X-FS-Timestamp", "X-FS-Signature")  # Source: as WINDOW_US
_SECONDS: Final = re.compile(r"-?\d{1,15}", re.ASCII)


class CheckRefused(RemoteProtocolError):
    """A signed request is refused. Args: status: its HTTP status; text: what the answer says."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


def version_request(
    suite: Suite, account: Account, platform: str, now_s: int, *, channel: str = ""
) -> ServerRequest:
    """Build the request.

    Args:
        account: whose client asks; signs with its 07 key.
        platform: desktop, android or ios.
        now_s: unix seconds.
        channel: release channel, which only newer desktops name (`stable`, `alpha`); empty for none.

    Raises:
        LocalProtocolError: another platform, or a negative time.
    Source: messages 3.1; libsession-util: src/blinding.cpp (blind_version_sign); session-desktop:
        ts/session/apis/file_server_api/FileServerApi.ts.
    """
    if platform not in PLATFORMS:
        raise LocalProtocolError(f"no platform {platform!r}")
    endpoint = f"{PATH}?platform={platform}" + (f"&release_channel={channel}" if channel else "")
    signature = version_sign(suite, account, version_text(now_s, "GET", endpoint))
    written = (
        (PREFIX_07 + version_key(account).public).hex(),
        str(now_s),
        binascii.b2a_base64(signature, newline=False).decode(),
    )
    return ServerRequest("GET", endpoint, dict(zip(_HEADERS, written, strict=True)))


def check_request(suite: Suite, request: ServerRequest, unix_us: int) -> str:
    """Check who asks, as the server does.

    Args:
        unix_us: the server's clock.

    Returns:
        The 07 id as the client wrote it; empty if the request is not signed, which is allowed.

    Raises:
        CheckRefused: 400 for missing or malformed headers, 425 for a time more than a day off, 401 for a
            wrong signature, in this order.
    Source: session-file-server: fileserver/routes.py (valid_blinded_version_id_for_auth).
    """
    given = [request.header(name) for name in _HEADERS]
    if not any(given):
        return ""
    written, time, signature = given
    if not written or not time or not signature:
        raise CheckRefused(400, "Invalid authentication: one or more X-FS-* auth headers is missing")
    key, raw_signature = _decoded(written, 33), _decoded(signature, 64)
    if len(key) != 33:
        raise CheckRefused(400, "Invalid authentication: X-FS-Pubkey is not a valid 66-hex digit id")
    if not key.startswith(PREFIX_07):
        raise CheckRefused(400, "Invalid authentication: X-FS-Pubkey must be 07- prefixed")
    if not curve.is_point(key[1:]):
        raise CheckRefused(400, "Invalid authentication: given X-FS-Pubkey is not a valid Ed25519 pubkey")
    if len(raw_signature) != 64:
        raise CheckRefused(400, "Invalid authentication: X-FS-Signature is not base64[86]")
    if _SECONDS.fullmatch(time) is None:
        raise CheckRefused(400, "Invalid authentication: X-FS-Timestamp is not a valid timestamp")
    if abs(int(time) * US_PER_S - unix_us) > WINDOW_US:
        raise CheckRefused(425, "Invalid authentication: X-FS-Timestamp is too far from current time")
    # The time is signed as it was written, not as it is understood.
    signed = (time + request.method + request.endpoint).encode("utf-8", "replace")
    if not suite.verify(key[1:], signed, raw_signature):
        raise CheckRefused(401, "Invalid authentication: X-FS-Signature verification failed")
    return written


def _decoded(text: str, size: int) -> bytes:
    # Hex of the exact length, otherwise base64 with or without padding; empty for anything else.
    try:
        if len(text) == 2 * size:
            return bytes.fromhex(text)
        bare = text.rstrip("=")
        return binascii.a2b_base64(bare + "=" * (-len(bare) % 4), strict_mode=True)
    except ValueError:
        return b""
