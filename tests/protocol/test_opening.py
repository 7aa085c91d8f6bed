"""Layers opened without an object for each give what layers give, by libsodium and without it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen
from sessionsim.protocol.crypto import opening
from sessionsim.protocol.crypto.layer import AES_GCM, XCHACHA20, open_layer_type
from sessionsim.protocol.crypto.opening import HAS_GCM, Opener, layer_under

SHARED, CLIENT, SERVER, RANDOM = b"s" * 32, b"c" * 32, b"n" * 32, bytes(range(24))
CIPHERS = (AES_GCM, XCHACHA20)
OPENERS = {"quick": Opener(quick=HAS_GCM), "slow": Opener(quick=False)}


@pytest.mark.parametrize("how", OPENERS)
@pytest.mark.parametrize("cipher", CIPHERS)
@given(plaintext=st.binary(max_size=300))
def test_what_comes_out_is_what_was_sealed(how: str, cipher: str, plaintext: bytes) -> None:
    layer = open_layer_type(cipher)(SHARED, CLIENT, SERVER)
    sealed = layer.seal(plaintext, RANDOM)
    key, opened = OPENERS[how].open(cipher, SHARED, CLIENT, SERVER, sealed)
    assert (key, opened) == (layer.key, plaintext)
    assert OPENERS[how].open_again(layer, sealed) == plaintext
    again = layer_under(cipher, key)
    assert type(again) is type(layer)
    assert again.open(sealed) == plaintext
    assert again.seal(plaintext, RANDOM) == sealed


@pytest.mark.parametrize("how", OPENERS)
@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("more", [-1, 0, 1, 10_000])
def test_layers_of_any_size_open(how: str, cipher: str, more: int) -> None:
    plaintext = b"x" * (opening._ROOM_BYTES + more)
    sealed = open_layer_type(cipher)(SHARED, CLIENT, SERVER).seal(plaintext, RANDOM)
    assert OPENERS[how].open(cipher, SHARED, CLIENT, SERVER, sealed)[1] == plaintext


@pytest.mark.parametrize("how", OPENERS)
@pytest.mark.parametrize("cipher", CIPHERS)
def test_what_was_altered_or_is_somebody_elses_does_not_open(how: str, cipher: str) -> None:
    sealed = open_layer_type(cipher)(SHARED, CLIENT, SERVER).seal(b"text", RANDOM)
    opener = OPENERS[how]
    for place in range(len(sealed)):
        altered = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(CannotOpen):
            opener.open(cipher, SHARED, CLIENT, SERVER, altered)
    for length in range(len(sealed)):
        with pytest.raises(CannotOpen):
            opener.open(cipher, SHARED, CLIENT, SERVER, sealed[:length])
    with pytest.raises(CannotOpen):
        opener.open(cipher, SERVER, CLIENT, SERVER, sealed)


def test_only_xchacha_depends_on_who_agreed() -> None:
    for cipher in CIPHERS:
        key = open_layer_type(cipher)(SHARED, CLIENT, SERVER).key
        assert (key == open_layer_type(cipher)(SHARED, SERVER, CLIENT).key) is (cipher == AES_GCM)


def test_a_plaintext_stays_as_it_was_when_the_next_one_is_opened() -> None:
    layer, opener = open_layer_type(XCHACHA20)(SHARED, CLIENT, SERVER), Opener()
    opened = [
        opener.open(XCHACHA20, SHARED, CLIENT, SERVER, layer.seal(text, RANDOM))[1]
        for text in (b"one", b"two")
    ]
    assert opened == [b"one", b"two"]


@pytest.mark.parametrize("cipher", ["aes-cbc", "gcm", "", "xchacha20-poly1305"])
def test_other_names_of_ciphers_are_refused(cipher: str) -> None:
    with pytest.raises(CannotOpen):
        Opener().open(cipher, SHARED, CLIENT, SERVER, bytes(100))
