"""How often a key indicator fits a key by chance, against the formulas (protocol-v2 7.3, and `indicator`)."""

from __future__ import annotations

import hashlib
from collections import Counter
from math import sqrt
from random import Random

import pytest

from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.v2.indicator import LINK_PERSON, MESSAGE_PERSON, mask, masked
from sessionsim.protocol.v2.keys import account_keys
from sessionsim.protocol.v2.receiving import candidates

HELD = 33  # seeds at a period of 12 h and a retention of 16 d (protocol-v2 5)
KEYS = 12_000


@pytest.mark.parametrize("name", ["fast", "sodium"])
def test_two_keys_agree_as_often_as_two_ml_kem_keys_do(name: str) -> None:
    # 12 bits of a number below 3329 and 4 bits of another: the sum of squares over all pairs of values.
    low = [sum(1 for c in range(3329) if c % 16 == k) / 3329 for k in range(16)]
    fits = sum(p * p for p in low) / 3329
    assert 1 / fits == pytest.approx(53_264, abs=1)
    suite = suite_named(name)
    starts = Counter(suite.kem_keypair(hashlib.sha512(b"%d" % k).digest()).public[:2] for k in range(KEYS))
    agreeing = sum(count * (count - 1) // 2 for count in starts.values())
    expected = KEYS * (KEYS - 1) / 2 * fits
    assert abs(agreeing - expected) < 4 * sqrt(expected)
    # It can be told from the 1/65,536 of evenly spread bytes.
    assert agreeing - KEYS * (KEYS - 1) / 2 / 65_536 > 3 * sqrt(expected)


def test_a_random_indicator_fits_some_held_key_with_33_in_65536() -> None:
    suite, chance = suite_named("fast"), Random(3)
    held = [account_keys(suite, hashlib.sha256(b"held %d" % k).digest()) for k in range(HELD)]
    starts = {keys.kem.public[:2]: place for place, keys in enumerate(held)}
    assert len(starts) == HELD
    assert all(candidates(two, held) == [place] for two, place in starts.items())
    draws = 200_000
    fitting = sum(len(candidates(chance.randbytes(2), held)) for _ in range(draws))
    expected = draws * HELD / 65_536
    assert abs(fitting - expected) < 4 * sqrt(expected)


def test_a_mask_depends_on_all_it_is_made_of_and_undoes_itself() -> None:
    shared, ephemeral, account = b"s" * 32, b"e" * 32, b"a" * 32
    found = {
        mask(shared, ephemeral, account, MESSAGE_PERSON),
        mask(shared, ephemeral, account, LINK_PERSON),
        mask(b"t" * 32, ephemeral, account, MESSAGE_PERSON),
        mask(shared, b"f" * 32, account, MESSAGE_PERSON),
        mask(shared, ephemeral, b"b" * 32, MESSAGE_PERSON),
    }
    assert len(found) == 5
    for hidden_by in found:
        assert masked(masked(b"ab", hidden_by), hidden_by) == b"ab"
