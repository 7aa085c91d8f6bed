"""Answers of a community as clients read them. The server may be hostile: only the documented errors.

Times come as seconds with a fraction and are given in unix µs; contents as they were signed, with padding.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.communities.posts import is_genuine
from sessionsim.protocol.server_request import ServerAnswer
from sessionsim.protocol.wire.base64_text import decode_base64
from sessionsim.protocol.wire.json_text import read_json
from sessionsim.protocol.wire.v4 import JSON_TYPE

_LATEST_S: Final = 1 << 40  # Assumption: bounds a time that a foreign server names
_LARGEST: Final = 1 << 62
_MOST_POSTS: Final = 4096  # Assumption: many times the 256 of one answer


class CommunityRefused(RemoteProtocolError):
    """The server answered with an error. Args: status: its HTTP status; text: its words, if they are text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"the community answers {status}")
        self.status, self.text = status, text


class Reaction(NamedTuple):
    """A reaction to a post. Args: uses: by how many; reactors: the first session ids; you: the asker too."""

    text: str
    uses: int
    reactors: tuple[str, ...]
    you: bool


class RoomPost(NamedTuple):
    """A post, or a change of one.

    Args:
        post_id, seqno: its number, and the number of its last change.
        session_id: the author, 66 hex digits; empty where only reactions have changed.
        posted_us: unix µs; 0 where only reactions have changed.
        content: padded Content; None if deleted or where only reactions have changed.
        signature: 64 bytes; empty without content.
        deleted: the post is gone.
        edited_us: unix µs; None if never.
        reactions: in order of first use; None if none are told.
        whisper: only for the asker, or for moderators.
    """

    post_id: int
    seqno: int
    session_id: str
    posted_us: int
    content: bytes | None
    signature: bytes
    deleted: bool
    edited_us: int | None
    reactions: tuple[Reaction, ...] | None
    whisper: bool

    @property
    def is_genuine(self) -> bool:
        """Whether the named author signed the content."""
        if self.content is None:
            return False
        return is_genuine(bytes.fromhex(self.session_id), self.content, self.signature)


class DirectMail(NamedTuple):
    """An inbox or outbox message. Args: sender, recipient: 33 bytes each; sealed: `blinded_message`."""

    number: int
    sender: bytes
    recipient: bytes
    sealed: bytes
    posted_us: int


class PartAnswer(NamedTuple):
    """An answer to a member of a batch. Args: value: of JSON, or the body's bytes."""

    status: int
    value: Any


def _whole(fields: dict[str, Any], name: str, default: int | None = None) -> int:
    value = fields.get(name, default)
    if type(value) is not int or not 0 <= value < _LARGEST:
        raise RemoteProtocolError(f"an answer without a number {name!r}")
    return value


def _time(value: object) -> int:
    # A comparison with "not a number" is false.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST_S:
        raise RemoteProtocolError("an answer without a time")
    return round(value * US_PER_S)


def _session_id(value: object) -> str:
    try:
        raw = bytes.fromhex(value) if type(value) is str and len(value) == 66 else b""
    except ValueError:
        raw = b""
    if len(raw) != 33:
        raise RemoteProtocolError("not a session id")
    return raw.hex()


def _object(value: object) -> dict[str, Any]:
    if type(value) is not dict:
        raise RemoteProtocolError("not a JSON object")
    return value


def _list(value: object) -> list[Any]:
    if type(value) is not list or len(value) > _MOST_POSTS:
        raise RemoteProtocolError("not a JSON list of sensible length")
    return value


def _blob(value: object) -> bytes:
    raw = decode_base64(value)
    if raw is None:
        raise RemoteProtocolError("not base64")
    return raw


def json_of(answer: ServerAnswer) -> Any:
    """Give the value of a JSON answer.

    Raises:
        CommunityRefused: a status outside 200–299.
        RemoteProtocolError: not JSON.
    """
    if not 200 <= answer.status < 300:
        raise CommunityRefused(answer.status, answer.body[:1024].decode("utf-8", "replace"))
    return read_json(answer.body)


