"""How a client proves to a community who it is: four headers on the outermost request (messages 8).

    X-SOGS-Pubkey     66 hex digits: 15 and the blinded point, or 00 and the account's own Ed25519 key
    X-SOGS-Timestamp  unix seconds
    X-SOGS-Nonce      16 bytes in base64 or hex, never used twice
    X-SOGS-Signature  64 bytes in base64

    signed: server X25519 key 32 ‖ nonce 16 ‖ timestamp ‖ method ‖ path, decoded ‖ ?query, raw ‖ H64(body)

The hash stands only if there is a body. Endpoint names and methods are signed, so a request cannot be turned
into another; but times a day off pass, and nonces are forgotten after a day.
Source: session-pysogs: sogs/routes/auth.py; session-desktop:
ts/session/apis/open_group_api/sogsv3/sogsBlinding.ts.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final, NamedTuple

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.blinding import PREFIX_15, blind15_key, blind15_sign
from sessionsim.protocol.crypto import Suite, curve
from sessionsim.protocol.crypto.blake2b import blake2b
from sessionsim.protocol.identity import Account, account_id_of_ed25519
from sessionsim.protocol.server_request import ServerRequest
from sessionsim.protocol.wire import percent

PREFIX_00: Final = b"\x00"  # an account's own Ed25519 key. Source: transport 1.2
NONCE_BYTES: Final = 16  # Source: messages 8
_HASH_BYTES: Final = 64  # Source: messages 8
PUBKEY, TIMESTAMP, NONCE, SIGNATURE = (
    "X-SOGS-Pubkey", "X-SOGS-Timestamp", "X-SOGS-Nonce", "X-SOGS-Signature",
)  # fmt: skip
# In which order a family writes them. Android's newest source spells the first with a capital K, which
# servers do not mind. Source: session-desktop: sogsBlinding.ts; session-android: .../CommunityApiExecutor.
HEADER_ORDER: Final = {
    "desktop": (PUBKEY, TIMESTAMP, NONCE, SIGNATURE),
    "android": (NONCE, TIMESTAMP, PUBKEY, SIGNATURE),
    "libsession": (PUBKEY, TIMESTAMP, NONCE, SIGNATURE),
}
# Python's int(), which the server reads times with, takes blanks, a sign and single underscores.
_WHOLE: Final = re.compile(r"\s*[+-]?\d+(?:_\d+)*\s*", re.ASCII)
_LONGEST_TIME: Final = 24  # characters. Assumption: no time needs more


class BadAuthentication(RemoteProtocolError):
    """Headers that prove nothing. Args: status: HTTP status; text: what the server says."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


def decoded_path(endpoint: str) -> str:
    """Give an endpoint as it is signed: the path without percent signs, the query as it stands.

    Raises:
        RemoteProtocolError: the escapes are not UTF-8.
    """
    path, mark, query = endpoint.partition("?")
    path = percent.decode(path, strict=True)
    # A question mark with nothing behind it is not signed.
    return f"{path}?{query}" if mark and query else path


def signed_bytes(server_x: bytes, nonce: bytes, timestamp: str, request: ServerRequest) -> bytes:
    """Write what a request signs.

    Args:
        server_x: X25519 key of the community, 32 bytes.
        nonce: 16 bytes.
        timestamp: as it stands in the header.
        request: method, endpoint and body.

    Raises:
        RemoteProtocolError: the endpoint cannot be decoded.
    """
    written = (timestamp + request.method + decoded_path(request.endpoint)).encode("utf-8", "replace")
    hashed = blake2b(request.body, _HASH_BYTES) if request.body else b""
    return server_x + nonce + written + hashed


def sign_request(
    suite: Suite,
    account: Account,
    server_x: bytes,
    request: ServerRequest,
    timestamp_s: int,
    nonce: bytes,
    *,
    blinded: bool = True,
    family: str = "desktop",
) -> ServerRequest:
    """Add the four headers.

    Args:
        suite: cryptography; the signature is one of a request, which nobody keeps.
        account: who asks.
        server_x: X25519 key of the community.
        request: the outermost request; members of a batch carry no headers of their own.
        timestamp_s: unix time, seconds.
        nonce: 16 fresh random bytes.
        blinded: ask as 15 id; otherwise with the bare key, as where a server has no capability `blind`.
        family: of `HEADER_ORDER`; desktop also draws the nonce of a blinded signature another way.

    Raises:
        LocalProtocolError: a nonce of another length or an unknown family.
    """
    if len(nonce) != NONCE_BYTES or family not in HEADER_ORDER:
        raise LocalProtocolError(f"a nonce has {NONCE_BYTES} bytes; families: {', '.join(HEADER_ORDER)}")
    text = signed_bytes(server_x, nonce, str(timestamp_s), request)
    if blinded:
        public = PREFIX_15 + blind15_key(account, server_x).public
        signature = blind15_sign(suite, account, server_x, text, nonce_of_seed=family == "desktop")
    else:
        public, signature = PREFIX_00 + account.ed.public, suite.sign(account.ed, text)
    values = {
        PUBKEY: public.hex(),
        TIMESTAMP: str(timestamp_s),
        NONCE: base64.b64encode(nonce).decode(),
        SIGNATURE: base64.b64encode(signature).decode(),
    }
    signed = {name: values[name] for name in HEADER_ORDER[family]}
    return request._replace(headers={**signed, **request.headers})


