"""Requests as they arrive, and what the layers in them hold (transport 3.2-3.6).

Frames of the usual form hold what the format needs and nothing else, so only others are searched for more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from sessionsim.adversary.readers.nodes import read_node_request
from sessionsim.adversary.readers.servers import read_push_request, read_seed_request, read_server_request
from sessionsim.adversary.readers.storage import read_calls
from sessionsim.adversary.terms import (
    BASE64,
    NOTHING,
    RAW,
    SERVER_V3,
    SERVER_V4,
    UNKNOWN,
    Body,
    Innermost,
    Layer,
    Request,
)
from sessionsim.core.columns import HEAD_CODE
from sessionsim.core.errors import ProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.lsrpc import HEADS
from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.frame import decode_frame, decode_object
from sessionsim.protocol.wire.onion import (
    FINAL,
    TO_NODE,
    TO_SERVER,
    decode_client_request,
    decode_hop,
    decode_inner,
    decode_usual_hop,
    decode_usual_route,
)

_FROM_CLIENT: Final = HEAD_CODE["onion_req"]
FROM_NODE: Final = HEAD_CODE["sn.onion_request"]
_POSTS: Final = frozenset(HEAD_CODE[head] for head in ("lsrpc", "lsrpc/v3", "lsrpc/v4"))
_POST_V3: Final = HEAD_CODE["lsrpc/v3"]
_DIRECT: Final = HEAD_CODE["storage_rpc"]
_SEED: Final = HEAD_CODE["json_rpc"]
ONION_HEADS: Final = frozenset((_FROM_CLIENT, FROM_NODE, *_POSTS))

# What the format needs beside a ciphertext. Source: transport 3.4, 3.6.
_OUTER: Final = frozenset(("ephemeral_key", "enc_type"))
_ROUTE: Final = _OUTER | {"destination", "host", "target", "method", "protocol", "port"}
_HOP: Final = frozenset((b"data", b"enc_type", b"ephemeral_key", b"hop_no"))
_CONTROL: Final = frozenset(("json", "base64"))
# Texts in which nothing else can stand, with blanks where keys do: written out here, so that a client who
# writes another one is noticed. Source: transport 3.4, 3.6.
_KEY_HEX: Final = b"." * 64
_USUAL: Final = tuple(
    text % {b"k": _KEY_HEX}
    for text in (
        b'{"ephemeral_key":"%(k)b"}',
        b'{"enc_type":"xchacha20","ephemeral_key":"%(k)b"}',
        b'{"destination":"%(k)b","ephemeral_key":"%(k)b"}',
        b'{"destination":"%(k)b","enc_type":"xchacha20","ephemeral_key":"%(k)b"}',
    )
)
_USUAL_TEXT: Final = {
    len(text): re.compile(text.replace(b"{", b"\\{").replace(b"}", b"\\}")) for text in _USUAL
}
_USUAL_CONTROLS: Final = (b'{"body":null,"headers":{}}', b'{"headers":""}')
_LONGEST: Final = {"ephemeral_key": 64, "destination": 64, "host": 40}  # Assumption: hosts are shorter
_LONGEST_WORD: Final = 15  # Assumption: as of ciphers, methods and protocols
_NO_CONTROL: Final[tuple[object, ...]] = (None, "", {}, [])


def read_request(head: int, payload: bytes, addressee: int) -> Request:
    """Read a request as the endpoint `head` of the node or server `addressee` would."""
    try:
        if head == FROM_NODE:
            usual = decode_usual_hop(payload)
            ciphertext, ephemeral, enc_type, _hop = usual or decode_hop(payload)
            beside = NOTHING if usual else _beside_hop(payload)
            return Layer(ciphertext, ephemeral, enc_type, addressee, beside)
        if head == _FROM_CLIENT or head in _POSTS:
            server = "" if head == _FROM_CLIENT else SERVER_V3 if head == _POST_V3 else SERVER_V4
            beside = _beside_frame(payload, _ROUTE if server else _OUTER)
            return Layer(*decode_client_request(payload), addressee, beside, server)
        if head == _DIRECT:
            return read_calls(payload)
        if head == _SEED:
            return read_seed_request(payload)
        return read_push_request(head, payload) or read_node_request(head, payload)
    except ProtocolError:
        return None


def _beside_hop(payload: bytes) -> Mapping[str, Any]:
    fields = bencode.decode(payload)
    return {key.decode("latin-1"): value for key, value in fields.items() if key not in _HOP}


def _beside_frame(payload: bytes, known: frozenset[str]) -> Mapping[str, Any]:
    """Give what a frame's JSON holds beyond what the format needs."""
    begin = 4 + int.from_bytes(payload[:4], "little")
    usual = _USUAL_TEXT.get(len(payload) - begin)
    if usual is not None and usual.fullmatch(payload, begin):
        return NOTHING
    fields = decode_object(decode_frame(payload)[1])
    return {key: value for key, value in fields.items() if key not in known or not _belongs(key, value)}


def _belongs(key: str, value: Any) -> bool:
    """Say whether a field that the format needs holds what it needs, and not more."""
    if not isinstance(value, str):
        return not isinstance(value, dict | list)
    if key == "target":
        return value in HEADS
    return len(value) <= _LONGEST.get(key, _LONGEST_WORD)


def read_plaintext(plaintext: bytes, nodes: NodeList, server: str = "") -> Layer | Innermost | None:
    """Read what a layer held: the next layer, or the request itself.

    Args:
        plaintext: any bytes.
        nodes: the node list, which tells who a key belongs to.
        server: as in the layer.
    """
    if server:
        body = read_server_request(plaintext, server)
        return None if body is None else Innermost(body, server)
    usual = decode_usual_route(plaintext)
    if usual is not None:
        ciphertext, ephemeral, enc_type, destination = usual
        return Layer(ciphertext, ephemeral, enc_type, nodes.index.get(destination, UNKNOWN))
    try:
        inner: Any = decode_inner(plaintext)
        if inner[0] == TO_NODE:
            _, ciphertext, ephemeral, enc_type, destination = inner
            addressee = nodes.index.get(destination, UNKNOWN)
            return Layer(ciphertext, ephemeral, enc_type, addressee, _beside_frame(plaintext, _ROUTE))
        if inner[0] == TO_SERVER:
            server = SERVER_V3 if HEADS.get(inner[5]) == "lsrpc/v3" else SERVER_V4
            beside = _beside_frame(plaintext, _ROUTE)
            return Layer(*decode_client_request(plaintext), UNKNOWN, beside, server)
        if inner[0] == FINAL:
            body = read_calls(inner[1])
            beside = _beside_control(plaintext)
            if beside:
                body = Body(body.calls, {**body.beside, **beside})
            return Innermost(body, BASE64 if inner[3] else RAW)
    except ProtocolError:
        pass
    return None


def _beside_control(plaintext: bytes) -> Mapping[str, Any]:
    text = plaintext[4 + int.from_bytes(plaintext[:4], "little") :]
    if text in _USUAL_CONTROLS:
        return NOTHING
    fields = decode_object(text)
    return {key: value for key, value in fields.items() if key not in _CONTROL and value not in _NO_CONTROL}
