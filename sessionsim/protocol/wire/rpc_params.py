"""Calls of clients, read from JSON (transport 5.1-5.7).

Whatever does not parse is `Refused` with status 400 and the text of the real server, which checks a whole
batch before it executes any of it.
Source: session-storage-server: oxenss/rpc/client_rpc_endpoints.cpp, request_handler.cpp.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable
from typing import Any, Final

import orjson

from sessionsim.protocol.namespaces import MAX_NAMESPACE, MIN_NAMESPACE
from sessionsim.protocol.wire.rpc import message_hash
from sessionsim.protocol.wire.rpc_fields import (
    ACCOUNT_BYTES,
    DIGITS,
    MAX_INT64,
    Fields,
    Refused,
    bytes_of_hex,
    invalid,
)
from sessionsim.protocol.wire.rpc_methods import BUNDLES, META, READERS, Reader
from sessionsim.protocol.wire.rpc_node import (
    BatchCall,
    IfElseCall,
    NodeCall,
    RetrieveCall,
    SimpleCall,
    StoreCall,
    read_store,
)
from sessionsim.protocol.wire.rpc_params_messages import read_retrieve
from sessionsim.protocol.wire.rpc_params_meta import read_conditions
from sessionsim.protocol.wire.rpc_usual import usual_poll

_ECHO_LENGTH: Final = 64  # Assumption: the real server echoes a wrong method at any length
NESTING_MAX: Final = 32  # Assumption: ifelse inside ifelse; the real server sets no limit
_ALL_KNOWN: Final[frozenset[str]] = frozenset()
_USUAL_NAMES: Final = frozenset(("pubkey", "pubKey", "timestamp", "ttl", "data", "namespace"))
_USUAL_FIELDS: Final = 5  # of the names above; both spellings of the account are not usual


def read_call(
    body: bytes, message_max_bytes: int, batch_max: int, unknown: frozenset[str] = _ALL_KNOWN
) -> NodeCall:
    """Parse the body of a client's request.

    Args:
        body: JSON text.
        message_max_bytes: largest message, raw bytes.
        batch_max: most requests in a batch.
        unknown: methods that a server of this version does not have.

    Raises:
        Refused: with status 400 and the server's text.
    """
    poll = usual_poll(body)
    if poll is not None and len(poll.parts) <= batch_max:
        return poll
    return read_call_slowly(body, message_max_bytes, batch_max, unknown)


def read_call_slowly(
    body: bytes, message_max_bytes: int, batch_max: int, unknown: frozenset[str] = _ALL_KNOWN
) -> NodeCall:
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
    return read_method(method, params, message_max_bytes, batch_max, unknown)


def read_method(
    method: str, params: dict[str, Any], message_max_bytes: int, batch_max: int, unknown: frozenset[str]
) -> NodeCall:
    """Parse a call whose method is known apart. Args: params: from JSON. Raises Refused, as `read_call`."""
    if method in BUNDLES:
        return _read_batch(params, method == "sequence", message_max_bytes, batch_max, unknown)
    if method == "ifelse":
        return _read_ifelse(params, message_max_bytes, batch_max, unknown, 1)
    reader = _READERS.get(method)
    if reader is None or method in unknown:
        raise Refused(400, f"no method {method[:_ECHO_LENGTH]}")
    return reader(params, message_max_bytes)


def _read_batch(
    params: dict[str, Any], in_turn: bool, message_max_bytes: int, batch_max: int, unknown: frozenset[str]
) -> BatchCall:
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
        if method in META:
            raise invalid("Invalid batch subrequest: subrequests may not contain meta-requests")
        reader = _READERS.get(method)
        if reader is None or method in unknown:
            raise invalid(f'Invalid batch subrequest: invalid method "{method[:_ECHO_LENGTH]}"')
        calls.append(reader(inner, message_max_bytes))
    return BatchCall(in_turn, tuple(calls))


def _read_ifelse(
    params: dict[str, Any], message_max_bytes: int, batch_max: int, unknown: frozenset[str], depth: int
) -> IfElseCall:
    if depth > NESTING_MAX:
        raise invalid("Invalid ifelse request: nested too deeply")
    conditions = params.get("if")
    if type(conditions) is not dict:
        raise invalid('Invalid ifelse request: no valid "if" field')
    asked = read_conditions(Fields(conditions))
    branches: list[NodeCall | None] = []
    for key in ("then", "else"):
        request = params.get(key)
        if key not in params:
            branches.append(None)
            continue
        if type(request) is not dict:
            raise invalid(f"Invalid ifelse request: {key} must be an object")
        method, inner = request.get("method"), request.get("params")
        if type(method) is not str or type(inner) is not dict:
            raise invalid(f"Invalid ifelse request: {key} must have method/params keys")
        if method in BUNDLES:
            branches.append(_read_batch(inner, method == "sequence", message_max_bytes, batch_max, unknown))
        elif method == "ifelse":
            branches.append(_read_ifelse(inner, message_max_bytes, batch_max, unknown, depth + 1))
        elif method in _READERS and method not in unknown:
            branches.append(_READERS[method](inner, message_max_bytes))
        else:
            raise invalid(f'Invalid ifelse request method "{key}"')
    if branches == [None, None]:
        raise invalid('Invalid ifelse request: at least one of "then"/"else" required')
    return IfElseCall(asked, *branches)


def _read_store(params: dict[str, Any], message_max_bytes: int) -> StoreCall:
    return _usual_store(params, message_max_bytes) or read_store(Fields(params), message_max_bytes)


def _usual_store(params: dict[str, Any], message_max_bytes: int) -> StoreCall | None:
    """Read an unsigned store as clients send texts; None for any other, right or wrong."""
    get = params.get
    pubkey, stamp, ttl, text = get("pubkey") or get("pubKey"), get("timestamp"), get("ttl"), get("data")
    namespace = get("namespace", 0)
    if type(stamp) is str and type(ttl) is str and DIGITS.fullmatch(stamp) and DIGITS.fullmatch(ttl):
        stamp, ttl = int(stamp), int(ttl)
    if (
        len(params) > _USUAL_FIELDS
        or type(pubkey) is not str
        or type(stamp) is not int
        or type(ttl) is not int
        or type(text) is not str
        or type(namespace) is not int
        or len(pubkey) != 66
        or not 0 <= stamp <= MAX_INT64
        or not 0 <= ttl <= MAX_INT64
        or not MIN_NAMESPACE <= namespace <= MAX_NAMESPACE
        or len(text) % 4
        or text.endswith("===")
        or len(text) > message_max_bytes // 3 * 4
        or not _USUAL_NAMES.issuperset(params)
    ):
        return None
    account = bytes_of_hex(pubkey)
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None
    if len(account) != ACCOUNT_BYTES:
        return None
    hash_ = message_hash(account, namespace, data)
    return StoreCall(account, namespace, stamp, stamp + ttl, data, hash_, None, None, 0)


def _read_retrieve(params: dict[str, Any], _message_max_bytes: int) -> RetrieveCall:
    return read_retrieve(Fields(params))


def _of_fields(reader: Reader) -> Callable[[dict[str, Any], int], SimpleCall]:
    return lambda params, _message_max_bytes: reader(Fields(params))


_READERS: Final[dict[str, Callable[[dict[str, Any], int], SimpleCall]]] = {
    **{method: _of_fields(reader) for method, reader in READERS.items()},
    "store": _read_store,
    "retrieve": _read_retrieve,
}
