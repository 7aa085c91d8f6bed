"""Pairs that are in the middle of a conversation when the run begins, so that a short run has traffic.

Accounts 0 and 1, 2 and 3, … write to each other; an odd last one writes with account 0. Time 0 lies inside
a session of every pair, at a random moment of a gap, and the session goes on to the end of the run. After
each message the other one answers with the measured probability after the short part of the measured reply
delays; else the writer goes on after the short part of the measured gaps. Both laws are cut at the gap
that would end a session, and divided by `pace`. Day and night, which are off unless wished for, stretch the
waits of whoever writes next. Source: metrics 4.1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sessionsim.core.intents import Intent
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.workload._registry import PATTERNS
from sessionsim.workload.fits import REPLY_DELAY, REPLY_PROB, SEND_GAP, SESSION_GAP_S
from sessionsim.workload.lengths import message
from sessionsim.workload.rhythm import Clock, Rhythm, after, clocks


@dataclass(frozen=True, slots=True)
class Config(Rhythm):
    """Settings of active pairs."""

    diurnal: bool = setting(
        False,
        doc="Whether the hour of the day stretches and shortens all waits.",
        source="Assumption: these pairs are in the middle of a conversation, whatever the hour",
    )
    pace: float = setting(
        4.0,
        doc="How many times faster than measured the pairs write; 1 is the measured speed.",
        source="Assumption: conversations of 2004 are sped up so that a run of minutes has enough messages",
        low=0.01,
        high=1000.0,
    )


@PATTERNS.register(
    config=Config, source="metrics 4.1 (short parts of the two mixtures); pace is an assumption"
)
class ActivePairs:
    """Disjoint pairs inside an active session from the first moment on."""

    def __init__(self, config: Config) -> None:
        self._config, self._pace = config, config.pace

    def kinds(self) -> frozenset[str]:
        """Give the kinds of wishes: texts."""
        return frozenset({"text"})

    def intents(self, people: People, horizon_us: int, seeds: Seeds) -> list[Intent]:
        """Give all wishes in time order; none for fewer than two accounts.

        Args:
            people: who takes part.
            horizon_us: times are in [0, horizon_us).
            seeds: streams used: ("workload", "active", a, b) per pair, and those of `rhythm.clocks`.
        """
        own = clocks(people, self._config, seeds)
        wishes = [w for a, b in pairs(len(people)) for w in self._conversation(a, b, own, horizon_us, seeds)]
        return sorted(wishes, key=lambda wish: wish[:3])

    def _conversation(
        self, a: int, b: int, own: list[Clock], horizon_us: int, seeds: Seeds
    ) -> Iterator[Intent]:
        rng = seeds.stream("workload", "active", a, b)
        u_kind, u_gap, u_share, u_who = rng.random(4).tolist()
        # A random moment falls into a gap of the length-biased law; a share of it is still to come.
        answered = REPLY_PROB * REPLY_DELAY.short.mean_below_s(SESSION_GAP_S)
        alone = (1 - REPLY_PROB) * SEND_GAP.short.mean_below_s(SESSION_GAP_S)
        part = REPLY_DELAY.short if u_kind < answered / (answered + alone) else SEND_GAP.short
        t_s = u_share * part.length_biased().at(u_gap, SESSION_GAP_S) / self._pace
        sender, recipient = (a, b) if u_who < 0.5 else (b, a)
        written: Counter[int] = Counter()
        while (t_us := int(t_s * US_PER_S)) < horizon_us:
            u_answer, u_gap, u_length, u_text = rng.random(4).tolist()
            yield Intent(t_us, sender, recipient, message(u_length, u_text), written[sender])
            written[sender] += 1
            if u_answer < REPLY_PROB:
                sender, recipient = recipient, sender
                part = REPLY_DELAY.short
            else:
                part = SEND_GAP.short
            t_s = after(own[sender], t_s, part.at(u_gap, SESSION_GAP_S) / self._pace)


def pairs(n_accounts: int) -> list[tuple[int, int]]:
    """List who talks to whom: (0, 1), (2, 3) …; an odd last account with account 0."""
    found = [(a, a + 1) for a in range(0, n_accounts - 1, 2)]
    if n_accounts % 2 and n_accounts > 1:
        found.append((0, n_accounts - 1))
    return found
