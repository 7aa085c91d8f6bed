"""More leaks that are planted, all over a run of real machines: each shows to who reads its place alone.

Every plant is an account id of its own, put into one kind of bytes by whoever writes them. Nothing in the
deduction knows of any. The same run without plants shows none of the ids.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from sessionsim.core.intents import File, GroupAction, GroupText, Intent, Post, Reader, Wish
from sessionsim.core.scene import Position, Role, Taking
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.client.files import part as files
from sessionsim.protocol.client.push import groups as push_groups
from sessionsim.protocol.client.push import part as push_part
from sessionsim.protocol.communities import poller
from sessionsim.protocol.configs import wrapping
from sessionsim.protocol.servers import push as push_server
from sessionsim.protocol.wire import bencode, monitor, rpc, v4
from sessionsim.protocol.wire.poll import PollTemplate
from tests.adversary.test_findings import Findings

S = US_PER_S
REKEY = importlib.import_module("sessionsim.protocol.groups.rekey")  # the package has a function of that name


def planted(number: int) -> bytes:
    """Give an account id that nobody has."""
    return b"\5" + bytes([160 + number]) * 32


HEX = [planted(number).hex() for number in range(20)]
MEMBERS, GUARDS, MIDDLES, LASTS, PUSH, PLATFORMS, FILES, COMMUNITY, READER = (
    "members", "guards", "middles", "lasts", "push", "platforms", "files", "community", "reader",
)  # fmt: skip
# Who reads each place. The reader holds what the swarms got, and the keys of account 1.
EXPECTED = {
    "text to a person": {READER},
    "text to a group": {READER},
    "post in a room": {COMMUNITY},
    "question for a swarm": {MEMBERS, READER},
    "keys message": {MEMBERS, READER},
    "subscription": {PUSH},
    "notification": {MEMBERS, READER, PUSH},
    "headers of an upload": {FILES},
    "headers in a community": {COMMUNITY},
    "push": {PUSH, PLATFORMS},
    "poll": {MEMBERS, READER},
    "headers of a server's answer": {FILES, PUSH, COMMUNITY},
    "beside the headers of a request": {FILES, PUSH, COMMUNITY},
    "beside the headers of an answer": {FILES, PUSH, COMMUNITY},
    "wrapper of a config": {MEMBERS, READER, PUSH},  # a notification brings what was stored
}
NUMBER = {place: number for number, place in enumerate(EXPECTED)}


def wishes(shown: Callable[[str], str]) -> tuple[Wish, ...]:
    """Give a run. Args: shown: what stands in a text at a place."""
    voice = File("voice", 4_000)
    return (
        *(Reader(0, account, 0) for account in (0, 1)),
        GroupAction(4 * S, 0, 0, 0, "create", (1, 2), "walkers"),
        GroupAction(12 * S, 1, 0, 1, "join"),
        GroupText(18 * S, 0, 0, f"all {shown('text to a group')}", 0),
        Intent(20 * S, 0, 1, f"see {shown('text to a person')}", 0, (voice,)),
        Intent(21 * S, 1, 2, "hello"),
        Post(24 * S, 0, 0, f"post {shown('post in a room')}", 0),
    )


def in_json(text: bytes, place: str) -> bytes:
    return orjson.dumps({**orjson.loads(text), "debug": HEX[NUMBER[place]]})


def plant(patch: pytest.MonkeyPatch) -> None:
    """Let whoever writes bytes write one more field."""

    def around(owner: Any, name: str, alter: Callable[[Any], Any]) -> None:
        real = getattr(owner, name)
        patch.setattr(owner, name, lambda *args, **more: alter(real(*args, **more)))

    around(rpc, "get_swarm_call", lambda call: (call[0], in_json(call[1], "question for a swarm")))
    around(monitor, "write_notification", lambda raw: with_field(raw, b"zz", planted(NUMBER["notification"])))
    for module in (push_part, push_groups):
        around(module, "subscribe_request", lambda request: with_body(request, "subscription"))
    around(poller, "sign_request", lambda request: with_header(request, "headers in a community"))
    around(files, "upload_request", lambda request: with_header(request, "headers of an upload"))
    around(push_server, "write_push", in_push)
    around(PollTemplate, "fill", in_poll)
    answer, wrapped = v4.encode_answer, wrapping.write_envelope
    shown = {"x-debug": HEX[NUMBER["headers of a server's answer"]]}
    patch.setattr(
        v4,
        "encode_answer",
        lambda one, **more: answer(one._replace(headers={**one.headers, **shown}), **more),
    )
    patch.setattr(
        wrapping, "write_envelope",
        lambda *args, **more: wrapped(*args, **more, source=HEX[NUMBER["wrapper of a config"]]),
    )  # fmt: skip
    join = v4._join

    def in_about(about: bytes, body: Any) -> bytes:
        is_answer = b'"code"' in about
        place = f"beside the headers of {'an answer' if is_answer else 'a request'}"
        return join(in_json(about, place), body)

    patch.setattr(v4, "_join", in_about)
    sign = REKEY.encode

    def in_keys(suite: Any, group: Any, message: Any) -> bytes:
        fields = bencode.decode(sign(suite, group, message))
        del fields[b"~"]
        signed = bencode.encode(dict(sorted({**fields, b"X": planted(NUMBER["keys message"])}.items())))[:-1]
        return signed + b"1:~64:" + suite.sign_stored(group.ed, signed) + b"e"

    patch.setattr(REKEY, "encode", in_keys)


def with_field(raw: bytes, key: bytes, value: bytes) -> bytes:
    return bencode.encode(dict(sorted({**bencode.decode(raw), key: value}.items())))


def with_body(request: Any, place: str) -> Any:
    body = orjson.loads(request.body)
    parts = body if isinstance(body, list) else [body]
    altered = [{**part, "debug": HEX[NUMBER[place]]} for part in parts]
    return request._replace(body=orjson.dumps(altered if isinstance(body, list) else altered[0]))


def with_header(request: Any, place: str) -> Any:
    return request._replace(headers={**request.headers, "X-Debug": HEX[NUMBER[place]]})


def in_poll(text: bytes) -> bytes:
    return in_json(text, "poll")


def in_push(raw: bytes) -> bytes:
    path, _, body = raw.partition(b"\n")
    return path + b"\n" + in_json(body, "push")


def observers(world: Findings) -> dict[str, Position]:
    """Give who looks: nodes in one role each, servers, and who has the keys of account 1 and an archive."""
    nodes, servers = range(len(world.world.nodes)), world.world.scene.servers

    def acting(role: Role) -> Position:
        return Position(in_role=frozenset((node, role) for node in nodes))

    stolen = Position(taken=frozenset({Taking(world.world.scene.client_endpoints[1], 0, stays=False)}))
    kinds = {PUSH: ("push",), PLATFORMS: ("apple", "google"), FILES: ("file",), COMMUNITY: ("community",)}
    return {
        GUARDS: acting(Role.GUARD), MIDDLES: acting(Role.MIDDLE), LASTS: acting(Role.LAST),
        MEMBERS: acting(Role.MEMBER), READER: acting(Role.MEMBER) | stolen,
        **{
            name: Position(operated=frozenset(end for kind in some for end in servers[kind]))
            for name, some in kinds.items()
        },
    }  # fmt: skip


def shown_to(world: Findings) -> dict[str, set[str]]:
    """Give who knows of each planted id, in whatever fact."""
    found: dict[str, set[str]] = {place: set() for place in EXPECTED}
    for name, position in observers(world).items():
        terms = {term for claim in world.claims(position) for term in claim[1:]}
        for place, number in NUMBER.items():
            if f"account:{HEX[number]}" in terms:
                found[place].add(name)
    return found


@pytest.fixture(scope="module")
def leaking() -> dict[str, set[str]]:
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        return shown_to(Findings("none", wishes=wishes(lambda place: HEX[NUMBER[place]])))


@pytest.mark.parametrize("place", EXPECTED)
def test_a_plant_shows_to_exactly_those_who_read_its_place(leaking: dict[str, set[str]], place: str) -> None:
    assert leaking[place] == EXPECTED[place]


def test_what_is_taken_out_again_takes_its_facts_with_it() -> None:
    world = Findings("none", wishes=wishes(lambda place: "nothing"))
    assert shown_to(world) == {place: set() for place in EXPECTED}
