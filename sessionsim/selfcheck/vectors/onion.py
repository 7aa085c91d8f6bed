"""Sections about whole onion requests: rebuilt, and peeled hop by hop.

A request is rebuilt from the recorded draws (per layer an ephemeral secret and a nonce, the destination's
layer first) where they are recorded, and peeled with the nodes' own keys in any case.
"""

from __future__ import annotations

from typing import Any, Final

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.crypto import KeyPair, real, suite_named
from sessionsim.protocol.crypto.layer import AES_GCM, ENC_TYPES, XCHACHA20, Layer
from sessionsim.protocol.wire.json_text import compact_json
from sessionsim.protocol.wire.onion import (
    FINAL,
    LIBSESSION,
    LIBSESSION_GCM,
    TO_NODE,
    Hop,
    Style,
    build_request,
    decode_client_request,
    decode_inner,
    open_request,
)
from sessionsim.protocol.wire.onion_server import (
    V3_TARGET,
    V4_TARGET,
    ServerAddress,
    build_server_request,
    open_server_request,
)
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, agree, plain, section, typed, unhex, whole

_SUITE: Final = suite_named("sodium", memo=False)
_STYLES: Final = {XCHACHA20: LIBSESSION, AES_GCM: LIBSESSION_GCM}
NONCE_BYTES: Final = {XCHACHA20: 24, AES_GCM: 12}
_UNREADABLE: Final = {"kind": "error", "error": "invalid_json"}


def _pair(held: Any, place: str) -> KeyPair:
    fields = typed(held, dict, place)
    return KeyPair(unhex(fields.get("x25519_pk"), place), unhex(fields.get("x25519_sk"), place))


def read_layer(plaintext: bytes) -> dict[str, Any]:
    """Say how a node reads an opened layer, in the words of the file."""
    try:
        inner: Any = decode_inner(plaintext)
    except RemoteProtocolError:
        return dict(_UNREADABLE)
    if inner[0] == FINAL:
        return {"kind": "final", "body": inner[1], "json": inner[2], "base64": inner[3]}
    if inner[0] == TO_NODE:
        _, ciphertext, ephemeral, enc_type, destination = inner
        keys = {"ephemeral_key": ephemeral, "enc_type": enc_type, "next_node": destination}
        return {"kind": "relay_to_node", "ciphertext": ciphertext, **keys}
    _, payload, protocol, host, port, target = inner
    where = {"host": host, "port": port, "protocol": protocol, "target": target}
    return {"kind": "relay_to_server", "payload": payload, **where}


def _peel(request: bytes, nodes: list[tuple[str, KeyPair]]) -> tuple[list[dict[str, Any]], list[Layer]]:
    """Open a request node by node: what each received, found and read; and the layers."""
    layers, ciphers = [], []
    ciphertext, ephemeral, enc_type = decode_client_request(request)
    for name, own in nodes:
        received = {"ciphertext": ciphertext, "ephemeral_key": ephemeral, "enc_type": enc_type}
        cipher, plaintext = open_request(_SUITE, own, ephemeral, enc_type, ciphertext)
        found = read_layer(plaintext)
        layers.append({"node_ed25519_pk": name, "received": received, **found, "plaintext": plaintext})
        ciphers.append(cipher)
        if found["kind"] == "relay_to_node":
            ciphertext, ephemeral, enc_type = found["ciphertext"], found["ephemeral_key"], found["enc_type"]
    return layers, ciphers


def _hops(case: Case) -> list[tuple[str, KeyPair]]:
    return [
        (typed(hop.get("ed25519_pk"), str, "a hop"), _pair(hop, "a hop"))
        for hop in typed(case.value("hops"), list, "hops")
    ]


def _randoms(draws: list[bytes]) -> list[bytes]:
    """Join ephemeral secrets and nonces, guard first; drawn for the destination first."""
    return [secret + nonce for secret, nonce in zip(draws[::2], draws[1::2], strict=True)][::-1]


def _route(nodes: list[tuple[str, KeyPair]]) -> list[Hop]:
    return [Hop(name.encode(), pair.public) for name, pair in nodes]


def _style(case: Case) -> Style:
    return _STYLES[ENC_TYPES[case.text("enc_type")]]


