"""Connections of a run, and the rows of watched links.

A client's connection opens with a handshake, and again after an idle time; nodes keep theirs open all the
time, since they test each other (Assumption; transport 5.11). Of watched links every transmission becomes a
row, and so do handshakes and the keep-alive datagrams of silences. Connections are numbered by first
appearance on a watched link.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from sessionsim.core.columns import HEAD_CODE, ROW, Cause, Transport, note_of
from sessionsim.core.records import SPILL_BYTES, RecordSink
from sessionsim.network.links import Links
from sessionsim.network.wire_sizes import WireSizes
from sessionsim.protocol.machine import BACK

_QUIC = int(Transport.QUIC)


class Connections:
    """The connections of one run.

    Args:
        links, sizes: delay and wire-size models.
        sink: takes rows of watched links; None records nothing.
        keep_bytes: keep application bytes of recorded rows.
    """

    def __init__(self, links: Links, sizes: WireSizes, sink: RecordSink | None, keep_bytes: bool) -> None:
        self._links, self._sizes, self._sink, self._keep_bytes = links, sizes, sink, keep_bytes
        # By source, destination and handle: number, when it is ready, when it was last used.
        self._states: dict[int, list[int]] = {}
        self._numbers = count()

    def client(
        self, src: int, dst: int, conn: int, direction: int, now: int, watched: int
    ) -> tuple[int, int]:
        """Open or reuse a client's connection. Returns its number and when this transmission may leave."""
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

    def is_open(self, src: int, dst: int, conn: int, now: int) -> bool:
        """Say whether a client can use a connection without opening it anew."""
        state = self._states.get((src << 24 | dst) << 8 | conn)
        return state is not None and now - state[2] <= self._sizes.idle_limit_us(conn & 7)

    def close(self, src: int, dst: int, conn: int, now: int, watched: int) -> None:
        """Let go of a client's connection; what keeps it alive ends now."""
        state = self._states.pop((src << 24 | dst) << 8 | conn, None)
        if state is not None and watched:
            self._keep_alive(src, dst, state, conn & 7, now)

    def drop(self, endpoint: int, *, but_quic: bool) -> None:
        """Forget the connections of an endpoint that has stopped. Args: but_quic: keep those over QUIC."""
        for key in [key for key in self._states if endpoint in (key >> 32, key >> 8 & 0xFFFFFF)]:
            if not (but_quic and key & 7 == _QUIC):
                del self._states[key]

    def last_used_us(self, src: int, dst: int, conn: int) -> int | None:
        """Give when a client's connection was last used, or is going to be; None if there is none."""
        state = self._states.get((src << 24 | dst) << 8 | conn)
        return None if state is None else state[2]

    def use(self, src: int, dst: int, conn: int, t_us: int) -> None:
        """Take a client's connection, which nobody watches, as open and last used then."""
        self._states[(src << 24 | dst) << 8 | conn] = [-1, 0, t_us]

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
