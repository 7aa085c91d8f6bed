"""What one device knows of all devices of its group, and how that merges with what others say (8.1).

Of two accounts of one device the greater wins, compared by state, then count of changes, then digest of the
record; of two removals of one kind the later. A removal therefore beats every record, and a device that is
gone can never come back under its id: whoever meets a record of it states the removal again, with a new
time, since some device may not have heard. What a message does not mention stays as it is. Source:
protocol-v2 8.1; libsession-util: src/core/devices.cpp (upsert_device_info, TOMBSTONE_SQL).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.v2.devices.payload import Tombstone
from sessionsim.protocol.v2.devices.record import DeviceRecord, State, record_digest, record_fields
from sessionsim.protocol.v2.devices.slots import slots_for


@dataclass(frozen=True, slots=True)
class Member:
    """One device as it is known here.

    Args:
        state: what it is to the group.
        record: None for a device gone that was never known otherwise.
        digest: of the record, 8 bytes.
        removed_s: when it was kicked or left, unix s; 0 before.
    """

    state: State
    record: DeviceRecord | None
    digest: bytes = b""
    removed_s: int = 0


class Roster:
    """The devices of one account, by id. Iterating gives ids."""

    def __init__(self) -> None:
        self._members: dict[bytes, Member] = {}

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._members)

    def state(self, device_id: bytes) -> State | None:
        """What a device is; None if it is not known."""
        held = self._members.get(device_id)
        return None if held is None else held.state

    def member(self, device_id: bytes) -> Member:
        """Give a known device. Raises LocalProtocolError: it is not known."""
        if device_id not in self._members:
            raise LocalProtocolError("no such device in this group")
        return self._members[device_id]

    def record(self, device_id: bytes) -> DeviceRecord | None:
        """The record of a device, if there is one."""
        held = self._members.get(device_id)
        return None if held is None else held.record

    @property
    def registered(self) -> list[bytes]:
        """Ids of the devices in the group, in order."""
        return sorted(key for key, held in self._members.items() if held.state is State.REGISTERED)

    def take_record(self, device_id: bytes, record: DeviceRecord, digest: bytes, state: State) -> bool:
        """Merge a record. Returns whether it won."""
        held = self._members.get(device_id)
        if held is not None:
            seqno = held.record.seqno if held.record is not None else 0
            if (state, record.seqno, digest) <= (held.state, seqno, held.digest):
                return False
        self._members[device_id] = Member(state, record, digest)
        return True

    def take_removal(self, device_id: bytes, removal: Tombstone) -> bool:
        """Merge a removal; what was known of the device stays. Returns whether it won."""
        held = self._members.get(device_id, Member(State.UNREGISTERED, None))
        if removal <= (held.state, held.removed_s):
            return False
        self._members[device_id] = replace(held, state=removal.state, removed_s=removal.removed_s)
        return True

    def restate_removal(self, device_id: bytes, now_s: int) -> None:
        """Give a removal a new time, because a message tried to undo it; never an older one."""
        held = self.member(device_id)
        self._members[device_id] = replace(held, removed_s=max(held.removed_s, now_s))

    def write(self, device_id: bytes, record: DeviceRecord, state: State) -> None:
        """Set a record, as its owner or on admission; bypasses merging."""
        self._members[device_id] = Member(state, record, record_digest(record_fields(record)))

    def set_state(self, device_id: bytes, state: State) -> None:
        """Change what a known device is. Raises LocalProtocolError: not known."""
        self._members[device_id] = replace(self.member(device_id), state=state)

    def clear(self) -> None:
        """Forget everybody, on leaving a group."""
        self._members.clear()

    def stated(self, *, all_removals: bool) -> dict[bytes, DeviceRecord | Tombstone]:
        """Give what a message of ours says: registered devices, and removals.

        Args:
            all_removals: every one; otherwise the latest, as many as the message has slots (hole H7).
        """
        said: dict[bytes, DeviceRecord | Tombstone] = {}
        gone = []
        for device_id, held in self._members.items():
            if held.state is State.REGISTERED and held.record is not None:
                said[device_id] = held.record
            elif held.state >= State.LEFT:
                gone.append((held.removed_s, device_id, held.state))
        kept = len(gone) if all_removals else slots_for(len(said))
        for removed_s, device_id, state in sorted(gone, reverse=True)[:kept]:
            said[device_id] = Tombstone(state, removed_s)
        return said
