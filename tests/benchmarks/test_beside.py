"""The comparison of an operation with its list: one that is padded, short or of another kind is refused."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from nacl import bindings

from sessionsim.selfcheck import primitives
from sessionsim.selfcheck.primitives import Primitive

AGREEMENT = Primitive("X25519 shared secret", primitives.shared_secret())


def operation() -> None:
    """Two agreements and a hash."""
    for _ in range(2):
        bindings.crypto_scalarmult(bytes(31) + b"\x01", bytes(31) + b"\x02")
    hashlib.blake2b(b"").digest()


def test_the_right_list_is_accepted(counting: Any) -> None:
    counting.compare(operation, (AGREEMENT._replace(fixed=2), Primitive("hash", primitives.blake2b(0))))


@pytest.mark.parametrize(
    "wrong",
    [
        (AGREEMENT._replace(fixed=3), Primitive("hash", primitives.blake2b(0))),  # padded
        (AGREEMENT._replace(fixed=1), Primitive("hash", primitives.blake2b(0))),  # short
        (AGREEMENT._replace(fixed=2),),  # lacks the hash
        (AGREEMENT._replace(fixed=2), Primitive("hash", primitives.sha256(0))),  # another hash
        (
            AGREEMENT,
            Primitive("public key", primitives.public_key()),
            Primitive("hash", primitives.blake2b(0)),
        ),
    ],
)
def test_a_wrong_list_is_refused(counting: Any, wrong: tuple[Primitive, ...]) -> None:
    with pytest.raises(AssertionError):
        counting.compare(operation, wrong)


PAIRS = {
    "sealed box": (primitives.box_sealed, {"box_beforenm": 1, "BLAKE2b": 1, "box_easy_afternm": 1}),
    "opened box": (primitives.box_opened, {"box_seal_open": 1}),
    "signature": (primitives.signature, {"sign": 1}),
    "verification": (primitives.verification, {"sign_open": 1}),
    "GCM sealed": (primitives.gcm_sealed, {"AES-GCM sealed": 1}),
    "GCM opened": (primitives.gcm_opened, {"AES-GCM opened": 1}),
    "HMAC": (primitives.hmac_sha256, {"sha256": 2}),
    "stream": (primitives.stream_sealed, {"secretstream_xchacha20poly1305_init_pull": 1,
                                          "secretstream_xchacha20poly1305_push": 3}),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_each_primitive_is_what_it_says(counting: Any, name: str) -> None:
    make, expected = PAIRS[name]
    assert dict(counting.counted(make(70_000))) == expected
