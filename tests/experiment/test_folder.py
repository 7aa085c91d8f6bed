"""What a run does about a folder in which something lies already."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.experiment import check_folder, forget, run_scenario
from sessionsim.experiment.folder import alone
from sessionsim.scenario import Scenario


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("1", "a file"),
        ("1/thesis.txt", "mine"),
        ("manifest.json", '{"mine": 1}'),
        ("readings.json", "[]"),
        ("report.html", "<!doctype html><p>mine"),
        ("figures", "a file"),
    ],
)
def test_files_of_others_are_neither_replaced_nor_forgotten(
    tiny: Scenario, tmp_path: Path, name: str, content: str
) -> None:
    out = tmp_path / "out"
    path = out / name
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(InvalidInput) as wrong:
        run_scenario(tiny, out, 1)
    assert wrong.value.found == str(out / Path(name).parts[0])
    forget(out)
    assert path.read_text() == content
    assert [p for p in out.rglob("*") if p.is_file()] == [path]


def test_what_a_run_left_may_be_replaced_even_if_cut_off(tiny: Scenario, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_scenario(tiny.with_seeds((1,)), out, 1)
    for name in ("manifest.json", "1/manifest.json", "readings.json"):
        (out / name).write_bytes((out / name).read_bytes()[:100])
    check_folder(out, (1, 9))
    forget(out)
    assert sorted(path.name for path in out.iterdir()) == []


@pytest.mark.parametrize("name", ["file", "file/below", "dangling", "loop", "a" * 300])
def test_what_cannot_be_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InvalidInput, match=r"--out: .* allowed: a folder"):
        check_folder(tmp_path / name, (1,))


def test_a_symlink_to_a_folder_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    check_folder(tmp_path / "link", (1,))


def test_two_runs_at_once_do_not_share_a_folder(tiny: Scenario, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with alone(out):
        (out / ".1.partial-77").mkdir()
        for use in (lambda: run_scenario(tiny, out, 1), lambda: forget(out)):
            with pytest.raises(InvalidInput, match="no other run"):
                use()
        assert [path.name for path in out.iterdir()] == [".1.partial-77"]
    forget(out)
    assert list(out.iterdir()) == []
