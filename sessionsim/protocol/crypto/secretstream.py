"""libsodium's secretstream (XChaCha20-Poly1305) with a header that the caller chooses (messages 6.2).

A stream is a header of 24 bytes and chunks, each 17 bytes longer than its plaintext; the last one carries
the final tag. libsodium draws the header itself when it writes. Deterministic attachments need a fixed one,
so the state is started the way a reader starts it from a given header: both starts give the same state.
"""

from __future__ import annotations

from typing import Final

from nacl import bindings
from nacl.exceptions import CryptoError

from sessionsim.core.errors import CannotOpen, LocalProtocolError

HEADER_BYTES: Final = 24  # Source: messages 6.2; libsodium crypto_secretstream_xchacha20poly1305_HEADERBYTES
KEY_BYTES: Final = 32  # Source: messages 6.2
OVERHEAD_BYTES: Final = 17  # of a chunk. Source: messages 6.2; libsodium ..._ABYTES
_MESSAGE: Final = 0  # Source: messages 6.2; libsodium ..._TAG_MESSAGE
_FINAL: Final = 3  # Source: messages 6.2; libsodium ..._TAG_FINAL


def _state(header24: bytes, key32: bytes) -> bindings.crypto_secretstream_xchacha20poly1305_state:
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, header24, key32)
    return state


class StreamWriter:
    """The writing end of one stream. Raises LocalProtocolError: a header or key of wrong length."""

    __slots__ = ("_state",)

    def __init__(self, header24: bytes, key32: bytes) -> None:
        if len(header24) != HEADER_BYTES or len(key32) != KEY_BYTES:
            raise LocalProtocolError("a secretstream takes a header of 24 and a key of 32 bytes")
        self._state = _state(header24, key32)

    def push(self, plaintext: bytes, *, final: bool) -> bytes:
        """Encrypt the next chunk. Args: final: it is the last one."""
        tag = _FINAL if final else _MESSAGE
        return bindings.crypto_secretstream_xchacha20poly1305_push(self._state, plaintext, None, tag)


class StreamReader:
    """The reading end of one stream. Raises CannotOpen: a header or key of wrong length."""

    __slots__ = ("_state",)

    def __init__(self, header24: bytes, key32: bytes) -> None:
        if len(header24) != HEADER_BYTES or len(key32) != KEY_BYTES:
            raise CannotOpen("a stream with a header or key of wrong length")
        self._state = _state(header24, key32)

    def pull(self, ciphertext: bytes) -> tuple[bytes, bool]:
        """Decrypt the next chunk.

        Returns:
            Its plaintext, and whether it carries the final tag; other tags make no difference, as in
            libsession.

        Raises:
            CannotOpen: wrong key, altered, out of order, or too short for a chunk.
        """
        try:
            plaintext, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(self._state, ciphertext)
        except (CryptoError, ValueError, TypeError, RuntimeError) as wrong:
            raise CannotOpen("a chunk of the stream does not open") from wrong
        return bytes(plaintext), tag == _FINAL
