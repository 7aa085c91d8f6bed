"""Legacy closed groups: messages and key pairs as old clients wrote them, built by hand; hostile ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, RemoteProtocolError
from sessionsim.protocol.contents import Message, Text, write
from sessionsim.protocol.crypto import KeyPair, Suite, real, suite_named
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.legacy_group import (
    NAMESPACE,
    KeyDistribution,
    open_group_message,
    open_key_pair,
    read_key_distribution,
)
from sessionsim.protocol.versions import v1
from sessionsim.protocol.wire.envelope import GROUP, wrap_old
from sessionsim.protocol.wire.padding import pad_old
from sessionsim.protocol.wire.session_pb2 import (
    ClosedGroupControl,
    ClosedGroupKeyPair,
    ClosedGroupKeyPairWrapper,
    Content,
)

SENT_MS = 1_600_000_000_000
ALICE, BOB, EVE = (account_from_seed(bytes([n]) * 16) for n in (1, 2, 3))
OLD, NEW, STRANGE = (real.x25519_keypair(bytes([n]) * 32) for n in (4, 5, 6))
GROUP_ID = b"\x05" + real.x25519_keypair(b"\x09" * 32).public
SECRET = b"e" * 32


@pytest.fixture(params=["fast", "sodium"])
def suite(request: pytest.FixtureRequest) -> Suite:
    return suite_named(request.param)


def stored(suite: Suite, pair: KeyPair, content: bytes, source: str | None = None) -> bytes:
    sealed = v1.encrypt(suite, ALICE, pair.public, pad_old(content), SECRET)
    return wrap_old(sealed, SENT_MS, 7, kind=GROUP, source=GROUP_ID.hex() if source is None else source)


TEXT = write(Message(SENT_MS, Text("hello, all")))


def test_message_opens_with_any_of_the_groups_keys(suite: Suite) -> None:
    for pair in (OLD, NEW):
        found = open_group_message(suite, [OLD, NEW], stored(suite, pair, TEXT))
        assert (found.group_id, found.sender_id) == (GROUP_ID, ALICE.id)
        assert found.message == Message(SENT_MS, Text("hello, all"))
        assert found.content == TEXT
    assert NAMESPACE == -10


def test_message_without_signed_time_has_that_of_the_envelope(suite: Suite) -> None:
    found = open_group_message(suite, [OLD], stored(suite, OLD, TEXT[:-7]))
    assert found.message.sent_ms == SENT_MS


def test_message_for_another_key_or_altered_is_refused(suite: Suite) -> None:
    message = stored(suite, STRANGE, TEXT)
    with pytest.raises(CannotOpen, match="none of 2"):
        open_group_message(suite, [OLD, NEW], message)
    with pytest.raises(CannotOpen, match="none of 0"):
        open_group_message(suite, [], message)
    good = stored(suite, OLD, TEXT)
    for place in (100, len(good) - 20):
        altered = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
        with pytest.raises(RemoteProtocolError):
            open_group_message(suite, [OLD], altered)


def test_message_moved_from_one_key_to_another_is_refused(suite: Suite) -> None:
    signed = v1.sign_for_recipient(suite, ALICE, OLD.public, pad_old(TEXT))
    sealed = suite.seal_box(signed, NEW.public, suite.ephemeral(SECRET))
    with pytest.raises(CannotOpen):
        open_group_message(suite, [OLD, NEW], wrap_old(sealed, 1, 1, kind=GROUP, source=GROUP_ID.hex()))


@pytest.mark.parametrize("source", ["", "zz" * 33, "05" * 32, "  " * 33])
def test_envelope_that_names_no_group_is_refused(source: str) -> None:
    suite = suite_named("sodium")
    with pytest.raises(RemoteProtocolError):
        open_group_message(suite, [OLD], stored(suite, OLD, TEXT, source))


def test_direct_message_is_no_group_message() -> None:
    suite = suite_named("sodium")
    sealed = v1.encrypt(suite, ALICE, OLD.public, pad_old(TEXT), SECRET)
    with pytest.raises(RemoteProtocolError, match="legacy group"):
        open_group_message(suite, [OLD], wrap_old(sealed, SENT_MS, 7, source=GROUP_ID.hex()))


# ---- Key pairs ----


def control(**fields: Any) -> bytes:
    content = Content()
    content.dataMessage.closedGroupControl = ClosedGroupControl(**fields).SerializeToString()
    return content.SerializeToString()


PAIR = ClosedGroupKeyPair(publicKey=NEW.public, privateKey=NEW.secret)
NEW_GROUP = control(
    type=ClosedGroupControl.NEW,
    publicKey=GROUP_ID,
    name="friends",
    encryptionKeyPair=PAIR,
    members=[ALICE.id, BOB.id],
    admins=[ALICE.id],
)


def test_new_group_brings_its_pair_and_members() -> None:
    found = read_key_distribution(NEW_GROUP)
    assert found == KeyDistribution(GROUP_ID, NEW, {}, "friends", (ALICE.id, BOB.id), (ALICE.id,))


def test_public_key_of_a_pair_may_have_its_prefix() -> None:
    pair = ClosedGroupKeyPair(publicKey=b"\x05" + NEW.public, privateKey=NEW.secret)
    found = read_key_distribution(control(type=ClosedGroupControl.NEW, encryptionKeyPair=pair))
    assert found is not None
    assert (found.pair, found.group_id) == (NEW, b"")


def replacement(suite: Suite, plain: bytes) -> KeyDistribution:
    sealed = v1.encrypt(suite, ALICE, BOB.x.public, plain, SECRET)
    wrapper = ClosedGroupKeyPairWrapper(publicKey=BOB.id, encryptedKeyPair=sealed)
    found = read_key_distribution(control(type=ClosedGroupControl.ENCRYPTION_KEY_PAIR, wrappers=[wrapper]))
    assert found is not None
    assert found.pair is None
    return found


def test_replaced_pair_opens_for_the_member_it_is_for(suite: Suite) -> None:
    found = replacement(suite, PAIR.SerializeToString())
    assert open_key_pair(suite, BOB, found) == (ALICE.id, NEW)
    with pytest.raises(CannotOpen, match="no key pair"):
        open_key_pair(suite, EVE, found)


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"\xff",
        ClosedGroupKeyPair(publicKey=NEW.public, privateKey=OLD.secret).SerializeToString(),
        ClosedGroupKeyPair(publicKey=NEW.public, privateKey=b"x").SerializeToString(),
        ClosedGroupKeyPair(publicKey=b"", privateKey=NEW.secret).SerializeToString(),
    ],
)
def test_what_is_no_pair_is_refused(plain: bytes, suite: Suite) -> None:
    with pytest.raises(RemoteProtocolError):
        open_key_pair(suite, BOB, replacement(suite, plain))


def test_content_without_keys_gives_none() -> None:
    assert read_key_distribution(TEXT) is None
    assert read_key_distribution(control(type=ClosedGroupControl.NAME_CHANGE, name="new")) is None


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        control(type=ClosedGroupControl.NEW, publicKey=GROUP_ID),  # without pair
        control(type=ClosedGroupControl.NEW, publicKey=b"x", encryptionKeyPair=PAIR),
        control(type=ClosedGroupControl.NEW, encryptionKeyPair=PAIR, members=[b"x"]),
        Content.FromString(b"\x0a\x05\xc2\x06\x02\x08\x02").SerializeToString(),  # type 2, long gone
    ],
)
def test_malformed_distribution_is_refused(content: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_key_distribution(content)


@given(st.binary(max_size=150))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_random_bytes_raise_nothing_else(raw: bytes) -> None:
    suite = suite_named("fast")
    inside = Content()
    inside.dataMessage.closedGroupControl = raw
    for call in (
        lambda: open_group_message(suite, [OLD], raw),
        lambda: open_group_message(suite, [OLD], stored(suite, OLD, raw)),
        lambda: read_key_distribution(raw),
        lambda: read_key_distribution(inside.SerializeToString()),
    ):
        try:
            call()
        except RemoteProtocolError:
            continue
