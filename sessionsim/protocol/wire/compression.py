"""zstd of config and group messages, bounded (messages 4.3, 5.4).

Level 1, one frame with its content size. The bytes depend on the zstd version (1.5.7 agrees with every
known answer); decoding does not. A frame that would grow beyond the limit is refused before it is expanded.
"""

from __future__ import annotations

from typing import Final

import zstandard

from sessionsim.core.errors import RemoteProtocolError

LEVEL: Final = 1  # Source: messages 4.3, 5.4
_COMPRESSOR: Final = zstandard.ZstdCompressor(level=LEVEL)


def compress(plain: bytes) -> bytes:
    """Compress at level 1."""
    return _COMPRESSOR.compress(plain)


def decompress(frame: bytes, most_bytes: int) -> bytes:
    """Expand one frame.

    Args:
        frame: the whole frame.
        most_bytes: longest result accepted.

    Raises:
        RemoteProtocolError: not a zstd frame, cut off, or longer than allowed.
    """
    reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj(read_across_frames=False)
    try:
        declared = zstandard.frame_content_size(frame)
        if declared > most_bytes:
            raise RemoteProtocolError("compressed text longer than allowed")
        # A frame may not say its size: then it is read in bounded steps.
        if declared >= 0:
            plain = reader.decompress(frame)
        else:
            plain = _in_steps(frame, most_bytes)
            return plain
    except zstandard.ZstdError as wrong:
        raise RemoteProtocolError("not a zstd frame") from wrong
    if not reader.eof or reader.unused_data:
        raise RemoteProtocolError("a zstd frame cut off or with bytes behind it")
    return plain


def _in_steps(frame: bytes, most_bytes: int) -> bytes:
    with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(frame) as reader:
        plain = reader.read(most_bytes + 1)
    if len(plain) > most_bytes:
        raise RemoteProtocolError("compressed text longer than allowed")
    return plain
