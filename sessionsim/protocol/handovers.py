"""What a node has to hand on when the swarms change (transport 5.10).

    new member in our swarm     it gets the swarm's messages, unasked (2.8) or when it asks
    new swarm                   its members get the messages that are now theirs
    our swarm dissolved         every swarm gets the messages that are now its own
    we moved                    nothing; what we hold of the old swarm is simply not served

Pure functions of the old and the new node list and of what the node holds. A swarm map has the members of
each swarm by its id; nodes without a swarm are not in it. 2.8 hands a new member its whole database, foreign
messages included; only those of the swarm are handed on here, as transport 5.10 says.
Source: session-storage-server: oxenss/snode/swarm.cpp derive_swarm_events, service_node.cpp bootstrap_swarms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.stored import Held
from sessionsim.protocol.swarms import nearest_swarm, swarm_position

Swarms = Mapping[int, Sequence[int]]


class Change(NamedTuple):
    """What a new swarm map means for one node.

    Args:
        own: its swarm; None if it has none.
        entered: the swarm is another one than before, so the node is new there.
        newcomers: nodes that joined the swarm it stays in.
        new_swarms: ids that did not exist before, if it stays in its swarm.
        dissolved: its swarm is gone, and it has another one.
    """

    own: int | None
    entered: bool
    newcomers: tuple[int, ...]
    new_swarms: tuple[int, ...]
    dissolved: bool


class Handover(NamedTuple):
    """Messages for some nodes, in order of arrival."""

    nodes: tuple[int, ...]
    messages: tuple[Held, ...]


def change_for(node: int, old: NodeList, new: NodeList) -> Change:
    """Say what becomes of a node's swarm when the list changes."""
    before, own = old.swarm_of(node), new.swarm_of(node)
    if own is None:
        return Change(None, False, (), (), False)
    if own != before:
        return Change(own, True, (), (), before is not None and before not in new.members)
    newcomers = tuple(member for member in new.members[own] if member not in old.members[own])
    if new.swarm_ids == old.swarm_ids:
        return Change(own, False, newcomers, (), False)
    return Change(own, False, newcomers, tuple(sorted(set(new.swarm_ids) - set(old.swarm_ids))), False)


def handovers(
    node: int, change: Change, new: Swarms, held: Iterable[Held], *, unasked: bool
) -> list[Handover]:
    """List what a node hands on at once after a change.

    Args:
        node: its endpoint.
        change: from `change_for`.
        new: the new swarms.
        held: all messages it holds, in order of arrival.
        unasked: newcomers get theirs too, as in 2.8.
    """
    targets: dict[int, tuple[int, ...]] = {}
    if change.dissolved:
        targets = {swarm: tuple(members) for swarm, members in new.items()}
    else:
        targets = {swarm: tuple(new[swarm]) for swarm in change.new_swarms}
        if unasked and change.own is not None and change.newcomers:
            targets[change.own] = change.newcomers
    if not targets:
        return []
    shares = split_by_swarm(held, new)
    given = []
    for swarm, members in sorted(targets.items()):
        others = tuple(member for member in members if member != node)
        if others and swarm in shares:
            given.append(Handover(others, tuple(shares[swarm])))
    return given


def split_by_swarm(held: Iterable[Held], swarms: Swarms) -> dict[int, list[Held]]:
    """Split messages by the swarm that keeps their account, each share in the order given."""
    ids = sorted(swarms)
    shares: dict[int, list[Held]] = {}
    of_account: dict[bytes, int | None] = {}
    for one in held:
        if one.account not in of_account:
            of_account[one.account] = nearest_swarm(swarm_position(one.account[1:]), ids)
        swarm = of_account[one.account]
        if swarm is not None:
            shares.setdefault(swarm, []).append(one)
    return shares
