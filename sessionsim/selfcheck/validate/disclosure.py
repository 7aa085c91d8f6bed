"""Checks of long-term attacks: statistical and least-squares disclosure, intersection: V15, V16."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._intersection import epochs_until_alone, intersection
from sessionsim.adversary.attacks._least_squares_disclosure import least_squares_disclosure
from sessionsim.adversary.attacks._statistical_disclosure import statistical_disclosure
from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds
from sessionsim.metrics.closed_forms import disclosure as known
from sessionsim.metrics.closed_forms._small_disclosure import small_enough
from sessionsim.selfcheck.validate._check import check
from sessionsim.selfcheck.validate._finding import (
    Finding,
    at_least,
    at_most,
    by_count,
    by_mean,
    near,
    published,
)
from sessionsim.selfcheck.validate._parameter import cases, number, seed, whole

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_FOUND = {
    (1000, 10, 5, 26): (0.875, 0.43),
    (1000, 10, 5, 58): (0.996, 0.98),
    (1000, 100, 20, 778): (0.888, 0.03),
}
_ROUNDS = {(20_000, 50, 20): (119.2, 268.3), (1000, 10, 5): (25.6, 57.6)}  # at 2 and 3 deviations: metrics 2c
_BENCHMARK = {
    100: (0.504, 0.559),
    300: (0.850, 0.831),
    1000: (0.998, 0.996),
}  # least squares, plain; metrics 2c


@check(
    "sda", "V15", source="Danezis 2003; metrics 2c",
    N=whole((1000,), "recipients", 4, 100_000),
    b=whole((10,), "messages in a round", 2, 1000),
    m=whole((5,), "contacts of the target, all equally likely; below N", 1, 40),
    t=whole((26, 58), "rounds observed", 1, 3000),
    runs=whole(20_000, "targets attacked", 100, 1_000_000, reduced=800),
    seed=seed(),
)  # fmt: skip
def sda(
    N: tuple[int, ...], b: tuple[int, ...], m: tuple[int, ...], t: tuple[int, ...], runs: int, seed: int
) -> Iterator[Finding]:
    """Recall of statistical disclosure against its exact expectation, ties broken at random."""
    for case in cases(N=N, b=b, m=m, t=t):
        people, batch, contacts, rounds = (case[key] for key in "Nbmt")
        if contacts >= people:
            raise InvalidInput("validate sda --m", contacts, f"below N={people}")
        label = f"N={people} b={batch} m={contacts} t={rounds}"
        if (people, batch, contacts) in _ROUNDS:
            for deviations, value in zip((2, 3), _ROUNDS[people, batch, contacts], strict=True):
                needed = known.rounds_needed(people, batch, contacts, deviations)
                yield published(f"{label} rounds for {deviations} deviations", value, needed, 0.05)
        expected = known.found(people, batch, contacts, rounds)
        if (people, batch, contacts, rounds) in _FOUND:
            for name, value, got in zip(
                ("recall", "all found"), _FOUND[people, batch, contacts, rounds], expected, strict=True
            ):
                yield published(f"{label} {name}", value, got, 0.01)
        rng = Seeds(seed).stream("validate", "sda", people, batch, contacts, rounds)
        targets = max(100, min(runs, 600_000_000 // (rounds * (people + 4 * batch))))
        places = [_places(people, batch, contacts, rounds, rng) for _ in range(targets)]
        # In large cases the closed form takes background counts as independent.
        slack = 0.0 if small_enough(people, batch, contacts, rounds) else 0.3 / people
        yield by_mean(f"{label} recall", expected.recall, [hit.mean() for hit in places], slack)
        every = sum(bool(hit.all()) for hit in places)
        yield by_count(f"{label} all found", expected.all, every, targets, slack)


def _places(
    people: int, batch: int, contacts: int, rounds: int, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Attack one target whose contacts are the first people; say which of them the attack puts first."""
    own = rng.integers(contacts, size=(rounds, 1))
    others = rng.integers(people, size=(rounds, batch - 1))
    cell = np.concatenate([own, others], axis=1) + people * np.arange(rounds)[:, None]
    received = np.bincount(cell.ravel(), minlength=rounds * people).reshape(rounds, people)
    score = statistical_disclosure(np.ones(rounds, bool), received, np.full(people, 1 / people))
    # Counts are whole, so scores differ by 1/rounds or not at all: noise far below that breaks ties.
    chosen = np.argsort(-(score + rng.random(people) / (10 * rounds)))[:contacts]
    return np.isin(np.arange(contacts), chosen)


