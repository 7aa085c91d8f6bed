"""Endpoints about reactions: who finds what of a post. Each change gives the post the room's next number.

Source: session-pysogs: sogs/routes/messages.py, sogs/model/room.py, sogs/schema.sqlite.
"""

from __future__ import annotations

from typing import Final

from sessionsim.protocol.communities._call import Call, route
from sessionsim.protocol.communities.replies import Refused, Reply, jsonify, said, seconds
from sessionsim.protocol.communities.state import Post, Room

_DENIED: Final = "Permission denied"


def _regular(call: Call, room: Room, reaction: str | None) -> Post:
    """Give the post the path names. Raises Refused: 400 for a reaction too long, 404 for a post of no use."""
    if reaction is not None and len(reaction) > call.rules.reaction_length_max:
        raise Refused(said(400, ""))
    post = room.posts.get(call.number("id"))
    if post is None or not post.is_regular:
        raise Refused(said(404, f"No such post: {call.number('id')}"))
    return post


def _reader(call: Call) -> Room:
    call.someone()
    room = call.visible_room()
    if not call.rights(room).read:
        raise Refused(said(403, _DENIED))
    return room


def _add(call: Call) -> Reply:
    room, reaction = _reader(call), call.match["reaction"]
    post, who = _regular(call, room, reaction), call.someone().session_id
    reactors = post.reactions.setdefault(reaction, {})
    added = who not in reactors
    if added:
        reactors[who] = call.now_us
        _count(room, post)
    return jsonify({"added": added, "seqno": post.seqno})


def _count(room: Room, post: Post) -> None:
    post.seqno_reactions = room.count()
    room.changed(post)


def _take(room: Room, post: Post, reaction: str, who: str) -> bool:
    reactors = post.reactions.get(reaction, {})
    if reactors.pop(who, None) is None:
        return False
    if not reactors:
        del post.reactions[reaction]
    _count(room, post)
    return True


def _remove(call: Call) -> Reply:
    call.someone()
    room, reaction = call.readable_room(), call.match["reaction"]
    post = _regular(call, room, reaction)
    removed = _take(room, post, reaction, call.someone().session_id)
    return jsonify({"removed": removed, "seqno": post.seqno})


def _clear(call: Call) -> Reply:
    room, reaction = call.moderated_room(), call.match.get("reaction")
    post, removed = _regular(call, room, reaction), 0
    for one in [reaction] if reaction is not None else list(post.reactions):
        removed += sum([_take(room, post, one, who) for who in list(post.reactions.get(one, ()))])
    return jsonify({"removed": removed, "seqno": post.seqno})


def _reactors(call: Call) -> Reply:
    room, reaction = call.readable_room(), call.match["reaction"]
    post = _regular(call, room, reaction)
    limit = call.bounded("limit", 0, 0, 1 << 32)
    who = list(post.reactions.get(reaction, {}).items())
    return jsonify([[session_id, seconds(at)] for session_id, at in (who[:limit] if limit else who)])


ROUTES: Final = (
    route("PUT", "/room/<room>/reaction/<id>/<reaction>", _add),
    route("DELETE", "/room/<room>/reaction/<id>/<reaction>", _remove),
    route("DELETE", "/room/<room>/reactions/<id>/<reaction>", _clear),
    route("DELETE", "/room/<room>/reactions/<id>", _clear),
    route("GET", "/room/<room>/reactors/<id>/<reaction>", _reactors),
)
