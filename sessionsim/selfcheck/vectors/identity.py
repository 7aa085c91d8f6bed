"""Sections about who an account is: keys of a seed, ids, plain signatures."""

from __future__ import annotations

from sessionsim.protocol.crypto import real
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, plain, section


def _sign(draw: Draw) -> Made:
    pair = real.ed25519_keypair(draw.raw(32))
    message = draw.raw(draw.between(0, 200))
    return {
        "input": plain({"ed25519_sk": pair.secret + pair.public, "message": message}),
        "expected": plain({"signature": real.ed25519_sign(pair, message)}),
    }


@section(
    "ed25519_sign",
    covers=["protocol.crypto.real.ed25519_sign"],
    direction="exact",
    make=_sign,
)
def ed25519_sign(case: Case) -> None:
    """Plain Ed25519 detached signature."""
    pair = real.ed25519_keypair(case.raw("ed25519_sk")[:32])
    case.same("signature", real.ed25519_sign(pair, case.raw("message")))
