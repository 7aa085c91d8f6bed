"""Checks of the estimators of entropy and information, and of padded sizes: V3, V4, V19."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from sessionsim.core.seeds import Seeds
from sessionsim.metrics.closed_forms import entropy_bias
from sessionsim.metrics.closed_forms.mixes import padded_size_bits
from sessionsim.metrics.estimators.entropy_of_counts import miller_madow, plug_in
from sessionsim.metrics.estimators.information import information, plug_in_information, table_of
from sessionsim.selfcheck.validate._check import check
from sessionsim.selfcheck.validate._finding import Finding, by_mean, published
from sessionsim.selfcheck.validate._parameter import cases, seed, whole
from sessionsim.workload.lengths import histogram

# Source: metrics 1.2(1): (K, n) -> mean plug-in, mean Miller-Madow, bits.
_BIAS = {
    (16, 64): (3.8196, 3.9858),
    (1000, 1000): (9.1391, 9.5945),
    (1000, 100): (6.547, 7.226),
    (1000, 10_000): (9.8924, 9.9644),
}
_SIZES = {1: 7.082, 160: 0.254, 256: 0.085}  # Source: metrics 2e, bits of the visible size by bucket
_CLASSES = {160: 6, 256: 4}


@check(
    "entropy-bias", "V3", source="metrics 1.2(1)",
    K=whole((1000,), "equally likely values", 2, 1_000_000),
    n=whole((1000,), "samples", 2, 10_000_000),
    runs=whole(1000, "samples drawn anew", 20, 100_000, reduced=200),
    seed=seed(),
)  # fmt: skip
def entropy_bias_check(K: tuple[int, ...], n: tuple[int, ...], runs: int, seed: int) -> Iterator[Finding]:
    """Means of plug-in and Miller-Madow entropy of uniform samples against their exact expectations."""
    for case in cases(K=K, n=n):
        bins, samples = case["K"], case["n"]
        label = f"K={bins} n={samples}"
        expected = entropy_bias.plug_in_bits(bins, samples), entropy_bias.miller_madow_bits(bins, samples)
        for name, value, known in zip(
            ("plug-in", "Miller-Madow"), expected, _BIAS.get((bins, samples), ()), strict=False
        ):
            yield published(f"{label} {name}", known, value, 0.01)
        rng = Seeds(seed).stream("validate", "entropy-bias", bins, samples)
        # Large samples vary little, so fewer of them do.
        drawn = max(20, min(runs, 40_000_000 // (bins + samples)))
        counts = [np.bincount(rng.integers(bins, size=samples)) for _ in range(drawn)]
        # Few samples among many values hardly ever coincide: where none did, their spread is still known. One
        # coincidence takes 2/n bits off, and from the correction half a value's.
        met = min(1.0, samples * (samples - 1) / 2 / bins)
        least = (2 + 0.5 / math.log(2)) / samples * math.sqrt(met / drawn)
        yield by_mean(f"{label} plug-in, bits", expected[0], [plug_in(c) for c in counts], least=least)
        yield by_mean(
            f"{label} Miller-Madow, bits", expected[1], [miller_madow(c) for c in counts], least=least
        )


@check(
    "information-null", "V4", source="metrics 1.2(2)",
    X=whole(10, "values of the first column", 2, 1000),
    Y=whole(10, "values of the second column", 2, 1000),
    n=whole(1000, "pairs in a sample", 10, 1_000_000),
    runs=whole(400, "samples drawn anew", 20, 100_000, reduced=150),
    seed=seed(),
)  # fmt: skip
def information_null(X: int, Y: int, n: int, runs: int, seed: int) -> Iterator[Finding]:
    """Plug-in information of unrelated columns against its bias, and without it."""
    expected = entropy_bias.null_information_bits(X, Y, n)
    if (X, Y, n) == (10, 10, 1000):
        yield published("mean plug-in, bits", 0.0599, expected, 0.002)
    rng = Seeds(seed).stream("validate", "information-null", X, Y, n)
    found, left = [], []
    for run in range(max(20, min(runs, 20_000_000 // n))):
        x, y = rng.integers(X, size=n), rng.integers(Y, size=n)
        found.append(plug_in_information(table_of(x, y)))
        if run < 60:
            whole = information(x, y, rng, permutations=20)
            left.append(whole.plug_in_bits - whole.null_bits)
    yield by_mean("plug-in, bits", expected, found)
    yield by_mean("plug-in less the mean over permutations, bits", 0.0, left)


@check(
    "padding", "V19", source="metrics 2e, sms_length_histogram.csv",
    bucket=whole((1, 160, 256), "multiple that sizes are padded to, bytes; 1 is none", 1, 100_000),
    n=whole(50_000, "texts drawn in a run", 100, 10_000_000),
    runs=whole(40, "runs", 10, 1000, reduced=20),
    seed=seed(),
)  # fmt: skip
def padding(bucket: tuple[int, ...], n: int, runs: int, seed: int) -> Iterator[Finding]:
    """Entropy of the visible size of texts from their histogram, and from texts drawn, padded and counted."""
    lengths, numbers = (np.array(column) for column in histogram())
    for size in bucket:
        bits, classes = padded_size_bits(dict(zip(lengths.tolist(), numbers.tolist(), strict=True)), size)
        if size in _SIZES:
            yield published(f"bucket {size}, bits", _SIZES[size], bits, 1e-3)
        if size in _CLASSES:
            known = math.log2(_CLASSES[size])
            yield published(f"bucket {size}, min-capacity", known, math.log2(classes), 1e-9)
        rng, found = Seeds(seed).stream("validate", "padding", size), []
        for _ in range(runs):
            drawn = rng.choice(lengths, size=n, p=numbers / numbers.sum())
            padded = drawn if size == 1 else -(-(drawn + 1) // size) * size
            found.append(miller_madow(np.unique(padded, return_counts=True)[1]))
        # What Miller-Madow leaves of the bias: about the square of (classes / 2n), and rare classes unmet.
        yield by_mean(f"bucket {size}, bits of texts drawn", bits, found, slack=classes / n / 4)
