"""Endpoints that read posts: what has changed, the newest, older ones, a single one.

Reading by `since` follows the room's counter: each new post, edit, deletion and change of reactions gives
its post the next number. A deleted post is told to those who can know it, with no content.
Source: session-pysogs: sogs/routes/messages.py, sogs/model/room.py (get_messages_for).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

from sessionsim.protocol.communities._call import Call, route
from sessionsim.protocol.communities.posts import restore_padding
from sessionsim.protocol.communities.replies import Refused, Reply, as_given, page, seconds
from sessionsim.protocol.communities.state import Post, Room


def _visible(call: Call, room: Room, posts: Iterable[Post]) -> Iterable[Post]:
    """Leave out whispers that are none of the asker's business."""
    moderator = call.rights(room).moderator
    own = call.member.session_id if call.member is not None else None
    for post in posts:
        for_all = post.whisper_to is None and not post.whisper_mods
        for_own = post.whisper_to == own or (moderator and (post.whisper_mods or post.author == own))
        if for_all or (own is not None and for_own):
            yield post


def written(call: Call, post: Post, reactors: int) -> dict[str, Any]:
    """Write a post for the asker."""
    told: dict[str, Any] = {
        "id": post.post_id,
        "session_id": post.author,
        "posted": seconds(post.posted_us),
        "seqno": post.seqno,
    }
    if post.content is None:
        told |= {"data": None, "deleted": True}
    else:
        told["data"] = restore_padding(post.content, post.size_bytes)
        told["signature"] = post.signature
    if post.edited_us is not None:
        told["edited"] = seconds(post.edited_us)
    if post.whisper_to is not None or post.whisper_mods:
        told |= {"whisper": True, "whisper_mods": post.whisper_mods}
        if post.whisper_to is not None:
            told["whisper_to"] = post.whisper_to
    if post.content is not None:
        told["reactions"] = _reactions_of(call, post, reactors)
    return told


def _reactions_of(call: Call, post: Post, reactors: int) -> dict[str, Any]:
    """Write the reactions to a post. Args: reactors: most names with each."""
    own = call.member.session_id if call.member is not None else None
    told: dict[str, Any] = {}
    for index, (reaction, who) in enumerate(post.reactions.items()):
        entry: dict[str, Any] = {"count": len(who)}
        if own in who:
            entry["you"] = True
        entry["index"] = index
        if reactors:
            entry["reactors"] = list(islice(who, reactors))
        told[reaction] = entry
    return told


def _limit(call: Call) -> int:
    return call.bounded("limit", call.rules.limit_default, 1, call.rules.limit_max)


def _reactors(call: Call) -> int:
    return call.bounded("reactors", call.rules.reactors_default, 0, call.rules.reactors_max)


def _since(call: Call) -> Reply:
    room, seqno = call.readable_room(), call.number("id")
    call.seen_in(room)
    with_reactions, reactors = "r" in call.query.get("t", ""), _reactors(call)
    told: list[dict[str, Any]] = []
    for post in islice(_visible(call, room, _changed(room, seqno, with_reactions)), _limit(call)):
        if seqno and post.seqno_reactions > seqno >= post.seqno_content:
            # Only reactions have changed, so only they are told; of a deleted post there are none.
            entry: dict[str, Any] = {"id": post.post_id, "seqno": post.seqno}
            told.append(entry | {"reactions": _reactions_of(call, post, reactors)})
        else:
            told.append(written(call, post, reactors))
    return as_given(told)


def _changed(room: Room, seqno: int, with_reactions: bool) -> Iterable[Post]:
    for post in room.since(seqno):
        if not with_reactions and post.seqno_content <= seqno:
            continue
        # Whoever never saw a post need not hear of its deletion.
        if post.content is not None or post.seqno_creation <= seqno:
            yield post


def _newest(call: Call, before: int | None) -> Reply:
    room = call.readable_room()
    call.seen_in(room)
    posts = (post for post in room.newest_first(before) if post.content is not None)
    reactors = _reactors(call)
    return as_given(
        [written(call, post, reactors) for post in islice(_visible(call, room, posts), _limit(call))]
    )


def _recent(call: Call) -> Reply:
    return _newest(call, None)


def _before(call: Call) -> Reply:
    return _newest(call, call.number("id"))


def _single(call: Call) -> Reply:
    room = call.readable_room()
    call.seen_in(room)
    post = room.posts.get(call.number("id"))
    if post is None or post.content is None or not list(_visible(call, room, [post])):
        raise Refused(page(404))
    return as_given(written(call, post, _reactors(call)))


ROUTES: Final = (
    route("GET", "/room/<room>/messages/since/<id>", _since),
    route("GET", "/room/<room>/messages/before/<id>", _before),
    route("GET", "/room/<room>/messages/recent", _recent),
    route("GET", "/room/<room>/message/<id>", _single),
)
