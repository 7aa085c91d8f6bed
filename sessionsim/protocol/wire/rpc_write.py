"""Storage calls as clients write them, beside the frequent ones of `rpc` (transport 5.1, 5.2).

The order of keys is that of desktop where it is known; libsession sorts its keys; that android keeps the
order of desktop, and all orders for groups, are Assumptions. Servers accept any.
Source: session-desktop: ts/session/apis/snode_api/SnodeRequestTypes.ts.
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson

from sessionsim.protocol.authorisation import Subaccount
from sessionsim.protocol.wire.rpc import DESKTOP, LIBSESSION, BodyStyle, Call

# Methods for which desktop writes the Ed25519 key in upper case. Source: SnodeRequestTypes.ts.
_UPPER: Final = frozenset(("delete_all", "get_expiries"))


class Asker(NamedTuple):
    """In whose name a call is made.

    Args:
        account: 33 bytes.
        ed25519: the key behind an 05 account; None for others.
        subaccount: the token shown; None for the owner.
    """

    account: bytes
    ed25519: bytes | None = None
    subaccount: Subaccount | None = None


def _base64(raw: bytes) -> str:
    return binascii.b2a_base64(raw, newline=False).decode()


def _call(style: BodyStyle, method: str, fields: dict[str, Any]) -> Call:
    option = orjson.OPT_SORT_KEYS if style.name == LIBSESSION.name else 0
    return method.encode(), orjson.dumps(fields, option=option)


def _signed(style: BodyStyle, method: str, asker: Asker, signature: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = {"pubkey": asker.account.hex()}
    if asker.ed25519 is not None:
        key = asker.ed25519.hex()
        fields["pubkey_ed25519"] = key.upper() if style.name == DESKTOP.name and method in _UPPER else key
    fields["signature"] = _base64(signature)
    if asker.subaccount is not None:
        fields["subaccount"] = _base64(asker.subaccount.token)
        fields["subaccount_sig"] = _base64(asker.subaccount.signature)
    return fields


def signed_store_call(
    style: BodyStyle,
    asker: Asker,
    namespace: int,
    data: bytes,
    timestamp_ms: int,
    ttl_ms: int,
    signature: bytes,
    signed_ms: int | None = None,
) -> Call:
    """Write a store to a namespace that needs a signature.

    Args:
        style: the client family.
        asker: in whose name.
        namespace: the box.
        data: raw bytes.
        timestamp_ms, ttl_ms: of the message.
        signature: over `rpc_signed.namespaced_text("store", namespace, signed_ms or timestamp_ms)`.
        signed_ms: when it was signed, if that is not the timestamp.
    """
    fields = {"namespace": namespace, "ttl": ttl_ms, "data": _base64(data), "timestamp": timestamp_ms}
    fields |= _signed(style, "store", asker, signature)
    if signed_ms is not None:
        fields["sig_timestamp"] = signed_ms
    return _call(style, "store", fields)


def signed_retrieve_call(
    style: BodyStyle,
    asker: Asker,
    namespace: int,
    last_hash: str,
    timestamp_ms: int,
    signature: bytes,
    max_size: int,
) -> Call:
    """Write a retrieve in anybody's name; `rpc.retrieve_call` is for owners of 05 accounts."""
    fields = {
        "namespace": namespace,
        **_signed(style, "retrieve", asker, signature),
        "timestamp": timestamp_ms,
        "last_hash": last_hash,
        "max_size": max_size,
    }
    return _call(style, "retrieve", fields)


def delete_call(
    style: BodyStyle, asker: Asker, hashes: Sequence[str], signature: bytes, *, required: bool = False
) -> Call:
    """Write a delete. Args: required: ask for 404 if no member had any of them."""
    fields = {**_signed(style, "delete", asker, signature), "messages": list(hashes)}
    return _call(style, "delete", fields | ({"required": True} if required else {}))


def delete_all_call(
    style: BodyStyle, asker: Asker, namespace: int | None, timestamp_ms: int, signature: bytes
) -> Call:
    """Write a delete_all. Args: namespace: None for all."""
    fields = {**_signed(style, "delete_all", asker, signature), "timestamp": timestamp_ms}
    return _call(style, "delete_all", fields | _space(namespace))


