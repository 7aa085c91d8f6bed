"""Leaks where only bytes are: in keys and nonces, in padding, in packed addresses, bare inside ciphertexts.

As in `test_plants`, nothing in the deduction knows of any: who reads the place and has the name knows it.
"""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from sessionsim.adversary import Transcript, claims, deduce
from sessionsim.core.ledger import Relation
from sessionsim.core.scene import Position
from sessionsim.protocol.crypto import real
from sessionsim.protocol.versions import v1
from sessionsim.protocol.wire import bencode, padding
from sessionsim.protocol.wire.envelope import decode
from sessionsim.protocol.wire.session_pb2 import Envelope, WebSocketMessage
from tests.adversary.test_odd_plants import N_NODES
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
    in_member,
    shown_to,
)

BOB = N_NODES + 1
BARE = bytes(range(60, 92))
BARE_ID = b"\5" + BARE


def known(stage: Any, *operated: int, ids: bool = False) -> set[Any]:
    """Give what is known to who has some places, and the sender's id or not."""
    clients = frozenset({N_NODES + SENDER} if ids else ())
    return claims(deduce(stage.at(Position(operated=frozenset(operated), known=clients))))


def drawn_once(stage: Any, secret: bytes) -> None:
    """Let passing keys come from one secret, and all else that is drawn be new."""
    fresh = stage.random
    stage.random = lambda: secret + fresh()[32:]


def test_a_passing_key_that_is_used_again_is_a_name(stage: Any) -> None:
    drawn_once(stage, hashlib.sha256(b"once").digest())
    stage.poll(SENDER, (GUARD, MIDDLE, LAST, 8))
    stage.poll(SENDER, (GUARD, MIDDLE, LAST, 8))
    for node in (GUARD, MIDDLE, LAST, 8):
        assert any(term.startswith("string:") for _, *terms in known(stage, node) for term in terms), node
    assert not any(term.startswith("string:") for _, *terms in known(stage, OTHER) for term in terms)


def test_a_passing_key_in_two_exchanges_ties_an_address_to_an_account(stage: Any) -> None:
    """The guard of the one exchange and the replica of the other have nothing else in common."""
    drawn_once(stage, hashlib.sha256(b"once").digest())
    stage.poll(SENDER, (GUARD, MIDDLE, LAST, 9))
    stage.poll(SENDER, (3, 4, 5, 8))
    found = known(stage, GUARD, 8)
    (term,) = {term for what, one, term in found if (what, one) == (Relation.NAMED, stage.address(SENDER))}
    assert (Relation.NAMED, stage.account(SENDER), term) in found
    assert (Relation.NAMED, stage.account(SENDER), term) not in known(stage, GUARD) | known(stage, 8)


def test_each_learns_the_same_from_what_all_have_read_together(stage: Any) -> None:
    drawn_once(stage, stage.accounts[SENDER].x.secret)
    stage.poll(SENDER, (GUARD, MIDDLE, LAST, 9))
    stage.poll(SENDER, (3, 4, 5, 8))
    stage.store(SENDER, 1, ROUTE)
    everyone = frozenset(range(N_NODES + 2))
    together = Transcript(stage.at(Position(operated=everyone)))
    for place in (GUARD, 8, 9, REPLICA, OTHER, BOB):
        view = stage.at(Position(operated=frozenset({place}), known=frozenset({N_NODES})))
        assert deduce(view, together) == deduce(view)


def test_passing_keys_drawn_anew_are_none(stage: Any) -> None:
    for _ in range(3):
        stage.poll(SENDER, (GUARD, MIDDLE, LAST, 8))
        stage.store(SENDER, 1, ROUTE)
    everyone = known(stage, *range(N_NODES + 2))
    assert not any(term.startswith("string:") for _, *terms in everyone for term in terms)


def test_the_own_key_as_a_passing_key_names_the_account_to_who_knows_it(make_stage: Any) -> None:
    stage = make_stage("sodium", "libsession")
    drawn_once(stage, stage.accounts[SENDER].x.secret)
    stage.store(SENDER, 1, ROUTE)
    named = (Relation.NAMED, stage.address(SENDER), stage.account(SENDER))
    assert named in known(stage, GUARD, ids=True)
    assert named not in known(stage, GUARD) | known(stage, MIDDLE, ids=True)


def test_a_nonce_that_is_used_again_is_a_name(stage: Any) -> None:
    fresh = stage.random
    stage.random = lambda: fresh()[:32] + b"device-4711-nonce-xxxxxx" + fresh()[56:]
    stage.poll(SENDER, (GUARD, MIDDLE, LAST, 8))
    term = f"string:{b'device-4'.hex()}"
    assert (Relation.NAMED, stage.address(SENDER), term) in known(stage, GUARD)
    (why,) = [
        one.derivation
        for one in stage.facts([GUARD])
        if (one.subject, one.object) == (stage.address(0), term)
    ]
    assert why[-1] == f"there stands {term}, as beside other layers"


@pytest.mark.parametrize("readers", [(REPLICA,), (OTHER,)])
def test_a_sealed_box_under_the_own_key_names_the_sender_to_a_swarm_that_knows_it(
    make_stage: Any, readers: tuple[int, ...]
) -> None:
    stage = make_stage("sodium", "desktop")
    drawn_once(stage, stage.accounts[SENDER].x.secret)
    hash_ = stage.store(SENDER, 1, ROUTE)
    named = (Relation.NAMED, f"message:{hash_}", stage.account(SENDER))
    assert named in known(stage, *readers, ids=True)
    assert named not in known(stage, *readers)
    assert named not in known(stage, GUARD, MIDDLE, LAST, ids=True)


