"""Direct messages: reference vectors, sizes, what must fail, and hostile bytes outside and inside the box."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, InvalidInput, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import KeyPair, Suite, suite_named
from sessionsim.protocol.identity import account_from_ed25519_seed, account_from_seed, account_id_of_ed25519
from sessionsim.protocol.versions import v1
from sessionsim.protocol.versions.v1 import DirectMessage, Profile, encode_text, open_direct, seal_direct
from sessionsim.protocol.wire import session_pb2
from sessionsim.protocol.wire.envelope import decode, unwrap, wrap
from sessionsim.protocol.wire.padding import pad, padded_bytes, unpad

GROUPS = json.loads((Path(__file__).parents[1] / "vectors" / "direct_message.json").read_text("utf-8"))[
    "groups"
]
SENT_MS = 1_777_000_000_000
ALICE, BOB, EVE = (account_from_seed(bytes([n]) * 16) for n in (1, 2, 3))
PROFILE = Profile("Alice Example", "p" * 116, bytes(range(32)), SENT_MS // 1000)
SUITES = {name: suite_named(name) for name in ("fast", "sodium")}
REAL = suite_named("sodium", memo=False)


@pytest.fixture(params=list(SUITES))
def suite(request: pytest.FixtureRequest) -> Suite:
    return SUITES[request.param]


def random_of(*names: object) -> bytes:
    """96 bytes that belong to these names."""
    return b"".join(hashlib.blake2b(repr((names, n)).encode()).digest() for n in range(2))[:96]


def cases(group: str) -> Any:
    entries = GROUPS[f"libsession:{group}"]["cases"]
    return pytest.mark.parametrize("case", entries, ids=[entry["id"] for entry in entries])


def account_of(secret_hex: str) -> v1.Account:
    """A secret of the vectors is a 32-byte seed or seed ‖ public key."""
    return account_from_ed25519_seed(bytes.fromhex(secret_hex)[:32])


# ---- Reference values ----


def test_reference_message_is_encrypted_to_the_same_bytes_and_opens() -> None:
    made, opened = GROUPS["messages:session_encrypt"]
    sender = account_of(made["input"]["sender_seed"])
    recipient = bytes.fromhex(made["input"]["recipient_session_id"])[1:]
    message = made["input"]["message_utf8"].encode()
    for suite in (SUITES["sodium"], REAL):
        assert v1.encrypt_deterministic(suite, sender, recipient, message).hex() == made["expected"]
        reader = account_of(opened["input"]["recipient_seed"])
        found, text = v1.decrypt(suite, reader.x, bytes.fromhex(opened["input"]["ciphertext"]))
        assert text.decode() == opened["expected"]["message_utf8"]
        assert account_id_of_ed25519(found).hex() == opened["expected"]["sender_session_id"]


@cases("encrypt_deterministic")
def test_deterministic_encryption_of_libsession(case: dict[str, Any]) -> None:
    values = case["input"]
    sealed = v1.encrypt_deterministic(
        REAL,
        account_of(values["sender_sk"]),
        bytes.fromhex(values["recipient"])[-32:],
        bytes.fromhex(values["message"]),
    )
    assert sealed.hex() == case["expected"]["ciphertext"]


@cases("sign_for_recipient")
def test_inner_block_of_libsession_is_inside_the_box(case: dict[str, Any], suite: Suite) -> None:
    values, sender = case["input"], account_of(case["input"]["sender_sk"])
    signed = bytes.fromhex(case["expected"]["signed"])
    message, recipient = bytes.fromhex(values["message"]), bytes.fromhex(values["recipient"])[-32:]
    assert signed == message + sender.ed.public + suite.sign_stored(
        sender.ed, message + sender.ed.public + recipient
    )
    expected = suite.seal_box(signed, recipient, suite.ephemeral(bytes(31) + b"\1"))
    assert v1.encrypt(suite, sender, recipient, message, bytes(31) + b"\1") == expected


@cases("decrypt_incoming")
def test_incoming_message_of_libsession_opens_and_is_rebuilt(case: dict[str, Any]) -> None:
    reader, expected = account_of(case["input"]["recipient_sk"]), case["expected"]
    sealed = bytes.fromhex(case["input"]["ciphertext"])
    sender, message = v1.decrypt(REAL, reader.x, sealed)
    assert (sender.hex(), message.hex()) == (expected["sender_ed25519_pk"], expected["plaintext"])
    assert account_id_of_ed25519(sender).hex() == expected["sender_session_id"]
    writer = account_of(case["randomness"]["sender_sk"])
    ephemeral = bytes.fromhex(case["randomness"]["draws"][0])
    assert v1.encrypt(REAL, writer, reader.x.public, message, ephemeral) == sealed


@cases("decrypt_incoming_x25519")
def test_incoming_message_for_a_bare_x25519_key_opens(case: dict[str, Any]) -> None:
    values = case["input"]
    pair = KeyPair(bytes.fromhex(values["x25519_pk"]), bytes.fromhex(values["x25519_sk"]))
    sender, message = v1.decrypt(REAL, pair, bytes.fromhex(values["ciphertext"]))
    assert message.hex() == case["expected"]["plaintext"]
    assert account_id_of_ed25519(sender).hex() == case["expected"]["sender_session_id"]


@cases("decrypt_incoming_invalid")
def test_incoming_message_that_libsession_refuses_is_refused(case: dict[str, Any]) -> None:
    reader = account_of(case["input"]["recipient_sk"])
    for suite in (REAL, *SUITES.values()):
        with pytest.raises(CannotOpen):
            v1.decrypt(suite, reader.x, bytes.fromhex(case["input"]["ciphertext"]))


@cases("dm_stack")
def test_whole_message_of_libsession_opens_layer_by_layer(case: dict[str, Any]) -> None:
    reader, expected = account_of(case["input"]["recipient_sk"]), case["expected"]
    stored = bytes.fromhex(case["input"]["websocket_message"])
    envelope_ms, sealed = unwrap(stored)
    assert (envelope_ms, sealed.hex()) == (expected["envelope_timestamp"], expected["ciphertext"])
    sender, padded = v1.decrypt(REAL, reader.x, sealed)
    assert account_id_of_ed25519(sender).hex() == expected["sender_session_id"]
    assert padded.hex() == expected["padded_content"]
    assert unpad(padded).hex() == expected["content"]
    text = decode(session_pb2.Content, unpad(padded)).dataMessage
    named = expected["data_message"]
    assert (text.body, text.timestamp) == (named["body"], named["timestamp"])
    assert text.profile.displayName == named.get("display_name", "")
    assert text.profileKey.hex() == named.get("profile_key", "")
    with pytest.raises(RemoteProtocolError, match="without time"):  # they predate sigTimestamp
        open_direct(REAL, reader, stored)


SIZES = GROUPS["sizes:direct_message"]


@pytest.mark.parametrize("row", SIZES, ids=[f"{row['text']} {row['form']}" for row in SIZES])
def test_sizes_are_those_of_the_specification(row: dict[str, Any], suite: Suite) -> None:
    profile = PROFILE if row["form"] == "full" else None
    content = encode_text("x" * row["text"], SENT_MS, profile=profile)
    stored = seal_direct(suite, ALICE, BOB.id, content, SENT_MS, random_of("sizes"))
    sealed = unwrap(stored)[1]
    envelope = decode(session_pb2.WebSocketMessage, stored).request.body
    assert len(content) == row["content"]
    assert padded_bytes(len(content)) == len(pad(content)) == row["padded"]
    assert (len(sealed), len(envelope), len(stored)) == (row["box"], row["envelope"], row["stored"])


# ---- Behaviour ----


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=400),
    st.integers(0, 2**48),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=150, derandomize=True)
def test_what_is_sealed_is_what_is_opened(
    body: str, sent_ms: int, full: bool, sync: bool, chance: int
) -> None:
    target = BOB.id if sync else b""
    reader = ALICE if sync else BOB
    content = encode_text(body, sent_ms, profile=PROFILE if full else None, sync_target=target)
    for suite in SUITES.values():
        stored = seal_direct(suite, ALICE, reader.id, content, sent_ms, random_of(chance))
        assert open_direct(suite, reader, stored) == DirectMessage(ALICE.id, sent_ms, body, target, sent_ms)


def test_same_randomness_gives_the_same_bytes_and_other_randomness_others(suite: Suite) -> None:
    content = encode_text("hello", SENT_MS)
    first, again, other = (
        seal_direct(suite, ALICE, BOB.id, content, SENT_MS, random_of(name)) for name in ("a", "a", "b")
    )
    assert first == again
    assert first != other


def test_full_form_says_what_the_profile_says() -> None:
    content = decode(session_pb2.Content, encode_text("hi", SENT_MS, profile=PROFILE, sync_target=BOB.id))
    text = content.dataMessage
    assert content.HasField("expirationType")
    assert content.HasField("expirationTimer")
    assert content.sigTimestamp == SENT_MS
    assert (text.profile.displayName, text.profile.profilePicture) == (PROFILE.name, PROFILE.picture_url)
    assert (text.profileKey, text.profile.lastUpdateSeconds) == (PROFILE.key, PROFILE.updated_s)
    assert text.syncTarget == BOB.id_hex


def test_minimal_form_and_bare_profile_leave_fields_out() -> None:
    minimal = decode(session_pb2.Content, encode_text("hi", SENT_MS))
    assert [field.name for field, _ in minimal.ListFields()] == ["dataMessage", "sigTimestamp"]
    assert [field.name for field, _ in minimal.dataMessage.ListFields()] == ["body"]
    bare = decode(session_pb2.Content, encode_text("hi", SENT_MS, profile=Profile("A", "", b"", 0)))
    assert not bare.dataMessage.HasField("profileKey")
    assert not bare.dataMessage.profile.HasField("profilePicture")


def test_nobody_else_opens_it(suite: Suite) -> None:
    stored = seal_direct(suite, ALICE, BOB.id, encode_text("hello", SENT_MS), SENT_MS, random_of("else"))
    for other in (ALICE, EVE):
        with pytest.raises(CannotOpen):
            open_direct(suite, other, stored)


def test_message_passed_on_to_another_account_is_refused(suite: Suite) -> None:
    # Bob reseals what Alice signed for him, so that it seems to come from her to Eve.
    sealed = v1.encrypt(suite, ALICE, BOB.x.public, pad(encode_text("for Bob", SENT_MS)), b"e" * 32)
    inner = suite.open_box(sealed, BOB.x)
    resealed = suite.seal_box(inner, EVE.x.public, suite.ephemeral(b"f" * 32))
    with pytest.raises(CannotOpen, match="signature"):
        open_direct(suite, EVE, wrap(resealed, SENT_MS, bytes(64)))


def test_sender_cannot_be_claimed(suite: Suite) -> None:
    message = pad(encode_text("I am Alice", SENT_MS))
    signature = suite.sign_stored(EVE.ed, message + ALICE.ed.public + BOB.x.public)
    sealed = suite.seal_box(message + ALICE.ed.public + signature, BOB.x.public, suite.ephemeral(b"e" * 32))
    with pytest.raises(CannotOpen, match="signature"):
        open_direct(suite, BOB, wrap(sealed, SENT_MS, bytes(64)))


def test_envelope_time_is_not_authenticated_but_the_signed_time_is(suite: Suite) -> None:
    stored = seal_direct(suite, ALICE, BOB.id, encode_text("hello", SENT_MS), SENT_MS, random_of("time"))
    later = wrap(unwrap(stored)[1], SENT_MS + 9, bytes(64))
    message = open_direct(suite, BOB, later)
    assert (message.sent_ms, message.envelope_ms) == (SENT_MS, SENT_MS + 9)


def sealed_content(suite: Suite, sender: v1.Account, content: bytes) -> bytes:
    """Seal a Content that no client of ours would write, validly signed."""
    return seal_direct(suite, sender, BOB.id, content, SENT_MS, random_of(content))


def content_of(**fields: Any) -> bytes:
    content = session_pb2.Content(sigTimestamp=SENT_MS)
    content.dataMessage.CopyFrom(session_pb2.DataMessage(**fields))
    return content.SerializeToString()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "without data message"),
        (session_pb2.Content(sigTimestamp=SENT_MS).SerializeToString(), "without data message"),
        (content_of(body="hi")[:-7], "without time"),
        (content_of(body="hi") + b"\xff", "not readable as Content"),
        (b"\x0a\x04\x0a\x02\xff\xfe" + b"\x78\x01", "UTF-8"),
        (b"\x0a\x05\xca\x06\x02\xff\xfe" + b"\x78\x01", "UTF-8"),
        (content_of(body="hi", syncTarget=EVE.id_hex), "made by another account"),
        (content_of(body="hi", syncTarget="05"), "no account id"),
        (content_of(body="hi", syncTarget="zz" * 33), "no account id"),
        (content_of(body="hi", syncTarget=EVE.id_hex[:-2] + "  "), "no account id"),
        (content_of(body="hi", syncTarget=EVE.id_hex + "  "), "no account id"),
        (b"\x0a\x02\x12\x00" + b"\x78\x01", "required field of Content"),  # an attachment without id
    ],
)
def test_signed_content_that_is_no_text_is_refused(content: bytes, reason: str, suite: Suite) -> None:
    with pytest.raises(RemoteProtocolError, match=reason):
        open_direct(suite, BOB, sealed_content(suite, ALICE, content))


def test_content_without_padding_is_read(suite: Suite) -> None:
    sealed = v1.encrypt(suite, ALICE, BOB.x.public, content_of(body="bare"), b"e" * 32)
    assert open_direct(suite, BOB, wrap(sealed, SENT_MS, bytes(64))).body == "bare"


# ---- Hostile bytes ----


def opens(suite: Suite, stored: bytes) -> DirectMessage | None:
    """Open, or None if refused with the error that a caller expects."""
    try:
        return open_direct(suite, BOB, stored)
    except RemoteProtocolError:
        return None


@given(st.binary(max_size=600))
@settings(deadline=None, max_examples=300, derandomize=True)
def test_random_bytes_are_refused(stored: bytes) -> None:
    for suite in SUITES.values():
        assert opens(suite, stored) is None


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_random_sealed_boxes_are_refused(sealed: bytes) -> None:
    for suite in SUITES.values():
        assert opens(suite, wrap(sealed, SENT_MS, bytes(64))) is None


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_random_content_of_a_real_sender_raises_nothing_else(content: bytes) -> None:
    found = opens(SUITES["fast"], sealed_content(SUITES["fast"], ALICE, content))
    assert found is None or isinstance(found.body, str)


@given(st.data())
@settings(deadline=None, max_examples=100, derandomize=True)
def test_truncated_and_flipped_messages_are_refused_or_mean_the_same(data: st.DataObject) -> None:
    suite = SUITES[data.draw(st.sampled_from(list(SUITES)))]
    stored = seal_direct(suite, ALICE, BOB.id, encode_text("hello", SENT_MS), SENT_MS, random_of("flip"))
    cut = data.draw(st.integers(0, len(stored) - 1))
    assert opens(suite, stored[:cut]) in (None, open_direct(suite, BOB, stored))
    bit = data.draw(st.integers(0, 8 * len(stored) - 1))
    flipped = bytearray(stored)
    flipped[bit // 8] ^= 1 << bit % 8
    found = opens(suite, bytes(flipped))
    if found is not None:  # only the time in the wrapper, the decoy and what nobody reads may change
        assert (found.sender_id, found.sent_ms, found.body) == (ALICE.id, SENT_MS, "hello")


def test_every_byte_of_the_box_is_authenticated(suite: Suite) -> None:
    stored = seal_direct(suite, ALICE, BOB.id, encode_text("hello", SENT_MS), SENT_MS, random_of("box"))
    sealed = unwrap(stored)[1]
    for place in range(len(sealed)):
        altered = bytes(b ^ (i == place) for i, b in enumerate(sealed))
        with pytest.raises(CannotOpen):
            open_direct(suite, BOB, wrap(altered, SENT_MS, bytes(64)))


# ---- Our own mistakes ----


@pytest.mark.parametrize("recipient", [b"", BOB.x.public, b"\x03" + BOB.x.public, BOB.id + b"\0"])
def test_recipient_that_is_no_account_is_our_mistake(recipient: bytes, suite: Suite) -> None:
    with pytest.raises(LocalProtocolError, match="account id"):
        seal_direct(suite, ALICE, recipient, b"", SENT_MS, bytes(96))


def test_too_little_randomness_is_our_mistake(suite: Suite) -> None:
    with pytest.raises(LocalProtocolError, match="95"):
        seal_direct(suite, ALICE, BOB.id, b"", SENT_MS, bytes(95))


def test_recipient_key_of_low_order_cannot_be_used() -> None:
    with pytest.raises(CannotOpen):
        seal_direct(REAL, ALICE, b"\x05" + bytes(32), b"", SENT_MS, random_of("low"))


@pytest.mark.parametrize("sent_ms", [-1, 2**64])
def test_time_out_of_range_is_our_mistake(sent_ms: int) -> None:
    with pytest.raises(LocalProtocolError):
        encode_text("hello", sent_ms)


def test_sync_target_of_wrong_length_is_our_mistake() -> None:
    with pytest.raises(LocalProtocolError, match="32"):
        encode_text("hello", SENT_MS, sync_target=BOB.x.public)


@pytest.mark.parametrize("profile", [None, Profile("\ud800", "", b"", 0)])
def test_text_that_utf8_cannot_express_is_refused(profile: Profile | None) -> None:
    with pytest.raises(InvalidInput, match="UTF-8"):
        encode_text("hello" if profile else "\ud800", SENT_MS, profile=profile)
