"""What lies on devices at any time: texts, posts, calls and reactions that were made or shown there.

Made from what the run says of each device, so that a thief of one can be given its share. What else clients
tell each other (typing, receipts) leaves nothing to read later, and of files truth has no names. Truth does
not say which text a deletion took away, so a device that knows of one is taken to have lost all that its
author had written before in that conversation, in a group all that anybody had; nor whether a further
reaction takes an earlier one back, so of somebody's reactions in a conversation the first one counts, until a
second comes. The history may be too short, never too long. Reactions in groups and to posts are left out.
Assumption: nobody uses disappearing messages, as no workload does. Source: threat-model A17.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final, NamedTuple

import numpy as np

from sessionsim.core.view import HISTORY_COLUMNS, Table
from sessionsim.network.server_machines import room_token

# Kinds of messages that leave something, and what it is called there. Calls and reactions have no hash there.
_LEFT: Final = {
    "text": "text", "inbox-text": "text", "group-text": "text", "post": "post", "call": "call",
    "reaction": "reaction",
}  # fmt: skip
_MOST_ROOMS: Final = 10_000  # Assumption: far more than a run has
_NEVER: Final = np.iinfo(np.int64).max


class _There(NamedTuple):
    """A message on a device. Args: message: its number; hash: of the copy that the device got or stored."""

    endpoint: int
    t_us: int
    message: int
    hash: str
    inbox: int


def histories(
    messages: Table, deliveries: Table, devices: Table, account_ids: list[str], names: Table | None = None
) -> Table:
    """Give what was written or shown on each device.

    Args:
        messages, deliveries, devices, names: as in `core.truth`; without names posts are left out.
        account_ids: 66 hex digits for each account.

    Returns:
        Columns `core.view.HISTORY_COLUMNS`, ordered by endpoint, time and message.
    """
    columns = ("kind", "sender", "recipient", "group", "room", "intent_us")
    facts = list(zip(*(messages[name].tolist() for name in columns), strict=True))
    there = _there(messages, deliveries, devices)
    gone: dict[tuple[int, int, tuple[int, int, int]], list[tuple[int, int]]] = defaultdict(list)
    for one in there:
        kind, sender, recipient, group, room, intent_us = facts[one.message]
        if kind == "deletion":
            gone[one.endpoint, _author(sender, group), (recipient, group, room)].append((one.t_us, intent_us))
    blinded = _blinded(names)
    owner = dict(zip(devices["endpoint"].tolist(), devices["account"].tolist(), strict=True))
    reacted: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for one in there:
        kind, sender, recipient, *_ = facts[one.message]
        if kind == "reaction":
            reacted[one.endpoint, sender, recipient].append(one.t_us)
    rows = []
    for one in sorted(there):
        kind, sender, recipient, group, room, intent_us = facts[one.message]
        left = _LEFT.get(kind, "")
        if not left or (left == "text" and not one.hash):
            continue
        ends = [
            t_us
            for t_us, wished_us in gone.get(
                (one.endpoint, _author(sender, group), (recipient, group, room)), ()
            )
            if wished_us >= intent_us
        ]
        until_us = min(ends, default=_NEVER)
        writer = account_ids[sender]
        reader, inbox = (account_ids[who] if who >= 0 else "" for who in (recipient, one.inbox))
        name = one.hash
        if left == "post":
            writer = blinded.get((sender, room), "")
            reader, inbox, name = account_ids[sender] if owner[one.endpoint] == sender else "", "", ""
        elif left != "text":
            inbox = name = ""
            if left == "reaction":
                times = sorted(reacted[one.endpoint, sender, recipient])
                until_us = times[1] if len(times) > 1 and one.t_us == times[0] else until_us
                if one.t_us != times[0]:
                    continue
        if writer and (reader or left in ("text", "post")):
            rows.append((one.endpoint, one.t_us, until_us, left, name, writer, reader, inbox))
    kinds = (np.int32, np.int64, np.int64, object, object, object, object, object)
    return {
        name: np.array([row[place] for row in rows], dtype=kind)
        for place, (name, kind) in enumerate(zip(HISTORY_COLUMNS, kinds, strict=True))
    }


def _blinded(names: Table | None) -> dict[tuple[int, int], str]:
    """Give the id, 66 hex, that each account has in each room."""
    if names is None:
        return {}
    rows = zip(*(names[name].tolist() for name in ("account", "kind", "term", "place")), strict=True)
    rooms = {room_token(room): room for room in range(_MOST_ROOMS)}
    return {
        (account, rooms[place]): term.partition(":")[2]
        for account, kind, term, place in rows
        if kind == "blinded" and place in rooms
    }


def _author(sender: int, group: int) -> int:
    """Give whose texts a deletion may take away: in a group anybody's, for admins delete those of others."""
    return sender if group < 0 else -1


def _there(messages: Table, deliveries: Table, devices: Table) -> list[_There]:
    """Give what came to each device, and what was stored from it."""
    names = ("hash", "sync_hash", "sender", "recipient", "device", "stored_us", "kind", "intent_us")
    facts = list(zip(*(messages[name].tolist() for name in names), strict=True))
    seats = (devices[name].tolist() for name in ("account", "number", "endpoint"))
    endpoint_of = {(account, number): endpoint for account, number, endpoint in zip(*seats, strict=True)}
    found = []
    for number, (name, _, sender, recipient, device, stored_us, kind, wished_us) in enumerate(facts):
        t_us = wished_us if kind == "deletion" else stored_us  # who deletes does so at once
        if t_us >= 0:
            found.append(_There(endpoint_of[sender, device], t_us, number, name, recipient))
    columns = ("message", "endpoint", "copy", "delivered_us")
    for number, endpoint, copy, t_us in zip(*(deliveries[name].tolist() for name in columns), strict=True):
        name, sync, sender, recipient, *_ = facts[number]
        if t_us >= 0:
            found.append(
                _There(endpoint, t_us, number, sync, sender)
                if copy == "sync"
                else _There(endpoint, t_us, number, name, recipient)
            )
    return found
