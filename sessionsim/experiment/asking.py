"""Questions to stored runs: what observers would know, alone and together, and how a fact came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sessionsim.adversary import emergent, join
from sessionsim.adversary.explaining import explain
from sessionsim.core.errors import InvalidInput
from sessionsim.core.ledger import Fact, sentence
from sessionsim.core.readings import Reading
from sessionsim.core.scene import Position
from sessionsim.core.sights import Explained
from sessionsim.experiment.archive import Archive, opened_replicates
from sessionsim.metrics import METRICS, Replicate


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What some observers know.

    Args:
        seeds: of the replicates that were looked at.
        observers: those asked about, and all together last.
        readings: of `who-learned-what`, one observer after the other.
        surplus: facts that only the coalition has, of the first replicate; empty for a single observer.
        left_out: endpoints that an observer would have watched but that were not recorded, by its name.
        notes: what else an observer would have had that was not recorded, by its name.
    """

    seeds: tuple[int, ...]
    observers: tuple[str, ...]
    readings: tuple[Reading, ...]
    surplus: tuple[Fact, ...]
    left_out: dict[str, int]
    notes: dict[str, str]


def knows(folder: Path, names: Sequence[str]) -> Knowledge:
    """Ask what observers know, each alone and, if there are several, all together.

    Args:
        folder: a stored run or one replicate of it.
        names: observers of the scenario, or kinds of vantages.

    Raises:
        InvalidInput: an unknown name, or a place where nothing was recorded.
        StorageDamaged: no replicate whose bytes were kept.
    """
    if not names:
        raise InvalidInput("--as", "", "at least one observer")
    together = " + ".join(names)
    replicates, surplus, seeds = list[Replicate](), list[Fact](), list[int]()
    left_out, notes = dict[str, int](), dict[str, str]()
    for path in opened_replicates(folder):
        archive = Archive(path)
        places = {name: archive.position(name) for name in names}
        notes |= archive.notes
        positions = {name: place for name, (place, _) in places.items()}
        left_out |= {name: missing for name, (_, missing) in places.items() if missing}
        if len(names) > 1:
            positions[together] = join(positions.values())
        ledgers = {name: archive.facts(name, position) for name, position in positions.items()}
        if len(names) > 1 and not seeds:
            surplus = emergent([ledgers[name] for name in names], ledgers[together])
        replicates.append(archive.replicate(positions, ledgers))
        seeds.append(archive.seed)
    METRICS.scan()
    entry = METRICS["who-learned-what"]
    metric = entry.factory(entry.config())
    readings = metric.readings([metric.tally(replicate) for replicate in replicates])
    return Knowledge(tuple(seeds), tuple(positions), tuple(readings), tuple(surplus), left_out, notes)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a question about a fact.

    Args:
        seed: of the replicate.
        facts: number and fact of all that fit.
        explanation: of the fact, if only one fits.
    """

    seed: int
    facts: tuple[tuple[int, Fact], ...]
    explanation: Explained | None


def explain_fact(folder: Path, words: Sequence[str], observer: str | None = None) -> Found:
    """Find a fact in the ledgers of a stored run, and explain it.

    Args:
        folder: a stored run or one replicate of it; of several the first opened one is asked.
        words: the number of a fact, or words that must all stand in what it says.
        observer: only facts of this one; of several observers or kinds, with commas, those of all together.

    Raises:
        InvalidInput: no words, an unknown observer, or nothing fits.
        StorageDamaged: no replicate whose bytes were kept.
    """
    archive = Archive(opened_replicates(folder)[0])
    places, numbered = _ledger_of(archive, observer)
    found = tuple((number, fact) for number, fact in numbered if _fits(number, fact, words))
    if not found or not words:
        allowed = "the number of a fact, or words that stand in one"
        hint = f"The ledgers of seed {archive.seed} hold {len(numbered)} facts."
        raise InvalidInput("FACT", " ".join(words), allowed, hint)
    if len(found) > 1:
        return Found(archive.seed, found, None)
    ((number, fact),) = found
    closure = archive.closure(fact.observer, places[fact.observer])
    explanation = Explained(number, archive.seed, fact.observer, fact.t_us, *explain(closure, fact))
    return Found(archive.seed, found, explanation)


def _ledger_of(
    archive: Archive, observer: str | None
) -> tuple[Mapping[str, Position], list[tuple[int, Fact]]]:
    """Give where observers stand, and their facts by number: of the stored ledger, or deduced for others."""
    if observer is None or observer in archive.declared:
        numbered = list(enumerate(archive.ledger(), 1))
        wanted = [one for one in numbered if observer in (None, one[1].observer)]
        return archive.declared, wanted
    names = dict.fromkeys(name.strip() for name in observer.split(",") if name.strip())
    if not names:
        raise InvalidInput("--as", observer, "at least one observer")
    together, position = " + ".join(names), join([archive.position(name)[0] for name in names])
    return {together: position}, list(enumerate(archive.facts(together, position), 1))


def _fits(number: int, fact: Fact, words: Sequence[str]) -> bool:
    if len(words) == 1 and words[0].isdecimal():
        return number == int(words[0])
    text = f"{fact.observer} {fact.relation} {sentence(fact.relation, fact.subject, fact.object)}".lower()
    return all(word.lower() in text for word in words)
