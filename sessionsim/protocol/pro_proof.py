"""Proofs of Pro membership: issued by the backend for a rotating key, shown to everyone (messages 7.2).

    April 2026   B2b_32( version u8 ‖ tag ‖ rotating key ‖ expiry ms u64 LE; pers ProProof________ )
    draft        ProProof_v0_____ ‖ tag ‖ rotating key ‖ expiry s in decimal ASCII, signed without hashing

The tag (generation index hash, later revocation tag) and the rotating key are the same in every message while
the proof lasts, towards every recipient: they link an account's messages across conversations, blinded
community posts included. A proof names no account.

Rotating keys: the clients of April 2026 draw them at random; the draft derives one a week from a master key,
which itself is derived from the account's seed, so that all devices of an account have the same.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.crypto import KeyPair, Suite, real

TAG_BYTES: Final = 32  # Source: messages 7.2
KEY_BYTES: Final = 32  # Source: messages 7.2
SIGNATURE_BYTES: Final = 64  # Source: messages 7.2
VERSION: Final = 0  # of the April generation, the only one. Source: libsession-util: session_protocol.hpp
DOMAIN_BYTES: Final = 16  # Source: session-pro-backend: docs/pro-wire-protocol.md section 1.1
_PROOF_PERSON: Final = b"ProProof________"  # Source: messages 7.2; session-pro-backend: backend.py
_PROOF_DOMAIN: Final = b"ProProof_v0_____"  # Source: messages 7.2
_ROTATING_PERSON: Final = (
    b"ProRotatingSeed_"  # Source: messages 7.2; libsession-util: src/session_protocol.cpp
)
_MASTER_KEY: Final = b"SessionProRandom"  # Source: libsession-util: include/session/pro_backend.hpp
_DAY_MS: Final = 86_400_000
_DAY_S: Final = 86_400
# Source: libsession-util: session_protocol.hpp (PRO_ROTATING_SEED_PERIOD); weeks of the unix clock.
ROTATION_S: Final = 7 * _DAY_S
MONTH_MS: Final = 30 * _DAY_MS  # Source: session-pro-backend: base.py (MILLISECONDS_IN_MONTH)
# Source: session-pro-backend: base.py @ 3b5bd2d (PROOF_EXPIRY_SHAPE): cap and lead of the draft's expiry.
CAP_S: Final = 29 * _DAY_S
LEAD_S: Final = 3660


class Generation(IntEnum):
    """The two incompatible forms of a proof. Source: messages 7.2."""

    APRIL_2026 = 1
    DRAFT = 2


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof of membership.

    Args:
        generation: its form.
        tag: 32 bytes, the same for all proofs of one stretch of membership.
        rotating: Ed25519 key (32 bytes) that the member signs messages with.
        expires_ms: last moment of validity, unix ms; whole seconds in the draft.
        signature: 64 bytes by the backend; all zeros while it is being made.
    """

    generation: Generation
    tag: bytes
    rotating: bytes
    expires_ms: int
    signature: bytes

    def __post_init__(self) -> None:
        sizes = (len(self.tag), len(self.rotating), len(self.signature))
        if sizes != (TAG_BYTES, KEY_BYTES, SIGNATURE_BYTES):
            raise LocalProtocolError(f"a Pro proof with parts of {sizes} bytes, not 32, 32 and 64")
        if not 0 <= self.expires_ms < 1 << 64:
            raise LocalProtocolError(f"a Pro proof cannot expire at {self.expires_ms} ms")
        if self.generation is Generation.DRAFT and self.expires_ms % 1000:
            raise LocalProtocolError("a Pro proof of the draft expires at a whole second")


def signed_message(domain: bytes, *fields: bytes | int | str) -> bytes:
    """Write a message that the draft has somebody sign: a proof, or a request to the backend.

    Args:
        domain: 16 bytes.
        fields: keys and tags as they are; numbers in decimal ASCII and texts in UTF-8, which are of no fixed
            length: one byte 0 stands between two of those that follow each other.

    Raises:
        LocalProtocolError: another length of the domain.
    Source: messages 7.2; session-pro-backend: docs/pro-wire-protocol.md section 1.1.
    """
    if len(domain) != DOMAIN_BYTES:
        raise LocalProtocolError(f"a domain of {len(domain)} bytes, not 16")
    parts, after_variable = [domain], False
    for field in fields:
        variable = not isinstance(field, bytes)
        if variable and after_variable:
            parts.append(b"\0")
        parts.append(field if isinstance(field, bytes) else str(field).encode())
        after_variable = variable
    return b"".join(parts)


