"""A stored run with an active adversary: who knows of what was done, and what attacks make of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sessionsim.adversary import ATTACKS
from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds
from sessionsim.core.verdict import Question
from sessionsim.core.view import ACTION_COLUMNS
from sessionsim.experiment import installed, preflight, run_scenario
from sessionsim.experiment.attacking import Views
from sessionsim.experiment.stored import load_replicate, read_actions
from sessionsim.metrics import AnswerKey
from sessionsim.network.interference import KINDS
from sessionsim.scenario import Scenario, read_scenario, resolve
from tests.conftest import TINY

ATTACKS.scan()
OFFSET_US = 250_000
ACTIVE = [entry for entry in ATTACKS if getattr(entry.factory, "acts", "")]
PLACE = """
[background]
populations = [0, 1000]
[vantages.eve]
kind = "active"
fraction = "70 %"
links = "100 %"
knows = [0, 1, 2, 3]
clock_offset = "250 ms"
[vantages.friends]
kind = "coalition"
members = ["eve", "isp"]
[vantages.others]
kind = "coalition"
members = ["isp", "nodes"]
"""
ACTS = "".join(f'[interference.{kind}]\nkind = "{kind}"\nvantage = "eve"\n' for kind in KINDS)


def scenario(folder: Path, more: str) -> Scenario:
    text = re.sub(r"\[run.open\][^\[]*", "", TINY).replace('"1..2"', '"1"').replace('"15 s"', '"40 s"')
    (folder / "tiny.toml").write_text(
        text.replace('drain = "8 s"', 'drain = "8 s"\nkeep_bytes = true') + more
    )
    return resolve(read_scenario(folder / "tiny.toml"), installed())


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("active")
    attacks = "".join(f'[attacks.{entry.id}]\nkind = "{entry.id}"\nvantage = "eve"\n' for entry in ACTIVE)
    run_scenario(scenario(folder, PLACE + ACTS + attacks), folder / "out")
    return folder / "out/1"


@pytest.fixture(scope="module")
def views(stored: Path) -> Views:
    return Views(load_replicate(stored), stored)


def test_the_log_is_known_to_whoever_acted_and_to_nobody_else(stored: Path, views: Views) -> None:
    actions = read_actions(stored)
    assert actions is not None
    assert set(actions["observer"].tolist()) == {"eve", "friends"}
    assert tuple(views.view("eve").actions) == ACTION_COLUMNS
    assert len(views.view("friends").actions["t_us"]) == len(views.view("eve").actions["t_us"])
    for name in ("isp", "nodes", "others"):
        assert views.view(name).actions == {}


def test_the_log_is_told_by_the_clock_of_the_adversary(stored: Path, views: Views) -> None:
    actions = read_actions(stored)
    assert actions is not None
    true = actions["t_us"][actions["observer"] == "eve"]
    assert (views.view("eve").actions["t_us"] - true).tolist() == [OFFSET_US] * len(true)
    # The coalition has the clock of its first member.
    assert views.view("friends").actions["t_us"].tolist() == views.view("eve").actions["t_us"].tolist()
    # What was held at a node arrived there at that very time, by the same clock.
    view = views.view("eve")
    held = (view.actions["what"] == "held") & (view.actions["place"] < len(view.nodes))
    arrived = set(zip(view.rows["dst"].tolist(), view.rows["t_us"].tolist(), strict=True))
    acted = zip(view.actions["place"][held].tolist(), view.actions["t_us"][held].tolist(), strict=True)
    assert held.any()
    assert set(acted) <= arrived


def test_no_row_of_the_log_joins_an_account_with_a_client(views: Views) -> None:
    actions = views.view("eve").actions
    assert not ((actions["client"] >= 0) & (actions["account"] != "")).any()
    assert set(actions["kind"].tolist()) == set(KINDS)


@pytest.mark.parametrize("entry", ACTIVE, ids=lambda entry: entry.id)
def test_every_attack_concludes_something_from_its_own_acts(entry: Any, views: Views) -> None:
    made = entry.factory(entry.config())
    view = views.view("eve")
    before = {name: column.copy() for name, column in view.actions.items()}
    found = made.infer(view, (), Seeds(1).stream("attack"))
    again = entry.factory(entry.config()).infer(view, (), Seeds(1).stream("attack"))
    assert len(found) > 0
    assert found.score.tolist() == again.score.tolist()
    facts = found.question.facts
    assert all(subject.startswith(f"{facts.subject}:") for subject in found.subject)
    assert all(candidate.startswith(f"{facts.candidate}:") for candidate in found.candidate)
    pairs = list(zip(found.subject.tolist(), found.candidate.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert all(view.actions[name].tolist() == column.tolist() for name, column in before.items())


def test_replay_is_right_where_it_says_anything_and_no_tag_is_accepted(stored: Path) -> None:
    replicate = load_replicate(stored)
    key = AnswerKey(replicate).truths(Question.ADDRESS_OF)
    verdict = next(one.verdict for one in replicate.verdicts if one.kind == "replay")
    right = []
    for subject in sorted(set(verdict.subject.tolist())):
        own = verdict.subject == subject
        right.append(verdict.candidate[own][verdict.score[own].argmax()] in key[subject])
    assert len(right) >= 3
    assert np.mean(right) >= 0.75
    actions = replicate.actions
    assert int((actions["what"] == "tagged").sum()) > 0
    assert not ((actions["kind"] == "tag") & (actions["what"] == "answered")).any()


def test_what_an_adversary_stored_itself_contradicts_no_truth(stored: Path) -> None:
    readings = json.loads((stored.parent / "readings.json").read_text())["readings"]
    found = {one["name"]: one["value"] for one in readings if one["name"].endswith("contradicted facts")}
    assert found["eve: contradicted facts"] == 0
    assert set(found.values()) == {0}


def test_each_act_counts_once_however_many_know_of_it(stored: Path, views: Views) -> None:
    assert len(load_replicate(stored).actions["t_us"]) == len(views.view("eve").actions["t_us"])


@pytest.mark.parametrize(
    ("more", "place", "says"),
    [
        (
            '[interference.x]\nkind = "tag"\nvantage = "isp"\n',
            "interference.x.vantage", "operates service nodes",
        ),
        (
            PLACE + '[attacks.a]\nkind = "tagging"\nvantage = "eve"\n',
            "attacks.a.vantage", "interferes in the way 'tag'",
        ),
        (
            PLACE + '[interference.x]\nkind = "tag"\nvantage = "eve"\n'
            '[attacks.a]\nkind = "tagging"\nvantage = "nodes"\n',
            "attacks.a.vantage", "interferes in the way 'tag'",
        ),
        (
            PLACE + '[interference.x]\nkind = "tag"\nvantage = "eve"\n'
            '[attacks.a]\nkind = "tagging"\nvantage = "eve"\ninterference = "y"\n',
            "attacks.a.interference", "'tag': x",
        ),
    ],
)  # fmt: skip
def test_who_did_not_act_cannot_read_a_log(tmp_path: Path, more: str, place: str, says: str) -> None:
    with pytest.raises(InvalidInput) as wrong:
        preflight(scenario(tmp_path, more))
    assert wrong.value.place == place
    assert says in str(wrong.value)


def test_a_coalition_reads_the_log_of_its_member(tmp_path: Path) -> None:
    more = '[interference.x]\nkind = "tag"\nvantage = "eve"\n'
    more += '[attacks.a]\nkind = "tagging"\nvantage = "friends"\ninterference = "x"\n'
    preflight(scenario(tmp_path, PLACE + more))
