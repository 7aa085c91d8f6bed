"""From a folder of stored results to report.html and figures, and what happens when a file is not whole."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sessionsim.core.errors import StorageDamaged
from sessionsim.core.readings import Reading
from sessionsim.core.storage import write_ledger, write_table
from sessionsim.report import ReportData, stored_answers, write_report


def texts(value: str, n: int) -> np.ndarray:
    return np.array([value] * n, dtype=object)


@pytest.fixture
def run_dir(tmp_path: Path, data: ReportData, readings: list[Reading], manifest: dict[str, Any]) -> Path:
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "seeds": [1, 2, 3]}))
    content = {"format": 1, "readings": [asdict(one) for one in readings]}
    (tmp_path / "readings.json").write_text(json.dumps(content))
    for seed in data.seeds:
        folder = tmp_path / str(seed.seed)
        n = len(seed.intent_us)
        # One more message, outside the measured phase: it must not be drawn.
        table = {name: np.append(getattr(seed, name), 0) for name in ("intent_us", "stored_us")}
        table["measured"] = np.append(np.ones(n, dtype=bool), False)
        same = {"outcome": texts("delivered", n + 1), "reason": texts("", n + 1)}
        write_table(folder / "truth/messages.parquet", table | same | {"kind": texts("text", n + 1)})
        shown = np.append(seed.delivered_us, 0)
        rows = {"message": np.arange(n + 1), "account": np.zeros(n + 1, np.int64), "delivered_us": shown}
        write_table(folder / "truth/deliveries.parquet", rows | same | {"copy": texts("message", n + 1)})
        if seed.opened:
            write_ledger(folder / "ledger.parquet", data.facts)
        (folder / "manifest.json").write_text(
            json.dumps({**manifest, "seed": seed.seed, "suite": seed.suite})
        )
    return tmp_path


def test_report_and_figures_are_written_from_files_alone(run_dir: Path, data: ReportData) -> None:
    path = write_report(run_dir)
    assert path == run_dir / "report.html"
    assert sorted(p.name for p in (run_dir / "figures").iterdir()) == [
        "bytes.svg",
        "coverage.svg",
        "latency.svg",
    ]
    text = path.read_text(encoding="utf-8")
    for expected in ("A sample", "Seeds 1 to 2 (fast), 3 (sodium)", "acts for", "GeoLite2", "WonderProxy"):
        assert expected in text, expected
    assert not list(run_dir.glob("*.part"))


def test_writing_twice_gives_the_same_bytes(run_dir: Path) -> None:
    def everything() -> dict[str, bytes]:
        write_report(run_dir)
        return {p.name: p.read_bytes() for p in [run_dir / "report.html", *(run_dir / "figures").iterdir()]}

    assert everything() == everything()


def test_answers_of_a_stored_run_are_those_of_its_report(run_dir: Path) -> None:
    shown = write_report(run_dir).read_text(encoding="utf-8").replace("\u00a0", " ")
    for sentence in stored_answers(run_dir):
        assert sentence.replace("'", "&#39;") in shown


@pytest.mark.parametrize("missing", ["readings.json", "2/truth/messages.parquet"])
def test_a_missing_file_is_named_and_no_report_is_left(run_dir: Path, missing: str) -> None:
    (run_dir / missing).unlink()
    with pytest.raises(StorageDamaged, match=Path(missing).name):
        write_report(run_dir)
    assert not (run_dir / "report.html").exists()


@pytest.mark.parametrize("cut", ["readings.json", "1/manifest.json", "3/ledger.parquet"])
def test_a_cut_off_file_is_named(run_dir: Path, cut: str) -> None:
    path = run_dir / cut
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(StorageDamaged, match=path.name):
        write_report(run_dir)


@pytest.mark.parametrize("content", ["[1]", "{}", '{"seed": "x"}', '{"seed": true}'])
def test_a_manifest_of_something_else_is_named(run_dir: Path, content: str) -> None:
    (run_dir / "2/manifest.json").write_text(content)
    with pytest.raises(StorageDamaged, match=r"2/manifest\.json is no manifest"):
        write_report(run_dir)


def test_a_lost_ledger_is_not_taken_for_one_that_was_not_made(run_dir: Path) -> None:
    path = run_dir / "3/manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"keep_bytes": True}))
    write_report(run_dir)
    (run_dir / "3/ledger.parquet").unlink()
    with pytest.raises(StorageDamaged, match=r"ledger\.parquet is missing"):
        write_report(run_dir)


def test_replicates_of_earlier_runs_are_left_out(run_dir: Path) -> None:
    readings = run_dir / "readings.json"
    readings.write_text(json.dumps(json.loads(readings.read_text()) | {"seeds": [2, 3]}))
    text = write_report(run_dir).read_text(encoding="utf-8")
    assert "Seeds 2 (fast), 3 (sodium)" in text
    readings.write_text(json.dumps(json.loads(readings.read_text()) | {"seeds": [2, 7]}))
    with pytest.raises(StorageDamaged, match="7 is missing"):
        write_report(run_dir)


def test_a_folder_without_replicates_is_refused(run_dir: Path) -> None:
    for seed in (1, 2, 3):
        (run_dir / str(seed) / "manifest.json").unlink()
    with pytest.raises(StorageDamaged, match=r"manifest\.json"):
        write_report(run_dir)