def signed_bytes(proof: Proof) -> bytes:
    """Give what the backend signs for a proof. Source: messages 7.2."""
    if proof.generation is Generation.DRAFT:
        return signed_message(_PROOF_DOMAIN, proof.tag, proof.rotating, proof.expires_ms // 1000)
    expiry = proof.expires_ms.to_bytes(8, "little")
    return hashlib.blake2b(
        bytes([VERSION]) + proof.tag + proof.rotating + expiry, digest_size=32, person=_PROOF_PERSON
    ).digest()


def issue(
    suite: Suite, backend: KeyPair, generation: Generation, tag: bytes, rotating: bytes, expires_ms: int
) -> Proof:
    """Issue a proof with the backend's Ed25519 key. Raises LocalProtocolError: see `Proof`."""
    blank = Proof(generation, tag, rotating, expires_ms, bytes(SIGNATURE_BYTES))
    return Proof(generation, tag, rotating, expires_ms, suite.sign_stored(backend, signed_bytes(blank)))


def is_genuine(suite: Suite, proof: Proof, backend: bytes) -> bool:
    """Check the backend's signature. Args: backend: its Ed25519 public key."""
    return suite.verify_stored(backend, signed_bytes(proof), proof.signature)


def is_active(proof: Proof, at_ms: int) -> bool:
    """Say whether a proof is still valid at a time; its last moment is. The draft counts in whole seconds.

    Source: libsession-util: src/session_protocol.cpp (ProProof::is_active).
    """
    if proof.generation is Generation.DRAFT:
        return at_ms // 1000 <= proof.expires_ms // 1000
    return at_ms <= proof.expires_ms


def expiry_by_day_ms(now_ms: int, entitled_until_ms: int) -> int:
    """Give when a proof of April 2026 ends: the day boundary after a month, or the end of the membership.

    Args:
        now_ms: when it is asked for, unix ms.
        entitled_until_ms: end of what was paid for; taken as it is if it comes first, since it does so only
            near the end.

    Source: messages 7.2; session-pro-backend: backend.py (_build_proof_clamped_expiry_time), March 2026.
    """
    return min(-(-(now_ms + MONTH_MS) // _DAY_MS) * _DAY_MS, entitled_until_ms)


def expiry_on_grid_ms(now_ms: int, entitled_until_ms: int, offset_s: int) -> int:
    """Give when a proof of the draft ends: on the account's own daily grid, up to a day and an hour late.

    Args:
        now_ms, entitled_until_ms: as in `expiry_by_day_ms`, the end with all grace included.
        offset_s: the grid's time of day, 0..86399, drawn for each account and billing cycle.

    Source: messages 7.2; session-pro-backend: base.py @ 3b5bd2d (ProofExpiryShape).
    """
    if not 0 <= offset_s < _DAY_S:
        raise LocalProtocolError(f"a grid offset of {offset_s} s, not of a day")
    until_ms = min(now_ms + CAP_S * 1000, entitled_until_ms) + LEAD_S * 1000
    return -(-(until_ms - offset_s * 1000) // _DAY_MS) * _DAY_MS + offset_s * 1000


def master_key(account_seed: bytes) -> KeyPair:
    """Derive the key that an account identifies itself to the backend with.

    Args:
        account_seed: the account's Ed25519 seed, 32 bytes.

    Source: libsession-util: src/ed25519.cpp, tests/test_ed25519.cpp (known answers).
    """
    return real.ed25519_keypair(hashlib.blake2b(account_seed, digest_size=32, key=_MASTER_KEY).digest())


def rotating_key(master: KeyPair, now_s: int) -> KeyPair:
    """Derive the rotating key of the week that a time lies in.

    Args:
        master: from `master_key`.
        now_s: unix time in s.

    Source: messages 7.2; libsession-util: src/session_protocol.cpp (ProProof::rotating_seed).
    """
    start = now_s - now_s % ROTATION_S
    text = master.secret + str(start).encode()
    return real.ed25519_keypair(hashlib.blake2b(text, digest_size=32, person=_ROTATING_PERSON).digest())
