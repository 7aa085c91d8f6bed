"""Who has accepted whom as a contact before a run, as far as clients ask (typing indicators).

Whoever writes to somebody in a run has accepted them before it began: people who know each other have been
contacts for a while (Assumption). Who never writes back has not, so of a tie that only one side uses the
other side has not approved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sessionsim.core.intents import Intent, Wish

# What clients need the part `signals` for.
SIGNALS: Final = frozenset({"call", "deletion", "reaction", "receipt", "typing"})


def approvals(wishes: Iterable[Wish], ids: Sequence[bytes]) -> tuple[frozenset[bytes], ...]:
    """Give, per account, the ids of the accounts that have accepted it. Args: ids: of all accounts."""
    found: list[set[bytes]] = [set() for _ in ids]
    for wish in wishes:
        if isinstance(wish, Intent):
            found[wish.recipient].add(ids[wish.sender])
    return tuple(map(frozenset, found))
