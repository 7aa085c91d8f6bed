from __future__ import annotations

import base64
from typing import Any

import pytest

from sessionsim.adversary.keyring import Keys
from sessionsim.adversary.mail import Mailbox, mail_got, mail_sent
from sessionsim.core.view import HeldKey
from sessionsim.protocol.blinded_message import own_id, seal
from sessionsim.protocol.contents import Message, Text, write
from sessionsim.protocol.identity import Account, account_from_seed
from sessionsim.protocol.wire.padding import pad

ALICE, BOB, EVE = (account_from_seed(bytes([number]) * 16) for number in (1, 2, 3))
SERVER = account_from_seed(bytes([4]) * 16).x.public
ONE, OTHER = (own_id(account, SERVER, b"\x15") for account in (ALICE, BOB))
SEALED = seal(ALICE, SERVER, OTHER, pad(write(Message(1_777_000_000_000, Text("hi")))), bytes(24))


def held(*accounts: Account) -> Keys:
    keys = (HeldKey("ed25519", f"account:{one.id_hex}", one.ed.public, one.ed.secret) for one in accounts)
    return Keys(keys)


def sent(**more: Any) -> dict[str, Any]:
    message = base64.b64encode(SEALED).decode()
    return {"headers": {"X-SOGS-Pubkey": ONE.hex()}, "message": message, **more}


@pytest.mark.parametrize("reader", [ALICE, BOB])
def test_a_letter_that_is_sent_opens_for_both_ends(reader: Account) -> None:
    (mail,) = mail_sent(f"POST /inbox/{OTHER.hex()}", sent())
    (opened,) = Mailbox(held(EVE, reader)).open(SERVER, mail)
    assert (opened.owner, opened.writer) == (reader.id, ALICE.id)
    assert opened.message is not None
    assert opened.message.part == Text("hi")


def test_it_opens_for_nobody_else_and_at_no_other_server() -> None:
    (mail,) = mail_sent(f"POST /inbox/{OTHER.hex()}", sent())
    assert list(Mailbox(held(EVE)).open(SERVER, mail)) == []
    assert list(Mailbox(held(ALICE, BOB)).open(EVE.x.public, mail)) == []
    assert list(Mailbox(held(ALICE)).open(SERVER, mail._replace(sealed=mail.sealed[:-1] + b"x"))) == []


def test_a_letter_that_is_handed_over_is_the_same() -> None:
    post = {"id": 1, "sender": ONE.hex(), "recipient": OTHER.hex(), "message": sent()["message"]}
    (got,) = mail_got("GET /inbox/since/7", {"body": [post, "junk"]})
    (written,) = mail_sent(f"POST /inbox/{OTHER.hex()}", sent())
    assert got == written
    assert got.name == written.name
    assert list(mail_got("GET /outbox", {"body": [post]})) == [got]


def test_what_is_no_message_inside_is_opened_all_the_same() -> None:
    sealed = seal(ALICE, SERVER, OTHER, b"\xff\xff", bytes(24))
    (mail,) = mail_sent(f"POST /inbox/{OTHER.hex()}", sent(message=base64.b64encode(sealed).decode()))
    (opened,) = Mailbox(held(BOB)).open(SERVER, mail)
    assert (opened.message, opened.plaintext) == (None, b"\xff\xff")


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        (f"POST /inbox/{OTHER.hex()}", sent(headers=None)),
        (f"POST /inbox/{OTHER.hex()}", sent(message=17)),
        (f"POST /inbox/{OTHER.hex()}", {}),
        ("POST /inbox/short", sent()),
        ("POST /room/a/message", sent()),
    ],
)
def test_other_requests_send_none(method: str, fields: dict[str, Any]) -> None:
    assert list(mail_sent(method, fields)) == []


@pytest.mark.parametrize("body", [None, "x", {}, [1], [{"sender": 1}], [{"message": "aGk="}]])
def test_other_answers_hand_over_none(body: Any) -> None:
    assert list(mail_got("GET /inbox", {"body": body})) == []
    assert list(mail_got("GET /room/a/messages/recent", {"body": body})) == []
