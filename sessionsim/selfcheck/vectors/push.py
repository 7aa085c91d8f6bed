"""Sections about push notifications: what a device opens."""

from __future__ import annotations

from sessionsim.protocol.crypto import aead
from sessionsim.protocol.push.payload import open_payload, seal_payload
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, plain, section

_OVERHEAD_BYTES = aead.NONCE_BYTES + aead.TAG_BYTES


def _push_notification(draw: Draw) -> Made:
    enc_key, nonce = draw.raw(32), draw.raw(24)
    # A text never ends in the zeros of the padding; the reference's paddings are as short as this.
    plaintext = (draw.text(100) or "x").encode()
    payload = seal_payload(plaintext + bytes(draw.between(0, 40)), enc_key, nonce)
    return {
        "input": plain({"payload": payload, "enc_key": enc_key}),
        "expected": plain({"plaintext": plaintext}),
    }


@section(
    "push_notification",
    covers=["protocol.push.payload.open_payload", "protocol.push.payload.seal_payload"],
    direction="opened; the payload is rebuilt with its own nonce",
    make=_push_notification,
)
def push_notification(case: Case) -> None:
    """Opening the payload of a push: nonce first, zeros at the end taken off."""
    payload, enc_key = case.raw("payload"), case.raw("enc_key")
    plaintext = open_payload(payload, enc_key)
    case.same("plaintext", plaintext)
    padded = plaintext.ljust(len(payload) - _OVERHEAD_BYTES, b"\0")
    case.rebuilt("payload", seal_payload(padded, enc_key, payload[: aead.NONCE_BYTES]))
