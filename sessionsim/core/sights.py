"""A run as its observers saw it, ready to be shown: records, what of them could be opened, facts explained.

Made by `experiment` from stored files and drawn by `report`; nothing here is deduced. Only a part of a long
run is shown, and everything says of how much. Texts are an observer's: names, clock and row numbers are
those of its own view.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple


class Opening(IntEnum):
    """How far an observer gets into a record; more is more."""

    OUTSIDE = 0  # it sees time, ends and size on the wire, or there is nothing inside
    SEALED = 1  # it has the bytes and opens no layer of them
    PEELED = 2  # it opens a layer, and finds another that it cannot open
    READ = 3  # it reads the request or the answer


class Step(NamedTuple):
    """One step of a derivation. Args: text: as in the ledger; told: what to look at, line by line."""

    text: str
    told: tuple[str, ...]


class Explained(NamedTuple):
    """A fact with its derivation taken up step by step.

    Args:
        number: of the fact among all of its replicate, counted from 1, as `explain` counts.
        seed: of the replicate.
        observer: who knows it.
        t_us: since when, by its clock.
        says: the fact in words.
        steps: in order.
        rows: the records that the derivation names.
        emergent: a coalition knows it, and none of its members does.
    """

    number: int
    seed: int
    observer: str
    t_us: int
    says: str
    steps: tuple[Step, ...]
    rows: tuple[int, ...] = ()
    emergent: bool = False


class Record(NamedTuple):
    """One record as an observer saw it.

    Args:
        row: its number in the run.
        t_us: when, by the observer's clock.
        source, target: its two ends, as the observer knows them.
        lane: what kind of link it went over, for example `client – node`.
        answer: it answers something; otherwise it asks or tells.
        transport: what carried it.
        size_bytes: of the application's bytes, on the wire where only that is seen.
        opening: how far the observer gets into it.
        opened: the same in words.
    """

    row: int
    t_us: int
    source: str
    target: str
    lane: str
    answer: bool
    transport: str
    size_bytes: int
    opening: Opening
    opened: str


@dataclass(frozen=True, slots=True)
class Sight:
    """What one observer saw and knew in one replicate.

    Args:
        observer: its name.
        members: of a coalition; empty for one observer.
        begin_us, end_us: of its first and its last record, by its clock.
        rows: how many records it has.
        records: those that are shown, in time order.
        lanes: kind of link -> records in each of equal parts of the time between begin and end.
        openings: how many of all records it gets how far into, by `Opening`.
        facts: how many facts it has.
        kinds: relation and number of facts, the most frequent first.
        emergent: how many of the facts none of its members has.
        explained: the facts that are shown, by time; emergent ones before others.
    """

    observer: str
    members: tuple[str, ...]
    begin_us: int
    end_us: int
    rows: int
    records: tuple[Record, ...]
    lanes: dict[str, tuple[int, ...]]
    openings: tuple[int, int, int, int]
    facts: int
    kinds: tuple[tuple[str, int], ...]
    emergent: int
    explained: tuple[Explained, ...]


@dataclass(frozen=True, slots=True)
class MinimalCoalition:
    """A set of parties that learns a secret of some items, of which none of its parts does.

    Args:
        secret: its number, such as S6.
        members: names of the parties.
        alone: items of which no part of the set learns it.
        known: items of which the set learns it at all.
        total: items there are.
    """

    secret: str
    members: tuple[str, ...]
    alone: int
    known: int
    total: int

    @property
    def share(self) -> float:
        """Of all items, those of which this set learns the secret and no part of it does."""
        return self.alone / self.total


@dataclass(frozen=True, slots=True)
class Coalitions:
    """The smallest sets among some parties.

    Args:
        parties: whose sets were looked at.
        largest: most members of a set that was looked at.
        seeds: of the replicates.
        sets: by secret, size, and falling share.
    """

    parties: tuple[str, ...]
    largest: int
    seeds: tuple[int, ...]
    sets: tuple[MinimalCoalition, ...]


@dataclass(frozen=True, slots=True)
class Sights:
    """What is shown of the observers of a run.

    Args:
        seed: of the replicate that the sights are of.
        sights: one per observer, in the order of the scenario.
        left_out: observers that are not shown.
        coalitions: the smallest sets, of the scenario's observers and of the roles in the network.
    """

    seed: int
    sights: tuple[Sight, ...]
    left_out: tuple[str, ...]
    coalitions: tuple[Coalitions, ...]


def heading(fact: Explained) -> tuple[str, str]:
    """Say what a fact is, and who knows it since when: the first two lines of its explanation."""
    return (
        f"Fact {fact.number} of seed {fact.seed}: {fact.says}.",
        f"\u201c{fact.observer}\u201d knows it from {fact.t_us / 1e6:.6f} s on, for certain, in"
        f" {len(fact.steps)} step{'' if len(fact.steps) == 1 else 's'}.",
    )


def told(fact: Explained) -> list[str]:
    """Write a fact's explanation line by line, as `explain` prints it and a report shows it."""
    lines = list(heading(fact))
    for place, step in enumerate(fact.steps, 1):
        lines += ["", f"{place}. {opening_of(step)}"]
        lines += [f"   {line}" for line in step.told]
    return lines


def opening_of(step: Step) -> str:
    """Write a step as the beginning of a paragraph."""
    return f"{step.text[:1].upper()}{step.text[1:]}"


def evenly(total: int, most: int) -> Sequence[int]:
    """Choose up to `most` places of `total`, evenly from the first to the last."""
    if total <= most:
        return range(total)
    return [k * (total - 1) // (most - 1) for k in range(most)]
