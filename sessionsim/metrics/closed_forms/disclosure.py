"""Statistical disclosure with a known answer: rounds it takes, and what the first m places then hold.

The model of metrics 2c: in each round the target writes to one of its m contacts, all equally likely, and
b - 1 others write to one of N recipients each, all equally likely. Plain disclosure then ranks recipients by
how often they received. `recall` computes the expected share of contacts among the first m, ties broken at
random, without simulation:

- contacts' own messages are multinomial; they are taken as Poisson, and the generating function is read off
  at the coefficient of their known sum, which makes them exactly multinomial again;
- so are the background counts. In small cases that is done for all recipients together and everything is
  exact (`_small_disclosure`); in larger ones contacts' own background is taken as independent of the
  others', and with many messages all of it is, which errs by up to 0.1/N in recall and 0.25/N in
  finding all.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy

from sessionsim.metrics.closed_forms._small_disclosure import found_exactly, small_enough

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]

_TAIL: Final = 1e-13  # probability that may be left out at either end of a count
# Up to how many messages of others their known sum is taken into account, and terms summed for one level.
# Assumption: the effect falls with the number; at 234 it is 0.0006 of recall, at 9 it is 0.03.
_KNOWN_SUM: Final = 600
_AFFORDED: Final = 2_000_000


def rounds_needed(recipients: int, batch: int, contacts: int, deviations: float) -> float:
    """Rounds after which contacts stand out by l standard deviations.

    [m l (sqrt((N-1)(b-1)/N^2) + sqrt((N-1)(b-1)/N^2 + (m-1)/m^2))]^2. At l = 2 this does not mean that all
    are found: see `recall`.

    Source: Danezis, SEC 2003; Mathewson, Dingledine, PET 2004.
    """
    noise = (recipients - 1) * (batch - 1) / recipients**2
    own = (contacts - 1) / contacts**2
    return (contacts * deviations * (math.sqrt(noise) + math.sqrt(noise + own))) ** 2


class Found(NamedTuple):
    """What the first m places hold. Args: recall: expected share of contacts; all: probability of all."""

    recall: float
    all: float


class _Level(NamedTuple):
    """Generating functions of a contact's count below, at and above a level; probabilities of others.

    Args:
        number: the level. messages: of the background. share: of it that one recipient gets.
    """

    at: Complex
    above: Complex
    below: Complex
    other_at: float
    other_above: float
    number: int
    messages: int
    share: float


def found(recipients: int, batch: int, contacts: int, rounds: int) -> Found:
    """Give expected recall and the probability of finding all, after so many rounds.

    Args:
        recipients, batch, contacts: N, b, m as above, m below N. rounds: 1 or more.
    """
    if small_enough(recipients, batch, contacts, rounds):
        return Found(*found_exactly(recipients, batch, contacts, rounds))
    others = recipients - contacts
    background = scipy.stats.binom(rounds * (batch - 1), 1 / recipients)
    own = scipy.stats.poisson(rounds / contacts)
    top_own = min(rounds, int(own.isf(_TAIL)))
    top = top_own + int(background.isf(_TAIL)) + 1
    # So many roots of unity that no other possible sum falls on the same coefficient.
    z = _roots(min(contacts * top_own, 2 * rounds + 60))
    by_own = own.pmf(np.arange(top_own + 1))[:, None] * z[None, :] ** np.arange(top_own + 1)[:, None]
    by_background = background.pmf(np.arange(top + 1))
    counts = np.zeros((top + 1, len(z)), dtype=np.complex128)
    for number in range(top_own + 1):
        counts[number:] += by_background[: top + 1 - number, None] * by_own[number]
    whole = counts.sum(axis=0)
    unwind = z ** (-rounds) / len(z) / scipy.stats.poisson(rounds).pmf(rounds)
    recall = every = 0.0
    upto, rest = np.zeros(len(z), dtype=np.complex128), float(background.sf(-1))
    for k in range(top + 1):
        rest -= float(by_background[k])
        level = _Level(
            counts[k], whole - upto - counts[k], upto.copy(), float(by_background[k]), max(0.0, rest),
            k, rounds * (batch - 1), 1 / recipients,
        )  # fmt: skip
        upto += counts[k]
        # Nobody can be among the first m at a level that m others exceed for sure.
        if scipy.stats.binom(others, level.other_above).cdf(contacts) > _TAIL:
            recall += _inside(level, contacts, others, unwind)
            every += _all_inside(level, contacts, others, unwind)
    return Found(min(1.0, recall), min(1.0, every))


def _roots(most: int) -> Complex:
    """Give the roots of unity that tell sums of 0 to `most` apart."""
    roots: Complex = np.exp(2j * np.pi * np.arange(most + 1) / (most + 1))
    return roots


def _others(level: _Level, others: int, limit: int) -> Floats:
    """Probabilities that so many non-contacts are above and at a level, shape (limit, ...)."""
    above = scipy.stats.binom(others, level.other_above).pmf(np.arange(limit))
    share = min(1.0, level.other_at / max(1 - level.other_above, 1e-300))
    most = int(scipy.stats.binom(others, share).isf(_TAIL)) + 2 if share > 0 else 1
    most = min(most, others + 1)
    terms = limit * most * (2 * level.messages + 61)
    if 1 <= level.messages <= _KNOWN_SUM and terms <= _AFFORDED:
        return _others_of_known_sum(level, others, limit, most)
    at = np.array([scipy.stats.binom(others - g, share).pmf(np.arange(most)) for g in range(limit)])
    found: Floats = above[:, None] * at
    return found


def _others_of_known_sum(level: _Level, others: int, limit: int, most: int) -> Floats:
    """The same when the sum of all background is known: Poisson counts, given their sum."""
    total, k = level.messages, level.number
    w = _roots(2 * total + 60)
    mean = total * level.share
    law = scipy.stats.poisson(mean)
    at = law.pmf(k) * w**k
    below = (law.pmf(np.arange(k))[:, None] * w ** np.arange(k)[:, None]).sum(axis=0)
    above = np.exp(mean * (w - 1)) - at - below
    # What goes to contacts is part of the sum, whoever of them gets it.
    contacts = np.exp((total - others * mean) * (w - 1))
    unwind = contacts * w ** (-total) / len(w) / scipy.stats.poisson(total).pmf(total)
    found = np.zeros((limit, most))
    logs = [np.log(np.where(abs(x) < 1e-300, 1e-300, x)) for x in (above, at, below)]
    for g in range(limit):
        e = np.arange(min(most, others - g + 1))
        left = others - g - e
        parts = np.array([np.full(len(e), g), e, left], dtype=np.float64)
        ways: Floats = math.lgamma(others + 1) - np.sum(scipy.special.gammaln(parts + 1), axis=0)
        terms = ways[:, None] + g * logs[0] + e[:, None] * logs[1] + left[:, None] * logs[2]
        weight: Floats = np.real(np.exp(terms) @ unwind)
        found[g, : len(e)] = np.maximum(weight, 0)
    return found


def _inside(level: _Level, contacts: int, others: int, unwind: Complex) -> float:
    """Probability that one contact is at this level and among the first m."""
    law = _others(level, others, contacts)
    above, at = np.arange(law.shape[0])[:, None], np.arange(law.shape[1])[None, :]
    total = 0.0
    for g in range(contacts):
        for e in range(contacts - g):
            ways = math.comb(contacts - 1, g) * math.comb(contacts - 1 - g, e)
            form = level.at * level.above**g * level.at**e * level.below ** (contacts - 1 - g - e)
            weight = ways * float((form * unwind).sum().real)
            if weight > _TAIL:
                total += weight * float((law * np.clip((contacts - g - above) / (e + at + 1), 0, 1)).sum())
    return total


def _all_inside(level: _Level, contacts: int, others: int, unwind: Complex) -> float:
    """Probability that the lowest contact is at this level and all are among the first m."""
    none_above = _others(level, others, 1)[0]
    total = 0.0
    for c in range(1, contacts + 1):
        form = level.at**c * level.above ** (contacts - c)
        weight = math.comb(contacts, c) * float((form * unwind).sum().real)
        if weight > _TAIL:
            e = np.arange(len(none_above))
            logs = (
                scipy.special.gammaln(c + 1) + scipy.special.gammaln(e + 1) - scipy.special.gammaln(c + e + 1)
            )
            total += weight * float((none_above * np.exp(logs)).sum())
    return total


def least_squares_error(sent: npt.ArrayLike, profiles: npt.ArrayLike) -> Floats:
    """Expected squared error of least squares per sender, summed over recipients, given who sent when.

    Each message goes independently by its sender's profile, so the variance of a round's count of recipient
    j is the sum over messages of p_j (1 - p_j), and the solver passes it on linearly.

    Args:
        sent: messages per round and sender, more rounds than senders. profiles: true shares.

    Source: Pérez-González, Troncoso, PETS 2012, section 4.
    """
    u, p = np.asarray(sent, dtype=np.float64), np.asarray(profiles, dtype=np.float64)
    solver = np.linalg.pinv(u)  # senders x rounds
    noise = u @ (p * (1 - p)).sum(axis=1)  # of all recipients of a round together
    found: Floats = (solver**2) @ noise
    return found


def alone_after(rivals: int, presence: float, epochs: int) -> float:
    """Probability that no rival was active in all epochs: (1 - p^k)^M.

    Args:
        rivals: M. presence: probability p that a rival is active in an epoch. epochs: k.
    """
    survives = presence**epochs
    return math.exp(rivals * math.log1p(-survives)) if survives < 1 else float(rivals == 0)


def presence_prob(messages_per_day: float, epoch_s: float) -> float:
    """Probability that somebody of a rate is active in an epoch: 1 - exp(-r tau)."""
    return -math.expm1(-messages_per_day / 86_400 * epoch_s)


def epochs_needed(rivals: int, presence: float, left: float) -> float:
    """Epochs after which at most `left` rivals are expected: ln(M/eta)/ln(1/p)."""
    return math.log(rivals / left) / -math.log(presence)


def sufficient_epochs(rivals: int, failure: float, difference: float) -> float:
    """Epochs that suffice whatever the laws are: 4 ln((M+1)/eta)/d^2, by Hoeffding. Source: metrics 2c."""
    return 4 * math.log((rivals + 1) / failure) / difference**2
