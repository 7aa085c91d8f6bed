from __future__ import annotations

import base64
from typing import Any

from sessionsim.adversary.fields import base64_bytes
from sessionsim.adversary.keyring import Keys
from sessionsim.adversary.meaning import Meaning
from sessionsim.adversary.readers.storage import read_calls
from sessionsim.adversary.terms import Answer, Body, Call, Result
from sessionsim.core.view import HeldKey
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.versions.v1 import encode_text, seal_direct
from sessionsim.protocol.wire import rpc

SUITE = suite_named("fast")
ALICE, BOB = (account_from_seed(bytes([k]) * 16) for k in (1, 2))
NOW_MS = 1_777_000_000_000
LETTER = seal_direct(SUITE, ALICE, BOB.id, encode_text("hello", NOW_MS), NOW_MS, bytes(range(96)))
HASH = rpc.message_hash(BOB.id, 0, LETTER)


def meaning(*accounts: Any, again: tuple[Call, ...] = ()) -> Meaning:
    held = [HeldKey("x25519", "account", account.x.public, account.x.secret) for account in accounts]
    return Meaning(SUITE, Keys(held), (), lambda request: again)


def retrieve(account: Any, *, forged: bool = False, namespace: int = 0) -> Call:
    text = rpc.signed_text("retrieve", namespace, NOW_MS)
    signature = bytes(64) if forged else SUITE.sign(account.ed, text)
    style = rpc.BODY_STYLES["desktop"]
    call = rpc.retrieve_call(
        style, account.id_hex, account.ed.public.hex(), namespace, "", NOW_MS, signature, -2
    )
    (read,) = read_calls(rpc.request_body(style, call)).calls
    return read


def store(data: bytes = LETTER) -> Call:
    style = rpc.BODY_STYLES["desktop"]
    (read,) = read_calls(rpc.request_body(style, rpc.store_call(style, BOB.id_hex, data, NOW_MS, 5000))).calls
    return read


def test_a_stored_message_shows_inbox_size_stamp_and_lifetime() -> None:
    found = meaning()
    assert found.take_request(Body((store(),))) == 0
    (message,) = found.messages
    assert message[:4] == (HASH, BOB.id, len(LETTER), NOW_MS)
    assert found.openings.contents == {}
    assert [list(values) for values in found.lifetimes] == [[0], [0], [5000], [0]]


def test_the_key_of_the_inbox_opens_it_and_no_other_does() -> None:
    found = meaning(ALICE, BOB)
    found.take_request(Body((store(),)))
    assert [list(values) for values in found.openings.opened] == [[0], [1]]
    content = found.openings.contents[0]
    assert (content.kind, content.writer) == ("text", f"account:{ALICE.id_hex}")
    assert content.target == f"account:{BOB.id_hex}"
    other = meaning(ALICE)
    other.take_request(Body((store(),)))
    assert other.openings.contents == {}


def test_one_message_is_one_however_often_it_is_met() -> None:
    found = meaning()
    for _ in range(3):
        found.take_request(
            Body(
                (
                    store(),
                    store(),
                )
            )
        )
    assert len(found.messages) == 1
    assert list(found.in_request[1]) == [0] * 6


def test_signatures_are_noted_once_an_account_and_checked_when_asked() -> None:
    found = meaning()
    found.take_request(
        Body(
            (
                retrieve(ALICE),
                retrieve(ALICE, namespace=2),
                retrieve(BOB),
            )
        )
    )
    found.take_request(Body((retrieve(BOB, forged=True),)))
    signers = [f"account:{account.id_hex}" for account in (ALICE, BOB, BOB)]
    assert [found.names[number] for number in found.signed[1]] == signers
    assert [found.is_signed(place) for place in range(3)] == [True, True, False]


def test_a_later_valid_signature_counts_where_the_first_is_forged() -> None:
    calls = (retrieve(ALICE, forged=True), retrieve(ALICE, namespace=2))
    found = meaning(again=calls)
    found.take_request(Body(calls))
    assert found.is_signed(0)
    forged = (calls[0], retrieve(BOB))
    found = meaning(again=forged)
    found.take_request(Body(forged))
    assert not found.is_signed(0)


def test_a_store_counts_as_accepted_under_the_right_hash_only() -> None:
    found = meaning()
    found.take_request(Body((store(),)))
    for code, hash_ in ((200, HASH), (200, "A" * 43), (406, HASH)):
        found.take_answer(0, 0, Answer((Result(code, {"hash": hash_}),)))
    assert [list(values) for values in found.accepted] == [[0], [0], [0]]


def test_retrieved_messages_count_under_their_own_hash_only() -> None:
    found = meaning()
    found.take_request(
        Body(
            (
                retrieve(BOB),
                retrieve(BOB, namespace=2),
            )
        )
    )
    data = LETTER

    def answer(hash_: str) -> Result:

        text = base64.b64encode(data).decode()
        entry = {"hash": hash_, "timestamp": NOW_MS, "expiration": NOW_MS + 1, "data": text}
        return Result(200, {"messages": [entry], "more": False})

    found.take_answer(0, 7, Answer((answer(HASH), answer(HASH))))  # of namespace 2 its hash would be another
    assert list(found.in_answer[1]) == [0]
    assert [list(values) for values in found.answers] == [[0], [7]]


def test_hostile_lifetimes_are_left_out() -> None:
    found = meaning()
    call = store()
    for ttl in (1 << 80, -(1 << 80), "x", None):
        found.take_request(Body((call._replace(fields={**call.fields, "ttl": ttl}),)))
    assert not found.lifetimes[0]
    assert base64_bytes(call.fields["data"]) == LETTER
