"""Onion requests for a server: a file server, push server or community (transport 3.4, 3.5, 3.7).

The innermost ciphertext is the payload itself (v4 or v3) without a frame. The last hop finds it beside the
server's address and posts the *whole* plaintext it has opened, frame and JSON, to the server, which reads the
same frame again: `ephemeral_key` and `enc_type` there are meant for it, the address was for the hop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.crypto.layer import Layer
from sessionsim.protocol.crypto.suite import KeyPair, Suite
from sessionsim.protocol.wire.frame import encode_frame
from sessionsim.protocol.wire.json_text import compact_json
from sessionsim.protocol.wire.onion import (
    DESKTOP,
    Hop,
    Style,
    decode_client_request,
    open_request,
    wrap_request,
)

V3_TARGET: Final = "/loki/v3/lsrpc"  # Source: transport 3.4
V4_TARGET: Final = "/oxen/v4/lsrpc"  # Source: transport 3.4
DEFAULT_PORTS: Final = {"https": 443, "http": 80}  # Source: transport 3.4; libsession-util: builder.cpp


class ServerAddress(NamedTuple):
    """Where a server is, and its key.

    Args:
        host: name or address, as a URL has it.
        x25519: its 32-byte public key.
        protocol: `https` or `http`.
        port: None for the usual one of the protocol.
        target: path of its onion endpoint.
    """

    host: str
    x25519: bytes
    protocol: str = "https"
    port: int | None = None
    target: str = V4_TARGET


def server_route(style: Style, server: ServerAddress, ephemeral: bytes) -> bytes:
    """Write the JSON beside the innermost ciphertext: the address, for the last hop, and the ephemeral key.

    Libsession names protocol and port always, desktop only for http; their keys stand in alphabetical order
    and in the order of the source.

    Source: transport 3.4; session-desktop: ts/session/apis/snode_api/onions.ts (buildOnionCtxs);
        libsession-util: src/onionreq/builder.cpp.
    """
    port = server.port if server.port is not None else DEFAULT_PORTS.get(server.protocol, 443)
    where: dict[str, object]
    if style.name == DESKTOP.name:
        where = {"host": server.host, "target": server.target, "method": "POST"}
        if server.protocol == "http":
            where |= {"protocol": "http", "port": server.port or DEFAULT_PORTS["http"]}
        head, tail = compact_json(where)[:-1] + b",", b"}"
    else:
        where = {"host": server.host, "method": "POST", "port": port, "protocol": server.protocol}
        head, tail = b"{", b"," + compact_json(where | {"target": server.target})[1:]
    return head + style.key_field + ephemeral.hex().encode() + b'"' + tail


def build_server_request(
    suite: Suite,
    style: Style,
    route: Sequence[Hop],
    server: ServerAddress,
    payload: bytes,
    randoms: Sequence[bytes],
    multiple_bytes: int = 0,
) -> tuple[bytes, Layer]:
    """Wrap a payload for a server behind the last node of a route.

    Args:
        suite: the crypto suite.
        style: the client family.
        route: guard, middle, last hop (any number of nodes works).
        server: where the last hop posts it to.
        payload: v4 bencode (`v4.encode_request`) or v3 JSON.
        randoms: per node of the route, and last for the server, LAYER_RANDOM_BYTES each.
        multiple_bytes: fill it up to a multiple of this; 0: not at all.

    Returns:
        The bytes for the guard, and the server's layer, which opens the answer.

    Raises:
        CannotOpen: the server's key is no usable curve point.
        LocalProtocolError: not one more random string than there are nodes.
    """
    if len(randoms) != len(route) + 1 or not route:
        raise LocalProtocolError(f"{len(route)} nodes and a server need {len(route) + 1} random strings")
    random = randoms[-1]
    public, layer = suite.layer_to(style.layer, random[:32], server.x25519)
    sealed = layer.seal(payload, random[32:])
    plaintext = encode_frame(sealed, server_route(style, server, public))
    return wrap_request(suite, style, route, plaintext, randoms, multiple_bytes)[0], layer


class OpenedPost(NamedTuple):
    """A request as the server has opened it. Args: layer: seals the answer; ephemeral: the client's key."""

    layer: Layer
    ephemeral: bytes
    payload: bytes


def open_server_request(suite: Suite, own: KeyPair, posted: bytes) -> OpenedPost:
    """Open what the last hop posted.

    Raises:
        RemoteProtocolError: no frame, no JSON, no usable key; CannotOpen: it does not authenticate. To both
            a server answers HTTP 400 without a word.
    Source: transport 3.5, 3.7; session-pysogs: sogs/routes/onion_request.py.
    """
    ciphertext, ephemeral, enc_type = decode_client_request(posted)
    layer, payload = open_request(suite, own, ephemeral, enc_type, ciphertext)
    return OpenedPost(layer, ephemeral, payload)
