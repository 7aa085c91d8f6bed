from __future__ import annotations

from pathlib import Path

from sessionsim.core.scene import Position, Role, Taking
from sessionsim.core.seeds import Seeds
from sessionsim.experiment.stored import read_positions, write_scene
from sessionsim.network.world import WorldSpec, build


def test_where_observers_stood_is_read_back_as_it_was(tmp_path: Path) -> None:
    spec = WorldSpec(
        date="2026-04-28", limit_swarms=3, platforms=("desktop",) * 2, intents=(), horizon_us=1_000_000,
        measured=(0, 1_000_000), seeds=Seeds(1), epoch_ms=1_777_000_000_000,
    )  # fmt: skip
    world = build(spec)
    end = world.scene.client_endpoints[0]
    positions = {
        "all": Position(
            tapped=frozenset({end}),
            operated=frozenset({1, 2}),
            clock_offset_us=-7,
            in_role=frozenset({(3, Role.GUARD), (3, Role.LAST)}),
            taken=frozenset(
                Taking(end, t_us, *how, asks)
                for t_us, how in ((5, (False, False)), (6, (False, True)), (7, (True, False)))
                for asks in (False, True)
            ),
            known=frozenset({end}),
        ),
        "nobody": Position(),
    }
    write_scene(tmp_path, world.scene, world.endpoints, positions)
    assert read_positions(tmp_path) == positions
