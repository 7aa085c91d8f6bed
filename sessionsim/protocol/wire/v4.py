"""The v4 payload of requests to servers and of their answers: a bencoded list (transport 3.7).

    request   l <n>:{"method","endpoint","headers"} [<m>:body] e
    answer    l <n>:{"code","headers"} <m>:body e              encrypted, sent as raw bytes, no base64

Both sides are here. A server reads as pysogs does: lengths may have leading zeros, one stray byte after the
JSON is overlooked, and header names are the same in any case.
"""

from __future__ import annotations

import re
from typing import Final

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto.layer import Layer
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from sessionsim.protocol.wire.filling import fill_listed
from sessionsim.protocol.wire.frame import decode_object
from sessionsim.protocol.wire.json_text import compact_json, python_json
from sessionsim.protocol.wire.onion import DESKTOP, Style

JSON_TYPE: Final = "application/json"
TEXT_TYPE: Final = "text/plain; charset=utf-8"
BYTES_TYPE: Final = "application/octet-stream"
INVALID: Final = b"Invalid v4 onion request"  # Source: session-pysogs: sogs/routes/onion_request.py
_FIELDS: Final = frozenset(("method", "endpoint", "code", "headers"))  # Source: transport 3.7
_LENGTH: Final = re.compile(rb"(\d{1,20}):", re.ASCII)


def encode_request(style: Style, request: ServerRequest, *, keep_empty: bool = False) -> bytes:
    """Write a request.

    Libsession sorts the keys, names the type of a body where the headers do not, adds a leading slash, and
    leaves a User-Agent out.

    Args:
        style: the client family.
        request: with header names as the client writes them.
        keep_empty: write an empty body as a second, empty part, as libsession does with an empty POST;
            desktop never does.

    Source: session-desktop: ts/session/onions/onionv4.ts; libsession-util: src/onionreq/builder.cpp.
    """
    method, endpoint, headers, given = request
    body = given if given or (keep_empty and style.name != DESKTOP.name) else None
    if style.name == DESKTOP.name:
        about = compact_json({"method": method, "endpoint": endpoint, "headers": dict(headers)})
    else:
        named = {name: value for name, value in headers.items() if name != "User-Agent"}
        if body is not None and "Content-Type" not in named:
            named["Content-Type"] = JSON_TYPE
        endpoint = endpoint if not endpoint or endpoint.startswith("/") else "/" + endpoint
        sorted_headers = {name: named[name] for name in sorted(named)}
        about = compact_json({"endpoint": endpoint, "headers": sorted_headers, "method": method})
    return _join(about, body)


def _join(about: bytes, body: bytes | None) -> bytes:
    if body is None:
        return b"l%d:%be" % (len(about), about)
    return b"l%d:%b%d:%be" % (len(about), about, len(body), body)


def decode_request(plaintext: bytes) -> ServerRequest:
    """Read a request as a server does; header names come in lower case.

    Raises:
        RemoteProtocolError: anything else; the server answers `refusal()`, encrypted.
    """
    about, body = _split(plaintext)
    fields = decode_object(about)
    method, endpoint, headers = fields.get("method"), fields.get("endpoint"), fields.get("headers", {})
    if type(method) is not str or type(endpoint) is not str or type(headers) is not dict:
        raise RemoteProtocolError("v4: method, endpoint or headers missing")
    if not endpoint.startswith("/"):
        raise RemoteProtocolError("v4: endpoint must start with /")
    return ServerRequest(method, endpoint, _lower(headers), body)


def _split(plaintext: bytes) -> tuple[bytes, bytes]:
    if not (plaintext.startswith(b"l") and plaintext.endswith(b"e")):
        raise RemoteProtocolError("v4: not a bencoded list")
    inside = plaintext[1:-1]
    about, at = _string(inside, 0)
    if len(inside) - at <= 1:  # a single byte left over is overlooked
        return about, b""
    body, at = _string(inside, at)
    if at != len(inside):
        raise RemoteProtocolError("v4: more than two parts")
    return about, body


def _string(text: bytes, at: int) -> tuple[bytes, int]:
    match = _LENGTH.match(text, at)
    if match is None:
        raise RemoteProtocolError("v4: no length of a part")
    start = match.end()
    end = start + int(match[1])
    if end > len(text):
        raise RemoteProtocolError("v4: part longer than the message")
    return text[start:end], end


def _lower(headers: dict[str, object]) -> dict[str, str]:
    named = {}
    for name, value in headers.items():
        if type(value) is not str and type(value) is not int:
            raise RemoteProtocolError("v4: a header is text or a number")
        named[name.lower()] = str(value)
    return named


def encode_answer(
    answer: ServerAnswer, *, compact: bool = True, layer: type[Layer] | None = None, multiple_bytes: int = 0
) -> bytes:
    """Write an answer.

    Args:
        answer: what the endpoint gave; a content-length header is left out.
        compact: JSON without spaces, as in the documentation; the code of pysogs writes `", "` and `": "`.
        layer, multiple_bytes: fill it up to a multiple of so many bytes when sealed; 0: not at all.

    Raises:
        LocalProtocolError: a header name not in lower case.
    Source: session-pysogs: sogs/routes/onion_request.py (handle_v4_onionreq_plaintext), subrequest.py.
    """
    headers = answer.headers
    if any(name != name.lower() for name in headers):
        raise LocalProtocolError("header names of an answer are lower case")
    headers = {name: value for name, value in headers.items() if name != "content-length"}
    about = python_json({"code": answer.status, "headers": headers}, compact=compact)
    if multiple_bytes and layer is not None:
        about = fill_listed(about, answer.body, layer, multiple_bytes)
    return _join(about, answer.body)


def decode_answer(plaintext: bytes) -> ServerAnswer:
    """Read an answer as a client does.

    Raises:
        RemoteProtocolError: no such list, or no status code in it.
    """
    about, body = _split(plaintext)
    fields = decode_object(about)
    code, headers = fields.get("code"), fields.get("headers", {})
    if type(code) is not int or type(headers) is not dict:
        raise RemoteProtocolError("v4: answer without code")
    return ServerAnswer(code, _lower(headers), body)


def passed_over(plaintext: bytes) -> dict[str, object]:
    """Give the fields of a request or an answer that nobody reads, neither server nor client.

    Raises:
        RemoteProtocolError: no such list with an object at its beginning.
    """
    fields = decode_object(_split(plaintext)[0])
    return {name: value for name, value in fields.items() if name not in _FIELDS}


def refusal() -> ServerAnswer:
    """Give what a server answers to a payload that is no v4 request."""
    return ServerAnswer(400, {"content-type": TEXT_TYPE}, INVALID)