def read_batch(answer: ServerAnswer) -> list[PartAnswer]:
    """Read the answer to a batch or sequence, in order.

    Raises:
        CommunityRefused: the batch as a whole was refused.
        RemoteProtocolError: malformed.
    """
    parts = []
    for one in _list(json_of(answer)):
        fields = _object(one)
        headers, value = _object(fields.get("headers", {})), fields.get("body")
        if headers.get("content-type") != JSON_TYPE:
            value = _blob(value)
        parts.append(PartAnswer(_whole(fields, "code"), value))
    return parts


def read_posts(value: Any) -> list[RoomPost]:
    """Read a list of posts and changes, in the server's order. Raises RemoteProtocolError."""
    return [read_post(one) for one in _list(value)]


def read_post(value: Any) -> RoomPost:
    """Read one post. Raises RemoteProtocolError."""
    fields = _object(value)
    post_id, seqno = _whole(fields, "id"), _whole(fields, "seqno")
    reactions = read_reactions(fields["reactions"]) if "reactions" in fields else None
    if "data" not in fields:
        return RoomPost(post_id, seqno, "", 0, None, b"", False, None, reactions, False)
    content = None if fields["data"] is None else _blob(fields["data"])
    signature = b"" if content is None else _blob(fields.get("signature"))
    return RoomPost(
        post_id,
        seqno,
        _session_id(fields.get("session_id")),
        _time(fields.get("posted")),
        content,
        signature,
        fields.get("deleted") is True or content is None,
        _time(fields["edited"]) if "edited" in fields else None,
        reactions,
        fields.get("whisper") is True,
    )


def read_reactions(value: Any) -> tuple[Reaction, ...]:
    """Read the reactions to a post, in order of first use. Raises RemoteProtocolError."""
    found = []
    for text, entry in _object(value).items():
        fields = _object(entry)
        reactors = tuple(_session_id(one) for one in _list(fields.get("reactors", [])))
        reaction = Reaction(text, _whole(fields, "count"), reactors, fields.get("you") is True)
        found.append((_whole(fields, "index"), reaction))
    return tuple(reaction for _, reaction in sorted(found, key=lambda item: item[0]))


def read_mail(value: Any) -> list[DirectMail]:
    """Read inbox or outbox. Raises RemoteProtocolError."""
    return [
        DirectMail(
            _whole(fields, "id"),
            bytes.fromhex(_session_id(fields.get("sender"))),
            bytes.fromhex(_session_id(fields.get("recipient"))),
            _blob(fields.get("message")),
            _time(fields.get("posted_at")),
        )
        for fields in map(_object, _list(value))
    ]


def read_capabilities(value: Any) -> frozenset[str]:
    """Read what a server can. Raises RemoteProtocolError."""
    names = _list(_object(value).get("capabilities"))
    if any(type(name) is not str for name in names):
        raise RemoteProtocolError("capabilities are texts")
    return frozenset(names)


class RoomInfo(NamedTuple):
    """What a poll says of a room. Args: details: the object of all details; None if they have not changed."""

    token: str
    active: int
    read: bool
    write: bool
    upload: bool
    details: dict[str, Any] | None

    @property
    def info_updates(self) -> int | None:
        """The number of the details, to poll with; None if they were not sent."""
        return None if self.details is None else _whole(self.details, "info_updates")


def read_room_info(value: Any) -> RoomInfo:
    """Read the answer to a poll for details. Raises RemoteProtocolError."""
    fields = _object(value)
    details = _object(fields["details"]) if "details" in fields else None
    if details is not None:
        _whole(details, "info_updates")
    if type(fields.get("token")) is not str:
        raise RemoteProtocolError("a room without token")
    read, write, upload = (fields.get(name) is True for name in ("read", "write", "upload"))
    return RoomInfo(fields["token"], _whole(fields, "active_users", 0), read, write, upload, details)


def read_upload(answer: ServerAnswer) -> int:
    """Read the number of an upload. Raises CommunityRefused, RemoteProtocolError."""
    return _whole(_object(json_of(answer)), "id")
