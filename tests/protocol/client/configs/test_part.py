"""The configs of an account on its devices: changed, pushed, merged, kept alive."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.intents import File
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.client.configs.held import Held, written_before
from sessionsim.protocol.client.groups.standing import Place
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.configs.contacts import Contact
from sessionsim.protocol.configs.conversations import Conversation
from sessionsim.protocol.configs.fields import Picture
from sessionsim.protocol.files.deterministic import open_file
from sessionsim.protocol.server_request import ServerAnswer

PLATFORMS = ("desktop", "android", "ios")
FRIEND = b"\x05" + b"f" * 32
PAUSE_S = {"desktop": 3.0, "android": 1.0, "ios": 0.0}


def pushes(village: Any, who: int = 0) -> list[int]:
    """When requests about configs left a device, µs."""
    return [
        t_us
        for t_us, number, exchange, _ in village.asked
        if number == who and exchange & 15 == Purpose.CONFIG
    ]


def before(village: Any, name: int, *contacts: Contact) -> Any:
    account = village.account(name)
    read = [Conversation(contact.id, village.epoch_ms - 1000) for contact in contacts]
    stored = written_before(
        village.world.suite, account, f"P{name}", Picture("http://x/1", bytes(32)), contacts, read, (),
        village.epoch_ms,
    )  # fmt: skip
    village.put(account.id, stored)
    return stored


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_change_is_pushed_after_the_pause_of_the_platform(village: Any, platform: str) -> None:
    device = village.settle(platform, 0, configs={})
    village.begin()
    village.run(10)
    begun_us = village.now_us
    village.tell(device, "config-change", 0, "name", 0, None)
    village.run(10)
    assert pushes(village) == [begun_us + int(PAUSE_S[platform] * US_PER_S)]
    assert village.is_stored(0)
    assert [len(village.stored(device.account.id, namespace)) for namespace in (2, 3, 4, 5)] == [1, 0, 0, 0]
    assert {note for _, _, exchange, note in village.asked if exchange & 15 == Purpose.CONFIG} == {
        note_of(Cause.CONFIG)
    }


def test_changes_within_the_pause_go_in_one_push_and_the_old_version_is_deleted(village: Any) -> None:
    device = village.settle("desktop", 0, configs={}, stored=before(village, 0, Contact(FRIEND, "F")))
    village.begin()
    assert len(village.stored(device.account.id, 3)) == 1
    for ref, what in enumerate(("name", "contact", "avatar", "contact")):
        village.tell(device, "config-change", ref, what, ref, None)
    village.run(10)
    assert len(pushes(village)) == 1
    assert all(village.is_stored(ref) for ref in range(4))
    for namespace in (2, 3, 4):
        (kept,) = village.kept(device.account.id, namespace)
        config = device.configs.held.by_namespace[namespace]
        assert config.current_hashes == {kept.hash}


def test_pushes_keep_their_distance(village: Any) -> None:
    device = village.settle("desktop", 0, configs={})
    village.begin()
    village.run(6)  # the own swarm is known then
    for k in range(6):
        village.tell(device, "config-change", k, "name", k, None)
        village.run(2)
    village.run(20)
    times = pushes(village)
    assert len(times) == 3
    assert times[1] - times[0] >= 5 * US_PER_S
    assert times[2] - times[1] >= 5 * US_PER_S


def test_two_devices_of_an_account_end_with_the_same_configs(village: Any) -> None:
    contacts = [Contact(b"\x05" + bytes([k]) * 32, f"c{k}") for k in range(6)]
    stored = before(village, 0, *contacts)
    devices = [village.settle(platform, 0, configs={}, stored=stored) for platform in PLATFORMS]
    village.begin()
    ref = 0
    for turn in range(3):
        for device in devices:  # all at once: versions conflict and are merged
            for what in ("name", "contact", "avatar"):
                village.tell(device, "config-change", ref, what, ref, None)
                ref += 1
        village.run(4 + turn)
    village.run(60)
    assert all(village.is_stored(k) for k in range(ref))
    for namespace in (2, 3, 4, 5):
        data = [device.configs.held.by_namespace[namespace].data for device in devices]
        assert data[0] == data[1] == data[2]
        assert all(not device.configs.held.by_namespace[namespace].needs_push for device in devices)
        assert len(village.stored(devices[0].account.id, namespace)) <= 1
    assert sum(1 for contact in devices[0].configs.held.contacts if contact.nickname) >= 3


def test_what_one_device_changed_another_reads_within_a_poll_or_two(village: Any) -> None:
    one, other = (village.settle(platform, 0, configs={}) for platform in ("ios", "android"))
    village.begin()
    village.run(5)
    village.tell(one, "config-change", 0, "name", 7, None)
    village.run(5)
    assert other.configs.held.profile.name == one.configs.held.profile.name == "P 8"
    assert pushes(village, 1) == []  # it took the version as it is


def test_what_was_read_before_the_run_is_not_fetched_again(village: Any) -> None:
    stored = before(village, 0, Contact(FRIEND, "F"))
    device = village.settle("ios", 0, configs={}, stored=stored)
    fetched: list[str] = []
    for namespace in (2, 3, 4, 5):
        take = device.client.takers[namespace]

        def taken(message: Any, now_us: int, take: Any = take) -> Any:
            fetched.append(message.hash)
            return take(message, now_us)

        device.client.takers[namespace] = taken
    village.begin()
    village.run(60)
    assert fetched == []
    assert [contact.name for contact in device.configs.held.contacts] == ["F"]


def test_reading_waits_until_there_is_something_to_read(village: Any) -> None:
    reader, writer = village.settle("ios", 0, configs={}), village.settle("ios", 1)
    village.begin()
    village.tell(reader, "config-change", 0, "read", 0, None)
    village.run(5)
    assert village.outcome(0) == []
    assert list(reader.configs.pending()) == [0]
    village.tell(writer, "send", 1, reader.account.id, "hello")
    village.run(10)
    assert village.is_stored(0)
    (conversation,) = reader.configs.held.conversations
    assert conversation.with_whom == writer.account.id
    assert village.epoch_ms + 5000 <= conversation.read_ms <= village.epoch_ms + 6000


def test_polls_extend_what_the_configs_stand_on(village: Any) -> None:
    device = village.settle("desktop", 0, configs={}, stored=before(village, 0, Contact(FRIEND, "F")))
    village.begin()
    village.run(20)
    now_ms = village.epoch_ms + village.now_us // 1000
    for namespace in (2, 3, 4):
        (kept,) = village.kept(device.account.id, namespace)
        assert now_ms + 30 * 86_400_000 - 10_000 < kept.expiry_ms <= now_ms + 30 * 86_400_000


def test_without_extension_the_life_of_configs_stays_as_it_is(village: Any) -> None:
    stored = before(village, 0)
    device = village.settle("desktop", 0, configs={"extends": False}, stored=stored)
    village.begin()
    village.run(20)
    (kept,) = village.kept(device.account.id, 2)
    assert kept.expiry_ms == village.epoch_ms + 10**9


def test_desktop_pushes_everything_again_after_two_days_at_most(village: Any) -> None:
    rules = {"forced_us": 30 * US_PER_S}
    device = village.settle("desktop", 0, configs=rules, stored=before(village, 0, Contact(FRIEND, "F")))
    village.begin()
    village.run(95)
    times = pushes(village)
    assert len(times) in (3, 4)
    assert times[0] < 30 * US_PER_S
    assert [b - a for a, b in pairwise(times)] == [30 * US_PER_S] * (len(times) - 1)
    assert len(village.stored(device.account.id, 2)) == 1
    assert device.configs.next_due_us() is not None


def test_phones_never_push_by_force(village: Any) -> None:
    device = village.settle("android", 0, configs={})
    village.begin()
    assert device.configs.next_due_us() is None


def test_a_push_that_fails_is_tried_until_it_succeeds(village: Any) -> None:
    device = village.settle("desktop", 0, configs={})
    village.begin()
    village.run(6)
    members = village.world.nodes.members
    village.world_is_down = frozenset(node for nodes in members.values() for node in nodes)
    village.tell(device, "config-change", 0, "name", 0, None)
    village.run(120)
    assert not village.is_stored(0)
    assert list(device.configs.pending()) == [0]
    assert len(pushes(village)) >= 3
    village.world_is_down = frozenset()
    village.run(60)
    assert village.is_stored(0)


# --- groups ---------------------------------------------------------------------------------------------


def test_the_other_devices_follow_into_a_group_and_out_of_it(village: Any) -> None:
    crowd = village.crowd([5, 6], [5])
    admin = village.settle("desktop", 5, {}, [crowd.of(5)])
    devices = [village.settle(platform, 0, configs={}) for platform in ("android", "ios")]
    village.begin()
    village.act(admin, 0, crowd.id, "invite", 0)
    village.run(15)  # both devices note the invitation
    village.act(devices[0], 1, crowd.id, "join")
    village.run(15)
    assert [device.standing(crowd.id).place for device in devices] == [Place.IN] * 2
    village.tell(admin, "group-text", 2, crowd.id, "welcome", ())
    village.tell(devices[0], "group-text", 3, crowd.id, "from my phone", ())
    village.run(10)
    assert village.readers("welcome") == [1, 2]
    assert village.readers("from my phone") == [0, 2]  # the admin, and the own other device
    village.act(devices[1], 4, crowd.id, "leave")
    village.run(30)
    assert [device.standing(crowd.id).place for device in devices] == [Place.LEFT] * 2


def test_all_devices_of_a_promoted_account_become_admins(village: Any) -> None:
    crowd = village.crowd([0, 5], [5])
    admin = village.settle("desktop", 5, {}, [crowd.of(5)])
    devices = [village.settle("ios", 0, {}, [crowd.of(0)], configs={}) for _ in range(2)]
    for device in devices:
        device.configs.held.groups.set_group(village.joined(crowd.of(0)))
    village.begin()
    village.run(5)
    village.act(admin, 0, crowd.id, "promote", 0)
    village.run(40)
    assert all(device.standing(crowd.id).admin is not None for device in devices)
    village.act(devices[1], 1, crowd.id, "rename", name="from the second device")
    village.run(20)
    assert admin.standing(crowd.id).info.name == "from the second device"


def test_configs_before_the_run_are_what_devices_take_from_them(village: Any) -> None:
    contacts = [Contact(b"\x05" + bytes([k]) * 32, f"contact {k}", approved=True) for k in range(3)]
    stored = before(village, 0, *contacts)
    assert [one.namespace for one in stored] == [2, 3, 4]
    held = Held(village.world.suite, village.account(0))
    held.adopt(stored, village.epoch_ms)
    assert held.profile.name == "P0"
    assert list(held.contacts) == contacts
    assert len(list(held.conversations)) == 3
    assert all(config.current_hashes == {one.hash} for config, one in zip(held.all, stored, strict=False))
    assert not any(config.needs_push for config in held.all)


class Uploads:
    """Stands for the files of a device: takes uploads down, answers when told."""

    def __init__(self) -> None:
        self.transfers, self.asked, self.server = self, [], "the file server"

    def upload(self, server: Any, write: Any, note: int, now_us: int, done: Any) -> list[Any]:
        assert server == self.server
        self.asked.append((write(0, now_us), note, done))
        return []


def test_a_picture_is_uploaded_before_it_is_shown(village: Any) -> None:
    device, files = village.settle("ios", 0, configs={}), Uploads()
    device.configs._files = files
    village.begin()
    village.tell(device, "config-change", 0, "avatar", 0, File("avatar", 5_000))
    village.run(5)
    ((request, note, done),) = files.asked
    assert note == note_of(Cause.FILE, 0)
    assert len(request.body) > 5_000
    assert pushes(village) == []
    assert list(device.configs.pending()) == [0]
    file_id = "A" * 44
    village.do(device, done(ServerAnswer(200, {}, f'{{"id":"{file_id}"}}'.encode()), 200, village.now_us))
    village.run(5)
    assert village.is_stored(0)
    picture = device.configs.held.profile.picture
    assert file_id in picture.url
    assert open_file(request.body, picture.key)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(None, "upload: status 502"), (ServerAnswer(200, {}, b"{}"), "upload: malformed answer")],
)
def test_a_picture_that_cannot_be_uploaded_is_not_shown(village: Any, answer: Any, reason: str) -> None:
    device, files = village.settle("ios", 0, configs={}), Uploads()
    device.configs._files = files
    village.begin()
    village.tell(device, "config-change", 0, "avatar", 0, File("avatar", 5_000))
    ((_request, _note, done),) = files.asked
    village.do(device, done(answer, 502, village.now_us))
    assert village.outcome(0) == [("failed", reason)]
    assert device.configs.held.profile.picture is None
