"""Which devices there are: the first of each account, those that were linked before time 0, and later ones.

A world numbers them so that an account's further devices move nobody else: first devices in the order of
the accounts, then further ones by account and number. A further device stands where the first one stands,
on a line of its own (Assumption: a phone and a computer are mostly in one place, one on a mobile line).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import Device, Wish


class Seat(NamedTuple):
    """One device of one account. Args: number: 0 for the first device; platform: what it is."""

    account: int
    number: int
    platform: str


def unlinked_of(wishes: Iterable[Wish]) -> frozenset[tuple[int, int]]:
    """List the devices that are not linked when a run begins, as account and number.

    Raises:
        InvalidInput: one of an account comes before one that is linked.
    """
    devices = [wish for wish in wishes if isinstance(wish, Device)]
    found = frozenset((wish.sender, wish.device) for wish in devices if not wish.linked)
    for wish in devices:
        if wish.linked and any(account == wish.sender and number < wish.device for account, number in found):
            place = ("workload device", (wish.sender, wish.device))
            raise InvalidInput(*place, "linked devices of an account before others")
    return found


def seats_of(platforms: Sequence[str], wishes: Iterable[Wish], known: Set[str]) -> tuple[Seat, ...]:
    """List all devices: the first of each account, then what the wishes of kind `device` name.

    Args:
        platforms: platform of each account's first device.
        wishes: those of a world; kinds other than `device` are passed over.
        known: platforms that exist.

    Raises:
        InvalidInput: an account or platform that does not exist, or device numbers of an account that do not
            run from 1 without gap.
    """
    first = [Seat(account, 0, platform) for account, platform in enumerate(platforms)]
    further = sorted(
        Seat(wish.sender, wish.device, wish.platform) for wish in wishes if isinstance(wish, Device)
    )
    for seat in (*first, *further):
        if seat.platform not in known:
            raise InvalidInput("clients", seat.platform, "one of " + ", ".join(sorted(known)))
    expected: dict[int, int] = {}
    for seat in further:
        if not 0 <= seat.account < len(first):
            raise InvalidInput("workload device", tuple(seat), f"accounts 0..{len(first) - 1}")
        number = expected.get(seat.account, 1)
        if seat.number != number:
            allowed = f"device {number} next, as devices are numbered from 1 without gap"
            raise InvalidInput("workload device", tuple(seat), allowed)
        expected[seat.account] = number + 1
    return (*first, *further)
