"""Checks of anonymity systems with a known answer: V1, V2, V18, V20."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds
from sessionsim.metrics.closed_forms import mixes
from sessionsim.metrics.estimators.entropies import shannon
from sessionsim.metrics.estimators.entropy_of_counts import miller_madow
from sessionsim.selfcheck.validate._check import check
from sessionsim.selfcheck.validate._finding import Finding, by_count, by_mean, near, number_of, published
from sessionsim.selfcheck.validate._parameter import cases, number, prob, seed, whole

Ints = npt.NDArray[np.int64]

# Source: metrics 1.3.
_POOLS = {(20, 10): 5.6994, (10, 10): 5.3219, (100, 0): 6.6439, (50, 150): 8.8890}
_CROWDS = {
    (20, 1, 0.75): (0.325, 3.7244, 0.8768), (100, 5, 0.75): (0.295, 5.4961, 0.8366),
    (1000, 50, 0.75): (None, 7.9058, 0.7992),
}  # fmt: skip
_TRILEMMA = {(10_000, 3, 0.0): 0.99970, (10_000, 3, 0.01): 0.96970, (10_000, 10, 0.05): 0.49895,
             (10_000, 60, 0.01): 0.39394, (10_000, 100, 0.01): 0.0}  # fmt: skip # Source: metrics 3.1
_ALONE = {(0.01, 3): 0.4703, (0.05, 10): 0.0987, (0.1, 10): 0.0}


@check(
    "pool-mix", "V1", source="Serjantov, Danezis, PET 2002; metrics 1.3",
    N=whole((20,), "messages in and out a round", 1, 20_000),
    n=whole((10,), "messages kept in the pool, at most 20 N", 0, 200_000),
    messages=whole(100_000, "messages observed in a run", 1000, 10_000_000, reduced=20_000),
    runs=whole(30, "independent runs", 10, 1000, reduced=16),
    seed=seed(),
)  # fmt: skip
def pool_mix(
    N: tuple[int, ...], n: tuple[int, ...], messages: int, runs: int, seed: int
) -> Iterator[Finding]:
    """Entropy of a pool mix: by the formula, by summing over ages, and of a mix that really runs."""
    for case in cases(N=N, n=n):
        batch, kept = case["N"], case["n"]
        if kept > 20 * batch:
            raise InvalidInput("validate pool-mix --n", kept, f"at most {20 * batch}, 20 times N")
        label, bits = f"N={batch} n={kept}", mixes.pool_mix_bits(batch, kept)
        if (batch, kept) in _POOLS:
            yield published(label, _POOLS[batch, kept], bits, 1e-4)
        # A message leaves a round with probability N/(N+n); each round has N equally likely inputs.
        stay = kept / (batch + kept)
        ages = np.arange(1 + (math.ceil(math.log(1e-14) / math.log(stay)) if kept else 0))
        law = (1 - stay) * stay**ages
        series = float(shannon(law / law.sum())) + math.log2(batch)
        yield near(f"{label} summed over ages, bits", bits, series, 1e-6, "series cut at 1e-14")
        rng = Seeds(seed).stream("validate", "pool-mix", batch, kept)
        found = [
            miller_madow(np.bincount(_ages_out(batch, kept, messages, rng))) + math.log2(batch)
            for _ in range(runs)
        ]
        # Ages of one run hang together, which costs the correction a little: 20 ages in so many messages.
        yield by_mean(
            f"{label} of a running mix, bits", bits, found, slack=20 * (1 + kept / batch) / messages
        )


def _ages_out(batch: int, kept: int, messages: int, rng: np.random.Generator) -> Ints:
    """Run a pool mix; give the age in rounds of each message that leaves after the warm-up."""
    warm = 1 + math.ceil(20 * kept / batch)
    pool = np.zeros(kept, dtype=np.int64)
    out = []
    for turn in range(warm + -(-messages // batch)):
        inside = np.concatenate([pool, np.full(batch, turn)])
        rng.shuffle(inside)
        pool = inside[batch:]
        if turn >= warm:
            out.append(turn - inside[:batch])
    return np.concatenate(out)


@check(
    "crowds", "V2", source="Reiter, Rubin 1998; Diaz et al. 2002; metrics 1.3",
    n=whole((20,), "members", 2, 100_000),
    C=whole((1,), "corrupt members, at most n - 2", 1, 100_000),
    p=prob((0.75,), "probability of forwarding, below 1"),
    trials=whole(50_000, "paths that meet a corrupt member, in a run", 1000, 10_000_000, reduced=10_000),
    runs=whole(30, "independent runs", 10, 1000, reduced=16),
    seed=seed(),
)  # fmt: skip
def crowds(
    n: tuple[int, ...], C: tuple[int, ...], p: tuple[float, ...], trials: int, runs: int, seed: int
) -> Iterator[Finding]:
    """Whom a corrupt member of a crowd sees before it: share of initiators, entropy and degree."""
    for case in cases(n=n, C=C, p=p):
        members, corrupt, forward = case["n"], case["C"], case["p"]
        if corrupt > members - 2 or forward >= 1:
            raise InvalidInput(
                "validate crowds", f"n={members} C={corrupt} p={forward:g}", "C at most n - 2 and p below 1"
            )
        label = f"n={members} C={corrupt} p={forward:g}"
        q = mixes.crowds_initiator(members, corrupt, forward)
        bits = mixes.crowds_entropy_bits(members, corrupt, forward)
        known = _CROWDS.get((members, corrupt, forward))
        degree = bits / math.log2(members - corrupt)
        if known:
            for name, value, got in zip(("q", "H", "d"), known, (q, bits, degree), strict=True):
                if value is not None:
                    yield published(f"{label} {name}", value, got, 1e-4)
        rng = Seeds(seed).stream("validate", "crowds", members, corrupt, str(forward))
        noted = [_predecessors(members, corrupt, forward, trials, rng) for _ in range(runs)]
        right = sum(int((one == 0).sum()) for one in noted)
        yield by_count(f"{label} predecessor is the initiator", q, right, sum(map(len, noted)))
        found = [miller_madow(np.bincount(one)) for one in noted]
        yield by_mean(f"{label} entropy, bits", bits, found, slack=((members - corrupt) / trials) ** 2)
        innocent = mixes.crowds_probably_innocent(members, corrupt, forward)
        yield number_of(
            f"{label} probably innocent, as q <= 1/2",
            int(q <= 0.5),
            int(innocent),
        )


def _predecessors(members: int, corrupt: int, forward: float, wanted: int, rng: np.random.Generator) -> Ints:
    """Build paths from member 0 until so many meet a corrupt one (the last numbers); give whom it saw."""
    seen: list[Ints] = []
    total = 0
    while total < wanted:
        holder = np.zeros(4 * wanted, dtype=np.int64)
        while len(holder):
            following = rng.integers(members, size=len(holder))
            caught = following >= members - corrupt
            seen.append(holder[caught])
            total += int(caught.sum())
            # An honest member flips its coin; the initiator always passes on first.
            holder = following[~caught]
            holder = holder[rng.random(len(holder)) < forward]
    return np.concatenate(seen)


@check(
    "slot-queue", "V18", source="metrics 3 (Poisson cover): M/M/1",
    slots=number(1.0, "rate of slots, per unit of time", 1e-6, 1e6),
    r=number(0.5, "rate of messages, at most 0.9 of the slots", 1e-7, 1e6),
    messages=whole(200_000, "messages in a run", 1000, 10_000_000, reduced=40_000),
    runs=whole(30, "independent runs", 10, 1000, reduced=16),
    seed=seed(),
)  # fmt: skip
def slot_queue(slots: float, r: float, messages: int, runs: int, seed: int) -> Iterator[Finding]:
    """Mean time until a real message leaves in a slot of Poisson cover traffic."""
    if r > 0.9 * slots:
        raise InvalidInput("validate slot-queue --r", r, f"at most {0.9 * slots:g}, 0.9 of the slots")
    expected, rng = mixes.slot_delay(slots, r), Seeds(seed).stream("validate", "slot-queue")
    found = []
    for _ in range(runs):
        arrive = np.cumsum(rng.exponential(1 / r, messages))
        slot = np.cumsum(rng.exponential(1 / slots, int(1.3 * messages * slots / r) + 1000))
        # The message takes the first slot after it came and after the slot of the message before it.
        number_ = np.arange(messages)
        taken = np.maximum.accumulate(np.searchsorted(slot, arrive, "right") - number_) + number_
        inside = taken < len(slot)
        wait = slot[np.minimum(taken, len(slot) - 1)] - arrive
        found.append(float(wait[messages // 10 :][inside[messages // 10 :]].mean()))
    if (slots, r) == (1.0, 0.5):
        yield published("mean delay", 2.0, float(np.mean(found)), 0.05)
    yield by_mean("mean delay", expected, found)


@check(
    "trilemma", "V20", source="Das, Meiser, Mohammadi, Kate, S&P 2018; metrics 3.1",
    N=whole((10_000,), "synchronised users", 3, 1_000_000),
    l=whole((10,), "rounds of latency", 1, 10_000),
    beta=prob((0.05,), "dummy messages per user and round"),
    p=prob((0.01,), "unsynchronised: probability that a user emits in a round"),
    lp=whole((3,), "unsynchronised: rounds of latency", 1, 10_000),
    runs=whole(1_000_000, "games", 1000, 100_000_000, reduced=20_000),
    seed=seed(),
)  # fmt: skip
def trilemma(
    N: tuple[int, ...],
    l: tuple[int, ...],  # noqa: E741 - the letter of the formula
    beta: tuple[float, ...],
    p: tuple[float, ...],
    lp: tuple[int, ...],
    runs: int,
    seed: int,
) -> Iterator[Finding]:
    """Least advantage that latency and dummies leave, and the chance that the other user was active."""
    rng = Seeds(seed).stream("validate", "trilemma")
    for case in cases(N=N, l=l, beta=beta):
        users, rounds, dummies = case["N"], case["l"], case["beta"]
        label = f"N={users} l={rounds} beta={dummies:g}"
        bound = mixes.trilemma_synchronised(users, rounds, dummies)
        if (users, rounds, dummies) in _TRILEMMA:
            yield published(label, _TRILEMMA[users, rounds, dummies], bound, 1e-5)
        # What hides the sender is that the other candidate emitted in the window: in each round one real
        # message and beta N dummies, each by one of the other N - 1 users.
        emitted = rng.binomial(rounds, 1 / (users - 1), runs) + rng.poisson(
            dummies * users * rounds / (users - 1), runs
        )
        if float(emitted.mean()) < 0.9:
            yield by_mean(f"{label} advantage left", bound, 1.0 - emitted)
        else:
            yield near(
                f"{label} advantage left",
                bound,
                max(0.0, 1 - float(emitted.mean())),
                0.15,
                "near the cut",
            )
    for case in cases(p=p, lp=lp):
        send, rounds = case["p"], case["lp"]
        label, bound = f"p={send:g} l={rounds}", mixes.trilemma_unsynchronised(send, rounds)
        if (send, rounds) in _ALONE:
            yield published(label, _ALONE[send, rounds], bound, 1e-4)
        silent = int((rng.random((runs, min(rounds, 2000))) >= send).all(axis=1).sum())
        share = (1 - send) ** min(rounds, 2000)
        yield by_count(f"{label} the other user was silent", share, silent, runs)
        yield near(f"{label} advantage left", max(0.0, share - 0.5), bound, 1e-12, "arithmetic")
