"""ML-KEM-768 in both suites: what holds for either, the real one against another implementation."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kyber_py.ml_kem import ML_KEM_768

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.crypto import SodiumSuite, Suite, drawn_kem, mlkem, suite_named

SEED, OTHER = bytes(range(64)), bytes(range(1, 65))
COINS = b"c" * 32
FEW = settings(deadline=None, max_examples=20, derandomize=True)


@pytest.fixture(params=["sodium", "fast", "library"])
def suite(request: pytest.FixtureRequest) -> Suite:
    return SodiumSuite() if request.param == "library" else suite_named(request.param)


def coefficients(public: bytes) -> list[int]:
    """Unpack 12-bit numbers by the definition (FIPS 203, ByteDecode)."""
    bits = int.from_bytes(public[:1152], "little")
    return [bits >> 12 * k & 0xFFF for k in range(768)]


def test_the_holder_of_the_seed_finds_the_secret(suite: Suite) -> None:
    pair = suite.kem_keypair(SEED)
    shared, ciphertext = suite.kem_encapsulate(pair.public, COINS)
    assert (len(pair.public), len(ciphertext), len(shared)) == (1184, 1088, 32)
    assert suite.kem_decapsulate(pair, ciphertext) == shared


def test_another_key_and_an_altered_ciphertext_give_other_secrets_and_no_error(suite: Suite) -> None:
    pair = suite.kem_keypair(SEED)
    shared, ciphertext = suite.kem_encapsulate(pair.public, COINS)
    altered = bytes([ciphertext[0] ^ 1]) + ciphertext[1:]
    found = {
        suite.kem_decapsulate(suite.kem_keypair(OTHER), ciphertext),
        suite.kem_decapsulate(pair, altered),
        suite.kem_decapsulate(pair, bytes(1088)),
        shared,
    }
    assert len(found) == 4
    assert {len(secret) for secret in found} == {32}


def test_pairs_follow_from_seeds(suite: Suite) -> None:
    assert suite.kem_keypair(SEED) == suite.kem_keypair(bytes(SEED))
    assert suite.kem_keypair(SEED).public != suite.kem_keypair(OTHER).public


@pytest.mark.parametrize("size", [0, 32, 63, 65])
def test_a_seed_of_another_length_is_our_mistake(suite: Suite, size: int) -> None:
    with pytest.raises(LocalProtocolError):
        suite.kem_keypair(bytes(size))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_coins_of_another_length_are_our_mistake(suite: Suite, size: int) -> None:
    with pytest.raises(LocalProtocolError):
        suite.kem_encapsulate(suite.kem_keypair(SEED).public, bytes(size))


@pytest.mark.parametrize("size", [0, 1087, 1089])
def test_a_ciphertext_of_another_length_does_not_open(suite: Suite, size: int) -> None:
    with pytest.raises(CannotOpen):
        suite.kem_decapsulate(suite.kem_keypair(SEED), bytes(size))


@pytest.mark.parametrize(
    "public",
    [
        b"",
        suite_named("sodium").kem_keypair(SEED).public[:-1],
        suite_named("sodium").kem_keypair(SEED).public + b"\0",
        b"\x01\x0d" + bytes(1182),  # the first coefficient is 3329
        bytes(1149) + b"\x00\x10\xd0" + bytes(32),  # and the last one
        b"\xff" * 1184,
    ],
    ids=["empty", "short", "long", "first too large", "last too large", "all too large"],
)
def test_a_key_that_is_none_is_refused(suite: Suite, public: bytes) -> None:
    with pytest.raises(CannotOpen):
        suite.kem_encapsulate(public, COINS)


def test_the_largest_coefficients_are_taken(suite: Suite) -> None:
    bits = sum(3328 << 12 * k for k in range(768))
    shared, _ciphertext = suite.kem_encapsulate(bits.to_bytes(1152, "little") + bytes(32), COINS)
    assert len(shared) == 32


@given(st.binary(max_size=1300))
@FEW
def test_any_bytes_are_refused_or_taken_alike(public: bytes) -> None:
    outcomes = []
    for suite in (suite_named("sodium"), suite_named("fast"), SodiumSuite()):
        try:
            suite.kem_encapsulate(public.ljust(1184, b"\0"), COINS)
        except CannotOpen:
            outcomes.append("refused")
        else:
            outcomes.append("taken")
    assert len(set(outcomes)) == 1


@pytest.mark.parametrize("suite", [suite_named("sodium"), SodiumSuite()], ids=["runs", "library"])
def test_the_real_one_agrees_with_another_implementation(suite: Suite) -> None:
    pair = suite.kem_keypair(SEED)
    public, secret = ML_KEM_768.key_derive(SEED)
    assert pair.public == public
    shared, ciphertext = ML_KEM_768._encaps_internal(public, COINS)
    assert suite.kem_decapsulate(pair, ciphertext) == shared
    shared, ciphertext = suite.kem_encapsulate(public, COINS)
    assert ML_KEM_768.decaps(secret, ciphertext) == shared
    # A refused ciphertext gives the secret that the standard says, not just any.
    rejected = hashlib.shake_256(SEED[32:] + bytes(1088)).digest(32)
    assert suite.kem_decapsulate(pair, bytes(1088)) == rejected


def test_the_library_draws_the_coins_of_the_real_one() -> None:
    public = mlkem.public_of(SEED)
    assert mlkem.encapsulate(public)[1] != mlkem.encapsulate(public)[1]


@pytest.mark.parametrize("number", range(8))
def test_from_the_same_coins_another_implementation_makes_the_same_bytes(number: int) -> None:
    drawn = hashlib.shake_256(bytes([number])).digest(96)
    public, coins = mlkem.public_of(drawn[:64]), drawn[64:]
    assert drawn_kem.encapsulate(public, coins) == ML_KEM_768._encaps_internal(public, coins)


def test_the_library_opens_what_is_made_from_coins() -> None:
    for number in range(200):
        drawn = hashlib.shake_256(b"many" + bytes([number])).digest(96)
        shared, ciphertext = drawn_kem.encapsulate(mlkem.public_of(drawn[:64]), drawn[64:])
        assert mlkem.decapsulate(drawn[:64], ciphertext) == shared


def test_a_polynomial_that_needs_more_blocks_gets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [drawn_kem._uniform(bytes([number])) for number in range(30)]
    monkeypatch.setattr(drawn_kem, "_DRAWN_BYTES", 168)
    for number, numbers in enumerate(drawn):
        assert drawn_kem._uniform(bytes([number])).tolist() == numbers.tolist()
        assert max(numbers) < 3329
        assert len(numbers) == 256


@pytest.mark.parametrize("name", ["fast", "sodium"])
def test_suites_of_runs_repeat_with_their_coins(name: str) -> None:
    suite = suite_named(name)
    public = suite.kem_keypair(SEED).public
    assert suite.kem_encapsulate(public, COINS) == suite.kem_encapsulate(public, COINS)
    assert suite.kem_encapsulate(public, COINS)[1] != suite.kem_encapsulate(public, b"d" * 32)[1]


def test_keys_of_the_cheap_one_have_even_coefficients_below_the_modulus() -> None:
    suite, counts = suite_named("fast"), Counter[int]()
    for k in range(60):
        counts.update(coefficients(suite.kem_keypair(hashlib.sha512(b"%d" % k).digest()).public))
    assert max(counts) < 3329
    # 46,080 draws in 13 classes of 256 numbers (the last has 257): chi-squared with 12 degrees of freedom.
    classes = [0] * 13
    for value, count in counts.items():
        classes[min(12, value // 256)] += count
    expected = [46_080 * (257 if k == 12 else 256) / 3329 for k in range(13)]
    assert sum((c - e) ** 2 / e for c, e in zip(classes, expected, strict=True)) < 32.9  # p = 0.001
