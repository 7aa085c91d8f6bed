"""An attack is trusted only when it can lose: with both defences none tells anything, without them they do.

The twins `undefended` and `defended` of scenarios/attacks, shortened. With constant size and constant rate
together the advantage of every attack, the best included, has an interval over seeds that covers zero, though
who watches runs most of the nodes, guards too; without them the best one's lies far above. Where guards pass
requests on as they come, when they do so tells clients apart. The same runs say what it costs (metrics 0.3,
1.1, section 3). With SESSIONSIM_FULL the defended twin has six seeds, else four.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from scipy import stats

from sessionsim.core.readings import Reading
from sessionsim.experiment import installed, run_scenario
from sessionsim.metrics.estimators.comparison import holm
from sessionsim.scenario import read_scenario, resolve

FOLDER = Path(__file__).parents[2] / "scenarios/attacks"
FULL = bool(os.environ.get("SESSIONSIM_FULL"))
SHORT = ("training.seeds=201", "run.duration=60 s", "run.warmup=20 s")
MOST = "vantages.snodes.fraction=60 %"


def readings(name: str, seeds: str, out: Path, *more: str) -> dict[str, Reading]:
    scenario = resolve(
        read_scenario(FOLDER / f"{name}.toml", (*SHORT, f"run.seeds={seeds}", *more)), installed()
    )
    return {f"{one.metric}: {one.name}": one for one in run_scenario(scenario, out, 1).readings}


def advantages(found: dict[str, Reading]) -> dict[str, Reading]:
    return {name: one for name, one in found.items() if name.endswith(": advantage")}


def chance(one: Reading) -> float:
    """Give the two-sided p-value of no advantage, from the t interval over seeds."""
    assert one.value is not None
    assert one.low is not None
    assert one.high is not None
    assert one.n_unit == "seed"
    half = max(one.high - one.value, one.value - one.low)
    if half < 1e-9:
        return 1.0 if abs(one.value) < 1e-9 else 0.0
    deviations = abs(one.value) / (half / stats.t.ppf(0.975, one.n - 1))
    return float(2 * stats.t.sf(deviations, one.n - 1))


@pytest.fixture(scope="module")
def undefended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reading]:
    return readings("undefended", "1..3", tmp_path_factory.mktemp("undefended") / "out")


@pytest.fixture(scope="module")
def defended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reading]:
    return readings("defended", "1..6" if FULL else "1..4", tmp_path_factory.mktemp("defended") / "out", MOST)


@pytest.mark.slow
def test_with_both_defences_no_attack_has_an_advantage(defended: dict[str, Reading]) -> None:
    found = advantages(defended)
    assert len(found) == 13
    # One of thirteen intervals of 95 % misses zero by luck every other time: as a family none may (Holm).
    chances = [chance(one) for one in found.values()]
    rejected = dict(zip(found, holm(chances)[0].tolist(), strict=True))
    assert not any(rejected.values()), {name: found[name] for name, one in rejected.items() if one}
    assert min(chances) < 1  # something was measured
    best = max(found.values(), key=lambda one: one.value or 0.0)
    assert best.low is not None
    assert best.low <= 0


@pytest.mark.slow
def test_without_them_the_best_attacks_win_by_far(undefended: dict[str, Reading]) -> None:
    found = advantages(undefended)
    assert len(found) == 13
    best = max(found.values(), key=lambda one: one.low if one.low is not None else -1.0)
    assert best.low is not None
    assert best.low > 0.9
    winning = [name for name, one in found.items() if one.low is not None and one.low > 0]
    assert len(winning) >= 10, winning


@pytest.mark.slow
def test_the_price_stands_beside_it(undefended: dict[str, Reading], defended: dict[str, Reading]) -> None:
    day = "traffic: client links, total"
    late = "latency: end to end, mean"
    before, after = undefended[day].value, defended[day].value
    assert before is not None
    assert after is not None
    # One request and one answer per second, with their HTTP, TLS and TCP: nothing else is left to be sent.
    assert after == pytest.approx(86_400 * (6_450 + 8_454), rel=0.02)
    assert after > 4 * before
    slow, slower = undefended[late].value, defended[late].value
    assert slow is not None
    assert slower is not None
    assert slower > 2 * slow
    dummies = defended["traffic: client links, dummy"].value
    assert dummies is not None
    assert 0.5 < dummies / after < 0.9
