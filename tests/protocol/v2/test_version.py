"""Version 2 as a client uses it: texts, own copies, falling back, reading after a rotation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import account_from_ed25519_seed
from sessionsim.protocol.v2 import KeyCache, KeyState, account_keys, read_record
from sessionsim.protocol.versions import v1, v2

SENT_MS = 1_777_000_000_000
PROFILE = v1.Profile("Alice Example", "p" * 116, bytes(range(32)), SENT_MS // 1000)


def sealed(cast: Any, content: bytes, *, keys: Any = "first", sender: Any = None, to: Any = None) -> bytes:
    stored: bytes = v2.seal_direct(
        cast.suite,
        sender or cast.alice,
        (to or cast.bob).id,
        cast.held[0].public if keys == "first" else keys,
        content,
        cast.raw("random", v2.RANDOM_BYTES),
    )
    return stored


def test_a_text_arrives_with_and_without_keys(cast: Any) -> None:
    content = v2.encode_text("hello", SENT_MS, profile=PROFILE)
    for keys in ("first", None):
        stored = sealed(cast, content, keys=keys)
        assert (len(stored), v2.version_of(stored)) == (1536, 2)
        opened = v2.open_direct(cast.suite, cast.bob, cast.held, stored)
        assert opened == v2.DirectMessage(cast.alice.id, SENT_MS, "hello", b"", keys is not None, None)


@pytest.mark.parametrize(
    ("text", "full", "v1_bytes", "v2_bytes"),
    [(1, False, 398, 1536), (1, True, 558, 1536), (50, False, 398, 1536), (50, True, 558, 1536),
     (200, False, 558, 1536), (200, True, 718, 1792), (2000, False, 2318, 3328), (2000, True, 2478, 3584),
     (10_000, True, 10_478, 11_520)],
)  # fmt: skip
def test_the_same_text_in_both_versions_has_the_sizes_of_the_table(
    fast: Any, text: int, full: bool, v1_bytes: int, v2_bytes: int
) -> None:
    # messages section 2.4.
    content = v2.encode_text("x" * text, SENT_MS, profile=PROFILE if full else None)
    assert len(sealed(fast, content)) == v2_bytes
    old = v1.seal_direct(fast.suite, fast.alice, fast.bob.id, content, SENT_MS, fast.raw("random", 96))
    assert len(old) == v1_bytes
    assert v2.version_of(old) == 1


def test_the_copy_for_the_own_devices_is_a_message_to_oneself(cast: Any) -> None:
    # Hole H5.
    content = v2.encode_text("hello", SENT_MS, sync_target=cast.bob.id)
    stored = sealed(cast, content, to=cast.alice)
    opened = v2.open_direct(cast.suite, cast.alice, cast.held, stored)
    assert (opened.sender_id, opened.sync_target) == (cast.alice.id, cast.bob.id)
    with pytest.raises(RemoteProtocolError, match="another account"):
        v2.open_direct(cast.suite, cast.bob, cast.held, sealed(cast, content))


def test_what_is_no_text_is_refused(cast: Any) -> None:
    for content in (b"", b"\xff\xff", b"\x7a\x00"):
        with pytest.raises(RemoteProtocolError):
            v2.open_direct(cast.suite, cast.bob, cast.held, sealed(cast, content))


def test_too_little_randomness_is_our_mistake(cast: Any) -> None:
    with pytest.raises(LocalProtocolError):
        v2.seal_direct(cast.suite, cast.alice, cast.bob.id, None, b"", bytes(v2.RANDOM_BYTES - 1))


def test_a_device_that_missed_a_rotation_fetches_and_then_reads(swarm: Any, cast: Any) -> None:
    # protocol-v2 section 10: it tries, fetches namespace 21, and tries again.
    one, two = swarm.group_of(2)
    swarm.later(12)
    one.rotate_account_keys(swarm.now_us)
    swarm.push(one)
    keys = read_record(swarm.account.id, swarm.record)
    content = v2.encode_text("hello", SENT_MS)
    stored = v2.seal_direct(
        swarm.suite, cast.alice, swarm.account.id, keys, content, cast.raw("r", v2.RANDOM_BYTES)
    )
    assert v2.open_direct(swarm.suite, swarm.account, one.account_keys, stored).body == "hello"
    with pytest.raises(v2.NoKeyFits):
        v2.open_direct(swarm.suite, swarm.account, two.account_keys, stored)
    swarm.fetch(two)
    assert v2.open_direct(swarm.suite, swarm.account, two.account_keys, stored).body == "hello"


def test_a_removed_device_reads_nothing_sent_under_the_keys_after_it(swarm: Any, cast: Any) -> None:
    one, two = swarm.group_of(2)
    content, random = v2.encode_text("hello", SENT_MS), cast.raw("r", v2.RANDOM_BYTES)

    def sent() -> bytes:
        keys = read_record(swarm.account.id, swarm.record)
        return v2.seal_direct(swarm.suite, cast.alice, swarm.account.id, keys, content, random)

    before = sent()
    one.remove_device(two.device_id, swarm.now_us)
    swarm.push(one)
    swarm.fetch(two)
    after = sent()
    assert v2.open_direct(swarm.suite, swarm.account, two.account_keys, before).body == "hello"
    with pytest.raises(CannotOpen):
        v2.open_direct(swarm.suite, swarm.account, two.account_keys, after)
    # But a fallback is open to whoever has the account's words, in the group or not.
    fallback = v2.seal_direct(swarm.suite, cast.alice, swarm.account.id, None, content, random)
    assert not v2.open_direct(swarm.suite, swarm.account, two.account_keys, fallback).forward_secret


def test_a_sender_falls_back_when_its_contact_has_published_nothing(cast: Any) -> None:
    cache = KeyCache()
    assert cache.plan(cast.bob.id, 0).wait
    cache.fetched(cast.bob.id, None, 1)
    plan = cache.plan(cast.bob.id, 2)
    assert (plan.state, plan.keys, plan.wait) == (KeyState.REFUSED, None, False)
    stored = sealed(cast, v2.encode_text("hello", SENT_MS), keys=plan.keys)
    assert not v2.open_direct(cast.suite, cast.bob, [], stored).forward_secret


SUITE = suite_named("fast")


@given(st.text(max_size=300), st.integers(1, 2**48), st.booleans(), st.binary(min_size=32, max_size=32))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_what_is_sent_is_read(body: str, sent_ms: int, pfs: bool, seed: bytes) -> None:
    alice, bob = account_from_ed25519_seed(seed), account_from_ed25519_seed(b"b" * 32)
    keys = account_keys(SUITE, seed)
    random = (seed * 40)[: v2.RANDOM_BYTES]
    content = v2.encode_text(body, sent_ms)
    stored = v2.seal_direct(SUITE, alice, bob.id, keys.public if pfs else None, content, random)
    opened = v2.open_direct(SUITE, bob, [keys], stored)
    assert (opened.sender_id, opened.sent_ms, opened.body) == (alice.id, sent_ms, body)
    assert opened.forward_secret is pfs
