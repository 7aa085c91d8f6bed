"""What people change about themselves and their contacts: pictures, names, entries in the list of contacts.

A new picture is uploaded, pushed to the own devices, and fetched by every contact once it is heard of; those
are the clients' doings (client-behaviour 6.5, messages 5.7). How often anybody does this is not published:
all numbers are assumptions, and keys.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sessionsim.core.intents import ConfigChange, File
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_S
from sessionsim.workload.draws import Luck, Rows
from sessionsim.workload.laws import LogNormal
from sessionsim.workload.rhythm import Clock, moments

_AVATAR_SIGMA: Final = 0.7  # Assumption: a factor of two either way
_LIMIT_BYTES: Final = 10_000_000  # Source: client-behaviour 6.5, limit of clients
# What changes, and in which config. Source: messages 5.2 (data keys).
_CONFIGS: Final = {"avatar": "profile", "name": "profile", "contact": "contacts"}


@dataclass(frozen=True)
class ProfileRules:
    """Settings of changes to profiles and contacts."""

    avatar_every_us: int = setting(
        60 * US_PER_DAY,
        unit="us",
        doc="Mean time between two pictures of an account.",
        source="Assumption: every other month",
        low=US_PER_H,
    )
    avatar_median_bytes: int = setting(
        60_000,
        unit="bytes",
        doc="Median size of a picture before encryption; log-normal.",
        source="Assumption: clients scale pictures down",
        low=100,
    )
    name_every_us: int = setting(
        180 * US_PER_DAY,
        unit="us",
        doc="Mean time between two names of an account.",
        source="Assumption: twice a year",
        low=US_PER_H,
    )
    contact_every_us: int = setting(
        15 * US_PER_DAY,
        unit="us",
        doc="Mean time between two changes to the list of contacts: a nickname, a pin, a block.",
        source="Assumption: twice a month",
        low=US_PER_H,
    )


def profile_changes(
    account: int, rules: ProfileRules, clock: Clock, end_us: int, seeds: Seeds
) -> Iterator[ConfigChange]:
    """Give the changes of an account in time order, times in [0, end_us).

    Args:
        seeds: streams ("workload", what, a) for each of "avatar", "name", "contact"; luck ("avatar", a).
    """
    size = LogNormal.of_median(rules.avatar_median_bytes, _AVATAR_SIGMA)
    luck = Luck(seeds, "avatar", account)

    def changes(what: str, every_us: int) -> Iterator[ConfigChange]:
        draws = Rows(seeds, 1, what, account)
        for k, t_s in enumerate(moments(US_PER_DAY / every_us, clock, 0.0, end_us / US_PER_S, draws)):
            file = (
                File("avatar", max(1, int(size.at(luck.at(k), _LIMIT_BYTES)))) if what == "avatar" else None
            )
            yield ConfigChange(int(t_s * US_PER_S), account, _CONFIGS[what], what, k, file)

    yield from heapq.merge(
        changes("avatar", rules.avatar_every_us),
        changes("name", rules.name_every_us),
        changes("contact", rules.contact_every_us),
        key=lambda change: change.t_us,
    )
