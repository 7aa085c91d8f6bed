"""The likelihood-ratio attack on simulated traffic of known laws gives the entropies of metrics 1.3.

Requests leave at random moments, each from an address of its own; each is stored after a delay of the law
that the attack is told. What its verdict leaves of the sender must be the published entropy and
vulnerability. And least squares overtake plain disclosure where the reference benchmark says (metrics 2c):
V15 at 100 rounds, where they lag, and at 300, where they are ahead.
"""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.adversary.attacks.likelihood_ratio import Config, LikelihoodRatio
from sessionsim.core.seeds import Seeds
from sessionsim.selfcheck.validate import named, perform
from tests.adversary.attacks.traffic import view_of

S = 1_000_000


def left(law: str, rate: float, outputs: int = 500, **more: int) -> tuple[float, float]:
    """Give mean entropy in bits and mean largest posterior of the verdict on one run of traffic."""
    rng = Seeds(7).stream("verification", "timing", law, str(rate))
    span = max(400.0, 2 * outputs / rate)  # long, so that the judged ones lie far apart
    sent = np.sort(rng.uniform(0, span, rng.poisson(rate * span)))
    hops = more.get("hops", 3)
    delay = rng.gamma(hops, 1.0, len(sent)) if law == "erlang" else 2 + rng.normal(0, 0.05, len(sent))
    seen = sent + delay
    inside = np.flatnonzero((seen > 30) & (seen < span - 5))
    inside = inside[:: max(1, len(inside) // outputs)]
    stored = [(int(seen[k] * S), 0, int(k), 500, True) for k in inside]
    view = view_of((sent * S).astype(int), np.arange(len(sent)), stored=stored)
    found = LikelihoodRatio(Config(law=law, sizes=False, keep=100_000, **more)).infer(view, (), rng)
    _, whose = np.unique(found.subject.astype(str), return_inverse=True)
    p = found.prob
    bits = np.bincount(whose, -p * np.log2(np.maximum(p, 1e-300)))
    top = np.zeros(len(bits))
    np.maximum.at(top, whose, p)
    return float(bits.mean()), float(top.mean())


@pytest.mark.parametrize(
    ("hops", "rate", "bits", "tolerance"),
    [(3, 50.0, 8.315, 0.05), (3, 5.0, 5.013, 0.06), (1, 50.0, 7.092, 0.05)],
)
def test_exponential_hops(hops: int, rate: float, bits: float, tolerance: float) -> None:
    found = left("erlang", rate, hops=hops)
    assert found[0] == pytest.approx(bits, abs=tolerance)
    if (hops, rate) == (3, 50.0):
        assert found[1] == pytest.approx(0.0054, rel=0.05)


@pytest.mark.parametrize(
    ("rate", "bits", "vulnerability"), [(1.0, 0.210, 0.925), (10.0, 1.480, 0.523), (100.0, 4.41, 0.079)]
)
def test_ordinary_jitter(rate: float, bits: float, vulnerability: float) -> None:
    found = left("normal", rate, delay_us=2 * S, deviation_us=50_000)
    assert found[0] == pytest.approx(bits, abs=0.06)
    assert found[1] == pytest.approx(vulnerability, abs=0.02)


def test_least_squares_overtake_where_the_benchmark_says() -> None:
    (one,) = named("least-squares-sda")
    verdict = perform(one, {"T": "100,300", "worlds": "12"}, reduced=True)
    assert (verdict.status, verdict.problem) == ("passed", "")
    crossing = [finding for finding in verdict.findings if "least squares over plain" in finding.what]
    assert [finding.got > 0 for finding in crossing] == [False, True]
