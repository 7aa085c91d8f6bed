"""Bencode, varied by its values: each is a stretch of bytes that can be replaced, doubled or taken out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.forms._bytes import NUMBERS

_VALUES = (
    *(
        b"i0e",
        b"i-0e",
        b"i1e",
        b"i-1e",
        b"ie",
        b"i 1e",
        b"i01e",
        b"0:",
        b"1:a",
        b"01:a",
        b"-1:",
        b"1:",
        b"le",
        b"de",
        b"e",
    ),
    *(
        b"l",
        b"d",
        b"lee",
        b"d0:de0:dee",
        b"d1:ai1e1:ai2ee",
        b"d1:bi1e1:ai2ee",
        b"di1ei2ee",
        b"d1:ae",
        b"99999999:",
        b"9999999999:a",
    ),
    *(
        b"l" * 40 + b"e" * 40,
        b"d1:a" * 40 + b"i1e" + b"e" * 40,
        b"l" * 31 + b"e" * 31,
        b"32:" + b"\xff" * 32,
        b"64:" + bytes(64),
    ),
)


def end_of(raw: bytes, at: int, depth: int = 60) -> int:
    """Say where the value that begins at a place ends; −1 if it is none, or nested deeper than `depth`."""
    first = raw[at : at + 1]
    if first == b"i":
        return raw.find(b"e", at) + 1 or -1
    if first in (b"l", b"d"):
        at += 1
        while depth and 0 <= at < len(raw):
            if raw[at : at + 1] == b"e":
                return at + 1
            at = end_of(raw, at, depth - 1)
        return -1
    colon = raw.find(b":", at, at + 9)
    if colon < 0 or not raw[at:colon].isdigit():
        return -1
    end = colon + 1 + int(raw[at:colon])
    return end if end <= len(raw) else -1


@lru_cache(maxsize=4096)
def _spans(raw: bytes) -> tuple[tuple[int, int], ...]:
    """Give the stretches of all values, keys of dicts included; none for what does not begin with one."""
    found: list[tuple[int, int]] = []
    stack = [0]
    while stack:
        at = stack.pop()
        end = end_of(raw, at)
        if end < 0 or len(found) > 300:
            continue
        found.append((at, end))
        if raw[at : at + 1] in (b"l", b"d"):
            at += 1
            while raw[at : at + 1] != b"e":
                stack.append(at)
                at = end_of(raw, at)
    return tuple(sorted(found))


def vary(raw: bytes, random: Random, others: tuple[bytes, ...]) -> bytes:
    """Change one to three values. Bytes before and behind the first value stay."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        spans = _spans(raw) if len(raw) < 8_000 else ()
        if not spans:
            return raw + random.choice(_VALUES)
        first, last = random.choice(spans)
        way = random.randrange(9)
        if way < 3:
            raw = raw[:first] + _value(random, raw, spans, others) + raw[last:]
        elif way == 3:
            raw = raw[:last] + raw[first:last] * random.choice((1, 1, 2, 30)) + raw[last:]
        elif way == 4:
            raw = raw[:first] + raw[last:]
        elif way == 5:
            other_first, other_last = random.choice(spans)
            if last <= other_first:
                raw = b"".join(
                    (
                        raw[:first],
                        raw[other_first:other_last],
                        raw[last:other_first],
                        raw[first:last],
                        raw[other_last:],
                    )
                )
        elif way == 6:
            opened = random.choice((b"l", b"d1:a"))
            depth = random.choice((1, 1, 3, 33))
            raw = raw[:first] + opened * depth + raw[first:last] + b"e" * depth + raw[last:]
        else:
            raw = raw[:first] + _edited(raw[first:last], random) + raw[last:]
    return raw


def _value(
    random: Random, raw: bytes, spans: tuple[tuple[int, int], ...], others: tuple[bytes, ...]
) -> bytes:
    draw = random.random()
    if draw < 0.4:
        return random.choice(_VALUES)
    if draw < 0.6:
        return b"i%be" % random.choice(NUMBERS)
    if draw < 0.75:
        size = random.choice((0, 1, 16, 24, 32, 33, 36, 43, 48, 64, 65, 99, 100, 300))
        return b"%d:" % size + random.randbytes(size)
    source = random.choice(others) if others and draw > 0.9 else raw
    first, last = random.choice(_spans(source) or spans)
    return source[first:last]


def _edited(value: bytes, random: Random) -> bytes:
    """Change the inside of a string, with its length or without."""
    colon = value.find(b":", 0, 9)
    if value[:1] in (b"i", b"l", b"d") or colon < 0:
        return b"i%be" % random.choice(NUMBERS)
    inside = value[colon + 1 :]
    at = random.randrange(len(inside) + 1)
    way = random.randrange(6)
    if way == 0:
        inside = inside[:at]
    elif way == 1:
        inside = inside[:at] + random.randbytes(random.randint(1, 4)) + inside[at:]
    elif way == 2 and inside:
        at = min(at, len(inside) - 1)
        inside = inside[:at] + bytes([inside[at] ^ 1 << random.randrange(8)]) + inside[at + 1 :]
    elif way == 3:
        return b"%d:" % (len(inside) + random.choice((-2, -1, 1, 2, 1000, 10**7))) + inside
    elif way == 4:
        return b"0%d:" % len(inside) + inside
    else:
        inside = random.choice((b"\0", b"\xff", b"A", b"\x05", b"\x03")) * len(inside)
    return b"%d:" % len(inside) + inside


