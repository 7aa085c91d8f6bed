"""Sections about messages between two blinded ids of a community."""

from __future__ import annotations

from sessionsim.protocol import blinded_message
from sessionsim.protocol.blinding import PREFIX_15, PREFIX_25
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, Mismatch, plain, section
from sessionsim.selfcheck.vectors.identity import account_of, new_account, secret_of

_COVERS = ("protocol.blinded_message.seal", "protocol.blinded_message.unseal")
_DIRECTION = "decrypt both sides (and exact with nonce)"


def _make(draw: Draw, prefix: bytes) -> Made:
    sender, recipient, server, nonce = new_account(draw), new_account(draw), draw.raw(32), draw.raw(24)
    recipient_id = blinded_message.own_id(recipient, server, prefix)
    message = draw.raw(draw.choice((0, 1, 160, draw.between(2, 2500))))
    return {
        "input": plain(
            {
                "recipient_sk": secret_of(recipient),
                "sender_sk": secret_of(sender),
                "server_pk": server,
                "sender_id": blinded_message.own_id(sender, server, prefix),
                "recipient_id": recipient_id,
                "ciphertext": blinded_message.seal(sender, server, recipient_id, message, nonce),
            }
        ),
        "expected": plain({"plaintext": message, "sender_session_id": sender.id}),
        "randomness": plain({"draws": [nonce], "meaning": ["24-byte nonce (appended to the message)"]}),
    }


def _check(case: Case, prefix: bytes) -> None:
    server, sealed = case.raw("server_pk"), case.raw("ciphertext")
    sender_id, recipient_id = case.raw("sender_id"), case.raw("recipient_id")
    sender, recipient = account_of(case.raw("sender_sk")), account_of(case.raw("recipient_sk"))
    if {sender_id[:1], recipient_id[:1]} != {prefix}:
        raise Mismatch(f"the ids do not start with {prefix.hex()}")
    for own in (recipient, sender):
        opened = blinded_message.unseal(own, server, sender_id, recipient_id, sealed)
        case.same("plaintext", opened.message)
        case.same("sender_session_id", opened.sender)
    case.rebuilt("sender_id", blinded_message.own_id(sender, server, prefix))
    case.rebuilt("recipient_id", blinded_message.own_id(recipient, server, prefix))
    # The nonce stands at the end of the message, so it is known even where no draws are recorded.
    nonce = case.draws[0] if case.draws else sealed[-24:]
    case.rebuilt("ciphertext", blinded_message.seal(sender, server, recipient_id, opened.message, nonce))


@section("blind15_message", covers=_COVERS, direction=_DIRECTION, make=lambda draw: _make(draw, PREFIX_15))
def blind15_message(case: Case) -> None:
    """Message between two 15 ids, opened by both ends and rebuilt."""
    _check(case, PREFIX_15)


@section("blind25_message", covers=_COVERS, direction=_DIRECTION, make=lambda draw: _make(draw, PREFIX_25))
def blind25_message(case: Case) -> None:
    """Message between two 25 ids, opened by both ends and rebuilt."""
    _check(case, PREFIX_25)
