"""The page as a browser gets it: whole, closed to the outside, deaf to hostile text, readable by machine."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest

from sessionsim.core.readings import Reading
from sessionsim.report import ReportData, render
from sessionsim.report._data import Readings
from sessionsim.report._figures import figures
from sessionsim.report._page import _where

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """Collects tags, texts by tag, and checks that elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, text: str) -> None:
        if self.open and text.strip():
            self.texts.append((self.open[-1], text))

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def said(self) -> str:
        return " ".join(text for tag, text in self.texts if tag != "style").replace("\u00a0", " ")


@pytest.fixture(scope="module")
def text(data: ReportData) -> str:
    return render(data)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_the_policy_lets_nothing_in(page: Page) -> None:
    policy = next(
        meta["content"] for meta in page.of("meta") if meta.get("http-equiv") == "Content-Security-Policy"
    )
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["default-src"] == "'none'"
    assert parts["style-src"] == "'unsafe-inline'"
    assert parts["img-src"] == "data:"
    assert "script-src" not in parts


def test_nothing_is_loaded_and_nothing_runs(text: str, page: Page) -> None:
    assert not {"script", "link", "iframe", "object", "embed", "img", "form", "base"} & {
        tag for tag, _ in page.tags
    }
    for tag, attributes in page.tags:
        for key, value in attributes.items():
            assert not key.startswith("on"), (tag, key)
            assert key not in ("src", "srcset", "action", "formaction"), (tag, key)
            if key.endswith("href"):
                assert value.startswith("#"), (tag, value)
            assert "url(" not in value or re.search(r"url\(#", value), (tag, value)
    assert "@import" not in text
    assert not re.search(r"https?://", text)


