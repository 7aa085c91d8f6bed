"""Whom a fault strikes: endpoints chosen by rule, from what anyone could know of the stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sessionsim.core.errors import InvalidInput
from sessionsim.core.scene import Scene
from sessionsim.core.seeds import Seeds
from sessionsim.network.faults.kinds import Fault
from sessionsim.protocol.swarms import nearest_swarm, swarm_position


def struck(fault: Fault, scene: Scene, seeds: Seeds) -> tuple[int, ...]:
    """Choose the endpoints that a fault strikes, ascending.

    Chance is addressed by the name of the fault, so that another fault moves nothing here.

    Raises:
        InvalidInput: a country, client or node that is not there.
    """
    config, nodes = fault.config, scene.nodes
    rule = config.by
    if rule == "all":
        servers = [endpoint for kind in scene.servers.values() for endpoint in kind]
        return (*range(len(nodes)), *scene.client_endpoints, *sorted(servers))
    if rule == "servers":
        return _servers(fault, scene)
    if rule == "clients":
        return _some(fault, scene.client_endpoints, seeds)
    if rule == "random":
        return _some(fault, nodes.active, seeds)
    if rule == "per-swarm":
        found = [node for swarm in nodes.members for node in _some(fault, nodes.members[swarm], seeds, swarm)]
        return tuple(sorted(found))
    if rule == "swarm-of":
        return _some(fault, _swarm_of(fault, scene), seeds)
    if rule == "country":
        return _some(fault, _of_country(fault, scene), seeds)
    if rule == "list":
        wrong = [node for node in config.nodes if not 0 <= node < len(nodes)]
        if wrong:
            raise InvalidInput(f"faults.{fault.name}.nodes", wrong[0], f"0 to {len(nodes) - 1}")
        return tuple(sorted(set(config.nodes)))
    place = {"host": lambda node: nodes.ip[node], "net24": nodes.net24, "net16": nodes.net16}[rule]
    return _largest(fault, [(node, place(node)) for node in nodes.active])


def clients_beside(fault: Fault, scene: Scene, seeds: Seeds) -> tuple[int, ...]:
    """Choose the clients that a partition puts on the side of its nodes."""
    config = fault.config
    if config.by == "country":
        pairs = zip(scene.client_endpoints, scene.client_country, strict=True)
        return tuple(endpoint for endpoint, country in pairs if country == config.country)
    if config.by == "random":
        share = config.share_prob
        if config.count:
            share = min(1.0, config.count / max(1, len(scene.nodes.active)))
        return _drawn(fault, scene.client_endpoints, round(share * len(scene.client_endpoints)), seeds, -2)
    return ()


def _some(fault: Fault, there: Sequence[int], seeds: Seeds, group: int = -1) -> tuple[int, ...]:
    config = fault.config
    count = config.count or round(config.share_prob * len(there))
    return _drawn(fault, there, count, seeds, group)


def _drawn(fault: Fault, there: Sequence[int], count: int, seeds: Seeds, group: int) -> tuple[int, ...]:
    if count >= len(there):
        return tuple(there)
    order = seeds.stream("fault", fault.name, "whom", group).permutation(len(there))
    return tuple(sorted(there[k] for k in order[:count]))


def _servers(fault: Fault, scene: Scene) -> tuple[int, ...]:
    for kind in fault.config.servers:
        if kind not in scene.servers:
            known = ", ".join(sorted(scene.servers)) or "none"
            raise InvalidInput(f"faults.{fault.name}.servers", kind, f"kinds of this world: {known}")
    return tuple(sorted({one for kind in fault.config.servers for one in scene.servers[kind]}))


def _swarm_of(fault: Fault, scene: Scene) -> tuple[int, ...]:
    client = fault.config.client
    if client >= len(scene.client_ids):
        allowed = f"an account number, 0 to {len(scene.client_ids) - 1}"
        raise InvalidInput(f"faults.{fault.name}.client", client, allowed)
    swarm = nearest_swarm(swarm_position(scene.client_ids[client][1:]), sorted(scene.nodes.members))
    return scene.nodes.members[swarm] if swarm is not None else ()


def _of_country(fault: Fault, scene: Scene) -> tuple[int, ...]:
    wanted = fault.config.country
    found = tuple(node for node in scene.nodes.active if scene.node_country[node] == wanted)
    if not found:
        known = ", ".join(sorted(set(scene.node_country)))
        raise InvalidInput(f"faults.{fault.name}.country", wanted, f"one of {known}")
    return found


def _largest(fault: Fault, placed: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """Take whole hosts or networks, the largest first, of equal ones the lowest number."""
    placed = list(placed)
    sizes = Counter(place for _, place in placed)
    order = sorted(sizes, key=lambda place: (-sizes[place], place))
    config = fault.config
    kept = frozenset(order[: config.count or round(config.share_prob * len(order))])
    return tuple(sorted(node for node, place in placed if place in kept))
