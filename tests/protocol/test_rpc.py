"""Storage RPC texts: hash vectors, what clients write and nodes read, what nodes write and clients read."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.crypto import KeyPair, real
from sessionsim.protocol.namespaces import is_open_to_read, is_public_inbox, is_public_outbox
from sessionsim.protocol.stored import Message
from sessionsim.protocol.wire import bencode, rpc, rpc_answers
from sessionsim.protocol.wire.rpc_node import (
    BatchCall,
    InfoCall,
    PollCall,
    Refused,
    RetrieveCall,
    StoreCall,
    SwarmCall,
    read_forward,
    read_forward_slowly,
    write_forward,
    write_forward_slowly,
)
from sessionsim.protocol.wire.rpc_params import _READERS, read_call

GROUPS = json.loads((Path(__file__).parents[1] / "vectors" / "storage.json").read_text("utf-8"))["groups"]
HASHES = [
    case
    for name in ("transport:storage.message_hash", "transport:storage.message_hash_self_computed")
    for case in GROUPS[name]["vectors"]
]
ACCOUNT, ED = "05" + "ab" * 32, "cd" * 32
STAMP = 1_777_000_000_000
SIGNATURE = bytes(range(64))
LIMITS = (76_800, 20)
STYLES = list(rpc.BODY_STYLES.values())
HF = b"[19,3]"


def call_of(method: str, params: Any) -> Any:
    return read_call(orjson.dumps({"method": method, "params": params}), *LIMITS)


def store_params(**changes: Any) -> dict[str, Any]:
    fields = {"pubkey": ACCOUNT, "timestamp": STAMP, "ttl": 86_400_000, "data": "YWJj"} | changes
    return {name: value for name, value in fields.items() if value is not ...}


def retrieve_params(**changes: Any) -> dict[str, Any]:
    signature = base64.b64encode(SIGNATURE).decode()
    fields = {"pubkey": ACCOUNT, "pubkey_ed25519": ED, "signature": signature, "timestamp": STAMP} | changes
    return {name: value for name, value in fields.items() if value is not ...}


@pytest.mark.parametrize("case", HASHES)
def test_message_hash_matches_the_reference(case: dict[str, Any]) -> None:
    data = base64.b64decode(case["data_base64"])
    assert rpc.message_hash(bytes.fromhex(case["pubkey"]), case["namespace"], data) == case["hash"]


@pytest.mark.parametrize("case", GROUPS["libsession:message_hash"]["cases"], ids=lambda case: case["id"])
def test_message_hash_matches_the_server_code(case: dict[str, Any]) -> None:
    given_, expected = case["input"], case["expected"]
    account, data = bytes.fromhex(given_["pubkey"]), bytes.fromhex(given_["data"])
    assert rpc.message_hash(account, given_["namespace"], data) == expected["hash"]


@pytest.mark.parametrize("case", GROUPS["libsession:namespace_rules"]["cases"], ids=lambda case: case["id"])
def test_namespace_rules_match_the_server_code(case: dict[str, Any]) -> None:
    namespace, expected = case["input"]["namespace"], case["expected"]
    assert is_public_inbox(namespace) is expected["public_inbox"]
    assert is_public_outbox(namespace) is expected["public_outbox"]
    assert is_open_to_read(namespace) is expected["noauth_retrieve"]


SIGNED = [
    case
    for case in GROUPS["libsession:request_signature"]["cases"]
    if case["input"]["method"] in ("store", "retrieve") and not case["input"].get("subaccount")
]


@pytest.mark.parametrize("case", SIGNED, ids=lambda case: case["id"])
def test_signed_text_and_signature_match_the_server_code(case: dict[str, Any]) -> None:
    given_, expected = case["input"], case["expected"]
    text = rpc.signed_text(given_["method"], given_["namespace"], given_["timestamp"])
    assert text.hex() == expected["signed_text"]
    secret = bytes.fromhex(given_["ed25519_sk"])
    assert real.ed25519_sign(KeyPair(secret[32:], secret[:32]), text).hex() == expected["signature"]


PLAIN_AUTHORISATIONS = [
    case
    for case in GROUPS["libsession:request_authorisation"]["cases"]
    if not case["input"].get("subaccount")
]


@pytest.mark.parametrize("case", PLAIN_AUTHORISATIONS, ids=lambda case: case["id"])
def test_signatures_without_subaccount_are_accepted_as_the_server_does(
    case: dict[str, Any], make_world: Callable[..., Any]
) -> None:
    given_ = case["input"]
    ed = bytes.fromhex(given_["pubkey_ed25519"]) if given_.get("pubkey_ed25519") else None
    account, text = bytes.fromhex(given_["pubkey"]), bytes.fromhex(given_["signed_text"])
    node = make_world(suite="sodium").machines[0]
    held = node._rpc._signature_holds(account, ed, text, bytes.fromhex(given_["signature"]))
    assert held is case["expected"]["accepted"]


def test_signed_text_leaves_out_namespace_zero() -> None:
    assert rpc.signed_text("retrieve", 0, 17) == b"retrieve17"
    assert rpc.signed_text("retrieve", -11, 17) == b"retrieve-1117"


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
@pytest.mark.parametrize("namespace", [0, 2, -10])
def test_store_is_read_as_it_was_written(style: rpc.BodyStyle, namespace: int) -> None:
    body = rpc.request_body(style, rpc.store_call(style, ACCOUNT, b"\x00\xffdata", STAMP, 1000, namespace))
    account = bytes.fromhex(ACCOUNT)
    assert read_call(body, *LIMITS) == StoreCall(
        account, namespace, STAMP, STAMP + 1000, b"\x00\xffdata",
        rpc.message_hash(account, namespace, b"\x00\xffdata"), None, None, 0,
    )  # fmt: skip


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
@pytest.mark.parametrize("last_hash", ["", "A" * 43])
def test_poll_is_read_as_it_was_written(style: rpc.BodyStyle, last_hash: str) -> None:
    calls = [
        rpc.retrieve_call(style, ACCOUNT, ED, namespace, last_hash, STAMP, SIGNATURE, size)
        for namespace, size in ((0, -2), (2, -8))
    ]
    read = read_call(rpc.batch_body(style, calls), *LIMITS)
    account, ed = bytes.fromhex(ACCOUNT), bytes.fromhex(ED)
    assert read == PollCall(
        account, ed, STAMP, ((0, last_hash, -2, SIGNATURE), (2, last_hash, -8, SIGNATURE))
    )
    assert read.calls() == (
        RetrieveCall(account, 0, last_hash, 0, -2, ed, SIGNATURE, STAMP),
        RetrieveCall(account, 2, last_hash, 0, -8, ed, SIGNATURE, STAMP),
    )


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_lookup_info_and_sequence_are_read_as_they_were_written(style: rpc.BodyStyle) -> None:
    lookup, info = rpc.get_swarm_call(style, ACCOUNT), rpc.info_call()
    assert read_call(rpc.request_body(style, lookup), *LIMITS) == SwarmCall(bytes.fromhex(ACCOUNT))
    assert read_call(rpc.request_body(style, info), *LIMITS) == InfoCall()
    assert read_call(rpc.batch_body(style, [info], b"sequence"), *LIMITS) == BatchCall(True, (InfoCall(),))


def test_bodies_are_the_texts_of_their_families() -> None:
    call = rpc.store_call(rpc.DESKTOP, ACCOUNT, b"abc", 1, 2)
    assert rpc.request_body(rpc.DESKTOP, call) == (
        b'{"jsonrpc":"2.0","method":"store","params":{"pubkey":"%b","timestamp":1,"namespace":0,"ttl":2,"data":"YWJj"}}'
        % ACCOUNT.encode()
    )
    plain = json.loads(
        rpc.request_body(rpc.LIBSESSION, rpc.store_call(rpc.LIBSESSION, ACCOUNT, b"abc", 1, 2))
    )
    written = rpc.retrieve_call(rpc.LIBSESSION, ACCOUNT, ED, 3, "", STAMP, SIGNATURE, -8)[1]
    assert orjson.dumps(orjson.loads(written), option=orjson.OPT_SORT_KEYS) == written
    assert list(plain) == ["method", "params"]
    assert list(plain["params"]) == sorted(plain["params"])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"data": ...}, "Required field 'data' missing"),
        ({"data": "*"}, "Invalid 'data' value: not base64 encoded"),
        ({"data": "YWJ"}, None),  # unpadded is fine
        ({"data": "YWJj="}, "Invalid 'data' value: not base64 encoded"),
        ({"data": "YW=Jj"}, "Invalid 'data' value: not base64 encoded"),
        ({"data": "YWJj===="}, "Invalid 'data' value: not base64 encoded"),
        ({"data": "A==="}, "Invalid 'data' value: not base64 encoded"),
        ({"data": "YQ==YQ=="}, "Invalid 'data' value: not base64 encoded"),
        ({"data": "YW\nJ"}, "Invalid 'data' value: not base64 encoded"),
        ({"data": "A"}, "Invalid 'data' value: not base64 encoded"),
        ({"data": 5}, "Invalid value given for 'data': expected string"),
        ({"data": "A" * 102_400}, None),
        ({"data": "A" * 102_404}, "Message body exceeds maximum allowed length of 76800 bytes"),
        ({"pubkey": ...}, "Required field 'pubkey' missing"),
        ({"pubkey": ..., "pubKey": ACCOUNT}, None),
        ({"pubkey": ACCOUNT[:-2]}, "Pubkey must be 66 hex digits (33 bytes) long"),
        ({"pubkey": ACCOUNT[:-2] + "  "}, "Pubkey must be 66 hex digits (33 bytes) long"),
        ({"pubkey": "zz" * 33}, "Pubkey must be 66 hex digits (33 bytes) long"),
        ({"timestamp": ...}, "Required field 'timestamp' missing"),
        ({"timestamp": str(STAMP), "ttl": "1000"}, None),
        ({"timestamp": "12e3"}, "Invalid value given for 'timestamp': \"12e3\""),
        ({"timestamp": True}, "Invalid value given for 'timestamp': expected integer"),
        ({"timestamp": 1.5}, "Invalid value given for 'timestamp': expected integer"),
        ({"timestamp": 1 << 63}, "Invalid value given for 'timestamp': expected integer"),
        ({"ttl": ...}, "Required field 'expiry' or 'ttl' missing"),
        ({"ttl": -1}, "Invalid value given for 'ttl': expected positive integer"),
        ({"expiry": STAMP}, "Cannot specify both 'expiry' and 'ttl'"),
        ({"ttl": ..., "expiry": STAMP}, None),
        ({"ttl": ..., "expiry": 1000}, "Invalid timestamp for 'expiry': timestamp must be in milliseconds"),
        ({"namespace": "0"}, "Invalid value given for 'namespace': expected 16-bit integer"),
        ({"namespace": 32_768}, "Invalid value given for 'namespace': value out of range"),
        ({"namespace": -32_768}, None),
        ({"signature": "A" * 86}, None),
        ({"signature": "A" * 87}, "invalid signature: expected base64 encoded Ed25519 signature"),
        ({"signature": "A" * 88}, "invalid signature: expected base64 encoded Ed25519 signature"),
    ],
)
def test_store_parameters_are_checked_as_the_server_does(changes: dict[str, Any], text: str | None) -> None:
    if text is None:
        assert isinstance(call_of("store", store_params(**changes)), StoreCall)
        return
    with pytest.raises(Refused) as refused:
        call_of("store", store_params(**changes))
    assert (refused.value.status, refused.value.text) == (400, f"invalid request: {text}")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"signature": ...}, "Required field 'signature' missing"),
        ({"timestamp": ...}, "Required field 'timestamp' missing"),
        (
            {"timestamp": 1_777_000_000 // 10},
            "Invalid timestamp for 'timestamp': timestamp must be in milliseconds",
        ),
        ({"pubkey_ed25519": "ab"}, "Invalid pubkey_ed25519: expected 64 hex char or 32 byte pubkey"),
        ({"pubkey": "03" + "ab" * 32}, "pubkey_ed25519 is only permitted for 05[...] pubkeys"),
        ({"pubkey": "03" + "ab" * 32, "pubkey_ed25519": ...}, None),
        ({"last_hash": "short"}, "Invalid last_hash: expected base64 (43 chars)"),
        ({"last_hash": "é" * 43}, "Invalid last_hash: expected base64 (43 chars)"),
        ({"last_hash": None}, None),
        ({"lastHash": "A" * 43}, None),
        ({"max_size": 1 << 31}, "Invalid value given for 'max_size': expected integer"),
        ({"max_count": "3"}, "Invalid value given for 'max_count': expected integer"),
    ],
)
def test_retrieve_parameters_are_checked_as_the_server_does(
    changes: dict[str, Any], text: str | None
) -> None:
    if text is None:
        assert isinstance(call_of("retrieve", retrieve_params(**changes)), RetrieveCall)
        return
    with pytest.raises(Refused) as refused:
        call_of("retrieve", retrieve_params(**changes))
    assert (refused.value.status, refused.value.text) == (400, f"invalid request: {text}")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "invalid json"),
        (b"{", "invalid json"),
        (b"[" * 100_000, "invalid json"),
        (b"\xff", "invalid json"),
        (b"[]", "invalid json: no `method` field"),
        (b'{"method":5}', "invalid json: no `method` field"),
        (b'{"method":"info"}', "invalid json: no `params` field"),
        (b'{"method":"info","params":[]}', "invalid json: no `params` field"),
        (b'{"method":"delete_some","params":{}}', "no method delete_some"),
        (b'{"method":"batch","params":{}}',
         'invalid request: Invalid batch request: no valid "requests" field'),
        (b'{"method":"batch","params":{"requests":[]}}',
         'invalid request: Invalid batch request: no valid "requests" field'),
        (b'{"method":"batch","params":{"requests":[1]}}',
         "invalid request: Invalid batch request: requests must be objects"),
        (b'{"method":"batch","params":{"requests":[{"method":"info"}]}}',
         "invalid request: Invalid batch request: subrequests must have method/params keys"),
        (b'{"method":"batch","params":{"requests":[{"method":"batch","params":{"requests":[]}}]}}',
         "invalid request: Invalid batch subrequest: subrequests may not contain meta-requests"),
        (b'{"method":"sequence","params":{"requests":[{"method":"huh","params":{}}]}}',
         'invalid request: Invalid batch subrequest: invalid method "huh"'),
    ],
)  # fmt: skip
def test_bodies_that_are_no_request_are_refused(body: bytes, text: str) -> None:
    with pytest.raises(Refused) as refused:
        read_call(body, *LIMITS)
    assert (refused.value.status, refused.value.text) == (400, text)


def test_batch_of_more_than_the_limit_is_refused() -> None:
    info = rpc.info_call()
    assert len(read_call(rpc.batch_body(rpc.DESKTOP, [info] * 20), *LIMITS).calls) == 20  # type: ignore[union-attr]
    with pytest.raises(Refused, match="limit exceeded"):
        read_call(rpc.batch_body(rpc.DESKTOP, [info] * 21), *LIMITS)


CALLS = st.builds(
    lambda namespace, data, ttl, signed: StoreCall(
        bytes.fromhex(ACCOUNT), namespace, STAMP, STAMP + ttl, data,
        rpc.message_hash(bytes.fromhex(ACCOUNT), namespace, data),
        bytes.fromhex(ED) if signed else None, SIGNATURE if signed else None, STAMP + 5 if signed else STAMP,
    ),
    st.just(0) | st.integers(-32_768, 32_767), st.binary(max_size=50), st.integers(0, 1 << 40), st.booleans(),
)  # fmt: skip


@settings(deadline=None, max_examples=60, derandomize=True)
@given(CALLS)
def test_forwarded_store_is_read_as_it_was_written(call: StoreCall) -> None:
    payload = write_forward(call)
    assert payload == write_forward_slowly(call)
    assert read_forward(payload, 76_800) == read_forward_slowly(payload, 76_800) == call


@settings(deadline=None, max_examples=200, derandomize=True)
@given(CALLS, st.data())
def test_damaged_forward_is_refused_or_another_valid_call(call: StoreCall, data: st.DataObject) -> None:
    payload = bytearray(write_forward(call))
    at = data.draw(st.integers(0, len(payload) * 8 - 1))
    payload[at // 8] ^= 1 << at % 8
    cut = data.draw(st.integers(0, len(payload)))
    for hostile in (bytes(payload), bytes(payload[:cut])):
        try:
            read = read_forward(hostile, 76_800)
        except Refused:
            with pytest.raises(Refused):
                read_forward_slowly(hostile, 76_800)
            continue
        assert read == read_forward_slowly(hostile, 76_800)
        assert read.hash == rpc.message_hash(read.account, read.namespace, read.data)


@pytest.mark.parametrize(
    "change", [{b"data": b"x" * 10}, {b"pubkey": b"\x05"}, {b"namespace": 1 << 20}, {b"expiry": -1}]
)
def test_forwarded_store_with_wrong_fields_is_refused(change: dict[bytes, Any]) -> None:
    fields = {
        b"data": b"abc",
        b"expiry": STAMP,
        b"pubkey": bytes.fromhex(ACCOUNT),
        b"timestamp": STAMP,
    } | change
    for read in (read_forward, read_forward_slowly):
        with pytest.raises(Refused):
            read(bencode.encode([b"store", fields]), 9)
    with pytest.raises(Refused, match="non-forwardable"):
        read_forward(bencode.encode([b"retrieve", fields]), 76_800)


def test_oversized_forward_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(Refused, match="exceeds"):
        read_forward(b"x" * 80_000, 76_800)


MESSAGES = st.lists(
    st.builds(
        lambda data, stamp: Message(1, rpc.message_hash(bytes(33), 0, data), stamp, stamp + 1000, data),
        st.binary(max_size=40), st.integers(0, 1 << 42),
    ), max_size=4,
)  # fmt: skip


@settings(deadline=None, max_examples=60, derandomize=True)
@given(MESSAGES, st.booleans())
def test_retrieve_answer_is_sorted_json_and_read_as_written(messages: list[Message], more: bool) -> None:
    body = rpc_answers.retrieve_body(messages, more, STAMP, HF)
    fields = orjson.loads(body)
    assert orjson.dumps(fields, option=orjson.OPT_SORT_KEYS) == body
    assert rpc.read_retrieved(fields) == ([rpc.Retrieved(*message[1:]) for message in messages], more)
    assert rpc.read_clock(fields) == STAMP


def test_batch_answer_holds_objects_and_texts() -> None:
    inner = rpc_answers.retrieve_body([], False, STAMP, HF)
    answers = [(200, inner, True), rpc_answers.text_answer(401, 'no "signature"')]
    status, body, is_json = rpc_answers.batch_answer(answers)
    assert (status, is_json) == (200, True)
    assert rpc.read_batch(body) == [(200, orjson.loads(inner)), (401, {"error": 'no "signature"'})]
    assert orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS) == body


# Pieces of answers, so that some stand there twice and some only look like it.
PIECES = st.lists(
    st.sampled_from(
        [
            '{"body":{"messages":[]},"code":200}', '{"body":"},{","code":401}', '{"body":"',
            '"},{"body":"', '"}', '","code":200}', ",", '{"body":{},"code":1}', "{}", "[", "]", '"',
            '{"body":[{},{"body":1}],', '"code":2}', '{"body":3}', " ",
        ]
    ),
    max_size=5,
).map("".join)  # fmt: skip


def read_or_none(body: bytes) -> list[tuple[int, dict[str, Any]]] | None:
    try:
        return rpc.read_batch(body)
    except RemoteProtocolError:
        return None


@given(piece=PIECES, count=st.integers(1, 4), end=PIECES)
@settings(deadline=None, max_examples=400, derandomize=True)
def test_answers_that_stand_there_several_times_are_read_as_each_of_them(
    piece: str, count: int, end: str
) -> None:
    for text in (",".join([piece] * count), ",".join([piece] * count + [end])):
        # With a blank no two batches begin alike, so that is read by the general way.
        assert read_or_none(b'{"results":[%b]}' % text.encode()) == read_or_none(
            b'{"results": [%b]}' % text.encode()
        )


def test_an_empty_poll_of_five_boxes_is_one_answer() -> None:
    inner = rpc_answers.retrieve_body([], False, STAMP, HF)
    results = rpc.read_batch(rpc_answers.batch_answer([(200, inner, True)] * 5)[1])
    assert results == [(200, orjson.loads(inner))] * 5
    assert all(one is results[0] for one in results)


@pytest.mark.parametrize(
    "item",
    [
        b'{"body":{},"code":200}],"more":[{"body":{},"code":400}',  # several lists in one item
        b'{"body":{},"code":200}],"results":[{"body":{},"code":400}',
        b'{"body":{},"code":"200"}',
        b'{"body":{}}',
        b'{"body":{},"code":200',
        b'{"body":"\xff","code":200}',
        b"[" * 2000 + b"]" * 2000,
    ],
)
def test_only_whole_results_count_as_equal_ones(item: bytes) -> None:
    assert rpc.read_equal_results(b'{"results":[%b]}' % b",".join([item] * 2)) is None


def test_equal_results_are_counted() -> None:
    item = b'{"body":{"a":[1]},"code":200}'
    for count, found in ((1, None), (2, (200, {"a": [1]}, 2)), (20, (200, {"a": [1]}, 20))):
        assert rpc.read_equal_results(b'{"results":[%b]}' % b",".join([item] * count)) == found
    assert rpc.read_equal_results(b'{"results":[%b,%b]}' % (item, item.replace(b"200", b"201"))) is None
    assert rpc.read_equal_results(b'{"results":[%b,%b],"x":[]}' % (item, item)) is None


HASH = rpc.message_hash(bytes(33), 0, b"")


@pytest.mark.parametrize("already", [False, True])
def test_member_entry_is_the_same_by_both_ways(already: bool) -> None:
    payload = rpc_answers.member_answer(HASH, SIGNATURE, STAMP, already)
    assert bencode.encode(bencode.decode(payload)) == payload
    entry = rpc_answers.entry_of_answer(200, payload)
    assert entry == rpc_answers.entry_of_answer_slowly(payload)
    fields = orjson.loads(entry)
    assert base64.b64decode(fields["signature"]) == SIGNATURE
    assert ("already" in fields) is already


@settings(deadline=None, max_examples=300, derandomize=True)
@given(st.booleans(), st.data())
def test_damaged_member_answer_gives_the_same_entry_by_both_ways(already: bool, data: st.DataObject) -> None:
    payload = bytearray(rpc_answers.member_answer(HASH, SIGNATURE, STAMP, already))
    at = data.draw(st.integers(0, len(payload) * 8 - 1))
    payload[at // 8] ^= 1 << at % 8
    for hostile in (bytes(payload), bytes(payload[: at // 8])):
        entry = rpc_answers.entry_of_answer(200, hostile)
        assert entry == rpc_answers.entry_of_answer_slowly(hostile)
        assert type(orjson.loads(entry)) is dict


def test_store_answer_fails_only_if_every_member_failed() -> None:
    good = rpc_answers.own_entry(HASH, SIGNATURE, STAMP, True, STAMP)
    bad = rpc_answers.entry_of_answer(503, b"busy")
    assert orjson.loads(bad) == {"code": "503", "failed": True, "reason": "busy"}
    status, body, _ = rpc_answers.store_answer(HASH, {"ab" * 32: good, "cd" * 32: bad}, STAMP, HF)
    assert status == 200
    assert orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS) == body
    assert rpc.read_stored(orjson.loads(body)) == (HASH, {b"\xab" * 32: SIGNATURE})
    own = rpc_answers.own_failure(STAMP)
    assert rpc_answers.store_answer("", {"ab" * 32: own, "cd" * 32: bad}, STAMP, HF)[0] == 500


def test_swarm_answer_names_addresses_and_keys() -> None:
    nodes = NodeList(
        (b"\x02" * 32, b"\x01" * 32), (b"\x03" * 32,) * 2, (10, 10), (0xF4000102, 1), (22021, 22105)
    )
    fields = orjson.loads(rpc_answers.swarm_body(nodes, 10, STAMP, HF))
    assert fields["swarm"] == "a"
    assert rpc.read_swarm(fields) == [b"\x01" * 32, b"\x02" * 32]
    first, second = fields["snodes"]
    assert list(second) == sorted(second)
    assert (second["ip"], second["port"], second["port_https"], second["port_omq"]) == (
        "244.0.1.2", "22021", 22021, 22020,
    )  # fmt: skip
    assert (first["port_omq"], first["port_quic"]) == (20205, 20205)
    assert second["address"] == "yebyryonyebyryonyebyryonyebyryonyebyryonyebyryonyeby.snode"
    assert orjson.loads(rpc_answers.swarm_body(nodes, None, STAMP, HF))["snodes"] == []


def test_info_answer_is_sorted_json() -> None:
    body = rpc_answers.info_body((2, 11, 3), STAMP, HF)
    assert orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS) == body
    assert orjson.loads(body)["version"] == [2, 11, 3]


def test_quic_error_names_its_code_and_gives_its_text_back() -> None:
    assert (
        rpc_answers.quic_error(502, b"Next node not found: ab")
        == b"502 Bad Gateway\n\nNext node not found: ab"
    )
    assert rpc_answers.quic_error_text(b"502 Bad Gateway\n\nfirst\n\nsecond") == b"first\n\nsecond"
    assert rpc_answers.quic_error_text(b"no head") == b"no head"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), 1 << 63) | st.text(max_size=8) | st.just("A" * 43),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["messages", "results", "code", "body", "hash", "swarm", "snodes", "data", "t", "signature",
             "pubkey_ed25519", "timestamp", "expiration", "method", "params", "requests"]
        ),
        inner, max_size=4,
    ),
    max_leaves=15,
)  # fmt: skip


@settings(deadline=None, max_examples=300, derandomize=True)
@given(JSON | st.binary(max_size=60))
def test_clients_read_hostile_answers_or_refuse_them(value: Any) -> None:
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    for read in (rpc.read_object, rpc.read_batch):
        with suppress(RemoteProtocolError):
            read(body)
    if isinstance(value, dict):
        for reader in (rpc.read_retrieved, rpc.read_stored, rpc.read_swarm):
            with suppress(RemoteProtocolError):
                reader(value)
        rpc.read_clock(value)


@pytest.mark.parametrize("bad", ['x","namespace":3,"y":"' + "A" * 21, "A" * 42, "A" * 44, 5, None])
def test_hash_that_could_alter_a_later_request_is_not_read(bad: Any) -> None:
    message = {"hash": bad, "timestamp": 1, "expiration": 2, "data": ""}
    with pytest.raises(RemoteProtocolError):
        rpc.read_retrieved({"messages": [message]})
    with pytest.raises(RemoteProtocolError):
        rpc.read_stored({"hash": bad, "swarm": {}})


@settings(deadline=None, max_examples=300, derandomize=True)
@given(JSON | st.binary(max_size=60))
def test_nodes_read_hostile_bodies_or_refuse_them(value: Any) -> None:
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    with suppress(Refused):
        read_call(body, *LIMITS)


FIELDS = st.sampled_from(
    ["pubkey", "pubKey", "data", "timestamp", "ttl", "expiry", "namespace", "signature",
     "pubkey_ed25519", "sig_timestamp", "last_hash", "lastHash", "max_size", "max_count"]
)  # fmt: skip
VALUES = (
    st.none() | st.booleans() | st.integers(-(1 << 63), 1 << 63) | st.floats(allow_nan=False)
    | st.text(max_size=90)
    | st.sampled_from([ACCOUNT, ED, "A" * 86, "A" * 43, "YWJj", STAMP, str(STAMP), [], {}])
)  # fmt: skip


@settings(deadline=None, max_examples=300, derandomize=True)
@given(st.dictionaries(FIELDS, VALUES, max_size=9), st.sampled_from(sorted(_READERS)))
def test_nodes_read_hostile_parameters_or_refuse_them(params: dict[str, Any], method: str) -> None:
    for base in ({}, store_params(), retrieve_params()):
        with suppress(Refused):
            call_of(method, base | params)


def test_namespace_rules_follow_from_the_number() -> None:
    assert [n for n in range(-25, 26) if is_public_inbox(n)] == [-20, -10, 0, 10, 20]
    assert [n for n in range(-45, 45) if is_public_outbox(n)] == [-41, -21, -1]
    assert [n for n in range(-25, 26) if is_open_to_read(n)] == [-21, -10, -1]


@pytest.mark.parametrize(
    "body", [b"null", b"5", b"[1]", b"[" * 1000 + b"]" * 1000], ids=["null", "5", "[1]", "deep"]
)
def test_a_batched_body_that_is_neither_object_nor_text_says_nothing(body: bytes) -> None:
    assert rpc.read_batch(b'{"results":[{"body":%b,"code":200}]}' % body) == [(200, {"error": ""})]


def test_messages_are_known_by_their_bytes_whatever_a_node_calls_them() -> None:
    account = b"\x05" + bytes(32)
    invented = rpc.Retrieved("A" * 43, 5, 6, b"sealed")
    (found,) = rpc.renamed(account, 0, [invented])
    assert found == invented._replace(hash=rpc.message_hash(account, 0, b"sealed"))
    (elsewhere,) = rpc.renamed(account, 2, [invented])
    assert elsewhere.hash == rpc.message_hash(account, 2, b"sealed") != found.hash
    assert rpc.renamed(account, 0, []) == []
