"""Both suites: the reference vectors, what must fail, and that a memo changes nothing but time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import bindings
from nacl.public import PrivateKey, SealedBox

from sessionsim.core.errors import CannotOpen, InvalidInput, LocalProtocolError
from sessionsim.protocol.crypto import KeyPair, Suite, real, sodium, suite_named
from sessionsim.protocol.crypto import memo as memos
from sessionsim.protocol.crypto.layer import GcmLayer, Layer, XchachaLayer

FOLDER = Path(__file__).parents[1] / "vectors"
IDENTITY = json.loads((FOLDER / "identity.json").read_text("utf-8"))["groups"]
ONION = json.loads((FOLDER / "onion.json").read_text("utf-8"))["groups"]

MAKERS = {"sodium": ("sodium", True), "sodium without memo": ("sodium", False), "fast": ("fast", True)}
ALICE, BOB = real.ed25519_keypair(b"a" * 32), real.ed25519_keypair(b"b" * 32)
ALICE_X, BOB_X = real.x25519_of_ed25519(ALICE), real.x25519_of_ed25519(BOB)
SIGNED = [
    *(
        (real.ed25519_keypair(bytes.fromhex(v["seed"])), v["message_utf8"].encode(), v["signature"])
        for v in IDENTITY["transport:identity.ed25519_sign"]["vectors"]
    ),
    *(
        (
            real.ed25519_keypair(bytes.fromhex(c["input"]["ed25519_sk"])[:32]),
            bytes.fromhex(c["input"]["message"]),
            c["expected"]["signature"],
        )
        for c in IDENTITY["libsession:ed25519_sign"]["cases"]
    ),
]


@pytest.fixture(params=list(MAKERS))
def suite(request: pytest.FixtureRequest) -> Suite:
    name, memo = MAKERS[request.param]
    return suite_named(name, memo=memo)


# ---- Reference values ----


@pytest.mark.parametrize("case", IDENTITY["transport:identity.ed25519_from_seed"]["vectors"])
def test_ed25519_key_of_a_seed(case: dict[str, str]) -> None:
    assert real.ed25519_keypair(bytes.fromhex(case["seed"])).public.hex() == case["pubkey"]


@pytest.mark.parametrize("case", IDENTITY["transport:identity.ed25519_pk_to_x25519"]["vectors"])
def test_public_key_conversion(case: dict[str, str]) -> None:
    assert real.x25519_public_of_ed25519(bytes.fromhex(case["ed25519_pubkey"])).hex() == case["x25519_pubkey"]


@pytest.mark.parametrize("case", IDENTITY["transport:identity.ed25519_sk_to_x25519"]["vectors"])
def test_secret_key_conversion(case: dict[str, str]) -> None:
    pair = real.ed25519_keypair(bytes.fromhex(case["ed25519_seed"]))
    assert pair.public.hex() == case["ed25519_pubkey"]
    converted = real.x25519_of_ed25519(pair)
    assert converted.secret.hex() == case["x25519_seckey"]
    assert converted.public == real.x25519_public_of_ed25519(pair.public)


@pytest.mark.parametrize("case", IDENTITY["messages:curve25519"], ids=lambda case: str(case["name"]))
def test_conversions_of_the_message_vectors(case: dict[str, Any]) -> None:
    if "ed25519_sk64" in case["input"]:
        secret64 = bytes.fromhex(case["input"]["ed25519_sk64"])
        assert real.x25519_of_ed25519(KeyPair(secret64[32:], secret64[:32])).secret.hex() == case["expected"]
    else:
        public = bytes.fromhex(case["input"]["ed25519_pk"])
        assert real.x25519_public_of_ed25519(public).hex() == case["expected"]


@pytest.mark.parametrize("case", [v for v in IDENTITY["messages:session_id"] if v["name"] == "seed->x25519"])
def test_x25519_key_of_a_seed(case: dict[str, Any]) -> None:
    pair = real.x25519_of_ed25519(real.ed25519_keypair(bytes.fromhex(case["input"]["seed"])))
    assert pair.public.hex() == case["expected"]["x25519_pk"]


@pytest.mark.parametrize("case", ONION["transport:onion.x25519_keypair"]["vectors"])
def test_x25519_pair_of_a_secret(case: dict[str, str]) -> None:
    assert real.x25519_keypair(bytes.fromhex(case["seckey"])).public.hex() == case["pubkey"]


@pytest.mark.parametrize(("pair", "message", "signature"), SIGNED)
def test_stored_signatures_are_the_reference_ones(
    suite: Suite, pair: KeyPair, message: bytes, signature: str
) -> None:
    assert suite.sign_stored(pair, message).hex() == signature
    assert suite.verify_stored(pair.public, message, bytes.fromhex(signature))


def test_agreement_of_the_reference_is_the_real_one() -> None:
    case = ONION["transport:onion.channel_encryption_keys"]
    alice = KeyPair(bytes.fromhex(case["alice_pubkey"]), bytes.fromhex(case["alice_seckey"]))
    real_suite = suite_named("sodium", memo=False)
    assert real_suite.agree(alice, bytes.fromhex(case["bob_pubkey"])).hex() == case["self_computed_ecdh"]


# ---- What every suite owes ----


def test_both_ends_agree_and_others_do_not(suite: Suite) -> None:
    client = suite.ephemeral(b"c" * 32)
    shared = suite.agree(client, BOB_X.public)
    assert suite.agree(ALICE_X, client.public) != shared
    assert suite.agree(suite.ephemeral(b"d" * 32), BOB_X.public) != shared
    assert suite.agree(BOB_X, client.public) == shared
    assert suite.agree(BOB_X, client.public) == shared
    assert len(shared) == len(client.public) == 32


@pytest.mark.parametrize("peer", [b"", bytes(31), bytes(33)])
def test_no_agreement_with_what_is_no_key(suite: Suite, peer: bytes) -> None:
    with pytest.raises(CannotOpen):
        suite.agree(ALICE_X, peer)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_ephemeral_secret_of_wrong_length_is_our_mistake(suite: Suite, length: int) -> None:
    with pytest.raises(LocalProtocolError, match=str(length)):
        suite.ephemeral(bytes(length))


@pytest.mark.parametrize("memo", [True, False])
def test_no_agreement_with_a_point_of_low_order(memo: bool) -> None:
    with pytest.raises(CannotOpen):
        suite_named("sodium", memo=memo).agree(ALICE_X, bytes(32))


@pytest.mark.parametrize("stored", [True, False])
def test_forged_signatures_fail(suite: Suite, stored: bool) -> None:
    sign = suite.sign_stored if stored else suite.sign
    verify = suite.verify_stored if stored else suite.verify
    message = b"retrieve1777000000000"
    signature = sign(ALICE, message)
    assert len(signature) == 64
    assert verify(ALICE.public, message, signature)
    assert verify(ALICE.public, message, signature)
    assert not verify(BOB.public, message, signature)
    assert not verify(ALICE.public, message + b"0", signature)
    assert not verify(ALICE.public, message[:-1], signature)
    assert not verify(ALICE.public, message, sign(BOB, message))
    for place in (0, 31, 32, 63):
        altered = bytes(b ^ (i == place) for i, b in enumerate(signature))
        assert not verify(ALICE.public, message, altered)


@pytest.mark.parametrize("stored", [True, False])
def test_lengths_cannot_be_shifted_between_key_message_and_signature(suite: Suite, stored: bool) -> None:
    sign = suite.sign_stored if stored else suite.sign
    verify = suite.verify_stored if stored else suite.verify
    message = b"message"
    signature = sign(ALICE, message)
    assert not verify(ALICE.public + message[:1], message[1:], signature)
    assert not verify(ALICE.public[:-1], ALICE.public[-1:] + message, signature)
    assert not verify(ALICE.public, message[1:], signature + message[:1])
    assert not verify(ALICE.public, signature[-1:] + message, signature[:-1])
    for wrong in (b"", signature[:-1], signature + b"\0"):
        assert not verify(ALICE.public, message, wrong)
        assert not verify(wrong, message, signature)


def test_sealed_box_opens_for_its_recipient_only(suite: Suite) -> None:
    sealed = suite.seal_box(b"secret", BOB_X.public, suite.ephemeral(b"e" * 32))
    assert len(sealed) == 6 + 48
    assert suite.open_box(sealed, BOB_X) == b"secret"
    with pytest.raises(CannotOpen):
        suite.open_box(sealed, ALICE_X)
    for place in range(len(sealed)):
        with pytest.raises(CannotOpen):
            suite.open_box(bytes(b ^ (i == place) for i, b in enumerate(sealed)), BOB_X)


@given(st.binary(max_size=120))
@settings(deadline=None, max_examples=100, derandomize=True)
def test_random_bytes_open_nothing(sealed: bytes) -> None:
    for name, memo in MAKERS.values():
        with pytest.raises(CannotOpen):
            suite_named(name, memo=memo).open_box(sealed, BOB_X)


@pytest.mark.parametrize("recipient", [b"", bytes(31), bytes(33)])
def test_nothing_is_sealed_to_what_is_no_key(suite: Suite, recipient: bytes) -> None:
    with pytest.raises(CannotOpen):
        suite.seal_box(b"secret", recipient, suite.ephemeral(b"e" * 32))


@pytest.mark.parametrize("memo", [True, False])
def test_nothing_is_sealed_to_a_point_of_low_order(memo: bool) -> None:
    real_suite = suite_named("sodium", memo=memo)
    with pytest.raises(CannotOpen):
        real_suite.seal_box(b"secret", bytes(32), real_suite.ephemeral(b"e" * 32))


def test_sodium_box_is_a_box_of_libsodium() -> None:
    real_suite = suite_named("sodium")
    sealed = real_suite.seal_box(b"secret", BOB_X.public, real_suite.ephemeral(b"e" * 32))
    assert SealedBox(PrivateKey(BOB_X.secret)).decrypt(sealed) == b"secret"
    assert real_suite.open_box(bindings.crypto_box_seal(b"theirs", BOB_X.public), BOB_X) == b"theirs"


def test_decoy_looks_like_a_signature_and_verifies_under_nothing(suite: Suite) -> None:
    decoy = suite.decoy_signature(bytes(range(64)))
    assert len(decoy) == 64
    assert decoy != suite.decoy_signature(bytes(64)[:-1] + b"\1")
    assert decoy == suite.decoy_signature(bytes(range(64)))
    assert not any(suite.verify_stored(pair.public, b"", decoy) for pair in (ALICE, BOB))


def test_real_decoy_is_a_point_and_a_reduced_scalar() -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    decoy = suite_named("sodium").decoy_signature(bytes(range(64)))
    assert bindings.crypto_core_ed25519_is_valid_point(decoy[:32])
    assert int.from_bytes(decoy[32:], "little") < order


# ---- Memos ----

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["agree", "sign", "verify", "store", "look", "swap"]),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    max_size=40,
)


def results_of(steps: list[tuple[str, int, int]], memo: bool, name: str = "sodium") -> list[object]:
    """Do the steps with four pairs and four messages; every result a person could see."""
    suite, out = suite_named(name, memo=memo), []
    signers = [real.ed25519_keypair(bytes([n]) * 32) for n in range(4)]
    pairs = [real.x25519_of_ed25519(pair) for pair in signers]
    last = bytes(64)
    for step, a, b in steps:
        if step == "agree":
            out.append(suite.agree(pairs[a], pairs[b].public))
        elif step == "sign":
            last = suite.sign(signers[a], b"message %d" % b)
            out.append(last)
        elif step == "store":
            last = suite.sign_stored(signers[a], b"message %d" % b)
            out.append(last)
        elif step == "look":
            out.append(suite.verify_stored(signers[a].public, b"message %d" % b, last))
        elif step == "verify":
            out.append(suite.verify(signers[a].public, b"message %d" % b, last))
        else:
            last = last[::-1]
    return out


@given(STEPS, st.sampled_from(["sodium", "fast"]))
@settings(deadline=None, max_examples=150, derandomize=True)
def test_memo_changes_no_result(steps: list[tuple[str, int, int]], name: str) -> None:
    assert results_of(steps, memo=True, name=name) == results_of(steps, memo=False, name=name)


@pytest.mark.parametrize("name", ["sodium", "fast"])
def test_a_signature_that_has_held_holds_for_nothing_else(name: str) -> None:
    suite, other = suite_named(name), real.ed25519_keypair(b"o" * 32)
    signature = real.ed25519_sign(ALICE, b"token")
    for _ in range(2):
        assert suite.verify_stored(ALICE.public, b"token", signature)
        assert not suite.verify_stored(ALICE.public, b"other", signature)
        assert not suite.verify_stored(other.public, b"token", signature)
        assert not suite.verify_stored(ALICE.public, b"token", signature[:-1] + b"\0")
    assert suite._verified is not None
    assert len(suite._verified._held) == 1


def test_full_memo_forgets_and_changes_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sodium, "MEMO_LIMIT", 3)
    monkeypatch.setattr(memos, "MEMO_LIMIT", 3)
    steps = [(step, a, b) for a in range(4) for b in range(4) for step in ("agree", "sign", "verify")]
    assert results_of(steps, memo=True) == results_of(steps, memo=False)
    suite = sodium.SodiumSuite(memo=True)
    for number in range(20):
        suite.layer_to(GcmLayer, bytes([number + 1]) * 32, BOB_X.public)
        suite.sign(ALICE, bytes([number]))
    assert suite._layers is not None
    assert len(suite._layers._layers) <= 3
    assert len(suite._signed or ()) <= 3
    memo = memos.SignatureMemo()
    for number in range(20):
        memo.put(ALICE.public, bytes([number]), bytes(64))
        assert memo.holds(ALICE.public, bytes([number]), bytes(64))
        assert len(memo._held) <= 3


@pytest.mark.parametrize("name", ["sodium", "fast"])
@pytest.mark.parametrize("layer_type", [GcmLayer, XchachaLayer])
def test_both_ends_of_a_layer_agree_with_and_without_memo(name: str, layer_type: type[Layer]) -> None:
    texts = []
    for memo in (True, False):
        suite = suite_named(name, memo=memo)
        public, layer = suite.layer_to(layer_type, b"e" * 32, BOB_X.public)
        assert public == suite.ephemeral(b"e" * 32).public
        same = layer_type(suite.agree(BOB_X, public), public, BOB_X.public)
        sealed = layer.seal(b"text", bytes(24))
        assert suite.layer_from(layer_type, BOB_X, public).open(sealed) == b"text"
        assert suite.layer_from(layer_type, BOB_X, public).open(sealed) == b"text"  # the memo is used up
        assert same.open(sealed) == b"text"
        texts.append(sealed)
    assert texts[0] == texts[1]


@pytest.mark.parametrize("name", ["sodium", "fast"])
@pytest.mark.parametrize("memo", [True, False])
def test_a_layer_does_not_open_for_another_server_or_cipher(name: str, memo: bool) -> None:
    suite = suite_named(name, memo=memo)
    public, layer = suite.layer_to(GcmLayer, b"e" * 32, BOB_X.public)
    sealed = layer.seal(b"text", bytes(24))
    with pytest.raises(CannotOpen):
        suite.layer_from(GcmLayer, ALICE_X, public).open(sealed)
    with pytest.raises(CannotOpen):
        suite.layer_from(XchachaLayer, BOB_X, public).open(sealed)
    assert suite.layer_from(GcmLayer, BOB_X, public).open(sealed) == b"text"
    with pytest.raises(CannotOpen):
        suite.layer_from(GcmLayer, BOB_X, public[:31])


def test_fast_and_sodium_have_the_same_lengths() -> None:
    fast, slow = suite_named("fast"), suite_named("sodium")
    for one, other in (
        (fast.ephemeral(b"e" * 32), slow.ephemeral(b"e" * 32)),
        ((fast.agree(ALICE_X, BOB_X.public),), (slow.agree(ALICE_X, BOB_X.public),)),
        ((fast.sign(ALICE, b"m"),), (slow.sign(ALICE, b"m"),)),
        ((fast.decoy_signature(bytes(range(64))),), (slow.decoy_signature(bytes(range(64))),)),
        (
            (fast.seal_box(b"m", BOB_X.public, fast.ephemeral(b"e" * 32)),),
            (slow.seal_box(b"m", BOB_X.public, slow.ephemeral(b"e" * 32)),),
        ),
    ):
        assert [len(part) for part in one] == [len(part) for part in other]


def test_unknown_suite_is_named() -> None:
    with pytest.raises(InvalidInput, match="'sodum'"):
        suite_named("sodum")
