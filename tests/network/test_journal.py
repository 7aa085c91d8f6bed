"""Truth about messages as the machines report it."""

from __future__ import annotations

import pytest

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.intents import GroupText, Intent, Typing
from sessionsim.core.truth import EVENT_COLUMNS
from sessionsim.network.devices import Seat
from sessionsim.network.journal import MessageJournal
from sessionsim.network.orders import orders_of
from sessionsim.protocol import contents
from sessionsim.protocol.machine import DELIVER, EVENT, LOG

WISHES = (
    Intent(10, 0, 1, "hello"),
    Intent(20, 1, 0, "täxt 😀"),
    Intent(30, 2, 2, ""),
    GroupText(40, 0, 5, "all", 0),
    Typing(50, 0, 1, 0, 0, "start"),
)
ORDERS = orders_of(WISHES)
FIRST = 10  # endpoint of the first device
# Accounts 0, 1 and 2 at endpoints 10, 11 and 12; 0 and 2 have a second device, at 13 and 14.
SEATS = tuple(Seat(account, number, "ios") for account, number in ((0, 0), (1, 0), (2, 0), (0, 1), (2, 1)))
IDS = {bytes([5, account]): account for account in range(3)}
WRITERS = (10, 11, 12, 10, 10)


def journal() -> MessageJournal:
    made = MessageJournal(ORDERS, SEATS, FIRST, IDS)
    for ref, writer in enumerate(WRITERS):
        made.log(writer, (LOG, "hash", ref, f"hash{ref}"), ref)
    return made


def deliver(made: MessageJournal, endpoint: int, body: object, hash_: str, now_us: int = 300) -> None:
    made.deliver(endpoint, (DELIVER, b"\x05" * 33, 5, body, hash_), now_us)


def test_logs_go_to_their_columns_and_the_last_counts() -> None:
    made = journal()
    for attempt in (1, 2, 3):
        made.log(11, (LOG, "attempts", 1, attempt), attempt)
    made.log(11, (LOG, "stored", 1, 1 << 50), 7)
    made.log(11, (LOG, "sync_hash", 1, "own"), 8)
    made.log(11, (LOG, "sync_stored", 1, 900), 900)
    made.log(10, (LOG, "failed", 0, "status 504"), 9)
    made.log(11, (LOG, "sync_failed", 1, "status 0"), 9)
    made.log(11, (LOG, "written", 1, (77, 99)), 9)
    assert made.numbers["attempts"] == [0, 3, 0, 0, 0]
    assert made.numbers["stored"] == [-1, 1 << 50, -1, -1, -1]
    assert made.numbers["sync_stored"][1] == 900
    assert (made.texts["hash"][1], made.texts["sync_hash"][1]) == ("hash1", "own")
    assert (made.texts["failed"][0], made.texts["sync_failed"][1]) == ("status 504", "status 0")
    assert (made.written[0], made.written[1]) == ((-1, -1), (77, 99))


def test_an_audience_is_told_by_ids_and_kept_by_number() -> None:
    made = journal()
    made.log(10, (LOG, "to", 3, (bytes([5, 2]), bytes([5, 0]))), 3)
    assert made.audience == {3: (0, 2)}


def test_who_writes_is_the_device_of_the_order_until_a_device_has_sealed() -> None:
    made = MessageJournal(ORDERS, SEATS, FIRST, IDS)
    assert [made.own_seat(ref) for ref in range(3)] == [0, 1, 2]
    made.log(13, (LOG, "hash", 0, "h"), 0)
    assert made.own_seat(0) == 3


def test_the_first_delivery_to_each_device_counts_and_others_are_repeats() -> None:
    made = journal()
    for t_us in (300, 400, 500):
        deliver(made, 10, "täxt 😀", "hash1", t_us)
    deliver(made, 13, "täxt 😀", "hash1", 350)
    assert list(made.deliveries(sync=False)) == [(1, 0, 300), (1, 3, 350)]
    assert (made.delivered_us(1, 0, sync=False), made.delivered_us(1, 3, sync=False)) == (300, 350)
    assert made.delivered_us(1, 1, sync=False) == made.delivered_us(1, 0, sync=True) == -1
    assert made.repeats(1, 0) == (2, "taken again")
    assert made.repeats(1, 3) == (0, "")


