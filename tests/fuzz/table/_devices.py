"""Device groups of version 2: messages, payloads, link requests; and a device that takes in all of them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol.v2.account_record import write_record
from sessionsim.protocol.v2.devices import (
    device_group,
    group_message,
    group_reading,
    link_request,
    payload,
    record,
)
from sessionsim.protocol.v2.devices.device_group import DeviceGroup
from sessionsim.protocol.v2.devices.state import About
from sessionsim.protocol.v2.keys import PublicKeys, account_keys, device_keys
from sessionsim.protocol.v2.seed_ring import AccountSeed
from sessionsim.protocol.wire import bencode
from tests.fuzz.decoder import Decoder, machine, whole
from tests.fuzz.held import held
from tests.fuzz.table._keys import FAST, FRIEND, NOW_MS, NOW_S, OWN, noise
from tests.fuzz.table._version2 import signed_anew

_NOW_US = NOW_S * US_PER_S
_DAY_MS = 86_400_000
_MOST_STEPS = 8  # inputs for one machine, where every input changes it


def _device(name: str) -> DeviceGroup:
    return DeviceGroup(FAST, OWN, Seeds(7).entropy(name), _NOW_US, about=About(name, record.IOS, 2_025_000))


def _copied(device: DeviceGroup) -> DeviceGroup:
    state = device._state
    kept = (FAST, OWN, state.entropy, state.rules, record.State, *record.State)
    return copy.deepcopy(device, {id(one): one for one in kept})


def _receive(device: DeviceGroup, raw: bytes, name: str = "first") -> Any:
    return device.receive(raw, name, NOW_MS, NOW_MS + _DAY_MS, _NOW_US)


def _pushed(device: DeviceGroup, name: str = "pushed") -> bytes:
    push = device.build_push(_NOW_US)
    device.confirm_push(push, name, _NOW_US)
    return push.message


def _group() -> tuple[DeviceGroup, DeviceGroup, DeviceGroup, tuple[bytes, ...]]:
    """Make a member, another one, a device that waits for its admission; and what passed between them."""
    member, other, asking = map(_device, ("member", "other", "asking"))
    member.establish(_NOW_US)
    member.fetched()
    said = [_pushed(member)]
    for joining in (other, asking):
        _receive(joining, said[0])
        joining.fetched()
        said.append(joining.request_link(member.group_id, _NOW_US).message)
        joining.confirm_link(_NOW_US)
    request = _receive(member, said[1])
    assert member.accept(request, _NOW_US)
    said.append(_pushed(member))
    assert _receive(other, said[-1]).outcome.value == "admitted"
    other.describe(About("renamed"), _NOW_US)
    said.append(_pushed(other))
    return member, other, asking, tuple(said)


_MEMBER, _OTHER, _ASKING, _SAID = _group()
_MESSAGES, _REQUESTS = tuple(raw for raw in _SAID if raw[:6] == b"d0:1:G"), _SAID[1:3]
_OWN_KEYS = {name: device_keys(FAST, noise(name, 32)) for name in ("one", "two")}
_HELD = [account_keys(FAST, bytes([k]) * 32) for k in range(3)]
_SEEDS = (AccountSeed(bytes(32), NOW_S), AccountSeed(bytes([1]) * 32, NOW_S - 43_200, NOW_S))


def _record(device: DeviceGroup, **extra: Any) -> record.DeviceRecord:
    about = device._state.own_record(3, NOW_S)
    return record.DeviceRecord(
        about.seqno, about.updated_s, about.keys, about.description, about.kind, about.version, extra
    )


_RECORDS = {
    _MEMBER.device_id: _record(_MEMBER),
    _OTHER.device_id: _record(_OTHER),
    noise("gone", 32): payload.Tombstone(record.State.KICKED, NOW_S - 5),
    noise("left", 32): payload.Tombstone(record.State.LEFT, NOW_S - 6),
}
_PAYLOADS = (
    payload.encode_payload(_RECORDS, _SEEDS),
    payload.encode_payload({_ASKING.device_id: _record(_ASKING)}, _SEEDS[:1]),
    payload.encode_payload({noise("new", 32): _record(_OTHER)}, _MEMBER.seeds),
)
_LATER = record.DeviceRecord(7, NOW_S, PublicKeys(bytes(1184), bytes(32)), extra={b"~new": [1, {b"a": b"b"}]})
_WRITTEN = tuple(bencode.encode(record.record_fields(one)) for one in (_record(_MEMBER), _LATER))
_PLAIN = tuple(
    link_request.write_plaintext(FAST, OWN, name, _record(_ASKING)) for name in (_ASKING.device_id, bytes(32))
)


def _sign(body: bytes) -> bytes:
    return FAST.sign_stored(OWN.ed, body)


def _read_record(raw: bytes) -> object:
    """Read a record; what is read can be written, and read again."""
    found = record.read_record(bencode.decode(raw))
    if record.read_record(bencode.decode(bencode.encode(record.record_fields(found)))) != found:
        raise AssertionError("a record that is written otherwise than it was read")
    return found


def _decode_payload(raw: bytes) -> object:
    """Read a payload; what is read can be written, and read again."""
    found = payload.decode_payload(payload.unpad(raw))
    said = {
        name: one if isinstance(one, payload.Tombstone) else one.record for name, one in found.devices.items()
    }
    again = payload.decode_payload(payload.encode_payload(said, (*found.seeds, _SEEDS[0])))
    if set(again.seeds) != {*found.seeds, _SEEDS[0]} or again.devices.keys() != found.devices.keys():
        raise AssertionError("a payload that is written otherwise than it was read")
    return found


def _message_with(padded: bytes, devices: list[record.DeviceRecord], group_id: bytes) -> bytes:
    """Encrypt anything to devices as a group's message, rightly signed."""
    ephemeral = FAST.ephemeral(noise("ephemeral", 32))
    random = group_message.draw_random(Seeds(8).entropy("message"), b"", len(devices), 0)
    ciphertexts, keys, sealed = group_message._slots(FAST, ephemeral, devices, padded or b"\0", random)
    fields = {
        group_message.TYPE: group_message.GROUP,
        b"@": group_message.crypt_group_id(group_id, ephemeral.public, OWN.ed.secret),
        b"A": ephemeral.public,
        b"C": ciphertexts,
        b"K": keys,
        b"X": _HELD[0].x.public,
        b"d": sealed,
    }
    body = bencode.encode(fields)[:-1]
    return b"%b1:~64:%be" % (body, _sign(body))


