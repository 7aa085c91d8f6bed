"""The media of calls, as numbers a scenario may change (client-behaviour 6.5)."""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_MIN, US_PER_MS, US_PER_S


@dataclass(frozen=True, slots=True)
class MediaRules:
    """TURN servers and media. Times in microseconds."""

    relayed_prob: float = setting(
        0.2,
        unit="prob",
        doc="Share of calls whose media go through a TURN server; the others go straight between the two.",
        source="Assumption: about a fifth of WebRTC calls need a relay; the clients do not force one "
        "(client-behaviour 6.5)",
        low=0.0,
        high=1.0,
    )
    servers_per_call: int = setting(
        2, low=1, high=10, doc="TURN servers that each side asks.", source="client-behaviour 6.5"
    )
    rate_bit_per_s: int = setting(
        36_000,
        unit="bit_per_s",
        doc="What each side of a talking call sends.",
        source="Assumption: Opus at 28 kbit/s, 50 packets a second with 20 bytes of RTP and SRTP each",
        low=1_000,
    )
    step_us: int = setting(
        US_PER_S,
        unit="us",
        doc="One transmission stands for the packets of so long a time.",
        source="Assumption: a second; single packets would fill the records",
        low=20 * US_PER_MS,
        high=US_PER_MIN,
    )