def test_a_message_sealed_twice_may_be_shown_twice_and_says_so() -> None:
    made = journal()
    made.log(10, (LOG, "hash", 0, "other"), 7)
    made.log(11, (LOG, "hash", 1, "hash1"), 7)  # the same again is no second sealing
    deliver(made, 11, "hello", "hash0", 300)
    deliver(made, 11, "hello", "other", 400)
    deliver(made, 10, "täxt 😀", "hash1", 300)
    deliver(made, 10, "täxt 😀", "hash1", 400)
    assert made.repeats(0, 1) == (1, "sealed again")
    assert made.repeats(1, 0) == (1, "taken again")


def test_sync_copies_are_for_the_other_devices_of_the_writer() -> None:
    made = journal()
    made.log(10, (LOG, "sync_hash", 0, "own"), 8)
    deliver(made, 13, "hello", "own", 400)
    assert list(made.deliveries(sync=True)) == [(0, 3, 400)]
    assert list(made.deliveries(sync=False)) == []
    with pytest.raises(LocalProtocolError, match="nobody sent so"):
        deliver(made, 10, "hello", "own")  # the writer itself
    with pytest.raises(LocalProtocolError, match="nobody sent so"):
        deliver(made, 11, "hello", "own")  # somebody else


def test_a_note_to_oneself_is_for_the_other_devices() -> None:
    made = journal()
    deliver(made, 14, "", "hash2")
    with pytest.raises(LocalProtocolError):
        deliver(made, 12, "", "hash2")


def test_who_is_in_a_group_only_the_run_knows() -> None:
    made = journal()
    deliver(made, 12, "all", "hash3")
    deliver(made, 13, "all", "hash3")
    with pytest.raises(LocalProtocolError):
        deliver(made, 10, "all", "hash3")  # who wrote it


@pytest.mark.parametrize(
    ("endpoint", "body", "hash_"),
    [
        (11, "hello", "unknown"), (11, "hello!", "hash0"), (11, "hello", "hash1"), (10, "hello", "hash0"),
        (13, "hello", "hash0"), (12, "hello", "hash0"), (11, "typing", "hash4"),
    ],
)  # fmt: skip
def test_a_delivery_that_no_order_explains_is_our_bug(endpoint: int, body: str, hash_: str) -> None:
    made = journal()
    with pytest.raises(LocalProtocolError, match="nobody sent so"):
        deliver(made, endpoint, body, hash_)
    assert list(made.deliveries(sync=False)) == []


def test_what_is_no_text_is_delivered_as_a_record_that_says_what_was_wished() -> None:
    made = journal()
    for wrong in (object(), contents.Typing(started=False, at_ms=5), contents.ReadReceipt((5,))):
        with pytest.raises(LocalProtocolError):
            deliver(made, 11, wrong, "hash4")
    deliver(made, 11, contents.Typing(started=True, at_ms=5), "hash4")
    assert list(made.deliveries(sync=False)) == [(4, 1, 300)]


def test_people_are_told_which_device_has_which_message() -> None:
    made, told = journal(), list[tuple[int, ...]]()
    made.tell_people = lambda *what: told.append(what)
    made.log(10, (LOG, "written", 0, (77, 99)), 1)
    made.log(10, (LOG, "stored", 0, 400), 400)
    made.log(10, (LOG, "sync_hash", 0, "own"), 401)
    deliver(made, 11, "hello", "hash0", 500)
    deliver(made, 11, "hello", "hash0", 600)
    deliver(made, 13, "hello", "own", 700)
    assert told == [(0, 0, 77, 400), (0, 1, 5, 500), (0, 3, 5, 700)]


def test_an_unknown_log_is_our_bug() -> None:
    with pytest.raises(LocalProtocolError, match="unknown log 'sotred' from endpoint 9"):
        journal().log(9, (LOG, "sotred", 0, 1), 1)


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
