"""A direct message from Content to the bytes a swarm stores, and back.

The recipient has met the sender before: the conversion of the sender's key is cached for each process.
"""

from __future__ import annotations

from collections.abc import Callable

from sessionsim.protocol.contents import Message, Text
from sessionsim.protocol.crypto import Suite, suite_named
from sessionsim.protocol.direct import open_message, seal_message
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.versions.v1 import Profile, encode_text, open_direct, seal_direct
from sessionsim.selfcheck import primitives
from sessionsim.selfcheck.primitives import Primitive

SENT_MS = 1_777_000_000_000
BODY = "x" * 50
RANDOM = bytes(range(96))
ANNA, BELA = account_from_seed(bytes(16)), account_from_seed(bytes(15) + b"\x01")
PROFILE = Profile("Anna", "", b"", 1_777_000_000)
PADDED = 160  # a short text with a name
SEALED = PADDED + 96


SEALING = (
    Primitive("Ed25519 signature", primitives.signature(SEALED - 32)),
    Primitive("X25519 ephemeral public key", primitives.public_key()),
    Primitive("sealed box, sealed", primitives.box_sealed(SEALED)),
    Primitive("decoy signature: a point", primitives.base_point_multiplied()),
    Primitive("decoy signature: two scalars", primitives.scalar_reduced(), 2),
)
OPENING = (
    Primitive("sealed box, opened", primitives.box_opened(SEALED)),
    Primitive("Ed25519 verification", primitives.verification(SEALED - 32)),
)


def sealed_text(suite: Suite) -> bytes:
    content = encode_text(BODY, SENT_MS, profile=PROFILE)
    return seal_direct(suite, ANNA, BELA.id, content, SENT_MS, RANDOM)


def test_seal_a_text(beside: Callable[..., None]) -> None:
    """The client's short way for plain texts."""
    suite = suite_named("sodium", memo=False)
    assert len(sealed_text(suite)) == 398
    beside("seal a direct message (sodium, text)", lambda: sealed_text(suite), SEALING)


def test_open_a_text(beside: Callable[..., None]) -> None:
    suite = suite_named("sodium", memo=False)
    stored = sealed_text(suite)
    assert open_direct(suite, BELA, stored).body == BODY
    beside("open a direct message (sodium, text)", lambda: open_direct(suite, BELA, stored), OPENING)


def test_seal_a_message_of_any_kind(beside: Callable[..., None]) -> None:
    suite, message = suite_named("sodium", memo=False), Message(SENT_MS, Text(BODY, profile=PROFILE))
    beside(
        "seal a direct message (sodium, any kind)",
        lambda: seal_message(suite, ANNA, BELA.id, message, RANDOM),
        SEALING,
    )


def test_open_a_message_of_any_kind(beside: Callable[..., None]) -> None:
    suite, message = suite_named("sodium", memo=False), Message(SENT_MS, Text(BODY, profile=PROFILE))
    stored = seal_message(suite, ANNA, BELA.id, message, RANDOM)
    assert open_message(suite, BELA, stored).message == message
    beside("open a direct message (sodium, any kind)", lambda: open_message(suite, BELA, stored), OPENING)
