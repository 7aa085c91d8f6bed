"""When devices are told what their people want: at the time, or when what it is about has come."""

from __future__ import annotations

from typing import Any

from sessionsim.core.intents import (
    Call,
    CallSignal,
    Deletion,
    GroupText,
    Intent,
    MessageAt,
    Post,
    Reaction,
    Receipt,
    Typing,
    Wish,
)
from sessionsim.network.devices import Seat
from sessionsim.network.orders import Order, orders_of
from sessionsim.network.prompter import NEVER_WRITTEN, Prompter

FIRST = 10
# Accounts 0 and 1 at endpoints 10 and 11; account 1 has a second device at 12.
SEATS = (Seat(0, 0, "ios"), Seat(1, 0, "ios"), Seat(1, 1, "desktop"))
IDS = [b"0", b"1"]


class Told:
    """People whose commands are taken down."""

    def __init__(self, *wishes: Wish) -> None:
        self.commands: list[tuple[int, int, tuple[Any, ...]]] = []
        self.orders = orders_of(wishes)
        self.people = Prompter(
            self.orders, SEATS, FIRST, IDS, self._plain, self._remark, "hash{}".format, self._tell
        )
        self.people.begin()

    def _plain(self, ref: int, order: Order) -> tuple[Any, ...]:
        return ("plain", ref, order.kind)

    def _remark(self, ref: int, order: Order, time_ms: int, hash_: str) -> tuple[Any, ...]:
        return ("remark", ref, order.kind, time_ms, hash_)

    def _tell(self, t_us: int, endpoint: int, command: tuple[Any, ...]) -> None:
        self.commands.append((t_us, endpoint, command))

    def has(self, message: int, seat: int, written_ms: int, now_us: int) -> list[Any]:
        before = len(self.commands)
        self.people.has(message, seat, written_ms, now_us)
        return self.commands[before:]


def test_texts_and_typing_go_out_at_their_time_on_their_device() -> None:
    told = Told(
        Typing(5, 1, 0, 0, 0, "start", device=1), Typing(8, 1, 0, 0, 0, "stop"), Intent(9, 1, 0, "hello")
    )
    assert told.commands == [
        (5, 12, ("typing", 0, b"0", True)),
        (8, 11, ("typing", 1, b"0", False)),
        (9, 11, ("plain", 2, "text")),
    ]
    assert not told.people.listens


def test_a_receipt_waits_for_all_it_covers_on_its_own_device() -> None:
    told = Told(Intent(1, 0, 1, "a", 0), Intent(2, 0, 1, "b", 1), Receipt(50, 1, 0, (0, 1), device=1))
    assert told.people.listens
    assert told.people.awaited() == {2: {0, 1}}
    assert told.has(0, 2, 700, 20) == []
    assert told.has(1, 1, 701, 30) == []  # the other device
    assert told.people.awaited() == {2: {1}}
    assert told.has(1, 2, 701, 90) == [(90, 12, ("receipt", 2, b"0", (700, 701)))]
    assert told.people.awaited() == {}
    assert told.has(1, 2, 701, 95) == []


def test_what_has_come_before_its_time_goes_out_at_its_time() -> None:
    told = Told(Intent(1, 0, 1, "a"), Reaction(50, 1, MessageAt("direct", 1, 0, 0), "😮", removed=True))
    assert told.has(0, 1, 700, 20) == [(50, 11, ("react", 1, b"0", b"0", 700, "😮", True))]


def test_who_reacts_to_or_deletes_an_own_message_waits_until_it_is_stored() -> None:
    target = MessageAt("direct", 1, 0, 0)
    told = Told(Intent(1, 0, 1, "a"), Reaction(2, 0, target, "😮"), Deletion(3, 0, target))
    assert told.has(0, 1, 700, 9) == []  # the reader has it; the writer does not know yet that it is stored
    assert told.has(0, 0, 700, 20) == [
        (20, 10, ("react", 1, b"1", b"0", 700, "😮", False)),
        (20, 10, ("unsend", 2, b"1", b"0", 700)),
    ]


def test_what_nobody_writes_never_comes() -> None:
    told = Told(Intent(1, 0, 1, "a", 0), Receipt(50, 1, 0, (0, 7)))
    assert told.has(0, 1, 700, 20) == []
    assert told.people.awaited() == {1: {NEVER_WRITTEN}}


def test_remarks_in_groups_and_rooms_wait_too_and_name_what_they_are_about() -> None:
    told = Told(
        GroupText(1, 0, 5, "all", 0),
        Reaction(2, 1, MessageAt("group", 5, 0, 0), "😮"),
        Post(3, 0, 8, "world", 0),
        Deletion(4, 0, MessageAt("room", 8, 0, 0)),
    )
    assert [command[2][0] for command in told.commands] == ["plain", "plain"]
    assert told.has(0, 1, 700, 20) == [(20, 11, ("remark", 1, "reaction", 700, "hash0"))]
    assert told.has(2, 0, 701, 30) == [(30, 10, ("remark", 3, "deletion", 701, "hash2"))]


SIGNALS = (
    CallSignal(0, True, "pre-offer", 0),
    CallSignal(1, True, "offer", 2000),
    CallSignal(50, False, "answer", 2000),
    CallSignal(52, False, "ice", 780),
    CallSignal(90, True, "end", 0),
)
CALL = Call(100, 0, 1, 0, "answered", 50, 40, SIGNALS)


def test_a_call_is_answered_on_the_device_that_rings_first_and_ended_after_the_answer() -> None:
    told = Told(CALL)
    assert told.commands == [
        (100, 10, ("call", 0, b"1", "pre-offer", 0)),
        (101, 10, ("call", 1, b"1", "offer", 2000)),
    ]
    assert told.has(0, 1, 700, 110) == []  # the announcement alone cannot be answered
    assert told.has(1, 2, 701, 170) == [
        (170, 12, ("call", 2, b"0", "answer", 2000)),
        (170, 12, ("call", 3, b"0", "ice", 780)),
    ]
    assert told.has(1, 1, 701, 180) == []
    assert told.has(2, 1, 702, 190) == []  # the answerer's own other device
    assert told.has(2, 0, 702, 195) == [(195, 10, ("call", 4, b"1", "end", 0))]


def test_a_caller_whom_nobody_answers_hangs_up_at_the_time() -> None:
    signals = (*SIGNALS[:2], CallSignal(60, True, "end", 0))
    told = Told(Call(100, 0, 1, 0, "missed", 60, 0, signals))
    assert told.commands[-1] == (160, 10, ("call", 2, b"1", "end", 0))


def test_who_was_called_refuses_once_it_rings() -> None:
    told = Told(Call(100, 0, 1, 0, "declined", 60, 0, (*SIGNALS[:2], CallSignal(60, False, "end", 0))))
    assert told.has(1, 0, 701, 120) == []  # the caller has it stored; nothing rings yet
    assert told.has(1, 1, 701, 150) == [(160, 11, ("call", 2, b"0", "end", 0))]


def test_authors_who_asked_for_deletion_are_known() -> None:
    target = MessageAt("direct", 1, 0, 0)
    told = Told(Intent(1, 0, 1, "a"), Deletion(3, 0, target), Deletion(3, 0, target._replace(number=9)))
    assert told.people.deleted(lambda ref: True) == {0}
    assert told.people.deleted(lambda ref: False) == frozenset()
