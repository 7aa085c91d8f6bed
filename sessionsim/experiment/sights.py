"""Prepares stored runs for being looked at: what each observer saw, what it knew and how, which sets suffice.

Everything is deduced again from stored files, as `knows`, `explain` and `coalitions` do it; which part of a
long run is shown is chosen here, without chance, so that equal runs are shown equally. Sights are of the
first replicate whose bytes were kept, coalitions of all of these.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from sessionsim.adversary import claims
from sessionsim.adversary.explaining import explain
from sessionsim.adversary.ledgers import Claim
from sessionsim.adversary.looking import Looking
from sessionsim.core.errors import StorageDamaged
from sessionsim.core.ledger import Fact
from sessionsim.core.sights import Explained, Opening, Record, Sight, Sights, evenly
from sessionsim.experiment.archive import Archive, opened_replicates
from sessionsim.experiment.coalitions import (
    MOST_OBSERVERS,
    SetCount,
    affordable,
    observers_of,
    roles_of,
)

# How much of a run is shown. Assumption: what a page can hold and a person can read.
MOST_SIGHTS: Final = 8
MOST_RECORDS: Final = 400
MOST_FACTS: Final = 24
PARTS: Final = 60  # of the time between first and last record, in which records are counted
_ROW: Final = re.compile(r"\brows? (\d+)(?: and (\d+))?")

Numbered = tuple[int, Fact]


def sights_of(folder: Path) -> Sights | None:
    """Prepare what a report shows of a stored run's observers.

    Args:
        folder: a stored run or one replicate of it.

    Returns:
        None if no replicate's bytes were kept, so that nobody could open anything.

    Raises:
        StorageDamaged: a file that is needed cannot be read.
    """
    try:
        opened = opened_replicates(folder)
    except StorageDamaged:
        return None
    archive = Archive(opened[0])
    counts = _counts(archive, len(opened))
    for path in opened:
        one = archive if path == opened[0] else Archive(path)
        for count in counts:
            count.add(one)
    ledgers: dict[str, list[Numbered]] = {name: [] for name in archive.declared}
    for number, fact in enumerate(archive.ledger(), 1):
        ledgers[fact.observer].append((number, fact))
    names = list(archive.declared)
    return Sights(
        seed=archive.seed,
        sights=tuple(_sight(archive, name, ledgers) for name in names[:MOST_SIGHTS]),
        left_out=tuple(names[MOST_SIGHTS:]),
        coalitions=tuple(count.coalitions() for count in counts),
    )


def _counts(archive: Archive, replicates: int) -> list[SetCount]:
    """Say among whom the smallest sets are looked for: the scenario's observers, and roles in the network."""
    rows = len(archive.transcript) * replicates
    lists = (observers_of(archive)[:MOST_OBSERVERS], roles_of(archive))
    return [SetCount(names, affordable(len(names), rows)) for names in lists if names]


def _sight(archive: Archive, name: str, ledgers: Mapping[str, Sequence[Numbered]]) -> Sight:
    members = archive.members.get(name, ())
    closure = archive.closure(name, archive.declared[name])
    looking, view, ledger = Looking(closure), closure.view, ledgers[name]
    alone = set[Claim]()
    for member in members:
        alone |= claims(fact for _, fact in ledgers.get(member, ()))
    surplus = [number for number, fact in ledger if members and _claim(fact) not in alone]
    chosen = choose_facts(ledger, set(surplus), MOST_FACTS)
    explained = [
        Explained(
            number, archive.seed, name, fact.t_us, *explain(closure, fact),
            rows=rows_in(fact), emergent=number in surplus,
        )
        for number, fact in chosen
    ]  # fmt: skip
    rests = {row for fact in explained for row in fact.rows}
    times, openings = view.rows["t_us"], looking.openings()
    begin, end = (int(times[0]), int(times[-1])) if len(times) else (0, 0)
    return Sight(
        observer=name,
        members=members,
        begin_us=begin,
        end_us=end,
        rows=len(times),
        records=tuple(_records(looking, view.rows["row"].tolist(), rests)),
        lanes=_by_lane(*looking.lanes(), times.astype(np.int64), begin, end),
        openings=tuple(int((openings == one).sum()) for one in Opening),  # type: ignore[arg-type]
        facts=len(ledger),
        kinds=_kinds(fact for _, fact in ledger),
        emergent=len(surplus),
        explained=tuple(sorted(explained, key=lambda fact: (not fact.emergent, fact.t_us, fact.number))),
    )


def _claim(fact: Fact) -> Claim:
    return (fact.relation, fact.subject, fact.object)


def choose_facts(ledger: Sequence[Numbered], first: set[int], most: int) -> list[Numbered]:
    """Choose facts to show: each relation in turn, by number, so that rare ones are among them.

    Args:
        first: numbers of facts that go before all others.
        most: how many to choose.
    """
    by_kind: dict[tuple[bool, str], list[Numbered]] = {}
    for number, fact in ledger:
        by_kind.setdefault((number not in first, fact.relation.value), []).append((number, fact))
    ranked = sorted(
        (
            (later, turn, number, fact)
            for (later, _), those in by_kind.items()
            for turn, (number, fact) in enumerate(those[:most])
        ),
        key=lambda one: one[:3],
    )
    return [(number, fact) for _, _, number, fact in ranked[:most]]


def rows_in(fact: Fact) -> tuple[int, ...]:
    """Give the numbers of the records that a fact's derivation names, in its order."""
    found = (number for step in fact.derivation for match in _ROW.finditer(step) for number in match.groups())
    return tuple(dict.fromkeys(int(number) for number in found if number is not None))


def _records(looking: Looking, numbers: Sequence[int], rests: set[int]) -> Iterable[Record]:
    """Describe the records that facts rest on, and others evenly, in time order."""
    wanted = [at for at, number in enumerate(numbers) if number in rests][:MOST_RECORDS]
    others = sorted(set(range(len(numbers))).difference(wanted))
    room = MOST_RECORDS - len(wanted)
    some = [others[k] for k in evenly(len(others), room)] if room > 1 else []
    return looking.records(sorted((*wanted, *some)))


def _by_lane(
    lane: np.ndarray, names: Sequence[str], times: np.ndarray, begin_us: int, end_us: int
) -> dict[str, tuple[int, ...]]:
    """Count the records of each kind of link in equal parts of the time."""
    part = np.minimum((times - begin_us) * PARTS // max(1, end_us - begin_us), PARTS - 1)
    counted = np.bincount(lane * PARTS + part, minlength=len(names) * PARTS).reshape(len(names), PARTS)
    return {name: tuple(numbers) for name, numbers in zip(names, counted.tolist(), strict=True)}


def _kinds(facts: Iterable[Fact]) -> tuple[tuple[str, int], ...]:
    counted = Counter(fact.relation.value for fact in facts)
    return tuple(sorted(counted.items(), key=lambda kind: (-kind[1], kind[0])))
