"""Do our runs have the distribution of the reference's runs, of which only summaries are known?

Reference: per figure the mean, standard deviation, 5, 50 and 95 percent points (linear interpolation), least
and greatest value over so many runs. Ours: one value per run. Each test below holds the hypothesis "same
distribution" against one property and gives a p-value:

mean     two-sample t test. Steady figures (their three points differ, their extremes lie within five
         deviations) pool both variances, which by hypothesis are equal, so few runs of ours suffice; the
         others, mostly constants with rare exceptions, take the larger variance and our degrees of freedom.
spread   F test of the variances, degrees of freedom reduced for kurtosis as Box and Andersen do; only for
         steady figures, a variance of others being mostly a matter of a few runs: the points judge them.
points   how many runs of ours lie below, and up to, each point and extreme, against how many of the
         reference must: Fisher's exact test, one-sided. Exact for figures of any shape; where the reference
         is constant it asks that we are. Of the reference's number only a bound is known (the point lies
         between two of its values), and the test takes the bound that accuses us less.
share    mean share of swarms per size, of which the reference gives no spread: t test with ours.
runs     how many runs had a dissolution: Fisher's exact test.

All p-values of all scenarios are judged together by Holm's rule, so that the chance of accusing a right
program is about `LEVEL` or less, however the figures depend on each other. The counts are exact, the t and F
tests approximate: for counts and bell-shaped figures well calibrated down to six runs
(`tests/selfcheck/test_agreement.py`), for skewed ones with few runs too eager.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from sessionsim.core.errors import InvalidInput

LEVEL: Final = 1e-3  # Assumption: chance of a false alarm over all figures together
_ROUNDED: Final = 0.51e-4  # figures are written with four decimals
_POINTS: Final = (("min", 0.0), ("p5", 0.05), ("p50", 0.5), ("p95", 0.95), ("max", 1.0))
_LEAST_SD: Final = 0.005  # a smaller one is known too roughly, with four decimals
_LEAST_VALUES: Final = 5  # a variance of fewer different values may be 0 by chance
_RUNS: Final = "over_the_run.runs_with_a_dissolution"
_FIRST: Final = "over_the_run.first_dissolution_day_where_any"  # only of runs that have one
_LONGEST_TAIL: Final = 5  # deviations; 300 normal numbers reach further once in 6,000 sets
_WORDS: Final = {"what", "parameters", "seeds"}  # fields of a scenario that are no figures

Floats = npt.NDArray[np.float64]


class Check(NamedTuple):
    """One test. Args: figure: dotted name; what: which property; found: both values; p: its p-value."""

    figure: str
    what: str
    found: str
    p: float


def holm(checks: Sequence[Check], level: float = LEVEL) -> list[Check]:
    """Give the checks that fail by Holm's rule, worst first; all but `level` of right programs have none."""
    ordered = sorted(checks, key=lambda check: check.p)
    failed = 0
    while failed < len(ordered) and ordered[failed].p * (len(ordered) - failed) <= level:
        failed += 1
    return ordered[:failed]


def checks_of(name: str, scenario: Mapping[str, Any], runs: Sequence[Mapping[str, float]]) -> list[Check]:
    """Hold our runs of a scenario against its reference figures.

    Args:
        name: put before the names of figures.
        scenario: as in `swarm-statistics.json`.
        runs: the figures of `swarm_runs`, one mapping per seed; two runs at least.

    Returns:
        All checks. A figure that only one side has fails (p = 0), but a size of swarm that one side never
        saw counts as zero swarms.

    Raises:
        InvalidInput: the scenario is not of the format.
    """
    total = _whole(scenario, "seeds")
    reference = dict(_leaves({key: value for key, value in scenario.items() if key not in _WORDS}))
    ours = _columns(runs)
    checks: list[Check] = []
    for figure in sorted({*reference, *ours}):
        place, values, wanted = f"{name}: {figure}", ours.get(figure), reference.get(figure)
        if figure == _RUNS:
            had = len(ours.get(_FIRST, ()))
            checks.append(_runs(place, had, len(runs), _whole(reference, _RUNS), total))
        elif figure == _FIRST:
            # How many runs have this figure is the check above.
            if values is not None and wanted is not None:
                checks += _figure(place, values, _Summary.of(place, wanted, _whole(reference, _RUNS)))
        elif ".size_histogram." in figure:
            checks += _size(place, _or_zeros(values, runs), wanted, total)
        elif values is None or wanted is None:
            checks.append(Check(place, "there", "only one side has it", 0.0))
        else:
            checks += _figure(place, values, _Summary.of(place, wanted, total))
    return checks


class _Summary(NamedTuple):
    """A figure of the reference over `n` runs."""

    n: int
    mean: float
    sd: float
    points: tuple[float, ...]  # in the order of _POINTS

    @classmethod
    def of(cls, place: str, held: Any, n: int) -> _Summary:
        """Read one. Raises InvalidInput."""
        names = ("mean", "sd", *(name for name, _ in _POINTS))
        if not isinstance(held, dict) or not all(isinstance(held.get(name), int | float) for name in names):
            raise InvalidInput(place, held, f"an object with the numbers {', '.join(names)}")
        return cls(n, held["mean"], held["sd"], tuple(held[name] for name, _ in _POINTS))

    @property
    def steady(self) -> bool:
        """Whether the figure spreads on both sides of its middle and has no long tail."""
        least, p5, p50, p95, greatest = self.points
        reach = max(self.mean - least, greatest - self.mean)
        return p5 < p50 < p95 and reach <= _LONGEST_TAIL * self.sd


