"""Sections about what the devices of an account tell each other: payloads, refused ones, padding."""

from __future__ import annotations

from typing import Any, Final

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.v2.devices.payload import (
    Found,
    Tombstone,
    decode_payload,
    encode_payload,
    padded_bytes,
)
from sessionsim.protocol.v2.devices.record import (
    DeviceRecord,
    State,
    record_digest,
    record_fields,
    version_number,
)
from sessionsim.protocol.v2.keys import device_keys
from sessionsim.protocol.v2.seed_ring import AccountSeed, in_order
from sessionsim.protocol.wire import bencode
from sessionsim.selfcheck.vectors._section import (
    Case,
    Draw,
    Made,
    Mismatch,
    plain,
    section,
    typed,
    unhex,
    whole,
)

_SUITE: Final = suite_named("sodium", memo=False)
_NOT_WRITTEN: Final = ("pending", "unregistered")
_GONE: Final = {"kicked": State.KICKED, "left": State.LEFT}


def extra_value(written: Any) -> bencode.Value:
    """Read a value of an unknown field: text stands for bytes in hex."""
    if isinstance(written, str):
        return unhex(written, "an extra field")
    if isinstance(written, list):
        return [extra_value(inner) for inner in written]
    if isinstance(written, dict):
        return {key.encode(): extra_value(inner) for key, inner in written.items()}
    return whole(written, "an extra field")


def record_of(given: dict[str, Any]) -> DeviceRecord:
    """Read a device as the cases describe it."""
    version = [whole(part, "version") for part in typed(given.get("version"), list, "version")]
    if len(version) != 3:
        raise Mismatch("a version has three parts")
    extra = extra_value(typed(given.get("extra", {}), dict, "extra"))
    return DeviceRecord(
        whole(given.get("seqno"), "seqno"),
        whole(given.get("timestamp"), "timestamp"),
        device_keys(_SUITE, unhex(given.get("device_seed"), "device_seed")).public,
        typed(given.get("description"), str, "description").encode(),
        typed(given.get("type"), str, "type").encode(),
        version_number(*version),
        extra,
    )


def devices_of(case: Case) -> dict[bytes, DeviceRecord | Tombstone]:
    """Read the devices that a payload mentions."""
    found: dict[bytes, DeviceRecord | Tombstone] = {}
    for given in typed(case.value("devices"), list, "input 'devices'"):
        held = typed(given, dict, "a device")
        state, device_id = held.get("state", "registered"), unhex(held.get("id"), "a device id")
        if state in _GONE:
            found[device_id] = Tombstone(_GONE[state], whole(held.get("removed_at"), "removed_at"))
        elif state not in _NOT_WRITTEN:
            found[device_id] = record_of(held)
    return found


def seeds_of(case: Case) -> list[AccountSeed]:
    """Read the account seeds of a case."""
    return [
        AccountSeed(
            unhex(given.get("seed"), "a seed"),
            whole(given.get("created"), "created"),
            whole(given["rotated"], "rotated") if "rotated" in given else None,
        )
        for given in typed(case.value("account_keys"), list, "input 'account_keys'")
    ]


def new_device(draw: Draw, device_id: bytes, *, extra: bool = False) -> Made:
    """Describe a registered device."""
    made: Made = {
        "id": device_id.hex(),
        "seqno": draw.between(1, 9999),
        "timestamp": draw.between(1_780_000_000, 1_800_000_000),
        "type": draw.choice(("i", "a", "d", "c", "", "MyClient 7")),
        "description": draw.choice(("", "ü€😀", "x" * 28, "y" * 64, f"Device {draw.between(0, 99)}")),
        "version": draw.choice(([0, 0, 0], [2, 1500, -3], [draw.between(1, 3), draw.between(0, 40), 7])),
        "device_seed": draw.raw(32).hex(),
    }
    if extra:
        made["extra"] = draw.choice(({"!": 1}, {"Z": "00ff", "e": [1, -2, "6162"], "zz": {"a": 1}}))
    return made


def new_devices(draw: Draw, registered: int, gone: int) -> list[Made]:
    """Describe the devices of a group, in no order."""
    made = [new_device(draw, draw.raw(32)) for _ in range(registered)]
    for _ in range(gone):
        state, removed = draw.choice(("kicked", "kicked", "left")), draw.between(1_780_000_000, 1_800_000_000)
        place = draw.between(0, len(made))
        made.insert(place, {"id": draw.raw(32).hex(), "state": state, "removed_at": removed})
    return made


