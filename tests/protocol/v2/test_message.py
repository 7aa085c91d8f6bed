"""Messages on the wire: every row of the size tables, the layout, and that the two forms look alike."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.crypto import SodiumSuite, Suite, real, suite_named
from sessionsim.protocol.v2.inner import inner_bytes, write_inner
from sessionsim.protocol.v2.keys import PublicKeys, account_keys
from sessionsim.protocol.v2.message import (
    FALLBACK_RANDOM_BYTES,
    OVERHEAD_BYTES,
    RANDOM_BYTES,
    message_bytes,
    padded_bytes,
    seal,
    seal_fallback,
)
from sessionsim.protocol.v2.receiving import open_message

# protocol-v2 section 7.2, measured: content -> V2, V2 with Pro signature.
SIZES = [
    (0, 1536, 1536),
    (200, 1536, 1536),
    (278, 1536, 1792),
    (279, 1536, 1792),
    (280, 1792, 1792),
    (535, 1792, 2048),
    (536, 2048, 2048),
    (1000, 2304, 2560),
    (2000, 3328, 3584),
    (4000, 5376, 5376),
]
# messages 2.4, last column: Content of a text -> V2.
TEXTS = [
    (12, 1536),
    (194, 1536),
    (243, 1536),
    (213, 1536),
    (394, 1792),
    (2013, 3328),
    (2194, 3584),
    (10194, 11520),
]
PRO = real.ed25519_keypair(b"p" * 32)


@pytest.mark.parametrize(("content", "plain", "with_pro"), SIZES)
def test_sizes_of_the_specification(cast: Any, content: int, plain: int, with_pro: int) -> None:
    for pro, size in ((None, plain), (PRO, with_pro)):
        random = cast.raw("random", RANDOM_BYTES)
        stored = seal(
            cast.suite, cast.alice.ed, cast.bob.id, cast.held[0].public, bytes(content), random, pro
        )
        assert len(stored) == message_bytes(content, pro=pro is not None) == size
        random = cast.raw("random", FALLBACK_RANDOM_BYTES)
        assert len(seal_fallback(cast.suite, cast.alice.ed, cast.bob.id, bytes(content), random, pro)) == size


@pytest.mark.parametrize(("content", "size"), TEXTS)
def test_sizes_of_texts(content: int, size: int) -> None:
    assert message_bytes(content) == size


def test_layout(cast: Any) -> None:
    random = cast.raw("random", RANDOM_BYTES)
    stored = seal(cast.suite, cast.alice.ed, cast.bob.id, cast.held[0].public, b"text", random)
    assert stored[:2] == b"\x00\x02"
    assert stored[4:36] == cast.suite.ephemeral(random[:32]).public
    assert len(stored) - OVERHEAD_BYTES == 396
    assert OVERHEAD_BYTES == 1140


@given(st.integers(0, 20_000), st.booleans())
@settings(deadline=None, max_examples=200, derandomize=True)
def test_sizes_are_steps_of_256_from_1536_and_no_larger_than_needed(content: int, pro: bool) -> None:
    size = message_bytes(content, pro=pro)
    needed = 1140 + 114 + len(str(content)) + content + 71 * pro
    assert size >= 1536
    assert size % 256 == 0
    assert size >= needed
    assert size == 1536 or size - needed < 256


@given(st.binary(max_size=1200), st.booleans())
@settings(deadline=None, max_examples=40, derandomize=True)
def test_the_inner_dict_has_the_length_that_is_told(content: bytes, pro: bool) -> None:
    suite = suite_named("fast")
    inner = write_inner(suite, PRO, bytes(33), content, PRO if pro else None)
    assert len(inner) == inner_bytes(len(content), pro=pro)
    assert padded_bytes(len(inner)) >= len(inner)


@pytest.mark.parametrize("pro", [None, PRO], ids=["plain", "Pro"])
def test_the_recipient_opens_both_forms(cast: Any, pro: Any) -> None:
    random = cast.raw("random", RANDOM_BYTES)
    keys = cast.held[1].public
    opened = open_message(
        cast.suite,
        cast.bob,
        cast.held,
        seal(cast.suite, cast.alice.ed, cast.bob.id, keys, b"hello", random, pro),
    )
    assert (opened.inner.sender, opened.inner.content, opened.key) == (cast.alice.ed.public, b"hello", 1)
    assert (opened.inner.pro_signature is None) == (pro is None)
    random = cast.raw("random", FALLBACK_RANDOM_BYTES)
    stored = seal_fallback(cast.suite, cast.alice.ed, cast.bob.id, b"hello", random, pro)
    opened = open_message(cast.suite, cast.bob, cast.held, stored)
    assert (opened.inner.sender, opened.inner.content, opened.key) == (cast.alice.ed.public, b"hello", None)
    assert (opened.inner.pro_signature is None) == (pro is None)


def test_the_two_forms_differ_in_nothing_that_stands_still(cast: Any) -> None:
    # Every byte but the marker varies in both: marker, then what looks like noise.
    forms: list[list[bytes]] = [[], []]
    for k in range(24):
        random = cast.raw(k, FALLBACK_RANDOM_BYTES)
        forms[0].append(
            seal(cast.suite, cast.alice.ed, cast.bob.id, cast.held[0].public, b"t", random[:RANDOM_BYTES])
        )
        forms[1].append(seal_fallback(cast.suite, cast.alice.ed, cast.bob.id, b"t", random))
    for form in forms:
        fixed = [place for place, column in enumerate(zip(*form, strict=True)) if len(set(column)) == 1]
        assert fixed == [0, 1]


def test_both_suites_give_the_same_lengths(fast: Any) -> None:
    random = fast.raw("random", RANDOM_BYTES)
    sizes = set()
    for name in ("fast", "sodium"):
        suite = suite_named(name)
        keys = account_keys(suite, bytes(32)).public
        sizes.add(len(seal(suite, fast.alice.ed, fast.bob.id, keys, b"hello", random)))
    assert sizes == {1536}


def test_suites_of_runs_repeat_with_their_randomness_and_the_bare_library_does_not(fast: Any) -> None:
    random = fast.raw("random", RANDOM_BYTES)

    def twice(suite: Suite) -> bool:
        keys = account_keys(suite, bytes(32)).public
        one, other = (seal(suite, fast.alice.ed, fast.bob.id, keys, b"hello", random) for _ in range(2))
        assert one[:36] == other[:36]  # only what ML-KEM's own randomness touches differs
        return one == other

    suites = suite_named("fast"), suite_named("sodium"), SodiumSuite()
    assert [twice(suite) for suite in suites] == [True, True, False]


def test_wrong_use_is_our_mistake(cast: Any) -> None:
    keys = cast.held[0].public
    for size in (RANDOM_BYTES - 1, RANDOM_BYTES + 1):
        with pytest.raises(LocalProtocolError):
            seal(cast.suite, cast.alice.ed, cast.bob.id, keys, b"", bytes(size))
    with pytest.raises(LocalProtocolError):
        seal_fallback(cast.suite, cast.alice.ed, cast.bob.id, b"", bytes(FALLBACK_RANDOM_BYTES - 1))
    for recipient in (cast.bob.id[1:], b"\x15" + cast.bob.id[1:], cast.bob.id + b"\0"):
        with pytest.raises(LocalProtocolError):
            seal(cast.suite, cast.alice.ed, recipient, keys, b"", bytes(RANDOM_BYTES))


def test_keys_that_are_none_are_refused() -> None:
    cast_suite, random = suite_named("sodium"), b"r" * RANDOM_BYTES
    sender = real.ed25519_keypair(b"s" * 32)
    good = account_keys(cast_suite, bytes(32)).public
    recipient = b"\x05" + real.x25519_keypair(b"b" * 32).public
    for keys in (PublicKeys(b"\xff" * 1184, good.x), PublicKeys(good.kem, bytes(32))):
        with pytest.raises(CannotOpen):
            seal(cast_suite, sender, recipient, keys, b"", random)
