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
from sessionsim.protocol.wire.rpc_node import Refused
from sessionsim.protocol.wire.rpc_params import _read_retrieve, read_retrieve_slowly

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


RETRIEVE = {
    "pubkey": "05" + "ab" * 32,
    "pubkey_ed25519": "cd" * 32,
    "signature": "A" * 86 + "==",
    "timestamp": 1_777_000_000_000,
    "namespace": 2,
    "last_hash": "",
    "max_size": -8,
}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=4),
    st.sampled_from(
        [
            "03" + "ab" * 32,
            "05" + " a" * 32,
            "x" * 64,
            "A" * 88,
            "B" * 43,
            "=" * 88,
            "A" * 86,
            -32768,
            1,
            2**31,
        ]
    ),
)


@given(
    changes=st.dictionaries(st.sampled_from([*RETRIEVE, "max_count", "pubKey", "lastHash"]), ODD, max_size=3)
)
@settings(deadline=None, max_examples=500, derandomize=True)
def test_retrieves(changes: dict[str, object]) -> None:
    params = {**RETRIEVE, **changes}

    def read(parse: Callable[[], object]) -> object:
        try:
            return parse()
        except Refused as refused:
            return refused.status, refused.text

    direct = read(lambda: _read_retrieve(params, 76_800))
    assert direct == read(lambda: read_retrieve_slowly(params))