def _slots_inside(raw: bytes) -> object:
    message = group_reading.read_group_message(FAST, OWN, _message_with(raw, [_record(_OTHER)], bytes(8)))
    return group_reading.open_payload(FAST, _OTHER.device_keys, message)


def _read_message(raw: bytes) -> object:
    """Read a message as a device, payload and all."""
    message = group_reading.read_group_message(FAST, OWN, raw)
    group_reading.names_kicked(OWN, message, _OTHER.device_id)
    plain, _slot = group_reading.open_payload(FAST, _OTHER.device_keys, message)
    return message, payload.decode_payload(plain)


def _link_inside(sign: bool) -> Callable[[bytes], object]:
    def run(raw: bytes) -> object:
        plaintext = signed_anew(raw, _sign) if sign else raw
        sealed = link_request.seal_request(FAST, OWN, _HELD[1].x.public, plaintext, noise("e", 32))
        return link_request.open_request(FAST, OWN, _HELD, sealed)

    return run


def _asked(opened: link_request.LinkRequest) -> object:
    return opened.device_id, opened.record


def _settle(device: DeviceGroup, now_us: int) -> None:
    """Do what a client does after a fetch; what a member then pushes, it and others must be able to read."""
    device.fetched()
    device.act(now_us)
    device.membership(now_us)
    device.groups(now_us)
    device.describe(About(f"{now_us}"), now_us)
    if not device.is_member:
        return
    push = device.build_push(now_us)
    try:
        message = group_reading.read_group_message(FAST, OWN, push.message)
        plain, _slot = group_reading.open_payload(FAST, device.device_keys, message)
        said = payload.decode_payload(plain)
    except RemoteProtocolError as wrong:
        raise AssertionError(f"a member pushes what nobody can read: {wrong}") from wrong
    if device.device_id not in said.devices:
        raise AssertionError("a member pushes a message without itself")
    device.confirm_push(push, f"pushed {now_us}", now_us)
    device.build_record()


class _Steps:
    """A device that is taken afresh after some steps, since every input comes from within its group."""

    def __init__(self, template: DeviceGroup, write: Callable[[bytes], bytes]) -> None:
        self._template, self._write = template, write
        self._device, self._steps = _copied(template), 0

    def __call__(self, raw: bytes) -> object:
        if self._steps == _MOST_STEPS:
            self._device, self._steps = _copied(self._template), 0
        self._steps += 1
        device, now_ms = self._device, NOW_MS + self._steps
        now_us = now_ms * US_PER_MS
        try:
            taken = device.receive(self._write(raw), f"hash {self._steps}", now_ms, now_ms + _DAY_MS, now_us)
            if isinstance(taken, device_group.IncomingRequest):
                device.accept(taken, now_us)
        finally:
            _settle(device, now_us)
        return taken

    def holds(self) -> int:
        return held(self._device)


def _steps(template: DeviceGroup, write: Callable[[bytes], bytes]) -> Callable[[], tuple[Any, Any]]:
    def make() -> tuple[Any, Any]:
        made = _Steps(template, write)
        return made, made.holds

    return make


