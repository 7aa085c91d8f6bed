"""Scalars and points: arithmetic worked out in whole numbers, and the points that are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen
from sessionsim.protocol.crypto import ScalarKey, curve, real

VECTORS = Path(__file__).parents[1] / "vectors"
POINTS = json.loads((VECTORS / "refused_points.json").read_text("utf-8"))["groups"]
REFUSED = {
    name: bytes.fromhex(point)
    for name, point in (POINTS["made:small_order"] | POINTS["made:other_refused"]).items()
}
ONE = (1).to_bytes(32, "little")
SCALARS = st.integers(1, curve.ORDER - 1)
FEW = settings(deadline=None, max_examples=30, derandomize=True)


def raw(scalar: int) -> bytes:
    return scalar.to_bytes(32, "little")


def number(scalar: bytes) -> int:
    return int.from_bytes(scalar, "little")


@given(SCALARS, SCALARS)
@FEW
def test_scalars_are_whole_numbers_modulo_the_order(a: int, b: int) -> None:
    assert number(curve.multiply(raw(a), raw(b))) == a * b % curve.ORDER
    assert number(curve.add(raw(a), raw(b))) == (a + b) % curve.ORDER
    assert number(curve.negate(raw(a))) == -a % curve.ORDER


@given(st.binary(min_size=64, max_size=64))
@FEW
def test_64_bytes_are_reduced(wide: bytes) -> None:
    assert number(curve.reduce(wide)) == number(wide) % curve.ORDER


@given(SCALARS, SCALARS)
@FEW
def test_points_add_up_in_the_exponent(a: int, b: int) -> None:
    assert curve.times(raw(b), curve.times_base(raw(a))) == curve.times_base(raw(a * b % curve.ORDER))


@given(SCALARS)
@FEW
def test_minus_a_scalar_is_the_point_of_the_other_sign(a: int) -> None:
    point, other = curve.times_base(raw(a)), curve.times_base(curve.negate(raw(a)))
    assert curve.is_negative(point) != curve.is_negative(other)
    assert curve.positive(point) == curve.positive(other)
    assert not curve.is_negative(curve.positive(point))


@given(SCALARS, st.binary(min_size=64, max_size=64).filter(any), st.binary(max_size=40))
@FEW
def test_signature_of_a_bare_scalar_is_an_ordinary_one(a: int, nonce: bytes, message: bytes) -> None:
    key = ScalarKey(curve.times_base(raw(a)), raw(a))
    signature = curve.sign(key, nonce, message)
    assert real.ed25519_verify(key.public, message, signature)
    assert not real.ed25519_verify(key.public, message + b"!", signature)


@pytest.mark.parametrize("point", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("scalar", [ONE, raw(8), raw(curve.ORDER - 1)], ids=["1", "8", "-1"])
def test_point_outside_the_main_group_is_refused(point: bytes, scalar: bytes) -> None:
    with pytest.raises(CannotOpen):
        curve.times(scalar, point)


@pytest.mark.parametrize("scalar", [raw(0), raw(curve.ORDER)], ids=["0", "the order"])
def test_scalar_that_gives_the_identity_is_refused(scalar: bytes) -> None:
    with pytest.raises(CannotOpen):
        curve.times_base(scalar)
    with pytest.raises(CannotOpen):
        curve.times(scalar, curve.times_base(ONE))
