"""Sections about reading device group messages: what a device makes of one, group ids, announced removals."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.crypto import real, suite_named
from sessionsim.protocol.identity import Account
from sessionsim.protocol.v2.devices import emoji
from sessionsim.protocol.v2.devices.group_id import created_minute, crypt_group_id
from sessionsim.protocol.v2.devices.group_message import draw_random, write_group_message
from sessionsim.protocol.v2.devices.group_reading import (
    NotReadable,
    names_kicked,
    open_payload,
    read_group_message,
)
from sessionsim.protocol.v2.devices.kicked import kicked_entry
from sessionsim.protocol.v2.keys import HybridKeys, device_keys
from sessionsim.protocol.wire import bencode, signed_dict
from sessionsim.protocol.wire.signed_dict import SIGNATURE
from sessionsim.selfcheck.vectors import _coins
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, plain, section, typed, unhex
from sessionsim.selfcheck.vectors.identity import account_of, new_account
from sessionsim.selfcheck.vectors.v2_groups import kicked_of, recipients_of
from sessionsim.selfcheck.vectors.v2_payloads import devices_of, new_devices, new_seeds, seeds_of

_SUITE: Final = suite_named("sodium", memo=False)


def _read(account: Account, own: list[HybridKeys], self_id: bytes, raw: bytes) -> Made:
    """Say what a device makes of a message, as the section's expected values."""
    try:
        message = read_group_message(_SUITE, account, raw)
    except RemoteProtocolError:
        return {"result": "rejected"}
    facts: Made = {"group_id": message.group_id, "link_x25519": message.link_x}
    try:
        payload, slot = open_payload(_SUITE, own, message)
    except NotReadable:
        named = names_kicked(account, message, self_id)
        return facts | {"result": "not_readable", "names_us_kicked": named}
    digest = hashlib.sha256(payload).hexdigest()
    return facts | {
        "result": "read",
        "payload_size": len(payload),
        "payload_sha256": digest,
        "slot": slot,
    }


_CHANGED: Final = {b"d": "payload changed", b"K": "a wrapped key changed", b"C": "a ciphertext changed"}
_READERS: Final = (
    "a member",
    "a member, addressed under an earlier key",
    "a stranger with the root seed",
    "a removed or departed device",
    "another account",
    "altered, signature now wrong",
    "re-signed unchanged",
    "unknown outer key before K, re-signed",
    "unknown outer key after the signature",
)


def _resigned(account: Account, raw: bytes, changes: dict[bytes, Any], after: bytes = b"") -> bytes:
    fields = {k: v for k, v in bencode.decode(raw).items() if k != SIGNATURE} | changes
    signed = signed_dict.append(
        bencode.encode(fields), SIGNATURE, lambda part: real.ed25519_sign(account.ed, part)
    )
    return signed[:-1] + after + b"e"


def _one_bit_other(draw: Draw, good: bytes) -> bytes:
    place = draw.between(0, len(good) - 1)
    return good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]


