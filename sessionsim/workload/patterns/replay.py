"""A real trace, written again: any file `src,dst,unixtime`, cut to a window and sped up.

The file says who, whom and when; texts are sampled (`lengths.py`). People become accounts 0, 1, … by first
appearance in the window. If they are more than the accounts of the run, `accounts` says what to do: refuse
("all"), or keep the messages among those who appear first ("first") or write and receive most ("busiest").
A trace has its own hours; with `diurnal` those of the run are put over it by leaving messages out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import Intent
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.workload._registry import PATTERNS
from sessionsim.workload.draws import Luck
from sessionsim.workload.lengths import message
from sessionsim.workload.rhythm import Rhythm, clocks, keeps
from sessionsim.workload.trace import Trace, load


@dataclass(frozen=True, slots=True)
class Config(Rhythm):
    """Settings of a replay."""

    diurnal: bool = setting(
        False,
        doc="Whether to thin the trace to the hours that the other keys describe.",
        source="Assumption: a trace is replayed as it is",
    )
    trace: str = setting(
        "",
        doc="The file to replay, lines src,dst,unixtime in time order; must be given.",
        source="Assumption: no file is shipped, so there is no default",
        path=True,
    )
    window_start_us: int = setting(
        0,
        doc="Where to begin, in the file's own time after its first message.",
        source="Assumption: from the beginning",
        unit="us",
        low=0,
    )
    window_us: int = setting(
        0,
        doc="How much of the file's own time to replay; 0 for as much as the run takes.",
        source="Assumption: as much as fits",
        unit="us",
        low=0,
    )
    time_compression: float = setting(
        1.0,
        doc="How many times faster than recorded to replay; 60 makes a minute of an hour.",
        source="Assumption: the recorded speed",
        low=0.001,
        high=1e6,
    )
    accounts: str = setting(
        "all",
        doc="What to do with more people than accounts: refuse, keep who appears first, or the busiest.",
        source="Assumption: never leave anybody out unasked",
        choices=("all", "first", "busiest"),
    )


@PATTERNS.register(config=Config, source="the replayed file; lengths: metrics 4.2")
class Replay:
    """Replays a recorded trace of who wrote to whom and when."""

    def __init__(self, config: Config) -> None:
        if not config.trace:
            raise InvalidInput("trace", config.trace, "the path of a file src,dst,unixtime")
        self._config = config
        self._trace = load(config.trace)

    def kinds(self) -> frozenset[str]:
        """Give the kinds of wishes: texts."""
        return frozenset({"text"})

    def intents(self, people: People, horizon_us: int, seeds: Seeds) -> list[Intent]:
        """Give all wishes in time order; none if the window holds no message.

        Args:
            people: who takes part; fewer in the window leave the last accounts silent.
            horizon_us: times are in [0, horizon_us).
            seeds: streams used: ("workload", "replay"), row k for the text of message k of the file;
                ("workload", "thin"), row k, and those of `rhythm.clocks`.

        Raises:
            InvalidInput: the window holds more people than accounts and `accounts` is "all".
        """
        window, first = self._window(horizon_us)
        chosen = self._people(window, len(people))
        # Lines before the window are drawn too, so that a message keeps its text in another window.
        u = seeds.stream("workload", "replay").random((first + len(window), 2))[first:].tolist()
        origin_us = int(self._trace.time_s[0]) * US_PER_S + self._config.window_start_us
        own, thin = clocks(people, self._config, seeds), Luck(seeds, "thin")
        wishes: list[Intent] = []
        written: Counter[tuple[int, int]] = Counter()
        rows = zip(window.src.tolist(), window.dst.tolist(), window.time_s.tolist(), u, strict=True)
        for line, (src, dst, time_s, (u_length, u_text)) in enumerate(rows, start=first):
            if src in chosen and dst in chosen:
                t_us = int((time_s * US_PER_S - origin_us) / self._config.time_compression)
                tie = chosen[src], chosen[dst]
                if t_us < horizon_us and keeps(own[tie[0]], t_us / US_PER_S, thin.at(line)):
                    wishes.append(Intent(t_us, *tie, message(u_length, u_text), written[tie]))
                    written[tie] += 1
        return wishes

    def _window(self, horizon_us: int) -> tuple[Trace, int]:
        """Cut the part of the trace that is replayed; also give the number of its first line."""
        taken_us = horizon_us * self._config.time_compression
        if self._config.window_us:
            taken_us = min(taken_us, self._config.window_us)
        since_us = (self._trace.time_s - self._trace.time_s[0]) * US_PER_S - self._config.window_start_us
        first, end = np.searchsorted(since_us, [0, taken_us]).tolist()
        cut = slice(first, end)
        return Trace(self._trace.src[cut], self._trace.dst[cut], self._trace.time_s[cut]), first

    def _people(self, window: Trace, n_accounts: int) -> dict[int, int]:
        """Give the account of everybody who takes part."""
        people = window.people()
        if len(people) > n_accounts:
            if self._config.accounts == "all":
                hint = f'Give the run {len(people)} accounts, or set accounts to "first" or "busiest".'
                raise InvalidInput("replay accounts", n_accounts, f"at least {len(people)}", hint)
            if self._config.accounts == "busiest":
                count = Counter(window.src.tolist()) + Counter(window.dst.tolist())
                # Equally busy people keep their order of appearance: sorted() is stable.
                kept = set(sorted(people, key=lambda person: -count[person])[:n_accounts])
                people = [person for person in people if person in kept]
        return {person: account for account, person in enumerate(people[:n_accounts])}
