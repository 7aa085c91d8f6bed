"""zstd frames: another content, several frames, other window, checksum or size, skippable frames, bombs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from random import Random

import zstandard
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.forms._bytes import damaged

_MAGIC = b"\x28\xb5\x2f\xfd"
_LEVEL_1 = zstandard.ZstdCompressor(level=1)


@lru_cache(maxsize=256)
def _compressor(window_log: int, checksum: bool, says_size: bool, level: int) -> zstandard.ZstdCompressor:
    parameters = zstandard.ZstdCompressionParameters(
        window_log=window_log, write_checksum=checksum, write_content_size=says_size, compression_level=level
    )
    return zstandard.ZstdCompressor(compression_params=parameters)


@lru_cache(maxsize=256)
def content_of(frame: bytes) -> bytes:
    """Give what is in a seed; empty if it is none."""
    try:
        return zstandard.ZstdDecompressor().decompress(frame, max_output_size=1 << 20)
    except zstandard.ZstdError:
        return b""


def skippable(random: Random) -> bytes:
    """Make a frame that counts for nothing, or lies about its length."""
    inside = random.randbytes(random.choice((0, 1, 30)))
    size = len(inside) if random.random() < 0.8 else random.choice((0, 1 << 31, (1 << 32) - 1))
    return bytes([0x50 | random.randrange(16)]) + b"\x2a\x4d\x18" + size.to_bytes(4, "little") + inside


def raw_blocks(block: bytes, times: int, window: int = 0x38) -> bytes:
    """Write a frame of run-length blocks, each of 128 KiB of one byte, without content size."""
    header = (1 << 1 | (1 << 17) << 3).to_bytes(3, "little")
    last = (1 | 1 << 1 | (1 << 17) << 3).to_bytes(3, "little")
    return _MAGIC + bytes([0, window]) + (header + block) * (times - 1) + last + block


def vary(frame: bytes, random: Random, others: tuple[bytes, ...]) -> bytes:
    """Change a frame, its content, or what stands around it."""
    way = random.randrange(8)
    if way == 0:
        return frame + random.choice((frame, *others))
    if way == 1:
        return random.choice(
            (skippable(random) + frame, frame + skippable(random), frame + skippable(random) + frame)
        )
    if way < 4:
        content = damaged(content_of(frame), random, tuple(map(content_of, others)))
        if way == 2:
            return _LEVEL_1.compress(content)
        window = random.choice((10, 14, 20, 23, 24))
        return _compressor(
            window, random.random() < 0.5, random.random() < 0.5, random.choice((-5, 1, 3))
        ).compress(content)
    if way == 4:
        return raw_blocks(
            random.randbytes(1), random.choice((1, 2, 9)), random.choice((0, 0x38, 0x68, 0x70, 0xFF))
        )
    if way == 5 and len(frame) > 6:
        at = random.randrange(4, min(len(frame), 18))
        return frame[:at] + random.randbytes(1) + frame[at + 1 :]
    return damaged(frame, random, others)


def build(random: Random) -> bytes:
    """Make a frame from nothing."""
    size = random.choice((0, 1, 100, 5000))
    return _LEVEL_1.compress(random.choice((bytes(size), random.randbytes(size), b"d1:#i1ee" * (size // 8))))


def strategy() -> SearchStrategy[bytes]:
    """Give frames of any content, some followed by more or cut off."""
    frames = st.binary(max_size=300).map(_LEVEL_1.compress)
    return st.one_of(
        frames,
        st.lists(frames, max_size=4).map(b"".join),
        st.tuples(frames, st.integers(0, 60)).map(lambda cut: cut[0][: cut[1]]),
        st.tuples(st.binary(min_size=1, max_size=1), st.integers(1, 20), st.integers(0, 255)).map(
            lambda parts: raw_blocks(*parts)
        ),
        st.binary(max_size=40).map(_MAGIC.__add__),
    )


def bombs(size: int) -> Iterator[tuple[str, bytes]]:
    """Give frames of at most about `size` bytes that try to cost much."""
    yield "zeros", _LEVEL_1.compress(bytes(200_000_000))
    yield (
        "zeros without size",
        zstandard.ZstdCompressor(level=1, write_content_size=False).compress(bytes(200_000_000)),
    )
    yield "run-length blocks", raw_blocks(b"\0", size // 4)
    yield "largest window", _MAGIC + b"\x00\xff" + raw_blocks(b"\0", 100)[6:]
    yield "largest size", _MAGIC + b"\xe0" + b"\xff" * 8 + raw_blocks(b"\0", 2)[6:]
    yield "many empty frames", _LEVEL_1.compress(b"") * (size // 9)
    yield "many skippable frames", b"\x50\x2a\x4d\x18\0\0\0\0" * (size // 8)
    yield "long skippable frame", b"\x50\x2a\x4d\x18\xff\xff\xff\xff" + bytes(size)
    yield "empty blocks", _MAGIC + b"\0\x38" + b"\0\0\0" * (size // 3) + b"\x01\0\0"


def stretched(seed: bytes, size: int) -> Iterator[tuple[str, bytes]]:
    """Grow a frame to about `size` bytes."""
    yield "again", seed * max(1, size // max(1, len(seed)))
    yield "skippable", b"\x50\x2a\x4d\x18\0\0\0\0" * (size // 8) + seed
    yield "blocks", _MAGIC + b"\0\x38" + b"\0\0\0" * (size // 3) + b"\x01\0\0"
    yield "content", _LEVEL_1.compress(Random(1).randbytes(size))
    yield "zeros", raw_blocks(b"\0", size // 4)
