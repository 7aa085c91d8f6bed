"""What this installation offers to scenarios: the one place where the drop-in folders are scanned."""

from __future__ import annotations

from typing import Any

from sessionsim.adversary import ATTACKS, VANTAGES
from sessionsim.core.registry import Registry
from sessionsim.experiment.background import Background
from sessionsim.experiment.months import Months
from sessionsim.metrics import METRICS
from sessionsim.network.capacity import CapacityRules
from sessionsim.network.clients import ClientMix
from sessionsim.network.faults import KINDS
from sessionsim.network.interference import KINDS as INTERFERENCE
from sessionsim.network.links import LinkRules
from sessionsim.network.membership import MembershipRules
from sessionsim.network.servers import ServerRules
from sessionsim.network.snapshots import snapshot_dates
from sessionsim.network.version2 import V2People, check_people
from sessionsim.network.wire_sizes import WireRules
from sessionsim.protocol._defences import DEFENCES
from sessionsim.protocol.client import files, names, push, signals, update_rules
from sessionsim.protocol.client.calls import MediaRules
from sessionsim.protocol.client.configs.rules import PLATFORMS as CONFIG_PLATFORMS
from sessionsim.protocol.client.groups.rules import PLATFORMS as GROUP_PLATFORMS
from sessionsim.protocol.client.links import WebRules
from sessionsim.protocol.client.rules import PLATFORMS
from sessionsim.protocol.communities import poll_rules
from sessionsim.protocol.communities.rules import CommunityRules
from sessionsim.protocol.crypto import SUITES
from sessionsim.protocol.files import avatar
from sessionsim.protocol.files.server_rules import FileServerRules
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.obligations import ObligationRules
from sessionsim.protocol.push.rules import PushRules
from sessionsim.protocol.swarm_rules import SwarmRules
from sessionsim.protocol.v2 import V2Rules
from sessionsim.scenario import Catalogue
from sessionsim.workload._registry import PATTERNS


def families() -> dict[str, Registry[Any]]:
    """Scan the drop-in folders and give each family by the word that `list` uses."""
    found: dict[str, Registry[Any]] = {
        "attacks": ATTACKS,
        "defences": DEFENCES,
        "metrics": METRICS,
        "patterns": PATTERNS,
        "vantages": VANTAGES,
    }
    for registry in found.values():
        registry.scan()
    return found


def installed() -> Catalogue:
    """Give everything that a scenario may name here. Raises StorageDamaged if the node lists are."""
    known = families()
    return Catalogue(
        sections={
            "network.capacity": CapacityRules,
            "network.links": LinkRules,
            "network.membership": MembershipRules,
            "network.obligations": ObligationRules,
            "network.swarms": SwarmRules,
            "network.wire": WireRules,
            "nodes": NodeRules,
            "clients.mix": ClientMix,
            "servers": ServerRules,
            "servers.file": FileServerRules,
            "servers.push": PushRules,
            "servers.community": CommunityRules,
            "servers.turn": MediaRules,
            "servers.web": WebRules,
            "background": Background,
            "months": Months,
            "v2": V2Rules,
            "v2.people": V2People,
        },
        platforms=PLATFORMS,
        parts={
            "avatars": avatar.PLATFORMS,
            "communities": poll_rules.PLATFORMS,
            "configs": CONFIG_PLATFORMS,
            "files": files.PLATFORMS,
            "groups": GROUP_PLATFORMS,
            "names": names.PLATFORMS,
            "push": push.PLATFORMS,
            "signals": signals.PLATFORMS,
            "updates": update_rules.PLATFORMS,
        },
        patterns={entry.id: entry.config for entry in known["patterns"]},
        vantages={entry.id: entry.config for entry in known["vantages"]},
        faults=KINDS,
        interference=INTERFERENCE,
        attacks={entry.id: entry.config for entry in known["attacks"]},
        defences={entry.id: entry.config for entry in known["defences"]},
        suites=tuple(SUITES),
        dates=snapshot_dates(),
        checks=(check_people,),
    )
