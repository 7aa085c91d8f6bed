"""Sections about storage requests: message hashes, namespaces, what is signed, and who may."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from sessionsim.protocol import namespaces
from sessionsim.protocol.authorisation import (
    ANY_PREFIX,
    DELETE,
    READ,
    WRITE,
    Subaccount,
    is_authorised,
    subaccount_token,
)
from sessionsim.protocol.crypto import KeyPair, real
from sessionsim.protocol.crypto.sodium import SodiumSuite
from sessionsim.protocol.identity import account_id_of_ed25519
from sessionsim.protocol.wire import rpc_signed
from sessionsim.protocol.wire.rpc import message_hash
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

_USED: Final = (0, 0, 2, 5, 11, 12, -10, -11, -1, 32767, -32768, 100)
_STAMP: Final = (1_700_000_000_000, 1_710_000_000_000)
_METHODS: Final = (
    "store", "retrieve", "delete", "delete_all", "delete_before", "expire", "expire_all", "get_expiries",
    "revoke_subaccount", "unrevoke_subaccount",
)  # fmt: skip


def _hash_made(draw: Draw) -> Made:
    account = bytes([draw.choice((5, 3))]) + draw.raw(32)
    namespace, data = draw.choice(_USED), draw.raw(draw.between(0, 600))
    return {
        "input": plain({"pubkey": account, "namespace": namespace, "data": data}),
        "expected": {"hash": message_hash(account, namespace, data)},
    }


@section("message_hash", covers=["protocol.wire.rpc.message_hash"], direction="exact", make=_hash_made)
def storage_hash(case: Case) -> None:
    """Storage hash of a stored message."""
    case.same("hash", message_hash(case.raw("pubkey"), case.integer("namespace"), case.raw("data")))


def _rules_of(namespace: int) -> dict[str, bool]:
    return {
        "public_inbox": namespaces.is_public_inbox(namespace),
        "public_outbox": namespaces.is_public_outbox(namespace),
        "noauth_retrieve": namespaces.is_open_to_read(namespace),
        "unrevocable": namespaces.is_unrevocable(namespace),
    }


def _rules_made(draw: Draw) -> Made:
    namespace = draw.between(namespaces.MIN_NAMESPACE, namespaces.MAX_NAMESPACE)
    if draw.flag():  # one that is special
        namespace = -draw.between(0, 1600) * 20 - draw.choice((0, 1, 10, 11))
    return {"input": {"namespace": namespace}, "expected": _rules_of(namespace)}


@section(
    "namespace_rules",
    covers=[
        "protocol.namespaces.is_public_inbox",
        "protocol.namespaces.is_public_outbox",
        "protocol.namespaces.is_open_to_read",
        "protocol.namespaces.is_unrevocable",
    ],
    direction="exact",
    make=_rules_made,
)
def namespace_rules(case: Case) -> None:
    """Properties of a storage namespace."""
    for name, held in _rules_of(case.integer("namespace")).items():
        case.same(name, held)


def _space(found: Any) -> int | None:
    return None if found == "all" else whole(found, "input 'namespace'")


def _texts(found: Any, name: str) -> list[str]:
    return [typed(item, str, f"input {name!r}") for item in typed(found, list, f"input {name!r}")]


def _text_of(given: Mapping[str, Any]) -> bytes:
    """Give what a request signs, from its parameters as they stand in a file."""
    method = typed(given.get("method"), str, "input 'method'")
    if method in ("store", "retrieve", "delete_all", "delete_before", "expire_all"):
        name = {"delete_before": "before", "expire_all": "expiry"}.get(method, "timestamp")
        number = whole(given.get(name), f"input {name!r}")
        return rpc_signed.namespaced_text(method, _space(given.get("namespace", 0)), number)
    if method == "delete":
        return rpc_signed.delete_text(_texts(given.get("messages"), "messages"))
    if method == "expire":
        expiries = given.get("expiry")
        numbers = [
            whole(one, "input 'expiry'") for one in (expiries if isinstance(expiries, list) else [expiries])
        ]
        mode = typed(given.get("mode", ""), str, "input 'mode'")
        return rpc_signed.expire_text(mode, numbers, _texts(given.get("messages"), "messages"))
    stamp = whole(given.get("timestamp"), "input 'timestamp'")
    if method == "get_expiries":
        return rpc_signed.expiries_text(stamp, _texts(given.get("messages"), "messages"))
    if method in ("revoke_subaccount", "unrevoke_subaccount", "revoked_subaccounts"):
        tokens = _texts(given.get("subaccounts", []), "subaccounts")
        return rpc_signed.tokens_text(method, stamp, [unhex(token, "a token") for token in tokens])
    raise Mismatch(f"input 'method': {method!r} signs nothing known")


def _hashes(draw: Draw) -> list[str]:
    return [base64.b64encode(draw.raw(32))[:43].decode() for _ in range(draw.between(1, 3))]


def _request_made(draw: Draw) -> Made:
    method, stamp = draw.choice(_METHODS), draw.between(*_STAMP)
    given: dict[str, Any] = {"method": method}
    namespace: Any = draw.choice(_USED)
    if method in ("delete_all", "delete_before", "expire_all") and draw.flag():
        namespace = "all"
    match method:
        case "store" | "retrieve" | "delete_all":
            given |= {"timestamp": stamp, "namespace": namespace}
        case "delete_before":
            given |= {"namespace": namespace, "before": stamp}
        case "expire_all":
            given |= {"namespace": namespace, "expiry": stamp}
        case "delete":
            given["messages"] = _hashes(draw)
        case "get_expiries":
            given |= {"timestamp": stamp, "messages": _hashes(draw)}
        case "expire":
            hashes = _hashes(draw)
            expiries = [draw.between(*_STAMP) for _ in range(len(hashes) if draw.flag() else 1)]
            given |= {"messages": hashes, "mode": draw.choice(("", "shorten", "extend")), "expiry": expiries}
        case _:
            tokens = [
                subaccount_token(3, draw.between(1, 15), draw.raw(32)) for _ in range(draw.between(1, 2))
            ]
            given |= {"timestamp": stamp, "subaccounts": plain(tokens)}
    pair = real.ed25519_keypair(draw.raw(32))
    given |= _owner(draw, pair, secret=True)
    text = _text_of(given)
    expected = {"signed_text": text, "signature": real.ed25519_sign(pair, text), "accepted": True}
    return {"input": given, "expected": plain(expected)}


def _owner(draw: Draw, pair: KeyPair, *, secret: bool) -> dict[str, Any]:
    """Name an account of a key: a group's, or an 05 account with its Ed25519 key beside it."""
    keys: dict[str, Any] = {"ed25519_sk": pair.secret + pair.public} if secret else {}
    if draw.flag():
        named = {"pubkey": account_id_of_ed25519(pair.public), "pubkey_ed25519": pair.public}
    else:
        named = {"pubkey": b"\x03" + pair.public}
    return {name: plain(value) for name, value in (keys | named).items()}


