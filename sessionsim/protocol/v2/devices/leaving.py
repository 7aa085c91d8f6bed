"""Ends of membership: removing another device, leaving a group (protocol-v2 9, 5).

Removing rotates the account's keys in the same step, so that no push has the removed device's key as the
active one. Leaving tells those who stay, who then rotate: the device that left holds every key. The public
code leaves a group only to join another; leaving for good is the same without the second half. Source:
libsession-util: src/core/devices.cpp (_remove_device, _leave_group).
"""

from __future__ import annotations

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.v2.devices.payload import Tombstone
from sessionsim.protocol.v2.devices.pushing import Departure, write_message
from sessionsim.protocol.v2.devices.record import State
from sessionsim.protocol.v2.devices.state import GroupState


def remove_device(state: GroupState, device_id: bytes, now_us: int) -> bool:
    """Kick another device out, and rotate the account's keys.

    Returns:
        False if this device is no member, or the other one is not registered.

    Raises:
        LocalProtocolError: it is this device itself.
    """
    if device_id == state.device_id:
        raise LocalProtocolError("a device leaves; it does not remove itself")
    if not state.is_member or state.roster.state(device_id) is not State.REGISTERED:
        return False
    state.roster.take_removal(device_id, Tombstone(State.KICKED, now_us // US_PER_S))
    state.broadcast.add(device_id)
    state.rotate_account(now_us)
    return True


def leave_group(state: GroupState, now_us: int) -> Departure:
    """Leave the group: gives what is to be sent, and forgets the group.

    With others in it, they are told, in a message that this device itself cannot read; alone, the group's
    messages are only deleted, since nobody could read them.

    Raises:
        LocalProtocolError: this device is no member.
    """
    if not state.is_member:
        raise LocalProtocolError("only a member leaves a group")
    message = b""
    if state.roster.registered != [state.device_id]:
        state.roster.take_removal(state.device_id, Tombstone(State.LEFT, now_us // US_PER_S))
        message = write_message(state)
    departure = Departure(message, tuple(state.merged))
    state.groups.dismiss(state.group_id)
    state.forget_group()
    state.left = True
    return departure
