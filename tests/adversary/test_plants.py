"""Leaks that are planted in bytes, each in another place: the ledger shows each to exactly who could read it.

Nothing in the deduction knows of these fields. A plant that is taken out again takes its facts with it.
"""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from sessionsim.adversary import claims, deduce
from sessionsim.core.ledger import Relation
from sessionsim.core.scene import Position, Role
from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.envelope import decode
from sessionsim.protocol.wire.frame import decode_frame, encode_frame
from sessionsim.protocol.wire.session_pb2 import Envelope, WebSocketMessage

GUARD, MIDDLE, LAST, REPLICA, OTHER = 0, 1, 2, 12, 13
ROUTE = (GUARD, MIDDLE, LAST, REPLICA)
EVERYONE = {GUARD, MIDDLE, LAST, REPLICA, OTHER}
SENDER = 0


def in_frame(payload: bytes, **more: Any) -> bytes:
    blob, text = decode_frame(payload)
    return encode_frame(blob, orjson.dumps({**orjson.loads(text), **more}))


def in_json(text: bytes, **more: Any) -> bytes:
    return orjson.dumps({**orjson.loads(text), **more})


def in_member(text: bytes, **more: Any) -> bytes:
    fields = orjson.loads(text)
    for member in fields["params"]["requests"]:
        member["params"] |= more
    return orjson.dumps(fields)


def in_result(text: bytes, **more: Any) -> bytes:
    fields = orjson.loads(text)
    for member in fields["results"]:
        member["body"] |= more
    return orjson.dumps(fields)


def in_forward(payload: bytes, value: bytes) -> bytes:
    method, fields = bencode.decode(payload)
    if isinstance(fields, bytes):
        fields = bencode.decode(fields)
        return bencode.encode([method, bencode.encode(dict(sorted({**fields, b"zz": value}.items())))])
    return bencode.encode([method, dict(sorted({**fields, b"zz": value}.items()))])


def in_hop(payload: bytes, value: bytes) -> bytes:
    return bencode.encode(dict(sorted({**bencode.decode(payload), b"zz": value}.items())))


def in_envelope(stored: bytes, source: str) -> bytes:
    message = decode(WebSocketMessage, stored)
    envelope = decode(Envelope, message.request.body)
    envelope.source = source
    message.request.body = envelope.SerializeToString()
    return message.SerializeToString()


# Where it is planted, how, and who reads that place. Answers are for the client alone, and its replica.
PLANTS: dict[str, tuple[str, Any, set[int]]] = {
    "outer JSON": ("outer", lambda raw, who: in_frame(raw, debug=who.hex()), {GUARD}),
    "outer JSON, nested": ("outer", lambda raw, who: in_frame(raw, x={"y": [who.hex()]}), {GUARD}),
    "outer JSON, base64": (
        "outer", lambda raw, who: in_frame(raw, t=base64.b64encode(who).decode()), {GUARD},
    ),
    "hop message": ("hop", lambda raw, who: in_hop(raw, who), {GUARD, MIDDLE, LAST, REPLICA}),
    "control object": (
        "control", lambda raw, who: in_json(raw, headers={"X-User": who.hex()}), {REPLICA},
    ),
    "around the calls": ("body", lambda raw, who: in_json(raw, client=who.hex()), {REPLICA}),
    "in the parameters": ("body", lambda raw, who: in_member(raw, sender=who.hex()), {REPLICA}),
    "in the answer": ("answer", lambda raw, who: in_json(raw, you=who.hex()), {REPLICA}),
    "in a result": ("answer", lambda raw, who: in_result(raw, you=who.hex()), {REPLICA}),
    "replication": ("forward", lambda raw, who: in_forward(raw, who), {REPLICA, OTHER}),
    "envelope": ("message", lambda raw, who: in_envelope(raw, who.hex()), {REPLICA, OTHER}),
}  # fmt: skip


def shown_to(stage: Any, term: str) -> set[int]:
    """Give the nodes of the route, each alone, whose ledgers hold a term."""
    return {
        node for node in EVERYONE if any(term in (fact.subject, fact.object) for fact in stage.facts([node]))
    }


@pytest.mark.parametrize("name", sorted(PLANTS))
def test_a_planted_id_shows_to_exactly_those_who_read_its_place(stage: Any, name: str) -> None:
    place, alter, readers = PLANTS[name]
    stage.plants[place] = lambda raw: alter(raw, stage.accounts[SENDER].id)
    stage.store(0, 1, ROUTE)
    assert shown_to(stage, stage.account(SENDER)) == readers


