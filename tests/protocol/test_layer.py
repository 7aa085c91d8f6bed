"""One onion layer: both ciphers against the reference vectors, and what must not open."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen
from sessionsim.protocol.crypto import KeyPair, suite_named
from sessionsim.protocol.crypto.layer import (
    OVERHEAD_BYTES,
    CbcLayer,
    GcmLayer,
    Layer,
    XchachaLayer,
    open_layer_type,
)

GROUPS = json.loads((Path(__file__).parents[1] / "vectors" / "onion.json").read_text("utf-8"))["groups"]
HOP = GROUPS["transport:onion.hop_encryption"]
LAYERS = [
    *GROUPS["libsession:hop_encryption_xchacha20"]["cases"],
    *GROUPS["libsession:hop_encryption_aes_gcm"]["cases"],
]
ANSWERS = [
    *GROUPS["libsession:onion_response_xchacha20"]["cases"],
    *GROUPS["libsession:onion_response_aes_gcm"]["cases"],
]
REAL = suite_named("sodium", memo=False)


def layer_of(enc_type: str, own: KeyPair, remote: bytes, *, own_is_client: bool) -> Layer:
    """Make a layer with the client's key first, from either end."""
    client, server = (own.public, remote) if own_is_client else (remote, own.public)
    return open_layer_type(enc_type)(REAL.agree(own, remote), client, server)


def pair_of(public: str, secret: str) -> KeyPair:
    return KeyPair(bytes.fromhex(public), bytes.fromhex(secret))


SERVER = pair_of(HOP["server"]["pubkey"], HOP["server"]["seckey"])
CLIENT = pair_of(HOP["client_ephemeral"]["pubkey"], HOP["client_ephemeral"]["seckey"])


@pytest.mark.parametrize("case", HOP["vectors"], ids=lambda case: str(case["enc_type"]))
def test_reference_layer_opens_from_both_ends(case: dict[str, str]) -> None:
    sealed, plain = bytes.fromhex(case["ciphertext"]), case["plaintext_utf8"].encode()
    for own, remote, own_is_client in ((SERVER, CLIENT, False), (CLIENT, SERVER, True)):
        layer = layer_of(case["enc_type"], own, remote.public, own_is_client=own_is_client)
        assert layer.open(sealed) == plain
        assert layer.seal(plain, sealed[: len(sealed) - len(plain) - 16]) == sealed


@pytest.mark.parametrize("case", HOP["must_fail"])
def test_altered_reference_layer_does_not_open(case: dict[str, str]) -> None:
    with pytest.raises(CannotOpen):
        layer_of(case["enc_type"], SERVER, CLIENT.public, own_is_client=False).open(
            bytes.fromhex(case["ciphertext"])
        )


@pytest.mark.parametrize("case", LAYERS, ids=lambda case: str(case["id"]))
def test_layer_of_libsession_is_made_and_opened(case: dict[str, Any]) -> None:
    values, plain = case["input"], bytes.fromhex(case["input"]["plaintext"])
    sealed, own_is_client = bytes.fromhex(case["expected"]["ciphertext"]), not values["server"]
    own = pair_of(values["x25519_pk"], values["x25519_sk"])
    remote = pair_of(values["remote_pk"], values["remote_sk_for_decrypt"])
    making = layer_of(values["enc_type"], own, remote.public, own_is_client=own_is_client)
    assert making.seal(plain, bytes.fromhex(case["randomness"]["draws"][0])) == sealed
    assert (
        layer_of(values["enc_type"], remote, own.public, own_is_client=not own_is_client).open(sealed)
        == plain
    )


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: str(case["id"]))
def test_answer_of_the_storage_server_is_made_and_opened(case: dict[str, Any]) -> None:
    values, sealed = case["input"], bytes.fromhex(case["input"]["ciphertext"])
    plain = bytes.fromhex(case["expected"]["plaintext"])
    client = pair_of(values["final_x25519_pk"], values["final_x25519_sk"])
    node = pair_of(values["destination_x25519_pk"], case["randomness"]["destination_x25519_sk"])
    assert layer_of(values["enc_type"], client, node.public, own_is_client=True).open(sealed) == plain
    making = layer_of(values["enc_type"], node, client.public, own_is_client=False)
    assert making.seal(plain, bytes.fromhex(case["randomness"]["draws"][0])) == sealed


def test_channel_of_the_storage_server_adds_the_stated_bytes_and_needs_two_roles() -> None:
    case = GROUPS["transport:onion.channel_encryption_keys"]
    alice = pair_of(case["alice_pubkey"], case["alice_seckey"])
    bob = pair_of(case["bob_pubkey"], case["bob_seckey"])
    plain = case["plaintext_utf8"].encode()
    for name, overhead in OVERHEAD_BYTES.items():
        assert overhead == case["size_overhead"][name]
        sealed = layer_of(name, alice, bob.public, own_is_client=True).seal(plain, bytes(range(24)))
        assert len(sealed) == len(plain) + overhead
        assert layer_of(name, bob, alice.public, own_is_client=False).open(sealed) == plain
    with pytest.raises(CannotOpen):
        layer_of("xchacha20", bob, alice.public, own_is_client=True).open(sealed)


