"""Reading a device group message (protocol-v2 8.2).

Any holder of the account seed can check the signature, tell the group, find the link key and see whether a
device it knows was removed; only a device with a slot reads the payload. A device tries each of its keys,
also those it has replaced, on each slot whose index fits. Unknown keys are ignored, also behind the
signature, as the reference does with the encoding library it was tried with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sessionsim.core.errors import CannotOpen, RemoteProtocolError
from sessionsim.protocol.crypto import Suite, aead
from sessionsim.protocol.identity import Account
from sessionsim.protocol.v2.devices import kicked
from sessionsim.protocol.v2.devices.group_id import GROUP_ID_BYTES, crypt_group_id
from sessionsim.protocol.v2.devices.group_message import GROUP, TYPE
from sessionsim.protocol.v2.devices.payload import unpad
from sessionsim.protocol.v2.devices.slots import (
    CIPHERTEXT_BYTES,
    INDEX_BYTES,
    KEY_SLOT_BYTES,
    payload_nonce,
    slot_index,
    unwrap,
)
from sessionsim.protocol.v2.keys import HybridKeys
from sessionsim.protocol.wire import signed_dict
from sessionsim.protocol.wire.signed_dict import SIGNATURE, SIGNATURE_BYTES

MOST_BYTES: Final = 76_800  # a swarm stores no more. Source: messages 5.6


class NotReadable(CannotOpen):
    """A device group message, rightly signed, that holds no slot for us or was altered."""


class GroupMessage(NamedTuple):
    """A device group message whose signature is good.

    Args:
        ephemeral: X25519 key.
        ciphertexts: one per slot, 1088 bytes each.
        keys: one per slot, 34 bytes each.
        sealed: the encrypted payload.
        group_id: 8 bytes; empty in messages of before there were ids.
        link_x: X25519 key that requests to join are encrypted to; empty if the message has none.
        removals: packed entries, see `kicked`.
    """

    ephemeral: bytes
    ciphertexts: tuple[bytes, ...]
    keys: tuple[bytes, ...]
    sealed: bytes
    group_id: bytes
    link_x: bytes
    removals: bytes


def read_group_message(suite: Suite, account: Account, raw: bytes) -> GroupMessage:
    """Read the outside of a message and check its signature.

    Args:
        raw: any bytes.

    Raises:
        CannotOpen: not signed by this account. RemoteProtocolError: anything else that is no such message.
    Source: protocol-v2 8.2; libsession-util: src/core/devices.cpp (decrypt_device_data, _record_group).
    """
    fields = signed_dict.read(raw, max_bytes=MOST_BYTES)
    if fields.get(TYPE) != GROUP:
        raise RemoteProtocolError("not a device group message")
    signature = signed_dict.field(fields, SIGNATURE, SIGNATURE_BYTES)
    if not suite.verify_stored(account.ed.public, signed_dict.signed_part(raw, fields, SIGNATURE), signature):
        raise CannotOpen("a device group message that the account did not sign")
    ephemeral = signed_dict.field(fields, b"A", 32)
    ciphertexts = _pieces(fields.get(b"C"), CIPHERTEXT_BYTES)
    keys = _pieces(fields.get(b"K"), KEY_SLOT_BYTES)
    sealed, removals = fields.get(b"d"), fields.get(b"k", b"")
    if len(ciphertexts) != len(keys) or type(removals) is not bytes:
        raise RemoteProtocolError("slots of a device group message do not match")
    if type(sealed) is not bytes or len(sealed) <= aead.TAG_BYTES:
        raise RemoteProtocolError("a device group message without payload")
    hidden = signed_dict.field(fields, b"@", GROUP_ID_BYTES) if b"@" in fields else b""
    return GroupMessage(
        ephemeral,
        ciphertexts,
        keys,
        sealed,
        crypt_group_id(hidden, ephemeral, account.ed.secret),
        signed_dict.field(fields, b"X", 32) if b"X" in fields else b"",
        removals,
    )


def _pieces(packed: object, size: int) -> tuple[bytes, ...]:
    if type(packed) is not bytes or len(packed) % size:
        raise RemoteProtocolError("slots of a device group message have another length")
    return tuple(packed[at : at + size] for at in range(0, len(packed), size))


def open_payload(suite: Suite, own: Sequence[HybridKeys], message: GroupMessage) -> tuple[bytes, int]:
    """Open a message as a device.

    Args:
        own: this device's keys, the current ones and those replaced.

    Returns:
        The payload without padding, and the slot that opened.

    Raises:
        NotReadable: no slot opens.
    """
    nonce = payload_nonce(b"".join(message.ciphertexts), message.ephemeral)
    for slot, (ciphertext, key) in enumerate(zip(message.ciphertexts, message.keys, strict=True)):
        index, wrapped = key[:INDEX_BYTES], key[INDEX_BYTES:]
        for keys in own:
            if slot_index(message.ephemeral, keys.public, ciphertext, wrapped) != index:
                continue
            try:
                payload_key = _unwrapped(suite, keys, message, ciphertext, wrapped)
                return unpad(aead.unseal(message.sealed, nonce, payload_key)), slot
            except CannotOpen:  # an index that fitted by chance, or something altered
                continue
    raise NotReadable("a device group message without a slot for this device")


def _unwrapped(
    suite: Suite, keys: HybridKeys, message: GroupMessage, ciphertext: bytes, wrapped: bytes
) -> bytes:
    x_shared = suite.agree(keys.x, message.ephemeral)
    kem_shared = suite.kem_decapsulate(keys.kem, ciphertext)
    return unwrap(wrapped, message.ephemeral, keys.public, x_shared, kem_shared, ciphertext, message.sealed)


def names_kicked(account: Account, message: GroupMessage, device_id: bytes) -> bool:
    """Say whether a message announces a device's removal."""
    entry = kicked.kicked_entry(message.ephemeral, account.ed.secret, device_id)
    return kicked.names(message.removals, entry)
