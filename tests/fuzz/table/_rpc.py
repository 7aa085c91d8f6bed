"""Storage RPC in all its forms, and subscriptions at nodes."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from sessionsim.protocol.crypto import Suite, real
from sessionsim.protocol.groups.subaccount import sign_request, signing_value, subaccount_of
from sessionsim.protocol.identity import Account
from sessionsim.protocol.push.authority import Authority
from sessionsim.protocol.push.subscription import sign_subscription
from sessionsim.protocol.stored import Message
from sessionsim.protocol.wire import monitor, rpc, rpc_answers, rpc_node, rpc_params, rpc_usual
from sessionsim.protocol.wire.poll import PollTemplate
from tests.fuzz.decoder import Decoder
from tests.fuzz.table._keys import GROUP, NOW_MS, NOW_S, OWN, SODIUM, noise

MESSAGE_MAX, BATCH_MAX = 76_800, 20
HASH = "aZ0+/" + "b" * 38


def retrieve(
    suite: Suite, style: rpc.BodyStyle, account: Account, namespace: int = 0, last_hash: str = ""
) -> rpc.Call:
    """Write a retrieve that is rightly signed."""
    signature = suite.sign(account.ed, rpc.signed_text("retrieve", namespace, NOW_MS))
    return rpc.retrieve_call(
        style, account.id_hex, account.ed.public.hex(), namespace, last_hash, NOW_MS, signature, -2
    )


def bodies(account: Account, suite: Suite = SODIUM) -> tuple[bytes, ...]:
    """Write requests of an account's client, in all families."""
    made = []
    for style in rpc.BODY_STYLES.values():
        store = rpc.store_call(style, account.id_hex, noise("data", 90), NOW_MS, 86_400_000)
        private = rpc.store_call(style, account.id_hex, noise("data", 30), NOW_MS, 86_400_000, 2)
        made += [
            rpc.request_body(style, store),
            rpc.request_body(style, retrieve(suite, style, account, 3, HASH)),
            rpc.batch_body(
                style, [retrieve(suite, style, account), retrieve(suite, style, account, 2, HASH)]
            ),
            rpc.batch_body(style, [store, private, rpc.info_call()], b"sequence"),
            rpc.request_body(style, rpc.get_swarm_call(style, account.id_hex)),
            rpc.request_body(style, rpc.info_call()),
            PollTemplate(style, account.id_hex, account.ed.public.hex(), (0, 2, 3), (-2, -8, -8)).fill(
                NOW_MS, ["", HASH, ""], partial(suite.sign, account.ed)
            ),
        ]
    return tuple(made)


def signed_stores(account: Account, suite: Suite = SODIUM) -> Iterator[bytes]:
    """Write signed stores to a box of the account's own, with and without a time of their own."""
    signature = binascii.b2a_base64(
        suite.sign(account.ed, rpc.signed_text("store", 2, NOW_MS)), newline=False
    )
    for more in (b"", b',"sig_timestamp":%d' % NOW_MS):
        yield (
            b'{"method":"store","params":{"pubkey":"%b","pubkey_ed25519":"%b","namespace":2,"timestamp":%d,'
            b'"ttl":86400000,"data":"%b","signature":"%b"%b}}'
        ) % (
            account.id.hex().encode(),
            account.ed.public.hex().encode(),
            NOW_MS,
            binascii.b2a_base64(noise("data", 60), newline=False),
            signature,
            more,
        )


BODIES = (*bodies(OWN), *signed_stores(OWN))
_STORE = rpc_params.read_call(BODIES[0], MESSAGE_MAX, BATCH_MAX)
_SIGNED = _STORE._replace(namespace=2, signature=bytes(64), ed25519=OWN.ed.public)  # type: ignore[union-attr]
FORWARDS = (rpc_node.write_forward(_STORE), rpc_node.write_forward(_SIGNED))  # type: ignore[arg-type]
MEMBER_ANSWERS = (
    rpc_answers.member_answer(HASH, bytes(64), NOW_MS, True),
    rpc_answers.member_answer(HASH, noise("s", 64), NOW_MS, False),
    rpc_answers.member_failure(),
)
_FOUND = [Message(1, HASH, NOW_MS, NOW_MS + 1, noise("m", 30)), Message(2, HASH, NOW_MS, NOW_MS, b"")]
RETRIEVED = rpc_answers.retrieve_body(_FOUND, True, NOW_MS, b"[19,3]")
_ENTRY = rpc_answers.own_entry(HASH, bytes(64), NOW_MS, False, NOW_MS)
_MEMBERS = {noise(f"n{k}", 32).hex(): _ENTRY for k in range(2)} | {
    noise("n", 32).hex(): rpc_answers.TIMEOUT_ENTRY
}
STORED = rpc_answers.store_answer(HASH, _MEMBERS, NOW_MS, b"[19,3]")[1]
BATCHED = rpc_answers.batch_answer([(200, RETRIEVED, True), (200, STORED, True), (401, b"no", False)])[1]
SWARM = b'{"snodes":[{"pubkey_ed25519":"%b","ip":"1.2.3.4"}],"swarm":"ffff","t":%d}' % (b"ab" * 32, NOW_MS)

