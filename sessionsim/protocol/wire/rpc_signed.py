"""The texts that storage requests and their answers are signed over (transport 5.2).

Everything is joined without separators: the method, a namespace that is left out when 0, numbers in decimal,
hashes as text, tokens as bytes. Nothing keeps the parts apart, so two requests can share a text, like
`delete_before` of namespace 1 before 1777… and of namespace 11 before 777…; the server leaves it at that,
since its windows of time leave little room, and so do we.

A node signs its part of a recursive answer over the account in hex and what it did.
Source: session-storage-server: oxenss/rpc/client_rpc_endpoints.h, request_handler.cpp
concatenate_sig_message_parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sessionsim.protocol.wire.rpc import signed_text


def namespaced_text(method: str, namespace: int | None, number: int) -> bytes:
    """Give what `store`, `retrieve`, `delete_all`, `delete_before` and `expire_all` sign.

    Args:
        method: its name.
        namespace: the box; None for all of them, where the method takes `all`.
        number: the ms of sig_timestamp, timestamp, timestamp, before and expiry, in this order.
    """
    return (
        signed_text(method, namespace, number) if namespace is not None else f"{method}all{number}".encode()
    )


def delete_text(hashes: Iterable[str]) -> bytes:
    """Give what `delete` signs."""
    return f"delete{''.join(hashes)}".encode()


def expire_text(mode: str, expiries_ms: Iterable[int], hashes: Iterable[str]) -> bytes:
    """Give what `expire` signs. Args: mode: `shorten`, `extend` or empty; expiries_ms: one, or one a hash."""
    return f"expire{mode}{''.join(map(str, expiries_ms))}{''.join(hashes)}".encode()


def expiries_text(timestamp_ms: int, hashes: Iterable[str]) -> bytes:
    """Give what `get_expiries` signs; the hashes may be the single word `all`."""
    return f"get_expiries{timestamp_ms}{''.join(hashes)}".encode()


def tokens_text(method: str, timestamp_ms: int, tokens: Iterable[bytes]) -> bytes:
    """Give what (un)revoke_subaccount and, without tokens, revoked_subaccounts sign."""
    return f"{method}{timestamp_ms}".encode() + b"".join(tokens)


# What nodes sign. `account` is 33 bytes; it is written in hex with its prefix.


def deleted_receipt(account: bytes, requested: Iterable[str], deleted: Iterable[str]) -> bytes:
    """Give what a node signs for `delete`: hashes as requested, and those deleted, sorted."""
    return f"{account.hex()}{''.join(requested)}{''.join(deleted)}".encode()


def swept_receipt(account: bytes, number: int, hashes: Iterable[str]) -> bytes:
    """Give what a node signs for `delete_all`, `delete_before` and `expire_all`.

    Args:
        account: 33 bytes.
        number: timestamp, before and expiry of the request, in this order, ms.
        hashes: all that were touched, in one order whatever their namespaces.
    """
    return f"{account.hex()}{number}{''.join(hashes)}".encode()


def expiry_receipt(
    account: bytes,
    expiries_ms: Iterable[int],
    requested: Iterable[str],
    updated: Iterable[str],
    unchanged_ms: Mapping[str, int],
) -> bytes:
    """Give what a node signs for `expire`.

    Args:
        account: 33 bytes.
        expiries_ms: as in the answer: the one that was applied, or one per updated hash.
        requested: hashes as requested. updated: those changed, sorted.
        unchanged_ms: hash -> expiry of those left as they are, if the answer names them.
    """
    kept = "".join([f"{hash_}{unchanged_ms[hash_]}" for hash_ in sorted(unchanged_ms)])
    numbers = "".join(map(str, expiries_ms))
    return f"{account.hex()}{numbers}{''.join(requested)}{''.join(updated)}{kept}".encode()


def tokens_receipt(account: bytes, timestamp_ms: int, tokens: Iterable[bytes]) -> bytes:
    """Give what a node signs for `revoke_subaccount` and `unrevoke_subaccount`."""
    return f"{account.hex()}{timestamp_ms}".encode() + b"".join(tokens)
