"""The shape of a conversation, measured the same way on a real trace and on generated intents.

Three arrays in time order go in: senders, recipients, seconds. Out come the gaps between one person's
consecutive messages, the delays of answers, the sizes of sessions; and the distance of a sample to the
table of quantiles that was made by these very functions from the real file
(`data/collegemsg_quantiles.json`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import Intent
from sessionsim.core.units import US_PER_S
from sessionsim.workload.fits import SESSION_GAP_S

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Probabilities of the shipped quantiles: every half percent, and the ends. Assumption: finer than any
# distance that is tested.
PROBABILITIES: Final = tuple(k / 200 for k in range(201))
TABLES: Final = ("send_gap_s", "reply_delay_s")


def arrays(intents: Sequence[Intent]) -> tuple[Ints, Ints, Floats]:
    """Give senders, recipients and seconds of intents, shape (n,) each."""
    table = np.array([(i.sender, i.recipient, i.t_us) for i in intents], dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2] / US_PER_S


def send_gaps(src: Ints, time_s: npt.ArrayLike) -> Floats:
    """Seconds between consecutive messages of the same sender; pooled, grouped by sender."""
    order = np.argsort(src, kind="stable")
    gaps = np.diff(np.asarray(time_s, dtype=np.float64)[order])
    found: Floats = gaps[src[order][1:] == src[order][:-1]]
    return found


def reply_delays(src: Ints, dst: Ints, time_s: npt.ArrayLike) -> Floats:
    """Seconds from the first message of a turn to the first of the answering turn; a turn is a run of
    messages of one side of a pair."""
    if len(src) == 0:
        return np.zeros(0)
    times = np.asarray(time_s, dtype=np.float64)
    low, high = np.minimum(src, dst), np.maximum(src, dst)
    order = np.lexsort((np.arange(len(src)), high, low))
    low, high, writer, times = low[order], high[order], src[order], times[order]
    same_pair = np.r_[False, (low[1:] == low[:-1]) & (high[1:] == high[:-1])]
    begins = np.r_[True, writer[1:] != writer[:-1]] | ~same_pair
    starts = np.flatnonzero(begins)
    answers = same_pair[starts]
    delays: Floats = np.diff(times[starts])[answers[1:]]
    return delays


def session_sizes(src: Ints, time_s: npt.ArrayLike) -> Ints:
    """Messages per session of one sender; a longer gap than SESSION_GAP_S ends one."""
    if len(src) == 0:
        return np.zeros(0, dtype=np.int64)
    order = np.argsort(src, kind="stable")
    times, who = np.asarray(time_s, dtype=np.float64)[order], src[order]
    begins = np.r_[True, (np.diff(times) > SESSION_GAP_S) | (who[1:] != who[:-1])]
    sizes: Ints = np.diff(np.r_[np.flatnonzero(begins), len(src)])
    return sizes


@cache
def shipped_quantiles(table: str) -> Floats:
    """Give the quantiles at PROBABILITIES, shape (201,), of one of TABLES, from the real file.

    Raises:
        InvalidInput: no such table.
    """
    content = json.loads(
        (files("sessionsim.workload") / "data" / "collegemsg_quantiles.json").read_text("utf-8")
    )
    if table not in TABLES:
        raise InvalidInput("quantile table", table, f"one of {', '.join(TABLES)}")
    return np.array(content[table], dtype=np.float64)


def quantile_table(sample: npt.ArrayLike) -> list[float]:
    """Give the quantiles of a sample at PROBABILITIES, rounded to a tenth."""
    return [round(float(q), 1) for q in np.quantile(np.asarray(sample, dtype=np.float64), PROBABILITIES)]


def ks_distance(sample: npt.ArrayLike, quantiles: Floats) -> float:
    """Largest difference, 0..1, between a sample's distribution and the one the quantiles describe.

    Args:
        sample: values, shape (n,), n at least 1.
        quantiles: values at PROBABILITIES, ascending; the distribution is linear between them.
    """
    values = np.sort(np.asarray(sample, dtype=np.float64))
    if len(values) == 0:
        raise InvalidInput("sample", "nothing", "at least one value")
    # Equal quantiles are an atom: its probability counts from the value on.
    points, last = np.unique(quantiles[::-1], return_index=True)
    expected = np.interp(values, points, np.asarray(PROBABILITIES)[::-1][last], left=0.0, right=1.0)
    steps = np.arange(len(values) + 1) / len(values)
    return float(max(np.max(np.abs(steps[1:] - expected)), np.max(np.abs(steps[:-1] - expected))))
