"""Changing and telling expiries, as one node does it by itself (transport 5.2).

The functions that change something give the node's part of the answer: its fields without the signature, and
the text the node signs. Builds after 2.11.3 leave out extensions of less than a hundredth of a message's
life; that is not here.
Source: session-storage-server: oxenss/rpc/request_handler.cpp, oxenss/storage/database.cpp update_expiry.
"""

from __future__ import annotations

from typing import Any

from sessionsim.protocol.authorisation import DELETE
from sessionsim.protocol.snode._deletes import Outcome, sweep, swept_outcome
from sessionsim.protocol.storage import MessageStore
from sessionsim.protocol.wire.rpc_calls import ExpireAllCall, ExpireCall, GetExpiriesCall
from sessionsim.protocol.wire.rpc_signed import expiry_receipt


def expire_all(store: MessageStore, call: ExpireAllCall) -> Outcome:
    """Bring all later expiries of a namespace, or of all, down to one."""
    account, expiry_ms = call.by.account, call.expiry_ms
    if store.on_look is not None:
        store.on_look(account)
    swept = sweep(store, account, call.namespace, lambda message: message.expiry_ms > expiry_ms)
    for held in swept:
        store.reschedule(held, expiry_ms)
    return swept_outcome("updated", account, call.namespace, expiry_ms, swept)


def expire(store: MessageStore, call: ExpireCall, latest_ms: int) -> Outcome:
    """Give messages new expiries, none later than `latest_ms`.

    A subaccount that may not delete only extends, without saying so in the answer.
    """
    account = call.by.account
    if store.on_look is not None:
        store.on_look(account)
    expiries = [min(latest_ms, expiry_ms) for expiry_ms in call.expiries_ms]
    mode = call.mode
    if call.by.subaccount is not None and not call.by.subaccount.flags & DELETE:
        mode = "extend"
    updated = sorted(_update(store, account, call.messages, expiries, mode), key=lambda one: one[0])
    hashes = [hash_ for hash_, _ in updated]
    unchanged = _unchanged(store, account, call, hashes)
    # One expiry is told whatever came of it; of several, those that were applied.
    several = len(expiries) > 1
    told = [expiry_ms for _, expiry_ms in updated] if several else expiries
    fields: dict[str, Any] = {"expiry": told if several else expiries[0], "updated": hashes}
    if call.mode:
        fields["unchanged"] = unchanged
    return fields, expiry_receipt(account, told, call.messages, hashes, unchanged)


def _update(
    store: MessageStore, account: bytes, messages: tuple[str, ...], expiries: list[int], mode: str
) -> list[tuple[str, int]]:
    if len(expiries) == 1:
        messages = tuple(dict.fromkeys(messages))  # a hash named twice is updated once
        expiries = expiries * len(messages)
    updated = []
    for hash_, expiry_ms in zip(messages, expiries, strict=True):
        held = store.find(account, hash_)
        if held is None:
            continue
        now_ms = held.message.expiry_ms
        if (mode == "extend" and expiry_ms <= now_ms) or (mode == "shorten" and expiry_ms >= now_ms):
            continue
        store.reschedule(held, expiry_ms)
        updated.append((hash_, expiry_ms))
    return updated


def _unchanged(store: MessageStore, account: bytes, call: ExpireCall, updated: list[str]) -> dict[str, int]:
    if not call.mode:
        return {}
    left = dict.fromkeys(call.messages)
    for hash_ in updated:
        left.pop(hash_, None)
    return _expiries(store, account, left)


def expiries(store: MessageStore, call: GetExpiriesCall) -> dict[str, int]:
    """Give hash -> expiry, unix ms, of the messages that are here; of all for the one word `all`."""
    account = call.by.account
    if store.on_look is not None:
        store.on_look(account)
    if call.messages == ("all",):
        return {
            held.message.hash: held.message.expiry_ms for held in sweep(store, account, None, lambda _: True)
        }
    return _expiries(store, account, call.messages)


def _expiries(store: MessageStore, account: bytes, hashes: Any) -> dict[str, int]:
    found = {hash_: store.find(account, hash_) for hash_ in hashes}
    return {hash_: held.message.expiry_ms for hash_, held in found.items() if held is not None}
