"""Which wishes of people the clients of this version carry out; all others are refused, never dropped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import (
    KINDS,
    DeviceChange,
    Group,
    GroupAction,
    GroupText,
    Reader,
    Strangers,
    Wish,
    kinds_of,
)
from sessionsim.network.devices import Seat

CARRIED_OUT: Final = frozenset(
    {
        *(
            "acceptance",
            "attachment",
            "call",
            "community",
            "config-change",
            "deletion",
            "device",
            "device-change",
            "group",
            "group-action",
        ),
        *(
            "group-text",
            "inbox-text",
            "link-preview",
            "name-lookup",
            "online",
            "post",
            "presence",
            "reaction",
            "receipt",
            "refusal",
            "strangers",
            "text",
            "typing",
        ),
    }
)


def check_kinds(kinds: Iterable[str]) -> None:
    """Refuse kinds of wishes that clients cannot carry out.

    Raises:
        InvalidInput: naming each of them.
    """
    beyond = set(kinds) - CARRIED_OUT
    unknown = [kind for kind in KINDS if kind in beyond]
    if unknown:
        allowed = f"kinds of wishes that clients carry out: {', '.join(sorted(CARRIED_OUT))}"
        hint = "Switch these parts of the workload off, or choose another pattern."
        raise InvalidInput("workload", ", ".join(unknown), allowed, hint)


def check_wishes(wishes: Sequence[Wish], seats: Sequence[Seat]) -> None:
    """Check the wishes of a world: that clients can carry them out, and that who acts on what exists.

    Raises:
        InvalidInput: a kind that clients cannot do, or an account or device that does not exist.
    """
    check_kinds(kinds_of(wishes))
    n_accounts = sum(seat.number == 0 for seat in seats)
    there = {seat[:2] for seat in seats}
    for wish in wishes:
        recipient = getattr(wish, "recipient", wish.sender)
        if not (0 <= wish.sender < n_accounts and 0 <= recipient < n_accounts):
            raise InvalidInput("workload", wish, f"accounts 0..{n_accounts - 1}")
        # What stood before time 0 is no act of a device.
        if not isinstance(wish, Group | Reader | Strangers) and (wish.sender, wish.device) not in there:
            raise InvalidInput("workload", wish, f"a device that account {wish.sender} has")
        if isinstance(wish, DeviceChange) and (wish.sender, wish.subject) not in there:
            raise InvalidInput("workload", wish, f"a device that account {wish.sender} has")
    _check_groups(wishes, n_accounts)


def _check_groups(wishes: Sequence[Wish], n_accounts: int) -> None:
    """Check that groups are there when something is done in them, and that people in them exist."""
    there: set[int] = set()
    for wish in wishes:
        if isinstance(wish, Group | GroupAction):
            people = wish.members if isinstance(wish, Group) else wish.subjects
            if any(not 0 <= person < n_accounts for person in people):
                raise InvalidInput("workload", wish, f"accounts 0..{n_accounts - 1}")
        begins = isinstance(wish, Group) or (isinstance(wish, GroupAction) and wish.what == "create")
        if isinstance(wish, Group | GroupAction | GroupText):
            if begins == (wish.group in there):
                raise InvalidInput("workload", wish, "a group that stands or was created, once")
            there.add(wish.group)
