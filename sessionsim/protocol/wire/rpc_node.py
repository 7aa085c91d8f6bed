"""Calls as a node handles them, and how nodes of a swarm pass them on (transport 5.5).

A call comes from a client as JSON (`rpc_params`) or from another member of the swarm as bencode; both become
the same tuple. Parsing what was passed on is a pure function of its bytes, and all members get the same
bytes, so the last ones are remembered. The usual shape is matched directly, anything else goes through the
general parser, with equal results (property-tested).
Source: session-storage-server: oxenss/rpc/client_rpc_endpoints.cpp, request_handler.cpp.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.authorisation import Subaccount
from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.rpc import message_hash
from sessionsim.protocol.wire.rpc_calls import LocalCall, RecursiveCall
from sessionsim.protocol.wire.rpc_fields import Fields, Refused, invalid, missing, unbase64
from sessionsim.protocol.wire.rpc_params_meta import Conditions

_FORWARD_OVERHEAD_BYTES: Final = 1024  # Assumption: no store carries more beside its data; bounds the memory
_REMEMBERED: Final = 64  # Assumption: more stores than are being replicated at one moment in one swarm
# An unsigned store to namespace 0: what stands before the data, and what after it.
_HEAD: Final = b"l5:stored4:data"
_TAIL: Final = re.compile(
    rb"6:expiryi(0|[1-9]\d{0,17})e6:pubkey33:(.{33})9:timestampi(0|[1-9]\d{0,17})eee", re.DOTALL
)


class StoreCall(NamedTuple):
    """A parsed store. Times in unix ms; from `ed25519` on, all is unset when it is unsigned."""

    account: bytes
    namespace: int
    timestamp_ms: int
    expiry_ms: int
    data: bytes
    hash: str
    ed25519: bytes | None
    signature: bytes | None
    signed_ms: int
    subaccount: Subaccount | None = None


class RetrieveCall(NamedTuple):
    """A parsed retrieve. `signature` is None when it is unsigned; 0 stands for a limit that was not given."""

    account: bytes
    namespace: int
    last_hash: str
    max_count: int
    max_size: int
    ed25519: bytes | None
    signature: bytes | None
    signed_ms: int
    subaccount: Subaccount | None = None


class SwarmCall(NamedTuple):
    """A parsed get_swarm."""

    account: bytes


class InfoCall(NamedTuple):
    """A parsed info; it has no parameters."""


class BatchCall(NamedTuple):
    """A parsed batch or sequence. Args: in_turn: one after the other, until the first that fails."""

    in_turn: bool
    calls: tuple[SimpleCall, ...]


class PollCall(NamedTuple):
    """A batch of signed retrieves of one account (05) and one moment, as polls are.

    Args:
        account, ed25519, signed_ms: as in `RetrieveCall`, of all parts.
        parts: namespace, last hash, largest size and signature of each.
    """

    account: bytes
    ed25519: bytes
    signed_ms: int
    parts: tuple[tuple[int, str, int, bytes], ...]

    def calls(self) -> tuple[RetrieveCall, ...]:
        """Give the parts as single retrieves."""
        account, ed25519, signed_ms, parts = self
        return tuple(
            RetrieveCall(account, namespace, last_hash, 0, size, ed25519, signature, signed_ms)
            for namespace, last_hash, size, signature in parts
        )


class IfElseCall(NamedTuple):
    """A parsed ifelse. Args: asked: its conditions; then, otherwise: what to do; None for nothing."""

    asked: Conditions
    then: NodeCall | None
    otherwise: NodeCall | None


SimpleCall = StoreCall | RetrieveCall | SwarmCall | InfoCall | RecursiveCall | LocalCall
NodeCall = SimpleCall | BatchCall | IfElseCall | PollCall


def write_forward(call: StoreCall) -> bytes:
    """Write what `sn.storage_cc` carries to the other members: a list of method and parameters.

    The real message has two parts, the method name and a bencoded dict (transport 5.5); a transmission here
    is one byte string, so the parts are the two items of a list, 9 bytes more for a store.
    """
    if call.signature is None and call.namespace == 0:
        return b"%b%d:%b6:expiryi%de6:pubkey33:%b9:timestampi%deee" % (
            _HEAD, len(call.data), call.data, call.expiry_ms, call.account, call.timestamp_ms,
        )  # fmt: skip
    return write_forward_slowly(call)


def write_forward_slowly(call: StoreCall) -> bytes:
    """`write_forward` by the general encoder."""
    fields: dict[bytes, Any] = {
        b"data": call.data,
        b"expiry": call.expiry_ms,
        b"pubkey": call.account,
        b"timestamp": call.timestamp_ms,
    }
    if call.namespace:
        fields[b"namespace"] = call.namespace
    if call.signature is not None:
        fields[b"signature"] = call.signature
        fields[b"sig_timestamp"] = call.signed_ms
        if call.ed25519 is not None:
            fields[b"pubkey_ed25519"] = call.ed25519
        if call.subaccount is not None:
            fields[b"subaccount"], fields[b"subaccount_sig"] = call.subaccount
    return bencode.encode([b"store", fields])


@lru_cache(maxsize=_REMEMBERED)
def read_forward(payload: bytes, message_max_bytes: int) -> StoreCall:
    """Parse what `sn.storage_cc` carries.

    Raises:
        Refused: 400, not such a list, a method that is not forwarded, or wrong parameters.
    """
    if len(payload) > message_max_bytes + _FORWARD_OVERHEAD_BYTES:
        raise invalid(f"Message body exceeds maximum allowed length of {message_max_bytes} bytes")
    if payload.startswith(_HEAD):
        colon = payload.find(b":", len(_HEAD), len(_HEAD) + 8)
        digits = payload[len(_HEAD) : colon]
        if colon > 0 and digits.isdigit() and (digits[0] != 48 or len(digits) == 1):
            end = colon + 1 + int(digits)
            tail = _TAIL.fullmatch(payload, end) if int(digits) <= message_max_bytes else None
            if tail is not None:
                data, account, timestamp_ms = payload[colon + 1 : end], tail[2], int(tail[3])
                hash_ = message_hash(account, 0, data)
                return StoreCall(
                    account, 0, timestamp_ms, int(tail[1]), data, hash_, None, None, timestamp_ms
                )
    return read_forward_slowly(payload, message_max_bytes)


def read_forward_slowly(payload: bytes, message_max_bytes: int) -> StoreCall:
    """`read_forward` by the general parser."""
    try:
        parts = bencode.decode(payload)
    except RemoteProtocolError as wrong:
        raise invalid(str(wrong)) from wrong
    if type(parts) is not list or len(parts) != 2:
        raise Refused(400, "Invalid request: expected 2 message parts")
    if parts[0] != b"store" or type(parts[1]) is not dict:
        raise invalid("received invalid forwarded non-forwardable request")
    call = read_store(Fields(named(parts[1]), is_json=False), message_max_bytes)
    return call if call.signature is not None else call._replace(signed_ms=call.timestamp_ms)


def named(values: dict[bytes, Any]) -> dict[str, Any]:
    """Turn the keys of a decoded dict into text, for `Fields`."""
    return {key.decode("latin-1"): value for key, value in values.items()}


def read_store(fields: Fields, message_max_bytes: int) -> StoreCall:
    """Read any store, field by field. Raises Refused."""
    timestamp = fields.number("timestamp") if fields.is_json else fields.timestamp("timestamp")
    if timestamp is None:
        raise missing("timestamp")
    ttl, expiry = fields.number("ttl"), fields.timestamp("expiry")
    if ttl is not None and ttl < 0:
        raise invalid("Invalid value given for 'ttl': expected positive integer")
    if ttl is not None and expiry is not None:
        raise invalid("Cannot specify both 'expiry' and 'ttl'")
    if expiry is None:
        if ttl is None:
            raise invalid("Required field 'expiry' or 'ttl' missing")
        expiry = timestamp + ttl
    namespace = fields.namespace() or 0
    ed25519 = signature = subaccount = None
    signed_ms = 0
    if fields.has("signature"):
        account, ed25519, signature, subaccount = fields.signer(alias=True)
        signed_ms = fields.timestamp("sig_timestamp") or timestamp
    else:
        account = fields.account(alias=True)
    data = _data(fields, message_max_bytes)
    hash_ = message_hash(account, namespace, data)
    return StoreCall(
        account, namespace, timestamp, expiry, data, hash_, ed25519, signature, signed_ms, subaccount
    )


def _data(fields: Fields, message_max_bytes: int) -> bytes:
    octets = fields.octets("data")
    if octets is None:
        raise missing("data")
    too_long = len(octets) > (message_max_bytes // 3 * 4 if fields.is_json else message_max_bytes)
    if too_long:
        raise invalid(f"Message body exceeds maximum allowed length of {message_max_bytes} bytes")
    if not fields.is_json:
        return octets
    return unbase64(octets.decode("latin-1"), "Invalid 'data' value: not base64 encoded")
