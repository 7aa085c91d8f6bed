"""Who of a population uses version 2, what their groups are at the beginning, and what is laid into swarms.

Whether an account uses version 2, with all its devices at once (hole H6), is drawn from the seed and the
account's number alone: a larger share adds accounts and takes none away, and nothing else of a run depends on
it, so runs of different shares have the same people, places and wishes. *Twins* bring the comparison into one
run: the second half of the accounts are the first half over again, with the same platforms, places and
wishes, and use version 2, while the first half uses version 1.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import DEVICE_CHANGES, Device, DeviceChange, Intent, Presence, Wish, order_of
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Seeds, mix
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN, US_PER_MS, US_PER_S
from sessionsim.network.clients import ClientPlace, client_ip
from sessionsim.network.devices import Seat
from sessionsim.protocol.client.v2.standing import Standing, about, standing_group
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.identity import Account
from sessionsim.protocol.machine import Machine
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.swarms import nearest_swarm, swarm_position
from sessionsim.protocol.v2 import V2Rules
from sessionsim.protocol.v2.config_keys import config_keys
from sessionsim.protocol.v2.devices import DeviceGroup
from sessionsim.protocol.v2.rules import CONFIGS_UNDER_GROUP

TWINS: Final = "twins"
MOST_SEEDS: Final = 600  # Assumption: with eight devices a message then still has less than 76,800 bytes
_ALL: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class V2People:
    """Who uses version 2, and how they begin."""

    population: str = setting(
        "drawn",
        doc="Who uses version 2: accounts drawn with the probability v2.adoption; or twins: the second half "
        "of the accounts, which are the first half over again, while the first half uses version 1.",
        source="Assumption: protocol-v2 11 H6 leaves open who begins when",
        choices=("drawn", TWINS),
    )
    group_age_us: int = setting(
        17 * US_PER_DAY,
        unit="us",
        doc="Age of the accounts' device groups when the run begins, and up to 12 h more; 0 makes them new.",
        source="Assumption: longer than changed keys are kept, so that all retained keys are there",
        low=0,
        high=60 * US_PER_DAY,
    )
    link_compare_us: int = setting(
        20 * US_PER_S,
        unit="us",
        doc="How long people compare emoji when they link a device, on either side.",
        source="Assumption: seven emoji on two screens (protocol-v2 9)",
        low=0,
        high=US_PER_H,
    )
    link_patience_us: int = setting(
        10 * US_PER_MIN,
        unit="us",
        doc="How long a device that shall admit another one waits for its request.",
        source="Assumption: as long as a request lives (protocol-v2 9)",
        low=US_PER_S,
        high=US_PER_DAY,
    )
    opening_lead_us: int = setting(
        10 * US_PER_S,
        unit="us",
        doc="How long before a text its writer opens the conversation, which fetches keys; 0 for never.",
        source="Assumption: as long as it takes to write a short text; that opening fetches: protocol-v2 6",
        low=0,
        high=US_PER_DAY,
    )
    opening_law: str = setting(
        "fixed",
        doc="Whether that time is always the same, or exponential with this mean, so that some texts are "
        "sent before their keys can be there.",
        source="Assumption: chosen per question",
        choices=("fixed", "exponential"),
    )
    opened_ahead_prob: float = setting(
        1.0,
        unit="prob",
        doc="Share of texts before which the conversation is opened at all; the others answer a notification "
        "or are shared from another program, and ask for keys with the text.",
        source="Assumption: everybody opens conversations",
        low=0,
        high=1,
    )


class Version2(NamedTuple):
    """Version 2 in a world. Args: rules: its holes and times; people: who uses it."""

    rules: V2Rules
    people: V2People


def check_people(sections: Mapping[str, Any], platforms: tuple[str, ...]) -> None:
    """Hold the sections of version 2 against each other, and twins against the clients there are.

    Args:
        sections: settings by section of a scenario, "run" among them.
        platforms: of each client.

    Raises:
        InvalidInput: more keys that are kept than a group message can hold; a share of accounts beside
            twins, half of which use version 2; or an odd number of clients of some platform.
    """
    people = sections.get("v2.people")
    if people is None:
        return
    _check_seeds(sections["v2"], people.group_age_us, sections["run"].horizon_us)
    if people.population != TWINS:
        return
    share = sections["v2"].adoption_prob
    if share != 1:
        allowed = "no share, as v2.people.population is twins: half of the accounts, and all of their twins"
        raise InvalidInput("v2.adoption", f"{100 * share:g} %", allowed)
    halves(platforms)


def _check_seeds(rules: V2Rules, group_age_us: int, horizon_us: int) -> None:
    """Hold that group messages with all seeds that are kept fit into a swarm."""
    earliest_us = rules.account_key_period_us - rules.account_key_window_us // 2
    kept_us = min(rules.account_key_retention_us, group_age_us + horizon_us)
    if kept_us > MOST_SEEDS * earliest_us:
        found = f"{kept_us // earliest_us} keys that are kept at a time"
        allowed = f"at most {MOST_SEEDS} keys, so that a group message of eight devices fits into a swarm"
        hint = "Keep them for a shorter time, change them less often, or begin with younger groups."
        raise InvalidInput("v2.account_key_retention", found, allowed, hint)


def accounts_of(version2: Version2 | None, n_accounts: int, seeds: Seeds) -> frozenset[int]:
    """Give the accounts that use version 2."""
    if version2 is None:
        return frozenset()
    if version2.people.population == TWINS:
        return frozenset(range(n_accounts // 2, n_accounts))
    address, least = seeds.address("version 2"), version2.rules.adoption_prob * _ALL
    return frozenset(k for k in range(n_accounts) if mix(address, k) < least)


def standing_groups(
    version2: Version2,
    accounts: Sequence[Account],
    seats: Iterable[Seat],
    suite: Suite,
    seeds: Seeds,
    epoch_ms: int,
    unlinked: frozenset[tuple[int, int]] = frozenset(),
) -> dict[int, Standing]:
    """Make the device groups of the accounts that use version 2, as they are at time 0.

    Args:
        unlinked: account and number of devices that are outside, the last ones of their accounts.
    """
    members, counts = accounts_of(version2, len(accounts), seeds), Counter(seat.account for seat in seats)
    now_us, age_us = epoch_ms * US_PER_MS, version2.people.group_age_us
    phase, period_us = seeds.address("version 2 phase"), version2.rules.account_key_period_us
    found = {}
    for k in sorted(members):
        entropies = [seeds.entropy("device group", k, number) for number in range(counts[k])]
        inside = sum((k, number) not in unlinked for number in range(counts[k]))
        # Groups are not all made at once: their ages differ by up to one life of a key.
        more_us = mix(phase, k) * period_us // _ALL if age_us else 0
        begun_us = now_us - age_us - more_us
        standing = standing_group(suite, accounts[k], entropies[:inside], version2.rules, begun_us, now_us)
        outside = [
            DeviceGroup(suite, accounts[k], entropies[number], now_us, version2.rules, about(number))
            for number in range(inside, counts[k])
        ]
        found[k] = standing._replace(devices=(*standing.devices, *outside))
    return found


def opening_lead_us(people: V2People, intent: Intent, seeds: Seeds) -> int | None:
    """Give how long before a text its conversation is opened, µs; None if it is not. Drawn for each text."""
    address = seeds.address("conversation opened", intent.sender, intent.recipient)
    opened, early = (mix(address, 2 * intent.number + k) / _ALL for k in range(2))
    if not people.opening_lead_us or opened >= people.opened_ahead_prob:
        return None
    if people.opening_law == "fixed":
        return people.opening_lead_us
    return int(-math.log1p(-early) * people.opening_lead_us)


def shared_config_keys(
    version2: Version2, groups: Mapping[int, Standing]
) -> dict[int, tuple[tuple[bytes, ...], ...]]:
    """Give the keys of configs that each device of an account has at first, none outside the group.

    Returns:
        By account; empty where configs are as in version 1 (hole H9).
    """
    if version2.rules.groups_and_configs != CONFIGS_UNDER_GROUP:
        return {}
    return {
        k: tuple(config_keys(device.seeds) if device.is_member else () for device in standing.devices)
        for k, standing in groups.items()
    }


def commands_of(wish: DeviceChange, people: V2People) -> list[tuple[int, tuple[Any, ...]]]:
    """Give what the devices of an account of version 2 are told when it changes them: number and command."""
    match wish.what:
        case "link":
            accept = ("accept-links", people.link_compare_us, people.link_patience_us)
            # A device that was there before comes back as another one.
            asks = [("renew-identity",), ("link", people.link_compare_us)]
            return [(wish.subject, accept), *((wish.device, command) for command in asks)]
        case "leave":
            return [(wish.device, ("leave-group",))]
        case "remove":
            return [(wish.device, ("remove-described", about(wish.subject).description))]
    raise InvalidInput("workload", wish.what, f"one of {', '.join(DEVICE_CHANGES)}")


def halves(platforms: Sequence[str]) -> tuple[str, ...]:
    """Deal platforms out so that the second half of the accounts are twins of the first.

    Raises:
        InvalidInput: an odd number of clients of some platform.
    """
    left = {name: count // 2 for name, count in sorted(Counter(platforms).items())}
    odd = [name for name, count in Counter(platforms).items() if count % 2]
    if odd:
        raise InvalidInput(
            "clients", f"an odd number of {odd[0]} clients", "even numbers, as v2.people are twins"
        )
    dealt: list[str] = []
    while any(left.values()):
        for name in left:
            if left[name]:
                dealt.append(name)
                left[name] -= 1
    return (*dealt, *dealt)


def doubled(wishes: Iterable[Wish], n_accounts: int) -> tuple[Wish, ...]:
    """Give the wishes of the first half and, at the same times, those of their twins.

    Args:
        n_accounts: both halves together.

    Raises:
        InvalidInput: wishes of a kind that involves more than the two ends of a message.
    """
    half, found = n_accounts // 2, list[Wish]()
    for wish in wishes:
        if isinstance(wish, Intent):
            twin: Wish = wish._replace(sender=wish.sender + half, recipient=wish.recipient + half)
        elif isinstance(wish, Device | DeviceChange | Presence):
            twin = replace(wish, sender=wish.sender + half)
        else:
            raise InvalidInput("v2.people.population", TWINS, f"drawn, as twins cannot have {wish.kind!r}")
        found += [wish, twin]
    return tuple(sorted(found, key=order_of))


def twin_places(
    places: Sequence[ClientPlace], seats: Sequence[Seat], n_accounts: int
) -> tuple[ClientPlace, ...]:
    """Put each device of the second half where its twin is, on a line as fast, with an address of its own."""
    at, half = {seat[:2]: place for seat, place in zip(seats, places, strict=True)}, n_accounts // 2
    return tuple(
        place if seat.account < half else replace(at[seat.account - half, seat.number], ip=client_ip(k))
        for k, (seat, place) in enumerate(zip(seats, places, strict=True))
    )


def lay_down(
    account: Account, standing: Standing, nodes: NodeList, machines: list[Machine], now_ms: int
) -> None:
    """Lay what a standing group has stored into every member of its swarm."""
    swarm = nearest_swarm(swarm_position(account.id[1:]), sorted(nodes.members))
    for node in nodes.members[swarm] if swarm is not None else ():
        member = machines[node]
        assert isinstance(member, ServiceNode)
        for namespace, one in standing.stored:
            member.store.store(
                account.id, namespace, one.hash, one.timestamp_ms, one.expiry_ms, one.data, now_ms
            )
