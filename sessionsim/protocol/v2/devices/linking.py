"""Joining a group: the request, the person's word on both sides, the admission (protocol-v2 9).

    asking device                                     member request(group)      -- L, 10 min -->
    shows device and emoji; accept, or ignore shows emoji; confirm                              accepted:
    registered, pushed to all, the new one included <-- G that admits --                              takes
    effect once confirmed

A device that is in the group and asks, because it lost its keys, has its record replaced, and the account's
keys are rotated. Source: libsession-util: src/core/devices.cpp (_request_link, receive_link_request,
_accept_request, _confirm_link).
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol.v2.devices.link_request import (
    LinkRequest,
    open_request,
    seal_request,
    write_plaintext,
)
from sessionsim.protocol.v2.devices.record import State, counted_up
from sessionsim.protocol.v2.devices.requests import IncomingRequest, OwnRequest
from sessionsim.protocol.v2.devices.state import GroupState


class Asked(NamedTuple):
    """A request on its way. Args: message: for namespace 21; plaintext: emoji's source; asked_s: names it."""

    message: bytes
    plaintext: bytes
    asked_s: int


def request_link(state: GroupState, group_id: bytes, now_us: int) -> Asked:
    """Ask to join a group that has been seen.

    Outside any group this device waits from now on; inside one it stays a working member until admitted.

    Raises:
        LocalProtocolError: no such group is in the swarm, this device is in it, or it was removed or
            displaced and needs a new identity first.
        CannotOpen: the group's link key is no usable curve point.
    """
    if state.displaced_ms is not None or state.own_state is State.KICKED:
        raise LocalProtocolError("a removed or displaced device asks under a new identity")
    if state.is_member and group_id == state.group_id:
        raise LocalProtocolError("this device is already in that group")
    link_x = state.groups.link_x(group_id, now_us // US_PER_MS)
    if link_x is None:
        raise LocalProtocolError("no such group is in the swarm")
    held, asked_s = state.roster.record(state.device_id), state.own.next_time_s(now_us // US_PER_S)
    record = state.own_record(1 if held is None else counted_up(held.seqno), asked_s)
    plaintext = write_plaintext(state.suite, state.account, state.device_id, record)
    message = seal_request(state.suite, state.account, link_x, plaintext, state.draw(b"link request"))
    if state.own_state is not State.REGISTERED:
        state.roster.write(state.device_id, record, State.PENDING)
    too_old_us = state.rules.link_request_ttl_us + state.rules.device_group_ttl_us
    request = OwnRequest(group_id, asked_s, record.keys.x, plaintext)
    state.own.add(request, (now_us - too_old_us) // US_PER_S)
    return Asked(message, plaintext, asked_s)


def request_stored(state: GroupState, asked_s: int, stored: bool, now_us: int) -> None:
    """Note whether the swarm took a request; one that it did not take is forgotten."""
    if not stored:
        if state.own.drop(asked_s):
            withdraw(state)
        return
    for request in state.own.all:
        if request.asked_s == asked_s:
            expires_us = now_us + state.rules.link_request_ttl_us
            state.own.change(request, replace(request, expires_us=expires_us))


def withdraw(state: GroupState) -> None:
    """Stop waiting. An admission that still comes is taken once the person confirms it."""
    if state.own_state is State.PENDING:
        state.roster.set_state(state.device_id, State.UNREGISTERED)


def lapse_request(state: GroupState, now_us: int) -> None:
    """Stop waiting if the newest request has expired unanswered."""
    newest = state.own.newest
    if newest is not None and newest.held is None and (newest.expires_us or now_us + 1) <= now_us:
        withdraw(state)


def is_asking(state: GroupState, now_us: int) -> bool:
    """Say whether there is a request that the person can confirm."""
    newest = state.own.newest
    if newest is None:
        return False
    if state.own_state is State.PENDING or newest.held is not None:
        return True
    return newest.group_id != state.group_id and newest.expires_us is not None and newest.expires_us > now_us


def take_link_request(
    state: GroupState, raw: bytes, message_hash: str, expires_us: int
) -> IncomingRequest | None:
    """Take in another device's request.

    Returns:
        What to show to the person; None if there is nothing to show: our own request, one from a device that
        is gone, or one that has been overtaken.

    Raises:
        NotForUs, RemoteProtocolError: as `open_request`.
    """
    opened = open_request(state.suite, state.account, state.account_keys, raw)
    if opened.device_id == state.device_id:
        return None
    replaces = state.roster.state(opened.device_id) is State.REGISTERED
    if not (_overtakes if replaces else _newly_pending)(state, opened):
        return None
    request = IncomingRequest(*opened, expires_us, message_hash, replaces)
    state.incoming = [one for one in state.incoming if one.device_id != opened.device_id]
    state.incoming.append(request)
    return request


def _overtakes(state: GroupState, opened: LinkRequest) -> bool:
    # A request made before the record is the one that admitted the device, fetched late.
    held = state.roster.record(opened.device_id)
    return held is None or opened.record.updated_s > held.updated_s


def _newly_pending(state: GroupState, opened: LinkRequest) -> bool:
    if state.roster.state(opened.device_id) not in (None, State.PENDING):
        return False
    return state.roster.take_record(opened.device_id, opened.record, opened.digest, State.PENDING)


def accept_request(state: GroupState, request: IncomingRequest, now_us: int) -> bool:
    """Admit a device, by the person's decision; the next push tells all.

    Returns:
        False if this device is no member, the request was answered, replaced or has expired, or the device
        is gone meanwhile.
    """
    if not state.is_member or request not in state.incoming or request.expires_us <= now_us:
        return False
    admitted = _replace(state, request, now_us) if request.replaces else _admit(state, request.device_id)
    if admitted:
        state.broadcast.add(request.device_id)
        state.incoming.remove(request)
    return admitted


def _admit(state: GroupState, device_id: bytes) -> bool:
    if state.roster.state(device_id) is not State.PENDING:
        return False
    state.roster.set_state(device_id, State.REGISTERED)
    return True


def _replace(state: GroupState, request: IncomingRequest, now_us: int) -> bool:
    if state.roster.state(request.device_id) is not State.REGISTERED:
        return False
    held = state.roster.record(request.device_id)
    # Above both, so that it wins wherever either is held.
    seqno = counted_up(max(held.seqno if held is not None else 0, request.record.seqno))
    state.roster.write(request.device_id, replace(request.record, seqno=seqno), State.REGISTERED)
    state.rotate_account(now_us)
    return True


def ignore_request(state: GroupState, request: IncomingRequest) -> bool:
    """Do not admit a device. It stays pending here, so that the same request does not ask again."""
    if request not in state.incoming:
        return False
    state.incoming.remove(request)
    return True
