"""Storage calls of version 2 that no older client makes: signed stores, deletes, reading a public outbox.

Libsession's core makes them on all platforms, so they are written in its way on all of them, keys in
alphabetical order (Assumption: no client that makes them is published). The request around them is written
as the platform writes its own.
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence

from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.identity import Account
from sessionsim.protocol.wire import rpc
from sessionsim.protocol.wire.rpc_signed import delete_text

_STORE = (
    b'{"data":"%b","namespace":%d,"pubkey":"%b","pubkey_ed25519":"%b","signature":"%b",'
    b'"timestamp":%d,"ttl":%d}'
)
_DELETE = b'{"messages":[%b],"pubkey":"%b","pubkey_ed25519":"%b","signature":"%b"}'


def signed_store(
    suite: Suite, account: Account, namespace: int, data: bytes, timestamp_ms: int, ttl_ms: int
) -> rpc.Call:
    """Write a store that only the account's owner may make. Args: data: raw bytes; times: ms."""
    signature = suite.sign(account.ed, rpc.signed_text("store", namespace, timestamp_ms))
    owner, key = account.id_hex.encode(), account.ed.public.hex().encode()
    return b"store", _STORE % (
        _base64(data), namespace, owner, key, _base64(signature), timestamp_ms, ttl_ms
    )  # fmt: skip


def signed_delete(suite: Suite, account: Account, hashes: Sequence[str]) -> rpc.Call:
    """Write a delete of messages by their hashes, at least one."""
    signature = suite.sign(account.ed, delete_text(hashes))
    owner, key = account.id_hex.encode(), account.ed.public.hex().encode()
    names = b",".join(b'"%b"' % name.encode() for name in hashes)
    return b"delete", _DELETE % (names, owner, key, _base64(signature))


def signed_retrieve(
    suite: Suite, account: Account, namespace: int, last_hash: str, timestamp_ms: int, max_size: int
) -> rpc.Call:
    """Write a retrieve that only the account's owner may make; see `rpc.retrieve_call`."""
    signature = suite.sign(account.ed, rpc.signed_text("retrieve", namespace, timestamp_ms))
    return rpc.retrieve_call(
        rpc.LIBSESSION, account.id_hex, account.ed.public.hex(), namespace, last_hash, timestamp_ms,
        signature, max_size,
    )  # fmt: skip


def _base64(raw: bytes) -> bytes:
    return binascii.b2a_base64(raw, newline=False)
