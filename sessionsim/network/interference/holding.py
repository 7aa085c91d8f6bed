"""Requests of clients that wait or do not go on: at an operated node, or on a link that is held.

A node deals with a request when it likes; what it drops is lost, and its client waits in vain. On a link
nothing is lost for good, since TCP and QUIC send again what was not acknowledged: a drop lasts until the link
is open again, in both directions. A request that waits holds up no other one (see `network.links`).
"""

from __future__ import annotations

from typing import Final

from sessionsim.network.faults.passage import RTO_MARGIN_US, RTO_MAX_US
from sessionsim.network.interference.kinds import Delay, Drop, Passing
from sessionsim.network.interference.rhythm import Rhythm

NEVER: Final = -1


class Holding:
    """One interference of kind delay, drop or isolate.

    Args:
        name, kind, config: as declared.
        nodes, links: where it acts, one of them empty: operated nodes, or clients whose links are held.
        rhythm: the marked slots of each client.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        config: Passing,
        nodes: frozenset[int],
        links: frozenset[int],
        rhythm: Rhythm,
    ) -> None:
        self.name, self.kind, self.rhythm = name, kind, rhythm
        self.nodes, self.links = nodes, links
        self._hold_us = config.hold_us if isinstance(config, Delay) else 0
        self.drops = isinstance(config, Drop)

    def release_us(self, client: int, t_us: int) -> int:
        """Give when a request that comes at `t_us` goes on; NEVER if it does not."""
        rhythm = self.rhythm
        if self.drops:
            return NEVER if rhythm.is_marked(client, t_us) else t_us
        if self._hold_us:
            return t_us + self._hold_us if rhythm.is_marked(client, t_us) else t_us
        return rhythm.next_marked_us(client, t_us)

    def through_us(self, client: int, t_us: int, rtt_us: int, *, asks: bool) -> int:
        """Give when a transmission that leaves at `t_us` passes a held link. Args: asks: it is a request."""
        if self.drops:
            rto_us = rtt_us + RTO_MARGIN_US
            while self.rhythm.is_marked(client, t_us):
                t_us += rto_us
                rto_us = min(2 * rto_us, RTO_MAX_US)
            return t_us
        return self.release_us(client, t_us) if asks else t_us
