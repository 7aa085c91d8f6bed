"""Sections about linking devices: requests, reading them, and the emoji that people compare."""

from __future__ import annotations

from typing import Final

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.crypto import real, suite_named
from sessionsim.protocol.identity import Account
from sessionsim.protocol.v2 import indicator
from sessionsim.protocol.v2.devices import emoji
from sessionsim.protocol.v2.devices.link_request import (
    NotForUs,
    link_key,
    open_request,
    seal_request,
    write_plaintext,
)
from sessionsim.protocol.v2.devices.record import record_fields, version_parts
from sessionsim.protocol.v2.keys import HybridKeys, account_keys
from sessionsim.protocol.wire import bencode, signed_dict
from sessionsim.protocol.wire.signed_dict import SIGNATURE
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, plain, section, typed, unhex
from sessionsim.selfcheck.vectors.identity import account_of, new_account
from sessionsim.selfcheck.vectors.v2_payloads import new_device, record_of

_SUITE: Final = suite_named("sodium", memo=False)


def _emoji_facts(plaintext: bytes) -> Made:
    seed = emoji.link_seed(plaintext)
    return {"sas_seed": seed, "sas_indices": emoji.positions(seed)}


def _request_facts(account: Account, held: HybridKeys, plaintext: bytes, raw: bytes) -> Made:
    ephemeral = signed_dict.read(raw)[b"E"]
    shared = _SUITE.agree(account.x, ephemeral)
    key, nonce = link_key(_SUITE.agree(held.x, ephemeral), ephemeral, held.x.public)
    return {
        "message": raw,
        "size": len(raw),
        **_emoji_facts(plaintext),
        "intermediate": {
            "plaintext": plaintext,
            "sas_salt": emoji.link_salt(plaintext),
            "indicator_mask": indicator.mask(shared, ephemeral, account.x.public, indicator.LINK_PERSON),
            "key": key,
            "nonce": nonce,
        },
    }


def _request(draw: Draw) -> Made:
    account, seed, secret = new_account(draw), draw.raw(32), draw.raw(32)
    held, device_id = account_keys(_SUITE, seed), draw.raw(32)
    device = new_device(draw, device_id)
    if draw.flag():
        device["extra"] = {"!": draw.between(0, 9)}
    plaintext = write_plaintext(_SUITE, account, device_id, record_of(device))
    raw = seal_request(_SUITE, account, held.x.public, plaintext, secret)
    given = {"root_seed": account.ed.secret, "account_seed": seed, "device": device}
    return {
        "input": plain(given | {"link_x25519": held.x.public}),
        "expected": plain(_request_facts(account, held, plaintext, raw)),
        "randomness": plain({"e": secret}),
    }


@section(
    "v2_link_request",
    covers=[
        "protocol.v2.devices.link_request.write_plaintext",
        "protocol.v2.devices.link_request.seal_request",
    ],
    direction="exact with randomness; decrypt always",
    make=_request,
)
def v2_link_request(case: Case) -> None:
    """A device's request to join a group, and its emoji."""
    account, held = account_of(case.raw("root_seed")), account_keys(_SUITE, case.raw("account_seed"))
    case.rebuilt("link_x25519", held.x.public)
    device = typed(case.value("device"), dict, "input 'device'")
    plaintext = write_plaintext(_SUITE, account, unhex(device.get("id"), "a device id"), record_of(device))
    raw = unhex(case.wants("message"), "expected 'message'")
    if "e" in case.randomness:
        raw = seal_request(_SUITE, account, held.x.public, plaintext, case.drawn("e"))
    for name, fact in _request_facts(account, held, plaintext, raw).items():
        case.same(name, fact)
    case.same("size", len(open_request(_SUITE, account, [held], raw).plaintext) + len(raw) - len(plaintext))


def _accepted(account: Account, held: list[HybridKeys], raw: bytes) -> Made:
    """Say what a member makes of a request, as the section's expected values."""
    try:
        request = open_request(_SUITE, account, held, raw)
    except NotForUs:
        return {"accepted": False, "error": "not_for_us"}
    except RemoteProtocolError:
        return {"accepted": False, "error": "malformed"}
    record = request.record
    device: Made = {
        "id": request.device_id,
        "seqno": record.seqno,
        "timestamp": record.updated_s,
        "type": record.kind.decode(),
        "description": record.description.decode(),
        "version": version_parts(record.version),
        "x25519": record.keys.x,
        "digest": request.digest,
    }
    if record.extra:
        device["extra_bt"] = {key.decode(): bencode.encode(value) for key, value in record.extra.items()}
    return {"accepted": True, "device": device, **_emoji_facts(request.plaintext)}


