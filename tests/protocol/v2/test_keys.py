"""Expansion of seeds: lengths, domains, both suites."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.crypto import real, suite_named
from sessionsim.protocol.v2.keys import ACCOUNT_DOMAIN, DEVICE_DOMAIN, account_keys, device_keys, expand


def test_lengths_are_those_of_the_specification(cast: Any) -> None:
    # protocol-v2 section 2.
    keys = account_keys(cast.suite, cast.raw("seed", 32))
    assert (len(keys.kem.public), len(keys.kem.secret)) == (1184, 64)
    assert (len(keys.x.public), len(keys.x.secret)) == (32, 32)
    assert keys.public == (keys.kem.public, keys.x.public)


def test_device_and_account_keys_of_one_seed_have_nothing_in_common(cast: Any) -> None:
    seed = cast.raw("seed", 32)
    one, other = account_keys(cast.suite, seed), device_keys(cast.suite, seed)
    assert one.x.public != other.x.public
    assert one.kem.public[:1152] != other.kem.public[:1152]


def test_the_x25519_half_comes_first_and_is_real_in_both_suites() -> None:
    seed = bytes(range(32))
    x_secret, kem_seed = expand(ACCOUNT_DOMAIN, seed)
    assert (x_secret, kem_seed) != expand(DEVICE_DOMAIN, seed)
    for name in ("fast", "sodium"):
        keys = account_keys(suite_named(name), seed)
        assert keys.x == real.x25519_keypair(x_secret)
        assert keys.kem.secret == kem_seed


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_seed_of_another_length_is_our_mistake(cast: Any, size: int) -> None:
    with pytest.raises(LocalProtocolError):
        account_keys(cast.suite, bytes(size))
    with pytest.raises(LocalProtocolError):
        device_keys(cast.suite, bytes(size))