def new_seeds(draw: Draw, count: int) -> list[Made]:
    """Describe account seeds, one of them active, in no order."""
    time_s, made = draw.between(1_780_000_000, 1_790_000_000), []
    for k in range(count):
        created, time_s = time_s, time_s + draw.between(39_600, 46_800)
        seed: Made = {"seed": draw.raw(32).hex(), "created": created}
        made.append(seed if k == count - 1 else seed | {"rotated": time_s})
    return sorted(made, key=lambda _: draw.between(0, 1 << 30))


def _facts(devices: dict[bytes, DeviceRecord | Tombstone], seeds: list[AccountSeed]) -> Made:
    payload = encode_payload(devices, seeds)
    records = {key: held for key, held in sorted(devices.items()) if isinstance(held, DeviceRecord)}
    digests = {key.hex(): record_digest(record_fields(held)) for key, held in records.items()}
    return {"payload": payload, "size": len(payload), "digests": digests}


def _payload(draw: Draw) -> Made:
    devices = new_devices(draw, draw.between(1, 4), draw.choice((0, 0, 1, 4)))
    if draw.flag():
        extra = draw.flag()
        added = new_device(draw, draw.raw(32), extra=extra)
        devices.append(added if extra else added | {"state": draw.choice(_NOT_WRITTEN)})
    given = {"devices": devices, "account_keys": new_seeds(draw, draw.choice((1, 2, 3, 33)))}
    case = Case(given, {})
    return {"input": given, "expected": plain(_facts(devices_of(case), seeds_of(case)))}


@section(
    "v2_group_payload",
    covers=["protocol.v2.devices.payload.encode_payload", "protocol.v2.devices.payload.decode_payload"],
    direction="exact; decode always",
    make=_payload,
)
def v2_group_payload(case: Case) -> None:
    """The plaintext of a device group message."""
    devices, seeds = devices_of(case), seeds_of(case)
    for name, fact in _facts(devices, seeds).items():
        case.same(name, fact)
    found = decode_payload(unhex(case.wants("payload"), "expected 'payload'"))
    back = {key: held.record if isinstance(held, Found) else held for key, held in found.devices.items()}
    if back != devices or list(found.seeds) != in_order(seeds):
        raise Mismatch("the payload reads back as something else")


def _reject(draw: Draw) -> Made:
    case = Case({"devices": new_devices(draw, 1, 0), "account_keys": new_seeds(draw, 1)}, {})
    fields = bencode.decode(encode_payload(devices_of(case), seeds_of(case)))
    (device_id, record), (seed,) = next(iter(fields[b"D"].items())), fields[b"K"]
    what = draw.choice(
        (
            "removal time zero",
            "31-byte device id",
            "seed list missing",
            "device dict missing",
            "record without #",
            "record without M",
            "ML-KEM key one byte short",
            "31-byte account seed",
            "account seed without creation time",
        )
    )
    changed = {
        "removal time zero": {b"D": {device_id: 0}},
        "31-byte device id": {b"D": {device_id[1:]: record}},
        "record without #": {b"D": {device_id: {key: v for key, v in record.items() if key != b"#"}}},
        "record without M": {b"D": {device_id: {key: v for key, v in record.items() if key != b"M"}}},
        "ML-KEM key one byte short": {b"D": {device_id: record | {b"M": record[b"M"][1:]}}},
        "31-byte account seed": {b"K": [seed | {b"s": seed[b"s"][1:]}]},
        "account seed without creation time": {b"K": [{b"s": seed[b"s"]}]},
    }.get(what, {})
    missing = {"seed list missing": b"K", "device dict missing": b"D"}.get(what)
    payload = bencode.encode({key: v for key, v in (fields | changed).items() if key != missing})
    return {"input": plain({"payload": payload, "what": what}), "expected": {"error": "malformed"}}


@section(
    "v2_group_payload_reject",
    covers=["protocol.v2.devices.payload.decode_payload", "protocol.v2.devices.record.read_record"],
    direction="reject",
    make=_reject,
)
def v2_group_payload_reject(case: Case) -> None:
    """Payloads that must be refused."""
    payload = case.raw("payload")
    try:
        decode_payload(payload)
    except RemoteProtocolError:
        case.same("error", "malformed")
        return
    raise Mismatch("must be refused, but was accepted")


def _padding(draw: Draw) -> Made:
    size = draw.choice((100, 2299, 2300, 2301, 8699, 8700, 8701, 15100, 15101, draw.between(1, 60_000)))
    return {"input": {"payload_size": size}, "expected": {"padded_size": padded_bytes(size)}}


@section(
    "v2_group_padding",
    covers=["protocol.v2.devices.payload.padded_bytes"],
    direction="exact",
    make=_padding,
)
def v2_group_padding(case: Case) -> None:
    """Length of a payload with its padding."""
    case.same("padded_size", padded_bytes(case.integer("payload_size")))
