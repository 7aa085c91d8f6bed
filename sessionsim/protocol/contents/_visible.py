"""What people see: texts with all that hangs on them, and changes of the disappearing timer (messages 2.3).

Both stand in field 1 of Content, the data message, and both name in `sync_target` the other person when they
are the copy for the sender's own devices. A reaction is a text without body.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.protocol.contents._attachment import Attachment, read_attachment, write_attachment
from sessionsim.protocol.contents._checks import check_id, id_of
from sessionsim.protocol.contents._profile import Profile, read_profile, write_profile
from sessionsim.protocol.wire import session_pb2
from sessionsim.protocol.wire.envelope import text_of
from sessionsim.protocol.wire.session_pb2 import DataMessage


@dataclass(frozen=True, slots=True)
class QuotedAttachment:
    """What older clients said about a file of the quoted message. Args: thumbnail: a small picture."""

    content_type: str = ""
    file_name: str = ""
    thumbnail: Attachment | None = None
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Quote:
    """A message that this one answers.

    Args:
        sent_ms: when it was sent, which identifies it together with the author.
        author: its author's id, 33 bytes.
        text, attachments: only older clients repeat what it said.
    """

    sent_ms: int
    author: bytes
    text: str = ""
    attachments: tuple[QuotedAttachment, ...] = ()

    def __post_init__(self) -> None:
        check_id(self.author, "author of the quoted message")


@dataclass(frozen=True, slots=True)
class Preview:
    """A web page named in the text. Args: image: a picture of it that the sender uploaded."""

    url: str
    title: str = ""
    image: Attachment | None = None


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji on another message.

    Args:
        sent_ms: when that message was sent.
        author: its author's id, 33 bytes.
        emoji: what is added or taken back.
        removed: True if it is taken back.
    """

    sent_ms: int
    author: bytes
    emoji: str
    removed: bool = False

    def __post_init__(self) -> None:
        check_id(self.author, "author of the message reacted to")


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation to a community. Args: url: its address with the server's key."""

    url: str
    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """A visible message.

    Args:
        body: the text; may be empty, with attachments or a reaction.
        profile: what the sender tells about itself; today's clients always do.
        sync_target: the other person's id (33 bytes) in the copy for the own devices; otherwise empty.
        blocks_community_requests: said only in communities; None elsewhere.
        old_sent_ms: field 7, a time that older clients wrote here; None from today's.
    """

    body: str = ""
    attachments: tuple[Attachment, ...] = ()
    quote: Quote | None = None
    previews: tuple[Preview, ...] = ()
    reaction: Reaction | None = None
    invitation: Invitation | None = None
    profile: Profile | None = None
    sync_target: bytes = b""
    blocks_community_requests: bool | None = None
    old_sent_ms: int | None = None

    def __post_init__(self) -> None:
        if self.sync_target:
            check_id(self.sync_target, "sync target")


@dataclass(frozen=True, slots=True)
class TimerUpdate:
    """A change of the disappearing timer; the new setting is the `expiry` of the message that carries it.

    Args:
        sync_target: as in `Text`.
        profile: today's clients add it.
    """

    sync_target: bytes = b""
    profile: Profile | None = None

    def __post_init__(self) -> None:
        if self.sync_target:
            check_id(self.sync_target, "sync target")


def write_visible(text: Text, into: DataMessage) -> None:
    """Fill a data message. A reaction or a file alone leaves the body out, as clients do."""
    if text.body or not (text.attachments or text.reaction or text.invitation):
        into.body = text.body
    into.attachments.extend(map(write_attachment, text.attachments))
    if text.old_sent_ms is not None:
        into.timestamp = text.old_sent_ms
    if text.quote is not None:
        into.quote.CopyFrom(_write_quote(text.quote))
    into.preview.extend(map(_write_preview, text.previews))
    if text.reaction is not None:
        into.reaction.CopyFrom(_write_reaction(text.reaction))
    write_profile(text.profile, into)
    if text.invitation is not None:
        into.openGroupInvitation.url = text.invitation.url
        into.openGroupInvitation.name = text.invitation.name
    if text.sync_target:
        into.syncTarget = text.sync_target.hex()
    if text.blocks_community_requests is not None:
        into.blocksCommunityMessageRequests = text.blocks_community_requests


