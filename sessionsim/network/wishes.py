"""Which wishes of people the clients of this version carry out; all others are refused, never dropped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import KINDS, Intent, Wish, kinds_of

CARRIED_OUT: Final = frozenset({"text"})


def check_kinds(kinds: Iterable[str]) -> None:
    """Refuse kinds of wishes that clients cannot carry out.

    Raises:
        InvalidInput: naming each of them.
    """
    beyond = set(kinds) - CARRIED_OUT
    unknown = [kind for kind in KINDS if kind in beyond]
    if unknown:
        allowed = f"kinds of wishes that clients carry out: {', '.join(sorted(CARRIED_OUT))}"
        hint = "Switch these parts of the workload off, or choose another pattern."
        raise InvalidInput("workload", ", ".join(unknown), allowed, hint)


def direct_texts(wishes: Sequence[Wish], n_accounts: int) -> tuple[Intent, ...]:
    """Check the wishes of a world and give them as what its clients carry out.

    Raises:
        InvalidInput: a kind that clients cannot do, or an account that does not exist.
    """
    check_kinds(kinds_of(wishes))
    texts = tuple(wish for wish in wishes if isinstance(wish, Intent))
    for wish in texts:
        if not (0 <= wish.sender < n_accounts and 0 <= wish.recipient < n_accounts):
            raise InvalidInput("workload", tuple(wish[:3]), f"accounts 0..{n_accounts - 1}")
    return texts
