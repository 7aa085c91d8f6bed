"""Attacks on stored replicates: learn from training seeds, conclude, store verdicts, count their worth.

Nothing is simulated here. All is read from the files of replicates, so attacks can be changed and made
again on a run that lies finished; verdicts that are still those wanted are taken as they are. Labels for
learning come from the answer key of `metrics` and go to `fit` only, for training seeds only.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from sessionsim.adversary import ATTACKS, Need, lacking
from sessionsim.adversary import Attack as Machine
from sessionsim.adversary.attacks._events import clients_seen
from sessionsim.core.columns import Cause
from sessionsim.core.errors import InvalidInput
from sessionsim.core.scene import Position, Role
from sessionsim.core.seeds import Seeds
from sessionsim.core.verdict import Example, Labelled, Question
from sessionsim.core.verdict_storage import NAME, are_made_of, read_verdicts, write_verdicts
from sessionsim.core.view import View
from sessionsim.experiment.analysis import viewer
from sessionsim.experiment.background import Watched, with_background
from sessionsim.experiment.manifest import read_manifest
from sessionsim.experiment.stage import knowing
from sessionsim.experiment.stored import load_replicate
from sessionsim.metrics import AnswerKey, Replicate, Tallies, tally_verdicts
from sessionsim.scenario import Attack, Scenario

Fitted = tuple[tuple[Attack, Machine], ...]


def check_attacks(scenario: Scenario, positions: dict[str, Position], n_nodes: int) -> None:
    """Make sure, before anything is run, that every attack has what it needs.

    Raises:
        InvalidInput: its vantage lacks something, or it learns and there are no training seeds.
    """
    for one in scenario.attacks:
        machine = ATTACKS[one.kind].factory(one.config)
        missing = lacking(machine.needs, positions[one.vantage], n_nodes, scenario.run.keep_bytes)
        if missing:
            allowed = f"a vantage that {' and that '.join(missing)}"
            raise InvalidInput(f"attacks.{one.name}.vantage", one.vantage, allowed)
        _check_acts(scenario, one, getattr(machine, "acts", ""))
        if machine.learns and not scenario.training:
            allowed = 'seeds to learn from, as in [training] seeds = "201..202"'
            raise InvalidInput(f"attacks.{one.name}", f"kind {one.kind!r}, which learns", allowed)


def _check_acts(scenario: Scenario, one: Attack, kind: str) -> None:
    """Make sure that an attack which reads the log of some kind of interference finds one."""
    wanted = getattr(one.config, "interference", "")
    knows = knowing(scenario)
    found = [its.name for its in scenario.interference if its.kind == kind and one.vantage in knows[its.name]]
    if kind and (wanted or not found) and wanted not in found:
        place = f"attacks.{one.name}.{'interference' if wanted else 'vantage'}"
        allowed = f"one that interferes in the way {kind!r}" + (f": {', '.join(found)}" if found else "")
        raise InvalidInput(place, wanted or one.vantage, allowed)


def attack_all(scenario: Scenario, seeds: Sequence[int], out: Path, workers: int) -> list[Tallies]:
    """Attack every replicate and count what the verdicts are worth.

    Args:
        scenario: with its attacks; without any, verdicts of earlier runs are removed.
        seeds: whose replicates lie finished in `out`, training seeds not among them.
        out: the folder of all seeds.
        workers: processes to use.

    Returns:
        Counts of the metrics that read verdicts, one per seed; none for a scenario without attacks.
    """
    if not scenario.attacks:
        for seed in seeds:
            (out / str(seed) / NAME).unlink(missing_ok=True)
        return []
    wanted = {seed: _made_of(scenario, out, seed) for seed in seeds}
    stale = [seed for seed in seeds if not are_made_of(out / str(seed), wanted[seed])]
    fitted = fit_all(scenario, out) if stale else ()
    work = [
        (scenario, out, seed, fitted if seed in stale else (), wanted[seed] if seed in stale else "")
        for seed in seeds
    ]
    if workers == 1 or len(seeds) == 1:
        return [_attack_one(*one) for one in work]
    with ProcessPoolExecutor(min(workers, len(seeds)), multiprocessing.get_context("spawn")) as pool:
        return [future.result() for future in [pool.submit(_attack_one, *one) for one in work]]


def _made_of(scenario: Scenario, out: Path, seed: int) -> str:
    """Name all that a replicate's verdicts depend on."""
    resolved = scenario.resolved
    content = {
        "replicate": read_manifest(out / str(seed))["hash"],
        "code": read_manifest(out / str(seed))["code"],
        "attacks": resolved.get("attacks"),
        "background": resolved.get("background"),
        "training": list(scenario.training),
    }
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()


