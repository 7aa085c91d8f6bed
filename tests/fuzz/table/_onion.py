"""Onion requests: frames, layers, routes, node messages, answers; also what is inside a layer."""

from __future__ import annotations

from collections.abc import Callable

from sessionsim.core.errors import CannotOpen, RemoteProtocolError
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.crypto.layer import (
    AES_GCM,
    ENC_TYPES,
    XCHACHA20,
    CbcLayer,
    GcmLayer,
    Layer,
    XchachaLayer,
    open_layer_type,
)
from sessionsim.protocol.crypto.opening import Opener
from sessionsim.protocol.wire import (
    onion,
    onion_relay,
)
from sessionsim.protocol.wire.frame import encode_frame
from tests.fuzz.decoder import Decoder, whole
from tests.fuzz.table._keys import FAST, SODIUM, noise, x_pair
from tests.fuzz.table._rpc import BODIES

_PAIRS = tuple(x_pair(f"node {k}") for k in range(4))
HOPS = tuple(onion.Hop(noise(f"node {k}", 32).hex().encode(), pair.public) for k, pair in enumerate(_PAIRS))
_NODE = _PAIRS[0]
RANDOMS = tuple(noise(f"random {k}", 56) for k in range(4))
_HOPS_MAX = 15


def _requests(suite: Suite, hops: int = 4) -> tuple[bytes, ...]:
    return tuple(
        onion.build_request(suite, style, HOPS[:hops], BODIES[2], RANDOMS)[0]
        for style in onion.STYLES.values()
    )


def _messages(suite: Suite) -> tuple[bytes, ...]:
    """Give what a guard sends to the node of these requests."""
    made = []
    for request in _requests(suite):
        sealed, ephemeral, enc_type = onion.decode_client_request(request)
        made.append(onion.encode_hop(sealed, ephemeral, enc_type, 2))
    return tuple(made)


ROUTE = b'{"destination":"%b",%b"ephemeral_key":"%b"}'
_TO = (noise("to", 32).hex().encode(), noise("key", 32).hex().encode())
INNER = (
    encode_frame(b"sealed", ROUTE % (_TO[0], b"", _TO[1])),
    encode_frame(b"sealed", ROUTE % (_TO[0], b'"enc_type":"xchacha20",', _TO[1])),
    encode_frame(BODIES[0], b'{"headers":""}'),
    encode_frame(BODIES[0], b'{"body":null,"headers":{},"json":true,"base64":false}'),
    encode_frame(
        b"",
        b'{"host":"push.getsession.org","target":"/oxen/v4/lsrpc","protocol":"https","port":443,"ephemeral_key":"%b"}'
        % _TO[1],
    ),
)


def _layered(suite: Suite, layer_type: type[Layer]) -> Callable[[bytes], object]:
    """Seal a plaintext for the node, and let it open and read it."""
    public, layer = suite.layer_to(layer_type, noise("ephemeral", 32), _NODE.public)
    enc_type = "aes-gcm" if layer_type is GcmLayer else "xchacha20"

    def run(plaintext: bytes) -> object:
        sealed = layer.seal(plaintext, noise("nonce", 24))
        opened = onion.open_request(suite, _NODE, public, enc_type, sealed)
        if opened[1] != plaintext:
            raise AssertionError("not what was sealed")
        stepped = onion_relay.step(
            suite, _NODE, onion.encode_hop(sealed, public, enc_type, 1), False, _HOPS_MAX
        )
        inner = onion.decode_inner(plaintext)
        if (
            stepped is not None
            and len(stepped) == 2
            and (inner[0] != onion.TO_NODE or inner[4] != stepped[0])
        ):
            raise AssertionError("the direct step goes elsewhere")
        return inner

    return run


def _steps(suite: Suite, from_client: bool) -> Callable[[bytes], object]:
    """Take a step directly, and compare with the general functions."""

    def run(raw: bytes) -> object:
        direct: object = None
        try:
            direct = onion_relay.step(suite, _NODE, raw, from_client, _HOPS_MAX)
        except CannotOpen:
            direct = CannotOpen
        if from_client:
            sealed, ephemeral, enc_type = onion.decode_client_request(raw)
            hop = 0
        else:
            sealed, ephemeral, enc_type, hop = onion.decode_hop(raw)
        try:
            _, plaintext = onion.open_request(suite, _NODE, ephemeral, enc_type, sealed)
        except CannotOpen:
            if direct not in (None, CannotOpen):
                raise AssertionError("opened directly and not otherwise") from None
            raise
        if direct is CannotOpen or (
            isinstance(direct, tuple) and len(direct) == 4 and direct[1:] != (plaintext, ephemeral, hop)
        ):
            raise AssertionError("opened otherwise and not directly")
        inner = onion.decode_inner(plaintext)
        if isinstance(direct, tuple) and len(direct) == 2:
            message = onion.encode_hop(inner[1], inner[2], ENC_TYPES[inner[3]], hop + 1)  # type: ignore[arg-type, index]
            if direct != (inner[4], message):
                raise AssertionError("another step directly than otherwise")
        return inner

    return run


def _same(quick: Callable[[bytes], object], slow: Callable[[bytes], object]) -> Callable[[bytes], object]:
    def both(raw: bytes) -> object:
        outcomes: list[object] = []
        for way in (quick, slow):
            try:
                outcomes.append(way(raw))
            except RemoteProtocolError:
                outcomes.append(None)
        if outcomes[0] != outcomes[1]:
            raise AssertionError(f"quick: {outcomes[0]!r}, slow: {outcomes[1]!r}")
        if outcomes[0] is None:
            raise RemoteProtocolError("refused in both ways")
        return outcomes[0]

    return both


