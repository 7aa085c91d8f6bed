"""How each attack grows with the events it looks at: CPU seconds, memory, and the exponent between two sizes.

Two ways to grow: a run that lasts longer, among the same people, and one of as many events a second among
more and more people. Nothing may grow worse than n log n where the literature has such an algorithm. With
more people that leaves out answers that are tables, of all pairs of people or of all people and minutes,
which grow with their cells, and methods of the cube (assignment, least squares).
At the full size (SESSIONSIM_FULL) 10^3, 10^4 and 10^5 events; otherwise the first two.
"""

from __future__ import annotations

import os
import time
import tracemalloc
from typing import Any, Final, NamedTuple

import numpy as np
import pytest

from sessionsim.adversary import ATTACKS
from sessionsim.core.verdict import Question, Verdict
from sessionsim.core.view import View
from tests.benchmarks.traffic import traffic

ATTACKS.scan()
SIZES = (1_000, 10_000, 100_000) if os.environ.get("SESSIONSIM_FULL") else (1_000, 10_000)
CLIENTS: Final = 20
EVENTS_EACH: Final = 200  # of a client, where people grow with the events
MOST: Final = 1.45  # n log n over a decade, with room for fixed costs and caches
TABLES: Final = 2.45  # n^2 log n: tables of all people by all people, or by all minutes of a longer watch
CUBES: Final = 3.2
AS_TABLES: Final = {
    Question.ADDRESS_OF, Question.ACCOUNT_OF, Question.CONTACT, Question.CONTACT_OF_ADDRESS,
    Question.CONTACT_ADDRESS, Question.GROUP_MEMBER, Question.ADDRESS_OF_BLINDED, Question.ACTIVE_MINUTE,
    Question.FOREGROUND_MINUTE,
}  # fmt: skip
# Source: metrics 2b(v) (assignment), 2c (least squares: a system of as many unknowns as there are people).
OF_THE_CUBE: Final = {"least-squares-disclosure", "normalised-disclosure"}
LEAST_S: Final = 0.02  # below it fixed costs, not growth, are measured
MOST_MB: Final = 600  # at 10^5 events


class Cost(NamedTuple):
    """What one size took. Args: seconds: of CPU time; megabytes: at the peak."""

    seconds: float
    megabytes: float


def cost(attack: Any, view: View, ledger: tuple[Any, ...]) -> tuple[Cost, Verdict]:
    """Measure CPU time, which other processes do not lengthen, twice, and memory once."""

    def infer() -> Verdict:
        found: Verdict = attack.infer(view, ledger, np.random.default_rng(1))
        return found

    took = []
    for _ in range(2):
        begun = time.process_time()
        infer()
        took.append(time.process_time() - begun)
    tracemalloc.start()
    found = infer()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return Cost(min(took), peak / 1e6), found


def exponent(costs: list[Cost], field: str, least: float) -> float:
    """Give by which power of the size the last two grow."""
    before, after = (max(getattr(one, field), least) for one in costs[-2:])
    return float(np.log(after / before) / np.log(SIZES[-1] / SIZES[-2]))


@pytest.mark.slow
@pytest.mark.parametrize("wide", [False, True], ids=["longer", "more-people"])
def test_no_attack_grows_worse_than_its_literature(wide: bool) -> None:
    examples = {n: traffic(n, max(CLIENTS, n // EVENTS_EACH) if wide else CLIENTS) for n in SIZES}
    lines, wrong = [], []
    for entry in ATTACKS:
        attack = entry.factory(entry.config())
        attack.fit([examples[SIZES[0]]])
        found = [cost(attack, examples[n].view, tuple(examples[n].ledger)) for n in SIZES]
        costs = [one for one, _ in found]
        grown, swollen = exponent(costs, "seconds", LEAST_S), exponent(costs, "megabytes", 1.0)
        told = "  ".join(f"{one.seconds:7.3f} s {one.megabytes:6.1f} MB" for one in costs)
        lines.append(f"{entry.id:25} {told}  time n^{grown:.2f}, memory n^{swollen:.2f}")
        most = MOST
        if wide and attack.question in AS_TABLES:
            most = CUBES if entry.id in OF_THE_CUBE else TABLES
        if max(grown, swollen) > most or costs[-1].megabytes > MOST_MB:
            wrong.append(lines[-1])
        if not len(found[-1][1]):
            wrong.append(f"{entry.id}: says nothing, so nothing was measured")
    print("\n".join(lines))
    assert wrong == []
