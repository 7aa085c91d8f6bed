"""Leaks planted where nobody would look for them, and spelled as nobody would spell them.

As in `test_plants`, nothing in the deduction knows of any: who reads the place knows the name, others do not.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import orjson
import pytest

from sessionsim.adversary import claims, deduce
from sessionsim.core.ledger import Relation
from sessionsim.core.scene import Position, Taking
from sessionsim.protocol.wire import bencode
from tests.adversary.test_plants import (
    GUARD,
    LAST,
    MIDDLE,
    OTHER,
    REPLICA,
    ROUTE,
    SENDER,
    in_frame,
    in_hop,
    in_json,
    in_member,
    shown_to,
)

N_NODES = 16


def in_entries(text: bytes, **more: Any) -> bytes:
    """Put fields into the entry of each member of the swarm in an answer to a store."""
    fields = orjson.loads(text)
    for result in fields["results"]:
        for entry in result["body"]["swarm"].values():
            entry |= more
    return orjson.dumps(fields)


def spelled(who: bytes) -> dict[str, str]:
    text = who.hex()
    return {
        "capital": text.upper(),
        "with 0x": f"0x{text}",
        "base64": base64.b64encode(who).decode(),
        "base64 for addresses": base64.urlsafe_b64encode(who).decode().rstrip("="),
        "base32": base64.b32encode(who).decode(),
        "small base32": base64.b32encode(who).decode().lower().rstrip("="),
        "percent signs": "".join(f"%{byte:02X}" for byte in who),
        "JSON in base64": base64.b64encode(b'{"who":"%s"}' % text.encode()).decode(),
        "twice": base64.b64encode(base64.b64encode(who)).decode(),
        "bencode in hex": bencode.encode({b"who": who}).hex(),
        "protobuf in base64": base64.b64encode(b"\x0a\x21" + who).decode(),
        "a question": f"https://example.org/x?id={text}&y=1",
    }


WAYS = sorted(spelled(b"\5" * 33))
PLANTS: dict[str, tuple[str, Any, set[int]]] = {
    **{f"outer JSON, {way}": ("outer", lambda raw, who, way=way: in_frame(raw, x=spelled(who)[way]), {GUARD})
       for way in WAYS},
    "number of the question": ("body", lambda raw, who: in_json(raw, id=who.hex()), {REPLICA}),
    "cursor": ("body", lambda raw, who: in_member(raw, last_hash=who.hex()), {REPLICA}),
    "time stamp": ("body", lambda raw, who: in_member(raw, sig_timestamp=f"1777 {who.hex()}"), {REPLICA}),
    "list of names": ("body", lambda raw, who: in_member(raw, messages=["x" * 43, who.hex()]), {REPLICA}),
    "a key in capitals": ("body", lambda raw, who: in_member(raw, **{who.hex().upper(): True}), {REPLICA}),
    "entry of a member": ("answer", lambda raw, who: in_entries(raw, you=who.hex()), {REPLICA}),
    "hash in an entry": ("answer", lambda raw, who: in_entries(raw, hash=who.hex()), {REPLICA}),
    "behind a message": ("message", lambda raw, who: raw + b" " + who.hex().encode(), {REPLICA, OTHER}),
    "hop that cannot be read": ("hop", lambda raw, who: raw + b" " + who.hex().encode(), set(ROUTE)),
    "hop in bencode that cannot be read": ("hop", lambda raw, who: in_hop(raw, who) + b"x", set(ROUTE)),
    "body that is none": ("body", lambda raw, who: b"not JSON but " + who.hex().encode(), {REPLICA}),
    "answer that is none": ("answer", lambda raw, who: b"sorry, " + who.hex().encode(), {REPLICA}),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(PLANTS))
def test_a_planted_id_shows_to_exactly_those_who_read_its_place(stage: Any, name: str) -> None:
    place, alter, readers = PLANTS[name]
    who = b"\5" + bytes(range(100, 132))
    stage.plants[place] = lambda raw: alter(raw, who)
    stage.store(SENDER, 1, ROUTE)
    assert shown_to(stage, f"account:{who.hex()}") == readers


def test_an_error_in_clear_is_read_by_all_it_passes(stage: Any) -> None:
    who = b"\5" + bytes(range(100, 132))
    stage.store(SENDER, 1, ROUTE)
    client = N_NODES + SENDER
    stage.row(client, GUARD, 900, "onion_req", b"never mind")
    stage.row(GUARD, MIDDLE, 901, "sn.onion_request", b"never mind")
    for src, dst, exchange in ((MIDDLE, GUARD, 901), (GUARD, client, 900)):
        stage.row(src, dst, exchange, 502, b"cannot reach " + who.hex().encode())
    assert shown_to(stage, f"account:{who.hex()}") == {GUARD, MIDDLE}
    assert (Relation.NAMED, stage.address(SENDER), f"account:{who.hex()}") in claims(stage.facts([GUARD]))


def test_a_word_in_what_members_answer_each_other_is_theirs(stage: Any) -> None:
    who = b"\5" + bytes(range(100, 132))
    stage.store(SENDER, 1, ROUTE)
    stage.row(REPLICA, OTHER, 900, "sn.storage_cc", b"never mind")
    stage.row(OTHER, REPLICA, 900, 200, bencode.encode({b"hash": b"x" * 43, b"zz": who}))
    assert shown_to(stage, f"account:{who.hex()}") == {REPLICA, OTHER}


HASHES = {
    "bare": lambda who: who[1:].hex(),
    "bare in capitals": lambda who: who[1:].hex().upper(),
    "bare in base64": lambda who: base64.b64encode(who[1:]).decode(),
    "bare in base32": lambda who: base64.b32encode(who[1:]).decode(),
    "SHA-256 of the bytes": lambda who: hashlib.sha256(who).hexdigest(),
    "SHA-256 of the text": lambda who: hashlib.sha256(who.hex().encode()).hexdigest(),
    "SHA-1 of the bytes": lambda who: hashlib.sha1(who).hexdigest(),
    "MD5 of the key": lambda who: hashlib.md5(who[1:]).hexdigest(),
    "BLAKE2b of the bytes": lambda who: base64.b64encode(hashlib.blake2b(who).digest()).decode(),
}


def knowing(stage: Any, guard: bool, ids: bool) -> set[Any]:
    """Give what is known to who has the guard, or the sender's id, or both."""
    nodes, clients = ({GUARD} if guard else set()), ({N_NODES + SENDER} if ids else set())
    return claims(deduce(stage.at(Position(operated=frozenset(nodes), known=frozenset(clients)))))


