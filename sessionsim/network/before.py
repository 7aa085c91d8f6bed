"""What is there when a run begins, beside nodes and devices: groups that stood, configs that were pushed.

Made without traffic, and only if the wishes of the run need it; see `network.groups` and `network.configs`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sessionsim.core.intents import Wish
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY
from sessionsim.network import configs, groups
from sessionsim.network.approvals import SIGNALS, Approved, approvals
from sessionsim.network.configs import ConfigSetup
from sessionsim.network.groups import GroupSetup
from sessionsim.network.servers import PlacedServer
from sessionsim.protocol.client.configs.avatars import BYTES_BEFORE
from sessionsim.protocol.client.files.sealing import file_id_at
from sessionsim.protocol.contents import Profile
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.files.server import FileServer
from sessionsim.protocol.identity import Account
from sessionsim.protocol.machine import Machine
from sessionsim.protocol.servers.behind_onion import ServerBehindOnion

_PICTURE_URL: Final = "http://filev2.getsession.org/file/{:044d}#p=09324794aa9c11948189762d198c6181"
_PICTURE: Final = bytes(BYTES_BEFORE)


@dataclass(frozen=True, slots=True)
class Before:
    """What the accounts of a run bring along.

    Args:
        ids: account ids (33 bytes), by number.
        profiles: what each tells about itself, by number.
        groups, configs: None if the run needs none.
        approved: per account, whom it has accepted and who has accepted it; empty if the run does not ask.
    """

    ids: tuple[bytes, ...]
    profiles: tuple[Profile, ...]
    groups: GroupSetup | None = None
    configs: ConfigSetup | None = None
    approved: tuple[Approved, ...] = ()

    def fill(self, nodes: NodeList, machines: Sequence[Machine]) -> None:
        """Let the swarms keep what was stored before. Args: machines: service nodes first."""
        for one in (self.groups, self.configs):
            if one is not None:
                one.fill(nodes, machines)

    def fill_servers(
        self, servers: Sequence[PlacedServer], machines: Sequence[Machine], seeds: Seeds
    ) -> None:
        """Let the file server keep the pictures that accounts show, each renewed within the last day.

        Only their ids and sizes matter: whoever reads of such a picture has it.
        """
        places = [server.endpoint for server in servers if server.kind == "file"]
        if self.configs is None or not places:
            return
        behind = machines[places[0]]
        assert isinstance(behind, ServerBehindOnion)
        assert isinstance(behind.server, FileServer)
        for number, profile in enumerate(self.profiles):
            age_us = seeds.address("picture age", number) % US_PER_DAY
            behind.server.stand(file_id_at(profile.picture_url), _PICTURE, age_us, 0)


def drawn_profiles(n_accounts: int, seeds: Seeds) -> tuple[Profile, ...]:
    """Draw what accounts tell about themselves; sizes as in messages 2.4 (Assumption: values)."""
    profiles = []
    for number in range(n_accounts):
        key = seeds.key("profile", number)
        url = _PICTURE_URL.format(int.from_bytes(key[:8], "little")).ljust(116, "0")[:116]
        profiles.append(Profile(f"Client {number:06d}", url, key, 1_750_000_000))
    return tuple(profiles)


def make_before(
    wishes: Iterable[Wish],
    needed: Collection[str],
    accounts: Sequence[Account],
    profiles: tuple[Profile, ...],
    suite: Suite,
    seeds: Seeds,
    epoch_ms: int,
    config_keys: Mapping[int, Sequence[bytes]] = MappingProxyType({}),
) -> Before:
    """Make what the wishes of a run need.

    Args:
        needed: kinds of wishes (`core.intents.kinds_of`).
        epoch_ms: unix ms at time 0.
        config_keys: see `ConfigSetup`.
    """
    wishes, kinds = tuple(wishes), set(needed)
    stood = setup = None
    if kinds & groups.NEEDED_FOR:
        names = [profile.name for profile in profiles]
        stood = GroupSetup(wishes, accounts, names, suite, seeds, epoch_ms)
    ids, approved = tuple(account.id for account in accounts), approvals(wishes, len(accounts))
    if kinds & configs.NEEDED_FOR:
        setup = ConfigSetup(wishes, approved, accounts, profiles, stood, suite, epoch_ms, config_keys)
    return Before(ids, profiles, stood, setup, approved if kinds & SIGNALS else ())
