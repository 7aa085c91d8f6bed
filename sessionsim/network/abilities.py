"""What clients are given beside polling and texts: the abilities that the wishes of a run need, and no other.

A part that nothing in a run needs would cost time and change nothing, so a run without files has clients that
look for none. Fast mode is no wish but a setting of each device, drawn from a share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import (
    ConfigChange,
    Deletion,
    GroupAction,
    GroupText,
    InboxText,
    Intent,
    NameLookup,
    Post,
    Reaction,
    Reader,
    Wish,
    kinds_of,
)
from sessionsim.network.devices import Seat
from sessionsim.network.given_names import given_name
from sessionsim.network.orders import Order
from sessionsim.network.server_machines import platform_of_service, room_token, server_of_room
from sessionsim.network.servers import PlacedServer
from sessionsim.protocol.blinding import blind15_id_of_ed25519
from sessionsim.protocol.client.approvals import Approvals
from sessionsim.protocol.client.calls import CallMedia
from sessionsim.protocol.client.communities import Communities
from sessionsim.protocol.client.configs.avatars import AvatarUpkeep
from sessionsim.protocol.client.configs.part import AccountConfigs
from sessionsim.protocol.client.files import Files
from sessionsim.protocol.client.groups.part import Groups
from sessionsim.protocol.client.links import Links
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.message_requests import MessageRequests
from sessionsim.protocol.client.names import NameLookups
from sessionsim.protocol.client.push import GroupPushes, PushListener
from sessionsim.protocol.client.signals import Signals
from sessionsim.protocol.client.updates import Updates
from sessionsim.protocol.files.address import DEFAULT_SERVER, DEFAULT_X25519
from sessionsim.protocol.identity import Account
from sessionsim.protocol.push.subscription import SERVER as PUSH_SERVER
from sessionsim.protocol.push.subscription import SERVER_X25519
from sessionsim.protocol.wire.onion_server import ServerAddress

if TYPE_CHECKING:
    from sessionsim.network.before import Before
    from sessionsim.network.world import WorldSpec

# What clients have built in; of a server that this run lacks, its name leads nowhere.
_FILE_SERVER = ServerAddress(DEFAULT_SERVER.partition("//")[2], DEFAULT_X25519, "http")
_PUSH_SERVER = ServerAddress(PUSH_SERVER.partition("//")[2], SERVER_X25519)
_COMMUNITY = ServerAddress("open.getsession.org", SERVER_X25519)


class Needs(NamedTuple):
    """What the wishes of a run ask of clients.

    Args:
        kinds: what clients must be able to do (`core.intents.kinds_of`).
        rooms: of each account that reads or writes in rooms, their numbers, ascending.
        readers: of each room, the accounts that read it, ascending.
    """

    kinds: frozenset[str]
    rooms: Mapping[int, tuple[int, ...]]
    readers: Mapping[int, tuple[int, ...]]


def needs_of(wishes: Sequence[Wish]) -> Needs:
    """Find out what the wishes of a run ask of clients."""
    reads = {(wish.sender, wish.room) for wish in wishes if isinstance(wish, Reader)}
    either = reads | {(wish.sender, wish.room) for wish in wishes if isinstance(wish, Post | InboxText)}
    return Needs(kinds_of(wishes), _grouped(either), _grouped((room, account) for account, room in reads))


def command_of(
    ref: int,
    order: Order,
    accounts: Sequence[Account],
    needs: Needs,
    before: Before,
    servers: Sequence[PlacedServer],
) -> tuple[Any, ...]:
    """Give what the client of an order is told.

    Args:
        before: what accounts bring along.
        servers: as placed.

    Raises:
        InvalidInput: a kind that clients cannot carry out.
    """
    wish = order.wish
    if isinstance(wish, Post):
        audience = tuple(accounts[account].id for account in needs.readers.get(wish.room, ()))
        return ("post", ref, wish.room, wish.body, wish.files, audience)
    if isinstance(wish, InboxText):
        return (
            "inbox-text",
            ref,
            wish.room,
            _pseudonym(accounts[wish.recipient], wish.room, servers),
            wish.body,
        )
    if isinstance(wish, Intent):
        command = ("send", ref, accounts[wish.recipient].id, wish.body)
        return ("send-files", *command[1:], wish.files) if wish.files or wish.preview else command
    if isinstance(wish, GroupText | GroupAction) and before.groups is not None:
        return before.groups.command(ref, wish)
    if isinstance(wish, NameLookup):
        return ("look-up-name", ref, given_name(wish.recipient))
    if isinstance(wish, ConfigChange):
        return ("config-change", ref, wish.what, wish.number, wish.file)
    raise InvalidInput("workload", wish.kind, "a kind of wish that clients carry out")


def remark_of(
    ref: int, order: Order, time_ms: int, message_hash: str, ids: Sequence[bytes], before: Before
) -> tuple[Any, ...]:
    """Give what a client is told that shall react to or delete something in a group or room.

    Args:
        time_ms: when that was written, unix ms; message_hash: what it is stored as.
        ids: account ids by number.
        before: what accounts bring along.
    """
    wish = order.wish
    assert isinstance(wish, Reaction | Deletion)
    if wish.target.where == "room":
        place: tuple[Any, ...] = (wish.target.place, message_hash)
        if isinstance(wish, Deletion):
            return ("room-unsend", ref, *place)
        return ("room-react", ref, *place, wish.emoji, wish.removed)
    assert before.groups is not None
    group_id = before.groups.keys[wish.target.place].id
    if isinstance(wish, Deletion):
        return ("group-unsend", ref, group_id, message_hash)
    return ("group-react", ref, group_id, ids[wish.target.author], time_ms, wish.emoji, wish.removed)


def _grouped(pairs: Iterable[tuple[int, int]]) -> dict[int, tuple[int, ...]]:
    found: dict[int, list[int]] = {}
    for first, second in sorted(pairs):
        found.setdefault(first, []).append(second)
    return {first: tuple(seconds) for first, seconds in found.items()}


def equip(
    client: Client,
    seat: Seat,
    spec: WorldSpec,
    servers: Sequence[PlacedServer],
    needs: Needs,
    before: Before,
    ip: int,
    config_keys: Sequence[bytes] | None = None,
) -> AccountConfigs | None:
    """Give a client the parts that a run needs.

    Args:
        seat: the device it runs on.
        before: what accounts bring along.
        ip: its IPv4 address as an integer, which TURN servers tell it.
        config_keys: see `AccountConfigs`.

    Returns:
        The client's configs; None if it keeps none.

    Raises:
        InvalidInput: devices in fast mode on a platform that has none, or without their push platform.
    """
    there = {server.kind: server for server in reversed(servers)}
    files, links, rooms, approvals, held = None, None, None, None, None
    profile = before.profiles[seat.account]
    file_server = there["file"].address if "file" in there else _FILE_SERVER
    if "link-preview" in needs.kinds:
        site = there["web"].endpoint if "web" in there else None
        links = Links(client, site, spec.service_rules.web)
        client.add(links)
    if {"attachment", "config-change", "link-preview"} & needs.kinds:  # new pictures are uploaded
        files = Files(client, file_server, spec.file_rules[seat.platform], links)
        client.add(files)
    if before.approved:
        known, ids = before.approved[seat.account], before.ids
        approvals = Approvals((ids[one] for one in known.given), (ids[one] for one in known.got))
    if seat.account in needs.rooms:
        shown = profile if client.rules.send_profile else None
        places = _by_server(needs.rooms[seat.account], servers)
        rooms = Communities(client, places, spec.community_rules[seat.platform], shown, files, approvals)
        client.add(rooms)
    if approvals is not None:
        signal_rules = spec.signal_rules[seat.platform]
        client.add(Signals(client, signal_rules, approvals, str(IPv4Address(ip))))
        client.add(MessageRequests(client, signal_rules, approvals))
    if "name-lookup" in needs.kinds:
        client.add(NameLookups(client, spec.name_rules[seat.platform]))
    if "call" in needs.kinds:
        client.add(CallMedia(client, spec.service_rules.turn))
    groups = None
    if before.groups is not None:
        founded = before.groups.founded_of(seat.account)
        groups = Groups(client, spec.group_rules[seat.platform], profile, founded, files)
        client.add(groups)
    if before.configs is not None:
        stored, config_rules = before.configs.stored_of(seat.account), spec.config_rules[seat.platform]
        pictures = [known.picture_url for known in before.profiles]
        held = AccountConfigs(
            client, config_rules, profile, stored, groups, files, pictures, approvals, config_keys
        )
        client.add(held)
        upkeep_rules = spec.avatar_rules[seat.platform]
        if files is not None and upkeep_rules.period_us:
            held.avatars = AvatarUpkeep(client, upkeep_rules, held.held, files, held.show_renewed)
            client.add(held.avatars)
        if rooms is not None and client.rules.send_profile:
            held.showing.tellers += (rooms.posting, rooms.mailbox)
    update_rules, platform = spec.update_rules[seat.platform], seat.platform
    if update_rules.interval_us:
        client.add(Updates(client, platform, file_server, update_rules, spec.file_rules[platform]))
    if is_fast(seat, spec):
        rules = spec.push_rules[seat.platform]
        kind = platform_of_service(rules.service)
        if kind not in there:
            raise InvalidInput(f"servers.{kind}_in", "none", f"one, for devices with {rules.service}")
        push_server = there["push"].address if "push" in there else _PUSH_SERVER
        listener = PushListener(client, push_server, there[kind].endpoint, rules)
        client.add(listener)
        if groups is not None:
            client.add(GroupPushes(client, listener, groups))
    return held


def _by_server(
    rooms: Sequence[int], servers: Sequence[PlacedServer]
) -> list[tuple[ServerAddress, list[tuple[int, str]]]]:
    """Deal rooms out to the servers that have them."""
    communities = [server.address for server in servers if server.kind == "community"] or [_COMMUNITY]
    found: dict[int, list[tuple[int, str]]] = {}
    for room in rooms:
        found.setdefault(server_of_room(room, len(communities)), []).append((room, room_token(room)))
    return [(communities[number], there) for number, there in sorted(found.items())]


def _pseudonym(account: Account, room: int, servers: Sequence[PlacedServer]) -> bytes:
    """Give the blinded id (33 bytes) of an account at the community that has a room, as its posts show it."""
    communities = [server.address for server in servers if server.kind == "community"] or [_COMMUNITY]
    server_x = communities[server_of_room(room, len(communities))].x25519
    return blind15_id_of_ed25519(account.ed.public, server_x)


def is_fast(seat: Seat, spec: WorldSpec) -> bool:
    """Say whether a device is in fast mode: drawn for each, so that a larger share only adds devices.

    Raises:
        InvalidInput: a share of desktops, which have no fast mode.
    """
    share = spec.push_rules[seat.platform].fast_prob
    if not share:
        return False
    if seat.platform == "desktop":
        raise InvalidInput("platform.desktop.push.fast", share, "0 %: desktops have no fast mode")
    return spec.seeds.address("push-mode", seat.account, seat.number) < share * 2.0**64
