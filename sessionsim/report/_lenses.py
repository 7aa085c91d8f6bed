"""Lenses: a run as one observer knows it, and what observers know together that none of them knows alone.

Both are read off the stored ledgers; nothing is deduced here. Each fact comes with its derivation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sessionsim.core.ledger import Fact, sentence
from sessionsim.report._numbers import count_of

MOST_FACTS: Final = 30  # shown of one observer; a page of all facts would be too long to read
_Claim = tuple[str, str, str]


class Shown(NamedTuple):
    """One fact. Args: time: when it was known, by the observer's clock; text: in words; steps: how."""

    time: str
    text: str
    steps: tuple[str, ...]


class Lens(NamedTuple):
    """What one observer knows.

    Args:
        title: the observer, and how many facts.
        kinds: relation and number of facts, the most frequent first.
        facts: the first ones by time, some of each relation.
        rest: said of those that are not shown; empty if all are.
    """

    title: str
    kinds: tuple[tuple[str, str], ...]
    facts: tuple[Shown, ...]
    rest: str


def lenses(facts: Iterable[Fact]) -> list[Lens]:
    """Give a lens for each observer that has facts, in the order of names."""
    ledgers = _by_observer(facts)
    return [_lens(name, ledgers[name]) for name in sorted(ledgers)]


def together(facts: Iterable[Fact], manifest: Mapping[str, Any]) -> list[Lens]:
    """Give for each coalition of the scenario what it knows and none of its members knows alone."""
    ledgers = _by_observer(facts)
    found = []
    for name, settings in sorted(manifest.get("resolved", {}).get("vantages", {}).items()):
        members = settings.get("members") or ()
        if members:
            alone = {_claim(fact) for member in members for fact in ledgers.get(member, ())}
            surplus = [fact for fact in ledgers.get(name, ()) if _claim(fact) not in alone]
            found.append(_lens(f"{name} ({' + '.join(map(str, members))})", surplus))
    return found


def _by_observer(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    ledgers: dict[str, list[Fact]] = {}
    for fact in facts:
        ledgers.setdefault(fact.observer, []).append(fact)
    return ledgers


def _claim(fact: Fact) -> _Claim:
    return (fact.relation.value, fact.subject, fact.object)


def _lens(name: str, ledger: Sequence[Fact]) -> Lens:
    kinds = sorted(
        Counter(fact.relation.value for fact in ledger).items(), key=lambda kind: (-kind[1], kind[0])
    )
    chosen = sorted(_some(ledger), key=lambda fact: fact.t_us)
    rest = len(ledger) - len(chosen)
    return Lens(
        f"{name}: {count_of(len(ledger), 'fact')}",
        tuple((kind, f"{number:,}") for kind, number in kinds),
        tuple(
            Shown(
                f"{fact.t_us / 1e6:.3f} s",
                sentence(fact.relation, fact.subject, fact.object),
                fact.derivation,
            )
            for fact in chosen
        ),
        f"{rest:,} more; sessionsim explain finds each of them by a word or a number." if rest else "",
    )


def _some(ledger: Sequence[Fact]) -> list[Fact]:
    """Choose the first facts of every relation in turn, so that rare ones are among them."""
    by_kind: dict[str, list[Fact]] = {}
    for fact in ledger:
        by_kind.setdefault(fact.relation.value, []).append(fact)
    rounds = max(map(len, by_kind.values()), default=0)
    turns = (those[k] for k in range(min(rounds, MOST_FACTS)) for those in by_kind.values() if k < len(those))
    return [fact for fact, _ in zip(turns, range(MOST_FACTS), strict=False)]
