"""How recursive calls are passed on inside a swarm, and how they are read there (transport 5.5).

The real message has two parts, the method name and a bencoded dict; a transmission here is one byte string,
so the parts are the two items of a list. Stores, which are most of it, have ways of their own (`rpc_node`).
Source: session-storage-server: oxenss/rpc/client_rpc_endpoints.cpp to_bt.
"""

from __future__ import annotations

from typing import Any, Final

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.rpc_calls import (
    DeleteAllCall,
    DeleteBeforeCall,
    DeleteCall,
    ExpireAllCall,
    ExpireCall,
    RecursiveCall,
    RevokeCall,
    Signer,
)
from sessionsim.protocol.wire.rpc_fields import Fields, Refused, invalid
from sessionsim.protocol.wire.rpc_methods import READERS
from sessionsim.protocol.wire.rpc_node import StoreCall, named, read_forward

_STORE: Final = b"l5:store"
_PASSED_ON: Final = frozenset(
    (
        "delete",
        "delete_all",
        "delete_before",
        "expire",
        "expire_all",
        "revoke_subaccount",
        "unrevoke_subaccount",
    )
)


def write_recursive(call: RecursiveCall) -> bytes:
    """Write what `sn.storage_cc` carries to the other members. `required` concerns the first node alone."""
    if type(call) is DeleteCall:
        return _written("delete", call.by, {"messages": list(call.messages)})
    if type(call) is DeleteAllCall:
        return _written(
            "delete_all", call.by, {"namespace": _space(call.namespace), "timestamp": call.timestamp_ms}
        )
    if type(call) is DeleteBeforeCall:
        return _written(
            "delete_before", call.by, {"before": call.before_ms, "namespace": _space(call.namespace)}
        )
    if type(call) is ExpireAllCall:
        return _written(
            "expire_all", call.by, {"expiry": call.expiry_ms, "namespace": _space(call.namespace)}
        )
    if type(call) is ExpireCall:
        expiries = call.expiries_ms
        fields: dict[str, Any] = {
            "expiry": expiries[0] if len(expiries) == 1 else list(expiries),
            "messages": list(call.messages),
        }
        return _written("expire", call.by, fields | ({call.mode: 1} if call.mode else {}))
    assert type(call) is RevokeCall
    verb = "unrevoke" if call.undo else "revoke"
    fields = {verb: list(call.tokens), "timestamp": call.timestamp_ms}
    return _written(f"{verb}_subaccount", call.by, fields)


def _space(namespace: int | None) -> int | str:
    return "all" if namespace is None else namespace


def _written(method: str, by: Signer, fields: dict[str, Any]) -> bytes:
    fields |= {"pubkey": by.account, "signature": by.signature}
    if by.ed25519 is not None:
        fields["pubkey_ed25519"] = by.ed25519
    if by.subaccount is not None:
        fields["subaccount"], fields["subaccount_sig"] = by.subaccount
    return bencode.encode([method, {name.encode(): value for name, value in fields.items()}])


def read_forwarded(payload: bytes, message_max_bytes: int) -> StoreCall | RecursiveCall:
    """Parse what `sn.storage_cc` carries.

    Raises:
        Refused: 400, not such a list, a method that is not passed on, or wrong parameters.
    """
    if payload.startswith(_STORE):
        return read_forward(payload, message_max_bytes)
    try:
        parts = bencode.decode(payload)
    except RemoteProtocolError as wrong:
        raise invalid(str(wrong)) from wrong
    if type(parts) is not list or len(parts) != 2 or type(parts[0]) is not bytes:
        raise Refused(400, "Invalid request: expected 2 message parts")
    method = parts[0].decode("latin-1")
    if method not in _PASSED_ON or type(parts[1]) is not dict:
        raise invalid("received invalid forwarded non-forwardable request")
    return READERS[method](Fields(named(parts[1]), is_json=False))  # type: ignore[return-value]
