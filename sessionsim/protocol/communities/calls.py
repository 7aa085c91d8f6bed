"""Requests to a community as clients write them; `auth.sign_request` signs the outermost (messages 8).

A poll is one batch of the server's capabilities, and for every room the change of its details and of its
posts, and of inbox and outbox where ids are blinded. Members of a batch carry no signature of their own.
Source: session-desktop: ts/session/apis/open_group_api/sogsv3.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.communities.posts import SignedPost
from sessionsim.protocol.server_request import ServerRequest
from sessionsim.protocol.wire import percent
from sessionsim.protocol.wire.json_text import compact_json

JSON_HEADERS: Final = {"Content-Type": "application/json"}
BYTES_HEADERS: Final = {"Content-Type": "application/octet-stream"}
REACTORS: Final = 5  # Source: session-desktop: ts/util/reactions.ts (SOGSReactorsFetchCount)
_TOKEN: Final = re.compile(r"[\w-]{1,64}")
_SESSION_ID: Final = re.compile(r"[01]5[0-9a-f]{64}")


class Part(NamedTuple):
    """A member of a batch. Args: fields: the object of its body; None for no body."""

    method: str
    path: str
    fields: dict[str, Any] | None = None

    def alone(self) -> ServerRequest:
        """Give the same as a request of its own, not signed."""
        if self.fields is None:
            return ServerRequest(self.method, self.path, {})
        return ServerRequest(self.method, self.path, JSON_HEADERS, compact_json(self.fields))


def batch(parts: Sequence[Part], *, in_turn: bool = False) -> ServerRequest:
    """Join parts into one request. Args: in_turn: stop at the first that fails."""
    members = []
    for part in parts:
        member: dict[str, Any] = {"method": part.method, "path": part.path}
        members.append(member if part.fields is None else member | {"json": part.fields})
    return ServerRequest("POST", "/sequence" if in_turn else "/batch", JSON_HEADERS, compact_json(members))


def capabilities() -> Part:
    """Ask what the server can."""
    return Part("GET", "/capabilities")


def rooms() -> Part:
    """Ask for all rooms."""
    return Part("GET", "/rooms")


def room(token: str) -> Part:
    """Ask for a room's details."""
    return Part("GET", f"/room/{_room(token)}")


def poll_info(token: str, info_updates: int) -> Part:
    """Ask whether a room's details have changed. Args: info_updates: the number they were seen with."""
    return Part("GET", f"/room/{_room(token)}/pollInfo/{_number(info_updates)}")


def messages_recent(token: str, *, reactors: int = REACTORS) -> Part:
    """Ask for the newest posts of a room."""
    return Part("GET", f"/room/{_room(token)}/messages/recent?reactors={_number(reactors)}")


def messages_since(token: str, seqno: int, *, reactors: int = REACTORS) -> Part:
    """Ask for what has changed in a room, reactions included. Args: seqno: the highest number seen."""
    changes = f"{_number(seqno)}?t=r&reactors={_number(reactors)}"
    return Part("GET", f"/room/{_room(token)}/messages/since/{changes}")


def messages_before(token: str, post_id: int, *, reactors: int = REACTORS) -> Part:
    """Ask for the posts older than one."""
    return Part(
        "GET", f"/room/{_room(token)}/messages/before/{_number(post_id)}?reactors={_number(reactors)}"
    )


def _post_fields(post: SignedPost, files: Sequence[int]) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "data": base64.b64encode(post.content).decode(),
        "signature": base64.b64encode(post.signature).decode(),
    }
    return fields | {"files": list(files)} if files else fields


def post_message(
    token: str,
    post: SignedPost,
    *,
    files: Sequence[int] = (),
    whisper_to: str | None = None,
    whisper_mods: bool = False,
) -> Part:
    """Post to a room. Args: files: numbers of uploads it names; whispers: moderators only."""
    fields = _post_fields(post, files)
    if whisper_to is not None:
        fields["whisper_to"] = _person(whisper_to)
    if whisper_mods:
        fields["whisper_mods"] = True
    return Part("POST", f"/room/{_room(token)}/message", fields)


