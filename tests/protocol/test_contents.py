"""Every kind of content: written and read back, its size and lifetime, who copies it; hostile Content."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol import contents
from sessionsim.protocol.contents import (
    HANDLING,
    READ_ORDERS,
    Attachment,
    Call,
    CallKind,
    Expiry,
    ExpiryKind,
    Extraction,
    ExtractionKind,
    GroupDeleteContent,
    GroupInfoChange,
    GroupInvite,
    GroupInviteResponse,
    GroupMemberChange,
    GroupMemberLeft,
    GroupMemberLeftNotice,
    GroupPromote,
    GroupUpdate,
    InfoKind,
    Invitation,
    MemberKind,
    Message,
    Preview,
    Profile,
    Quote,
    QuotedAttachment,
    Reaction,
    ReadReceipt,
    ReadRules,
    RequestResponse,
    Text,
    TimerUpdate,
    Typing,
    Unsend,
    copied_to_self,
    read,
    text_bits,
    ttl_ms,
    write,
)
from sessionsim.protocol.pro_proof import Generation, Proof
from sessionsim.protocol.pro_signature import MESSAGE_10K, ProClaim
from sessionsim.protocol.versions import v1

SENT_MS = 1_777_000_000_000
DAY_MS = 86_400_000
ANN, BEN = (b"\x05" + bytes([n]) * 32 for n in (1, 2))
GROUP = b"\x03" + b"\x07" * 32
SIGNATURE = bytes(range(64))
FILE = Attachment("http://example/file/1#p=aa", bytes(64), bytes(32), 5, "image/png", "a.png")
PROFILE = Profile("Alice Example", "p" * 116, bytes(32), SENT_MS // 1000)

CHANGES = [
    GroupInvite(GROUP, "friends", bytes(100), SIGNATURE),
    GroupInfoChange(InfoKind.NAME, SIGNATURE, name="new name"),
    GroupInfoChange(InfoKind.AVATAR, SIGNATURE),
    GroupInfoChange(InfoKind.DISAPPEARING, SIGNATURE, timer_s=0),
    GroupInfoChange(InfoKind.DISAPPEARING, SIGNATURE, timer_s=60),
    GroupMemberChange(MemberKind.ADDED, (ANN, BEN), SIGNATURE, history_shared=True),
    GroupMemberChange(MemberKind.REMOVED, (ANN,), SIGNATURE),
    GroupMemberChange(MemberKind.PROMOTED, (ANN,), SIGNATURE),
    GroupPromote(bytes(32), "friends"),
    GroupMemberLeft(),
    GroupMemberLeftNotice(),
    GroupInviteResponse(True),
    GroupDeleteContent((ANN,), ("hash1", "hash2"), SIGNATURE),
    GroupDeleteContent(hashes=("hash1",)),
]
PARTS = [
    Text("hello"),
    Text("", profile=PROFILE),
    Text("see", (FILE, Attachment("", flags=1, width=3, height=4, caption="c", thumbnail=b"t", id=9))),
    Text("yes", quote=Quote(SENT_MS - 1, ANN)),
    Text(
        "old", quote=Quote(1, ANN, "said", (QuotedAttachment("image/png", "b", FILE, 1), QuotedAttachment()))
    ),
    Text("link", previews=(Preview("http://a"), Preview("http://b", "title", FILE))),
    Text(reaction=Reaction(SENT_MS, ANN, "😂")),
    Text(reaction=Reaction(SENT_MS, ANN, "😂", removed=True), profile=PROFILE),
    Text(invitation=Invitation("https://community.example/room?public_key=aa", "Room")),
    Text("copy", sync_target=BEN, profile=PROFILE),
    Text("post", blocks_community_requests=True, old_sent_ms=SENT_MS),
    TimerUpdate(),
    TimerUpdate(BEN, PROFILE),
    *(GroupUpdate(change) for change in CHANGES),
    GroupUpdate(CHANGES[0], PROFILE),
    Typing(True, SENT_MS),
    Typing(False, SENT_MS),
    ReadReceipt(()),
    ReadReceipt((SENT_MS, SENT_MS - 5)),
    Unsend(SENT_MS, ANN),
    Extraction(ExtractionKind.MEDIA_SAVED, SENT_MS),
    Extraction(ExtractionKind.SCREENSHOT),
    RequestResponse(True, PROFILE),
    RequestResponse(False),
    Call(CallKind.PRE_OFFER, "uuid"),
    Call(CallKind.OFFER, "uuid", ("v=0",)),
    Call(CallKind.ICE_CANDIDATES, "uuid", ("c1", "c2"), (0, 1), ("a", "b")),
    Call(CallKind.END_CALL, "uuid"),
]


def name_of(part: Any) -> str:
    return type(part.change if isinstance(part, GroupUpdate) else part).__name__


# ---- Written and read ----


@pytest.mark.parametrize("part", PARTS, ids=name_of)
@pytest.mark.parametrize("order", READ_ORDERS)
def test_every_kind_is_read_as_written(part: Any, order: str) -> None:
    rules = ReadRules(READ_ORDERS[order], Generation.DRAFT)
    for expiry in (
        None,
        Expiry(),
        Expiry(ExpiryKind.AFTER_READ, 60),
        Expiry(None, 0),
        Expiry(ExpiryKind.OFF, None),
    ):
        message = Message(SENT_MS, part, expiry, ProClaim(None, 1, 2))
        assert read(write(message), outer_ms=SENT_MS, rules=rules) == message


def test_every_kind_there_is_has_an_example_here() -> None:
    assert {type(part) for part in PARTS} == set(get_args(contents.Part)) == set(HANDLING)
    assert {type(change) for change in CHANGES} == set(get_args(contents.GroupChange))
    for order in READ_ORDERS.values():
        assert len(order) == len(set(order)) == len(HANDLING)


def test_every_field_of_a_record_has_an_example_that_uses_it() -> None:
    for kind in {type(part) for part in PARTS} | {type(change) for change in CHANGES}:
        examples = [p for p in (*PARTS, *CHANGES) if type(p) is kind]
        for field in fields(kind):
            assert any(getattr(e, field.name) for e in examples), f"{kind.__name__}.{field.name}"


@pytest.mark.parametrize("profile", [None, PROFILE, Profile("A", "", b"", 0), Profile("A", "", b"", None)])
@pytest.mark.parametrize("target", [b"", BEN])
def test_a_text_has_the_same_bytes_as_by_the_short_way(profile: Profile | None, target: bytes) -> None:
    text = Text("hello", profile=profile, sync_target=target)
    expiry = Expiry() if profile else None
    assert write(Message(SENT_MS, text, expiry)) == v1.encode_text(
        "hello", SENT_MS, profile=profile, sync_target=target
    )


def test_fields_stand_where_the_specification_says() -> None:
    typing = write(Message(1, Typing(False, 2)))
    assert typing.hex() == "3204080210017801"  # 6 {1: 2, 2: STOPPED}, 15: 1
    receipt = write(Message(1, ReadReceipt((2, 3))))
    assert receipt.hex() == "2a060801100210037801"  # 5 {1: READ, 2 unpacked}
    timer = write(Message(1, TimerUpdate(), Expiry(ExpiryKind.AFTER_SEND, 60)))
    assert timer.hex() == "0a0220026002683c7801"  # 1 {4: 2}, 12: 2, 13: 60
    left = write(Message(1, GroupUpdate(GroupMemberLeft())))
    assert left.hex() == "0a05c207022a007801"  # 1 {120 {5 {}}}
    saved = write(Message(1, Extraction(ExtractionKind.MEDIA_SAVED, 3)))
    assert saved.hex() == "4204080210037801"  # 8 {1: 2, 2: 3}
    pro = Proof(Generation.APRIL_2026, b"t" * 32, b"r" * 32, 5, b"s" * 64)
    with_pro = write(Message(1, Typing(True, 2), pro=ProClaim(pro, 1, 1)))
    assert with_pro.startswith(bytes.fromhex("32040802100078018201"))
    assert with_pro.endswith(bytes.fromhex("20052a40") + b"s" * 64 + bytes.fromhex("10011801"))


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
times = st.integers(0, 2**64 - 1)
ids = st.binary(min_size=33, max_size=33)
accounts = st.binary(min_size=32, max_size=32).map(lambda key: b"\x05" + key)
profiles = st.none() | st.builds(Profile, texts, texts, st.sampled_from([b"", bytes(32)]), st.none() | times)
files = st.builds(
    Attachment, texts, st.sampled_from([b"", bytes(32), bytes(64)]), st.sampled_from([b"", bytes(32)]),
    st.none() | st.integers(0, 2**32 - 1), texts, texts, texts, *(st.integers(0, 2**32 - 1),) * 3,
    st.binary(max_size=5), times,
)  # fmt: skip
quotes = st.builds(
    Quote, times, ids, texts, st.tuples() | st.tuples(st.builds(QuotedAttachment, texts, texts))
)
any_text = st.builds(
    Text, texts, st.tuples() | st.tuples(files), st.none() | quotes,
    st.tuples() | st.tuples(st.builds(Preview, texts, texts, st.none() | files)),
    st.none() | st.builds(Reaction, times, ids, texts, st.booleans()),
    st.none() | st.builds(Invitation, texts, texts), profiles, st.just(b"") | ids,
    st.none() | st.booleans(), st.none() | times,
)  # fmt: skip
any_part = (
    any_text
    | st.builds(TimerUpdate, st.just(b"") | ids, profiles)
    | st.builds(Typing, st.booleans(), times)
    | st.builds(ReadReceipt, st.lists(times, max_size=9).map(tuple))
    | st.builds(Unsend, times, ids)
    | st.builds(RequestResponse, st.booleans(), profiles)
    | st.builds(
        GroupUpdate,
        st.builds(GroupDeleteContent, st.tuples(accounts), st.lists(texts, max_size=3).map(tuple)),
    )
)


@given(any_part, times, st.none() | st.builds(Expiry, st.sampled_from(ExpiryKind), st.integers(0, 2**32 - 1)))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_any_values_are_read_as_written(part: Any, sent_ms: int, expiry: Expiry | None) -> None:
    message = Message(sent_ms, part, expiry)
    assert read(write(message)) == message


# ---- Time and order ----


def test_signed_time_must_be_that_of_the_wrapper_or_within_the_window() -> None:
    content = write(Message(SENT_MS, Text("x")))
    assert read(content).sent_ms == read(content, outer_ms=SENT_MS).sent_ms == SENT_MS
    window = contents.COMMUNITY_WINDOW_MS
    for outer_ms in (SENT_MS - window, SENT_MS + window):
        assert read(content, outer_ms=outer_ms, window_ms=window).sent_ms == SENT_MS
    for outer_ms, allowed in ((SENT_MS + 1, 0), (SENT_MS - 1, 0), (SENT_MS + window + 1, window)):
        with pytest.raises(RemoteProtocolError, match="signed time"):
            read(content, outer_ms=outer_ms, window_ms=allowed)


def test_without_signed_time_the_outer_one_counts() -> None:
    for content in (b"\x0a\x03\x0a\x01x", b"\x0a\x03\x0a\x01x\x78\x00"):
        assert read(content, outer_ms=5) == Message(5, Text("x"))
        assert read(content) == Message(0, Text("x"))


def test_of_several_kinds_each_platform_reads_its_own_first() -> None:
    both = write(Message(SENT_MS, Text("x")))[:-7] + write(Message(SENT_MS, Typing(True, SENT_MS)))
    kinds = {name: type(read(both, rules=ReadRules(order)).part) for name, order in READ_ORDERS.items()}
    assert kinds == {"desktop": Text, "android": Typing, "ios": Typing}


# ---- Lifetime, copies, length ----


@pytest.mark.parametrize(
    ("part", "expected"),
    [(Typing(True, 1), 20_000), (Call(CallKind.PRE_OFFER, "u"), 300_000)]
    + [(p, 14 * DAY_MS) for p in PARTS if not isinstance(p, Typing | Call)],
)
def test_lifetimes_are_those_of_the_table(part: Any, expected: int) -> None:
    for rule in contents.TTL_RULES:
        for expiry in (None, Expiry(), Expiry(ExpiryKind.AFTER_READ, 60), Expiry(ExpiryKind.AFTER_SEND, 0)):
            assert ttl_ms(part, expiry, rule=rule) == expected
    assert contents.CONFIG_TTL_MS == 30 * DAY_MS


@pytest.mark.parametrize("part", PARTS, ids=name_of)
def test_timer_of_delete_after_send_shortens_what_disappears(part: Any) -> None:
    timer = Expiry(ExpiryKind.AFTER_SEND, 60)
    on_desktop = isinstance(part, Text | TimerUpdate | GroupUpdate | Extraction)
    assert (ttl_ms(part, timer) == 60_000) is on_desktop
    kept = isinstance(part, GroupUpdate) and not isinstance(
        part.change, GroupInfoChange | GroupMemberChange | GroupMemberLeftNotice
    )
    assert (ttl_ms(part, timer, rule="android") == 60_000) is not kept
    after_read = Expiry(ExpiryKind.AFTER_READ, 60)
    assert (ttl_ms(part, after_read, rule="android", sync_copy=True) == 60_000) is not kept
    assert ttl_ms(part, after_read, sync_copy=True) == ttl_ms(part)


COPIED = {  # client-behaviour 6.3, row by row
    "desktop": lambda p: isinstance(p, Text | TimerUpdate | GroupUpdate | Unsend),
    "android": lambda p: not isinstance(p, Extraction),
    "ios": lambda p: (
        isinstance(p, Text | TimerUpdate | Unsend)
        or (isinstance(p, Call) and p.kind in (CallKind.ANSWER, CallKind.END_CALL))
    ),
}


@pytest.mark.parametrize("platform", COPIED)
@pytest.mark.parametrize("part", [*PARTS, Call(CallKind.ANSWER, "uuid", ("v=0",))], ids=name_of)
def test_copies_to_the_own_swarm_are_those_of_the_table(part: Any, platform: str) -> None:
    assert copied_to_self(platform, part) is COPIED[platform](part)


def test_unknown_platform_and_rule_are_refused() -> None:
    with pytest.raises(InvalidInput, match="android, desktop or ios"):
        copied_to_self("web", Text("x"))
    with pytest.raises(InvalidInput, match="TTL rule"):
        ttl_ms(Text("x"), rule="ios")


def test_text_length_is_counted_in_code_points() -> None:
    assert text_bits("🙂" * 2000) == text_bits("x" * 2000, pro=True) == 0
    assert text_bits("🙂" * 2001, pro=True) == text_bits("x" * 10_000, pro=True) == MESSAGE_10K
    for body, pro in (("x" * 2001, False), ("🙂" * 10_001, True)):
        with pytest.raises(InvalidInput, match="at most"):
            text_bits(body, pro=pro)


# ---- Own mistakes ----


@pytest.mark.parametrize(
    "make",
    [
        lambda: Text(sync_target=bytes(32)),
        lambda: TimerUpdate(bytes(32)),
        lambda: Quote(1, bytes(32)),
        lambda: Reaction(1, b"", "x"),
        lambda: Unsend(1, bytes(34)),
        lambda: Profile("", "", bytes(31), 0),
        lambda: Attachment("", bytes(16)),
        lambda: Attachment("", digest=bytes(31)),
        lambda: Call(CallKind.OFFER, "uuid"),
        lambda: Call(CallKind.END_CALL, ""),
        lambda: GroupInvite(GROUP[1:], "", bytes(100), SIGNATURE),
        lambda: GroupInvite(ANN, "", bytes(100), SIGNATURE),
        lambda: GroupInvite(GROUP, "", bytes(99), SIGNATURE),
        lambda: GroupMemberChange(MemberKind.ADDED, (GROUP,), SIGNATURE),
        lambda: GroupInfoChange(InfoKind.NAME, b""),
        lambda: GroupMemberChange(MemberKind.ADDED, (b"",), SIGNATURE),
        lambda: GroupPromote(bytes(31), ""),
        lambda: GroupDeleteContent(),
        lambda: GroupDeleteContent((ANN,), (), bytes(63)),
        lambda: write(Message(-1, Text())),
        lambda: write(Message(1 << 64, Text())),
        lambda: write(Message(1, Text(), Expiry(ExpiryKind.AFTER_SEND, 1 << 32))),
        lambda: write(Message(1, ReadReceipt((-1,)))),
        lambda: write(Message(1, Text(attachments=(replace(FILE, size_bytes=1 << 32),)))),
    ],
)
def test_records_that_cannot_be_sent_are_our_mistake(make: Any) -> None:
    with pytest.raises(LocalProtocolError):
        make()


@pytest.mark.parametrize(
    "part", [Text("\ud800"), Text(profile=Profile("\ud800", "", b"", 0)), Call(CallKind.END_CALL, "\ud800")]
)
def test_text_that_utf8_cannot_express_is_refused(part: Any) -> None:
    with pytest.raises(InvalidInput, match="UTF-8"):
        write(Message(1, part))


# ---- Hostile Content ----


def field(number: int, inside: bytes) -> bytes:
    """A length-delimited field; short ones only."""
    assert len(inside) < 128
    key = bytes([number << 3 | 2]) if number < 16 else bytes([number << 3 & 0x7F | 0x82, number >> 4])
    return key + bytes([len(inside)]) + inside


HEX_ID = field(2, ANN.hex().encode())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x78\x01",  # a time and nothing else
        field(1, field(1, b"\xff\xfe")),  # a body that is not UTF-8
        field(1, field(101, field(1, b"\xc3"))),  # nor a name
        field(1, field(105, b"zz" * 33)),  # a sync target that is no id
        field(1, field(105, b" " * 66)),
        field(1, field(6, bytes(31))),  # a profile key of 31 bytes
        field(1, field(2, b"")),  # an attachment without id
        field(1, field(2, b"\x09" + bytes(8) + field(3, bytes(16)))),  # with a key of 16 bytes
        field(1, field(8, b"\x08\x01")),  # a quote without author
        field(1, field(8, b"\x08\x01" + field(2, b"05aa"))),  # with an author that is no id
        field(1, field(10, field(2, b"title"))),  # a preview without address
        field(1, field(11, b"\x08\x01" + HEX_ID)),  # a reaction without action
        field(1, field(11, b"\x08\x01" + HEX_ID + b"\x20\x07")),  # with an unknown one
        field(1, field(102, field(1, b"url"))),  # an invitation without name
        field(1, field(120, b"")),  # a group update without kind
        field(1, field(120, field(2, b"\x08\x01"))),  # without signature
        field(1, field(120, field(2, b"\x08\x01" + field(4, bytes(63))))),  # with one of 63 bytes
        field(1, field(120, field(2, b"\x08\x00" + field(4, bytes(64))))),  # of no known kind
        field(1, field(120, field(4, field(1, bytes(31)) + field(2, b"n")))),  # a seed of 31 bytes
        field(1, field(120, field(6, b""))),  # an answer without yes or no
        field(1, field(120, field(7, b""))),  # a deletion of nothing
        field(3, b"\x08\x05"),  # a call without uuid
        field(3, b"\x08\x01" + field(5, b"uuid")),  # an offer without description
        field(3, b"\x08\x00" + field(5, b"uuid")),  # of no known kind
        field(5, b"\x10\x01"),  # a receipt without type
        field(5, b"\x08\x00\x10\x01"),  # for delivery
        field(6, b"\x08\x01"),  # typing without action
        field(8, b"\x08\x00"),  # an extraction of no known kind
        field(9, b"\x08\x01"),  # a deletion without author
        field(10, b""),  # an answer without yes or no
        field(6, b"\x08\x01\x10\x00") + field(16, b""),  # a Pro claim without proof
        field(1, b"\x20\x02") + b"\xff",  # cut off
        b"\x0b" * 200,  # groups inside groups
        b"\x78" + b"\xff" * 11,  # a number of eleven bytes
        b"\x0a\xff\xff\xff\xff\x7f",  # longer than everything
        field(11, b"\x08\x01\x10\x01" + field(3, b"x")),  # a config, which is not for reading here
    ],
)
def test_content_that_no_client_accepts_is_refused(content: bytes) -> None:
    for order in READ_ORDERS.values():
        with pytest.raises(RemoteProtocolError):
            read(content, rules=ReadRules(order))


def test_unknown_fields_are_ignored() -> None:
    known = write(Message(SENT_MS, Text("x")))
    for unknown in (
        field(2, b"sync"),
        field(104, b"anything"),
        b"\x0b\x0b\x08\x01\x0c\x0c",
        b"\xf8\xff\xff\xff\x0f\x01",
    ):
        assert read(unknown + known + unknown) == Message(SENT_MS, Text("x"))


def test_legacy_group_field_of_a_text_is_not_looked_at() -> None:
    assert read(field(1, field(1, b"x") + field(104, b"\xff"))) == Message(0, Text("x"))


def test_flood_of_small_things_is_read_in_bounded_time() -> None:
    times_read = read(write(Message(1, ReadReceipt((1,) * 30_000))))
    assert times_read.part == ReadReceipt((1,) * 30_000)
    previews = read(field(1, b"")[:1] + b"\xc0\xbb\x01" + field(10, b"\x0a\x00") * 6000)
    assert isinstance(previews.part, Text)
    assert len(previews.part.previews) == 6000


@given(st.binary(max_size=120))
@settings(deadline=None, max_examples=300, derandomize=True)
def test_random_content_raises_nothing_else(content: bytes) -> None:
    try:
        read(content)
    except RemoteProtocolError:
        return


@given(st.sampled_from(PARTS), st.data())
@settings(deadline=None, max_examples=400, derandomize=True)
def test_altered_content_of_every_kind_raises_nothing_else(part: Any, data: st.DataObject) -> None:
    content = bytearray(write(Message(SENT_MS, part, Expiry(), ProClaim(None, 1, 1))))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    for raw in (bytes(content), bytes(content[:cut])):
        for order in READ_ORDERS.values():
            try:
                found = read(raw, rules=ReadRules(order, Generation.DRAFT))
            except RemoteProtocolError:
                continue
            assert read(write(found), rules=ReadRules(order, Generation.DRAFT)) == found
