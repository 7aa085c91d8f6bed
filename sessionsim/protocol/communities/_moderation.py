"""Endpoints of moderators and admins: bans, moderators, permissions, deletion of all posts of an id.

A 05 id is taken for its blinded one where the server asks for blinded ids and has seen it: the operator can
link an account id somebody names to an id in a room. Bans with an end and scheduled permissions are not here.
Source: session-pysogs: sogs/routes/users.py, sogs/routes/rooms.py, sogs/model/user.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sessionsim.core.errors import CannotOpen
from sessionsim.protocol.blinding import blind15_ids
from sessionsim.protocol.communities._call import Call, Route, route
from sessionsim.protocol.communities._posts import delete
from sessionsim.protocol.communities.permissions import rights_in
from sessionsim.protocol.communities.replies import Refused, Reply, jsonify, page, said
from sessionsim.protocol.communities.state import Member, Override, Room

_DENIED: Final = "Permission denied"
_MOST_ROOMS: Final = 1000  # Assumption: more rooms than any server has


def _named(call: Call, server_x: bytes) -> Member:
    """Give the member the path names, made if unknown."""
    session_id = call.match["anyone"]
    if call.rules.require_blinding and session_id.startswith("05"):
        try:
            blinded = [one.hex() for one in blind15_ids(bytes.fromhex(session_id), server_x)]
        except CannotOpen:
            blinded = []
        session_id = next((one for one in blinded if one in call.state.members), session_id)
    known = call.state.members.get(session_id)
    if known is None:
        known = call.state.members[session_id] = Member(session_id, call.now_us, call.now_us)
    return known


def _scope(call: Call, fields: dict[str, Any], *, admin: bool) -> list[Room] | None:
    """Give the rooms a request is about; None for the whole server. Raises Refused: 400, 403, 404."""
    asker, tokens, everywhere = call.someone(), fields.get("rooms"), fields.get("global", False)
    if bool(tokens) == bool(everywhere) or (tokens and type(tokens) is not list):
        raise Refused(page(400))
    if not tokens:
        if not (asker.admin or (asker.moderator and not admin)):
            raise Refused(page(403))
        return None
    if len(tokens) > _MOST_ROOMS or any(type(token) is not str for token in tokens):
        raise Refused(page(400))
    if "*" in tokens:
        if len(tokens) > 1:
            raise Refused(page(400))
        allowed = [room for room in call.state.rooms.values() if _may(call, room, admin)]
        if not allowed:
            raise Refused(page(403))
        return allowed
    rooms = [call.state.room(token) for token in tokens]
    found = [room for room in rooms if room is not None]
    if len(found) < len(rooms):
        raise Refused(page(404))
    if not all(_may(call, room, admin) for room in found):
        raise Refused(page(403))
    return found


def _may(call: Call, room: Room, admin: bool) -> bool:
    rights = call.rights(room)
    return rights.admin if admin else rights.moderator


def _override(room: Room, member: Member) -> Override:
    return room.overrides.setdefault(member.session_id, Override())


def _flag(fields: dict[str, Any], name: str) -> bool | None:
    return None if fields.get(name) is None else bool(fields[name])


def _moderator(call: Call, server_x: bytes) -> Reply:
    call.someone()
    fields = call.fields()
    rooms = _scope(call, fields, admin=True)
    moderator, admin = _flag(fields, "moderator"), _flag(fields, "admin")
    if (admin is None and moderator is None) or (admin and moderator is False):
        raise Refused(page(400))
    member, visible = _named(call, server_x), _flag(fields, "visible")
    if rooms is None:
        _set(member, moderator, admin, bool(visible))
        call.state.all_rooms_changed()
        return jsonify({})
    for room in rooms:
        _set(_override(room, member), moderator, admin, visible is not False)
        room.info_updates += 1
    return jsonify({})


def _set(standing: Member | Override, moderator: bool | None, admin: bool | None, visible: bool) -> None:
    if admin or moderator:
        standing.moderator, standing.visible = True, visible
        standing.admin = admin if admin is not None else standing.admin
        standing.banned = False
    elif moderator is False:
        standing.moderator = standing.admin = False
    else:
        standing.admin = False


def _ban(call: Call, server_x: bytes) -> Reply:
    asker, fields = call.someone(), call.fields()
    rooms = _scope(call, fields, admin=False)
    member = _named(call, server_x)
    if rooms is None:
        if member.moderator or member.admin:
            raise Refused(said(403, _DENIED))
        member.banned = True
        return jsonify({})
    for room in rooms:
        theirs = rights_in(room, member)
        if member is asker or member.moderator or (theirs.moderator and not call.rights(room).admin):
            raise Refused(said(403, _DENIED))
    for room in rooms:
        override = _override(room, member)
        if override.moderator or override.admin:
            room.info_updates += 1
        override.banned, override.moderator, override.admin = True, False, False
        room.activity.pop(member.session_id, None)
    return jsonify({})


def _unban(call: Call, server_x: bytes) -> Reply:
    fields = call.fields()
    rooms = _scope(call, fields, admin=False)
    member = _named(call, server_x)
    if rooms is None:
        member.banned = False
    for room in rooms or ():
        if member.session_id in room.overrides:
            room.overrides[member.session_id].banned = False
    return jsonify({})


def _permissions(call: Call, server_x: bytes) -> Reply:
    room, fields = call.moderated_room(), call.fields()
    changes: dict[str, bool | None] = {}
    for name in ("accessible", "read", "write", "upload"):
        value, default = _flag(fields, name), bool(fields.get(f"default_{name}"))
        if value is not None and default:
            raise Refused(page(400))
        if value is not None or default:
            changes[name] = value
    if not changes:
        raise Refused(page(400))
    member = _named(call, server_x)
    override = _override(room, member)
    for name, value in changes.items():
        setattr(override, name, value)
    return jsonify({name: value for name, value in changes.items() if value is not None})


def _delete_all(call: Call, server_x: bytes) -> Reply:
    asker, room = call.someone(), call.room()
    poster = call.state.members.get(_named(call, server_x).session_id)
    rights = call.rights(room)
    if poster is None or (poster is not asker and not rights.moderator):
        raise Refused(said(403, _DENIED))
    if rights_in(room, poster).admin and not rights.admin:
        raise Refused(said(403, _DENIED))
    theirs = [p for p in room.posts.values() if p.author == poster.session_id and p.content is not None]
    for post in theirs:
        delete(call, room, post)
    for upload in call.state.files.values():
        if (
            upload.room == room.token
            and upload.uploader == poster.session_id
            and upload.file_id != room.image
        ):
            upload.expires_us = 0
    if not theirs:
        raise Refused(page(404))
    return jsonify({})


def routes(server_x: bytes) -> tuple[Route, ...]:
    """Give the routes of a server; blinding needs its key."""

    def bound(handler: Callable[[Call, bytes], Reply]) -> Callable[[Call], Reply]:
        return lambda call: handler(call, server_x)

    return (
        route("POST", "/user/<anyone>/moderator", bound(_moderator)),
        route("POST", "/user/<anyone>/ban", bound(_ban)),
        route("POST", "/user/<anyone>/unban", bound(_unban)),
        route("POST", "/room/<room>/permissions/<anyone>", bound(_permissions)),
        route("DELETE", "/room/<room>/all/<anyone>", bound(_delete_all)),
    )
