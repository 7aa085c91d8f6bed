from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sessionsim.core.errors import StorageDamaged
from sessionsim.experiment import installed
from sessionsim.experiment.manifest import (
    code_digest,
    common_facts,
    is_whole,
    read_manifest,
    replicate_hash,
    write_manifest,
)
from sessionsim.experiment.stage import Task, tasks_of
from sessionsim.scenario import Scenario, read_scenario, resolve


def test_the_hash_covers_what_a_replicate_depends_on_and_no_more(tiny: Scenario, tiny_file: Path) -> None:
    task = Task(1, "fast", False)

    def other(*overrides: str) -> Scenario:
        return resolve(read_scenario(tiny_file, overrides), installed())

    same = replicate_hash(tiny, task)
    assert same == replicate_hash(other("run.seeds=1..9", "run.open.seed=10"), task)
    different = [
        replicate_hash(tiny, Task(2, "fast", False)),
        replicate_hash(tiny, Task(1, "sodium", False)),
        replicate_hash(tiny, Task(1, "fast", True)),
        replicate_hash(other("clients.ios=3"), task),
        replicate_hash(other("platform.ios.poll_interval=4 s"), task),
        replicate_hash(other("vantages.nodes.fraction=41 %"), task),
    ]
    assert len({same, *different}) == len(different) + 1


def test_a_changed_file_changes_the_hash(tiny: Scenario) -> None:
    task = Task(1, "fast", False)
    scenarios = [replace(tiny, files={"workload.trace": digest}) for digest in ("00", "01")]
    assert len({replicate_hash(scenario, task) for scenario in (tiny, *scenarios)}) == 3


def test_the_opened_replicate_comes_first(tiny: Scenario) -> None:
    assert tasks_of(tiny) == (Task(9, "fast", True), Task(1, "fast", False), Task(2, "fast", False))


def test_a_manifest_comes_back_and_vouches_for_its_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.parquet").write_bytes(b"12345")
    facts = {"format": 1, "hash": "h", "code": code_digest()}
    write_manifest(tmp_path, facts, {"build_s": 1.5})
    stored = read_manifest(tmp_path)
    assert stored["timing"]["build_s"] == 1.5
    assert stored["files"] == {"a/x.parquet": 5}
    assert is_whole(tmp_path, "h")
    assert not is_whole(tmp_path, "i")
    (tmp_path / "a/x.parquet").write_bytes(b"1234")
    assert not is_whole(tmp_path, "h")
    (tmp_path / "a/x.parquet").unlink()
    assert not is_whole(tmp_path, "h")


def test_replicates_of_another_program_are_not_taken_over(tmp_path: Path) -> None:
    write_manifest(tmp_path, {"format": 1, "hash": "h", "code": "of another program"}, {})
    assert not is_whole(tmp_path, "h")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99}'])
def test_a_manifest_that_is_none_is_damaged(tmp_path: Path, text: str) -> None:
    with pytest.raises(StorageDamaged, match="missing"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(StorageDamaged):
        read_manifest(tmp_path)


def test_a_manifest_names_no_place_on_this_machine(tiny: Scenario, tiny_file: Path) -> None:
    text = json.dumps(common_facts(tiny))
    assert str(tiny_file.parent) not in text
    assert str(Path.home()) not in text
