"""Connections of a run, and the rows of watched links.

A client's connection opens with a handshake, and again after an idle time; over HTTP/1.1 it has several where
requests run at a time (`http_lines`). Nodes keep theirs open all the time, since they test each other
(Assumption; transport 5.11). Of watched links every transmission becomes a
row, and so do handshakes and the keep-alive datagrams of silences. Connections are numbered by first
appearance on a watched link.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from sessionsim.core.columns import HEAD_CODE, ROW, Cause, Transport, note_of
from sessionsim.core.records import SPILL_BYTES, RecordSink
from sessionsim.network.http_lines import FREE, NUMBER, READY, Line, Lines
from sessionsim.network.links import Links
from sessionsim.network.wire_sizes import WireSizes
from sessionsim.protocol.machine import BACK

_QUIC, _HTTPS = int(Transport.QUIC), int(Transport.HTTPS)
_NOBODY = range(0)


class Connections:
    """The connections of one run.

    Args:
        links, sizes: delay and wire-size models.
        sink: takes rows of watched links; None records nothing.
        keep_bytes: keep application bytes of recorded rows.
        clients: endpoints whose HTTPS connections carry one request at a time.
    """

    def __init__(
        self,
        links: Links,
        sizes: WireSizes,
        sink: RecordSink | None,
        keep_bytes: bool,
        clients: range = _NOBODY,
    ) -> None:
        self._links, self._sizes, self._sink, self._keep_bytes = links, sizes, sink, keep_bytes
        # By source, destination and handle: number, when it is ready, when it was last used.
        self._states: dict[int, list[int]] = {}
        self._clients = clients if sizes.one_at_a_time else _NOBODY
        self._lines: dict[int, Lines] = {}
        self._answering: Line | None = None  # what the answer comes over that was sent last
        self._numbers = count()

    def client(
        self, src: int, dst: int, conn: int, direction: int, now: int, watched: int, exchange: int = -1
    ) -> tuple[int, int]:
        """Open or reuse a client's connection. Returns its number and when this transmission may leave.

        Of an answer, `arrives` is to be told then when the client has it.
        """
        self._answering = None
        if conn == _HTTPS and (dst if direction else src) in self._clients:
            return self._over_lines(src, dst, direction, now, watched, exchange)
        ours = direction == 0
        if conn & BACK:
            ours, conn = not ours, conn ^ BACK
        key = ((src << 24 | dst) if ours else (dst << 24 | src)) << 8 | conn
        state = self._states.get(key)  # number, ready_us, last_used_us
        transport = conn & 7
        if ours and direction == 0:
            if state is None or now - state[2] > self._sizes.idle_limit_us(transport):
                state = self._states[key] = [next(self._numbers) if watched else -1, 0, now]
                state[1] = self._shake_hands(src, dst, state[0], transport, now, watched)
            elif watched:
                self._keep_alive(src, dst, state, transport, now)
            ready = state[1] if state[1] > now else now
            state[2] = ready
            return state[0], ready
        if direction == 0 and watched and state is not None:
            self._keep_alive(dst, src, state, transport, now)
        if state is None:  # an answer to nothing: only a faulty machine does this
            state = self._states[key] = [next(self._numbers) if watched else -1, 0, now]
        state[2] = now
        return state[0], now

    def _over_lines(
        self, src: int, dst: int, direction: int, now: int, watched: int, exchange: int
    ) -> tuple[int, int]:
        """Open or reuse one of several connections, which carry one request at a time."""
        key = ((dst << 24 | src) if direction else (src << 24 | dst)) << 8 | _HTTPS
        lines = self._lines.get(key)
        if direction:
            line = self._answering = None if lines is None else lines.answer(exchange, now)
            if line is None:  # an answer to nothing: only a faulty machine does this
                return next(self._numbers) if watched else -1, now
            return line[NUMBER], now
        if lines is None:
            lines = self._lines[key] = Lines(self._sizes.idle_limit_us(_HTTPS))
        line = lines.free(now)
        if line is None:
            number = next(self._numbers) if watched else -1
            line = lines.add(number, self._shake_hands(src, dst, number, _HTTPS, now, watched))
        if exchange < 0:  # it is opened and nothing more
            return line[NUMBER], max(line[READY], now)
        return line[NUMBER], lines.ask(line, exchange, now)

    def arrives(self, t_us: int) -> None:
        """Learn when a client has the answer that was sent last: its connection is free from then on."""
        if self._answering is not None:
            self._answering[FREE], self._answering = t_us, None

    def give_up(self, src: int, dst: int, conn: int, exchange: int) -> None:
        """Let go of what a request was sent over that is no longer waited for."""
        lines = self._lines.get((src << 24 | dst) << 8 | conn)
        if lines is not None:
            lines.give_up(exchange)

    def is_open(self, src: int, dst: int, conn: int, now: int) -> bool:
        """Say whether a client can use a connection without opening it anew."""
        if conn == _HTTPS and src in self._clients:
            lines = self._lines.get((src << 24 | dst) << 8 | conn)
            return lines is not None and lines.free(now) is not None
        state = self._states.get((src << 24 | dst) << 8 | conn)
        return state is not None and now - state[2] <= self._sizes.idle_limit_us(conn & 7)

    def close(self, src: int, dst: int, conn: int, now: int, watched: int) -> None:
        """Let go of a client's connections; what keeps them alive ends now."""
        self._lines.pop((src << 24 | dst) << 8 | conn, None)
        state = self._states.pop((src << 24 | dst) << 8 | conn, None)
        if state is not None and watched:
            self._keep_alive(src, dst, state, conn & 7, now)

    def drop(self, endpoint: int, *, but_quic: bool) -> None:
        """Forget the connections of an endpoint that has stopped. Args: but_quic: keep those over QUIC."""
        for key in [*self._states, *self._lines]:
            if endpoint in (key >> 32, key >> 8 & 0xFFFFFF) and not (but_quic and key & 7 == _QUIC):
                self._states.pop(key, None)
                self._lines.pop(key, None)

    def is_shared(self, src: int, conn: int) -> bool:
        """Say whether a client's requests at a time go over one connection."""
        return not (conn == _HTTPS and src in self._clients)

    def last_uses(self, src: int, dst: int, conn: int) -> list[int] | None:
        """Give when a client's connections were last used, or are going to be, the oldest first.

        None while one is busy that carries one request at a time.
        """
        key = (src << 24 | dst) << 8 | conn
        if self.is_shared(src, conn):
            state = self._states.get(key)
            return [] if state is None else [state[2]]
        lines = self._lines.get(key)
        return [] if lines is None else lines.last_uses()

    def use(self, src: int, dst: int, conn: int, uses_us: Sequence[int]) -> None:
        """Take a client's connections, which nobody watches, as open and last used then; the oldest first."""
        key = (src << 24 | dst) << 8 | conn
        if self.is_shared(src, conn):
            (t_us,) = uses_us
            self._states[key] = [-1, 0, t_us]
            return
        lines = self._lines.setdefault(key, Lines(self._sizes.idle_limit_us(_HTTPS)))
        lines.put(uses_us)

    def record(
        self,
        sent: int,
        arrived: int,
        src: int,
        number: int,
        wire: tuple[int, int],
        effect: tuple[Any, ...],
        note: int,
    ) -> None:
        """Write down a transmission on a watched link. `number`: of a client's connection, else -1."""
        _, dst, conn, exchange, head, payload, _ = effect
        direction = 0 if type(head) is str else 1
        if number < 0:
            number = self._mesh(src, dst, conn, direction)
        sink = self._sink
        assert sink is not None
        sink.buffer += ROW.pack(
            sent, arrived, exchange, note, src, dst, number, len(payload), wire[0],
            sink.keep(payload) if self._keep_bytes else -1,
            wire[1], HEAD_CODE[head] if type(head) is str else head, conn & 7, direction,
        )  # fmt: skip
        if len(sink.buffer) >= SPILL_BYTES:
            sink.spill()

    def _mesh(self, src: int, dst: int, conn: int, direction: int) -> int:
        """Give the number of a node-to-node connection, named by first appearance of its opener."""
        key = ((src << 24 | dst) if direction == 0 else (dst << 24 | src)) << 8 | conn
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = [next(self._numbers), 0]
        return state[0]

    def _shake_hands(self, src: int, dst: int, number: int, transport: int, now: int, watched: int) -> int:
        """Record a handshake as one row each way; give the time it is done."""
        ours, theirs, round_trips = self._sizes.handshake(transport)
        rtt = self._links.base_rtt_us(src, dst)
        done = now + round_trips * rtt
        if watched:
            head, note = HEAD_CODE["handshake"], note_of(Cause.HANDSHAKE)
            half = rtt // 2
            self._control_row(now, now + half, note, src, dst, number, ours, head, transport, 0)
            self._control_row(now + half, done, note, dst, src, number, theirs, head, transport, 1)
        return done

    def _keep_alive(self, src: int, dst: int, state: list[int], transport: int, now: int) -> None:
        """Record the keep-alive datagrams of the silence that ends now."""
        size, interval = self._sizes.keep_alive(transport)
        if not interval:
            return
        head, note = HEAD_CODE["keepalive"], note_of(Cause.KEEPALIVE)
        half = self._links.base_rtt_us(src, dst) // 2
        for t_us in range(state[2] + interval, now, interval):
            self._control_row(t_us, t_us + half, note, src, dst, state[0], size, head, transport, 0)

    def _control_row(
        self,
        sent: int,
        arrived: int,
        note: int,
        src: int,
        dst: int,
        number: int,
        wire_bytes: int,
        head: int,
        transport: int,
        direction: int,
    ) -> None:
        assert self._sink is not None
        segments = max(1, -(-wire_bytes // 1448))
        self._sink.buffer += ROW.pack(
            sent, arrived, -1, note, src, dst, number, 0, wire_bytes, -1, segments, head, transport, direction
        )