def edit_message(token: str, post_id: int, post: SignedPost, *, files: Sequence[int] = ()) -> Part:
    """Replace what an own post says."""
    return Part("PUT", f"/room/{_room(token)}/message/{_number(post_id)}", _post_fields(post, files))


def delete_message(token: str, post_id: int) -> Part:
    """Delete an own post, or anybody's as a moderator."""
    return Part("DELETE", f"/room/{_room(token)}/message/{_number(post_id)}")


def react(token: str, post_id: int, reaction: str, *, add: bool = True) -> Part:
    """Add or take back an own reaction; the text stands in the path as it is, as onion requests allow.

    Desktop sends no body with it. Source: session-desktop: sogsV3SendReaction.ts.
    """
    if not reaction:
        raise LocalProtocolError("a reaction has at least one character")
    return Part("PUT" if add else "DELETE", f"/room/{_room(token)}/reaction/{_number(post_id)}/{reaction}")


def clear_reactions(token: str, post_id: int, reaction: str | None = None) -> Part:
    """Take away everybody's reactions, or one of them, as a moderator."""
    path = f"/room/{_room(token)}/reactions/{_number(post_id)}"
    return Part("DELETE", path if reaction is None else f"{path}/{reaction}")


def inbox(since: int | None = None) -> Part:
    """Ask for direct messages received. Args: since: the highest number seen."""
    return Part("GET", f"/inbox/since/{_number(since)}" if since else "/inbox")


def outbox(since: int | None = None) -> Part:
    """Ask for direct messages sent from any device."""
    return Part("GET", f"/outbox/since/{_number(since)}" if since else "/outbox")


def send_direct(recipient: str, sealed: bytes) -> Part:
    """Send a direct message. Args: recipient: 66 hex digits, 15…; sealed: see `blinded_message.seal`."""
    if not _person(recipient).startswith("15"):
        raise LocalProtocolError("direct messages of a community go to 15 ids")
    return Part("POST", f"/inbox/{recipient}", {"message": base64.b64encode(sealed).decode()})


def upload(token: str, blob: bytes, filename: str | None = None) -> ServerRequest:
    """Upload a file to a room; not part of a batch.

    Source: messages 8; session-desktop: sogsV3SendFile.ts.
    """
    headers = {"Content-Disposition": "attachment"}
    if filename is not None:
        headers["Content-Disposition"] += f"; filename*=UTF-8''{percent.encode(filename)}"
    return ServerRequest("POST", f"/room/{_room(token)}/file", BYTES_HEADERS | headers, blob)


def download(token: str, file_id: int) -> Part:
    """Fetch a file of a room."""
    return Part("GET", f"/room/{_room(token)}/file/{_number(file_id)}")


def ban(session_id: str, tokens: Sequence[str], *, lift: bool = False) -> Part:
    """Ban an id from rooms, or lift the ban."""
    path = f"/user/{_person(session_id)}/{'unban' if lift else 'ban'}"
    return Part("POST", path, {"rooms": [_room(token) for token in tokens]})


def set_moderator(session_id: str, token: str, *, add: bool = True) -> Part:
    """Make an id admin of a room, or take it back, as desktop does. Source: sogsV3BatchPoll.ts."""
    fields = {"rooms": [_room(token)], "global": False, "visible": True, "admin": add, "moderator": add}
    return Part("POST", f"/user/{_person(session_id)}/moderator", fields)


def delete_all_posts(token: str, session_id: str) -> Part:
    """Delete all posts of an id in a room, as a moderator."""
    return Part("DELETE", f"/room/{_room(token)}/all/{_person(session_id)}")


def _room(token: str) -> str:
    if _TOKEN.fullmatch(token) is None:
        raise LocalProtocolError(f"no token of a room: {token[:70]!r}")
    return token


def _person(session_id: str) -> str:
    if _SESSION_ID.fullmatch(session_id) is None:
        raise LocalProtocolError(f"no session id: {session_id[:70]!r}")
    return session_id


def _number(value: int) -> int:
    if value < 0:
        raise LocalProtocolError(f"a number below zero: {value}")
    return value
