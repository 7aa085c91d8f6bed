"""Bytes on the lines of accounts by cause, version 1 and version 2 apart; in pairs where people exist twice.

All bytes on the links of an account's devices count, both directions, as they are on the wire. Per account
and day every cause is given; per message what a message itself causes: the message, the copy for the writer's
other devices, and, of all that keys and device groups cost, its share by number of messages. Only accounts
whose devices' links were all watched are counted. Without accounts of version 2 there are no readings
(`traffic` has all clients together). Between the halves of twins the difference is taken within each pair, so
that who writes what, when and from where drops out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.core.columns import Cause
from sessionsim.core.readings import Reading
from sessionsim.metrics._counts import Counts, FloatArray, floats
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import mean, reading, signed_mean, units_of
from sessionsim.metrics._registry import METRICS, NoSettings

METRIC: Final = "version-bytes"
CAUSES: Final = {cause: cause.name.lower() for cause in Cause if cause is not Cause.INHERIT}
OF_MESSAGES: Final = tuple(CAUSES[cause] for cause in (Cause.MESSAGE, Cause.SYNC, Cause.ACCOUNT_KEYS))
TOTAL: Final = "total"
_VERSIONS: Final = (1, 2)


@METRICS.register(
    config=NoSettings,
    source="metrics 0.3 (bytes per user and day, paired differences); protocol-v2 15 (required output 1)",
)
class VersionBytes:
    """Bytes per account and day, and per message, by cause, for each version of the protocol."""

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Add up wire bytes by account and cause; twins stand at the place of their first."""
        truth, n = replicate.truth, replicate.n_accounts
        version = truth.accounts["version"].astype(np.int64)
        if not (version == 2).any():
            return Counts()
        twin = truth.accounts["twin"].astype(np.int64)
        place = np.where(twin >= 0, np.minimum(twin, np.arange(n)), np.arange(n))
        watched = _watched(replicate)
        amounts = _bytes_by_cause(replicate)
        written = _written(replicate)
        sums: dict[str, FloatArray] = {"paired": floats([float((twin >= 0).any())])}
        for number in _VERSIONS:
            of_version = watched & (version == number)

            def placed(amount: FloatArray, chosen: npt.NDArray[np.bool_] = of_version) -> FloatArray:
                return floats(np.bincount(place[chosen], amount[chosen], n))

            sums[f"days {number}"] = placed(np.full(n, replicate.measured_days))
            sums[f"messages {number}"] = placed(written)
            for name, amount in amounts.items():
                sums[f"{name} {number}"] = placed(amount)
        return Counts(sums)

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give bytes of each version and, of twins, the difference; causes that nobody has are left out."""
        having = [one for one in counts if one.total("days 1") + one.total("days 2") > 0]
        if not having:
            return []
        causes = [
            name
            for name in CAUSES.values()
            if any(one.total(f"{name} {version}") for one in having for version in _VERSIONS)
        ]
        found = []
        for name in (*causes, TOTAL):
            parts = tuple(causes) if name == TOTAL else (name,)
            found += _each(having, f"bytes per account and day, {name}", parts, "days")
        for name in OF_MESSAGES:
            found += _each(having, f"bytes per message, {name}", (name,), "messages")
        return found + _each(having, f"bytes per message, {TOTAL}", OF_MESSAGES, "messages")


def _watched(replicate: Replicate) -> npt.NDArray[np.bool_]:
    """Say of which accounts the links of all devices were watched."""
    endpoint, owner = (replicate.truth.devices[name].astype(np.int64) for name in ("endpoint", "account"))
    unseen = ~np.isin(endpoint, sorted(replicate.watched))
    seen: npt.NDArray[np.bool_] = np.bincount(owner, unseen, replicate.n_accounts) == 0
    return seen


def _bytes_by_cause(replicate: Replicate) -> dict[str, FloatArray]:
    """Add up, in the measured phase, the bytes on the links of each account's devices."""
    records, truth = replicate.records, replicate.truth
    sent = records["t_sent_us"].astype(np.int64)
    inside = np.flatnonzero((sent >= truth.start_us) & (sent < truth.end_us))
    cause = np.full(len(sent), int(Cause.INHERIT), dtype=np.int64)
    cause[truth.transmissions["row"].astype(np.int64)] = truth.transmissions["cause"].astype(np.int64)
    cause = cause[inside]
    endpoint, owner = (truth.devices[name].astype(np.int64) for name in ("endpoint", "account"))
    ends = [records[name][inside].astype(np.int64) for name in ("src", "dst")]
    size = max(int(endpoint.max()), *(int(end.max(initial=0)) for end in ends)) + 1
    account_at = np.full(size, -1, dtype=np.int64)
    account_at[endpoint] = owner
    wire = records["wire_bytes"][inside].astype(np.float64)
    found = {}
    for code, name in CAUSES.items():
        amount = np.zeros(replicate.n_accounts)
        for end in ends:
            rows = (cause == int(code)) & (account_at[end] >= 0)
            amount += np.bincount(account_at[end][rows], wire[rows], replicate.n_accounts)
        found[name] = floats(amount)
    return found


def _written(replicate: Replicate) -> FloatArray:
    """Count the direct texts of the measured phase that a swarm has stored, by who wrote them."""
    messages, rows = replicate.truth.messages, replicate.measured_messages()
    texts = messages["kind"][rows].astype(str) == "text"
    stored = messages["stored_us"][rows].astype(np.int64) >= 0
    sender = messages["sender"][rows].astype(np.int64)[texts & stored]
    return floats(np.bincount(sender, minlength=replicate.n_accounts))


def _each(counts: Sequence[Counts], name: str, parts: Sequence[str], over: str) -> list[Reading]:
    """Give each version that there is, and the difference within pairs."""

    def amount(one: Counts, version: int) -> FloatArray:
        none = np.zeros_like(one.sums[f"{over} {version}"])  # no cause has bytes in a short or silent run
        return floats(sum((one.sums[f"{part} {version}"] for part in parts), none))

    found, there = [], [v for v in _VERSIONS if any(one.total(f"{over} {v}") for one in counts)]
    for version in there:
        per_seed = [(amount(one, version), one.sums[f"{over} {version}"]) for one in counts]
        numbers = {"bytes": sum(float(hits.sum()) for hits, _ in per_seed)}
        numbers[over] = sum(float(trials.sum()) for _, trials in per_seed)
        label = f"{name}, version {version}"
        found.append(reading(METRIC, label, "bytes", mean(units_of(per_seed)), counts=numbers))
    if len(there) == len(_VERSIONS) and all(one.total("paired") for one in counts):
        per_seed = [(amount(one, 2) - amount(one, 1), one.sums[f"{over} 1"]) for one in counts]
        numbers = {over: sum(float(trials.sum()) for _, trials in per_seed)}
        found.append(
            reading(
                METRIC, f"{name}, version 2 less version 1", "bytes", signed_mean(units_of(per_seed)),
                counts=numbers, baseline=0.0, baseline_name="no difference",
            )
        )  # fmt: skip
    return found
