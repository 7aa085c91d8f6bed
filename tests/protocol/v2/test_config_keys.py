"""Keys of configs from the account's seeds: one for each, and nobody else's."""

from __future__ import annotations

import hashlib

import pytest

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.v2 import AccountSeed
from sessionsim.protocol.v2.config_keys import config_key, config_keys


def test_each_seed_gives_a_key_of_its_own() -> None:
    seeds = [bytes([k]) * 32 for k in range(20)]
    keys = [config_key(seed) for seed in seeds]
    assert len({*keys, *seeds}) == 40
    assert keys[7] == hashlib.blake2b(b"\7" * 32, digest_size=32, person=b"SessionCfgDevGrp").digest()


def test_keys_come_in_the_order_of_the_seeds() -> None:
    held = [AccountSeed(bytes([k]) * 32, 100 - k, 0) for k in range(3)]
    assert config_keys(held) == tuple(config_key(one.seed) for one in held)
    assert config_keys(()) == ()


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_seed_of_another_length_is_our_mistake(size: int) -> None:
    with pytest.raises(LocalProtocolError):
        config_key(bytes(size))
