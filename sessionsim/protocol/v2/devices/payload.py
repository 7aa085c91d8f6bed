"""What the devices of an account tell each other: their records, removals and account seeds (8.1, 8.2).

    d 1:D d 32:<device id> <record, or unix s: > 0 kicked, < 0 left> … e
      1:K l d 1:c <created> [1:r <changed>] 1:s 32:<seed> e … e e

A device that is not mentioned is unchanged. Before encryption it is filled up with zeros to 2300 + 6400·n
bytes, n at least 1, so that its length tells four devices at most apart from eight, not one from four.
Source: libsession-util: src/core/devices.cpp (encode_group_payload, decode_group_payload).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.v2.devices.record import (
    DEVICE_ID_BYTES,
    DeviceRecord,
    State,
    read_record,
    record_digest,
    record_fields,
    whole,
)
from sessionsim.protocol.v2.keys import SEED_BYTES
from sessionsim.protocol.v2.seed_ring import LATEST_S, AccountSeed, in_order
from sessionsim.protocol.wire import bencode, signed_dict

ALLOWANCE_BYTES: Final = 2300  # for account seeds. Source: protocol-v2 8.2 (ACCOUNT_KEYS_ALLOWANCE)
BUCKET_BYTES: Final = 6400  # four devices. Source: protocol-v2 8.2 (DEVICE_PAYLOAD_PADDING)


class Tombstone(NamedTuple):
    """A device that is gone; its id can never return. Args: state: `LEFT` or `KICKED`; removed_s: unix s."""

    state: State
    removed_s: int


class Found(NamedTuple):
    """A record as a message carried it. Args: digest: 8 bytes, see `record_digest`."""

    record: DeviceRecord
    digest: bytes


class Payload(NamedTuple):
    """A decoded payload. Args: devices: by device id; seeds: in the order of the message."""

    devices: dict[bytes, Found | Tombstone]
    seeds: tuple[AccountSeed, ...]


def encode_payload(devices: Mapping[bytes, DeviceRecord | Tombstone], seeds: Iterable[AccountSeed]) -> bytes:
    """Write a payload, without padding.

    Args:
        devices: the registered ones, and those gone that are to be mentioned.
        seeds: in any order, at least one.

    Raises:
        LocalProtocolError: a device id, seed or key of wrong length, a removal without time, or no seed.
    """
    written: dict[bytes, Any] = {}
    for device_id, held in devices.items():
        if len(device_id) != DEVICE_ID_BYTES:
            raise LocalProtocolError(f"a device id has {DEVICE_ID_BYTES} bytes, not {len(device_id)}")
        written[device_id] = _removal(held) if isinstance(held, Tombstone) else record_fields(held)
    listed = [_seed_fields(seed) for seed in in_order(seeds)]
    if not listed:
        raise LocalProtocolError("a device group has at least one account seed")
    return bencode.encode({b"D": written, b"K": listed})


def _removal(tombstone: Tombstone) -> int:
    if tombstone.state < State.LEFT or tombstone.removed_s <= 0:
        raise LocalProtocolError("a removal has a time after 1970")
    return tombstone.removed_s if tombstone.state is State.KICKED else -tombstone.removed_s


def _seed_fields(held: AccountSeed) -> dict[bytes, Any]:
    if len(held.seed) != SEED_BYTES:
        raise LocalProtocolError(f"an account seed has {SEED_BYTES} bytes, not {len(held.seed)}")
    fields: dict[bytes, Any] = {b"c": held.created_s, b"s": held.seed}
    return fields if held.rotated_s is None else fields | {b"r": held.rotated_s}


def decode_payload(raw: bytes) -> Payload:
    """Read a payload.

    Args:
        raw: without the padding; any bytes.

    Raises:
        RemoteProtocolError: it is none.
    """
    fields = signed_dict.read(raw)
    devices, seeds = fields.get(b"D"), fields.get(b"K")
    if type(devices) is not dict or type(seeds) is not list:
        raise RemoteProtocolError("a device group payload holds devices and account seeds")
    return Payload(
        {_device_id(key): _device(value) for key, value in devices.items()},
        tuple(_seed(value) for value in seeds),
    )


def _device_id(key: bytes) -> bytes:
    if len(key) != DEVICE_ID_BYTES:
        raise RemoteProtocolError(f"a device id has {DEVICE_ID_BYTES} bytes")
    return key


def _device(value: bencode.Value) -> Found | Tombstone:
    if type(value) is not int:
        return Found(read_record(value), record_digest(value))
    removed_s = whole({b"removed": value}, b"removed")
    if removed_s == 0:
        raise RemoteProtocolError("a removal without time")
    return Tombstone(State.KICKED if removed_s > 0 else State.LEFT, abs(removed_s))


def _seed(fields: bencode.Value) -> AccountSeed:
    if type(fields) is not dict:
        raise RemoteProtocolError("an account seed stands in a dict")
    created_s, rotated_s = whole(fields, b"c"), whole(fields, b"r") if b"r" in fields else None
    if created_s > LATEST_S:  # stricter than the reference, which a member could spoil with such a time
        raise RemoteProtocolError("an account seed of a time that no clock will show")
    return AccountSeed(signed_dict.field(fields, b"s", SEED_BYTES), created_s, rotated_s)


def padded_bytes(length: int) -> int:
    """Give the length of a payload of `length` bytes with its padding. Source: protocol-v2 8.2."""
    buckets = max(1, -(-(length - ALLOWANCE_BYTES) // BUCKET_BYTES))
    return ALLOWANCE_BYTES + BUCKET_BYTES * buckets


def pad(payload: bytes) -> bytes:
    """Fill up with zeros."""
    return payload.ljust(padded_bytes(len(payload)), b"\0")


def unpad(padded: bytes) -> bytes:
    """Cut the zeros off; a payload ends in e."""
    return padded.rstrip(b"\0")
