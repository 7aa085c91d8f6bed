"""What a push carries, and how it looks to Apple, Google or Huawei (messages 9).

    list    = bencode [metadata JSON, body]      body left out if not wanted or above 2500 bytes
    padded  = list ‖ zeros to a multiple of 256
    payload = nonce(24) ‖ XChaCha20-Poly1305(padded) under the device's key, base64 in `enc_payload`

metadata: @ account hex, # message hash, n namespace, t time, z expiry, l length of the body, B too long.

When the body is left out, the server of 2024 writes the metadata as a bencoded dict instead of JSON text;
later servers keep that for Apple only, which iOS clients read, and the newest write JSON everywhere.
Service and network see 256-byte classes; the push server has seen all of it.
"""

from __future__ import annotations

import binascii
from typing import Any, Final, NamedTuple

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import aead
from sessionsim.protocol.namespaces import MAX_NAMESPACE, MIN_NAMESPACE
from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.frame import decode_object
from sessionsim.protocol.wire.monitor import Notification
from sessionsim.protocol.wire.push_json import write_metadata

BODY_MAX_BYTES: Final = 2500  # Source: messages 9; spns/notifiers/apns.py, firebase.py, huawei.py
BLOCK_BYTES: Final = 256  # Source: messages 9
VERSION: Final = 1  # of the field spns. Source: messages 9
_MAX_INT64: Final = (1 << 63) - 1
_LONGEST_HASH: Final = 99  # Source: spns/hivemind.hpp


class Pushed(NamedTuple):
    """A push as its receiver reads it.

    Args:
        account: 33 bytes. hash: of the message. namespace: its number.
        timestamp_ms, expiry_ms: unix ms; None from servers that did not name them.
        size_bytes: length of the body; None if it was not asked for.
        data: the body; None if it was left out.
        too_long: it was left out for its length.
    """

    account: bytes
    hash: str
    namespace: int
    timestamp_ms: int | None
    expiry_ms: int | None
    size_bytes: int | None
    data: bytes | None
    too_long: bool


def write_list(
    notification: Notification,
    *,
    body_max_bytes: int = BODY_MAX_BYTES,
    dict_without_body: bool = False,
    block_bytes: int = BLOCK_BYTES,
) -> bytes:
    """Write the padded list of a push, before encryption.

    Args:
        notification: the message; `data` None if bodies are not wanted.
        body_max_bytes: longest body that is sent along.
        dict_without_body: write the metadata as bencode where there is no body, see above.
        block_bytes: what it is filled up to a multiple of.

    Source: messages 9; session-push-notification-server: spns/notifiers/util.py (encrypt_notify_payload).
    """
    # The order of the keys is that of the server.
    metadata: dict[str, Any] = {
        "@": notification.account.hex(),
        "#": notification.hash,
        "n": notification.namespace,
        "t": notification.timestamp_ms,
        "z": notification.expiry_ms,
    }
    body = notification.data or None  # an empty body counts as none
    if body is not None:
        metadata["l"] = len(body)
        if len(body) > body_max_bytes:
            metadata["B"] = True
            body = None
    if body is None and dict_without_body:
        listed = bencode.encode([{key.encode(): value for key, value in metadata.items()}])
    else:
        text = write_metadata(metadata)
        listed = bencode.encode([text] if body is None else [text, body])
    return listed + bytes(-len(listed) % block_bytes)


def seal_payload(padded: bytes, enc_key: bytes, nonce24: bytes) -> bytes:
    """Encrypt for one device; 40 bytes longer.

    Args:
        enc_key: 32 bytes, as the device gave it when it subscribed.
        nonce24: never used before with this key.

    Raises:
        LocalProtocolError: a key or nonce of wrong length.
    Source: messages 9.
    """
    if len(enc_key) != aead.KEY_BYTES or len(nonce24) != aead.NONCE_BYTES:
        raise LocalProtocolError("a push takes a key of 32 and a nonce of 24 bytes")
    return nonce24 + aead.seal(padded, nonce24, enc_key)


