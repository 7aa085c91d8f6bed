"""Groups: who is in which, how they come to be and change.

Sizes are log-normal up to the cap of clients (metrics 4.3). A founder gathers the contacts whose tie is used
most, then their contacts. Later actions come at a rate per group in a stated mix; only admins invite, remove,
promote and rename, and only those who are in can do anything. What an action makes necessary on the wire (a
new key after a removal, config pushes) is the protocol's; the reason stands in the record.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.workload.contacts import Circle
from sessionsim.workload.draws import Luck
from sessionsim.workload.laws import LogNormal
from sessionsim.workload.shares import read_shares

MONTH_DAYS: Final = 30.0
_SMALLEST: Final = 2  # Assumption: a group of one is a note to self
_DECIDED: Final = ("invite", "leave", "remove", "promote", "rename")


@dataclass(frozen=True)
class GroupRules:
    """Settings of groups."""

    groups_per_account: float = setting(
        3.0,
        doc="In how many groups an account is, on average, when the run begins.",
        source="Assumption: no figure is published for private groups",
        low=0.0,
        high=50.0,
    )
    group_size_median: float = setting(
        6.5,
        doc="Median number of members of a group; at least two, at most group_cap.",
        source="metrics 4.3: log-normal, median 5-8; the middle of it",
        low=2.0,
        high=100.0,
    )
    group_size_sigma: float = setting(
        1.24,
        doc="Standard deviation of ln(members).",
        source="metrics 4.3: 95 % of groups have at most about 50 members; ln(50 / 6.5) / 1.645",
        low=0.0,
        high=3.0,
    )
    group_cap: int = setting(
        100, doc="Most members of a group.", source="messages 4.2: Desktop's limit", low=2, high=1000
    )
    group_messages_per_day: float = setting(
        3.0,
        doc="Messages a member writes to one group per day, averaged over members and groups.",
        source="Assumption: with three groups nine a day, a fifth of all messages (metrics 4.1: 30-60)",
        low=0.001,
        high=140.0,
    )
    group_writer_sigma: float = setting(
        1.0,
        doc="Spread of how much members take part: standard deviation of ln(share of the messages).",
        source="Assumption: as between people (metrics 4.1)",
        low=0.0,
        high=3.0,
    )
    group_actions_per_month: float = setting(
        4.0,
        doc="How often the people of a group change it, in 30 days.",
        source="Assumption: about once a week",
        low=0.0,
        high=1000.0,
    )
    group_action_mix: str = setting(
        "invite 40, leave 20, remove 10, promote 10, rename 20",
        doc="What they do, each with its weight.",
        source="Assumption: about as many come as go",
    )
    group_creations_per_month: float = setting(
        0.3,
        doc="Groups an account founds in 30 days.",
        source="Assumption: three or four a year",
        low=0.0,
        high=100.0,
    )
    group_history_share: float = setting(
        0.5,
        unit="prob",
        doc="Share of invitations that let the invited read what was written before.",
        source="Assumption: clients ask; half of the admins say yes",
        low=0.0,
        high=1.0,
    )
    group_accept_share: float = setting(
        0.686,
        unit="prob",
        doc="Share of invitations that are accepted, each after the measured delay of an answer.",
        source="Assumption: an invitation is accepted as a message is answered (metrics 4.1)",
        low=0.0,
        high=1.0,
    )

    def __post_init__(self) -> None:
        self.actions()

    def actions(self) -> tuple[tuple[str, float], ...]:
        """Read the mix of actions. Raises InvalidInput: not "invite 40, leave 20", or no weight."""
        return read_shares("group_action_mix", self.group_action_mix, _DECIDED)


@dataclass(slots=True)
class Membership:
    """Who is in one group now, who may be yet, and who may change it; all ascending or in order of coming."""

    founder: int
    members: list[int]
    admins: list[int] = field(init=False)
    invited: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.admins = [self.founder]

    def ordinary(self) -> list[int]:
        """List the members who are no admins."""
        return [member for member in self.members if member not in self.admins]

    def join(self, account: int) -> None:
        """Take in somebody invited."""
        self.invited.remove(account)
        self.members.append(account)

    def lose(self, account: int) -> None:
        """Let an ordinary member go."""
        if account in self.admins:
            raise InvalidInput("group member", account, "somebody who is no admin")
        self.members.remove(account)


def size_at(rules: GroupRules, u: float, n_accounts: int) -> int:
    """Give the number of members at a uniform number in [0, 1), of so many accounts, two or more."""
    drawn = round(LogNormal.of_median(rules.group_size_median, rules.group_size_sigma).at(u))
    return max(_SMALLEST, min(drawn, rules.group_cap, n_accounts))


def gather(founder: int, size: int, circles: Sequence[Circle], luck: Luck) -> list[int]:
    """Find the members: contacts of the founder by use of the tie, then contacts of those, and so on.

    Args:
        size: members wanted, the founder among them; fewer come if nobody else is connected.
        luck: rows of accounts are used, column 0.

    Returns:
        The founder first, then in the order in which they were found.
    """
    found, place = [founder], 0
    while place < len(found) and len(found) < size:
        circle = circles[found[place]]
        known = set(found)
        new = [contact for contact in circle.contacts if contact not in known]
        new.sort(key=lambda contact: _reluctance(contact, circle, luck))
        found += new[: size - len(found)]
        place += 1
    return found


def _reluctance(contact: int, circle: Circle, luck: Luck) -> float:
    """Give a number that is smaller, the more a tie is used: the first of an exponential race."""
    use = circle.use(contact)
    return -math.log1p(-luck.at(contact)) / use if use else math.inf


def standing(rules: GroupRules, circles: Sequence[Circle], seeds: Seeds) -> list[list[int]]:
    """Give the groups that stand when the run begins: members of each, the founder first.

    Whoever knows many founds and joins many. Groups are made until the wanted number of memberships is there.

    Args:
        seeds: luck ("group", g).
    """
    n = len(circles)
    if n < 2:
        return []
    reach = Circle(tuple(range(n)), tuple(accumulate(len(circle.contacts) for circle in circles)), 0.0)
    found: list[list[int]] = []
    wanted = rules.groups_per_account * n
    while wanted > 0:
        luck = Luck(seeds, "group", len(found))
        size = size_at(rules, luck.at(0, 1), n)
        if wanted < size / 2:  # on average as many memberships as wanted
            break
        found.append(gather(reach.pick(luck.at(0, 2)), size, circles, luck))
        wanted -= len(found[-1])
    return found
