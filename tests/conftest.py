"""A scenario small enough to run many times: a few swarms of the real list, four clients, half a minute."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from sessionsim.cli._threads import use_one_thread

use_one_thread()  # as the command line does, before anything below imports numpy

from sessionsim.experiment import installed, run_scenario  # noqa: E402
from sessionsim.scenario import Scenario, read_scenario, resolve  # noqa: E402

TINY = """\
title = "Tiny"
question = "Does the whole path work?"
[run]
seeds = "1..2"
warmup = "2 s"
duration = "15 s"
drain = "8 s"
[run.open]
seed = 9
suite = "fast"
[network]
limit_swarms = 12
[clients]
desktop = 2
ios = 2
[workload]
pattern = "active-pairs"
pace = 100
[vantages.isp]
kind = "provider"
by = "list"
clients = [0, 1]
[vantages.nodes]
kind = "snodes"
fraction = "40 %"
[vantages.both]
kind = "coalition"
members = ["isp", "nodes"]
"""


def pytest_collection_finish() -> None:
    """Keep the modules and all the tests themselves, which stay to the end, out of every later collection."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def tiny_file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the tiny scenario, not to be changed: its opened seed and one more."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "tiny.toml").write_text(TINY.replace('"1..2"', '"1"'))
    scenario = resolve(read_scenario(folder / "tiny.toml"), installed())
    return run_scenario(scenario, folder / "out", 1).folder


@pytest.fixture
def tiny(tiny_file: Path) -> Scenario:
    return resolve(read_scenario(tiny_file), installed())
