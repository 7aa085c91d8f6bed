"""A community server: rooms, posts and inboxes behind signed requests (messages 8).

`handle` takes a request and the time and gives an answer; there is nothing else. All it keeps is in `state`,
for whoever operates it, and for tests. Behind an onion it stands as `handle` of `lsrpc.OnionEndpoint`.

Not here: filters of words, bans with an end, scheduled permissions, the web pages, and the endpoints of
before 2022 (`/legacy`).
Source: session-pysogs (2023): sogs/routes, sogs/model, sogs/schema.sqlite.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol.communities import (
    _inbox,
    _moderation,
    _posts,
    _reactions,
    _reading,
    _rooms,
    _uploads,
)
from sessionsim.protocol.communities._call import Call, find, read_query
from sessionsim.protocol.communities.auth import BadAuthentication, read_claim, verify_claim
from sessionsim.protocol.communities.mail import mail_names
from sessionsim.protocol.communities.posts import post_name, restore_padding
from sessionsim.protocol.communities.replies import Refused, Reply, as_given, page, text
from sessionsim.protocol.communities.rules import CommunityRules
from sessionsim.protocol.communities.state import Member, Room, State
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from sessionsim.protocol.wire import percent
from sessionsim.protocol.wire.base64_text import decode_base64
from sessionsim.protocol.wire.json_text import python_json
from sessionsim.protocol.wire.v4 import BYTES_TYPE, JSON_TYPE

_BODIES: Final = ("b64", "json", "bytes")
_ROUTES: Final = (
    *_rooms.ROUTES, *_reading.ROUTES, *_posts.ROUTES, *_reactions.ROUTES, *_inbox.ROUTES, *_uploads.ROUTES,
)  # fmt: skip


class CommunityServer:
    """One server.

    Args:
        server_x: its X25519 public key, which blinds ids and is part of every signed request.
        suite: checks signatures of requests.
        rules: limits.
        epoch_ms: unix ms at time 0.
    """

    def __init__(
        self, server_x: bytes, suite: Suite, rules: CommunityRules | None = None, epoch_ms: int = 0
    ) -> None:
        self._server_x, self._suite = server_x, suite
        self._rules, self._epoch_us = rules or CommunityRules(), epoch_ms * US_PER_MS
        self._routes = (*_ROUTES, *_moderation.routes(server_x))
        self._cleaned_us = 0
        self.state = State()

    def add_room(self, token: str, name: str, now_us: int, *, description: str | None = None) -> Room:
        """Open a room, as the operator does. Args: token: its name in paths; now_us: time."""
        room = Room(token, name, self._epoch_us + now_us, description)
        self.state.rooms[token.lower()] = room
        return room

    def add_admin(self, session_id: str, now_us: int, *, visible: bool = False) -> Member:
        """Make an id admin of the whole server, as the operator does."""
        unix_us = self._epoch_us + now_us
        member = self.state.members.setdefault(session_id, Member(session_id, unix_us, unix_us))
        member.admin, member.moderator, member.visible = True, True, visible
        self.state.all_rooms_changed()
        return member

    def post_names(self) -> list[str]:
        """Give the names (`posts.post_name`) of all posts that are not deleted."""
        return [
            post_name(restore_padding(post.content, post.size_bytes), post.signature)
            for room in self.state.rooms.values()
            for post in room.posts.values()
            if post.content is not None
        ]

    def held_names(self) -> list[str]:
        """Give the names of everything that somebody may still fetch: posts, and messages in boxes."""
        mail = [name for one in self.state.inbox for name in mail_names(one.sealed)]
        return [*self.post_names(), *mail]

    def handle(self, request: ServerRequest, now_us: int) -> ServerAnswer:
        """Answer a request.

        Args:
            request: anything.
            now_us: time.
        """
        unix_us = self._epoch_us + now_us
        self._clean(unix_us)
        try:
            member = self._authenticated(request, unix_us)
            reply = self._serve(
                member, request.method, request.endpoint, request.headers, request.body, unix_us, 0
            )
        except Refused as refused:
            return refused.reply.answer
        return reply.answer

    def _authenticated(self, request: ServerRequest, unix_us: int) -> Member | None:
        """Say who asks. A nonce is used up, and an id known, before the signature is looked at."""
        try:
            claim = read_claim(request, require_blinding=self._rules.require_blinding)
        except BadAuthentication as wrong:
            raise Refused(text(wrong.status, wrong.text)) from wrong
        if claim is None:
            return None
        if abs(claim.timestamp_s * US_PER_S - unix_us) > self._rules.clock_window_us:
            raise Refused(text(425, "Invalid authentication: X-SOGS-Timestamp is too far from current time"))
        member = self.state.members.get(claim.session_id)
        if member is None:
            member = self.state.members[claim.session_id] = Member(claim.session_id, unix_us, unix_us)
        if member.banned:
            raise Refused(text(403, "Banned"))
        key = ("" if self._rules.nonces_are_global else claim.session_id, claim.nonce)
        if key in self.state.nonces:
            raise Refused(text(425, "Invalid authentication: X-SOGS-Nonce cannot be reused"))
        self.state.nonces[key] = unix_us + self._rules.nonce_memory_us
        if not verify_claim(self._suite, self._server_x, claim, request):
            raise Refused(text(401, "Invalid authentication: X-SOGS-Signature verification failed"))
        member.last_active_us = unix_us
        return member

    def _serve(
        self,
        member: Member | None,
        method: str,
        endpoint: str,
        headers: Mapping[str, str],
        body: bytes,
        unix_us: int,
        depth: int,
    ) -> Reply:
        path, _, query = endpoint.partition("?")
        try:
            path = percent.decode(path, strict=True)
        except RemoteProtocolError as wrong:
            raise Refused(page(400)) from wrong
        named = {name.lower(): value for name, value in headers.items()}
        call = Call(
            self.state, self._rules, member, method, path, read_query(query), named, body, unix_us, depth
        )
        if path in ("/batch", "/sequence"):
            if method != "POST":
                raise Refused(page(405))
            return self._batch(call, in_turn=path == "/sequence")
        handler, call.match = find(self._routes, method, path)
        return handler(call)

    def _batch(self, call: Call, *, in_turn: bool) -> Reply:
        """Serve several requests in one; all for who signed the outermost.

        A sequence stops after the first status outside 200–299. Source: sogs/routes/general.py.
        """
        if call.depth >= self._rules.batch_depth:
            raise Refused(page(500))
        members = call.value()
        if type(members) is not list:
            raise Refused(page(400))
        # One that is malformed spoils all, before any is served.
        told: list[dict[str, Any]] = []
        size = 0
        for method, path, headers, body in [_member(one) for one in members]:
            try:
                reply = self._serve(call.member, method, path, headers, body, call.now_us, call.depth + 1)
            except Refused as refused:
                reply = refused.reply
            answer = reply.answer
            size += len(answer.body)
            if size > self._rules.batch_answer_max_bytes:
                raise Refused(page(500))
            body_value: Any = reply.value if reply.is_json else answer.body
            told.append({"code": answer.status, "headers": dict(answer.headers), "body": body_value})
            if in_turn and not 200 <= answer.status < 300:
                break
        return as_given(told)

    def _clean(self, unix_us: int) -> None:
        """Forget what has expired, on a grid of the clock that is caught up with when the server is asked."""
        due_us = unix_us - unix_us % self._rules.cleanup_period_us
        if due_us <= self._cleaned_us:
            return
        self._cleaned_us = due_us
        state, rules = self.state, self._rules
        # Nonces stand in the order of their end.
        while state.nonces and next(iter(state.nonces.values())) < due_us:
            del state.nonces[next(iter(state.nonces))]
        state.inbox[:] = [post for post in state.inbox if post.expires_us >= due_us]
        for number, upload in list(state.files.items()):
            if upload.expires_us is not None and upload.expires_us < due_us:
                del state.files[number]
        for room in state.rooms.values():
            room.history[:] = [old for old in room.history if old.replaced_us >= due_us - rules.history_us]
            for who, seen_us in list(room.activity.items()):
                if seen_us < due_us - rules.activity_memory_us:
                    del room.activity[who]
            room.active_members = sum(seen >= due_us - rules.active_us for seen in room.activity.values())


def _member(one: Any) -> tuple[str, str, dict[str, str], bytes]:
    """Read a member of a batch. Raises Refused: 400."""
    if type(one) is not dict:
        raise Refused(page(400))
    method, path, headers = one.get("method"), one.get("path"), one.get("headers", {})
    bodies = [name for name in _BODIES if name in one]
    if method not in ("GET", "DELETE", "POST", "PUT") or len(bodies) != (method in ("POST", "PUT")):
        raise Refused(page(400))
    if type(path) is not str or not path.startswith("/") or type(headers) is not dict:
        raise Refused(page(400))
    if any(type(value) is not str for value in headers.values()):
        raise Refused(page(400))
    named = {name.lower(): value for name, value in headers.items()}
    if not bodies:
        return method, path, named, b""
    body, kind = _member_body(one, bodies[0])
    return method, path, {"content-type": kind, **named}, body


def _member_body(one: dict[str, Any], name: str) -> tuple[bytes, str]:
    value = one[name]
    if name == "json":
        try:
            return python_json(value, compact=True), JSON_TYPE
        except LocalProtocolError as wrong:  # nested deeper than the writer goes
            raise Refused(page(400)) from wrong
    if type(value) is not str:
        raise Refused(page(400))
    if name == "b64":
        return decode_base64(value) or b"", BYTES_TYPE
    return value.encode("utf-8", "replace"), BYTES_TYPE
