"""Writing a device group message, namespace 21, type G (protocol-v2 8.2).

    d 0: 1:G                     type
      1:@ 8:<group id>           encrypted under the account seed
      1:A 32:<ephemeral key>
      1:C <ML-KEM ciphertexts>   1088 bytes a slot, a multiple of four slots
      1:K <wrapped keys>         34 bytes a slot
      1:X 32:<link key>          X25519 half of the active account key
      1:d <payload>              padded, encrypted, 16 bytes longer
     [1:k <removals>]            16 bytes an entry, a multiple of four; left out without any
      1:~ 64:<signature> e       by the account's Ed25519 key

Recipients are the registered devices, one slot each, in random order; the slots left over hold random bytes.
Everything random is handed in as `GroupRandom`, so that a message can be built again byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.crypto import KeyPair, Suite, aead
from sessionsim.protocol.identity import Account
from sessionsim.protocol.v2.devices.group_id import crypt_group_id
from sessionsim.protocol.v2.devices.kicked import ENTRY_BYTES, kicked_entry
from sessionsim.protocol.v2.devices.payload import Tombstone, encode_payload, pad
from sessionsim.protocol.v2.devices.record import DeviceRecord, State
from sessionsim.protocol.v2.devices.slots import (
    CIPHERTEXT_BYTES,
    KEY_SLOT_BYTES,
    payload_nonce,
    slots_for,
    wrap,
)
from sessionsim.protocol.v2.keys import PublicKeys, account_keys
from sessionsim.protocol.v2.seed_ring import AccountSeed
from sessionsim.protocol.wire import bencode, signed_dict
from sessionsim.protocol.wire.signed_dict import SIGNATURE

T = TypeVar("T")

GROUP: Final = b"G"  # type of these messages. Source: protocol-v2 8
TYPE: Final = b""  # the key of the type. Source: protocol-v2 8


class Slot(NamedTuple):
    """Random bytes that fill one unused slot. Args: ciphertext: 1088 bytes; key: 34 bytes."""

    ciphertext: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class GroupRandom:
    """Everything random in one message. Never used before.

    Args:
        ephemeral: X25519 secret, 32 bytes.
        payload_key: 32 bytes.
        slots: the slot of each recipient, in the order of device ids.
        coins: 32 bytes of encapsulation randomness for each recipient.
        filler: what fills a slot without recipient, by slot.
        kicked_slots: the place of each removal in the list, in the order of device ids.
        kicked_filler: 16 bytes for each other place.
    """

    ephemeral: bytes
    payload_key: bytes
    slots: Sequence[int]
    coins: Sequence[bytes]
    filler: Mapping[int, Slot]
    kicked_slots: Sequence[int]
    kicked_filler: Mapping[int, bytes]


def draw_random(entropy: Entropy, address: bytes, recipients: int, kicked: int) -> GroupRandom:
    """Draw everything random for a message to so many recipients with so many removals.

    Args:
        address: of the draw; another one for each message.
    """
    count, places = slots_for(recipients), slots_for(kicked)
    filler = _Bytes(
        entropy.expand(b"filler" + address, count * (CIPHERTEXT_BYTES + KEY_SLOT_BYTES) + places * 16)
    )
    return GroupRandom(
        entropy.draw(b"ephemeral" + address)[:32],
        entropy.draw(b"payload key" + address)[:32],
        _shuffled(entropy, b"slots" + address, count)[:recipients],
        [entropy.draw(b"coins%d " % k + address)[:32] for k in range(recipients)],
        {k: Slot(filler.take(CIPHERTEXT_BYTES), filler.take(KEY_SLOT_BYTES)) for k in range(count)},
        _shuffled(entropy, b"removals" + address, places)[:kicked],
        {k: filler.take(ENTRY_BYTES) for k in range(places)},
    )


class _Bytes:
    """Hands out pieces of a byte string."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._at = raw, 0

    def take(self, size: int) -> bytes:
        self._at += size
        return self._raw[self._at - size : self._at]


def _shuffled(entropy: Entropy, address: bytes, count: int) -> list[int]:
    drawn = entropy.expand(address, 16 * count)
    return sorted(range(count), key=lambda k: drawn[16 * k : 16 * k + 16])