@check(
    "least-squares-sda", "V15", source="Pérez-González, Troncoso 2012; metrics 2c",
    senders=whole(50, "senders", 2, 300),
    recipients=whole(50, "recipients", 4, 300),
    b=whole(10, "messages in a round, senders uniform with repetition", 1, 200),
    contacts=whole(5, "contacts of each sender, all equally likely; below recipients", 1, 50),
    T=whole((300, 100, 1000), "rounds observed, at least 1.5 times the senders", 3, 20_000, reduced=(300,)),
    worlds=whole(60, "independent worlds", 10, 1000, reduced=20),
    seed=seed(),
)  # fmt: skip
def least_squares_sda(
    senders: int, recipients: int, b: int, contacts: int, T: tuple[int, ...], worlds: int, seed: int
) -> Iterator[Finding]:
    """Squared error of least-squares disclosure against its formula, and its recall beside plain."""
    if contacts >= recipients:
        raise InvalidInput(
            "validate least-squares-sda --contacts", contacts, f"below recipients={recipients}"
        )
    for rounds in T:
        if rounds < 1.5 * senders:
            allowed = f"at least {math.ceil(1.5 * senders)}, 1.5 times the senders"
            raise InvalidInput("validate least-squares-sda --T", rounds, allowed)
        error, expected, plain_off, recalls = [], [], [], []
        for world in range(worlds):
            rng = Seeds(seed).stream("validate", "least-squares-sda", rounds, world)
            profiles, sent, received = _world(senders, recipients, b, contacts, rounds, rng)
            if (sent.sum(axis=0) == 0).any():
                continue  # somebody never sent: there is nothing to estimate
            least = least_squares_disclosure(sent, received)
            error.append(float(((least - profiles) ** 2).sum(axis=1).mean()))
            expected.append(float(known.least_squares_error(sent, profiles).mean()))
            plain = np.array([statistical_disclosure(sent[:, k] > 0, received) for k in range(senders)])
            plain_off.append(_plain_offset(plain, sent, profiles))
            recalls.append([_recall(scores, profiles, contacts, rng) for scores in (least, plain)])
        label = f"T={rounds}"
        if len(error) < 2:
            raise InvalidInput("validate least-squares-sda --T", rounds, "rounds in which everybody sends")
        ratio = np.array(error) / np.array(expected)
        yield by_mean(f"{label} squared error over its formula", 1.0, ratio)
        yield by_mean(f"{label} plain disclosure less its expectation", 0.0, plain_off)
        means = np.mean(recalls, axis=0)
        usual = (senders, recipients, b, contacts) == (50, 50, 10, 5)
        if usual and rounds in _BENCHMARK:
            for name, value, got in zip(("least squares", "plain"), _BENCHMARK[rounds], means, strict=True):
                yield published(f"{label} recall of {name}", value, float(got), 0.02)
        ahead = [one[0] - one[1] for one in recalls]
        if usual and rounds <= 100:
            yield at_most(
                f"{label} recall of least squares over plain", 0.0, float(np.mean(ahead)), "not yet"
            )
        if usual and rounds >= 300:
            yield at_least(
                f"{label} recall of least squares over plain", -0.002, float(np.mean(ahead)), "overtaken"
            )


