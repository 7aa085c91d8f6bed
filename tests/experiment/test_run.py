from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput, StorageDamaged
from sessionsim.experiment import (
    Progress,
    forget,
    load_replicate,
    preflight,
    run_scenario,
    whole_replicates,
)
from sessionsim.experiment.readings_file import read_readings
from sessionsim.experiment.stored import read_positions
from sessionsim.scenario import Scenario, read_scenario, resolve


def contents(folder: Path) -> dict[str, bytes]:
    """Give all files of a run but its manifests, which alone hold dates and durations."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def untimed(path: Path) -> dict[str, object]:
    apart = {"timing", "code"}  # `code` says whether somebody edits the program meanwhile
    return {key: value for key, value in json.loads(path.read_text()).items() if key not in apart}


def test_a_run_leaves_whole_replicates_and_readings_of_all_seeds(tiny: Scenario, tmp_path: Path) -> None:
    told: list[Progress] = []
    finished = run_scenario(tiny, tmp_path / "out", 1, told.append)
    assert finished.seeds == (1, 2, 9)
    assert finished.reused == 0
    assert sorted(path.name for path in finished.folder.iterdir()) == [
        "1",
        "2",
        "9",
        "manifest.json",
        "readings.json",
    ]
    assert (told[-1].done, told[-1].total, told[-1].share) == (3, 3, 1.0)
    assert [told.share for told in told] == sorted(told.share for told in told)
    opened, plain = load_replicate(finished.folder / "9"), load_replicate(finished.folder / "1")
    assert set(opened.ledgers) == {"isp", "nodes", "both"}
    assert opened.ledgers["nodes"]
    assert plain.ledgers == {}
    assert opened.positions["both"] == opened.positions["isp"] | opened.positions["nodes"]
    assert opened.watched == opened.positions["both"].tapped | opened.positions["both"].operated
    assert (opened.truth.start_us, opened.truth.end_us) == (2_000_000, 17_000_000)
    assert len(opened.truth.messages["sender"]) > 3
    assert len(opened.truth.transmissions["row"]) == len(opened.records["src"])
    stored = json.loads((finished.folder / "readings.json").read_text())
    assert (stored["seeds"], stored["opened"], stored["scenario"]) == ([1, 2, 9], [9], "tiny")
    assert len(read_readings(finished.folder)) == len(finished.readings) > 10


@pytest.mark.slow
def test_workers_and_hash_seed_change_nothing(tiny_file: Path, tiny: Scenario, tmp_path: Path) -> None:
    run_scenario(tiny, tmp_path / "here", 1)
    code = (
        "import sys; from pathlib import Path\n"
        "from sessionsim.experiment import installed, run_scenario\n"
        "from sessionsim.scenario import read_scenario, resolve\n"
        "if __name__ == '__main__':\n"
        "    run_scenario(resolve(read_scenario(Path(sys.argv[1])), installed()), Path(sys.argv[2]), 2)\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    environment = {**os.environ, "PYTHONHASHSEED": "4321"}
    subprocess.run([sys.executable, script, tiny_file, tmp_path / "there"], check=True, env=environment)
    assert contents(tmp_path / "here") == contents(tmp_path / "there")
    for seed in ("1", "9"):
        here, there = (untimed(tmp_path / where / seed / "manifest.json") for where in ("here", "there"))
        assert here == there


def test_a_run_goes_on_where_it_stopped(tiny: Scenario, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def stop(reached: Progress) -> None:
        if reached.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_scenario(tiny, out, 1, stop)
    assert whole_replicates(tiny, out) == 1 + (out / "1").exists()
    assert not (out / "readings.json").exists()
    assert not list(out.glob(".*partial*"))
    before = (out / "9/manifest.json").read_bytes()
    (out / ".1.partial-77").mkdir()
    finished = run_scenario(tiny, out, 1)
    assert finished.reused >= 1
    assert (out / "9/manifest.json").read_bytes() == before
    assert not list(out.glob(".*partial*"))
    run_scenario(tiny, tmp_path / "whole", 1)
    assert contents(out) == contents(tmp_path / "whole")


def test_what_is_cut_off_or_of_another_scenario_is_run_again(
    tiny_file: Path, tiny: Scenario, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_scenario(tiny, out, 1)
    whole = contents(out)
    damaged = out / "1/records/transmissions.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-20])
    with pytest.raises(StorageDamaged):
        load_replicate(out / "1")
    (out / "2/truth/keys.parquet").unlink()
    assert whole_replicates(tiny, out) == 1
    assert run_scenario(tiny, out, 1).reused == 1
    assert contents(out) == whole
    from sessionsim.experiment import installed

    other = resolve(read_scenario(tiny_file, ["run.drain=9 s"]), installed())
    assert whole_replicates(other, out) == 0
    fewer = resolve(read_scenario(tiny_file, ["run.seeds=2"]), installed())
    assert whole_replicates(fewer, out) == 2


def test_forgetting_touches_only_what_runs_leave(tiny: Scenario, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_scenario(tiny.with_seeds((1,)), out, 1)
    (out / "notes.txt").write_text("mine")
    (out / "77").mkdir()
    (out / "77/mine.txt").write_text("mine")
    forget(out)
    assert sorted(path.name for path in out.iterdir()) == ["77", "notes.txt"]
    forget(tmp_path / "nowhere")


def test_observers_choose_anew_with_each_seed_and_stay_where_they_stood(
    tiny: Scenario, tmp_path: Path
) -> None:
    run_scenario(tiny, tmp_path / "out", 1)
    first, second = (read_positions(tmp_path / "out" / seed) for seed in ("1", "2"))
    assert list(first) == ["isp", "nodes", "both"]
    assert first["nodes"].operated != second["nodes"].operated
    assert len(first["isp"].tapped) == 2


def test_what_cannot_be_built_shows_before_anything_is_written(tiny_file: Path) -> None:
    from sessionsim.experiment import installed

    overrides = ["vantages.isp.clients=[0, 50]"]
    with pytest.raises(InvalidInput):
        preflight(resolve(read_scenario(tiny_file, overrides), installed()))


def test_a_failing_replicate_leaves_nothing_half_done(
    tiny: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sessionsim.experiment import replicate

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(replicate, "write_truth", fail)
    with pytest.raises(OSError, match="disk full"):
        run_scenario(tiny, tmp_path / "out", 1)
    assert list((tmp_path / "out").iterdir()) == []
