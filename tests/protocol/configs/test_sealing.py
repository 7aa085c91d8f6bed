"""Padding and encryption of configs: reference values, steps, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.configs.sealing import (
    decrypt,
    decrypt_with_any,
    encrypt,
    pad,
    padded_bytes,
    unpad,
)

GROUPS = json.loads((Path(__file__).parents[2] / "vectors" / "configs.json").read_text("utf-8"))["groups"]
KEY, DOMAIN = bytes(range(32)), b"UserProfile"
SEALED = encrypt(b"some config", KEY, DOMAIN)


@pytest.mark.parametrize("case", GROUPS["messages:config_padding"], ids=lambda case: str(case["input"]))
def test_padded_lengths_of_the_reference(case: dict[str, Any]) -> None:
    assert padded_bytes(case["input"]["size"], case["input"]["overhead"]) == case["expected"]


@pytest.mark.parametrize("case", GROUPS["messages:config_encrypt"], ids=lambda case: str(case["name"]))
def test_ciphertexts_of_the_reference(case: dict[str, Any]) -> None:
    given_values = case["input"]
    message, domain = given_values["message_utf8"].encode(), given_values["domain"].encode()
    key = bytes.fromhex(given_values["key_base"])
    sealed = encrypt(message, key, domain)
    if isinstance(case["expected"], str):
        assert sealed.hex() == case["expected"]
    else:
        assert sealed[-24:].hex() == case["expected"]["last24"]
    assert decrypt(sealed, key, domain) == message


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 100_000))
def test_padding_reaches_a_step_and_never_shrinks(size: int) -> None:
    total = padded_bytes(size) + 40
    step = 256 if size + 40 < 5120 else 1024 if size + 40 < 20480 else 2048 if size + 40 < 40960 else 5120
    assert total % step == 0
    assert 0 <= total - 40 - size < step
    assert padded_bytes(size) <= padded_bytes(size + 1)


def test_zeros_stand_in_front_and_come_off() -> None:
    assert pad(b"d1:#") == bytes(212) + b"d1:#"
    assert unpad(pad(b"d1:#")) == b"d1:#"
    assert pad(b"x" * 216) == b"x" * 216
    assert unpad(bytes(500)) == b""


def test_the_same_config_gives_the_same_bytes_and_another_gives_others() -> None:
    assert encrypt(b"some config", KEY, DOMAIN) == SEALED
    assert len(SEALED) == len(b"some config") + 40
    others = [
        encrypt(b"some confiG", KEY, DOMAIN),
        encrypt(b"some config", KEY[::-1], DOMAIN),
        encrypt(b"some config", KEY, b"UserProfilE"),
    ]
    # Neither nonce nor key of one serves for another.
    assert len({SEALED[-24:], *(other[-24:] for other in (others[0], others[2]))}) == 3
    assert len({SEALED[:11], *(other[:11] for other in others)}) == 4


def test_several_keys_are_tried_in_order() -> None:
    assert decrypt_with_any(SEALED, [bytes(32), KEY], DOMAIN) == b"some config"
    with pytest.raises(CannotOpen):
        decrypt_with_any(SEALED, [bytes(32), KEY[::-1]], DOMAIN)
    with pytest.raises(CannotOpen):
        decrypt_with_any(SEALED, [], DOMAIN)


@pytest.mark.parametrize("at", [0, 10, 11, 26, 27, 50])
def test_an_altered_byte_anywhere_does_not_open(at: int) -> None:
    altered = bytearray(SEALED)
    altered[at] ^= 1
    with pytest.raises(CannotOpen):
        decrypt(bytes(altered), KEY, DOMAIN)


@pytest.mark.parametrize("cut", [0, 1, 24, 39, 40, 50])
def test_a_cut_ciphertext_does_not_open(cut: int) -> None:
    with pytest.raises(CannotOpen):
        decrypt(SEALED[:cut], KEY, DOMAIN)


@pytest.mark.parametrize(("key", "domain"), [(KEY[:31], DOMAIN), (KEY, b""), (KEY, b"x" * 25)])
def test_keys_and_domains_of_wrong_length_are_our_mistake(key: bytes, domain: bytes) -> None:
    for call in (encrypt, decrypt):
        with pytest.raises(LocalProtocolError):
            call(SEALED, key, domain)
    encrypt(b"", KEY, b"x" * 24)
