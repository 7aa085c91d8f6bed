"""Requests whose bytes are not made have the lengths, and their answers the content, of those that are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.wire.onion import (
    LAYER_RANDOM_BYTES,
    STYLES,
    Hop,
    build_request,
    open_answer,
    seal_answer,
)
from sessionsim.protocol.wire.onion_sizes import answer_bytes, request_bytes
from sessionsim.protocol.wire.unsealed import UnsealedRequest

SUITE = suite_named("fast")
PAIRS = [SUITE.ephemeral(bytes((hop + 1,)) * 32) for hop in range(4)]
ROUTE = [Hop(b"%064x" % hop, pair.public) for hop, pair in enumerate(PAIRS)]
RANDOMS = [bytes((hop + 11,)) * LAYER_RANDOM_BYTES for hop in range(4)]


def request(style: str, body: bytes = b"{}") -> UnsealedRequest:
    return UnsealedRequest((0, 1, 2, 3), style, body, lambda: b"sealed")


@pytest.mark.parametrize("style", sorted(STYLES))
@given(body=st.binary(max_size=400))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_requests_are_as_long_as_the_onion_around_their_body(style: str, body: bytes) -> None:
    payload, _ = build_request(SUITE, STYLES[style], ROUTE, body, RANDOMS)
    assert request_bytes(style, len(body)) == len(payload)


@pytest.mark.parametrize("style", sorted(STYLES))
@given(status=st.integers(100, 599), body=st.binary(max_size=200) | st.text(max_size=90).map(str.encode))
@settings(deadline=None, max_examples=100, derandomize=True)
def test_answers_are_as_long_and_say_the_same_as_sealed_ones(style: str, status: int, body: bytes) -> None:
    _, layer = build_request(SUITE, STYLES[style], ROUTE, b"{}", RANDOMS)
    sealed = seal_answer(layer, status, body, bytes(64))
    assert answer_bytes(style, status, body) == len(sealed)
    assert request(style).answered(status, body).opened() == open_answer(layer, sealed)


def test_a_request_counts_the_bytes_of_its_body_and_makes_an_onion_only_when_asked() -> None:
    one = request("desktop", b"body")
    assert (len(one), one.seal()) == (4, b"sealed")
    assert len(one.answered(200, b"answer")) == 6
