"""The section about writing device group messages."""

from __future__ import annotations

from typing import Any, Final

from sessionsim.core.seeds import Entropy
from sessionsim.protocol.crypto import KemPair, suite_named
from sessionsim.protocol.identity import Account
from sessionsim.protocol.v2.devices.group_id import crypt_group_id
from sessionsim.protocol.v2.devices.group_message import (
    GroupRandom,
    Slot,
    draw_random,
    write_group_message,
)
from sessionsim.protocol.v2.devices.group_reading import (
    GroupMessage,
    open_payload,
    read_group_message,
)
from sessionsim.protocol.v2.devices.kicked import kicked_entry
from sessionsim.protocol.v2.devices.payload import Tombstone, encode_payload, padded_bytes
from sessionsim.protocol.v2.devices.record import State
from sessionsim.protocol.v2.devices.slots import payload_nonce, wrap
from sessionsim.protocol.v2.keys import HybridKeys, device_keys
from sessionsim.selfcheck.vectors import _coins
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
from sessionsim.selfcheck.vectors.identity import account_of, new_account
from sessionsim.selfcheck.vectors.v2_payloads import devices_of, new_devices, new_seeds, seeds_of

_SUITE: Final = suite_named("sodium", memo=False)


def recipients_of(case: Case) -> dict[bytes, HybridKeys]:
    """Give the registered devices' keys, secrets included, in the order of their ids."""
    given = typed(case.value("devices"), list, "input 'devices'")
    seeds = {
        unhex(held.get("id"), "a device id"): unhex(held.get("device_seed"), "device_seed")
        for held in given
        if held.get("state", "registered") == "registered"
    }
    return {device_id: device_keys(_SUITE, seeds[device_id]) for device_id in sorted(seeds)}


def kicked_of(case: Case) -> list[bytes]:
    """Give the ids of the kicked devices, in order."""
    return sorted(
        key
        for key, held in devices_of(case).items()
        if isinstance(held, Tombstone) and held.state is State.KICKED
    )


def _by_device(listed: Any, place: str) -> list[Any]:
    return sorted(typed(listed, list, place), key=lambda held: str(held.get("device")))


def _random(case: Case) -> GroupRandom:
    held = case.randomness
    slots = _by_device(held.get("recipients"), "randomness 'recipients'")
    places = _by_device(held.get("kicked_slots"), "randomness 'kicked_slots'")
    filler = typed(held.get("filler"), dict, "randomness 'filler'")
    removals = typed(held.get("kicked_filler"), dict, "randomness 'kicked_filler'")
    return GroupRandom(
        case.drawn("a"),
        case.drawn("key_base"),
        [whole(slot.get("slot"), "a slot") for slot in slots],
        [unhex(slot.get("mlkem_coins"), "coins") for slot in slots],
        {
            whole(k, "a slot"): Slot(unhex(slot.get("ct"), "filler"), unhex(slot.get("key"), "filler"))
            for k, slot in filler.items()
        },
        [whole(place.get("slot"), "a place") for place in places],
        {whole(k, "a place"): unhex(entry, "filler") for k, entry in removals.items()},
    )


def _slot_of(message: GroupMessage, keys: HybridKeys) -> int:
    return open_payload(_SUITE, [keys], message)[1]


def _recipient_facts(message: GroupMessage, device_id: bytes, keys: HybridKeys, payload_key: bytes) -> Made:
    ciphertext = message.ciphertexts[_slot_of(message, keys)]
    x_shared = _SUITE.agree(keys.x, message.ephemeral)
    kem_shared = _SUITE.kem_decapsulate(keys.kem, ciphertext)
    made = wrap(payload_key, message.ephemeral, keys.public, x_shared, kem_shared, ciphertext, message.sealed)
    return {
        "device": device_id,
        "x25519_shared": x_shared,
        "mlkem_shared": kem_shared,
        "wrap_nonce": made.nonce,
        "wrap_key": made.key,
        "wrapped": made.wrapped,
        "index": made.check,
    }


