"""Who knows which secret for certain: the ledgers held against the truth.

For each observer and secret (metrics 0.2) the share of messages, accounts or contacts for which its
ledger holds the fact, and the fact is true. Which facts each secret asks for is in `_secrets`; nothing here
knows how a fact comes about.

Intervals are over seeds with kept bytes, or over accounts: S1 and S2 belong to the sender, S3, S4 and S10 to
the recipient, S5 to the first of the pair. A sync copy, which the sender's device stores in the sender's own
inbox, has a row of its own for S1: whoever learns where it came from knows that this address has just sent
something, though not to whom.

A fact that truth contradicts would mean that the deduction is unsound: it is never counted as knowledge,
and one reading per observer counts such facts; it must be 0. So must the number of secrets that an
observer loses although it stands everywhere another one stands.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.core.scene import Position, Role
from sessionsim.metrics._answer_sheet import AnswerSheet
from sessionsim.metrics._counts import Counts, FloatArray, floats
from sessionsim.metrics._exposure import exposures
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import Estimate, reading, share, units_of
from sessionsim.metrics._registry import METRICS, NoSettings
from sessionsim.metrics._secrets import PLURALS, SECRETS

# Secrets that name an account or an address.
_GUESSED = ("S1", "S1-sync", "S1-named", "S2", "S2-named", "S3", "S4", "S5", "S6", "S6-named")


@METRICS.register(config=NoSettings, source="metrics 0.2, 2i; threat-model 3")
class WhoLearnedWhat:
    """Share of messages, accounts and contacts whose secret an observer's ledger holds."""

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Count, per account, what each ledger holds; nothing if the bytes were not kept."""
        if not replicate.ledgers:
            return Counts()
        sheet = AnswerSheet(replicate)
        sums = {f"of {name}": sheet.population(secret.kind, name) for name, secret in SECRETS.items()}
        known = {
            observer: {name: sheet.items(facts, name) for name in SECRETS}
            for observer, facts in replicate.ledgers.items()
        }
        for observer, facts in replicate.ledgers.items():
            for name, secret in SECRETS.items():
                sums[f"{observer}/{name}"] = sheet.per_account(known[observer][name], secret.kind, name)
            sums[f"{observer}/ends"] = _both_ends(replicate, observer)
            sums[f"{observer}/facts"] = np.array([float(len(facts))])
            sums[f"{observer}/contradicted"] = np.array([float(sum(sheet.contradicts(f) for f in facts))])
            sums[f"{observer}/lost"] = np.array([float(_lost(replicate, known, observer))])
        return Counts(sums)

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give one share per observer and secret, and what contradicts truth."""
        opened = [c for c in counts if c.sums]
        observers = sorted({key.removesuffix("/facts") for c in opened for key in c.sums if "/facts" in key})
        found: list[Reading] = []
        for observer in observers:
            having = [c for c in opened if f"{observer}/facts" in c.sums]
            for name, secret in SECRETS.items():
                if not secret.sparse or any(c.sums[f"of {name}"].any() for c in having):
                    found.append(_share(having, observer, name, secret.kind))
            for name, title in (("contradicted", "contradicted facts"), ("lost", "secrets lost by joining")):
                number = sum(c.total(f"{observer}/{name}") for c in having)
                facts = sum(c.total(f"{observer}/facts") for c in having)
                exact = Estimate(number, number, number, "exact count", len(having), "seed")
                found.append(
                    reading(
                        "who-learned-what",
                        f"{observer}: {title}",
                        "count",
                        exact,
                        counts={"facts": facts},
                        baseline=0.0,
                        baseline_name="a sound deduction",
                    )
                )
        return found


def _share(counts: Sequence[Counts], observer: str, secret: str, kind: str) -> Reading:
    per_seed = [(c.sums[f"{observer}/{secret}"], c.sums[f"of {secret}"]) for c in counts]
    known, total = (float(sum(pair[i].sum() for pair in per_seed)) for i in (0, 1))
    accounts = float(np.mean([len(c.sums["of S6"]) for c in counts]))
    # A contact is one of the others, anything else may belong to anybody of this run; sizes and online times
    # have no such candidates.
    candidates = {"S5": accounts - 1}.get(secret, accounts)
    guess = 1 / candidates if candidates >= 1 and secret in _GUESSED else None
    numbers = {"known": known, PLURALS[kind]: total, "accounts": float(sum(len(t) for _, t in per_seed))}
    if secret in ("S6",):
        numbers["ceiling"] = sum(c.total(f"{observer}/ends") for c in counts)
    return reading(
        "who-learned-what",
        f"{observer}: {secret}",
        "prob",
        share(units_of(per_seed)),
        counts=numbers,
        baseline=guess,
        baseline_name="blind guess among the accounts of this run, closed world" if guess is not None else "",
    )


def _both_ends(replicate: Replicate, observer: str) -> FloatArray:
    """Mark the accounts whose link with an address an observer could see, shape (n_accounts,).

    Somebody has to see the address and the account: a guard and a replica, or a device of the account.
    """
    position, devices = replicate.positions.get(observer, Position()), replicate.truth.devices
    own = np.zeros(replicate.n_accounts)
    for endpoint, account in zip(devices["endpoint"].tolist(), devices["account"].tolist(), strict=True):
        own[account] = max(own[account], float(endpoint in position.entered))
    guards, members = position.acting_as(Role.GUARD), position.acting_as(Role.MEMBER)
    both = [exposure.covered(guards, members).both for exposure in exposures(replicate)]
    return np.maximum(own, floats(both))


def _lost(replicate: Replicate, known: dict[str, dict[str, set[str]]], observer: str) -> int:
    """Count what others know that stand nowhere but where this observer stands too (metrics 1.2(7))."""
    own = replicate.positions.get(observer)
    if own is None:
        return 0
    lost = 0
    for other, position in replicate.positions.items():
        if other in known and own.covers(position):
            lost += sum(len(known[other][secret] - known[observer][secret]) for secret in SECRETS)
    return lost
