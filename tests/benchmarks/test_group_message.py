"""A group's message from Content to the bytes a swarm stores and back, and how a member signs a request.

Compression is among the primitives: every message is compressed to see whether that makes it shorter.
"""

from __future__ import annotations

from collections.abc import Callable

from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.groups.authentication import authenticate
from sessionsim.protocol.groups.identity import group_from_seed
from sessionsim.protocol.groups.key_ring import GroupKey, KeyRing
from sessionsim.protocol.groups.loading import OpenedKeys
from sessionsim.protocol.groups.message import open_group, seal_group
from sessionsim.protocol.groups.subaccount import signing_value, subaccount_of
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.versions.v1 import Profile, encode_text
from sessionsim.protocol.wire.group_envelope import wrap_group
from sessionsim.protocol.wire.rpc import signed_text
from sessionsim.selfcheck import primitives
from sessionsim.selfcheck.primitives import Primitive

SENT_MS = 1_777_000_000_000
ANNA = account_from_seed(bytes(16))
GROUP = group_from_seed(bytes(range(32)))
CONTENT = encode_text("x" * 50, SENT_MS, profile=Profile("Anna", "", b"", 1_777_000_000))
RANDOM = bytes(range(88))
ENVELOPE = wrap_group(CONTENT, SENT_MS, bytes(64))
STEP = 256
WRITTEN = 2 * STEP - 40  # the signed, padded dict
SIGNED = len(ENVELOPE) + 32


def ring() -> KeyRing:
    """Give a ring of three keys; the newest fits."""
    made = KeyRing()
    for generation in range(3):
        key = GroupKey(generation, SENT_MS + generation, bytes([generation]) * 32)
        made.take(OpenedKeys((key,), generation), f"hash {generation}")
    return made


def test_seal_a_group_message(beside: Callable[..., None]) -> None:
    suite, keys = suite_named("sodium", memo=False), ring()
    beside(
        "seal a group message (sodium)",
        lambda: seal_group(suite, ANNA, GROUP.id, keys, CONTENT, SENT_MS, RANDOM),
        (
            Primitive("decoy signature: a point", primitives.base_point_multiplied()),
            Primitive("decoy signature: two scalars", primitives.scalar_reduced(), 2),
            Primitive("zstd", primitives.zstd_compressed(ENVELOPE)),
            Primitive("Ed25519 signature", primitives.signature(SIGNED)),
            Primitive("XChaCha20-Poly1305 sealed", primitives.xchacha_sealed(WRITTEN)),
        ),
    )


def test_open_a_group_message(beside: Callable[..., None]) -> None:
    suite, keys = suite_named("sodium", memo=False), ring()
    sealed = seal_group(suite, ANNA, GROUP.id, keys, CONTENT, SENT_MS, RANDOM)
    assert open_group(suite, GROUP.id, keys, sealed).content == CONTENT
    beside(
        "open a group message (sodium)",
        lambda: open_group(suite, GROUP.id, keys, sealed),
        (
            Primitive("XChaCha20-Poly1305 opened", primitives.xchacha_opened(WRITTEN)),
            Primitive("zstd", primitives.zstd_expanded(ENVELOPE)),
            Primitive("Ed25519 verification", primitives.verification(SIGNED)),
        ),
    )


def test_sign_a_request_as_a_member(beside: Callable[..., None]) -> None:
    suite = suite_named("sodium", memo=False)
    access = subaccount_of(ANNA, signing_value(suite, GROUP, ANNA.id))
    text = signed_text("retrieve", 11, SENT_MS)
    beside(
        "sign a request as a member (sodium)",
        lambda: authenticate(suite, access, text),
        (
            Primitive("BLAKE2b nonce", primitives.blake2b(64 + len(text), 64, key_bytes=13)),
            Primitive("scalar of the nonce and of the challenge", primitives.scalar_reduced(), 2),
            Primitive("point of the nonce", primitives.base_point_multiplied()),
            Primitive("SHA-512 challenge", primitives.sha512(64 + len(text))),
            Primitive("product of scalars", primitives.scalars_multiplied()),
            Primitive("sum of scalars", primitives.scalars_added()),
        ),
    )
