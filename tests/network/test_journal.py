"""Truth about messages as the machines report it."""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.intents import Intent
from sessionsim.core.truth import EVENT_COLUMNS, MESSAGE_COLUMNS
from sessionsim.network.devices import Seat
from sessionsim.network.journal import MessageJournal
from sessionsim.protocol.machine import DELIVER, EVENT, LOG

INTENTS = (
    Intent(10, 0, 1, "hello"),
    Intent(20, 1, 0, "täxt 😀"),
    Intent(30, 2, 2, ""),
    Intent(40, 0, 2, "late"),
)
FIRST = 10  # endpoint of the first device
# Accounts 0, 1 and 2 at endpoints 10, 11 and 12; 0 and 2 have a second device, at 13 and 14.
SEATS = tuple(Seat(account, number, "ios") for account, number in ((0, 0), (1, 0), (2, 0), (0, 1), (2, 1)))


def journal() -> MessageJournal:
    made = MessageJournal(INTENTS, (20, 40), SEATS, FIRST)
    for ref in range(4):
        made.log(9, (LOG, "hash", ref, f"hash{ref}"), ref)
    return made


def deliver(made: MessageJournal, ref: int, now_us: int, sent_ms: int = 5) -> None:
    endpoint = 14 if ref == 2 else FIRST + INTENTS[ref].recipient  # a note to oneself is for the other device
    made.deliver(endpoint, (DELIVER, b"\x05" * 33, sent_ms, INTENTS[ref].body, f"hash{ref}"), now_us)


def test_nothing_reported_is_censored_and_missing() -> None:
    table = MessageJournal(INTENTS, (20, 40), SEATS, FIRST).table()
    assert set(table) == set(MESSAGE_COLUMNS)
    assert list(table["outcome"]) == ["censored"] * 4
    assert list(table["hash"]) == list(table["sync_hash"]) == [""] * 4
    for column in ("stored_us", "sync_stored_us", "delivered_us"):
        assert list(table[column]) == [-1] * 4
    assert list(table["attempts"]) == [0] * 4


def test_intents_are_kept_with_bytes_and_not_characters() -> None:
    table = journal().table()
    assert list(table["message"]) == [0, 1, 2, 3]
    assert list(table["sender"]) == [0, 1, 2, 0]
    assert list(table["recipient"]) == [1, 0, 2, 2]
    assert list(table["intent_us"]) == [10, 20, 30, 40]
    assert list(table["body_bytes"]) == [5, 10, 0, 4]


def test_events_name_their_message_by_number_or_by_hash() -> None:
    made = journal()
    assert {name: values.tolist() for name, values in made.events().items()} == {
        name: [] for name in EVENT_COLUMNS
    }
    made.event(11, (EVENT, "fetched", "hash1", 200), 70)
    made.event(12, (EVENT, "uploaded", 3, -5), 80)
    made.event(12, (EVENT, "fetched", "unknown", 0), 80)
    assert {name: values.tolist() for name, values in made.events().items()} == {
        "t_us": [70, 80, 80],
        "endpoint": [11, 12, 12],
        "what": ["fetched", "uploaded", "fetched"],
        "message": [1, 3, -1],
        "value": [200, -5, 0],
    }


def test_the_measured_phase_is_half_open() -> None:
    assert list(journal().table()["measured"]) == [False, True, True, False]


def test_each_outcome() -> None:
    made = journal()
    made.log(9, (LOG, "stored", 0, 100), 100)
    made.log(9, (LOG, "failed", 1, "status 504"), 100)
    made.log(9, (LOG, "stored", 2, 100), 100)
    deliver(made, 2, 300)
    assert list(made.table()["outcome"]) == ["stored", "failed", "delivered", "censored"]


def test_a_text_its_sender_gave_up_but_its_recipient_has_is_delivered() -> None:
    made = journal()
    made.log(9, (LOG, "failed", 0, "status 0"), 100)
    deliver(made, 0, 300)
    assert made.table()["outcome"][0] == "delivered"
    assert made.table()["stored_us"][0] == -1


def test_logs_go_to_their_columns_and_the_last_counts() -> None:
    made = journal()
    for attempt in (1, 2, 3):
        made.log(9, (LOG, "attempts", 1, attempt), attempt)
    made.log(9, (LOG, "stored", 1, 1 << 50), 7)
    made.log(9, (LOG, "sync_hash", 1, "own"), 8)
    made.log(9, (LOG, "sync_stored", 1, 900), 900)
    table = made.table()
    assert list(table["attempts"]) == [0, 3, 0, 0]
    assert table["stored_us"][1] == 1 << 50
    assert (table["sync_hash"][1], table["sync_stored_us"][1]) == ("own", 900)


def test_the_first_delivery_counts_and_others_are_duplicates() -> None:
    made = journal()
    for t_us in (300, 400, 500):
        deliver(made, 1, t_us)
    assert made.table()["delivered_us"][1] == 300
    assert made.duplicates == 2


def test_the_time_a_sender_claims_overflows_nothing() -> None:
    made = journal()
    deliver(made, 0, 300, sent_ms=(1 << 64) - 1)
    table = made.table()
    assert table["delivered_us"][0] == 300
    assert {column.dtype for column in table.values()} <= {
        np.dtype(np.int64), np.dtype(np.int32), np.dtype(object), np.dtype(bool),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "hash_"), [("hello", "unknown"), ("hello!", "hash0"), ("hello", "hash1"), ("hello", "own")]
)
def test_a_delivery_that_no_intent_explains_is_our_bug(body: str, hash_: str) -> None:
    made = journal()
    made.log(9, (LOG, "sync_hash", 0, "own"), 8)
    with pytest.raises(LocalProtocolError, match="nobody sent so"):
        made.deliver(FIRST + 1, (DELIVER, b"\x05" * 33, 5, body, hash_), 300)
    assert made.table()["delivered_us"][0] == -1


def test_an_unknown_log_is_our_bug() -> None:
    with pytest.raises(LocalProtocolError, match="unknown log 'sotred' from endpoint 9"):
        journal().log(9, (LOG, "sotred", 0, 1), 1)


def test_an_empty_run_gives_empty_columns() -> None:
    table = MessageJournal((), (0, 1), (), FIRST).table()
    assert {len(column) for column in table.values()} == {0}
