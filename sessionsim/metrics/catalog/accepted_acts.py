"""What became of what an active adversary altered, repeated or sent by itself: how much was accepted.

A request is accepted if it is answered with 200, at the node that altered or sent it. An altered layer must
never be (metrics 2g: with authenticated layers the number of forged acceptances is 0); a repeated request is,
for nodes keep no memory of onions, though what it stores is stored once. What was under way at the end counts
as not accepted. Nothing is said of a run in which nobody interfered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.metrics._counts import Counts, FloatArray
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import reading, share, units_of
from sessionsim.metrics._registry import METRICS, NoSettings

# What an act is called in the log, and in a reading.
_SENT: Final[Mapping[str, str]] = {
    "tagged": "altered requests that were accepted",
    "copied": "repeated requests that were accepted",
    "stored": "stores for strangers that were accepted",
}


@METRICS.register(config=NoSettings, source="metrics 2g (invariant: no forged acceptance), 0.3 (zero events)")
class AcceptedActs:
    """Share of an adversary's altered, repeated and injected requests that were answered with 200."""

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Count acts and acceptances by the account they concern; nothing where nobody interfered."""
        actions, sums = replicate.actions, dict[str, FloatArray]()
        if not actions:
            return Counts()
        concerned = _accounts_of(replicate)
        names, what = actions["name"].astype(str), actions["what"].astype(str)
        for name in dict.fromkeys(names.tolist()):
            for act, title in _SENT.items():
                sent = (names == name) & (what == act)
                if sent.any():
                    accepted = (names == name) & (what == "answered")
                    for key, rows in ((f"{name}|{title}|hits", accepted), (f"{name}|{title}|trials", sent)):
                        sums[key] = _counted(concerned[rows], replicate.n_accounts)
        return Counts(sums)

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give one share per interference that alters, repeats or stores."""
        keys = dict.fromkeys(key.rpartition("|")[0] for one in counts for key in one.sums)
        found = []
        for key in keys:
            having = [one.sums for one in counts if f"{key}|hits" in one.sums]
            per_seed = [(sums[f"{key}|hits"], sums[f"{key}|trials"]) for sums in having]
            numbers = {
                word: float(sum(pair[k].sum() for pair in per_seed))
                for k, word in enumerate(("accepted", "sent"))
            }
            found.append(
                reading(
                    "accepted-acts", key.replace("|", ": "), "prob", share(units_of(per_seed)),
                    counts=numbers, baseline=0.0, baseline_name="nothing that is not honest is accepted",
                )
            )  # fmt: skip
        return found


def _accounts_of(replicate: Replicate) -> np.ndarray:
    """Give the number of the account that each act concerns, by its client or its id; -1 for none."""
    devices, accounts = replicate.truth.devices, replicate.truth.accounts
    of_client = dict(zip(devices["endpoint"].tolist(), devices["account"].tolist(), strict=True))
    of_id = {name: k for k, name in enumerate(accounts["account_id"].tolist())}
    named = zip(replicate.actions["client"].tolist(), replicate.actions["account"].tolist(), strict=True)
    found = [of_client.get(client, of_id.get(account, -1)) for client, account in named]
    return np.array(found, dtype=np.int64)


def _counted(account: np.ndarray, n_accounts: int) -> FloatArray:
    return np.bincount(account[account >= 0], minlength=n_accounts).astype(np.float64)
