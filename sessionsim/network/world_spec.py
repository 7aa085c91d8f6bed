"""Everything that a replicate depends on, in one record; see `world`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sessionsim.core.intents import Wish
from sessionsim.core.seeds import Seeds
from sessionsim.network.capacity import CapacityRules
from sessionsim.network.clients import ClientMix
from sessionsim.network.faults import Fault
from sessionsim.network.links import LinkRules
from sessionsim.network.membership import MembershipRules
from sessionsim.network.server_machines import ServiceRules
from sessionsim.network.servers import ServerRules
from sessionsim.network.version2 import Version2
from sessionsim.network.wire_sizes import WireRules
from sessionsim.protocol._defences import Defence
from sessionsim.protocol.client.configs.rules import PLATFORMS as CONFIG_PLATFORMS
from sessionsim.protocol.client.configs.rules import ConfigPushRules
from sessionsim.protocol.client.files import PLATFORMS as FILE_PLATFORMS
from sessionsim.protocol.client.files import FileRules
from sessionsim.protocol.client.groups.rules import PLATFORMS as GROUP_PLATFORMS
from sessionsim.protocol.client.groups.rules import GroupRules
from sessionsim.protocol.client.names import PLATFORMS as NAME_PLATFORMS
from sessionsim.protocol.client.names import NameRules
from sessionsim.protocol.client.push import PLATFORMS as PUSH_PLATFORMS
from sessionsim.protocol.client.push import PushListenerRules
from sessionsim.protocol.client.rules import PLATFORMS, ClientRules
from sessionsim.protocol.client.signals import PLATFORMS as SIGNAL_PLATFORMS
from sessionsim.protocol.client.signals import SignalRules
from sessionsim.protocol.client.update_rules import OFF as NO_UPDATES
from sessionsim.protocol.client.update_rules import UpdateRules
from sessionsim.protocol.communities.poll_rules import PLATFORMS as COMMUNITY_PLATFORMS
from sessionsim.protocol.communities.poll_rules import CommunityPollRules
from sessionsim.protocol.files.avatar import PLATFORMS as AVATAR_PLATFORMS
from sessionsim.protocol.files.avatar import UpkeepRules
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.obligations import ObligationRules
from sessionsim.protocol.swarm_rules import SwarmRules


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """Everything a replicate depends on.

    Args:
        date: which dated node list.
        limit_swarms: take only so many swarms (0: all); for tests and teaching.
        platforms: platform of each account's first device; the index is the account number.
        client_mix, link_rules, wire_rules, node_rules, server_rules, service_rules: settings of the parts.
        client_rules, file_rules, push_rules, community_rules, group_rules, config_rules, avatar_rules,
        signal_rules, name_rules, update_rules: rules per platform name; by default nobody checks versions.
        suite, memo: crypto suite.
        intents: in time order; senders and recipients are account numbers, kinds those of `wishes`. Those of
            kind `device` say which further devices there are.
        horizon_us: simulated time, measured: [start, end) whose messages count.
        seeds: the root of all chance.
        epoch_ms: unix time in ms at simulated time 0.
        faults: what fails.
        capacity: how much work nodes and servers can do.
        membership, swarm_rules, obligations: how nodes come and go, and what the network makes of it.
        defences: what clients and nodes do against who watches from outside.
        version2: version 2 of the protocol and who uses it; None if nobody does.
        utc_offsets_h: hours ahead of UTC where each account's person lives; empty if by no clock.
        idle_polls: "bulk" or "each": whether polls that bring nothing are drawn as trains or carried out, and
            other exchanges pass unseen relays at once or one by one.
    """

    date: str
    platforms: tuple[str, ...]
    intents: tuple[Wish, ...]
    horizon_us: int
    measured: tuple[int, int]
    seeds: Seeds
    epoch_ms: int
    limit_swarms: int = 0
    suite: str = "fast"
    memo: bool = True
    client_mix: ClientMix = field(default_factory=ClientMix)
    link_rules: LinkRules = field(default_factory=LinkRules)
    wire_rules: WireRules = field(default_factory=WireRules)
    node_rules: NodeRules = field(default_factory=NodeRules)
    server_rules: ServerRules = field(default_factory=ServerRules)
    service_rules: ServiceRules = field(default_factory=ServiceRules)
    client_rules: Mapping[str, ClientRules] = field(default_factory=lambda: PLATFORMS)
    file_rules: Mapping[str, FileRules] = field(default_factory=lambda: FILE_PLATFORMS)
    push_rules: Mapping[str, PushListenerRules] = field(default_factory=lambda: PUSH_PLATFORMS)
    community_rules: Mapping[str, CommunityPollRules] = field(default_factory=lambda: COMMUNITY_PLATFORMS)
    group_rules: Mapping[str, GroupRules] = field(default_factory=lambda: GROUP_PLATFORMS)
    config_rules: Mapping[str, ConfigPushRules] = field(default_factory=lambda: CONFIG_PLATFORMS)
    avatar_rules: Mapping[str, UpkeepRules] = field(default_factory=lambda: AVATAR_PLATFORMS)
    signal_rules: Mapping[str, SignalRules] = field(default_factory=lambda: SIGNAL_PLATFORMS)
    name_rules: Mapping[str, NameRules] = field(default_factory=lambda: NAME_PLATFORMS)
    update_rules: Mapping[str, UpdateRules] = field(default_factory=lambda: NO_UPDATES)
    faults: tuple[Fault, ...] = ()
    membership: MembershipRules = field(default_factory=MembershipRules)
    swarm_rules: SwarmRules = field(default_factory=SwarmRules)
    obligations: ObligationRules = field(default_factory=ObligationRules)
    capacity: CapacityRules = field(default_factory=CapacityRules)
    defences: tuple[Defence, ...] = ()
    version2: Version2 | None = None
    utc_offsets_h: tuple[float, ...] = ()
    idle_polls: str = "each"
