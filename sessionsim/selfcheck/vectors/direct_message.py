"""Sections about direct messages: signing, sealing and opening, and the whole stack down to the text."""

from __future__ import annotations

from typing import Any, Final

from sessionsim.protocol.contents import Message, Profile, Text, read
from sessionsim.protocol.crypto import KeyPair, suite_named
from sessionsim.protocol.direct import direct_envelope, seal_message_old
from sessionsim.protocol.identity import Account, account_from_ed25519_seed, account_id_of_ed25519
from sessionsim.protocol.versions import v1
from sessionsim.protocol.wire.envelope import body_of
from sessionsim.protocol.wire.padding import unpad
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, Mismatch, plain, section

# Nothing may be remembered between making and checking a case.
_SODIUM: Final = suite_named("sodium", memo=False)
_BOX_BYTES: Final = v1.SEAL_BYTES + v1.KEY_BYTES + v1.SIGNATURE_BYTES
_LONGEST: Final = 3000  # bytes of a message, as in the reference's cases


def _account(secret: bytes) -> Account:
    """Make the account of a 32-byte seed, or of libsodium's 64 bytes, seed ‖ public key."""
    account = account_from_ed25519_seed(secret[:32])
    if secret[32:] not in (b"", account.ed.public):
        raise Mismatch("a secret key whose second half is not its public key")
    return account


def _x25519(recipient: bytes) -> bytes:
    """Take the 05 off an account id; a bare key stays."""
    return recipient[1:] if len(recipient) == 33 and recipient[0] == 5 else recipient


def _secret(account: Account, *, whole: bool) -> bytes:
    return account.ed.secret + account.ed.public if whole else account.ed.secret


def _someone(draw: Draw) -> Account:
    return account_from_ed25519_seed(draw.raw(32))


