"""Names and pictures: told by texts, written down among the contacts, pictures fetched once."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from sessionsim.core.columns import Cause, note_of
from sessionsim.protocol.client.configs.held import Held, written_before
from sessionsim.protocol.client.configs.showing import Showing
from sessionsim.protocol.client.files.part import DOES_NOT_OPEN, LEADS_NOWHERE
from sessionsim.protocol.configs.contacts import Contact
from sessionsim.protocol.configs.fields import Picture
from sessionsim.protocol.contents import Profile
from sessionsim.protocol.crypto import FastSuite
from sessionsim.protocol.files.deterministic import Purpose, seal_file
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.machine import EVENT
from sessionsim.protocol.server_request import ServerAnswer

SERVER = "http://filev2.getsession.org/file/"
KEY = b"k" * 32
OLD, NEW = f"{SERVER}{'o' * 44}#d", f"{SERVER}{'n' * 44}#d"
FRIEND, STRANGER = b"\x05" + b"f" * 32, b"\x05" + b"s" * 32
OWNER = account_from_seed(b"o" * 16)


class Downloads:
    """Files that are asked for, and how what became of them is told."""

    def __init__(self, downloads: bool = True) -> None:
        self.rules, self.server = SimpleNamespace(downloads=downloads), "the server"
        self.transfers = self
        self.asked: list[tuple[str, int, Callable[..., Any]]] = []

    def download(self, server: Any, write: Any, note: int, now_us: int, done: Any) -> list[Any]:
        assert server == self.server
        self.asked.append((write(1, now_us).endpoint, note, done))
        return []

    @property
    def paths(self) -> list[str]:
        return [path for path, _, _ in self.asked]


def make(files: Any = None) -> tuple[Showing, Held, Any]:
    held, files = Held(FastSuite(), OWNER), files or Downloads()
    held.profile.set_name("Me")
    held.profile.set_picture(Picture(OLD, KEY))
    held.contacts.set(Contact(FRIEND, "Friend", "Nick", Picture(OLD, KEY), approved=True))
    return Showing(held, Profile("Me", OLD, KEY, 1_000), [OLD], files), held, files


def test_a_newer_profile_changes_the_contact_and_leaves_the_rest_of_it() -> None:
    showing, held, files = make()
    assert showing.read(FRIEND, Profile("Friend II", NEW, KEY, 2_000), 0) == (True, [])
    assert held.contacts.get(FRIEND) == Contact(
        FRIEND, "Friend II", "Nick", Picture(NEW, KEY), approved=True, updated_s=2_000
    )
    assert files.paths == [f"/file/{'n' * 44}"]
    assert files.asked[0][1] == note_of(Cause.FILE)


def test_an_older_profile_changes_nothing() -> None:
    showing, held, _ = make()
    showing.read(FRIEND, Profile("Friend III", NEW, KEY, 3_000), 0)
    known = held.contacts.get(FRIEND)
    for updated_s in (2_999, 3_000):
        assert showing.read(FRIEND, Profile("Friend II", OLD, KEY, updated_s), 0) == (False, [])
    assert held.contacts.get(FRIEND) == known
    assert showing.read(FRIEND, Profile("Friend IV", "", b"", 3_001), 0)[0]
    assert held.contacts.get(FRIEND).picture is None


def test_a_client_that_tells_no_time_is_believed() -> None:
    showing, held, _ = make()
    assert showing.read(FRIEND, Profile("Old client", OLD, KEY, None), 0)[0]
    assert held.contacts.get(FRIEND).name == "Old client"


def test_what_is_known_is_no_change() -> None:
    showing, held, files = make()
    assert showing.read(FRIEND, Profile("Friend", OLD, KEY, 5_000), 0) == (False, [])
    assert files.paths == []
    assert held.contacts.get(FRIEND).updated_s == 0


def test_who_is_no_contact_becomes_none_but_its_picture_is_fetched_once() -> None:
    showing, held, files = make()
    for _ in range(3):
        assert showing.read(STRANGER, Profile("Stranger", NEW, KEY, 9), 0) == (False, [])
    assert files.paths == [f"/file/{'n' * 44}"]
    assert len(held.contacts) == 1


@pytest.mark.parametrize(
    "profile",
    [
        Profile("", NEW, KEY, 9_000),
        Profile("x" * 101, NEW, KEY, 9_000),
        Profile("Friend II", NEW, KEY, 1 << 63),
    ],
)
def test_what_a_contact_cannot_hold_is_not_written_down(profile: Profile) -> None:
    showing, held, _ = make()
    before = held.contacts.get(FRIEND)
    assert not showing.read(FRIEND, profile, 0)[0]
    assert held.contacts.get(FRIEND) == before


@pytest.mark.parametrize(("url", "key"), [("x" * 224, KEY), (NEW, b""), ("", KEY)])
def test_a_picture_of_wrong_form_counts_as_none(url: str, key: bytes) -> None:
    showing, held, files = make()
    showing.read(FRIEND, Profile("Friend", url, key, 9_000), 0)
    assert held.contacts.get(FRIEND).picture is None
    assert files.paths == []


def test_nobody_is_sent_to_another_server() -> None:
    showing, _, files = make()
    profile = Profile("Friend", "http://example.org/file/1", KEY, 9_000)
    told = (EVENT, "picture-fetched", -1, LEADS_NOWHERE)
    assert showing.read(FRIEND, profile, 0) == (True, [told])
    assert files.paths == []


@pytest.mark.parametrize("key_is_right", [True, False])
def test_a_fetched_picture_is_opened(key_is_right: bool) -> None:
    sealed = seal_file(b"picture" * 100, OWNER.ed.secret, Purpose.PROFILE_PICTURE)
    showing, _, files = make()
    showing.read(FRIEND, Profile("Friend", NEW, sealed.key if key_is_right else KEY, 9_000), 0)
    ((_, _, done),) = files.asked
    value = 200 if key_is_right else DOES_NOT_OPEN
    assert done(ServerAnswer(200, {}, sealed.blob), 200, 5) == [(EVENT, "picture-fetched", -1, value)]
    assert done(None, 404, 5) == [(EVENT, "picture-fetched", -1, 404)]


def test_nothing_is_fetched_by_clients_that_fetch_no_files() -> None:
    showing, held, files = make(Downloads(downloads=False))
    assert showing.read(FRIEND, Profile("Friend", NEW, KEY, 9_000), 0)[0]
    assert files.paths == []
    assert held.contacts.get(FRIEND).picture == Picture(NEW, KEY)


def test_own_changes_stand_in_what_is_written_from_then_on() -> None:
    showing, held, files = make()
    teller = SimpleNamespace(profile="the first")
    showing.tellers.append(teller)
    assert showing.compare(0) == []
    assert teller.profile == "the first"
    held.profile.set_name("Myself", 2_000)
    showing.compare(0)
    assert teller.profile == Profile("Myself", OLD, KEY, 2_000)
    held.profile.set_picture(Picture(NEW, KEY), 2_000)  # within the same second
    showing.made(NEW)
    showing.compare(0)
    assert teller.profile == Profile("Myself", NEW, KEY, 2_000)
    assert files.paths == []


def test_what_other_devices_wrote_down_is_fetched() -> None:
    showing, held, files = make()
    held.profile.set_picture(Picture(NEW, KEY), 2_000)
    third = f"{SERVER}{'t' * 44}"
    held.contacts.set(Contact(STRANGER, "S", picture=Picture(third, KEY)))
    showing.compare(0)
    showing.compare(0)
    assert files.paths == [f"/file/{'n' * 44}", f"/file/{'t' * 44}"]


# ---- On devices ----


def settle(village: Any, name: int, platform: str, *contacts: int) -> Any:
    known = [Contact(village.id_of(other), f"P{other}") for other in contacts]
    stored = written_before(
        village.world.suite, village.account(name), f"P{name}", None, known, (), (), village.epoch_ms
    )
    village.put(village.id_of(name), stored)
    return village.settle(platform, name, configs={}, stored=stored)


def test_a_contact_learns_a_new_name_from_the_next_text_and_so_do_its_other_devices(village: Any) -> None:
    writer, second = settle(village, 0, "desktop", 1), settle(village, 0, "ios", 1)
    reader = settle(village, 1, "android", 0)
    stored = village.kept(village.id_of(1), 3)
    other = village.settle("ios", 1, configs={}, stored=())
    village.begin()
    village.run(5)
    village.tell(writer, "config-change", 0, "name", 0, None)
    village.run(5)
    assert [contact.name for contact in reader.configs.held.contacts] == ["P0"]
    assert [device.client.outbox.profile.name for device in (writer, second)] == ["P 1"] * 2
    village.tell(writer, "send", 1, village.id_of(1), "it is me")
    village.run(20)
    for device in (reader, other):
        assert [contact.name for contact in device.configs.held.contacts] == ["P 1"]
    assert village.kept(village.id_of(1), 3) != stored


def test_what_was_read_in_a_group_marks_the_group_and_no_one_else(village: Any) -> None:
    crowd = village.crowd(range(2))
    reader = village.settle("desktop", 1, founded=[crowd.of(1)], configs={})
    writer = village.settle("ios", 0, founded=[crowd.of(0)])
    village.begin()
    village.run(10)
    village.tell(reader, "config-change", 1, "read", 0, None)
    village.tell(writer, "group-text", 0, crowd.id, "to all", ())
    village.run(20)
    assert village.is_stored(1)
    assert [one.with_whom for one in reader.configs.held.conversations] == [crowd.id]
    village.tell(reader, "config-change", 2, "read", 1, None)
    village.run(20)
    assert not village.is_stored(2)


def test_pictures_shown_in_one_village_are_fetched_by_who_reads(village: Any) -> None:
    writer, reader = settle(village, 0, "ios", 1), settle(village, 1, "desktop", 0)
    files = Downloads()
    reader.configs.showing._files = files
    village.begin()
    village.run(5)
    village.tell(writer, "config-change", 0, "avatar", 0, None)
    village.run(5)
    for ref in (1, 2):
        village.tell(writer, "send", ref, village.id_of(1), "look")
        village.run(10)
    picture = writer.configs.held.profile.picture
    assert [contact.picture for contact in reader.configs.held.contacts] == [picture]
    assert len(files.paths) == 1
    assert files.paths[0][len("/file/") :] in picture.url
