"""Lenses on the page: whole without a script, closed with it; links lead somewhere, text stays text."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from itertools import pairwise

import pytest

from sessionsim.core.sights import Sights, told
from sessionsim.report import ReportData
from sessionsim.report._page import page as page_of

from .test_page import HOSTILE, Page


@pytest.fixture(scope="module")
def text(sighted: ReportData) -> str:
    return page_of(sighted, ())


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def scripts(text: str) -> list[tuple[str, str]]:
    return re.findall(r"<script([^>]*)>(.*?)</script>", text, re.DOTALL)


def test_the_policy_allows_the_one_script_of_the_page_by_its_hash(text: str, page: Page) -> None:
    policy = next(m["content"] for m in page.of("meta") if m.get("http-equiv") == "Content-Security-Policy")
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    (attributes, source) = next(one for one in scripts(text) if "json" not in one[0])
    assert attributes == ""
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    assert parts["script-src"] == f"'sha256-{digest}'"
    assert parts["default-src"] == "'none'"
    assert len(scripts(text)) == 2


def test_the_script_asks_nobody_and_makes_no_code_or_markup_of_text(text: str) -> None:
    source = next(source for attributes, source in scripts(text) if not attributes)
    words = (
        "fetch", "XMLHttp", "import", "eval", "Function(", "innerHTML", "insertAdjacent", "document.write",
        "localStorage", "WebSocket", "sendBeacon", "cookie",
    )  # fmt: skip
    assert [word for word in words if word in source] == []
    assert set(re.findall(r"https?://[^\"']+", source)) == {"http://www.w3.org/2000/svg"}  # a name, no place


def test_all_is_readable_without_the_script(page: Page, sights: Sights) -> None:
    said = page.said()
    for sight in sights.sights:
        for fact in sight.explained:
            for line in told(fact):
                assert re.sub(r"^\d+\. ", "", line.strip()) in said, line
    assert "Known together: 1 fact that none of its members has alone." in said
    assert "The smallest sets that learn a secret" in said
    assert "3 of 20 accounts (15 %)" in said
    assert "No set of these parties learns any secret in this run." in said
    drawings = [a for a in page.of("svg") if a.get("class") == "line"]
    assert len(drawings) == 2 * len(sights.sights)
    assert all(a["role"] == "img" for a in drawings)


def test_links_lead_to_lenses_and_facts_and_no_id_is_twice(page: Page) -> None:
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {a["href"][1:] for a in page.of("a") if a.get("href", "").startswith("#")}
    assert targets <= set(ids)
    assert {"lens-1", "lens-2", "fact-30", "fact-31"} <= targets


def test_a_fact_names_the_command_that_prints_the_same(page: Page) -> None:
    assert "sessionsim explain RUN 30" in page.said()


def test_records_tables_have_captions_and_scoped_heads(page: Page) -> None:
    assert all(a.get("scope") in ("col", "row") for a in page.of("th"))
    assert len(page.of("caption")) == len(page.of("table"))


def test_the_data_block_is_the_sights_and_cannot_end_early(sighted: ReportData, sights: Sights) -> None:
    evil = "</script><script>alert(1)</script><!--"
    record = sights.sights[0].records[0]._replace(source=evil)
    sight = dataclasses.replace(sights.sights[0], observer=evil, records=(record,))
    text = page_of(dataclasses.replace(sighted, sights=dataclasses.replace(sights, sights=(sight,))), ())
    (block,) = (source for attributes, source in scripts(text) if "json" in attributes)
    assert "<" not in block
    data = json.loads(block)
    assert data["lenses"][0]["observer"] == evil
    assert evil in data["texts"]
    assert len(scripts(text)) == 2
    assert "alert(1)" in Page(text).said()


def test_hostile_words_in_facts_and_records_stay_words(
    sighted: ReportData, sights: Sights, page: Page
) -> None:
    bad = [
        dataclasses.replace(
            sight,
            observer=HOSTILE,
            members=(HOSTILE,),
            explained=tuple(
                f._replace(
                    says=HOSTILE,
                    observer=HOSTILE,
                    steps=(f.steps[0]._replace(text=HOSTILE, told=(HOSTILE,)),),
                )
                for f in sight.explained
            ),
            records=tuple(r._replace(source=HOSTILE, opened=HOSTILE) for r in sight.records),
        )
        for sight in sights.sights
    ]
    sets = dataclasses.replace(
        sights.coalitions[0],
        parties=(HOSTILE,),
        sets=(dataclasses.replace(sights.coalitions[0].sets[0], members=(HOSTILE,), secret=HOSTILE),),
    )
    changed = dataclasses.replace(sights, sights=tuple(bad), left_out=(HOSTILE,), coalitions=(sets,))
    hostile = Page(page_of(dataclasses.replace(sighted, sights=changed), ()))
    assert {tag for tag, _ in hostile.tags} == {tag for tag, _ in page.tags}
    assert not any(key.startswith("on") for _, attributes in hostile.tags for key in attributes)
    assert "49" not in [text.strip() for _, text in hostile.texts]


def test_headings_follow_each_other_without_a_gap_with_lenses_too(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert 4 in levels


def test_every_region_and_control_has_a_name(page: Page) -> None:
    assert all(
        a.get("aria-label") or a.get("aria-labelledby") for _, a in page.tags if a.get("role") == "region"
    )
    drawn = [a for a in page.of("svg") if a.get("aria-hidden") != "true"]
    ids = {a["id"] for _, a in page.tags if "id" in a}
    assert all(set(a["aria-labelledby"].split()) <= ids for a in drawn)
