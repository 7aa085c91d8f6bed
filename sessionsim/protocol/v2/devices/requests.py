"""Requests to join: those a device has made, and those it has received (protocol-v2 9).

An admission takes effect only when the person has confirmed the emoji on both sides. The asking device
matches an admission to one of its requests by group, time and X25519 key of the record admitted; one that
comes before the person has confirmed is held, if it answers the newest request. A device that receives a
request shows the latest of each device until it is answered, replaced or expired. Source: libsession-util:
src/core/devices.cpp, src/core/schema (device_own_requests, device_link_requests).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from sessionsim.protocol.v2.devices.record import DeviceRecord


class Admission(NamedTuple):
    """A message that admits this device, held until the person confirms. Args: as `receive` takes them."""

    message: bytes
    message_hash: str
    stored_ms: int
    expires_ms: int


@dataclass(frozen=True, slots=True)
class OwnRequest:
    """A request that this device has made.

    Args:
        group_id: of the group asked.
        asked_s: time of the record in it, unix s; differs from request to request.
        x: X25519 key of that record.
        plaintext: what the emoji follow from.
        expires_us: when the swarm drops it, unix µs; None before the swarm has stored it.
        confirmed: the person has compared the emoji.
        held: an admission that waits for that.
    """

    group_id: bytes
    asked_s: int
    x: bytes
    plaintext: bytes
    expires_us: int | None = None
    confirmed: bool = False
    held: Admission | None = None


class OwnRequests:
    """The requests of one device, oldest first."""

    def __init__(self) -> None:
        self._requests: list[OwnRequest] = []

    @property
    def all(self) -> tuple[OwnRequest, ...]:
        """All requests that may still be answered."""
        return tuple(self._requests)

    @property
    def newest(self) -> OwnRequest | None:
        """The request whose emoji the person sees."""
        return self._requests[-1] if self._requests else None

    def next_time_s(self, now_s: int) -> int:
        """Give a time for a new request: now, but later than any before."""
        return max([now_s, *(held.asked_s + 1 for held in self._requests)])

    def add(self, request: OwnRequest, forget_before_s: int) -> None:
        """Take a new request; admissions held for earlier ones are let go, and old requests forgotten."""
        kept = [replace(held, held=None) for held in self._requests if held.asked_s >= forget_before_s]
        self._requests = [*kept, request]

    def admitted(self, group_id: bytes, record: DeviceRecord) -> OwnRequest | None:
        """Give the request that a record answers."""
        fits = (group_id, record.updated_s, record.keys.x)
        found = [held for held in self._requests if (held.group_id, held.asked_s, held.x) == fits]
        return found[-1] if found else None

    def change(self, request: OwnRequest, changed: OwnRequest) -> None:
        """Replace a request by a changed one."""
        self._requests = [changed if held is request else held for held in self._requests]

    def drop(self, asked_s: int) -> bool:
        """Forget a request that the swarm did not store. Returns whether it was the newest."""
        newest = self._requests[-1].asked_s == asked_s if self._requests else False
        self._requests = [held for held in self._requests if held.asked_s != asked_s]
        return newest

    def clear(self) -> None:
        """Forget all, once admitted."""
        self._requests.clear()


@dataclass(frozen=True, slots=True)
class IncomingRequest:
    """A request that this device has received and may accept.

    Args:
        device_id, record, digest: what would be written into the group.
        plaintext: what the emoji follow from.
        expires_us: when the swarm drops it, unix µs.
        message_hash: the swarm's hash of it, to delete it by.
        replaces: the device is in the group already and asks with new keys.
    """

    device_id: bytes
    record: DeviceRecord
    digest: bytes
    plaintext: bytes
    expires_us: int
    message_hash: str
    replaces: bool
