"""Leaks in fields that the protocol has elsewhere, as keys and hashes of a name, in parts and in pieces.

As in `test_plants`, nothing in the deduction knows of any: who reads the place knows the name, others do not.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from typing import Any

import orjson
import pytest

from sessionsim.adversary import claims, deduce
from sessionsim.core.ledger import Relation
from sessionsim.core.scene import Position
from tests.adversary.test_odd_plants import N_NODES, knowing
from tests.adversary.test_plants import (
    GUARD,
    LAST,
    MIDDLE,
    REPLICA,
    ROUTE,
    SENDER,
    in_frame,
    in_json,
    in_member,
    in_result,
    shown_to,
)

WHO = b"\5" + bytes(range(100, 132))
ELSEWHERE = (
    "data", "path", "enc_payload", "signature", "pubkey_ed25519", "hash", "messages", "last_hash", "method",
    "swarm", "x-sogs-nonce",
)  # fmt: skip
PLACES: dict[str, tuple[str, Any, int]] = {
    "outer JSON": ("outer", in_frame, GUARD),
    "control object": ("control", in_json, REPLICA),
    "around the answer": ("answer", in_json, REPLICA),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("field", ELSEWHERE)
def test_a_field_that_belongs_elsewhere_is_read(make_stage: Any, place: str, field: str) -> None:
    where, alter, reader = PLACES[place]
    stage = make_stage()
    stage.plants[where] = lambda raw: alter(raw, **{field: WHO.hex()})
    stage.store(SENDER, 1, ROUTE)
    assert shown_to(stage, f"account:{WHO.hex()}") == {reader}


@pytest.mark.parametrize(("place", "alter"), [("body", in_member), ("answer", in_result)])
@pytest.mark.parametrize("field", ["path", "enc_payload", "messages", "x-sogs-nonce", "deleted", "snodes"])
def test_so_is_one_of_another_call_or_answer(make_stage: Any, place: str, alter: Any, field: str) -> None:
    stage = make_stage()
    stage.plants[place] = lambda raw: alter(raw, **{field: WHO.hex()})
    stage.store(SENDER, 1, ROUTE)
    assert shown_to(stage, f"account:{WHO.hex()}") == {REPLICA}


def in_requests(text: bytes, member: Any) -> bytes:
    fields = orjson.loads(text)
    fields["params"]["requests"].append(member)
    return orjson.dumps(fields)


@pytest.mark.parametrize(
    "member",
    [
        WHO.hex(), [WHO.hex()], {"method": "store", "params": WHO.hex()},
        {"params": None, "debug": WHO.hex()}, {"method": 1, "params": {"x": WHO.hex()}},
    ],
)  # fmt: skip
def test_a_part_of_a_batch_that_is_no_call_is_read(make_stage: Any, member: Any) -> None:
    stage = make_stage()
    stage.plants["body"] = lambda raw: in_requests(raw, member)
    stage.store(SENDER, 1, ROUTE)
    assert shown_to(stage, f"account:{WHO.hex()}") == {REPLICA}


def beside_results(text: bytes, **more: Any) -> bytes:
    fields = orjson.loads(text)
    return orjson.dumps({"results": [{**member, **more} for member in fields["results"]]})


ANSWERS: dict[str, Any] = {
    "beside each result": lambda raw: beside_results(raw, debug=WHO.hex()),
    "a result that is a text": lambda raw: beside_results(raw, body="x" * 300 + f" {WHO.hex()}"),
    "a result that is a list": lambda raw: beside_results(raw, body=[WHO.hex()]),
    "one result too many": lambda raw: in_json(
        raw, results=[*orjson.loads(raw)["results"], {"code": 200, "body": {"debug": WHO.hex()}}]
    ),
    "results that are none": lambda raw: orjson.dumps({"results": WHO.hex()}),
    "results without a status": lambda raw: orjson.dumps({"results": [{"body": WHO.hex()}]}),
    "no results": lambda raw: orjson.dumps({"debug": WHO.hex()}),
}


@pytest.mark.parametrize("way", ANSWERS)
def test_whatever_stands_in_an_answer_is_read_by_who_opens_it(make_stage: Any, way: str) -> None:
    for ask in ("poll", "store"):
        stage = make_stage()
        stage.plants["answer"] = ANSWERS[way]
        replica = 8 if ask == "poll" else REPLICA
        if ask == "poll":
            stage.poll(SENDER, (GUARD, MIDDLE, LAST, replica))
        else:
            stage.store(SENDER, 1, ROUTE)
        readers = {node for node in (*ROUTE, 8) if f"account:{WHO.hex()}" in _terms(stage.facts([node]))}
        assert readers == {replica}, ask


def _terms(facts: Any) -> set[str]:
    return {term for fact in facts for term in (fact.subject, fact.object)}


def test_the_senders_key_in_a_store_names_the_sender_to_the_swarm(stage: Any) -> None:
    """Stores to an inbox need no key; one that is there is not the inbox's."""
    key = stage.accounts[SENDER].ed.public.hex()
    stage.plants["body"] = lambda raw: in_member(raw, pubkey_ed25519=key)
    hash_ = stage.store(SENDER, 1, ROUTE)
    assert shown_to(stage, stage.account(SENDER)) == {REPLICA}
    assert (Relation.NAMED, f"message:{hash_}", stage.account(SENDER)) in stage.claims(REPLICA)


def test_the_inboxs_own_key_names_nobody_else(stage: Any) -> None:
    key = stage.accounts[1].ed.public.hex()
    stage.plants["body"] = lambda raw: in_member(raw, pubkey_ed25519=key)
    stage.store(SENDER, 1, ROUTE)
    assert shown_to(stage, stage.account(SENDER)) == set()


