"""The keys with which a member may use the group's swarm (messages 4.4, transport 5.2).

    mask = BLAKE2b-32(seed; key "SessionGroupSubaccountMask")
    k    = BLAKE2b-64(member id ‖ group id; key mask) mod L
    T    = positive Ed25519 point of the member's X25519 key
    token (36 bytes)          = 03 ‖ flags ‖ 00 00 ‖ k·T
    signing value (100 bytes) = 03 ‖ flags ‖ 00 00 ‖ k ‖ group's signature of the token

An admin makes the token from the account id alone and sends the signing value in the invite. The member
works out k·T and the scalar k·t that belongs to it. Every poll and every post of a member shows the token:
to the swarm it is a lasting pseudonym, which nobody without the group's seed, or the member's own value, can
tie to the account.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol import authorisation
from sessionsim.protocol.crypto import ScalarKey, Suite, curve
from sessionsim.protocol.crypto.xed25519 import ed25519_of_x25519
from sessionsim.protocol.groups.derivation import ids_in_hex, subaccount_mask
from sessionsim.protocol.groups.identity import GROUP_PREFIX, Group, group_ed25519
from sessionsim.protocol.identity import Account

TOKEN_BYTES: Final = authorisation.TOKEN_BYTES
VALUE_BYTES: Final = 100  # Source: messages 4.4
SIGNATURE_BYTES: Final = 64  # Source: messages 4.4
_HEAD_BYTES: Final = 4  # prefix, flags, two reserved bytes
_SEED_KEY: Final = b"SubaccountSeed"  # Source: messages 4.4
_SIGN_KEY: Final = b"SubaccountSig"  # Source: messages 4.4


class Right(IntFlag):
    """What a token allows."""

    READ = authorisation.READ
    WRITE = authorisation.WRITE
    DELETE = authorisation.DELETE
    ANY_PREFIX = authorisation.ANY_PREFIX


MEMBER_RIGHTS: Final = Right.READ | Right.WRITE  # Source: messages 4.4


@dataclass(frozen=True, slots=True)
class Subaccount:
    """A member's access to one group's swarm.

    Args:
        token: 36 bytes, shown with every request.
        token_signature: the group's signature of it, 64 bytes.
        key: scalar k·t and point k·T.
        nonce_key: 32 bytes, secret; makes the nonce of each signature.
    """

    token: bytes
    token_signature: bytes
    key: ScalarKey
    nonce_key: bytes


def subaccount_token(group: Group, member_id: bytes, rights: int = MEMBER_RIGHTS) -> bytes:
    """Give the token of a member, for example to revoke it.

    Args:
        member_id: account id, 33 bytes.
        rights: flags; tokens with other flags are other tokens.

    Raises:
        LocalProtocolError: no account id, or rights beyond 8 bits.
        CannotOpen: the account id holds no usable curve point.
    Source: messages 4.4; libsession-util: src/config/groups/keys.cpp (swarm_subaccount_token).
    """
    return _head(rights) + curve.times(_blinding(group, member_id), ed25519_of_x25519(member_id[1:]))


def signing_value(suite: Suite, group: Group, member_id: bytes, rights: int = MEMBER_RIGHTS) -> bytes:
    """Make what a member needs to use the swarm; goes into the invite. Arguments and errors as above.

    Source: messages 4.4; libsession-util: src/config/groups/keys.cpp (swarm_make_subaccount).
    """
    token = subaccount_token(group, member_id, rights)
    return _head(rights) + _blinding(group, member_id) + suite.sign_stored(group.ed, token)


def subaccount_of(account: Account, value: bytes) -> Subaccount:
    """Work out the member's own keys from a signing value. Whether the group signed it is not checked here.

    Raises:
        RemoteProtocolError: not 100 bytes.
        CannotOpen: the value's factor gives no usable key.
    Source: messages 4.4; libsession-util: src/config/groups/keys.cpp (swarm_subaccount_sign).
    """
    if len(value) != VALUE_BYTES:
        raise RemoteProtocolError("a signing value has 100 bytes")
    factor = value[_HEAD_BYTES:TOKEN_BYTES]
    public = account.ed.public
    secret = curve.negate(account.x.secret) if curve.is_negative(public) else account.x.secret
    point = curve.times(factor, curve.positive(public))
    nonce_key = hashlib.blake2b(account.ed.secret, digest_size=32, key=_SEED_KEY).digest()
    key = ScalarKey(point, curve.multiply(factor, secret))
    return Subaccount(value[:_HEAD_BYTES] + point, value[TOKEN_BYTES:], key, nonce_key)


def is_granted(suite: Suite, group_id: bytes, subaccount: Subaccount, rights: int = MEMBER_RIGHTS) -> bool:
    """Say whether the group signed a subaccount with these rights; a member asks before using it.

    Source: libsession-util: src/config/groups/keys.cpp (swarm_verify_subaccount).
    """
    shown = authorisation.Subaccount(subaccount.token, subaccount.token_signature)
    return authorisation.is_granted(suite, group_id, group_ed25519(group_id), shown, rights)


def sign_request(suite: Suite, subaccount: Subaccount, text: bytes) -> bytes:
    """Sign a request as a member; 64 bytes.

    Source: messages 4.4: nonce = BLAKE2b-64(BLAKE2b-32(seed; "SubaccountSeed") ‖ k·T ‖ M; "SubaccountSig").
    """
    nonce = hashlib.blake2b(
        subaccount.nonce_key + subaccount.key.public + text, digest_size=64, key=_SIGN_KEY
    ).digest()
    return suite.sign_scalar(subaccount.key, nonce, text)


def is_authentic(
    suite: Suite,
    account_id: bytes,
    rights: int,
    text: bytes,
    signature: bytes,
    token: bytes = b"",
    token_signature: bytes = b"",
) -> bool:
    """Check a request to a group's account, as its service nodes do. Revocation is not looked at here.

    Args:
        account_id: 33 bytes whose last 32 are the account's Ed25519 key: a group.
        rights: what the request needs of a token.
        text: what the request had to sign.
        token, token_signature: of a member; empty if the request comes from an admin.

    Source: transport 5.2; session-storage-server: oxenss/rpc/request_handler.cpp (verify_signature).
    """
    shown = authorisation.Subaccount(token, token_signature) if token else None
    return authorisation.is_authorised(suite, account_id, None, shown, rights, text, signature)


def _head(rights: int) -> bytes:
    if not 0 <= rights <= 0xFF:
        raise LocalProtocolError("the rights of a token are one byte")
    return GROUP_PREFIX + bytes([rights, 0, 0])


def _blinding(group: Group, member_id: bytes) -> bytes:
    ids_in_hex([member_id])
    return curve.reduce(
        hashlib.blake2b(member_id + group.id, digest_size=64, key=subaccount_mask(group)).digest()
    )
