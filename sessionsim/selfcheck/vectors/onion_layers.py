"""Sections about single onion layers: both ways of a hop, answers, what a node must refuse and reads."""

from __future__ import annotations

import base64
from typing import Any, Final

from sessionsim.core.errors import CannotOpen
from sessionsim.protocol.crypto import KeyPair, real, suite_named
from sessionsim.protocol.crypto.layer import AES_GCM, ENC_TYPES, XCHACHA20, Layer, open_layer_type
from sessionsim.protocol.wire.frame import encode_frame
from sessionsim.protocol.wire.json_text import compact_json, read_json
from sessionsim.protocol.wire.onion import open_answer, open_request, seal_answer, target_is_allowed
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, agree, plain, section, unhex
from sessionsim.selfcheck.vectors.onion import NONCE_BYTES, read_layer

_SUITE: Final = suite_named("sodium", memo=False)
_BY_NONCE = "exact with nonce; decrypt always"
_LAYERS = ["protocol.crypto.layer.GcmLayer", "protocol.crypto.layer.XchachaLayer"]


def _layer(enc_type: str, own: KeyPair, remote: bytes, *, own_is_server: bool) -> Layer:
    if own_is_server:
        return _SUITE.layer_from(open_layer_type(enc_type), own, remote)
    return open_layer_type(enc_type)(_SUITE.agree(own, remote), own.public, remote)


# ---- One layer alone ----


def _check_hop(case: Case) -> None:
    own = KeyPair(case.raw("x25519_pk"), case.raw("x25519_sk"))
    remote, enc_type = case.raw("remote_pk"), case.text("enc_type")
    server, wanted = case.flag("server"), unhex(case.wants("ciphertext"), "ciphertext")
    agree("x25519_pk", real.x25519_keypair(own.secret).public.hex(), own.public.hex())
    plaintext = case.raw("plaintext")
    if case.draws:
        making = _layer(enc_type, own, remote, own_is_server=server)
        case.same("ciphertext", making.seal(plaintext, case.draws[0]))
    if case.has("remote_sk_for_decrypt"):
        other = KeyPair(remote, case.raw("remote_sk_for_decrypt"))
        opening = _layer(enc_type, other, own.public, own_is_server=not server)
        agree("plaintext", opening.open(wanted), plaintext)


def _make_hop(draw: Draw, enc_type: str) -> Made:
    own, other = (real.x25519_keypair(draw.raw(32)) for _ in range(2))
    server, nonce = draw.flag(), draw.raw(NONCE_BYTES[enc_type])
    plaintext = draw.raw(draw.choice((0, draw.between(1, 40), draw.between(1, 400))))
    given = {
        "x25519_sk": own.secret,
        "x25519_pk": own.public,
        "remote_pk": other.public,
        "server": server,
        "enc_type": enc_type,
        "plaintext": plaintext,
        "remote_sk_for_decrypt": other.secret,
    }
    sealed = _layer(enc_type, own, other.public, own_is_server=server).seal(plaintext, nonce)
    meaning = ["nonce, put in front of the ciphertext"]
    return {
        "input": plain(given),
        "expected": plain({"ciphertext": sealed}),
        "randomness": {"draws": plain([nonce]), "meaning": meaning},
    }


@section(
    "hop_encryption_xchacha20",
    covers=[_LAYERS[1]],
    direction=_BY_NONCE,
    make=lambda draw: _make_hop(draw, XCHACHA20),
)
def hop_encryption_xchacha20(case: Case) -> None:
    """One layer alone; server=true: the node answering."""
    _check_hop(case)


@section(
    "hop_encryption_aes_gcm",
    covers=[_LAYERS[0]],
    direction=_BY_NONCE,
    make=lambda draw: _make_hop(draw, AES_GCM),
)
def hop_encryption_aes_gcm(case: Case) -> None:
    """One layer alone; server=true: the node answering."""
    _check_hop(case)


# ---- Answers ----


