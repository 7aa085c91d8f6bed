"""One request on its way through the community server, and what its handlers ask of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.communities.permissions import Rights, rights_in
from sessionsim.protocol.communities.replies import Refused, Reply, page, text
from sessionsim.protocol.communities.rules import CommunityRules
from sessionsim.protocol.communities.state import Member, Room, State
from sessionsim.protocol.wire import percent
from sessionsim.protocol.wire.json_text import read_json
from sessionsim.protocol.wire.v4 import JSON_TYPE

_WHOLE: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)


@dataclass(slots=True)
class Call:
    """A request that has been authenticated.

    Args:
        state: of the server; rules: its limits.
        member: who asks; None for nobody in particular.
        method, path: as a member of a batch or as signed; `path` without percent signs and query.
        query: its fields; the first of each name.
        headers: names in lower case.
        body: raw bytes.
        now_us: unix µs.
        depth: how many batches this stands in.
        match: groups of the route.
    """

    state: State
    rules: CommunityRules
    member: Member | None
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    now_us: int
    depth: int = 0
    match: Mapping[str, str] = field(default_factory=dict)

    def someone(self) -> Member:
        """Give who asks. Raises Refused: 401, nobody in particular."""
        if self.member is None:
            raise Refused(text(401, "X-SOGS-* request authentication required"))
        return self.member

    def blinded(self) -> Member:
        """Give who asks, under a blinded id. Raises Refused: 401."""
        member = self.someone()
        if not member.is_blinded:
            raise Refused(text(401, "This endpoint requires blinded pubkeys be used"))
        return member

    def room(self) -> Room:
        """Give the room the path names. Raises Refused: 404."""
        room = self.state.room(self.match["room"])
        if room is None:
            raise Refused(page(404))
        return room

    def visible_room(self) -> Room:
        """Give the room, if the asker may know of it. Raises Refused: 404."""
        room = self.room()
        if not self.rights(room).accessible:
            raise Refused(page(404))
        return room

    def readable_room(self) -> Room:
        """Give the room, if the asker may read in it. Raises Refused: 403, or 404 if there is none."""
        room = self.room()
        if not self.rights(room).read:
            raise Refused(text(403, "This endpoint requires room message 'read' permission"))
        return room

    def moderated_room(self, *, admin: bool = False) -> Room:
        """Give the room, if the asker moderates it. Raises Refused: 401, 403, 404."""
        room = self.room()
        self.someone()
        rights = self.rights(room)
        if not (rights.admin if admin else rights.moderator):
            kind = "admin" if admin else "moderator"
            raise Refused(text(403, f"This endpoint requires {kind} room permissions"))
        return room

    def rights(self, room: Room) -> Rights:
        """Say what the asker may do in a room."""
        return rights_in(room, self.member)

    def seen_in(self, room: Room) -> None:
        """Note that the asker has polled a room."""
        if self.member is not None:
            room.activity[self.member.session_id] = self.now_us

    def number(self, name: str) -> int:
        """Give a number of the path; the route lets only digits through."""
        return int(self.match[name][:18])

    def bounded(self, name: str, default: int, low: int, high: int) -> int:
        """Give a number of the query, cut to its bounds. Raises Refused: 400, no number."""
        given = self.query.get(name)
        if given is None:
            return default
        if _WHOLE.fullmatch(given) is None:
            raise Refused(page(400))
        return min(max(int(given), low), high)

    def fields(self) -> dict[str, Any]:
        """Give the JSON object of the body. Raises Refused: 400, anything else, or another content type."""
        value = self.value()
        if type(value) is not dict:
            raise Refused(page(400))
        return value

    def value(self) -> Any:
        """Give the JSON of the body. Raises Refused: 400."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != JSON_TYPE:
            raise Refused(page(400))
        try:
            return read_json(self.body)
        except RemoteProtocolError as wrong:
            raise Refused(page(400)) from wrong


Handler = Callable[[Call], Reply]


class Route(NamedTuple):
    """Where a handler stands. Args: path: a pattern whose groups the handler reads."""

    method: str
    path: re.Pattern[str]
    handler: Handler


def route(method: str, path: str, handler: Handler) -> Route:
    """Declare a route. Args: path: `<room>`, `<id>` and so on stand for what may be there."""
    pattern = re.sub(r"<(\w+)>", lambda found: f"(?P<{found[1]}>{_PARTS[found[1]]})", path)
    return Route(method, re.compile(pattern, re.DOTALL), handler)


# Source: session-pysogs: sogs/routes/converters.py.
_PARTS: Final = {
    "room": r"[\w-]{1,64}",
    "id": r"[0-9]+",
    "reaction": r".+",
    "filename": r"[^/]+",
    "blinded": r"15[0-9a-fA-F]{64}",
    "anyone": r"[01]5[0-9a-fA-F]{64}",
}


def read_query(query: str) -> dict[str, str]:
    """Read a query string; of several fields of a name the first counts. Raises Refused: 400."""
    try:
        return percent.read_query(query)
    except RemoteProtocolError as wrong:
        raise Refused(page(400)) from wrong


def find(routes: Sequence[Route], method: str, path: str) -> tuple[Handler, dict[str, str]]:
    """Find who handles a path. Raises Refused: 404, or 405 for a path of other methods."""
    known = False
    for one in routes:
        match = one.path.fullmatch(path)
        if match is None:
            continue
        if one.method == method:
            return one.handler, match.groupdict()
        known = True
    raise Refused(page(405 if known else 404))
