"""Writing known answers from our own implementation, so that an independent one can check us."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sessionsim.selfcheck.vectors._section import Draw, sections

_ABOUT = (
    "Known answers of the Session protocol, computed by sessionsim itself from seeded draws: not reference "
    "values. Lower-case hex unless a field is plainly text, a number or a boolean."
)


def emit(count: int, seed: int, only: Collection[str] | None = None) -> dict[str, Any]:
    """Make `count` cases of every section.

    Args:
        count: cases per section.
        seed: same seed, same cases.
        only: the sections to make; None for all. It changes nothing about their cases.

    Returns:
        An object of the same format as the files that `judge` reads.
    """
    made: dict[str, Any] = {}
    for name, section in sections().items():
        if only is not None and name not in only:
            continue
        cases = []
        for number in range(1, count + 1):
            # Each case has draws of its own, so more cases do not change the first ones.
            draw = Draw(f"vectors {seed} {name} {number}")
            cases.append({"id": f"{name}-{number}", **section.make(draw)})
        made[name] = {"direction": section.direction, "note": section.summary, "cases": cases}
    return {"about": _ABOUT, "sections": made}
