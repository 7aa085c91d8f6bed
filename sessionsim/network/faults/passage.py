"""How much longer a transmission is under way while links are cut, lossy or slow.

All transports here send again what was lost: TCP under HTTPS and OxenMQ, and QUIC itself. So a lost
transmission comes late: after the time-out of the sender, which doubles each time, has struck a moment at
which it gets through. What is under way when a link is cut arrives. Answers are no different from requests.

The first time-out is the round trip and 200 ms on an open connection, as in Linux, and 1 s while it is
opened. Lost acknowledgements, fast retransmission and the sender's giving up (after 15 minutes in Linux, long
after every request has been given up) are left out.
Source: RFC 6298 sections 2 and 5; TCP_RTO_MIN of Linux include/net/tcp.h; for QUIC RFC 9002 section 6.2.
"""

from __future__ import annotations

from math import log
from typing import Final

from sessionsim.core.seeds import mix
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.network.faults.plan import Extra, Plan, Way

RTO_MARGIN_US: Final = 200 * US_PER_MS  # on top of a round trip. Source: Linux TCP_RTO_MIN
RTO_OPENING_US: Final = US_PER_S  # Source: RFC 6298 section 2.1
RTO_MAX_US: Final = 120 * US_PER_S  # Source: Linux TCP_RTO_MAX


class Passage:
    """The ways of one run. Args: plan: which spells there are."""

    def __init__(self, plan: Plan) -> None:
        self._ways, self._horizon_us = plan.ways, plan.horizon_us
        self._live: list[Way] = []

    def begin(self, way: Way) -> None:
        """Take note that a spell has begun."""
        self._live.append(way)

    def end(self, way: Way) -> None:
        """Take note that a spell is over."""
        self._live.remove(way)

    def struck(self) -> frozenset[int] | None:
        """Give the endpoints whose links are rough just now; None if that is all of them."""
        struck: frozenset[int] = frozenset()
        for way in self._live:
            if way.struck is None:
                return None
            struck |= way.struck
        return struck

    def extra_us(
        self, src: int, dst: int, sent_us: int, first_rto_us: int, segments: int, draw: int
    ) -> int | None:
        """Give what one transmission takes longer; None if it does not arrive before the run ends.

        Args:
            src, dst: endpoints.
            sent_us: when it leaves.
            first_rto_us: after which time it is sent again if it was lost.
            segments: of how many it consists; one lost holds up all.
            draw: 64-bit number of this transmission and no other.
        """
        if not self._live:
            return 0
        t_us, rto_us, attempt = sent_us, first_rto_us, 0
        added_us = 0
        while self._lost(src, dst, t_us, segments if attempt == 0 else 1, draw, attempt):
            t_us += rto_us
            rto_us = min(2 * rto_us, RTO_MAX_US)
            attempt += 1
            if t_us >= self._horizon_us:
                return None
        for way in self._at(t_us):
            if way.extra is not None and way.touches(src, dst):
                added_us += duration_us(way.extra, draw)
        return t_us - sent_us + added_us

    def _at(self, t_us: int) -> list[Way]:
        return [way for way in self._ways if way.begin_us <= t_us < way.end_us]

    def _lost(self, src: int, dst: int, t_us: int, segments: int, draw: int, attempt: int) -> bool:
        through = 1.0
        for way in self._at(t_us):
            if way.touches(src, dst):
                if way.cuts:
                    return True
                through *= (1 - way.lost_prob) ** segments
        if through == 1.0:
            return False
        return uniform(draw, _LOSS + attempt) >= through


_LOSS: Final = 0x6C6F7373 << 16  # where the draws for losses lie; any number that nothing else uses


def uniform(draw: int, index: int) -> float:
    """Draw from (0, 1) for a transmission."""
    return ((mix(draw, index) >> 11) + 0.5) / (1 << 53)


def duration_us(extra: Extra, draw: int) -> int:
    """Give the time that is added to one transmission."""
    return int(-extra.us * log(uniform(draw, extra.name))) if extra.varies else extra.us