def build(random: Random) -> bytes:
    """Make a value from nothing."""
    return _built(random, 4)


def _built(random: Random, depth: int) -> bytes:
    way = random.randrange(6 if depth else 3)
    if way < 2:
        return random.choice(_VALUES)
    if way == 2:
        return b"i%be" % random.choice(NUMBERS)
    parts = [_built(random, depth - 1) for _ in range(random.randrange(4))]
    if way == 3:
        return b"l" + b"".join(parts) + b"e"
    keys = sorted(
        random.choice(
            (
                b"#",
                b"&",
                b"+",
                b"<",
                b"=",
                b"@",
                b"G",
                b"K",
                b"P",
                b"a",
                b"d",
                b"k",
                b"n",
                b"s",
                b"t",
                b"z",
                b"~",
                b"",
            )
        )
        for _ in parts
    )
    return (
        b"d"
        + b"".join(b"%d:%b" % (len(key), key) + part for key, part in zip(keys, parts, strict=True))
        + b"e"
    )


def strategy(keys: tuple[bytes, ...] = ()) -> SearchStrategy[bytes]:
    """Give bencoded values. Args: keys: that a decoder looks for."""
    sizes = st.sampled_from((0, 1, 24, 32, 33, 36, 43, 48, 64, 100)).flatmap(
        lambda size: st.binary(min_size=size, max_size=size)
    )
    leaves = st.one_of(
        st.integers(-(2**63), 2**64 - 1),
        st.sampled_from((0, 1, 5, -1, 2**63 - 1, 1_777_000_000)),
        sizes,
        st.binary(max_size=12),
    )
    named = st.one_of(st.sampled_from(keys), st.binary(max_size=2)) if keys else st.binary(max_size=3)
    trees = st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(named, inner, max_size=8)),
        max_leaves=12,
    )
    return st.one_of(st.dictionaries(named, trees, max_size=10), st.lists(trees, max_size=5), trees).map(
        written
    )


def written(value: Any) -> bytes:
    """Write a value, apart from the product's own encoder."""
    if isinstance(value, bytes):
        return b"%d:%b" % (len(value), value)
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, dict):
        return b"d" + b"".join(written(key) + written(value[key]) for key in sorted(value)) + b"e"
    return b"l" + b"".join(map(written, value)) + b"e"


def keys_in(seeds: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Give the short strings in some values, keys among them."""
    found: dict[bytes, None] = {}
    for seed in seeds:
        for first, last in _spans(seed[:8_000]):
            colon = seed.find(b":", first, first + 3)
            if seed[first : first + 1].isdigit() and colon > 0 and last - colon <= 16:
                found[seed[colon + 1 : last]] = None
    return tuple(found)


def bombs(size: int) -> Iterator[tuple[str, bytes]]:
    """Give values of about `size` bytes that try to cost much."""
    yield "deep lists", b"l" * (size // 2) + b"e" * (size // 2)
    yield "deep dicts", b"d1:a" * (size // 5) + b"i1e" + b"e" * (size // 5)
    yield "open lists", b"l" * size
    yield "many lists", b"l" + b"le" * (size // 2) + b"e"
    yield "many dicts", b"l" + b"de" * (size // 2) + b"e"
    yield "many numbers", b"l" + b"i0e" * (size // 3) + b"e"
    yield "many keys", b"d" + b"".join(b"8:%08di0e" % k for k in range(size // 13)) + b"e"
    yield "one key", b"d" + b"1:ai0e" * (size // 6) + b"e"
    yield "long number", b"i" + b"9" * size + b"e"
    yield "long length", b"9" * size + b":"
    yield "long string", b"%d:" % size + bytes(size)
    yield "zeros behind", b"de" + bytes(size)


def stretched(seed: bytes, size: int) -> Iterator[tuple[str, bytes]]:
    """Grow a seed to about `size` bytes, at a few of its values and in several ways."""
    spans = _spans(seed)
    for first, last in spans if len(spans) <= 8 else spans[:: max(1, len(spans) // 8)]:
        value = seed[first:last]
        yield f"list {first}", seed[:first] + b"l" + value * max(1, size // len(value)) + b"e" + seed[last:]
        yield f"again {first}", seed[:first] + value * max(1, size // len(value)) + seed[last:]
        yield f"string {first}", seed[:first] + b"%d:" % size + b"A" * size + seed[last:]
        yield f"lists {first}", seed[:first] + b"l" + b"le" * (size // 2) + b"e" + seed[last:]
        keys = b"".join(b"6:%06di0e" % k for k in range(size // 11))
        yield f"dict {first}", seed[:first] + b"d" + keys + b"e" + seed[last:]
    yield "zeros", seed + bytes(size)
