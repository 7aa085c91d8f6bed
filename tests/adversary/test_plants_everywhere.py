"""One leak in each kind of transmission of a run of real machines, by whoever sends it: both ends read it.

The kinds are those that occur, so one that comes later is tried the day it comes.
"""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.adversary import claims, deduce
from sessionsim.core.columns import HEADS
from sessionsim.core.scene import Position
from sessionsim.core.view import Table
from tests.adversary.test_findings import Findings
from tests.adversary.test_more_plants import wishes

Kind = tuple[str, str, str]


def planted(number: int) -> bytes:
    """Give an id that nobody has."""
    return b"\5" + bytes([100 + number]) * 32


class Planted:
    """A run, and the same with a leak behind the bytes of one transmission of each kind."""

    def __init__(self) -> None:
        self.world = Findings("own-swarm", wishes=wishes(lambda place: "nothing"))
        self.table = self.world.records.table()
        self.kinds = self._kinds()
        self._alter()

    def _kind(self, row: int) -> Kind:
        scene = self.world.world.scene
        servers = {end: kind for kind, ends in scene.servers.items() for end in ends}
        head = int(self.table["head"][row])
        name = HEADS[head] if not self.table["direction"][row] else f"answer {head}"
        ends = (int(self.table[column][row]) for column in ("src", "dst"))
        sender, receiver = ("node" if end < len(scene.nodes) else servers.get(end, "client") for end in ends)
        return name, sender, receiver

    def _kinds(self) -> dict[Kind, int]:
        """Find one row of each kind."""
        found: dict[Kind, int] = {}
        kept = self.world.records.blobs
        for row in np.flatnonzero(self.table["exchange"] >= 0).tolist():
            if int(self.table["blob"][row]) in kept:
                kind = self._kind(row)  # the last answer, so that not its request is altered too
                found[kind] = row if kind[0].startswith("answer") else found.get(kind, row)
        return found

    def _alter(self) -> None:
        rows: Table = {name: values.copy() for name, values in self.table.items()}
        records = self.world.records
        blobs = {
            number: records.blobs[number] for number in set(rows["blob"].tolist()) if number in records.blobs
        }
        for number, row in enumerate(self.kinds.values()):
            blob = max(blobs) + 1
            blobs[blob] = blobs[int(rows["blob"][row])] + b" " + planted(number).hex().encode()
            rows["blob"][row] = blob

        class Altered:
            def __init__(self) -> None:
                self.blobs = blobs

            def table(self) -> Table:
                return rows

        self.world.records = Altered()  # type: ignore[assignment]

    def ends(self, kind: Kind) -> tuple[int, int]:
        row = self.kinds[kind]
        return int(self.table["src"][row]), int(self.table["dst"][row])

    def shown(self, *operated: int) -> set[Kind]:
        """Give the kinds whose leaks show to who runs some endpoints."""
        found = claims(deduce(self.world.view(Position(operated=frozenset(operated)))))
        terms = {term for claim in found for term in claim[1:]}
        return {kind for number, kind in enumerate(self.kinds) if f"account:{planted(number).hex()}" in terms}


@pytest.fixture(scope="module")
def run() -> Planted:
    return Planted()


def test_a_run_has_all_kinds_of_transmissions(run: Planted) -> None:
    heads = {kind[0] for kind in run.kinds}
    assert {
        "onion_req", "sn.onion_request", "storage_rpc", "sn.storage_cc", "lsrpc/v4", "monitor", "notify",
        "json_rpc", "push_register", "push", "push_delivery", "answer 200",
    } <= heads  # fmt: skip
    assert len(run.kinds) < 100  # each has an id of its own


def test_each_leak_shows_to_its_ends_and_to_nobody_else(run: Planted) -> None:
    for end in sorted({end for kind in run.kinds for end in run.ends(kind)}):
        assert run.shown(end) == {kind for kind in run.kinds if end in run.ends(kind)}, end


def test_who_is_no_end_of_any_learns_of_none(run: Planted) -> None:
    ends = {end for kind in run.kinds for end in run.ends(kind)}
    others = set(range(len(run.world.world.machines))) - ends
    assert others
    assert run.shown(*others) == set()
