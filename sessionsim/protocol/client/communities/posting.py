"""Posts of a client to rooms, and the files that go with them (messages 3.3, 6.3, 8).

A post is signed once; each attempt sends the same bytes in a request signed anew, since the server takes no
nonce twice. It does not recognise a post that it has: one whose answer was lost stands twice in the room, and
readers show it once. Files are uploaded to the room first, in clear, and named by number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.intents import File
from sessionsim.protocol.client.communities.standing import Standing
from sessionsim.protocol.client.files import Files
from sessionsim.protocol.client.files.sealing import LOOKS, content_of
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.communities import answers, calls
from sessionsim.protocol.communities.posts import SignedPost, post_name, sign_post
from sessionsim.protocol.contents import Attachment, Expiry, Message, Preview, Text, write
from sessionsim.protocol.machine import EVENT, LOG, Effect
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from sessionsim.protocol.versions.v1 import Profile
from sessionsim.protocol.wire import v4
from sessionsim.protocol.wire.onion import STYLES

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_ATTEMPT_BITS: Final = 8  # ClientRules.send_attempts ≤ 100
_POST: Final = 1  # lowest bit of an exchange number; 0 for polls
_GONE: Final = 404
_LEADS_NOWHERE: Final = -2  # as of `file-fetched`


class _Post:
    """One post on its way.

    Args:
        files: their numbers, None for those that are not up yet.
        preview: of a link; its picture is the last of the files.
    """

    __slots__ = (
        "attempts",
        "body",
        "files",
        "number",
        "pointers",
        "preview",
        "ref",
        "signed",
        "standing",
        "token",
    )

    def __init__(
        self, number: int, ref: int, standing: Standing, token: str, body: str, n_files: int
    ) -> None:
        self.number, self.ref, self.standing, self.token, self.body = number, ref, standing, token, body
        self.files: list[int | None] = [None] * n_files
        self.pointers: list[Attachment] = []
        self.preview: Preview | None = None
        self.signed: SignedPost | None = None
        self.attempts = 0


class Posting:
    """The writing half. Args: as of `part.Communities`."""

    def __init__(
        self, client: Client, standings: Sequence[Standing], profile: Profile | None, files: Files | None
    ) -> None:
        self._client, self.profile, self._files = client, profile, files
        self._standings = standings
        self._style = STYLES[client.rules.style]
        self._retries: list[tuple[int, int, _Post]] = []
        self._open: dict[int, _Post] = {}
        self._posts = 0

    def next_due_us(self) -> int | None:
        """Give when the earliest repetition is due."""
        return self._retries[0][0] if self._retries else None

    def wake(self, now_us: int) -> list[Effect]:
        """Start the repetitions that are due."""
        effects: list[Effect] = []
        while self._retries and self._retries[0][0] <= now_us:
            effects += self._attempt(heappop(self._retries)[2], now_us)
        return effects

    def pending(self) -> Iterable[int]:
        """Give the posts that are neither up nor given up."""
        return tuple(self._open)

    def forget(self, reason: str, now_us: int) -> list[Effect]:
        """Give up all posts that are not up."""
        self._retries.clear()
        return [effect for post in list(self._open.values()) for effect in self._give_up(post, reason)]

    def post(
        self, ref: int, room: int, body: str, files: tuple[File, ...], audience: Sequence[bytes], now_us: int
    ) -> list[Effect]:
        """Post to a room that this client reads.

        Args:
            ref: number of the message.
            room: its number in the workload.
            files: what goes with it.
            audience: account ids of all who read the room, for truth alone.
        """
        standing = next((one for one in self._standings if room in one.tokens), None)
        if standing is None:
            return [(LOG, "failed", ref, "a room that is not read")]
        self._posts += 1
        links = self._files.links if self._files is not None else None
        found = links.claim(ref) if links is not None else None
        if found is not None and found.image is not None:  # a preview without picture is left out
            files = (*files, found.image)
        post = _Post(self._posts, ref, standing, standing.tokens[room], body, len(files))
        if found is not None and found.image is not None:
            post.preview = found.preview
        self._open[ref] = post
        told: Effect = (LOG, "to", ref, tuple(audience))
        if not files:
            return [told, *self._begin(post, now_us)]
        return [told, *self._upload(post, files, now_us)]

    # --- files --------------------------------------------------------------------------------------------

    def _upload(self, post: _Post, files: tuple[File, ...], now_us: int) -> list[Effect]:
        assert self._files is not None
        if any(file.size_bytes > self._files.rules.max_bytes for file in files):
            return self._give_up(post, "a file too large")
        effects: list[Effect] = []
        for place, file in enumerate(files):
            address = post.ref.to_bytes(8, "little") + bytes((place,))
            blob, looks = content_of(self._client, address, file.size_bytes), LOOKS[file.what]
            post.pointers.append(
                Attachment(
                    "", size_bytes=len(blob), content_type=looks.content_type, file_name=looks.name,
                    flags=looks.flags, width=looks.width, height=looks.height,
                )
            )  # fmt: skip
            effects += self._upload_one(post, place, calls.upload(post.token, blob, looks.name), now_us)
        return effects

    def _upload_one(self, post: _Post, place: int, request: ServerRequest, now_us: int) -> list[Effect]:
        assert self._files is not None
        standing = post.standing
        return self._files.transfers.upload(
            standing.address,
            lambda exchange, t_us: standing.signed(request, exchange, t_us),
            note_of(Cause.COMMUNITY, post.ref),
            now_us,
            lambda answer, status, t_us: self._up(post, place, answer, status, t_us),
            lambda: post.ref in self._open,
        )

    def _up(
        self, post: _Post, place: int, answer: ServerAnswer | None, status: int, now_us: int
    ) -> list[Effect]:
        if post.ref not in self._open:
            return []
        try:
            if answer is None:
                raise RemoteProtocolError(f"upload: status {status}")
            post.files[place] = number = answers.read_upload(answer)
        except RemoteProtocolError as wrong:
            return self._give_up(post, str(wrong) if answer is None else "upload: malformed answer")
        host = post.standing.address.host
        told: Effect = (EVENT, "file-uploaded", post.ref, post.pointers[place].size_bytes or 0)
        url = f"https://{host}/room/{post.token}/file/{number}"
        post.pointers[place] = replace(post.pointers[place], url=url)
        return [told] if None in post.files else [told, *self._begin(post, now_us)]

    def fetch(
        self, standing: Standing, token: str, name: str, pointer: Attachment, now_us: int
    ) -> list[Effect]:
        """Download a file of a post; it lies in clear on the server of the room."""
        if self._files is None or not self._files.rules.downloads:
            return []
        base, _, number = pointer.url.rpartition("/")
        if base != f"https://{standing.address.host}/room/{token}/file" or not (
            number.isascii() and number.isdecimal() and len(number) < 19
        ):
            return [(EVENT, "post-fetched", name, _LEADS_NOWHERE)]
        request = calls.download(token, int(number)).alone()
        return self._files.transfers.download(
            standing.address,
            lambda exchange, t_us: standing.signed(request, exchange, t_us),
            note_of(Cause.COMMUNITY),
            now_us,
            lambda answer, status, _t_us: [(EVENT, "post-fetched", name, 200 if answer else status)],
        )

    # --- the post itself ----------------------------------------------------------------------------------

    def _begin(self, post: _Post, now_us: int) -> list[Effect]:
        """Write and sign the post, say what it will be recognised by, and make the first attempt."""
        client = self._client
        sent_ms = client.wire_ms(now_us)
        pointers = tuple(post.pointers)
        previews: tuple[Preview, ...] = ()
        if post.preview is not None:
            previews = (replace(post.preview, image=pointers[-1]),)
            pointers = pointers[:-1]
        text = Text(
            post.body,
            pointers,
            previews=previews,
            profile=self.profile,
            blocks_community_requests=False,
        )
        content = write(Message(sent_ms, text, Expiry() if self.profile else None))
        post.signed = sign_post(client.account, post.standing.address.x25519, content)
        name = post_name(*post.signed)
        post.standing.seen.add(name)
        return [
            (LOG, "hash", post.ref, name),
            (LOG, "written", post.ref, (sent_ms, -1)),
            *self._attempt(post, now_us),
        ]

    def _attempt(self, post: _Post, now_us: int) -> list[Effect]:
        assert post.signed is not None
        exchange = ((post.number << _ATTEMPT_BITS | post.attempts) << 1 | _POST) << 4 | Purpose.COMMUNITY
        post.attempts += 1
        files = [number for number in post.files if number is not None]
        part = calls.post_message(post.token, post.signed, files=files)
        request = post.standing.signed(part.alone(), exchange, now_us)
        return [
            (LOG, "attempts", post.ref, post.attempts),
            self._client.requests.send_to_server(
                exchange, post.standing.address, v4.encode_request(self._style, request),
                note_of(Cause.COMMUNITY, post.ref), now_us,
                lambda status, _body, t_us: self._answered(post, status, t_us),
            ),
        ]  # fmt: skip

    def _answered(self, post: _Post, status: int, now_us: int) -> list[Effect]:
        if post.ref not in self._open:
            return []  # it was given up meanwhile
        if 200 <= status < 300:
            del self._open[post.ref]
            return [(LOG, "stored", post.ref, now_us)]
        rules = self._client.rules
        if post.attempts >= rules.send_attempts or status == _GONE:
            return self._give_up(post, f"status {status}")
        pause_us = rules.send_backoff_us * rules.send_backoff_growth ** (post.attempts - 1)
        due_us = now_us + int(min(pause_us, rules.send_backoff_cap_us))
        heappush(self._retries, (due_us, post.number, post))
        return []

    def _give_up(self, post: _Post, reason: str) -> list[Effect]:
        del self._open[post.ref]
        return [(LOG, "failed", post.ref, reason)]
