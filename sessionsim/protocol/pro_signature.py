"""Pro in messages: what a member claims in Content, and the signature that backs it (messages 2.2, 3.3, 7.2).

The sender signs with the rotating key of its proof:

    direct message   the ciphertext, that is, the bytes of the envelope's field `content`
    group            the plain Content, which is the same field there
    community        the padded Content without field 17, where the signature is then put

Direct and group messages without Pro carry 64 bytes that look the same and verify under nothing, so that size
does not tell members apart. Community posts without Pro carry none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import KeyPair, Suite, real
from sessionsim.protocol.pro_proof import VERSION, Generation, Proof, is_active, is_genuine
from sessionsim.protocol.wire import session_pb2
from sessionsim.protocol.wire.envelope import PRO_SIGNATURE_BYTES, decode
from sessionsim.protocol.wire.padding import pad, unpad

MESSAGE_10K: Final = 1 << 0  # bit of `message_bits`: a text of up to 10 000. Source: messages 7.1
PROFILE_BADGE: Final = (
    1 << 0
)  # bits of `profile_bits`. Source: messages 7.1; libsession-util: session_protocol.h
PROFILE_ANIMATED_AVATAR: Final = 1 << 1  # Source: messages 7.1; libsession-util: session_protocol.h


class Decoy(Enum):
    """What stands in the place of a missing Pro signature.

    SCALARS: a random point and a random scalar. THROW_AWAY_KEY: a real signature of a key nobody keeps, as in
    builds of 2025. Source: messages 2.2.
    """

    SCALARS = "scalars"
    THROW_AWAY_KEY = "throw-away key"


class ProStatus(Enum):
    """What a reader makes of a claim. Source: libsession-util: session_protocol.hpp (ProStatus)."""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_FROM_BACKEND = "not from backend"
    NOT_FROM_SENDER = "not from sender"
    NO_PROOF = "no proof"


@dataclass(frozen=True, slots=True)
class ProClaim:
    """What a member says about itself in Content.

    Args:
        proof: None if there is none that this reader knows.
        profile_bits, message_bits: features used, see the constants of this module.
    """

    proof: Proof | None
    profile_bits: int = 0
    message_bits: int = 0


def pro_signature(
    suite: Suite,
    rotating: KeyPair | None,
    signed: bytes,
    random64: bytes,
    *,
    decoy: Decoy = Decoy.SCALARS,
) -> bytes:
    """Sign the content field of an envelope, or make a decoy; 64 bytes.

    Args:
        rotating: the key of the sender's proof; None without Pro.
        signed: the bytes of the content field.
        random64: 64 bytes never used before, for the decoy.
        decoy: which kind, without Pro.

    Raises:
        LocalProtocolError: randomness of wrong length.
    Source: messages 2.2; libsession-util: src/session_protocol.cpp.
    """
    if len(random64) != PRO_SIGNATURE_BYTES:
        raise LocalProtocolError(f"a decoy needs 64 random bytes, not {len(random64)}")
    if rotating is not None:
        return suite.sign_stored(rotating, signed)
    if decoy is Decoy.SCALARS:
        return suite.decoy_signature(random64)
    # Not through the caches of keys: this one is used once.
    return suite.sign_stored(real.ed25519_keypair.__wrapped__(random64[:32]), signed)


def status_of(
    suite: Suite, claim: ProClaim, backend: bytes, signed: bytes, signature: bytes, at_ms: int
) -> ProStatus:
    """Judge a claim.

    Args:
        backend: the backend's Ed25519 public key.
        signed: what the sender's signature must cover.
        signature: from the envelope, or from field 17 in communities.
        at_ms: the signed time of the message (in communities the reader's time), unix ms.

    Source: libsession-util: src/session_protocol.cpp (ProProof::status), checks in this order.
    """
    if claim.proof is None:
        return ProStatus.NO_PROOF
    if not is_genuine(suite, claim.proof, backend):
        return ProStatus.NOT_FROM_BACKEND
    if not suite.verify_stored(claim.proof.rotating, signed, signature):
        return ProStatus.NOT_FROM_SENDER
    return ProStatus.VALID if is_active(claim.proof, at_ms) else ProStatus.EXPIRED


def write_claim(claim: ProClaim, into: session_pb2.Content) -> None:
    """Put a claim into Content; bits that are 0 are left out."""
    written = into.proMessage
    written.SetInParent()
    if claim.proof is not None:
        _write_proof(claim.proof, written.proof)
    if claim.profile_bits:
        written.profileBitset = claim.profile_bits
    if claim.message_bits:
        written.msgBitset = claim.message_bits


def _write_proof(proof: Proof, written: session_pb2.ProProof) -> None:
    first = proof.generation is Generation.APRIL_2026
    if first:
        written.version = VERSION
    written.genIndexHash = proof.tag
    written.rotatingPublicKey = proof.rotating
    written.expireAtMs = proof.expires_ms if first else proof.expires_ms // 1000
    written.sig = proof.signature


def read_claim(found: session_pb2.ProMessage, generation: Generation) -> ProClaim:
    """Read a claim the way a client of one generation does.

    A client of April 2026 refuses the whole message if the proof is missing or of another form. One of the
    draft takes a missing proof for no claim; it reads an April proof as one of its own that ends in the far
    future, which then fails for the backend's signature.

    Raises:
        RemoteProtocolError: a proof that this generation does not accept.
    Source: messages 7.2; libsession-util: src/session_protocol.cpp (decode_envelope), both versions.
    """
    first = generation is Generation.APRIL_2026
    proof: Proof | None = None
    if found.HasField("proof"):
        proof = _read_proof(found.proof, generation)
    elif first:
        raise RemoteProtocolError("a Pro claim without proof")
    return ProClaim(proof, found.profileBitset, found.msgBitset)


def _read_proof(found: session_pb2.ProProof, generation: Generation) -> Proof:
    first = generation is Generation.APRIL_2026
    if first and not (found.HasField("version") and found.version == VERSION):
        raise RemoteProtocolError("a Pro proof of another version")
    if not found.HasField("expireAtMs"):
        raise RemoteProtocolError("a Pro proof without end")
    # Only 64 bits are carried in ms: a draft time that does not fit is as good as the last that does.
    expires_ms = found.expireAtMs if first else min(found.expireAtMs, (1 << 64) // 1000 - 1) * 1000
    try:
        return Proof(generation, found.genIndexHash, found.rotatingPublicKey, expires_ms, found.sig)
    except LocalProtocolError as wrong:
        raise RemoteProtocolError(str(wrong)) from wrong


@dataclass(frozen=True, slots=True)
class CommunityContent:
    """The content of a community post.

    Args:
        content: the Content as it was written, field 17 included, without padding.
        signed: what a Pro signature must cover.
        signature: 64 bytes; empty without Pro.
    """

    content: bytes
    signed: bytes
    signature: bytes


def community_content(suite: Suite, content: bytes, rotating: KeyPair | None) -> bytes:
    """Give the padded Content of a community post, with the member's signature in field 17 if there is a key.

    Args:
        content: a Content without field 17.
        rotating: the key of the sender's proof; None without Pro.

    Raises:
        LocalProtocolError: not a Content, or field 17 is set already.
    Source: messages 3.3; libsession-util: src/session_protocol.cpp (encode_for_community).
    """
    if rotating is None:
        return pad(content)
    try:
        parsed = decode(session_pb2.Content, content)
    except RemoteProtocolError as wrong:
        raise LocalProtocolError("only a Content can be signed") from wrong
    if parsed.HasField("proSigForCommunityMessageOnly"):
        raise LocalProtocolError("field 17 is for the signature made here")
    parsed.proSigForCommunityMessageOnly = suite.sign_stored(rotating, pad(content))
    return pad(parsed.SerializeToString())


def open_community_content(padded: bytes) -> CommunityContent:
    """Take a community post's content apart; who posted it is not looked at here.

    Only the form of today is read; the Envelope that communities are to move to is not in use (messages 3.3).

    Raises:
        RemoteProtocolError: not a Content, or a Pro signature of wrong length.
    Source: messages 3.3; libsession-util: src/session_protocol.cpp (decode_for_community).
    """
    content = unpad(padded)
    parsed = decode(session_pb2.Content, content)
    signature = parsed.proSigForCommunityMessageOnly
    if parsed.HasField("proSigForCommunityMessageOnly") and len(signature) != PRO_SIGNATURE_BYTES:
        raise RemoteProtocolError("a Pro signature that is not 64 bytes long")
    parsed.ClearField("proSigForCommunityMessageOnly")
    return CommunityContent(content, pad(parsed.SerializeToString()), signature)
