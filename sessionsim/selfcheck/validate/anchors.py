"""Checks of base rates and of the loader of a real trace: V21, V23."""

from __future__ import annotations

from collections.abc import Iterator

from sessionsim.core.seeds import Seeds
from sessionsim.metrics.estimators.detection import predictive_value
from sessionsim.selfcheck.validate._check import NeedsFile, check
from sessionsim.selfcheck.validate._finding import Finding, by_count, near, number_of, published
from sessionsim.selfcheck.validate._parameter import cases, number, prob, seed, whole, word
from sessionsim.workload.trace import load, statistics

_VALUES = {(0.93, 1e-5, 1e-5): 0.482, (0.96, 1e-3, 1e-4): 0.0876, (0.80, 1e-3, 1e-6): 7.994e-4}


@check(
    "base-rate", "V21", source="metrics 0.3",
    tpr=prob((0.93, 0.96, 0.80), "true-positive rate"),
    fpr=prob((1e-5, 1e-3, 1e-3), "false-positive rate"),
    pi=prob((1e-5, 1e-4, 1e-6), "share of pairs that belong together"),
    pairs=number(1e13, "pairs tested", 1.0, 1e17),
    seed=seed(),
)  # fmt: skip
def base_rate(
    tpr: tuple[float, ...], fpr: tuple[float, ...], pi: tuple[float, ...], pairs: float, seed: int
) -> Iterator[Finding]:
    """Positive predictive value at the true base rate, against alarms that are counted."""
    for case in cases(tpr=tpr, fpr=fpr, pi=pi):
        label = f"tpr={case['tpr']:g} fpr={case['fpr']:g} pi={case['pi']:g}"
        value = predictive_value(case["tpr"], case["fpr"], case["pi"])
        known = _VALUES.get((case["tpr"], case["fpr"], case["pi"]))
        if known:
            yield published(label, known, value, 1e-3 * known)
        rng = Seeds(seed).stream("validate", "base-rate", label)
        together = int(rng.binomial(int(pairs), case["pi"]))
        hits = int(rng.binomial(together, case["tpr"]))
        alarms = hits + int(rng.binomial(int(pairs) - together, case["fpr"]))
        if alarms:
            yield by_count(f"{label} alarms that are true", value, hits, alarms)
        else:
            yield near(
                f"{label} no alarm at all", 0.0, float(case["tpr"] * case["pi"] * pairs > 30), 0.5, "chance"
            )


@check(
    "trace-loader", "V23", source="metrics 4.1; KONECT",
    file=word("", "a trace src,dst,unixtime; it does not ship"),
    people=whole(1899, "people in it", 0, 10**9),
    messages=whole(59_835, "messages in it", 0, 10**12),
    ties=whole(20_296, "ordered pairs that wrote", 0, 10**12),
    reciprocity=number(63.6, "share of ties whose reverse occurs, percent", 0.0, 100.0),
)  # fmt: skip
def trace_loader(file: str, people: int, messages: int, ties: int, reciprocity: float) -> Iterator[Finding]:
    """What the loader counts in the CollegeMsg file, against the published counts."""
    if not file:
        raise NeedsFile("needs a file: --file collegemsg.csv")
    found = statistics(load(file))
    yield number_of("people", people, found.people)
    yield number_of("messages", messages, found.messages)
    yield number_of("ties", ties, found.ties)
    yield near("reciprocity, percent", reciprocity, 100 * found.reciprocity, 0.05, "one decimal")