def _to_member(raw: bytes) -> bytes:
    return _message_with(raw, [_record(_MEMBER), _record(_OTHER)], _MEMBER.group_id)


def _to_asking(raw: bytes) -> bytes:
    return _message_with(raw, [_record(_ASKING)], _MEMBER.group_id)


def _request_to_member(raw: bytes) -> bytes:
    link_x = _MEMBER.account_keys[0].x.public
    return link_request.seal_request(FAST, OWN, link_x, signed_anew(raw, _sign), noise("e", 32))


def _admission() -> bytes:
    """Give what admits the waiting device: its record as it stands in its request, and an account seed."""
    asked = link_request.open_request(FAST, OWN, _MEMBER.account_keys, _REQUESTS[1])
    return payload.encode_payload({asked.device_id: asked.record, **_RECORDS}, _MEMBER.seeds)


def _outside(template: DeviceGroup) -> Callable[[], tuple[Any, Any]]:
    """Make a device that takes in what anybody writes; it is the same all along."""

    def make() -> tuple[Any, Any]:
        device = _copied(template)

        def run(raw: bytes) -> object:
            taken = _receive(device, raw)
            _settle(device, _NOW_US)
            return taken

        return run, lambda: held(device)

    return make


def _seeing() -> tuple[Any, Any]:
    device = _copied(_MEMBER)
    return device.see_record, lambda: held(device)


def _asks_with(link_x: bytes) -> object:
    """Ask to join a group that publishes any link key."""
    device, group_id = _copied(_ASKING), noise("group", 8)
    device._state.groups.note(group_id, link_x, NOW_MS, NOW_MS + 1)
    return device.request_link(group_id, _NOW_US)


_REFUSES = {"errors": (RemoteProtocolError,), "base": 100_000}

DECODERS = (
    Decoder("v2.devices.record.read_record", "bencode", _read_record, _WRITTEN),
    Decoder("v2.devices.payload.decode_payload", "bencode", _decode_payload, _PAYLOADS, share=2),
    Decoder(
        "v2.devices.group_reading.read_group_message",
        "bencode",
        _read_message,
        _MESSAGES[1:2],
        share=2,
        base=60_000,
        genuine=whole,
    ),
    Decoder(
        "v2.devices.group_reading.read_group_message/signed",
        "bencode",
        lambda raw: _read_message(signed_anew(raw, _sign)),
        _MESSAGES[1:2],
        share=1,
        base=60_000,
    ),
    Decoder("v2.devices.group_reading.open_payload/slots", "bencode", _slots_inside, _PAYLOADS, share=1),
    Decoder(
        "v2.devices.link_request.open_request",
        "bencode",
        lambda raw: link_request.open_request(FAST, OWN, _MEMBER.account_keys, raw),
        _REQUESTS,
        share=2,
        genuine=_asked,
    ),
    Decoder(
        "v2.devices.link_request.open_request/inside",
        "bencode",
        _link_inside(False),
        _PLAIN,
        share=1,
        genuine=_asked,
    ),
    Decoder(
        "v2.devices.link_request.open_request/signed",
        "bencode",
        _link_inside(True),
        _PLAIN,
        share=1,
        growth=20,
    ),
    machine(
        "v2.devices.device_group.DeviceGroup.receive",
        "bencode",
        _outside(_MEMBER),
        _SAID,
        200_000,
        **_REFUSES,
    ),
    machine(
        "v2.devices.device_group.DeviceGroup.receive/outside",
        "bencode",
        _outside(_ASKING),
        _SAID,
        200_000,
        **_REFUSES,
    ),
    machine(
        "v2.devices.device_group.DeviceGroup.receive/payload",
        "bencode",
        _steps(_MEMBER, _to_member),
        _PAYLOADS,
        4_000_000,
        **_REFUSES,
    ),
    machine(
        "v2.devices.device_group.DeviceGroup.receive/admission",
        "bencode",
        _steps(_ASKING, _to_asking),
        (_admission(),),
        4_000_000,
        **_REFUSES,
    ),
    machine(
        "v2.devices.device_group.DeviceGroup.receive/request",
        "bencode",
        _steps(_MEMBER, _request_to_member),
        _PLAIN,
        4_000_000,
        **_REFUSES,
    ),
    machine(
        "v2.devices.device_group.DeviceGroup.see_record",
        "bencode",
        _seeing,
        (
            write_record(OWN, _MEMBER.account_keys[0].public, None),
            write_record(OWN, _HELD[0].public, noise("record", 64)),
        ),
        200_000,
        errors=(RemoteProtocolError,),
    ),
    Decoder(
        "v2.devices.device_group.DeviceGroup.request_link/link key",
        "raw",
        _asks_with,
        (_HELD[0].x.public, FRIEND.x.public),
        share=1,
        base=20_000,
    ),
)
