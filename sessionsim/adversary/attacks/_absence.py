"""Whether something is missing when it was kept back: a count in marked slots against their share of time.

Of n events of a flow, k lie in slots that make up the share q of the time. If the slots have nothing to do
with the flow, k is binomial; if its requests were kept back in them, there are fewer. The score is how many
standard errors fewer, (n q - k) / sqrt(n q (1 - q)): about standard normal for a flow that was left alone.
"""

from __future__ import annotations

import numpy as np

from sessionsim.adversary.attacks._acts import Acts, Ints, Slots, slots_of, span_of, touched
from sessionsim.adversary.attacks._matching import Floats, matched, random_keys, times_of_accounts
from sessionsim.core.verdict import Verdict
from sessionsim.core.view import View


def absence_score(t_us: Ints, slots: Slots, span: tuple[int, int]) -> float:
    """Say how many standard errors fewer events lie in the slots. Args: span: outside, none counts."""
    counted = t_us[(t_us >= span[0]) & (t_us < span[1])]
    share = float((slots.end_us - slots.begin_us).sum()) / max(1, span[1] - span[0])
    n, inside = len(counted), int(slots.hold(counted).sum())
    spread = np.sqrt(n * share * (1 - share))
    return float((n * share - inside) / spread) if spread > 0 else 0.0


def absent_accounts(view: View, log: Acts, lag_us: int, rng: np.random.Generator) -> Verdict:
    """Score every account that asked at an operated member against every client whose requests were touched.

    Args:
        log: with the marked slots; lag_us: usual time from the act to the member; rng: keys of strangers.
    """
    begin_us, end_us = span_of(log)
    span = (begin_us + lag_us, end_us + lag_us)
    slots = {
        client: Slots(its.begin_us + lag_us, its.end_us + lag_us) for client, its in slots_of(log).items()
    }
    times = times_of_accounts(view, span)
    slot_us = int((log.of("slot").until_us - log.of("slot").t_us).max(initial=1))
    n = max(1, -(-(end_us - begin_us) // slot_us))
    usual = round(float(np.mean([len(its.begin_us) for its in slots.values()]))) if slots else 0

    def strangers(account: str, people: int) -> Floats:
        keys, at = random_keys(people, n, usual, rng), (times[account] - span[0]) // slot_us
        share = min(1.0, usual * slot_us / max(1, end_us - begin_us))
        spread = np.sqrt(len(at) * share * (1 - share))
        fewer: Floats = len(at) * share - keys[:, at].sum(axis=1).astype(np.float64)
        return fewer / spread if spread > 0 else 0 * fewer

    def score(account: str, client: int) -> float:
        return absence_score(times[account], slots[client], span)

    return matched(view, list(times), touched(log), score, strangers)
