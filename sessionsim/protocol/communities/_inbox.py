"""Endpoints about direct messages between blinded ids: an inbox and an outbox, kept for 15 days.

The server takes any bytes; what they should be is in `blinded_message`. Only an id it has seen can be written
to, with the sign under which it was seen.
Source: session-pysogs: sogs/routes/dm.py, sogs/model/message.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from sessionsim.protocol.communities._call import Call, route
from sessionsim.protocol.communities.replies import (
    NOT_MODIFIED,
    Refused,
    Reply,
    jsonify,
    page,
    seconds,
    with_base64,
)
from sessionsim.protocol.communities.state import DirectPost
from sessionsim.protocol.wire.base64_text import decode_base64


def _written(post: DirectPost, *, with_text: bool = True) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": post.number,
        "posted_at": seconds(post.posted_us),
        "expires_at": seconds(post.expires_us),
        "sender": post.sender,
        "recipient": post.recipient,
    }
    return told | {"message": with_base64(post.sealed)} if with_text else told


def _box(call: Call, *, sent: bool, since: int | None) -> Reply:
    own = call.blinded().session_id
    limit = call.bounded("limit", call.rules.limit_default, 1, call.rules.limit_max)
    posts = (
        post
        for post in _after(call.state.inbox, since or 0)
        if (post.sender if sent else post.recipient) == own
    )
    told = [_written(post) for post in islice(posts, limit)]
    return jsonify(told) if told or since is None else NOT_MODIFIED


def _after(posts: list[DirectPost], number: int) -> Iterator[DirectPost]:
    # Numbers ascend, and what is new is at the end.
    start = len(posts)
    while start and posts[start - 1].number > number:
        start -= 1
    return islice(posts, start, None)


def _inbox(call: Call) -> Reply:
    return _box(call, sent=False, since=None)


def _inbox_since(call: Call) -> Reply:
    return _box(call, sent=False, since=call.number("id"))


def _outbox(call: Call) -> Reply:
    return _box(call, sent=True, since=None)


def _outbox_since(call: Call) -> Reply:
    return _box(call, sent=True, since=call.number("id"))


def _send(call: Call) -> Reply:
    sender, recipient = call.someone(), call.state.members.get(call.match["blinded"])
    if recipient is None or recipient.banned:
        raise Refused(page(404))
    sealed = decode_base64(call.fields().get("message"))
    if sealed is None:
        raise Refused(page(400))
    call.state.last_direct += 1
    post = DirectPost(
        call.state.last_direct,
        sender.session_id,
        recipient.session_id,
        sealed,
        call.now_us,
        call.now_us + call.rules.direct_lifetime_us,
    )
    call.state.inbox.append(post)
    return jsonify(_written(post, with_text=False), 201)


def _empty(call: Call) -> Reply:
    own, inbox = call.blinded().session_id, call.state.inbox
    kept = [post for post in inbox if post.recipient != own]
    deleted = len(inbox) - len(kept)
    inbox[:] = kept
    return jsonify({"deleted": deleted})


ROUTES: Final = (
    route("GET", "/inbox", _inbox),
    route("GET", "/inbox/since/<id>", _inbox_since),
    route("GET", "/outbox", _outbox),
    route("GET", "/outbox/since/<id>", _outbox_since),
    route("POST", "/inbox/<blinded>", _send),
    route("DELETE", "/inbox", _empty),
)
