"""The smallest sets of parties that learn each secret, as table rows: one per secret, one column per size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from sessionsim.core.sights import Coalitions, MinimalCoalition
from sessionsim.report._numbers import percent_digits
from sessionsim.report._secrets import SECRETS

MOST_SETS: Final = 5  # in one cell
_SIZES: Final = ("one alone", "two together", "three together", "four together")


class SetOf(NamedTuple):
    """One set. Args: names: of its members; amount: of items; percent: the same of all, 0..100."""

    names: str
    amount: str
    percent: float


class Cell(NamedTuple):
    """The sets of one size for one secret. Args: more: said of those that are not listed."""

    sets: tuple[SetOf, ...]
    more: str


class Panel(NamedTuple):
    """One table.

    Args:
        caption: what it is of.
        head: titles of the columns.
        rows: secret and its cells.
        note: what was looked at, and what learned nothing.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    note: str


def panels(found: Iterable[Coalitions]) -> list[Panel]:
    """Make a table of each list of parties: the scenario's observers first, then roles in the network."""
    captions = ("Among the observers of the scenario", "Among roles in the network, as far as recorded")
    return [_panel(one, caption) for one, caption in zip(found, captions, strict=False)]


def _panel(found: Coalitions, caption: str) -> Panel:
    secrets = {secret.id: secret for secret in SECRETS}
    by_secret: dict[str, list[MinimalCoalition]] = {}
    for one in found.sets:
        by_secret.setdefault(one.secret, []).append(one)
    # Sizes beyond which no set learns more have no column; the note says that they were looked at.
    sizes = range(1, max((len(one.members) for one in found.sets), default=1) + 1)
    rows = tuple(
        (
            f"{secrets[name].title} ({name})" if name in secrets else name,
            tuple(_cell([one for one in sets if len(one.members) == size], _nouns(name)) for size in sizes),
        )
        for name, sets in by_secret.items()
    )
    heads = [_SIZES[size - 1] if size <= len(_SIZES) else f"{size} together" for size in sizes]
    return Panel(caption, ("Secret", *heads), rows, _note(found))


def _nouns(name: str) -> str:
    return next((secret.nouns for secret in SECRETS if secret.id == name), "items")


def _cell(sets: list[MinimalCoalition], nouns: str) -> Cell:
    shown = tuple(
        SetOf(
            " + ".join(one.members),
            f"{one.alone:,} of {one.total:,} {nouns} ({percent_digits(one.share)} %)",
            100 * one.share,
        )
        for one in sets[:MOST_SETS]
    )
    left = len(sets) - len(shown)
    return Cell(shown, f"and {left:,} more sets" if left > 0 else "")


def _note(found: Coalitions) -> str:
    seeds = f"seed{'' if len(found.seeds) == 1 else 's'} {', '.join(map(str, found.seeds))}"
    text = (
        f"Parties: {', '.join(found.parties)}. Sets of up to {found.largest}, from the kept bytes of {seeds}."
    )
    widest = max((len(one.members) for one in found.sets), default=found.largest)
    if widest < found.largest:
        text += f" Sets of more than {widest} learn nothing that no part of them learns."
    idle = [name for name in found.parties if not any(name in one.members for one in found.sets)]
    if idle:
        text += f" In no smallest set: {', '.join(idle)}."
    return text
