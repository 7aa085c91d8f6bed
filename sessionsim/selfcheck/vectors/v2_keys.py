"""Sections about the keys of V2: expansion of seeds, the public record, the time of rotation."""

from __future__ import annotations

import hashlib
from typing import Final

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.crypto import curve, mlkem, real, suite_named, xed25519
from sessionsim.protocol.identity import Account
from sessionsim.protocol.v2.account_record import RANDOM_BYTES, read_record, write_record
from sessionsim.protocol.v2.keys import HybridKeys, PublicKeys, account_keys, device_keys
from sessionsim.protocol.v2.rotation import rotation_age_us, rotation_due_us, rotation_hash, rotation_share
from sessionsim.protocol.wire import bencode, signed_dict
from sessionsim.selfcheck.vectors import _coins
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, Mismatch, plain, section, unhex, whole
from sessionsim.selfcheck.vectors.identity import account_of, new_account

_SUITE: Final = suite_named("sodium", memo=False)
_KINDS: Final = {"account": account_keys, "device": device_keys}
_TOLERANCE_NS: Final = 1000  # floating point decides the last digits


def _expanded(keys: HybridKeys, wanted: bytes) -> bytes:
    """Give the expanded decapsulation key; what kyber-py would compute is taken as found without it."""
    made = _coins.expanded_key(keys.kem)
    if made is not None:
        return made
    public = keys.kem.public
    return (
        wanted[: mlkem.COEFFICIENTS_BYTES] + public + hashlib.sha3_256(public).digest() + keys.kem.secret[32:]
    )


def _expansion_facts(keys: HybridKeys, wanted: bytes) -> Made:
    return {
        "x25519_sk": keys.x.secret,
        "x25519_pk": keys.x.public,
        "mlkem_seed": keys.kem.secret,
        "mlkem_ek": keys.kem.public,
        "mlkem_dk": _expanded(keys, wanted),
    }


def _expansion(draw: Draw) -> Made:
    kind, seed = draw.choice(sorted(_KINDS)), draw.raw(32)
    facts = _expansion_facts(_KINDS[kind](_SUITE, seed), b"")
    return {"input": plain({"kind": kind, "seed": seed}), "expected": plain(facts)}


@section(
    "v2_key_expansion",
    covers=[
        "protocol.v2.keys.account_keys",
        "protocol.v2.keys.device_keys",
        "protocol.crypto.mlkem.public_of",
    ],
    direction="exact",
    make=_expansion,
    limit=_coins.limit,
)
def v2_key_expansion(case: Case) -> None:
    """A device's or account's seed to its X25519 and ML-KEM-768 pairs."""
    kind = case.text("kind")
    if kind not in _KINDS:
        raise Mismatch(f"no keys of kind {kind!r}")
    wanted = unhex(case.wants("mlkem_dk"), "expected 'mlkem_dk'")
    for name, fact in _expansion_facts(_KINDS[kind](_SUITE, case.raw("seed")), wanted).items():
        case.same(name, fact)


def _record_facts(account: Account, record: bytes) -> Made:
    return {
        "session_id": account.id,
        "ed25519_sign_bit": int(curve.is_negative(account.ed.public)),
        "verify_key": xed25519.ed25519_of_x25519(account.x.public),
        "record": record,
        "size": len(record),
    }


def _record(draw: Draw) -> Made:
    account, seed, random = new_account(draw), draw.raw(32), draw.raw(RANDOM_BYTES)
    record = write_record(account, account_keys(_SUITE, seed).public, random)
    return {
        "input": plain({"root_seed": account.ed.secret, "account_seed": seed}),
        "expected": plain(_record_facts(account, record)),
        "randomness": plain({"signature_random": random}),
    }


@section(
    "v2_account_record",
    covers=["protocol.v2.account_record.write_record", "protocol.v2.account_record.read_record"],
    direction="exact with randomness",
    make=_record,
)
def v2_account_record(case: Case) -> None:
    """The public record of an account's keys; without recorded randomness any valid signature is taken."""
    account, keys = account_of(case.raw("root_seed")), account_keys(_SUITE, case.raw("account_seed"))
    record = unhex(case.wants("record"), "expected 'record'")
    if "signature_random" in case.randomness:
        made = write_record(account, keys.public, case.drawn("signature_random"))
    else:
        made = bencode.encode(signed_dict.read(record) | {b"M": keys.kem.public, b"X": keys.x.public})
    for name, fact in _record_facts(account, made).items():
        case.same(name, fact)
    if read_record(account.id, record) != keys.public:
        raise Mismatch("the record holds other keys")


def _parsed(account_id: bytes, record: bytes) -> Made:
    try:
        keys = read_record(account_id, record)
    except RemoteProtocolError:
        return {"valid": False}
    return {"valid": True, "M": keys.kem, "X": keys.x}


