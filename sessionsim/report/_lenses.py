"""Lenses: the run as each observer saw it, and what a coalition knows that none of its members knows alone.

All of it comes prepared (`core.sights`); here it is only put into words, rows and a block for the script.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from sessionsim.core.sights import Explained, Opening, Record, Sight, Sights, heading, opening_of
from sessionsim.report._numbers import count_of, quantity
from sessionsim.report._timeline import CLASSES, NARROW, WIDE, WORDS, timeline

MOST_ROWS: Final = 40  # records in a table; the script shows all that are on the page
HEAD: Final = ("time", "from", "to", "carried by", "size", "what could be opened", "facts")


class Step(NamedTuple):
    """One step of a fact. Args: text: what is done; told: what to look at, line by line."""

    text: str
    told: str


class Fact(NamedTuple):
    """One fact. Args: number: as `explain` counts; time, says: on its line; heading, steps: as explained."""

    number: int
    time: str
    t_us: int
    says: str
    heading: tuple[str, str]
    steps: tuple[Step, ...]
    emergent: bool


class Row(NamedTuple):
    """One record of the table. Args: cells: texts under HEAD but the last; facts: numbers of facts."""

    disc: str
    cells: tuple[str, ...]
    facts: tuple[int, ...]


class Lens(NamedTuple):
    """What one observer saw and knew.

    Args:
        id: of its part of the page.
        observer: its name.
        title: its name and members.
        summary: how many records and facts.
        opened: how far it got into how many records.
        wide, narrow: drawings of its time line; empty for none.
        shown: how many records are drawn, of how many.
        table_note: how many are listed, of how many; empty for all.
        rows: of the table.
        kinds: relation and number of facts.
        emergent: what is said of facts that no member has; empty for a single observer.
        facts: that are shown.
        rest: said of facts that are not shown; empty if all are.
    """

    id: str
    observer: str
    title: str
    summary: str
    opened: str
    wide: Markup
    narrow: Markup
    shown: str
    table_note: str
    rows: tuple[Row, ...]
    kinds: str
    emergent: str
    facts: tuple[Fact, ...]
    rest: str


def lens_ids(sights: Sights | None) -> dict[str, str]:
    """Give the id of each observer's lens on the page."""
    return {sight.observer: f"lens-{k}" for k, sight in enumerate(sights.sights if sights else (), 1)}


def lenses(sights: Sights | None) -> list[Lens]:
    """Make a lens for each observer, in the order of the scenario."""
    ids = lens_ids(sights)
    return [] if sights is None else [_lens(sight, ids[sight.observer]) for sight in sights.sights]


def note(sights: Sights | None) -> str:
    """Say what the lenses are of, and who has none."""
    if sights is None:
        return ""
    text = (
        f"From seed {sights.seed}. Times are by an observer's own clock; nodes are numbered as in the public"
        " list."
    )
    if sights.left_out:
        text += f" Not shown here: {', '.join(sights.left_out)}; sessionsim knows and explain show them too."
    return text


def _lens(sight: Sight, name: str) -> Lens:
    members = f" ({' + '.join(sight.members)})" if sight.members else ""
    rest = sight.facts - len(sight.explained)
    drawn = {
        width: timeline(sight, f"{name}-{width}", width) if sight.rows else "" for width in (WIDE, NARROW)
    }
    listed = _listed(sight)
    return Lens(
        id=name,
        observer=sight.observer,
        title=f"{sight.observer}{members}",
        summary=f"{count_of(sight.rows, 'record')}, {count_of(sight.facts, 'fact')}",
        opened=_opened(sight),
        wide=Markup(drawn[WIDE]),  # noqa: S704 (drawn by ElementTree, which escapes)
        narrow=Markup(drawn[NARROW]),  # noqa: S704
        shown=_shown(sight),
        table_note=_table_note(sight, len(listed)),
        rows=listed,
        kinds=", ".join(f"{kind}: {number:,}" for kind, number in sight.kinds),
        emergent=_emergent(sight),
        facts=tuple(_fact(fact) for fact in sight.explained),
        rest=f"{rest:,} more; sessionsim explain finds each of them by a word or a number." if rest else "",
    )


