"""An attack is trusted only when it can lose: with both defences none tells anything, without them they do.

The twins `undefended` and `defended` of scenarios/attacks, shortened. With constant size and constant rate
together the advantage of every attack, the best included, has an interval that covers zero; without them the
best one's lies far above. The same runs say what it costs (metrics 0.3, 1.1, section 3).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionsim.core.readings import Reading
from sessionsim.experiment import installed, run_scenario
from sessionsim.scenario import read_scenario, resolve

FOLDER = Path(__file__).parents[2] / "scenarios/attacks"
SHORT = ("run.seeds=1..3", "training.seeds=201", "run.duration=60 s", "run.warmup=20 s")


def readings(name: str, out: Path, *more: str) -> dict[str, Reading]:
    scenario = resolve(read_scenario(FOLDER / f"{name}.toml", (*SHORT, *more)), installed())
    return {f"{one.metric}: {one.name}": one for one in run_scenario(scenario, out, 1).readings}


def advantages(found: dict[str, Reading]) -> dict[str, Reading]:
    return {name: one for name, one in found.items() if name.endswith(": advantage")}


@pytest.fixture(scope="module")
def undefended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reading]:
    return readings("undefended", tmp_path_factory.mktemp("undefended") / "out")


@pytest.fixture(scope="module")
def defended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reading]:
    return readings("defended", tmp_path_factory.mktemp("defended") / "out")


@pytest.mark.slow
def test_with_both_defences_no_attack_has_an_advantage(defended: dict[str, Reading]) -> None:
    found = advantages(defended)
    assert len(found) == 13
    for name, one in found.items():
        assert one.low is not None, name
        assert one.high is not None, name
        assert one.low <= 1e-9, name
        assert one.high >= -1e-9, name


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