def _parse(draw: Draw) -> Made:
    account, seed = new_account(draw), draw.raw(32)
    keys = account_keys(_SUITE, seed).public
    what = draw.choice(
        (
            "as built",
            "derived nonce",
            "ordinary Ed25519 signature",
            "unknown signed keys",
            "unknown key after the signature",
            "another account's Session ID",
            "one bit changed",
            "X missing",
            "M one byte short",
            "no signature",
        )
    )
    record = write_record(account, keys, None if what == "derived nonce" else draw.raw(RANDOM_BYTES))
    account_id = new_account(draw).id if what == "another account's Session ID" else account.id
    if what == "one bit changed":
        place = draw.between(20, len(record) - 2)
        record = record[:place] + bytes([record[place] ^ 1]) + record[place + 1 :]
    fields = _fields_for(what, keys)
    if fields is not None:
        record = _composed(account, fields, what)
    return {
        "input": plain({"session_id": account_id, "record": record, "origin": "sessionsim", "what": what}),
        "expected": plain(_parsed(account_id, record)),
    }


def _fields_for(what: str, keys: PublicKeys) -> dict[bytes, bencode.Value] | None:
    fields: dict[bytes, bencode.Value] = {b"M": keys.kem, b"X": keys.x}
    changes: dict[str, dict[bytes, bencode.Value]] = {
        "ordinary Ed25519 signature": fields,
        "unknown signed keys": fields | {b"A": 7, b"N": b"new"},
        "unknown key after the signature": fields,
        "X missing": {b"M": keys.kem},
        "M one byte short": fields | {b"M": keys.kem[1:]},
        "no signature": fields,
    }
    return changes.get(what)


def _composed(account: Account, fields: dict[bytes, bencode.Value], what: str) -> bytes:
    raw = bencode.encode(fields)
    if what == "no signature":
        return raw

    def sign(part: bytes) -> bytes:
        if what == "ordinary Ed25519 signature":
            return real.ed25519_sign(account.ed, part)
        return xed25519.sign(account.x.secret, bytes(64), part)

    signed = signed_dict.append(raw, signed_dict.SIGNATURE, sign)
    return signed[:-1] + b"2:~zi1ee" if what == "unknown key after the signature" else signed


@section(
    "v2_account_record_parse",
    covers=["protocol.v2.account_record.read_record"],
    direction="verify / reject",
    make=_parse,
)
def v2_account_record_parse(case: Case) -> None:
    """Reading a public record with its owner's id; one that is not valid is none."""
    for name, fact in _parsed(case.raw("session_id"), case.raw("record")).items():
        case.same(name, fact)


def _due(draw: Draw) -> Made:
    device_id, seed = draw.raw(32), draw.raw(32)
    devices, created_s = (
        draw.choice((1, 1, 2, 3, 4, 5, 8, 12, 28)),
        draw.between(1_780_000_000, 1_800_000_000),
    )
    share = rotation_share(device_id, seed)
    age_ns = int(rotation_age_us(share, devices) * 1000)
    given = {"device_id": device_id, "active_seed": seed}
    return {
        "input": plain(given | {"registered_devices": devices, "created": created_s}),
        "expected": plain(
            {
                "hash": rotation_hash(device_id, seed),
                "u": share,
                "offset_ns": str(age_ns),
                "due_ns": str(created_s * 1_000_000_000 + age_ns),
            }
        ),
    }


@section(
    "v2_rotation_due",
    covers=["protocol.v2.rotation.rotation_due_us", "protocol.v2.rotation.rotation_share"],
    direction="exact within 1 microsecond",
    make=_due,
)
def v2_rotation_due(case: Case) -> None:
    """When a device has to change the account's keys."""
    device_id, seed = case.raw("device_id"), case.raw("active_seed")
    devices, created_s = case.integer("registered_devices"), case.integer("created")
    share = rotation_share(device_id, seed)
    case.same("hash", rotation_hash(device_id, seed))
    case.same("u", share)
    age_ns = int(rotation_age_us(share, devices) * 1000)
    due_ns = created_s * 1_000_000_000 + age_ns
    _near(case, "offset_ns", age_ns)
    _near(case, "due_ns", due_ns)
    if abs(rotation_due_us(device_id, seed, created_s, devices) * 1000 - due_ns) > _TOLERANCE_NS:
        raise Mismatch("the time in whole microseconds is another one")


def _near(case: Case, name: str, got_ns: int) -> None:
    wanted_ns = whole(case.wants(name), f"expected {name!r}")
    if abs(wanted_ns - got_ns) > _TOLERANCE_NS:
        raise Mismatch(f"{name}: expected {wanted_ns}, got {got_ns}")
