"""What is accounted for: one order for every wish that is to reach other devices, for each step of a call.

The number of an order is the message number of `core.truth`: it goes with every command, log and transmission
that belongs to it. What only describes the people (devices, strangers, groups that stood before, readers of
rooms, presence) is carried out but reaches nobody, so it is no order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from sessionsim.core.intents import (
    Acceptance,
    Call,
    ConfigChange,
    Deletion,
    Device,
    DeviceChange,
    Group,
    GroupAction,
    GroupText,
    InboxText,
    Intent,
    MessageAt,
    NameLookup,
    Post,
    Presence,
    Reaction,
    Reader,
    Receipt,
    Refusal,
    Strangers,
    Typing,
    Wish,
)

NOWHERE: Final = -1


class Order(NamedTuple):
    """One thing that is to reach others.

    Args:
        t_us: when it is wished.
        sender, device: whose it is, and on which device; the device is -1 where only the run shows it.
        recipient: account of the other person; -1 in groups and rooms, for changes of configs and refusals,
            which are done once the own swarm holds them, and for look-ups of names, which nodes answer.
        group, room: their number; -1 elsewhere.
        body: what a device that gets it must show; None for what is no text.
        wish: where it comes from; step: which of the signals of a call.
    """

    t_us: int
    kind: str
    sender: int
    device: int
    recipient: int
    group: int
    room: int
    body: str | None
    wish: Wish
    step: int = 0


def orders_of(wishes: Iterable[Wish]) -> tuple[Order, ...]:
    """List the orders that wishes give, in their order."""
    return tuple(order for wish in wishes for order in _orders(wish))


def _orders(wish: Wish) -> Iterator[Order]:
    if isinstance(wish, Device | DeviceChange | Group | Reader | Presence | Strangers):
        return
    if isinstance(wish, Call):
        yield from _steps(wish)
        return
    recipient, group, room = _aim(wish)
    body = wish.body if isinstance(wish, Intent | GroupText | Post | InboxText) else None
    yield Order(wish.t_us, wish.kind, wish.sender, wish.device, recipient, group, room, body, wish)


def _aim(
    wish: Intent
    | InboxText
    | Acceptance
    | Refusal
    | NameLookup
    | GroupText
    | Post
    | GroupAction
    | Typing
    | Receipt
    | Reaction
    | Deletion
    | ConfigChange,
) -> tuple[int, int, int]:
    """Give recipient, group and room of a wish that is one order."""
    match wish:
        case Intent() | InboxText() | Acceptance() | Typing() | Receipt():
            return wish.recipient, NOWHERE, NOWHERE
        case GroupText() | GroupAction():
            return NOWHERE, wish.group, NOWHERE
        case Post():
            return NOWHERE, NOWHERE, wish.room
        case Reaction() | Deletion():
            return _other_side(wish.target, wish.sender)
        case NameLookup():
            return NOWHERE, NOWHERE, NOWHERE
        case ConfigChange() | Refusal():
            # The swarm keeps it, in this version of the config and in those that replace it.
            return NOWHERE, NOWHERE, NOWHERE


def _other_side(target: MessageAt, sender: int) -> tuple[int, int, int]:
    """Give where something about a message goes that one of those who have it does."""
    if target.where == "group":
        return NOWHERE, target.place, NOWHERE
    if target.where == "room":
        return NOWHERE, NOWHERE, target.place
    return target.place if sender == target.author else target.author, NOWHERE, NOWHERE


def _steps(call: Call) -> Iterator[Order]:
    for step, signal in enumerate(call.signals):
        sender, other = (call.sender, call.recipient) if signal.by_caller else (call.recipient, call.sender)
        device = call.device if signal.by_caller else NOWHERE
        t_us = call.t_us + signal.after_us
        yield Order(t_us, call.kind, sender, device, other, NOWHERE, NOWHERE, None, call, step)
