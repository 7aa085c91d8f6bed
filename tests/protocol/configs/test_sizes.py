"""Stored sizes: the table of messages 5.6, and those of the reference's tests.

The table was computed with field values that are not recorded. These reach every row of it, in the steady
state (four more versions without a change) and with zstd 1.5.7:

    Contacts             random ids; one of 20 first and of 20 last names; approved both ways; created within
                         10^7 s; a random key for a picture at
                         http://filev2.getsession.org/file/<7 digits>#p=<the same server key>
    ConvoInfoVolatile    random ids; read up to one of seven midnights
    groups::Members      random ids; one of five first names; invitation accepted
    UserGroups           random ids and 100 bytes of auth; no name, no time of joining
    UserProfile          "Alice Example" and such a picture

Other plausible values give neighbouring steps: with times of reading to the millisecond, ConvoInfoVolatile of
100 entries takes 5040 bytes and not 4272.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from sessionsim.protocol.configs import Config, group_config, kinds, user_config
from sessionsim.protocol.configs.contacts import Contact, Contacts
from sessionsim.protocol.configs.conversations import Conversation, Conversations
from sessionsim.protocol.configs.fields import Picture
from sessionsim.protocol.configs.group_info import GroupInfo
from sessionsim.protocol.configs.group_members import ACCEPTED, GroupMembers, Member
from sessionsim.protocol.configs.user_groups import JoinedGroup, UserGroups
from sessionsim.protocol.configs.user_profile import UserProfile
from sessionsim.protocol.crypto import real, suite_named
from sessionsim.protocol.identity import account_from_ed25519_seed

GROUPS = json.loads((Path(__file__).parents[2] / "vectors" / "configs.json").read_text("utf-8"))["groups"]
TABLE, REFERENCE = GROUPS["sizes:configs"], GROUPS["reference:config_sizes"]
SUITE = suite_named("sodium")
OWNER = account_from_ed25519_seed(bytes.fromhex("0123456789abcdef" * 2 + "00" * 16))
GROUP = real.ed25519_keypair(bytes.fromhex("0123456789abcdef" * 2 + "fedcba9876543210" * 2))
# fmt: off
FIRST = [
    "Alice", "Bob", "Carol", "Dave", "Eve", "Frank", "Grace", "Heidi", "Ivan", "Judy",
    "Mallory", "Niaj", "Olivia", "Peggy", "Rupert", "Sybil", "Trent", "Victor", "Walter", "Zoe",
]
LAST = [
    "Smith", "Jones", "Brown", "Taylor", "Wilson", "Davies", "Evans", "Thomas", "Johnson", "Roberts",
    "Walker", "Wright", "Robinson", "Thompson", "White", "Hughes", "Edwards", "Green", "Hall", "Wood",
]
# fmt: on
SERVER_KEY_HEX = "da21e1d886c6fbaea313f75298bd64aab03a97ce985b46bb2dad9f2089c8ee59"
NOW_MS, DAY_MS = 1_770_000_000_000, 86_400_000


def picture(random: Random) -> Picture:
    url = f"http://filev2.getsession.org/file/{random.randrange(10**7):07d}#p={SERVER_KEY_HEX}"
    return Picture(url, random.randbytes(32))


def contacts(count: int, random: Random) -> Config:
    config = user_config(kinds.CONTACTS, SUITE, OWNER)
    for _ in range(count):
        person, shown = b"\5" + random.randbytes(32), f"{random.choice(FIRST)} {random.choice(LAST)}"
        face, created_s = picture(random), 1_700_000_000 + random.randrange(10**7)
        contact = Contact(person, shown, picture=face, approved=True, approved_me=True, created_s=created_s)
        Contacts(config).set(contact)
    return config


def conversations(count: int, random: Random) -> Config:
    config = user_config(kinds.CONVERSATIONS, SUITE, OWNER)
    for _ in range(count):
        person, read_ms = b"\5" + random.randbytes(32), NOW_MS - DAY_MS * random.randrange(7)
        Conversations(config).set(Conversation(person, read_ms), NOW_MS)
    return config


def members(count: int, random: Random) -> Config:
    config = group_config(kinds.GROUP_MEMBERS, SUITE, GROUP.public, [bytes(32)], GROUP)
    for _ in range(count):
        person = b"\5" + random.randbytes(32)
        GroupMembers(config).set(Member(person, random.choice(FIRST[:5]), invitation=ACCEPTED))
    return config


def joined(count: int, random: Random) -> Config:
    config = user_config(kinds.USER_GROUPS, SUITE, OWNER)
    for _ in range(count):
        UserGroups(config).set_group(JoinedGroup(b"\3" + random.randbytes(32), auth=random.randbytes(100)))
    return config


def profile(_: int, random: Random) -> Config:
    config = user_config(kinds.USER_PROFILE, SUITE, OWNER)
    UserProfile(config).set_name("Alice Example")
    UserProfile(config).set_picture(picture(random))
    return config


MAKERS: dict[str, Callable[[int, Random], Config]] = {
    "Contacts": contacts,
    "ConvoInfoVolatile": conversations,
    "groups::Members": members,
    "UserGroups": joined,
    "UserProfile": profile,
}
ROWS = [(kind, count, size) for kind, rows in TABLE.items() for count, size in rows.items()]


def steady(config: Config) -> int:
    """Give the stored size after four more versions that change nothing."""
    for _ in range(4):
        config.confirm_pushed(config.push(0).seqno, ["h"])
        config.set(b"changed", to=1)
        config.erase(b"changed")
    (part,) = config.push(0).parts
    return len(part)


@pytest.mark.parametrize(("kind", "count", "size"), ROWS)
def test_the_table_of_typical_sizes(kind: str, count: str, size: int) -> None:
    assert steady(MAKERS[kind](int(count or 0), Random(1))) == size


def friend(number: int, person: bytes, nickname: str) -> Contact:
    return Contact(b"\5" + person, nickname=nickname.format(number), approved=True, approved_me=True)


def many_friends(count: int, nickname: str) -> Config:
    config = user_config(kinds.CONTACTS, SUITE, OWNER)
    for number in range(count):
        pair = real.ed25519_keypair(number.to_bytes(2, "little") + bytes(30))
        person = real.x25519_public_of_ed25519(pair.public)
        Contacts(config).set(friend(number, person, nickname))
    return config


def test_twelve_thousand_contacts_go_in_twelve_parts_of_the_references_sizes() -> None:
    parts = many_friends(12_000, "My friend {}").push(0).parts
    assert [len(part) for part in parts] == [76_800] * 11 + [REFERENCE["contacts_12000_last"]]
    assert len(parts) == REFERENCE["contacts_12000_parts"]


def test_two_thousand_contacts_go_in_two_parts_of_the_references_sizes() -> None:
    config = many_friends(2000, "My friend {:04d}")
    push = config.push(0)
    assert [len(part) for part in push.parts] == REFERENCE["contacts_2000"]
    other = user_config(kinds.CONTACTS, SUITE, OWNER)
    assert other.merge([("fakehash0", push.parts[0])], 0) == {"fakehash0"}
    assert 76_710 < len(other.dump(0)) < 77_000
    assert other.merge([("fakehash1", push.parts[1])], 0) == {"fakehash1"}
    assert other.data == config.data
    full = len(other.dump(0))
    assert 266_000 < full < 266_300
    # The finished set is remembered for two weeks of 1970, written with 10 digits of milliseconds.
    assert full - len(other.dump(15 * DAY_MS)) == 35 + 26 - 3


def test_twelve_thousand_contacts_alike_fit_into_one_message() -> None:
    config = user_config(kinds.CONTACTS, SUITE, OWNER)
    for number in range(12_000):
        Contacts(config).set(friend(number, bytes(30) + number.to_bytes(2, "big"), "My friend {}"))
    (part,) = config.push(0).parts
    assert len(part) == REFERENCE["contacts_12000_alike"]
    assert len(config.dump(0)) == REFERENCE["contacts_12000_alike_dump"]
    config.confirm_pushed(1, ["fakehash1"])
    assert len(config.dump(0)) == REFERENCE["contacts_12000_alike_dump"] + 11
    other = user_config(kinds.CONTACTS, SUITE, OWNER)
    assert other.merge([("h", part)], 0) == {"h"}
    assert other.data == config.data


def test_a_groups_description_has_the_references_sizes() -> None:
    first = group_config(kinds.GROUP_INFO, SUITE, GROUP.public, [b"\xaa" * 32], GROUP)
    second = group_config(
        kinds.GROUP_INFO, SUITE, GROUP.public, [b"\xbb" * 32, b"\xaa" * 32, b"\xcc" * 32, b"\xdd" * 32], GROUP
    )
    GroupInfo(first).set_name("GROUP Name")
    (part,) = first.push(0).parts
    assert len(part) == REFERENCE["info_first"]
    assert second.merge([("fakehash1", part)], 0) == {"fakehash1"}
    info, created_s = GroupInfo(second), 1_682_529_839
    info.set_picture(Picture("http://example.com/12345", bytes.fromhex("abcd" * 16)))
    info.set_timer(3600)
    info.set_created(created_s)
    info.set_delete_before(created_s + 50 * 86_400)
    info.set_delete_attachments_before(created_s + 70 * 86_400)
    info.destroy()
    push = second.push(0)
    assert (push.seqno, len(push.parts[0]), push.obsolete) == (2, REFERENCE["info_second"], ("fakehash1",))
