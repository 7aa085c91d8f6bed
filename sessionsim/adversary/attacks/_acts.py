"""What an attack reads of its observer's own doing: the log of an interference, as arrays.

A client is an endpoint as in the rows of the view; an account is a typed term, `account:05…`. A marked slot
is one in which the adversary did what its interference does; a verdict on accounts that were met compares
the times at which something of theirs came with the slots of every client whose requests were touched.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._trains import rows_of
from sessionsim.core.verdict import Texts
from sessionsim.core.view import View

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Acts(NamedTuple):
    """Rows of the log, in order of time; see `core.view.ACTION_COLUMNS`."""

    what: Texts
    t_us: Ints
    until_us: Ints
    place: Ints
    client: Ints
    account: Texts
    token: Texts
    asked: Texts

    def of(self, *what: str) -> Acts:
        """Give those of some kinds of acts."""
        return self.where(np.isin(self.what.astype(str), what))

    def where(self, here: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Acts:
        """Give some rows. Args: here: whether each is wanted, or the numbers of those that are."""
        columns: dict[str, Any] = {name: column[here] for name, column in self._asdict().items()}
        return Acts(**columns)


class Slots(NamedTuple):
    """Marked slots of one target, ascending. Args: begin_us, end_us: shape (slots,)."""

    begin_us: Ints
    end_us: Ints

    def hold(self, t_us: Ints) -> npt.NDArray[np.bool_]:
        """Say which times lie in a slot."""
        at = np.searchsorted(self.begin_us, t_us, side="right") - 1
        inside: npt.NDArray[np.bool_] = (at >= 0) & (t_us < self.end_us[np.maximum(at, 0)])
        return inside


def acts(view: View, kind: str, name: str = "") -> Acts:
    """Read the log. Args: kind: of interference; name: of one of them, all of the kind if empty."""
    if not view.actions:
        none, never = np.array([], dtype=object), np.array([], dtype=np.int64)
        return Acts(none, never, never, never, never, none, none, none)
    columns = view.actions
    here = columns["kind"].astype(str) == kind
    if name:
        here &= columns["name"].astype(str) == name
    kept: dict[str, Any] = {field: np.asarray(columns[field])[here] for field in Acts._fields}
    return Acts(**kept)


def slots_of(log: Acts) -> dict[int, Slots]:
    """Give the marked slots of every client that has some, by its endpoint."""
    slots = log.of("slot")
    clients, whose = np.unique(slots.client, return_inverse=True)
    rows = rows_of(whose, len(clients))
    return {
        int(client): Slots(slots.t_us[its], slots.until_us[its])
        for client, its in zip(clients.tolist(), rows, strict=True)
    }


def span_of(log: Acts) -> tuple[int, int]:
    """Give from when to when there were slots; two zeros for a log without any."""
    slots = log.of("slot")
    return (int(slots.t_us.min()), int(slots.until_us.max())) if len(slots.t_us) else (0, 0)


def touched(log: Acts) -> list[int]:
    """Give the clients to whose requests something was done, ascending."""
    clients = log.client[(log.what.astype(str) != "slot") & (log.client >= 0)]
    found: list[int] = np.unique(clients).tolist()
    return found
