"""The comparison with summaries: right programs are rarely accused, wrong ones are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.selfcheck.agreement import Check, checks_of, holm

Floats = npt.NDArray[np.float64]
RUNS = 300


def summary(values: Floats) -> dict[str, float]:
    """Describe runs as the reference file does."""
    p5, p50, p95 = np.percentile(values, [5, 50, 95])
    named = {"mean": values.mean(), "sd": values.std(ddof=1), "p5": p5, "p50": p50, "p95": p95}
    return {
        name: round(float(v), 4) for name, v in {**named, "min": values.min(), "max": values.max()}.items()
    }


def worst(values: Floats, reference: dict[str, float]) -> float:
    scenario = {"seeds": RUNS, "state": {"x": reference}}
    return min(check.p for check in checks_of("s", scenario, [{"state.x": value} for value in values]))


Law = Callable[[np.random.Generator, int], Floats]
LAWS: dict[str, Law] = {
    "normal": lambda rng, n: rng.normal(10, 2, n),
    "counts": lambda rng, n: rng.poisson(12, n).astype(float),
    "few values": lambda rng, n: rng.choice([7.0, 8.0, 9.0], n, p=[0.2, 0.75, 0.05]),
    "rare exception": lambda rng, n: 20.0 - (rng.random(n) < 0.003),
    "one in sixteen": lambda rng, n: 20.0 - (rng.random(n) < 1 / 16),
    "skewed": lambda rng, n: rng.lognormal(0, 0.8, n),
    "a little skewed": lambda rng, n: rng.lognormal(0, 0.35, n),
    "constant": lambda rng, n: np.full(n, 0.70312499),
    "nearly constant": lambda rng, n: rng.normal(0.351, 0.0001, n),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("runs", [8, 300])
def test_the_same_law_is_rarely_accused(law: str, runs: int) -> None:
    """At most three of 300 samples below 1e-4 in any of twelve tests; by chance 0.36 are expected."""
    rng = np.random.default_rng(7)
    reference = summary(LAWS[law](rng, RUNS))
    accused = 0
    for _ in range(300):
        accused += worst(LAWS[law](rng, runs), reference) < 1e-4
        reference = summary(LAWS[law](rng, RUNS))
    assert accused <= 3


WRONG: dict[str, tuple[str, Law]] = {
    "shifted": ("normal", lambda rng, n: rng.normal(11, 2, n)),
    "wider": ("normal", lambda rng, n: rng.normal(10, 3.2, n)),
    "narrower": ("normal", lambda rng, n: rng.normal(10, 1.3, n)),
    "other shape": ("normal", lambda rng, n: rng.choice([8.0, 12.0], n)),
    "never the exception": ("one in sixteen", lambda rng, n: np.full(n, 20.0)),
    "often an exception": ("rare exception", lambda rng, n: 20.0 - (rng.random(n) < 0.1)),
    "above the greatest": ("few values", lambda rng, n: rng.choice([8.0, 10.0], n, p=[0.95, 0.05])),
    "another constant": ("constant", lambda rng, n: np.full(n, 0.7033)),
    "no constant": ("constant", lambda rng, n: np.where(rng.random(n) < 0.1, 0.71, 0.70312499)),
}


@pytest.mark.parametrize("name", WRONG)
def test_another_law_is_accused(name: str) -> None:
    rng = np.random.default_rng(8)
    right, law = WRONG[name]
    assert worst(law(rng, RUNS), summary(LAWS[right](rng, RUNS))) < 1e-4


def test_few_runs_accuse_a_shift_of_two_deviations() -> None:
    rng = np.random.default_rng(9)
    assert worst(rng.normal(14, 2, 8), summary(LAWS["normal"](rng, RUNS))) < 1e-6


def test_holm_stops_at_the_first_that_holds() -> None:
    checks = [Check(str(p), "mean", "", p) for p in (0.03, 0.001, 0.02, 0.9)]
    # 0.001·4 <= 0.05, 0.02·3 > 0.05: the third is not asked though 0.03·2 > 0.05 is no better.
    assert [check.p for check in holm(checks, 0.05)] == [0.001]
    assert [check.p for check in holm(checks, 0.06)] == [0.001, 0.02, 0.03]
    assert holm(checks, 1e-6) == []
    assert holm([]) == []


def scenario_of(**over: Any) -> dict[str, Any]:
    steady = dict.fromkeys(("mean", "sd", "p5", "p50", "p95", "min", "max"), 0.0)
    return {
        "what": "two swarms",
        "seeds": RUNS,
        "parameters": {},
        "state": {"size_histogram": {"5": {"swarms": {**steady, "mean": 2.0}, "mean_share": 1.0}}},
        "over_the_run": {"runs_with_a_dissolution": 0, **over},
    }


def test_a_figure_of_one_side_only_fails() -> None:
    runs = [{"state.nodes": 5.0}] * 3
    failed = {check.figure: check for check in holm(checks_of("s", scenario_of(), runs))}
    assert failed["s: state.nodes"].what == "there"
    assert checks_of("s", {"seeds": RUNS, "state": {"nodes": summary(np.ones(9))}}, [{}] * 3)[0].p == 0


def test_a_size_that_one_side_never_saw_counts_as_no_swarms() -> None:
    runs = [{"state.size_histogram.6.swarms": 2.0, "state.size_histogram.6.mean_share": 1.0}] * 8
    failed = {(check.figure, check.what) for check in holm(checks_of("s", scenario_of(), runs))}
    for size in "56":
        assert (f"s: state.size_histogram.{size}.swarms", "mean") in failed
        assert (f"s: state.size_histogram.{size}.mean_share", "share") in failed


def test_runs_with_a_dissolution_are_counted_by_their_first_day() -> None:
    first = "over_the_run.first_dissolution_day_where_any"
    runs = [{first: 3.0}] * 8 + [{}] * 8
    (check,) = (c for c in checks_of("s", scenario_of(), runs) if "runs_with" in c.figure)
    assert (check.found, check.p < 1e-6) == ("8 of 16 against 0 of 300", True)
    # With no reference day to compare with, the days themselves are not judged.
    assert not [c for c in checks_of("s", scenario_of(), runs) if c.figure.endswith(first)]
    days = scenario_of(runs_with_a_dissolution=300, first_dissolution_day_where_any=summary(np.full(9, 16.0)))
    assert [c for c in holm(checks_of("s", days, runs)) if c.figure.endswith(first)]


@pytest.mark.parametrize(
    "broken",
    [
        {"state": {"x": {"mean": 1.0}}},
        {"seeds": RUNS, "state": {"x": {"mean": 1.0}}},
        {"seeds": RUNS, "state": {"x": 5}},
        {"seeds": "many", "state": {}},
        {"seeds": RUNS, "over_the_run": {"runs_with_a_dissolution": "all"}},
    ],
)
def test_files_of_another_form_are_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        checks_of("s", broken, [{"state.x": 1.0}] * 2)
