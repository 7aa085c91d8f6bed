"""Every call as clients write it and nodes read it: JSON and bencode, spellings, faults, hostile input."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.authorisation import Subaccount, subaccount_token
from sessionsim.protocol.crypto import real
from sessionsim.protocol.wire import bencode, rpc, rpc_write
from sessionsim.protocol.wire.rpc import ANDROID, BODY_STYLES, DESKTOP, LIBSESSION, request_body
from sessionsim.protocol.wire.rpc_calls import (
    ActiveNodesCall,
    DeleteAllCall,
    DeleteBeforeCall,
    DeleteCall,
    ExpireAllCall,
    ExpireCall,
    GetExpiriesCall,
    OxendCall,
    RevokeCall,
    RevokedCall,
    Signer,
)
from sessionsim.protocol.wire.rpc_direct import read_direct, read_direct_call, write_direct
from sessionsim.protocol.wire.rpc_fields import Refused
from sessionsim.protocol.wire.rpc_forward import read_forwarded, write_recursive
from sessionsim.protocol.wire.rpc_methods import NEW, READERS
from sessionsim.protocol.wire.rpc_node import (
    IfElseCall,
    InfoCall,
    PollCall,
    RetrieveCall,
    StoreCall,
    SwarmCall,
    write_forward,
)
from sessionsim.protocol.wire.rpc_params import NESTING_MAX, read_call
from sessionsim.protocol.wire.rpc_read import Part, read_expiries, read_parts, read_revoked
from sessionsim.protocol.wire.rpc_write import Asker

ED = real.ed25519_keypair(bytes(range(32))).public
ACCOUNT, GROUP = b"\x05" + bytes(range(100, 132)), b"\x03" + bytes(range(32, 64))
SIGNATURE = bytes(range(64))
TOKEN = Subaccount(subaccount_token(3, 3, bytes(32)), bytes(range(64, 128)))
HASHES = ("A" * 43, "b/+" + "0" * 40)
STAMP = 1_777_000_000_000
OWNER, MEMBER = Asker(ACCOUNT, ED), Asker(GROUP, None, TOKEN)
LIMIT, BATCH = 76_800, 20
EXAMPLES = settings(deadline=None, max_examples=150, derandomize=True)


def read(body: bytes, unknown: frozenset[str] = frozenset()) -> Any:
    return read_call(body, LIMIT, BATCH, unknown)


def by(asker: Asker, *, token: bool = True) -> Signer:
    return Signer(asker.account, asker.ed25519, SIGNATURE, asker.subaccount if token else None)


def every_call(style: Any, asker: Asker) -> list[tuple[Any, Any]]:
    """Give each call as written, and what it is to be read as."""
    who, owner = by(asker), by(asker, token=False)
    tokens = (TOKEN.token, bytes(36))
    w = rpc_write
    return [
        (w.delete_call(style, asker, HASHES, SIGNATURE), DeleteCall(who, HASHES, False)),
        (w.delete_call(style, asker, HASHES, SIGNATURE, required=True), DeleteCall(who, HASHES, True)),
        (w.delete_all_call(style, asker, None, STAMP, SIGNATURE), DeleteAllCall(who, None, STAMP)),
        (w.delete_all_call(style, asker, -11, STAMP, SIGNATURE), DeleteAllCall(who, -11, STAMP)),
        (w.delete_before_call(style, asker, 5, STAMP, SIGNATURE), DeleteBeforeCall(who, 5, STAMP)),
        (w.delete_before_call(style, asker, None, STAMP, SIGNATURE), DeleteBeforeCall(who, None, STAMP)),
        (w.expire_all_call(style, asker, 0, STAMP, SIGNATURE), ExpireAllCall(who, 0, STAMP)),
        (w.expire_all_call(style, asker, None, STAMP, SIGNATURE), ExpireAllCall(who, None, STAMP)),
        (w.expire_call(style, asker, HASHES, [STAMP], SIGNATURE), ExpireCall(who, HASHES, (STAMP,), "")),
        (
            w.expire_call(style, asker, HASHES, [STAMP, STAMP + 1], SIGNATURE, "extend"),
            ExpireCall(who, HASHES, (STAMP, STAMP + 1), "extend"),
        ),
        (
            w.expire_call(style, asker, HASHES[:1], [STAMP], SIGNATURE, "shorten"),
            ExpireCall(who, HASHES[:1], (STAMP,), "shorten"),
        ),
        (w.get_expiries_call(style, asker, ["all"], STAMP, SIGNATURE), GetExpiriesCall(who, ("all",), STAMP)),
        (w.get_expiries_call(style, asker, HASHES, STAMP, SIGNATURE), GetExpiriesCall(who, HASHES, STAMP)),
        (w.revoke_call(style, asker, tokens, STAMP, SIGNATURE), RevokeCall(owner, tokens, STAMP, undo=False)),
        (
            w.revoke_call(style, asker, tokens, STAMP, SIGNATURE, undo=True),
            RevokeCall(owner, tokens, STAMP, undo=True),
        ),
        (w.revoked_call(style, asker, STAMP, SIGNATURE), RevokedCall(owner, STAMP)),
        (w.active_nodes_call(), ActiveNodesCall()),
        (
            w.signed_store_call(style, asker, 11, b"data", STAMP, 60_000, SIGNATURE),
            StoreCall(
                asker.account, 11, STAMP, STAMP + 60_000, b"data",
                rpc.message_hash(asker.account, 11, b"data"),
                asker.ed25519, SIGNATURE, STAMP, asker.subaccount,
            ),
        ),
        (
            w.signed_store_call(style, asker, 11, b"data", STAMP, 60_000, SIGNATURE, STAMP + 7),
            StoreCall(
                asker.account, 11, STAMP, STAMP + 60_000, b"data",
                rpc.message_hash(asker.account, 11, b"data"),
                asker.ed25519, SIGNATURE, STAMP + 7, asker.subaccount,
            ),
        ),
        (
            w.signed_retrieve_call(style, asker, 12, HASHES[1], STAMP, SIGNATURE, -5),
            RetrieveCall(
                asker.account, 12, HASHES[1], 0, -5, asker.ed25519, SIGNATURE, STAMP, asker.subaccount
            ),
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("asker", [OWNER, MEMBER, Asker(GROUP)], ids=["owner", "member", "group"])
@pytest.mark.parametrize("style", BODY_STYLES.values(), ids=BODY_STYLES)
def test_what_clients_write_is_what_nodes_read(style: Any, asker: Asker) -> None:
    for written, expected in every_call(style, asker):
        assert read(request_body(style, written)) == expected
        batch = read(rpc.batch_body(style, [written, written]))
        calls = batch.calls() if isinstance(batch, PollCall) else batch.calls
        assert calls == (expected, expected)
        branch = rpc_write.ifelse_call(style, {"hf_at_least": [19]}, written, None)
        assert read(request_body(style, branch)).then == expected


def test_families_write_keys_as_they_do() -> None:
    desktop = rpc_write.delete_all_call(DESKTOP, OWNER, None, STAMP, SIGNATURE)[1]
    assert list(orjson.loads(desktop)) == ["pubkey", "pubkey_ed25519", "signature", "timestamp", "namespace"]
    assert ED.hex().upper().encode() in desktop
    assert ED.hex().encode() in rpc_write.delete_call(DESKTOP, OWNER, HASHES, SIGNATURE)[1]
    libsession = rpc_write.delete_all_call(LIBSESSION, OWNER, None, STAMP, SIGNATURE)[1]
    assert list(orjson.loads(libsession)) == sorted(orjson.loads(desktop))
    assert ED.hex().encode() in libsession
    for style, written in ((DESKTOP, TOKEN.token.hex()), (ANDROID, base64.b64encode(TOKEN.token).decode())):
        _method, params = rpc_write.revoke_call(style, Asker(GROUP), [TOKEN.token], STAMP, SIGNATURE)
        assert orjson.loads(params)["revoke"] == [written]


def bencoded(params: bytes, *, keys: bool = True) -> dict[bytes, Any]:
    """Turn JSON parameters into those of an OMQ or QUIC client: binary values raw."""
    values = orjson.loads(params)
    for name in ("signature", "subaccount", "subaccount_sig", "data"):
        if name in values:
            values[name] = base64.b64decode(values[name])
    for name in ("revoke", "unrevoke"):
        if name in values:
            values[name] = [bytes.fromhex(v) if len(v) == 72 else base64.b64decode(v) for v in values[name]]
    for name in ("pubkey", "pubkey_ed25519") if keys else ():
        if name in values:
            values[name] = bytes.fromhex(values[name])
    return {name.encode(): int(v) if isinstance(v, bool) else v for name, v in values.items()}


@pytest.mark.parametrize("keys", [True, False])
@pytest.mark.parametrize("asker", [OWNER, MEMBER], ids=["owner", "member"])
def test_clients_of_omq_and_quic_write_either(asker: Asker, keys: bool) -> None:
    for (method, params), expected in every_call(DESKTOP, asker):
        for body in (params, bencode.encode(bencoded(params, keys=keys))):
            name, inner = read_direct(write_direct(method.decode(), body))
            assert (name, inner) == (method.decode(), body)
            found = read_direct_call(name, inner, LIMIT, BATCH, frozenset())
            assert found == expected


@pytest.mark.parametrize("asker", [OWNER, MEMBER], ids=["owner", "member"])
def test_members_read_what_members_pass_on(asker: Asker) -> None:
    for (method, _params), call in every_call(DESKTOP, asker):
        if isinstance(call, StoreCall):
            payload = write_forward(call)
        elif isinstance(
            call, DeleteCall | DeleteAllCall | DeleteBeforeCall | ExpireCall | ExpireAllCall | RevokeCall
        ):
            payload = write_recursive(call)
        else:
            continue
        parts = bencode.decode(payload)
        assert isinstance(parts, list)
        assert parts[0] == method
        expected = call._replace(required=False) if isinstance(call, DeleteCall) else call
        assert read_forwarded(payload, LIMIT) == expected


# Spellings that pass for one value, and those that do not

FIELDS: dict[str, Any] = {
    "pubkey": ACCOUNT.hex(),
    "pubkey_ed25519": ED.hex(),
    "signature": base64.b64encode(SIGNATURE).decode(),
    "timestamp": STAMP,
    "namespace": 5,
}
CALL = DeleteAllCall(by(OWNER), 5, STAMP)


def one(method: str = "delete_all", **changes: Any) -> Any:
    fields = {name: value for name, value in (FIELDS | changes).items() if value is not ...}
    return read(orjson.dumps({"method": method, "params": fields}))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"pubkey": ACCOUNT.hex().upper()},
        {"pubkey_ed25519": ED.hex().swapcase()},
        {"signature": FIELDS["signature"].rstrip("=")},
        {"subaccount": None, "required": None},
        {"subaccount": ""},
        {"subaccount_sig": "not looked at"},
        {"unknown": [1, {"deep": None}]},
    ],
)
def test_spellings_of_the_same(changes: dict[str, Any]) -> None:
    assert one(**changes) == CALL


def test_bits_beyond_the_signature_are_not_looked_at() -> None:
    text = FIELDS["signature"]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = letters.index(text[85])
    for spare in range(16):
        other = text[:85] + letters[last - last % 16 + spare] + "=="
        assert one(signature=other) == CALL


@pytest.mark.parametrize(
    "changes",
    [
        {"pubkey": ...},
        {"pubkey": ACCOUNT.hex()[:-1]},
        {"pubkey": ACCOUNT.hex()[:-1] + "g"},
        {"pubkey": " " + ACCOUNT.hex()[:-2] + " "},
        {"pubkey": ACCOUNT.hex()[:64]},
        {"pubkey": 5},
        {"pubkey_ed25519": ED.hex() + "00"},
        {"pubkey_ed25519": "zz" * 32},
        {"pubkey": GROUP.hex()},  # with pubkey_ed25519
        {"signature": ...},
        {"signature": FIELDS["signature"][:-1]},
        {"signature": FIELDS["signature"] + "="},
        {"signature": base64.urlsafe_b64encode(b"\xff" * 64).decode()},
        {"signature": base64.b64encode(bytes(63)).decode()},
        {"signature": base64.b64encode(bytes(65)).decode()},
        {"signature": FIELDS["signature"][:40] + "\n" + FIELDS["signature"][41:]},
        {"signature": FIELDS["signature"][:40] + "=" + FIELDS["signature"][41:]},
        {"timestamp": ...},
        {"timestamp": str(STAMP)},
        {"timestamp": 999_999_999},
        {"timestamp": -STAMP},
        {"timestamp": 1 << 63},
        {"timestamp": 1.777e12},
        {"timestamp": True},
        {"namespace": "5"},
        {"namespace": "ALL"},
        {"namespace": 1 << 15},
        {"namespace": -(1 << 15) - 1},
        {"namespace": 5.0},
        {"namespace": False},
        {"subaccount": TOKEN.token.hex()},  # without its signature
        {"subaccount": TOKEN.token.hex()[:-2], "subaccount_sig": FIELDS["signature"]},
        {"subaccount": TOKEN.token.hex(), "subaccount_sig": "short"},
    ],
)
def test_what_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        one(**changes)
    assert caught.value.status == 400


def test_tokens_are_base64_or_hex_and_lists_of_one_may_stand_alone() -> None:
    raw = TOKEN.token
    asked = {"revoke": raw.hex(), "namespace": ...}
    for text in (raw.hex(), raw.hex().upper(), base64.b64encode(raw).decode()):
        assert one("revoke_subaccount", **(asked | {"revoke": text})).tokens == (raw,)
        assert one("revoke_subaccount", **(asked | {"revoke": [text, text]})).tokens == (raw, raw)
    for wrong in (raw.hex()[:-1], raw.hex()[:-1] + "g", "A" * 47, [raw.hex(), 5], {}, ..., None):
        with pytest.raises(Refused):
            one("revoke_subaccount", **(asked | {"revoke": wrong}))
    assert one("delete", messages=HASHES[0]).messages == HASHES[:1]


@pytest.mark.parametrize(
    ("method", "changes", "text"),
    [
        ("delete", {}, "Required field 'messages' missing"),
        ("delete", {"messages": []}, "messages does not contain any message hashes"),
        ("delete", {"messages": ["A" * 42]}, "invalid message hash: " + "A" * 42),
        ("delete", {"messages": ["A" * 42 + "-"]}, "invalid message hash: " + "A" * 42 + "-"),
        (
            "delete",
            {"messages": HASHES, "required": 1},
            "Invalid value given for 'required': expected boolean",
        ),
        ("delete_before", {}, "Required field 'before' missing"),
        ("expire", {"messages": HASHES}, "Required field 'expiry' missing"),
        ("expire", {"messages": HASHES, "expiry": []}, "'expiry' does not contain any expiration timestamps"),
        (
            "expire",
            {"messages": HASHES, "expiry": [STAMP] * 3},
            "'expiry' must be a single expiry, or the same length as 'messages'",
        ),
        (
            "expire",
            {"messages": HASHES, "expiry": STAMP, "shorten": True, "extend": True},
            "cannot specify both 'shorten' and 'extend'",
        ),
        ("expire_all", {}, "Required field 'expiry' missing"),
        ("get_expiries", {}, "Required field 'messages' missing"),
        ("oxend_request", {"endpoint": "get_info"}, "Invalid oxend endpoint 'get_info'"),
        ("oxend_request", {}, "Required field 'endpoint' missing"),
        ("retrieve", {"last_hash": "", "lastHash": ""}, "Cannot specify both 'last_hash' and 'lastHash'"),
        ("retrieve", {"pubKey": ACCOUNT.hex()}, "Cannot specify both 'pubkey' and 'pubKey'"),
    ],
)
def test_the_server_s_words(method: str, changes: dict[str, Any], text: str) -> None:
    with pytest.raises(Refused) as caught:
        one(method, **changes)
    assert (caught.value.status, caught.value.text) == (400, f"invalid request: {text}")


def test_only_some_methods_take_the_account_under_its_old_name() -> None:
    asked = {"pubkey": ..., "pubKey": ACCOUNT.hex()}
    assert one("get_swarm", **asked) == one("get_snodes_for_pubkey", **asked) == SwarmCall(ACCOUNT)
    assert one("retrieve", **asked).account == ACCOUNT
    for method in ("delete_all", "get_expiries", "expire_all"):
        with pytest.raises(Refused):
            one(method, **asked)


def test_duplicate_keys_the_last_counts_in_json_and_bencode_refuses() -> None:
    first, second = b'"timestamp":%d,' % (STAMP + 5), orjson.dumps(FIELDS)[1:]
    assert read(b'{"method":"delete_all","params":{' + first + second + b"}") == CALL
    params = bencode.encode(bencoded(orjson.dumps(FIELDS)))
    doubled = params.replace(b"9:timestamp", b"9:timestampi1777000000005e9:timestamp")
    assert read_direct_call("delete_all", params, LIMIT, BATCH, frozenset()) == CALL
    with pytest.raises(Refused):
        read_direct_call("delete_all", doubled, LIMIT, BATCH, frozenset())


def test_old_servers_do_not_know_the_new_methods() -> None:
    for method in NEW:
        body = orjson.dumps({"method": method, "params": FIELDS})
        read(body)
        for asked in (body, orjson.dumps({"method": "batch", "params": {"requests": [orjson.loads(body)]}})):
            with pytest.raises(Refused):
                read(asked, NEW)
        with pytest.raises(Refused) as caught:
            read_direct_call(method, b"{}", LIMIT, BATCH, NEW)
        assert caught.value.status == 404


def test_every_method_of_the_table_is_known() -> None:
    assert set(READERS) | {"store", "batch", "sequence", "ifelse"} == {
        "store", "retrieve", "delete", "delete_all", "delete_before", "expire", "expire_all", "get_expiries",
        "get_swarm", "get_snodes_for_pubkey", "revoke_subaccount", "unrevoke_subaccount",
        "revoked_subaccounts", "info", "oxend_request", "active_nodes_bin", "batch", "sequence", "ifelse",
    }  # fmt: skip
    with pytest.raises(Refused) as caught:
        one("get_stats")
    assert caught.value.text == "no method get_stats"


# Bundles


def bundle(method: str, requests: Any) -> Any:
    return read(orjson.dumps({"method": method, "params": {"requests": requests}}))


def test_bundles_hold_up_to_twenty_and_no_bundles() -> None:
    info = {"method": "info", "params": {}}
    assert bundle("batch", [info] * 20).calls == (InfoCall(),) * 20
    assert bundle("sequence", [info]).in_turn
    for wrong in ([], [info] * 21, [5], [{"method": "info"}], [{"params": {}}], None, {"method": "info"}):
        with pytest.raises(Refused):
            bundle("batch", wrong)
    for meta in ("batch", "sequence", "ifelse"):
        with pytest.raises(Refused) as caught:
            bundle("batch", [{"method": meta, "params": {"requests": [info]}}])
        assert "meta-requests" in caught.value.text


def nested(depth: int, *, raw: bool = False) -> Any:
    inner: Any = {"method": "info", "params": {}}
    for _ in range(depth):
        inner = {"method": "ifelse", "params": {"if": {"height_at_least": 1}, "then": inner}}
    return bencode.encode({k.encode(): v for k, v in inner["params"].items()}) if raw else orjson.dumps(inner)


def test_ifelse_nests_so_deep_and_no_deeper() -> None:
    found = read(nested(NESTING_MAX))
    for _ in range(NESTING_MAX):
        assert isinstance(found, IfElseCall)
        found = found.then
    assert found == InfoCall()
    with pytest.raises(Refused):
        read(nested(NESTING_MAX + 1))
    level = b'{"method":"ifelse","params":{"if":{"height_at_least":1},"then":'
    with pytest.raises(Refused):
        read(level * 100_000)
    assert isinstance(read_direct_call("ifelse", nested(10, raw=True), LIMIT, BATCH, frozenset()), IfElseCall)
    with pytest.raises(Refused):
        read_direct_call("ifelse", nested(40, raw=True), LIMIT, BATCH, frozenset())


def test_oxend_params_are_json_in_both() -> None:
    params = {"active_only": True}
    assert one("oxend_request", endpoint="get_service_nodes", params=params) == OxendCall(
        "get_service_nodes", params
    )
    body = bencode.encode({b"endpoint": "ons_resolve", b"params": b'{"type":0}'})
    assert read_direct_call("oxend_request", body, LIMIT, BATCH, frozenset()) == OxendCall(
        "ons_resolve", {"type": 0}
    )
    for wrong in (b"{", b"[" * 100_000):
        body = bencode.encode({b"endpoint": "ons_resolve", b"params": wrong})
        with pytest.raises(Refused):
            read_direct_call("oxend_request", body, LIMIT, BATCH, frozenset())


# Hostile input

LEAVES = (
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(allow_nan=False)
    | st.text(max_size=90) | st.sampled_from(
        [
            "all", ACCOUNT.hex(), GROUP.hex(), ED.hex(), FIELDS["signature"], *HASHES,
            TOKEN.token.hex(), STAMP,
            "info",
        ]
    )
)  # fmt: skip
NAMES = st.sampled_from(
    [
        "pubkey", "pubKey", "pubkey_ed25519", "signature", "timestamp", "namespace", "messages", "expiry",
        "before", "shorten", "extend", "required", "revoke", "unrevoke", "subaccount", "subaccount_sig",
        "endpoint", "params", "requests", "method",
        "if", "then", "else", "hf_at_least", "v_before", "height_before", "data", "ttl",
        "last_hash", "max_size", "max_count", "sig_timestamp", "sigTimestamp",
    ]
)  # fmt: skip
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5)
)
METHODS = st.sampled_from([*READERS, "store", "batch", "sequence", "ifelse", "none"])


def without_fractions(value: Any) -> Any:
    if isinstance(value, dict):
        return {name.encode(): without_fractions(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_fractions(inner) for inner in value if inner is not None]
    return int(value) if isinstance(value, bool) else str(value) if isinstance(value, float) else value


@EXAMPLES
@given(METHODS, st.dictionaries(NAMES, VALUES, max_size=8), st.booleans())
def test_hostile_parameters_are_read_or_refused(method: str, params: dict[str, Any], good: bool) -> None:
    if good:
        params = FIELDS | params
    attempts = [
        lambda: read(orjson.dumps({"method": method, "params": params})),
        lambda: read_direct_call(method, orjson.dumps(params), LIMIT, BATCH, frozenset()),
        lambda: read_direct_call(
            method, bencode.encode(without_fractions(params)), LIMIT, BATCH, frozenset()
        ),
        lambda: read_forwarded(bencode.encode([method, without_fractions(params)]), LIMIT),
    ]
    for attempt in attempts:
        refused = refusal_of(attempt)
        assert refused is None or (refused.status in (400, 404) and refused.text.isprintable())
        assert refused is None or len(refused.text) < 400


def refusal_of(attempt: Callable[[], Any]) -> Refused | None:
    """Give what an attempt is refused with; any other error gets through."""
    try:
        attempt()
    except Refused as refused:
        return refused
    return None


@EXAMPLES
@given(st.binary(max_size=60))
def test_hostile_bytes_are_refused(junk: bytes) -> None:
    for reader in (
        lambda: read(junk),
        lambda: read_direct(junk),
        lambda: read_direct_call("delete", junk, LIMIT, BATCH, frozenset()),
        lambda: read_direct_call("delete", b"d" + junk, LIMIT, BATCH, frozenset()),
        lambda: read_forwarded(junk, LIMIT),
        lambda: read_forwarded(b"l6:delete" + junk, LIMIT),
    ):
        with contextlib.suppress(Refused):
            reader()


# Answers as clients read them


def test_parts_of_a_recursive_answer() -> None:
    entry = {"signature": FIELDS["signature"], "deleted": list(HASHES)}
    found = read_parts({"swarm": {ED.hex(): entry, "00" * 32: {"failed": True, "timeout": True}}})
    assert found[ED] == Part(False, entry, SIGNATURE)
    assert found[bytes(32)] == Part(True, {"failed": True, "timeout": True}, b"")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"swarm": []},
        {"swarm": {ED.hex(): []}},
        {"swarm": {ED.hex(): {}}},
        {"swarm": {ED.hex(): {"signature": 5}}},
        {"swarm": {ED.hex(): {"signature": "!"}}},
        {"swarm": {"no hex": {"signature": FIELDS["signature"]}}},
    ],
)
def test_malformed_parts(fields: dict[str, Any]) -> None:
    with pytest.raises(RemoteProtocolError):
        read_parts(fields)


def test_expiries_and_tokens_of_answers() -> None:
    assert read_expiries({"expiries": {HASHES[0]: 5}}) == {HASHES[0]: 5}
    assert read_revoked({"revoked_subaccounts": [base64.b64encode(TOKEN.token).decode()]}) == [TOKEN.token]
    for wrong in ({}, {"expiries": []}, {"expiries": {"a": "b"}}):
        with pytest.raises(RemoteProtocolError):
            read_expiries(wrong)
    for wrong in (
        {},
        {"revoked_subaccounts": {}},
        {"revoked_subaccounts": [5]},
        {"revoked_subaccounts": ["!"]},
    ):
        with pytest.raises(RemoteProtocolError):
            read_revoked(wrong)
