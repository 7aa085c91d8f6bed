"""Compression: reference values, round trips, and frames that nobody honest writes."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.wire.compression import compress, decompress

GROUPS = json.loads((Path(__file__).parents[1] / "vectors" / "configs.json").read_text("utf-8"))["groups"]
PLAIN = b"hello" * 100
FRAME = compress(PLAIN)
SKIPPABLE = bytes.fromhex("502a4d18") + (5).to_bytes(4, "little") + b"abcde"


@pytest.mark.parametrize("case", GROUPS["messages:compression"], ids=lambda case: str(case["name"]))
def test_reference_values(case: dict[str, Any]) -> None:
    frame, plain = bytes.fromhex(case["expected"])[1:], b"\xaa" * 81
    assert decompress(frame, 81) == plain
    if case["input"]["level"] == 1:
        assert compress(plain) == frame


def streamed(plain: bytes, window_log: int) -> bytes:
    """Compress without a size in the header and with a chosen window."""
    params = zstandard.ZstdCompressionParameters(
        window_log=window_log, compression_level=1, write_content_size=False
    )
    writer = zstandard.ZstdCompressor(compression_params=params).compressobj()
    return writer.compress(plain) + writer.flush()


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=3000), st.integers(1, 5))
def test_what_was_compressed_comes_back_but_not_beyond_its_length(plain: bytes, times: int) -> None:
    frame = compress(plain * times)
    assert decompress(frame, len(plain) * times) == plain * times
    if plain:
        with pytest.raises(RemoteProtocolError, match="longer"):
            decompress(frame, len(plain) * times - 1)


@pytest.mark.parametrize(
    ("frames", "plain"),
    [
        (FRAME + FRAME, PLAIN + PLAIN),
        (SKIPPABLE, b""),
        (SKIPPABLE + FRAME, PLAIN),
        (FRAME + SKIPPABLE, PLAIN),
        (compress(b"") + FRAME, PLAIN),
        (streamed(PLAIN, 20), PLAIN),
        (streamed(PLAIN, 23), PLAIN),
    ],
)
def test_frames_may_follow_each_other_be_skippable_or_not_say_their_size(frames: bytes, plain: bytes) -> None:
    assert decompress(frames, 2000) == plain


@pytest.mark.parametrize(
    "frames",
    [
        b"",
        b"z",
        FRAME[:-1],
        FRAME[:5],
        FRAME + b"x",
        FRAME + FRAME[:-2],
        SKIPPABLE[:-1],
        compress(b"") + b"zzzz",
        streamed(PLAIN, 24),  # a window of 16 MiB
        zstandard.ZstdCompressor(
            dict_data=zstandard.ZstdCompressionDict(b"0123456789" * 20), level=1
        ).compress(b"0123456789" * 5),
    ],
    ids=range(10),
)
def test_broken_frames_are_refused(frames: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decompress(frames, 2000)


@pytest.mark.parametrize("bomb", [compress(bytes(1 << 26)), streamed(bytes(1 << 26), 20)])
def test_a_bomb_is_refused_long_before_it_is_expanded(bomb: bytes) -> None:
    assert len(bomb) < 10_000
    with pytest.raises(RemoteProtocolError, match="longer"):
        decompress(bomb, 100_000)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_altered_frames_give_only_refusals(data: st.DataObject) -> None:
    frame = bytearray(FRAME)
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= data.draw(st.integers(1, 255))
    with suppress(RemoteProtocolError):
        assert len(decompress(bytes(frame), 5000)) <= 5000
