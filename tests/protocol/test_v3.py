"""The v3 payload: the older JSON form of requests to servers, and its answers."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, LocalProtocolError, ProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto.layer import GcmLayer
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from sessionsim.protocol.wire.v3 import decode_request, encode_request, open_answer, seal_answer

LAYER = GcmLayer(bytes(32), b"", b"")
JSON = {"content-type": "application/json"}


def test_a_request_with_a_body() -> None:
    written = encode_request(ServerRequest("POST", "/room/r/message", {"X-A": "1"}, b'{"a":1}'))
    assert json.loads(written) == {
        "method": "POST",
        "body": '{"a":1}',
        "endpoint": "/room/r/message",
        "headers": {"X-A": "1"},
    }
    assert decode_request(written) == ServerRequest(
        "POST", "/room/r/message", {"x-a": "1"} | JSON, b'{"a":1}'
    )


@pytest.mark.parametrize("body", [b"", b"null"])
def test_a_request_without_body_is_one_whatever_android_writes(body: bytes) -> None:
    read = decode_request(encode_request(ServerRequest("GET", "/rooms", {}, body)))
    assert read == ServerRequest("GET", "/rooms", JSON, b"")


def test_only_text_can_be_carried() -> None:
    with pytest.raises(LocalProtocolError):
        encode_request(ServerRequest("POST", "/file", {}, b"\xff"))


def test_the_oldest_endpoints_get_their_prefix_and_their_code() -> None:
    read = decode_request(b'{"method":"GET","endpoint":"rooms/x/image","auth_code":"abc"}')
    assert read == ServerRequest("GET", "/legacy/rooms/x/image", {"authorization": "abc"} | JSON, b"")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b'{"method":"GET"}',
        b'{"endpoint":"/x"}',
        b'{"method":"GET","endpoint":"/x","body":"no"}',
        b'{"method":"GET","endpoint":"/x","body":{"a":1}}',
        b'{"method":"POST","endpoint":"/x","body":{"a":1}}',
        b'{"method":"GET","endpoint":"/x","headers":[]}',
        b'{"method":"GET","endpoint":"/x","headers":{"a":1}}',
        b'{"method":"GET","endpoint":"/x","headers":{"a":"1","A":"2"}}',
        b'{"method":1,"endpoint":"/x"}',
    ],
    ids=repr,
)
def test_what_is_no_request_is_refused(text: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_request(text)


def test_only_200_carries_its_body() -> None:
    good = seal_answer(LAYER, ServerAnswer(200, JSON, b'{"id":1}'), bytes(24))
    assert LAYER.open(base64.b64decode(good, validate=True)) == b'{"id":1}'
    assert open_answer(LAYER, good) == (200, b'{"id":1}')
    for code in (201, 403, 404):
        bad = seal_answer(LAYER, ServerAnswer(code, JSON, b"lost"), bytes(24))
        assert LAYER.open(base64.b64decode(bad, validate=True)) == b'{"status_code": %d}' % code
        assert open_answer(LAYER, bad) == (code, b"")


def test_bytes_and_lists_are_bodies_too() -> None:
    for body in (b"\xff\x00", b"[]", b"", b'{"status_code":"200"}'):
        assert open_answer(LAYER, seal_answer(LAYER, ServerAnswer(200, {}, body), bytes(24))) == (200, body)


@pytest.mark.parametrize("payload", [b"", b"AAAA", b"????", b"\xff"])
def test_an_answer_that_is_none_does_not_open(payload: bytes) -> None:
    with pytest.raises(CannotOpen):
        open_answer(LAYER, payload)


@given(st.one_of(st.binary(max_size=50), st.text(max_size=50).map(lambda s: s.encode("utf-8", "replace"))))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_hostile_bytes_give_only_the_documented_errors(raw: bytes) -> None:
    for call in (lambda: decode_request(raw), lambda: open_answer(LAYER, raw)):
        try:
            call()
        except ProtocolError:
            continue
