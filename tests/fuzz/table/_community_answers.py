"""Communities at the client: answers of a hostile server, polls, posts."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.communities import answers
from sessionsim.protocol.communities.poll_rules import CommunityPollRules
from sessionsim.protocol.communities.poller import CommunityPoller
from sessionsim.protocol.communities.posts import is_genuine, restore_padding, sign_post, strip_padding
from sessionsim.protocol.server_request import ServerAnswer
from sessionsim.protocol.wire import v4
from sessionsim.protocol.wire.json_text import python_json
from tests.fuzz.decoder import Decoder, machine
from tests.fuzz.held import held
from tests.fuzz.table._communities import (
    _PARTS,
    _POST,
    FRIEND_ID,
    OWN_ID,
    ROOM,
    SERVER_X,
    _new_server,
    _signed,
)
from tests.fuzz.table._keys import FAST, NOW_S, OWN, noise


def _told() -> tuple[tuple[bytes, ...], bytes]:
    """Let the server answer all parts: each value as JSON, and the batch of a poll."""
    server = _new_server(FAST)
    values = []
    for number, part in enumerate(_PARTS):
        answer = server.handle(_signed(part.alone(), FAST, 100 + number), 3_000)
        if answer.status == 200 and answer.body:
            values.append(answer.body)
    poll = CommunityPoller(OWN, SERVER_X, [ROOM], CommunityPollRules()).poll(FAST, NOW_S, noise("poll", 16))
    return tuple(values), server.handle(poll, 4_000).body


VALUES, POLLED = _told()


_REACTIONS = python_json({"+": {"count": 2, "index": 0, "reactors": [OWN_ID], "you": True}})


_POSTS = tuple(value for value in VALUES if value.startswith(b"[{") and b'"session_id"' in value)


_INFOS = tuple(
    value
    for value in VALUES
    if value.startswith(b"{") and b'"active_users"' in value and b'"upload"' in value
)


_MAIL = python_json(
    [{"id": 1, "sender": OWN_ID, "recipient": FRIEND_ID, "message": "AAAA", "posted_at": 1777000000.5}]
)


def _value(read: Callable[[Any], object]) -> Callable[[bytes], object]:
    return lambda raw: read(answers.json_of(ServerAnswer(200, {}, raw)))


def _genuine_posts(value: Any) -> object:
    posts = answers.read_posts(value)
    return posts, [post.is_genuine for post in posts]


def _polls() -> tuple[Callable[[bytes], object], Callable[[], int]]:
    """Answer each poll of a client with anything."""
    numbers, poller = count(), CommunityPoller(OWN, SERVER_X, [ROOM, "empty"], CommunityPollRules())

    def run(raw: bytes) -> object:
        poller.rooms = [ROOM]
        poller.blinded = True
        poller.poll(FAST, NOW_S, noise(f"n {next(numbers)}", 16))
        return poller.take(ServerAnswer(200, {"content-type": v4.JSON_TYPE}, raw))

    return run, lambda: held(poller)


def _post_of(raw: bytes) -> bool:
    """Take author, signature and content from outside: nobody but the author may pass for it."""
    session_id, signature, content = raw[:33], raw[33:97], raw[97:]
    passed = is_genuine(session_id, content, signature)
    if passed and raw not in _GENUINE:
        raise AssertionError("a post passes that nobody signed")
    return passed


def _padded(raw: bytes) -> bytes:
    """Strip and restore: the signature must still hold, so nothing may change."""
    kept = strip_padding(raw)
    restored = restore_padding(kept, len(raw))
    if restored != raw:
        raise AssertionError("a post is given out otherwise than it was posted")
    return kept


_XED = sign_post(OWN, SERVER_X, b"content", blinded=False, random64=noise("xed", 64))


_GENUINE = (
    bytes.fromhex(OWN_ID) + _POST.signature + _POST.content,
    OWN.id + _XED.signature + _XED.content,
)

DECODERS = (
    Decoder(
        "communities.answers.read_batch",
        "json",
        lambda raw: answers.read_batch(ServerAnswer(200, {}, raw)),
        (POLLED,),
        share=2,
    ),
    Decoder("communities.answers.read_posts", "json", _value(_genuine_posts), _POSTS, share=3),
    Decoder(
        "communities.answers.read_reactions", "json", _value(answers.read_reactions), (_REACTIONS,), share=2
    ),
    Decoder("communities.answers.read_mail", "json", _value(answers.read_mail), (_MAIL,), share=2),
    Decoder(
        "communities.answers.read_capabilities",
        "json",
        _value(answers.read_capabilities),
        VALUES[:1],
        share=1,
    ),
    Decoder("communities.answers.read_room_info", "json", _value(answers.read_room_info), _INFOS, share=2),
    Decoder(
        "communities.answers.read_upload",
        "json",
        lambda raw: answers.read_upload(ServerAnswer(201, {}, raw)),
        (b'{"id":5}',),
        share=1,
    ),
    machine(
        "communities.poller.CommunityPoller.take",
        "json",
        _polls,
        (POLLED,),
        20_000,
        errors=(RemoteProtocolError,),
        share=2,
    ),
    Decoder("communities.posts.is_genuine", "raw", _post_of, _GENUINE, errors=(), share=2),
    Decoder(
        "communities.posts.strip_padding",
        "raw",
        _padded,
        (_POST.content, b"", b"unpadded"),
        errors=(),
        share=2,
    ),
)
