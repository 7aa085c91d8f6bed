from __future__ import annotations

import base64
import gzip
import hashlib
import re
import zlib
from typing import Any

import pytest

from sessionsim.adversary.known_fields import known_in_answer, known_in_call
from sessionsim.adversary.names import (
    id_term,
    names_anywhere,
    names_in,
    names_of_path,
    names_of_text,
    owner_of_ed25519,
    string_term,
)
from sessionsim.protocol.identity import account_from_seed

RAW = bytes([5]) + bytes(range(32))
ACCOUNT = f"account:{RAW.hex()}"
GROUP = bytes([3]) + bytes(32)
BLINDED = bytes([0x15]) + b"\x11" * 32
TOKEN = b"\3\7\0\0" + b"\x22" * 32


@pytest.mark.parametrize(
    "fields",
    [
        {"debug": RAW.hex()},
        {"debug": RAW.hex().upper()},
        {"debug": RAW},
        {"debug": base64.b64encode(RAW).decode()},
        {"debug": f"user={RAW.hex()};x=1"},
        {"a": {"b": [{"c": RAW.hex()}]}},
        {RAW.hex(): 1},
        {b"x": RAW},
        [RAW.hex()],
        RAW.hex(),
    ],
)
def test_an_id_is_found_in_whatever_form_it_stands(fields: Any) -> None:
    assert names_in(fields, ()) == [ACCOUNT]


@pytest.mark.parametrize(
    ("value", "term"),
    [
        (GROUP.hex(), f"group:{GROUP.hex()}"),
        (BLINDED.hex(), f"blinded:{BLINDED.hex()}"),
        (TOKEN, f"member:{TOKEN.hex()}"),
        (base64.b64encode(TOKEN).decode(), f"member:{TOKEN.hex()}"),
        ("from 244.0.0.7 to me", "addr:244.0.0.7"),
        ("a-device-token-0123", "string:a-device-token-0123"),
        (b"\xff" * 20, "string:" + "ff" * 20),
    ],
)
def test_other_names_have_their_own_types(value: Any, term: str) -> None:
    assert names_in({"anything": value}, ()) == [term]


@pytest.mark.parametrize(
    "value",
    ["", "short-1", "get_service_nodes", "a word without figures", 17, None, True, 1.5, "300.1.1.1",
     "1.2.3.4.5", RAW.hex()[:-1], RAW.hex() + "0", "05" + "g" * 64, b"\xff" * 15, ["x"], {"k": {}}],
)  # fmt: skip
def test_what_identifies_nothing_is_no_name(value: Any) -> None:
    names = names_in({"anything": value}, ())
    assert [name for name in names if not name.startswith("string:05")] == []


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"token": "a-device-token-0123"}, ["token:a-device-token-0123"]),
        ({"service_info": {"token": "0f" * 32}}, [f"token:{'0f' * 32}"]),
        ({"token": ["0" * 20]}, [f"token:{'0' * 20}"]),
        ({"token": {"x": "a-device-token-0123"}}, ["string:a-device-token-0123"]),
        ({"token": RAW.hex()}, [ACCOUNT]),  # what has a form of its own is that
        ({"token": "short-1"}, []),
    ],
)
def test_what_a_field_named_token_holds_is_a_token(fields: Any, names: list[str]) -> None:
    assert names_in(fields, ()) == names


def test_public_addresses_and_known_fields_are_passed_over() -> None:
    assert names_in({"x": "240.0.0.1 and 244.0.0.7"}, {"addr:240.0.0.1"}) == ["addr:244.0.0.7"]
    signature = base64.b64encode(bytes(range(64))).decode()
    usual = {
        "signature": signature, "subaccount_sig": signature, "pubkey_ed25519": "0a" * 32,
        "last_hash": "x" * 43, "timestamp": "1777000000000", "namespace": -11, "max_size": -2,
    }  # fmt: skip
    assert names_in(usual, (), known_in_call("retrieve")) == []
    assert names_in({"messages": ["x" * 43], "expiry": 1}, (), known_in_call("expire")) == []
    assert names_in({"hash": "x" * 43, "t": 1, "hf": [19, 3]}, (), known_in_answer("store")) == []
    assert names_in({"x": {"signature": "x" * 88, "y": RAW.hex()}}, (), {"signature"}) == [ACCOUNT]


@pytest.mark.parametrize("field", ["signature", "last_hash", "timestamp", "namespace", "pubkey_ed25519"])
def test_a_known_field_that_holds_something_else_is_looked_at(field: str) -> None:
    known = known_in_call("retrieve")
    assert field in known
    assert names_in({field: f"x{RAW.hex()}"}, (), known) == [ACCOUNT]
    assert names_in({field: ["x", {"deep": RAW.hex()}]}, (), known) == [ACCOUNT]
    assert names_in({field.upper(): "at 244.0.0.7"}, (), known) == ["addr:244.0.0.7"]


@pytest.mark.parametrize(
    ("method", "field", "value"),
    [
        ("retrieve", "data", RAW.hex()), ("retrieve", "path", RAW.hex()),
        ("delete", "enc_payload", RAW.hex()),
        ("get_swarm", "pubkey_ed25519", account_from_seed(bytes(16)).ed.public.hex()),
        ("POST /file", "path", RAW.hex()), ("POST /subscribe", "data", RAW.hex()),
    ],
)  # fmt: skip
def test_a_known_field_is_looked_at_where_it_does_not_belong(method: str, field: str, value: str) -> None:
    owner = account_from_seed(bytes(16)).id_hex
    wanted = ACCOUNT if value == RAW.hex() else f"account:{owner}"
    assert wanted in names_in({field: value}, (), known_in_call(method))


