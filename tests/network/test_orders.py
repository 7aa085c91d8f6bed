"""Which wishes are accounted for, and where each goes."""

from __future__ import annotations

import pytest

from sessionsim.core.intents import (
    Call,
    CallSignal,
    ConfigChange,
    Deletion,
    Device,
    Group,
    GroupAction,
    GroupText,
    Intent,
    MessageAt,
    Post,
    Presence,
    Reaction,
    Reader,
    Receipt,
    Typing,
    Wish,
)
from sessionsim.network.orders import orders_of

DIRECT = MessageAt("direct", 4, 3, 0)  # account 3 wrote to account 4


@pytest.mark.parametrize(
    ("wish", "recipient", "group", "room", "body"),
    [
        (Intent(5, 3, 4, "hello", device=1), 4, -1, -1, "hello"),
        (GroupText(5, 3, 7, "all", 0, device=1), -1, 7, -1, "all"),
        (Post(5, 3, 8, "world", 0, device=1), -1, -1, 8, "world"),
        (Typing(5, 3, 4, 0, 0, "start", device=1), 4, -1, -1, None),
        (Receipt(5, 3, 4, (0, 1), device=1), 4, -1, -1, None),
        (Reaction(5, 3, DIRECT._replace(place=3, author=4), "😮", device=1), 4, -1, -1, None),
        (Reaction(5, 3, DIRECT, "😮", device=1), 4, -1, -1, None),  # on the own message
        (Reaction(5, 3, MessageAt("group", 7, 4, 0), "😮", device=1), -1, 7, -1, None),
        (Deletion(5, 3, DIRECT, device=1), 4, -1, -1, None),
        (Deletion(5, 3, MessageAt("room", 8, 3, 0), device=1), -1, -1, 8, None),
        (GroupAction(5, 3, 7, 0, "rename", name="x", device=1), -1, 7, -1, None),
        (ConfigChange(5, 3, "profile", "name", 0, device=1), -1, -1, -1, None),
    ],
)
def test_a_wish_is_one_order(wish: Wish, recipient: int, group: int, room: int, body: str | None) -> None:
    (order,) = orders_of((wish,))
    assert (order.t_us, order.kind, order.sender, order.device) == (5, wish.kind, 3, 1)
    assert (order.recipient, order.group, order.room, order.body) == (recipient, group, room, body)
    assert order.wish is wish


def test_what_only_describes_the_people_is_no_order() -> None:
    before = (Device(0, 1, 1, "ios"), Group(0, 0, 1, (0, 1), "us"), Reader(0, 1, 2))
    assert orders_of((*before, Presence(0, 1, 0, "online", True, 0))) == ()


def test_each_signal_of_a_call_is_an_order_of_whoever_sends_it() -> None:
    signals = (CallSignal(0, True, "pre-offer", 0), CallSignal(70, False, "answer", 9))
    call = Call(100, 2, 1, 0, "answered", 60, 10, signals, device=1)
    orders = orders_of((call, Intent(200, 0, 1, "x")))
    assert [(o.t_us, o.kind, o.sender, o.device, o.recipient, o.step) for o in orders] == [
        (100, "call", 2, 1, 1, 0),
        (170, "call", 1, -1, 2, 1),
        (200, "text", 0, 0, 1, 0),
    ]
