"""Who has accepted whom as a contact before a run (client-behaviour 6.3).

Whoever writes to or calls somebody in a run has accepted them before it began: people who know each other
have been contacts for a while (Assumption). Who never writes back has not, so of a tie that only one side
uses the other side has not accepted: an old message request without answer. Strangers have accepted nobody:
what they write first is a request, see `core.intents.Strangers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sessionsim.core.intents import Call, Intent, Strangers, Wish

# What clients need the parts `signals` and `message_requests` for.
SIGNALS: Final = frozenset(
    {
        *("acceptance", "call", "deletion", "inbox-text", "reaction", "receipt", "refusal", "strangers"),
        "typing",
    }
)


@dataclass(frozen=True, slots=True)
class Approved:
    """How one account stands to others. Args: given: numbers of the accounts that it has accepted; got: of
    those that have accepted it; strangers: of those it meets in the run."""

    given: set[int] = field(default_factory=set)
    got: set[int] = field(default_factory=set)
    strangers: set[int] = field(default_factory=set)


def approvals(wishes: Iterable[Wish], n_accounts: int) -> tuple[Approved, ...]:
    """Give what stands between accounts when a run begins, by account."""
    found = tuple(Approved() for _ in range(n_accounts))
    wishes = tuple(wishes)
    for wish in wishes:
        if isinstance(wish, Strangers):
            found[wish.sender].strangers.add(wish.recipient)
            found[wish.recipient].strangers.add(wish.sender)
    for wish in wishes:
        if isinstance(wish, Intent | Call) and wish.recipient not in found[wish.sender].strangers:
            _accept(found, wish.sender, wish.recipient)
            if isinstance(wish, Call):  # only offered where both have accepted
                _accept(found, wish.recipient, wish.sender)
    return found


def _accept(found: Sequence[Approved], who: int, whom: int) -> None:
    found[who].given.add(whom)
    found[whom].got.add(who)