def test_an_ed25519_key_names_the_account_that_follows_from_it() -> None:
    account = account_from_seed(bytes(16))
    for key in (account.ed.public, account.ed.public.hex()):
        assert owner_of_ed25519(key) == f"account:{account.id_hex}"
        assert owner_of_ed25519(key, account.id) == ""
        assert owner_of_ed25519(key, b"\3" + account.ed.public) == ""  # the key that a group is
    assert owner_of_ed25519("ab" * 20) == ""
    assert owner_of_ed25519(b"\xff" * 32) == ""  # no point of the curve


def test_keys_of_nodes_name_no_accounts() -> None:
    key = account_from_seed(bytes(16)).ed.public.hex()
    assert names_in({"my_ed25519": key}, {f"string:{key}"}) == []


SPELLED = [
    RAW.hex().upper(), f"0x{RAW.hex()}", base64.urlsafe_b64encode(b"\5" + b"\xff" * 32).decode().rstrip("="),
    base64.b32encode(RAW).decode(), base64.b32encode(RAW).decode().rstrip("=").lower(),
    "".join(f"%{byte:02x}" for byte in RAW), "".join(f"%{ord(c):02X}" for c in RAW.hex()),
    base64.b64encode(b'{"who": "%s"}' % RAW.hex().encode()).decode(), RAW.hex().encode().hex(),
    base64.b64encode(base64.b64encode(b"x=" + RAW.hex().encode())).decode(),
    f"Bearer {base64.b64encode(RAW).decode()}", f"/v1/{base64.b64encode(RAW).decode()}/x",
    '{"a":["' + base64.b64encode(RAW).decode().replace("/", "\\/") + '"]}',
    base64.b64encode(b"d1:a33:" + RAW + b"e").decode(), base64.b64encode(b"\x0a\x21" + RAW).decode(),
    ":".join(re.findall("..", RAW.hex())), "-".join(re.findall(".{11}", RAW.hex())),
    str(int(RAW.hex(), 16)), base64.b64encode(zlib.compress(RAW.hex().encode())).decode(),
    base64.b64encode(gzip.compress(RAW, mtime=0)).decode(),
    base64.b64encode(RAW.hex().encode("utf-16")).decode(),
    "2V9bkBTrLXty4QyEa11v9chZAx1eEFfzFQvksKz4JL9bc", "ywyynyodyonocbaebrfysdypba8tyre1nckbkfozdyctwgahdwxb6",
]  # fmt: skip


@pytest.mark.parametrize("text", SPELLED)
def test_an_id_is_found_however_it_is_spelled(text: str) -> None:
    wanted = f"account:05{'ff' * 32}" if text.startswith("Bf") else ACCOUNT
    assert names_in({"debug": text}, ()) == [wanted]
    assert names_anywhere(f"junk {text} junk".encode(), ()) == [wanted]


@pytest.mark.parametrize("way", [base64.b64encode, base64.urlsafe_b64encode, base64.b32encode, bytes.hex])
def test_an_address_is_found_however_it_is_spelled(way: Any) -> None:
    found = way(b"ip=244.0.0.7")
    text = found if isinstance(found, str) else found.decode()
    assert names_in({"debug": text}, ()) == ["addr:244.0.0.7"]
    assert names_in({"debug": text}, {"addr:244.0.0.7"}) == []


def test_random_bytes_hold_no_names() -> None:
    raw = b"".join(hashlib.sha512(b"%d" % k).digest() for k in range(4_000))
    assert names_anywhere(raw, ()) == []
    texts = [base64.b64encode(raw[at : at + 60]).decode() for at in range(0, 60_000, 60)]
    found = [name for text in texts for name in names_in({"x": text}, ())]
    assert {name.partition(":")[0] for name in found} == {"string"}


def test_ids_of_files_are_no_spelling_of_another_name() -> None:
    url = b"http://files.example/file/BQAB" + b"x" * 40 + b"#p=" + b"0a" * 32
    assert names_anywhere(url, ()) == []
    assert names_anywhere(url + RAW.hex().encode(), ()) == []  # 130 digits in one
    assert names_anywhere(url + b"&u=" + base64.b64encode(RAW), ()) == [ACCOUNT]


def test_each_name_once_in_order() -> None:
    assert names_in([RAW.hex(), GROUP.hex(), RAW], ()) == [ACCOUNT, f"group:{GROUP.hex()}"]


def test_depth_is_bounded() -> None:
    deep: Any = RAW.hex()
    for _ in range(5000):
        deep = [deep]
    assert names_in(deep, ()) == []


def test_text_may_hold_several() -> None:
    text = f"{RAW.hex()},{GROUP.hex()} at 10.0.0.1"
    assert list(names_of_text(text)) == [ACCOUNT, f"group:{GROUP.hex()}", "addr:10.0.0.1"]


def test_terms_of_odd_ids_and_long_strings() -> None:
    assert id_term(b"") == "id:"
    assert id_term(b"\x99" * 33) == f"id:{'99' * 33}"
    assert string_term("x" * 200) == f"string:{'x' * 128}…"


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("GET /file/" + "x" * 43 + "1", ["file:" + "x" * 43 + "1"]),
        ("GET /file/BQAB" + "x" * 40, ["file:BQAB" + "x" * 40]),  # no account in base64
        (f"GET /file/{RAW.hex()}", [ACCOUNT, f"file:{RAW.hex()}"]),
        ("GET /file/123/info", ["file:123"]),
        ("POST /file", []),
        (f"POST /inbox/{BLINDED.hex()}", [f"blinded:{BLINDED.hex()}"]),
        ("GET /room/abc/messages/since/17", []),
        ("GET /x/0123456789abcdef", ["string:0123456789abcdef"]),
    ],
)
def test_paths_name_files_ids_and_long_parts(path: str, names: list[str]) -> None:
    assert list(names_of_path(path)) == names