def test_the_old_cipher_adds_the_stated_bytes_and_uses_the_bare_secret() -> None:
    case = GROUPS["transport:onion.channel_encryption_keys"]
    alice = pair_of(case["alice_pubkey"], case["alice_seckey"])
    bob = pair_of(case["bob_pubkey"], case["bob_seckey"])
    plain, shared = case["plaintext_utf8"].encode(), REAL.agree(alice, bob.public)
    assert shared.hex() == case["self_computed_ecdh"]
    sealed = CbcLayer(shared, alice.public, bob.public).seal(plain, bytes(range(24)))
    assert len(sealed) == len(plain) + case["size_overhead"]["aes-cbc"]
    for name in ("aes-cbc", "cbc"):
        layer = open_layer_type(name, legacy=True)(REAL.agree(bob, alice.public), b"", b"")
        assert layer.open(sealed) == plain
    # 256 bits of key, PKCS7: the last block of a whole number of blocks is all padding.
    turn = Cipher(AES256(shared), CBC(bytes(16))).decryptor()
    whole = CbcLayer(shared, b"", b"").seal(bytes(16), bytes(16))
    assert turn.update(whole[16:]) + turn.finalize() == bytes(16) + b"\x10" * 16


@given(st.binary(max_size=80))
@settings(deadline=None, max_examples=150, derandomize=True)
def test_the_old_cipher_gives_text_or_the_documented_error(sealed: bytes) -> None:
    layer = CbcLayer(bytes(32), b"", b"")
    assert layer.open(layer.seal(sealed, bytes(16))) == sealed
    try:
        layer.open(sealed)
    except CannotOpen:
        return
    assert len(sealed) >= 32
    assert len(sealed) % 16 == 0


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("aes-gcm", GcmLayer),
        ("gcm", GcmLayer),
        ("xchacha20", XchachaLayer),
        ("xchacha20-poly1305", XchachaLayer),
    ],
)
def test_every_spelling_of_a_cipher_is_known(name: str, kind: type[Layer]) -> None:
    assert open_layer_type(name) is kind


@pytest.mark.parametrize("name", ["", "AES-GCM", "aes-cbc", "rot13", "x" * 10_000])
def test_unknown_cipher_is_refused_in_few_words(name: str) -> None:
    with pytest.raises(CannotOpen) as refused:
        open_layer_type(name)
    assert len(str(refused.value)) <= 80


@given(st.binary(max_size=80), st.sampled_from(["aes-gcm", "xchacha20"]))
@settings(deadline=None, max_examples=300, derandomize=True)
def test_random_bytes_do_not_open(sealed: bytes, name: str) -> None:
    with pytest.raises(CannotOpen):
        layer_of(name, SERVER, CLIENT.public, own_is_client=False).open(sealed)


@given(st.binary(max_size=200), st.sampled_from(["aes-gcm", "xchacha20"]), st.data())
@settings(deadline=None, max_examples=150, derandomize=True)
def test_what_was_sealed_opens_and_nothing_else_does(plain: bytes, name: str, data: st.DataObject) -> None:
    layer = layer_of(name, CLIENT, SERVER.public, own_is_client=True)
    sealed = layer.seal(plain, bytes(range(24)))
    assert layer.open(sealed) == plain
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
    altered = bytes(b ^ ((1 << bit % 8) if i == bit // 8 else 0) for i, b in enumerate(sealed))
    for wrong in (altered, sealed[:-1], sealed + b"\0"):
        with pytest.raises(CannotOpen):
            layer.open(wrong)


@given(shared=st.binary(min_size=0, max_size=100))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_gcm_key_is_the_hmac_of_the_shared_secret_under_loki(shared: bytes) -> None:
    sealed = GcmLayer(shared, b"", b"").seal(b"text", bytes(12))
    key = hmac.digest(b"LOKI", shared, "sha256")
    assert AESGCM(key).decrypt(sealed[:12], sealed[12:], None) == b"text"


@pytest.mark.parametrize("kind", [GcmLayer, XchachaLayer, CbcLayer])
def test_a_layer_that_rested_goes_on_as_before(kind: type[Layer]) -> None:
    ready, rested = kind(bytes(32), b"c" * 32, b"s" * 32), kind(bytes(32), b"c" * 32, b"s" * 32)
    sealed = ready.seal(b"text", bytes(24))
    rested.rest()
    assert rested.seal(b"text", bytes(24)) == sealed
    rested.rest()
    assert rested.open(sealed) == b"text"
    assert rested.open(b"...." + sealed + b"..", 4, 4 + len(sealed)) == b"text"


@pytest.mark.parametrize("length", [0, 1, 23, 24, 39])
def test_what_is_too_short_for_nonce_and_tag_does_not_open(length: int) -> None:
    with pytest.raises(CannotOpen):
        XchachaLayer(bytes(32), b"c" * 32, b"s" * 32).open(bytes(length))
