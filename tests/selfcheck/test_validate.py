"""How checks are declared, how people's values are read, what counts as passed; and that checks can fail."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from sessionsim.adversary.attacks import _statistical_disclosure
from sessionsim.core.errors import InvalidInput
from sessionsim.metrics.closed_forms import mixes
from sessionsim.metrics.estimators import bayes_risk, channels
from sessionsim.network import population
from sessionsim.selfcheck.validate import (
    FAILED,
    NEEDS_FILE,
    PASSED,
    Check,
    checks,
    disclosure,
    entropies,
    named,
    perform,
    timing,
)
from sessionsim.selfcheck.validate import _finding as f
from sessionsim.selfcheck.validate._check import NeedsFile, check
from sessionsim.selfcheck.validate._parameter import cases, number, prob, seed, whole, word


def made(run: object) -> Check:
    return Check("x", "V0", "", "", {"n": whole(3, "n", 1, 9), "seed": seed()}, run)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "x", "2.5", "nan", "0", "10", "1,2", "1e400", "inf"])
def test_a_whole_number_out_of_range_or_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"a whole number, 1 to 9|one value"):
        whole(3, "n", 1, 9).read(text, "--n")


def test_values_are_read_as_people_write_them() -> None:
    assert whole(3, "n", 1, 10**6).read("1e3", "--n") == 1000
    assert isinstance(whole(3, "n", 1, 10**6).read("1e3", "--n"), int)
    assert prob((0.1,), "f").read("0.2, 1e-5", "--f") == (0.2, 1e-5)
    assert word("a", "w", ("a", "b")).read("b", "--w") == "b"
    with pytest.raises(InvalidInput, match="one of a, b"):
        word("a", "w", ("a", "b")).read("c", "--w")
    with pytest.raises(InvalidInput, match="ends left out"):
        prob(0.1, "f", open_=True).read("1", "--f")
    assert number((1.0, 2.5), "x", 0, 9).written((1.0, 2.5)) == "1,2.5"


def test_lists_go_side_by_side() -> None:
    assert cases(a=(1, 2), b=(5,)) == [{"a": 1, "b": 5}, {"a": 2, "b": 5}]
    with pytest.raises(InvalidInput, match="2 values"):
        cases(a=(1, 2), b=(1, 2, 3))


def test_unknown_parameters_name_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="--N, --b, --m, --t"):
        perform(named("sda")[0], {"x": "1"})
    with pytest.raises(InvalidInput, match="V15 sda"):
        named("nonsense")
    assert {one.name for one in named("v15")} == {"sda", "least-squares-sda"}


def test_a_check_passes_only_if_everything_came_out() -> None:
    good, bad = f.near("a", 1, 1.05, 0.1, "b"), f.near("a", 1, 1.2, 0.1, "b")
    assert perform(made(lambda n, seed: [good])).status == PASSED
    assert perform(made(lambda n, seed: [good, bad])).status == FAILED
    assert perform(made(lambda n, seed: [])).status == FAILED
    assert perform(made(lambda n, seed: [f.near("a", 1, math.nan, 9, "b")])).status == FAILED


def test_a_check_that_breaks_has_failed_and_one_without_its_file_has_not_passed() -> None:
    def breaks(n: int, seed: int) -> Iterator[f.Finding]:
        raise ZeroDivisionError("n")
        yield

    def missing(n: int, seed: int) -> Iterator[f.Finding]:
        raise NeedsFile("needs a file")
        yield

    assert perform(made(breaks)).status == FAILED
    assert perform(made(breaks)).problem == "ZeroDivisionError: n"
    assert perform(made(missing)).status == NEEDS_FILE


def test_names_are_unique_and_every_check_says_what_it_does() -> None:
    with pytest.raises(ValueError, match="twice"):
        check("sda", "V15", source="x")(lambda: [])
    for one in checks():
        assert one.summary.endswith(".")
        assert len(one.source) > 2
        assert one.values({}) == one.values({k: p.written(p.default) for k, p in one.parameters.items()})
        assert one.values({}, reduced=True).keys() == one.values({}).keys()


def test_tolerance_of_a_mean_is_rarely_exceeded_and_notices_an_offset() -> None:
    rng = np.random.default_rng(1)
    assert sum(not f.by_mean("m", 0, rng.normal(size=12)).passed for _ in range(3000)) == 0
    assert not f.by_mean("m", 0.5, rng.normal(size=400)).passed
    assert f.by_mean("m", 3, [3, 3, 3]).passed
    assert not f.by_mean("m", 3, [3.001, 3.001, 3.001]).passed
    assert f.by_mean("m", 3, [3.001, 3.001, 3.001], slack=0.01).passed
    assert f.by_mean("m", 0.001, [0.0, 0, 0], least=0.001).passed


def test_tolerance_of_a_share_is_binomial() -> None:
    rng = np.random.default_rng(2)
    assert all(f.by_count("s", 0.03, int(h), 500).passed for h in rng.binomial(500, 0.03, 5000))
    assert not f.by_count("s", 0.03, 40, 500).passed
    assert f.by_count("s", 0, 0, 10).passed
    assert not f.by_count("s", 0, 1, 10).passed
    assert f.by_count("s", 1, 10, 10).passed


def test_bounds_are_one_sided() -> None:
    assert f.at_most("x", 1, -50, "b").passed
    assert not f.at_most("x", 1, 1.01, "b").passed
    assert f.at_least("x", 1, 50, "b").passed
    assert "tolerance -inf +0" in str(f.at_most("x", 1, 0, "b"))
    assert f.described(f.at_most("x", 1, 0, "b"))["below"] is None


# A validation suite is worth what it notices: each mistake below must make its check fail.


def fails(name: str, **given: str) -> bool:
    return perform(named(name)[0], given, reduced=True).status == FAILED


def test_a_biased_entropy_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entropies, "miller_madow", entropies.plug_in)
    assert fails("entropy-bias")


def test_ties_in_favour_of_the_truth_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cheat of metrics 2c: recall .930 instead of .875."""

    def cheat(active: object, received: np.ndarray, background: object = None) -> np.ndarray:
        score = _statistical_disclosure.statistical_disclosure(active, received, background)  # type: ignore[arg-type]
        score[:5] += 0.9 / len(received)
        return score

    monkeypatch.setattr(disclosure, "statistical_disclosure", cheat)
    assert fails("sda", t="26", runs="3000")