def _answers(layer_type: type[Layer]) -> Callable[[bytes], object]:
    layer = layer_type(noise("shared", 32), noise("client", 32), noise("server", 32))
    return lambda plain: onion.open_answer(layer, layer.seal(plain, noise("nonce", 24)), as_base64=False)


def _sealed_answers(layer_type: type[Layer]) -> tuple[Callable[[bytes], object], tuple[bytes, ...]]:
    layer = layer_type(noise("shared", 32), noise("client", 32), noise("server", 32))
    seeds = tuple(
        onion.seal_answer(layer, 200, body, noise("n", 24), as_json=as_json)
        for body in (b"{}", b"[1]")
        for as_json in (False, True)
    )
    return lambda raw: onion.open_answer(layer, raw), seeds


def _layers(layer_type: type[Layer]) -> Decoder:
    layer = layer_type(noise("shared", 32), noise("client", 32), noise("server", 32))
    seeds = tuple(layer.seal(plain, noise("n", 24)) for plain in (b"", b"text", bytes(300)))
    return Decoder(
        f"crypto.layer.{layer_type.__name__}.open",
        "raw",
        layer.open,
        seeds,
        errors=(CannotOpen,),
        genuine=whole,
    )


def _openers(layer_type: type[Layer]) -> list[Decoder]:
    """Open foreign layers without an object for each."""
    keys = noise("shared", 32), noise("client", 32), noise("server", 32)
    layer, opener = layer_type(*keys), Opener()
    enc_type = AES_GCM if layer_type is GcmLayer else XCHACHA20
    seeds = tuple(layer.seal(plain, noise("n", 24)) for plain in (b"", b"text", bytes(300)))
    ways: dict[str, Callable[[bytes], bytes]] = {
        "open": lambda raw: opener.open(enc_type, *keys, raw)[1],
        "open_under": lambda raw: opener.open_under(enc_type, layer.key, raw),
        "open_again": lambda raw: opener.open_again(layer, raw),
    }
    return [
        Decoder(
            f"crypto.opening.Opener.{name}/{enc_type}",
            "raw",
            way,
            seeds,
            errors=(CannotOpen,),
            genuine=whole,
            share=2,
        )
        for name, way in ways.items()
    ]


NODE_ANSWERS = (b'{"body":"{}","status":200}', b'{"body":{"a":[1]},"status":421}', b'{"status":500}')

_CBC = CbcLayer(noise("shared", 32), b"", b"")

DECODERS = (
    _layers(GcmLayer),
    _layers(XchachaLayer),
    *_openers(GcmLayer),
    *_openers(XchachaLayer),
    Decoder(
        "crypto.layer.CbcLayer.open",
        "raw",
        _CBC.open,
        tuple(_CBC.seal(plain, noise("n", 24)) for plain in (b"", bytes(300))),
        errors=(CannotOpen,),
        share=2,
    ),
    Decoder(
        "crypto.layer.open_layer_type",
        "text",
        lambda raw: open_layer_type(raw.decode("utf-8", "replace")).__name__,
        (b"aes-gcm", b"xchacha20", b"gcm"),
        errors=(CannotOpen,),
        share=1,
    ),
    Decoder("wire.onion.decode_client_request", "frame", onion.decode_client_request, _requests(FAST)),
    Decoder(
        "wire.onion.decode_inner_slowly/as decode_inner",
        "frame",
        _same(onion.decode_inner, onion.decode_inner_slowly),
        INNER,
    ),
    Decoder("wire.onion.decode_inner", "frame", onion.decode_inner, INNER, share=8),
    Decoder(
        "wire.onion.decode_hop_slowly/as decode_hop",
        "bencode",
        _same(onion.decode_hop, onion.decode_hop_slowly),
        _messages(FAST),
    ),
    Decoder("wire.onion.decode_hop", "bencode", onion.decode_hop, _messages(FAST)),
    *(
        Decoder(
            f"wire.onion.open_request/{suite.name} {layer_type.__name__}",
            "frame",
            _layered(suite, layer_type),
            INNER,
            share=share,
        )
        for suite, share in ((FAST, 3), (SODIUM, 1))
        for layer_type in (GcmLayer, XchachaLayer)
    ),
    *(
        Decoder(
            f"wire.onion_relay.step/{suite.name} client",
            "frame",
            _steps(suite, True),
            _requests(suite),
            share=share,
        )
        for suite, share in ((FAST, 3), (SODIUM, 1))
    ),
    *(
        Decoder(
            f"wire.onion_relay.step/{suite.name} node",
            "bencode",
            _steps(suite, False),
            _messages(suite),
            share=share,
        )
        for suite, share in ((FAST, 3), (SODIUM, 1))
    ),
    *(
        Decoder(
            f"wire.onion.open_answer/{layer_type.__name__}",
            "text",
            *_sealed_answers(layer_type),
            genuine=whole,
        )
        for layer_type in (GcmLayer, XchachaLayer)
    ),
    Decoder("wire.onion.open_answer/inside", "json", _answers(GcmLayer), NODE_ANSWERS, growth=80),
    Decoder(
        "wire.onion.claimed_hop",
        "frame",
        lambda raw: (onion.decode_client_request(raw), onion.claimed_hop(raw)),
        (*_requests(FAST), encode_frame(b"x", b'{"hop_no":7,"ephemeral_key":"%b"}' % _TO[1])),
        share=2,
    ),
    Decoder(
        "wire.onion.target_is_allowed",
        "text",
        lambda raw: onion.target_is_allowed(raw.decode("utf-8", "replace")),
        (b"/oxen/v4/lsrpc", b"/loki/lsrpc"),
        errors=(),
        share=1,
    ),
)
