"""A small installation of fakes, so that these tests hold whatever drop-ins exist."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.scenario import Catalogue


@dataclass(frozen=True, slots=True)
class Links:
    same_site_rtt_us: int = setting(
        500, unit="us", low=0, high=US_PER_S, doc="Same site.", source="metrics 5"
    )
    jitter: str = setting("measured", choices=("measured", "none"), doc="Jitter.", source="metrics 5")


@dataclass(frozen=True, slots=True)
class Wire:
    record_bytes: int = setting(22, unit="bytes", low=0, doc="TLS record.", source="RFC 8446")
    beat_us: int = setting(10, unit="us", low=0, doc="Time between beats.", source="Assumption: ten")
    beat_bytes: int = setting(68, unit="bytes", low=0, doc="Size of a beat.", source="Assumption: small")


@dataclass(frozen=True, slots=True)
class Nodes:
    clock_error_us: int = setting(0, unit="us", doc="Clock error.", source="Assumption: none")


@dataclass(frozen=True, slots=True)
class Mix:
    fast_lines_prob: float = setting(0.5, unit="prob", low=0, high=1, doc="Share.", source="Assumption: half")


@dataclass(frozen=True, slots=True)
class Rules:
    poll_interval_us: int = setting(
        5 * US_PER_S, unit="us", low=10_000, doc="Poll.", source="client-behaviour 6.1"
    )
    namespaces: tuple[int, ...] = setting((0, 2), doc="Namespaces.", source="client-behaviour 6.1")
    growth: float = setting(1.0, low=1, high=10, doc="Growth.", source="client-behaviour 6.3")
    sync_copy: bool = setting(True, doc="Sync.", source="client-behaviour 6.3")


@dataclass(frozen=True, slots=True)
class ActivePairs:
    pace: float = setting(1.0, low=0.01, high=100, doc="Pace.", source="Assumption: as measured")


@dataclass(frozen=True, slots=True)
class Replay:
    trace: str = setting(
        dataclasses.MISSING, path=True, doc="The file.", source="Assumption: chosen per question"
    )
    window_us: int = setting(US_PER_S, unit="us", low=1, doc="Window.", source="Assumption: short")


@dataclass(frozen=True, slots=True)
class Snodes:
    fraction_prob: float = setting(0.1, unit="prob", low=0, high=1, doc="Share.", source="threat-model A7")


@dataclass(frozen=True, slots=True)
class Coalition:
    members: tuple[str, ...] = setting(dataclasses.MISSING, doc="Members.", source="threat-model A18")


@dataclass(frozen=True, slots=True)
class FileRules:
    tries: int = setting(3, low=1, doc="Tries.", source="client-behaviour 6.5")


@dataclass(frozen=True, slots=True)
class Servers:
    file_in: tuple[str, ...] = setting(("DE",), doc="Where.", source="Assumption: there")
    off: tuple[str, ...] = setting((), doc="Off.", source="Assumption: none")


@dataclass(frozen=True, slots=True)
class Files:
    lifetime_us: int = setting(US_PER_S, unit="us", low=1, doc="Life.", source="client-behaviour 6.5")


@dataclass(frozen=True, slots=True)
class Second:
    adoption_prob: float = setting(
        1.0, unit="prob", low=0, high=1, doc="H6: share.", source="Assumption: all of them"
    )


@dataclass(frozen=True, slots=True)
class SecondPeople:
    population: str = setting(
        "drawn", choices=("drawn", "twins"), doc="Who.", source="Assumption: chosen per question"
    )


@dataclass(frozen=True, slots=True)
class Crash:
    at_us: int = setting(0, unit="us", low=0, doc="When.", source="Assumption: chosen")
    lasts_us: int = setting(0, unit="us", low=0, doc="How long.", source="Assumption: chosen")

    def __post_init__(self) -> None:
        if self.at_us and not self.lasts_us:
            raise InvalidInput("lasts_us", 0, "a length")


@dataclass(frozen=True, slots=True)
class Delay:
    adds_us: int = setting(7, unit="us", low=1, doc="How much.", source="Assumption: chosen")


@dataclass(frozen=True, slots=True)
class Hold:
    hold_us: int = setting(7, unit="us", low=1, doc="How long.", source="Assumption: chosen")


@dataclass(frozen=True, slots=True)
class Guessing:
    keep: int = setting(10, low=1, doc="How many.", source="Assumption: ten")


@dataclass(frozen=True, slots=True)
class Strangers:
    population: int = setting(0, low=0, doc="How many.", source="Assumption: none")


CATALOGUE = Catalogue(
    sections={
        "network.links": Links,
        "network.wire": Wire,
        "nodes": Nodes,
        "clients.mix": Mix,
        "servers": Servers,
        "servers.file": Files,
        "background": Strangers,
        "months": Strangers,
        "v2": Second,
        "v2.people": SecondPeople,
    },
    platforms={"desktop": Rules(), "ios": Rules(poll_interval_us=1_500_000)},
    parts={"files": {"desktop": FileRules(), "ios": FileRules(tries=1)}},
    patterns={"active-pairs": ActivePairs, "replay": Replay},
    vantages={"snodes": Snodes, "coalition": Coalition},
    faults={"crash": Crash, "delay": Delay},
    interference={"hold": Hold},
    attacks={"guessing": Guessing},
    defences={"one-size": Guessing, "no-cover": Strangers},
    suites=("fast", "sodium"),
    dates=("2026-03-01", "2026-04-28"),
)

GOOD = """\
title = "A title"
question = "Who learns what?"

[run]
seeds = "1..3"
warmup = "5 s"
duration = "1 min"
[run.open]
seed = 101

[network]
date = "2026-04-28"
[network.links]
jitter = "none"

[clients]
desktop = 3
ios = 1

[platform.ios]
poll_interval = "2 s"
namespaces = [
    0,
    5,
]

[workload]
pattern = "active-pairs"
pace = 2

[vantages.nodes]
kind = "snodes"
fraction = "12.5 %"
[vantages.all]
kind = "coalition"
members = ["nodes"]
[attacks.try]
kind = "guessing"
vantage = "all"
keep = 3
[training]
seeds = "201..202"
"""


@pytest.fixture
def catalogue() -> Catalogue:
    return CATALOGUE


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.toml"
    path.write_text(GOOD)
    return path
