"""XEd25519: the reference values, signatures under X25519 keys, and what is no valid one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.crypto import curve, real, xed25519
from sessionsim.protocol.identity import account_from_ed25519_seed

VECTORS = Path(__file__).parents[1] / "vectors"
GROUPS = json.loads((VECTORS / "xed25519.json").read_text("utf-8"))["groups"]
IDENTITY = json.loads((VECTORS / "identity.json").read_text("utf-8"))["groups"]
POINTS = json.loads((VECTORS / "refused_points.json").read_text("utf-8"))["groups"]
SMALL_ORDER = {name: bytes.fromhex(point) for name, point in POINTS["made:small_order"].items()}
PRIME = (1 << 255) - 19
POSITIVE, NEGATIVE = (
    account_from_ed25519_seed(bytes.fromhex(case["ed25519_seed"]))
    for case in IDENTITY["transport:identity.account_id"]["vectors"]
)


@pytest.mark.parametrize("case", GROUPS["messages:xed25519"], ids=lambda case: str(case["name"]))
def test_positive_point_of_the_reference(case: dict[str, Any]) -> None:
    public = bytes.fromhex(case["input"]["x25519_pk"])
    assert xed25519.ed25519_of_x25519(public).hex() == case["expected"]
    if "true_ed25519_pk" in case["input"]:
        assert curve.positive(bytes.fromhex(case["input"]["true_ed25519_pk"])).hex() == case["expected"]


@pytest.mark.parametrize("case", IDENTITY["transport:identity.account_id"]["vectors"])
def test_positive_point_of_the_accounts(case: dict[str, str]) -> None:
    public = bytes.fromhex(case["x25519_pubkey"])
    assert xed25519.ed25519_of_x25519(public).hex() == case["xed25519_positive_pubkey"]


@given(st.binary(min_size=32, max_size=32))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_point_is_the_accounts_own_but_for_the_sign(seed: bytes) -> None:
    account = account_from_ed25519_seed(seed)
    assert xed25519.ed25519_of_x25519(account.x.public) == curve.positive(account.ed.public)
    key = xed25519.scalar_key(account.x.secret)
    assert key.public == curve.positive(account.ed.public) == curve.times_base(key.scalar)


def test_both_accounts_of_the_reference_differ_in_sign() -> None:
    assert not curve.is_negative(POSITIVE.ed.public)
    assert curve.is_negative(NEGATIVE.ed.public)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64), st.binary(max_size=60))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_signature_verifies_under_the_x25519_key(seed: bytes, random: bytes, message: bytes) -> None:
    x = account_from_ed25519_seed(seed).x
    signature = xed25519.sign(x.secret, random, message)
    assert xed25519.verify(x.public, message, signature)
    assert not xed25519.verify(x.public, message + b"\0", signature)


def test_every_random_draw_gives_another_valid_signature() -> None:
    signatures = {xed25519.sign(NEGATIVE.x.secret, bytes([n]) * 64, b"text") for n in range(8)}
    assert len(signatures) == 8
    assert all(xed25519.verify(NEGATIVE.x.public, b"text", signature) for signature in signatures)


def test_plain_ed25519_signature_passes_only_from_a_positive_point() -> None:
    for account, passes in ((POSITIVE, True), (NEGATIVE, False)):
        assert xed25519.verify(account.x.public, b"m", real.ed25519_sign(account.ed, b"m")) is passes


def test_scalar_of_a_signature_beyond_the_order_is_refused() -> None:
    signature = xed25519.sign(POSITIVE.x.secret, bytes(64), b"m")
    beyond = int.from_bytes(signature[32:], "little") + curve.ORDER
    assert not xed25519.verify(POSITIVE.x.public, b"m", signature[:32] + beyond.to_bytes(32, "little"))


@pytest.mark.parametrize("point", SMALL_ORDER.values(), ids=SMALL_ORDER)
def test_key_of_small_order_verifies_nothing(point: bytes) -> None:
    y = int.from_bytes(point, "little") & (1 << 255) - 1
    u = (1 + y) * pow(1 - y, -1, PRIME) % PRIME if y != 1 else 0
    # With such a key R = S·B would pass if the key were allowed.
    signature = curve.times_base((1).to_bytes(32, "little")) + (1).to_bytes(32, "little")
    for number in range(16):
        assert not xed25519.verify(u.to_bytes(32, "little"), bytes([number]), signature)
        assert not real.ed25519_verify(point, bytes([number]), signature)


@given(st.binary(max_size=40), st.binary(max_size=70))
@settings(deadline=None, max_examples=100, derandomize=True)
def test_anything_else_is_simply_not_valid(public: bytes, signature: bytes) -> None:
    assert not xed25519.verify(public, b"m", signature)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_key_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(CannotOpen):
        xed25519.ed25519_of_x25519(bytes(size))
    with pytest.raises(LocalProtocolError):
        xed25519.scalar_key(bytes(size))


def test_the_key_without_counterpart_is_refused() -> None:
    minus_one = (PRIME - 1).to_bytes(32, "little")
    with pytest.raises(CannotOpen):
        xed25519.ed25519_of_x25519(minus_one)
    assert not xed25519.verify(minus_one, b"m", bytes(64))


@pytest.mark.parametrize("size", [0, 32, 63, 65])
def test_too_little_randomness_is_refused(size: int) -> None:
    with pytest.raises(LocalProtocolError):
        xed25519.sign(POSITIVE.x.secret, bytes(size), b"m")


@pytest.mark.parametrize(("public", "signature"), [(31, 64), (33, 64), (0, 64), (32, 63), (32, 65), (32, 0)])
def test_keys_and_signatures_of_other_lengths_do_not_verify(public: int, signature: int) -> None:
    good = real.ed25519_sign(POSITIVE.ed, b"m")
    assert not real.ed25519_verify((POSITIVE.ed.public + b"\0")[:public], b"m", (good + b"\0")[:signature])
