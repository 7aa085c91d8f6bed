"""Direct matching of usual frames gives what the general parsers give, on usual and unusual input alike."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.wire.frame import encode_frame
from sessionsim.protocol.wire.onion import (
    decode_client_request,
    decode_hop,
    decode_hop_slowly,
    decode_inner,
    decode_inner_slowly,
    encode_hop,
)

HEX = st.one_of(
    st.binary(min_size=32, max_size=32).map(bytes.hex),
    st.text("0123456789abcdefABCDEF xg", min_size=64, max_size=64),
    st.text("0123456789abcdef", min_size=62, max_size=66),
)
CIPHER = st.sampled_from(["", '"enc_type":"xchacha20",', '"enc_type":"aes-gcm",', '"enc_type":"xchacha21",'])


def outcome(parse: Callable[[bytes], object], data: bytes) -> object:
    try:
        return parse(data)
    except RemoteProtocolError:
        return "refused"


@given(blob=st.binary(max_size=40), destination=HEX, key=HEX, cipher=CIPHER, cut=st.integers(0, 3))
@example(b"x", "a" * 64, "b" * 64, "", 0)
@example(b"x", "a" * 64, "b" * 64, '"enc_type":"xchacha20",', 0)
@settings(deadline=None, max_examples=300, derandomize=True)
def test_routes(blob: bytes, destination: str, key: str, cipher: str, cut: int) -> None:
    text = f'{{"destination":"{destination}",{cipher}"ephemeral_key":"{key}"}}'.encode()
    frame = encode_frame(blob, text)
    frame = frame[: len(frame) - cut]
    assert outcome(decode_inner, frame) == outcome(decode_inner_slowly, frame)


@given(key=HEX, blob=st.binary(max_size=40), cut=st.integers(0, 2))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_client_frames(key: str, blob: bytes, cut: int) -> None:
    usual = encode_frame(blob, f'{{"ephemeral_key":"{key}"}}'.encode())
    spaced = encode_frame(blob, f'{{"ephemeral_key" : "{key}"}}'.encode())
    direct, general = (outcome(decode_client_request, frame[: len(frame) - cut]) for frame in (usual, spaced))
    assert direct == general


@given(
    data=st.binary(max_size=60),
    key=st.binary(min_size=32, max_size=32),
    cipher=st.sampled_from(["aes-gcm", "xchacha20", "gcm", "xchacha20-poly1305"]),
    hop=st.integers(0, 1200),
    edit=st.tuples(st.integers(0, 200), st.integers(0, 255)),
)
@settings(deadline=None, max_examples=400, derandomize=True)
def test_hop_messages(data: bytes, key: bytes, cipher: str, hop: int, edit: tuple[int, int]) -> None:
    message = encode_hop(data, key, cipher, hop)
    assert outcome(decode_hop, message) == outcome(decode_hop_slowly, message)
    position = edit[0] % len(message)
    changed = message[:position] + bytes([edit[1]]) + message[position + 1 :]
    assert outcome(decode_hop, changed) == outcome(decode_hop_slowly, changed)
