"""Sections about signatures made and checked with X25519 keys."""

from __future__ import annotations

from sessionsim.protocol.crypto import real, xed25519
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, Mismatch, plain, section, unhex
from sessionsim.selfcheck.vectors.identity import new_account


def _sign(draw: Draw) -> Made:
    secret, message, random = new_account(draw).x.secret, draw.raw(draw.between(0, 1024)), draw.raw(64)
    return {
        "input": plain({"x25519_sk": secret, "message": message}),
        "expected": plain({"signature": xed25519.sign(secret, random, message)}),
        "randomness": plain({"draws": [random], "meaning": ["64 bytes of signing randomness Z"]}),
    }


@section(
    "xed25519_sign",
    covers=["protocol.crypto.xed25519.sign"],
    direction="exact with randomness",
    make=_sign,
)
def xed25519_sign(case: Case) -> None:
    """Signature with an X25519 secret; without recorded randomness any valid one is accepted."""
    secret, message = case.raw("x25519_sk"), case.raw("message")
    if case.draws:
        case.same("signature", xed25519.sign(secret, case.draws[0], message))
        return
    signature = unhex(case.wants("signature"), "expected signature")
    if not xed25519.verify(real.x25519_keypair(secret).public, message, signature):
        raise Mismatch("the expected signature is not valid")


def _verify(draw: Draw) -> Made:
    pair, message = new_account(draw).x, draw.raw(draw.between(1, 1024))
    signature, public = xed25519.sign(pair.secret, draw.raw(64), message), pair.public
    damaged = draw.choice((None, None, None, "message", "signature", "x25519_pk"))
    given = {"signature": signature, "x25519_pk": public, "message": message}
    if damaged is not None:
        given[damaged] = _one_bit_other(draw, given[damaged])
    return {"input": plain(given), "expected": {"valid": damaged is None}}


def _one_bit_other(draw: Draw, good: bytes) -> bytes:
    # Not the top bit: of a key it does not count.
    place = draw.between(0, len(good) - 1)
    return good[:place] + bytes([good[place] ^ 1 << draw.between(0, 6)]) + good[place + 1 :]


@section(
    "xed25519_verify",
    covers=["protocol.crypto.xed25519.verify"],
    direction="exact",
    make=_verify,
)
def xed25519_verify(case: Case) -> None:
    """Verification with an X25519 public key."""
    case.same("valid", xed25519.verify(case.raw("x25519_pk"), case.raw("message"), case.raw("signature")))


def _pubkey(draw: Draw) -> Made:
    public = new_account(draw).x.public
    return {
        "input": plain({"x25519_pk": public}),
        "expected": plain({"ed25519_pk": xed25519.ed25519_of_x25519(public)}),
    }


@section(
    "xed25519_pubkey",
    covers=["protocol.crypto.xed25519.ed25519_of_x25519"],
    direction="exact",
    make=_pubkey,
)
def xed25519_pubkey(case: Case) -> None:
    """Positive Ed25519 public key of an X25519 public key."""
    case.same("ed25519_pk", xed25519.ed25519_of_x25519(case.raw("x25519_pk")))