def _message(draw: Draw) -> bytes:
    """Random bytes or words, often short, sometimes empty or on an edge of the padding."""
    size = draw.choice((0, 1, 15, 159, 160, 161, draw.between(2, 400), draw.between(400, _LONGEST)))
    return draw.text(max(1, size // 2)).encode() if draw.flag() else draw.raw(size)


def _to_sign(draw: Draw) -> tuple[Account, Account, bytes, dict[str, Any]]:
    """Draw sender, recipient and message, and the inputs that name them in one of two ways."""
    sender, recipient, message, whole = _someone(draw), _someone(draw), _message(draw), draw.flag()
    named = recipient.x.public if whole else recipient.id
    given = {"sender_sk": _secret(sender, whole=whole), "recipient": named, "message": message}
    return sender, recipient, message, given


def _make_signed(draw: Draw) -> Made:
    sender, recipient, message, given = _to_sign(draw)
    signed = v1.sign_for_recipient(_SODIUM, sender, recipient.x.public, message)
    return {"input": plain(given), "expected": plain({"signed": signed})}


@section(
    "sign_for_recipient",
    covers=["protocol.versions.v1.sign_for_recipient"],
    direction="exact",
    make=_make_signed,
)
def sign_for_recipient(case: Case) -> None:
    """Message, sender's Ed25519 key and signature, as they are sealed."""
    sender, recipient = _account(case.raw("sender_sk")), _x25519(case.raw("recipient"))
    case.same("signed", v1.sign_for_recipient(_SODIUM, sender, recipient, case.raw("message")))


def _make_deterministic(draw: Draw) -> Made:
    sender, recipient, message, given = _to_sign(draw)
    given["recipient_sk_for_decrypt"] = _secret(recipient, whole=True)
    sealed = v1.encrypt_deterministic(_SODIUM, sender, recipient.x.public, message)
    return {"input": plain(given), "expected": plain({"ciphertext": sealed})}


@section(
    "encrypt_deterministic",
    covers=["protocol.versions.v1.encrypt_deterministic", "protocol.versions.v1.decrypt"],
    direction="exact, and opened again",
    make=_make_deterministic,
)
def encrypt_deterministic(case: Case) -> None:
    """Sealed box whose ephemeral key comes from sender, recipient and message."""
    sender, message = _account(case.raw("sender_sk")), case.raw("message")
    sealed = v1.encrypt_deterministic(_SODIUM, sender, _x25519(case.raw("recipient")), message)
    case.same("ciphertext", sealed)
    if case.has("recipient_sk_for_decrypt"):
        reader = _account(case.raw("recipient_sk_for_decrypt"))
        if v1.decrypt(_SODIUM, reader.x, sealed) != (sender.ed.public, message):
            raise Mismatch("the recipient does not read what was sealed")


def _make_incoming(draw: Draw) -> Made:
    sender, recipient, message, ephemeral = _someone(draw), _someone(draw), _message(draw), draw.raw(32)
    sealed = v1.encrypt(_SODIUM, sender, recipient.x.public, message, ephemeral)
    return {
        "input": plain({"recipient_sk": _secret(recipient, whole=draw.flag()), "ciphertext": sealed}),
        "expected": plain(
            {
                "plaintext": message,
                "sender_ed25519_pk": sender.ed.public,
                "sender_session_id": sender.id,
            }
        ),
        "randomness": plain(
            {
                "draws": [ephemeral],
                "meaning": ["ephemeral x25519 secret key"],
                "sender_sk": _secret(sender, whole=True),
            }
        ),
    }


@section(
    "decrypt_incoming",
    covers=["protocol.versions.v1.decrypt", "protocol.versions.v1.encrypt"],
    direction="decrypt, and exact where the ephemeral secret is recorded",
    make=_make_incoming,
)
def decrypt_incoming(case: Case) -> None:
    """A sealed, signed message for an account, opened and rebuilt."""
    reader = _account(case.raw("recipient_sk"))
    sender, message = v1.decrypt(_SODIUM, reader.x, case.raw("ciphertext"))
    case.same("plaintext", message)
    case.same("sender_ed25519_pk", sender)
    case.same("sender_session_id", account_id_of_ed25519(sender))
    if case.draws and "sender_sk" in case.randomness:
        writer = _account(bytes.fromhex(case.randomness["sender_sk"]))
        case.rebuilt("ciphertext", v1.encrypt(_SODIUM, writer, reader.x.public, message, case.draws[0]))


def _make_incoming_x25519(draw: Draw) -> Made:
    sender, pair, message = _someone(draw), _someone(draw).x, _message(draw)
    sealed = v1.encrypt(_SODIUM, sender, pair.public, message, draw.raw(32))
    return {
        "input": plain({"x25519_pk": pair.public, "x25519_sk": pair.secret, "ciphertext": sealed}),
        "expected": plain(
            {
                "plaintext": message,
                "sender_ed25519_pk": sender.ed.public,
                "sender_session_id": sender.id,
            }
        ),
    }


@section(
    "decrypt_incoming_x25519",
    covers=["protocol.versions.v1.decrypt"],
    direction="decrypt",
    make=_make_incoming_x25519,
)
def decrypt_incoming_x25519(case: Case) -> None:
    """The same for a bare X25519 pair, as legacy groups have."""
    pair = KeyPair(case.raw("x25519_pk"), case.raw("x25519_sk"))
    sender, message = v1.decrypt(_SODIUM, pair, case.raw("ciphertext"))
    case.same("plaintext", message)
    case.same("sender_ed25519_pk", sender)
    case.same("sender_session_id", account_id_of_ed25519(sender))


def _make_invalid(draw: Draw) -> Made:
    sender, recipient, other, message = _someone(draw), _someone(draw), _someone(draw), _message(draw)
    ephemeral = draw.raw(32)
    sealed = v1.encrypt(_SODIUM, sender, recipient.x.public, message, ephemeral)
    why = draw.choice(
        (
            "one bit of the ciphertext flipped",
            "wrong recipient",
            "truncated by one byte",
            "too short",
            "signature made for another recipient",
            "bytes behind the ciphertext",
        )
    )
    if why.startswith("one bit"):
        bit = draw.between(0, 8 * len(sealed) - 1)
        sealed = bytes(byte ^ (i == bit // 8) << bit % 8 for i, byte in enumerate(sealed))
    elif why == "wrong recipient":
        recipient = other
    elif why.startswith("truncated"):
        sealed = sealed[:-1]
    elif why == "too short":
        sealed = draw.raw(draw.between(0, _BOX_BYTES - 1))
    elif why.startswith("signature"):
        inner = v1.sign_for_recipient(_SODIUM, sender, other.x.public, message)
        sealed = _SODIUM.seal_box(inner, recipient.x.public, _SODIUM.ephemeral(ephemeral))
    else:
        sealed += draw.raw(draw.between(1, 20))
    given = {"recipient_sk": _secret(recipient, whole=True), "ciphertext": sealed}
    return {"input": plain(given), "expected": {"error": True, "why": why}}


@section(
    "decrypt_incoming_invalid",
    covers=["protocol.versions.v1.decrypt"],
    direction="reject",
    make=_make_invalid,
)
def decrypt_incoming_invalid(case: Case) -> None:
    """Sealed bytes that must be refused."""
    reader, sealed = _account(case.raw("recipient_sk")), case.raw("ciphertext")
    case.refused(lambda: v1.decrypt(_SODIUM, reader.x, sealed))


def _make_stack(draw: Draw) -> Made:
    sender, recipient = _someone(draw), _someone(draw)
    sent_ms = draw.between(1_700_000_000_000, 1_710_000_000_000)
    body = draw.text(draw.choice((1, 20, 150, 400))) or "."
    profile = Profile(draw.text(12) or ".", "", draw.raw(32), None) if draw.flag() else None
    message = Message(sent_ms, Text(body=body, profile=profile, old_sent_ms=sent_ms))
    stored = seal_message_old(
        _SODIUM, sender, recipient.id, message, draw.raw(32), draw.between(0, (1 << 32) - 1)
    )
    given = {"recipient_sk": _secret(recipient, whole=True), "websocket_message": stored}
    return {"input": plain(given), "expected": plain(_opened(recipient, stored))}


def _opened(reader: Account, stored: bytes) -> dict[str, Any]:
    """Take a stored message apart, outermost first."""
    envelope = direct_envelope(stored)
    sender, padded = v1.decrypt(_SODIUM, reader.x, envelope.content)
    content = unpad(padded)
    part = read(content).part
    if not isinstance(part, Text):
        raise Mismatch(f"a text is wanted, not a {type(part).__name__}")
    return {
        "envelope": body_of(stored),
        "envelope_type": envelope.kind,
        "envelope_timestamp": envelope.sent_ms,
        "ciphertext": envelope.content,
        "padded_content": padded,
        "content": content,
        "data_message": _shown(part),
        "sender_session_id": account_id_of_ed25519(sender),
    }


def _shown(text: Text) -> dict[str, Any]:
    shown: dict[str, Any] = {"body": text.body}
    if text.old_sent_ms is not None:
        shown["timestamp"] = text.old_sent_ms
    if text.profile is not None and text.profile.name:
        shown["display_name"] = text.profile.name
    if text.profile is not None and text.profile.key:
        shown["profile_key"] = text.profile.key
    return shown


@section(
    "dm_stack",
    covers=[
        "protocol.wire.envelope.body_of",
        "protocol.wire.envelope.read_envelope",
        "protocol.versions.v1.decrypt",
        "protocol.wire.padding.unpad",
        "protocol.contents.read",
    ],
    direction="decode and decrypt",
    make=_make_stack,
)
def dm_stack(case: Case) -> None:
    """A whole direct message, from what the swarm stores to the text."""
    for name, got in _opened(_account(case.raw("recipient_sk")), case.raw("websocket_message")).items():
        case.same(name, got)
