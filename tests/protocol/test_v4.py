"""The v4 payload of requests to servers: worked strings, both families, what a server overlooks and not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from sessionsim.protocol.wire.onion import DESKTOP, LIBSESSION, Style
from sessionsim.protocol.wire.v4 import (
    INVALID,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
    passed_over,
    refusal,
)

FILE = Path(__file__).parents[1] / "vectors" / "servers.json"
EXAMPLES = json.loads(FILE.read_text("utf-8"))["groups"]["transport:onion.v4_bencode"]
NAMES = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12)


def test_the_worked_request_comes_out_and_is_read() -> None:
    (case,) = EXAMPLES["requests"]
    written = encode_request(DESKTOP, ServerRequest("GET", "/room/some-room", {"Some-Header": "12345"}))
    assert written.decode() == case["encoded"]
    assert len(case["json"]) == case["json_len"]
    assert decode_request(written) == ServerRequest("GET", "/room/some-room", {"some-header": "12345"}, b"")


def test_the_worked_answer_comes_out_and_is_read() -> None:
    (case,) = EXAMPLES["responses"]
    answer = ServerAnswer(200, {"content-type": "application/json"}, case["body"].encode())
    assert encode_answer(answer).decode() == case["encoded"]
    assert decode_answer(case["encoded"].encode()) == answer


def test_the_code_of_the_community_server_writes_spaces_into_the_json() -> None:
    answer = ServerAnswer(404, {"content-type": "text/plain", "content-length": "4"}, b"what")
    about = b'{"code": 404, "headers": {"content-type": "text/plain"}}'
    assert encode_answer(answer, compact=False) == b"l%d:%b4:whate" % (len(about), about)
    assert decode_answer(encode_answer(answer, compact=False)).status == 404


def test_families_differ_in_order_empty_bodies_and_the_type_of_a_body() -> None:
    headers = {"X": "1", "A": "2"}
    desktop = encode_request(DESKTOP, ServerRequest("POST", "/file", headers), keep_empty=True)
    posted = ServerRequest("POST", "file", headers | {"User-Agent": "x"})
    library = encode_request(LIBSESSION, posted, keep_empty=True)
    assert desktop == b'l64:{"method":"POST","endpoint":"/file","headers":{"X":"1","A":"2"}}e'
    about = (
        b'{"endpoint":"/file","headers":{"A":"2","Content-Type":"application/json","X":"1"},"method":"POST"}'
    )
    assert library == b"l%d:%b0:e" % (len(about), about)


@pytest.mark.parametrize("style", [DESKTOP, LIBSESSION], ids=lambda style: style.name)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=st.text(max_size=30),
    headers=st.dictionaries(NAMES, st.text(max_size=20), max_size=4),
    body=st.binary(min_size=1, max_size=80),
)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_a_request_is_read_as_it_was_written(
    style: Style, method: str, path: str, headers: dict[str, str], body: bytes
) -> None:
    path = "/" + path.encode("utf-8", "replace").decode()
    read = decode_request(encode_request(style, ServerRequest(method, path, headers, body)))
    assert (read.method, read.endpoint, read.body) == (method, path, body)
    assert {**read.headers, **headers} == read.headers


@given(code=st.integers(100, 599), headers=st.dictionaries(NAMES, st.text(max_size=9)), body=st.binary())
@settings(deadline=None, max_examples=60, derandomize=True)
def test_an_answer_is_read_as_it_was_written(code: int, headers: dict[str, str], body: bytes) -> None:
    headers.pop("content-length", None)
    for compact in (True, False):
        read = decode_answer(encode_answer(ServerAnswer(code, headers, body), compact=compact))
        assert read == ServerAnswer(code, headers, body)


def listed(about: bytes) -> bytes:
    return b"l%d:%be" % (len(about), about)


ABOUT = b'{"method":"GET","endpoint":"/x"}'


@pytest.mark.parametrize(
    "text",
    [b"l032:%be", b"l32:%b.e", b"l32:%b0:e", b"l00000000000000000032:%be"],
    ids=["zeros", "stray byte", "empty body", "more zeros"],
)
def test_a_server_overlooks(text: bytes) -> None:
    assert decode_request(text % ABOUT) == ServerRequest("GET", "/x", {}, b"")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"l",
        b"le",
        b"e",
        b"d32:" + ABOUT + b"e",
        b"l33:" + ABOUT + b"e",
        b"l32:" + ABOUT,
        b"l32:" + ABOUT + b"..e",
        b"l32:" + ABOUT + b"2:xe",
        b"l32:" + ABOUT + b"1:x1:ye",
        b"l-1:" + ABOUT + b"e",
        b"l" + b"9" * 5000 + b":e",
        listed(b"{}"),
        listed(b"[]"),
        listed(b'{"method":"GET","endpoint":"x"}'),
        listed(b'{"method":5,"endpoint":"/x"}'),
        listed(b'{"method":"GET","endpoint":"/x","}'),
        listed(b'{"method":"GET","endpoint":"/x","headers":[]}'),
        listed(b'{"method":"GET","endpoint":"/x","headers":{"a":[]}}'),
    ],
    ids=repr,
)
def test_a_server_refuses(text: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_request(text)
    assert refusal() == ServerAnswer(400, {"content-type": "text/plain; charset=utf-8"}, INVALID)


@given(st.one_of(st.binary(max_size=60), st.binary(max_size=40).map(lambda b: b"l" + b + b"e")))
@settings(deadline=None, max_examples=300, derandomize=True)
def test_hostile_bytes_give_only_the_documented_error(raw: bytes) -> None:
    for read in (decode_request, decode_answer):
        try:
            read(raw)
        except RemoteProtocolError:
            continue


def test_what_we_misuse_is_our_error() -> None:
    with pytest.raises(LocalProtocolError):
        encode_answer(ServerAnswer(200, {"Content-Type": "x"}, b""))


def test_what_nobody_reads_is_told() -> None:
    request = encode_request(DESKTOP, ServerRequest("GET", "/x", {"a": "b"}, b""))
    answer = encode_answer(ServerAnswer(200, {"a": "b"}, b"body"))
    assert passed_over(request) == passed_over(answer) == {}
    about = b'{"code":200,"headers":{},"more":[1]}'
    assert passed_over(b"l%d:%be" % (len(about), about)) == {"more": [1]}
    with pytest.raises(RemoteProtocolError):
        passed_over(b"l2:{}")
