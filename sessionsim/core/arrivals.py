"""From the deliveries to single devices to what people get: one row for every message and reader.

An account has a message as soon as one of its devices has it, so its outcome is the best of theirs. A message
to a group or a room has as many rows as readers. One that nobody was named for yet (it was never sent) has
one row with account -1, so that it is not forgotten; one that nobody else was to get has none.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sessionsim.core.truth import OUTCOMES
from sessionsim.core.view import Table

# What people say, in contrast to what their clients signal and change (kinds of `core.intents`).
SPOKEN = ("text", "group-text", "post", "inbox-text")
# Columns that `arrivals` looks at.
OF_MESSAGES = ("kind", "outcome", "reason", "measured")
OF_DELIVERIES = ("message", "account", "copy", "delivered_us", "outcome", "reason")


def arrivals(messages: Table, deliveries: Table, kinds: Iterable[str] = SPOKEN) -> Table:
    """Give who got what.

    Args:
        messages, deliveries: tables of `core.truth`, of which messages of the measured phase count.
        kinds: which messages count.

    Returns:
        Columns message, account, outcome (text), reason (text, of its best device), delivered_us (-1: not
        seen), ordered by message and account.
    """
    counted = messages["measured"].astype(bool) & np.isin(messages["kind"].astype(str), sorted(kinds))
    rank_of = {name: rank for rank, name in enumerate(OUTCOMES)}
    rows = np.flatnonzero(
        (deliveries["copy"].astype(str) == "message") & counted[deliveries["message"].astype(np.int64)]
    )
    rank = np.array([rank_of[name] for name in deliveries["outcome"][rows].tolist()], dtype=np.int64)
    message, account, seen = (
        deliveries[name][rows].astype(np.int64) for name in ("message", "account", "delivered_us")
    )
    # The best device of each reader: it has the message, and first.
    order = np.lexsort((np.where(seen < 0, np.iinfo(np.int64).max, seen), rank, account, message))
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(message[order]) != 0) | (np.diff(account[order]) != 0)
    best = order[first]
    unnamed = np.flatnonzero(counted & (messages["outcome"].astype(str) != "delivered"))
    unnamed = unnamed[~np.isin(unnamed, message)]
    table: Table = {
        "message": np.concatenate([message[best], unnamed]),
        "account": np.concatenate([account[best], np.full(len(unnamed), -1)]),
        "outcome": np.concatenate([deliveries["outcome"][rows][best], messages["outcome"][unnamed]]),
        "reason": np.concatenate([deliveries["reason"][rows][best], messages["reason"][unnamed]]),
        "delivered_us": np.concatenate([seen[best], np.full(len(unnamed), -1)]),
    }
    whole = np.lexsort((table["account"], table["message"]))
    return {name: values[whole] for name, values in table.items()}
