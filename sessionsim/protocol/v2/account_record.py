"""The public record of an account's keys, in namespace −21 (protocol-v2 4).

    d 1:M 1184:<ML-KEM key> 1:X 32:<X25519 key> 1:~ 64:<signature> e                         1302 bytes

Anyone may fetch it and check it knowing the account id alone: the signature is by the positive alternative of
the account's Ed25519 key (`xed25519`). For a reader a record that is not valid is no record.

Differences between document and code: the document derives the nonce of the signature as Ed25519 does, the
code draws it (XEd25519), so that it signs the same keys differently each time. `random64` chooses; readers
take both. Unknown keys are ignored; those behind the signature are not signed, and accepted as the reference
does. It was tried with an older encoding library; keys in another order, which it may skip, are refused here.
"""

from __future__ import annotations

import hashlib
from typing import Final

from sessionsim.core.errors import CannotOpen
from sessionsim.protocol.crypto import curve, mlkem, xed25519
from sessionsim.protocol.identity import ACCOUNT_PREFIX, ID_BYTES, Account
from sessionsim.protocol.v2.keys import PublicKeys
from sessionsim.protocol.wire import bencode, signed_dict
from sessionsim.protocol.wire.signed_dict import SIGNATURE, SIGNATURE_BYTES

RECORD_BYTES: Final = 1302  # Source: protocol-v2 4
RANDOM_BYTES: Final = xed25519.RANDOM_BYTES
_LONGEST: Final = 76_800  # a swarm stores no more. Source: messages 5.6


def write_record(account: Account, keys: PublicKeys, random64: bytes | None) -> bytes:
    """Write and sign a record; 1302 bytes.

    Args:
        account: whose record it is.
        keys: of the account's active seed.
        random64: 64 bytes never used before, for the signature's nonce; None derives the nonce from account
            and keys, as the design document has it.

    Raises:
        LocalProtocolError: randomness of another length.
    Source: protocol-v2 4; libsession-util: src/core/devices.cpp (build_account_pubkey_message).
    """
    body = bencode.encode({b"M": keys.kem, b"X": keys.x})
    return signed_dict.append(body, SIGNATURE, lambda signed: _sign(account, signed, random64))


def read_record(account_id: bytes, raw: bytes) -> PublicKeys:
    """Read and check an account's record.

    Args:
        account_id: 33 bytes.
        raw: any bytes.

    Raises:
        CannotOpen: not signed by this account. RemoteProtocolError: anything else that is no record.
    Source: protocol-v2 4; libsession-util: src/core/devices.cpp (parse_account_pubkeys).
    """
    if len(account_id) != ID_BYTES or account_id[:1] != ACCOUNT_PREFIX:
        raise CannotOpen("not an account id")
    fields = signed_dict.read(raw, max_bytes=_LONGEST)
    keys = PublicKeys(
        signed_dict.field(fields, b"M", mlkem.PUBLIC_BYTES), signed_dict.field(fields, b"X", 32)
    )
    signature = signed_dict.field(fields, SIGNATURE, SIGNATURE_BYTES)
    if not xed25519.verify(account_id[1:], signed_dict.signed_part(raw, fields, SIGNATURE), signature):
        raise CannotOpen("a record of keys that the account did not sign")
    return keys


def _sign(account: Account, signed: bytes, random64: bytes | None) -> bytes:
    if random64 is not None:
        return xed25519.sign(account.x.secret, random64, signed)
    # Ed25519's own nonce (RFC 8032 section 5.1.6) with the scalar and point of the positive alternative.
    prefix = hashlib.sha512(account.ed.secret).digest()[32:]
    nonce = hashlib.sha512(prefix + signed).digest()
    return curve.sign(xed25519.scalar_key(account.x.secret), nonce, signed)