def fit_all(scenario: Scenario, out: Path) -> Fitted:
    """Make every attack of the scenario, and let those that learn do so."""
    made = tuple((one, ATTACKS[one.kind].factory(one.config)) for one in scenario.attacks)
    learning = [(one, machine) for one, machine in made if machine.learns]
    if learning:
        views = [Views(load_replicate(out / str(seed)), out / str(seed)) for seed in scenario.training]
        for one, machine in learning:
            machine.fit([view.example(one.vantage, machine.question) for view in views])
    return made


def _attack_one(scenario: Scenario, out: Path, seed: int, fitted: Fitted, made_of: str) -> Tallies:
    """Attack one replicate, or count the verdicts that are there."""
    folder = out / str(seed)
    replicate = load_replicate(folder)
    if made_of:
        verdicts = conclude(scenario, replicate, folder, fitted)
        write_verdicts(folder, verdicts, made_of)
    return tally_verdicts(dataclasses.replace(replicate, verdicts=read_verdicts(folder)))


def conclude(scenario: Scenario, replicate: Replicate, folder: Path, fitted: Fitted) -> list[Labelled]:
    """Let every attack conclude, in the closed world and in each open one that concerns it."""
    views, seeds = Views(replicate, folder), Seeds(replicate.seed)
    rules = scenario.sections["background"]
    found = []
    for one, machine in fitted:
        if Need.BYTES in machine.needs and one.vantage not in replicate.ledgers:
            continue
        view, ledger = views.view(one.vantage), replicate.ledgers.get(one.vantage, ())
        populations = rules.populations if machine.open_world else (0,)
        for population in populations:
            wide = with_background(
                view, population, views.watched(one.vantage, scenario.run.horizon_us), rules,
                views.spoken, seeds, polls=getattr(machine, "among_polls", False),
            )  # fmt: skip
            verdict = machine.infer(wide, ledger, seeds.stream("attack", one.name, population))
            found.append(Labelled(one.name, one.kind, one.vantage, population, verdict))
    return found


class Views:
    """The views of one stored replicate, each made once."""

    def __init__(self, replicate: Replicate, folder: Path) -> None:
        self._replicate = replicate
        self._view_of = viewer(folder, replicate.suite)
        self._views: dict[str, View] = {}
        self._key: AnswerKey | None = None

    def view(self, name: str) -> View:
        """Give what an observer has."""
        if name not in self._views:
            self._views[name] = self._view_of(name)
        return self._views[name]

    @property
    def spoken(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Rows that carry messages, ascending."""
        truth = self._replicate.truth.transmissions
        rows = truth["row"][np.isin(truth["cause"], (int(Cause.MESSAGE), int(Cause.SYNC)))]
        return np.sort(rows.astype(np.int64))

    def watched(self, name: str, horizon_us: int) -> Watched:
        """Give what share of clients and of inboxes an observer sees."""
        replicate = self._replicate
        members = replicate.positions[name].acting_as(Role.MEMBER)
        swarms = [any(node in members for node in nodes) for nodes in replicate.nodes.members.values()]
        clients = len(replicate.truth.devices["endpoint"])
        return Watched(
            len(clients_seen(self.view(name))) / max(1, clients),
            sum(swarms) / max(1, len(swarms)),
            horizon_us,
        )

    def example(self, name: str, question: Question) -> Example:
        """Label a view for learning: what is asked, what rows are for, and which messages they carry."""
        if self._key is None:
            self._key = AnswerKey(self._replicate)
        key = self._key
        labels = {
            asked: key.truths(asked)
            for asked in dict.fromkeys((question, Question.EVENT_KIND, Question.SENDER_ADDRESS))
        }
        if question.facts.subject == "row":  # learned from the phase in which it is asked
            labels[question] = {row: true for row, true in labels[question].items() if key.within(row)}
        ledger = self._replicate.ledgers.get(name, ())
        return Example(self.view(name), ledger, labels, self._key.carried)
