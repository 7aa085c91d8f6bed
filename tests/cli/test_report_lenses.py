"""A report from the command line holds, word by word, what `explain` prints of the facts it shows."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.test_cli import call


def test_facts_in_a_report_are_told_as_explain_prints_them(
    capsys: pytest.CaptureFixture[str], tiny_run: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    assert call(capsys, "report", run)[0] == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    facts = re.findall(r'<details class="fact" id="fact-(\d+)">(.*?)</details>', page, re.DOTALL)
    assert len(facts) > 10
    for number, block in facts[:: len(facts) // 4]:
        text = html.unescape(re.sub(r"<[^>]+>", "\n", block)).replace("\u00a0", " ")
        code, told, _ = call(capsys, "explain", run, number)
        assert code == 0
        for line in told.splitlines():
            assert re.sub(r"^\d+\. ", "", line.removeprefix("   ")) in text, (number, line)
