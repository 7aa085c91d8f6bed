"""Which fields the protocol writes where: by method, for requests and for answers.

A field is passed over only where it belongs and while it holds what it should (`usual`). The same name in
another place, such as a hash in the outer frame of an onion, is looked at like any other field.

Source: transport 5.2-5.8, 5.12; messages 8, 9; client-behaviour 6.4, 6.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NOTHING: Final[frozenset[str]] = frozenset()
_ACCOUNT: Final = frozenset(("pubkey", "pubKey"))  # whose they are is read with the call
_ACCESS: Final = frozenset(("signature", "subaccount_sig", "timestamp", "pubkey_ed25519"))
_STORED: Final = frozenset(("namespace", "data", "timestamp", "expiry"))
_HEADERS: Final = frozenset((
    "x-sogs-nonce", "x-sogs-signature", "x-sogs-timestamp", "x-fs-signature", "x-fs-timestamp",
    "content-type", "content-length",
))  # fmt: skip
_STORAGE: Final = {
    "retrieve": _ACCESS | {"namespace", "last_hash", "lastHash", "max_size", "max_count"},
    "store": _ACCESS | _STORED | {"ttl", "sig_timestamp"},
    "sn.data": _STORED,
    "notify": _STORED | {"hash"},
    "monitor": _ACCESS | {"namespaces"},
    "delete": _ACCESS | {"messages"},
    "delete_all": _ACCESS | {"namespace"},
    "delete_before": _ACCESS | {"namespace"},
    "expire": _ACCESS | {"messages", "expiry"},
    "expire_all": _ACCESS | {"namespace", "expiry"},
    "get_expiries": _ACCESS | {"messages"},
    "revoke_subaccount": _ACCESS,
    "unrevoke_subaccount": _ACCESS,
    "revoked_subaccounts": _ACCESS,
    "push": frozenset(("enc_payload",)),
    "push_delivery": frozenset(("enc_payload",)),
}
_SUBSCRIPTION: Final = _HEADERS | {"session_ed25519", "signature", "subaccount_sig", "sig_ts", "namespaces"}
_PART: Final = _HEADERS | {"method", "path"}  # of several requests to a community in one
_POST: Final = _HEADERS | {"signature"}

_EVERY_ANSWER: Final = frozenset(("hf", "t"))
_BY_MEMBER: Final = _EVERY_ANSWER | {"swarm", "signature"}
_ANSWERS: Final[Mapping[str, frozenset[str]]] = {
    "retrieve": _EVERY_ANSWER | {"messages", "more"},
    "store": _BY_MEMBER | {"hash", "expiry"},
    "delete": _BY_MEMBER | {"deleted"},
    "delete_all": _BY_MEMBER | {"deleted"},
    "delete_before": _BY_MEMBER | {"deleted"},
    "expire": _BY_MEMBER | {"expiry", "updated", "unchanged"},
    "expire_all": _BY_MEMBER | {"expiry", "updated"},
    "get_expiries": _EVERY_ANSWER | {"expiries"},
    "revoke_subaccount": _BY_MEMBER,
    "unrevoke_subaccount": _BY_MEMBER,
    "get_swarm": _EVERY_ANSWER
    | {"swarm", "address", "pubkey_ed25519", "pubkey_x25519", "pubkey_legacy", "signature"},
    "get_n_service_nodes": frozenset(("pubkey_ed25519", "pubkey_x25519", "service_node_pubkey")),
    "POST /file": frozenset(("id", "expires", "uploaded")),
}
_OF_SERVERS: Final = frozenset(("content-type", "content-length", "date", "expires", "uploaded", "signature"))

_CALLS: Final = {method: fields | _ACCOUNT for method, fields in _STORAGE.items()}


def usual_in_call(method: str) -> frozenset[str]:
    """Give the fields that a call of a node or push platform has, that of its account among them."""
    return _CALLS.get(method, _ACCOUNT)


def known_in_call(method: str) -> frozenset[str]:
    """Give the fields of a call that are read elsewhere. Args: method: of a server with its path."""
    if " " not in method:
        return _STORAGE.get(method, NOTHING)
    verb, _, path = method.partition(" ")
    if path in ("/subscribe", "/unsubscribe"):
        return _SUBSCRIPTION
    return _POST if verb == "POST" else _PART


def known_in_answer(method: str) -> frozenset[str]:
    """Give the fields of an answer that say what every such answer says. Args: method: of the request."""
    known = _ANSWERS.get(method)
    return known if known is not None else _OF_SERVERS if " " in method else NOTHING