def test_a_wrong_delay_law_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    law = timing.erlang_log_density
    monkeypatch.setattr(timing, "erlang_log_density", lambda k, rate: law(k, 1.3 * rate))
    assert fails("timing-channel")


def test_a_wrong_formula_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixes, "pool_mix_bits", lambda batch, kept: math.log2(batch + kept))
    assert fails("pool-mix")
    assert fails("pool-mix", N="33", n="11")


def test_one_neighbour_too_many_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = bayes_risk.held_out_risk
    from sessionsim.selfcheck.validate import channels as family

    monkeypatch.setattr(family, "held_out_risk", lambda train, test, k: wrong(train, test, 1)._replace(k=k))
    assert fails("bayes-risk")


def test_a_wrong_capacity_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "capacity_bits", lambda c: channels.information_bits(c, [0.6, 0.4]))
    assert fails("symmetric-channel", p="0.2")


def test_a_path_engine_that_forgets_a_rule_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    rotate = population._rotate

    def twice(*given: object) -> object:
        return rotate(*given[:5], given[5], given[6], given[7], given[8], given[8])  # type: ignore[arg-type]

    # Paths are built once and never anew.
    monkeypatch.setattr(population, "_rotate", twice)
    assert fails("guards", f="0.2", n="5", G="3")


@pytest.mark.parametrize("n", ["2", "3", "20"])
def test_few_samples_that_coincide_in_no_run_or_in_one_come_out_too(n: str) -> None:
    for number_of_seed in range(1, 6):
        given = {"n": n, "runs": "100", "seed": str(number_of_seed)}
        found = perform(named("entropy-bias")[0], given, reduced=True)
        assert found.status == PASSED, [str(one) for one in found.findings if not one.passed]
