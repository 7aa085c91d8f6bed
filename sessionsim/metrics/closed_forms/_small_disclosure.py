"""What disclosure finds in small cases, exactly: the generating function of all counts together.

Own messages of contacts and background messages are Poisson with a variable each, z and w; the coefficient
of z^t w^T makes both multinomial. Per level of the count there are three classes (above, at, below), so the
number of contacts and of others in each is a polynomial, and the tie rule a weight on it.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]

_AFFORDED: Final = 20_000_000  # Assumption: terms that take a second or two
_MOST: Final = 300  # recipients, so that the numbers of ways stay within a float
_TAIL: Final = 1e-12


def small_enough(recipients: int, batch: int, contacts: int, rounds: int) -> bool:
    """Tell whether the exact sum is affordable."""
    sent = rounds * (batch - 1)
    roots = (2 * rounds + 61) * (2 * sent + 61)
    levels = rounds / contacts + sent / recipients + 6 * math.sqrt(rounds / contacts + sent / recipients) + 8
    forms = contacts * (contacts + 1) / 2
    return (
        recipients <= _MOST
        and levels * forms * (roots + contacts * recipients * (2 * sent + 61)) <= _AFFORDED
    )


def found_exactly(recipients: int, batch: int, contacts: int, rounds: int) -> tuple[float, float]:
    """Give expected recall and the probability of finding all; arguments as `disclosure.found`."""
    others, sent = recipients - contacts, rounds * (batch - 1)
    z, w = _roots(2 * rounds + 60), _roots(2 * sent + 60)
    own, background = scipy.stats.poisson(rounds / contacts), scipy.stats.poisson(sent / recipients)
    unwind_z = z ** (-rounds) / len(z) / scipy.stats.poisson(rounds).pmf(rounds)
    unwind_w = w ** (-sent) / len(w) / scipy.stats.poisson(sent).pmf(sent)
    top = min(rounds, int(own.isf(_TAIL)) + 1) + min(sent, int(background.isf(_TAIL)) + 1)
    by_own = own.pmf(np.arange(top + 1))[:, None] * z ** np.arange(top + 1)[:, None]
    by_others = background.pmf(np.arange(top + 1))[:, None] * w ** np.arange(top + 1)[:, None]
    whole = np.exp(rounds / contacts * (z - 1))[:, None] * np.exp(sent / recipients * (w - 1))[None, :]
    all_others = np.exp(sent / recipients * (w - 1))
    below, other_below = np.zeros_like(whole), np.zeros_like(all_others)
    recall = every = 0.0
    for k in range(top + 1):
        at = by_own[: k + 1].T @ by_others[k::-1]
        above, other_at = whole - at - below, by_others[k]
        spread = _spread(others, contacts, all_others - other_at - other_below, other_at, other_below)
        for g in range(contacts):
            for e in range(contacts - g):
                ways = math.comb(contacts - 1, g) * math.comb(contacts - 1 - g, e)
                form = unwind_z @ (at ** (e + 1) * above**g * below ** (contacts - 1 - g - e))
                weight = np.real(spread @ (ways * form * unwind_w))
                others_above, others_at = np.arange(weight.shape[0])[:, None], np.arange(weight.shape[1])
                recall += float(
                    (weight * np.clip((contacts - g - others_above) / (e + others_at + 1), 0, 1)).sum()
                )
        for c in range(1, contacts + 1):
            form = unwind_z @ (at**c * above ** (contacts - c))
            weight = np.real(spread[0] @ (math.comb(contacts, c) * form * unwind_w))
            ties = np.array([1 / math.comb(c + e, c) for e in range(len(weight))])
            every += float((weight * ties).sum())
        below, other_below = below + at, other_below + other_at
    return min(1.0, recall), min(1.0, every)


def _roots(most: int) -> Complex:
    """Give the roots of unity that tell sums of 0 to `most` apart."""
    roots: Complex = np.exp(2j * np.pi * np.arange(most + 1) / (most + 1))
    return roots


def _spread(others: int, limit: int, above: Complex, at: Complex, below: Complex) -> Complex:
    """Give the functions of so many non-contacts above and at a level, shape (limit, others + 1, roots)."""
    found = np.zeros((limit, others + 1, len(at)), dtype=np.complex128)
    for g in range(min(limit, others + 1)):
        for e in range(others - g + 1):
            ways = math.comb(others, g) * math.comb(others - g, e)
            found[g, e] = ways * above**g * at**e * below ** (others - g - e)
    return found