def test_an_ed25519_key_beside_an_onion_names_its_account_to_the_guard(stage: Any) -> None:
    key = stage.accounts[SENDER].ed.public.hex()
    stage.plants["outer"] = lambda raw: in_frame(raw, my_ed25519=key)
    stage.store(SENDER, 1, ROUTE)
    assert shown_to(stage, stage.account(SENDER)) == {GUARD}
    assert (Relation.NAMED, stage.address(SENDER), stage.account(SENDER)) in stage.claims(GUARD)


PIECES: dict[str, Any] = {
    "two fields": lambda who: {"a": who.hex()[:30], "b": who.hex()[30:]},
    "prefix and key": lambda who: {"a": "05", "b": who.hex()[2:]},
    "a list of pieces": lambda who: {"a": [who.hex()[at : at + 11] for at in range(0, 66, 11)]},
    "a list of numbers": lambda who: {"a": list(who)},
    "a key of a field": lambda who: {base64.b64encode(who).decode(): 1},
}


@pytest.mark.parametrize("way", PIECES)
def test_an_id_in_pieces_is_put_together(stage: Any, way: str) -> None:
    stage.plants["outer"] = lambda raw: in_frame(raw, **PIECES[way](WHO))
    stage.store(SENDER, 1, ROUTE)
    assert shown_to(stage, f"account:{WHO.hex()}") == {GUARD}


BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58(raw: bytes) -> str:
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return text


LIKE: dict[str, Any] = {
    "backwards": lambda who, ed: who.hex()[::-1],
    "bytes backwards": lambda who, ed: who[::-1].hex(),
    "beginning": lambda who, ed: who.hex()[:16],
    "middle": lambda who, ed: who.hex()[20:37],
    "end in base64": lambda who, ed: base64.b64encode(who[-12:]).decode(),
    "other bytes around": lambda who, ed: base64.b64encode(b"abc" + who[1:] + b"xyz").decode(),
    "key in base58": lambda who, ed: base58(who[1:]),
    "Ed25519 key": lambda who, ed: ed.hex(),
    "Ed25519 key in base64": lambda who, ed: base64.b64encode(ed).decode(),
    "BLAKE2b of 16 bytes": lambda who, ed: hashlib.blake2b(who, digest_size=16).hexdigest(),
    "SHA-256, cut": lambda who, ed: hashlib.sha256(who).hexdigest()[:20],
    "SHA-256, twice": lambda who, ed: hashlib.sha256(hashlib.sha256(who).digest()).hexdigest(),
    "SHA3-256 of the text": lambda who, ed: hashlib.sha3_256(who.hex().encode()).hexdigest(),
    "BLAKE2s of the key": lambda who, ed: hashlib.blake2s(who[1:]).hexdigest(),
}


@pytest.mark.parametrize("way", LIKE)
def test_what_comes_from_a_name_is_recognised_by_who_has_the_name(stage: Any, way: str) -> None:
    account = stage.accounts[SENDER]
    stage.plants["outer"] = lambda raw: in_frame(raw, trace=LIKE[way](account.id, account.ed.public))
    stage.poll(SENDER, (GUARD, MIDDLE, LAST, 8))
    named = (Relation.NAMED, stage.address(SENDER), stage.account(SENDER))
    assert stage.account(SENDER) not in {term for claim in knowing(stage, True, False) for term in claim[1:]}
    assert named not in knowing(stage, False, True)
    assert named in knowing(stage, True, True)


def test_the_hash_of_a_key_is_recognised_by_who_read_the_key(stage: Any) -> None:
    digest = hashlib.sha256(stage.accounts[SENDER].ed.public).hexdigest()
    stage.plants["outer"] = lambda raw: in_frame(raw, trace=digest)
    stage.poll(SENDER, (GUARD, MIDDLE, LAST, 8))
    named = (Relation.NAMED, stage.address(SENDER), stage.account(SENDER))
    assert named not in knowing(stage, True, True)  # an id does not give its Ed25519 key
    assert named in stage.claims(GUARD, 8)
    (why,) = [one.derivation for one in stage.facts([GUARD, 8]) if _claim(one) == named]
    assert why[-1].startswith(f"string:{digest} is the SHA-256 of its Ed25519 key")


def _claim(fact: Any) -> tuple[Any, str, str]:
    return fact.relation, fact.subject, fact.object


def test_one_string_in_two_spellings_is_told_by_who_reads_both(stage: Any) -> None:
    raw = bytes(range(50, 74))
    stage.plants["outer"] = lambda one: in_frame(one, trace=raw.hex())
    stage.plants["body"] = lambda one: in_json(one, trace=base64.b64encode(raw).decode())
    stage.poll(SENDER, (GUARD, MIDDLE, LAST, 8))
    other = (Relation.NAMED, stage.address(SENDER), f"string:{base64.b64encode(raw).decode()}")
    assert other in stage.claims(GUARD, 8)
    assert other not in stage.claims(GUARD) | stage.claims(8)


def test_a_part_shorter_than_eight_bytes_is_no_part(stage: Any) -> None:
    account = stage.accounts[SENDER]
    stage.plants["outer"] = lambda raw: in_frame(raw, trace=account.id_hex[:12] + "zzzz-zzzz")
    stage.poll(SENDER, (GUARD, MIDDLE, LAST, 8))
    position = Position(operated=frozenset({GUARD}), known=frozenset({N_NODES + SENDER}))
    view = stage.at(position)
    alone = dataclasses.replace(view, ids=frozenset())
    assert claims(deduce(view)) == claims(deduce(alone))
