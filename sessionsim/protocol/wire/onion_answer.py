"""What a client makes of the answer to its onion request (transport 3.6, 3.8).

The destination's answer may be wrapped: base64 or raw, sometimes as {"result": base64}; libsession tries its
own cipher and then AES-GCM, since old servers answer with that whatever they were asked in; status stands in
`status` or `status_code`; and a body is often JSON once more, as a string.

An answer that is no 200 comes from a node on the path, in clear: `read_refusal`.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from enum import Enum
from typing import Any, Final, NamedTuple

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto.layer import GcmLayer, Layer, XchachaLayer
from sessionsim.protocol.crypto.suite import Suite
from sessionsim.protocol.server_request import ServerAnswer
from sessionsim.protocol.wire import v4
from sessionsim.protocol.wire.frame import decode_object
from sessionsim.protocol.wire.json_text import compact_json, read_json

_NODE: Final = re.compile(r"[0-9a-f]{64}")


def answer_layers(suite: Suite, layer: Layer, secret: bytes, server: bytes) -> tuple[Layer, ...]:
    """Give the layers under which a client tries to open an answer, in order.

    Args:
        suite: cryptography.
        layer: the innermost layer of the request.
        secret: 32 bytes, the ephemeral secret of that layer.
        server: the X25519 key of the destination.

    Returns:
        The layer; after an XChaCha one, AES-GCM of the same keys.
    Source: libsession-util: src/onionreq/response_parser.cpp.
    """
    if not isinstance(layer, XchachaLayer):
        return (layer,)
    own = suite.ephemeral(secret)
    return layer, GcmLayer(suite.agree(own, server), own.public, server)


def open_with(layers: Sequence[Layer], sealed: bytes) -> bytes:
    """Open with the first layer that opens it. Raises CannotOpen: none does."""
    for layer in layers:
        try:
            return layer.open(sealed)
        except CannotOpen:
            continue
    raise CannotOpen("answer opens under no layer")


def open_node_answer(layers: Sequence[Layer], payload: bytes) -> tuple[int, bytes]:
    """Open a service node's answer, or a v3 one, as libsession does: status and body.

    Args:
        layers: see `answer_layers`.
        payload: base64, base64 in an object's `result`, or raw bytes.

    Returns:
        The body's text; where there is no `body` that is text, the whole object as JSON.

    Raises:
        CannotOpen: nothing opens it.
        RemoteProtocolError: opened, but not an object with a status.
    Source: libsession-util: src/network (v3 onion response); session-desktop: onions.ts (decodeOnionResult).
    """
    fields = decode_object(open_with(layers, _without_base64(payload)))
    status = fields.get("status_code", fields.get("status"))
    if type(status) is not int:
        raise RemoteProtocolError("answer without status")
    body = fields.get("body")
    try:
        return status, body.encode("utf-8", "replace") if type(body) is str else compact_json(fields)
    except LocalProtocolError as wrong:  # nested deeper than the writer goes
        raise RemoteProtocolError("answer nested too deeply") from wrong


def _without_base64(payload: bytes) -> bytes:
    if payload[:1] == b"{":
        try:
            result = decode_object(payload).get("result")
        except RemoteProtocolError:
            result = None
        payload = result.encode("utf-8", "replace") if type(result) is str else payload
    try:
        return binascii.a2b_base64(payload, strict_mode=True)
    except ValueError:
        return payload


def body_value(body: bytes) -> Any:
    """Read a body that is JSON text; the text itself where it is none."""
    try:
        return read_json(body)
    except RemoteProtocolError:
        return body.decode("utf-8", "replace")


def open_server_answer(layers: Sequence[Layer], payload: bytes) -> ServerAnswer:
    """Open a v4 answer.

    Raises:
        CannotOpen: nothing opens it.
        RemoteProtocolError: opened, but no v4 answer.
    """
    return v4.decode_answer(open_with(layers, payload))


class Blame(Enum):
    """Where on its way a request failed, as far as the text of the refusal says."""

    NEXT_NODE = "next node"  # the named node is unknown or unreachable to the one before it
    NODE = "node"  # the named node itself is not ready
    GUARD = "guard"  # the guard is not ready or busy
    PATH = "path"  # some node of the path did not answer, or not in order
    LAYER = "layer"  # somebody could not open its layer: a key of the path is out of date
    UNKNOWN = "unknown"


class Refusal(NamedTuple):
    """A refusal in clear. Args: status: HTTP code; node: hex of the node it names, empty for none."""

    status: int
    blame: Blame
    node: str
    text: str


# Status, beginning of the text, what it means, whether a node's key follows. Source: transport 3.5; the
# clients know them by these beginnings: session-desktop: onions.ts; libsession-util: src/network.
_TEXTS: Final = (
    (502, "Next node not found: ", Blame.NEXT_NODE, True),
    (502, "Next node is currently unreachable: ", Blame.NEXT_NODE, True),
    (503, "Snode not ready: ", Blame.NODE, True),
    (503, "Service node is not ready: ", Blame.GUARD, False),
    (503, "Server busy, try again later", Blame.GUARD, False),
    (504, "Request time out", Blame.PATH, False),
    (500, "Invalid response from snode", Blame.PATH, False),
    (400, "Invalid ciphertext", Blame.LAYER, False),
)


def read_refusal(status: int, body: bytes) -> Refusal:
    """Read a refusal. Args: body: its text; as QUIC carries it, first `split_quic_error`."""
    text = body[:1024].decode("utf-8", "replace")
    for code, beginning, blame, names_node in _TEXTS:
        if status == code and text.startswith(beginning):
            match = _NODE.match(text, len(beginning)) if names_node else None
            if names_node and match is None:
                break
            return Refusal(status, blame, match[0] if match else "", text)
    return Refusal(status, Blame.UNKNOWN, "", text)


def split_quic_error(payload: bytes) -> tuple[int, bytes]:
    """Read an error of a QUIC stream, `CODE Reason`, an empty line, the body: code and body.

    Raises:
        RemoteProtocolError: not of that form.
    Source: transport 3.6; session-storage-server: oxenss/server/quic.cpp (handle_onion_request).
    """
    head, found, body = payload.partition(b"\n\n")
    code, space, _reason = head.partition(b" ")
    if not found or not space or len(code) != 3 or not code.isdigit():
        raise RemoteProtocolError("not an error of a QUIC stream")
    return int(code), body
