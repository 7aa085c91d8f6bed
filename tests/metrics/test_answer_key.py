"""The answer key, on the replicate of `conftest`: accounts a to d at 244.0.0.1 to 244.0.3.1."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sessionsim.core.columns import Cause
from sessionsim.core.verdict import Question
from sessionsim.metrics import Replicate
from sessionsim.metrics._answer_key import AnswerKey
from tests.metrics.conftest import ADDRESSES, IDS

A, B, C, D = (f"account:{name}" for name in IDS)
MESSAGES = [
    {"sender": 0, "recipient": 1, "sync_hash": "s0"},
    {"sender": 1, "recipient": 0},
    {"sender": 2, "recipient": 1, "measured": False},
]


@pytest.fixture
def key(make_replicate: Callable[..., Replicate]) -> AnswerKey:
    rows = [
        (2_000_000, 12, 3, 100, Cause.MESSAGE),
        (2_100_000, 12, 3, 100, Cause.SYNC),
        (2_200_000, 3, 12, 50, Cause.POLL),
        (2_300_000, 14, 3, 70, Cause.POLL),
    ]
    replicate = make_replicate(messages=MESSAGES, rows=rows)
    replicate.truth.transmissions["ref"][:2] = 0
    return AnswerKey(replicate)


def test_both_copies_of_a_message_come_from_its_sender(key: AnswerKey) -> None:
    truths = key.truths(Question.SENDER_ADDRESS)
    assert truths["message:h0"] == truths["message:s0"] == (ADDRESSES[0],)
    assert key.truths(Question.RECIPIENT_ADDRESS)["message:h0"] == (ADDRESSES[1],)
    assert key.truths(Question.RECIPIENT_ADDRESS)["message:s0"] == (ADDRESSES[0],)
    assert key.truths(Question.SENDER_ACCOUNT)["message:h2"] == (C,)


def test_only_messages_can_lie_outside_the_measured_phase(key: AnswerKey) -> None:
    assert key.within("message:h0")
    assert not key.within("message:h2")
    assert key.within(A)


def test_accounts_and_addresses_belong_together(key: AnswerKey) -> None:
    assert key.truths(Question.ADDRESS_OF)[D] == (ADDRESSES[3],)
    assert key.truths(Question.ACCOUNT_OF)[ADDRESSES[3]] == (D,)
    assert key.truths(Question.PLATFORM)[ADDRESSES[2]] == ("platform:ios",)


def test_contacts_go_both_ways_and_writing_goes_one(key: AnswerKey) -> None:
    assert key.truths(Question.CONTACT) == {A: (B,), B: (A, C), C: (B,), D: ()}
    assert key.truths(Question.CONTACT_OF_ADDRESS)[ADDRESSES[1]] == (A,)
    assert key.is_apart(Question.CONTACT, A, A)
    assert key.is_apart(Question.CONTACT_OF_ADDRESS, ADDRESSES[0], A)
    assert not key.is_apart(Question.CONTACT, A, B)
    assert not key.is_apart(Question.CONTACT, "account:unknown", "account:other")


def test_rows_of_clients_have_a_purpose_and_an_owner(key: AnswerKey) -> None:
    assert key.truths(Question.EVENT_KIND) == {
        "row:0": ("kind:message",), "row:1": ("kind:sync",), "row:3": ("kind:poll",),
    }  # fmt: skip
    assert key.truths(Question.REAL_OR_DUMMY)["row:3"] == ()
    assert dict(key.carried) == {"row:0": "message:h0", "row:1": "message:s0"}
    assert [key.owner(f"row:{k}") for k in (0, 3, 2)] == [0, 2, -1]


def test_owners_are_those_who_act(key: AnswerKey) -> None:
    assert [key.owner(x) for x in (B, ADDRESSES[2], "message:h1", "message:no", "addr:9")] == [
        1,
        2,
        1,
        -1,
        -1,
    ]


def test_a_question_without_a_rule_has_no_answers(key: AnswerKey) -> None:
    assert key.truths(Question.TIME_ZONE) == {}


def test_members_share_groups_and_blinded_ids_have_addresses(
    make_replicate: Callable[..., Replicate],
) -> None:
    names = [
        (0, "member", "group:03aa", ""), (1, "admin", "group:03aa", ""), (2, "member", "group:03aa", ""),
        (2, "member", "group:03bb", ""), (3, "admin", "group:03bb", ""),
        (3, "token", "member:1", "group:03bb"),
        (1, "blinded", "blinded:15aa", "room-1"), (1, "blinded", "blinded:15aa", "room-2"),
        (2, "blinded", "blinded:15bb", "room-1"),
    ]  # fmt: skip
    key = AnswerKey(make_replicate(names=names))
    assert key.truths(Question.GROUP_MEMBER) == {A: (B, C), B: (A, C), C: (A, B, D), D: (C,)}
    assert key.is_apart(Question.GROUP_MEMBER, A, A)
    assert key.truths(Question.ADDRESS_OF_BLINDED) == {
        "blinded:15aa": (ADDRESSES[1],), "blinded:15bb": (ADDRESSES[2],),
    }  # fmt: skip
    assert [key.owner(name) for name in ("blinded:15aa", "blinded:15bb", "blinded:15cc")] == [1, 2, -1]
