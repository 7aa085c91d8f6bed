"""Pro: known answers of proofs and keys, both generations, what signatures must cover, hostile claims."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.contents import Message, Profile, Text, write
from sessionsim.protocol.crypto import KeyPair, Suite, real, suite_named
from sessionsim.protocol.pro_proof import (
    Generation,
    Proof,
    expiry_by_day_ms,
    expiry_on_grid_ms,
    is_active,
    is_genuine,
    issue,
    master_key,
    rotating_key,
    signed_bytes,
    signed_message,
)
from sessionsim.protocol.pro_signature import (
    MESSAGE_10K,
    PROFILE_BADGE,
    CommunityContent,
    Decoy,
    ProClaim,
    ProStatus,
    community_content,
    open_community_content,
    pro_signature,
    read_claim,
    status_of,
    write_claim,
)
from sessionsim.protocol.wire import session_pb2
from sessionsim.protocol.wire.envelope import decode
from sessionsim.protocol.wire.padding import pad, unpad

GROUPS = json.loads((Path(__file__).parents[1] / "vectors" / "pro.json").read_text("utf-8"))["groups"]
SUITES = {name: suite_named(name) for name in ("fast", "sodium")}
BACKEND, ROTATING, OTHER = (real.ed25519_keypair(bytes([n]) * 32) for n in (3, 2, 9))
TAG = b"\x11" * 32
DAY_MS = 86_400_000
NOW_MS = 1_777_000_000_000
BOTH = pytest.mark.parametrize("generation", list(Generation))


@pytest.fixture(params=list(SUITES))
def suite(request: pytest.FixtureRequest) -> Suite:
    return SUITES[request.param]


def cases(group: str) -> Any:
    return pytest.mark.parametrize("case", GROUPS[f"libsession-new:{group}"])


def proof_of(generation: Generation, expires_ms: int = NOW_MS) -> Proof:
    return issue(SUITES["sodium"], BACKEND, generation, TAG, ROTATING.public, expires_ms)


# ---- Known answers ----


@cases("master_key")
def test_master_key_of_libsession(case: dict[str, Any]) -> None:
    found = master_key(bytes.fromhex(case["input"]["account_seed"]))
    assert (found.secret.hex(), found.public.hex()) == (
        case["expected"]["secret"],
        case["expected"]["public"],
    )


@cases("rotating_seed")
def test_rotating_seed_of_libsession(case: dict[str, Any]) -> None:
    master = KeyPair(bytes(32), bytes.fromhex(case["input"]["master_seed"]))
    found = rotating_key(master, case["input"]["now_s"])
    assert found.secret.hex() == case["expected"]["seed"]
    assert found == real.ed25519_keypair(found.secret)


@cases("signed_message")
def test_signed_message_of_libsession(case: dict[str, Any]) -> None:
    fields = [bytes.fromhex(f["hex"]) if isinstance(f, dict) else f for f in case["input"]["fields"]]
    assert signed_message(case["input"]["domain"].encode(), *fields).hex() == case["expected"]


@cases("proof")
def test_proof_of_libsession(case: dict[str, Any], suite: Suite) -> None:
    given = case["input"]
    backend = real.ed25519_keypair(bytes.fromhex(given["backend_seed"]))
    rotating = bytes.fromhex(given["rotating"])
    proof = issue(
        suite, backend, Generation.DRAFT, bytes.fromhex(given["tag"]), rotating, given["expires_s"] * 1000
    )
    assert signed_bytes(proof).hex() == case["expected"]["signed"]
    assert proof.signature.hex() == case["expected"]["signature"]


def test_april_proof_signs_the_hash_of_the_specification() -> None:
    proof = proof_of(Generation.APRIL_2026)
    text = b"\0" + TAG + ROTATING.public + NOW_MS.to_bytes(8, "little")
    digest = hashlib.blake2b(text, digest_size=32, person=b"ProProof________").digest()
    assert signed_bytes(proof) == digest
    assert real.ed25519_verify(BACKEND.public, digest, proof.signature)


# ---- Proofs ----


@BOTH
def test_changed_proof_or_other_backend_is_not_genuine(generation: Generation, suite: Suite) -> None:
    proof = proof_of(generation)
    assert is_genuine(suite, proof, BACKEND.public)
    assert not is_genuine(suite, proof, OTHER.public)
    for changed in (
        replace(proof, tag=bytes(32)),
        replace(proof, rotating=OTHER.public),
        replace(proof, expires_ms=NOW_MS + 1000),
        replace(proof, generation=Generation(3 - generation)),
    ):
        assert not is_genuine(suite, changed, BACKEND.public)


@pytest.mark.parametrize(
    ("generation", "at_ms", "active"),
    [
        (Generation.APRIL_2026, NOW_MS, True),
        (Generation.APRIL_2026, NOW_MS + 1, False),
        (Generation.DRAFT, NOW_MS + 999, True),
        (Generation.DRAFT, NOW_MS + 1000, False),
    ],
)
def test_last_moment_of_a_proof(generation: Generation, at_ms: int, active: bool) -> None:
    assert is_active(proof_of(generation), at_ms) is active


@given(st.integers(0, 2**42), st.integers(0, 2**42))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_april_expiry_is_a_day_boundary_within_a_month_and_a_day(now_ms: int, until_ms: int) -> None:
    expires_ms = expiry_by_day_ms(now_ms, until_ms)
    assert expires_ms <= until_ms
    assert expires_ms < now_ms + 31 * DAY_MS
    assert expires_ms == until_ms or (expires_ms % DAY_MS == 0 and expires_ms >= now_ms + 30 * DAY_MS)


def test_april_expiry_by_hand() -> None:
    day = 20_000 * DAY_MS
    assert expiry_by_day_ms(day, 1 << 50) == day + 30 * DAY_MS
    assert expiry_by_day_ms(day + 1, 1 << 50) == day + 31 * DAY_MS
    assert expiry_by_day_ms(day, day + 5) == day + 5


@given(st.integers(2**40, 2**42), st.integers(2**40, 2**42), st.integers(0, 86_399))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_draft_expiry_lies_on_the_accounts_grid(now_ms: int, until_ms: int, offset_s: int) -> None:
    expires_ms = expiry_on_grid_ms(now_ms, until_ms, offset_s)
    at_least = min(now_ms + 29 * DAY_MS, until_ms) + 3_660_000
    assert (expires_ms - offset_s * 1000) % DAY_MS == 0
    assert at_least <= expires_ms < at_least + DAY_MS


def test_draft_expiry_by_hand() -> None:
    day = 20_000 * DAY_MS
    on_grid = day - 3_660_000  # so that an hour and a minute later is midnight
    now_ms = on_grid - DAY_MS
    assert expiry_on_grid_ms(now_ms, on_grid, 0) == day
    assert expiry_on_grid_ms(on_grid - 29 * DAY_MS, 1 << 50, 0) == day
    assert expiry_on_grid_ms(now_ms, on_grid + 1, 0) == day + DAY_MS
    assert expiry_on_grid_ms(now_ms, on_grid, 60) == day + 60_000


def test_rotating_key_changes_once_a_week() -> None:
    master, week = master_key(bytes(32)), 7 * 86_400
    start = NOW_MS // 1000 // week * week
    assert rotating_key(master, start) == rotating_key(master, start + week - 1)
    assert rotating_key(master, start) != rotating_key(master, start + week)
    assert rotating_key(master, start) != rotating_key(master_key(b"\1" * 32), start)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: proof_of(Generation.DRAFT, NOW_MS + 1), "whole second"),
        (lambda: proof_of(Generation.APRIL_2026, -1), "cannot expire"),
        (lambda: proof_of(Generation.APRIL_2026, 1 << 64), "cannot expire"),
        (lambda: Proof(Generation.DRAFT, b"", bytes(32), 0, bytes(64)), "parts of"),
        (lambda: signed_message(b"short"), "domain of 5"),
        (lambda: expiry_on_grid_ms(0, 0, 86_400), "grid offset"),
        (lambda: pro_signature(SUITES["fast"], None, b"", bytes(63)), "63"),
    ],
)
def test_own_mistakes(make: Any, reason: str) -> None:
    with pytest.raises(LocalProtocolError, match=reason):
        make()


def test_fields_of_no_fixed_length_are_kept_apart() -> None:
    domain = b"d" * 16
    assert signed_message(domain, 1, 23) != signed_message(domain, 12, 3)
    assert signed_message(domain, 1, b"k", "x") == domain + b"1kx"
    assert signed_message(domain, "", "") == domain + b"\0"


# ---- Signatures of messages ----


def test_signature_covers_the_content_field_and_decoy_verifies_under_nothing(suite: Suite) -> None:
    real_one = pro_signature(suite, ROTATING, b"content", bytes(64))
    assert real.ed25519_verify(ROTATING.public, b"content", real_one)
    assert not real.ed25519_verify(ROTATING.public, b"other", real_one)
    for decoy in Decoy:
        made = pro_signature(suite, None, b"content", b"\x07" * 64, decoy=decoy)
        assert len(made) == len(real_one)
        assert not real.ed25519_verify(ROTATING.public, b"content", made)
        assert made != pro_signature(suite, None, b"content", b"\x08" * 64, decoy=decoy)
    thrown = pro_signature(suite, None, b"content", b"\x07" * 64, decoy=Decoy.THROW_AWAY_KEY)
    assert real.ed25519_verify(real.ed25519_keypair(b"\x07" * 32).public, b"content", thrown)


@BOTH
def test_status_names_the_first_thing_that_is_wrong(generation: Generation, suite: Suite) -> None:
    claim = ProClaim(proof_of(generation))
    signature = pro_signature(suite, ROTATING, b"sealed", bytes(64))

    def status(**change: Any) -> ProStatus:
        values = {
            "claim": claim, "backend": BACKEND.public, "signed": b"sealed", "signature": signature,
            "at_ms": NOW_MS, **change,
        }  # fmt: skip
        return status_of(suite, **values)

    assert status() is ProStatus.VALID
    assert status(at_ms=NOW_MS + 1000) is ProStatus.EXPIRED
    assert status(signed=b"other", at_ms=NOW_MS + 1000) is ProStatus.NOT_FROM_SENDER
    assert status(signature=bytes(64)) is ProStatus.NOT_FROM_SENDER
    assert status(signature=b"") is ProStatus.NOT_FROM_SENDER
    assert status(backend=OTHER.public, signed=b"other") is ProStatus.NOT_FROM_BACKEND
    assert status(claim=ProClaim(None)) is ProStatus.NO_PROOF


def claimed(claim: ProClaim) -> session_pb2.ProMessage:
    content = session_pb2.Content()
    write_claim(claim, content)
    return decode(session_pb2.Content, content.SerializeToString()).proMessage


@BOTH
def test_claim_is_read_as_written(generation: Generation) -> None:
    claim = ProClaim(proof_of(generation), PROFILE_BADGE, MESSAGE_10K)
    assert read_claim(claimed(claim), generation) == claim


@BOTH
def test_claim_adds_about_140_bytes_to_content(generation: Generation) -> None:
    plain = len(write(Message(NOW_MS, Text("x"))))
    with_pro = len(write(Message(NOW_MS, Text("x"), pro=ProClaim(proof_of(generation), 1, 0))))
    assert 140 <= with_pro - plain <= 155


def test_generations_do_not_understand_each_other() -> None:
    april, draft = (claimed(ProClaim(proof_of(g))) for g in Generation)
    with pytest.raises(RemoteProtocolError, match="another version"):
        read_claim(draft, Generation.APRIL_2026)
    misread = read_claim(april, Generation.DRAFT).proof
    assert misread is not None
    assert not is_genuine(SUITES["sodium"], misread, BACKEND.public)


def test_missing_proof_costs_the_message_in_april_and_the_claim_in_the_draft() -> None:
    bare = claimed(ProClaim(None, PROFILE_BADGE))
    with pytest.raises(RemoteProtocolError, match="without proof"):
        read_claim(bare, Generation.APRIL_2026)
    assert read_claim(bare, Generation.DRAFT) == ProClaim(None, PROFILE_BADGE)


@BOTH
@pytest.mark.parametrize("field", ["genIndexHash", "rotatingPublicKey", "expireAtMs", "sig"])
def test_proof_that_lacks_a_field_is_refused(generation: Generation, field: str) -> None:
    found = claimed(ProClaim(proof_of(generation)))
    found.proof.ClearField(field)
    with pytest.raises(RemoteProtocolError):
        read_claim(found, generation)


@given(st.binary(max_size=80), st.sampled_from(list(Generation)))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_random_claims_raise_nothing_else(raw: bytes, generation: Generation) -> None:
    try:
        read_claim(decode(session_pb2.ProMessage, raw), generation)
    except RemoteProtocolError:
        return


@given(st.integers(0, 2**64 - 1), st.sampled_from(list(Generation)))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_any_end_of_a_proof_is_readable(expires: int, generation: Generation) -> None:
    found = claimed(ProClaim(proof_of(generation)))
    found.proof.expireAtMs = expires
    assert read_claim(found, generation).proof is not None


# ---- Communities ----

PROFILE = Profile("Alice", "", b"", 0)


def test_community_post_of_a_member_carries_a_signature_over_its_padded_content(suite: Suite) -> None:
    content = write(Message(NOW_MS, Text("hello", profile=PROFILE), pro=ProClaim(proof_of(Generation.DRAFT))))
    padded = community_content(suite, content, ROTATING)
    opened = open_community_content(padded)
    assert len(padded) % 160 == 0
    assert unpad(padded).startswith(content)
    assert opened.signed == pad(content)
    assert real.ed25519_verify(ROTATING.public, pad(content), opened.signature)
    assert opened.content[len(content) :].hex() == "8a0140" + opened.signature.hex()  # field 17, 64 bytes
    claim = read_claim(decode(session_pb2.Content, opened.content).proMessage, Generation.DRAFT)
    assert status_of(suite, claim, BACKEND.public, opened.signed, opened.signature, NOW_MS) is ProStatus.VALID


def test_community_post_without_pro_is_only_padded(suite: Suite) -> None:
    content = write(Message(NOW_MS, Text("hello")))
    padded = community_content(suite, content, None)
    assert padded == pad(content)
    assert open_community_content(padded) == CommunityContent(content, pad(content), b"")


def test_community_signature_of_wrong_length_is_refused() -> None:
    content = session_pb2.Content(sigTimestamp=1, proSigForCommunityMessageOnly=bytes(63))
    with pytest.raises(RemoteProtocolError, match="64 bytes"):
        open_community_content(pad(content.SerializeToString()))


@pytest.mark.parametrize(
    "content",
    [b"\xff", session_pb2.Content(proSigForCommunityMessageOnly=bytes(64)).SerializeToString()],
)
def test_what_cannot_be_signed_for_a_community_is_our_mistake(content: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        community_content(SUITES["fast"], content, ROTATING)


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=150, derandomize=True)
def test_random_community_content_raises_nothing_else(raw: bytes) -> None:
    try:
        open_community_content(raw)
    except RemoteProtocolError:
        return
