"""The same scenario and seed give the same files, byte for byte, with real cryptography of version 2 too.

And with the cheap suite they are the same but for what is made of keys: byte strings and their hashes, which
are called here by the order in which they appear.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sessionsim.core.storage import read_blobs, read_ledger, read_table
from sessionsim.core.view import Table
from sessionsim.experiment import installed, run_scenario
from sessionsim.scenario import read_scenario, resolve
from tests.experiment.test_run import contents

SMALL = """\
title = "Version 2, everything kept"
question = "Are two runs the same?"
[run]
suite = "sodium"
seeds = "1"
warmup = "1 s"
duration = "40 s"
drain = "5 s"
keep_bytes = true
[network]
limit_swarms = 6
[clients]
desktop = 2
android = 2
ios = 2
[workload]
pattern = "active-pairs"
pace = 60
[v2]
adoption = "70 %"
account_key_period = "1 min"
account_key_window = "1 min"
[v2.people]
group_age = "10 min"
[vantages.isp]
kind = "provider"
fraction = "50 %"
[vantages.nodes]
kind = "snodes"
fraction = "40 %"
[vantages.thief]
kind = "device-thief"
client = 2
at = "30 s"
[vantages.all]
kind = "coalition"
members = ["isp", "nodes", "thief"]
"""
# Columns of byte strings that are made of keys, or of their hashes.
OF_KEYS = {
    "1/records/blobs.parquet": ["payload"],
    "1/truth/hauls.parquet": ["data"],
    "1/truth/keys.parquet": ["public"],
    "1/truth/messages.parquet": ["hash", "sync_hash"],
}


def run(folder: Path, *overrides: str) -> Path:
    folder.mkdir()
    (folder / "small.toml").write_text(SMALL)
    scenario = resolve(read_scenario(folder / "small.toml", overrides), installed())
    return run_scenario(scenario, folder / "out", 1).folder


@pytest.fixture(scope="module")
def sodium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("same") / "sodium")


def by_appearance(table: Table, columns: list[str]) -> dict[str, list[object]]:
    """Give a table with numbers for the values of some columns, in order of first appearance."""
    found: dict[str, list[object]] = {name: values.tolist() for name, values in table.items()}
    for name in columns:
        numbers: dict[object, int] = {}
        found[name] = [(numbers.setdefault(value, len(numbers)), len(value)) for value in table[name]]
    return found


def test_two_runs_of_version_2_with_real_cryptography_have_the_same_files(
    sodium: Path, tmp_path: Path
) -> None:
    """The other run has a process of its own, with another hash seed and with nothing cached."""
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.experiment.test_same_files import run\n"
        "run(Path(sys.argv[1]))\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4321"}
    root = Path(__file__).parents[2]
    there = tmp_path / "there"
    subprocess.run([sys.executable, "-c", code, there], check=True, env=environment, cwd=root)
    ours, theirs = contents(sodium), contents(there / "out")
    assert len(ours) > 15
    assert [name for name in ours if ours[name] != theirs.get(name)] == []
    assert ours.keys() == theirs.keys()


def test_there_is_something_that_could_differ(sodium: Path) -> None:
    events = set(read_table(sodium / "1/truth/events.parquet")["what"])
    assert {"sealed v2", "opened v2", "group pushed", "record pushed"} <= events
    assert sum(len(blob) for blob in read_blobs(sodium / "1").values()) > 1_000_000
    assert len(read_ledger(sodium / "1/ledger.parquet")) > 100
    assert len(read_table(sodium / "1/truth/hauls.parquet")["data"]) > 3


def test_the_cheap_suite_gives_the_same_files_but_for_what_is_made_of_keys(
    sodium: Path, tmp_path: Path
) -> None:
    fast = run(tmp_path / "fast", "run.suite=fast")
    ours, theirs = contents(sodium), contents(fast)
    assert ours.keys() == theirs.keys()
    differing = {name for name in ours if ours[name] != theirs[name]}
    assert differing == {*OF_KEYS, "1/ledger.parquet"}
    for name, columns in OF_KEYS.items():
        one, other = (by_appearance(read_table(folder / name), columns) for folder in (sodium, fast))
        for column, values in one.items():
            np.testing.assert_array_equal(values, other[column], err_msg=f"{name} {column}")
    # What the facts say, with the strings renamed, is compared in tests/verification/test_suites_equal.py.
    facts = [
        sorted(
            (f.observer, f.relation, f.t_us, len(f.derivation)) for f in read_ledger(at / "1/ledger.parquet")
        )
        for at in (sodium, fast)
    ]
    assert facts[0] == facts[1]
