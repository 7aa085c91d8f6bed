"""Deleting messages, as one node does it by itself (transport 5.2).

Each function changes the store and gives the node's part of the answer: its fields without the signature, and
the text the node signs. Of a delete_before in all namespaces the real database gives back hashes without
their namespaces, which its caller cannot read (oxenss/storage/database.cpp delete_by_timestamp); here it is
answered as documented.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sessionsim.protocol.storage import MessageStore
from sessionsim.protocol.stored import Held, Message
from sessionsim.protocol.wire.rpc_calls import DeleteAllCall, DeleteBeforeCall, DeleteCall
from sessionsim.protocol.wire.rpc_signed import deleted_receipt, swept_receipt

Outcome = tuple[dict[str, Any], bytes]


def delete(store: MessageStore, call: DeleteCall) -> Outcome:
    """Delete messages by hash, in whatever namespaces they are."""
    account, deleted = call.by.account, []
    for hash_ in call.messages:
        held = store.find(account, hash_)
        if held is not None:
            store.remove(held)
            deleted.append(hash_)
    deleted.sort()
    return {"deleted": deleted}, deleted_receipt(account, call.messages, deleted)


def delete_all(store: MessageStore, call: DeleteAllCall) -> Outcome:
    """Delete all messages of a namespace, or of all."""
    swept = sweep(store, call.by.account, call.namespace, lambda _message: True)
    for held in swept:
        store.remove(held)
    return swept_outcome("deleted", call.by.account, call.namespace, call.timestamp_ms, swept)


def delete_before(store: MessageStore, call: DeleteBeforeCall) -> Outcome:
    """Delete the messages of a namespace, or of all, whose timestamp is not later."""
    swept = sweep(
        store, call.by.account, call.namespace, lambda message: message.timestamp_ms <= call.before_ms
    )
    for held in swept:
        store.remove(held)
    return swept_outcome("deleted", call.by.account, call.namespace, call.before_ms, swept)


def sweep(
    store: MessageStore, account: bytes, namespace: int | None, matches: Callable[[Message], bool]
) -> list[Held]:
    """List an account's messages that match. Args: namespace: None for all of them."""
    namespaces = store.namespaces(account) if namespace is None else (namespace,)
    return [
        Held(account, space, message)
        for space in namespaces
        for message in store.box(account, space)
        if matches(message)
    ]


def swept_outcome(
    name: str, account: bytes, namespace: int | None, number: int, swept: list[Held]
) -> Outcome:
    """Give the answer of a sweep: a sorted list, or one per namespace if it went through all.

    Args:
        name: field of the hashes.
        account: whose messages they were.
        namespace: as asked; None for all.
        number: the time that was asked, which is signed.
        swept: the messages.
    """
    swept = sorted(swept, key=lambda held: held.message.hash)
    hashes = [held.message.hash for held in swept]
    text = swept_receipt(account, number, hashes)
    if namespace is not None:
        return {name: hashes}, text
    by_namespace: dict[str, list[str]] = {}
    for held in swept:
        by_namespace.setdefault(str(held.namespace), []).append(held.message.hash)
    return {name: by_namespace}, text
