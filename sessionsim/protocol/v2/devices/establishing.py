"""Beginnings: a new account's group, another group of a restored one, a new identity after a removal (9).

A new account makes its group at once. A restored one never does so silently: its devices, if it has any,
are to be asked; only the person can decide to start another group beside theirs, whose devices are then
alerted. Source: libsession-util: src/core/devices.cpp (establish_group, _start_group,
_renew_device_identity).
"""

from __future__ import annotations

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol.v2.devices.group_id import RANDOM_BYTES, new_group_id
from sessionsim.protocol.v2.devices.membership import Membership, membership
from sessionsim.protocol.v2.devices.record import DEVICE_ID_BYTES, State
from sessionsim.protocol.v2.devices.state import GroupState
from sessionsim.protocol.v2.keys import account_keys

_MAY_START = (Membership.NO_GROUP, Membership.GROUPS_VISIBLE, Membership.WAITING)


def establish(state: GroupState, now_us: int) -> bytes:
    """Make a group with this device as its only member; gives its id.

    Raises:
        LocalProtocolError: something is left of another group.
    """
    if state.group_id or state.own_state is not State.UNREGISTERED:
        raise LocalProtocolError("this device has a group already")
    now_ms = now_us // US_PER_MS
    state.rotate_account(now_us)
    state.roster.write(state.device_id, state.own_record(1, now_us // US_PER_S), State.REGISTERED)
    state.broadcast.add(state.device_id)
    state.group_id = new_group_id(now_us, state.draw(b"group id", RANDOM_BYTES))
    # In view from now on, so that another group beside it does not look as if ours had been cut off.
    state.read_ms = now_ms
    active = state.seeds.active
    assert active is not None
    link_x = account_keys(state.suite, active.seed).x.public
    state.groups.note(state.group_id, link_x, now_ms, now_ms + state.rules.device_group_ttl_us // US_PER_MS)
    return state.group_id


def start_group(state: GroupState, now_us: int) -> bytes:
    """Make a group of its own, by the person's decision; gives its id. Requests to join are withdrawn.

    Raises:
        LocalProtocolError: the swarm has not been read, or this device is in a group, or was removed or
            displaced and needs a new identity first.
    """
    stands = membership(state, now_us)
    if stands not in _MAY_START:
        raise LocalProtocolError(f"no group is started by a device that is '{stands.value}'")
    state.forget_group()
    state.own.clear()
    return establish(state, now_us)


def renew_identity(state: GroupState, now_us: int) -> bool:
    """Take a new device id and new keys, after a removal, displacement or departure, to be able to ask again.

    Returns:
        Whether there was a reason to.
    """
    gone = state.left and not state.is_member
    if state.displaced_ms is None and state.own_state is not State.KICKED and not gone:
        return False
    state.left = False
    state.keys.rotate(state.draw(b"device seed"), now_us)
    state.forget_group()
    state.own.clear()
    state.device_id = state.draw(b"device id", DEVICE_ID_BYTES)
    return True
