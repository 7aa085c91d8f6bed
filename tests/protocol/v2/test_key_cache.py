"""A sender's knowledge of keys: the table of states, at its boundaries, and the switches."""

from __future__ import annotations

import pytest

from sessionsim.core.units import US_PER_H, US_PER_S
from sessionsim.protocol.v2 import KeyCache, KeyState, PublicKeys, V2Rules

KEYS, NEWER = PublicKeys(b"m" * 1184, b"x" * 32), PublicKeys(b"n" * 1184, b"y" * 32)
ID = b"\x05" + bytes(32)
T = 1_777_000_000_000_000
H = US_PER_H


def cache_with(keys: PublicKeys | None, **rules: object) -> KeyCache:
    """Give a cache after one fetch at T."""
    cache = KeyCache(V2Rules(**rules))  # type: ignore[arg-type]
    cache.fetched(ID, keys, T)
    return cache


@pytest.mark.parametrize(
    ("age_us", "state", "usable", "fetch", "wait"),
    [
        (0, KeyState.FRESH, True, False, False),
        (24 * H - 1, KeyState.FRESH, True, False, False),
        (24 * H, KeyState.STALE, True, True, False),
        (48 * H, KeyState.STALE, True, True, False),
        (48 * H + 1, KeyState.EXPIRED, False, True, True),
        (1000 * H, KeyState.EXPIRED, False, True, True),
    ],
)
def test_keys_age(age_us: int, state: KeyState, usable: bool, fetch: bool, wait: bool) -> None:
    plan = cache_with(KEYS).plan(ID, T + age_us)
    assert plan == (state, KEYS if usable else None, fetch, wait)


def test_keys_never_fetched_are_waited_for() -> None:
    assert KeyCache().plan(ID, T) == (KeyState.NONE, None, True, True)


@pytest.mark.parametrize(
    ("age_us", "state", "fetch"),
    [(0, KeyState.REFUSED, False), (H - 1, KeyState.REFUSED, False), (H, KeyState.NONE, True)],
)
def test_a_fetch_that_found_none_is_not_repeated_for_an_hour(
    age_us: int, state: KeyState, fetch: bool
) -> None:
    assert cache_with(None).plan(ID, T + age_us) == (state, None, fetch, fetch)


def test_a_refusal_leaves_stale_keys_usable_and_stops_only_the_fetch() -> None:
    cache = cache_with(KEYS)
    cache.fetched(ID, None, T + 30 * H)
    assert cache.plan(ID, T + 30 * H + 1) == (KeyState.STALE, KEYS, False, False)
    assert cache.plan(ID, T + 31 * H) == (KeyState.STALE, KEYS, True, False)
    cache.fetched(ID, None, T + 48 * H)
    assert cache.plan(ID, T + 48 * H + 1) == (KeyState.REFUSED, None, False, False)
    assert cache.plan(ID, T + 49 * H) == (KeyState.EXPIRED, None, True, True)


def test_the_code_asks_again_with_each_message_while_older_keys_are_held() -> None:
    cache = cache_with(KEYS, refusal_beside_keys="ask-again")
    cache.fetched(ID, None, T + 30 * H)
    assert cache.plan(ID, T + 30 * H + 1) == (KeyState.STALE, KEYS, True, False)
    cache.fetched(ID, None, T + 48 * H)
    assert cache.plan(ID, T + 48 * H + 1) == (KeyState.EXPIRED, None, True, True)
    without = cache_with(None, refusal_beside_keys="ask-again")
    assert without.plan(ID, T + 1) == (KeyState.REFUSED, None, False, False)


def test_newer_keys_replace_older_ones_and_a_refusal() -> None:
    cache = cache_with(None)
    cache.fetched(ID, KEYS, T + 1)
    assert cache.plan(ID, T + 2).keys == KEYS
    cache.fetched(ID, NEWER, T + 25 * H)
    assert cache.plan(ID, T + 26 * H) == (KeyState.FRESH, NEWER, False, False)


def test_accounts_do_not_mix() -> None:
    assert cache_with(KEYS).state(b"\x05" + bytes(31) + b"\x01", T) is KeyState.NONE


def test_without_enforcement_any_cached_key_is_used() -> None:
    # What the code that we read does, and the document forbids (protocol-v2 6).
    cache = cache_with(KEYS, cache_enforce_expiry=False)
    assert cache.plan(ID, T + 1000 * H) == (KeyState.EXPIRED, KEYS, True, False)


def test_a_wait_of_nothing_falls_back_at_once() -> None:
    # Hole H4; the fetch goes on for the next message.
    assert KeyCache(V2Rules(key_wait_us=0)).plan(ID, T) == (KeyState.NONE, None, True, False)


def test_ages_are_rules() -> None:
    cache = cache_with(KEYS, keys_fresh_us=US_PER_S, keys_usable_us=2 * US_PER_S)
    states = [cache.state(ID, T + age) for age in (0, US_PER_S, 2 * US_PER_S, 2 * US_PER_S + 1)]
    assert states == [KeyState.FRESH, KeyState.STALE, KeyState.STALE, KeyState.EXPIRED]
