"""Keys that change twice a day: how messages are protected, what waits and locks, and what it all costs.

Only accounts that use version 2 of the protocol are counted, as publicly specified; without any there are
no readings. Messages are counted by how their writer's client sealed them, the copy for its own devices
left out. What a device received is counted once for each device: a message that no key of it opens is
*locked*, and *undecryptable* if that is still so at the end and the device was in the account's group;
devices outside it are kept out, as they should be. Where configs are under the keys of the device group
(the what-if of hole H9), those that a device could not open, at first or by the end of the run, are counted
too. Bytes are those that are stored or fetched, before base64, onion and replication, as protocol-v2 13
counts them; `traffic` has bytes on the wire. A push that no answer confirms, which may have been stored all
the same, is a failed one and adds no bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.metrics._counts import Counts, FloatArray, floats
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import Estimate, mean, reading, share, units_of
from sessionsim.metrics._memberships import Memberships
from sessionsim.metrics._registry import METRICS, NoSettings
from sessionsim.metrics._told import Mask, Told, law_of
from sessionsim.metrics.closed_forms.account_key_costs import KeyLaw

METRIC: Final = "account-keys"
# Names of events: `protocol.client.v2.happenings`.
FORMS: Final = ("sealed v2", "sealed v2 fallback", "sealed v1")
STATES: Final = ("fresh", "stale", "expired", "refused", "none")
_OPENED: Final = ("opened v1", "opened v2", "opened v2 fallback")
_PUSHED: Final = ("group pushed", "record pushed")
_UNDER: Final = ("account keys", "the long-term key in version 2", "version 1")
# Name, unit, what is added up and over what; what is expected, and in what words.
_RATES: Final = (
    ("changes of keys per account and day", "count", "changes", "days", "expected changes",
     "one each period, and by all who hear of a departure (protocol-v2 5)"),
    ("group pushes per account and day", "count", "pushes", "days", "expected pushes",
     "one each change of keys, and by all who hear who came or went (protocol-v2 8.3)"),
    ("failed pushes per account and day", "count", "push failures", "days", "", ""),
    ("uploaded for keys per account and day", "bytes", "pushed bytes", "days", "expected bytes",
     "steady state of the devices there are, and their comings and goings (protocol-v2 8, 13)"),
    ("group messages read per device and day", "bytes", "read bytes", "device days", "", ""),
    ("keys of others fetched per account and day", "bytes", "fetched bytes", "days", "", ""),
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
        if not (replicate.truth.accounts["version"].astype(np.int64) == 2).any():
            return Counts()
        told = Told(replicate)
        value, count, named = told.value, told.count, told.named
        sealed, locked = named(*FORMS), named("locked")
        for_ever = locked & ~_unlocked_later(told)
        out = told.outside
        sums = {
            "days": told.days,
            "device days": floats(told.days * told.devices),
            **{form: count(named(form)) for form in FORMS},
            **{f"keys {state}": count(named(f"keys {state}")) for state in STATES},
            "waited": count(sealed & (value > 0)),
            "wait us": count(sealed, value),
            "opened": count(named(*_OPENED)),
            "locked": count(locked & ~out),
            "undecryptable": count(for_ever & ~out),
            "kept out": count(for_ever & out),
            "configs locked": count(named("config locked")),
            "configs unlocked": count(named("config unlocked")),
            "shared configs": floats(told.days * _shares_configs(replicate)),
            "changes": count(named("account keys changed")),
            "pushes": count(named("group pushed")),
            "push failures": count(named("push failed")),
            "pushed bytes": count(named(*_PUSHED), value),
            "read bytes": count(np.char.startswith(told.what, "group ") & ~named(*_PUSHED), value),
            "fetches": count(named("keys fetched")),
            "fetched bytes": count(named("keys fetched") & (value > 0), value),
            **_expected(told, law_of(replicate)),
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
        found.append(_rate(having, "kept from devices outside the group", "count", "kept out", ("days",)))
        if any(one.total("shared configs") for one in having):
            for what in ("configs locked", "configs unlocked"):
                found.append(_rate(having, f"{what} per account and day", "count", what, ("days",)))
        for name, unit, hits, trials, expected, words in _RATES:
            known = expected and all(expected in one.sums for one in having)
            baseline = _ratio(having, expected, trials) if known else None
            found.append(_rate(having, name, unit, hits, (trials,), baseline, words if known else ""))
        return found


def _shares_configs(replicate: Replicate) -> bool:
    return replicate.version2.get("groups_and_configs") == "device-group"


def _unlocked_later(told: Told) -> Mask:
    """Say of each row whether the same device unlocked the same message at some time."""
    pairs = list(zip(told.endpoint.tolist(), told.message.tolist(), strict=True))
    unlocked = {pair for pair, name in zip(pairs, told.what, strict=True) if name == "unlocked"}
    return np.array([pair in unlocked for pair in pairs], dtype=bool)


def _expected(told: Told, law: KeyLaw | None) -> dict[str, FloatArray]:
    """Give what the settings in force lead to expect of each account, for the devices in its group."""
    return {} if law is None else Memberships(told).expected(law)


def _sum(one: Counts, names: Sequence[str]) -> FloatArray:
    return floats(np.sum([one.sums[name] for name in names], axis=0))


def _numbers(counts: Sequence[Counts], hits: Sequence[str], trials: Sequence[str]) -> dict[str, float]:
    return {
        "hits": float(sum(_sum(one, hits).sum() for one in counts)),
        "of": float(sum(_sum(one, trials).sum() for one in counts)),
    }


def _ratio(counts: Sequence[Counts], hits: str, trials: str) -> float:
    return sum(one.total(hits) for one in counts) / sum(one.total(trials) for one in counts)


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
