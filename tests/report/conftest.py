"""Results made by hand: readings, manifest and times of three small seeds, as a run would store them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sessionsim.core.ledger import Fact, Relation
from sessionsim.core.readings import Reading
from sessionsim.core.sights import (
    Coalitions,
    Explained,
    MinimalCoalition,
    Opening,
    Record,
    Sight,
    Sights,
    Step,
)
from sessionsim.report import ReportData, SeedFacts

COUNTS = {
    "delivered": 98.0, "waiting": 1.0, "expired": 0.0, "lost": 0.0, "refused": 2.0, "messages": 101.0,
    "refused: status 504": 2.0,
}  # fmt: skip
NOUNS = {
    **dict.fromkeys(("S1", "S1-named", "S2", "S2-named", "S3", "S4", "S10"), "messages"),
    **dict.fromkeys(("S6", "S6-named", "S7", "S7-address"), "accounts"),
    "S5": "contacts",
    "S1-sync": "sync copies",
}
SHAPE = {"accounts of shape 5 2 7": 20.0, "nodes": 1000.0, "accounts": 20.0}


def make(
    metric: str, name: str, unit: str, value: float | None, spread: float = 0.1, **other: Any
) -> Reading:
    low = None if value is None else value * (1 - spread)
    high = None if value is None else value * (1 + spread)
    facts: dict[str, Any] = {
        "interval": "95 % t over seeds", "n": 3, "n_unit": "seed", "baseline": None, "baseline_name": "",
        "needed": None if value is not None else 3, "counts": {},
    }  # fmt: skip
    facts.update(other)
    return Reading(metric, name, unit, value, facts.pop("low", low), facts.pop("high", high), **facts)


def sample_readings() -> list[Reading]:
    found = []
    for stretch, p50 in (("intent to stored", 4e5), ("stored to delivered", 1.5e6), ("end to end", 2e6)):
        numbers = {"messages": 98.0, "seeds": 3.0}
        found.append(make("latency", f"{stretch}, mean", "us", p50 * 1.1, counts=numbers))
        found.append(make("latency", f"{stretch}, p50", "us", p50, counts=numbers))
        found.append(make("latency", f"{stretch}, p95", "us", 3 * p50, counts=numbers))
        lacking = {"needed": 1000, "n": 98, "n_unit": "message", "counts": numbers}
        found.append(make("latency", f"{stretch}, p99", "us", None, **lacking))
    found.append(make("delivery", "delivered", "prob", 0.98, 0.01, counts=COUNTS))
    found.append(make("delivery", "unfinished at the end", "prob", 0.0099, counts=COUNTS))
    clients = {"watched clients": 15.0, "clients": 60.0}
    for group in ("client links", "desktop clients", "node links"):
        causes = {
            "message": 4e6,
            "sync": 4e6,
            "poll": 6e7,
            "replication": 0.0,
            "lookup": 1e5,
            "handshake": 2e6,
        }
        for cause, amount in {**causes, "keepalive": 0.0, "total": 70.1e6}.items():
            found.append(make("traffic", f"{group}, {cause}", "bytes", amount, counts=clients))
    for label, bad in (
        ("snodes", 100.0),
        ("random coalition of 5 %", 50.0),
        ("random coalition of 20 %", 200.0),
    ):
        for event, value in (("bad replica", 0.4), ("bad guard", 0.2), ("both", 0.1)):
            numbers = {**SHAPE, "bad nodes": bad, "covered": 20 * value}
            found.append(
                make(
                    "coalition-coverage",
                    f"{label}: {event}",
                    "prob",
                    value,
                    counts=numbers,
                    baseline=value * 0.9,
                )
            )
    wilson = {"n": 20, "n_unit": "account", "interval": "95 % Wilson over accounts"}
    for observer, known in (("isp", 0.0), ("snodes", 3.0)):
        for secret, noun in NOUNS.items():
            numbers = {"accounts": 20.0, noun: 20.0, "known": 20.0 if secret == "S10" and known else known}
            if secret == "S6":
                numbers["ceiling"] = 4.0
            share = numbers["known"] / 20
            ends = {"low": share * 0.5, "high": min(1.0, share + 0.16)}
            blind = {"baseline": 1 / 19, "baseline_name": "blind guess"}
            name = f"{observer}: {secret}"
            facts = {**wilson, **ends, **blind, "counts": numbers}
            found.append(make("who-learned-what", name, "prob", share, **facts))
        found.append(
            make("who-learned-what", f"{observer}: contradicted facts", "count", 0.0, counts={"facts": 9.0})
        )
    return found


def sample_manifest() -> dict[str, Any]:
    return {
        "version": "0.1.0",
        "commit": "0123456789abcdef",
        "scenario": "sample",
        "title": "A sample",
        "question": "Who learns what?",
        "observers": [{"name": "isp", "kind": "provider"}, {"name": "snodes", "kind": "snodes"}],
        "resolved": {"vantages": {"isp": {"kind": "provider"}, "snodes": {"kind": "snodes"}}},
        "resolved_toml": 'title = "A sample"\n[run]\nseeds = "1..3"\n',
        "settings": [
            {"section": "run", "key": "drain", "value": "15 s", "unit": "us", "doc": "Time after.",
             "source": "Assumption: several polls", "assumption": True},
            {"section": "nodes", "key": "hops", "value": "3", "unit": "", "doc": "Relays of a path.",
             "source": "transport 3.4", "assumption": False},
        ],
        "python": "3.11",
        "libraries": {"numpy": "2.0"},
        "written": "2026-01-01T00:00:00+00:00",
        "seed": 1,
        "suite": "fast",
    }  # fmt: skip


def sample_seeds() -> tuple[SeedFacts, ...]:
    found = []
    for seed in (1, 2, 3):
        rng = np.random.default_rng(seed)
        intent = np.arange(40, dtype=np.int64) * 1_000_000
        stored = intent + rng.lognormal(13, 0.3, 40).astype(np.int64)
        delivered = stored + rng.lognormal(14, 0.6, 40).astype(np.int64)
        delivered[0] = -1
        found.append(SeedFacts(seed, "sodium" if seed == 3 else "fast", seed == 3, intent, stored, delivered))
    return tuple(found)


@pytest.fixture(scope="session")
def readings() -> list[Reading]:
    return sample_readings()


@pytest.fixture
def manifest() -> dict[str, Any]:
    return sample_manifest()


@pytest.fixture(scope="session")
def make_reading() -> Callable[..., Reading]:
    return make


@pytest.fixture(scope="session")
def data(readings: list[Reading]) -> ReportData:
    facts = (
        Fact("snodes", Relation.ACTS_FOR, "addr:244.0.0.1", "account:05ab", 1, ("row 3", "key of node 7")),
        Fact("snodes", Relation.ACTS_FOR, "addr:244.0.0.2", "account:05cd", 2, ("row 9",)),
    )  # fmt: skip
    return ReportData(
        "sample", tuple(readings), sample_manifest(), sample_seeds(), facts, {"Nodes": "CC BY 4.0"}
    )


def sample_sight(observer: str, *, members: tuple[str, ...] = (), records: int = 3) -> Sight:
    """Give what somebody saw within ten seconds: a request, its answer, and so on."""
    seen = tuple(
        Record(
            row=k, t_us=1_000_000 + k * 9_000_000 // max(1, records - 1), source="244.0.0.1", target="node 7",
            lane="client – node", answer=k % 2 == 1, transport="HTTPS", size_bytes=900 + k,
            opening=Opening(k % 4), opened="seen from outside" if k % 4 == 0 else "1 layer opened: store",
        )
        for k in range(records)
    )  # fmt: skip
    first = {"isp": 30, "snodes": 60, "all": 90}[observer]
    facts = tuple(
        Explained(
            first + k, 3, observer, 2_000_000 + k, f"account:05a{k} was there at this time",
            (Step("row 0: from addr:244.0.0.1", ("At 1.000000 s node 7 gets 900 bytes.", "  00 01")),),
            rows=(0,), emergent=bool(members) and k == 0,
        )
        for k in range(2)
    )  # fmt: skip
    return Sight(
        observer, members, 1_000_000, 10_000_000, 40, seen, {"client – node": (*(0,) * 59, 40)},
        (30, 5, 3, 2), 12, (("online", 10), ("sent", 2)), 1 if members else 0, facts,
    )  # fmt: skip


def sample_sights() -> Sights:
    sets = (
        MinimalCoalition("S3", ("snodes",), 8, 8, 20),
        MinimalCoalition("S6", ("isp", "snodes"), 3, 3, 20),
    )
    return Sights(
        3,
        (sample_sight("isp"), sample_sight("snodes"), sample_sight("all", members=("isp", "snodes"))),
        ("late",),
        (Coalitions(("isp", "snodes", "nobody"), 3, (3,), sets), Coalitions(("guard",), 1, (3,), ())),
    )


@pytest.fixture(scope="session")
def sights() -> Sights:
    return sample_sights()


@pytest.fixture(scope="session")
def sighted(data: ReportData, sights: Sights) -> ReportData:
    """Give the sample with what its observers saw."""
    return dataclasses.replace(data, sights=sights)
