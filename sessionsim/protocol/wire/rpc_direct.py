"""Storage RPC of clients that speak OMQ or QUIC without an onion (transport 5.1, 3.6).

There the method is the name of the endpoint (`storage.store` on OMQ, `store` on QUIC), and the body its
parameters, JSON or bencode; the answer is written as the question was. A transmission here is one byte
string, so method and body are the two items of a list, as in `rpc_forward`.

    OMQ    success: the answer; error: its code and text beside each other
    QUIC   objects: a list of code and object, even of a success; error: `CODE Reason`, an empty line, that

In bencode, signatures, messages and tokens are raw bytes, and switches 0 and 1; but what stands inside of
batch, sequence and ifelse keeps its base64, since the server reads those parts as if they had come as JSON.
Source: session-storage-server: oxenss/server/mqbase.cpp handle_client_rpc, omq.cpp, quic.cpp.
"""

from __future__ import annotations

import binascii
from typing import Any, Final

import orjson

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.rpc_answers import Answer
from sessionsim.protocol.wire.rpc_calls import ActiveNodesCall
from sessionsim.protocol.wire.rpc_fields import Fields, Refused, invalid
from sessionsim.protocol.wire.rpc_methods import BUNDLES, META, READERS
from sessionsim.protocol.wire.rpc_node import BatchCall, IfElseCall, NodeCall, SimpleCall, named, read_store
from sessionsim.protocol.wire.rpc_params import NESTING_MAX, read_method
from sessionsim.protocol.wire.rpc_params_meta import read_conditions

# How a client is answered.
JSON: Final = 1
BENCODE: Final = 2

_ECHO_LENGTH: Final = 64  # Assumption: the real server echoes a wrong method at any length


def write_direct(method: str, body: bytes) -> bytes:
    """Write a request. Args: method: without `storage.`; body: JSON or bencode."""
    return bencode.encode([method, body])


def read_direct(payload: bytes) -> tuple[str, bytes]:
    """Split a request into method and body.

    Raises:
        Refused: not such a list.
    """
    try:
        parts = bencode.decode(payload, max_depth=1)
    except RemoteProtocolError as wrong:
        raise invalid(str(wrong)) from wrong
    if type(parts) is not list or [type(part) for part in parts] != [bytes, bytes]:
        raise Refused(400, "Invalid request: expected 1 message parts")
    return parts[0].decode("latin-1"), parts[1]


def style_of(body: bytes) -> int:
    """Say how the answer to a body is written."""
    return BENCODE if body[:1] == b"d" else JSON


def read_direct_call(
    method: str, body: bytes, message_max_bytes: int, batch_max: int, unknown: frozenset[str]
) -> NodeCall:
    """Parse a request.

    Args:
        method, body: from `read_direct`; an empty body stands for no parameters.
        message_max_bytes, batch_max, unknown: as `rpc_params.read_call` takes them.

    Raises:
        Refused: 404 for an unknown method, 400 for wrong parameters.
    """
    if method in unknown or not (method in READERS or method in META or method == "store"):
        raise Refused(404, f"no such endpoint {method[:_ECHO_LENGTH]}")
    if style_of(body) == JSON:
        try:
            params = orjson.loads(body or b"{}")
        except (orjson.JSONDecodeError, RecursionError) as wrong:
            raise Refused(400, "invalid body: expected json or bt_dict") from wrong
        if type(params) is not dict:
            raise Refused(400, "invalid body: expected json or bt_dict")
        return read_method(method, params, message_max_bytes, batch_max, unknown)
    try:
        values = bencode.decode(body)
    except RemoteProtocolError as wrong:
        raise invalid(str(wrong)) from wrong
    return _Reader(message_max_bytes, batch_max, unknown).read(method, named(values), 0)


