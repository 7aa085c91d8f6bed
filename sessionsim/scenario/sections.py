"""The sections of a scenario that belong to no room: which run, which seeds, which node list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_MIN, US_PER_S

# 2026-04-28 12:00:00 UTC, the noon of the newest node list shipped.
_EPOCH_MS: Final = 1_777_377_600_000
_MAX_SEEDS: Final = 100_000  # Assumption: more is a slip of the pen
_SPAN: Final = re.compile(r"(\d{1,18})(?:\.\.(\d{1,18}))?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Phases, seeds and suite of a run."""

    seeds: str = setting(
        "1..8",
        doc="Seeds of the replicates: one number, a span, or several of them with commas.",
        source="Assumption: eight replicates give usable intervals over seeds",
    )
    suite: str = setting(
        "fast",
        doc="Crypto suite of the replicates; `fast` has the records of `sodium` at a fraction of its cost.",
        source="Assumption: records of both suites are equal, which a test holds",
    )
    idle_polls: str = setting(
        "bulk",
        doc="Whether polls that bring nothing and that no observer sees are drawn as trains, or each is "
        "carried out. Outcomes and records are the same; trains are much cheaper. A poll that passes a "
        "node in trouble is carried out. In bulk, other requests pass relays at once where no relay can "
        "fail and none is observed.",
        source="Assumption: no part of the model, which a test holds",
        choices=("bulk", "each"),
    )
    warmup_us: int = setting(
        30 * US_PER_S, unit="us", low=0, high=US_PER_DAY,
        doc="Time before the measured phase; cut from the readings.",
        source="Assumption: paths and connections are up after a few polls",
    )  # fmt: skip
    duration_us: int = setting(
        10 * US_PER_MIN, unit="us", low=US_PER_S, high=366 * US_PER_DAY,
        doc="The measured phase: messages wished for in it count.",
        source="Assumption: chosen per question",
    )  # fmt: skip
    drain_us: int = setting(
        30 * US_PER_S, unit="us", low=0, high=US_PER_DAY,
        doc="Time after it, for messages under way; what is unfinished then is censored, not lost.",
        source="Assumption: several times the slowest poll",
    )  # fmt: skip
    keep_bytes: bool = setting(
        False,
        doc="Keep the bytes that operated endpoints see, and open them for the ledger, in every replicate.",
        source="Assumption: off, because bytes fill disks; a [run.open] replicate keeps its own",
    )
    epoch_ms: int = setting(
        _EPOCH_MS, low=1_500_000_000_000, high=4_000_000_000_000,
        doc="Wall clock at the start of the run, Unix time in milliseconds; time stamps show it.",
        source="Assumption: noon UTC of the newest node list",
    )  # fmt: skip

    @property
    def horizon_us(self) -> int:
        return self.warmup_us + self.duration_us + self.drain_us


@dataclass(frozen=True, slots=True)
class OpenSettings:
    """One more replicate whose bytes are kept and opened for the ledger."""

    seed: int = setting(
        101, low=0, high=10**18,
        doc="Seed of the replicate whose bytes are kept and opened.",
        source="Assumption: any that is not among run.seeds",
    )  # fmt: skip
    suite: str = setting(
        "sodium",
        doc="Crypto suite of that replicate.",
        source="Assumption: real curves, because what is opened should be the real thing",
    )


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """Seeds that attacks learn from. They are run like the others, and no reading is made of them."""

    seeds: str = setting(
        "",
        doc="Seeds of the replicates that attacks learn from; empty for none.",
        source="Assumption: none; metrics 0.3: training and test split by seed",
    )


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Which picture of the real network is simulated."""

    date: str = setting(
        "2026-04-28",
        doc="Date of the node list.",
        source="data/mainnet_nodes.csv: the newest list with swarms",
    )
    limit_swarms: int = setting(
        0, low=0, high=100_000,
        doc="Take only so many swarms of the list, for quick trials; 0 takes all.",
        source="Assumption: all",
    )  # fmt: skip


def parse_seeds(text: str, place: str) -> tuple[int, ...]:
    """Turn "1..3,7" into (1, 2, 3, 7): ascending, each once.

    Raises:
        InvalidInput: not numbers and spans, a span that runs backwards, or too many.
    """
    allowed = 'numbers from 0 and spans, like "7", "1..8" or "1..3,7"'
    seeds: set[int] = set()
    for part in text.split(","):
        match = _SPAN.match(part.strip())
        if match is None:
            raise InvalidInput(place, text, allowed)
        first, last = int(match[1]), int(match[2] or match[1])
        if not first <= last < first + _MAX_SEEDS:
            raise InvalidInput(place, text, f"{allowed}, ascending, at most {_MAX_SEEDS}")
        seeds.update(range(first, last + 1))
        if len(seeds) > _MAX_SEEDS:
            raise InvalidInput(place, text, f"at most {_MAX_SEEDS} seeds")
    return tuple(sorted(seeds))
