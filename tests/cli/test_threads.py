"""Linear algebra has one thread per process, unless a person wants it otherwise."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy  # noqa: F401 (loads the library)
import pytest
from threadpoolctl import threadpool_info

from sessionsim.cli import main
from sessionsim.cli._threads import NAMES, use_one_thread


def test_a_command_asks_for_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit):
        main(["--version"])
    assert {name: os.environ[name] for name in NAMES} == dict.fromkeys(NAMES, "1")


def test_what_a_person_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAMES[0], "3")
    use_one_thread()
    assert os.environ[NAMES[0]] == "3"


def test_the_door_of_the_program_does_not_load_numpy_first() -> None:
    program = "import sys, sessionsim.cli; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.skipif(
    any(os.environ.get(name) != "1" for name in NAMES), reason="a person has asked for more threads"
)
def test_these_tests_run_with_one_thread() -> None:
    found = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert found
    assert {pool["num_threads"] for pool in found} == {1}
