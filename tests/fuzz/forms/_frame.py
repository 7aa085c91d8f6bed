"""Onion frames: a length in four bytes, a blob, and JSON behind it. Each of the three is varied."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.forms import _json
from tests.fuzz.forms._bytes import EXTREMES, damaged


def _split(frame: bytes) -> tuple[bytes, bytes]:
    end = 4 + int.from_bytes(frame[:4], "little")
    return frame[4:end], frame[end:]


def framed(blob: bytes, text: bytes, length: int | None = None) -> bytes:
    """Write a frame. Args: length: what it says about its blob; None for the truth."""
    return ((len(blob) if length is None else length) % (1 << 32)).to_bytes(4, "little") + blob + text


def vary(frame: bytes, random: Random, others: tuple[bytes, ...]) -> bytes:
    """Change a part of a frame, or the frame as bytes."""
    blob, text = _split(frame)
    way = random.randrange(8)
    if way < 4:
        return framed(blob, _json.vary(text, random, ()))
    if way == 4:
        return framed(damaged(blob, random), text)
    if way == 5:
        return framed(
            blob, text, random.choice((*EXTREMES, len(blob) + len(text), len(blob) + 1, len(blob) - 1))
        )
    if way == 6 and others:
        return framed(blob, _split(random.choice(others))[1])
    return damaged(frame, random, others)


def build(random: Random) -> bytes:
    """Make a frame from nothing."""
    return framed(random.randbytes(random.choice((0, 1, 40))), _json.build(random))


def strategy(names: tuple[str, ...] = ()) -> SearchStrategy[bytes]:
    """Give frames. Args: names: of members that a decoder looks for."""
    lengths = st.one_of(st.none(), st.integers(0, 2**32 - 1), st.integers(0, 60))
    texts = st.one_of(_json.strategy(names), st.binary(max_size=30))
    return st.tuples(st.binary(max_size=60), texts, lengths).map(lambda parts: framed(*parts))


def names_in(seeds: tuple[bytes, ...]) -> tuple[str, ...]:
    """Give the names of members in the texts of some frames."""
    return _json.names_in(tuple(_split(seed)[1] for seed in seeds))


def bombs(size: int) -> Iterator[tuple[str, bytes]]:
    """Give frames of about `size` bytes that try to cost much."""
    for name, text in _json.bombs(size):
        yield name, framed(b"x", text)
    yield "long blob", framed(bytes(size), b"{}")
    yield "long length", framed(b"", b"", -1)


def stretched(seed: bytes, size: int) -> Iterator[tuple[str, bytes]]:
    """Grow a frame to about `size` bytes."""
    blob, text = _split(seed)
    yield "blob", framed(blob + bytes(size), text)
    for name, longer in _json.stretched(text, size):
        yield name, framed(blob, longer)