def _opened(sight: Sight) -> str:
    parts = [
        f"{number:,} {WORDS[opening]}"
        for opening, number in zip(Opening, sight.openings, strict=True)
        if number
    ]
    return f"Of its records: {', '.join(parts)}." if parts else "It saw no record."


def _shown(sight: Sight) -> str:
    drawn = len(sight.records)
    if drawn == sight.rows:
        text = f"All {count_of(drawn, 'record')} are marked"
    else:
        text = (
            f"{drawn:,} of {count_of(sight.rows, 'record')} are marked: those that the facts below rest on,"
        )
        text += " and others evenly; bars behind them count all"
    return f"{text}."


def _table_note(sight: Sight, listed: int) -> str:
    if listed == sight.rows:
        return ""
    return (
        f"{listed:,} of {count_of(sight.rows, 'record')}: first those that the facts below rest on, then the"
        " earliest."
    )


def _emergent(sight: Sight) -> str:
    if not sight.members:
        return ""
    some = f"{count_of(sight.emergent, 'fact')} that none of its members has alone"
    return f"Known together: {some}." if sight.emergent else "Together they know no fact that none has alone."


def _facts_of(sight: Sight) -> dict[int, list[int]]:
    """Give the numbers of the facts that rest on each record."""
    found: dict[int, list[int]] = {}
    for fact in sight.explained:
        for row in fact.rows:
            found.setdefault(row, []).append(fact.number)
    return found


def _listed(sight: Sight) -> tuple[Row, ...]:
    rests = _facts_of(sight)
    chosen = sorted(sight.records, key=lambda record: (record.row not in rests, record.t_us))[:MOST_ROWS]
    return tuple(_row(record, rests) for record in sorted(chosen, key=lambda record: record.t_us))


def _row(record: Record, rests: Mapping[int, list[int]]) -> Row:
    cells = (
        f"{record.t_us / 1e6:.3f} s",
        record.source,
        record.target,
        f"{record.transport}, {'answer' if record.answer else 'request'}",
        quantity(record.size_bytes, "bytes"),
        record.opened,
    )
    return Row(CLASSES[record.opening], cells, tuple(rests.get(record.row, ())))


def _fact(fact: Explained) -> Fact:
    steps = tuple(Step(opening_of(step), "\n".join(step.told)) for step in fact.steps)
    time = f"{fact.t_us / 1e6:.3f} s"
    return Fact(fact.number, time, fact.t_us, fact.says, heading(fact), steps, fact.emergent)


def script_data(sights: Sights | None) -> dict[str, Any]:
    """Give what the page's script needs: marks and facts as short lists, each text once."""
    texts: dict[str, int] = {}

    def number_of(text: str) -> int:
        return texts.setdefault(text, len(texts))

    found = []
    for sight in sights.sights if sights else ():
        rests = _facts_of(sight)
        records = [
            [
                record.t_us, number_of(record.lane), int(record.answer), record.size_bytes,
                int(record.opening), number_of(record.source), number_of(record.target),
                number_of(record.transport), number_of(record.opened), rests.get(record.row, []),
            ]
            for record in sight.records
        ]  # fmt: skip
        facts = [[fact.t_us, fact.number, int(fact.emergent)] for fact in sight.explained]
        lanes = [[number_of(lane), list(numbers)] for lane, numbers in sight.lanes.items()]
        found.append(
            {
                "observer": sight.observer, "begin": sight.begin_us, "end": sight.end_us, "lanes": lanes,
                "records": records, "facts": facts,
            }
        )  # fmt: skip
    return {"texts": list(texts), "lenses": found}


def legend() -> Iterable[tuple[str, str]]:
    """Give class and words of each kind of mark."""
    return [(CLASSES[opening], WORDS[opening]) for opening in Opening]
