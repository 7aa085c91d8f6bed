"""Endpoints about the server and its rooms: capabilities, room details, the poll for changes of details.

Source: session-pysogs: sogs/routes/general.py, sogs/routes/rooms.py.
"""

from __future__ import annotations

from typing import Any, Final

from sessionsim.core.units import US_PER_S
from sessionsim.protocol.communities._call import Call, route
from sessionsim.protocol.communities.permissions import moderators_of
from sessionsim.protocol.communities.replies import Refused, Reply, jsonify, page, seconds
from sessionsim.protocol.communities.rules import CommunityRules
from sessionsim.protocol.communities.state import Room

# Source: session-pysogs: sogs/model/__init__.py; `blind` is added where blinded ids are required.
CAPABILITIES: Final = ("reactions", "sogs")
_DEFAULTS: Final = ("read", "accessible", "write", "upload")
# Control characters that names and descriptions lose. Source: session-pysogs: sogs/routes/rooms.py
_NOT_IN_NAMES: Final = dict.fromkeys(range(32))
_NOT_IN_DESCRIPTIONS: Final = dict.fromkeys(set(range(32)) - {9, 10})


def capabilities(rules: CommunityRules) -> list[str]:
    """List what a server announces, in alphabetical order."""
    return sorted((*CAPABILITIES, "blind") if rules.require_blinding else CAPABILITIES)


def _capabilities(call: Call) -> Reply:
    known = capabilities(call.rules)
    told: dict[str, Any] = {"capabilities": known}
    needed = call.query.get("required")
    missing = [name for name in needed.split(",") if name not in known] if needed is not None else []
    if missing:
        told["missing"] = missing
    return jsonify(told, 412 if missing else 200)


def _details(call: Call, room: Room) -> dict[str, Any]:
    rights = call.rights(room)
    moderators = moderators_of(room, call.state.members, call.member)
    told: dict[str, Any] = {
        "token": room.token,
        "name": room.name,
        "info_updates": room.info_updates,
        "message_sequence": room.message_sequence,
        "created": seconds(room.created_us),
        "active_users": room.active_members,
        "active_users_cutoff": call.rules.active_us // US_PER_S,
        "moderators": moderators.moderators,
        "admins": moderators.admins,
        "read": rights.read,
        "write": rights.write,
        "upload": rights.upload,
    }
    optional = {
        "description": room.description,
        "image_id": room.image,
        "pinned_messages": _pins(room) or None,
        "hidden_moderators": moderators.hidden_moderators or None,
        "hidden_admins": moderators.hidden_admins or None,
    }
    told |= {name: value for name, value in optional.items() if value is not None}
    return told | _standing(call, room)


def _pins(room: Room) -> list[dict[str, Any]]:
    by_time = sorted(room.pins.items(), key=lambda item: item[1])
    return [{"id": post, "pinned_at": seconds(at), "pinned_by": by} for post, (at, by) in by_time]


def _standing(call: Call, room: Room) -> dict[str, Any]:
    """Say what only moderators and admins are told."""
    rights, told = call.rights(room), {}
    if rights.moderator:
        told = {"moderator": True} | {f"default_{name}": getattr(room, name) for name in _DEFAULTS}
    if rights.admin:
        told["admin"] = True
    if call.member is not None:
        if call.member.moderator or call.member.admin:
            told["global_moderator"] = True
        if call.member.admin:
            told["global_admin"] = True
    return told


def _room(call: Call) -> Reply:
    return jsonify(_details(call, call.visible_room()))


def _rooms(call: Call) -> Reply:
    rooms = sorted(call.state.rooms.values(), key=lambda room: room.token)
    return jsonify([_details(call, room) for room in rooms if call.rights(room).accessible])


def _poll(call: Call) -> Reply:
    room = call.readable_room()
    call.seen_in(room)
    rights = call.rights(room)
    told: dict[str, Any] = {
        "token": room.token,
        "active_users": room.active_members,
        "read": rights.read,
        "write": rights.write,
        "upload": rights.upload,
    }
    if room.info_updates != call.number("id"):
        told["details"] = _details(call, room)
    return jsonify(told | _standing(call, room))


def _update(call: Call) -> Reply:
    room, fields = call.moderated_room(admin=True), call.fields()
    changes = _new_details(call, room, fields)
    if not changes:
        raise Refused(page(400))
    if any(
        getattr(room, name) != changes[name] for name in ("name", "description", "image") if name in changes
    ):
        room.info_updates += 1
    for name, value in changes.items():
        setattr(room, name, value)
    return jsonify({"info_updates": room.info_updates})


def _new_details(call: Call, room: Room, fields: dict[str, Any]) -> dict[str, Any]:
    """Read what an admin wants changed. Raises Refused: 400, or 406 for an image that is not there."""
    changes: dict[str, Any] = {}
    if "name" in fields:
        if type(fields["name"]) is not str:
            raise Refused(page(400))
        changes["name"] = fields["name"].translate(_NOT_IN_NAMES)
    if "description" in fields:
        told = fields["description"]
        if told is not None and type(told) is not str:
            raise Refused(page(400))
        changes["description"] = (told or "").translate(_NOT_IN_DESCRIPTIONS) or None
    if "image" in fields:
        found = call.state.files.get(fields["image"]) if type(fields["image"]) is int else None
        if type(fields["image"]) is not int:
            raise Refused(page(400))
        if found is None or found.room != room.token:
            raise Refused(page(406))
        found.expires_us = None
        changes["image"] = found.file_id
    for name in _DEFAULTS:
        value = fields.get(f"default_{name}")
        if value is not None:
            if not isinstance(value, int):
                raise Refused(page(400))
            changes[name] = bool(value)
    return changes


ROUTES: Final = (
    route("GET", "/capabilities", _capabilities),
    route("GET", "/rooms", _rooms),
    route("GET", "/room/<room>", _room),
    route("PUT", "/room/<room>", _update),
    route("GET", "/room/<room>/pollInfo/<id>", _poll),
)
