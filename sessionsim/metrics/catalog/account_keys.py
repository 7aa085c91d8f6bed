"""Keys that change twice a day: how messages are protected, what waits and locks, and what it all costs.

Only accounts that use version 2 of the protocol are counted, as publicly specified; without any there are
no readings. Messages are counted by how their writer's client sealed them, the copy for its own devices left
out. What a device received is counted once for each device: a message that no key of it opens is *locked*,
and *undecryptable* if that is still so at the end. Bytes are those that are stored or fetched, before base64,
onion and replication, as protocol-v2 13 counts them; `traffic` has bytes on the wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.core.readings import Reading
from sessionsim.core.view import Table
from sessionsim.metrics._counts import Counts, FloatArray, floats
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import Estimate, mean, reading, share, units_of
from sessionsim.metrics._registry import METRICS, NoSettings

METRIC: Final = "account-keys"
# Names of events: `protocol.client.v2.happenings`.
FORMS: Final = ("sealed v2", "sealed v2 fallback", "sealed v1")
STATES: Final = ("fresh", "stale", "expired", "refused", "none")
_OPENED: Final = ("opened v1", "opened v2", "opened v2 fallback")
_PUSHED: Final = ("group pushed", "record pushed")
# Two pushes of 13,393 B and two records of 1,302 B a day. Source: protocol-v2 13.
_UPLOAD_BYTES_PER_DAY: Final = 2 * (13_393 + 1_302)
_CHANGES_PER_DAY: Final = 2.0  # Source: protocol-v2 5: every 12 h
_UNDER: Final = ("account keys", "the long-term key in version 2", "version 1")
# Name, unit, what is added up and over what; a value to expect and what it is.
_RATES: Final = (
    ("changes of keys per account and day", "count", "changes", "days", _CHANGES_PER_DAY,
     "every 12 h (protocol-v2 5)"),
    ("group pushes per account and day", "count", "pushes", "days", None, ""),
    ("failed pushes per account and day", "count", "push failures", "days", None, ""),
    ("uploaded for keys per account and day", "bytes", "pushed bytes", "days", _UPLOAD_BYTES_PER_DAY,
     "steady state (protocol-v2 13)"),
    ("group messages read per device and day", "bytes", "read bytes", "device days", None, ""),
    ("keys of others fetched per account and day", "bytes", "fetched bytes", "days", None, ""),
)  # fmt: skip


@METRICS.register(
    config=NoSettings, source="protocol-v2 15 (required outputs 1, 2, 6); metrics 0.3 (unit of replication)"
)
class AccountKeys:
    """Protection, waiting, locked messages and cost of account keys, for accounts of version 2."""

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Add up events of the measured phase by account."""
        truth, n = replicate.truth, replicate.n_accounts
        second = truth.accounts["version"].astype(np.int64) == 2
        if not second.any():
            return Counts()
        events, days = truth.events, replicate.measured_days
        endpoint, owner = (truth.devices[name].astype(np.int64) for name in ("endpoint", "account"))
        account_at = np.full(int(endpoint.max()) + 1, -1, dtype=np.int64)
        account_at[endpoint] = owner
        at, what = events["endpoint"].astype(np.int64), events["what"].astype(str)
        # Servers and nodes may tell of things too; they are no accounts.
        known = (at <= int(endpoint.max())) & (account_at[np.minimum(at, int(endpoint.max()))] >= 0)
        time, value = events["t_us"].astype(np.int64), events["value"].astype(np.float64)
        inside = known & (time >= truth.start_us) & (time < truth.end_us)
        account = account_at[np.where(known, at, endpoint[0])]

        def count(chosen: npt.NDArray[np.bool_], weight: FloatArray | None = None) -> FloatArray:
            rows = inside & chosen
            return floats(np.bincount(account[rows], None if weight is None else weight[rows], n))

        sealed = np.isin(what, FORMS)
        devices = np.bincount(owner, minlength=n)
        locked = what == "locked"
        for_ever = locked & ~_unlocked_later(events, what)
        rotated = what == "account keys changed"
        sums = {
            "days": floats(second * days),
            "device days": floats(second * devices * days),
            **{form: count(what == form) for form in FORMS},
            **{f"keys {state}": count(what == f"keys {state}") for state in STATES},
            "waited": count(sealed & (value > 0)),
            "wait us": count(sealed, value),
            "opened": count(np.isin(what, _OPENED)),
            "locked": count(locked),
            "undecryptable": count(for_ever),
            "changes": count(rotated),
            "pushes": count(what == "group pushed"),
            "push failures": count(what == "push failed"),
            "pushed bytes": count(np.isin(what, _PUSHED), value),
            "read bytes": count(np.char.startswith(what, "group ") & ~np.isin(what, _PUSHED), value),
            "fetches": count(what == "keys fetched"),
            "fetched bytes": count((what == "keys fetched") & (value > 0), value),
        }
        return Counts(sums)

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give shares of messages, waits, and cost per account and day; nothing without version 2."""
        having = [one for one in counts if one.total("days") > 0]
        if not having:
            return []
        found = [
            _share(having, f"sealed under {name}", (form,), FORMS)
            for form, name in zip(FORMS, _UNDER, strict=True)
        ]
        states = tuple(f"keys {state}" for state in STATES)
        found += [_share(having, f"recipient's {state}", (state,), states) for state in states]
        found.append(_share(having, "waited for keys", ("waited",), FORMS))
        found.append(_rate(having, "wait of a message", "us", "wait us", FORMS))
        received = ("opened", "undecryptable")
        found.append(_share(having, "locked at first", ("locked",), received))
        found.append(_share(having, "undecryptable", ("undecryptable",), received))
        for name, unit, hits, trials, baseline, baseline_name in _RATES:
            found.append(_rate(having, name, unit, hits, (trials,), baseline, baseline_name))
        return found


def _unlocked_later(events: Table, what: npt.NDArray[np.str_]) -> npt.NDArray[np.bool_]:
    """Say of each event whether the same device unlocked the same message at some time."""
    pairs = list(zip(events["endpoint"].tolist(), events["message"].tolist(), strict=True))
    unlocked = {pair for pair, name in zip(pairs, what, strict=True) if name == "unlocked"}
    return np.array([pair in unlocked for pair in pairs], dtype=bool)


def _sum(one: Counts, names: Sequence[str]) -> FloatArray:
    return floats(np.sum([one.sums[name] for name in names], axis=0))


def _numbers(counts: Sequence[Counts], hits: Sequence[str], trials: Sequence[str]) -> dict[str, float]:
    return {
        "hits": float(sum(_sum(one, hits).sum() for one in counts)),
        "of": float(sum(_sum(one, trials).sum() for one in counts)),
    }


def _share(counts: Sequence[Counts], name: str, hits: Sequence[str], trials: Sequence[str]) -> Reading:
    per_seed = [(_sum(one, hits), _sum(one, trials)) for one in counts]
    estimate: Estimate = share(units_of(per_seed))
    return reading(METRIC, name, "prob", estimate, counts=_numbers(counts, hits, trials))


def _rate(
    counts: Sequence[Counts],
    name: str,
    unit: str,
    hits: str,
    trials: Sequence[str],
    baseline: float | None = None,
    baseline_name: str = "",
) -> Reading:
    per_seed = [(one.sums[hits], _sum(one, trials)) for one in counts]
    return reading(
        METRIC, name, unit, mean(units_of(per_seed)), counts=_numbers(counts, (hits,), trials),
        baseline=baseline, baseline_name=baseline_name,
    )  # fmt: skip
