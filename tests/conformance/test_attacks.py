"""Every attack keeps the same promises, from the day it appears.

Same seed, same answer; its input untouched; an empty view handled; labels only through `fit`; nothing of
truth within reach. The view is a real one: a few clients on a few swarms, with an observer who taps all
links and runs half of the nodes.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sessionsim.adversary import ATTACKS, Need, lacking
from sessionsim.core.registry import Entry
from sessionsim.core.scene import Position
from sessionsim.core.seeds import Seeds
from sessionsim.core.verdict import Example, Form, Verdict
from sessionsim.core.view import VIEW_COLUMNS, View
from sessionsim.experiment import installed, run_scenario
from sessionsim.experiment.attacking import Views
from sessionsim.experiment.background import Background, with_background
from sessionsim.experiment.stored import load_replicate
from sessionsim.scenario import read_scenario, resolve
from tests.conftest import TINY

ATTACKS.scan()
by_attack = pytest.mark.parametrize("entry", list(ATTACKS), ids=lambda entry: entry.id)
EVERYTHING = """
[vantages.all]
kind = "coalition"
members = ["isp", "nodes"]
"""


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> list[Views]:
    """Two replicates with kept bytes: one to learn from, one to attack."""
    folder = tmp_path_factory.mktemp("attacks")
    text = TINY.replace('drain = "8 s"', 'drain = "8 s"\nkeep_bytes = true').replace("40 %", "60 %")
    text = re.sub(r"\[run.open\][^\[]*", "", text).replace("clients = [0, 1]", "clients = [0, 1, 2, 3]")
    (folder / "tiny.toml").write_text(text)
    scenario = resolve(read_scenario(folder / "tiny.toml"), installed())
    run_scenario(scenario, folder / "out")
    return [Views(load_replicate(folder / "out" / seed), folder / "out" / seed) for seed in ("1", "2")]


def ready(entry: Entry[Any], views: list[Views]) -> Any:
    attack = entry.factory(entry.config())
    if attack.learns:
        attack.fit([views[0].example("both", attack.question)])
    return attack


def attacked(attack: Any, view: View, seed: int = 1) -> Verdict:
    found = attack.infer(view, (), Seeds(seed).stream("attack"))
    assert isinstance(found, Verdict)
    return found


def columns(verdict: Verdict) -> list[Any]:
    return [
        getattr(verdict, field.name).astype(str).tolist()
        for field in dataclasses.fields(verdict)
        if field.name != "question"
    ]


@by_attack
def test_the_same_seed_gives_the_same_answer(entry: Entry[Any], views: list[Views]) -> None:
    view = views[1].view("both")
    first = attacked(ready(entry, views), view)
    second = attacked(ready(entry, views), view)
    assert columns(first) == columns(second)
    assert first.question is entry.factory(entry.config()).question


@by_attack
def test_it_answers_in_typed_terms_of_its_question(entry: Entry[Any], views: list[Views]) -> None:
    found = attacked(ready(entry, views), views[1].view("both"))
    facts = found.question.facts
    for subject in set(found.subject.tolist()):
        assert subject.startswith(f"{facts.subject}:")
    if facts.form is not Form.HOW_MUCH:
        for candidate in set(found.candidate.tolist()) - {""}:
            assert candidate.startswith(f"{facts.candidate}:")
    pairs = list(zip(found.subject.tolist(), found.candidate.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    _, first, many = np.unique(found.subject.astype(str), return_index=True, return_counts=True)
    assert np.all(found.among[first] >= np.where(found.candidate[first] == "", 0, many))


@by_attack
def test_its_input_stays_untouched(entry: Entry[Any], views: list[Views]) -> None:
    view = views[1].view("both")
    before = {name: column.copy() for name, column in view.rows.items()}
    blobs, keys = dict(view.blobs), copy.copy(view.keys)
    attacked(ready(entry, views), view)
    assert {n: c.tolist() for n, c in view.rows.items()} == {n: c.tolist() for n, c in before.items()}
    assert (dict(view.blobs), view.keys) == (blobs, keys)


@by_attack
def test_an_empty_view_gives_no_guess(entry: Entry[Any], views: list[Views]) -> None:
    full = views[1].view("both")
    rows: Any = {name: np.zeros(0, dtype=np.int64) for name in VIEW_COLUMNS}
    empty = dataclasses.replace(full, rows=rows, blobs={})
    assert len(attacked(ready(entry, views), empty)) == 0
    assert len(attacked(ready(entry, views), dataclasses.replace(empty, keys=(), own=frozenset()))) == 0


@by_attack
def test_it_can_learn_from_nothing(entry: Entry[Any], views: list[Views]) -> None:
    attack = entry.factory(entry.config())
    attack.fit([])
    attacked(attack, views[1].view("both"))
    full = views[0].example("both", attack.question)
    rows: Any = {name: np.zeros(0, dtype=np.int64) for name in VIEW_COLUMNS}
    bare = {question: {} for question in full.labels}
    attack.fit([Example(dataclasses.replace(full.view, rows=rows, blobs={}), (), bare, {})])
    attacked(attack, views[1].view("both"))


@by_attack
def test_strangers_change_only_attacks_of_the_open_world(entry: Entry[Any], views: list[Views]) -> None:
    attack, view = ready(entry, views), views[1].view("both")
    watched = views[1].watched("both", 25_000_000)
    wide = with_background(
        view, 1000, watched, Background(messages_per_day=10_000.0), views[1].spoken, Seeds(1), polls=True
    )
    plain, crowded = attacked(attack, view), attacked(attack, wide)
    if attack.open_world:
        assert len(plain) == 0 or columns(plain) != columns(crowded)


@by_attack
def test_it_says_what_it_needs(entry: Entry[Any]) -> None:
    attack = entry.factory(entry.config())
    assert attack.needs
    assert isinstance(attack.needs, frozenset)
    assert set(lacking(attack.needs, Position(), 10, False)) == attack.needs
    nodes_and_clients = Position(frozenset({12}), frozenset({1, 13}))
    assert lacking(attack.needs, nodes_and_clients, 10, True) == []


@by_attack
def test_its_source_names_a_paper_or_a_section(entry: Entry[Any]) -> None:
    assert re.search(r"metrics \d|threat-model", entry.source)
    text = inspect.getdoc(inspect.getmodule(entry.factory)) or ""
    assert "Source:" in text or entry.id == "random-guess"
    assert Path(inspect.getfile(entry.factory)).stem.replace("_", "-") == entry.id


def test_needs_are_told_apart() -> None:
    assert lacking(frozenset(Need), Position(tapped=frozenset({11})), 10, True) == [Need.NODES, Need.DEVICE]
    assert lacking(frozenset({Need.BYTES}), Position(), 10, False) == [Need.BYTES]
