"""What clients make of answers: wrappings, the second cipher, bodies in bodies; and of refusals in clear."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, ProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import KeyPair, Suite, real, suite_named
from sessionsim.protocol.crypto.layer import GcmLayer, Layer, XchachaLayer
from sessionsim.protocol.server_request import ServerAnswer
from sessionsim.protocol.wire.onion import seal_answer
from sessionsim.protocol.wire.onion_answer import (
    Blame,
    Refusal,
    answer_layers,
    body_value,
    open_node_answer,
    open_server_answer,
    read_refusal,
    split_quic_error,
)
from sessionsim.protocol.wire.rpc_answers import quic_error
from sessionsim.protocol.wire.v4 import encode_answer

SUITES = {name: suite_named(name, memo=False) for name in ("fast", "sodium")}
SECRET = hashlib.sha256(b"client").digest()
NODE = hashlib.sha256(b"node").hexdigest()


def server(suite: Suite) -> KeyPair:
    return real.x25519_keypair(hashlib.sha256(b"server").digest())


def layers_of(suite: Suite, kind: type[Layer]) -> tuple[tuple[Layer, ...], Layer, Layer]:
    """Give the client's layers, and the server's by XChaCha and by GCM."""
    own = server(suite)
    public, layer = suite.layer_to(kind, SECRET, own.public)
    return (
        answer_layers(suite, layer, SECRET, own.public),
        suite.layer_from(XchachaLayer, own, public),
        suite.layer_from(GcmLayer, own, public),
    )


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_libsession_also_opens_the_answer_of_an_old_server(suite: Suite) -> None:
    layers, xchacha, gcm = layers_of(suite, XchachaLayer)
    for sealer in (xchacha, gcm):
        assert open_node_answer(layers, seal_answer(sealer, 421, b"x", bytes(24))) == (421, b"x")


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_desktop_knows_one_cipher_only(suite: Suite) -> None:
    layers, xchacha, gcm = layers_of(suite, GcmLayer)
    assert len(layers) == 1
    assert open_node_answer(layers, seal_answer(gcm, 200, b"{}", bytes(24))) == (200, b"{}")
    with pytest.raises(CannotOpen):
        open_node_answer(layers, seal_answer(xchacha, 200, b"{}", bytes(24)))


LAYERS, _, GCM = layers_of(SUITES["sodium"], XchachaLayer)


def test_every_wrapping_is_taken_off() -> None:
    raw = seal_answer(GCM, 200, b'{"a":1}', bytes(24), as_base64=False)
    text = base64.b64encode(raw)
    for payload in (raw, text, b'{"result":"%b"}' % text, b'{"result" : "%b", "x":1}' % text):
        assert open_node_answer(LAYERS, payload) == (200, b'{"a":1}')


@pytest.mark.parametrize(
    ("plain", "outcome"),
    [
        (b'{"status_code":404,"body":"gone"}', (404, b"gone")),
        (b'{"status":200,"body":"{\\"a\\":1}"}', (200, b'{"a":1}')),
        (b'{"status":200,"body":{"a":1}}', (200, b'{"status":200,"body":{"a":1}}')),
        (b'{"status":200}', (200, b'{"status":200}')),
    ],
)
def test_status_and_body_are_found(plain: bytes, outcome: tuple[int, bytes]) -> None:
    assert open_node_answer(LAYERS, GCM.seal(plain, bytes(24))) == outcome


@pytest.mark.parametrize(
    "plain",
    [
        *(b"", b"[]", b"{}", b'{"status":"200"}', b'{"status":true}', b"\xff"),
        b'{"status":200,"body":%b}' % (b"[" * 1000 + b"]" * 1000),  # read, but too deep to be written
    ],
    ids=range(7),
)
def test_an_answer_without_status_or_nested_deeply_is_refused(plain: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        open_node_answer(LAYERS, GCM.seal(plain, bytes(24)))


def test_a_body_may_be_json_text() -> None:
    assert body_value(b'{"a":[1]}') == {"a": [1]}
    assert body_value(b"Invalid json") == "Invalid json"
    assert body_value(b"\xff") == "�"


def test_a_v4_answer_comes_raw() -> None:
    answer = ServerAnswer(200, {"content-type": "application/json"}, json.dumps({"id": 1}).encode())
    assert open_server_answer(LAYERS, GCM.seal(encode_answer(answer), bytes(24))) == answer


@given(st.binary(max_size=120))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_hostile_answers_give_only_the_documented_errors(raw: bytes) -> None:
    for payload in (raw, b'{"result":"%b"}' % raw, GCM.seal(raw, bytes(24))):
        for read in (open_node_answer, open_server_answer):
            try:
                read(LAYERS, payload)
            except ProtocolError:
                continue


# ---- Refusals in clear (transport 3.5) ----


@pytest.mark.parametrize(
    ("status", "text", "blame", "node"),
    [
        (502, f"Next node not found: {NODE}", Blame.NEXT_NODE, NODE),
        (502, f"Next node is currently unreachable: {NODE}", Blame.NEXT_NODE, NODE),
        (503, f"Snode not ready: {NODE}", Blame.NODE, NODE),
        (503, "Service node is not ready: not in any swarm\n", Blame.GUARD, ""),
        (503, "Server busy, try again later", Blame.GUARD, ""),
        (504, "Request time out", Blame.PATH, ""),
        (500, "Invalid response from snode", Blame.PATH, ""),
        (400, "Invalid ciphertext", Blame.LAYER, ""),
        (502, "Next node not found: soon", Blame.UNKNOWN, ""),
        (500, f"Next node not found: {NODE}", Blame.UNKNOWN, ""),
        (429, "", Blame.UNKNOWN, ""),
    ],
)
def test_who_a_refusal_blames(status: int, text: str, blame: Blame, node: str) -> None:
    assert read_refusal(status, text.encode()) == Refusal(status, blame, node, text)


def test_a_refusal_is_cut_short_and_need_not_be_text() -> None:
    refusal = read_refusal(502, b"\xff" * 10_000_000)
    assert refusal.blame is Blame.UNKNOWN
    assert len(refusal.text) == 1024


def test_the_quic_form_is_split() -> None:
    assert split_quic_error(quic_error(502, b"a\n\nb")) == (502, b"a\n\nb")
    for wrong in (b"", b"502", b"502 Bad Gateway\nx", b"abc Bad\n\nx", b"50 Bad\n\n", b"\xff\xff\xff x\n\n"):
        with pytest.raises(RemoteProtocolError):
            split_quic_error(wrong)
