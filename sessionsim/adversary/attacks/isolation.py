"""Isolation, the n-1 attack: nearly everybody is held back, so what arrives is from one of few (metrics 2g).

There is no mix to flood here, so the others are not drowned in dummies but made to wait: each client's
requests go on in slots of its own key only. A message that reaches an operated replica came from a client
of which something was let through shortly before; their number is the anonymity set that is left.

Source: metrics 2g (n-1); Serjantov, Dingledine, Syverson, From a trickle to a flood, Information Hiding
2002.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._acts import Acts, Ints, acts, slots_of, span_of, touched
from sessionsim.adversary.attacks._crowds import crowds
from sessionsim.adversary.attacks._events import (
    FIRST_STRANGER,
    addresses_of,
    clients_seen,
    online_clients,
    requests,
    stores,
)
from sessionsim.adversary.attacks._matching import KEEP, random_keys
from sessionsim.adversary.attacks._settings import lag_setting, name_setting, window_setting
from sessionsim.adversary.attacks._trains import trains_of
from sessionsim.core.ledger import Fact
from sessionsim.core.units import US_PER_MS
from sessionsim.core.verdict import Example, Guess, Question, Verdict, verdict_of
from sessionsim.core.view import View


@dataclass(frozen=True, slots=True)
class Config:
    """When what was let through must arrive."""

    interference: str = name_setting("isolate")
    lag_us: int = lag_setting()
    window_us: int = window_setting(
        1000 * US_PER_MS, "How long after it was let through a request reaches the far end at the latest."
    )


@ATTACKS.register(config=Config, source="metrics 2g; Serjantov, Dingledine, Syverson, IH 2002")
class Isolation:
    """Address of a message's sender: one of those of whom something was let through just before."""

    question = Question.SENDER_ADDRESS
    needs = frozenset({Need.NODES, Need.BYTES, Need.LINKS})
    learns = False
    open_world = True
    among_polls = True
    acts = "isolate"

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: who was held back is known."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """List, for every message stored while it went on, who can have sent it; each equally likely."""
        log = acts(view, self.acts, self._config.interference)
        begin_us, end_us = span_of(log)
        let_us, let_whom = self._let_through(view, log, rng)
        everybody = len(touched(log)) + online_clients(view) - len(clients_seen(view))
        stored, guesses = stores(view, strangers=False), list[Guess]()
        for message, t_us in zip(stored.message.tolist(), stored.t_us.tolist(), strict=True):
            if not begin_us <= t_us - self._config.window_us < t_us < end_us:
                continue
            span_us = (t_us - self._config.window_us, t_us - self._config.lag_us // 4)
            possible = np.unique(let_whom[slice(*np.searchsorted(let_us, span_us))])
            many = len(possible)
            # All are equally likely; of a large crowd some are named, taken by chance.
            named = possible if many <= KEEP else np.sort(rng.choice(possible, KEEP, replace=False))
            among = max(everybody, many) if many <= KEEP else many
            guesses += [
                Guess(message, name, 1.0, 1 / many, among, t_us)
                for name in addresses_of(view, named).tolist()
            ]
        return verdict_of(self.question, guesses)

    def _let_through(self, view: View, log: Acts, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Give when requests were let through, ascending, and whose they were."""
        slots, seen, held = slots_of(log), requests(view), log.of("held")
        times, whose = [held.until_us], [held.client]
        clients, number = np.unique(seen.client, return_inverse=True)
        own = dict(zip(clients.tolist(), trains_of(seen.t_us, number, len(clients)), strict=True))
        for client in touched(log):
            own_us = own.get(client, seen.t_us[:0])
            through_us = own_us[slots[client].hold(own_us)]
            times.append(through_us)
            whose.append(np.full(len(through_us), client, dtype=np.int64))
        for crowd in (seen, *crowds(view)) if len(held.t_us) else ():
            here = (crowd.client >= FIRST_STRANGER) & _within(crowd.t_us, span_of(log))
            strangers, number = np.unique(crowd.client[here], return_inverse=True)
            times.append(_released(crowd.t_us[here], number, len(strangers), log, rng))
            whose.append(crowd.client[here])
        when = np.concatenate(times)
        order = np.argsort(when, kind="stable")
        return when[order], np.concatenate(whose)[order]


def _within(t_us: Ints, span: tuple[int, int]) -> npt.NDArray[np.bool_]:
    inside: npt.NDArray[np.bool_] = (t_us >= span[0]) & (t_us < span[1])
    return inside


def _released(t_us: Ints, number: Ints, people: int, log: Acts, rng: np.random.Generator) -> Ints:
    """Give when requests of strangers are let through, who are held back by keys of their own.

    Args:
        t_us: when they come. number: whose each is, 0 to people - 1.
    """
    begin_us, end_us = span_of(log)
    slots = log.of("slot")
    slot_us = int((slots.until_us - slots.t_us).max(initial=1))
    n = max(1, -(-(end_us - begin_us) // slot_us))
    usual = round(len(slots.t_us) / max(1, len(np.unique(slots.client))))
    keys = random_keys(people, n, usual, rng)
    # The next marked slot from each one on; n where there is none.
    following = np.where(keys, np.arange(n)[None, :], n)
    following = np.minimum.accumulate(following[:, ::-1], axis=1)[:, ::-1]
    slot = (t_us - begin_us) // slot_us
    marked = following[number, slot]
    later_us: Ints = np.minimum(begin_us + marked * slot_us, end_us)
    return np.where(marked == slot, t_us, later_us)
