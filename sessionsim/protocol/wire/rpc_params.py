"""Calls of clients, read from JSON (transport 5.1-5.7).

Whatever does not parse is `Refused` with status 400 and the text of the real server, which checks a whole
batch before it executes any of it.
Source: session-storage-server: oxenss/rpc/client_rpc_endpoints.cpp, request_handler.cpp.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import orjson

from sessionsim.protocol.namespaces import MAX_NAMESPACE, MIN_NAMESPACE, is_open_to_read
from sessionsim.protocol.wire.rpc import HASH_LENGTH, message_hash
from sessionsim.protocol.wire.rpc_node import (
    ACCOUNT_BYTES,
    MAX_INT64,
    SIGNATURE_BYTES,
    BatchCall,
    InfoCall,
    NodeCall,
    Refused,
    RetrieveCall,
    SimpleCall,
    StoreCall,
    SwarmCall,
    invalid,
)
from sessionsim.protocol.wire.rpc_usual import usual_poll

# Source: oxenss/rpc/client_rpc_endpoints.cpp parse_field: less would be seconds instead of milliseconds.
_LEAST_TIMESTAMP_MS: Final = 1_000_000_000
_MAX_INT32: Final = (1 << 31) - 1
_DIGITS: Final = re.compile(r"-?\d{1,19}", re.ASCII)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*", re.ASCII)
_ECHO_LENGTH: Final = 64  # Assumption: the real server echoes a wrong method at any length
_SIGNATURE_LENGTHS: Final = (86, 88)  # Source: transport 5.2, base64 without and with padding
_REMEMBERED_KEYS: Final = 4096  # Assumption: accounts polled in turn; each repeats in every part of a batch


def read_call(body: bytes, message_max_bytes: int, batch_max: int) -> NodeCall:
    """Parse the body of a client's request.

    Args:
        body: JSON text.
        message_max_bytes: largest message, raw bytes.
        batch_max: most requests in a batch.

    Raises:
        Refused: with status 400 and the server's text.
    """
    poll = usual_poll(body)
    if poll is not None and len(poll.parts) <= batch_max:
        return poll
    return read_call_slowly(body, message_max_bytes, batch_max)


def read_call_slowly(body: bytes, message_max_bytes: int, batch_max: int) -> NodeCall:
    """`read_call` by the general JSON parser."""
    try:
        fields = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as wrong:
        raise Refused(400, "invalid json") from wrong
    method = fields.get("method") if type(fields) is dict else None
    if type(method) is not str:
        raise Refused(400, "invalid json: no `method` field")
    params = fields.get("params")
    if type(params) is not dict:
        raise Refused(400, "invalid json: no `params` field")
    if method in ("batch", "sequence"):
        return _read_batch(params, method == "sequence", message_max_bytes, batch_max)
    reader = _READERS.get(method)
    if reader is None:
        raise Refused(400, f"no method {method[:_ECHO_LENGTH]}")
    return reader(params, message_max_bytes)


def _read_batch(params: dict[str, Any], in_turn: bool, message_max_bytes: int, batch_max: int) -> BatchCall:
    requests = params.get("requests")
    if type(requests) is not list or not requests:
        raise invalid('Invalid batch request: no valid "requests" field')
    if len(requests) > batch_max:
        raise invalid("Invalid batch request: subrequest limit exceeded")
    calls: list[SimpleCall] = []
    for request in requests:
        if type(request) is not dict:
            raise invalid("Invalid batch request: requests must be objects")
        method, inner = request.get("method"), request.get("params")
        if type(method) is not str or type(inner) is not dict:
            raise invalid("Invalid batch request: subrequests must have method/params keys")
        if method in ("batch", "sequence", "ifelse"):
            raise invalid("Invalid batch subrequest: subrequests may not contain meta-requests")
        reader = _READERS.get(method)
        if reader is None:
            raise invalid(f'Invalid batch subrequest: invalid method "{method[:_ECHO_LENGTH]}"')
        calls.append(reader(inner, message_max_bytes))
    return BatchCall(in_turn, tuple(calls))


def _read_store(params: dict[str, Any], message_max_bytes: int) -> StoreCall:
    timestamp = _number(params, "timestamp")
    if timestamp is None:
        raise invalid("Required field 'timestamp' missing")
    ttl, expiry = _number(params, "ttl"), _timestamp(params, "expiry")
    if ttl is not None and ttl < 0:
        raise invalid("Invalid value given for 'ttl': expected positive integer")
    if ttl is not None and expiry is not None:
        raise invalid("Cannot specify both 'expiry' and 'ttl'")
    if expiry is None:
        if ttl is None:
            raise invalid("Required field 'expiry' or 'ttl' missing")
        expiry = timestamp + ttl
    namespace = _namespace(params) or 0
    ed25519 = signature = None
    signed_ms = 0
    if params.get("signature") is not None:
        account, ed25519, signature = _signed_by(params)
        signed_ms = _timestamp(params, "sig_timestamp") or timestamp
    else:
        account = _account(params)
    data = _data(params, message_max_bytes)
    hash_ = message_hash(account, namespace, data)
    return StoreCall(account, namespace, timestamp, expiry, data, hash_, ed25519, signature, signed_ms)


def _data(params: dict[str, Any], message_max_bytes: int) -> bytes:
    text = _text(params, "data")
    if text is None:
        raise invalid("Required field 'data' missing")
    if len(text) > message_max_bytes // 3 * 4:
        raise invalid(f"Message body exceeds maximum allowed length of {message_max_bytes} bytes")
    return _unbase64(text, "Invalid 'data' value: not base64 encoded")


def _unbase64(text: str, complaint: str) -> bytes:
    # The padded form directly; servers take it without padding too.
    if len(text) % 4 == 0 and not text.endswith("==="):
        try:
            return binascii.a2b_base64(text, strict_mode=True)
        except ValueError:
            raise invalid(complaint) from None
    bare = text.rstrip("=")
    padding = -len(bare) % 4
    if padding == 3 or len(text) - len(bare) not in (0, padding) or _BASE64.fullmatch(bare) is None:
        raise invalid(complaint)
    return binascii.a2b_base64(bare + "=" * padding)


def _read_retrieve(params: dict[str, Any], _message_max_bytes: int) -> RetrieveCall:
    namespace = _namespace(params)
    stamp = _timestamp(params, "timestamp")
    ed25519 = signature = None
    if (
        params.get("pubkey_ed25519") is not None
        or params.get("signature") is not None
        or stamp is not None
        or (namespace is not None and not is_open_to_read(namespace))
    ):
        account, ed25519, signature = _signed_by(params)
        if stamp is None:
            raise invalid("Required field 'timestamp' missing")
    else:
        account = _account(params)
    last_hash = _text(params, "last_hash")
    if last_hash is None:
        last_hash = _text(params, "lastHash") or ""
    if last_hash and (len(last_hash) != HASH_LENGTH or _BASE64.fullmatch(last_hash) is None):
        raise invalid("Invalid last_hash: expected base64 (43 chars)")
    count, size = _small_integer(params, "max_count"), _small_integer(params, "max_size")
    return RetrieveCall(account, namespace or 0, last_hash, count, size, ed25519, signature, stamp or 0)


def _read_swarm(params: dict[str, Any], _message_max_bytes: int) -> SwarmCall:
    return SwarmCall(_account(params))


def _read_info(_params: dict[str, Any], _message_max_bytes: int) -> InfoCall:
    return InfoCall()


# Recursive methods beside store (delete…, expire…) join here when they are built.
_READERS: Final[dict[str, Callable[[dict[str, Any], int], SimpleCall]]] = {
    "store": _read_store,
    "retrieve": _read_retrieve,
    "get_swarm": _read_swarm,
    "get_snodes_for_pubkey": _read_swarm,
    "info": _read_info,
}


def _text(params: dict[str, Any], name: str) -> str | None:
    value = params.get(name)
    if value is None or type(value) is str:
        return value
    raise invalid(f"Invalid value given for '{name}': expected string")


def _number(params: dict[str, Any], name: str) -> int | None:
    # Old clients send these numbers as text (transport 5.4).
    value = params.get(name)
    if type(value) is str and _DIGITS.fullmatch(value) is not None:
        value = int(value)
    if value is None or (type(value) is int and abs(value) <= MAX_INT64):
        return value
    raise invalid(f"Invalid value given for '{name}': expected integer")


def _timestamp(params: dict[str, Any], name: str) -> int | None:
    value = params.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= MAX_INT64:
        raise invalid(f"Invalid value given for '{name}': expected integer timestamp (in milliseconds)")
    if value < _LEAST_TIMESTAMP_MS:
        raise invalid(f"Invalid timestamp for '{name}': timestamp must be in milliseconds")
    return value


def _small_integer(params: dict[str, Any], name: str) -> int:
    value = params.get(name)
    if value is None:
        return 0
    if type(value) is not int or abs(value) > _MAX_INT32:
        raise invalid(f"Invalid value given for '{name}': expected integer")
    return value


def _namespace(params: dict[str, Any]) -> int | None:
    value = params.get("namespace")
    if value is None:
        return None
    if type(value) is not int:
        raise invalid("Invalid value given for 'namespace': expected 16-bit integer")
    if not MIN_NAMESPACE <= value <= MAX_NAMESPACE:
        raise invalid("Invalid value given for 'namespace': value out of range")
    return value


def _account(params: dict[str, Any]) -> bytes:
    text = _text(params, "pubkey")
    if text is None:
        text = _text(params, "pubKey")
    if text is None:
        raise invalid("Required field 'pubkey' missing")
    return _unhex(text, ACCOUNT_BYTES, "Pubkey must be 66 hex digits (33 bytes) long")


def _unhex(text: str, size: int, complaint: str) -> bytes:
    raw = _bytes_of_hex(text) if len(text) == 2 * size else b""
    if len(raw) != size:
        raise invalid(complaint)
    return raw


@lru_cache(maxsize=_REMEMBERED_KEYS)
def _bytes_of_hex(text: str) -> bytes:
    # Empty if it is not hex; shorter if it has the blanks that fromhex skips. The caller knows the length.
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _signed_by(params: dict[str, Any]) -> tuple[bytes, bytes | None, bytes]:
    account, text, ed25519 = _account(params), _text(params, "signature"), _text(params, "pubkey_ed25519")
    if text is None:
        raise invalid("Required field 'signature' missing")
    public = None
    if ed25519 is not None:
        if account[0] != 5:
            raise invalid("pubkey_ed25519 is only permitted for 05[...] pubkeys")
        public = _unhex(ed25519, 32, "Invalid pubkey_ed25519: expected 64 hex char or 32 byte pubkey")
    complaint = "invalid signature: expected base64 encoded Ed25519 signature"
    if len(text) not in _SIGNATURE_LENGTHS:
        raise invalid(complaint)
    signature = _unbase64(text, complaint)
    if len(signature) != SIGNATURE_BYTES:
        raise invalid(complaint)
    return account, public, signature
