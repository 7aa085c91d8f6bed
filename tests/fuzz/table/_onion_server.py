"""Onion requests to servers and their answers: v3, v4, refusals, percent signs."""

from __future__ import annotations

import base64
from collections.abc import Callable

from sessionsim.core.errors import CannotOpen
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.crypto.layer import (
    GcmLayer,
    XchachaLayer,
)
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from sessionsim.protocol.wire import (
    base64_text,
    json_text,
    onion,
    onion_answer,
    onion_server,
    percent,
    v3,
    v4,
)
from sessionsim.protocol.wire.frame import encode_frame
from tests.fuzz.decoder import Decoder, whole
from tests.fuzz.table._keys import FAST, SODIUM, noise, text_of, x_pair
from tests.fuzz.table._onion import HOPS, NODE_ANSWERS, RANDOMS


def _layers_tried(plain: bytes) -> object:
    """Seal an answer with the older cipher, and let a client of the newer one open it in every way."""
    server = x_pair("server")
    secret = noise("secret", 32)
    public, layer = FAST.layer_to(XchachaLayer, secret, server.public)
    old = FAST.layer_from(GcmLayer, server, public)
    layers = onion_answer.answer_layers(FAST, layer, secret, server.public)
    sealed = old.seal(plain, noise("n", 24))
    status, body = onion_answer.open_node_answer(layers, sealed)
    return status, body, onion_answer.body_value(body)


def _server_answer(plain: bytes) -> object:
    layer = GcmLayer(noise("shared", 32), b"", b"")
    return onion_answer.open_server_answer((layer,), layer.seal(plain, noise("n", 24)))


def _v3_answer(plain: bytes) -> object:
    layer = GcmLayer(noise("shared", 32), b"", b"")
    return v3.open_answer(layer, base64.b64encode(layer.seal(plain, noise("n", 24))))


_OPENED_LAYER = GcmLayer(noise("shared", 32), b"", b"")


_NODE_ANSWER = onion.seal_answer(_OPENED_LAYER, 200, b"{}", noise("n", 24))


_WRAPPED_ANSWER = b'{"result":"%b"}' % _NODE_ANSWER


def _posted(suite: Suite) -> tuple[Callable[[bytes], object], tuple[bytes, ...]]:
    """Take what a last hop posts to a server."""
    server = x_pair("server")
    frames = []
    for style in onion.STYLES.values():
        public, layer = suite.layer_to(style.layer, noise("e", 32), server.public)
        address = onion_server.ServerAddress("push.getsession.org", server.public)
        route = onion_server.server_route(style, address, public)
        frames.append(encode_frame(layer.seal(b"payload", noise("n", 24)), route))
    return lambda raw: onion_server.open_server_request(suite, server, raw).payload, tuple(frames)


def _server_key(raw: bytes) -> object:
    """Ask a server whose key somebody gave."""
    address = onion_server.ServerAddress("a.b", raw)
    return onion_server.build_server_request(
        SODIUM, onion.DESKTOP, HOPS[:1], address, b"payload", RANDOMS[:2]
    )[0]


_REQUESTED = ServerRequest("POST", "/batch?a=b", {"Content-Type": "application/json", "X": "1"}, b'[{"a":1}]')


_GOT = ServerRequest("GET", "/rooms", {})


V4 = tuple(v4.encode_request(style, one) for style in onion.STYLES.values() for one in (_REQUESTED, _GOT))


V3 = (
    v3.encode_request(_REQUESTED),
    v3.encode_request(_GOT),
    b'{"method":"GET","endpoint":"rooms","auth_code":"x"}',
)


V4_ANSWERS = tuple(
    v4.encode_answer(ServerAnswer(status, {"content-type": v4.JSON_TYPE}, body), compact=compact)
    for status, body, compact in ((200, b"{}", True), (404, b"", False), (201, bytes(40), True))
)


REFUSALS = (
    (502, b"Next node not found: " + b"ab" * 32),
    (503, b"Snode not ready: " + b"cd" * 32),
    (400, b"Invalid ciphertext"),
)


