"""The coverage-guided way runs, where its extra is installed, and says what is missing where not."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def guided(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "tests.fuzz.guided", *arguments]
    return subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_it_runs_or_says_what_is_missing() -> None:
    done = guided("wire.bencode.decode", "--runs", "200")
    if importlib.util.find_spec("atheris") is None:
        assert done.returncode == 1
        assert "needs atheris" in done.stderr
    else:
        assert done.returncode == 0
        assert "Done 200 runs" in done.stderr


def test_an_unknown_decoder_is_told() -> None:
    done = guided("bencoed")
    assert done.returncode == 1
    assert "bencoed" in done.stderr or "needs atheris" in done.stderr
