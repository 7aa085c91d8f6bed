"""What a scenario's workload is told of the accounts, and what is refused because no client can do it yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds
from sessionsim.experiment import installed, preflight
from sessionsim.experiment.stage import people_of, spec_of, tasks_of
from sessionsim.network.world import build
from sessionsim.scenario import Scenario, read_scenario, resolve

TINY = """\
title = "Tiny"
question = "Which wishes can be carried out?"
[run]
seeds = "1"
duration = "2 h"
[network]
limit_swarms = 12
[clients]
desktop = 2
ios = 2
[workload]
"""
EVERYTHING_ELSE = (
    "groups", "communities", "files", "calls", "reactions", "profiles", "typing", "receipts", "read_marks",
    "presence",
)  # fmt: skip


def scenario(folder: Path, workload: str) -> Scenario:
    path = folder / "tiny.toml"
    path.write_text(TINY + workload)
    return resolve(read_scenario(path), installed())


def test_a_workload_knows_platforms_and_the_countries_in_which_clients_will_stand(tmp_path: Path) -> None:
    tiny = scenario(tmp_path, 'pattern = "active-pairs"\n')
    people = people_of(tiny, Seeds(1))
    scene = build(spec_of(tiny, tasks_of(tiny)[0])).scene
    assert people.platforms == scene.client_platform == ("desktop", "ios", "desktop", "ios")
    assert people.countries == scene.client_country


@pytest.mark.parametrize(
    ("workload", "named"),
    [
        ('pattern = "groups"\n', "group, group-action, group-text"),
        ('pattern = "communities"\nreactions = false\n', "community, post"),
        ('pattern = "calls"\n', "call"),
    ],
)
def test_kinds_that_clients_cannot_do_are_refused_before_a_run(
    tmp_path: Path, workload: str, named: str
) -> None:
    with pytest.raises(InvalidInput, match=f"workload: found '{named}'; allowed: .*text") as refused:
        preflight(scenario(tmp_path, workload))
    assert "Switch these parts" in refused.value.hint


def test_of_everyday_life_the_direct_texts_can_be_carried_out(tmp_path: Path) -> None:
    off = "".join(f"{part} = false\n" for part in EVERYTHING_ELSE)
    tiny = scenario(tmp_path, f'pattern = "everyday"\n{off}')
    preflight(tiny)
    spec = spec_of(tiny, tasks_of(tiny)[0])
    assert {wish.kind for wish in spec.intents} == {"text"}
    some = scenario(tmp_path, f'pattern = "everyday"\n{off.replace("typing = false", "typing = true")}')
    with pytest.raises(InvalidInput, match="'typing'"):
        preflight(some)
