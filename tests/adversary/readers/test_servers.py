"""Requests to servers and push platforms, read from bytes written by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionsim.adversary.names import names_in
from sessionsim.adversary.readers.servers import read_push_request, read_server_request
from sessionsim.adversary.terms import SERVER_V3, SERVER_V4
from sessionsim.core.columns import HEAD_CODE

ACCOUNT = "05" + "ab" * 32
TOKEN = "0123456789abcdef" * 4


def v4(about: bytes, body: bytes = b"") -> bytes:
    return b"l%d:%b%d:%be" % (len(about), about, len(body), body)


def test_a_subscription_is_about_its_account_and_names_the_token() -> None:
    about = b'{"method":"POST","endpoint":"/subscribe","headers":{}}'
    body = f'{{"pubkey":"{ACCOUNT}","service_info":{{"token":"{TOKEN}"}}}}'.encode()
    read = read_server_request(v4(about, body), SERVER_V4)
    assert read is not None
    (call,) = read.calls
    assert (call.method, call.account.hex()) == ("POST /subscribe", ACCOUNT)
    assert f"token:{TOKEN}" in names_in(call.fields, ())


def test_a_list_is_one_call_per_member_and_a_query_is_a_field() -> None:
    about = b'{"method":"GET","endpoint":"/room/a?limit=3","headers":{"X-A":"1"}}'
    read = read_server_request(v4(about, b'[{"a":1},{"method":"GET","path":"/b"}]'), SERVER_V4)
    assert read is not None
    assert [call.method for call in read.calls] == ["GET /room/a", "GET /b"]
    assert all(call.fields["query"] == "limit=3" for call in read.calls)
    assert all(call.fields["headers"] == {"x-a": "1"} for call in read.calls)


@pytest.mark.parametrize("style", [SERVER_V4, SERVER_V3])
@pytest.mark.parametrize("raw", [b"", b"l", b"le", b"l3:abce", b"{}", v4(b'{"method":1}'), b"\xff" * 40])
def test_what_is_no_request_is_none(raw: bytes, style: str) -> None:
    assert read_server_request(raw, style) is None


def test_a_device_a_push_server_and_a_platform_name_one_token() -> None:
    registered = read_push_request(HEAD_CODE["push_register"], TOKEN.encode())
    pushed = read_push_request(HEAD_CODE["push"], f"/3/device/{TOKEN}\n".encode() + b'{"aps":{}}')
    assert registered is not None
    assert pushed is not None
    for body in (registered, pushed):
        (call,) = body.calls
        assert names_in(call.fields, ()) == [f"token:{TOKEN}"]
    assert pushed.calls[0].fields["push"] == {"aps": {}}


def test_what_the_platform_hands_on_has_no_token() -> None:
    handed = read_push_request(HEAD_CODE["push_delivery"], b'{"enc_payload":"' + b"x" * 40 + b'"}')
    assert handed is not None
    assert names_in(handed.calls[0].fields, ()) == []


def test_other_heads_are_no_pushes() -> None:
    assert read_push_request(HEAD_CODE["onion_req"], b"x") is None


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_passed_over(raw: bytes) -> None:
    for head in ("push_register", "push", "push_delivery"):
        assert read_push_request(HEAD_CODE[head], raw) is not None
    read_server_request(raw, SERVER_V4)
