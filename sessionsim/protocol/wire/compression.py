"""zstd of config and group messages, bounded (messages 4.3, 5.4).

Level 1, one frame that says its size. The bytes depend on the zstd version (1.5.7 agrees with every known
answer); reading them does not. As in the reference, frames may follow each other and skippable frames count
for nothing. The reference sets no limit for configs; here both the result and the window are limited, and no
more than 8 MiB beyond the limit is ever expanded.
Source: libsession-util: src/config/internal.cpp (zstd_compress, zstd_decompress).
"""

from __future__ import annotations

from typing import Final

import zstandard

from sessionsim.core.errors import RemoteProtocolError

LEVEL: Final = 1  # Source: messages 4.3, 5.4
# The least that a decoder should support; the reference takes 128 MiB. Source: RFC 8878 section 3.1.1.1.2.
MAX_WINDOW_BYTES: Final = 8 * 1024 * 1024
# Read so many at a time: a block of 4 bytes can stand for 128 KiB, this for 8 MiB. Source: RFC 8878 3.1.1.2.
_SLICE_BYTES: Final = 256
_COMPRESSOR: Final = zstandard.ZstdCompressor(level=LEVEL)
_DECOMPRESSOR: Final = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)


def compress(plain: bytes) -> bytes:
    """Compress at level 1."""
    return _COMPRESSOR.compress(plain)


def decompress(frames: bytes, most_bytes: int) -> bytes:
    """Expand what `compress` made.

    Args:
        frames: one or more whole frames, with nothing behind them.
        most_bytes: longest result accepted.

    Raises:
        RemoteProtocolError: not zstd, cut off, or longer or with a larger window than allowed.
    """
    plain, at = bytearray(), 0
    try:
        while True:
            frame = _DECOMPRESSOR.decompressobj()
            while not frame.eof:
                piece = frames[at : at + _SLICE_BYTES]
                if not piece:
                    raise RemoteProtocolError("a zstd frame is cut off")
                plain += frame.decompress(piece)
                at += len(piece) - len(frame.unused_data)
                if len(plain) > most_bytes:
                    raise RemoteProtocolError("compressed text longer than allowed")
            if at == len(frames):
                return bytes(plain)
    except zstandard.ZstdError as wrong:
        raise RemoteProtocolError("not a zstd frame") from wrong