_OPENED: Final = (
    "normal",
    "link key since rotated, still held",
    "record with unknown fields",
    "another group",
    "another account",
    "altered",
    "indicator altered",
)
_COMPOSED: Final = (
    "composed: unknown key between I and i",
    "composed: signed by another key",
    "composed: not signed",
    "composed: no record",
    "composed: 31-byte id",
)


def _composed(draw: Draw, what: str, account: Account, fields: dict[bytes, bencode.Value]) -> bytes:
    if what == "composed: unknown key between I and i":
        fields = fields | {b"a": draw.raw(4)}
    if what == "composed: no record":
        fields = {b"I": fields[b"I"]}
    if what == "composed: 31-byte id":
        fields = fields | {b"I": fields[b"I"][1:]}
    signer = new_account(draw) if what == "composed: signed by another key" else account
    raw = bencode.encode(fields)
    if what == "composed: not signed":
        return raw
    return signed_dict.append(raw, SIGNATURE, lambda part: real.ed25519_sign(signer.ed, part))


def _receive(draw: Draw) -> Made:
    account, seed, device_id = new_account(draw), draw.raw(32), draw.raw(32)
    held, what = account_keys(_SUITE, seed), draw.choice((*_OPENED, *_COMPOSED))
    device = new_device(draw, device_id)
    if what == "record with unknown fields":
        device["extra"] = {"!": draw.between(0, 9)}
    fields = {b"I": device_id, b"i": record_fields(record_of(device))}
    raw = seal_request(_SUITE, account, held.x.public, _composed(draw, what, account, fields), draw.raw(32))
    seeds = [seed]
    if what == "link key since rotated, still held":
        seeds = [draw.raw(32), seed, draw.raw(32)]
    if what == "another group":
        seeds = [draw.raw(32)]
    if what == "another account":
        account = new_account(draw)
    outer = bencode.decode(raw)
    if what == "altered":
        outer[b"L"] = outer[b"L"][:-1] + bytes([outer[b"L"][-1] ^ 1])
    if what == "indicator altered":
        outer[b"i"] = bytes([outer[b"i"][0] ^ 1]) + outer[b"i"][1:]
    raw = bencode.encode(outer)
    members = [account_keys(_SUITE, held_seed) for held_seed in seeds]
    given = {"root_seed": account.ed.secret, "account_seeds": seeds, "message": raw, "what": what}
    return {"input": plain(given), "expected": plain(_accepted(account, members, raw))}


@section(
    "v2_link_receive",
    covers=["protocol.v2.devices.link_request.open_request"],
    direction="decrypt / reject",
    make=_receive,
)
def v2_link_receive(case: Case) -> None:
    """What a member makes of a request to join."""
    seeds = typed(case.value("account_seeds"), list, "input 'account_seeds'")
    held = [account_keys(_SUITE, unhex(seed, "an account seed")) for seed in seeds]
    for name, fact in _accepted(account_of(case.raw("root_seed")), held, case.raw("message")).items():
        case.same(name, fact)


def _sas(draw: Draw) -> Made:
    plaintext = draw.raw(draw.choice((1, 2, 16, 31, 64, 100, 1400, 1500, draw.between(1, 3000))))
    return {"input": plain({"plaintext": plaintext}), "expected": plain(_sas_facts(plaintext))}


def _sas_facts(plaintext: bytes) -> Made:
    seed = emoji.link_seed(plaintext)
    return {"salt": emoji.link_salt(plaintext), "sas_seed": seed, "indices": emoji.positions(seed)}


@section(
    "v2_sas",
    covers=["protocol.v2.devices.emoji.link_seed", "protocol.v2.devices.emoji.positions"],
    direction="exact",
    make=_sas,
)
def v2_sas(case: Case) -> None:
    """The emoji of a link request's plaintext."""
    for name, fact in _sas_facts(case.raw("plaintext")).items():
        case.same(name, fact)
