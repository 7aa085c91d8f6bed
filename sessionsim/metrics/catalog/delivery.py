"""How much of what people write arrives, on how many devices, and in which order.

A message and one of its readers count when the message was wished in the measured phase; a direct message has
one reader, one to a group as many as the group had members when it was sent. It is delivered when a device of
the reader has it. It is not when its sender gave it up (refused), when its time in the swarm was over before
the reader came (expired), or when no node has it any more (lost); the counts name the causes. What came and
was dropped, since its reader had blocked its writer, is only named there: the network has done its part. What
is still on its way when the run ends is waiting: it is counted apart and is neither delivered nor lost
(design, Scenario files). Signals of clients (typing, receipts, reactions, deletions, calls, yeses to message
requests) are counted apart in the same way.

On single devices: how many of those that a message was for have it, copies for the writer's other devices
included; how many messages were shown after one that the same person wrote later; how many were shown twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from sessionsim.core.arrivals import SPOKEN, arrivals
from sessionsim.core.readings import Reading
from sessionsim.core.truth import BLOCKED, OUTCOMES
from sessionsim.metrics._counts import Counts, FloatArray
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import reading, share, units_of
from sessionsim.metrics._registry import METRICS, NoSettings

UNFINISHED = "waiting"
_DECIDED = tuple(name for name in OUTCOMES if name != UNFINISHED)
# Kinds of `core.intents` that clients send on their own account or that change what was said.
_SIGNALS = ("acceptance", "call", "deletion", "reaction", "receipt", "typing")


@METRICS.register(config=NoSettings, source="metrics 0.3 (unit of replication, zero events)")
class Delivery:
    """Share of messages delivered, waiting ones counted apart; devices reached, order, repeats."""

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Count measured messages per sender and outcome, and deliveries per account of the device."""
        sums: dict[str, FloatArray] = {}
        for label, kinds in (("", SPOKEN), ("signals ", _SIGNALS)):
            sums |= _by_outcome(replicate, label, kinds)
        sums |= _on_devices(replicate)
        return Counts(sums)

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give the share delivered of what was decided, the share that was not, and what devices show."""
        found = [_delivered(counts, "", "delivered"), _unfinished(counts)]
        if any(c.total(f"signals {name}") for c in counts for name in OUTCOMES):
            found.append(_delivered(counts, "signals ", "signals delivered"))
        found.append(_delivered(counts, "devices ", "on every device"))
        for name, title in (("overtaken", "shown after a later one"), ("repeated", "shown once more")):
            found.append(_among_shown(counts, name, title))
        return found


def _by_outcome(replicate: Replicate, label: str, kinds: Iterable[str]) -> dict[str, FloatArray]:
    got = arrivals(replicate.truth.messages, replicate.truth.deliveries, kinds)
    senders = replicate.truth.messages["sender"][got["message"].astype(np.int64)].astype(np.int64)
    return _outcomes(replicate, label, got["outcome"].tolist(), got["reason"].tolist(), senders)


def _outcomes(
    replicate: Replicate,
    label: str,
    outcomes: Sequence[str],
    reasons: Sequence[str],
    owners: npt.NDArray[np.int64],
) -> dict[str, FloatArray]:
    """Count outcomes per owner, and the causes of what did not arrive in all."""
    meant = np.array(reasons, dtype=object) != BLOCKED
    names = np.where(meant, np.array(outcomes, dtype=object), "")
    sums = {f"{label}{name}": _per_account(replicate, owners[names == name]) for name in OUTCOMES}
    for (outcome, reason), number in Counter(zip(outcomes, reasons, strict=True)).items():
        if outcome not in ("delivered", UNFINISHED):
            sums[f"{label}{outcome}: {reason}"] = np.array([float(number)])
    return sums


def _on_devices(replicate: Replicate) -> dict[str, FloatArray]:
    table = replicate.truth.deliveries
    messages, message = replicate.truth.messages, table["message"].astype(np.int64)
    spoken = messages["measured"].astype(bool) & np.isin(messages["kind"].astype(str), SPOKEN)
    counted = spoken[message]
    meant = np.flatnonzero(counted & (table["copy"].astype(str) != "beyond"))
    owners = table["account"].astype(np.int64)
    sums = _outcomes(
        replicate,
        "devices ",
        table["outcome"][meant].tolist(),
        table["reason"][meant].tolist(),
        owners[meant],
    )
    shown = np.flatnonzero(counted & (table["delivered_us"].astype(np.int64) >= 0))
    sums["shown"] = _per_account(replicate, owners[shown])
    for name, column in (("overtaken", "overtaken"), ("repeated", "repeat_cause")):
        causes = table[column][shown].astype(str)
        sums[name] = _per_account(replicate, owners[shown][causes != ""])
        for cause, number in Counter(causes[causes != ""].tolist()).items():
            sums[f"{name}: {cause}"] = np.array([float(number)])
    return sums


def _per_account(replicate: Replicate, owners: npt.NDArray[np.int64]) -> FloatArray:
    return np.bincount(owners, minlength=replicate.n_accounts).astype(np.float64)


def _delivered(counts: Sequence[Counts], label: str, title: str) -> Reading:
    decided = [sum((c.sums[f"{label}{name}"] for name in _DECIDED), np.zeros(1)) for c in counts]
    delivered = [(c.sums[f"{label}delivered"], n) for c, n in zip(counts, decided, strict=True)]
    estimate = share(units_of(delivered))
    numbers = _numbers(counts, label)
    network = "a network without loss"
    return reading("delivery", title, "prob", estimate, counts=numbers, baseline=1.0, baseline_name=network)


def _unfinished(counts: Sequence[Counts]) -> Reading:
    of_all = [(c.sums[UNFINISHED], sum((c.sums[name] for name in OUTCOMES), np.zeros(1))) for c in counts]
    return reading(
        "delivery",
        "unfinished at the end",
        "prob",
        share(units_of(of_all)),
        counts=_numbers(counts, ""),
        baseline=0.0,
        baseline_name="a run without end",
    )


def _numbers(counts: Sequence[Counts], label: str) -> dict[str, float]:
    """Give the number of each outcome, of all of them, and of each cause of what did not arrive."""
    numbers = {name: sum(c.total(f"{label}{name}") for c in counts) for name in OUTCOMES}
    numbers["copies" if label == "devices " else "messages"] = sum(numbers.values())
    return numbers | _causes(counts, [f"{label}{name}: " for name in OUTCOMES], len(label))


def _among_shown(counts: Sequence[Counts], name: str, title: str) -> Reading:
    numbers = {"shown": sum(c.total("shown") for c in counts), name: sum(c.total(name) for c in counts)}
    return reading(
        "delivery",
        title,
        "prob",
        share(units_of([(c.sums[name], c.sums["shown"]) for c in counts])),
        counts=numbers | _causes(counts, [f"{name}: "], len(name) + 2),
        baseline=0.0,
        baseline_name="a network that keeps order",
    )


def _causes(counts: Sequence[Counts], prefixes: Sequence[str], cut: int) -> dict[str, float]:
    names = sorted({key for c in counts for key in c.sums if key.startswith(tuple(prefixes))})
    return {name[cut:]: sum(c.total(name) for c in counts) for name in names}