def _check_answer(case: Case) -> None:
    enc_type, node = case.text("enc_type"), case.raw("destination_x25519_pk")
    client = KeyPair(case.raw("final_x25519_pk"), case.raw("final_x25519_sk"))
    sealed, layer = case.raw("ciphertext"), _layer(enc_type, client, node, own_is_server=False)
    plaintext = layer.open(sealed)
    case.same("plaintext", plaintext)
    fields: Any = read_json(plaintext)
    if case.has("as_sent_base64"):
        case.rebuilt("as_sent_base64", base64.b64encode(sealed).decode())
        sent = case.text("as_sent_base64").encode()
        agree("status", open_answer(layer, sent)[0], fields["status"])
    secret = case.randomness.get("destination_x25519_sk")
    if case.draws and secret is not None:
        own = KeyPair(node, unhex(secret, "randomness destination_x25519_sk"))
        making = _layer(enc_type, own, client.public, own_is_server=True)
        case.rebuilt("ciphertext", making.seal(plaintext, case.draws[0]))
        if type(fields["body"]) is str:  # written anew by the node's own code
            body, status = fields["body"].encode(), fields["status"]
            case.rebuilt("ciphertext", seal_answer(making, status, body, case.draws[0], as_base64=False))


def _make_answer(draw: Draw, enc_type: str) -> Made:
    node, client = (real.x25519_keypair(draw.raw(32)) for _ in range(2))
    nonce, status = draw.raw(NONCE_BYTES[enc_type]), draw.choice((200, 401, 406, 421, 500, 504))
    layer = _layer(enc_type, node, client.public, own_is_server=True)
    sealed = seal_answer(layer, status, draw.text(200).encode(), nonce, as_base64=False)
    given: dict[str, object] = {
        "enc_type": enc_type,
        "destination_x25519_pk": node.public,
        "final_x25519_pk": client.public,
        "final_x25519_sk": client.secret,
        "ciphertext": sealed,
        "as_sent_base64": base64.b64encode(sealed).decode(),
    }
    drawn = {"draws": [nonce], "meaning": ["nonce"], "destination_x25519_sk": node.secret}
    return {
        "input": plain(given),
        "expected": plain({"plaintext": layer.open(sealed)}),
        "randomness": plain(drawn),
    }


_ANSWER = ["protocol.wire.onion.open_answer", "protocol.wire.onion.seal_answer"]


@section(
    "onion_response_xchacha20",
    covers=_ANSWER,
    direction=_BY_NONCE,
    make=lambda draw: _make_answer(draw, XCHACHA20),
)
def onion_response_xchacha20(case: Case) -> None:
    """A node's answer, opened by the client with its last ephemeral key pair."""
    _check_answer(case)


@section(
    "onion_response_aes_gcm",
    covers=_ANSWER,
    direction=_BY_NONCE,
    make=lambda draw: _make_answer(draw, AES_GCM),
)
def onion_response_aes_gcm(case: Case) -> None:
    """A node's answer, opened by the client with its last ephemeral key pair."""
    _check_answer(case)


# ---- What a node refuses and reads ----


def _flip(raw: bytes, draw: Draw) -> bytes:
    at = draw.between(0, len(raw) - 1)
    return raw[:at] + bytes([raw[at] ^ 1 << draw.between(0, 6)]) + raw[at + 1 :]


def _make_peel(draw: Draw) -> Made:
    node, client = (real.x25519_keypair(draw.raw(32)) for _ in range(2))
    enc_type = draw.choice((XCHACHA20, AES_GCM))
    layer = _layer(enc_type, client, node.public, own_is_server=False)
    sealed = layer.seal(draw.raw(draw.between(400, 600)), draw.raw(24))
    ephemeral, own, why = client.public, node, draw.choice(list(_DAMAGES))
    if why == "ciphertext bit flipped":
        sealed = _flip(sealed, draw)
    elif why == "ephemeral key bit flipped":
        ephemeral = _flip(ephemeral, draw)
    elif why == "wrong node key":
        own = real.x25519_keypair(draw.raw(32))
    elif why == "truncated":
        sealed = sealed[: draw.between(0, len(sealed) - 1)]
    else:
        enc_type = AES_GCM if enc_type == XCHACHA20 else XCHACHA20
    given: dict[str, object] = {"x25519_sk": own.secret, "x25519_pk": own.public, "ciphertext": sealed}
    given |= {"ephemeral_key": ephemeral, "enc_type": enc_type}
    return {"input": plain(given), "expected": {"error": "invalid_ciphertext", "why": why}}


