"""A push platform of Apple, Google or Huawei: takes pushes and hands them to devices (client-behaviour 6.4).

A device registers a token over a connection that it keeps open, and over that connection pushes come to it.
Who is not connected, or does not confirm, gets what is kept when it registers again. The platform sees the
token, which stands for a person who has an account with it, the device's address, time and size.

    push server ──> POST /3/device/<token> and body ──> platform ──> body ──> device ──> confirmed

Real platforms name devices themselves; here a device chooses its token. Their protocols are not published:
that a push is confirmed and the texts here are Assumptions.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sessionsim.core.columns import Transport
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.machine import BACK, NOTHING, SEND, Effect, Effects
from sessionsim.protocol.push.notifiers import Push

REGISTER: Final = "push_register"
DELIVERY: Final = "push_delivery"
_TRANSPORT: Final = 7  # the low bits of a connection handle. Source: core.columns.Transport
_HTTPS, _TLS = int(Transport.HTTPS), int(Transport.TLS)
_PATH: Final = b"/3/device/"  # Source: the interface of APNs; that of others is no longer
_TOKEN: Final = re.compile(rb"[!-~]{32,999}", re.ASCII)
MAX_BYTES: Final = 10_000  # Assumption: platforms take a few kB; APNs 4,096 bytes of payload
# Source: Google keeps 100 messages for a device that is away; Apple one for each app.
KEPT: Final = {"google": 100, "apple": 1, "huawei": 100}
_GONE: Final = 410  # Source: APNs, an unknown token


def write_push(push: Push) -> bytes:
    """Write what the push server posts."""
    return _PATH + push.token.encode("utf-8", "replace") + b"\n" + push.body


def read_post(payload: bytes) -> tuple[bytes, bytes]:
    """Read it: token and body. Raises RemoteProtocolError: no path, no token, or too long."""
    path, _, body = payload.partition(b"\n")
    token = path.removeprefix(_PATH)
    if not path.startswith(_PATH) or _TOKEN.fullmatch(token) is None or len(body) > MAX_BYTES:
        raise RemoteProtocolError("not a push to a device")
    return token, body


class PushPlatform:
    """One platform. Args: kept: how many pushes it keeps for a device that is away, the newest."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        # Of each token: where its device is connected, or None.
        self.devices: dict[bytes, tuple[int, int] | None] = {}
        self._waiting: dict[bytes, dict[int, bytes]] = {}  # not confirmed, by their number
        self._tokens: dict[int, bytes] = {}  # of pushes under way, by their number
        self._numbers = 0

    def start(self, now_us: int) -> Effects:
        return NOTHING

    def receive(
        self, src: int, conn: int, exchange: int, head: str | int, payload: bytes, now_us: int
    ) -> Effects:
        transport = conn & _TRANSPORT
        if transport == _TLS and type(head) is int:
            self._confirmed(src, exchange)
            return NOTHING
        if transport == _TLS and head == REGISTER and not conn & BACK:
            return self._registered(src, conn, payload)
        if transport == _HTTPS and head == "push":
            return self._posted(src, conn, exchange, payload)
        return NOTHING

    def failed(self, dst: int, conn: int, exchange: int, reason: str, now_us: int) -> Effects:
        """Learn that a device is no longer connected: what it lacks waits for it."""
        token = self._tokens.get(exchange)
        if token is not None and self.devices.get(token) == (dst, conn & ~BACK):
            self.devices[token] = None
        return NOTHING

    def command(self, command: tuple[Any, ...], now_us: int) -> Effects:
        return NOTHING

    def wake(self, now_us: int) -> Effects:
        return NOTHING

    def _registered(self, src: int, conn: int, token: bytes) -> Effects:
        if _TOKEN.fullmatch(token) is None:
            return NOTHING
        self.devices[token] = (src, conn)
        waiting = self._waiting.pop(token, {})
        for number in waiting:
            self._tokens.pop(number, None)
        return [effect for body in waiting.values() for effect in self._hand_over(token, body)]

    def _posted(self, src: int, conn: int, exchange: int, payload: bytes) -> Effects:
        try:
            token, body = read_post(payload)
        except RemoteProtocolError:
            return ((SEND, src, conn, exchange, 400, b"", 0),)
        if token not in self.devices:
            return ((SEND, src, conn, exchange, _GONE, b"", 0),)
        return [(SEND, src, conn, exchange, 200, b"", 0), *self._hand_over(token, body)]

    def _hand_over(self, token: bytes, body: bytes) -> list[Effect]:
        """Keep a push until it is confirmed, and send it if the device is connected."""
        self._numbers += 1
        waiting = self._waiting.setdefault(token, {})
        waiting[self._numbers] = body
        self._tokens[self._numbers] = token
        while len(waiting) > self._kept:
            oldest = next(iter(waiting))
            del waiting[oldest], self._tokens[oldest]
        where = self.devices[token]
        if where is None:
            return []
        return [(SEND, where[0], where[1] | BACK, self._numbers, DELIVERY, body, 0)]

    def _confirmed(self, src: int, number: int) -> None:
        token = self._tokens.get(number)
        where = self.devices.get(token) if token is not None else None
        if token is None or where is None or where[0] != src:
            return
        del self._tokens[number]
        waiting = self._waiting[token]
        del waiting[number]
        if not waiting:
            del self._waiting[token]
