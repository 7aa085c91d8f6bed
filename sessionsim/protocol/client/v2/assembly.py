"""Making a client one of version 2: adding the parts and tying them together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sessionsim.protocol.client.rules import ClientRules
from sessionsim.protocol.client.v2.config_keys import ConfigKeys
from sessionsim.protocol.client.v2.deciding import Decisions
from sessionsim.protocol.client.v2.fetches import KeyFetches
from sessionsim.protocol.client.v2.linking import Linking
from sessionsim.protocol.client.v2.locked import LockedInbox
from sessionsim.protocol.client.v2.own_group import OwnGroup
from sessionsim.protocol.client.v2.sealing import SealingV2
from sessionsim.protocol.namespaces import ACCOUNT_KEYS, DEFAULT, DEVICES
from sessionsim.protocol.v2 import V2Rules
from sessionsim.protocol.v2.devices import DeviceGroup

if TYPE_CHECKING:
    from sessionsim.protocol.client.configs.part import AccountConfigs
    from sessionsim.protocol.client.machine import Client

# Read ahead of all others, so that a key is there when a message needs it, and the group's messages ahead of
# the record, so that its keys are known (Assumption: the order is open).
_OWN: Final = (DEVICES, ACCOUNT_KEYS)


def with_namespaces(rules: ClientRules, v2: V2Rules) -> ClientRules:
    """Give a platform's rules with the namespaces of version 2 in its polls (hole H11)."""
    return replace(rules, namespaces=(*_OWN, *rules.namespaces)) if v2.polls_own_namespaces else rules


def add_v2(client: Client, rules: V2Rules, group: DeviceGroup, configs: AccountConfigs | None = None) -> None:
    """Make a client one of version 2, before it starts.

    Args:
        client: made with the rules that `with_namespaces` gives.
        rules: times and holes.
        group: its device's group, or the device outside any.
        configs: of the client, if they are under the keys of the device group (hole H9); None if not.
    """
    fetches = KeyFetches(client, rules)
    own = OwnGroup(client, rules, group)
    sealing = SealingV2(client, rules, fetches, group)
    inbox = LockedInbox(client, sealing, own.read)
    linking = Linking(client, rules, own)
    own.on_keys, own.on_request, own.on_read = inbox.unlock, linking.consider, linking.after_read
    if configs is not None:
        own.on_plan = ConfigKeys(group, configs).follow
    client.sealing = sealing
    client.takers |= {DEFAULT: inbox.take, DEVICES: own.take_message, ACCOUNT_KEYS: own.take_record}
    client.read_to_end |= {DEVICES: own.messages_read, ACCOUNT_KEYS: own.record_read}
    client.stills += [own.still_until_us, linking.still_until_us]
    for part in (fetches, sealing, inbox, own, linking, Decisions(own)):
        client.add(part)
