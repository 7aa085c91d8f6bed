"""The command line as people use it: result on stdout, the rest on stderr, exit codes, no leftovers."""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sessionsim.cli import main
from sessionsim.report import _figures

ROOT = Path(__file__).parents[2]
# Whoever starts the tests in the background may have them ignore what Ctrl-C sends.
START = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from sessionsim.cli import main; main()"
)


def call(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Run the command line in this process. Returns exit code, stdout, stderr."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    told = capsys.readouterr()
    return int(end.value.code or 0), told.out, told.err


@pytest.fixture
def one_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the first figure alone where a test is about something else; tests/report looks at all."""
    monkeypatch.setattr(_figures, "PLOTS", _figures.PLOTS[:1])


@pytest.mark.usefixtures("one_figure")
def test_run_ends_with_answers_and_the_place_of_the_report(
    capsys: pytest.CaptureFixture[str], tiny_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    code, told, errors = call(capsys, "run", tiny_file, "--out", out, "--workers", "1", "--quiet")
    assert (code, errors) == (0, "")
    lines = told.strip().splitlines()
    assert len(lines) == 4
    assert lines[-1] == f"Report: {out / 'report.html'}"
    assert (out / "report.html").stat().st_size > 10_000
    report = (out / "report.html").read_bytes()
    (out / "report.html").unlink()
    for folder in (out, out / "1"):
        code, told, _ = call(capsys, "report", folder)
        assert (code, told) == (0, f"Report: {out / 'report.html'}\n")
        assert (out / "report.html").read_bytes() == report
    code, told, errors = call(capsys, "run", tiny_file, "--out", out, "--workers", "1", "--quiet", "--json")
    result = json.loads(told)
    assert code == 0
    assert "3 of 3" not in told
    assert (result["seeds"], result["reused"], result["scenario"]) == ([1, 2, 9], 3, "tiny")
    assert {"answers", "readings", "report", "folder", "format"} <= set(result)


@pytest.mark.usefixtures("one_figure")
def test_seeds_and_keys_are_overridden(
    capsys: pytest.CaptureFixture[str], tiny_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, told, errors = call(
        capsys,
        "run",
        tiny_file,
        "--seed",
        "4",
        "--set",
        "clients.ios=3",
        "--quiet",
        "--json",
        "--workers",
        "1",
    )
    assert (code, errors) == (0, "")
    assert json.loads(told)["seeds"] == [4, 9]
    manifest = json.loads((tmp_path / "results/tiny/4/manifest.json").read_text())
    assert manifest["resolved"]["clients"]["ios"] == 3


@pytest.mark.usefixtures("one_figure")
def test_fresh_discards_what_was_there(
    capsys: pytest.CaptureFixture[str], tiny_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    call(capsys, "run", tiny_file, "--seed", "1", "--out", out, "--quiet", "--workers", "1")
    _, told, _ = call(
        capsys,
        "run",
        tiny_file,
        "--seed",
        "2",
        "--out",
        out,
        "--quiet",
        "--workers",
        "1",
        "--fresh",
        "--json",
    )
    assert json.loads(told)["reused"] == 0
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == ["2", "9", "figures"]


WRONG = [
    ("pace = 100", "speed = 100", "tiny.toml:18 workload.speed"),
    ("pace = 100", "pase = 100", "Did you mean 'pace'?"),
    ('"15 s"', '"15 kB"', "tiny.toml:6 run.duration"),
    ('"15 s"', '"-15 s"', "tiny.toml:6 run.duration"),
    ("desktop = 2\nios = 2", "desktop = 0", "at least 2 clients"),
    ("limit_swarms = 12", "limit_swarms = -1", "tiny.toml:12 network.limit_swarms"),
    ("[vantages.isp]", "[vantages.'<script>']", "name of 1 to 64"),
    ("[vantages.isp]", "[vantages.'../x']", "name of 1 to 64"),
    ('pattern = "active-pairs"\npace = 100', 'pattern = "replay"\ntrace = "gone.csv"', "gone.csv"),
    ('title = "Tiny"', 'title = "Tiny', "tiny.toml:1"),
    ("clients = [0, 1]", "clients = [0, 99]", "vantages.isp.clients: found 99"),
]


@pytest.mark.parametrize(("old", "new", "told"), WRONG, ids=[wrong[1] for wrong in WRONG])
@pytest.mark.parametrize("verb", ["run", "check"])
def test_a_wrong_scenario_gives_one_message_and_no_folder(
    capsys: pytest.CaptureFixture[str],
    tiny_file: Path,
    tmp_path: Path,
    verb: str,
    old: str,
    new: str,
    told: str,
) -> None:
    text = tiny_file.read_text()
    assert old in text
    tiny_file.write_text(text.replace(old, new))
    arguments = ["--out", tmp_path / "out", "--quiet"] if verb == "run" else []
    code, result, errors = call(capsys, verb, tiny_file, *arguments)
    assert (code, result) == (2, "")
    assert told in errors
    assert len(errors.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "../x"],
        ["run", "<script>"],
        ["run", "nowhere.toml"],
        ["run", "TINY", "--seed", "1", "--seeds", "1..2"],
        ["run", "TINY", "--seeds", "2..1"],
        ["run", "TINY", "--seed", "9"],
        ["run", "TINY", "--set", "nothing"],
        ["run", "TINY", "--set", "clients.desktop=many"],
        ["run", "TINY", "--workers", "0"],
        ["run", "TINY", "--out", "TINY"],
        ["run", "TINY", "--out", "tiny.toml/below"],
        ["run", "TINY", "--out", ""],
        ["run", "TINY", "--seed", "1" + "0" * 30],
        ["run", "TINY", "--set", "title=\udcff"],
        ["run"],
        ["walk"],
        ["list", "people"],
        ["report", "nowhere"],
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_refused(
    capsys: pytest.CaptureFixture[str],
    tiny_file: Path,
    tmp_path: Path,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    code, result, errors = call(capsys, *[str(tiny_file) if a == "TINY" else a for a in arguments])
    assert (code, result) == (2, "")
    assert errors
    assert "Traceback" not in errors
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("one_figure")
def test_a_run_cut_off_on_disk_is_told(
    capsys: pytest.CaptureFixture[str], tiny_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    call(capsys, "run", tiny_file, "--seed", "1", "--out", out, "--quiet", "--workers", "1")
    messages = out / "1/truth/messages.parquet"
    messages.write_bytes(messages.read_bytes()[:50])
    code, told, errors = call(capsys, "report", out)
    assert (code, told) == (2, "")
    assert "messages.parquet" in errors


def test_check_says_that_a_scenario_is_right(capsys: pytest.CaptureFixture[str], tiny_file: Path) -> None:
    code, told, errors = call(capsys, "check", tiny_file)
    assert (code, errors) == (0, "")
    assert told.startswith("tiny: right. 4 clients, 2 seeds, one opened, 3 vantages")


def test_plan_names_world_observers_assumptions_and_cost(
    capsys: pytest.CaptureFixture[str], tiny_file: Path
) -> None:
    code, told, errors = call(capsys, "plan", tiny_file, "--workers", "1")
    assert (code, errors) == (0, "")
    for part in ("12 swarms", "2 desktop, 2 ios", "isp (provider)", "Assumptions", "Forecast", "MB"):
        assert part in told
    _, told, _ = call(capsys, "plan", tiny_file, "--workers", "1", "--json")
    plan = json.loads(told)
    assert plan["observers"]["isp"] == {"tapped": 2, "operated": 0}
    assert plan["forecast"]["rows"] > 0
    assert all(line["source"].startswith("Assumption") for line in plan["assumptions"])


@pytest.mark.parametrize("kind", ["patterns", "vantages", "metrics", "platforms", "suites", "dates"])
def test_list_names_what_there_is(capsys: pytest.CaptureFixture[str], kind: str) -> None:
    code, told, errors = call(capsys, "list", kind)
    assert (code, errors) == (0, "")
    assert told.strip()
    _, as_json, _ = call(capsys, "list", kind, "--json")
    names = [one["id"] if isinstance(one, dict) else one for one in json.loads(as_json)]
    assert [line.split()[0] for line in told.strip().splitlines()] == names


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, told, _ = call(capsys, "schema")
    assert code == 0
    assert json.loads(told)["properties"]["workload"]


def test_bench_writes_its_figures(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sessionsim.selfcheck import bench

    monkeypatch.setattr(bench, "run_bench", lambda: {"sodium": {"ratio": 1.2}})
    code, told, _ = call(capsys, "bench", "--json", tmp_path / "b.json")
    assert code == 0
    assert json.loads(told) == json.loads((tmp_path / "b.json").read_text()) == {"sodium": {"ratio": 1.2}}
    assert call(capsys, "bench", "--json", tmp_path / "no/b.json")[0] == 2


def test_the_package_is_a_command_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["sessionsim", "--version"])
    with pytest.raises(SystemExit) as end:
        runpy.run_module("sessionsim", run_name="__main__")
    assert (end.value.code, capsys.readouterr().out) == (0, "sessionsim 0.1.0\n")


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "--version")[:2] == (0, "sessionsim 0.1.0\n")
    code, told, _ = call(capsys, "--help")
    assert code == 0
    for verb in ("run", "plan", "check", "report", "list", "schema", "bench"):
        assert verb in told


@pytest.mark.slow
def test_an_interrupted_run_ends_with_130_and_goes_on_later(tiny_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-c",
        START,
        "run",
        tiny_file,
        "--out",
        out,
    ]
    command += ["--workers", "2", "--seeds", "10..70", "--quiet"]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    )
    deadline = time.monotonic() + 60
    while (
        not list(out.glob("[0-9]*/manifest.json")) and running.poll() is None and time.monotonic() < deadline
    ):
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGINT)
    told, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert told == ""
    assert "goes on from there" in errors
    assert "Traceback" not in errors
    whole = sorted(path.parent.name for path in out.glob("[0-9]*/manifest.json"))
    assert 0 < len(whole) < 62
    assert not list(out.glob(".*partial*"))
    assert not (out / "readings.json").exists()


def test_ctrl_c_at_any_moment_ends_with_130_and_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sessionsim.cli._app.run", interrupted)
    assert call(capsys, "list", "dates") == (130, "", "Interrupted.\n")


@pytest.mark.slow
def test_a_killed_run_takes_its_workers_along_and_goes_on_later(tiny_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-c",
        START,
        "run",
        tiny_file,
        "--out",
        out,
    ]
    command += ["--quiet", "--seeds"]
    running = subprocess.Popen([*command, "10..70", "--workers", "2"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(out.glob(".*partial*")) and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    running.kill()
    running.wait()
    while any(_is_running(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(workers) >= 2
    assert not any(_is_running(pid) for pid in workers)
    assert not (out / "readings.json").exists()
    alone = [*command, "10..11", "--workers", "1"]
    subprocess.run(alone, check=True, stdout=subprocess.DEVNULL)
    assert not list(out.glob(".1[01].partial*"))
    assert json.loads((out / "readings.json").read_text())["seeds"] == [9, 10, 11]


def _is_running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("path", sorted((ROOT / "scenarios").glob("*.toml")), ids=lambda path: path.stem)
def test_a_shipped_scenario_is_right_and_says_which_question_it_answers(
    capsys: pytest.CaptureFixture[str], path: Path
) -> None:
    text = path.read_text()
    assert text.startswith("# ")
    assert "?" in text[: text.index("\n\n")]
    assert tomllib.loads(text)["question"].endswith("?")
    assert call(capsys, "check", path)[0] == 0


def test_knows_shows_a_matrix_for_observers_the_run_never_had(
    capsys: pytest.CaptureFixture[str], tiny_run: Path
) -> None:
    code, told, errors = call(capsys, "knows", tiny_run, "--as", "guard, swarm")
    assert (code, errors) == (0, "")
    assert "S6  Which address an account uses" in told
    assert "guard + swarm" in told
    assert "Known together and by none alone" in told
    code, told, _ = call(capsys, "knows", tiny_run, "--as", "guard", "--json")
    result = json.loads(told)
    assert (code, result["seeds"], result["observers"], result["surplus"]) == (0, [9], ["guard"], [])
    code, _, errors = call(capsys, "knows", tiny_run, "--as", "nobody")
    assert code == 2
    assert "nobody" in errors


def _numbers_of_rows(capsys: pytest.CaptureFixture[str], run: Path) -> Iterator[str]:
    """Give the numbers of facts that rest on a row that was seen, not on a public registry."""
    _, told, _ = call(capsys, "explain", run, "account:", "--json")
    return (str(fact["number"]) for fact in json.loads(told)["facts"])


def test_explain_tells_a_fact_step_by_step_or_lists_those_that_fit(
    capsys: pytest.CaptureFixture[str], tiny_run: Path
) -> None:
    code, told, errors = call(capsys, "explain", tiny_run, "1")
    assert (code, errors) == (0, "")
    assert told.startswith("Fact 1 of seed 9: ")
    code, told, errors = call(capsys, "explain", tiny_run, next(_numbers_of_rows(capsys, tiny_run)))
    assert (code, errors) == (0, "")
    assert "\n1. Row " in told
    code, told, _ = call(capsys, "explain", tiny_run, "account:")
    assert code == 0
    assert "give the number of one" in told
    code, told, _ = call(capsys, "explain", tiny_run, "1", "--json")
    assert (code, json.loads(told)["facts"][0]["number"]) == (0, 1)
    code, _, errors = call(capsys, "explain", tiny_run, "nothing like it")
    assert code == 2
    assert "facts" in errors


def test_coalitions_lists_the_smallest_sets_by_secret(
    capsys: pytest.CaptureFixture[str], tiny_run: Path
) -> None:
    code, told, _ = call(capsys, "coalitions", tiny_run, "--as", "guard,swarm", "--largest", "2")
    assert code == 0
    assert "S6\n  guard + swarm: " in told
    code, told, _ = call(capsys, "coalitions", tiny_run, "--as", "guard,swarm", "--json")
    assert code == 0
    assert {"S6", "S7"} <= {one["secret"] for one in json.loads(told)["coalitions"]}
    code, told, _ = call(capsys, "coalitions", tiny_run, "--as", "middle")
    assert (code, "learns any secret" in told) == (0, True)


@pytest.mark.usefixtures("one_figure")
def test_a_sweep_runs_every_value_and_ends_with_a_line_for_each(
    capsys: pytest.CaptureFixture[str], tiny_file: Path, tmp_path: Path
) -> None:
    text = tiny_file.read_text().replace(
        "[run.open]", "[sweep]\nkeys = ['run.drain']\nvalues = ['5 s', '6 s']\n\n[run.open]"
    )
    path, out = tmp_path / "swept.toml", tmp_path / "out"
    path.write_text(text)
    code, told, _ = call(capsys, "check", path)
    assert code == 0
    assert "a sweep of 2 values" in told
    code, told, _ = call(capsys, "plan", path, "--seed", "1", "--workers", "1")
    assert (code, "  run.drain at 5 s, 6 s" in told.splitlines()) == (0, True)
    code, told, errors = call(capsys, "run", path, "--seed", "1", "--out", out, "--workers", "1", "--quiet")
    assert (code, errors) == (0, "")
    lines = told.strip().splitlines()
    assert [line.partition(":")[0] for line in lines] == ["5 s", "6 s", "Report"]
    assert (out / "01-5-s/report.html").is_file()
    page = (out / "report.html").read_bytes()
    code, told, _ = call(capsys, "report", out)
    assert (code, told) == (0, f"Report: {out / 'report.html'}\n")
    assert (out / "report.html").read_bytes() == page
    code, told, _ = call(
        capsys, "run", path, "--seed", "1", "--out", out, "--workers", "1", "--quiet", "--json"
    )
    result = json.loads(told)
    assert result["keys"] == ["run.drain"]
    assert [(one["value"], one["reused"]) for one in result["points"]] == [("5 s", 2), ("6 s", 2)]
