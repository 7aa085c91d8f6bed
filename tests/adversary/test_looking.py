"""How far an observer gets into each record, on a hand-driven run whose path is known."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.adversary import Closure
from sessionsim.adversary.looking import Looking
from sessionsim.core.sights import Opening, Record

GUARD, MIDDLE, LAST, REPLICA = 0, 1, 2, 12


def looked(stage: Any, *nodes: int) -> list[Record]:
    closure = Closure(stage.view(nodes))
    return list(Looking(closure).records(range(len(closure.view.rows["row"]))))


@pytest.fixture
def stored(stage: Any) -> Any:
    stage.store(0, 1, (GUARD, MIDDLE, LAST, REPLICA))
    return stage


def test_a_relay_peels_its_own_layer_and_gets_no_further(stored: Any) -> None:
    for node in (GUARD, MIDDLE):
        requests = [record for record in looked(stored, node) if not record.answer]
        incoming = [record for record in requests if record.target == f"node {node}"]
        assert {record.opening for record in incoming} == {Opening.PEELED}
        assert {record.opened for record in incoming} == {"1 layer opened, another inside"}
        assert {r.opening for r in requests if r.source == f"node {node}"} == {Opening.SEALED}


def test_the_replica_reads_the_request_and_its_answer(stored: Any) -> None:
    records = [record for record in looked(stored, REPLICA) if f"node {LAST}" in record[2:4]]
    request, answer = sorted(records, key=lambda record: record.answer)
    assert (request.opening, request.opened) == (Opening.READ, "1 layer opened: store")
    assert (answer.opening, answer.opened) == (Opening.READ, "answer to: store")


def test_answers_stay_sealed_for_relays(stored: Any) -> None:
    answers = [record for record in looked(stored, GUARD, MIDDLE) if record.answer]
    assert {(record.opening, record.opened) for record in answers} == {(Opening.SEALED, "sealed answer")}


def test_all_nodes_of_a_path_open_all_its_layers(stored: Any) -> None:
    first = next(r for r in looked(stored, GUARD, MIDDLE, LAST, REPLICA) if r.target == f"node {GUARD}")
    assert first.opening is Opening.READ
    assert first.opened == "4 layers opened: store"
    assert first.lane == "client – node"


def test_what_is_counted_is_what_is_described(stored: Any) -> None:
    closure = Closure(stored.view((GUARD, REPLICA)))
    looking = Looking(closure)
    records = list(looking.records(range(len(closure.view.rows["row"]))))
    assert looking.openings().tolist() == [record.opening for record in records]
    numbers, names = looking.lanes()
    assert [names[number] for number in numbers] == [record.lane for record in records]
    assert set(names) == {"client – node", "node – node"}


@pytest.mark.parametrize(
    "nodes", [(GUARD,), (GUARD, MIDDLE), (GUARD, MIDDLE, LAST, REPLICA), (MIDDLE, REPLICA)]
)
def test_counts_agree_with_words_for_any_coalition(stored: Any, nodes: tuple[int, ...]) -> None:
    looking = Looking(Closure(stored.view(nodes)))
    records = list(looking.records(range(len(looking.openings()))))
    assert looking.openings().tolist() == [record.opening for record in records]
