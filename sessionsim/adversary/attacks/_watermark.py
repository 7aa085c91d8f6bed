"""Delay watermark: the first hop writes a secret rhythm into a flow, the far end reads it (metrics 2g).

Slots of equal length alternate in a keyed pattern: in a marked slot the first hop holds every request for a
fixed time, which moves requests from the first into the second half of the slot. The reader asks whether
marked slots have later phases than the others. Active: it needs to delay, and the client may notice.

Source: after interval-based watermarks (Pyun, Park, Wang, Reeves, Ning, INFOCOM 2007); the statistic, a
rank test of phases, is ours.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def watermark_key(slots: int, rng: np.random.Generator) -> Flags:
    """Choose which slots are marked: half of them, at random, shape (slots,)."""
    marked = np.zeros(slots, dtype=bool)
    marked[rng.permutation(slots)[: slots // 2]] = True
    return marked


def watermarked(time_s: npt.ArrayLike, key: Flags, slot_s: float, hold_s: float) -> Floats:
    """Give when requests leave the first hop: those of marked slots are held, order is kept.

    Args:
        time_s: when they arrive, seconds ascending. key: marked slots, repeated as long as the flow lasts.
        slot_s: length of a slot. hold_s: how long a request of a marked slot is held.
    """
    when = np.asarray(time_s, dtype=np.float64)
    marked = key[(when // slot_s).astype(int) % len(key)]
    found: Floats = np.maximum.accumulate(when + hold_s * marked)
    return found


def watermark_score(time_s: npt.ArrayLike, key: Flags, slot_s: float, delay_s: float = 0.0) -> float:
    """Say how much later requests of marked slots come within their slots, in standard errors.

    About standard normal for a flow without the mark, whatever its rhythm, as long as it does not know the
    key.

    Args:
        time_s: when requests are seen at the far end. delay_s: the usual delay in between.
    """
    return float(watermark_scores(time_s, key[None, :], slot_s, delay_s)[0])


def watermark_scores(time_s: npt.ArrayLike, keys: Flags, slot_s: float, delay_s: float = 0.0) -> Floats:
    """`watermark_score` of one flow under many keys, shape (keys, slots); gives shape (keys,)."""
    when = np.asarray(time_s, dtype=np.float64) - delay_s
    slot = np.floor(when / slot_s).astype(int)
    phase, marked = when / slot_s - slot, keys[:, slot % keys.shape[1]]
    n = marked.sum(axis=1)
    m = marked.shape[1] - n
    rank_sum = marked @ scipy.stats.rankdata(phase) - n * (n + 1) / 2
    spread = np.sqrt(n * m * (n + m + 1) / 12)
    known = (n >= 2) & (m >= 2)
    found: Floats = np.where(known, (rank_sum - n * m / 2) / np.where(known, spread, 1.0), 0.0)
    return found