def delete_before_call(
    style: BodyStyle, asker: Asker, namespace: int | None, before_ms: int, signature: bytes
) -> Call:
    """Write a delete_before. Args: namespace: None for all."""
    fields = {**_signed(style, "delete_before", asker, signature), "before": before_ms}
    return _call(style, "delete_before", fields | _space(namespace))


def expire_all_call(
    style: BodyStyle, asker: Asker, namespace: int | None, expiry_ms: int, signature: bytes
) -> Call:
    """Write an expire_all. Args: namespace: None for all."""
    fields = {**_signed(style, "expire_all", asker, signature), "expiry": expiry_ms}
    return _call(style, "expire_all", fields | _space(namespace))


def _space(namespace: int | None) -> dict[str, int | str]:
    return {"namespace": "all" if namespace is None else namespace}


def expire_call(
    style: BodyStyle,
    asker: Asker,
    hashes: Sequence[str],
    expiries_ms: Sequence[int],
    signature: bytes,
    mode: str = "",
) -> Call:
    """Write an expire. Args: expiries_ms: one for all, or one each; mode: `shorten`, `extend` or empty."""
    fields = {
        **_signed(style, "expire", asker, signature),
        "messages": list(hashes),
        "expiry": expiries_ms[0] if len(expiries_ms) == 1 else list(expiries_ms),
    }
    return _call(style, "expire", fields | ({mode: True} if mode else {}))


def get_expiries_call(
    style: BodyStyle, asker: Asker, hashes: Sequence[str], timestamp_ms: int, signature: bytes
) -> Call:
    """Write a get_expiries. Args: hashes: or the one word `all`."""
    fields = {
        **_signed(style, "get_expiries", asker, signature),
        "messages": list(hashes),
        "timestamp": timestamp_ms,
    }
    return _call(style, "get_expiries", fields)


def revoke_call(
    style: BodyStyle,
    asker: Asker,
    tokens: Sequence[bytes],
    timestamp_ms: int,
    signature: bytes,
    *,
    undo: bool = False,
) -> Call:
    """Write a revoke_subaccount or, to undo one, an unrevoke_subaccount. Desktop writes tokens in hex."""
    verb = "unrevoke" if undo else "revoke"
    written = [token.hex() if style.name == DESKTOP.name else _base64(token) for token in tokens]
    method = f"{verb}_subaccount"
    fields = {**_signed(style, method, asker, signature), verb: written, "timestamp": timestamp_ms}
    return _call(style, method, fields)


def revoked_call(style: BodyStyle, asker: Asker, timestamp_ms: int, signature: bytes) -> Call:
    """Write a revoked_subaccounts."""
    fields = {**_signed(style, "revoked_subaccounts", asker, signature), "timestamp": timestamp_ms}
    return _call(style, "revoked_subaccounts", fields)


def active_nodes_call() -> Call:
    """Ask for the node list as packed records."""
    return b"active_nodes_bin", b"{}"


def service_nodes_call(style: BodyStyle) -> Call:
    """Ask for the node list as desktop refreshes its pool."""
    fields = {"public_ip": True, "storage_port": True, "pubkey_x25519": True, "pubkey_ed25519": True}
    params = {"endpoint": "get_service_nodes", "params": {"active_only": True, "fields": fields}}
    return _call(style, "oxend_request", params)


def resolve_name_call(style: BodyStyle, name_hash: bytes) -> Call:
    """Ask whose name it is. Args: name_hash: 32 bytes."""
    params = {"endpoint": "ons_resolve", "params": {"type": 0, "name_hash": _base64(name_hash)}}
    return _call(style, "oxend_request", params)


def ifelse_call(
    style: BodyStyle, conditions: dict[str, Any], then: Call | None, otherwise: Call | None
) -> Call:
    """Write an ifelse. Args: conditions: by name; then, otherwise: at least one of them."""
    fields: dict[str, Any] = {"if": conditions}
    for key, call in (("then", then), ("else", otherwise)):
        if call is not None:
            fields[key] = {"method": call[0].decode(), "params": orjson.Fragment(call[1])}
    return _call(style, "ifelse", fields)