def open_payload(payload: bytes, enc_key: bytes) -> bytes:
    """Decrypt a push and take its padding off.

    Returns:
        The bencoded list. Bytes that are nothing but zeros stay as they are, as in libsession.

    Raises:
        CannotOpen: too short, wrong key, or altered.
    Source: messages 9; libsession-util: src/session_encrypt.cpp (decrypt_push_notification).
    """
    if len(payload) < aead.NONCE_BYTES + aead.TAG_BYTES or len(enc_key) != aead.KEY_BYTES:
        raise CannotOpen("too short for an encrypted push, or a key of wrong length")
    padded = aead.unseal(payload[aead.NONCE_BYTES :], payload[: aead.NONCE_BYTES], enc_key)
    return padded.rstrip(b"\0") or padded


def read_push(
    enc_payload: str, enc_key: bytes, *, accepts_dict: bool = True, expects_data: bool = False
) -> Pushed:
    """Read what a service delivered to a device.

    Args:
        enc_payload: base64, from anyone.
        enc_key: 32 bytes.
        accepts_dict: read bencoded metadata as well, as iOS does and Android does not.
        expects_data: refuse a push without body unless it says that the body was too long, as Android does.

    Raises:
        CannotOpen: not encrypted with this key.
        RemoteProtocolError: not base64, no list, metadata that is none, a body of another length than the
            metadata say, or none where one is expected. Further parts of the list are ignored.
    Source: messages 9; session-android: .../notifications/PushReceiver.kt; session-ios:
        .../Models/NotificationMetadata.swift.
    """
    try:
        payload = binascii.a2b_base64(enc_payload, strict_mode=True)
    except ValueError as wrong:
        raise RemoteProtocolError("a push that is not base64") from wrong
    parts = bencode.decode(open_payload(payload, enc_key), max_depth=2)
    if type(parts) is not list or not parts:
        raise RemoteProtocolError("a push that is no list")
    data = parts[1] if len(parts) > 1 else None
    if data is not None and type(data) is not bytes:
        raise RemoteProtocolError("a push with a body that is no string")
    pushed = _pushed(_metadata(parts[0], accepts_dict), data)
    if data is not None and pushed.size_bytes != len(data):
        raise RemoteProtocolError("a push with a body of another length")
    if data is None and expects_data and not pushed.too_long:
        raise RemoteProtocolError("a push without body")
    return pushed


def _metadata(first: object, accepts_dict: bool) -> dict[str, object]:
    if type(first) is bytes:
        return decode_object(first)
    if type(first) is not dict or not accepts_dict:
        raise RemoteProtocolError("a push without metadata")
    try:
        return {
            key.decode(): value.decode() if type(value) is bytes else value for key, value in first.items()
        }
    except UnicodeDecodeError as wrong:
        raise RemoteProtocolError("metadata that are not text") from wrong


def _pushed(fields: dict[str, object], data: bytes | None) -> Pushed:
    written, name, namespace = fields.get("@"), fields.get("#"), fields.get("n")
    try:
        account = bytes.fromhex(written) if type(written) is str and len(written) == 66 else b""
    except ValueError:
        account = b""
    if len(account) != 33 or type(name) is not str or not 0 < len(name) <= _LONGEST_HASH:
        raise RemoteProtocolError("a push without account or message hash")
    if type(namespace) is not int or not MIN_NAMESPACE <= namespace <= MAX_NAMESPACE:
        raise RemoteProtocolError("a push without namespace")
    timestamp_ms, expiry_ms, size_bytes = (_number(fields, key) for key in ("t", "z", "l"))
    too_long = fields.get("B") in (True, 1)
    return Pushed(account, name, namespace, timestamp_ms, expiry_ms, size_bytes, data, too_long)


def _number(fields: dict[str, object], name: str) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= _MAX_INT64:
        raise RemoteProtocolError(f"a push with a malformed {name!r}")
    return value
