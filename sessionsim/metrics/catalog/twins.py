"""Version 2 against version 1, message by message: the same wishes of people who exist twice in a run.

For each measured message of the first half of the accounts and the same message of their twins, the
difference is taken within the pair, so that who writes what, when and from where drops out. Both must have
been delivered for a time, and both senders' links watched for bytes. Bytes of a message are those on the link
of its sender, both directions, for the message and for the copy to the sender's own devices; keys that had to
be fetched for it are not among them (`traffic` and `account-keys` have those). The unit is the seed, or the
pair of accounts that writes.
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

METRIC: Final = "twins"
_BYTE_CAUSES: Final = (("message", Cause.MESSAGE), ("copy", Cause.SYNC))


@METRICS.register(
    config=NoSettings, source="metrics 0.3 (paired differences); protocol-v2 15 (required outputs 1, 2)"
)
class Twins:
    """Differences between versions in time and bytes, within pairs of the same message."""

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Add up both sides of each pair by the account of version 1 that writes."""
        truth, n = replicate.truth, replicate.n_accounts
        twin = truth.accounts["twin"].astype(np.int64)
        if not (twin >= 0).any():
            return Counts()
        first, second = _pairs(replicate, twin)
        messages = truth.messages
        sender = messages["sender"].astype(np.int64)[first]

        def add(chosen: npt.NDArray[np.bool_], values: FloatArray) -> FloatArray:
            return floats(np.bincount(sender[chosen], values[chosen], n))

        wished, delivered = (messages[name].astype(np.int64) for name in ("intent_us", "delivered_us"))
        took = [floats(delivered[rows] - wished[rows]) for rows in (first, second)]
        arrived = (delivered[first] >= 0) & (delivered[second] >= 0)
        stored = messages["stored_us"].astype(np.int64)
        waited = [floats(stored[rows] - wished[rows]) for rows in (first, second)]
        kept = (stored[first] >= 0) & (stored[second] >= 0)
        sums = {
            "stores": add(kept, np.ones(len(first))),
            "store 1": add(kept, waited[0]),
            "store 2": add(kept, waited[1]),
            "pairs": add(np.ones(len(first), dtype=bool), np.ones(len(first))),
            "times": add(arrived, np.ones(len(first))),
            "time 1": add(arrived, took[0]),
            "time 2": add(arrived, took[1]),
        }
        amounts = _bytes_of(replicate, len(wished))
        seen = np.isin(_endpoint_of(replicate, messages["sender"]), sorted(replicate.watched))
        both = seen[first] & seen[second]
        sums["watched"] = add(both, np.ones(len(first)))
        for name, amount in amounts.items():
            sums[f"{name} 1"], sums[f"{name} 2"] = add(both, amount[first]), add(both, amount[second])
        return Counts(sums)

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give each version's mean, and the mean difference; nothing without twins."""
        having = [one for one in counts if one.total("pairs") > 0]
        if not having:
            return []
        found = _three(having, "intent to stored", "us", "store", "stores")
        found += _three(having, "end to end", "us", "time", "times")
        if any(one.total("watched") for one in having):
            found += _three(having, "bytes of a message on its sender's link", "bytes", "message", "watched")
            found += _three(having, "bytes of its copy on its sender's link", "bytes", "copy", "watched")
        return found


def _pairs(
    replicate: Replicate, twin: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Match the measured messages of accounts of version 1 with those of their twins: positions of both."""
    messages, version = replicate.truth.messages, replicate.truth.accounts["version"].astype(np.int64)
    rows = replicate.measured_messages()
    sender, recipient = (messages[name].astype(np.int64) for name in ("sender", "recipient"))
    keys = list(zip(messages["intent_us"].tolist(), sender.tolist(), recipient.tolist(), strict=True))
    place = {keys[row]: row for row in rows}
    first, second = [], []
    for row in rows:
        t_us, a, b = keys[row]
        other = place.get((t_us, int(twin[a]), int(twin[b])))
        if version[a] == 1 and other is not None:
            first.append(row)
            second.append(other)
    return np.array(first, dtype=np.intp), np.array(second, dtype=np.intp)


def _endpoint_of(replicate: Replicate, sender: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
    """Give the endpoint of each sender's first device."""
    devices = replicate.truth.devices
    first = devices["number"].astype(np.int64) == 0
    at = np.zeros(replicate.n_accounts, dtype=np.int64)
    at[devices["account"].astype(np.int64)[first]] = devices["endpoint"].astype(np.int64)[first]
    return at[sender.astype(np.int64)]


def _bytes_of(replicate: Replicate, n_messages: int) -> dict[str, FloatArray]:
    """Add up the bytes of each message and of its copy on the links of accounts."""
    records, notes = replicate.records, replicate.truth.transmissions
    row = notes["row"].astype(np.int64)
    cause, ref = notes["cause"].astype(np.int64), notes["ref"].astype(np.int64)
    clients = replicate.truth.devices["endpoint"].astype(np.int64)
    at_client = np.isin(records["src"], clients) | np.isin(records["dst"], clients)
    wire = records["wire_bytes"].astype(np.float64)
    found = {}
    for name, code in _BYTE_CAUSES:
        chosen = (cause == int(code)) & (ref >= 0) & (ref < n_messages) & at_client[row]
        found[name] = floats(np.bincount(ref[chosen], wire[row[chosen]], n_messages))
    return found


def _three(counts: Sequence[Counts], name: str, unit: str, key: str, trials: str) -> list[Reading]:
    """Give the means of both versions over the pairs, and of the difference."""
    numbers = {"pairs": float(sum(one.total(trials) for one in counts))}
    found = []
    for version in (1, 2):
        units = units_of([(one.sums[f"{key} {version}"], one.sums[trials]) for one in counts])
        found.append(reading(METRIC, f"{name}, version {version}", unit, mean(units), counts=numbers))
    units = units_of([(one.sums[f"{key} 2"] - one.sums[f"{key} 1"], one.sums[trials]) for one in counts])
    found.append(
        reading(
            METRIC, f"{name}, version 2 less version 1", unit, signed_mean(units), counts=numbers,
            baseline=0.0, baseline_name="no difference",
        )
    )  # fmt: skip
    return found
