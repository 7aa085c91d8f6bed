"""Whose signature a request carries, and whether it holds: by the codes of the protocol, method by method.

    storage methods, monitor, push    the owner of an 05 account, with the key that converts to its id;
                                      the key that another id is; or the key in a member's token that the
                                      owner signed (transport 5.2, messages 9)
    communities                       the blinded or bare key that the headers name (messages 8)

A signature that is not of this form proves nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sessionsim.adversary.fields import base64_bytes, hex_bytes, key_bytes, whole_number
from sessionsim.adversary.names import id_term
from sessionsim.adversary.terms import Call
from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.authorisation import TOKEN_BYTES, Subaccount, is_granted, owner_key
from sessionsim.protocol.communities.auth import read_claim, signed_bytes
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.identity import ACCOUNT_PREFIX
from sessionsim.protocol.server_request import ServerRequest
from sessionsim.protocol.wire import monitor, rpc_signed
from sessionsim.protocol.wire.rpc import signed_text

_NO_RIGHTS: Final = 0  # a token is looked at for whose it is, not for what it allows


class Check(NamedTuple):
    """A signature still to be checked.

    Args:
        signer: term of who claims to have made it.
        account: 33-byte id that it acts on.
        ed25519: the key named beside the account; empty for none.
        token: a member's token with its owner's signature; None for the owner.
        text: what is signed.
        signature: 64 bytes.
        key: the key that must have signed, where the signer is that key itself; empty where it follows
            from the account.
    """

    signer: str
    account: bytes
    ed25519: bytes
    token: Subaccount | None
    text: bytes
    signature: bytes
    key: bytes = b""

    @property
    def verifies(self) -> bytes:
        """The key under which it is valid, if it is."""
        return self.key or (self.token.token[4:] if self.token else self.ed25519 or self.account[1:])


def check_of(call: Call) -> Check | None:
    """Give the signature of a call with what it must hold over; None where there is none to check."""
    fields = call.fields
    if not call.account or "signature" not in fields:
        return None
    text = _signed_text(call)
    if text is None:
        return None
    named = key_bytes(fields.get("session_ed25519", fields.get("pubkey_ed25519")))
    member = None
    if "subaccount" in fields:
        token, signed = _token_of(fields["subaccount"]), base64_bytes(fields.get("subaccount_sig"))
        member = Subaccount(token, signed) if token and signed else None
    signer = id_term(call.account) if member is None else f"member:{member.token.hex()}"
    return Check(signer, call.account, named, member, text, base64_bytes(fields["signature"]))


def _token_of(value: Any) -> bytes:
    """Read a member's token: raw, base64 or hex."""
    if isinstance(value, str) and len(value) == 2 * TOKEN_BYTES:
        return hex_bytes(value)
    return base64_bytes(value)


def check_of_server_request(request: ServerRequest, server_x25519: bytes) -> Check | None:
    """Give the signature in the headers of a request to a community; None for none.

    Args:
        server_x25519: the key of the server that it was sealed to, which the signature covers.
    """
    try:
        claim = read_claim(request, require_blinding=False)
        if claim is None:
            return None
        text = signed_bytes(server_x25519, claim.nonce, claim.timestamp, request)
    except ProtocolError:
        return None
    account = bytes.fromhex(claim.session_id)
    return Check(id_term(account), account, b"", None, text, claim.signature, claim.point)


def holds(suite: Suite, check: Check) -> bool:
    """Check a signature: the key is the account's or a token's of it, and the signature holds under it."""
    if check.key:
        return suite.verify(check.key, check.text, check.signature)
    if check.account[:1] == ACCOUNT_PREFIX and not check.ed25519:
        return False  # a node takes such an account at its word
    key = owner_key(check.account, check.ed25519 or None)
    if key is None:
        return False
    if check.token is not None:
        if not is_granted(suite, check.account, key, check.token, _NO_RIGHTS):
            return False
        key = check.token.token[4:]
    return suite.verify(key, check.text, check.signature)


def _signed_text(call: Call) -> bytes | None:
    """Give what a method signs, by its fields; None for other methods, or where one is missing."""
    fields = call.fields
    if call.method == "retrieve":  # most by far
        box, stamp = fields.get("namespace", 0), fields.get("timestamp")
        if type(box) is int and type(stamp) is int:
            return signed_text("retrieve", box, stamp)
    method = call.method.partition(" ")[2] or call.method
    number = {name: whole_number(fields.get(name)) for name in _TIMES.get(method, ())}
    time = next((value for value in number.values() if value is not None), None)
    hashes = _texts(fields.get("messages"))
    if method in _NAMESPACED:
        return None if time is None else _namespaced_text(method, fields.get("namespace", 0), time)
    if method == "delete" and hashes is not None:
        return rpc_signed.delete_text(hashes)
    if method == "expire" and hashes is not None:
        return _expire_text(fields, hashes)
    if method == "get_expiries" and time is not None:
        return rpc_signed.expiries_text(time, hashes or ())
    if method in _OF_TOKENS and time is not None:
        return rpc_signed.tokens_text(method, time, _tokens(fields))
    if method in ("monitor", "/subscribe") and time is not None:
        return _monitor_text(call, time)
    return None


def _namespaced_text(method: str, namespace: object, time: int) -> bytes | None:
    box = None if namespace == "all" else whole_number(namespace)
    if box is None and namespace != "all":
        return None
    return rpc_signed.namespaced_text(method, box, time)


_TIMES: Final[Mapping[str, tuple[str, ...]]] = {
    "retrieve": ("timestamp",),
    "store": ("sig_timestamp", "timestamp"),
    "delete_all": ("timestamp",),
    "delete_before": ("before",),
    "expire_all": ("expiry",),
    "get_expiries": ("timestamp",),
    "revoke_subaccount": ("timestamp",),
    "unrevoke_subaccount": ("timestamp",),
    "revoked_subaccounts": ("timestamp",),
    "monitor": ("timestamp",),
    "/subscribe": ("sig_ts",),
}
_NAMESPACED: Final = frozenset(("retrieve", "store", "delete_all", "delete_before", "expire_all"))
_OF_TOKENS: Final = frozenset(("revoke_subaccount", "unrevoke_subaccount", "revoked_subaccounts"))


def _texts(value: Any) -> list[str] | None:
    if not isinstance(value, list):
        return None
    return [one.decode("latin-1") if isinstance(one, bytes) else str(one) for one in value]


def _expire_text(fields: Mapping[str, Any], hashes: list[str]) -> bytes | None:
    expiry = fields.get("expiry")
    expiries = [whole_number(one) for one in expiry] if isinstance(expiry, list) else [whole_number(expiry)]
    numbers = [one for one in expiries if one is not None]
    if len(numbers) != len(expiries) or not numbers:
        return None
    mode = next((name for name in ("shorten", "extend") if fields.get(name)), "")
    return rpc_signed.expire_text(mode, numbers, hashes)


def _tokens(fields: Mapping[str, Any]) -> list[bytes]:
    revoke = fields.get("revoke", fields.get("unrevoke", fields.get("tokens", ())))
    found = revoke if isinstance(revoke, list) else [revoke]
    return [base64_bytes(one) for one in found if base64_bytes(one)]


def _monitor_text(call: Call, time: int) -> bytes | None:
    fields, account = call.fields, call.account
    if not account:
        return None
    boxes, wanted = fields.get("namespaces"), fields.get("want_data", fields.get("data"))
    if not isinstance(boxes, list) or not all(type(box) is int for box in boxes):
        return None
    try:
        return monitor.signed_text(account, time, bool(wanted), boxes)
    except (ProtocolError, ValueError):
        return None