def _world(
    senders: int, recipients: int, batch: int, contacts: int, rounds: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Draw profiles, and counts of sent and received messages per round."""
    friends = np.array([rng.permutation(recipients)[:contacts] for _ in range(senders)])
    profiles = np.zeros((senders, recipients))
    np.put_along_axis(profiles, friends, 1 / contacts, axis=1)
    who = rng.integers(senders, size=(rounds, batch))
    whom = friends[who, rng.integers(contacts, size=(rounds, batch))]
    row = np.repeat(np.arange(rounds), batch)
    sent, received = np.zeros((rounds, senders)), np.zeros((rounds, recipients))
    np.add.at(sent, (row, who.ravel()), 1)
    np.add.at(received, (row, whom.ravel()), 1)
    return profiles, sent, received


def _plain_offset(plain: Floats, sent: Floats, profiles: Floats) -> float:
    """Give how far plain disclosure is from its expectation given who sent when, on the true contacts."""
    mean = sent @ profiles
    batch, off = float(sent.sum(axis=1)[0]), []
    for k in range(sent.shape[1]):
        active = sent[:, k] > 0
        rest = mean[~active].sum(axis=0)
        others = rest / rest.sum() if rest.sum() else np.full(mean.shape[1], 1 / mean.shape[1])
        expected = mean[active].mean(axis=0) - (batch - 1) * others
        off.append((plain[k] - expected)[profiles[k] > 0].mean())
    return float(np.mean(off))


def _recall(scores: Floats, profiles: Floats, contacts: int, rng: np.random.Generator) -> float:
    """Share of true contacts among the first places, averaged over senders, ties broken at random."""
    shuffled = rng.permutation(scores.shape[1])
    order = shuffled[np.argsort(-scores[:, shuffled], axis=1, kind="stable")[:, :contacts]]
    return float(np.take_along_axis(profiles > 0, order, axis=1).mean())


@check(
    "sealed-sender", "V16", source="Martiny et al., NDSS 2021; metrics 2c",
    M=whole(1_000_000, "rivals of the partner", 1, 10_000_000, reduced=200_000),
    rate=number(50.0, "messages that a rival gets a day", 1e-6, 1e6),
    tau=number((1.0,), "length of an epoch, s; rivals must be there with probability 1e-9 to 0.9", 1e-6, 1e6),
    runs=whole(5000, "targets attacked", 50, 1_000_000, reduced=300),
    seed=seed(),
)  # fmt: skip
def sealed_sender(M: int, rate: float, tau: tuple[float, ...], runs: int, seed: int) -> Iterator[Finding]:
    """Epochs until intersection leaves the partner alone, against their exact distribution."""
    for epoch in tau:
        p = known.presence_prob(rate, epoch)
        label = f"M={M} tau={epoch:g} s"
        if not 1e-9 <= p <= 0.9:
            raise InvalidInput(
                "validate sealed-sender --tau", epoch, f"presence of 1e-9 to 0.9; it is {p:.3g}"
            )
        if (M, rate, epoch) in ((1_000_000, 50.0, 1.0), (1_000_000, 50.0, 10.0)):
            wanted = (1.85, 2.47) if epoch == 1 else (2.68, 3.57)
            for left, value in zip((1.0, 0.01), wanted, strict=True):
                got = known.epochs_needed(M, p, left)
                yield published(f"{label} epochs until {left:g} rivals are expected", value, got, 0.01)
        most = next(k for k in range(1, 10_000) if known.alone_after(M, p, k) > 1 - 1e-7)
        rng = Seeds(seed).stream("validate", "sealed-sender", M, str(epoch))
        attacks = max(50, min(runs, int(60_000_000 / (M * p * most + 1000))))
        alone = [
            epochs_until_alone(intersection(_epoch(M, p, rng) for _ in range(most))) for _ in range(attacks)
        ]
        found = np.where(np.array(alone) < 0, most + 1, alone)
        law = [known.alone_after(M, p, k) for k in range(most + 1)]
        for k in range(1, most + 1):
            if 1e-3 < law[k] < 1 - 1e-3 or k == most:
                yield by_count(f"{label} alone after {k} epochs", law[k], int((found <= k).sum()), attacks)
        expected = sum(1 - value for value in law)
        yield by_mean(f"{label} epochs needed", expected, found, slack=1e-3)
        yield near(f"{label} the partner is never lost", 0.0, float((found > most).mean()), 1e-3, "chance")


def _epoch(rivals: int, presence: float, rng: np.random.Generator) -> Ints:
    """Draw who was active in an epoch: rivals 1.. by chance, and the partner, 0."""
    size = int(rng.binomial(rivals, presence))
    active = 1 + rng.choice(rivals, size, replace=False, shuffle=False)
    return np.concatenate([np.zeros(1, dtype=np.int64), active.astype(np.int64)])