def _same_request(case: Case, request: bytes | None, layers: list[dict[str, Any]]) -> None:
    """Compare what both kinds of request have in common."""
    wanted = unhex(case.wants("request"), "request")
    if request is not None:
        case.same("request", request)
    _, ephemeral, enc_type = decode_client_request(wanted)
    case.same("entry_metadata", {"enc_type": enc_type, "ephemeral_key": ephemeral})
    case.same("layers", layers)
    # The innermost key pair is the client's; the public half comes out of the last layer.
    final_pk, final_sk = (unhex(case.wants(f"final_x25519_{half}"), "the final key") for half in ("pk", "sk"))
    agree("final_x25519_pk", _SUITE.ephemeral(final_sk).public.hex(), final_pk.hex())
    if case.draws:
        case.same("final_x25519_sk", case.draws[0])


def _check_snode(case: Case) -> None:
    destination = typed(case.value("destination"), dict, "destination")
    name = typed(destination.get("ed25519_pk"), str, "destination")
    nodes = [*_hops(case), (name, _pair(destination, "destination"))]
    request = innermost = None
    if case.draws:
        request, innermost = build_request(
            _SUITE, _style(case), _route(nodes), case.raw("payload"), _randoms(case.draws)
        )
    layers, ciphers = _peel(unhex(case.wants("request"), "request"), nodes)
    _same_request(case, request, layers)
    agree("body", layers[-1].get("body"), case.raw("payload"))
    agree("final_x25519_pk", layers[-1]["received"]["ephemeral_key"].hex(), case.wants("final_x25519_pk"))
    if innermost is not None:
        _answers(innermost, ciphers[-1])


def _check_server(case: Case) -> None:
    destination = typed(case.value("destination"), dict, "destination")
    own, nodes = _pair(destination, "destination"), _hops(case)
    request = innermost = None
    if case.draws:
        port = destination.get("port")
        server = ServerAddress(
            typed(destination.get("host"), str, "host"),
            own.public,
            typed(destination.get("protocol", "https"), str, "protocol"),
            None if port is None else whole(port, "port"),
            typed(destination.get("target", V4_TARGET), str, "target"),
        )
        request, innermost = build_server_request(
            _SUITE, _style(case), _route(nodes), server, case.raw("payload"), _randoms(case.draws)
        )
    layers, _ = _peel(unhex(case.wants("request"), "request"), nodes)
    _same_request(case, request, layers)
    opened = open_server_request(_SUITE, own, layers[-1]["payload"])
    case.same("server_decrypted", {"payload": opened.payload, "remote_pk": opened.ephemeral})
    agree("payload", opened.payload, case.raw("payload"))
    agree("final_x25519_pk", opened.ephemeral.hex(), case.wants("final_x25519_pk"))
    if innermost is not None:
        _answers(innermost, opened.layer)


def _answers(innermost: Layer, sealer: Layer) -> None:
    """See that the destination's answer opens under the layer the builder gave."""
    agree("answer", innermost.open(sealer.seal(b"answer", bytes(24))), b"answer")


# ---- Making whole requests ----


def _node(draw: Draw) -> dict[str, Any]:
    seed, pair = draw.raw(32), real.x25519_keypair(draw.raw(32))
    public = real.ed25519_keypair(seed).public
    return {"ed25519_pk": public, "x25519_pk": pair.public, "x25519_sk": pair.secret}


def _draw_hops(draw: Draw) -> list[dict[str, Any]]:
    return [_node(draw) for _ in range(draw.choice((3, 3, 3, 1, 2, 4, 5)))]


def _layer_draws(draw: Draw, enc_type: str, layers: int) -> tuple[list[bytes], list[str]]:
    draws, meaning = [], []
    for layer in range(layers):
        draws += [draw.raw(32), draw.raw(NONCE_BYTES[enc_type])]
        meaning += [
            f"ephemeral x25519 secret, layer {layer} counted from the destination",
            "nonce of that layer",
        ]
    return draws, meaning


def _made(
    given: dict[str, Any],
    request: bytes,
    layers: list[Any],
    draws: list[bytes],
    meaning: list[str],
    **more: Any,
) -> Made:
    _, ephemeral, enc_type = decode_client_request(request)
    expected = {
        "request": request,
        "entry_metadata": {"enc_type": enc_type, "ephemeral_key": ephemeral},
        "layers": layers,
        "final_x25519_pk": _SUITE.ephemeral(draws[0]).public,
        "final_x25519_sk": draws[0],
        **more,
    }
    randomness = {"draws": plain(draws), "meaning": meaning}
    return {"input": plain(given), "expected": plain(expected), "randomness": randomness}


