"""What lies on devices, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sessionsim.adversary import deduce, observe
from sessionsim.core.ledger import Relation
from sessionsim.core.nodelist import NodeList
from sessionsim.core.records import MemoryRecords
from sessionsim.core.scene import Position, Taking
from sessionsim.core.view import HISTORY_COLUMNS, Table, View
from sessionsim.experiment.histories import histories

IDS = [f"05{k:064x}" for k in range(3)]
DEVICES = {"account": [0, 1, 2, 0], "number": [0, 0, 0, 1], "endpoint": [10, 11, 12, 13]}
# 0: from 0 to 1, copied to 0's other device; 1: from 1 to 0; 2: of 0 in a group; 3: typing; 4: never stored;
# 5: 1 deletes something of what it wrote to 0; 6: from 1 to 0, after that.
MESSAGES: dict[str, list[Any]] = {
    "kind": ["text", "text", "group-text", "typing", "text", "deletion", "text"],
    "sender": [0, 1, 0, 1, 0, 1, 1],
    "recipient": [1, 0, -1, 0, 1, 0, 0],
    "group": [-1, -1, 4, -1, -1, -1, -1],
    "room": [-1] * 7,
    "device": [0] * 7,
    "intent_us": [90, 190, 290, 390, 490, 590, 690],
    "hash": ["a", "b", "c", "d", "", "e", "f"],
    "sync_hash": ["A", "", "", "", "", "", ""],
    "stored_us": [100, 200, 300, 400, -1, 600, 700],
}
DELIVERIES: dict[str, list[Any]] = {
    "message": [0, 0, 1, 2, 3, 5, 6, 1],
    "endpoint": [11, 13, 10, 12, 10, 10, 10, 13],
    "copy": ["message", "sync", *["message"] * 6],
    "delivered_us": [150, 160, 250, 350, 450, 650, 750, -1],
}


def table(columns: dict[str, list[Any]]) -> Table:
    return {
        name: np.array(values, object if isinstance(values[0], str) else np.int64)
        for name, values in columns.items()
    }


@pytest.fixture
def texts() -> Table:
    return histories(table(MESSAGES), table(DELIVERIES), table(DEVICES), IDS)


def seen(texts: Table, taking: Taking, clock_offset_us: int = 0) -> View:
    return seen_from(texts, Position(taken=frozenset({taking}), clock_offset_us=clock_offset_us))


def seen_from(texts: Table, position: Position) -> View:
    keys = {name: np.array([], object) for name in ("owner", "kind", "public", "secret")}
    nodes, records = NodeList((), (), (), (), ()), MemoryRecords().table()
    return observe("eve", position, records, {}, keys, nodes, "fast", histories=texts)


def copied(texts: Table, endpoint: int, t_us: int) -> list[str]:
    return [one.hash for one in seen(texts, Taking(endpoint, t_us, False, copies=True)).history]


def test_texts_lie_where_they_were_written_and_shown_from_then_on(texts: Table) -> None:
    assert set(texts) == set(HISTORY_COLUMNS)
    assert copied(texts, 10, 99) == []
    assert copied(texts, 10, 100) == ["a"]
    assert copied(texts, 10, 350) == ["a", "b", "c"]
    assert copied(texts, 11, 149) == []
    assert copied(texts, 11, 250) == ["a", "b"]
    assert copied(texts, 12, 900) == ["c"]
    assert copied(texts, 13, 900) == ["A"]


def test_after_a_deletion_nothing_that_its_author_wrote_before_is_claimed(texts: Table) -> None:
    assert copied(texts, 10, 649) == ["a", "b", "c"]
    assert copied(texts, 10, 650) == ["a", "c"]
    assert copied(texts, 10, 900) == ["a", "c", "f"]
    assert copied(texts, 11, 589) == ["a", "b"]
    assert copied(texts, 11, 599) == ["a"]


def test_a_deletion_in_a_group_may_be_of_anybodys_text() -> None:
    messages = {name: [*values[:5], values[2], values[6]] for name, values in MESSAGES.items()}
    messages["kind"][5], messages["sender"][5] = "deletion", 2
    messages["intent_us"][5] = messages["stored_us"][5] = 500
    texts = histories(table(messages), table(DELIVERIES), table(DEVICES), IDS)
    assert copied(texts, 12, 499) == ["c"]
    assert copied(texts, 12, 500) == []


def test_who_stays_also_reads_what_comes_and_who_has_keys_only_reads_nothing(texts: Table) -> None:
    stays = seen(texts, Taking(10, 220, stays=True), clock_offset_us=3).history
    assert [(one.hash, one.t_us) for one in stays] == [("a", 223), ("b", 253), ("c", 303), ("f", 753)]
    late = seen(texts, Taking(10, 660, stays=True)).history
    assert [(one.hash, one.t_us) for one in late] == [("a", 660), ("c", 660), ("f", 750)]
    assert seen(texts, Taking(10, 900, stays=False, fetches=True)).history == ()


def test_who_operates_a_device_reads_what_any_thief_of_it_could(texts: Table) -> None:
    own = Position(operated=frozenset({10}))
    shown = {(one.hash, one.t_us) for one in seen_from(texts, own).history}
    assert shown == {("a", 100), ("b", 250), ("c", 300), ("f", 750)}
    for taking in (Taking(10, t, *how) for t in (0, 120, 350, 900) for how in ((True, False), (False, True))):
        thief = Position(taken=frozenset({taking}))
        assert own.covers(thief)
        had = {one.hash for one in seen_from(texts, thief).history}
        assert had <= {name for name, _ in shown}
        joint = seen_from(texts, own | thief).history
        assert {(one.hash, one.t_us) for one in joint} >= shown
        assert len(joint) == len(set(joint))


def test_facts_say_who_wrote_to_whom_and_where_it_was_read(texts: Table) -> None:
    facts = deduce(seen(texts, Taking(13, 900, False, copies=True)))
    zero, one = (f"account:{IDS[k]}" for k in (0, 1))
    assert {(fact.relation, fact.subject, fact.object) for fact in facts} == {
        (Relation.HOLDS, "message:A", "kind:text"),
        (Relation.WRITTEN_BY, "message:A", zero),
        (Relation.ADDRESSED_TO, "message:A", zero),
        (Relation.TALKS_TO, zero, one),
    }
    assert {fact.t_us for fact in facts} == {900}
    assert all(fact.derivation[0].startswith("read on the device: message A of") for fact in facts)
    group = deduce(seen(texts, Taking(12, 900, False, copies=True)))
    assert {fact.relation for fact in group} == {Relation.HOLDS, Relation.WRITTEN_BY}


# 0 calls 1; 1 reacts to 0 twice; 0 and 1 post in room 7, and 0 in a room where it has no name.
OTHERS: dict[str, list[Any]] = {
    "kind": ["call", "reaction", "reaction", "post", "post", "post", "receipt"],
    "sender": [0, 1, 1, 0, 1, 0, 0],
    "recipient": [1, 0, 0, -1, -1, -1, 1],
    "group": [-1] * 7,
    "room": [-1, -1, -1, 7, 7, 8, -1],
    "device": [0] * 7,
    "intent_us": [90, 190, 290, 390, 490, 590, 690],
    "hash": ["k", "r", "s", "", "", "", "q"],
    "sync_hash": [""] * 7,
    "stored_us": [100, 200, 300, 400, 500, 600, 700],
}
SHOWN: dict[str, list[Any]] = {
    "message": [0, 1, 2, 3, 4, 6],
    "endpoint": [11, 10, 10, 11, 10, 11],
    "copy": ["message"] * 6,
    "delivered_us": [150, 250, 350, 450, 550, 750],
}
NAMES: dict[str, list[Any]] = {
    "account": [0, 1, 0],
    "kind": ["blinded", "blinded", "member"],
    "term": [f"blinded:15{'0a' * 32}", f"blinded:15{'0b' * 32}", "group:03"],
    "place": ["room-7", "room-7", ""],
}


def left(endpoint: int, t_us: int) -> list[tuple[str, int, int]]:
    found = histories(table(OTHERS), table(SHOWN), table(DEVICES), IDS, table(NAMES))
    view = seen(found, Taking(endpoint, t_us, False, copies=True))
    return [(one.kind, one.writer[-1], one.reader[-1] if one.reader else -1) for one in view.history]


def test_calls_reactions_and_posts_lie_there_too() -> None:
    assert left(10, 99) == []
    assert left(10, 260) == [("call", 0, 1), ("reaction", 1, 0)]
    assert left(10, 360) == [("call", 0, 1)]  # the second may take the first one back
    assert left(10, 900) == [("call", 0, 1), ("post", 0x0A, 0), ("post", 0x0B, -1)]
    assert left(11, 900) == [("call", 0, 1), ("post", 0x0A, -1), ("post", 0x0B, 1)]
    assert left(12, 900) == []


def test_without_names_of_rooms_posts_are_left_out() -> None:
    found = histories(table(OTHERS), table(SHOWN), table(DEVICES), IDS)
    assert set(found["kind"].tolist()) == {"call", "reaction"}


def test_facts_say_who_called_whom_and_whose_posts_are_whose() -> None:
    found = histories(table(OTHERS), table(SHOWN), table(DEVICES), IDS, table(NAMES))
    facts = deduce(seen(found, Taking(11, 900, False, copies=True)))
    zero, one = (f"account:{IDS[k]}" for k in (0, 1))
    others, own = f"blinded:15{'0a' * 32}", f"blinded:15{'0b' * 32}"
    assert {(fact.relation, fact.subject, fact.object) for fact in facts} == {
        (Relation.TALKS_TO, zero, one),
        (Relation.SEEN, others, ""),
        (Relation.SEEN, own, ""),
        (Relation.LINKED, one, own),
    }
    assert any(fact.derivation[0].startswith("read on the device: a post of blinded:15") for fact in facts)


def test_letters_in_a_communitys_inbox_lie_on_the_devices_of_both_ends() -> None:
    name = "ab" * 32
    messages = {
        **{column: [-1] for column in MESSAGES}, "kind": ["inbox-text"], "sender": [0], "recipient": [1],
        "room": [0], "device": [0], "intent_us": [90], "hash": [name], "sync_hash": [f"out:{name}"],
        "stored_us": [100],
    }  # fmt: skip
    deliveries = {"message": [0], "endpoint": [11], "copy": ["message"], "delivered_us": [150]}
    found = histories(table(messages), table(deliveries), table(DEVICES), IDS)
    assert found["endpoint"].tolist() == [10, 11]
    for row, since_us in ((0, 100), (1, 150)):
        shown = {column: found[column][row] for column in HISTORY_COLUMNS}
        assert (shown["kind"], shown["hash"], shown["t_us"]) == ("text", name, since_us)
        assert (shown["writer"], shown["reader"], shown["inbox"]) == (IDS[0], IDS[1], IDS[1])
