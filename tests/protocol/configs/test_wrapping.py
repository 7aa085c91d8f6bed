"""The protobuf wrapper: reference bytes, older wrappers, foreign and malformed ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.configs import kinds
from sessionsim.protocol.configs.message import first_message
from sessionsim.protocol.configs.sealing import encrypt, pad
from sessionsim.protocol.configs.wrapping import unwrap, unwrapped, wrap
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import account_from_ed25519_seed
from sessionsim.protocol.versions.v1 import encrypt as seal_box
from sessionsim.protocol.wire.session_pb2 import (
    Content,
    Envelope,
    SharedConfigMessage,
    WebSocketMessage,
    WebSocketRequestMessage,
)

GROUPS = json.loads((Path(__file__).parents[2] / "vectors" / "configs.json").read_text("utf-8"))["groups"]
CASES = {case["name"].split(" (")[0]: case for case in GROUPS["messages:config_message"]}
SUITE = suite_named("sodium")
OWNER = account_from_ed25519_seed(bytes.fromhex("0123456789abcdef" * 2 + "00" * 16))
OTHER = account_from_ed25519_seed(bytes(31) + b"\1")
CIPHERTEXT = bytes(range(256))


def test_the_first_push_of_a_profile_has_the_bytes_of_the_reference() -> None:
    case = CASES["user profile push #1"]
    owner = account_from_ed25519_seed(bytes.fromhex(case["input"]["seed"]))
    raw = bytes.fromhex(case["input"]["serialized_hex"])
    assert encrypt(pad(raw), owner.ed.secret, case["input"]["domain"].encode()).hex() == case["expected"]


def test_an_empty_profile_wrapped_has_the_bytes_of_the_reference() -> None:
    case = CASES["empty user profile push"]
    sealed = encrypt(pad(first_message().raw), OWNER.ed.secret, b"UserProfile")
    wrapped = wrap(SUITE, OWNER, kinds.USER_PROFILE, case["input"]["seqno"], sealed)
    assert wrapped.hex() == case["expected"]
    assert len(wrapped) == 256 + 176


def test_the_wrapper_of_an_older_client_comes_off() -> None:
    case = CASES["legacy client-produced wrapped user profile"]
    owner = account_from_ed25519_seed(bytes.fromhex(case["input"]["seed"]))
    seqno, _ = unwrap(SUITE, owner, kinds.USER_PROFILE, bytes.fromhex(case["input"]["wrapped"]))
    assert seqno == 4
    assert kinds.USER_PROFILE.wrapped_kind == case["expected"]["kind"]


@pytest.mark.parametrize("size", [0, 1, 256, 24_576])
@pytest.mark.parametrize("kind", [kind for kind in kinds.KINDS.values() if not kind.of_group])
def test_what_was_wrapped_comes_off(kind: kinds.Kind, size: int) -> None:
    data = bytes(size)
    wrapped = wrap(SUITE, OWNER, kind, 77, data)
    assert unwrap(SUITE, OWNER, kind, wrapped) == (77, data)
    assert unwrapped(SUITE, OWNER, kind, wrapped) == data
    # Overhead of the smallest and of a large config: messages 5.5.
    assert len(wrapped) - size == {256: 176, 24_576: 181}.get(size, len(wrapped) - size)
    assert wrap(SUITE, OWNER, kind, 77, data) == wrapped


def test_two_wrappers_come_off_and_none_is_no_harm() -> None:
    once = wrap(SUITE, OWNER, kinds.CONTACTS, 1, CIPHERTEXT)
    twice = wrap(SUITE, OWNER, kinds.CONTACTS, 1, once)
    assert unwrapped(SUITE, OWNER, kinds.CONTACTS, twice) == CIPHERTEXT
    assert unwrapped(SUITE, OWNER, kinds.CONTACTS, CIPHERTEXT) == CIPHERTEXT
    assert unwrapped(SUITE, OWNER, kinds.CONTACTS, b"") == b""


def test_a_wrapper_of_another_kind_or_account_is_refused() -> None:
    wrapped = wrap(SUITE, OWNER, kinds.CONTACTS, 1, CIPHERTEXT)
    with pytest.raises(RemoteProtocolError, match="another kind"):
        unwrap(SUITE, OWNER, kinds.USER_PROFILE, wrapped)
    with pytest.raises(CannotOpen):
        unwrap(SUITE, OTHER, kinds.CONTACTS, wrapped)


def boxed(content: bytes, sender=OTHER) -> bytes:  # type: ignore[no-untyped-def]
    """Wrap any content, sealed to the owner."""
    sealed = seal_box(SUITE, sender, OWNER.x.public, content, bytes(range(32)))
    envelope = Envelope(type=Envelope.SESSION_MESSAGE, timestamp=1, content=sealed).SerializeToString()
    request = WebSocketRequestMessage(verb="", path="", body=envelope, requestId=0)
    return WebSocketMessage(type=WebSocketMessage.REQUEST, request=request).SerializeToString()


SHARED = Content(
    sharedConfigMessage=SharedConfigMessage(kind=2, seqno=1, data=CIPHERTEXT)
).SerializeToString()


def test_a_wrapper_sealed_by_somebody_else_is_refused() -> None:
    assert unwrap(SUITE, OWNER, kinds.CONTACTS, boxed(SHARED + b"\x80", OWNER)) == (1, CIPHERTEXT)
    with pytest.raises(CannotOpen, match="another account"):
        unwrap(SUITE, OWNER, kinds.CONTACTS, boxed(SHARED + b"\x80"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        SHARED,
        bytes(5),
        SHARED + b"\x80\x01",
        b"\xff" * 10 + b"\x80",
        b"\x80",
        Content(sigTimestamp=1).SerializeToString() + b"\x80",
    ],
)
def test_malformed_contents_are_refused(content: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        unwrap(SUITE, OWNER, kinds.CONTACTS, boxed(content, OWNER))


@pytest.mark.parametrize(
    "stored", [b"", b"\x00", b"\xff" * 300, CIPHERTEXT, b"\x08\x02", b"\x08\x01\x12\x00"]
)
def test_what_is_no_wrapper_is_refused(stored: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        unwrap(SUITE, OWNER, kinds.CONTACTS, stored)


def test_padding_of_any_length_is_taken_off() -> None:
    assert unwrap(SUITE, OWNER, kinds.CONTACTS, boxed(SHARED + b"\x80" + bytes(159), OWNER))[1] == CIPHERTEXT


def test_a_group_config_and_an_endless_seqno_are_our_mistake() -> None:
    with pytest.raises(LocalProtocolError):
        wrap(SUITE, OWNER, kinds.GROUP_INFO, 1, CIPHERTEXT)
    with pytest.raises(LocalProtocolError):
        wrap(SUITE, OWNER, kinds.CONTACTS, 1 << 63, CIPHERTEXT)