def _receive(draw: Draw) -> Made:
    account = new_account(draw)
    devices = new_devices(draw, draw.choice((1, 3, 4)), 1)
    case = Case({"devices": devices, "account_keys": new_seeds(draw, 2)}, {})
    random = draw_random(Entropy(draw.raw(32)), b"case", len(recipients_of(case)), len(kicked_of(case)))
    raw = write_group_message(
        _coins.CoinsSuite(), account, draw.raw(8), devices_of(case), seeds_of(case), random
    )
    what = draw.choice((*_READERS, *_CHANGED.values()))
    member = draw.choice([held for held in devices if "device_seed" in held])
    self_id, seeds = member["id"], [member["device_seed"]]
    if what == "a member, addressed under an earlier key":
        seeds = [draw.raw(32).hex(), draw.raw(32).hex(), *seeds]
    if what == "a stranger with the root seed":
        self_id, seeds = draw.raw(32).hex(), [draw.raw(32).hex()]
    if what == "a removed or departed device":
        (self_id,) = (held["id"] for held in devices if "removed_at" in held)
        seeds = [draw.raw(32).hex()]
    if what == "altered, signature now wrong":
        raw = raw[:-200] + _one_bit_other(draw, raw[-200:-110]) + raw[-110:]
    fields = bencode.decode(raw)
    for name, change in _CHANGED.items():
        if what == change:
            raw = _resigned(account, raw, {name: _one_bit_other(draw, fields[name])})
    if what == "re-signed unchanged":
        raw = _resigned(account, raw, {})
    if what == "unknown outer key before K, re-signed":
        raw = _resigned(account, raw, {b"G": draw.raw(3)})
    if what == "unknown outer key after the signature":
        raw = raw[:-1] + b"2:~zi1ee"
    reader = new_account(draw) if what == "another account" else account
    own = [device_keys(_SUITE, bytes.fromhex(seed)) for seed in seeds]
    given = {"root_seed": reader.ed.secret, "device_seeds": seeds, "self_id": self_id, "message": raw}
    return {
        "input": plain(given | {"what": what}),
        "expected": plain(_read(reader, own, bytes.fromhex(self_id), raw)),
    }


@section(
    "v2_group_receive",
    covers=[
        "protocol.v2.devices.group_reading.read_group_message",
        "protocol.v2.devices.group_reading.open_payload",
        "protocol.v2.devices.group_reading.names_kicked",
    ],
    direction="decrypt / reject",
    make=_receive,
)
def v2_group_receive(case: Case) -> None:
    """What one device makes of a device group message."""
    seeds = typed(case.value("device_seeds"), list, "input 'device_seeds'")
    own = [device_keys(_SUITE, unhex(seed, "a device seed")) for seed in seeds]
    facts = _read(account_of(case.raw("root_seed")), own, case.raw("self_id"), case.raw("message"))
    for name, fact in facts.items():
        case.same(name, fact)


def _group_id_facts(group_id: bytes, ephemeral: bytes, root_seed: bytes) -> Made:
    seed = emoji.group_seed(group_id)
    return {
        "encrypted": crypt_group_id(group_id, ephemeral, root_seed),
        "created_minute": created_minute(group_id),
        "sas_seed": seed,
        "sas_indices": emoji.positions(seed),
    }


def _group_id(draw: Draw) -> Made:
    group_id, ephemeral, root_seed = draw.raw(8), draw.raw(32), draw.raw(32)
    return {
        "input": plain({"group_id": group_id, "A": ephemeral, "root_seed": root_seed}),
        "expected": plain(_group_id_facts(group_id, ephemeral, root_seed)),
    }


@section(
    "v2_group_id",
    covers=["protocol.v2.devices.group_id.crypt_group_id", "protocol.v2.devices.emoji.group_seed"],
    direction="exact",
    make=_group_id,
)
def v2_group_id(case: Case) -> None:
    """A group's id: encrypted for a message, its minute of creation, its emoji."""
    for name, fact in _group_id_facts(case.raw("group_id"), case.raw("A"), case.raw("root_seed")).items():
        case.same(name, fact)


def _entry(draw: Draw) -> Made:
    ephemeral, root_seed, device_id = (draw.raw(32) for _ in range(3))
    return {
        "input": plain({"A": ephemeral, "root_seed": root_seed, "device_id": device_id}),
        "expected": plain({"entry": kicked_entry(ephemeral, root_seed, device_id)}),
    }


@section(
    "v2_kicked_entry",
    covers=["protocol.v2.devices.kicked.kicked_entry"],
    direction="exact",
    make=_entry,
)
def v2_kicked_entry(case: Case) -> None:
    """A removed device's entry in a message."""
    entry = kicked_entry(case.raw("A"), case.raw("root_seed"), case.raw("device_id"))
    case.same("entry", entry)