@pytest.mark.parametrize("way", sorted(HASHES))
def test_what_is_no_name_by_its_form_is_one_for_who_has_the_name(stage: Any, way: str) -> None:
    """The guard reads a string, a stranger knows the account: both together know whose string it is."""
    who = stage.accounts[SENDER].id
    stage.plants["outer"] = lambda raw: in_frame(raw, trace=HASHES[way](who))
    stage.poll(SENDER, (GUARD, MIDDLE, LAST, 8))
    named = (Relation.NAMED, stage.address(SENDER), stage.account(SENDER))
    alone = knowing(stage, True, False)
    assert stage.account(SENDER) not in {term for claim in alone for term in claim[1:]}
    assert {what for what, _, term in alone if term.startswith("string:")} == {Relation.NAMED}
    assert named not in knowing(stage, False, True)
    assert named in knowing(stage, True, True)


def test_a_string_is_recognised_when_both_are_there(stage: Any) -> None:
    """Who gets the sender's device later knows from then on whose string the guard read before."""
    stage.plants["outer"] = lambda raw: in_frame(raw, trace=hashlib.sha256(b"hello").hexdigest())
    hash_ = stage.store(SENDER, 1, ROUTE)
    late = stage.now_us + 1_000_000
    taken = frozenset({Taking(N_NODES + 1, late, stays=False)})
    facts = deduce(stage.at(Position(operated=frozenset({GUARD, REPLICA}), taken=taken)))
    named = (Relation.NAMED, stage.address(SENDER), f"message:{hash_}")
    (fact,) = [one for one in facts if (one.relation, one.subject, one.object) == named]
    assert fact.t_us == late


def test_a_string_that_is_no_ones_name_stays_one(stage: Any) -> None:
    stage.plants["outer"] = lambda raw: in_frame(raw, trace=hashlib.sha256(b"nobody").hexdigest())
    stage.poll(SENDER, (GUARD, MIDDLE, LAST, 8))
    assert knowing(stage, True, True) == knowing(stage, True, False)


def test_a_hash_of_the_text_is_recognised_by_who_opened_the_message(stage: Any) -> None:
    digest = hashlib.sha256(b"hello").hexdigest()
    stage.plants["outer"] = lambda raw: in_frame(raw, trace=digest)
    hash_ = stage.store(SENDER, 1, ROUTE)
    named = (Relation.NAMED, stage.address(SENDER), f"message:{hash_}")
    bob = N_NODES + 1
    assert named not in stage.claims(GUARD, REPLICA)
    assert named in stage.claims(GUARD, REPLICA, bob)
    (fact,) = [f for f in stage.facts([GUARD, REPLICA, bob]) if (f.relation, f.subject, f.object) == named]
    assert fact.derivation[-1] == f"string:{digest} is the SHA-256 of its text: message:{hash_}"
