"""Typed access to the six kinds: what was set comes back, limits hold, malformed fields count as absent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput, LocalProtocolError
from sessionsim.protocol import namespaces
from sessionsim.protocol.configs import KINDS, Config, group_config, kinds, user_config
from sessionsim.protocol.configs.contacts import EXPIRE_AFTER_READ, EXPIRE_NEVER, Contact, Contacts
from sessionsim.protocol.configs.conversations import Conversation, Conversations
from sessionsim.protocol.configs.fields import (
    NOTIFY_ALL,
    NOTIFY_DEFAULT,
    NOTIFY_MENTIONS,
    NOTIFY_OFF,
    Picture,
    Room,
    cut,
)
from sessionsim.protocol.configs.group_info import GroupInfo
from sessionsim.protocol.configs.group_members import NOT_SENT, REMOVED, SENT, GroupMembers, Member
from sessionsim.protocol.configs.user_groups import (
    JoinedGroup,
    JoinedRoom,
    LegacyGroup,
    Membership,
    UserGroups,
)
from sessionsim.protocol.configs.user_profile import UserProfile
from sessionsim.protocol.crypto import real, suite_named
from sessionsim.protocol.identity import account_from_ed25519_seed

SUITE = suite_named("sodium")
OWNER = account_from_ed25519_seed(bytes(31) + b"\1")
GROUP = real.ed25519_keypair(bytes(31) + b"\2")
GROUP_ID = b"\3" + GROUP.public
PERSON, PERSON_2 = b"\5" + b"a" * 32, b"\5" + b"b" * 32
PICTURE, PICTURE_2 = Picture("http://example.com/1", b"k" * 32), Picture("http://example.com/2", b"l" * 32)
ROOM, SERVER_KEY = Room("https://open.getsession.org", "lokinet"), b"s" * 32
NOW_S, NOW_MS, DAY_MS = 1_777_000_000, 1_777_000_000_000, 86_400_000


def config_of(kind: kinds.Kind) -> Config:
    if kind.of_group:
        return group_config(kind, SUITE, GROUP.public, [bytes(32)], GROUP)
    return user_config(kind, SUITE, OWNER)


def clean(config: Config) -> None:
    config.confirm_pushed(config.push(0).seqno, ["h"])


def test_each_kind_has_its_namespace_and_domain() -> None:
    assert {namespace: kind.domain for namespace, kind in KINDS.items()} == {
        namespaces.USER_PROFILE: b"UserProfile",
        namespaces.CONTACTS: b"Contacts",
        namespaces.CONVO_INFO_VOLATILE: b"ConvoInfoVolatile",
        namespaces.USER_GROUPS: b"UserGroups",
        namespaces.GROUP_INFO: b"groups::Info",
        namespaces.GROUP_MEMBERS: b"groups::Members",
    }
    assert [kind.wrapped_kind for kind in KINDS.values()] == [1, 2, 3, 4, 0, 0]


# ---- What the kinds share ----


def test_texts_are_cut_between_characters() -> None:
    assert cut("a" * 101, 100) == "a" * 100
    assert cut("a" * 97 + "🎂", 100) == "a" * 97
    assert cut("a" * 95 + "🎂🎂", 100) == "a" * 95 + "🎂"


@pytest.mark.parametrize(
    ("url", "key"), [("", b"k" * 32), ("x" * 224, b"k" * 32), ("x", b"k" * 31), ("\ud800", b"k" * 32)]
)
def test_a_picture_has_an_address_of_at_most_223_bytes_and_a_key_of_32(url: str, key: bytes) -> None:
    with pytest.raises(InvalidInput):
        Picture(url, key)
    Picture("x" * 223, b"k" * 32)


@pytest.mark.parametrize(
    ("server", "wanted"),
    [
        ("HTTPS://Open.GetSession.org/", "https://open.getsession.org"),
        ("https://open.getsession.org:443", "https://open.getsession.org"),
        ("http://open.getsession.org:80", "http://open.getsession.org"),
        ("http://open.getsession.org:443", "http://open.getsession.org:443"),
    ],
)
def test_rooms_have_one_name(server: str, wanted: str) -> None:
    assert Room(server, "LokiNet") == Room(wanted, "lokinet")
    assert Room(server, "x").path == (b"o", wanted.encode(), b"R", b"x")


@pytest.mark.parametrize(
    ("server", "token"),
    [
        ("ftp://x.org", "r"),
        ("https://x.org/path", "r"),
        ("https://", "r"),
        ("https://x.org:0", "r"),
        ("https://" + "x" * 300, "r"),
        ("https://x.org", ""),
        ("https://x.org", "a b"),
        ("https://x.org", "é"),
        ("https://x.org", "r" * 65),
    ],
)
def test_what_is_no_room_is_refused(server: str, token: str) -> None:
    with pytest.raises(InvalidInput):
        Room(server, token)


# ---- UserProfile ----


def test_a_profile_keeps_what_was_set() -> None:
    config = config_of(kinds.USER_PROFILE)
    profile = UserProfile(config)
    assert (profile.name, profile.picture, profile.note_priority, profile.note_timer_s) == ("", None, 0, 0)
    assert (profile.blinded_requests, profile.updated_s) == (None, 0)
    profile.set_name("Kallie")
    profile.set_picture(PICTURE)
    profile.set_note_priority(-1)
    profile.set_note_timer(86_400)
    profile.set_blinded_requests(False)
    assert config.data == {
        b"n": b"Kallie",
        b"p": PICTURE.url.encode(),
        b"q": PICTURE.key,
        b"+": -1,
        b"e": 86_400,
        b"M": 0,
    }
    assert (profile.name, profile.picture, profile.note_priority) == ("Kallie", PICTURE, -1)
    assert (profile.note_timer_s, profile.blinded_requests) == (86_400, False)
    profile.set_name("")
    profile.set_picture(None)
    profile.set_note_priority(0)
    profile.set_note_timer(0)
    profile.set_blinded_requests(None)
    assert config.data == {}


def test_newer_clients_write_when_the_profile_changed() -> None:
    config = config_of(kinds.USER_PROFILE)
    profile = UserProfile(config)
    profile.set_name("Kallie", NOW_S)
    assert profile.updated_s == config.get(b"t") == NOW_S
    profile.set_name("Kallie", NOW_S + 1)
    assert profile.updated_s == NOW_S
    profile.set_picture(PICTURE, NOW_S + 2)
    profile.set_picture_again(PICTURE_2, NOW_S + 3)
    assert (profile.picture, profile.updated_s, config.get(b"t")) == (PICTURE_2, NOW_S + 3, NOW_S + 2)
    profile.set_blinded_requests(True, NOW_S + 4)
    assert (config.get(b"t"), config.get(b"T")) == (NOW_S + 2, NOW_S + 4)
    profile.set_picture(None, NOW_S + 5)
    assert profile.picture is None
    assert config.get(b"P") is None


def test_names_have_100_bytes_at_most() -> None:
    profile, info = UserProfile(config_of(kinds.USER_PROFILE)), GroupInfo(config_of(kinds.GROUP_INFO))
    contacts, members = Contacts(config_of(kinds.CONTACTS)), GroupMembers(config_of(kinds.GROUP_MEMBERS))
    groups = UserGroups(config_of(kinds.USER_GROUPS))
    setters: list[Callable[[str], None]] = [
        profile.set_name,
        info.set_name,
        lambda name: contacts.set(Contact(PERSON, name)),
        lambda name: contacts.set(Contact(PERSON, nickname=name)),
        lambda name: members.set(Member(PERSON, name)),
        lambda name: groups.set_group(JoinedGroup(GROUP_ID, name)),
        lambda name: groups.set_legacy(LegacyGroup(PERSON, name)),
    ]
    for set_name in setters:
        set_name("é" * 50)
        for wrong in ("é" * 50 + "x", "x" * 101, "\ud800"):
            with pytest.raises(InvalidInput):
                set_name(wrong)


# ---- Contacts ----

FULL_CONTACT = Contact(
    PERSON,
    "Joe",
    "Joey",
    PICTURE,
    True,
    True,
    True,
    -1,
    NOTIFY_OFF,
    NOW_S,
    EXPIRE_AFTER_READ,
    60,
    NOW_S,
    NOW_S,
)


def test_contacts_keep_what_was_set() -> None:
    config = config_of(kinds.CONTACTS)
    contacts = Contacts(config)
    assert (contacts.get(PERSON), len(contacts), list(contacts)) == (None, 0, [])
    contacts.set(Contact(PERSON_2))
    contacts.set(FULL_CONTACT)
    assert config.get(b"c", PERSON_2) == {b"n": b""}
    assert list(contacts) == [FULL_CONTACT, Contact(PERSON_2)]
    assert config.get(b"c", PERSON) == {
        b"n": b"Joe", b"N": b"Joey", b"p": PICTURE.url.encode(), b"q": PICTURE.key, b"a": 1, b"A": 1, b"b": 1,
        b"+": -1, b"@": 2, b"!": NOW_S, b"e": 2, b"E": 60, b"j": NOW_S, b"t": NOW_S,
    }  # fmt: skip
    clean(config)
    for contact in list(contacts):
        contacts.set(contact)
    assert not config.needs_push
    assert contacts.erase(PERSON)
    assert not contacts.erase(PERSON)
    assert len(contacts) == 1


def test_mentions_only_counts_as_all_and_a_timer_needs_its_mode() -> None:
    contacts = Contacts(config_of(kinds.CONTACTS))
    contacts.set(Contact(PERSON, notify=NOTIFY_MENTIONS, timer_s=60))
    assert contacts.get(PERSON) == Contact(PERSON, notify=NOTIFY_ALL)


@pytest.mark.parametrize("name", ["approved", "approved_me", "blocked"])
def test_flags_of_a_contact_are_apart(name: str) -> None:
    contacts, contact = Contacts(config_of(kinds.CONTACTS)), Contact(PERSON, **{name: True})  # type: ignore[arg-type]
    contacts.set(contact)
    assert contacts.get(PERSON) == contact


def test_fields_of_newer_clients_stay() -> None:
    config = config_of(kinds.CONTACTS)
    config.set(b"c", PERSON, to={b"n": b"Joe", b"f": frozenset((1, 2)), b"Z": b"?"})
    contact = Contacts(config).get(PERSON)
    assert contact is not None
    Contacts(config).set(contact)
    assert config.get(b"c", PERSON) == {b"n": b"Joe", b"f": frozenset((1, 2)), b"Z": b"?"}


# ---- Conversations ----


def test_conversations_keep_how_far_they_are_read() -> None:
    config = config_of(kinds.CONVERSATIONS)
    conversations = Conversations(config)
    held = [
        Conversation(PERSON, NOW_MS, True),
        Conversation(GROUP_ID, NOW_MS - 1),
        Conversation(PERSON_2, NOW_MS - 2, legacy=True),
        Conversation(b"\x15" + b"c" * 32, NOW_MS - 3),
        Conversation(b"\x25" + b"c" * 32, NOW_MS - 4),
        Conversation(ROOM, NOW_MS - 5, server_key=SERVER_KEY),
    ]
    for conversation in held:
        conversations.set(conversation, NOW_MS)
    assert list(conversations) == held
    assert sorted(config.data) == [b"1", b"C", b"b", b"g", b"o"]
    assert config.get(b"1", PERSON) == {b"r": NOW_MS, b"u": 1}
    for conversation in held:
        assert conversations.get(conversation.with_whom, legacy=conversation.legacy) == conversation
        assert conversations.erase(conversation.with_whom, legacy=conversation.legacy)
        assert conversations.get(conversation.with_whom, legacy=conversation.legacy) is None
    clean(config)
    assert config.data == {}


def test_what_was_read_long_ago_is_not_added_but_going_back_is_meant() -> None:
    conversations = Conversations(config_of(kinds.CONVERSATIONS))
    conversations.set(Conversation(PERSON, NOW_MS - 30 * DAY_MS), NOW_MS)
    assert conversations.get(PERSON) is None
    conversations.set(Conversation(PERSON, NOW_MS - 30 * DAY_MS + 1), NOW_MS)
    conversations.set(Conversation(PERSON, 0), NOW_MS)
    assert conversations.get(PERSON) == Conversation(PERSON, 0)


def test_stale_conversations_go_before_a_push_unless_marked_unread() -> None:
    config = config_of(kinds.CONVERSATIONS)
    conversations = Conversations(config)
    for age_days, person in enumerate((PERSON, PERSON_2, GROUP_ID)):
        conversations.set(Conversation(person, NOW_MS + age_days, person == PERSON), NOW_MS)
    conversations.set(Conversation(ROOM, NOW_MS, server_key=SERVER_KEY), NOW_MS)
    conversations.prune(NOW_MS + 45 * DAY_MS)
    assert len(list(conversations)) == 4
    conversations.prune(NOW_MS + 45 * DAY_MS + 2)
    assert [conversation.with_whom for conversation in conversations] == [PERSON, GROUP_ID]
    clean(config)
    assert b"o" not in config.data


@pytest.mark.parametrize("whom", [b"", PERSON[:32], b"\x07" + b"a" * 32, PERSON + b"x"])
def test_a_conversation_needs_an_id(whom: bytes) -> None:
    conversations = Conversations(config_of(kinds.CONVERSATIONS))
    with pytest.raises(LocalProtocolError):
        conversations.set(Conversation(whom, NOW_MS), NOW_MS)
    with pytest.raises(LocalProtocolError):
        conversations.set(Conversation(GROUP_ID, NOW_MS, legacy=True), NOW_MS)
    with pytest.raises(LocalProtocolError):
        conversations.set(Conversation(ROOM, NOW_MS), NOW_MS)


# ---- UserGroups ----

MEMBERSHIP = Membership(3, NOW_S, NOTIFY_MENTIONS, NOW_S, True)


def test_groups_keep_what_was_set() -> None:
    config = config_of(kinds.USER_GROUPS)
    groups = UserGroups(config)
    admin = JoinedGroup(GROUP_ID, "Friends", GROUP.secret, membership=MEMBERSHIP)
    member = JoinedGroup(b"\3" + b"m" * 32, auth=b"a" * 100, removed=1)
    for group in (admin, member):
        groups.set_group(group)
    assert list(groups.groups()) == [admin, member] or list(groups.groups()) == [member, admin]
    assert (groups.group(GROUP_ID), groups.group(member.id)) == (admin, member)
    assert config.get(b"g", member.id) == {b"K": b"", b"s": b"a" * 100, b"r": 1}
    clean(config)
    groups.set_group(admin)
    assert not config.needs_push
    assert groups.erase_group(GROUP_ID)
    assert groups.group(GROUP_ID) is None


def test_a_seed_of_another_group_is_neither_written_nor_read() -> None:
    config = config_of(kinds.USER_GROUPS)
    groups = UserGroups(config)
    groups.set_group(JoinedGroup(GROUP_ID, seed=bytes(32), auth=b"short"))
    assert config.get(b"g", GROUP_ID) == {b"K": b""}
    config.set(b"g", GROUP_ID, b"K", to=bytes(32))
    assert groups.group(GROUP_ID) == JoinedGroup(GROUP_ID)


def test_rooms_keep_what_was_set_and_share_their_servers_key() -> None:
    config = config_of(kinds.USER_GROUPS)
    groups = UserGroups(config)
    first = JoinedRoom(ROOM, SERVER_KEY, "LokiNet", MEMBERSHIP)
    second = JoinedRoom(Room(ROOM.server, "other"), SERVER_KEY, "other")
    for joined in (first, second):
        groups.set_room(joined)
    assert list(groups.rooms()) == [first, second]
    assert groups.room(ROOM) == first
    assert groups.room(Room("https://x.org", "lokinet")) is None
    assert config.get(b"o", ROOM.server.encode(), b"#") == SERVER_KEY
    assert groups.erase_room(ROOM)
    assert not groups.erase_room(ROOM)
    assert groups.erase_room(second.room)
    clean(config)
    assert config.data == {}
    with pytest.raises(InvalidInput):
        groups.set_room(JoinedRoom(ROOM, SERVER_KEY, "another"))
    with pytest.raises(LocalProtocolError):
        groups.set_room(JoinedRoom(ROOM, b""))


def test_legacy_groups_keep_what_was_set() -> None:
    config = config_of(kinds.USER_GROUPS)
    groups = UserGroups(config)
    admins, members = frozenset((PERSON,)), frozenset((PERSON_2,))
    group = LegacyGroup(b"\5" + b"g" * 32, "Old", b"p" * 32, b"s" * 32, members, admins, 60, MEMBERSHIP)
    groups.set_legacy(group)
    assert groups.legacy(group.id) == group
    assert list(groups.legacies()) == [group]
    assert config.get(b"C", group.id, b"m") == members
    groups.set_legacy(LegacyGroup(group.id, "Old", members=members | admins, admins=admins))
    assert groups.legacy(group.id) == LegacyGroup(group.id, "Old", members=members, admins=admins)
    assert groups.erase_legacy(group.id)
    with pytest.raises(LocalProtocolError):
        groups.set_legacy(LegacyGroup(group.id, members=frozenset((b"x",))))


# ---- Groups ----


def test_a_groups_description_keeps_what_was_set() -> None:
    config = config_of(kinds.GROUP_INFO)
    info = GroupInfo(config)
    assert (info.name, info.description, info.picture, info.destroyed) == ("", "", None, False)
    info.set_name("GROUP Name")
    info.set_description("é" * 1000)
    info.set_picture(PICTURE)
    info.set_timer(3600)
    info.set_created(NOW_S)
    info.set_delete_before(NOW_S + 1)
    info.set_delete_attachments_before(NOW_S + 2)
    info.destroy()
    assert (info.name, info.description, info.picture) == ("GROUP Name", "é" * 1000, PICTURE)
    assert (info.timer_s, info.created_s, info.destroyed) == (3600, NOW_S, True)
    assert (info.delete_before_s, info.delete_attachments_before_s) == (NOW_S + 1, NOW_S + 2)
    assert sorted(config.data) == [b"!", b"D", b"E", b"c", b"d", b"n", b"o", b"p", b"q"]
    with pytest.raises(InvalidInput):
        info.set_description("é" * 1000 + "x")
    info.set_picture(None)
    info.set_timer(0)
    assert (info.picture, info.timer_s) == (None, 0)


def test_members_keep_what_was_set() -> None:
    config = config_of(kinds.GROUP_MEMBERS)
    members = GroupMembers(config)
    invited = Member(PERSON, "Joe", PICTURE, with_history=True, invitation=SENT)
    admin = Member(PERSON_2, admin=True, invitation=0, promotion=SENT, removal=REMOVED)
    for member in (invited, admin):
        members.set(member)
    assert list(members) == [invited, admin]
    assert members.get(PERSON) == invited
    assert config.get(b"m", PERSON_2) == {b"n": b"", b"A": 1, b"P": 1, b"R": 1}
    assert len(members) == 2
    assert members.erase(PERSON)
    assert members.get(PERSON) is None
    members.set(Member(PERSON_2, admin=True, invitation=NOT_SENT))
    assert members.get(PERSON_2) == Member(PERSON_2, admin=True, invitation=0)


def test_only_admins_write() -> None:
    config = group_config(kinds.GROUP_MEMBERS, SUITE, GROUP.public, [bytes(32)])
    with pytest.raises(LocalProtocolError):
        GroupMembers(config).set(Member(PERSON))


@pytest.mark.parametrize("wrong", [b"", PERSON[:32], GROUP_ID])
def test_ids_are_checked_in_writing(wrong: bytes) -> None:
    for call in (
        lambda: Contacts(config_of(kinds.CONTACTS)).set(Contact(wrong)),
        lambda: GroupMembers(config_of(kinds.GROUP_MEMBERS)).set(Member(wrong)),
        lambda: UserGroups(config_of(kinds.USER_GROUPS)).set_legacy(LegacyGroup(wrong)),
    ):
        with pytest.raises(LocalProtocolError):
            call()
    with pytest.raises(LocalProtocolError):
        UserGroups(config_of(kinds.USER_GROUPS)).set_group(JoinedGroup(PERSON))


# ---- Malformed data ----

LETTERS = [bytes([letter]) for letter in b"cn1Cgobm#RKskNpqaA@!+eEjtPQTMdDIsrui"]
KEYS = st.sampled_from([*LETTERS, PERSON, GROUP_ID, b"\x15" + b"z" * 32, b"https://x.org", b"room", b"\xff"])
LEAVES = (
    st.integers(-(1 << 63), (1 << 63) - 1) | st.binary(max_size=34) | st.frozensets(st.binary(max_size=3))
)
ANYTHING = st.recursive(LEAVES, lambda inner: st.dictionaries(KEYS, inner, max_size=4), max_leaves=12)


def read_everything(config: Config) -> list[Any]:
    profile, info, groups = UserProfile(config), GroupInfo(config), UserGroups(config)
    properties = [
        getattr(thing, name)
        for thing in (profile, info)
        for name, member in vars(type(thing)).items()
        if isinstance(member, property)
    ]
    lists = (Contacts(config), Conversations(config), GroupMembers(config))
    return [
        *properties,
        *(item for listed in lists for item in listed),
        *groups.groups(),
        *groups.rooms(),
        *groups.legacies(),
        Contacts(config).get(PERSON),
        Conversations(config).get(PERSON),
        Conversations(config).get(Room("https://x.org", "room")),
        GroupMembers(config).get(PERSON),
        groups.group(GROUP_ID),
        groups.legacy(PERSON),
    ]


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(KEYS, ANYTHING, max_size=6))
def test_any_data_can_be_read_by_every_kind(data: dict[bytes, Any]) -> None:
    config = config_of(kinds.CONTACTS)
    for key, value in data.items():
        config.set(key, to=value)
    read_everything(config)
    Conversations(config).prune(NOW_MS)


def test_fields_of_wrong_type_count_as_absent() -> None:
    config = config_of(kinds.CONTACTS)
    wrong = {b"n": 5, b"N": frozenset((1,)), b"p": 1, b"q": b"short", b"a": b"1", b"@": 9, b"e": 7, b"E": -1}
    config.set(b"c", to={PERSON: wrong, PERSON_2: 5, b"short": {b"n": b"x"}})
    assert list(Contacts(config)) == [Contact(PERSON, notify=NOTIFY_DEFAULT, expiry_mode=EXPIRE_NEVER)]
    config.set(b"c", PERSON, to={b"n": b"\xff"})
    assert next(iter(Contacts(config))).name == "�"
