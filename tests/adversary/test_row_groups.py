"""A run that is read in pieces gives the same views as one that is read whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sessionsim.adversary import observe
from sessionsim.core.scene import Position, Role, Taking

POSITIONS = {
    "nodes": Position(operated=frozenset(range(12)), clock_offset_us=7),
    "roles": Position(in_role=frozenset((node, role) for node in range(16) for role in list(Role)[2:])),
    "taps": Position(tapped=frozenset({16, 17})),
    "thief": Position(taken=frozenset({Taking(16, 20_000, True)})),
}  # fmt: skip


def seen(stage: Any, position: Position, pieces: int) -> Any:
    table = stage.records.table()
    table["row"] = np.arange(len(table["src"]))
    parts = [
        {name: values[some] for name, values in table.items()}
        for some in np.array_split(np.arange(len(table["src"])), pieces)
    ]
    keys = {name: np.array([], object) for name in ("owner", "kind", "public", "secret")}
    return observe(
        "eve", position, iter(parts), stage.records.blobs, keys, stage.nodes, "fast", {16: "account:05aa"}
    )


@pytest.mark.parametrize("name", POSITIONS)
def test_pieces_make_the_whole(make_stage: Any, name: str) -> None:
    stage = make_stage()
    for k in range(4):
        stage.store(0, 1, (k, 5, 6, 12 + k % 4))
        stage.poll(1, (4, k, 7, 13))
    whole = seen(stage, POSITIONS[name], 1)
    assert len(whole.rows["row"])
    for pieces in (2, 7, 31):
        some = seen(stage, POSITIONS[name], pieces)
        assert all(np.array_equal(some.rows[column], whole.rows[column]) for column in whole.rows)
        assert dict(some.blobs) == dict(whole.blobs)


def test_a_run_of_no_pieces_shows_nothing(make_stage: Any) -> None:
    stage = make_stage()
    keys = {name: np.array([], object) for name in ("owner", "kind", "public", "secret")}
    view = observe("eve", POSITIONS["nodes"], iter(()), {}, keys, stage.nodes, "fast")
    assert all(len(values) == 0 for values in view.rows.values())
