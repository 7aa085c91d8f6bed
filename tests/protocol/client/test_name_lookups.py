"""How a client asks for a name and what it makes of the answers; nodes are written by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import InvalidInput
from sessionsim.protocol.client.names import PLATFORMS, NameLookups, NameRules
from sessionsim.protocol.client.names.part import NO_NODES
from sessionsim.protocol.client.rules import ANDROID, DESKTOP, IOS, ClientRules, settled
from sessionsim.protocol.names import asked_hash, seal_answer
from tests.protocol.client.table import EVERY, FRIEND, STRANGER, Asked, Table

NONCE = bytes(range(24))


@pytest.fixture(scope="module")
def world(make_world):
    return make_world()


def table_of(world: Any, rules: ClientRules, names: NameRules = PLATFORMS["desktop"]) -> Table:
    table = Table(world, replace(settled(rules), swarm_lookup="compute", file_paths=0))
    table.client.add(NameLookups(table.client, names))
    return table


def look_up(table: Table, name: str = "Alice") -> list[Asked]:
    return table.command(5, "look-up-name", 7, name)


def says(table: Table, asked: Asked, account_id: bytes, name: str = "alice", code: int = 200) -> list[Any]:
    value = seal_answer(name, account_id, NONCE)
    result = {"encrypted_value": value.ciphertext.hex(), "nonce": NONCE.hex(), "status": "OK"}
    return answer(table, asked, {"result": result, "t": 1}, code)


def answer(table: Table, asked: Asked, fields: dict[str, Any], code: int = 200) -> list[Any]:
    if asked.method == "batch":
        fields = {"results": [{"code": code, "body": fields}]}
    return table.answer(asked, 200, orjson.dumps(fields), 9)


@EVERY
def test_three_different_nodes_are_asked_for_the_hash_of_the_name(world, rules: ClientRules) -> None:
    table = table_of(world, rules)
    asked = look_up(table)
    assert len({one.route[-1] for one in asked}) == 3
    for one in asked:
        params = one.body["params"] if rules is IOS else one.calls[0]
        assert one.method == ("oxend_request" if rules is IOS else "batch")
        assert params == {"endpoint": "ons_resolve", "params": {"type": 0, "name_hash": asked_hash("alice")}}
        assert one.note == note_of(Cause.LOOKUP, 7)
    assert len({one.exchange for one in asked}) == 3


@EVERY
def test_it_is_found_when_all_three_agree(world, rules: ClientRules) -> None:
    table = table_of(world, rules)
    asked = look_up(table)
    for one in asked[:2]:
        says(table, one, FRIEND.id)
        assert table.logs == []
    says(table, asked[2], FRIEND.id)
    assert table.logs == [("stored", 7, 9)]


@pytest.mark.parametrize("rules", [DESKTOP, ANDROID], ids=["desktop", "android"])
def test_what_is_wrong_with_one_answer_spoils_the_look_up(world, rules: ClientRules) -> None:
    for k, (wrong, reason) in enumerate((
        (lambda table, one: says(table, one, STRANGER.id), "nodes disagree about the name"),
        (lambda table, one: says(table, one, FRIEND.id, "bob"), "2 of 3 nodes answered for the name"),
        (lambda table, one: says(table, one, FRIEND.id, code=500), "2 of 3 nodes answered for the name"),
        (lambda table, one: answer(table, one, {"result": 5}), "2 of 3 nodes answered for the name"),
        (lambda table, one: answer(table, one, {"result": {}}), "2 of 3 nodes answered for the name"),
    )):  # fmt: skip
        table = table_of(world, rules)
        asked = look_up(table)
        for place, one in enumerate(asked):
            if place == k % 3:
                wrong(table, one)
            else:
                says(table, one, FRIEND.id)
        assert table.logs == [("failed", 7, reason)]


def test_a_name_without_holder_is_told_as_such(world) -> None:
    table = table_of(world, DESKTOP)
    for one in look_up(table):
        answer(table, one, {"result": {"status": "OK"}})
    assert table.logs == [("failed", 7, "nobody holds this name")]


def test_fewer_that_must_agree_forgive_a_silent_node_but_no_other_answer(world) -> None:
    rules = NameRules(nodes=3, agreement=2)
    table = table_of(world, DESKTOP, rules)
    first, second, third = look_up(table)
    says(table, first, FRIEND.id)
    answer(table, second, {}, 500)
    says(table, third, FRIEND.id)
    assert table.logs == [("stored", 7, 9)]
    table = table_of(world, DESKTOP, rules)
    for one, account in zip(look_up(table), (FRIEND, FRIEND, STRANGER), strict=True):
        says(table, one, account.id)
    assert table.logs == [("failed", 7, "nodes disagree about the name")]


def test_what_is_no_name_is_asked_of_nobody(world) -> None:
    table = table_of(world, DESKTOP)
    assert look_up(table, "a name") == []
    ((what, ref, reason),) = table.logs
    assert (what, ref) == ("failed", 7)
    assert "a name" in reason


def test_with_too_few_nodes_nobody_is_asked(world) -> None:
    table = table_of(world, DESKTOP, NameRules(nodes=63, agreement=63))
    assert look_up(table) == []
    assert table.logs == [("failed", 7, NO_NODES)]


def test_a_client_that_falls_asleep_has_not_found_the_name(world) -> None:
    table = table_of(world, ANDROID)
    look_up(table)
    assert list(table.client.parts[-1].pending()) == [7]
    table.command(6, "online", False)
    assert table.logs == [("failed", 7, "name: status 0")]
    assert list(table.client.parts[-1].pending()) == []


def test_more_cannot_have_to_agree_than_are_asked() -> None:
    with pytest.raises(InvalidInput, match="agreement: found 4"):
        NameRules(nodes=3, agreement=4)
