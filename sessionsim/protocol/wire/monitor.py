"""Subscriptions to what a node stores, as push servers ask for them: bencode (transport 5.2, 5.12).

    request  monitor.messages / monitor   one dict or a list of them:
             P Ed25519 key of a 05 account, or p account of any other kind (33 bytes);
             S and T of a subaccount; d 1 for message bodies; n namespaces ascending; s signature; t seconds
    answer   success 1, or errcode and error; a list for a list
    push     notify.message / notify      @ account, h hash, n namespace, t time, z expiry, ~ body if wanted
    push     monitor_ended                @ account, errcode, error (new servers, when the account moves away)

transport 5.12 names S the token and T its signature; nodes and push servers alike have it the other way
round, S the signature (64 bytes) and T the token (36), and that is what is written and read here.
Both ends use this module. Checking who signed needs keys and is not here.
Source: session-storage-server: oxenss/server/mqbase.cpp, oxenss/snode/service_node.cpp (send_notifies);
session-push-notification-server: spns/hive/snode.cpp (check_subs).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from itertools import pairwise
from typing import Final, NamedTuple

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.core.units import US_PER_DAY, US_PER_MIN
from sessionsim.protocol.namespaces import MAX_NAMESPACE, MIN_NAMESPACE
from sessionsim.protocol.wire import bencode

# How long a node keeps a subscription. Source: transport 5.12; oxenss/server/mqbase.h.
SUBSCRIPTION_LIFE_US: Final = 65 * US_PER_MIN
# How old a signature may be, and how far ahead. Source: transport 5.12; oxenss/server/mqbase.cpp.
SIGNATURE_LIFE_US: Final = 14 * US_PER_DAY
SIGNATURE_EARLY_US: Final = US_PER_DAY

ACCOUNT_BYTES: Final = 33  # Source: transport 1.2
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
TOKEN_BYTES: Final = 36  # Source: transport 5.2
_HASH_LENGTHS: Final = range(32, 100)  # Source: session-push-notification-server: spns/hivemind.hpp
_MAX_INT64: Final = (1 << 63) - 1
_MAX_DEPTH: Final = 3  # a list of dicts that hold a list


class MonitorError(IntEnum):
    """Why a subscription is refused or has ended. Source: oxenss/server/utils.h; 1 to 5 also in 2.8."""

    BAD_ARGS = 1
    BAD_PUBKEY = 2
    BAD_NS = 3
    BAD_TS = 4
    BAD_SIG = 5
    WRONG_SWARM = 6


class MonitorRefused(RemoteProtocolError):
    """One subscription is refused. Args: code: why; text: what the answer says."""

    def __init__(self, code: MonitorError, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class MonitorCall(NamedTuple):
    """A subscription as it is asked for.

    Args:
        account: 33 bytes; empty for a 05 account, which is named by `ed25519`.
        ed25519: 32 bytes; empty otherwise.
        token, token_signature: of a subaccount, 36 and 64 bytes; empty for none.
        want_data: send message bodies too.
        namespaces: ascending.
        signature: 64 bytes over `signed_text`.
        timestamp_s: when it was signed, unix seconds.
    """

    account: bytes
    ed25519: bytes
    token: bytes
    token_signature: bytes
    want_data: bool
    namespaces: tuple[int, ...]
    signature: bytes
    timestamp_s: int


class Notification(NamedTuple):
    """A stored message as a node announces it. Times in unix ms; `data` is None if it was not asked for."""

    account: bytes
    hash: str
    namespace: int
    timestamp_ms: int
    expiry_ms: int
    data: bytes | None


def signed_text(account: bytes, timestamp_s: int, want_data: bool, namespaces: Sequence[int]) -> bytes:
    """Give what the owner of an account signs. Source: transport 5.2; messages 9."""
    listed = ",".join([str(namespace) for namespace in namespaces])
    return f"MONITOR{account.hex()}{timestamp_s}{int(want_data)}{listed}".encode()


def check_time(timestamp_s: int, unix_us: int) -> None:
    """Check the age of a signature as a node does. Raises MonitorRefused BAD_TS. Source: transport 5.12."""
    age_us = unix_us - timestamp_s * 1_000_000
    if not -SIGNATURE_EARLY_US <= age_us <= SIGNATURE_LIFE_US:
        how = "too old" if age_us > 0 else "in the future"
        raise MonitorRefused(MonitorError.BAD_TS, f"Invalid t= signature timestamp: timestamp is {how}")


def write_call(call: MonitorCall) -> bytes:
    """Write one subscription.

    Raises:
        LocalProtocolError: both or neither of the account's names, or half a subaccount.
    """
    if bool(call.account) == bool(call.ed25519) or bool(call.token) != bool(call.token_signature):
        raise LocalProtocolError("a subscription names its account once, and a token with its signature")
    fields: dict[bytes, object] = {
        b"n": list(call.namespaces),
        b"s": call.signature,
        b"t": call.timestamp_s,
        **({b"P": call.ed25519} if call.ed25519 else {b"p": call.account}),
    }
    if call.token:
        fields |= {b"S": call.token_signature, b"T": call.token}
    if call.want_data:
        fields[b"d"] = 1
    return bencode.encode(fields)


def write_calls(calls: Sequence[bytes]) -> bytes:
    """Join subscriptions of `write_call` into one request."""
    return b"l%be" % b"".join(calls)


def read_calls(payload: bytes) -> tuple[list[MonitorCall | MonitorRefused], bool]:
    """Read a request.

    Args:
        payload: any bytes.

    Returns:
        Each subscription, or why it is refused, in order; and whether they came as a list.

    Raises:
        MonitorRefused: BAD_ARGS, the whole request is none.
    """
    try:
        value = bencode.decode(payload, max_depth=_MAX_DEPTH)
    except RemoteProtocolError as wrong:
        raise MonitorRefused(
            MonitorError.BAD_ARGS, "Invalid arguments: Failed to parse monitor.messages data value"
        ) from wrong
    many = type(value) is list
    parts = value if many else [value]
    if not all(type(part) is dict for part in parts):
        raise MonitorRefused(
            MonitorError.BAD_ARGS,
            "Invalid arguments: monitor request takes a single bencoded dict or list parameter",
        )
    return [_read_call(part) for part in parts], many


def _read_call(fields: dict[bytes, object]) -> MonitorCall | MonitorRefused:
    try:
        return _call_of(fields)
    except MonitorRefused as wrong:
        # Without the frames it came through: a request of 200 kB can hold 100 000 refusals.
        return wrong.with_traceback(None)


def _call_of(fields: dict[bytes, object]) -> MonitorCall:
    # In the order of the keys, which is the order in which a node finds what is wrong.
    key_refused = MonitorError.BAD_PUBKEY
    ed25519 = _raw(fields, b"P", KEY_BYTES, key_refused, needed=False)
    token_signature = _raw(fields, b"S", SIGNATURE_BYTES, key_refused, needed=False)
    # A token without signature is not looked at.
    token = _raw(fields, b"T", TOKEN_BYTES, key_refused) if token_signature else b""
    want_data = _integer(fields, b"d", 0, 1) if b"d" in fields else 0
    namespaces = _namespaces(fields.get(b"n"))
    if ed25519 and b"p" in fields:
        raise _bad_args("Cannot provide both p= and P= pubkey values")
    account = b"" if ed25519 else _raw(fields, b"p", ACCOUNT_BYTES, key_refused)
    signature = _raw(fields, b"s", SIGNATURE_BYTES, MonitorError.BAD_SIG)
    timestamp_s = _integer(fields, b"t", -_MAX_INT64, _MAX_INT64)
    return MonitorCall(
        account, ed25519, token, token_signature, bool(want_data), namespaces, signature, timestamp_s
    )


def _bad_args(text: str) -> MonitorRefused:
    return MonitorRefused(MonitorError.BAD_ARGS, f"Invalid arguments: {text}")


def _raw(
    fields: dict[bytes, object], key: bytes, size: int, refusal: MonitorError, *, needed: bool = True
) -> bytes:
    value = fields.get(key)
    if value is None and not needed:
        return b""
    if type(value) is not bytes:
        raise _bad_args(f"{key.decode()}= must be given, as a string")
    if len(value) != size:
        raise MonitorRefused(refusal, f"Provided {key.decode()}= must be {size} bytes")
    return value


def _integer(fields: dict[bytes, object], key: bytes, low: int, high: int) -> int:
    value = fields.get(key)
    if type(value) is not int or not low <= value <= high:
        raise _bad_args(f"{key.decode()}= must be given, as an integer in its range")
    return value


def _namespaces(value: object) -> tuple[int, ...]:
    if type(value) is not list or not value:
        raise _bad_args("n= must be given, as a list of namespaces")
    for namespace in value:
        if type(namespace) is not int or not MIN_NAMESPACE <= namespace <= MAX_NAMESPACE:
            raise _bad_args("a namespace is a 16-bit integer")
    if any(left >= right for left, right in pairwise(value)):
        raise MonitorRefused(MonitorError.BAD_NS, "Invalid n= namespace list: namespaces must be ascending")
    return tuple(value)


def write_answer(refusals: Sequence[MonitorRefused | None], many: bool) -> bytes:
    """Write a node's answer.

    Args:
        refusals: for each subscription why it was refused, or None for success.
        many: they came as a list.
    """
    parts = [bencode.encode(_outcome(refusal)) for refusal in refusals]
    return b"l%be" % b"".join(parts) if many else parts[0]


def _outcome(refusal: MonitorRefused | None) -> dict[bytes, object]:
    if refusal is None:
        return {b"success": 1}
    return {b"errcode": int(refusal.code), b"error": refusal.text}


def read_answer(payload: bytes) -> list[int]:
    """Read a node's answer. Raises RemoteProtocolError.

    Returns:
        For each subscription 0 for success, or the error code, which may be one not known here.
    """
    value = bencode.decode(payload)
    codes = []
    for part in value if type(value) is list else [value]:
        if type(part) is not dict:
            raise RemoteProtocolError("an answer to a subscription that is no dict")
        code = 0 if part.get(b"success") == 1 else part.get(b"errcode")
        if type(code) is not int or (code == 0 and b"success" not in part):
            raise RemoteProtocolError("an answer to a subscription that says nothing")
        codes.append(code)
    return codes


def write_notification(notification: Notification) -> bytes:
    """Write what a node pushes to its subscribers."""
    fields: dict[bytes, object] = {
        b"@": notification.account,
        b"h": notification.hash,
        b"n": notification.namespace,
        b"t": notification.timestamp_ms,
        b"z": notification.expiry_ms,
    }
    if notification.data is not None:
        fields[b"~"] = notification.data
    return bencode.encode(fields)


def read_notification(payload: bytes) -> Notification:
    """Read what a node pushed.

    Raises:
        RemoteProtocolError: a field is missing or cannot be.
    Source: session-push-notification-server: spns/hivemind.cpp (process_notifications).
    """
    fields = bencode.decode(payload, max_depth=1)
    if type(fields) is not dict:
        raise RemoteProtocolError("a notification that is no dict")
    account, name, data = fields.get(b"@"), fields.get(b"h"), fields.get(b"~")
    if type(account) is not bytes or len(account) != ACCOUNT_BYTES:
        raise RemoteProtocolError("a notification without account")
    if type(name) is not bytes or len(name) not in _HASH_LENGTHS or not name.isascii():
        raise RemoteProtocolError("a notification without message hash")
    if data is not None and type(data) is not bytes:
        raise RemoteProtocolError("a notification with a body that is no string")
    namespace = fields.get(b"n")
    if type(namespace) is not int or not MIN_NAMESPACE <= namespace <= MAX_NAMESPACE:
        raise RemoteProtocolError("a notification of a namespace that cannot be")
    return Notification(account, name.decode(), namespace, _time(fields, b"t"), _time(fields, b"z"), data)


def _time(fields: dict[bytes, object], key: bytes) -> int:
    value = fields.get(key)
    if type(value) is not int or abs(value) > _MAX_INT64:
        raise RemoteProtocolError("a notification without times")
    return value


def write_ended(account: bytes, refusal: MonitorRefused) -> bytes:
    """Write what a new node pushes when it stops storing an account; the new swarm is left out here."""
    return bencode.encode({b"@": account, **_outcome(refusal)})


def read_ended(payload: bytes) -> tuple[bytes, int]:
    """Read the end of a subscription: account and error code. Raises RemoteProtocolError."""
    fields = bencode.decode(payload)
    account = fields.get(b"@") if type(fields) is dict else None
    code = fields.get(b"errcode") if type(fields) is dict else None
    if type(account) is not bytes or len(account) != ACCOUNT_BYTES or type(code) is not int:
        raise RemoteProtocolError("not the end of a subscription")
    return account, code
