"""What an active adversary knows of its own doing: one row per marked slot and per act.

Times are true ones here; a view has them by the adversary's own clock (`adversary.observation`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from sessionsim.core.view import ACTION_COLUMNS, Table

_NUMBERS: Final = ("t_us", "until_us", "place", "client")


class Action(NamedTuple):
    """One row.

    Args:
        name, kind: of the interference.
        what: `slot` (a marked one), `held`, `dropped`, `tagged`, `copied`, `stored`, `told`; and of what was
            sent: `answered` (with 200) or `refused`.
        t_us, until_us: when it was, or from when to when; equal where it took no time.
        place: endpoint at which it was done: a node, or the client whose link is held; -1 for a slot.
        client: whose request it was, by its endpoint; -1 where that is not known.
        account: id in hex, where an account is meant.
        token: hash under which something was stored, or the name that a message was given.
        asked: of what was told, the cursor of the question.
    """

    name: str
    kind: str
    what: str
    t_us: int
    until_us: int
    place: int = -1
    client: int = -1
    account: str = ""
    token: str = ""
    asked: str = ""


def actions_table(actions: Sequence[Action]) -> Table:
    """Make the table of a log, in order of time."""
    order = sorted(range(len(actions)), key=lambda k: (actions[k].t_us, k))
    columns = zip(*(actions[k] for k in order), strict=True) if actions else [()] * len(Action._fields)
    table: Table = {}
    for name, values in zip(Action._fields, columns, strict=True):
        table[name] = np.array(values, dtype=np.int64 if name in _NUMBERS else object)
    assert tuple(table) == ACTION_COLUMNS
    return table