def _refusal(raw: bytes) -> object:
    return [onion_answer.read_refusal(status, raw) for status in (400, 500, 502, 503, 504, 0, -1)]


DECODERS = (
    Decoder(
        "wire.onion_answer.open_node_answer",
        "json",
        lambda raw: onion_answer.open_node_answer((_OPENED_LAYER,), raw),
        (_WRAPPED_ANSWER,),
        genuine=whole,
        share=2,
    ),
    Decoder(
        "wire.onion_answer.open_node_answer/base64",
        "text",
        lambda raw: onion_answer.open_node_answer((_OPENED_LAYER,), raw),
        (_NODE_ANSWER, base64.b64decode(_NODE_ANSWER)),
        genuine=whole,
        share=2,
    ),
    Decoder(
        "wire.onion_answer.open_node_answer/inside",
        "json",
        _layers_tried,
        (*NODE_ANSWERS, b'{"status_code":404,"body":"no"}'),
        growth=80,
        share=2,
    ),
    Decoder("wire.onion_answer.open_server_answer", "bencode", _server_answer, V4_ANSWERS, share=2),
    Decoder(
        "wire.onion_answer.read_refusal",
        "text",
        _refusal,
        tuple(text for _, text in REFUSALS),
        errors=(),
        base=10_000,
        share=1,
    ),
    Decoder(
        "wire.onion_answer.split_quic_error",
        "text",
        onion_answer.split_quic_error,
        (b"404 Not Found\n\nno",),
        share=1,
    ),
    Decoder("wire.onion_server.open_server_request/fast", "frame", *_posted(FAST), genuine=whole, share=2),
    Decoder(
        "wire.onion_server.open_server_request/sodium", "frame", *_posted(SODIUM), genuine=whole, share=1
    ),
    Decoder(
        "wire.onion_server.build_server_request",
        "raw",
        _server_key,
        (x_pair("server").public,),
        errors=(CannotOpen,),
        share=1,
    ),
    Decoder("wire.v4.decode_request", "bencode", v4.decode_request, V4, share=4),
    Decoder(
        "wire.v4.decode_request/about",
        "json",
        lambda raw: v4.decode_request(b"l%d:%b3:abce" % (len(raw), raw)),
        (b'{"method":"POST","endpoint":"/a","headers":{"A":"b","c":5}}',),
        share=4,
    ),
    Decoder("wire.v4.passed_over", "bencode", v4.passed_over, V4, share=2),
    Decoder("wire.v4.decode_answer", "bencode", v4.decode_answer, V4_ANSWERS, share=3),
    Decoder(
        "wire.v4.decode_answer/about",
        "json",
        lambda raw: v4.decode_answer(b"l%d:%b3:abce" % (len(raw), raw)),
        (b'{"code":200,"headers":{"content-type":"a/b"}}',),
        share=3,
    ),
    Decoder("wire.v3.decode_request", "json", v3.decode_request, V3, share=4),
    Decoder("wire.v3.passed_over", "json", v3.passed_over, V3, share=2),
    Decoder(
        "wire.v3.open_answer",
        "json",
        _v3_answer,
        (b'{"status_code":404}', b'{"a":1}'),
        errors=(CannotOpen,),
        share=2,
    ),
    Decoder("wire.json_text.read_json", "json", json_text.read_json, (b'[1,{"a":null}]', b"null"), share=2),
    Decoder(
        "wire.base64_text.decode_base64",
        "text",
        lambda raw: base64_text.decode_base64(text_of(raw)),
        (b"aGVsbG8", b"aGVsbG8="),
        errors=(),
        share=2,
    ),
    Decoder(
        "wire.percent.decode",
        "text",
        lambda raw: percent.decode(text_of(raw), strict=True),
        (b"/room/a%20b", b"/plain"),
        share=2,
    ),
    Decoder(
        "wire.percent.read_query",
        "text",
        lambda raw: percent.read_query(text_of(raw)),
        (b"limit=5&t=r&a", b"a=%41&a=b"),
        share=2,
    ),
)