_DAMAGES: Final = (
    "ciphertext bit flipped",
    "ephemeral key bit flipped",
    "wrong node key",
    "enc_type swapped",
    "truncated",
)


@section(
    "onion_peel_invalid",
    covers=["protocol.wire.onion.open_request"],
    direction="reject",
    make=_make_peel,
)
def onion_peel_invalid(case: Case) -> None:
    """Layers a node must refuse."""
    own = KeyPair(case.raw("x25519_pk"), case.raw("x25519_sk"))
    try:
        _, got = open_request(
            _SUITE, own, case.raw("ephemeral_key"), case.text("enc_type"), case.raw("ciphertext")
        )
    except CannotOpen:
        case.same("error", "invalid_ciphertext")
    else:
        case.same("error", {"opened": got})


def _hex(draw: Draw) -> str:
    return draw.raw(32).hex()


_PROTOCOLS = ("http", "https")
_TARGETS = ("/oxen/v4/lsrpc", "/loki/v3/lsrpc")
# How the JSON beside a blob may look: readable forms first.
_CONTROLS: Final = (
    lambda draw: {"headers": ""},
    lambda draw: {"headers": "x", "json": draw.flag(), "base64": draw.flag()},
    lambda draw: {"host": "h.example", "target": draw.choice(_TARGETS)},
    lambda draw: {
        "host": "h.example",
        "target": draw.choice(_TARGETS),
        "port": draw.between(1, 65_535),
        "protocol": draw.choice(_PROTOCOLS),
    },
    lambda draw: {"destination": _hex(draw), "ephemeral_key": _hex(draw)},
    lambda draw: {
        "destination": _hex(draw),
        "ephemeral_key": _hex(draw),
        "enc_type": draw.choice([*ENC_TYPES, "rot13", ""]),
    },
    lambda draw: {"destination": _hex(draw)},
    lambda draw: {"ephemeral_key": _hex(draw)},
    lambda draw: {"host": "h"},
)


def _make_inner(draw: Draw) -> Made:
    blob, kind = draw.raw(draw.between(0, 40)), draw.between(0, len(_CONTROLS) + 2)
    if kind < len(_CONTROLS):
        plaintext = encode_frame(blob, compact_json(_CONTROLS[kind](draw)))
    elif kind == len(_CONTROLS):
        plaintext = encode_frame(blob, b"not json")
    else:
        plaintext = draw.raw(draw.between(0, 3)) if kind % 2 else b"\xe8\x03\0\0" + blob
    return {"input": plain({"plaintext": plaintext}), "expected": plain(read_layer(plaintext))}


@section(
    "onion_inner_parse",
    covers=["protocol.wire.onion.decode_inner"],
    direction="exact",
    make=_make_inner,
)
def onion_inner_parse(case: Case) -> None:
    """How a storage node reads one decrypted layer, defaults included."""
    for name, value in read_layer(case.raw("plaintext")).items():
        case.same(name, value)


def _make_target(draw: Draw) -> Made:
    number, word = draw.between(1, 99), draw.choice(("river", "lantern", "quartz"))
    target = draw.choice(
        (
            f"/loki/v{number}/lsrpc",
            f"/oxen/{word}/v{number}/lsrpc",
            f"/oxen/v{number}/lsrpc",
            f"/oxen/{word}",
            f"/loki/v{number}/lsrpc?{word}=1",
            f"oxen/v{number}/lsrpc",
            f"/oxen/v{number}/lsrpc/",
            f"/not_loki/v{number}/lsrpc",
        )
    )
    return {"input": {"target": target}, "expected": {"allowed": target_is_allowed(target)}}


@section(
    "onion_server_target_allowed",
    covers=["protocol.wire.onion.target_is_allowed"],
    direction="exact",
    make=_make_target,
)
def onion_server_target_allowed(case: Case) -> None:
    """Which server paths a storage node agrees to proxy to."""
    case.same("allowed", target_is_allowed(case.text("target")))
