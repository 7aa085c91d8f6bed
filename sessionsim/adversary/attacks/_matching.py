"""What attacks share that compare accounts met with clients touched: which address an account uses.

In an open world the adversary touches strangers too, each with a key of its own. What a stranger scores is
the score of somebody to whom nothing was done with that account: a key drawn by chance against the
account's own times, or a draw from the law that the score has then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._acts import Ints
from sessionsim.adversary.attacks._events import (
    FIRST_STRANGER,
    addresses_of,
    clients_seen,
    online_clients,
    retrieves,
)
from sessionsim.adversary.attacks._ranking import ranking
from sessionsim.adversary.attacks._trains import trains_of
from sessionsim.core.verdict import Question, Verdict, texts, verdict_of
from sessionsim.core.view import View

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
KEEP: Final = 200  # Assumption: ranks beyond are told as one

# Scores so many strangers against an account.
Strangers = Callable[[str, int], Floats]


def times_of_accounts(view: View, span: tuple[int, int]) -> dict[str, Ints]:
    """Give when each account's owner asked at operated members, within a span, in µs."""
    seen = retrieves(view)
    here = (seen.t_us >= span[0]) & (seen.t_us < span[1])
    names, whose = np.unique(seen.account[here].astype(str), return_inverse=True)
    return dict(zip(names.tolist(), trains_of(seen.t_us[here], whose, len(names)), strict=True))


def matched(
    view: View,
    accounts: Sequence[str],
    clients: Sequence[int],
    score: Callable[[str, int], float],
    strangers: Strangers | None = None,
) -> Verdict:
    """Score every pair of account and client, and list the best clients of each account.

    Args:
        score: of an account and a client, by its endpoint.
        strangers: scores of people who are not simulated; None leaves them out.
    """
    if not accounts or not clients:
        return verdict_of(Question.ADDRESS_OF, ())
    many = online_clients(view) - len(clients_seen(view)) if strangers is not None else 0
    candidates = np.concatenate(
        [np.array(clients, dtype=np.int64), FIRST_STRANGER + np.arange(many, dtype=np.int64)]
    )
    scores = np.empty((len(accounts), len(candidates)))
    for row, account in enumerate(accounts):
        scores[row, : len(clients)] = [score(account, client) for client in clients]
        if strangers is not None and many:
            scores[row, len(clients) :] = strangers(account, many)
    return ranking(
        Question.ADDRESS_OF, texts(list(accounts)), addresses_of(view, candidates), scores,
        max(KEEP, len(clients)),
    )  # fmt: skip


def random_keys(people: int, slots: int, marked: int, rng: np.random.Generator) -> Flags:
    """Draw keys: so many marked slots of all for each, shape (people, slots)."""
    keys = np.zeros((people, slots), dtype=bool)
    keys[:, :marked] = True
    drawn: Flags = rng.permuted(keys, axis=1)
    return drawn
