"""Whether a storage request is signed by somebody who may make it (transport 5.2).

Three kinds of signer:

    owner of an 05 account   names the Ed25519 key that converts to the account's X25519 key, signs with it
    owner of any other id    signs with the Ed25519 key that the id itself is
    subaccount               shows a token that the owner signed, and signs with the key inside the token

A token is `prefix ‖ flags ‖ 0 0 ‖ Ed25519 key`, 36 bytes. Its flags say what it may do; its prefix which ids
of the owner's key it is for, unless it may be used with any. The two reserved bytes are not looked at, but
the owner's signature covers them: no second token comes out of one.

What a signature covers is in `wire.rpc_signed`. Revocation needs a memory and is the node's
(`snode/_subaccounts`).
Source: session-storage-server: oxenss/rpc/request_handler.cpp verify_signature, oxenss/crypto/subaccount.cpp,
oxenss/common/subaccount_token.h.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.crypto.real import x25519_public_of_ed25519
from sessionsim.protocol.crypto.suite import Suite
from sessionsim.protocol.namespaces import is_public_outbox

# Rights of a token, added up in its flags. Source: transport 5.2; oxenss/common/subaccount_token.h.
READ: Final = 1
WRITE: Final = 2
DELETE: Final = 4
ANY_PREFIX: Final = 8

TOKEN_BYTES: Final = 36  # Source: transport 5.2
_KEY_BYTES: Final = 32
_ACCOUNT_PREFIX: Final = 5  # ids made from an X25519 key. Source: transport 1.2


class Subaccount(NamedTuple):
    """What a subaccount shows. Args: token: 36 bytes; signature: the owner's over the token, 64 bytes."""

    token: bytes
    signature: bytes

    @property
    def flags(self) -> int:
        """The rights of the token, added up."""
        return self.token[1]


def subaccount_token(prefix: int, flags: int, key: bytes) -> bytes:
    """Write the token an owner signs for a subaccount.

    Args:
        prefix: first byte of the ids it is for.
        flags: `READ`, `WRITE`, `DELETE`, `ANY_PREFIX`, added up.
        key: the subaccount's Ed25519 key, 32 bytes.

    Raises:
        LocalProtocolError: a number that is no byte, or a key of another length.
    Source: transport 5.2.
    """
    if not (0 <= prefix < 256 and 0 <= flags < 256) or len(key) != _KEY_BYTES:
        raise LocalProtocolError("a token has a prefix, flags and a key of 1, 1 and 32 bytes")
    return bytes((prefix, flags, 0, 0)) + key


def store_rights(namespace: int) -> int:
    """Give the rights a store needs: to a public outbox it replaces, so it needs `DELETE` as well."""
    return WRITE | DELETE if is_public_outbox(namespace) else WRITE


def owner_key(account: bytes, ed25519: bytes | None) -> bytes | None:
    """Give the Ed25519 key an account's owner signs with; None if the one that is named is another's.

    Args:
        account: 33 bytes.
        ed25519: the key named beside it; looked at for 05 accounts only. An 05 account that names none is
            taken at its word, as the server does: its X25519 key is tried as if it were an Ed25519 key.
    """
    public = account[1:]
    if ed25519 is None or account[0] != _ACCOUNT_PREFIX:
        return public
    try:
        return ed25519 if x25519_public_of_ed25519(ed25519) == public else None
    except CannotOpen:
        return None


def allows(account: bytes, token: bytes, rights: int) -> bool:
    """Say whether a token, if it is genuine, gives these rights on this account. Any token may be given."""
    if len(token) != TOKEN_BYTES:
        return False
    fits = token[0] == account[0] or token[1] & ANY_PREFIX
    return bool(fits) and token[1] & rights == rights


def is_granted(suite: Suite, account: bytes, owner: bytes, subaccount: Subaccount, rights: int) -> bool:
    """Say whether a token gives all of these rights on an account.

    Args:
        suite: cryptography; the owner's signature is a stored one, real in every suite.
        account: the account that is to be used.
        owner: its owner's Ed25519 key.
        subaccount: the token.
        rights: what the request needs, added up.
    """
    token, signature = subaccount
    return allows(account, token, rights) and suite.verify_stored(owner, token, signature)


def is_authorised(
    suite: Suite,
    account: bytes,
    ed25519: bytes | None,
    subaccount: Subaccount | None,
    rights: int,
    text: bytes,
    signature: bytes,
) -> bool:
    """Say whether a request is signed by its account's owner, or by a subaccount with these rights.

    Args:
        suite: cryptography.
        account: 33 bytes.
        ed25519: the Ed25519 key named beside an 05 account; None if none is.
        subaccount: the token shown; None for the owner, who needs no rights.
        rights: what the request needs of a subaccount, added up.
        text: what is signed.
        signature: 64 bytes; other lengths are simply not valid.
    """
    key = owner_key(account, ed25519)
    if key is None:
        return False
    if subaccount is not None:
        if not is_granted(suite, account, key, subaccount, rights):
            return False
        key = subaccount.token[4:]
    return suite.verify(key, text, signature)
