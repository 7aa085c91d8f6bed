"""The device groups that a device has seen in its account's swarm (protocol-v2 9).

Any holder of the account seed sees every group: its id, its link key, how fresh it is. A device that asks to
join chooses among them; one in a group is alerted when another appears beside its own. A group is there until
its newest message expires. Times are the swarm's, unix ms.
Source: libsession-util: src/core/devices.cpp (_record_group), src/core/schema (device_groups).
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class SeenGroup:
    """One group. Args: link_x: from its newest message; dismissed: the person does not want to hear of it."""

    group_id: bytes
    link_x: bytes
    seen_ms: int
    expires_ms: int
    dismissed: bool = False


class SeenGroups:
    """All groups seen, by id."""

    def __init__(self) -> None:
        self._groups: dict[bytes, SeenGroup] = {}

    def note(self, group_id: bytes, link_x: bytes, seen_ms: int, expires_ms: int) -> None:
        """Take in one message of a group; only a newer one changes the link key."""
        held = self._groups.get(group_id)
        if held is None:
            self._groups[group_id] = SeenGroup(group_id, link_x, seen_ms, expires_ms)
            return
        self._groups[group_id] = replace(
            held,
            link_x=link_x if seen_ms >= held.seen_ms else held.link_x,
            seen_ms=max(seen_ms, held.seen_ms),
            expires_ms=max(expires_ms, held.expires_ms),
        )

    def alive(self, now_ms: int) -> list[SeenGroup]:
        """Give the groups that have not expired, the newest first."""
        alive = [held for held in self._groups.values() if held.expires_ms > now_ms]
        return sorted(alive, key=lambda held: (-held.seen_ms, held.group_id))

    def next_expiry_ms(self, now_ms: int) -> int | None:
        """Give when the next of these expires, unix ms; None if there are none."""
        return min([held.expires_ms for held in self.alive(now_ms)], default=None)

    def link_x(self, group_id: bytes, now_ms: int) -> bytes | None:
        """Give the key that requests to a group are encrypted to; None if it is not there (any more)."""
        held = self._groups.get(group_id)
        return held.link_x if held is not None and held.expires_ms > now_ms else None

    def dismiss(self, group_id: bytes) -> bool:
        """Say that a group is not wanted. Returns whether it is known."""
        if group_id not in self._groups:
            return False
        self._groups[group_id] = replace(self._groups[group_id], dismissed=True)
        return True
