"""What a push carries: reference values, the size table, versions of servers, every rejection."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.push.payload import (
    Pushed,
    open_payload,
    read_push,
    seal_payload,
    write_list,
)
from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.monitor import Notification

VECTORS = Path(__file__).parents[1] / "vectors"
GROUPS = json.loads((VECTORS / "push.json").read_text("utf-8"))["groups"]
KEY, NONCE = bytes(range(32)), bytes(range(24))
ACCOUNT, HASH = b"\x05" + bytes(32), "h" * 43
T_MS, Z_MS = 1_777_000_000_000, 1_778_209_600_000


def message(data: bytes | None) -> Notification:
    return Notification(ACCOUNT, HASH, 0, T_MS, Z_MS, data)


def encoded(listed: bytes) -> str:
    return base64.b64encode(seal_payload(listed, KEY, NONCE)).decode()


@pytest.mark.parametrize("case", GROUPS["messages:push"], ids=lambda case: case["name"])
def test_the_reference_opens(case: Any) -> None:
    payload, key = bytes.fromhex(case["input"]["payload"]), bytes.fromhex(case["input"]["enc_key"])
    assert open_payload(payload, key) == case["expected"].encode()


@pytest.mark.parametrize(("stored", "encrypted", "as_base64"), GROUPS["sizes:push"])
def test_sizes_of_the_table(stored: int, encrypted: int, as_base64: int) -> None:
    payload = seal_payload(write_list(message(bytes(stored))), KEY, NONCE)
    assert (len(payload), len(base64.b64encode(payload))) == (encrypted, as_base64)


def test_the_text_of_a_push() -> None:
    text = (
        f'{{"@": "{ACCOUNT.hex()}", "#": "{HASH}", "n": 0, "t": 1777000000000, "z": 1778209600000, "l": 4}}'
    )
    assert write_list(message(b"body")).rstrip(b"\0") == b"l%d:%b4:bodye" % (len(text), text.encode())
    long = text.replace('"l": 4}', '"l": 2501, "B": true}')
    assert write_list(message(bytes(2501))).rstrip(b"\0") == b"l%d:%be" % (len(long), long.encode())
    bare = text.replace(', "l": 4}', "}")
    for data in (None, b""):
        assert write_list(message(data)).rstrip(b"\0") == b"l%d:%be" % (len(bare), bare.encode())


def test_without_body_older_servers_write_a_dict() -> None:
    listed = write_list(message(bytes(2501)), dict_without_body=True)
    assert listed.rstrip(b"\0") == (
        b"ld1:#43:" + HASH.encode() + b"1:@66:" + ACCOUNT.hex().encode()
        + b"1:Bi1e1:li2501e1:ni0e1:ti1777000000000e1:zi1778209600000eee"
    )  # fmt: skip
    assert len(listed) == 256
    with_body = [write_list(message(b"body"), dict_without_body=flag) for flag in (True, False)]
    assert with_body[0] == with_body[1]


@pytest.mark.parametrize("length", [1, 2499, 2500, 2501])
def test_bodies_up_to_the_limit_are_sent_along(length: int) -> None:
    body = b"x" * length
    for dict_without_body in (False, True):
        pushed = read_push(encoded(write_list(message(body), dict_without_body=dict_without_body)), KEY)
        kept, too_long = (body, False) if length <= 2500 else (None, True)
        assert pushed == Pushed(ACCOUNT, HASH, 0, T_MS, Z_MS, length, kept, too_long)


def test_without_wish_for_data_there_is_neither_length_nor_mark() -> None:
    pushed = read_push(encoded(write_list(message(None))), KEY)
    assert pushed == Pushed(ACCOUNT, HASH, 0, T_MS, Z_MS, None, None, False)


def test_padding_ends_on_a_multiple_of_256_and_adds_no_whole_block() -> None:
    sizes = {len(write_list(message(b"x" * length))) for length in range(1, 600)}
    assert sizes == {256, 512, 768, 1024}
    exact = next(n for n in range(1, 200) if len(write_list(message(b"x" * n)).rstrip(b"\0")) == 256)
    assert len(write_list(message(b"x" * exact))) == 256
    assert len(write_list(message(b"x" * (exact + 1)))) == 512


def test_the_size_classes_of_pushes_are_a_setting() -> None:
    for block, n_classes in ((1, 400), (64, 8), (1024, 1)):
        lists = [write_list(message(b"x" * length), block_bytes=block) for length in range(1, 401)]
        sizes = {len(one) for one in lists}
        assert len(sizes) == n_classes
        assert {size % block for size in sizes} == {0}
        assert [read_push(encoded(one), KEY).data for one in lists] == [b"x" * n for n in range(1, 401)]


def test_a_payload_of_zeros_stays_as_it_is() -> None:
    assert open_payload(seal_payload(bytes(256), KEY, NONCE), KEY) == bytes(256)
    assert open_payload(seal_payload(b"", KEY, NONCE), KEY) == b""
    assert open_payload(seal_payload(b"a\0b\0\0", KEY, NONCE), KEY) == b"a\0b"


def test_what_does_not_open() -> None:
    payload = seal_payload(write_list(message(b"body")), KEY, NONCE)
    altered = payload[:-1] + bytes([payload[-1] ^ 1])
    for wrong, key in (
        (b"", KEY),
        (payload[:39], KEY),
        (payload[:-1], KEY),
        (altered, KEY),
        (payload, bytes(32)),
        (payload, KEY[:31]),
    ):
        with pytest.raises(CannotOpen):
            open_payload(wrong, key)


def test_own_mistakes() -> None:
    for key, nonce in ((KEY[:31], NONCE), (KEY, NONCE[:12])):
        with pytest.raises(LocalProtocolError):
            seal_payload(b"", key, nonce)


META = {"@": ACCOUNT.hex(), "#": HASH, "n": 0, "t": T_MS, "z": Z_MS, "l": 4}


def listed(meta: object, *rest: object) -> bytes:
    first = meta if isinstance(meta, bytes) else json.dumps(meta).encode()
    return bencode.encode([first, *rest])


def test_further_parts_and_unknown_fields_are_ignored() -> None:
    assert read_push(encoded(listed({**META, "new": 1}, b"body", b"more", 5)), KEY).data == b"body"


def test_servers_before_times_were_named_are_understood() -> None:
    meta = {key: value for key, value in META.items() if key not in "tz"}
    pushed = read_push(encoded(listed(meta, b"body")), KEY)
    assert (pushed.timestamp_ms, pushed.expiry_ms, pushed.data) == (None, None, b"body")


@pytest.mark.parametrize(
    "inside",
    [
        b"",
        b"x",
        b"le",
        b"de",
        b"i5e",
        b"li5ee",
        b"lle4:bodye",
        listed(b"not json", b"body"),
        listed([META], b"body"),
        listed({**META, "@": ACCOUNT.hex()[2:]}, b"body"),
        listed({**META, "@": "zz" * 33}, b"body"),
        listed({**META, "@": " " * 66}, b"body"),
        listed({**META, "@": 5}, b"body"),
        listed({**META, "#": ""}, b"body"),
        listed({**META, "#": "h" * 100}, b"body"),
        listed({**META, "#": None}, b"body"),
        listed({**META, "n": 40_000}, b"body"),
        listed({**META, "n": "0"}, b"body"),
        listed({**META, "t": -1}, b"body"),
        listed({**META, "z": 1.5}, b"body"),
        listed({**META, "l": "4"}, b"body"),
        listed({**META, "l": 5}, b"body"),  # another length
        listed({key: value for key, value in META.items() if key != "l"}, b"body"),
        listed(META, 5),
        listed(META, [b"body"]),
        bencode.encode([{b"@": b"\xff"}]),
        bencode.encode([{b"@": ACCOUNT.hex(), b"#": HASH}]),
    ],
)
def test_hostile_pushes_are_refused(inside: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_push(encoded(inside), KEY)


def test_clients_differ_in_what_they_accept_without_body() -> None:
    without = encoded(write_list(message(None)))
    too_long = encoded(write_list(message(bytes(2501))))
    as_dict = encoded(write_list(message(bytes(2501)), dict_without_body=True))
    assert read_push(too_long, KEY, expects_data=True).too_long
    assert read_push(as_dict, KEY).too_long
    with pytest.raises(RemoteProtocolError, match="without body"):
        read_push(without, KEY, expects_data=True)
    with pytest.raises(RemoteProtocolError, match="without metadata"):
        read_push(as_dict, KEY, accepts_dict=False)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(st.text(max_size=60) | st.binary(max_size=90).map(encoded))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        read_push(text, KEY)


@settings(deadline=None, max_examples=80, derandomize=True)
@given(
    st.binary(min_size=1, max_size=300),
    st.integers(-32768, 32767),
    st.integers(0, 1 << 50),
    st.text(max_size=9),
)
def test_any_message_comes_back(data: bytes, namespace: int, time_ms: int, odd: str) -> None:
    name = HASH + "".join(char for char in odd if char.isascii())
    notification = Notification(ACCOUNT, name, namespace, time_ms, time_ms, data)
    pushed = read_push(encoded(write_list(notification)), KEY)
    assert pushed == Pushed(ACCOUNT, name, namespace, time_ms, time_ms, len(data), data, False)
