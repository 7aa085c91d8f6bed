"""The page in a real browser, where one is installed: the script runs under the policy and does its work."""

from __future__ import annotations

import html
import json
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


ACTS = """
const said = () => document.querySelector("#lens-1 .said").textContent;
const lens = document.getElementById("lens-1"), got = [];
const svg = () => lens.querySelector("svg.line");
const key = (name) => svg().dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
const marks = () => lens.querySelectorAll("[data-record]").length;
key("ArrowRight"); got.push(said());
key("ArrowRight"); got.push(said());
key("+"); key("+"); got.push(marks());
key("Escape"); got.push(marks());
lens.querySelector('[type="checkbox"]').click(); got.push(marks());
[...document.querySelectorAll("#lens-choice button")][2].click();
got.push([1, 2, 3].map((k) => document.getElementById(`lens-${k}`).hidden));
svg().querySelector("[data-record]").dispatchEvent(new PointerEvent("pointerenter")); got.push(said());
document.title = JSON.stringify(got);
"""


PLAYS = """
const lens = document.getElementById("lens-1"), got = [];
const later = () => lens.querySelectorAll(".mark.later").length;
const [player, pace] = [lens.querySelector(".tools button"), lens.querySelector(".tools select")];
let frame = null;
window.requestAnimationFrame = (act) => { frame = act; return 1; };
const tick = (seconds) => frame(performance.now() + 1000 * seconds);
got.push(player.textContent, later());
pace.value = 5;
player.click(); got.push(player.textContent, later());
const line = () => lens.querySelector(".cursor").getAttribute("d");
tick(2.5); got.push(later(), lens.querySelector(".said").textContent, line() !== "");
player.click(); got.push(player.textContent, later());
player.click(); tick(60);
got.push(player.textContent, later(), line());
document.title = JSON.stringify(got);
"""


def test_a_time_line_is_replayed_paused_and_ends_whole(path: Path) -> None:
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", path.read_text(encoding="utf-8"))
    copy = path.with_name("played.html")
    copy.write_text(text.replace("</body>", f"<script>{PLAYS}</script></body>"), encoding="utf-8")
    title = re.search(r"<title>(\[.*?)</title>", shown(copy))
    assert title is not None
    word, none, playing, most, some, said, line, paused, kept, done, left, gone = json.loads(
        html.unescape(title[1])
    )
    assert (word, playing, paused, done) == ("play", "pause", "play", "play")
    assert (none, left, gone) == (0, 0, "")
    assert most > some == kept > 0
    assert line
    assert re.match(r"Replay at \d+\.\d+ s: [12] of 3 marks passed, \d of \d facts known\. Last, \d", said)


def test_without_the_script_every_record_and_fact_is_listed(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    lens = page[page.index('id="lens-1"') : page.index('id="lens-2"')]
    assert "<caption>Records as" in lens
    assert lens.count('<th scope="row">') == 3
    assert ">play<" not in lens


def test_keys_zoom_filter_and_switch_do_what_they_say(path: Path) -> None:
    """Drives a copy of the page whose policy is taken off, since the policy lets no second script in."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", path.read_text(encoding="utf-8"))
    copy = path.with_name("driven.html")
    copy.write_text(text.replace("</body>", f"<script>{ACTS}</script></body>"), encoding="utf-8")
    title = re.search(r"<title>(\[.*?)</title>", shown(copy))
    assert title is not None
    first, second, near, all_again, fewer, hidden, pointed = json.loads(html.unescape(title[1]))
    assert first == "1.000 s: 244.0.0.1 to node 7, 900 B, HTTPS request; seen from outside; facts 30, 31"
    assert second.startswith("5.500 s: 244.0.0.1 to node 7, 901 B, HTTPS answer; 1 layer opened: store")
    assert (near, all_again, fewer) == (1, 3, 2)
    assert hidden == [True, False, True]
    assert pointed.startswith("5.500 s")  # the first is filtered away
