"""The page in a real browser, where one is installed: the script runs under the policy and does its work."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sessionsim.report import ReportData
from sessionsim.report._page import page as page_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


def shown(path: Path, fragment: str = "") -> str:
    """Give the page's elements after its script has run."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={path.parent / 'profile'}", "--dump-dom",
        f"file://{path}{fragment}",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture(scope="module")
def path(sighted: ReportData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("page") / "report.html"
    place.write_text(page_of(sighted, ()), encoding="utf-8")
    return place


def test_the_script_runs_to_its_end_and_offers_a_switch_of_observers(path: Path) -> None:
    page = shown(path)
    assert 'data-ready="1"' in page
    choice = re.search(r'<div id="lens-choice".*?</div>', page, re.DOTALL)
    assert choice is not None
    assert re.findall(r">([^<]+)</button>", choice[0]) == ["all", "isp", "snodes", "all"]
    assert "hidden" not in choice[0].split(">")[0]


def test_an_open_lens_gets_one_mark_per_record_and_loses_the_still_drawings(path: Path) -> None:
    page = shown(path)
    lens = page[page.index('id="lens-1"') : page.index('id="lens-2"')]
    assert len(re.findall(r'data-record="\d+"', lens)) == 3
    assert 'class="wide"' not in lens
    assert "3 of 3 marks in view" in lens


def test_a_link_to_a_fact_opens_all_that_is_around_it(path: Path) -> None:
    page = shown(path, "#fact-61")
    for name in ("lens-2", "fact-61"):
        tag = re.search(rf'<details[^>]*id="{name}"[^>]*>', page)
        assert tag is not None
        assert "open" in tag[0], name
    other = re.search(r'<details[^>]*id="fact-60"[^>]*>', page)
    assert other is not None
    assert "open" not in other[0]
