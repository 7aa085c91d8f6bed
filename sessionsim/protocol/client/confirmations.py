"""What an answer says of each member of the swarm, and when it is believed (transport 5.2, 5.4, 5.5).

The node that was asked answers when all members have, or after its 5 s, and names those that failed it. Each
member that holds the message signs its hash. iPhones check that, and take a store for failed unless enough of
the members that are named have signed rightly; then they try again, though some may hold it. So they do with
stores of configs and keys. Of a deletion members sign what was asked for and what they have deleted; there
one of them is enough for iPhones. The others believe the status.

Truth hears of members that did not take a message: events with its number, and how many as the value.

    member-silent    gave no answer in time: why the answer came late
    member-failed    refused, or answered with something else
    member-unproved  is named as a holder, without its signature (where that is checked)

For the copy that the own other devices get they begin with `copy-`.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sessionsim.protocol.crypto.suite import Suite
from sessionsim.protocol.machine import EVENT, Effect
from sessionsim.protocol.wire import rpc, rpc_signed

SILENT: Final = "member-silent"
FAILED: Final = "member-failed"
UNPROVED: Final = "member-unproved"
UNCONFIRMED: Final = "too few members confirmed it"

_KEY_DIGITS: Final = 64
_COPY: Final = "copy-"


def confirmed(
    suite: Suite, fields: dict[str, Any], share: float, ref: int, *, ours: bool = False
) -> tuple[bool, list[Effect]]:
    """Say whether a store is believed, and what truth hears of it.

    Args:
        suite: checks signatures.
        fields: the answer with status 200, from a node that may be hostile.
        share: of the members named that must have signed (0..1); 0: nothing is checked.
        ref: the message; ours: whether it is the copy for the own devices.
    """
    members = fields.get("swarm")
    entries = members if isinstance(members, dict) else {}
    silent = failed = proved = 0
    for key, entry in entries.items():
        if not isinstance(entry, dict) or entry.get("failed"):
            late = isinstance(entry, dict) and entry.get("timeout")
            silent, failed = silent + bool(late), failed + (not late)
        elif share and _has_signed(suite, key, entry):
            proved += 1
    unproved = len(entries) - silent - failed - proved if share else 0
    told = list(_events({SILENT: silent, FAILED: failed, UNPROVED: unproved}, ref, ours))
    return not share or (bool(entries) and proved >= share * len(entries)), told


def are_proved(
    suite: Suite,
    account_id: bytes,
    calls: Sequence[rpc.Call],
    answers: Sequence[tuple[int, dict[str, Any]]],
    share: float,
    deleters: int,
) -> bool:
    """Say whether the answers to calls at a swarm are believed, all with status 200.

    Args:
        account_id: 33 bytes, whose swarm it is.
        calls: with their answers, in the same order; only stores and deletions are looked at.
        share: of the members named that must have signed a store (0..1).
        deleters: members that must have signed a deletion.
    """
    for (method, params), (_, fields) in zip(calls, answers, strict=True):
        members = fields.get("swarm")
        entries = members if isinstance(members, dict) else {}
        good = [(key, one) for key, one in entries.items() if isinstance(one, dict) and not one.get("failed")]
        if method == b"store" and share:
            proved = sum(_has_signed(suite, key, one) for key, one in good)
            if not entries or proved < share * len(entries):
                return False
        elif method == b"delete" and deleters:
            asked = rpc.read_object(params)["messages"]
            if sum(_has_deleted(suite, key, one, account_id, asked) for key, one in good) < deleters:
                return False
    return True


def _has_deleted(
    suite: Suite, key: str, entry: dict[str, Any], account_id: bytes, asked: Sequence[str]
) -> bool:
    """Say whether a member has signed what it has deleted."""
    deleted = entry.get("deleted")
    if not isinstance(deleted, list) or not all(isinstance(one, str) for one in deleted):
        return False
    return _is_signed(suite, key, entry, rpc_signed.deleted_receipt(account_id, asked, deleted))


def _has_signed(suite: Suite, key: str, entry: dict[str, Any]) -> bool:
    """Say whether a member has signed the hash that it names."""
    hash_ = entry.get("hash")
    return isinstance(hash_, str) and _is_signed(suite, key, entry, hash_.encode())


def _is_signed(suite: Suite, key: str, entry: dict[str, Any], text: bytes) -> bool:
    """Say whether an entry carries the signature of the member under whose key it stands."""
    written = entry.get("signature")
    if not isinstance(written, str) or len(key) != _KEY_DIGITS:
        return False
    try:
        signature = binascii.a2b_base64(written.encode(), strict_mode=True)
        return suite.verify(bytes.fromhex(key), text, signature)
    except ValueError:
        return False


def _events(counts: dict[str, int], ref: int, ours: bool) -> Iterator[Effect]:
    for name, count in counts.items():
        if count:
            yield (EVENT, _COPY + name if ours else name, ref, count)
