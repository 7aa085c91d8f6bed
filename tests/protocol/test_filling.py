"""Filled requests and answers: one length outside, the same content for whoever opens them."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.crypto import KeyPair, real, suite_named
from sessionsim.protocol.crypto.layer import CbcLayer, GcmLayer, XchachaLayer
from sessionsim.protocol.server_request import ServerAnswer
from sessionsim.protocol.wire import v3, v4
from sessionsim.protocol.wire.filling import fill_answer, fill_clear, overhead_of, wrapping_bytes
from sessionsim.protocol.wire.onion import (
    DESKTOP,
    FINAL,
    LAYER_RANDOM_BYTES,
    LIBSESSION,
    TO_SERVER,
    Hop,
    Style,
    build_request,
    decode_inner,
    open_answer,
    seal_answer,
)
from sessionsim.protocol.wire.onion_relay import step
from sessionsim.protocol.wire.onion_server import ServerAddress, build_server_request, open_server_request

SUITE = suite_named("fast", memo=False)
STYLES = pytest.mark.parametrize("style", [DESKTOP, LIBSESSION], ids=lambda style: style.name)


def pair(n: int) -> KeyPair:
    return real.x25519_keypair(hashlib.sha256(b"filling %d" % n).digest())


PAIRS = [pair(n) for n in range(4)]
ROUTE = tuple(Hop(b"%064x" % n, own.public) for n, own in enumerate(PAIRS))
RANDOMS = tuple(hashlib.blake2b(b"layer %d" % n).digest()[:LAYER_RANDOM_BYTES] for n in range(4))


def opened(payload: bytes, hops: int) -> tuple[object, ...]:
    """Pass a request on from node to node; what the last one finds, and the lengths on the way."""
    lengths = [len(payload)]
    for n in range(hops - 1):
        passed = step(SUITE, PAIRS[n], payload, n == 0, 15)
        assert passed is not None
        assert len(passed) == 2
        payload = passed[1]
        lengths.append(len(payload))
    last = step(SUITE, PAIRS[hops - 1], payload, hops == 1, 15)
    assert last is not None
    assert len(last) == 4
    return (*last, lengths)


@STYLES
@settings(max_examples=40, deadline=None)
@given(body=st.binary(max_size=3000), multiple=st.integers(500, 4000))
def test_every_request_is_a_multiple_and_opens_to_the_same_body(
    style: Style, body: bytes, multiple: int
) -> None:
    payload, _ = build_request(SUITE, style, ROUTE, body, RANDOMS, multiple)
    assert len(payload) % multiple == 0
    plain = build_request(SUITE, style, ROUTE, body, RANDOMS)[0]
    assert 0 <= len(payload) - len(plain) < multiple
    _, plaintext, _, _, lengths = opened(payload, 4)
    assert decode_inner(plaintext) == (FINAL, body, False, True)  # type: ignore[arg-type]
    other = build_request(SUITE, style, ROUTE, body[: len(body) // 2], RANDOMS, 10_000)[0]
    whole = build_request(SUITE, style, ROUTE, body, RANDOMS, 10_000)[0]
    # Every link of the way sees the same lengths for both.
    assert opened(other, 4)[4] == opened(whole, 4)[4]
    assert lengths[0] == len(payload)  # type: ignore[index]


@STYLES
def test_by_how_much_a_request_grows_is_known_beforehand(style: Style) -> None:
    for nodes in (1, 2, 3, 4):
        payload, _ = build_request(SUITE, style, ROUTE[:nodes], b"x" * 100, RANDOMS[:nodes])
        inside = 4 + 100 + len(style.control)
        assert len(payload) - inside == wrapping_bytes(style.layer, style.key_field, nodes)


@STYLES
def test_a_request_to_a_server_is_filled_too(style: Style) -> None:
    server = ServerAddress("example.org", PAIRS[3].public)
    route, randoms = ROUTE[:3], (*RANDOMS[:3], RANDOMS[3])
    payload, _ = build_server_request(SUITE, style, route, server, b"l2:{}e", randoms, 3000)
    assert len(payload) == 3000
    _, plaintext, _, _, _ = opened(payload, 3)
    inner = decode_inner(plaintext)  # type: ignore[arg-type]
    assert inner[0] == TO_SERVER
    assert inner[3] == "example.org"
    assert open_server_request(SUITE, PAIRS[3], inner[1]).payload == b"l2:{}e"  # type: ignore[arg-type]


@STYLES
@pytest.mark.parametrize("as_base64", [True, False])
@settings(max_examples=30, deadline=None)
@given(body=st.text(max_size=4000).map(str.encode), multiple=st.integers(100, 1500).map(lambda n: 4 * n))
def test_every_answer_is_a_multiple_and_opens_to_the_same_text(
    style: Style, as_base64: bool, body: bytes, multiple: int
) -> None:
    layer = SUITE.layer_to(style.layer, RANDOMS[0][:32], PAIRS[0].public)[1]
    sealed = seal_answer(layer, 200, body, RANDOMS[1], as_base64=as_base64, multiple_bytes=multiple)
    assert len(sealed) % multiple == 0
    assert open_answer(layer, sealed, as_base64=as_base64) == (200, body)
    if as_base64:
        assert len(base64.b64decode(sealed)) == len(sealed) * 3 // 4  # no padding characters


def test_what_fits_exactly_gets_nothing_and_one_more_gets_another_step() -> None:
    layer = DESKTOP.layer
    text = b"x" * (300 - overhead_of(layer))
    assert fill_answer(text, layer, True, 400) == text
    assert len(fill_answer(text + b"x", layer, True, 400)) + overhead_of(layer) == 600


def test_a_cipher_that_grows_in_steps_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="AES-GCM"):
        overhead_of(CbcLayer)


@settings(max_examples=60, deadline=None)
@given(
    body=st.binary(max_size=1200),
    multiple=st.sampled_from([4, 8, 64, 100, 112, 8000]),
    layer=st.sampled_from([GcmLayer, XchachaLayer]),
)
def test_a_servers_answer_is_a_multiple_long_and_says_the_same(
    body: bytes, multiple: int, layer: type
) -> None:
    answer = ServerAnswer(200, {"content-type": "text/plain"}, body)
    filled = v4.encode_answer(answer, layer=layer, multiple_bytes=multiple)
    assert (len(filled) + overhead_of(layer)) % multiple == 0
    assert len(filled) < len(v4.encode_answer(answer)) + 3 * multiple
    assert v4.decode_answer(filled) == answer
    assert v4.encode_answer(answer, layer=layer) == v4.encode_answer(answer)


def test_an_older_answer_is_filled_if_it_is_json() -> None:
    layer = SUITE.layer_to(GcmLayer, RANDOMS[0][:32], PAIRS[0].public)[1]
    for body in (b"{}", b"[1,2]"):
        sealed = v3.seal_answer(layer, ServerAnswer(200, {}, body), RANDOMS[1], 400)
        assert len(sealed) == 400
        assert v3.open_answer(layer, sealed)[1].rstrip(b" ") == body
    assert v3.open_answer(layer, v3.seal_answer(layer, ServerAnswer(404, {}, b""), RANDOMS[1], 400))[0] == 404
    file = v3.seal_answer(layer, ServerAnswer(200, {}, b"raw"), RANDOMS[1], 400)
    assert v3.open_answer(layer, file) == (200, b"raw")


def test_what_is_said_in_clear_is_lengthened_once() -> None:
    once = fill_clear(b"Next node not found: ab", 100)
    assert (len(once), fill_clear(once, 100), fill_clear(once, 50)) == (100, once, once[:50])
    assert len(fill_clear(b"x" * 101, 100)) == 200
    assert len(fill_clear(once, 100, beside_bytes=17)) == 83
    assert fill_clear(b"", 100) == b""
