"""What attacks share that compare accounts met with clients touched: which address an account uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sessionsim.adversary.attacks._acts import Ints
from sessionsim.adversary.attacks._events import address_of, retrieves
from sessionsim.core.verdict import NEVER, Guess, Question, Verdict, verdict_of
from sessionsim.core.view import View


def times_of_accounts(view: View, span: tuple[int, int]) -> dict[str, Ints]:
    """Give when each account's owner asked at operated members, within a span, in µs."""
    seen = retrieves(view)
    here = (seen.t_us >= span[0]) & (seen.t_us < span[1])
    names, t_us = seen.account[here].astype(str), seen.t_us[here]
    return {str(name): t_us[names == name] for name in np.unique(names)}


def matched(
    view: View, accounts: Sequence[str], clients: Sequence[int], score: Callable[[str, int], float]
) -> Verdict:
    """Score every pair of account and client. No probability is claimed."""
    if not accounts or not clients:
        return verdict_of(Question.ADDRESS_OF, ())
    named = {client: address_of(view, client) for client in clients}
    return verdict_of(
        Question.ADDRESS_OF,
        (
            Guess(account, named[client], score(account, client), float("nan"), len(clients), NEVER)
            for account in accounts
            for client in clients
        ),
    )
