"""What a device tells the other devices of its account about itself (protocol-v2 8.1).

    d 1:# <seqno> 1:@ <unix s> 1:M 1184:<ML-KEM key> 1:X 32:<X25519 key> 1:d <description> [1:t <type>] [1:v
    <version>] e

Each device writes its own record and counts it up with each change. Fields of later versions are kept and
written again where they belong. `t` is left out when empty, `v` when zero, `d` never.
Source: libsession-util: src/core/devices.cpp (encode_device_info, decode_one).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import mlkem
from sessionsim.protocol.v2.keys import PublicKeys
from sessionsim.protocol.wire import bencode, signed_dict

DEVICE_ID_BYTES: Final = 32  # Source: protocol-v2 2
DIGEST_BYTES: Final = 8  # Source: protocol-v2 8.1
LONGEST_DESCRIPTION_BYTES: Final = 64  # in the document; the code sets no limit. Source: protocol-v2 8.1
IOS, ANDROID, DESKTOP = b"i", b"a", b"d"  # Source: protocol-v2 8.1; others are free-form
_KNOWN: Final = (b"#", b"@", b"M", b"X", b"d", b"t", b"v")
_MAX_INT: Final = (1 << 63) - 1


class State(IntEnum):
    """What a device is to the group. The order is that of merging: the greater wins over the smaller."""

    UNREGISTERED = 0  # its own record before it is in any group
    PENDING = 1  # asked to join
    REGISTERED = 2
    LEFT = 3
    KICKED = 4


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """One device.

    Args:
        seqno: counts its changes.
        updated_s: when it last changed, unix s.
        keys: its device keys.
        description: UTF-8, for people.
        kind: `IOS`, `ANDROID`, `DESKTOP` or free-form; may be empty.
        version: 1,000,000 major + 1,000 minor + patch of its client; 0 for none.
        extra: fields of later versions, as bencode gives them.
    """

    seqno: int
    updated_s: int
    keys: PublicKeys
    description: bytes = b""
    kind: bytes = b""
    version: int = 0
    extra: dict[bytes, bencode.Value] = field(default_factory=dict)


def counted_up(seqno: int) -> int:
    """Give the number of a device's next record; at the greatest that others read, counting ends."""
    return min(seqno + 1, _MAX_INT)


def version_number(major: int, minor: int, patch: int) -> int:
    """Write a version as one number; minor and patch are held to 0 to 999. Source: protocol-v2 8.1."""
    return 1_000_000 * major + 1_000 * min(max(minor, 0), 999) + min(max(patch, 0), 999)


def version_parts(number: int) -> tuple[int, int, int]:
    """Read it back."""
    return number // 1_000_000, number // 1_000 % 1_000, number % 1_000


def cut_description(text: str) -> bytes:
    """Cut a description to 64 bytes of whole characters, as the document has it."""
    return text.encode()[:LONGEST_DESCRIPTION_BYTES].decode(errors="ignore").encode()


def record_fields(record: DeviceRecord) -> dict[bytes, bencode.Value]:
    """Give a record as a dict to be encoded.

    Raises:
        LocalProtocolError: keys of wrong length.
    """
    if len(record.keys.kem) != mlkem.PUBLIC_BYTES or len(record.keys.x) != 32:
        raise LocalProtocolError("a device record holds an ML-KEM-768 and an X25519 key")
    fields = {key: value for key, value in record.extra.items() if key not in _KNOWN}
    fields |= {b"#": record.seqno, b"@": record.updated_s, b"M": record.keys.kem, b"X": record.keys.x}
    fields[b"d"] = record.description
    if record.kind:
        fields[b"t"] = record.kind
    if record.version:
        fields[b"v"] = record.version
    return fields


def record_digest(fields: dict[bytes, bencode.Value]) -> bytes:
    """Give the 8 bytes that decide between two records of one state and seqno."""
    return hashlib.blake2b(bencode.encode(fields), digest_size=DIGEST_BYTES).digest()


def read_record(fields: bencode.Value) -> DeviceRecord:
    """Read a record that bencode has parsed.

    Raises:
        RemoteProtocolError: not a dict, or a field is missing or of the wrong kind.
    Source: libsession-util: src/core/devices.cpp (decode_one).
    """
    if type(fields) is not dict:
        raise RemoteProtocolError("a device record is a dict")
    kem = signed_dict.field(fields, b"M", mlkem.PUBLIC_BYTES)
    return DeviceRecord(
        whole(fields, b"#"),
        whole(fields, b"@"),
        PublicKeys(kem, signed_dict.field(fields, b"X", 32)),
        _text(fields, b"d"),
        _text(fields, b"t"),
        whole(fields, b"v") if b"v" in fields else 0,
        {key: value for key, value in fields.items() if key not in _KNOWN},
    )


def whole(fields: dict[bytes, bencode.Value], name: bytes) -> int:
    """Give a signed 64-bit number of a dict. Raises RemoteProtocolError: it is missing or none."""
    found = fields.get(name)
    if type(found) is not int or not -_MAX_INT <= found <= _MAX_INT:
        raise RemoteProtocolError(f"no number {name!r} of 64 bits")
    return found


def _text(fields: dict[bytes, bencode.Value], name: bytes) -> bytes:
    found = fields.get(name, b"")
    if type(found) is not bytes:
        raise RemoteProtocolError("a device record with text that is none")
    return found
