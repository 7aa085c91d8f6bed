"""What devices are told beside the orders of their people: how they are, and what comes before an order.

Whether a device is online and looked at, which devices of version 2 come and go, the links that are looked at
when a message is written, and the conversations that version 2 opens ahead. Orders themselves are `prompter`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sessionsim.core.intents import DeviceChange, Intent, Presence
from sessionsim.network.orders import Order
from sessionsim.network.version2 import accounts_of, commands_of, opening_lead_us
from sessionsim.network.world_spec import WorldSpec
from sessionsim.protocol.identity import Account

Told = tuple[int, int, tuple[Any, ...]]  # when (µs), which endpoint, what


def told_beside(
    spec: WorldSpec,
    orders: Sequence[Order],
    accounts: Sequence[Account],
    endpoint_of: Mapping[tuple[int, int], int],
) -> Iterator[Told]:
    """Give the commands of a run that carry out no order, kind by kind.

    Args:
        orders: of the run, by number; accounts: by number; endpoint_of: by account and number of the device.
    """
    yield from _visits(spec, orders, endpoint_of)
    yield from _openings(spec, accounts, endpoint_of)
    for wish in spec.intents:
        if isinstance(wish, Presence):
            yield wish.t_us, endpoint_of[wish.sender, wish.device], wish.command
    yield from _device_changes(spec, len(accounts), endpoint_of)


def _visits(
    spec: WorldSpec, orders: Sequence[Order], endpoint_of: Mapping[tuple[int, int], int]
) -> Iterator[Told]:
    """Have the links in messages looked at when they are written, some time before they are sent."""
    lead_us = spec.service_rules.web.lead_us
    for ref, order in enumerate(orders):
        preview = getattr(order.wish, "preview", None)
        if preview is not None:
            endpoint = endpoint_of[order.sender, order.device]
            yield max(0, order.t_us - lead_us), endpoint, ("visit", ref, preview)


def _openings(
    spec: WorldSpec, accounts: Sequence[Account], endpoint_of: Mapping[tuple[int, int], int]
) -> Iterator[Told]:
    """Let writers that use version 2 open the conversation before they write."""
    version2 = spec.version2
    if version2 is None:
        return
    members = accounts_of(version2, len(accounts), spec.seeds)
    for intent in spec.intents:
        if isinstance(intent, Intent) and intent.sender in members:
            lead_us = opening_lead_us(version2.people, intent, spec.seeds)
            if lead_us is not None:
                command = ("open-conversation", accounts[intent.recipient].id)
                yield max(0, intent.t_us - lead_us), endpoint_of[intent.sender, intent.device], command


def _device_changes(
    spec: WorldSpec, n_accounts: int, endpoint_of: Mapping[tuple[int, int], int]
) -> Iterator[Told]:
    """Let people of version 2 link, leave and remove devices; version 1 knows of no such thing."""
    version2 = spec.version2
    if version2 is None:
        return
    members = accounts_of(version2, n_accounts, spec.seeds)
    for wish in spec.intents:
        if isinstance(wish, DeviceChange) and wish.sender in members:
            for number, command in commands_of(wish, version2.people):
                yield wish.t_us, endpoint_of[wish.sender, number], command
