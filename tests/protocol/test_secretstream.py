"""Secretstream with a chosen header: equal to libsodium's own, and strict in order and end."""

from __future__ import annotations

import pytest
from nacl import bindings

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.crypto.secretstream import StreamReader, StreamWriter

KEY, HEADER = bytes(range(32)), bytes(range(24))
CHUNKS = [b"first", b"", b"x" * 1000, b"last"]


def written() -> list[bytes]:
    writer = StreamWriter(HEADER, KEY)
    return [writer.push(chunk, final=chunk == b"last") for chunk in CHUNKS]


def test_bytes_are_those_libsodium_writes_under_a_header_it_drew() -> None:
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    header = bindings.crypto_secretstream_xchacha20poly1305_init_push(state, KEY)
    writer = StreamWriter(header, KEY)
    for chunk in CHUNKS:
        tag = 3 if chunk == b"last" else 0
        expected = bindings.crypto_secretstream_xchacha20poly1305_push(state, chunk, None, tag)
        assert writer.push(chunk, final=tag == 3) == expected


def test_chunks_come_back_in_order_with_the_final_tag() -> None:
    reader = StreamReader(HEADER, KEY)
    assert [reader.pull(chunk) for chunk in written()] == [(chunk, chunk == b"last") for chunk in CHUNKS]


def test_a_chunk_that_asks_for_new_keys_is_followed() -> None:
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    header = bindings.crypto_secretstream_xchacha20poly1305_init_push(state, KEY)
    rekeyed = bindings.crypto_secretstream_xchacha20poly1305_push(state, b"a", None, 2)
    after = bindings.crypto_secretstream_xchacha20poly1305_push(state, b"b", None, 3)
    reader = StreamReader(header, KEY)
    assert [reader.pull(rekeyed), reader.pull(after)] == [(b"a", False), (b"b", True)]


def test_what_does_not_open() -> None:
    first, second, *_ = written()
    for chunk in (second, first[:-1], first[:16], b"", first[:-1] + bytes([first[-1] ^ 1])):
        with pytest.raises(CannotOpen):
            StreamReader(HEADER, KEY).pull(chunk)
    with pytest.raises(CannotOpen):
        StreamReader(HEADER, bytes(32)).pull(first)
    for header, key in ((HEADER[:23], KEY), (HEADER, KEY + b"\0")):
        with pytest.raises(CannotOpen):
            StreamReader(header, key)


def test_wrong_lengths_of_ours_are_our_mistake() -> None:
    for header, key in ((HEADER[:23], KEY), (HEADER, KEY[:31])):
        with pytest.raises(LocalProtocolError):
            StreamWriter(header, key)
