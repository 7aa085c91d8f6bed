"""Storage calls as a node handles them, beside store, retrieve, get_swarm and info (`rpc_node`).

A call comes from a client as JSON or bencode, or from another member of the swarm as bencode; all become the
same tuple. Those in `RECURSIVE` go to all members of the swarm.
Source: transport 5.1, 5.2; session-storage-server: oxenss/rpc/client_rpc_endpoints.h.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sessionsim.protocol.authorisation import Subaccount


class Signer(NamedTuple):
    """Who asks, not yet verified.

    Args:
        account: 33 bytes, whose messages it is about.
        ed25519: the Ed25519 key named beside an 05 account; None if none is.
        signature: 64 bytes.
        subaccount: the token shown; None if the owner asks.
    """

    account: bytes
    ed25519: bytes | None
    signature: bytes
    subaccount: Subaccount | None = None


class DeleteCall(NamedTuple):
    """A parsed delete. Args: required: the client wants 404 if no member had any of them."""

    by: Signer
    messages: tuple[str, ...]
    required: bool


class DeleteAllCall(NamedTuple):
    """A parsed delete_all. Args: namespace: None for all of them; timestamp_ms: when it was signed."""

    by: Signer
    namespace: int | None
    timestamp_ms: int


class DeleteBeforeCall(NamedTuple):
    """A parsed delete_before. Args: namespace: None for all; before_ms: the last timestamp that goes."""

    by: Signer
    namespace: int | None
    before_ms: int


class ExpireCall(NamedTuple):
    """A parsed expire.

    Args:
        by: who asks.
        messages: hashes.
        expiries_ms: one for all of them, or one each.
        mode: `shorten`, `extend`, or empty for both ways.
    """

    by: Signer
    messages: tuple[str, ...]
    expiries_ms: tuple[int, ...]
    mode: str


class ExpireAllCall(NamedTuple):
    """A parsed expire_all. Args: namespace: None for all; expiry_ms: later expiries come down to it."""

    by: Signer
    namespace: int | None
    expiry_ms: int


class GetExpiriesCall(NamedTuple):
    """A parsed get_expiries. Args: messages: hashes, or the one word `all`."""

    by: Signer
    messages: tuple[str, ...]
    timestamp_ms: int


class RevokeCall(NamedTuple):
    """A parsed revoke_subaccount or, if `undo`, unrevoke_subaccount. Args: tokens: 36 bytes each."""

    by: Signer
    tokens: tuple[bytes, ...]
    timestamp_ms: int
    undo: bool


class RevokedCall(NamedTuple):
    """A parsed revoked_subaccounts: which tokens are revoked."""

    by: Signer
    timestamp_ms: int


class OxendCall(NamedTuple):
    """A parsed oxend_request. Args: params: an object of JSON values, or what else the client wrote."""

    endpoint: str
    params: object


class ActiveNodesCall(NamedTuple):
    """A parsed active_nodes_bin; it has no parameters."""


RecursiveCall = DeleteCall | DeleteAllCall | DeleteBeforeCall | ExpireCall | ExpireAllCall | RevokeCall
LocalCall = GetExpiriesCall | RevokedCall | OxendCall | ActiveNodesCall

RECURSIVE: Final = frozenset(
    (DeleteCall, DeleteAllCall, DeleteBeforeCall, ExpireCall, ExpireAllCall, RevokeCall)
)
