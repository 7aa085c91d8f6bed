"""A device group that stood before the run: made, linked and kept by the same code, with nobody in between.

Devices hand each other their messages directly, at once and without loss, so the group has the keys, the ages
and the phases that it would have after so long; its last message and the account's record are then laid into
the swarm. Everything is a function of the devices' chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.identity import Account
from sessionsim.protocol.namespaces import ACCOUNT_KEYS, DEVICES
from sessionsim.protocol.v2 import V2Rules
from sessionsim.protocol.v2.devices import About, DeviceGroup, IncomingRequest
from sessionsim.protocol.wire.rpc import Retrieved, message_hash

_APART_US: Final = US_PER_S  # Assumption: between steps that belong together, so that times in records differ


class Standing(NamedTuple):
    """A group at the beginning of a run.

    Args:
        devices: of the account, in order.
        stored: what the swarm holds, with its namespace.
    """

    devices: tuple[DeviceGroup, ...]
    stored: tuple[tuple[int, Retrieved], ...]


def about(number: int) -> About:
    """Give what a device of that number tells about itself."""
    return About(f"device {number}")


class _Swarm:
    """Hands messages on. Args: now_us: unix µs."""

    def __init__(self, account: Account, rules: V2Rules, now_us: int) -> None:
        self._account, self._rules, self.now_us = account, rules, now_us
        self.message = Retrieved("", 0, 0, b"")
        self.record = Retrieved("", 0, 0, b"")

    def push(self, device: DeviceGroup, others: Sequence[DeviceGroup]) -> None:
        """Let a device push what it owes, and the others read it."""
        needs = device.needs_push()
        if needs.group:
            push = device.build_push(self.now_us)
            self.message = self._stored(DEVICES, push.message, self._rules.device_group_ttl_us)
            device.confirm_push(push, self.message.hash, self.now_us)
        if needs.record:
            self.record = self._stored(ACCOUNT_KEYS, device.build_record(), self._rules.record_ttl_us)
            device.see_record(self.record.data)
        for other in others:
            if other is not device:
                self.tell(other)

    def tell(self, device: DeviceGroup) -> None:
        """Let a device read what the swarm holds."""
        if self.message.data:
            device.receive(*_as_received(self.message), self.now_us)
        device.fetched()
        if self.record.data and device.is_member:
            device.see_record(self.record.data)

    def _stored(self, namespace: int, data: bytes, ttl_us: int) -> Retrieved:
        now_ms = self.now_us // US_PER_MS
        name = message_hash(self._account.id, namespace, data)
        return Retrieved(name, now_ms, now_ms + ttl_us // US_PER_MS, data)

    def link(self, member: DeviceGroup, device: DeviceGroup, others: Sequence[DeviceGroup]) -> None:
        """Let a device join, both persons confirming at once."""
        self.tell(device)
        asked = device.request_link(member.group_id, self.now_us)
        device.request_stored(asked.asked_s, True, self.now_us)
        device.confirm_link(self.now_us)
        request = self._stored(DEVICES, asked.message, self._rules.link_request_ttl_us)
        found = member.receive(*_as_received(request), self.now_us)
        assert isinstance(found, IncomingRequest)
        member.accept(found, self.now_us)
        self.now_us += _APART_US
        self.push(member, [*others, device])
        self.push(device, others)


def standing_group(
    suite: Suite,
    account: Account,
    entropies: Sequence[Entropy],
    rules: V2Rules,
    begun_us: int,
    now_us: int,
) -> Standing:
    """Make a group, link its devices, and let it change keys as they fall due until now.

    Args:
        entropies: chance of each device, the first one's first.
        begun_us, now_us: unix µs; the group is made at `begun_us` and its devices linked within seconds.
    """
    swarm = _Swarm(account, rules, begun_us)
    devices = [
        DeviceGroup(suite, account, entropy, begun_us, rules, about(number))
        for number, entropy in enumerate(entropies)
    ]
    first = devices[0]
    first.establish(begun_us)
    first.fetched()
    swarm.push(first, ())
    for number, device in enumerate(devices[1:], 1):
        swarm.link(first, device, devices[:number])
    while True:
        dues = [(due_us, k) for k, one in enumerate(devices) if (due_us := one.next_due_us()) is not None]
        if not dues or min(dues)[0] > now_us:
            break
        due_us, k = min(dues)
        swarm.now_us = max(due_us, swarm.now_us)
        devices[k].act(swarm.now_us)
        swarm.push(devices[k], devices)
    for device in devices:
        device.lapse(now_us)
        device.take_rotations()  # of before the run
    return Standing(tuple(devices), ((DEVICES, swarm.message), (ACCOUNT_KEYS, swarm.record)))


def _as_received(message: Retrieved) -> tuple[bytes, str, int, int]:
    return message.data, message.hash, message.timestamp_ms, message.expiry_ms
