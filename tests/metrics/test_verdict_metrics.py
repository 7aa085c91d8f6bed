"""Metrics of verdicts: cases counted by hand, and floors and ceilings that hold for any verdict."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.readings import Reading
from sessionsim.core.verdict import Guess, Labelled, Question, verdict_of
from sessionsim.metrics import Counts, Replicate, readings_of, tally, tally_verdicts
from sessionsim.metrics._judged import SCORED, HowMuch, Which, judge
from sessionsim.metrics._run import check
from sessionsim.metrics.catalog.anonymity_set import _one
from sessionsim.metrics.catalog.estimation_error import EstimationError, distance
from sessionsim.metrics.catalog.system_anonymity import degree, permanent
from tests.metrics.conftest import ADDRESSES, IDS

Make = Callable[..., Replicate]
NAN = float("nan")
ACCOUNTS = tuple(f"account:{name}" for name in IDS)


def all_readings(replicates: list[Replicate]) -> dict[str, Reading]:
    found = readings_of([tally(one) for one in replicates])
    for one in found:
        check(one)
    verdict_metrics = {"who-learned-what", "latency", "delivery", "traffic", "coalition-coverage"}
    return {f"{one.metric}/{one.name}": one for one in found if one.metric not in verdict_metrics}


def timing(make: Make, seed: int, right: float, n: int = 40, prob: float = 0.5) -> Replicate:
    """Guess the sender of n messages, a share `right` of them rightly, each claiming `prob`."""
    messages = [{"sender": k % 4} for k in range(n)]
    guesses = []
    for k in range(n):
        true, other = ADDRESSES[k % 4], ADDRESSES[(k + 1) % 4]
        best = true if k < right * n else other
        worse = other if best is true else true
        guesses += [
            Guess(f"message:h{k}", best, 1, prob, 4),
            Guess(f"message:h{k}", worse, 0, (1 - prob) / 3, 4),
        ]
    verdict = Labelled("try", "kind", "eve", 0, verdict_of(Question.SENDER_ADDRESS, guesses))
    return make(seed=seed, messages=messages, verdicts=(verdict,))


def test_success_stands_between_floor_and_ceiling(make_replicate: Make) -> None:
    found = all_readings([timing(make_replicate, seed, 0.5) for seed in range(4)])
    top = found["rank-of-truth/try, closed world of 4: top 1"]
    assert (top.value, top.counts["right"], top.counts["asked"]) == (0.5, 80, 160)
    assert top.counts["ceiling"] == 1
    assert top.baseline is not None
    assert abs(top.baseline - 0.25) < 4.5 * math.sqrt(0.25 * 0.75 / 160)
    assert found["rank-of-truth/try, closed world of 4: top 2"].value == 1
    assert "rank-of-truth/try, closed world of 4: top 5" not in found


def test_advantage_is_that_of_the_two_candidate_game(make_replicate: Make) -> None:
    found = all_readings([timing(make_replicate, seed, 0.25) for seed in range(4)])
    won = found["distinguishing/try, closed world of 4: advantage"]
    # A quarter beats all three others, the rest all but one of three.
    assert won.value == pytest.approx(2 * (0.25 * 1 + 0.75 * 2 / 3) - 1)
    assert won.counts["ceiling"] == 1
    assert won.counts["blind low"] < 0 < won.counts["blind high"]


def test_a_calibrated_posterior_becomes_an_entropy_and_another_does_not(make_replicate: Make) -> None:
    honest = all_readings([timing(make_replicate, seed, 0.5) for seed in range(4)])
    prefix = "anonymity-set/try, closed world of 4: "
    assert honest[f"{prefix}posterior calibrated"].value == 1
    left = [0.5, 1 / 6, 1 / 6, 1 / 6]
    bits = -sum(p * math.log2(p) for p in left)
    assert honest[f"{prefix}Shannon entropy (M1)"].value == pytest.approx(bits)
    assert honest[f"{prefix}effective anonymity set (M2)"].value == pytest.approx(2**bits)
    assert honest[f"{prefix}degree of anonymity (M3)"].value == pytest.approx(bits / 2)
    assert honest[f"{prefix}min-entropy (M4)"].value == pytest.approx(1)
    assert honest[f"{prefix}collision entropy (M5)"].value == pytest.approx(-math.log2(0.25 + 3 / 36))
    assert honest[f"{prefix}guessing entropy (M6)"].value == pytest.approx(0.5 + (2 + 3 + 4) / 6)
    boasting = all_readings([timing(make_replicate, seed, 0.5, prob=0.95) for seed in range(4)])
    assert boasting[f"{prefix}posterior calibrated"].value == 0
    assert f"{prefix}Shannon entropy (M1)" not in boasting


def test_beside_each_mean_of_a_crowd_stands_what_one_in_twenty_is_below(make_replicate: Make) -> None:
    # A sixth of the subjects is told for certain, the others are left with half of the weight elsewhere.
    seeds = [timing(make_replicate, seed, 0.5) for seed in range(5)]
    found = all_readings([*seeds, timing(make_replicate, 5, 1.0, prob=1.0)])
    prefix = "anonymity-set/try, closed world of 4: "
    certain = {"Shannon entropy (M1)": 0, "effective anonymity set (M2)": 1, "degree of anonymity (M3)": 0,
               "min-entropy (M4)": 0, "collision entropy (M5)": 0, "guessing entropy (M6)": 1}  # fmt: skip
    for name, least in certain.items():
        mean, tail = found[prefix + name], found[f"{prefix}{name}, p5"]
        assert mean.value is not None
        assert tail.value == pytest.approx(least)
        assert mean.value > least + 0.1
        assert (tail.unit, tail.counts["subjects"]) == (mean.unit, 240)
    few = all_readings(seeds[:3])[f"{prefix}min-entropy (M4), p5"]
    assert (few.value, few.needed, few.n) == (None, 200, 120)


def test_an_error_has_both_of_its_tails() -> None:
    off = np.r_[np.full(30, 1.0), np.full(190, 4.0), np.full(30, 9.0)]
    whose = np.arange(250) % 5
    sums = {
        f"try|{SCORED}|off h": np.bincount(whose, off),
        f"try|{SCORED}|asked h": np.bincount(whose).astype(float),
    }
    each = {"try||each h": off, "try||each of h": whose.astype(float)}
    found = {one.name: one.value for one in EstimationError(None).readings([Counts(sums, each)])}
    assert found["try: error, p5"] == 1
    assert found["try: error, p95"] == 9
    assert found["try: mean error"] == pytest.approx(off.mean())


def test_claims_are_held_against_what_came_true(make_replicate: Make) -> None:
    found = all_readings([timing(make_replicate, seed, 0.5, prob=0.75) for seed in range(4)])
    tenth = found["calibration/try, closed world of 4: came true of claims from 70 to 80 %"]
    assert (tenth.value, tenth.baseline, tenth.counts["claims"]) == (0.5, 0.75, 160)
    brier = found["calibration/try, closed world of 4: Brier score"]
    assert brier.value == pytest.approx(0.5 * 0.25**2 + 0.5 * 0.75**2)


def test_information_of_right_guesses_is_that_of_the_secret(make_replicate: Make) -> None:
    found = all_readings([timing(make_replicate, seed, 1.0) for seed in range(4)])
    prefix = "guess-channel/try, closed world of 4: "
    information = found[f"{prefix}mutual information less its permutation mean (M8)"]
    assert information.value is not None
    assert 1.8 < information.value < 2
    assert found[f"{prefix}Bayes vulnerability reached (M9)"].value == 1
    assert found[f"{prefix}min-entropy leakage reached (M10)"].value == pytest.approx(2)
    assert found[f"{prefix}min-capacity of the guess (M11)"].value == pytest.approx(2)
    assert found[f"{prefix}Shannon capacity of the guess (M13)"].value == pytest.approx(2, abs=1e-5)


def test_curves_end_where_wrong_pairs_end(make_replicate: Make) -> None:
    found = all_readings([timing(make_replicate, seed, 0.5) for seed in range(4)])
    prefix = "distinguishing/try, closed world of 4: TPR at FPR "
    # 120 wrong pairs in each seed: no rate below 10/120, but the usual claims say what they would take.
    assert found[f"{prefix}0.001"].value is None
    assert found[f"{prefix}0.001"].needed == 10_000
    assert f"{prefix}0.05" not in found
    # A right guess scores as high as the wrong ones' best, which are 20 of 120.
    assert found[f"{prefix}0.1"].value == 0
    assert found[f"{prefix}0.2"].value == 0.5
    assert found[f"{prefix}0.2"].counts["predictive value"] == pytest.approx(
        0.5 * 0.25 / (0.5 * 0.25 + 0.2 * 0.75)
    )


def contacts(make: Make, seed: int, probs: dict[tuple[int, int], float]) -> Replicate:
    messages = [{"sender": 0, "recipient": 1}, {"sender": 2, "recipient": 3}]
    guesses = [
        Guess(ACCOUNTS[a], ACCOUNTS[b], probs.get((a, b), 0.1), probs.get((a, b), 0.1), 3)
        for a in range(4)
        for b in range(4)
        if a != b
    ]
    verdict = Labelled("graph", "kind", "eve", 0, verdict_of(Question.CONTACT, guesses))
    return make(seed=seed, messages=messages, verdicts=(verdict,))


def test_alarms_are_counted_with_their_base_rate(make_replicate: Make) -> None:
    probs = {(0, 1): 0.9, (1, 0): 0.8, (0, 2): 0.7}
    found = all_readings([contacts(make_replicate, seed, probs) for seed in range(4)])
    prefix = "distinguishing/graph, closed world of 4: "
    gap = found[f"{prefix}TPR less FPR of alarms"]
    assert gap.value == pytest.approx(2 / 4 - 1 / 8)
    assert gap.counts["ceiling"] == 1
    true = found[f"{prefix}alarms that are true"]
    assert true.value == pytest.approx(2 / 3)
    assert true.counts["alarms"] == 12
    assert found[f"{prefix}eps, at least"].value == 0
    # Accounts a and b rank their contact first, c and d no higher than anybody.
    assert found[f"{prefix}advantage"].value == pytest.approx((1 + 1 + 0 + 0) / 4)


def test_numbers_are_judged_by_their_distance(make_replicate: Make) -> None:
    owner = np.array([0, 1])
    assert distance(HowMuch(owner, np.array([23.0, 3.0]), np.array([1.0, 15.0])), "h").tolist() == [2, 12]
    assert distance(HowMuch(owner, np.array([23.0, 3.0]), np.array([1.0, 15.0])), "us").tolist() == [22, 12]


def test_a_permanent_adds_up_all_assignments() -> None:
    assert permanent(np.ones((4, 4))) == pytest.approx(24)
    assert permanent(np.array([[1.0, 2], [3, 4]])) == pytest.approx(1 * 4 + 2 * 3)
    rng = np.random.default_rng(1)
    a = rng.random((5, 5))
    by_hand = sum(np.prod([a[i, j] for i, j in enumerate(order)]) for order in permutations(range(5)))
    assert permanent(a) == pytest.approx(by_hand)


def test_system_anonymity_runs_from_one_assignment_to_all() -> None:
    assert degree(np.eye(5)) == 0
    assert degree(np.full((5, 5), 0.2)) == pytest.approx(1)
    assert degree(np.array([[1.0, 0], [1, 0]])) == 0
    assert 0 < degree(np.array([[0.9, 0.1], [0.1, 0.9]])) < 1


def test_no_verdicts_no_readings(make_replicate: Make) -> None:
    assert all_readings([make_replicate(seed=seed) for seed in range(3)]) == {}


def test_verdicts_are_counted_alone_as_together(make_replicate: Make) -> None:
    replicate = timing(make_replicate, 1, 0.5)
    alone, together = tally_verdicts(replicate), tally(replicate)
    assert set(alone.counts) < set(together.counts)
    assert "latency" not in alone.counts
    for name, counts in alone.counts.items():
        other: Counts = together.counts[name]
        assert {k: v.tolist() for k, v in counts.sums.items()} == {
            k: v.tolist() for k, v in other.sums.items()
        }


def test_an_impossible_posterior_is_our_mistake(make_replicate: Make) -> None:
    judged = next(judge(timing(make_replicate, 1, 0.5)))
    assert isinstance(judged.outcome, Which)
    outcome = replace(judged.outcome, most_prob=judged.outcome.most_prob / 8)
    with pytest.raises(LocalProtocolError, match="H_min"):
        _one(judged, outcome, 4)