class _Reader:
    """Reads bencoded calls. Args: as `read_direct_call` has them."""

    def __init__(self, message_max_bytes: int, batch_max: int, unknown: frozenset[str]) -> None:
        self._message_max_bytes, self._batch_max, self._unknown = message_max_bytes, batch_max, unknown

    def read(self, method: str, values: dict[str, Any], depth: int) -> NodeCall:
        if method in BUNDLES:
            return self._batch(values, method == "sequence")
        if method == "ifelse":
            return self._ifelse(values, depth + 1)
        return self._simple(method, values)

    def _simple(self, method: str, values: dict[str, Any]) -> SimpleCall:
        fields = Fields(values, is_json=False)
        return read_store(fields, self._message_max_bytes) if method == "store" else READERS[method](fields)

    def _knows(self, method: str) -> bool:
        return method not in self._unknown and (method in READERS or method == "store")

    def _batch(self, values: dict[str, Any], in_turn: bool) -> BatchCall:
        requests = values.get("requests")
        if type(requests) is not list:
            raise invalid('Invalid batch request: no valid "requests" field')
        if not requests:
            raise invalid('Invalid batch request: empty "requests" list')
        if len(requests) > self._batch_max:
            raise invalid("Invalid batch request: subrequest limit exceeded")
        calls = []
        for request in requests:
            if type(request) is not dict:
                raise invalid("Invalid batch request: requests must be dicts")
            method, params = _parts(request)
            if method is None:
                raise invalid("Invalid batch request: subrequests must have a method")
            if method not in META and not self._knows(method):
                raise invalid(f'Invalid batch subrequest: invalid method "{method[:_ECHO_LENGTH]}"')
            if params is None:
                raise invalid("Invalid batch request: subrequests must have a params dict")
            if method in META:
                raise invalid("Invalid batch subrequest: subrequests may not contain meta-requests")
            calls.append(self._simple(method, params))
        return BatchCall(in_turn, tuple(calls))

    def _ifelse(self, values: dict[str, Any], depth: int) -> IfElseCall:
        if depth > NESTING_MAX:
            raise invalid("Invalid ifelse request: nested too deeply")
        conditions = values.get("if")
        if type(conditions) is not dict:
            raise invalid('Invalid ifelse request: no valid "if" field')
        asked = read_conditions(Fields(named(conditions), is_json=False))
        then, otherwise = (self._branch(values, key, depth) for key in ("then", "else"))
        if then is None and otherwise is None:
            raise invalid('Invalid ifelse request: at least one of "then"/"else" required')
        return IfElseCall(asked, then, otherwise)

    def _branch(self, values: dict[str, Any], key: str, depth: int) -> NodeCall | None:
        request = values.get(key)
        if request is None:
            return None
        if type(request) is not dict:
            raise invalid(f"Invalid ifelse request: {key} must be a dict")
        method, params = _parts(request)
        if method is None:
            raise invalid(f"Invalid ifelse request: {key} missing method")
        if method not in META and not self._knows(method):
            raise invalid(f'Invalid ifelse request method "{key}"')
        if params is None:
            raise invalid(f"Invalid ifelse request: {key} missing params")
        return self.read(method, params, depth)


def _parts(request: dict[bytes, Any]) -> tuple[str | None, dict[str, Any] | None]:
    method, params = request.get(b"method"), request.get(b"params")
    return (
        method.decode("latin-1") if type(method) is bytes else None,
        named(params) if type(params) is dict else None,
    )


def clear_answer(answer: Answer, style: int, call: NodeCall | None, *, quic: bool) -> tuple[int, bytes]:
    """Write an answer as a client without an onion gets it; the text of a QUIC error is not wrapped yet.

    Args:
        answer: as for everybody else.
        style: `JSON` or `BENCODE`; 0 for a client of HTTPS, who gets the answer as it is.
        call: what was asked; None if it was not understood.
        quic: on QUIC, objects come with their code.
    """
    status, body, is_json = answer
    if not is_json:
        return status, binascii.a2b_base64(body) if type(call) is ActiveNodesCall else body
    if not style:
        return status, body
    if style == JSON:
        return status, b"[%d,%b]" % (status, body) if quic else body
    value = orjson.loads(body)
    if type(call) in (BatchCall, IfElseCall):
        _unpack_nodes(value, call)
    else:
        _unpack(value)
    return status, bencode.encode(_plain([status, value] if quic else value))


def _unpack(value: dict[str, Any]) -> None:
    """Turn the base64 of one call's answer into bytes."""
    for message in value.get("messages", ()):
        message["data"] = binascii.a2b_base64(message["data"])
    if "revoked_subaccounts" in value:
        value["revoked_subaccounts"] = [binascii.a2b_base64(one) for one in value["revoked_subaccounts"]]
    swarm = value.get("swarm")
    for entry in swarm.values() if isinstance(swarm, dict) else ():
        signature = entry.get("signature") if isinstance(entry, dict) else None
        if isinstance(signature, str):
            entry["signature"] = _bytes_or_text(signature)


def _bytes_or_text(text: str) -> bytes | str:
    # A member may have written anything.
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return text


def _unpack_nodes(value: dict[str, Any], call: Any) -> None:
    """Turn the base64 of packed nodes into bytes where they stand inside of a batch."""
    if type(call) is BatchCall:
        for result, part in zip(value["results"], call.calls, strict=False):
            if type(part) is ActiveNodesCall and result["code"] == 200:
                result["body"] = binascii.a2b_base64(result["body"])
    elif "result" in value:
        branch = call.then if value["condition"] else call.otherwise
        result = value["result"]
        if type(branch) is ActiveNodesCall:
            result["body"] = binascii.a2b_base64(result["body"])
        elif type(branch) in (BatchCall, IfElseCall) and isinstance(result["body"], dict):
            _unpack_nodes(result["body"], branch)


def _plain(value: Any) -> Any:
    """Turn what JSON holds into what bencode can carry; there is no sign for null and fractions there."""
    if isinstance(value, dict):
        return {key.encode(): _plain(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_plain(inner) for inner in value if inner is not None]
    return int(value) if isinstance(value, float) else value
