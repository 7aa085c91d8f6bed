"""Under which names and in which places people really are: the part of truth that names are held against.

Groups and communities are known to the wishes of a run; what the protocol makes of them (the token of a
member, the blinded id in a community) follows from keys and is computed as clients compute it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sessionsim.core.intents import Group as GroupThatStood
from sessionsim.core.intents import GroupAction, Wish
from sessionsim.core.truth import NAME_COLUMNS
from sessionsim.core.view import Table
from sessionsim.core.zones import only_zone
from sessionsim.network.abilities import Needs
from sessionsim.network.clients import ClientPlace
from sessionsim.network.devices import Seat
from sessionsim.network.groups import GroupSetup
from sessionsim.network.server_machines import room_token, server_of_room
from sessionsim.network.servers import PlacedServer
from sessionsim.protocol.blinding import blind15_id_of_ed25519
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.groups import Group, subaccount_of
from sessionsim.protocol.groups.subaccount import signing_value
from sessionsim.protocol.identity import Account

_Row = tuple[int, str, str, str]


def names_table(
    accounts: Sequence[Account],
    seats: Sequence[Seat],
    places: Sequence[ClientPlace],
    servers: Sequence[PlacedServer],
    groups: GroupSetup | None,
    done: Sequence[Wish],
    needs: Needs,
    suite: Suite,
    first_endpoint: int,
) -> Table:
    """Give the table `names` of `core.truth`.

    Args:
        seats, places: of all devices; first_endpoint: of the first of them.
        groups: those of the run, None if there are none.
        done: wishes that stood before or were carried out; others made nobody a member.
        needs: tells who reads which rooms.
    """
    rows = [
        *_countries(seats, places, first_endpoint),
        *(_members(accounts, groups, done, suite) if groups is not None else ()),
        *_blinded(accounts, needs, servers),
    ]
    columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    kinds = (np.int32, object, object, object)
    return {
        name: np.array(list(values), dtype=kind)
        for name, values, kind in zip(NAME_COLUMNS, columns, kinds, strict=True)
    }


def _countries(seats: Sequence[Seat], places: Sequence[ClientPlace], first: int) -> Iterator[_Row]:
    for endpoint, (seat, place) in enumerate(zip(seats, places, strict=True), first):
        yield seat.account, "country", f"country:{place.country}", str(endpoint)
        zone = only_zone(place.country)
        if zone:
            yield seat.account, "zone", f"zone:{zone}", str(endpoint)


def _members(
    accounts: Sequence[Account], groups: GroupSetup, done: Sequence[Wish], suite: Suite
) -> Iterator[_Row]:
    """Give who was ever a member of which group, in which role, and under which token."""
    members: dict[tuple[int, int], str] = {}
    for wish in done:
        if isinstance(wish, GroupThatStood):
            members |= {(member, wish.group): "member" for member in wish.members}
            members[wish.sender, wish.group] = "admin"
        elif isinstance(wish, GroupAction) and wish.what in ("create", "join"):
            members[wish.sender, wish.group] = "admin" if wish.what == "create" else "member"
        elif isinstance(wish, GroupAction) and wish.what == "promote":
            members |= {(subject, wish.group): "admin" for subject in wish.subjects}
    for (account, number), role in sorted(members.items()):
        group: Group = groups.keys[number]
        name = f"group:{group.id_hex}"
        yield account, role, name, ""
        value = signing_value(suite, group, accounts[account].id)
        token = subaccount_of(accounts[account], value).token
        yield account, "token", f"member:{token.hex()}", name


def _blinded(accounts: Sequence[Account], needs: Needs, servers: Sequence[PlacedServer]) -> Iterator[_Row]:
    """Give the id that each account has at the server of each room that it reads or writes in."""
    communities = [server for server in servers if server.kind == "community"]
    for account, rooms in sorted(needs.rooms.items()) if communities else ():
        for room in rooms:
            server = communities[server_of_room(room, len(communities))]
            blinded = blind15_id_of_ed25519(accounts[account].ed.public, server.x.public)
            yield account, "blinded", f"blinded:{blinded.hex()}", room_token(room)
