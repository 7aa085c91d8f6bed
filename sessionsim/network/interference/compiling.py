"""From declared interference, the places of observers and a seed to a `Meddler`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_MS
from sessionsim.network.interference.holding import Holding
from sessionsim.network.interference.kinds import Equivocate, Interference, Passing, Probe, Timed
from sessionsim.network.interference.meddler import Meddler
from sessionsim.network.interference.rhythm import Rhythm
from sessionsim.network.interference.sending import Sending, Target
from sessionsim.network.interference.tampering import Tampering
from sessionsim.network.interference.telling import Telling
from sessionsim.protocol.swarms import nearest_swarm, swarm_position

_NODES: Final = "a vantage that operates service nodes"
_LINKS: Final = "a vantage that taps links of clients"
_KNOWN: Final = "a vantage that knows ids of accounts"


def compile_interference(
    declared: Sequence[Interference],
    positions: Mapping[str, Position],
    scene: Scene,
    seeds: Seeds,
    horizon_us: int,
    epoch_ms: int,
) -> Meddler | None:
    """Compile declared interference.

    Args:
        declared: in the order of the scenario; each has draws of its own.
        positions: where each observer stands, by its name.
        scene: nodes and clients, as they are at first.
        seeds: of the replicate.
        horizon_us: end of the run.
        epoch_ms: unix ms of simulated time 0.

    Returns:
        What the host is to ask; None if nothing was declared, so that the run need not look.

    Raises:
        InvalidInput: it acts from a place that does not allow it.
    """
    if not declared:
        return None
    compiler = _Compiler(scene, seeds, horizon_us, epoch_ms)
    for one in declared:
        compiler.add(one, positions[one.vantage])
    return compiler.meddler()


class _Compiler:
    """Gathers the interferences of one run by what they do."""

    def __init__(self, scene: Scene, seeds: Seeds, horizon_us: int, epoch_ms: int) -> None:
        self._scene, self._seeds, self._horizon_us, self._epoch_ms = scene, seeds, horizon_us, epoch_ms
        self._holdings: list[Holding] = []
        self._tamperings: list[Tampering] = []
        self._sendings: list[Sending] = []
        self._tellings: list[Telling] = []
        self._senders: frozenset[int] = frozenset()

    def add(self, one: Interference, position: Position) -> None:
        name, kind, vantage, config = one
        nodes = frozenset(end for end in position.operated if end < len(self._scene.nodes))
        links = position.tapped & frozenset(self._scene.client_endpoints)
        on_links = isinstance(config, Passing) and config.place == "links"
        if not (links if on_links else nodes):
            allowed = _LINKS if on_links else _NODES
            raise InvalidInput(f"interference.{name}.vantage", vantage, f"{allowed}, for kind {kind!r}")
        if isinstance(config, Equivocate):
            entropy = self._seeds.entropy("interference", name)
            end_us = config.at_us + config.lasts_us if config.lasts_us else self._horizon_us
            span_ms = (self._unix_ms(config.at_us), self._unix_ms(end_us))
            self._tellings.append(Telling(name, config, nodes, entropy, span_ms))
        elif isinstance(config, Probe):
            targets = self._targets(position)
            if not targets:
                raise InvalidInput(f"interference.{name}.vantage", vantage, f"{_KNOWN}, for kind {kind!r}")
            rhythm = self._rhythm(name, config, frozenset(one.endpoint for one in targets))
            entropy = self._seeds.entropy("interference", name)
            sending = Sending(name, kind, config, nodes, targets, rhythm, entropy, self._epoch_ms)
            self._sendings.append(sending)
            self._senders |= nodes
        elif isinstance(config, Passing):
            targets_of = links if on_links else frozenset(self._scene.client_endpoints)
            rhythm = self._rhythm(name, config, targets_of)
            where = (frozenset[int](), links) if on_links else (nodes, frozenset[int]())
            self._holdings.append(Holding(name, kind, config, *where, rhythm))
        else:
            rhythm = self._rhythm(name, config, frozenset(self._scene.client_endpoints))
            self._tamperings.append(Tampering(name, kind, config, nodes, rhythm))

    def meddler(self) -> Meddler:
        return Meddler(
            self._holdings, self._tamperings, self._sendings, self._tellings, self._senders,
            self._scene.client_endpoints,
        )  # fmt: skip

    def _rhythm(self, name: str, config: Timed, targets: frozenset[int]) -> Rhythm:
        return Rhythm(name, config, targets, self._seeds, self._horizon_us)

    def _unix_ms(self, t_us: int) -> int:
        return self._epoch_ms + t_us // US_PER_MS

    def _targets(self, position: Position) -> list[Target]:
        """List the accounts whose ids are known, each once, with their swarms."""
        scene, found = self._scene, dict[bytes, Target]()
        swarms = sorted(scene.nodes.members)
        for endpoint, account in zip(scene.client_endpoints, scene.client_ids, strict=True):
            swarm = nearest_swarm(swarm_position(account[1:]), swarms)
            if endpoint in position.known and account not in found and swarm is not None:
                found[account] = Target(endpoint, account, scene.nodes.members[swarm])
        return list(found.values())