def _intermediate(case: Case, account: Account, message: GroupMessage, random: GroupRandom) -> Made:
    payload = encode_payload(devices_of(case), seeds_of(case))
    entries = [
        {
            "device": device_id,
            "slot": place,
            "entry": kicked_entry(message.ephemeral, account.ed.secret, device_id),
        }
        for place, device_id in zip(random.kicked_slots, kicked_of(case), strict=True)
    ]
    return {
        "kicked_entries": entries,
        "payload_nonce": payload_nonce(b"".join(message.ciphertexts), message.ephemeral),
        "link_x25519": message.link_x,
        "payload": payload,
        "payload_size": len(payload),
        "padded_size": padded_bytes(len(payload)),
        "recipients": [
            _recipient_facts(message, device_id, keys, random.payload_key)
            for device_id, keys in recipients_of(case).items()
        ],
        "group_id_encrypted": crypt_group_id(message.group_id, message.ephemeral, account.ed.secret),
        "A": message.ephemeral,
    }


def _found(case: Case, account: Account, raw: bytes) -> dict[bytes, tuple[KemPair, bytes]]:
    """Give each recipient's ciphertext in a message, for a machine without kyber-py."""
    message = read_group_message(_SUITE, account, raw)
    return {
        keys.kem.public: (keys.kem, message.ciphertexts[_slot_of(message, keys)])
        for keys in recipients_of(case).values()
    }


def _message(draw: Draw) -> Made:
    account, group_id = new_account(draw), draw.raw(8)
    devices = new_devices(draw, draw.choice((1, 2, 3, 4, 5)), draw.choice((0, 0, 1, 3, 5)))
    given = {"root_seed": account.ed.secret.hex(), "group_id": group_id.hex(), "devices": devices}
    case = Case(given | {"account_keys": new_seeds(draw, draw.choice((1, 2, 3, 33)))}, {})
    recipients, gone = list(recipients_of(case)), kicked_of(case)
    random = draw_random(Entropy(draw.raw(32)), b"case", len(recipients), len(gone))
    suite = _coins.CoinsSuite()
    raw = write_group_message(suite, account, group_id, devices_of(case), seeds_of(case), random)
    message = read_group_message(_SUITE, account, raw)
    facts = _intermediate(case, account, message, random)
    slots, places = random.slots, random.kicked_slots
    return {
        "input": case.input,
        "expected": plain({"message": raw, "size": len(raw), "intermediate": facts}),
        "randomness": plain(
            {
                "a": random.ephemeral,
                "kicked_slots": [{"device": d, "slot": p} for d, p in zip(gone, places, strict=True)],
                "kicked_filler": {str(k): v for k, v in random.kicked_filler.items() if k not in places},
                "key_base": random.payload_key,
                "recipients": [
                    {"device": d, "slot": s, "mlkem_coins": c}
                    for d, s, c in zip(recipients, slots, random.coins, strict=True)
                ],
                "filler": {
                    str(k): {"ct": slot.ciphertext, "key": slot.key}
                    for k, slot in random.filler.items()
                    if k not in slots
                },
            }
        ),
    }


@section(
    "v2_group_message",
    covers=[
        "protocol.v2.devices.group_message.write_group_message",
        "protocol.v2.devices.group_reading.read_group_message",
        "protocol.v2.devices.group_reading.open_payload",
        "protocol.v2.devices.slots.wrap",
    ],
    direction="exact with randomness; decrypt always",
    make=_message,
    limit=_coins.limit,
)
def v2_group_message(case: Case) -> None:
    """A device group message, with what each recipient's slot is made of."""
    account, random = account_of(case.raw("root_seed")), _random(case)
    raw = unhex(case.wants("message"), "expected 'message'")
    message = read_group_message(_SUITE, account, raw)
    case.rebuilt("group_id", message.group_id)
    suite = _coins.CoinsSuite(_found(case, account, raw))
    made = write_group_message(suite, account, message.group_id, devices_of(case), seeds_of(case), random)
    case.same("message", made)
    case.same("size", len(raw))
    case.same("intermediate", _intermediate(case, account, message, random))
    payload = encode_payload(devices_of(case), seeds_of(case))
    for keys in recipients_of(case).values():
        if open_payload(_SUITE, [keys], message)[0] != payload:
            raise Mismatch("a recipient reads another payload")