def _ed25519(case: Case) -> bytes | None:
    return case.raw("pubkey_ed25519") if case.has("pubkey_ed25519") else None


@section(
    "request_signature",
    covers=[
        "protocol.wire.rpc_signed.namespaced_text",
        "protocol.wire.rpc_signed.delete_text",
        "protocol.wire.rpc_signed.expire_text",
        "protocol.wire.rpc_signed.expiries_text",
        "protocol.wire.rpc_signed.tokens_text",
        "protocol.authorisation.is_authorised",
    ],
    direction="exact",
    make=_request_made,
)
def request_signature(case: Case) -> None:
    """Text to sign and Ed25519 signature of every authenticated storage request."""
    text = _text_of(case.input)
    secret = case.raw("ed25519_sk")
    signature = real.ed25519_sign(KeyPair(secret[32:], secret[:32]), text)
    case.same("signed_text", text)
    case.same("signature", signature)
    suite = SodiumSuite(memo=False)
    account = case.raw("pubkey")
    case.same("accepted", is_authorised(suite, account, _ed25519(case), None, 0, text, signature))


def _authorisation_made(draw: Draw) -> Made:
    text = rpc_signed.namespaced_text("retrieve", draw.choice(_USED), draw.between(*_STAMP))
    owner = real.ed25519_keypair(draw.raw(32))
    given = _owner(draw, owner, secret=False)
    signer = owner
    if draw.flag():
        signer = real.ed25519_keypair(draw.raw(32))
        prefix = int(given["pubkey"][:2], 16)
        flags = draw.choice((READ, READ | WRITE, READ | WRITE | DELETE, 15, WRITE | ANY_PREFIX))
        token = subaccount_token(draw.choice((prefix, prefix, prefix, 4)), flags, signer.public)
        granter = owner if draw.between(0, 5) else signer
        given["subaccount"] = token.hex()
        given["subaccount_sig"] = real.ed25519_sign(granter, token).hex()
        given["required_access"] = draw.choice((READ, WRITE, DELETE, WRITE | DELETE))
    if not draw.between(0, 4):  # signed by a stranger, or with another's key named
        signer = real.ed25519_keypair(draw.raw(32))
        if "pubkey_ed25519" in given and draw.flag():
            given["pubkey_ed25519"] = signer.public.hex()
    given |= {"signed_text": text.hex(), "signature": real.ed25519_sign(signer, text).hex()}
    return {"input": given, "expected": {"accepted": _accepted(Case(given, {}))}}


def _accepted(case: Case) -> bool:
    subaccount, rights = None, 0
    if case.has("subaccount"):
        subaccount = Subaccount(case.raw("subaccount"), case.raw("subaccount_sig"))
        rights = case.integer("required_access")
    return is_authorised(
        SodiumSuite(memo=False),
        case.raw("pubkey"),
        _ed25519(case),
        subaccount,
        rights,
        case.raw("signed_text"),
        case.raw("signature"),
    )


@section(
    "request_authorisation",
    covers=["protocol.authorisation.is_authorised", "protocol.authorisation.subaccount_token"],
    direction="exact",
    make=_authorisation_made,
)
def request_authorisation(case: Case) -> None:
    """Would the storage server accept this signature?"""
    case.same("accepted", _accepted(case))
