"""Clients and a real community server, without the onion between them: polls, posts, files, failures."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count, pairwise
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionsim.core.intents import File
from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol.client.communities import Communities
from sessionsim.protocol.client.files import PLATFORMS as FILES
from sessionsim.protocol.client.files import Files
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import PLATFORMS as CLIENTS
from sessionsim.protocol.communities.poll_rules import PLATFORMS
from sessionsim.protocol.communities.rules import CommunityRules
from sessionsim.protocol.communities.server import CommunityServer
from sessionsim.protocol.contents import Attachment
from sessionsim.protocol.crypto import real, suite_named
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.machine import DELIVER, EVENT, LOG, Effect
from sessionsim.protocol.server_request import ServerAnswer
from sessionsim.protocol.versions.v1 import Profile
from sessionsim.protocol.wire import v4
from sessionsim.protocol.wire.onion_server import ServerAddress

SUITE = suite_named("fast")
EPOCH_MS = 1_777_377_600_000
X = real.x25519_keypair(bytes([7]) * 32)
ADDRESS = ServerAddress("open.getsession.org", X.public)
ROOM = (4, "room-4")
WAY_US = 50 * US_PER_MS  # there, and back
PHOTO = File("photo", 20_000)


class World:
    """A heap of what happens between clients and one server.

    `broken` may turn the answer to a request into another status; `down` cuts the way.
    """

    def __init__(self, **rules: Any) -> None:
        self.server = CommunityServer(X.public, SUITE, CommunityRules(**rules), EPOCH_MS)
        self.server.add_room(ROOM[1], "Room", 0)
        self.broken: Callable[[int], int] = lambda status: status
        self.down = False
        self.queue: list[tuple[int, int, Any, Any]] = []
        self.ranks = count()
        self.clients: list[Member] = []
        self.asked: list[tuple[int, int, str]] = []  # time, client, path
        self.exchanges: set[tuple[int, int]] = set()

    def at(self, t_us: int, who: Member, act: Callable[[int], list[Effect]]) -> None:
        heappush(self.queue, (t_us, next(self.ranks), who, act))

    def run(self, until_us: int) -> None:
        while self.queue and self.queue[0][0] < until_us:
            t_us, _, who, act = heappop(self.queue)
            who.effects += [(t_us, *effect) for effect in act(t_us)]
            for part in who.parts:
                due_us = part.next_due_us()
                if due_us is not None and (due_us, part) not in who.alarms:
                    who.alarms.add((due_us, part))
                    self.at(max(due_us, t_us), who, part.wake)

    def start(self) -> None:
        for who in self.clients:
            for part in who.parts:
                self.at(0, who, part.start)


class Member:
    """A client of which only what the part touches is there."""

    def __init__(self, world: World, number: int, platform: str, seed: int | None = None) -> None:
        self.world, self.number = world, number
        self.effects: list[tuple[Any, ...]] = []
        self.alarms: set[tuple[int, Any]] = set()
        account = account_from_seed(bytes([seed if seed is not None else number + 1]) * 16)
        self.client = cast(
            "Client",
            SimpleNamespace(
                account=account,
                suite=SUITE,
                entropy=Entropy(bytes([number]) * 32),
                rules=CLIENTS[platform],
                requests=SimpleNamespace(send_to_server=self.send),
                readers=[],
                wire_ms=lambda now_us: EPOCH_MS + now_us // 1000,
            ),
        )
        files = Files(self.client, ServerAddress("filev2.getsession.org", bytes(32)), FILES[platform])
        profile = Profile(f"Member {number}", "", b"", None)
        self.part = Communities(self.client, [(ADDRESS, [ROOM])], PLATFORMS[platform], profile, files)
        self.parts: list[Any] = [self.part, files]
        world.clients.append(self)

    def send(
        self,
        exchange: int,
        server: ServerAddress,
        payload: bytes,
        note: int,
        now_us: int,
        done: Any,
        **how: Any,
    ) -> Effect:
        world = self.world
        assert (self.number, exchange) not in world.exchanges
        world.exchanges.add((self.number, exchange))
        request = v4.decode_request(payload)
        world.asked.append((now_us, self.number, request.endpoint))
        if world.down:
            world.at(now_us + WAY_US, self, lambda t_us: done(502, b"", t_us))
        else:

            def serve(t_us: int) -> list[Effect]:
                answer = world.server.handle(request, t_us)
                status = world.broken(answer.status)
                body = answer.body if status == answer.status else b""
                world.at(t_us + WAY_US, self, lambda later_us: done(status, body, later_us))
                return []

            world.at(now_us + WAY_US, self, serve)
        return ("sent", exchange)

    def post(self, ref: int, body: str, t_us: int, files: tuple[File, ...] = (), room: int = 4) -> None:
        self.world.at(
            t_us, self, lambda now_us: self.part.posting.post(ref, room, body, files, (b"x",), now_us)
        )

    def shown(self) -> list[str]:
        return [effect[4] for effect in self.effects if effect[1] == DELIVER]

    def logged(self, what: str) -> list[Any]:
        return [effect[4] for effect in self.effects if effect[1] == LOG and effect[2] == what]

    def happened(self, what: str) -> list[Any]:
        return [effect[4] for effect in self.effects if effect[1] == EVENT and effect[2] == what]


def three(**rules: Any) -> tuple[World, Member, Member, Member]:
    world = World(**rules)
    members = tuple(Member(world, k, name) for k, name in enumerate(("desktop", "android", "ios")))
    world.start()
    return world, members[0], members[1], members[2]


def test_a_post_is_shown_to_all_who_read_the_room_but_its_author() -> None:
    world, ann, bob, cem = three()
    ann.post(0, "hello room", 20 * US_PER_S)
    bob.post(1, "hello Ann", 40 * US_PER_S)
    world.run(60 * US_PER_S)
    assert ann.shown() == ["hello Ann"]
    assert bob.shown() == ["hello room"]
    assert cem.shown() == ["hello room", "hello Ann"]
    delivered = next(effect for effect in cem.effects if effect[1] == DELIVER)
    assert delivered[2] == ann.part.standings[0].own_id
    assert delivered[3] == EPOCH_MS + 20_000
    assert delivered[5] == ann.logged("hash")[0]
    assert ann.logged("to") == [(b"x",)]
    assert ann.logged("stored") == [20 * US_PER_S + 2 * WAY_US]
    assert ann.logged("attempts") == [1]
    assert sorted(world.server.post_names()) == sorted(ann.logged("hash") + bob.logged("hash"))
    assert not [*ann.part.pending(), *bob.part.pending()]


@pytest.mark.parametrize(("platform", "interval_s"), [("desktop", 10), ("android", 4), ("ios", 4)])
def test_polls_follow_each_other_at_the_platforms_pace(platform: str, interval_s: int) -> None:
    world = World()
    Member(world, 0, platform)
    world.start()
    world.run(120 * US_PER_S)
    times = [t_us for t_us, _, path in world.asked if path == "/batch"]
    assert len(times) == len(world.asked)
    gaps = {b - a for a, b in pairwise(times)}
    # The pause is counted from the answer; iOS adds 2^0 s to its 3.
    assert gaps == {interval_s * US_PER_S + 2 * WAY_US}
    assert times[0] < interval_s * US_PER_S


def test_failures_lengthen_the_pause_as_the_platform_does() -> None:
    for platform, pauses_s in (("desktop", [10] * 4), ("android", [8, 12, 16, 20]), ("ios", [5, 7, 11, 19])):
        world = World()
        Member(world, 0, platform)
        world.down = True
        world.start()
        world.run(400 * US_PER_S)
        times = [t_us for t_us, _, _ in world.asked][:5]
        gaps = [(b - a - WAY_US) // US_PER_S for a, b in pairwise(times)]
        assert gaps == pauses_s, platform


def test_a_post_whose_answer_is_lost_stands_twice_and_is_shown_once() -> None:
    world, ann, bob, _ = three()
    lost = iter([True])
    world.broken = lambda status: 0 if status == 201 and next(lost, False) else status
    ann.post(0, "twice", 20 * US_PER_S)
    world.run(21 * US_PER_S)
    world.broken = lambda status: status
    world.run(60 * US_PER_S)
    assert len(world.server.post_names()) == 2
    assert len(set(world.server.post_names())) == 1
    assert bob.shown() == ["twice"]
    assert ann.logged("attempts") == [1, 2]
    assert len(ann.logged("stored")) == 1


def test_a_server_that_is_down_refuses_a_post_after_the_platforms_attempts() -> None:
    for platform, attempts in (("desktop", 3), ("ios", 10)):
        world = World()
        member = Member(world, 0, platform)
        world.down = True
        world.start()
        member.post(0, "nobody hears", 20 * US_PER_S)
        world.run(2000 * US_PER_S)
        assert member.logged("attempts") == list(range(1, attempts + 1))
        assert member.logged("failed") == ["status 502"]
        assert not [*member.part.pending()]


def test_who_posts_too_much_is_held_up_and_gets_through() -> None:
    world, _, _, cem = three()
    for k in range(7):
        cem.post(k, f"post {k}", 20 * US_PER_S + k)
    world.run(120 * US_PER_S)
    assert len(cem.logged("stored")) == 7
    assert len(cem.logged("attempts")) > 7  # 429 for all beyond five within 16 s


def test_a_room_that_is_not_there_ends_a_post_at_once() -> None:
    world, ann, _, _ = three()
    del world.server.state.rooms[ROOM[1]]
    ann.post(0, "where?", 20 * US_PER_S)
    ann.post(1, "what?", 20 * US_PER_S, room=99)
    world.run(60 * US_PER_S)
    assert ann.logged("failed") == ["a room that is not read", "status 404"]


def test_files_of_posts_lie_in_clear_on_the_server_of_the_room_and_are_fetched() -> None:
    world, ann, bob, cem = three()
    ann.post(0, "look", 20 * US_PER_S, (PHOTO, PHOTO))
    world.run(60 * US_PER_S)
    uploads = list(world.server.state.files.values())
    assert [(len(one.blob), one.room, one.post_id) for one in uploads] == [(20_000, "room-4", 1)] * 2
    assert ann.happened("file-uploaded") == [20_000] * 2
    for reader in (bob, cem):
        assert reader.shown() == ["look"]
        assert reader.happened("post-fetched") == [200, 200]
    assert ann.happened("post-fetched") == []
    assert [path for _, _, path in world.asked if "/file/" in path].count("/room/room-4/file/1") == 2


def test_a_refused_upload_fails_the_post() -> None:
    world, ann, _, _ = three(file_max_bytes=100)
    ann.post(0, "look", 20 * US_PER_S, (PHOTO, PHOTO))
    world.run(60 * US_PER_S)
    assert ann.logged("failed") == ["upload: status 413"]
    assert world.server.post_names() == []


def test_another_device_of_the_author_shows_the_post_too() -> None:
    world = World()
    ann, hers = Member(world, 0, "desktop", seed=9), Member(world, 1, "ios", seed=9)
    world.start()
    ann.post(0, "mine", 20 * US_PER_S)
    world.run(60 * US_PER_S)
    assert ann.shown() == []
    assert hers.shown() == ["mine"]
    assert ann.part.standings[0].own_id == hers.part.standings[0].own_id


def test_a_forged_or_altered_post_is_not_shown() -> None:
    world, ann, bob, _ = three()
    ann.post(0, "genuine", 20 * US_PER_S)
    world.run(21 * US_PER_S)
    (room,) = world.server.state.rooms.values()
    (post,) = room.posts.values()
    post.content = (post.content or b"").replace(b"genuine", b"altered")
    world.run(60 * US_PER_S)
    assert bob.shown() == []


def test_a_pointer_of_a_post_leads_to_its_own_room_or_nowhere() -> None:
    world, ann, _, _ = three()
    standing = ann.part.standings[0]
    for url in (
        "", "https://evil.example/room/room-4/file/1", "https://open.getsession.org/room/other/file/1",
        "https://open.getsession.org/room/room-4/file/x",
        "https://open.getsession.org/room/room-4/file/" + "9" * 40,
    ):  # fmt: skip
        found = ann.part.posting.fetch(standing, "room-4", "name", Attachment(url), 0)
        assert found == [(EVENT, "post-fetched", "name", -2)]
    assert world.asked == []


def test_no_nonce_is_used_twice_even_by_two_devices_of_one_account() -> None:
    world = World()
    for k in range(2):
        Member(world, k, "ios", seed=9)
    world.start()
    refused: list[int] = []
    handle = world.server.handle

    def watch(request: Any, now_us: int) -> ServerAnswer:
        answer = handle(request, now_us)
        if answer.status == 425:
            refused.append(now_us)
        return answer

    world.server.handle = watch  # type: ignore[method-assign]
    world.run(200 * US_PER_S)
    assert refused == []
    assert len(world.server.state.nonces) == len(world.asked)


def test_readers_who_fetch_no_files_leave_them_alone() -> None:
    world, ann, bob, _ = three()
    files = bob.parts[1]
    files.rules = dataclasses.replace(files.rules, downloads=False)
    ann.post(0, "look", 20 * US_PER_S, (PHOTO,))
    world.run(60 * US_PER_S)
    assert bob.shown() == ["look"]
    assert bob.happened("post-fetched") == []


@given(
    status=st.sampled_from([0, 200, 201, 304, 400, 403, 404, 429, 502]),
    body=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["code", "body", "headers", "id", "data"]), inner, max_size=4)
        ),
        max_leaves=12,
    ).map(lambda value: orjson.dumps(value) if _is_json(value) else b""),
)
def test_whatever_a_hostile_server_answers_the_client_goes_on_polling(status: int, body: bytes) -> None:
    world = World()
    member = Member(world, 0, "desktop")
    world.server.handle = lambda request, now_us: ServerAnswer(status, {}, body)  # type: ignore[method-assign]
    world.start()
    member.post(0, "hello", US_PER_S, (PHOTO,))
    world.run(60 * US_PER_S)
    assert sum(path == "/batch" for _, _, path in world.asked) >= 5
    assert member.shown() == []
    assert len(member.logged("stored")) + len(member.logged("failed")) + len([*member.part.pending()]) == 1


def _is_json(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:  # a number that JSON in 64 bits cannot hold
        return False
    return True
