"""Expansion of seeds: lengths, domains, both suites."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol import namespaces
from sessionsim.protocol.crypto import aead, mlkem, real, suite_named
from sessionsim.protocol.v2.devices.group_id import GROUP_ID_BYTES
from sessionsim.protocol.v2.devices.kicked import ENTRY_BYTES
from sessionsim.protocol.v2.devices.record import DEVICE_ID_BYTES
from sessionsim.protocol.v2.devices.slots import KEY_SLOT_BYTES
from sessionsim.protocol.v2.indicator import INDICATOR_BYTES
from sessionsim.protocol.v2.keys import (
    ACCOUNT_DOMAIN,
    DEVICE_DOMAIN,
    SEED_BYTES,
    account_keys,
    device_keys,
    expand,
)


def test_lengths_are_those_of_the_specification(cast: Any) -> None:
    # protocol-v2 section 2.
    keys = account_keys(cast.suite, cast.raw("seed", 32))
    assert (len(keys.kem.public), len(keys.kem.secret)) == (1184, 64)
    assert (len(keys.x.public), len(keys.x.secret)) == (32, 32)
    assert keys.public == (keys.kem.public, keys.x.public)


def test_other_lengths_are_those_of_the_specification() -> None:
    # The rest of the table of protocol-v2 section 2.
    assert (mlkem.CIPHERTEXT_BYTES, mlkem.SEED_BYTES, mlkem.SHARED_BYTES) == (1088, 64, 32)
    assert (aead.NONCE_BYTES, aead.TAG_BYTES, SEED_BYTES) == (24, 16, 32)
    assert (GROUP_ID_BYTES, DEVICE_ID_BYTES, ENTRY_BYTES) == (8, 32, 16)
    assert (KEY_SLOT_BYTES, INDICATOR_BYTES) == (34, 2)


def test_the_namespaces_are_a_private_one_and_a_public_outbox() -> None:
    # protocol-v2 sections 4 and 8; the rules of service nodes follow from the numbers.
    assert namespaces.is_public_outbox(namespaces.ACCOUNT_KEYS)
    assert namespaces.is_open_to_read(namespaces.ACCOUNT_KEYS)
    assert not namespaces.is_public_inbox(namespaces.DEVICES)
    assert not namespaces.is_open_to_read(namespaces.DEVICES)


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