class Claim(NamedTuple):
    """Who a request says it is from; nothing of it is verified.

    Args:
        session_id: 66 hex digits, 15… or 05….
        point: the Ed25519 key that must have signed.
        nonce, signature: 16 and 64 bytes.
        timestamp: as it stands in the header; timestamp_s: the same as a number.
    """

    session_id: str
    point: bytes
    nonce: bytes
    signature: bytes
    timestamp: str
    timestamp_s: int


def read_claim(request: ServerRequest, *, require_blinding: bool) -> Claim | None:
    """Read the headers of a request as a community does, in its order of checks.

    Args:
        request: anything.
        require_blinding: refuse 00 keys.

    Returns:
        None if all four are missing: nobody in particular asks.

    Raises:
        BadAuthentication: 400 and the server's words.
    """
    headers = [request.header(name) for name in (PUBKEY, NONCE, TIMESTAMP, SIGNATURE)]
    missing = sum(not value for value in headers)
    if missing == len(headers):
        return None
    if missing:
        raise BadAuthentication(
            400, f"Invalid authentication headers: missing {missing}/4 required X-SOGS-* headers"
        )
    pubkey, nonce_text, timestamp, signature_text = (str(value) for value in headers)
    session_id, point = _identity(pubkey, require_blinding)
    nonce = _decoded(nonce_text, NONCE_BYTES)
    if nonce is None:
        raise _bad("X-SOGS-Nonce must be 16 bytes (encoded as base64 or hex)")
    signature = _decoded(signature_text, 64)
    if signature is None:
        raise _bad("X-SOGS-Signature is not base64[88]")
    if len(timestamp) > _LONGEST_TIME or _WHOLE.fullmatch(timestamp) is None:
        raise _bad("X-SOGS-Timestamp is not a valid timestamp")
    return Claim(session_id, point, nonce, signature, timestamp, int(timestamp))


def _bad(text: str) -> BadAuthentication:
    return BadAuthentication(400, f"Invalid authentication: {text}")


def _identity(pubkey: str, require_blinding: bool) -> tuple[str, bytes]:
    key = _decoded(pubkey, 33)
    if key is None:
        raise _bad("X-SOGS-Pubkey is not a valid 66-hex digit id")
    prefix, point = key[:1], key[1:]
    if prefix not in (PREFIX_00, PREFIX_15):
        raise _bad("X-SOGS-Pubkey must be 00- or 15- prefixed")
    if not curve.is_point(point):
        raise _bad("given X-SOGS-Pubkey is not a valid Ed25519 pubkey")
    if prefix == PREFIX_15:
        return key.hex(), point
    if require_blinding:
        raise _bad("this server requires the use of blinded ids")
    try:
        return account_id_of_ed25519(point).hex(), point
    except CannotOpen as wrong:
        raise _bad("given X-SOGS-Pubkey is not a valid Ed25519 pubkey") from wrong


def _decoded(text: str, size: int) -> bytes | None:
    """Decode hex, or base64 with or without padding, of an exact length; None for anything else."""
    try:
        if len(text) == 2 * size:
            raw = bytes.fromhex(text)
        else:
            padding = "" if text.endswith("=") else "=" * (-len(text) % 4)
            raw = binascii.a2b_base64(text + padding, strict_mode=True)
    except ValueError:
        return None
    return raw if len(raw) == size else None


def verify_claim(suite: Suite, server_x: bytes, claim: Claim, request: ServerRequest) -> bool:
    """Check that the claimed key signed this request."""
    try:
        text = signed_bytes(server_x, claim.nonce, claim.timestamp, request)
    except RemoteProtocolError:
        return False
    return suite.verify(claim.point, text, claim.signature)
