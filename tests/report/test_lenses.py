"""Lenses in words and rows, from sights written by hand."""

from __future__ import annotations

import dataclasses

from sessionsim.core.sights import Sights
from sessionsim.report._lenses import MOST_ROWS, lens_ids, lenses, note, script_data


def test_each_observer_has_a_lens_with_counts_of_what_it_saw(sights: Sights) -> None:
    found = lenses(sights)
    assert [(one.id, one.title, one.summary) for one in found] == [
        ("lens-1", "isp", "40 records, 12 facts"),
        ("lens-2", "snodes", "40 records, 12 facts"),
        ("lens-3", "all (isp + snodes)", "40 records, 12 facts"),
    ]
    assert lens_ids(sights) == {"isp": "lens-1", "snodes": "lens-2", "all": "lens-3"}
    assert found[0].opened == (
        "Of its records: 30 only that it passed, 5 bytes held, nothing opened, 3 a layer opened, another"
        " inside, 2 request or answer read."
    )
    assert found[0].kinds == "online: 10, sent: 2"


def test_what_is_not_shown_is_counted(sights: Sights) -> None:
    lens = lenses(sights)[0]
    assert lens.shown.startswith("3 of 40 records are marked: those that the facts below rest on")
    assert lens.table_note.startswith("3 of 40 records: first those")
    assert lens.rest.startswith("10 more; sessionsim explain finds")
    whole = dataclasses.replace(sights.sights[0], rows=3, facts=2)
    lens = lenses(dataclasses.replace(sights, sights=(whole,)))[0]
    assert (lens.shown, lens.table_note, lens.rest) == ("All 3 records are marked.", "", "")
    assert "Not shown here: late" in note(sights)


def test_rows_hold_when_who_how_large_how_far_and_which_facts(sights: Sights) -> None:
    first, second, _ = lenses(sights)[0].rows
    assert first.cells == ("1.000 s", "244.0.0.1", "node 7", "HTTPS, request", "900 B", "seen from outside")
    assert first.facts == (30, 31)
    assert second.cells[3] == "HTTPS, answer"
    assert second.facts == ()


def test_records_that_facts_rest_on_are_listed_before_earlier_ones(sights: Sights) -> None:
    sight = sights.sights[0]
    late = sight.records[0]._replace(row=999, t_us=99_000_000)
    records = (*(sight.records[0]._replace(row=k + 1, t_us=k) for k in range(MOST_ROWS + 5)), late)
    fact = sight.explained[0]._replace(rows=(999,))
    one = dataclasses.replace(sight, records=records, explained=(fact,))
    rows = lenses(dataclasses.replace(sights, sights=(one,)))[0].rows
    assert len(rows) == MOST_ROWS
    assert rows[-1].cells[0] == "99.000 s"
    assert rows[-1].facts == (30,)


def test_a_coalition_says_what_none_of_its_members_has(sights: Sights) -> None:
    lens = lenses(sights)[2]
    assert lens.emergent == "Known together: 1 fact that none of its members has alone."
    assert [fact.emergent for fact in lens.facts] == [True, False]
    nothing = dataclasses.replace(sights.sights[2], emergent=0)
    lens = lenses(dataclasses.replace(sights, sights=(nothing,)))[0]
    assert lens.emergent == "Together they know no fact that none has alone."
    assert lenses(sights)[0].emergent == ""


def test_the_script_gets_every_shown_record_and_fact(sights: Sights) -> None:
    data = script_data(sights)
    texts = data["texts"]
    assert len(texts) == len(set(texts))
    lens = data["lenses"][0]
    assert [record[0] for record in lens["records"]] == [r.t_us for r in sights.sights[0].records]
    us, lane, answer, size, opening, source, target, carried, opened, facts = lens["records"][0]
    assert (us, answer, size, opening, facts) == (1_000_000, 0, 900, 0, [30, 31])
    assert [texts[k] for k in (lane, source, target, carried, opened)] == [
        "client – node", "244.0.0.1", "node 7", "HTTPS", "seen from outside",
    ]  # fmt: skip
    assert lens["facts"] == [[2_000_000, 30, 0], [2_000_001, 31, 0]]
    assert lens["lanes"] == [[lane, list(sights.sights[0].lanes["client – node"])]]


def test_without_sights_there_is_no_lens() -> None:
    assert lenses(None) == []
    assert lens_ids(None) == {}
    assert script_data(None)["lenses"] == []