def test_sealed_boxes_under_one_key_are_tied_together(stage: Any) -> None:
    drawn_once(stage, hashlib.sha256(b"once").digest())
    first, second = stage.store(SENDER, 1, ROUTE), stage.store(SENDER, 1, ROUTE)
    names = {(one, term) for what, one, term in known(stage, REPLICA) if what is Relation.NAMED}
    term = next(term for one, term in names if one == f"message:{first}")
    assert (f"message:{second}", term) in names


def test_a_bare_key_in_the_wrapper_names_it_to_a_swarm_that_knows_it(stage: Any) -> None:
    def mark(stored: bytes) -> bytes:
        message = decode(WebSocketMessage, stored)
        envelope = decode(Envelope, message.request.body)
        envelope.proSig = stage.accounts[SENDER].x.public
        message.request.body = envelope.SerializeToString()
        return message.SerializeToString()

    stage.plants["message"] = mark
    hash_ = stage.store(SENDER, 1, ROUTE)
    named = (Relation.NAMED, f"message:{hash_}", stage.account(SENDER))
    assert named in known(stage, REPLICA, ids=True)
    assert named not in known(stage, REPLICA)


INSIDE: dict[str, Any] = {
    "in the padding": lambda content, who: content + b"\x80" + bytes(7) + who + bytes(9),
    "behind the content": lambda content, who: padding.pad(content + b"zzz" + who + b"zz"),
    "instead of the content": lambda content, who: b"\xff\xff\xff" + who,
}


@pytest.fixture
def sealed(stage: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let messages hold more than they should."""

    def seal(way: str, who: bytes) -> str:
        with monkeypatch.context() as patch:
            patch.setattr(v1, "pad", lambda content: INSIDE[way](content, who))
            return str(stage.store(SENDER, 1, ROUTE))

    return seal


@pytest.mark.parametrize("way", INSIDE)
def test_a_bare_key_inside_a_message_shows_to_its_reader_who_knows_it(
    stage: Any, sealed: Any, way: str
) -> None:
    hash_ = sealed(way, real.x25519_of_ed25519(stage.accounts[SENDER].ed).public)
    named = (Relation.NAMED, f"message:{hash_}", stage.account(SENDER))
    assert named in known(stage, REPLICA, BOB, ids=True)
    assert named not in known(stage, REPLICA, ids=True)


@pytest.mark.parametrize("way", INSIDE)
def test_an_id_in_hex_inside_a_message_shows_to_its_reader(stage: Any, sealed: Any, way: str) -> None:
    hash_ = sealed(way, b" " + BARE_ID.hex().encode() + b" ")
    named = (Relation.NAMED, f"message:{hash_}", f"account:{BARE_ID.hex()}")
    assert named in known(stage, REPLICA, BOB)
    assert shown_to(stage, f"account:{BARE_ID.hex()}") == set()


def test_what_is_no_message_is_still_by_who_signed_it(stage: Any, sealed: Any) -> None:
    hash_ = sealed("instead of the content", BARE)
    found = known(stage, REPLICA, BOB)
    assert (Relation.HOLDS, f"message:{hash_}", "kind:unreadable") in found
    assert (Relation.WRITTEN_BY, f"message:{hash_}", stage.account(SENDER)) in found


PACKED: dict[str, Any] = {
    "a number": 0xF4000001, "a number as text": str(0xF4000001), "hex": "f4000001", "base64": "9AAAAQ==",
}  # fmt: skip


@pytest.mark.parametrize("field", ["ip", "client_ip", "address"])
@pytest.mark.parametrize("way", PACKED)
def test_a_packed_address_in_a_field_for_addresses_is_read(stage: Any, field: str, way: str) -> None:
    assert stage.address(SENDER) == "addr:244.0.0.1"
    stage.plants["body"] = lambda raw: in_member(raw, **{field: PACKED[way]})
    hash_ = stage.store(SENDER, 1, ROUTE)
    assert (Relation.NAMED, f"message:{hash_}", "addr:244.0.0.1") in known(stage, REPLICA)


def test_four_bytes_between_nodes_are_an_address_where_one_stands(stage: Any) -> None:
    stage.plants["hop"] = lambda raw: bencode.encode(
        dict(sorted({**bencode.decode(raw), b"ip": bytes((244, 0, 0, 1)), b"x": bytes(4)}.items()))
    )
    stage.store(SENDER, 1, ROUTE)
    assert shown_to(stage, "addr:244.0.0.1") == {GUARD, MIDDLE, LAST, REPLICA}


@pytest.mark.parametrize("value", [17, 0x00FFFFFF, 1 << 32, "12345678901", "0a0b", "zz", True, "f4000001ff"])
def test_other_values_are_no_addresses(stage: Any, value: Any) -> None:
    stage.plants["outer"] = lambda raw: in_frame(raw, ip=value)
    stage.store(SENDER, 1, ROUTE)
    found = {term for _, *terms in known(stage, GUARD) for term in terms if term.startswith("addr:")}
    assert found == {stage.address(SENDER)}


def test_one_string_is_one_in_json_and_between_nodes(stage: Any) -> None:
    stage.plants["outer"] = lambda raw: in_frame(raw, trace="trace-0123456789")
    stage.plants["hop"] = lambda raw: in_hop(raw, b"trace-0123456789")
    stage.store(SENDER, 1, ROUTE)
    assert shown_to(stage, "string:trace-0123456789") == set(ROUTE)
