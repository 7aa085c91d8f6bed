"""Who may subscribe to an account: its owner, or a subaccount that its owner has admitted (transport 5.2).

A 05 account shows the Ed25519 key its id is made from; any other id is that key. A subaccount shows its token
(36 bytes: prefix ‖ flags ‖ 00 00 ‖ key), signed by the account; then the token's key signs the request.
Push server and nodes check the same.
Source: session-push-notification-server: spns/hive/signature.cpp, spns/swarmpubkey.cpp.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sessionsim.core.errors import CannotOpen, RemoteProtocolError
from sessionsim.protocol.authorisation import READ, Subaccount, is_authorised
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.identity import ACCOUNT_PREFIX, account_id_of_ed25519
from sessionsim.protocol.wire.monitor import MonitorCall

Sign = Callable[[bytes], bytes]


class SignatureRefused(RemoteProtocolError):
    """A signature, a token or a key does not belong to the account."""


class Authority(NamedTuple):
    """The account that is meant, and by what right.

    Args:
        account: 33 bytes.
        ed25519: 32 bytes for a 05 account; empty for any other.
        token, token_signature: of a subaccount, 36 and 64 bytes; empty for the owner.
    """

    account: bytes
    ed25519: bytes = b""
    token: bytes = b""
    token_signature: bytes = b""


def authority_of(call: MonitorCall) -> Authority:
    """Give the authority that a subscription at a node names. Raises SignatureRefused: no Ed25519 key."""
    account = call.account
    if call.ed25519:
        try:
            account = account_id_of_ed25519(call.ed25519)
        except CannotOpen as wrong:
            raise SignatureRefused("Invalid P= ed25519 public key") from wrong
    return Authority(account, call.ed25519, call.token, call.token_signature)


def check_account(authority: Authority) -> None:
    """Check that the key shown belongs to a 05 account, and that no other shows one.

    Raises:
        SignatureRefused: it does not.
    Source: session-push-notification-server: spns/swarmpubkey.cpp.
    """
    if bool(authority.ed25519) != authority.account.startswith(ACCOUNT_PREFIX):
        raise SignatureRefused("session_ed25519 may only be used with 05-prefixed session IDs")
    try:
        matches = not authority.ed25519 or account_id_of_ed25519(authority.ed25519) == authority.account
    except CannotOpen as wrong:
        raise SignatureRefused("Failed to convert session_ed25519 to x25519 pubkey") from wrong
    if not matches:
        raise SignatureRefused("session_ed25519 does not convert to given account_id")


def check_signature(suite: Suite, authority: Authority, signed: bytes, signature: bytes) -> None:
    """Check a signature of the owner or of a subaccount that may read.

    Args:
        authority: has passed `check_account`, or is of `authority_of`.
        signed: what was signed.

    Raises:
        SignatureRefused: not valid, or a token that may not read, is of another kind of account, or was not
            signed by the account.
    Source: session-push-notification-server: spns/hive/signature.cpp (verify_storage_signature).
    """
    account, ed25519, token, token_signature = authority
    shown = Subaccount(token, token_signature) if token else None
    if not is_authorised(suite, account, ed25519 or None, shown, READ, signed, signature):
        raise SignatureRefused("Signature verification failed")
