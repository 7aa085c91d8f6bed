"""Sections about who an account is: keys of a seed, ids, plain signatures, and the hash under all of it."""

from __future__ import annotations

from sessionsim.protocol.crypto import real
from sessionsim.protocol.crypto.blake2b import blake2b
from sessionsim.protocol.identity import Account, account_from_ed25519_seed, account_from_seed
from sessionsim.protocol.snode_address import snode_address
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, plain, section


def account_of(secret: bytes) -> Account:
    """Give the account of an Ed25519 secret, written as its seed or as seed and public key."""
    return account_from_ed25519_seed(secret[:32])


def secret_of(account: Account, draw: Draw | None = None) -> bytes:
    """Write an account's secret as seed and public key; with a draw, sometimes as the seed alone."""
    return account.ed.secret + (b"" if draw is not None and draw.flag() else account.ed.public)


def new_account(draw: Draw) -> Account:
    """Make an account of a whole seed."""
    return account_from_ed25519_seed(draw.raw(32))


def _account(seed: bytes) -> Account:
    return account_from_seed(seed) if len(seed) == 16 else account_from_ed25519_seed(seed)


def _facts(account: Account) -> Made:
    return {
        "ed25519_sk": secret_of(account),
        "ed25519_pk": account.ed.public,
        "x25519_sk": account.x.secret,
        "x25519_pk": account.x.public,
        "session_id": account.id,
        "snode_address": snode_address(account.ed.public),
    }


def _ids(draw: Draw) -> Made:
    seed = draw.raw(draw.choice((16, 32)))
    return {"input": plain({"seed": seed}), "expected": plain(_facts(_account(seed)))}


@section(
    "ids_from_seed",
    covers=[
        "protocol.identity.account_from_seed",
        "protocol.identity.account_from_ed25519_seed",
        "protocol.snode_address.snode_address",
    ],
    direction="exact",
    make=_ids,
)
def ids_from_seed(case: Case) -> None:
    """Account keys of a seed of 16 bytes, extended by zero bytes, or of 32 bytes."""
    for name, fact in _facts(_account(case.raw("seed"))).items():
        case.same(name, fact)


def _sign(draw: Draw) -> Made:
    account = new_account(draw)
    message = draw.raw(draw.between(0, 1024))
    return {
        "input": plain({"ed25519_sk": secret_of(account), "message": message}),
        "expected": plain({"signature": real.ed25519_sign(account.ed, message)}),
    }


@section(
    "ed25519_sign",
    covers=["protocol.crypto.real.ed25519_sign"],
    direction="exact",
    make=_sign,
)
def ed25519_sign(case: Case) -> None:
    """Plain Ed25519 detached signature."""
    account = account_of(case.raw("ed25519_sk"))
    case.same("signature", real.ed25519_sign(account.ed, case.raw("message")))


def _hash(draw: Draw) -> Made:
    size, message = draw.choice((32, 64)), draw.raw(draw.between(0, 1024))
    given: Made = {"size": size, "message": message}
    if draw.flag():
        given["key"] = draw.raw(draw.choice((1, 16, 32, 64)))
    return {"input": plain(given), "expected": plain({"hash": blake2b(message, size, given.get("key", b""))})}


@section(
    "blake2b",
    covers=["protocol.crypto.blake2b.blake2b"],
    direction="exact",
    make=_hash,
)
def blake2b_hash(case: Case) -> None:
    """BLAKE2b with output size and optional key."""
    case.same("hash", blake2b(case.raw("message"), case.integer("size"), case.raw("key", b"")))
