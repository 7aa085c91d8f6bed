"""Previews of links: the sender's client fetches the page itself, before the message goes out.

It does so when the link is written, directly and over no onion path, so the site and everybody on the way see
the sender's address, and the time is some seconds before the message (client-behaviour 6.5). Page first, then
its picture. The message then carries title and picture, and the picture is uploaded like a file. What has not
come when the message is sent is left out; a message does not wait for it.

Event: `link-visited` (message; value: bytes fetched, 0 if that failed).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from sessionsim.core.columns import Cause, Transport, note_of
from sessionsim.core.intents import File
from sessionsim.core.intents import Preview as Wished
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_MIN, US_PER_MS, US_PER_S
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.contents import Preview
from sessionsim.protocol.machine import EVENT, Effect
from sessionsim.protocol.servers.web import HEAD

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_HTTPS: Final = int(Transport.HTTPS)
_APART: Final = 1 << 40  # exchange numbers of visits, apart from those of files
_HOST: Final = "https://www.example.org"
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class WebRules:
    """Sites that people link to, and how clients look at them. Times in microseconds."""

    page_bytes: int = setting(
        100_000, unit="bytes", low=1, high=10_000_000,
        doc="Size of a page as it is transferred.",
        source="Assumption: the text of a page with its scripts left out, compressed",
    )  # fmt: skip
    lead_us: int = setting(
        5 * US_PER_S, unit="us", low=0, high=10 * US_PER_MIN,
        doc="How long before a message is sent its link is written, and so looked at.",
        source="Assumption: a few words are written after a link",
    )  # fmt: skip
    timeout_us: int = setting(
        10 * US_PER_S, unit="us", low=100 * US_PER_MS, high=10 * US_PER_MIN,
        doc="How long a page or picture is awaited.",
        source="Assumption: as for other requests",
    )  # fmt: skip


class Found(NamedTuple):
    """What a client has found behind a link. Args: image: its picture, not uploaded yet; None for none."""

    preview: Preview
    image: File | None


class Links:
    """The part of a client that looks at links.

    Args:
        client: whose.
        site: endpoint of the site that all links lead to; None if there is none.
        rules: of all clients.
    """

    def __init__(self, client: Client, site: int | None, rules: WebRules) -> None:
        self._client, self._site, self._rules = client, site, rules
        self._found: dict[int, Found] = {}
        self._visits = 0

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"visit": self.visit}

    def start(self, now_us: int) -> list[Effect]:
        return []

    def wake(self, now_us: int) -> list[Effect]:
        return []

    def next_due_us(self) -> int | None:
        return None

    def visit(self, ref: int, wished: Wished, now_us: int) -> list[Effect]:
        """Look at a link that somebody writes. Args: ref: number of the message it will stand in."""
        if self._site is None or self._client.requests.shut:
            return [(EVENT, "link-visited", ref, 0)]
        path = "/page/".ljust(wished.url_bytes - len(_HOST), "a")
        return [
            self._get(
                ref,
                path,
                now_us,
                lambda status, body, t_us: self._page(ref, path, wished, status, body, t_us),
            )
        ]

    def claim(self, ref: int) -> Found | None:
        """Take what was found for a message; None for nothing."""
        return self._found.pop(ref, None)

    def has(self, ref: int) -> bool:
        """Say whether something was found for a message."""
        return ref in self._found

    def _get(self, ref: int, path: str, now_us: int, done: Handler) -> Effect:
        self._visits += 1
        exchange = (_APART | self._visits) << 4 | Purpose.FILE
        assert self._site is not None
        return self._client.requests.ask_directly(
            exchange, self._site, HEAD, path.encode(), note_of(Cause.FILE, ref), now_us,
            self._rules.timeout_us, done, _HTTPS,
        )  # fmt: skip

    def _page(
        self, ref: int, path: str, wished: Wished, status: int, body: bytes, now_us: int
    ) -> list[Effect]:
        if status != _OK:
            return [(EVENT, "link-visited", ref, 0)]
        title = "A page".ljust(wished.title_bytes, ".")[: wished.title_bytes]
        found = Found(Preview(_HOST + path, title), wished.image)
        size = len(body)
        if wished.image is None or self._client.requests.shut:
            self._found[ref] = Found(found.preview, None)
            return [(EVENT, "link-visited", ref, size)]
        picture = f"/picture/{wished.image.size_bytes}"
        return [
            self._get(ref, picture, now_us, lambda st, pic, _t_us: self._picture(ref, found, size, st, pic))
        ]

    def _picture(self, ref: int, found: Found, page_bytes: int, status: int, body: bytes) -> list[Effect]:
        if status != _OK:
            found = Found(found.preview, None)
            body = b""
        self._found[ref] = found
        return [(EVENT, "link-visited", ref, page_bytes + len(body))]
