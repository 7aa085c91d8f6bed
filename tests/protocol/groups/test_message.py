"""Messages to a group, whole: who sent, what it costs in bytes, who can read after whom was removed."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import aead
from sessionsim.protocol.groups import KeyRing, group_from_seed, open_group, rekey, seal_group
from sessionsim.protocol.groups.encryption import encrypt
from sessionsim.protocol.mnemonic import phrase_of
from sessionsim.protocol.versions.v1 import Profile, encode_text
from sessionsim.protocol.wire.envelope import decode
from sessionsim.protocol.wire.group_envelope import unwrap_group, wrap_group
from sessionsim.protocol.wire.session_pb2 import Envelope

SENT_MS = 1_777_000_000_000
WORDS = [word for n in range(100) for word in phrase_of(Random(n).randbytes(16)).split()]
PROFILE = Profile("Alice Example", "p" * 116, bytes(range(32)), SENT_MS // 1000)


def test_members_read_what_a_member_writes(cast: Any) -> None:
    content = encode_text("hello all", SENT_MS)
    sealed = seal_group(
        cast.suite, cast.alice, cast.group.id, cast.ring(cast.alice), content, SENT_MS, cast.raw("m", 88)
    )
    for reader in (cast.admin, cast.alice, cast.bob, cast.group):
        opened = open_group(cast.suite, cast.group.id, cast.ring(reader), sealed)
        assert (opened.sender_id, opened.content, opened.envelope_ms) == (cast.alice.id, content, SENT_MS)
        assert opened.pro_signature == cast.suite.decoy_signature(cast.raw("m", 88)[24:])
    with pytest.raises(CannotOpen):
        open_group(cast.suite, cast.group.id, cast.ring(cast.stranger), sealed)


def test_removed_member_reads_what_was_and_not_what_comes(cast: Any) -> None:
    after = rekey(cast.suite, cast.group, [cast.admin.id, cast.alice.id], 1).message
    stays, removed = cast.ring(cast.alice, after), cast.ring(cast.bob, after)
    old, new = (
        seal_group(cast.suite, cast.alice, cast.group.id, ring, b"\x7a\x00", SENT_MS, cast.raw(ring, 88))
        for ring in (cast.ring(cast.alice), stays)
    )
    assert open_group(cast.suite, cast.group.id, stays, old).content == b"\x7a\x00"
    assert open_group(cast.suite, cast.group.id, removed, old).content == b"\x7a\x00"
    assert open_group(cast.suite, cast.group.id, stays, new).content == b"\x7a\x00"
    with pytest.raises(CannotOpen):
        open_group(cast.suite, cast.group.id, removed, new)


def test_pending_key_of_an_admin_opens_its_own_messages_at_once(fast: Any) -> None:
    ring = fast.ring(fast.group)
    ring.propose(rekey(fast.suite, fast.group, [fast.admin.id], 1))
    sealed = seal_group(fast.suite, fast.admin, fast.group.id, ring, b"x", 1, bytes(88))
    assert open_group(fast.suite, fast.group.id, ring, sealed).sender_id == fast.admin.id
    with pytest.raises(CannotOpen):
        open_group(fast.suite, fast.group.id, fast.ring(fast.group), sealed)


def test_message_cannot_be_carried_into_another_group_with_the_same_key(fast: Any) -> None:
    ring = fast.ring(fast.alice)
    sealed = seal_group(fast.suite, fast.alice, fast.group.id, ring, b"x", 1, bytes(88))
    with pytest.raises(CannotOpen):
        open_group(fast.suite, group_from_seed(bytes(32)).id, ring, sealed)
    old = seal_group(fast.suite, fast.alice, fast.group.id, ring, b"x", 1, bytes(88), signs_group=False)
    assert open_group(fast.suite, group_from_seed(bytes(32)).id, ring, old, signs_group=False).content == b"x"


def test_pro_signature_takes_the_place_of_the_decoy_and_nothing_else(fast: Any) -> None:
    ring, pro = fast.ring(fast.alice), fast.raw("pro")
    plain, signed = (
        seal_group(
            fast.suite,
            fast.alice,
            fast.group.id,
            ring,
            b"x" * 50,
            1,
            fast.raw("r", 88),
            pro_signature=signature,
        )
        for signature in (b"", pro)
    )
    assert len(plain) == len(signed)
    assert open_group(fast.suite, fast.group.id, ring, signed).pro_signature == pro
    with pytest.raises(LocalProtocolError):
        seal_group(fast.suite, fast.alice, fast.group.id, ring, b"x", 1, bytes(88), pro_signature=b"short")


@pytest.mark.parametrize(("sent_ms", "random"), [(-1, bytes(88)), (1 << 64, bytes(88)), (1, bytes(87))])
def test_wrong_time_and_too_little_randomness_are_our_mistake(fast: Any, sent_ms: int, random: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        seal_group(fast.suite, fast.alice, fast.group.id, fast.ring(fast.alice), b"x", sent_ms, random)


def test_nothing_is_sent_without_a_key(fast: Any) -> None:
    with pytest.raises(LocalProtocolError):
        seal_group(fast.suite, fast.alice, fast.group.id, KeyRing(), b"x", 1, bytes(88))


# ---- Sizes (messages 4.3) ----


def english(length: int, words: list[str]) -> str:
    draw, text = Random(7), ""
    while len(text) < length:
        text += draw.choice(words) + " "
    return text[:length]


def stored_bytes(fast: Any, text: str, profile: Profile | None) -> int:
    content = encode_text(text, SENT_MS, profile=profile)
    ring = fast.ring(fast.alice)
    return len(
        seal_group(fast.suite, fast.alice, fast.group.id, ring, content, SENT_MS, fast.raw("size", 88))
    )


@pytest.mark.parametrize(
    ("length", "least", "full"), [(1, 256, 512), (50, 512, 512), (200, 512, 768)], ids=str
)
def test_sizes_of_the_table(fast: Any, length: int, least: int, full: int) -> None:
    text = english(length, WORDS)
    assert stored_bytes(fast, text, None) == least
    assert stored_bytes(fast, text, PROFILE) == full


@pytest.mark.parametrize("length", [2000, 10_000])
def test_size_of_long_texts_depends_on_what_they_say(fast: Any, length: int) -> None:
    few, many = english(length, WORDS[:100]), english(length, WORDS)
    sizes = [stored_bytes(fast, text, None) for text in ("x" * length, few, many)]
    assert sizes == sorted(set(sizes))
    assert all(size % 256 == 0 and size < length for size in sizes)


# ---- The envelope ----


def test_envelope_is_written_as_the_reference_does() -> None:
    raw = wrap_group(b"abc", 5, bytes(64))
    assert raw == bytes.fromhex("08072805380142036162635a40") + bytes(64)
    assert unwrap_group(raw) == (b"abc", 5, bytes(64))


def test_older_envelopes_are_read() -> None:
    without = Envelope(type=Envelope.SESSION_MESSAGE, timestamp=5, source="", content=b"abc")
    assert unwrap_group(without.SerializeToString()) == (b"abc", 5, b"")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        wrap_group(b"abc", 5, bytes(64))[:-1],
        Envelope(type=Envelope.CLOSED_GROUP_MESSAGE, timestamp=5).SerializeToString(),
        Envelope(type=Envelope.CLOSED_GROUP_MESSAGE, content=b"x").SerializePartialToString(),
        Envelope(
            type=Envelope.CLOSED_GROUP_MESSAGE, timestamp=5, content=b"x", proSig=bytes(63)
        ).SerializeToString(),
    ],
)
def test_what_is_no_envelope_is_refused_also_inside_a_message(fast: Any, raw: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        unwrap_group(raw)
    ring = fast.ring(fast.alice)
    if raw:
        sealed = encrypt(fast.suite, fast.bob.ed, fast.group.id, ring.sending_key, raw, bytes(24))
        with pytest.raises(RemoteProtocolError):
            open_group(fast.suite, fast.group.id, ring, sealed)


def test_nothing_of_envelope_and_sender_shows_outside(fast: Any) -> None:
    content = encode_text("hidden", SENT_MS)
    ring = fast.ring(fast.alice)
    sealed = seal_group(fast.suite, fast.alice, fast.group.id, ring, content, SENT_MS, fast.raw("h", 88))
    assert fast.alice.ed.public not in sealed
    assert b"hidden" not in sealed
    padded = aead.unseal(sealed[24:], sealed[:24], ring.sending_key)
    assert fast.alice.ed.public in padded
    assert decode(Envelope, wrap_group(content, SENT_MS, bytes(64))).type == Envelope.CLOSED_GROUP_MESSAGE
