"""What a scenario's workload is told of the accounts, and what is refused because no client can do it yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import Intent
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
    "presence", "strangers",
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


@pytest.fixture
def only_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that can do nothing but write."""
    monkeypatch.setattr("sessionsim.network.wishes.CARRIED_OUT", frozenset({"text"}))


@pytest.mark.usefixtures("only_texts")
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


@pytest.mark.usefixtures("only_texts")
def test_of_everyday_life_the_direct_texts_can_be_carried_out(tmp_path: Path) -> None:
    off = "".join(f"{part} = false\n" for part in EVERYTHING_ELSE)
    tiny = scenario(tmp_path, f'pattern = "everyday"\n{off}')
    preflight(tiny)
    spec = spec_of(tiny, tasks_of(tiny)[0])
    assert {wish.kind for wish in spec.intents} == {"text"}
    some = scenario(tmp_path, f'pattern = "everyday"\n{off.replace("typing = false", "typing = true")}')
    with pytest.raises(InvalidInput, match="'typing'"):
        preflight(some)


def test_every_hole_of_version_2_stands_among_the_assumptions_of_a_run_that_rests_on_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "second.toml"
    path.write_text(TINY + 'pattern = "active-pairs"\n[v2]\n')
    found = resolve(read_scenario(path), installed())
    lines = [line for line in found.settings if line["section"] == "v2"]
    for hole in range(1, 12):
        named = [line for line in lines if line["doc"].startswith(f"H{hole}: ")]
        assert named, hole
        assert all(line["assumption"] for line in named)
    assert {line["key"] for line in lines if line["doc"].startswith("H6: ")} == {"adoption"}


def test_twins_have_the_same_wishes_places_and_platforms(tmp_path: Path) -> None:
    path = tmp_path / "twins.toml"
    path.write_text(TINY + 'pattern = "active-pairs"\npace = 100\n[v2.people]\npopulation = "twins"\n')
    twins = resolve(read_scenario(path), installed())
    spec = spec_of(twins, tasks_of(twins)[0])
    assert spec.platforms == ("desktop", "ios") * 2
    texts = [wish for wish in spec.intents if isinstance(wish, Intent)]
    first, second = ([w for w in texts if w.sender // 2 == half] for half in (0, 1))
    assert len(first) == len(second) > 20
    assert [(w.t_us, w.sender + 2, w.recipient + 2, w.body) for w in first] == [
        (w.t_us, w.sender, w.recipient, w.body) for w in second
    ]
    assert build(spec).scene.client_country[:2] == build(spec).scene.client_country[2:]
    with pytest.raises(InvalidInput, match="odd number of ios"):
        resolve(read_scenario(path, ["clients.ios=1"]), installed())
