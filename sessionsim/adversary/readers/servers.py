"""Requests to servers: file server, push server, communities, seeds (transport 3.7, 4; messages 8, 9).

A request is one call, named by method and path without query: its fields are `headers`, `query` and `body`.
A JSON body that is a list, as of several subscriptions or of a community's batch, gives one call per member.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sessionsim.adversary.fields import id_bytes
from sessionsim.adversary.terms import SERVER_V3, Body, Call
from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.server_request import ServerRequest
from sessionsim.protocol.wire import v3, v4
from sessionsim.protocol.wire.json_text import read_json
from sessionsim.protocol.wire.rpc import read_object

_JSON_STARTS: Final = (b"{", b"[")
_MANY: Final = 1000  # Assumption: more parts of one request than any client sends


def read_server_request(plaintext: bytes, style: str) -> Body | None:
    """Read what a server's layer held. Args: style: SERVER_V4 or SERVER_V3."""
    try:
        request = v3.decode_request(plaintext) if style == SERVER_V3 else v4.decode_request(plaintext)
    except ProtocolError:
        return None
    path, _, query = request.endpoint.partition("?")
    name = f"{request.method} {path}"
    around: dict[str, Any] = {"headers": dict(request.headers)}
    if query:
        around["query"] = query
    value = _body_of(request)
    parts = value[:_MANY] if isinstance(value, list) else [value]
    calls = tuple(_call(name, part, around) for part in parts) or (_call(name, None, around),)
    return Body(calls, to_server=request)


def _body_of(request: ServerRequest) -> Any:
    if not request.body.startswith(_JSON_STARTS):
        return request.body
    try:
        return read_json(request.body)
    except ProtocolError:
        return request.body


def _call(name: str, part: Any, around: Mapping[str, Any]) -> Call:
    if isinstance(part, dict):
        method = f"{part['method']} {part['path']}" if {"method", "path"} <= part.keys() else name
        return Call(str(method), id_bytes(part.get("pubkey")), {**part, **around})
    return Call(name, b"", {**around, "body": part} if part else around)


def read_seed_request(payload: bytes) -> Body | None:
    """Read what a client asks a seed node, in clear."""
    request = read_object(payload)
    method, fields = request.get("method"), request.get("params")
    if not isinstance(method, str):
        return None
    return Body((Call(method, b"", fields if isinstance(fields, dict) else {}),))
