"""Which secrets of a replicate each ledger holds, item by item: what sets of parties are compared by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sessionsim.core.ledger import Fact
from sessionsim.metrics._answer_sheet import AnswerSheet
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._secrets import SECRETS

Items = Mapping[str, frozenset[str]]  # secret -> the messages, contacts or accounts of which it is known


@dataclass(frozen=True, slots=True)
class KnownSecrets:
    """What there is to know in one replicate, and who knows it.

    Args:
        totals: secret -> how many items there are.
        sheet: answers of truth.
    """

    totals: Mapping[str, int]
    sheet: AnswerSheet

    def of(self, facts: Iterable[Fact]) -> Items:
        """Give the items that true facts of a ledger give away, by secret."""
        held = tuple(facts)
        return {name: frozenset(self.sheet.items(held, name)) for name in SECRETS}


def known_secrets(replicate: Replicate) -> KnownSecrets:
    """Prepare to ask what ledgers of a replicate hold."""
    sheet = AnswerSheet(replicate)
    totals = {name: int(sheet.population(secret.kind, name).sum()) for name, secret in SECRETS.items()}
    return KnownSecrets(totals, sheet)
