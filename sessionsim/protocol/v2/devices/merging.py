"""Taking in a device group message: one's own group's, one that admits, or one that shows we are out (8, 9).

Whoever is in the group merges whatever it can read of it. Outside, or from another group, a readable
message is taken only as the answer to a request whose emoji the person has confirmed: that it could be
written to us shows no more than that its author holds the account seed. A message that we cannot read is
either of another group, or announces our removal, or, if it is newer than what we last read, tells that our
place is taken.

What the public design does not prevent: a removed device still has the account seed and the others' device
keys, so it can write a message that they read, account seeds of its own included, until they change their
device keys (hole H1). Nothing in a message says which device wrote it.
Source: libsession-util: src/core/devices.cpp (receive_device_group_message).
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import NamedTuple

from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol.v2.devices.group_reading import (
    GroupMessage,
    NotReadable,
    names_kicked,
    open_payload,
    read_group_message,
)
from sessionsim.protocol.v2.devices.leaving import leave_group
from sessionsim.protocol.v2.devices.payload import Found, Payload, Tombstone, decode_payload
from sessionsim.protocol.v2.devices.pushing import Departure
from sessionsim.protocol.v2.devices.record import State
from sessionsim.protocol.v2.devices.requests import Admission, OwnRequest
from sessionsim.protocol.v2.devices.state import GroupState


class Outcome(Enum):
    """What came of a device group message."""

    MERGED = "merged"
    ADMITTED = "admitted"  # we are in this group now
    HELD = "held"  # admits us, and waits for the person's confirmation
    FOREIGN = "foreign"  # readable, but not our group and no answer to a request of ours
    UNREADABLE = "unreadable"  # another group's, or from before we joined
    REMOVED = "removed"  # announces that we are out
    DISPLACED = "displaced"  # our group goes on without us


class Taken(NamedTuple):
    """The outcome. Args: departure: what leaving our former group sends, if we have changed groups."""

    outcome: Outcome
    departure: Departure | None = None


def take_group_message(state: GroupState, admission: Admission, now_us: int) -> Taken:
    """Take in a message.

    Args:
        admission: the message with its hash, and the swarm's times of storing and expiry.
        now_us: unix µs.

    Raises:
        CannotOpen: the account did not sign it. RemoteProtocolError: it, or its payload, is malformed.
    """
    message = read_group_message(state.suite, state.account, admission.message)
    if message.group_id and message.link_x:
        state.groups.note(message.group_id, message.link_x, admission.stored_ms, admission.expires_ms)
    try:
        raw, _slot = open_payload(state.suite, state.keys.all, message)
    except NotReadable:
        return Taken(_unreadable(state, message, admission.stored_ms, now_us))
    return _readable(state, message.group_id, decode_payload(raw), admission, now_us)


def _unreadable(state: GroupState, message: GroupMessage, stored_ms: int, now_us: int) -> Outcome:
    if names_kicked(state.account, message, state.device_id):
        # When we learnt of it: the time of removal is in the payload.
        known = state.roster.state(state.device_id)
        if known is None or known is State.KICKED:
            return Outcome.UNREADABLE
        state.roster.take_removal(state.device_id, Tombstone(State.KICKED, now_us // US_PER_S))
        return Outcome.REMOVED
    grace_ms = state.rules.displacement_grace_us // US_PER_MS
    ours = bool(message.group_id) and message.group_id == state.group_id
    if ours and state.is_member and state.read_ms is not None and stored_ms > state.read_ms + grace_ms:
        state.displaced_ms = stored_ms
        return Outcome.DISPLACED
    return Outcome.UNREADABLE


def _readable(
    state: GroupState, group_id: bytes, payload: Payload, admission: Admission, now_us: int
) -> Taken:
    same = not state.group_id or not group_id or group_id == state.group_id
    departure, admitting = None, not (same and state.own_state is State.REGISTERED)
    if admitting:
        answered = _answered(state, group_id, payload)
        if answered is None:
            return Taken(Outcome.FOREIGN)
        if not answered.confirmed:
            if answered is not state.own.newest:
                return Taken(Outcome.FOREIGN)
            state.own.change(answered, replace(answered, held=admission))
            return Taken(Outcome.HELD)
        if state.is_member:
            departure = leave_group(state, now_us)
            state.left = False  # the group it goes to does not know it as gone
    state.group_id = state.group_id or group_id
    _merge(state, payload, now_us)
    if group_id and group_id == state.group_id:
        _note_read(state, admission.stored_ms)
    state.merged[admission.message_hash] = None
    if admitting:
        state.own.clear()
    return Taken(Outcome.ADMITTED if admitting else Outcome.MERGED, departure)


def _answered(state: GroupState, group_id: bytes, payload: Payload) -> OwnRequest | None:
    """Give the request of ours that a message admits us on."""
    found = payload.devices.get(state.device_id)
    if not group_id or not isinstance(found, Found):
        return None
    return state.own.admitted(group_id, found.record)


def _merge(state: GroupState, payload: Payload, now_us: int) -> None:
    known = {held.seed for held in state.seeds.held}
    state.seeds.merge(payload.seeds)
    if state.rules.received_seeds == "distributed":
        state.distributed |= {held.seed for held in payload.seeds} - known
    departed = False
    for device_id, found in payload.devices.items():
        if isinstance(found, Tombstone):
            departed |= _take_removal(state, device_id, found)
        else:
            _take_record(state, device_id, found, now_us)
    # Whoever left holds all our keys. After a removal it is the remover that has rotated.
    if state.is_member and (departed or state.seeds.active is None):
        state.rotate_account(now_us)
    state.drop_lapsed_seeds(now_us)


def _take_removal(state: GroupState, device_id: bytes, removal: Tombstone) -> bool:
    """Merge a removal. Returns whether it is the first we hear of a device that left."""
    before = state.roster.state(device_id) or State.UNREGISTERED
    if not state.roster.take_removal(device_id, removal):
        return False
    if before is State.REGISTERED:
        state.broadcast.add(device_id)
    state.incoming = [one for one in state.incoming if one.device_id != device_id]
    return removal.state is State.LEFT and before < State.LEFT


def _take_record(state: GroupState, device_id: bytes, found: Found, now_us: int) -> None:
    before = state.roster.state(device_id) or State.UNREGISTERED
    if before >= State.LEFT:
        state.roster.restate_removal(device_id, now_us // US_PER_S)
        state.broadcast.add(device_id)
        return
    if not state.roster.take_record(device_id, found.record, found.digest, State.REGISTERED):
        return
    if before is not State.REGISTERED:
        state.broadcast.add(device_id)
    # Answered, whoever did it: the device is in, or has the keys that it asked for.
    state.incoming = [
        one
        for one in state.incoming
        if one.device_id != device_id or (one.replaces and one.record.keys != found.record.keys)
    ]


def _note_read(state: GroupState, stored_ms: int) -> None:
    state.read_ms = max(stored_ms, state.read_ms or 0)
    if state.displaced_ms is not None and stored_ms >= state.displaced_ms:
        state.displaced_ms = None