_NEVER: Final = dict.fromkeys(("mean", "sd", *(name for name, _ in _POINTS)), 0.0)


def _leaves(held: Mapping[str, Any], level: str = "") -> Iterator[tuple[str, Any]]:
    """Give the reference's figures by dotted name: summaries whole, and bare numbers."""
    for key, value in held.items():
        if isinstance(value, dict) and "mean" not in value:
            yield from _leaves(value, f"{level}{key}.")
        else:
            yield f"{level}{key}", value


def _columns(runs: Sequence[Mapping[str, float]]) -> dict[str, Floats]:
    """Turn our runs to one array per figure; shorter where a run lacks the figure."""
    names = sorted({name for run in runs for name in run})
    return {name: np.array([run[name] for run in runs if name in run]) for name in names}


def _or_zeros(values: Floats | None, runs: Sequence[Any]) -> Floats:
    found = np.zeros(0) if values is None else values
    return np.concatenate([found, np.zeros(len(runs) - len(found))])


def _whole(held: Mapping[str, Any], key: str) -> int:
    number = held.get(key)
    if not isinstance(number, int) or number < 0:
        raise InvalidInput(key, number, "a whole number of runs")
    return number


def _size(place: str, values: Floats, wanted: Any, total: int) -> Iterator[Check]:
    """Check how many swarms, or which share of them, have a size; `wanted` is None if none ever had it."""
    if place.endswith(".mean_share"):
        yield _share(place, values, 0.0 if wanted is None else float(wanted), total)
    else:
        yield from _figure(place, values, _Summary.of(place, wanted or _NEVER, total))


def _figure(place: str, values: Floats, wanted: _Summary) -> Iterator[Check]:
    yield from _points(place, values, wanted)
    if len(values) > 1:
        yield _mean(place, values, wanted)
        if wanted.steady and wanted.sd > _LEAST_SD and len(np.unique(values)) >= _LEAST_VALUES:
            yield _spread(place, values, wanted)


def _mean(place: str, values: Floats, wanted: _Summary) -> Check:
    n, m, own, other = len(values), wanted.n, float(np.var(values, ddof=1)), wanted.sd**2
    away = max(0.0, abs(float(values.mean()) - wanted.mean) - _ROUNDED)
    if wanted.steady:
        variance, freedom = ((n - 1) * own + (m - 1) * other) / (n + m - 2), n + m - 2
    else:
        variance, freedom = max(own, other), n - 1
    found = f"{values.mean():.5g} ± {math.sqrt(own / n):.2g} against {wanted.mean}"
    return Check(place, "mean", found, _two_sided(away, variance * (1 / n + 1 / m), freedom))


def _two_sided(away: float, error: float, freedom: int) -> float:
    """Give the p-value of a difference. Args: error: its variance, which may be 0."""
    if error == 0:
        return 1.0 if away == 0 else 0.0
    return float(2 * stats.t.sf(away / math.sqrt(error), freedom))


def _spread(place: str, values: Floats, wanted: _Summary) -> Check:
    kurtosis = max(3.0, float(stats.kurtosis(values, fisher=False)))
    shrink = 1 + (kurtosis - 3) / 2
    law = stats.f((len(values) - 1) / shrink, (wanted.n - 1) / shrink)
    ratio = float(np.var(values, ddof=1)) / wanted.sd**2
    p = 2 * min(float(law.cdf(ratio)), float(law.sf(ratio)))
    return Check(place, "spread", f"{values.std(ddof=1):.4g} against {wanted.sd}", min(1.0, p))


def _points(place: str, values: Floats, wanted: _Summary) -> Iterator[Check]:
    n, m = len(values), wanted.n
    for (name, share), point in zip(_POINTS, wanted.points, strict=True):
        rank = share * (m - 1)
        up_to, below = int(np.sum(values <= point + _ROUNDED)), int(np.sum(values < point - _ROUNDED))
        # The point lies between the values of rank floor and ceil (from 0), so of the reference's runs ...
        least_up_to, most_below = math.floor(rank) + 1, math.ceil(rank)
        few = stats.hypergeom.cdf(up_to, n + m, up_to + least_up_to, n)
        many = stats.hypergeom.sf(below - 1, n + m, below + most_below, n)
        yield Check(
            place, f"up to {name}", f"{up_to} of {n} against {least_up_to} or more of {m}", float(few)
        )
        yield Check(
            place, f"below {name}", f"{below} of {n} against {most_below} or fewer of {m}", float(many)
        )


def _share(place: str, values: Floats, wanted: float, m: int) -> Check:
    own, n = float(np.var(values, ddof=1)), len(values)
    away = max(0.0, abs(float(values.mean()) - wanted) - _ROUNDED)
    found = f"{values.mean():.5g} against {wanted}"
    return Check(place, "share", found, _two_sided(away, own * (1 / n + 1 / m), n - 1))


def _runs(place: str, had: int, n: int, other: int, m: int) -> Check:
    p = float(stats.fisher_exact(np.array([[had, n - had], [other, m - other]])).pvalue)
    return Check(place, "runs", f"{had} of {n} against {other} of {m}", p)
