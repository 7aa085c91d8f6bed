"""A device's request to join a device group, namespace 21, type L (protocol-v2 9, the newer design).

    d 0: 1:L  1:E 32:<ephemeral key>  1:L <sealed request>  1:i 2:<indicator> e
    request   d 1:I 32:<device id>  1:i <record>  1:~ 64:<signature by the account> e
    key (32) ‖ nonce (24) = BLAKE2b-56(DH(e, X) ‖ E ‖ X)                       XChaCha20-Poly1305, not padded

X is the link key that the group publishes in its messages: the X25519 half of its active account key, so only
members can read a request, also one made just before a rotation. It is not post-quantum: whoever can break
X25519 later learns device names, ids and public keys. The signature is needed because X is public.
Source: libsession-util: src/core/devices.cpp (_encrypt_link_request, receive_link_request).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import KeyPair, Suite, aead
from sessionsim.protocol.identity import Account
from sessionsim.protocol.v2 import indicator
from sessionsim.protocol.v2.devices.group_message import TYPE
from sessionsim.protocol.v2.devices.record import (
    DEVICE_ID_BYTES,
    DeviceRecord,
    read_record,
    record_digest,
    record_fields,
)
from sessionsim.protocol.v2.keys import HybridKeys
from sessionsim.protocol.wire import bencode, signed_dict
from sessionsim.protocol.wire.signed_dict import SIGNATURE, SIGNATURE_BYTES

LINK: Final = b"L"  # type of these messages. Source: protocol-v2 8
_PERSON: Final = b"SessionDvGrpLink"  # Source: protocol-v2 9
_LONGEST: Final = 76_800  # a swarm stores no more. Source: messages 5.6
# The record stands one level deeper in the group's payload, where everybody has to be able to read it.
_DEEPEST: Final = bencode.MAX_DEPTH - 1


class NotForUs(CannotOpen):
    """A request to another group or account, or altered: no held link key opens it."""


class LinkRequest(NamedTuple):
    """An opened and verified request.

    Args:
        device_id, record: the device that asks, as it would be written into the group.
        digest: of the record, 8 bytes.
        plaintext: what was signed, and what the emoji follow from (`emoji.link_seed`).
    """

    device_id: bytes
    record: DeviceRecord
    digest: bytes
    plaintext: bytes


def write_plaintext(suite: Suite, account: Account, device_id: bytes, record: DeviceRecord) -> bytes:
    """Write and sign a request, not yet encrypted. Raises LocalProtocolError: a device id of wrong length."""
    if len(device_id) != DEVICE_ID_BYTES:
        raise LocalProtocolError(f"a device id has {DEVICE_ID_BYTES} bytes, not {len(device_id)}")
    body = bencode.encode({b"I": device_id, b"i": record_fields(record)})
    return signed_dict.append(body, SIGNATURE, lambda part: suite.sign_stored(account.ed, part))


def link_key(shared: bytes, ephemeral: bytes, link_x: bytes) -> tuple[bytes, bytes]:
    """Give key and nonce of a request."""
    both = hashlib.blake2b(shared + ephemeral + link_x, digest_size=56, person=_PERSON).digest()
    return both[:32], both[32:]


def seal_request(suite: Suite, account: Account, link_x: bytes, plaintext: bytes, secret: bytes) -> bytes:
    """Encrypt a request to a group; some 1,497 bytes at a description of 28.

    Args:
        link_x: the group's link key, from its newest message.
        plaintext: from `write_plaintext`.
        secret: 32 bytes never used before.

    Raises:
        CannotOpen: the link key is no usable curve point.
    """
    ephemeral = suite.ephemeral(secret)
    hidden_by = _mask(suite.agree(ephemeral, account.x.public), ephemeral.public, account)
    key, nonce = link_key(suite.agree(ephemeral, link_x), ephemeral.public, link_x)
    return bencode.encode(
        {
            TYPE: LINK,
            b"E": ephemeral.public,
            b"L": aead.seal(plaintext, nonce, key),
            b"i": indicator.masked(link_x, hidden_by),
        }
    )


def open_request(suite: Suite, account: Account, held: Sequence[HybridKeys], raw: bytes) -> LinkRequest:
    """Open a request as a member.

    Args:
        held: the account's keys, active and retained.
        raw: any bytes.

    Raises:
        NotForUs: no held key opens it. RemoteProtocolError: anything else that is no request, or not signed
            by the account.
    Source: protocol-v2 9; libsession-util: src/core/devices.cpp (_decrypt_link_request).
    """
    fields = signed_dict.read(raw, max_bytes=_LONGEST)
    sealed = fields.get(b"L")
    if fields.get(TYPE) != LINK or type(sealed) is not bytes:
        raise RemoteProtocolError("not a link request")
    ephemeral = signed_dict.field(fields, b"E", 32)
    two = signed_dict.field(fields, b"i", indicator.INDICATOR_BYTES)
    plaintext = _opened(suite, account, held, ephemeral, two, sealed)
    return _read(suite, account, plaintext)


def _opened(
    suite: Suite, account: Account, held: Sequence[HybridKeys], ephemeral: bytes, two: bytes, sealed: bytes
) -> bytes:
    try:
        prefix = indicator.masked(two, _mask(suite.agree(account.x, ephemeral), ephemeral, account))
        for pair in (keys.x for keys in held if keys.x.public.startswith(prefix)):
            plaintext = _try(suite, pair, ephemeral, sealed)
            if plaintext is not None:
                return plaintext
    except CannotOpen as wrong:
        raise NotForUs("its ephemeral key is no usable curve point") from wrong
    raise NotForUs("a link request for none of these keys")


def _try(suite: Suite, pair: KeyPair, ephemeral: bytes, sealed: bytes) -> bytes | None:
    key, nonce = link_key(suite.agree(pair, ephemeral), ephemeral, pair.public)
    try:
        return aead.unseal(sealed, nonce, key)
    except CannotOpen:
        return None


def _read(suite: Suite, account: Account, plaintext: bytes) -> LinkRequest:
    fields = signed_dict.read(plaintext, max_depth=_DEEPEST)
    device_id = signed_dict.field(fields, b"I", DEVICE_ID_BYTES)
    record = read_record(fields.get(b"i"))
    signature = signed_dict.field(fields, SIGNATURE, SIGNATURE_BYTES)
    signed = signed_dict.signed_part(plaintext, fields, SIGNATURE)
    if not suite.verify_stored(account.ed.public, signed, signature):
        raise RemoteProtocolError("a link request that the account did not sign")
    return LinkRequest(device_id, record, record_digest(fields[b"i"]), plaintext)


def _mask(shared: bytes, ephemeral: bytes, account: Account) -> bytes:
    return indicator.mask(shared, ephemeral, account.x.public, indicator.LINK_PERSON)
