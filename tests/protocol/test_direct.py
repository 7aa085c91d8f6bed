"""Direct messages whole: wire sizes in both forms, every kind through the box, Pro, what is refused."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.contents import (
    Call,
    CallKind,
    Expiry,
    Message,
    Part,
    Profile,
    Reaction,
    ReadReceipt,
    RequestResponse,
    Text,
    TimerUpdate,
    Typing,
    Unsend,
    write,
)
from sessionsim.protocol.crypto import Suite, real, suite_named
from sessionsim.protocol.direct import (
    direct_envelope,
    open_message,
    pro_status,
    seal_message,
    seal_message_old,
    stored_bytes,
    stored_bytes_old,
)
from sessionsim.protocol.identity import account_from_ed25519_seed, account_from_seed
from sessionsim.protocol.pro_proof import Generation, issue
from sessionsim.protocol.pro_signature import Decoy, ProClaim, ProStatus
from sessionsim.protocol.versions import v1
from sessionsim.protocol.wire import session_pb2
from sessionsim.protocol.wire.envelope import body_of, decode, read_envelope, unwrap, wrap, wrap_old
from sessionsim.protocol.wire.padding import pad, unpad

GROUPS = json.loads((Path(__file__).parents[1] / "vectors" / "direct_message.json").read_text("utf-8"))[
    "groups"
]
SIZES = GROUPS["sizes:direct_message"]
CONTROLS = GROUPS["sizes:control_messages"]
SENT_MS = 1_777_000_000_000
ALICE, BOB, EVE = (account_from_seed(bytes([n]) * 16) for n in (1, 2, 3))
PROFILE = Profile("Alice Example", "p" * 116, bytes(range(32)), SENT_MS // 1000)
SUITES = {name: suite_named(name) for name in ("fast", "sodium")}
RANDOM = bytes(range(96))
BACKEND, ROTATING = (real.ed25519_keypair(bytes([n]) * 32) for n in (4, 5))
LONG_ID = 1 << 31  # a request id of five bytes


@pytest.fixture(params=list(SUITES))
def suite(request: pytest.FixtureRequest) -> Suite:
    return SUITES[request.param]


def message_of(row: dict[str, Any]) -> Message:
    full = row["form"] == "full"
    text = Text("x" * row["text"], profile=PROFILE if full else None)
    return Message(SENT_MS, text, Expiry() if full else None)


# ---- Sizes ----


@pytest.mark.parametrize("row", SIZES, ids=[f"{row['text']} {row['form']}" for row in SIZES])
def test_whole_table_of_wire_sizes(row: dict[str, Any], suite: Suite) -> None:
    message = message_of(row)
    stored = seal_message(suite, ALICE, BOB.id, message, RANDOM)
    assert (len(write(message)), len(stored)) == (row["content"], row["stored"])
    assert (len(body_of(stored)), len(unwrap(stored)[1])) == (row["envelope"], row["box"])
    assert len(base64.b64encode(stored)) == row["base64"]
    old = seal_message_old(suite, ALICE, BOB.id, message, RANDOM[:32], LONG_ID)
    if "old_stored" in row:
        assert (len(old), len(base64.b64encode(old))) == (row["old_stored"], row["old_base64"])
    assert (stored_bytes(row["content"]), stored_bytes_old(row["content"])) == (len(stored), len(old))


PICTURELESS = replace(PROFILE, picture_url="")
CONTROL_PARTS: dict[str, Part] = {
    "typing": Typing(True, SENT_MS),
    "receipt for 1": ReadReceipt((SENT_MS,)),
    "receipt for 10": ReadReceipt((SENT_MS,) * 10),
    "unsend": Unsend(SENT_MS, BOB.id),
    "reaction": Text(reaction=Reaction(SENT_MS, BOB.id, "😂")),
    "pre-offer": Call(CallKind.PRE_OFFER, "u" * 36),
    "request response": RequestResponse(True, PICTURELESS),
    "offer of 2000": Call(CallKind.OFFER, "u" * 36, ("s" * 2000,)),
}


@pytest.mark.parametrize("row", CONTROLS, ids=[row["kind"] for row in CONTROLS])
def test_control_messages_have_their_size_class(row: dict[str, Any], suite: Suite) -> None:
    message = Message(SENT_MS, CONTROL_PARTS[row["kind"]])
    content = len(write(message))
    if "content" in row:
        assert abs(content - row["content"]) <= row.get("about", 0)
    stored = seal_message(suite, ALICE, BOB.id, message, RANDOM)
    assert len(stored) == row["stored"] == stored_bytes(content)
    assert len(base64.b64encode(stored)) == row["base64"]


@given(st.integers(0, 12_000), st.integers(1, 10))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_sizes_are_computed_as_they_come_out(content: int, id_bytes: int) -> None:
    suite = SUITES["fast"]
    sealed = v1.encrypt(suite, ALICE, BOB.x.public, pad(bytes(content)), RANDOM[:32])
    assert len(wrap(sealed, SENT_MS, bytes(64))) == stored_bytes(content)
    request_id = 0 if id_bytes == 1 else 1 << 7 * (id_bytes - 1)
    message = Message(SENT_MS, Text("x" * content))
    old = seal_message_old(suite, ALICE, BOB.id, message, RANDOM[:32], request_id)
    assert len(old) == stored_bytes_old(len(write(message)), id_bytes)


def test_pro_and_not_pro_are_of_the_same_size(suite: Suite) -> None:
    message = Message(SENT_MS, Text("x"))
    sizes = {
        len(seal_message(suite, ALICE, BOB.id, message, RANDOM, rotating=key, decoy=decoy))
        for key in (None, ROTATING)
        for decoy in Decoy
    }
    assert sizes == {398}


# ---- Through the box ----


@pytest.mark.parametrize("part", CONTROL_PARTS.values(), ids=list(CONTROL_PARTS))
@pytest.mark.parametrize("form", ["today", "old"])
def test_every_kind_comes_out_as_it_went_in(part: Part, form: str, suite: Suite) -> None:
    message = Message(SENT_MS, part, Expiry())
    if form == "old":
        stored = seal_message_old(suite, ALICE, BOB.id, message, RANDOM[:32], 7, source_device=1)
    else:
        stored = seal_message(suite, ALICE, BOB.id, message, RANDOM)
    received = open_message(suite, BOB, stored)
    assert (received.sender_id, received.message) == (ALICE.id, message)
    assert len(received.pro_signature) == (64 if form == "today" else 0)
    assert received.sealed == unwrap(stored)[1]


def test_short_way_and_whole_way_give_the_same_bytes(suite: Suite) -> None:
    content = v1.encode_text("hello", SENT_MS, profile=PROFILE)
    message = Message(SENT_MS, Text("hello", profile=PROFILE), Expiry())
    assert seal_message(suite, ALICE, BOB.id, message, RANDOM) == v1.seal_direct(
        suite, ALICE, BOB.id, content, SENT_MS, RANDOM
    )


def test_message_of_an_old_client_is_rebuilt_and_opened() -> None:
    (case,) = GROUPS["messages:old_client_wrapper"]
    reader, stored = (
        account_from_ed25519_seed(bytes.fromhex(case["input"]["seed"])),
        bytes.fromhex(case["input"]["wrapped"]),
    )
    envelope = direct_envelope(stored)
    request = decode(session_pb2.WebSocketMessage, stored).request
    assert stored == wrap_old(envelope.content, envelope.sent_ms, request.requestId, source_device=1)
    sender, padded = v1.decrypt(SUITES["sodium"], reader.x, envelope.content)
    assert (sender == reader.ed.public) is case["expected"]["sender_is_self"]
    assert len(padded) % 160 == 159
    config = decode(session_pb2.Content, unpad(padded)).sharedConfigMessage
    assert config.kind == case["expected"]["kind"]
    with pytest.raises(RemoteProtocolError, match="nothing known"):
        open_message(SUITES["sodium"], reader, stored)


LIBSESSION = GROUPS["libsession:dm_stack"]["cases"]


@pytest.mark.parametrize("case", LIBSESSION, ids=[case["id"] for case in LIBSESSION])
def test_message_of_libsession_is_read_whole_and_its_wrapper_rebuilt(case: dict[str, Any]) -> None:
    reader = account_from_ed25519_seed(bytes.fromhex(case["input"]["recipient_sk"])[:32])
    stored, expected = bytes.fromhex(case["input"]["websocket_message"]), case["expected"]
    envelope = direct_envelope(stored)
    request_id = decode(session_pb2.WebSocketMessage, stored).request.requestId
    assert stored == wrap_old(envelope.content, envelope.sent_ms, request_id, source=None)
    received = open_message(SUITES["sodium"], reader, stored)
    assert received.sender_id.hex() == expected["sender_session_id"]
    assert received.message.sent_ms == expected["envelope_timestamp"]  # they predate the signed time
    text = received.message.part
    assert isinstance(text, Text)
    assert (text.body, text.old_sent_ms) == (
        expected["data_message"]["body"],
        expected["data_message"]["timestamp"],
    )
    assert write(replace(received.message, sent_ms=1))[:-2].hex() == expected["content"]


# ---- Pro ----


def pro_message(generation: Generation, expires_ms: int = SENT_MS) -> Message:
    proof = issue(SUITES["sodium"], BACKEND, generation, bytes(32), ROTATING.public, expires_ms)
    return Message(SENT_MS, Text("x"), pro=ProClaim(proof))


def test_pro_signature_covers_the_ciphertext(suite: Suite) -> None:
    message = pro_message(Generation.APRIL_2026)
    stored = seal_message(suite, ALICE, BOB.id, message, RANDOM, rotating=ROTATING)
    received = open_message(suite, BOB, stored)
    assert pro_status(suite, received, BACKEND.public) is ProStatus.VALID
    assert real.ed25519_verify(ROTATING.public, unwrap(stored)[1], received.pro_signature)
    assert pro_status(suite, received, ROTATING.public) is ProStatus.NOT_FROM_BACKEND
    moved = replace(received, sealed=received.sealed[:-1] + b"x")
    assert pro_status(suite, moved, BACKEND.public) is ProStatus.NOT_FROM_SENDER


def test_stolen_proof_expired_proof_and_no_signature(suite: Suite) -> None:
    stolen = seal_message(suite, EVE, BOB.id, pro_message(Generation.APRIL_2026), RANDOM)
    assert pro_status(suite, open_message(suite, BOB, stolen), BACKEND.public) is ProStatus.NOT_FROM_SENDER
    expired = pro_message(Generation.APRIL_2026, SENT_MS - 1)
    late = open_message(suite, BOB, seal_message(suite, ALICE, BOB.id, expired, RANDOM, rotating=ROTATING))
    assert pro_status(suite, late, BACKEND.public) is ProStatus.EXPIRED
    old = seal_message_old(suite, ALICE, BOB.id, pro_message(Generation.APRIL_2026), RANDOM[:32], 1)
    assert pro_status(suite, open_message(suite, BOB, old), BACKEND.public) is None
    plain = seal_message(suite, ALICE, BOB.id, Message(SENT_MS, Text("x")), RANDOM)
    assert pro_status(suite, open_message(suite, BOB, plain), BACKEND.public) is None


def test_client_of_april_drops_a_message_with_a_proof_of_the_draft(suite: Suite) -> None:
    stored = seal_message(
        suite, ALICE, BOB.id, pro_message(Generation.DRAFT, SENT_MS), RANDOM, rotating=ROTATING
    )
    with pytest.raises(RemoteProtocolError, match="another version"):
        open_message(suite, BOB, stored)


# ---- What is refused ----


def test_sync_copy_by_another_account_is_refused(suite: Suite) -> None:
    for part in (Text("x", sync_target=EVE.id), TimerUpdate(EVE.id)):
        message = Message(SENT_MS, part)
        own = open_message(suite, ALICE, seal_message(suite, ALICE, ALICE.id, message, RANDOM))
        assert own.message == message
        with pytest.raises(RemoteProtocolError, match="another account"):
            open_message(suite, BOB, seal_message(suite, ALICE, BOB.id, message, RANDOM))


def test_time_of_the_wrapper_cannot_be_changed_on_the_way(suite: Suite) -> None:
    stored = seal_message(suite, ALICE, BOB.id, Message(SENT_MS, Text("x")), RANDOM)
    envelope = direct_envelope(stored)
    with pytest.raises(RemoteProtocolError, match="signed time"):
        open_message(suite, BOB, wrap(envelope.content, SENT_MS + 1, envelope.pro_signature))


def test_malformed_boxes_of_every_kind_are_refused(suite: Suite) -> None:
    sealed = unwrap(seal_message(suite, ALICE, BOB.id, Message(SENT_MS, Text("x")), RANDOM))[1]
    inner = suite.open_box(sealed, BOB.x)
    for_eve = v1.sign_for_recipient(suite, ALICE, EVE.x.public, inner[:-96])
    ephemeral = suite.ephemeral(b"e" * 32)
    for bad in (
        b"x",
        sealed[:143],
        sealed[:-1],
        sealed + b"\0",
        sealed[:40] + bytes([sealed[40] ^ 1]) + sealed[41:],
        suite.seal_box(inner, EVE.x.public, ephemeral),  # wrong recipient
        suite.seal_box(for_eve, BOB.x.public, ephemeral),  # signed for another
        suite.seal_box(inner[:-96] + EVE.ed.public + inner[-64:], BOB.x.public, ephemeral),  # other sender
        suite.seal_box(inner[-95:], BOB.x.public, ephemeral),  # no room for key and signature
        suite.seal_box(inner[:-64] + bytes(64), BOB.x.public, ephemeral),
    ):
        with pytest.raises(CannotOpen):
            open_message(suite, BOB, wrap(bad, SENT_MS, bytes(64)))
    with pytest.raises(CannotOpen):
        open_message(suite, EVE, wrap(sealed, SENT_MS, bytes(64)))
    with pytest.raises(RemoteProtocolError, match="envelope of a direct message"):
        open_message(suite, BOB, wrap_old(sealed, SENT_MS, 1, kind=session_pb2.Envelope.CLOSED_GROUP_MESSAGE))


@pytest.mark.parametrize("recipient", [b"", BOB.x.public, b"\x03" + BOB.x.public, BOB.id + b"\0"])
def test_recipient_that_is_no_account_is_our_mistake(recipient: bytes, suite: Suite) -> None:
    message = Message(SENT_MS, Text("x"))
    with pytest.raises(LocalProtocolError, match="account id"):
        seal_message(suite, ALICE, recipient, message, RANDOM)
    with pytest.raises(LocalProtocolError, match="account id"):
        seal_message_old(suite, ALICE, recipient, message, RANDOM[:32], 1)


def test_randomness_of_wrong_length_is_our_mistake(suite: Suite) -> None:
    for length in (95, 97):
        with pytest.raises(LocalProtocolError, match=str(length)):
            seal_message(suite, ALICE, BOB.id, Message(SENT_MS, Text("x")), bytes(length))


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_random_content_of_a_real_sender_raises_nothing_else(content: bytes) -> None:
    suite = SUITES["fast"]
    sealed = v1.encrypt(suite, ALICE, BOB.x.public, content, RANDOM[:32])
    try:
        open_message(suite, BOB, wrap(sealed, SENT_MS, bytes(64)))
    except RemoteProtocolError:
        return


@given(st.data())
@settings(deadline=None, max_examples=150, derandomize=True)
def test_altered_messages_are_refused_or_mean_the_same(data: st.DataObject) -> None:
    suite = SUITES["fast"]
    stored = bytearray(seal_message(suite, ALICE, BOB.id, Message(SENT_MS, Text("x")), RANDOM))
    stored[data.draw(st.integers(0, len(stored) - 1))] = data.draw(st.integers(0, 255))
    try:
        received = open_message(suite, BOB, bytes(stored))
    except RemoteProtocolError:
        return
    assert (received.sender_id, received.message) == (ALICE.id, Message(SENT_MS, Text("x")))


def test_envelope_says_only_what_is_in_clear() -> None:
    stored = seal_message(SUITES["fast"], ALICE, BOB.id, Message(SENT_MS, Text("x")), RANDOM)
    envelope = read_envelope(body_of(stored))
    assert (envelope.kind, envelope.sent_ms, envelope.source, envelope.source_device) == (6, SENT_MS, "", 1)
    for held in (ALICE.id, ALICE.ed.public, BOB.id[1:], ALICE.id_hex.encode()):
        assert held not in stored