def read_visible(found: DataMessage) -> Text:
    """Read a data message as a text. Raises RemoteProtocolError or LocalProtocolError."""
    return Text(
        body=text_of(found.body),
        attachments=tuple(map(read_attachment, found.attachments)) if found.attachments else (),
        quote=_read_quote(found.quote) if found.HasField("quote") else None,
        previews=tuple(map(_read_preview, found.preview)) if found.preview else (),
        reaction=_read_reaction(found.reaction) if found.HasField("reaction") else None,
        invitation=(
            _read_invitation(found.openGroupInvitation) if found.HasField("openGroupInvitation") else None
        ),
        profile=read_profile(found),
        sync_target=_target_of(found),
        blocks_community_requests=(
            found.blocksCommunityMessageRequests if found.HasField("blocksCommunityMessageRequests") else None
        ),
        old_sent_ms=found.timestamp if found.HasField("timestamp") else None,
    )


def write_timer_update(update: TimerUpdate, into: DataMessage) -> None:
    """Fill a data message that only says that the timer changed."""
    into.flags = DataMessage.EXPIRATION_TIMER_UPDATE
    write_profile(update.profile, into)
    if update.sync_target:
        into.syncTarget = update.sync_target.hex()


def read_timer_update(found: DataMessage) -> TimerUpdate:
    """Read a data message whose flags say that the timer changed. Raises RemoteProtocolError."""
    return TimerUpdate(_target_of(found), read_profile(found))


def _target_of(found: DataMessage) -> bytes:
    return id_of(found.syncTarget, "sync target") if found.syncTarget else b""


def _write_quote(quote: Quote) -> session_pb2.Quote:
    written = session_pb2.Quote(id=quote.sent_ms, author=quote.author.hex(), text=quote.text or None)
    for one in quote.attachments:
        written.attachments.add(
            contentType=one.content_type or None,
            fileName=one.file_name or None,
            thumbnail=write_attachment(one.thumbnail) if one.thumbnail else None,
            flags=one.flags or None,
        )
    return written


def _read_quote(found: session_pb2.Quote) -> Quote:
    attachments = tuple(
        QuotedAttachment(
            text_of(one.contentType),
            text_of(one.fileName),
            read_attachment(one.thumbnail) if one.HasField("thumbnail") else None,
            one.flags,
        )
        for one in found.attachments
    )
    return Quote(
        found.id, id_of(found.author, "author of the quoted message"), text_of(found.text), attachments
    )


def _write_preview(preview: Preview) -> session_pb2.Preview:
    image = write_attachment(preview.image) if preview.image else None
    return session_pb2.Preview(url=preview.url, title=preview.title or None, image=image)


def _read_preview(found: session_pb2.Preview) -> Preview:
    image = read_attachment(found.image) if found.HasField("image") else None
    return Preview(text_of(found.url), text_of(found.title), image)


def _read_invitation(found: session_pb2.OpenGroupInvitation) -> Invitation:
    return Invitation(text_of(found.url), text_of(found.name))


def _write_reaction(reaction: Reaction) -> session_pb2.Reaction:
    action = session_pb2.Reaction.REMOVE if reaction.removed else session_pb2.Reaction.REACT
    return session_pb2.Reaction(
        id=reaction.sent_ms, author=reaction.author.hex(), emoji=reaction.emoji, action=action
    )


def _read_reaction(found: session_pb2.Reaction) -> Reaction:
    author = id_of(found.author, "author of the message reacted to")
    return Reaction(found.id, author, text_of(found.emoji), found.action == session_pb2.Reaction.REMOVE)
