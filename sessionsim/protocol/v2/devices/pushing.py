"""What a device has to send: its group's message, and the account's public record (protocol-v2 8.3, 4).

A group message is a whole snapshot, so a push replaces every message whose contents it carries, whoever wrote
them. It is made from a completed fetch only. It is owed when our record, the state of a device or an account
seed has not been told yet. The record is owed until the swarm has been seen to hold the active keys.
"""

from __future__ import annotations

from typing import NamedTuple

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.v2.account_record import RANDOM_BYTES, read_record, write_record
from sessionsim.protocol.v2.devices.group_message import draw_random, write_group_message
from sessionsim.protocol.v2.devices.group_reading import read_group_message
from sessionsim.protocol.v2.devices.payload import Tombstone
from sessionsim.protocol.v2.devices.record import DeviceRecord, State
from sessionsim.protocol.v2.devices.state import GroupState
from sessionsim.protocol.v2.keys import account_keys


class Needs(NamedTuple):
    """What is owed to the swarm. Args: group: a message to namespace 21; record: one to namespace −21."""

    group: bool
    record: bool


class Push(NamedTuple):
    """A group message on its way.

    Args:
        message: to be stored in namespace 21.
        obsolete: swarm's hashes of the messages to be deleted in the same sequence.
        seqno, x: of our own record in it, and its X25519 key.
        broadcast, seeds: what it tells; to be ticked off when it is stored.
    """

    message: bytes
    obsolete: tuple[str, ...]
    seqno: int
    x: bytes
    broadcast: frozenset[bytes]
    seeds: frozenset[bytes]


class Departure(NamedTuple):
    """What leaving a group sends. Args: message: for those who stay, empty if nobody does; obsolete: see
    `Push`."""

    message: bytes
    obsolete: tuple[str, ...]


def needs_push(state: GroupState) -> Needs:
    """Say what is owed.

    Source: libsession-util: src/core/devices.cpp (needs_push), where the record does not depend on
    membership.
    """
    if not state.is_member:
        return Needs(False, False)
    own, active = state.roster.record(state.device_id), state.seeds.active
    changed = state.pushed_seqno is None or (own is not None and own.seqno > state.pushed_seqno)
    untold = any(held.seed not in state.distributed for held in state.seeds.held)
    record = active is not None and active.seed not in state.published
    return Needs(changed or bool(state.broadcast) or untold, record)


def build_push(state: GroupState, now_us: int) -> Push:
    """Write the group's message as it is known here.

    Raises:
        LocalProtocolError: this device is in no group, or has been displaced.
    Source: libsession-util: src/core/devices.cpp (build_device_group_message).
    """
    if not state.is_member:
        raise LocalProtocolError("only a member pushes a device group message")
    state.drop_lapsed_seeds(now_us)
    own = state.roster.record(state.device_id)
    assert own is not None
    return Push(
        write_message(state),
        tuple(state.merged),
        own.seqno,
        own.keys.x,
        frozenset(state.broadcast),
        frozenset(held.seed for held in state.seeds.held),
    )


def unstated_removals(state: GroupState) -> int:
    """Count the removals that are known here and for which a message has no room (hole H7)."""
    said = state.roster.stated(all_removals=state.rules.tombstones == "all")
    known = sum(state.roster.member(device_id).state >= State.LEFT for device_id in state.roster)
    return known - sum(isinstance(held, Tombstone) for held in said.values())


def write_message(state: GroupState) -> bytes:
    """Write and encrypt a group message with fresh randomness."""
    said = state.roster.stated(all_removals=state.rules.tombstones == "all")
    recipients = sum(isinstance(held, DeviceRecord) for held in said.values())
    kicked = sum(isinstance(held, Tombstone) and held.state is State.KICKED for held in said.values())
    address = state.draw(b"group message")
    random = draw_random(state.entropy, address, recipients, kicked)
    return write_group_message(state.suite, state.account, state.group_id, said, state.seeds.held, random)


def confirm_push(state: GroupState, push: Push, message_hash: str, now_us: int) -> None:
    """Note that a push is stored, and the messages it replaces deleted.

    Args:
        message_hash: the swarm's hash of it.

    Source: libsession-util: src/core/devices.cpp (mark_device_group_pushed).
    """
    state.pushed_seqno = push.seqno
    now_ms = now_us // US_PER_MS
    message = read_group_message(state.suite, state.account, push.message)
    expires_ms = now_ms + state.rules.device_group_ttl_us // US_PER_MS
    state.groups.note(message.group_id, message.link_x, now_ms, expires_ms)
    for old in push.obsolete:
        state.merged.pop(old, None)
    state.merged[message_hash] = None
    state.broadcast -= push.broadcast
    state.distributed |= push.seeds & {held.seed for held in state.seeds.held}
    if push.x == state.keys.current.x.public:
        state.keys.pushed(now_us, state.rules.device_key_retention_us)


def build_record(state: GroupState) -> bytes:
    """Write the account's public record. Raises LocalProtocolError: no active keys."""
    active = state.seeds.active
    if active is None:
        raise LocalProtocolError("an account without active keys has no record")
    random = state.draw(b"record", RANDOM_BYTES) if state.rules.record_nonce == "random" else None
    return write_record(state.account, account_keys(state.suite, active.seed).public, random)


def see_record(state: GroupState, raw: bytes) -> bool:
    """Take in what namespace −21 of the own account holds.

    Returns:
        Whether it names keys that this device knows. If not, somebody else who has the account's root key
        wrote it, or another device has rotated and we have not heard; what then happens is hole H8.

    Raises:
        RemoteProtocolError: it is no record of this account; nothing follows from it.
    Source: libsession-util: src/core/devices.cpp (parse_account_pubkeys).
    """
    keys = read_record(state.account.id, raw)
    for held, known in zip(state.seeds.held, state.account_keys, strict=True):
        if known.public == keys:
            state.published.add(held.seed)
            return True
    if state.rules.foreign_record == "republish" and state.seeds.active is not None:
        state.published.discard(state.seeds.active.seed)
    return False