def test_links_inside_the_page_lead_somewhere_and_ids_are_unique(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {a[key][1:] for _, a in page.tags for key in a if key.endswith("href")}
    targets |= {
        name for _, a in page.tags for value in a.values() for name in re.findall(r"url\(#([^)]+)\)", value)
    }
    assert targets <= set(ids)


def test_headings_follow_each_other_without_a_gap(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_table_has_a_caption_and_scoped_headers_in_a_labelled_region(page: Page) -> None:
    tables = len(page.of("table"))
    assert tables >= 5
    assert len(page.of("caption")) == tables
    assert all(attributes.get("scope") in ("row", "col") for attributes in page.of("th"))
    regions = [a for a in page.of("div") if "region" in a.get("class", "").split()]
    assert len(regions) == tables
    assert all(a["role"] == "region" and a["aria-label"] and a["tabindex"] == "0" for a in regions)


def test_every_figure_tells_what_it_shows_and_has_its_table(page: Page) -> None:
    drawings = [a for a in page.of("svg") if a.get("role") == "img"]
    assert len(drawings) == 6  # three figures, each wide and narrow
    ids = {a["id"]: tag for tag, a in page.tags if "id" in a}
    for drawing in drawings:
        title, description = drawing["aria-labelledby"].split()
        assert (ids[title], ids[description]) == ("title", "desc")
    assert len(page.of("figcaption")) == 3
    assert sum("The numbers of this figure" in text for _, text in page.texts) == 3


def test_text_in_figures_is_text_and_colours_are_variables(data: ReportData) -> None:
    for drawn in figures(data, Readings(data.readings)):
        assert "<text" in drawn.wide
        assert "var(--s1" in drawn.wide
        assert "system-ui" in drawn.wide
        for placeholder in ("#010101", "#020202", "#030303", "#010203", "#020304", "#030405", "#fdfdfd"):
            assert placeholder not in drawn.wide


def test_figure_files_stand_alone_and_are_the_same_each_time(data: ReportData) -> None:
    first, second = (figures(data, Readings(data.readings)) for _ in range(2))
    assert [drawn.name for drawn in first] == ["latency", "bytes", "coverage"]
    for one, other in zip(first, second, strict=True):
        assert one == other
        root = ElementTree.fromstring(one.alone)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "prefers-color-scheme:dark" in one.alone
        assert not re.search(r"\b20\d\d-\d\d-\d\d", one.alone)


def test_the_page_is_the_same_each_time(data: ReportData, text: str) -> None:
    assert render(data) == text


def test_budgets_of_size_and_elements(text: str, page: Page) -> None:
    assert len(text.encode()) < 1_000_000
    assert len(page.tags) < 5_000


def test_order_of_the_page(page: Page) -> None:
    anchors = [a["id"] for a in page.of("section")]
    assert anchors == ["knows", "price", "figures", "assumptions", "again", "credits"]
    said = page.said()
    assert (
        said.index("simulated")
        < said.index("Who learns what?")
        < said.index("Half of the delivered messages")
    )
    assert said.index("Assumptions") < said.index("Settings with a source")


def test_the_matrix_shows_disc_word_share_and_interval(page: Page) -> None:
    discs = [a["class"].split()[1] for a in page.of("svg") if a.get("class", "").startswith("disc")]
    assert (discs.count("empty"), discs.count("half"), discs.count("full")) == (13, 12, 1)
    said = page.said()
    assert "not seen here 0 of 20 accounts (0 %) interval 0 to 16 %" in said
    assert "knows some 3 of 20 accounts (15 %) interval 8 to 31 %" in said
    assert "knows 20 of 20 messages (100 %)" in said
    assert "100 of 1,000 nodes (10 %)" in said


def test_derivations_assumptions_scenario_and_licences_are_there(page: Page) -> None:
    said = page.said()
    for text in (
        "addr:244.0.0.1 – acts for – account:05ab", "key of node 7", "run.drain", "several polls",
        "transport 3.4", 'seeds = "1..3"', "sessionsim report results/sample", "CC BY 4.0", "0123456789ab",
        "Seeds 1 to 2 (fast), 3 (sodium). Bytes were kept and opened for 3.",
    ):  # fmt: skip
        assert text in said, text


def test_no_date_and_no_duration_reaches_the_page(data: ReportData, text: str) -> None:
    other = {**data.manifest, "written": "2027-07-07T07:07:07+00:00", "simulate_s": 1.25, "rows": 7}
    assert render(dataclasses.replace(data, manifest=other)) == text


def test_missing_numbers_say_how_many_would_do(page: Page) -> None:
    assert "not enough data: 98 messages, 1,000 would do" in page.said()


HOSTILE = "</title></style><script>alert(1)</script><img src=x onerror=alert(2)>\"'{{ 7*7 }}"


def test_hostile_text_is_shown_and_does_nothing(
    data: ReportData, manifest: dict[str, Any], page: Page
) -> None:
    for key in ("title", "question", "resolved_toml", "version", "commit"):
        manifest[key] = HOSTILE
    manifest["settings"] = [dict.fromkeys(("section", "key", "value", "unit", "doc", "source"), HOSTILE)]
    manifest["observers"] = [{"name": "isp", "kind": HOSTILE}]
    facts = tuple(
        dataclasses.replace(fact, subject=HOSTILE, derivation=(HOSTILE,), observer=HOSTILE)
        for fact in data.facts
    )
    hostile = ReportData(HOSTILE, data.readings, manifest, data.seeds, facts, {HOSTILE: HOSTILE})
    plain_tags, page = {tag for tag, _ in page.tags}, Page(render(hostile))
    assert {tag for tag, _ in page.tags} == plain_tags
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)
    assert "alert(1)" in page.said()
    assert "49" not in [text.strip() for _, text in page.texts]
    assert "{{ 7*7 }}" in page.said()


def test_a_hostile_observer_name_in_a_figure_stays_text(data: ReportData) -> None:
    renamed = tuple(
        dataclasses.replace(one, name=one.name.replace("snodes", "<script>$x^2$</script>"))
        for one in data.readings
    )
    page = Page(render(dataclasses.replace(data, readings=renamed)))
    assert not page.of("script")
    assert "<script>$x^2$</script>" in page.said()


def test_a_ledger_that_truth_contradicts_is_shouted(data: ReportData, page: Page) -> None:
    wrong = tuple(
        dataclasses.replace(one, value=2.0, low=2.0, high=2.0) if "contradicted" in one.name else one
        for one in data.readings
    )
    said = Page(render(dataclasses.replace(data, readings=wrong))).said()
    assert "The ledger of this run is wrong." in said
    assert "snodes: contradicted facts: 2" in said
    assert "The ledger of this run is wrong." not in page.said()


def test_a_run_without_kept_bytes_or_watched_links_still_makes_a_page(data: ReportData) -> None:
    kept: list[Reading] = [one for one in data.readings if one.metric in ("latency", "delivery")]
    bare = ReportData("bare", tuple(kept), {"version": "0.1.0"}, data.seeds[:1])
    page = Page(render(bare))
    assert "nothing could be opened and no ledger exists" in page.said()
    assert len([a for a in page.of("svg") if a.get("role") == "img"]) == 2  # latency only


def test_a_run_without_any_message_still_makes_a_page(data: ReportData) -> None:
    empty = data.seeds[0].intent_us[:0]
    seeds = (dataclasses.replace(data.seeds[0], intent_us=empty, stored_us=empty, delivered_us=empty),)
    page = Page(render(ReportData("empty", (), {"version": "0.1.0"}, seeds)))
    assert "There are too few data for a figure." in page.said()


@pytest.mark.parametrize(
    ("run", "options"),
    [
        ({"seeds": "1..3"}, ""),
        ({"seeds": "1..8"}, " --seeds 1..3"),
        ({"seeds": "1..8", "open": {"seed": 2}}, " --seeds 1,3"),
        ({"seeds": "1..2", "open": {"seed": 3}}, ""),
    ],
)
def test_commands_run_the_seeds_that_the_report_is_of(
    data: ReportData, run: dict[str, object], options: str
) -> None:
    manifest = {**data.manifest, "resolved": {"run": run}}
    page = render(dataclasses.replace(data, manifest=manifest))
    assert f">sessionsim run sample.toml{options}\nsessionsim report results/sample</pre>" in page
    assert "Save the exact scenario below as <code>sample.toml</code>" in page


def test_a_wide_interval_stays_inside_its_figure(data: ReportData) -> None:
    wide = [
        dataclasses.replace(r, high=r.value and 3 * r.value) if "total" in r.name else r
        for r in data.readings
    ]
    # A warning of matplotlib that it cannot lay out the figure is an error here.
    assert "one watched node" in render(dataclasses.replace(data, readings=tuple(wide)))


def test_a_single_bar_has_room_for_its_axis(data: ReportData) -> None:
    kept = [r for r in data.readings if r.metric != "traffic" or r.name.startswith("node links")]
    assert len(kept) < len(data.readings)
    # A warning of matplotlib that it cannot lay out the figure is an error here.
    assert "one watched node" in render(dataclasses.replace(data, readings=tuple(kept)))


def test_drawings_keep_the_names_that_are_referred_to_and_no_long_digits(text: str) -> None:
    for drawing in re.findall(r"<svg viewBox.*?</svg>", text, re.DOTALL):
        ids = set(re.findall(r' id="([^"]+)"', drawing))
        used = set(re.findall(r"url\(#([^)]+)\)", drawing)) | set(re.findall(r'href="#([^"]+)"', drawing))
        assert used <= ids
        assert not re.search(r' d="[^"]*\.\d{3}', drawing)


@pytest.mark.parametrize(
    ("kind", "place"),
    [("guard", "nodes in this role"), ("swarm-member", "nodes in this role"), ("provider", "no nodes")],
)
def test_an_observer_is_said_to_stand_where_it_stands(data: ReportData, kind: str, place: str) -> None:
    manifest = {**data.manifest, "observers": [{"name": "one", "kind": kind}]}
    assert _where("one", manifest, Readings([])) == f"{kind}, {place}"
