"""Rounds: who sent and whose inbox was written to, window by window (metrics 2c).

Statistical disclosure looks at a run as at a mix with rounds: the messages that leave in a window are taken
to arrive in it. Windows must be longer than a delay, and short enough that few people speak in each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._events import FIRST_STRANGER, addresses_of, answers, stores
from sessionsim.adversary.attacks._flows import rounds_of, speaking
from sessionsim.adversary.attacks._trains import rows_of
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.core.verdict import Texts, texts
from sessionsim.core.view import View

Floats = npt.NDArray[np.float64]
_MOST_ROUNDS: Final = 1_000_000  # Assumption: more windows than any run has events


@dataclass(frozen=True, slots=True)
class RoundChoice:
    """How long a round is."""

    round_us: int = setting(
        5 * US_PER_S, unit="us", doc="Length of a round; longer than a message is under way.",
        source="Assumption: several onion requests", low=10_000, high=86_400 * US_PER_S,
    )  # fmt: skip
    keep: int = setting(
        200, doc="How many of the best candidates a verdict lists per address.",
        source="Assumption: ranks beyond are told as one", low=1, high=1_000_000,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Rounds:
    """Counts per round.

    Args:
        senders: addresses that are asked about, then one more name for all strangers together, whom nobody
            asks about; recipients: accounts or addresses.
        sent, received: messages, shape (rounds, senders) and (rounds, recipients).
        asked: positions of the senders that are asked about.
    """

    senders: Texts
    recipients: Texts
    sent: Floats
    received: Floats
    asked: npt.NDArray[np.int64]


def rounds_with_inboxes(view: View, spoken: frozenset[int] | None, round_us: int) -> Rounds | None:
    """Count what addresses send and what is stored into inboxes; None if either is nothing."""
    out, into = speaking(view, spoken), stores(view)
    if not len(out.t_us) or not len(into.t_us):
        return None
    names, inbox = np.unique(into.inbox.astype(str), return_inverse=True)
    recipients = texts(names.tolist())
    return _rounds(view, out.client, out.t_us, recipients, inbox.astype(np.int64), into.t_us, round_us)


def rounds_with_answers(view: View, spoken: frozenset[int] | None, round_us: int) -> Rounds | None:
    """Count what addresses send, and answers to them that are larger than the usual one of that address.

    An answer to a poll that brings a message is larger than an empty one, and links show its size.
    """
    out, back = speaking(view, spoken), answers(view)
    if not len(out.t_us) or not len(back.t_us):
        return None
    clients, number = np.unique(back.client, return_inverse=True)
    full = np.zeros(len(back.t_us), dtype=bool)
    for mine in rows_of(number, len(clients)):
        values, counts = np.unique(back.wire_bytes[mine], return_counts=True)
        full[mine] = back.wire_bytes[mine] > values[counts.argmax()] * _LARGER
    recipients = addresses_of(view, clients)
    return _rounds(view, out.client, out.t_us, recipients, number[full], back.t_us[full], round_us)


_LARGER: Final = 1.2  # Assumption: a message makes an empty answer longer by more than a fifth


def _rounds(
    view: View,
    client: npt.NDArray[np.int64],
    sent_us: npt.NDArray[np.int64],
    recipients: Texts,
    recipient: npt.NDArray[np.int64],
    got_us: npt.NDArray[np.int64],
    round_us: int,
) -> Rounds:
    # What strangers send matters as a background, not one by one: their number would square the work.
    clients, sender = np.unique(np.minimum(client, FIRST_STRANGER), return_inverse=True)
    begin = int(min(sent_us.min(), got_us.min(initial=sent_us.min())))
    end = int(max(sent_us.max(), got_us.max(initial=0)))
    rounds = min(_MOST_ROUNDS, (end - begin) // round_us + 1)
    return Rounds(
        addresses_of(view, clients),
        recipients,
        rounds_of(sender.astype(np.int64), sent_us, begin, round_us, rounds, len(clients)),
        rounds_of(recipient.astype(np.int64), got_us, begin, round_us, rounds, len(recipients)),
        np.flatnonzero(clients < FIRST_STRANGER).astype(np.int64),
    )
