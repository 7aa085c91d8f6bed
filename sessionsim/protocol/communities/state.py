"""What a community server keeps: all that its operator can read (messages 8).

Members by their blinded (or 05) id with the times they were seen; every post's Content in clear, without its
padding, with author, time, signature, edits and deletions; reactions; who polled which room when; inbox
ciphertexts with both ids; files in clear; used nonces. Not kept, since it never arrives: addresses, account
ids behind blinded ones. Times are unix µs; the wire has seconds with a fraction.
Source: session-pysogs: sogs/schema.sqlite.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_SLACK: Final = 64  # Assumption: stale entries allowed beyond one per post


@dataclass(slots=True)
class Member:
    """An id the server has seen. Args: session_id: 66 hex digits; created_us, last_active_us: unix µs."""

    session_id: str
    created_us: int
    last_active_us: int
    banned: bool = False
    moderator: bool = False
    admin: bool = False
    visible: bool = False

    @property
    def is_blinded(self) -> bool:
        return self.session_id.startswith("15")


@dataclass(slots=True)
class Override:
    """What applies to one member in one room instead of the defaults; None: the default."""

    banned: bool = False
    read: bool | None = None
    accessible: bool | None = None
    write: bool | None = None
    upload: bool | None = None
    moderator: bool = False
    admin: bool = False
    visible: bool = True


@dataclass(slots=True)
class Post:
    """A post.

    Args:
        post_id: number on the server, over all rooms.
        author: session id.
        posted_us: unix µs.
        content: without padding; None once deleted.
        size_bytes: length with padding.
        signature: of the padded content; empty once deleted.
        seqno_content: the room's counter when the content last changed; seqno_creation: when it was posted.
        seqno_reactions: the same of its reactions; 0 for none ever.
        whisper_to: session id of the only reader; whisper_mods: for moderators.
        reactions: text -> who -> when, unix µs; in order of first use.
    """

    post_id: int
    author: str
    posted_us: int
    content: bytes | None
    size_bytes: int
    signature: bytes
    seqno_content: int
    seqno_creation: int
    seqno_reactions: int = 0
    edited_us: int | None = None
    whisper_to: str | None = None
    whisper_mods: bool = False
    reactions: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def seqno(self) -> int:
        """The number clients poll by."""
        return max(self.seqno_content, self.seqno_reactions)

    @property
    def is_regular(self) -> bool:
        """Neither deleted nor a whisper: can be pinned and reacted to."""
        return self.content is not None and self.whisper_to is None and not self.whisper_mods


class OldVersion(NamedTuple):
    """Text of a post before an edit or its deletion. Args: replaced_us: when, unix µs."""

    post_id: int
    replaced_us: int
    content: bytes
    signature: bytes


class DirectPost(NamedTuple):
    """An inbox message: a ciphertext and the two ids. Args: sealed: see `blinded_message`."""

    number: int
    sender: str
    recipient: str
    sealed: bytes
    posted_us: int
    expires_us: int


@dataclass(slots=True)
class Upload:
    """A file of a room. Args: post_id: the post that names it; expires_us: unix µs, None for never."""

    file_id: int
    room: str
    uploader: str
    blob: bytes
    uploaded_us: int
    expires_us: int | None
    filename: str | None
    post_id: int | None = None


class Pin(NamedTuple):
    """A pinned post. Args: pinned_us: unix µs; by: session id."""

    pinned_us: int
    by: str


@dataclass(slots=True)
class Room:
    """A room. Args: created_us: unix µs; message_sequence: counts posts, edits, deletions and reactions."""

    token: str
    name: str
    created_us: int
    description: str | None = None
    image: int | None = None
    message_sequence: int = 0
    info_updates: int = 0
    active_members: int = 0
    read: bool = True
    accessible: bool = True
    write: bool = True
    upload: bool = True
    posts: dict[int, Post] = field(default_factory=dict)
    overrides: dict[str, Override] = field(default_factory=dict)
    activity: dict[str, int] = field(default_factory=dict)
    pins: dict[int, Pin] = field(default_factory=dict)
    history: list[OldVersion] = field(default_factory=list)
    # Posts by number, and (seqno, post) in order of change; entries of the second may be stale.
    order: list[int] = field(default_factory=list)
    changes: list[tuple[int, int]] = field(default_factory=list)

    def count(self) -> int:
        """Count one change; gives its number."""
        self.message_sequence += 1
        return self.message_sequence

    def changed(self, post: Post) -> None:
        """Note that a post has a new `seqno`."""
        changes = self.changes
        if len(changes) > 2 * len(self.posts) + _SLACK:
            changes[:] = [entry for entry in changes if self.posts[entry[1]].seqno == entry[0]]
        changes.append((post.seqno, post.post_id))

    def since(self, seqno: int) -> Iterator[Post]:
        """Give the posts changed after a number, in order of change."""
        start = bisect_right(self.changes, (seqno, 1 << 62))
        for number, post_id in self.changes[start:]:
            post = self.posts[post_id]
            if post.seqno == number:
                yield post

    def newest_first(self, before: int | None = None) -> Iterator[Post]:
        """Give the posts from the newest down. Args: before: only those with smaller numbers."""
        end = len(self.order) if before is None else bisect_right(self.order, before - 1)
        for k in range(end - 1, -1, -1):
            yield self.posts[self.order[k]]


@dataclass(slots=True)
class State:
    """Everything one server keeps. Args: nonces: (id or empty, nonce) -> when it is forgotten, unix µs."""

    members: dict[str, Member] = field(default_factory=dict)
    rooms: dict[str, Room] = field(default_factory=dict)
    inbox: list[DirectPost] = field(default_factory=list)
    files: dict[int, Upload] = field(default_factory=dict)
    nonces: dict[tuple[str, bytes], int] = field(default_factory=dict)
    last_post: int = 0
    last_direct: int = 0
    last_file: int = 0

    def room(self, token: str) -> Room | None:
        """Find a room; its token has no case."""
        return self.rooms.get(token.lower())

    def all_rooms_changed(self) -> None:
        """Count a change of global moderators in every room."""
        for room in self.rooms.values():
            room.info_updates += 1