def _named(nodes: list[dict[str, Any]]) -> list[tuple[str, KeyPair]]:
    return [(node["ed25519_pk"].hex(), KeyPair(node["x25519_pk"], node["x25519_sk"])) for node in nodes]


def _make_snode(draw: Draw, enc_type: str) -> Made:
    destination, hops = _node(draw), _draw_hops(draw)
    method = draw.choice(("retrieve", "store", "info", "oxend_request"))
    params = {"pubkey": "05" + draw.raw(32).hex(), "n": draw.between(0, 999), "t": draw.text(60)}
    payload = compact_json({"method": method, "params": params})
    draws, meaning = _layer_draws(draw, enc_type, len(hops) + 1)
    nodes = _named([*hops, destination])
    request, _ = build_request(_SUITE, _STYLES[enc_type], _route(nodes), payload, _randoms(draws))
    given = {"enc_type": enc_type, "destination": destination, "hops": hops, "payload": payload}
    return _made(given, request, _peel(request, nodes)[0], draws, meaning)


def _make_server(draw: Draw, enc_type: str) -> Made:
    pair, hops, payload = real.x25519_keypair(draw.raw(32)), _draw_hops(draw), draw.text(200).encode()
    server = ServerAddress(
        draw.choice(("127.0.0.1", "files.example", "rooms.example")),
        pair.public,
        draw.choice(("http", "https")),
        draw.choice((None, None, 80, 443, 22129)),
        draw.choice((V3_TARGET, V4_TARGET)),
    )
    destination: dict[str, Any] = {"host": server.host, "target": server.target, "protocol": server.protocol}
    destination["x25519_pk"] = pair.public
    if server.port is not None:
        destination["port"] = server.port
    destination["x25519_sk"] = pair.secret
    draws, meaning = _layer_draws(draw, enc_type, len(hops) + 1)
    nodes = _named(hops)
    request, _ = build_server_request(
        _SUITE, _STYLES[enc_type], _route(nodes), server, payload, _randoms(draws)
    )
    layers = _peel(request, nodes)[0]
    opened = open_server_request(_SUITE, pair, layers[-1]["payload"])
    given = {"enc_type": enc_type, "destination": destination, "hops": hops, "payload": payload}
    decrypted = {"payload": opened.payload, "remote_pk": opened.ephemeral}
    return _made(given, request, layers, draws, meaning, server_decrypted=decrypted)


_REQUEST = [
    "protocol.wire.onion.build_request",
    "protocol.wire.onion.open_request",
    "protocol.wire.onion.decode_inner",
]
_TO_SERVER = [
    "protocol.wire.onion_server.build_server_request",
    "protocol.wire.onion_server.open_server_request",
    "protocol.wire.onion.decode_inner",
]
_EXACT = "exact with randomness; decrypt always"


@section(
    "onion_snode_xchacha20",
    covers=_REQUEST,
    direction=_EXACT,
    make=lambda draw: _make_snode(draw, XCHACHA20),
)
def onion_snode_xchacha20(case: Case) -> None:
    """Request for a service node in the library's style, rebuilt and peeled hop by hop."""
    _check_snode(case)


@section(
    "onion_snode_aes_gcm", covers=_REQUEST, direction=_EXACT, make=lambda draw: _make_snode(draw, AES_GCM)
)
def onion_snode_aes_gcm(case: Case) -> None:
    """The same with AES-GCM."""
    _check_snode(case)


@section(
    "onion_server_xchacha20",
    covers=_TO_SERVER,
    direction=_EXACT,
    make=lambda draw: _make_server(draw, XCHACHA20),
)
def onion_server_xchacha20(case: Case) -> None:
    """Request for a server, rebuilt, peeled to the last hop, and opened by the server."""
    _check_server(case)


@section(
    "onion_server_aes_gcm", covers=_TO_SERVER, direction=_EXACT, make=lambda draw: _make_server(draw, AES_GCM)
)
def onion_server_aes_gcm(case: Case) -> None:
    """The same with AES-GCM."""
    _check_server(case)