def test_without_a_plant_nobody_on_the_route_knows_the_sender(stage: Any) -> None:
    stage.store(0, 1, ROUTE)
    assert shown_to(stage, stage.account(SENDER)) == set()


@pytest.mark.parametrize("name", sorted(PLANTS))
def test_another_name_in_the_same_place_shows_itself_and_not_the_sender(stage: Any, name: str) -> None:
    place, alter, readers = PLANTS[name]
    other = b"\5" + bytes(range(100, 132))
    stage.plants[place] = lambda raw: alter(raw, other)
    stage.store(0, 1, ROUTE)
    assert shown_to(stage, stage.account(SENDER)) == set()
    assert shown_to(stage, f"account:{other.hex()}") == readers


def test_an_id_beside_an_address_is_named_by_it(stage: Any) -> None:
    stage.plants["outer"] = lambda raw: in_frame(raw, debug=stage.accounts[SENDER].id_hex)
    stage.store(0, 1, ROUTE)
    (fact,) = [fact for fact in stage.facts([GUARD]) if fact.relation is Relation.NAMED]
    assert (fact.subject, fact.object) == (stage.address(SENDER), stage.account(SENDER))
    assert fact.derivation[-1] == f"there stands {stage.account(SENDER)}"
    assert "in clear beside the ciphertext" in " ".join(fact.derivation)


def test_the_senders_address_inside_the_request_shows_to_the_replica(stage: Any) -> None:
    address = stage.address(SENDER).removeprefix("addr:")
    stage.plants["body"] = lambda raw: in_member(raw, ip=address)
    hash_ = stage.store(0, 1, ROUTE)
    assert (Relation.NAMED, f"message:{hash_}", stage.address(SENDER)) in claims(stage.facts([REPLICA]))
    assert shown_to(stage, stage.address(SENDER)) == {GUARD, REPLICA}  # the guard sees it on the link


def test_a_string_in_two_places_ties_an_address_to_a_signer(stage: Any) -> None:
    tag = "trace-0123456789abcdef"
    stage.plants["outer"] = lambda raw: in_frame(raw, trace=tag)
    stage.plants["body"] = lambda raw: in_json(raw, trace=tag)
    stage.poll(0, (GUARD, MIDDLE, LAST, 8))
    assert (Relation.NAMED, stage.address(0), f"string:{tag}") in claims(stage.facts([GUARD]))
    assert (Relation.NAMED, stage.account(0), f"string:{tag}") in claims(stage.facts([8]))


def test_equal_bytes_in_two_messages_show_to_who_has_both(stage: Any) -> None:
    plain = bytes(range(64))

    def mark(stored: bytes) -> bytes:
        message = decode(WebSocketMessage, stored)
        envelope = decode(Envelope, message.request.body)
        envelope.proSig = plain
        message.request.body = envelope.SerializeToString()
        return message.SerializeToString()

    stage.plants["message"] = mark
    first = stage.store(0, 1, ROUTE)
    named = {(f.subject, f.object) for f in stage.facts([REPLICA]) if f.relation is Relation.NAMED}
    assert named == set()
    second = stage.store(0, 1, ROUTE)
    named = {(f.subject, f.object) for f in stage.facts([REPLICA]) if f.relation is Relation.NAMED}
    assert {subject for subject, _ in named} == {f"message:{first}", f"message:{second}"}
    assert len({term for _, term in named}) == 1


@pytest.mark.parametrize("role", list(Role))
def test_a_plant_shows_in_single_roles_too(make_stage: Any, role: Role) -> None:
    stage = make_stage()
    stage.plants["outer"] = lambda raw: in_frame(raw, debug=stage.accounts[SENDER].id_hex)
    stage.store(0, 1, ROUTE)
    facts = deduce(stage.at(Position(in_role=frozenset((node, role) for node in range(16)))))
    shown = any(stage.account(SENDER) in (fact.subject, fact.object) for fact in facts)
    assert shown == (role is Role.GUARD)


def test_a_client_that_writes_more_into_every_layer_shows_itself_at_each_node(make_stage: Any) -> None:
    stage = make_stage("sodium", "libsession")
    name = stage.accounts[SENDER].id_hex
    stage.style = stage.style._replace(key_field=b'"debug":"%b",' % name.encode() + stage.style.key_field)
    stage.store(0, 1, ROUTE)
    assert shown_to(stage, stage.account(SENDER)) == {GUARD, MIDDLE, LAST}
