"""What a report shows of a stored run: records, openings, facts told, sets, held against the run itself."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sessionsim.adversary import emergent
from sessionsim.adversary.looking import Looking
from sessionsim.core.ledger import Fact, Relation
from sessionsim.core.sights import Opening, Sights, told
from sessionsim.experiment import explain_fact, minimal_coalitions, sights_of
from sessionsim.experiment.archive import Archive
from sessionsim.experiment.sights import MOST_FACTS, MOST_RECORDS, PARTS, choose_facts, rows_in


@pytest.fixture(scope="module")
def archive(tiny_run: Path) -> Archive:
    return Archive(tiny_run / "9")


@pytest.fixture(scope="module")
def sights(tiny_run: Path) -> Sights:
    found = sights_of(tiny_run)
    assert found is not None
    return found


def test_every_observer_has_a_sight_in_the_order_of_the_scenario(sights: Sights, archive: Archive) -> None:
    assert [one.observer for one in sights.sights] == list(archive.declared)
    assert (sights.seed, sights.left_out) == (9, ())


def test_records_are_the_observers_own_and_every_one_is_counted(sights: Sights, archive: Archive) -> None:
    for sight in sights.sights:
        view = archive.see(sight.observer, archive.declared[sight.observer])
        times = dict(zip(view.rows["row"].tolist(), view.rows["t_us"].tolist(), strict=True))
        assert sight.rows == len(times)
        assert len(sight.records) == min(MOST_RECORDS, sight.rows)
        assert all(record.t_us == times[record.row] for record in sight.records)
        assert [r.t_us for r in sight.records] == sorted(r.t_us for r in sight.records)
        assert sum(map(sum, sight.lanes.values())) == sum(sight.openings) == sight.rows
        assert all(len(numbers) == PARTS for numbers in sight.lanes.values())


def test_openings_counted_by_columns_are_those_described_one_by_one(archive: Archive) -> None:
    for name in (*archive.declared, "guard", "swarm-member"):
        closure = archive.closure(name, archive.position(name)[0])
        looking = Looking(closure)
        described = [record.opening for record in looking.records(range(len(closure.view.rows["row"])))]
        assert looking.openings().tolist() == described


def test_who_has_no_bytes_opens_nothing_and_who_runs_nodes_opens_some(sights: Sights) -> None:
    by_name = {sight.observer: sight for sight in sights.sights}
    assert by_name["isp"].openings == (by_name["isp"].rows, 0, 0, 0)
    assert {record.opened for record in by_name["isp"].records} == {"seen from outside"}
    nodes = by_name["nodes"]
    assert min(nodes.openings[1:]) > 0
    outside = [record.opened for record in nodes.records if record.opening is Opening.OUTSIDE]
    assert {opened.partition(", ")[2] for opened in outside} == {"nothing inside"}


def test_facts_are_told_as_explain_tells_them(sights: Sights, tiny_run: Path) -> None:
    facts = [fact for sight in sights.sights for fact in sight.explained]
    assert facts
    for fact in facts[:: max(1, len(facts) // 8)]:
        asked = explain_fact(tiny_run, [str(fact.number)]).explanation
        assert asked is not None
        assert told(fact) == told(asked)


def test_shown_records_hold_those_that_shown_facts_rest_on(sights: Sights) -> None:
    for sight in sights.sights:
        shown = {record.row for record in sight.records}
        assert {row for fact in sight.explained for row in fact.rows} <= shown


def test_facts_and_kinds_are_those_of_the_ledger(sights: Sights, archive: Archive) -> None:
    for sight in sights.sights:
        ledger = [fact for fact in archive.ledger() if fact.observer == sight.observer]
        assert sight.facts == len(ledger)
        assert dict(sight.kinds) == Counter(fact.relation.value for fact in ledger)
        assert len(sight.explained) == min(MOST_FACTS, len(ledger))


def test_emergent_facts_are_those_of_no_member(tiny_run: Path, archive: Archive) -> None:
    both = [one for one in sights_of(tiny_run).sights if one.members]  # type: ignore[union-attr]
    for sight in both:
        alone = [archive.facts(name, archive.declared[name]) for name in sight.members]
        surplus = emergent(alone, archive.facts("all", archive.declared[sight.observer]))
        assert sight.emergent == len(surplus)


def test_sets_are_those_that_are_found_when_asked_for(sights: Sights, tiny_run: Path) -> None:
    for found in sights.coalitions:
        assert list(found.sets) == minimal_coalitions(tiny_run, found.parties, found.largest)
        assert found.seeds == (9,)
    assert any({"guard", "swarm-member"} <= set(found.parties) for found in sights.coalitions)


def test_a_run_whose_bytes_were_not_kept_has_no_sights(tiny_run: Path) -> None:
    assert sights_of(tiny_run / "1") is None


def test_facts_of_every_kind_are_chosen_and_those_that_go_first_first() -> None:
    fact = Fact("eve", Relation.SEEN, "account:1", "", 0, ())
    ledger = [(k, fact) for k in range(1, 60)]
    rare = dataclasses.replace(fact, relation=Relation.ACTS_FOR)
    chosen = [number for number, _ in choose_facts([*ledger, (60, rare), (61, fact)], {61}, 4)]
    assert chosen == [61, 1, 60, 2]


def test_rows_are_read_off_a_derivation() -> None:
    steps = ("row 12: from addr:1 on connection 3", "rows 12 and 40 hold one answer 0a…", "field x: row")
    assert rows_in(Fact("eve", Relation.SEEN, "a", "", 0, steps)) == (12, 40)


def test_counts_by_part_add_up_at_both_ends(sights: Sights) -> None:
    sight = max(sights.sights, key=lambda one: one.rows)
    total = np.sum([numbers for numbers in sight.lanes.values()], axis=0)
    assert total[0] > 0
    assert total[-1] > 0
