"""What a person decides about the devices of the account, beside linking: begin, leave, remove, begin anew.

A decision that is not open to a device just now (to leave a group it is not in) does nothing: the scenario
gives commands at times, and cannot know what has come of those before.
"""

from __future__ import annotations

from collections.abc import Mapping

from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.v2 import happenings
from sessionsim.protocol.client.v2.own_group import OwnGroup
from sessionsim.protocol.machine import EVENT, Effect
from sessionsim.protocol.v2.devices import About, Membership, State

_MAY_START = (Membership.NO_GROUP, Membership.GROUPS_VISIBLE, Membership.WAITING)


class Decisions:
    """Commands about devices, as a part. Args: own: the device group of the client."""

    def __init__(self, own: OwnGroup) -> None:
        self._own = own

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {
            "establish": self._establish,
            "remove-device": self._remove,
            "remove-described": self._remove_described,
            "leave-group": self._leave,
            "start-group": self._start_group,
            "renew-identity": self._renew,
            "describe-device": self._describe,
        }

    def start(self, now_us: int) -> list[Effect]:
        return []

    def next_due_us(self) -> int | None:
        return None

    def wake(self, now_us: int) -> list[Effect]:
        return []

    def _establish(self, now_us: int) -> list[Effect]:
        """Make the group of a new account."""
        self._own.group.establish(self._own.unix_us(now_us))
        self._own.plan(now_us)
        return self._own.read(now_us)

    def _start_group(self, now_us: int) -> list[Effect]:
        """Make another group beside those that are to be seen."""
        own = self._own
        if own.stands not in _MAY_START:
            return []
        own.group.start_group(own.unix_us(now_us))
        own.plan(now_us)
        return [*own.noticed(now_us), *own.read(now_us)]

    def _renew(self, now_us: int) -> list[Effect]:
        """Take a new identity after a removal, displacement or departure, and read everything anew."""
        own = self._own
        if not own.group.renew_identity(own.unix_us(now_us)):
            return []
        own.forget_seen()
        own.plan(now_us)
        return [*own.noticed(now_us), *own.read(now_us)]

    def _remove(self, device_id: bytes, now_us: int) -> list[Effect]:
        """Kick another device out."""
        own = self._own
        if not own.group.remove_device(device_id, own.unix_us(now_us)):
            return []
        own.plan(now_us)
        removed: Effect = (EVENT, happenings.REMOVED, -1, 0)
        return [removed, *own.noticed(now_us), *own.read(now_us)]

    def _remove_described(self, description: str, now_us: int) -> list[Effect]:
        """Kick another device out, chosen from the list of devices by what it is called."""
        group = self._own.group
        for device_id, state in sorted(group.devices().items()):
            record = group.record(device_id)
            called = record is not None and record.description == description.encode()
            if called and state is State.REGISTERED and device_id != group.device_id:
                return self._remove(device_id, now_us)
        return []

    def _leave(self, now_us: int) -> list[Effect]:
        """Leave the group."""
        own = self._own
        if not own.group.is_member:
            return []
        departure = own.group.leave(own.unix_us(now_us))
        own.plan(now_us)
        effects = own.depart(departure.message, departure.obsolete, now_us)
        return [*effects, *own.noticed(now_us)]

    def _describe(self, description: str, now_us: int) -> list[Effect]:
        """Call this device something else."""
        self._own.group.describe(About(description), self._own.unix_us(now_us))
        return self._own.read(now_us)