def write_group_message(
    suite: Suite,
    account: Account,
    group_id: bytes,
    devices: Mapping[bytes, DeviceRecord | Tombstone],
    seeds: Sequence[AccountSeed],
    random: GroupRandom,
) -> bytes:
    """Write, encrypt and sign a device group message.

    Args:
        account: its Ed25519 key signs, its seed hides group id and removals.
        devices: registered devices, which can read it, and those gone.
        seeds: of the account, exactly one of them active.
        random: of the right size for these devices.

    Raises:
        LocalProtocolError: no active seed, or randomness of the wrong size.
    Source: protocol-v2 8.2; libsession-util: src/core/devices.cpp (encrypt_device_data).
    """
    registered = {key: held for key, held in sorted(devices.items()) if isinstance(held, DeviceRecord)}
    gone = [key for key, held in sorted(devices.items()) if _is_kicked(held)]
    if len(random.slots) != len(registered) or len(random.kicked_slots) != len(gone):
        raise LocalProtocolError("randomness for another number of devices")
    active = next((held for held in seeds if held.rotated_s is None), None)
    if active is None:
        raise LocalProtocolError("a device group message needs an active account seed")
    ephemeral = suite.ephemeral(random.ephemeral)
    padded = pad(encode_payload(devices, seeds))
    ciphertexts, keys, sealed = _slots(suite, ephemeral, list(registered.values()), padded, random)
    fields: dict[bytes, Any] = {
        TYPE: GROUP,
        b"@": crypt_group_id(group_id, ephemeral.public, account.ed.secret),
        b"A": ephemeral.public,
        b"C": ciphertexts,
        b"K": keys,
        b"X": account_keys(suite, active.seed).x.public,
        b"d": sealed,
    }
    if gone:
        entries = {
            place: kicked_entry(ephemeral.public, account.ed.secret, device_id)
            for place, device_id in zip(random.kicked_slots, gone, strict=True)
        }
        places = range(slots_for(len(gone)))
        fields[b"k"] = b"".join(entries.get(k) or _filler(random.kicked_filler, k) for k in places)
    signed = bencode.encode(fields)
    return signed_dict.append(signed, SIGNATURE, lambda part: suite.sign_stored(account.ed, part))


def _is_kicked(held: DeviceRecord | Tombstone) -> bool:
    return isinstance(held, Tombstone) and held.state is State.KICKED


def _slots(
    suite: Suite, ephemeral: KeyPair, devices: Sequence[DeviceRecord], padded: bytes, random: GroupRandom
) -> tuple[bytes, bytes, bytes]:
    """Give ciphertexts, wrapped keys and encrypted payload."""
    count = slots_for(len(devices))
    opened = {
        slot: (device.keys, *shared)
        for slot, device, coins in zip(random.slots, devices, random.coins, strict=True)
        if (shared := _shared(suite, ephemeral, device.keys, coins)) is not None
    }
    ciphertexts = [
        opened[k][3] if k in opened else _filler(random.filler, k).ciphertext for k in range(count)
    ]
    joined = b"".join(ciphertexts)
    sealed = aead.seal(padded, payload_nonce(joined, ephemeral.public), random.payload_key)
    keys = []
    for k in range(count):
        if k not in opened:
            keys.append(_filler(random.filler, k).key)
            continue
        made = wrap(random.payload_key, ephemeral.public, *opened[k], sealed)
        keys.append(made.check + made.wrapped)
    return joined, b"".join(keys), sealed


def _shared(
    suite: Suite, ephemeral: KeyPair, keys: PublicKeys, coins: bytes
) -> tuple[bytes, bytes, bytes] | None:
    # A device whose keys are none cannot be written to; its slot stays filler, as in the reference.
    try:
        return suite.agree(ephemeral, keys.x), *suite.kem_encapsulate(keys.kem, coins)
    except CannotOpen:
        return None


def _filler(filler: Mapping[int, T], place: int) -> T:
    if place not in filler:
        raise LocalProtocolError("no random bytes for an unused slot")
    return filler[place]
