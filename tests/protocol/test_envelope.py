"""The wrapper byte by byte, the generated classes against their source text, and hostile bytes."""

from __future__ import annotations

import re
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.wire import session_pb2
from sessionsim.protocol.wire.envelope import (
    DIRECT,
    GROUP,
    EnvelopeParts,
    body_of,
    decode,
    read_envelope,
    text_of,
    unwrap,
    wrap,
    wrap_old,
    write_envelope,
)

SENT_MS = 1_777_000_000_000
SIGNATURE = bytes(range(64))


def varint(value: int) -> bytes:
    """Write a protobuf variable-length integer, here on its own."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def layout(ciphertext: bytes, sent_ms: int, signature: bytes) -> bytes:
    """The byte layout as messages 2.2 spells it out."""
    envelope = bytes.fromhex("0806 28") + varint(sent_ms) + bytes.fromhex("3801 42") + varint(len(ciphertext))
    envelope += ciphertext + bytes.fromhex("5a40") + signature
    request = bytes.fromhex("0a00 1200 1a") + varint(len(envelope)) + envelope + bytes.fromhex("2000")
    return bytes.fromhex("0801 12") + varint(len(request)) + request


@given(st.binary(min_size=1, max_size=500), st.integers(0, 2**64 - 1), st.binary(min_size=64, max_size=64))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_wrapper_has_the_layout_of_the_specification(
    ciphertext: bytes, sent_ms: int, signature: bytes
) -> None:
    stored = wrap(ciphertext, sent_ms, signature)
    assert stored == layout(ciphertext, sent_ms, signature)
    assert unwrap(stored) == (sent_ms, ciphertext)


def test_form_of_older_clients_is_read() -> None:
    envelope = session_pb2.Envelope(type=6, source="", timestamp=SENT_MS, content=b"sealed")
    request = session_pb2.WebSocketRequestMessage(
        verb="PUT", path="/api/v1/message", body=envelope.SerializeToString(), requestId=7
    )
    stored = session_pb2.WebSocketMessage(type=1, request=request).SerializeToString()
    assert unwrap(stored) == (SENT_MS, b"sealed")


def wrapped(envelope: bytes, kind: int = 1) -> bytes:
    request = session_pb2.WebSocketRequestMessage(verb="", path="", body=envelope, requestId=0)
    return session_pb2.WebSocketMessage(type=kind, request=request).SerializeToString()


ENVELOPE = session_pb2.Envelope(type=6, timestamp=SENT_MS, content=b"sealed").SerializeToString()


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        (b"", "no request"),
        (b"\x00", "not readable as WebSocketMessage"),
        (b"\x00\x02rest of a version 2 message", "not readable as WebSocketMessage"),
        (wrapped(ENVELOPE, kind=2), "no request"),
        (wrapped(b""), "no request"),
        (wrapped(b"\xff"), "not readable as Envelope"),
        (wrapped(b"\x08\x06\x42\x01x"), "required field of Envelope"),  # no time
        (wrapped(b"\x28\x01\x42\x01x"), "required field of Envelope"),  # no type
        (wrapped(b"\x08\x09\x28\x01\x42\x01x"), "required field of Envelope"),  # unknown type
        (wrapped(b"\x08\x07\x28\x01\x42\x01x"), "not the envelope of a direct message"),
        (wrapped(b"\x08\x06\x28\x01"), "without content"),
    ],
)
def test_what_is_no_stored_direct_message_is_refused(stored: bytes, reason: str) -> None:
    with pytest.raises(RemoteProtocolError, match=reason):
        unwrap(stored)


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        (ENVELOPE + b"\x5a\x3f" + bytes(63), "64 bytes"),
        (ENVELOPE + b"\x5a\x00", "64 bytes"),
        (ENVELOPE + b"\x12\x0205", "no id"),
        (ENVELOPE + b"\x12\x21" + bytes(33), "no id"),
    ],
)
def test_signature_or_source_of_impossible_length_is_refused(envelope: bytes, reason: str) -> None:
    for call in (lambda: unwrap(wrapped(envelope)), lambda: read_envelope(envelope)):
        with pytest.raises(RemoteProtocolError, match=reason):
            call()


def old_layout(ciphertext: bytes, sent_ms: int, request_id: int) -> bytes:
    """What clients wrote before libsession, field by field (messages 2.2)."""
    envelope = (
        bytes.fromhex("0806 1200 28") + varint(sent_ms) + b"\x42" + varint(len(ciphertext)) + ciphertext
    )
    request = b"\x0a\x03PUT\x12\x0f/api/v1/message\x1a" + varint(len(envelope)) + envelope
    request += b"\x20" + varint(request_id)
    return bytes.fromhex("0801 12") + varint(len(request)) + request


@given(st.binary(min_size=1, max_size=500), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
@settings(deadline=None, max_examples=100, derandomize=True)
def test_older_wrapper_has_the_layout_of_the_specification(
    ciphertext: bytes, sent_ms: int, request_id: int
) -> None:
    stored = wrap_old(ciphertext, sent_ms, request_id)
    assert stored == old_layout(ciphertext, sent_ms, request_id)
    assert unwrap(stored) == (sent_ms, ciphertext)


@given(
    st.sampled_from([DIRECT, GROUP]),
    st.binary(max_size=50),
    st.integers(0, 2**64 - 1),
    st.sampled_from([None, "", "05" * 33]),
    st.none() | st.integers(0, 2**32 - 1),
    st.none() | st.binary(min_size=64, max_size=64),
)
@settings(deadline=None, max_examples=100, derandomize=True)
def test_envelope_is_read_as_written(
    kind: session_pb2.Envelope.Type,
    content: bytes,
    sent_ms: int,
    source: str | None,
    device: int | None,
    signature: bytes | None,
) -> None:
    raw = write_envelope(kind, content, sent_ms, source=source, source_device=device, pro_signature=signature)
    expected = EnvelopeParts(kind, sent_ms, content, source or "", device or 0, signature or b"")
    assert read_envelope(raw) == expected


def test_current_wrapper_holds_the_same_envelope_as_a_group_writes() -> None:
    stored = wrap(b"sealed", SENT_MS, SIGNATURE)
    assert body_of(stored) == write_envelope(DIRECT, b"sealed", SENT_MS, pro_signature=SIGNATURE)
    assert write_envelope(GROUP, b"plain", 1).hex() == "0807280138014205706c61696e"


def test_envelope_without_content_or_with_a_source_that_is_no_text_is_refused() -> None:
    for raw in (b"\x08\x06\x28\x01", b"", ENVELOPE[:3], ENVELOPE + b"\x12\x42" + b"\xff" * 66):
        with pytest.raises(RemoteProtocolError):
            read_envelope(raw)


@given(st.binary(max_size=200) | st.binary(max_size=60).map(wrapped))
@settings(deadline=None, max_examples=400, derandomize=True)
def test_random_bytes_raise_nothing_else(stored: bytes) -> None:
    try:
        sent_ms, sealed = unwrap(stored)
        assert read_envelope(body_of(stored)).content == sealed
    except RemoteProtocolError:
        return
    assert 0 <= sent_ms < 2**64
    assert sealed


@pytest.mark.parametrize("sent_ms", [-1, 2**64])
def test_time_out_of_range_is_our_mistake(sent_ms: int) -> None:
    for call in (
        lambda: wrap(b"sealed", sent_ms, SIGNATURE),
        lambda: wrap_old(b"sealed", sent_ms, 1),
        lambda: write_envelope(GROUP, b"plain", sent_ms),
    ):
        with pytest.raises(LocalProtocolError, match="ms cannot be written"):
            call()


@pytest.mark.parametrize("request_id", [-1, 2**64])
def test_request_id_out_of_range_is_our_mistake(request_id: int) -> None:
    with pytest.raises(LocalProtocolError, match="request id"):
        wrap_old(b"sealed", SENT_MS, request_id)


@pytest.mark.parametrize("length", [0, 63, 65])
def test_signature_of_wrong_length_is_our_mistake(length: int) -> None:
    with pytest.raises(LocalProtocolError, match=str(length)):
        wrap(b"sealed", SENT_MS, bytes(length))
    with pytest.raises(LocalProtocolError, match=str(length)):
        write_envelope(GROUP, b"plain", SENT_MS, pro_signature=bytes(length))


def test_text_that_is_not_utf8_is_refused() -> None:
    parsed = decode(session_pb2.DataMessage, b"\x0a\x02\xff\xfe")
    with pytest.raises(RemoteProtocolError, match="UTF-8"):
        text_of(parsed.body)


FIELD = re.compile(r"\s*(optional|required|repeated)\s+(\S+)\s+(\w+)\s*=\s*(\d+);")


def test_generated_classes_match_the_proto_file() -> None:
    text = (resources.files("sessionsim.protocol.wire") / "session.proto").read_text("utf-8")
    written: dict[str, dict[str, tuple[int, str, str]]] = {}
    message = ""
    for line in text.splitlines():
        if opened := re.match(r"message (\w+) \{", line):
            message = opened[1]
            written[message] = {}
        elif field := FIELD.match(line):
            label, kind, name, number = field.groups()
            written[message][name] = (int(number), label, kind)
    kinds = {number: word.removeprefix("TYPE_").lower() for word, number in FIELD_TYPES.items()}
    generated = {}
    for name, descriptor in session_pb2.DESCRIPTOR.message_types_by_name.items():
        generated[name] = {
            field.name: (
                field.number,
                "required" if field.is_required else "repeated" if field.is_repeated else "optional",
                field.message_type.name
                if field.message_type
                else field.enum_type.name
                if field.enum_type
                else kinds[field.type],
            )
            for field in descriptor.fields
        }
    assert generated == written
    assert sum(len(fields) for fields in written.values()) > 90


FIELD_TYPES = {
    name: value
    for name, value in vars(type(session_pb2.DESCRIPTOR.message_types_by_name["Content"].fields[0])).items()
    if name.startswith("TYPE_")
}
