"""A relay's step written out in one function does what the general functions do one after another."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, RemoteProtocolError
from sessionsim.protocol.crypto import real, suite_named
from sessionsim.protocol.crypto.layer import ENC_TYPES
from sessionsim.protocol.wire.onion import (
    DESKTOP,
    LIBSESSION,
    LIBSESSION_GCM,
    TO_NODE,
    Hop,
    build_request,
    decode_client_request,
    decode_hop,
    decode_inner,
    encode_hop,
    open_request,
)
from sessionsim.protocol.wire.onion_relay import step

SUITE = suite_named("fast", memo=False)
ED = [real.ed25519_keypair(bytes([k]) * 32) for k in range(3)]
X = [real.x25519_of_ed25519(pair) for pair in ED]
ROUTE = [Hop(ed.public.hex().encode(), x.public) for ed, x in zip(ED, X, strict=True)]
RANDOMS = [hashlib.shake_128(bytes([k])).digest(56) for k in range(3)]
STYLES = st.sampled_from([DESKTOP, LIBSESSION, LIBSESSION_GCM])
HOPS_MAX = 5


def generally(node: int, payload: bytes, from_client: bool) -> Any:
    """Take the step by the general functions: what goes to whom, or plaintext, ephemeral key and hop."""
    hop = 0
    if from_client:
        sealed, ephemeral, enc_type = decode_client_request(payload)
    else:
        sealed, ephemeral, enc_type, hop = decode_hop(payload)
    _layer, plaintext = open_request(SUITE, X[node], ephemeral, enc_type, sealed)
    try:
        inner = decode_inner(plaintext)
    except RemoteProtocolError:
        inner = (None,)
    if inner[0] == TO_NODE:
        _kind, blob, following, following_type, destination = inner
        return destination, encode_hop(blob, following, ENC_TYPES[following_type], hop + 1)
    return plaintext, ephemeral, hop


def check(node: int, payload: bytes, from_client: bool) -> Any:
    """Compare both ways; what the step leaves to the general functions is right whatever they say."""
    try:
        taken = step(SUITE, X[node], payload, from_client, HOPS_MAX)
    except CannotOpen:
        with pytest.raises(CannotOpen):
            generally(node, payload, from_client)
        return "closed"
    if taken is None:
        return None
    expected = generally(node, payload, from_client)
    if len(taken) == 2:
        assert taken == expected
    elif len(expected) == 3:
        assert taken[1:] == expected
    return taken


@given(style=STYLES, body=st.binary(max_size=1200))
@example(DESKTOP, b"")
@example(LIBSESSION, bytes(9000))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_a_request_passes_two_relays_and_arrives(style: Any, body: bytes) -> None:
    payload, _layer = build_request(SUITE, style, ROUTE, body, RANDOMS)
    for node in range(2):
        taken = check(node, payload, node == 0)
        if style is LIBSESSION_GCM:  # no client writes it by itself; the general functions take it
            destination, payload = generally(node, payload, node == 0)
        else:
            destination, payload = taken
        assert destination == ED[node + 1].public
    _layer, plaintext, _ephemeral, hop = check(2, payload, False)
    assert hop == 2
    assert decode_inner(plaintext)[1] == body


@given(
    style=STYLES,
    from_client=st.booleans(),
    body=st.binary(max_size=30),
    edits=st.lists(st.tuples(st.integers(-120, 120), st.binary(max_size=3), st.integers(0, 3)), max_size=3),
)
@settings(deadline=None, max_examples=600, derandomize=True)
def test_damaged_payloads(
    style: Any, from_client: bool, body: bytes, edits: list[tuple[int, bytes, int]]
) -> None:
    payload, _layer = build_request(SUITE, style, ROUTE, body, RANDOMS)
    if not from_client:
        _destination, payload = generally(0, payload, True)
    for at, put, drop in edits:
        at = at % (len(payload) + 1)
        payload = payload[:at] + put + payload[at + drop :]
    check(0 if from_client else 1, payload, from_client)


@pytest.mark.parametrize("hop", [0, 1, 4, 5, 6, 9, 10, 15])
@pytest.mark.parametrize("style", [DESKTOP, LIBSESSION])
def test_hop_numbers(style: Any, hop: int) -> None:
    """Up to the limit they are counted on; beyond it, and with two digits, the general way answers."""
    payload, _layer = build_request(SUITE, style, ROUTE[1:], b"{}", RANDOMS[1:])
    sealed, ephemeral, enc_type = decode_client_request(payload)
    taken = check(1, encode_hop(sealed, ephemeral, enc_type, hop), False)
    assert (taken is not None) == (1 <= hop <= HOPS_MAX)
    if taken is not None:
        assert taken[1].endswith(b"6:hop_noi%dee" % (hop + 1))


def route_layer(control: bytes) -> bytes:
    """Seal a layer for node 1 that holds any JSON."""
    _public, layer = SUITE.layer_to(DESKTOP.layer, RANDOMS[0][:32], X[1].public)
    sealed = layer.seal(len(b"blob").to_bytes(4, "little") + b"blob" + control, RANDOMS[0][32:])
    return encode_hop(sealed, _public, "aes-gcm", 1)


KEY = ED[2].public.hex().encode()


@pytest.mark.parametrize(
    ("control", "is_usual"),
    [
        (b'{"destination":"%b","ephemeral_key":"%b"}' % (KEY, KEY), True),
        (b'{"destination":"%b","enc_type":"xchacha20","ephemeral_key":"%b"}' % (KEY, KEY), True),
        (b'{"destination":"%b","ephemeral_key":"%b"}' % (KEY[:-1] + b"g", KEY), False),
        (b'{"destination":"%b","ephemeral_key":"%b"}' % (KEY, KEY[:-1] + b" "), False),
        (b'{"destination":"%b", "ephemeral_key":"%b"}' % (KEY, KEY), False),
        (b'{"destination":"%b","ephemeral_key":"%b"} ' % (KEY, KEY), False),
        (b'{"ephemeral_key":"%b","destination":"%b"}' % (KEY, KEY), False),
        (b'{"destination":"%b","enc_type":"aes-gcm","ephemeral_key":"%b"}' % (KEY, KEY), False),
        (b"{}", False),
        (b"", False),
    ],
)
def test_routes_of_both_families_are_passed_on_at_once(control: bytes, is_usual: bool) -> None:
    taken = check(1, route_layer(control), False)
    assert (len(taken) == 2) == is_usual
