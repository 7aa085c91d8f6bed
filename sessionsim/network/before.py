"""What is there when a run begins, beside nodes and devices: groups that stood, configs that were pushed.

Made without traffic, and only if the wishes of the run need it; see `network.groups` and `network.configs`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sessionsim.core.intents import Wish
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Seeds
from sessionsim.network import configs, groups
from sessionsim.network.approvals import SIGNALS, approvals
from sessionsim.network.configs import ConfigSetup
from sessionsim.network.groups import GroupSetup
from sessionsim.protocol.contents import Profile
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.identity import Account
from sessionsim.protocol.machine import Machine


@dataclass(frozen=True, slots=True)
class Before:
    """What the accounts of a run bring along.

    Args:
        profiles: what each tells about itself, by number.
        groups, configs: None if the run needs none.
        approved: per account, ids (33 bytes) of those who have accepted it; empty if the run does not ask.
    """

    profiles: tuple[Profile, ...]
    groups: GroupSetup | None = None
    configs: ConfigSetup | None = None
    approved: tuple[frozenset[bytes], ...] = ()

    def fill(self, nodes: NodeList, machines: Sequence[Machine]) -> None:
        """Let the swarms keep what was stored before. Args: machines: service nodes first."""
        for one in (self.groups, self.configs):
            if one is not None:
                one.fill(nodes, machines)


def make_before(
    wishes: Iterable[Wish],
    needed: Collection[str],
    accounts: Sequence[Account],
    profiles: tuple[Profile, ...],
    suite: Suite,
    seeds: Seeds,
    epoch_ms: int,
) -> Before:
    """Make what the wishes of a run need.

    Args:
        needed: kinds of wishes (`core.intents.kinds_of`).
        epoch_ms: unix ms at time 0.
    """
    wishes, kinds = tuple(wishes), set(needed)
    stood = setup = None
    if kinds & groups.NEEDED_FOR:
        names = [profile.name for profile in profiles]
        stood = GroupSetup(wishes, accounts, names, suite, seeds, epoch_ms)
    if kinds & configs.NEEDED_FOR:
        setup = ConfigSetup(wishes, accounts, profiles, stood, suite, epoch_ms)
    approved = approvals(wishes, [account.id for account in accounts]) if kinds & SIGNALS else ()
    return Before(profiles, stood, setup, approved)
