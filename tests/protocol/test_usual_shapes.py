"""Direct matching of usual frames gives what the general parsers give, on usual and unusual input alike."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.wire.frame import encode_frame
from sessionsim.protocol.wire.onion import (
    FINAL,
    decode_client_request,
    decode_hop,
    decode_hop_slowly,
    decode_inner,
    decode_inner_slowly,
    encode_hop,
)
from sessionsim.protocol.wire.poll import PollTemplate
from sessionsim.protocol.wire.rpc import BODY_STYLES
from sessionsim.protocol.wire.rpc_node import BatchCall, PollCall, Refused
from sessionsim.protocol.wire.rpc_params import read_call, read_call_slowly
from sessionsim.protocol.wire.rpc_usual import usual_poll

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


CONTROLS = ['{"body":null,"headers":{}}', '{"headers":""}']


@given(
    blob=st.binary(max_size=40),
    control=st.sampled_from(
        [*CONTROLS, '{"headers":1}', '{"headers":"","json":true}', '{"headers":""} ', "{}"]
    ),
    cut=st.integers(0, 3),
    longer=st.integers(-2, 2),
)
@settings(deadline=None, max_examples=200, derandomize=True)
def test_what_is_for_the_node_itself(blob: bytes, control: str, cut: int, longer: int) -> None:
    frame = encode_frame(blob, control.encode())
    frame = max(0, len(blob) + longer).to_bytes(4, "little") + frame[4 : len(frame) - cut]
    assert outcome(decode_inner, frame) == outcome(decode_inner_slowly, frame)


@pytest.mark.parametrize("control", CONTROLS)
def test_controls_of_both_families_are_read(control: str) -> None:
    assert decode_inner(encode_frame(b"x", control.encode())) == (FINAL, b"x", False, True)


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


POLLS = [
    PollTemplate(style, "05" + "ab" * 32, "cd" * 32, namespaces, [-2, -8, 100][: len(namespaces)]).fill(
        1_777_000_000_000, ["", "B" * 43, "c/+" + "d" * 40][: len(namespaces)], lambda text: bytes(64)
    )
    for style in BODY_STYLES.values()
    for namespaces in ((0,), (0, 2), (-32768, 0, 32767))
]
CUT = st.lists(
    st.tuples(
        st.integers(0, 2000),
        st.integers(0, 3),
        st.one_of(
            st.binary(max_size=2),
            st.sampled_from(
                [b"0", b"-", b"=", b'"', b"\\", b" ", b"9" * 12, b"AB", b",", b"\n", b"05", b"1.0"]
            ),
        ),
    ),
    max_size=2,
)


def single(call: object) -> object:
    return BatchCall(False, call.calls()) if isinstance(call, PollCall) else call


@given(poll=st.sampled_from(POLLS), cuts=CUT)
@settings(deadline=None, max_examples=1000, derandomize=True)
def test_polls(poll: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    for at, size, put in cuts:
        at %= len(poll)
        poll = poll[:at] + put + poll[at + size :]

    def read(parse: Callable[[bytes, int, int], object]) -> object:
        try:
            return single(parse(poll, 76_800, 20))
        except Refused as refused:
            return refused.status, refused.text

    assert read(read_call) == read(read_call_slowly)


@pytest.mark.parametrize("poll", POLLS)
def test_polls_of_all_families_are_usual(poll: bytes) -> None:
    found = usual_poll(poll)
    assert found is not None
    assert single(found) == read_call_slowly(poll, 76_800, 20)


def test_a_usual_poll_with_too_many_parts_is_refused() -> None:
    with pytest.raises(Refused, match="limit exceeded"):
        read_call(POLLS[1], 76_800, 1)
