"""Flows: the events of each address and of each account, one array of times each.

What an address does shows on its link: requests that carry messages, told by their size as learned from
training seeds, or all requests. What an account does shows at its swarm: messages stored into its inbox (its
own sync copies and what others write), or its owner's requests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._events import (
    Requests,
    addresses_of,
    requests,
    retrieves,
    stores,
)
from sessionsim.core.verdict import Example, Question, Texts, texts
from sessionsim.core.view import View

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_SPOKEN: Final = ("kind:message", "kind:sync")
_MOST: Final = 0.5  # a size whose requests carry messages more often than not is taken for one that does


class Flows(NamedTuple):
    """Times of several streams. Args: names: terms; times_s: seconds, ascending, one array per name."""

    names: Texts
    times_s: list[Floats]


def learn_spoken(examples: Sequence[Example]) -> frozenset[int]:
    """Learn which sizes on links carry messages, from labels of training seeds."""
    asked, spoken = Counter[int](), Counter[int]()
    for example in examples:
        kinds = example.labels[Question.EVENT_KIND]
        found = requests(example.view)
        for wire, row in zip(found.wire_bytes.tolist(), found.row.tolist(), strict=True):
            asked[wire] += 1
            spoken[wire] += kinds.get(f"row:{row}", ("",))[0] in _SPOKEN
    return frozenset(wire for wire in spoken if spoken[wire] > _MOST * asked[wire])


def speaking(view: View, spoken: frozenset[int] | None) -> Requests:
    """Give the requests that carry messages; all of them where no size tells."""
    found = requests(view)
    if not spoken:
        return found
    here = np.isin(found.wire_bytes, np.fromiter(sorted(spoken), np.int64, len(spoken)))
    return Requests(*(column[here] for column in found))


def flows_of_addresses(view: View, spoken: frozenset[int] | None) -> Flows:
    """Split requests by address."""
    found = speaking(view, spoken)
    clients, times = _split(found.client, found.t_us)
    return Flows(addresses_of(view, clients), times)


def flows_of_inboxes(view: View, strangers: bool = True) -> Flows:
    """Split stores by inbox."""
    found = stores(view, strangers)
    names, number = np.unique(found.inbox.astype(str), return_inverse=True)
    return Flows(texts(names.tolist()), _split(number.astype(np.int64), found.t_us)[1])


def flows_of_owners(view: View) -> Flows:
    """Split the requests of accounts' owners by account."""
    found = retrieves(view)
    names, number = np.unique(found.account.astype(str), return_inverse=True)
    return Flows(texts(names.tolist()), _split(number.astype(np.int64), found.t_us)[1])


def _split(owner: Ints, t_us: Ints) -> tuple[Ints, list[Floats]]:
    """Split times by owner, owners ascending; times of each stay in order."""
    owners, number = np.unique(owner, return_inverse=True)
    order = np.argsort(number, kind="stable")
    cuts = np.cumsum(np.bincount(number, minlength=len(owners)))[:-1]
    return owners, [part / 1e6 for part in np.split(t_us[order], cuts)] if len(owners) else []


def rounds_of(owner: Ints, t_us: Ints, begin_us: int, round_us: int, rounds: int, owners: int) -> Floats:
    """Count events per round and owner, shape (rounds, owners); what lies outside is left out."""
    index = (t_us - begin_us) // round_us
    inside = (index >= 0) & (index < rounds)
    cell = index[inside] * owners + owner[inside]
    counted: Floats = np.bincount(cell, minlength=rounds * owners).astype(np.float64).reshape(rounds, owners)
    return counted


def pair_verdict_columns(subjects: Texts, candidates: Texts, scores: Floats) -> tuple[Texts, Texts, Floats]:
    """Lay a table of scores, shape (subjects, candidates), out as columns, subject by subject."""
    rows, columns = scores.shape
    return np.repeat(subjects, columns), np.tile(candidates, rows), scores.ravel()
