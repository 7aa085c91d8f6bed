"""What a member may do in a room: defaults, overrides of moderators, and who moderates.

An admin may everything, a moderator everything but what only admins may; a ban takes all the rest away.
Nobody in particular (no headers) has the defaults.
Source: session-pysogs: sogs/model/room.py (check_permission), sogs/schema.sqlite (user_permissions).
"""

from __future__ import annotations

from typing import NamedTuple

from sessionsim.protocol.communities.state import Member, Override, Room

_NO_OVERRIDE = Override()


class Rights(NamedTuple):
    """Answers for one member and room; `accessible`: may see that the room exists."""

    banned: bool
    read: bool
    accessible: bool
    write: bool
    upload: bool
    moderator: bool
    admin: bool


def rights_in(room: Room, member: Member | None) -> Rights:
    """Work out what a member may do in a room."""
    if member is None:
        visible = room.read or room.accessible
        return Rights(False, room.read, visible, room.write, room.write and room.upload, False, False)
    override = room.overrides.get(member.session_id, _NO_OVERRIDE)
    admin = member.admin or override.admin
    moderator = admin or member.moderator or override.moderator
    if moderator:
        return Rights(False, True, True, True, True, True, admin)
    if member.banned or override.banned:
        return Rights(True, False, False, False, False, False, False)
    read = _either(override.read, room.read)
    write = _either(override.write, room.write)
    return Rights(
        False,
        read,
        read or _either(override.accessible, room.accessible),
        write,
        write and _either(override.upload, room.upload),
        False,
        False,
    )


def _either(own: bool | None, default: bool) -> bool:
    return default if own is None else own


class Moderators(NamedTuple):
    """Session ids in alphabetical order; the hidden ones only moderators get to see."""

    moderators: list[str]
    admins: list[str]
    hidden_moderators: list[str]
    hidden_admins: list[str]


def moderators_of(room: Room, members: dict[str, Member], asker: Member | None) -> Moderators:
    """List who moderates a room, as far as the asker may know.

    The room's own setting decides who is visible, where there is one.
    """
    found = Moderators([], [], [], [])
    sees_hidden = rights_in(room, asker).moderator
    globals_ = {m.session_id for m in members.values() if m.moderator or m.admin}
    locals_ = {who for who, override in room.overrides.items() if override.moderator or override.admin}
    for session_id in sorted(globals_ | locals_):
        member, override = members[session_id], room.overrides.get(session_id, _NO_OVERRIDE)
        visible = override.visible if session_id in locals_ else member.visible
        admin = member.admin or override.admin
        if visible or sees_hidden:
            found[2 * (not visible) + admin].append(session_id)
    return found
