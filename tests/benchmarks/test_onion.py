"""An onion request of four layers: built, peeled at three relays and the destination, answered, opened.

The destination's RPC and the relays' bookkeeping are not in it; see `test_poll` and `test_store`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from sessionsim.protocol.client.rules import DESKTOP as DESKTOP_RULES
from sessionsim.protocol.crypto import KeyPair, Suite, real, suite_named
from sessionsim.protocol.crypto.layer import OVERHEAD_BYTES, GcmLayer, Layer
from sessionsim.protocol.wire import rpc
from sessionsim.protocol.wire.onion import (
    DESKTOP,
    LIBSESSION,
    Hop,
    Style,
    build_request,
    decode_inner,
    open_answer,
    seal_answer,
)
from sessionsim.protocol.wire.onion_relay import step
from sessionsim.protocol.wire.poll import PollTemplate
from sessionsim.selfcheck import primitives
from sessionsim.selfcheck.primitives import Primitive

LAYERS = 4
# Desktop's poll of five namespaces, and its answer by five empty boxes.
BODY = PollTemplate(rpc.DESKTOP, "05" + "cd" * 32, "ef" * 32, DESKTOP_RULES.namespaces, [-8] * 5).fill(
    1_777_000_000_000, [""] * 5, lambda text: bytes(64)
)
ANSWER = b'{"results":[%b]}' % b",".join(
    [b'{"body":{"hf":[19,3],"messages":[],"more":false,"t":1777000000000},"code":200}'] * 5
)
KEY = "ab" * 32
ROUTE_JSON = f'{{"destination":"{KEY}","ephemeral_key":"{KEY}"}}'.encode()
REQUEST_JSON = [BODY, *[ROUTE_JSON] * 3, f'{{"ephemeral_key":"{KEY}"}}'.encode()]
ANSWER_BYTES = len(ANSWER) + 100  # escaped, in its object


class Exchange(NamedTuple):
    """What one exchange needs. Args: name: of suite and cipher; pairs: of the four nodes."""

    name: str
    suite: Suite
    style: Style
    pairs: list[KeyPair]
    route: list[Hop]
    randoms: list[bytes]

    @property
    def is_gcm(self) -> bool:
        return self.style.layer is GcmLayer

    def layer_bytes(self) -> int:
        """Give the mean length of what the four layers encrypt."""
        payload, _layer = self.build()
        innermost = 4 + len(BODY) + len(self.style.control)
        outermost = len(payload) - 4 - OVERHEAD_BYTES["aes-gcm" if self.is_gcm else "xchacha20"]
        return (innermost + outermost - len(self.style.key_field) - 67) // 2

    def build(self) -> tuple[bytes, Layer]:
        return build_request(self.suite, self.style, self.route, BODY, self.randoms)

    def peel(self, payload: bytes) -> Any:
        """Three relays, each from payload to payload, then the destination down to the RPC body."""
        for hop in range(LAYERS - 1):
            _destination, payload = step(self.suite, self.pairs[hop], payload, hop == 0, 15)
        layer, plaintext, _ephemeral, _hop = step(self.suite, self.pairs[-1], payload, False, 15)
        return layer, decode_inner(plaintext)

    def layer_keys(self) -> Primitive:
        if self.is_gcm:
            return Primitive("HMAC-SHA256 layer key", primitives.layer_key(), LAYERS)
        return Primitive("BLAKE2b layer key", primitives.blake2b(96), LAYERS)

    def sealed(self, size_bytes: int, times: int, *, new_key: bool) -> Primitive:
        if self.is_gcm:
            return Primitive("AES-256-GCM sealed", primitives.gcm_sealed(size_bytes, new_key=new_key), times)
        return Primitive("XChaCha20-Poly1305 sealed", primitives.xchacha_sealed(size_bytes), times)

    def opened(self, size_bytes: int, times: int, *, new_key: bool) -> Primitive:
        if self.is_gcm:
            return Primitive("AES-256-GCM opened", primitives.gcm_opened(size_bytes, new_key=new_key), times)
        return Primitive("XChaCha20-Poly1305 opened", primitives.xchacha_opened(size_bytes), times)


@pytest.fixture(params=[("sodium", DESKTOP), ("sodium", LIBSESSION), ("fast", DESKTOP), ("fast", LIBSESSION)])
def exchange(request: pytest.FixtureRequest) -> Exchange:
    suite, style = request.param
    ed = [real.ed25519_keypair(bytes([k]) * 32) for k in range(LAYERS)]
    pairs = [real.x25519_of_ed25519(pair) for pair in ed]
    route = [Hop(a.public.hex().encode(), b.public) for a, b in zip(ed, pairs, strict=True)]
    randoms = [hashlib.shake_128(bytes([k])).digest(56) for k in range(LAYERS)]
    cipher = "AES-GCM" if style is DESKTOP else "XChaCha"
    return Exchange(f"{suite}, {cipher}", suite_named(suite, memo=False), style, pairs, route, randoms)


def test_build_a_request(beside: Callable[..., None], exchange: Exchange) -> None:
    if exchange.suite.name == "sodium":
        curves = (
            Primitive("X25519 ephemeral public key", primitives.public_key(), LAYERS),
            Primitive("X25519 shared secret", primitives.shared_secret(), LAYERS),
        )
    else:
        curves = (
            Primitive("BLAKE2b in place of an ephemeral key", primitives.blake2b(32), LAYERS),
            Primitive("BLAKE2b in place of a shared secret", primitives.blake2b(64), LAYERS),
        )
    beside(
        f"build an onion request ({exchange.name})",
        exchange.build,
        (*curves, exchange.layer_keys(), exchange.sealed(exchange.layer_bytes(), LAYERS, new_key=True)),
        frame=REQUEST_JSON if exchange.suite.name == "fast" else (),
    )


def test_peel_it_four_times(beside: Callable[..., None], exchange: Exchange) -> None:
    if exchange.suite.name == "sodium":
        curve = Primitive("X25519 shared secret", primitives.shared_secret(), LAYERS)
    else:
        curve = Primitive("BLAKE2b in place of a shared secret", primitives.blake2b(64), LAYERS)
    payload, _layer = exchange.build()
    assert exchange.peel(payload)[1][1] == BODY
    beside(
        f"peel it four times ({exchange.name})",
        lambda: exchange.peel(payload),
        (curve, exchange.layer_keys(), exchange.opened(exchange.layer_bytes(), LAYERS, new_key=True)),
        frame=REQUEST_JSON if exchange.suite.name == "fast" else (),
    )


# Symmetric: the same for both suites, so once for each cipher.
@pytest.mark.parametrize("exchange", [("fast", DESKTOP), ("fast", LIBSESSION)], indirect=True)
def test_answer_it(beside: Callable[..., None], exchange: Exchange) -> None:
    _payload, layer = exchange.build()
    nonce = bytes(24)
    beside(
        f"answer ({exchange.name.partition(', ')[2]})",
        lambda: seal_answer(layer, 200, ANSWER, nonce),
        (exchange.sealed(ANSWER_BYTES, 1, new_key=False),),
        frame=[ANSWER],
    )


@pytest.mark.parametrize("exchange", [("fast", DESKTOP), ("fast", LIBSESSION)], indirect=True)
def test_open_the_answer(beside: Callable[..., None], exchange: Exchange) -> None:
    _payload, layer = exchange.build()
    sealed = seal_answer(layer, 200, ANSWER, bytes(24))
    assert open_answer(layer, sealed) == (200, ANSWER)
    beside(
        f"open the answer ({exchange.name.partition(', ')[2]})",
        lambda: open_answer(layer, sealed),
        (exchange.opened(ANSWER_BYTES, 1, new_key=False),),
        frame=[ANSWER],
    )
