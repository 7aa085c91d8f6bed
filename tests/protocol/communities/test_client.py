"""The client's side of a community: requests, answers, the poll; with the real server behind real onions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.core.seeds import Entropy
from sessionsim.protocol import blinded_message
from sessionsim.protocol.communities import answers, calls
from sessionsim.protocol.communities.answers import CommunityRefused, read_batch, read_mail, read_posts
from sessionsim.protocol.communities.poll_rules import ANDROID, DESKTOP, IOS, PLATFORMS
from sessionsim.protocol.communities.poller import CommunityPoller
from sessionsim.protocol.crypto import real, suite_named
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.lsrpc import OnionEndpoint
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from sessionsim.protocol.wire import v4
from sessionsim.protocol.wire.onion import DESKTOP as DESKTOP_STYLE
from sessionsim.protocol.wire.onion import (
    LAYER_RANDOM_BYTES,
    LIBSESSION,
    Hop,
    Style,
    decode_client_request,
    decode_inner,
    open_request,
)
from sessionsim.protocol.wire.onion_answer import answer_layers, open_server_answer
from sessionsim.protocol.wire.onion_server import ServerAddress, build_server_request

MakeHall = Callable[..., Any]
LOBBY = "lobby"
X = real.x25519_keypair(hashlib.sha256(b"community").digest())
NONCES = count()


# ---- Requests ----


def test_a_poll_of_desktop_is_this_batch(make_hall: MakeHall) -> None:
    person = make_hall().person("a")
    poller = CommunityPoller(person.account, X.public, [LOBBY, "attic"], DESKTOP)
    request = calls.batch(poller.parts())
    assert (request.method, request.endpoint) == ("POST", "/batch")
    assert json.loads(request.body) == [
        {"method": "GET", "path": path}
        for path in (
            "/capabilities",
            "/room/lobby/pollInfo/0",
            "/room/lobby/messages/recent?reactors=5",
            "/room/attic/pollInfo/0",
            "/room/attic/messages/recent?reactors=5",
            "/inbox",
            "/outbox",
        )
    ]
    assert request.body.startswith(b'[{"method":"GET","path":"/capabilities"},')


def test_what_cannot_be_asked_is_our_error() -> None:
    for make in (
        lambda: calls.room("a b"),
        lambda: calls.room("x" * 65),
        lambda: calls.messages_since(LOBBY, -1),
        lambda: calls.react(LOBBY, 1, ""),
        lambda: calls.send_direct("05" + "a" * 64, b""),
        lambda: calls.ban("25" + "a" * 64, [LOBBY]),
    ):
        with pytest.raises(LocalProtocolError):
            make()


# ---- Answers ----


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        [5],
        [{}],
        [{"id": 1}],
        [{"id": 1, "seqno": "2"}],
        [{"id": True, "seqno": 2}],
        [{"id": 1, "seqno": 2, "data": 5}],
        [{"id": 1, "seqno": 2, "data": "AA", "signature": None}],
        [{"id": 1, "seqno": 2, "data": "AA", "signature": "AA", "session_id": "x"}],
        [{"id": 1, "seqno": 2, "data": "AA", "signature": "AA", "session_id": "15" + "a" * 64}],
        [{"id": 1, "seqno": 2, "data": None, "session_id": "15" + "a" * 64, "posted": -1}],
        [{"id": 1, "seqno": 2, "data": None, "session_id": "15" + "a" * 64, "posted": 1e300}],
        [{"id": 1, "seqno": 2, "reactions": []}],
        [{"id": 1, "seqno": 2, "reactions": {"x": {"count": 1}}}],
        [{"id": 1, "seqno": 2, "reactions": {"x": {"count": 1, "index": 0, "reactors": ["x"]}}}],
        [{"id": 1, "seqno": 2}] * 5000,
    ],
)
def test_malformed_posts_are_refused(value: Any) -> None:
    with pytest.raises(RemoteProtocolError):
        read_posts(value)


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                ["id", "seqno", "data", "signature", "session_id", "posted", "reactions", "code", "body",
                 "headers", "details", "token", "capabilities", "message", "sender", "recipient", "posted_at"]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON_VALUES)
@settings(deadline=None, max_examples=300, derandomize=True)
def test_a_hostile_server_gives_only_the_documented_errors(value: Any) -> None:
    for read in (
        read_posts,
        read_mail,
        answers.read_capabilities,
        answers.read_room_info,
        lambda v: read_batch(ServerAnswer(200, {}, json.dumps(v).encode())),
        lambda v: answers.read_upload(ServerAnswer(201, {}, json.dumps(v).encode())),
    ):
        try:
            read(value)
        except RemoteProtocolError:
            continue


@given(JSON_VALUES)
@settings(deadline=None, max_examples=100, derandomize=True)
def test_a_poll_survives_what_a_hostile_server_answers(value: Any) -> None:
    poller = CommunityPoller(account_from_seed(bytes(16)), X.public, [LOBBY], IOS)
    poller.poll(suite_named("fast"), 5, bytes(16))
    one = {"code": 200, "headers": {"content-type": "application/json"}, "body": value}
    body = json.dumps([one] * 5).encode()
    try:
        news = poller.take(ServerAnswer(200, {}, body))
    except RemoteProtocolError:
        return
    assert len(news.refused) <= 5
    assert len(poller.parts()) in (3, 5)


# ---- Polling the server ----


def round_of(hall: Any, poller: CommunityPoller, nonce: int) -> Any:
    drawn = hashlib.sha256(b"%d %d" % (next(NONCES), nonce)).digest()[:16]
    request = poller.poll(hall.suite, hall.unix_us // 1_000_000, drawn)
    return poller.take(hall.server.handle(request, hall.now_us))


@pytest.mark.parametrize("rules", PLATFORMS.values(), ids=PLATFORMS)
def test_a_poller_hears_everything_once(make_hall: MakeHall, rules: Any) -> None:
    hall = make_hall()
    author, reader = hall.person("a"), hall.person("b")
    poller = CommunityPoller(reader.account, X.public, [LOBBY], rules)
    first = round_of(hall, poller, 1)
    assert (first.posts, first.refused, first.inbox) == ((), (), ())
    assert [info.token for info in first.infos] == [LOBBY]
    author.get(calls.post_message(LOBBY, author.written(b"hi")), 201)
    sealed = blinded_message.seal(author.account, X.public, bytes.fromhex(reader.id), b"direct", bytes(24))
    author.get(calls.send_direct(reader.id, sealed), 201)
    second = round_of(hall, poller, 2)
    ((token, post),) = second.posts
    assert (token, post.session_id, post.content) == (LOBBY, author.id, author.written(b"hi").content)
    assert post.is_genuine
    (mail,) = second.inbox
    opened = blinded_message.unseal(reader.account, X.public, mail.sender, mail.recipient, mail.sealed)
    assert (opened.message, opened.sender) == (b"direct", author.account.id)
    third = round_of(hall, poller, 3)
    assert (third.posts, third.inbox, third.outbox) == ((), (), ())
    author.get(calls.react(LOBBY, 1, "👍"))
    ((_token, change),) = round_of(hall, poller, 4).posts
    assert change.content is None
    assert change.reactions == (answers.Reaction("👍", 1, (author.id,), False),)
    author.get(calls.delete_message(LOBBY, 1))
    ((_token, gone),) = round_of(hall, poller, 5).posts
    assert gone.deleted
    assert poller.failures == 0


def test_only_desktop_gets_all_details_every_time(make_hall: MakeHall) -> None:
    hall = make_hall()
    hall.admin()
    for rules, details in ((DESKTOP, True), (ANDROID, False), (IOS, False)):
        poller = CommunityPoller(hall.person(rules.family).account, X.public, [LOBBY], rules)
        assert round_of(hall, poller, 1).infos[0].details is not None
        assert (round_of(hall, poller, 2).infos[0].details is not None) is details


def test_a_bare_poller_turns_to_its_blinded_id_where_that_is_required(make_hall: MakeHall) -> None:
    hall = make_hall()
    poller = CommunityPoller(hall.person("a").account, X.public, [LOBBY], DESKTOP, blinded=False)
    with pytest.raises(CommunityRefused) as refused:
        round_of(hall, poller, 1)
    assert refused.value.status == 400
    assert poller.failures == 1
    assert round_of(hall, poller, 2).refused == ()
    assert list(hall.state.members) == [hall.person("a").id]


def test_a_server_without_blinding_is_asked_with_the_bare_key(make_hall: MakeHall) -> None:
    hall = make_hall(require_blinding=False)
    poller = CommunityPoller(hall.person("a").account, X.public, [LOBBY], DESKTOP)
    round_of(hall, poller, 1)
    assert not poller.blinded
    assert len(poller.parts()) == 3
    assert round_of(hall, poller, 2).refused == ()


def test_what_is_refused_in_part_is_told(make_hall: MakeHall) -> None:
    hall = make_hall()
    poller = CommunityPoller(hall.person("a").account, X.public, ["attic"], DESKTOP)
    assert round_of(hall, poller, 1).refused == (
        ("/room/attic/pollInfo/0", 404),
        ("/room/attic/messages/recent?reactors=5", 404),
    )
    poller.poll(hall.suite, 5, bytes(16))
    for body in (b"[]", b"{}", b"", b"[5]"):
        with pytest.raises(RemoteProtocolError):
            poller.take(ServerAnswer(200, {}, body))
    assert poller.failures == 4


@pytest.mark.parametrize(
    ("rules", "pauses_s"),
    [(DESKTOP, [10, 10, 10]), (ANDROID, [4, 8, 12]), (IOS, [4, 5, 7])],
    ids=lambda value: getattr(value, "family", ""),
)
def test_platforms_pause_unlike_after_failures(make_hall: MakeHall, rules: Any, pauses_s: list[int]) -> None:
    poller = CommunityPoller(make_hall().person("a").account, X.public, [], rules)
    found = []
    for _ in pauses_s:
        found.append(poller.pause_us() // 1_000_000)
        poller.failed()
    assert found == pauses_s
    for _ in range(1000):
        poller.failed()
    assert poller.pause_us() == max(rules.longest_us, rules.interval_us)


# ---- Through the onion ----


@pytest.mark.parametrize("suite", ["fast", "sodium"])
@pytest.mark.parametrize("style", [DESKTOP_STYLE, LIBSESSION], ids=lambda style: style.name)
def test_a_post_travels_through_three_hops_to_the_room(make_hall: MakeHall, suite: str, style: Style) -> None:
    hall = make_hall(suite)
    author = hall.person("a")
    endpoint = OnionEndpoint(hall.suite, X, Entropy(b"community"), hall.server.handle)
    nodes = [hall.suite.ephemeral(hashlib.sha256(b"node %d" % n).digest()) for n in range(3)]
    hops = [Hop(node.public.hex().encode(), node.public) for node in nodes]
    address = ServerAddress("rooms.example", X.public, "http")
    randoms = [hashlib.blake2b(b"r%d" % n).digest()[:LAYER_RANDOM_BYTES] for n in range(4)]
    request = author.signed(calls.post_message(LOBBY, author.written(b"hello")).alone(), family=style.name)
    frame, layer = build_server_request(
        hall.suite, style, hops, address, v4.encode_request(style, request), randoms
    )
    ciphertext, ephemeral, enc_type = decode_client_request(frame)
    for node in nodes:
        _, plaintext = open_request(hall.suite, node, ephemeral, enc_type, ciphertext)
        inner: Any = decode_inner(plaintext)
        ciphertext, ephemeral, enc_type = inner[1:4]
    status, sealed = endpoint.post("lsrpc/v4", plaintext, hall.now_us)
    layers = answer_layers(hall.suite, layer, randoms[-1][:32], X.public)
    answer = open_server_answer(layers, sealed)
    assert (status, answer.status) == (200, 201)
    assert answers.read_post(json.loads(answer.body)).is_genuine
    assert hall.room.posts[1].content == b"hello"


# ---- Hostile clients ----


ENDPOINTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "/batch",
            "/sequence",
            "/room/lobby/message",
            "/room/lobby/message/1",
            "/room/lobby/reaction/1/x",
            "/room/lobby/file",
            "/room/lobby/file/1",
            "/room/lobby/messages/since/0?t=r&limit=5",
            "/room/lobby/pollInfo/0",
            "/room/lobby",
            "/inbox/15" + "a" * 64,
            "/user/15" + "a" * 64 + "/ban",
            "/user/05" + "a" * 64 + "/moderator",
            "/room/lobby/permissions/15" + "a" * 64,
        ]
    ),
)


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "", "PATCH"]),
    endpoint=ENDPOINTS,
    body=st.one_of(st.binary(max_size=60), JSON_VALUES.map(lambda v: json.dumps(v).encode())),
    admin=st.booleans(),
)
@settings(deadline=None, max_examples=300, derandomize=True)
def test_whatever_a_member_asks_the_server_answers(
    make_hall: MakeHall, method: str, endpoint: str, body: bytes, admin: bool
) -> None:
    hall = make_hall("fast")
    person = hall.admin() if admin else hall.person("a")
    person.ask(calls.post_message(LOBBY, person.written(b"x")))
    request = ServerRequest(method, endpoint.encode("utf-8", "replace").decode(), calls.JSON_HEADERS, body)
    answer = person.ask(request)
    assert 200 <= answer.status < 600
    assert v4.decode_answer(v4.encode_answer(answer, compact=False)).body == answer.body


def test_json_nested_too_deeply_in_a_batch_is_refused(make_hall: MakeHall) -> None:
    person = make_hall().person("a")
    for depth in (500, 900, 5000):
        body = b'[{"method":"POST","path":"/rooms","json":' + b"[" * depth + b"]" * depth + b"}]"
        assert person.ask(ServerRequest("POST", "/batch", calls.JSON_HEADERS, body)).status in (200, 400)
