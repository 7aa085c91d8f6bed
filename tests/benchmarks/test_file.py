"""Attachments of 100 kB in both schemes. They hold no JSON and no curve operation; held to the same ratio."""

from __future__ import annotations

from collections.abc import Callable

from sessionsim.protocol.files import deterministic, legacy
from sessionsim.selfcheck import primitives
from sessionsim.selfcheck.primitives import Primitive

FILE = bytes(range(250)) * 400
SEED, KEY, IV = bytes(32), bytes(64), bytes(16)
PADDED = legacy.padded_bytes(len(FILE))
SEALED = legacy.sealed_bytes(len(FILE))
STREAMED = len(FILE) + deterministic.padding_bytes(len(FILE))


def test_seal_a_legacy_attachment(beside: Callable[..., None]) -> None:
    beside(
        "seal an attachment of 100 kB (legacy)",
        lambda: legacy.seal_attachment(FILE, KEY, IV),
        (
            Primitive("AES-256-CBC", primitives.cbc_sealed(PADDED)),
            Primitive("HMAC-SHA256", primitives.hmac_sha256(SEALED - 32)),
            Primitive("SHA-256 digest", primitives.sha256(SEALED)),
        ),
    )


def test_open_a_legacy_attachment(beside: Callable[..., None]) -> None:
    blob, digest = legacy.seal_attachment(FILE, KEY, IV)
    assert legacy.open_attachment(blob, KEY, digest, len(FILE)) == FILE
    beside(
        "open an attachment of 100 kB (legacy)",
        lambda: legacy.open_attachment(blob, KEY, digest, len(FILE)),
        (
            Primitive("HMAC-SHA256", primitives.hmac_sha256(SEALED - 32)),
            Primitive("SHA-256 digest", primitives.sha256(SEALED)),
            Primitive("AES-256-CBC", primitives.cbc_opened(PADDED)),
        ),
    )


def test_seal_a_deterministic_attachment(beside: Callable[..., None]) -> None:
    beside(
        "seal an attachment of 100 kB (deterministic)",
        lambda: deterministic.seal_file(FILE, SEED, deterministic.Purpose.ATTACHMENT),
        (
            Primitive("BLAKE2b of the file", primitives.blake2b(len(FILE), 56, key_bytes=32)),
            Primitive("secretstream", primitives.stream_sealed(STREAMED)),
        ),
    )


def test_open_a_deterministic_attachment(beside: Callable[..., None]) -> None:
    blob, key = deterministic.seal_file(FILE, SEED, deterministic.Purpose.ATTACHMENT)
    assert deterministic.open_file(blob, key) == FILE
    beside(
        "open an attachment of 100 kB (deterministic)",
        lambda: deterministic.open_file(blob, key),
        (Primitive("secretstream", primitives.stream_opened(STREAMED)),),
    )
