"""Requests to servers: file server, push server, communities, seeds (transport 3.7, 4; messages 8, 9).

A request is one call, named by method and path without query: its fields are `headers`, `query` and `body`.
A JSON body that is a list, as of several subscriptions or of a community's batch, gives one call per member.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sessionsim.adversary.fields import id_bytes
from sessionsim.adversary.readers.storage import more_around
from sessionsim.adversary.terms import SERVER_V3, Body, Call
from sessionsim.core.columns import HEAD_CODE
from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.wire import v3, v4
from sessionsim.protocol.wire.json_text import read_json
from sessionsim.protocol.wire.rpc import read_object

_REGISTER: Final = HEAD_CODE["push_register"]
_PUSH: Final = HEAD_CODE["push"]
_DELIVERY: Final = HEAD_CODE["push_delivery"]
_JSON_STARTS: Final = (b"{", b"[")
_MANY: Final = 1000  # Assumption: more parts of one request than any client sends


def read_server_request(plaintext: bytes, style: str) -> Body | None:
    """Read what a server's layer held. Args: style: SERVER_V4 or SERVER_V3."""
    try:
        version = v3 if style == SERVER_V3 else v4
        request, beside = version.decode_request(plaintext), version.passed_over(plaintext)
    except ProtocolError:
        return None
    path, _, query = request.endpoint.partition("?")
    name = f"{request.method} {path}"
    around: dict[str, Any] = {"headers": dict(request.headers)}
    if query:
        around["query"] = query
    value = _json(request.body) if request.body.startswith(_JSON_STARTS) else request.body
    parts = value[:_MANY] if isinstance(value, list) else [value]
    calls = tuple(_call(name, part, around) for part in parts) or (_call(name, None, around),)
    return Body(calls, beside, to_server=request)


def _call(name: str, part: Any, around: Mapping[str, Any]) -> Call:
    if isinstance(part, dict):
        method = f"{part['method']} {part['path']}" if {"method", "path"} <= part.keys() else name
        return Call(str(method), id_bytes(part.get("pubkey")), {**part, **around})
    return Call(name, b"", {**around, "body": part} if part else around)


def read_push_request(head: int, payload: bytes) -> Body | None:
    """Read what goes to or from a push platform; None for another head.

    A device names its token; the push server posts a body for a token; the platform hands the body on.
    """
    if head == _REGISTER:
        return Body((Call("push_register", b"", {"token": _text(payload)}),))
    if head == _PUSH:
        path, _, body = payload.partition(b"\n")
        return Body((Call("push", b"", {"token": _text(path).rpartition("/")[2], "push": _json(body)}),))
    if head == _DELIVERY:
        return Body((Call("push_delivery", b"", {"push": _json(payload)}),))
    return None


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _json(raw: bytes) -> Any:
    try:
        return read_json(raw)
    except ProtocolError:
        return raw


def read_seed_request(payload: bytes) -> Body | None:
    """Read what a client asks a seed node, in clear."""
    request = read_object(payload)
    method, fields = request.get("method"), request.get("params")
    if not isinstance(method, str):
        return None
    return Body((Call(method, b"", fields if isinstance(fields, dict) else {}),), more_around(request))
