"""Communities of a client: one poll for each server, again and again; what comes is checked and shown.

A poll is a batch that asks for all rooms of the server at once, so the server sees which pseudonym reads what
and when. Posts stand there in clear, signed with the blinded key; what does not carry its author's signature
is not shown. Posting is in `posting`, reactions and deletions in `remarks`,
messages to pseudonyms in `mailbox`.

Events: `post-fetched` (message; value: status as of `file-fetched`) for the files of posts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import ProtocolError, RemoteProtocolError
from sessionsim.protocol import contents
from sessionsim.protocol.client.approvals import Approvals
from sessionsim.protocol.client.communities.mailbox import Mailbox
from sessionsim.protocol.client.communities.posting import Posting
from sessionsim.protocol.client.communities.remarks import Remarks
from sessionsim.protocol.client.communities.standing import Standing
from sessionsim.protocol.client.files import Files
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.paths import number_at
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.communities.answers import RoomPost
from sessionsim.protocol.communities.poll_rules import CommunityPollRules
from sessionsim.protocol.communities.poller import News
from sessionsim.protocol.communities.posts import post_name
from sessionsim.protocol.contents import Text
from sessionsim.protocol.machine import DELIVER, Effect
from sessionsim.protocol.server_request import ServerAnswer
from sessionsim.protocol.versions.v1 import Profile
from sessionsim.protocol.wire import v4
from sessionsim.protocol.wire.onion import STYLES
from sessionsim.protocol.wire.onion_server import ServerAddress
from sessionsim.protocol.wire.padding import unpad

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_NOTE: Final = note_of(Cause.COMMUNITY)
SERVER_BITS: Final = 8  # room for the number of a server in an exchange number
MOST_SERVERS: Final = 1 << SERVER_BITS
_POLL: Final = 0  # lowest bit of an exchange number; 1 for posts

Rooms = Sequence[tuple[ServerAddress, Sequence[tuple[int, str]]]]


class Communities:
    """The part of a client that reads and writes in rooms.

    Args:
        client: whose.
        rooms: the servers it uses, each with numbers and tokens of its rooms there.
        rules: how the platform polls.
        profile: what it tells about itself in posts; None for nothing.
        files: moves the files of posts; None in a run without files.
        approvals: who has accepted whom; None if the run does not ask.
    """

    def __init__(
        self,
        client: Client,
        rooms: Rooms,
        rules: CommunityPollRules,
        profile: Profile | None,
        files: Files | None,
        approvals: Approvals | None = None,
    ) -> None:
        self._client, self._rules = client, rules
        self.standings = tuple(
            Standing(client, number, address, there, rules) for number, (address, there) in enumerate(rooms)
        )
        self.posting = Posting(client, self.standings, profile, files)
        self.remarks = Remarks(client, self.standings)
        self.mailbox = Mailbox(client, self.standings, profile, approvals)
        self._style = STYLES[client.rules.style]

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"post": self.posting.post, **self.remarks.commands, **self.mailbox.commands}

    def start(self, now_us: int) -> list[Effect]:
        for standing in self.standings:
            address = b"community phase" + bytes((standing.number,))
            standing.next_us = now_us + number_at(self._client.entropy, address, self._rules.interval_us)
        return []

    def next_due_us(self) -> int | None:
        times = [standing.next_us for standing in self.standings if standing.next_us is not None]
        due = (one.next_due_us() for one in (self.posting, self.remarks, self.mailbox))
        times += [t_us for t_us in due if t_us is not None]
        return min(times, default=None)

    def wake(self, now_us: int) -> list[Effect]:
        effects = self.posting.wake(now_us) + self.remarks.wake(now_us) + self.mailbox.wake(now_us)
        for standing in self.standings:
            if standing.next_us is not None and standing.next_us <= now_us:
                effects.append(self._poll(standing, now_us))
        return effects

    def pending(self) -> Iterable[int]:
        """Give the posts, what is wanted of posts, and the messages to pseudonyms that are on their way."""
        return (*self.posting.pending(), *self.remarks.pending(), *self.mailbox.pending())

    def forget(self, reason: str, now_us: int) -> list[Effect]:
        """Give up the posts and messages that are not up yet."""
        return self.posting.forget(reason, now_us) + self.mailbox.forget(reason)

    def _poll(self, standing: Standing, now_us: int) -> Effect:
        """Ask a server for news; the next poll follows a pause after the answer."""
        standing.next_us = None
        exchange = ((standing.polls << SERVER_BITS | standing.number) << 1 | _POLL) << 4 | Purpose.COMMUNITY
        standing.polls += 1
        payload = v4.encode_request(self._style, standing.poll(exchange, now_us))
        return self._client.requests.send_to_server(
            exchange, standing.address, payload, _NOTE, now_us,
            lambda status, body, t_us: self._polled(standing, status, body, t_us),
            timeout_us=self._rules.timeout_us,
        )  # fmt: skip

    def _polled(self, standing: Standing, status: int, body: bytes, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        if status == 0 or status >= 500:
            standing.poller.failed()
        else:
            with suppress(RemoteProtocolError):  # the poller counts it as a failure
                effects = self._shown(standing, standing.poller.take(ServerAnswer(status, {}, body)), now_us)
        standing.next_us = now_us + standing.poller.pause_us()
        return effects

    def _shown(self, standing: Standing, news: News, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        for token, post in news.posts:
            effects += self._post(standing, token, post, now_us)
        for mail in news.inbox:
            effects += self.mailbox.take(standing, mail, now_us, sent=False)
        for mail in news.outbox:
            effects += self.mailbox.take(standing, mail, now_us, sent=True)
        return effects

    def _post(self, standing: Standing, token: str, post: RoomPost, now_us: int) -> list[Effect]:
        """Show a post the first time that it comes, with its files."""
        content = post.content
        if content is None or post.deleted:
            return []
        name = post_name(content, post.signature)
        effects: list[Effect] = []
        if name not in standing.numbers:
            standing.numbers[name] = post.post_id
            effects += self.remarks.numbered(name, now_us)
        if name in standing.seen or not post.is_genuine:
            return effects
        standing.seen.add(name)
        try:
            found = contents.read(unpad(content))
        except ProtocolError:
            return effects
        if not isinstance(found.part, Text):
            return effects
        author = bytes.fromhex(post.session_id)
        effects.append((DELIVER, author, found.sent_ms, found.part.body, name))
        images = (preview.image for preview in found.part.previews if preview.image is not None)
        for pointer in (*found.part.attachments, *images):
            effects += self.posting.fetch(standing, token, name, pointer, now_us)
        return effects
