"""Bytes on the wire, by what they are for.

Client links: all wire bytes, both directions, between a watched client and the network, per client and
day of the measured phase; an account's clients are its devices. Only clients whose links the scenario
watches are in the records, so only they are in the mean; `counts` says how many of how many. Node links:
wire bytes between service nodes at each watched node, per node and day; they come from this run's clients
alone (a closed world of a few accounts), so they say what these clients cause and not how loaded a real
node is.

Which cause a transmission has (`core.columns.Cause`) is truth; a relay or an answer inherits it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sessionsim.core.columns import Cause
from sessionsim.core.readings import Reading
from sessionsim.metrics._counts import Counts, floats
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import mean, reading, units_of
from sessionsim.metrics._registry import METRICS, NoSettings

CAUSES = {cause: cause.name.lower() for cause in Cause if cause is not Cause.INHERIT}
TOTAL = "total"


@METRICS.register(config=NoSettings, source="metrics 0.3 (bytes per user and day, relay load)")
class Traffic:
    """Bytes per client and day, by cause, and bytes between nodes."""

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Add up wire bytes by endpoint and cause."""
        records, truth, n_nodes = replicate.records, replicate.truth, len(replicate.nodes)
        sent = records["t_sent_us"].astype(np.int64)
        inside = np.flatnonzero((sent >= truth.start_us) & (sent < truth.end_us))
        cause = _cause_of_rows(replicate)[inside]
        src, dst = records["src"][inside].astype(np.int64), records["dst"][inside].astype(np.int64)
        wire = records["wire_bytes"][inside].astype(np.float64)
        endpoint, owner = (truth.devices[name].astype(np.int64) for name in ("endpoint", "account"))
        watched_client = np.isin(endpoint, sorted(replicate.watched))
        watched_nodes = np.array(sorted(e for e in replicate.watched if e < n_nodes), dtype=np.int64)
        between_nodes = (src < n_nodes) & (dst < n_nodes)
        platform = truth.devices["platform"].astype(str)
        size = int(max(src.max(initial=0), dst.max(initial=0), endpoint.max(initial=0), n_nodes)) + 1

        def per_account(of_device: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            return floats(np.bincount(owner, of_device, replicate.n_accounts))

        days = floats(watched_client * replicate.measured_days)
        sums = {
            "clients": per_account(watched_client.astype(np.float64)),
            "days": per_account(days),
            "node days": np.full(len(watched_nodes), replicate.measured_days),
            "devices": np.array([float(len(endpoint))]),
        }
        for name in sorted(set(platform)):
            sums[f"days {name}"] = per_account(floats(days * (platform == name)))
        for code, name in CAUSES.items():
            of_cause = cause == int(code)
            both_ends = _per_endpoint(src, dst, wire * of_cause, size)
            at_nodes = _per_endpoint(src, dst, wire * (of_cause & between_nodes), size)
            amount = floats(both_ends[endpoint] * watched_client)
            sums[f"client {name}"] = per_account(amount)
            sums[f"node {name}"] = at_nodes[watched_nodes]
            for kind in sorted(set(platform)):
                sums[f"{kind} {name}"] = per_account(floats(amount * (platform == kind)))
        return Counts(sums)

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give bytes per day by cause: all watched clients, each platform, watched nodes."""
        found = _by_cause(counts, "client", "days", "client links")
        names = sorted({key[5:] for c in counts for key in c.sums if key.startswith("days ")})
        for name in names:
            having = [c for c in counts if f"days {name}" in c.sums]
            found += _by_cause(having, name, f"days {name}", f"{name} clients")
        if any(len(c.sums["node days"]) for c in counts):
            found += _by_cause(counts, "node", "node days", "node links")
        return found


def _by_cause(counts: Sequence[Counts], key: str, days: str, label: str) -> list[Reading]:
    """One reading per cause and one for their sum, in bytes per day of one client (or node)."""
    found = []
    numbers = {
        "watched clients": float(sum(c.total("clients") for c in counts)),
        "clients": float(sum(c.total("devices") for c in counts)),
        "days": float(sum(c.total(days) for c in counts)),
    }
    for name in (*CAUSES.values(), TOTAL):
        parts = CAUSES.values() if name == TOTAL else [name]
        per_seed = [
            (np.sum([c.sums[f"{key} {part}"] for part in parts], axis=0), c.sums[days]) for c in counts
        ]
        total = {"bytes": float(sum(hits.sum() for hits, _ in per_seed))}
        estimate = mean(units_of(per_seed, "node" if key == "node" else "account"))
        found.append(reading("traffic", f"{label}, {name}", "bytes", estimate, counts=numbers | total))
    return found


def _cause_of_rows(replicate: Replicate) -> npt.NDArray[np.int64]:
    """Spread the causes of truth over the recorded rows; the table may hold them in any order."""
    # The position of a record is its row number (core.storage).
    cause = np.full(len(replicate.records["src"]), int(Cause.INHERIT), dtype=np.int64)
    table = replicate.truth.transmissions
    cause[table["row"].astype(np.int64)] = table["cause"].astype(np.int64)
    return cause


def _per_endpoint(
    src: npt.NDArray[np.int64], dst: npt.NDArray[np.int64], amount: npt.NDArray[np.float64], size: int
) -> npt.NDArray[np.float64]:
    """Add an amount to both ends of each row, shape (size,)."""
    return floats(np.bincount(src, amount, size) + np.bincount(dst, amount, size))
