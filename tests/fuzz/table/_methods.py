"""Storage methods beside store and retrieve: as JSON, as bencode, handed on in a swarm; and their answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.authorisation import DELETE, READ, WRITE, Subaccount, subaccount_token
from sessionsim.protocol.crypto import Suite, real
from sessionsim.protocol.identity import Account
from sessionsim.protocol.stored import Held, Message
from sessionsim.protocol.wire import (
    active_nodes,
    bencode,
    rpc,
    rpc_direct,
    rpc_forward,
    rpc_read,
    rpc_signed,
    rpc_write,
    sn_data,
)
from sessionsim.protocol.wire.rpc_fields import Fields, Refused
from sessionsim.protocol.wire.rpc_methods import NEW, READERS
from sessionsim.protocol.wire.rpc_params import read_call
from sessionsim.protocol.wire.rpc_params_meta import read_conditions
from tests.fuzz.decoder import Decoder
from tests.fuzz.table._keys import GROUP, NOW_MS, OWN, SODIUM, noise
from tests.fuzz.table._rpc import BATCH_MAX, HASH, MESSAGE_MAX, STORED

OTHER = "c" * 43
_MEMBER = real.ed25519_keypair(noise("member of a group", 32))
_TOKEN = subaccount_token(3, READ | WRITE | DELETE, _MEMBER.public)
_TOKENS = (bytes(36), _TOKEN)


def calls(account: Account, suite: Suite = SODIUM) -> Iterator[rpc.Call]:
    """Write a call of every method, rightly signed: by an account, a group, and a member with a token."""
    shown = Subaccount(_TOKEN, real.ed25519_sign(GROUP.ed, _TOKEN))
    for style in rpc.BODY_STYLES.values():
        for asker, key in (
            (rpc_write.Asker(account.id, account.ed.public), account.ed),
            (rpc_write.Asker(GROUP.id), GROUP.ed),
            (rpc_write.Asker(GROUP.id, None, shown), _MEMBER),
        ):
            yield from _calls_of(style, asker, lambda text, key=key: suite.sign(key, text))  # type: ignore[misc]
        yield rpc_write.active_nodes_call()
        yield rpc_write.service_nodes_call(style)
        yield rpc_write.resolve_name_call(style, noise("name", 32))
        store = rpc.store_call(style, account.id_hex, noise("data", 30), NOW_MS, 86_400_000)
        conditions = {"hf_at_least": [19, 0], "v_before": [3], "height_at_least": 5}
        inner = rpc_write.ifelse_call(style, {"height_before": 5}, rpc.info_call(), rpc.info_call())
        yield rpc_write.ifelse_call(style, conditions, store, inner)


def _calls_of(style: rpc.BodyStyle, asker: rpc_write.Asker, sign: Any) -> Iterator[rpc.Call]:
    later_ms = NOW_MS + 86_400_000
    for namespace in (0, 11, None):
        text = rpc_signed.namespaced_text("delete_all", namespace, NOW_MS)
        yield rpc_write.delete_all_call(style, asker, namespace, NOW_MS, sign(text))
    text = rpc_signed.namespaced_text("delete_before", 2, NOW_MS)
    yield rpc_write.delete_before_call(style, asker, 2, NOW_MS, sign(text))
    text = rpc_signed.namespaced_text("expire_all", None, later_ms)
    yield rpc_write.expire_all_call(style, asker, None, later_ms, sign(text))
    yield rpc_write.delete_call(
        style, asker, [HASH, OTHER], sign(rpc_signed.delete_text([HASH, OTHER])), required=True
    )
    for mode, expiries in (("", (later_ms,)), ("extend", (later_ms, NOW_MS)), ("shorten", (NOW_MS,))):
        text = rpc_signed.expire_text(mode, expiries, [HASH, OTHER])
        yield rpc_write.expire_call(style, asker, [HASH, OTHER], expiries, sign(text), mode)
    for hashes in ([HASH], ["all"]):
        text = rpc_signed.expiries_text(NOW_MS, hashes)
        yield rpc_write.get_expiries_call(style, asker, hashes, NOW_MS, sign(text))
    for undo in (False, True):
        method = "unrevoke_subaccount" if undo else "revoke_subaccount"
        text = rpc_signed.tokens_text(method, NOW_MS, _TOKENS)
        yield rpc_write.revoke_call(style, asker, _TOKENS, NOW_MS, sign(text), undo=undo)
    yield rpc_write.revoked_call(
        style, asker, NOW_MS, sign(rpc_signed.tokens_text("revoked_subaccounts", NOW_MS, ()))
    )
    text = rpc_signed.namespaced_text("retrieve", 11, NOW_MS)
    yield rpc_write.signed_retrieve_call(style, asker, 11, HASH, NOW_MS, sign(text), -5)
    text = rpc_signed.namespaced_text("store", 11, NOW_MS)
    yield rpc_write.signed_store_call(style, asker, 11, b"data", NOW_MS, 86_400_000, sign(text), NOW_MS)


_SEEN: dict[bytes, rpc.Call] = {}
for _one in calls(OWN):
    _SEEN.setdefault(_one[0] + _one[1][:12] + b"%d" % len(_one[1]), _one)
CALLS = tuple(_SEEN.values())
BODIES = tuple(rpc.request_body(rpc.LIBSESSION, call) for call in CALLS)


def _handed_on() -> Iterator[bytes]:
    for body in BODIES:
        call = read_call(body, MESSAGE_MAX, BATCH_MAX)
        if b"_all" in body or b"delete" in body or b'"expire"' in body or b"revoke_sub" in body:
            yield rpc_forward.write_recursive(call)  # type: ignore[arg-type]


FORWARDS = tuple(_handed_on())
_BENCODED = bencode.decode(FORWARDS[0])[1]
_ASKED_PARTS = [{b"method": b"info", b"params": {}}, {b"method": b"delete_all", b"params": _BENCODED}]
_ASKED = {b"if": {b"height_before": 5}, b"then": _ASKED_PARTS[1], b"else": _ASKED_PARTS[0]}


def _bencoded() -> Iterator[bytes]:
    """Write calls as bencode, where the parameters are those that are handed on, and in bundles."""
    for forward in FORWARDS:
        method, fields = bencode.decode(forward)
        yield rpc_direct.write_direct(method.decode(), bencode.encode(fields))
    yield rpc_direct.write_direct("batch", bencode.encode({b"requests": _ASKED_PARTS}))
    yield rpc_direct.write_direct("ifelse", bencode.encode(_ASKED))
    yield rpc_direct.write_direct(
        "oxend_request", bencode.encode({b"endpoint": b"ons_resolve", b"params": b'{"type":0}'})
    )


DIRECT = (*(rpc_direct.write_direct(call[0].decode(), call[1]) for call in CALLS), *_bencoded())


def _direct(raw: bytes) -> object:
    """Read a request without onion, and write an answer as its client would get it."""
    method, body = rpc_direct.read_direct(raw)
    call = rpc_direct.read_direct_call(method, body, MESSAGE_MAX, BATCH_MAX, frozenset())
    style = rpc_direct.style_of(body)
    for answer in ((200, b'{"t":5}', True), (401, b"no", False)):
        rpc_direct.clear_answer(answer, style, None, quic=style == rpc_direct.JSON)
    return call


def _params(raw: bytes) -> object:
    """Read parameters, in one form or the other."""
    is_json = raw[:1] == b"{"
    values = rpc.read_object(raw) if is_json else {k.decode("latin-1"): v for k, v in _dict(raw).items()}
    found, refusal = [], None
    for method, reader in READERS.items():
        try:
            found.append((method, reader(Fields(values, is_json))))
        except Refused as refused:
            refusal = refused
    for method in ("if",):
        try:
            found.append((method, read_conditions(Fields(values, is_json))))
        except Refused as refused:
            refusal = refused
    if refusal is not None and len(found) <= 2:  # info and active nodes take anything
        raise refusal
    return found


def _dict(raw: bytes) -> dict[bytes, Any]:
    value = bencode.decode(raw)
    if type(value) is not dict:
        raise RemoteProtocolError("not a dict")
    return value


_HELD = tuple(
    Held(OWN.id, namespace, Message(0, HASH, NOW_MS, NOW_MS + 5, b"data")) for namespace in (0, -11)
)
BATCHES = tuple(
    batch
    for namespaces in (True, False)
    for batch in sn_data.write_batches(_HELD, namespaces=namespaces, most_bytes=1_000)
)
_PART = (
    b'{"hf":[19,3],"swarm":{"%b":{"deleted":["%b"],"signature":"%b"},"%b":{"failed":true,"timeout":true}},"t":5}'
    % (
        b"ab" * 32,
        HASH.encode(),
        b"A" * 86 + b"==",
        b"cd" * 32,
    )
)
_EXPIRIES = b'{"expiries":{"%b":1777000000000}}' % HASH.encode()
_REVOKED = b'{"revoked_subaccounts":["%b"],"t":5}' % (b"A" * 48)
_NODES = b"".join(noise(f"node {k}", 51) for k in range(3))

DECODERS = (
    Decoder(
        "wire.rpc_params.read_call/methods",
        "json",
        lambda raw: read_call(raw, MESSAGE_MAX, BATCH_MAX),
        BODIES,
        errors=(Refused,),
        share=8,
    ),
    Decoder(
        "wire.rpc_params.read_call/old",
        "json",
        lambda raw: read_call(raw, MESSAGE_MAX, BATCH_MAX, NEW),
        BODIES[:6],
        errors=(Refused,),
        share=1,
    ),
    Decoder("wire.rpc_direct.read_direct_call", "bencode", _direct, DIRECT, errors=(Refused,), share=6),
    *(
        Decoder(
            f"wire.rpc_direct.read_direct_call/{method}",
            "bencode",
            lambda raw, method=method: _direct(rpc_direct.write_direct(method, raw)),
            (bencode.encode(values),),
            errors=(Refused,),
            share=2,
        )
        for method, values in (
            ("delete_all", _BENCODED),
            ("ifelse", _ASKED),
            ("batch", {b"requests": _ASKED_PARTS}),
        )
    ),  # type: ignore[misc]
    Decoder(
        "wire.rpc_direct.read_direct",
        "bencode",
        rpc_direct.read_direct,
        DIRECT[:3],
        errors=(Refused,),
        share=1,
    ),
    Decoder(
        "wire.rpc_params_deletes.read_delete/all readers",
        "json",
        _params,
        tuple(call[1] for call in CALLS if b"pubkey" in call[1] and call[0] != b"ifelse"),
        share=2,
        growth=200,
        base=20_000,
    ),
    Decoder(
        "wire.rpc_params_deletes.read_delete/all readers bencoded",
        "bencode",
        _params,
        tuple(bencode.encode(bencode.decode(one)[1]) for one in FORWARDS),
        share=2,
        growth=200,
        base=20_000,
    ),
    Decoder(
        "wire.rpc_forward.read_forwarded",
        "bencode",
        lambda raw: rpc_forward.read_forwarded(raw, MESSAGE_MAX),
        FORWARDS,
        errors=(Refused,),
        share=4,
    ),
    Decoder(
        "wire.rpc_read.read_parts",
        "json",
        lambda raw: rpc_read.read_parts(rpc.read_object(raw)),
        (_PART, STORED),
        share=3,
    ),
    Decoder(
        "wire.rpc_read.read_expiries",
        "json",
        lambda raw: rpc_read.read_expiries(rpc.read_object(raw)),
        (_EXPIRIES,),
        share=1,
    ),
    Decoder(
        "wire.rpc_read.read_revoked",
        "json",
        lambda raw: rpc_read.read_revoked(rpc.read_object(raw)),
        (_REVOKED,),
        share=1,
    ),
    Decoder("wire.sn_data.read_batch", "bencode", lambda raw: sn_data.read_batch(raw), BATCHES, share=2),
    Decoder(
        "wire.sn_data.read_batch/list",
        "bencode",
        lambda raw: sn_data.read_batch(b"\1" + raw),
        tuple(one[1:] for one in BATCHES),
        share=4,
    ),
    Decoder(
        "wire.sn_data.read_ready",
        "bencode",
        sn_data.read_ready,
        (sn_data.write_ready(True), sn_data.write_ready(False)),
        share=2,
    ),
    Decoder(
        "wire.active_nodes.read_active_nodes", "raw", active_nodes.read_active_nodes, (_NODES, b""), share=2
    ),
)
