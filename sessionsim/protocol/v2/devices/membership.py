"""How a device stands to the groups of its account, as a person would be told (protocol-v2 9).

    unknown          the swarm has not been read yet
    no group         and none to be seen: start one
    groups visible   ask to join one, or start another, which alerts the devices of the others
    waiting          asked, or admitted and not yet confirmed
    in group
    cut off          our group is nowhere to be seen, but another is
    displaced        our group goes on, and we cannot read it: another device holds our place
    removed          kicked; only under a new device id can it ask again

Source: libsession-util: src/core/devices.cpp (_membership).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.v2.devices.record import State

if TYPE_CHECKING:
    from sessionsim.protocol.v2.devices.state import GroupState


class Membership(Enum):
    """See the module."""

    UNKNOWN = "unknown"
    NO_GROUP = "no group"
    GROUPS_VISIBLE = "groups visible"
    WAITING = "waiting"
    IN_GROUP = "in group"
    CUT_OFF = "cut off"
    DISPLACED = "displaced"
    REMOVED = "removed"


def membership(state: GroupState, now_us: int) -> Membership:
    """Say how a device stands. Args: now_us: unix µs."""
    if not state.fetched:
        return Membership.UNKNOWN
    own = state.own_state
    if own is State.KICKED:
        return Membership.REMOVED
    alive = state.groups.alive(now_us // US_PER_MS)
    others = [group for group in alive if group.group_id != state.group_id]
    if own is State.REGISTERED:
        if state.displaced_ms is not None:
            return Membership.DISPLACED
        # Alone, a group nowhere to be seen has expired while all devices were away: a push restores it.
        return Membership.CUT_OFF if others and len(others) == len(alive) else Membership.IN_GROUP
    if own is State.PENDING:
        return Membership.WAITING
    newest = state.own.newest
    if newest is not None and newest.held is not None:
        return Membership.WAITING
    return Membership.GROUPS_VISIBLE if others else Membership.NO_GROUP
