"""A web site that people link to: gives pages and pictures, and sees the address of everyone who asks.

An address of it names the size of what lies there, since nothing else of it matters here.

    /page/<anything>         the page, of one size for all
    /picture/<bytes>         a picture of that size
"""

from __future__ import annotations

import re
from typing import Any, Final

from sessionsim.core.columns import Transport
from sessionsim.protocol.machine import NOTHING, SEND, Effects

HEAD: Final = "web"
_HTTPS: Final = int(Transport.HTTPS)
_TRANSPORT: Final = 7  # the low bits of a connection handle. Source: core.columns.Transport
_PICTURE: Final = re.compile(rb"/picture/(\d{1,8})\Z", re.ASCII)
_LARGEST: Final = 10_000_000  # Assumption: bytes of a picture; clients take no larger one


class WebSite:
    """One site. Args: page_bytes: size of its pages."""

    def __init__(self, page_bytes: int) -> None:
        self._page = bytes(page_bytes)

    def start(self, now_us: int) -> Effects:
        return NOTHING

    def receive(
        self, src: int, conn: int, exchange: int, head: str | int, payload: bytes, now_us: int
    ) -> Effects:
        if head != HEAD or conn & _TRANSPORT != _HTTPS:
            return NOTHING
        status, body = self._found(payload)
        return ((SEND, src, conn, exchange, status, body, 0),)

    def _found(self, path: bytes) -> tuple[int, bytes]:
        if path.startswith(b"/page/"):
            return 200, self._page
        picture = _PICTURE.match(path)
        if picture is None or int(picture[1]) > _LARGEST:
            return 404, b""
        return 200, bytes(int(picture[1]))

    def failed(self, dst: int, conn: int, exchange: int, reason: str, now_us: int) -> Effects:
        return NOTHING

    def command(self, command: tuple[Any, ...], now_us: int) -> Effects:
        return NOTHING

    def wake(self, now_us: int) -> Effects:
        return NOTHING