SUBSCRIPTION = sign_subscription(
    Authority(OWN.id, OWN.ed.public), lambda text: real.ed25519_sign(OWN.ed, text), (0, 2, 3), NOW_S
)
OF_GROUP = sign_subscription(
    Authority(GROUP.id), lambda text: real.ed25519_sign(GROUP.ed, text), (11,), NOW_S
)
_MEMBER = subaccount_of(OWN, signing_value(SODIUM, GROUP, OWN.id))
OF_MEMBER = sign_subscription(
    Authority(GROUP.id, b"", _MEMBER.token, _MEMBER.token_signature),
    lambda text: sign_request(SODIUM, _MEMBER, text),
    (-11, 11),
    NOW_S,
    want_data=False,
)
SUBSCRIPTIONS = tuple(monitor.write_call(one.call()) for one in (SUBSCRIPTION, OF_GROUP, OF_MEMBER))
NOTIFICATION = monitor.Notification(OWN.id, HASH, 0, NOW_MS, NOW_MS + 1000, noise("m", 200))
NOTIFICATIONS = tuple(
    monitor.write_notification(NOTIFICATION._replace(data=data)) for data in (None, b"", noise("m", 99))
)
_REFUSAL = monitor.MonitorRefused(monitor.MonitorError.BAD_SIG, "no")


def _of_object(read: Callable[[dict[str, Any]], object]) -> Callable[[bytes], object]:
    return lambda raw: read(rpc.read_object(raw))


def _same(quick: Callable[[bytes], object], slow: Callable[[bytes], object]) -> Callable[[bytes], object]:
    """Decode in the quick way and in the slow one, which must agree."""

    def both(raw: bytes) -> object:
        outcomes = []
        for way in (quick, slow):
            try:
                outcomes.append(way(raw))
            except rpc_node.RemoteProtocolError as refused:
                outcomes.append(refused)
        first, second = outcomes
        if isinstance(first, Exception) and isinstance(second, Exception):
            raise first
        if isinstance(first, rpc_node.PollCall):
            first = rpc_node.BatchCall(False, first.calls())
        if first != second:
            raise AssertionError(f"quick: {first!r}, slow: {second!r}")
        return first

    return both


DECODERS = (
    Decoder(
        "wire.rpc_params.read_call",
        "json",
        lambda raw: rpc_params.read_call(raw, MESSAGE_MAX, BATCH_MAX),
        BODIES,
        errors=(rpc_node.Refused,),
        share=8,
    ),
    Decoder(
        "wire.rpc_params.read_call_slowly/as read_call",
        "json",
        _same(
            lambda raw: rpc_params.read_call(raw, MESSAGE_MAX, BATCH_MAX),
            lambda raw: rpc_params.read_call_slowly(raw, MESSAGE_MAX, BATCH_MAX),
        ),
        BODIES,
        errors=(rpc_node.Refused,),
    ),
    Decoder("wire.rpc_usual.usual_poll", "json", rpc_usual.usual_poll, BODIES, errors=()),
    Decoder(
        "wire.rpc_node.read_forward",
        "bencode",
        lambda raw: rpc_node.read_forward(raw, MESSAGE_MAX),
        FORWARDS,
        errors=(rpc_node.Refused,),
    ),
    Decoder(
        "wire.rpc_node.read_forward_slowly/as read_forward",
        "bencode",
        _same(
            lambda raw: rpc_node.read_forward(raw, MESSAGE_MAX),
            lambda raw: rpc_node.read_forward_slowly(raw, MESSAGE_MAX),
        ),
        FORWARDS,
        errors=(rpc_node.Refused,),
    ),
    Decoder(
        "wire.rpc_answers.entry_of_answer",
        "bencode",
        _same(lambda raw: rpc_answers.entry_of_answer(200, raw), rpc_answers.entry_of_answer_slowly),
        MEMBER_ANSWERS,
        errors=(),
    ),
    Decoder(
        "wire.rpc_answers.entry_of_answer/failed",
        "text",
        lambda raw: rpc_answers.entry_of_answer(500, raw),
        (b"no",),
        errors=(),
    ),
    Decoder(
        "wire.rpc_answers.quic_error_text",
        "text",
        rpc_answers.quic_error_text,
        (rpc_answers.quic_error(404, b"no"),),
        errors=(),
    ),
    Decoder("wire.rpc.read_object", "json", rpc.read_object, (RETRIEVED, STORED, SWARM)),
    Decoder("wire.rpc.read_batch", "json", rpc.read_batch, (BATCHED,)),
    Decoder("wire.rpc.read_retrieved", "json", _of_object(rpc.read_retrieved), (RETRIEVED,)),
    Decoder("wire.rpc.read_stored", "json", _of_object(rpc.read_stored), (STORED,)),
    Decoder("wire.rpc.read_swarm", "json", _of_object(rpc.read_swarm), (SWARM,)),
    Decoder("wire.rpc.read_clock", "json", _of_object(rpc.read_clock), (SWARM, RETRIEVED), share=1),
    Decoder(
        "wire.monitor.read_calls",
        "bencode",
        monitor.read_calls,
        (*SUBSCRIPTIONS, monitor.write_calls(SUBSCRIPTIONS)),
        errors=(monitor.MonitorRefused,),
        growth=100,  # a refusal for each
    ),
    Decoder(
        "wire.monitor.read_answer",
        "bencode",
        monitor.read_answer,
        (monitor.write_answer([None, _REFUSAL], True), monitor.write_answer([_REFUSAL], False)),
    ),
    Decoder("wire.monitor.read_notification", "bencode", monitor.read_notification, NOTIFICATIONS),
    Decoder(
        "wire.monitor.read_ended", "bencode", monitor.read_ended, (monitor.write_ended(OWN.id, _REFUSAL),)
    ),
    Decoder(
        "wire.monitor.check_time",
        "bencode",
        lambda raw: [monitor.check_time(one.timestamp_s, NOW_MS * 1000) for one in _calls(raw)],
        SUBSCRIPTIONS,
        errors=(monitor.MonitorRefused,),
        share=1,
    ),
)


def _calls(raw: bytes) -> list[monitor.MonitorCall]:
    return [one for one in monitor.read_calls(raw)[0] if isinstance(one, monitor.MonitorCall)]
