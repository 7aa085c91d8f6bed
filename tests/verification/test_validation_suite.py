"""The validation suite at reduced size; at full size with SESSIONSIM_FULL (metrics section 7)."""

from __future__ import annotations

import os

import pytest

from sessionsim.selfcheck.validate import NEEDS_FILE, PASSED, Check, checks, named, perform

FULL = bool(os.environ.get("SESSIONSIM_FULL"))
TRACE = os.environ.get("SESSIONSIM_COLLEGEMSG")


@pytest.mark.parametrize("one", checks(), ids=lambda one: one.name)
def test_check_passes(one: Check) -> None:
    given = {"file": TRACE} if TRACE and one.name == "trace-loader" else {}
    verdict = perform(one, given, reduced=not FULL)
    if one.name == "trace-loader" and not TRACE:
        assert verdict.status == NEEDS_FILE
        pytest.skip("needs a file: name it in SESSIONSIM_COLLEGEMSG")
    wrong = [str(finding) for finding in verdict.findings if not finding.passed]
    assert (verdict.status, verdict.problem, wrong) == (PASSED, "", [])


def test_every_number_of_the_specification_has_a_check() -> None:
    assert {one.alias for one in checks()} == {f"V{k}" for k in range(1, 29)}


# Other values of the same formulas: what is expected is computed, not remembered.
OTHERS = [
    ("pool-mix", "N=40,5 n=20,95"),
    ("crowds", "n=50,500 C=10,60 p=0.6,0.9"),
    ("entropy-bias", "K=50,5000 n=100,300"),
    ("information-null", "X=3 Y=30 n=200"),
    ("bayes-risk", "L=10 D=10 nu=0.1 n=5000"),
    ("symmetric-channel", "p=0,0.3,0.5,0.9"),
    ("neighbour-bound", "L=10,100 R=0.3,0.6"),
    ("timing-channel", "lam=5,30 k=2 mu=3"),
    ("jitter", "sd_ms=5 lam=3,300"),
    ("first-last", "N=1262 c=63"),
    ("swarm-coverage", "N=1262 f=0.2 s=5"),
    ("selective-denial", "f=0.05,0.4 honest=4"),
    ("guards", "f=0.1 n=1000 G=1,12"),
    ("rebuilds", "f=0.05 r=1000"),
    ("sda", "N=200 b=5 m=8 t=40"),
    ("sda", "N=1000 b=10 m=5 t=1"),
    ("least-squares-sda", "senders=20 recipients=40 b=5 contacts=3 T=150"),
    ("sealed-sender", "M=1000 rate=200 tau=60"),
    ("swarm-capture", "S=252 m=100,400"),
    ("slot-queue", "slots=3 r=2"),
    ("padding", "bucket=64,512"),
    ("trilemma", "N=1000 l=30 beta=0.01 p=0.05 lp=10"),
    ("base-rate", "tpr=0.5 fpr=0.01 pi=0.001"),
    ("audit", "false_alarms=10 misses=100 delta=0.01"),
    ("onion-rtt", "legs=2 rtt=min"),
    ("structure", "platform=android suite=fast seed=3"),
    ("invariants", "secrets=40 outputs=3"),
]


@pytest.mark.parametrize(("name", "values"), OTHERS)
def test_check_passes_for_other_values(name: str, values: str) -> None:
    (one,) = named(name)
    verdict = perform(one, dict(part.split("=") for part in values.split()), reduced=not FULL)
    wrong = [str(finding) for finding in verdict.findings if not finding.passed]
    assert (verdict.status, verdict.problem, wrong) == (PASSED, "", [])


def test_a_trace_with_other_counts_fails(tmp_path: object) -> None:
    path = tmp_path / "trace.csv"  # type: ignore[operator]
    path.write_text("src,dst,unixtime\n1,2,10\n2,1,20\n1,3,30\n")
    (one,) = named("V23")
    assert perform(one, {"file": str(path)}).status == "failed"
    right = {"file": str(path), "people": "3", "messages": "3", "ties": "3", "reciprocity": "66.7"}
    assert perform(one, right).status == PASSED
