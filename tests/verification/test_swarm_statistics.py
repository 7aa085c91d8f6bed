"""Swarm assignment against 300 runs of the reference code, in nine scenarios of growth, churn and decline.

How figures are compared, and at which level: `selfcheck/agreement.py`. The reduced run takes few seeds and
all scenarios; with SESSIONSIM_FULL as many seeds as the reference, and wrong rules that only many runs show.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.protocol.mersenne import Mersenne64
from sessionsim.protocol.swarm_rules import SwarmRules
from sessionsim.selfcheck.agreement import Check, checks_of, holm
from sessionsim.selfcheck.swarm_runs import plan_of, run_plans

FULL = bool(os.environ.get("SESSIONSIM_FULL"))
SEEDS = range(1, 301) if FULL else range(1, 7)
HELD = Path(__file__).parents[1] / "vectors" / "swarm-statistics.json"
SCENARIOS = json.loads(HELD.read_text("utf-8"))["scenarios"]
NAMES = [
    "growth_one_by_one_1262",
    "growth_one_by_one_1600",
    "growth_bulk_1262",
    "growth_bulk_1600",
    "churn_1262_60d",
    "churn_1600_60d",
    "churn_1262_60d_daily_batch",
    "decline_1553_300_in_20d",
    "decline_1553_300_in_20d_daily_batch",
]


def judged(names: list[str], seeds: range, rules: SwarmRules) -> tuple[list[Check], list[Check]]:
    """Run scenarios. Returns all checks, and those that fail."""
    plans = {name: plan_of(SCENARIOS[name]["parameters"]) for name in names}
    runs = [run_plans(plans, seed, rules) for seed in seeds]
    checks = [c for name in names for c in checks_of(name, SCENARIOS[name], [run[name] for run in runs])]
    return checks, holm(checks)


def test_every_figure_of_every_scenario_agrees_with_the_reference() -> None:
    assert list(SCENARIOS) == NAMES
    checks, failed = judged(NAMES, SEEDS, SwarmRules())
    assert failed == []
    # Nine scenarios, 14 to 38 figures each, a dozen tests for most.
    assert len(checks) > 2_500
    assert {check.what for check in checks} >= {"mean", "spread", "up to p5", "below p95", "share", "runs"}


BULK, DECLINE = "growth_bulk_1262", "decline_1553_300_in_20d"
BATCH = f"{DECLINE}_daily_batch"
WRONG = [
    ("newcomers fill up to the median", SwarmRules(fill_percentile=50), BULK, 4),
    ("newcomers join any swarm", SwarmRules(fill_percentile=100), BULK, 4),
    ("less margin", SwarmRules(margin=1), BULK, 2),
    ("anybody with excess is robbed", SwarmRules(steal_percentile=0), DECLINE, 4),
    ("only the largest are robbed", SwarmRules(steal_percentile=100), DECLINE, 2),
    ("dissolve into the largest too", SwarmRules(dissolve_percentile=100), BATCH, 4),
]
# These differ in one figure each, seen with more runs: where dissolved swarms lie; one node more per move.
WRONG_BY_LITTLE = [
    ("ties in order of id", SwarmRules(tie_order="id"), BATCH, 60),
    ("new swarms of eight", SwarmRules(new_size=8), "churn_1262_60d", 60),
]


@pytest.mark.parametrize("wrong", WRONG + (WRONG_BY_LITTLE if FULL else []), ids=lambda wrong: wrong[0])
def test_a_wrong_rule_is_seen(wrong: tuple[str, SwarmRules, str, int]) -> None:
    _, rules, scenario, runs = wrong
    assert rules != SwarmRules()
    assert judged([scenario], range(1, runs + 1), rules)[1]


def test_a_biased_index_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    below = Mersenne64.below
    monkeypatch.setattr(Mersenne64, "below", lambda self, count: max(below(self, count), below(self, count)))
    assert judged([BULK], range(1, 6), SwarmRules())[1]


def test_a_seed_gives_the_same_figures_whatever_runs_beside_it() -> None:
    plans = {name: plan_of(SCENARIOS[name]["parameters"]) for name in NAMES[:5]}
    together = run_plans(plans, 5, SwarmRules())
    alone = run_plans({NAMES[4]: plans[NAMES[4]]}, 5, SwarmRules())
    assert together[NAMES[4]] == alone[NAMES[4]]
    assert together != run_plans(plans, 6, SwarmRules())


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"start": {"mode": "bulk"}},
        {"start": {"mode": "sideways", "nodes": 5}},
        {"start": {"mode": "bulk", "nodes": "5"}},
        {"start": {"mode": "bulk", "nodes": 5}, "run": {"days": 3, "departures": 2}},
        {"start": {"mode": "bulk", "nodes": 5}, "run": {"days": 1}, "stop": {}},
        {"start": {"mode": "bulk", "nodes": 5, "nights": 1}},
        {"start": {"mode": "bulk", "nodes": 5}, "run": {"days": 1, "batch": "yes"}},
    ],
    ids=str,
)
def test_plans_of_another_form_are_refused(parameters: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        plan_of(parameters)
