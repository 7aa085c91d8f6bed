"""The v3 payload of requests to servers, older than v4: a JSON object (transport 3.7).

    request   {"endpoint","method","headers","body"}       the body is text, only of POST, PUT and PATCH
    answer    the body itself, or {"status_code":n} for any status but 200; encrypted, then base64

Status texts, bodies of failures and headers of answers are lost on the way; v4 was made to keep them. An
endpoint without a leading slash is one of the oldest interface and gets `/legacy/` before it.
Source: session-pysogs: sogs/routes/onion_request.py (handle_v3_onionreq_plaintext).
"""

from __future__ import annotations

import binascii
from typing import Final

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto.layer import Layer
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from sessionsim.protocol.wire.filling import fill_answer
from sessionsim.protocol.wire.frame import decode_object
from sessionsim.protocol.wire.json_text import compact_json, python_json
from sessionsim.protocol.wire.v4 import JSON_TYPE

BODY_METHODS: Final = frozenset(("POST", "PUT", "PATCH"))  # Source: session-pysogs: sogs/http.py
_FIELDS: Final = frozenset(("method", "endpoint", "headers", "body", "auth_code"))  # Source: transport 3.7
_OK: Final = 200
_ANDROID_NO_BODY: Final = "null"  # Android up to 1.11.12 sends it where it means none. Source: the same


def encode_request(request: ServerRequest) -> bytes:
    """Write a request; its endpoint has a leading slash, but for the oldest interface.

    Raises:
        LocalProtocolError: the body is not UTF-8.
    """
    fields: dict[str, object] = {"method": request.method}
    if request.body:
        try:
            fields["body"] = request.body.decode()
        except UnicodeDecodeError as wrong:
            raise LocalProtocolError("v3 carries text only") from wrong
    return compact_json(fields | {"endpoint": request.endpoint, "headers": dict(request.headers)})


def decode_request(plaintext: bytes) -> ServerRequest:
    """Read a request as a server does; its content type is JSON, whatever it says.

    Raises:
        RemoteProtocolError: not such an object, or a body where none may be; the server answers 400.
    """
    fields = decode_object(plaintext)
    method, endpoint, headers = fields.get("method"), fields.get("endpoint"), fields.get("headers", {})
    if type(method) is not str or type(endpoint) is not str or type(headers) is not dict:
        raise RemoteProtocolError("v3: method, endpoint or headers missing")
    named = {name.lower(): value for name, value in headers.items() if type(value) is str}
    if len(named) != len(headers):
        raise RemoteProtocolError("v3: a header is text")
    body = fields.get("body", "")
    if method in BODY_METHODS:
        if type(body) is not str:
            raise RemoteProtocolError("v3: a body is text")
    elif body == _ANDROID_NO_BODY or not body:
        body = ""
    else:
        raise RemoteProtocolError(f"v3: a {method[:16]} request has no body")
    if not endpoint.startswith("/"):
        endpoint = "/legacy/" + endpoint
        code = fields.get("auth_code")
        if type(code) is str:
            named["authorization"] = code
    return ServerRequest(
        method, endpoint, named | {"content-type": JSON_TYPE}, body.encode("utf-8", "replace")
    )


def passed_over(plaintext: bytes) -> dict[str, object]:
    """Give the fields of a request that no server reads. Raises RemoteProtocolError: no object."""
    return {name: value for name, value in decode_object(plaintext).items() if name not in _FIELDS}


def seal_answer(layer: Layer, answer: ServerAnswer, random: bytes, multiple_bytes: int = 0) -> bytes:
    """Encrypt an answer and write it in base64.

    Args:
        random: at least 24 bytes of nonce.
        multiple_bytes: fill it up to a multiple of this, if it is JSON; 0: not at all.
    """
    plain = answer.body if answer.status == _OK else python_json({"status_code": answer.status})
    if multiple_bytes and plain[:1] in (b"{", b"["):
        plain = fill_answer(plain, type(layer), True, multiple_bytes)
    return binascii.b2a_base64(layer.seal(plain, random), newline=False)


def open_answer(layer: Layer, payload: bytes) -> tuple[int, bytes]:
    """Open an answer: status (200 unless the body says otherwise) and body, empty for a failure.

    Raises:
        CannotOpen: not base64, or it does not authenticate.
    """
    status, body, _beside = open_whole_answer(layer, payload)
    return status, body


def open_whole_answer(layer: Layer, payload: bytes) -> tuple[int, bytes, dict[str, object]]:
    """Open an answer: status, body, and the fields of a failure that no client reads.

    Raises:
        CannotOpen: not base64, or it does not authenticate.
    """
    try:
        sealed = binascii.a2b_base64(payload, strict_mode=True)
    except ValueError as wrong:
        raise CannotOpen("answer is not base64") from wrong
    plain = layer.open(sealed)
    try:
        fields = decode_object(plain)
    except RemoteProtocolError:
        return _OK, plain, {}
    status = fields.pop("status_code", None)
    return (status, b"", fields) if type(status) is int else (_OK, plain, {})
