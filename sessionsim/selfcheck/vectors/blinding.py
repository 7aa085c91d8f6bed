"""Sections about blinded ids: ids and keys, signatures, the version check, matching."""

from __future__ import annotations

from sessionsim.protocol import blinding
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import Account
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, plain, section
from sessionsim.selfcheck.vectors.identity import account_of, new_account, secret_of

_SUITE = suite_named("sodium", memo=False)


def _ids(account: Account, server: bytes) -> Made:
    fifteen, twenty_five = blinding.blind15_key(account, server), blinding.blind25_key(account, server)
    return {
        "session_id": account.id,
        "blind15_ids": list(blinding.blind15_ids(account.id, server)),
        "blind15_id_from_ed": blinding.blind15_id_of_ed25519(account.ed.public, server),
        "blind25_id": blinding.blind25_id(account.id, server),
        "blind25_id_from_ed": blinding.blind25_id_of_ed25519(account.ed.public, server),
        "blind15_factor": blinding.blind15_factor(server),
        "blind25_factor": blinding.blind25_factor(account.id, server),
        "blind15_pk": fifteen.public,
        "blind15_sk": fifteen.scalar,
        "blind15_k": blinding.blind15_factor(server),
        "blind25_pk": twenty_five.public,
        "blind25_sk": twenty_five.scalar,
        "blind25_k_prime": blinding.blind25_own_factor(account, server),
    }


def _make_ids(draw: Draw) -> Made:
    account, server = new_account(draw), draw.raw(32)
    return {
        "input": plain({"ed25519_sk": secret_of(account), "server_pk": server}),
        "expected": plain(_ids(account, server)),
    }


@section(
    "blinded_ids",
    covers=[
        "protocol.blinding.blind15_ids",
        "protocol.blinding.blind15_id_of_ed25519",
        "protocol.blinding.blind15_factor",
        "protocol.blinding.blind15_key",
        "protocol.blinding.blind25_id",
        "protocol.blinding.blind25_id_of_ed25519",
        "protocol.blinding.blind25_factor",
        "protocol.blinding.blind25_own_factor",
        "protocol.blinding.blind25_key",
    ],
    direction="exact",
    make=_make_ids,
)
def blinded_ids(case: Case) -> None:
    """Blinded ids of both kinds, their factors and keys, from an account's secret and a server's key."""
    for name, fact in _ids(account_of(case.raw("ed25519_sk")), case.raw("server_pk")).items():
        case.same(name, fact)


def _signing(draw: Draw) -> tuple[Account, bytes, bytes]:
    return new_account(draw), draw.raw(32), draw.raw(draw.between(0, 1024))


def _signed(account: Account, server: bytes, message: bytes, signature: bytes) -> Made:
    return {
        "input": plain({"ed25519_sk": secret_of(account), "server_pk": server, "message": message}),
        "expected": plain({"signature": signature}),
    }


def _make_sign15(draw: Draw) -> Made:
    account, server, message = _signing(draw)
    return _signed(account, server, message, blinding.blind15_sign(_SUITE, account, server, message))


@section(
    "blind15_sign",
    covers=["protocol.blinding.blind15_sign", "protocol.blinding.blind15_sign_stored"],
    direction="exact",
    make=_make_sign15,
)
def blind15_sign(case: Case) -> None:
    """Signature that verifies as ordinary Ed25519 under the 15 key."""
    account, server, message = account_of(case.raw("ed25519_sk")), case.raw("server_pk"), case.raw("message")
    case.same("signature", blinding.blind15_sign(_SUITE, account, server, message))
    case.same("signature", blinding.blind15_sign_stored(account, server, message))


def _make_sign25(draw: Draw) -> Made:
    account, server, message = _signing(draw)
    return _signed(account, server, message, blinding.blind25_sign(_SUITE, account, server, message))


@section(
    "blind25_sign",
    covers=["protocol.blinding.blind25_sign", "protocol.blinding.blind25_sign_stored"],
    direction="exact",
    make=_make_sign25,
)
def blind25_sign(case: Case) -> None:
    """Signature that verifies as ordinary Ed25519 under the 25 key."""
    account, server, message = account_of(case.raw("ed25519_sk")), case.raw("server_pk"), case.raw("message")
    case.same("signature", blinding.blind25_sign(_SUITE, account, server, message))
    case.same("signature", blinding.blind25_sign_stored(account, server, message))


_PLATFORM = "platform_signature_"


def _check_signature(account: Account, timestamp_s: int, platform: str) -> bytes:
    return blinding.version_sign(_SUITE, account, blinding.version_check_text(timestamp_s, platform))


def _make_version(draw: Draw) -> Made:
    account, timestamp_s = new_account(draw), draw.between(1_700_000_000, 1_800_000_000)
    method, body = draw.choice(("GET", "POST")), draw.raw(32) if draw.flag() else b""
    path = "/" + "/".join(draw.choice(("session_version", "token", "info", "desktop")) for _ in range(2))
    given: Made = {"timestamp": timestamp_s, "method": method, "path": path}
    if body:
        given["body"] = body
    text = blinding.version_text(timestamp_s, method, path, body)
    pair = blinding.version_key(account)
    return {
        "input": plain({"ed25519_sk": secret_of(account, draw), **given}),
        "expected": plain(
            {
                "pk": pair.public,
                "sk": pair.secret + pair.public,
                "request_signature": blinding.version_sign(_SUITE, account, text),
                f"{_PLATFORM}desktop": _check_signature(account, timestamp_s, "desktop"),
            }
        ),
    }


@section(
    "blind_version",
    covers=[
        "protocol.blinding.version_key",
        "protocol.blinding.version_text",
        "protocol.blinding.version_check_text",
        "protocol.blinding.version_sign",
    ],
    direction="exact",
    make=_make_version,
)
def blind_version(case: Case) -> None:
    """Key pair of the version check, and the signatures of a request and of the check itself."""
    account, timestamp_s = account_of(case.raw("ed25519_sk")), case.integer("timestamp")
    pair = blinding.version_key(account)
    case.same("pk", pair.public)
    case.same("sk", pair.secret + pair.public)
    text = blinding.version_text(timestamp_s, case.text("method"), case.text("path"), case.raw("body", b""))
    case.same("request_signature", blinding.version_sign(_SUITE, account, text))
    for platform in blinding.PLATFORMS:
        if platform == "desktop" or _PLATFORM + platform in case.expected:
            case.same(_PLATFORM + platform, _check_signature(account, timestamp_s, platform))


def _make_match(draw: Draw) -> Made:
    account, server, matches = new_account(draw), draw.raw(32), draw.between(0, 2) > 0
    blinded = account if matches else new_account(draw)
    kinds = (*blinding.blind15_ids(blinded.id, server), blinding.blind25_id(blinded.id, server))
    return {
        "input": plain({"session_id": account.id, "blinded_id": draw.choice(kinds), "server_pk": server}),
        "expected": {"matches": matches},
    }


@section(
    "blinded_id_match",
    covers=["protocol.blinding.blinded_id_matches"],
    direction="exact",
    make=_make_match,
)
def blinded_id_match(case: Case) -> None:
    """Does this account id correspond to this blinded id on this server?"""
    ids = case.raw("session_id"), case.raw("blinded_id")
    case.same("matches", blinding.blinded_id_matches(*ids, case.raw("server_pk")))
