"""A stored replicate to be asked again: any observer's view and ledger, without simulating anything.

Only what some observer of the scenario could see was recorded, so other observers can be asked about as far
as they stand where that was: a node that was watched by anybody may be looked at in any role. Devices are
another matter, since the passing keys of a request are kept only for devices that somebody operated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from sessionsim.adversary import Closure, Transcript, facts_of, join
from sessionsim.core.errors import InvalidInput, StorageDamaged
from sessionsim.core.ledger import Fact
from sessionsim.core.scene import Position, Scene, Taking
from sessionsim.core.seeds import Seeds
from sessionsim.core.storage import read_ledger, read_table
from sessionsim.core.truth import ACCOUNT_COLUMNS, DEVICE_COLUMNS
from sessionsim.core.units import US_PER_S
from sessionsim.experiment.analysis import observatory
from sessionsim.experiment.asked_kinds import AskedKind, asked_kind
from sessionsim.experiment.manifest import read_manifest
from sessionsim.experiment.stored import assemble, read_nodes, read_positions, read_servers
from sessionsim.metrics import Replicate


def opened_replicates(folder: Path) -> list[Path]:
    """Give the replicates in a run's folder whose bytes were kept, or the folder itself if it is one.

    Replicates that the run's readings are not of (attacks learn on them, or earlier runs left them) are left
    out.

    Raises:
        StorageDamaged: there is none.
    """
    whole = [folder] if (folder / "truth").is_dir() else _replicates(folder)
    opened = [path for path in whole if (path / "ledger.parquet").is_file() and path.name.isdecimal()]
    if not opened:
        raise StorageDamaged(f"{folder} {_nothing_in(folder)}")
    return sorted(opened, key=lambda path: (len(path.name), path.name))


def _nothing_in(folder: Path) -> str:
    """Say what a folder is, if it holds no opened replicate."""
    if not folder.exists():
        return "is not there; give the folder that run wrote, for example results/first-look"
    if not folder.is_dir():
        return "is a file; give the folder that run wrote, for example results/first-look"
    return (
        "holds no replicate whose bytes were kept and opened; set keep_bytes = true in [run], or give"
        " [run.open] a seed, and run the scenario again"
    )


def _replicates(folder: Path) -> list[Path]:
    found = [path.parent for path in folder.glob("*/truth")]
    try:
        seeds = read_manifest(folder).get("seeds")
    except StorageDamaged:  # the run is not finished yet: all there is
        return found
    return [path for path in found if not isinstance(seeds, list) or path.name in map(str, seeds)]


class Archive:
    """One opened replicate. Args: folder: where it is stored.

    `declared` has the places of the scenario's observers by name, `members` those of each coalition, `notes`
    what was not recorded of observers that were asked for.
    """

    def __init__(self, folder: Path) -> None:
        facts = read_manifest(folder)
        self.folder, self.seed, self.suite = folder, int(facts["seed"]), str(facts["suite"])
        self.declared = read_positions(folder)
        self.members = _members(facts, self.declared)
        self._resolved: Mapping[str, Any] = facts["resolved"]
        self.see = observatory(folder, self.suite)
        self.notes: dict[str, str] = {}  # of observers asked for: what else they would have had
        self._stolen = Position()  # whose keys those have who were asked for

    @cached_property
    def everyone(self) -> Position:
        """All observers of the scenario together."""
        return join(self.declared.values())

    @cached_property
    def transcript(self) -> Transcript:
        """What can be read in the run, with all keys of what was recorded."""
        watched = Position(operated=frozenset(end for end in self.everyone.watched if self._may_enter(end)))
        return Transcript(self.see("all observers", self.everyone | watched | self._stolen))

    def _may_enter(self, endpoint: int) -> bool:
        return endpoint not in self.scene.client_endpoints or endpoint in self.everyone.entered

    @cached_property
    def scene(self) -> Scene:
        """The stage, as vantages looked at it before the run."""
        clients = read_table(self.folder / "scene/clients.parquet", ("endpoint", "country", "platform"))
        country = read_table(self.folder / "scene/nodes.parquet", ("country",))["country"]
        names = read_table(self.folder / "truth/accounts.parquet", ACCOUNT_COLUMNS)["account_id"].tolist()
        devices = read_table(self.folder / "truth/devices.parquet", DEVICE_COLUMNS)
        pairs = zip(devices["endpoint"].tolist(), devices["account"].tolist(), strict=True)
        ids = {endpoint: bytes.fromhex(names[account]) for endpoint, account in pairs}
        servers: dict[str, tuple[int, ...]] = {}
        for endpoint, kind in sorted(read_servers(self.folder).items()):
            servers[kind] = (*servers.get(kind, ()), endpoint)
        endpoints = tuple(clients["endpoint"].tolist())
        return Scene(
            nodes=read_nodes(self.folder),
            node_country=tuple(country.tolist()),
            client_endpoints=endpoints,
            client_country=tuple(clients["country"].tolist()),
            client_platform=tuple(clients["platform"].tolist()),
            client_ids=tuple(ids[endpoint] for endpoint in endpoints),
            servers=servers,
            path_hops=_path_hops(self._resolved.get("platform", {})),
        )

    def position(self, name: str) -> tuple[Position, int]:
        """Give where an observer stands: one of the scenario, or a kind of vantage, with settings or without.

        What it would have got besides and nobody recorded is noted in `notes`.

        Args:
            name: see `asked_kinds`.

        Returns:
            The place, without what was not recorded, and how many endpoints that leaves out.

        Raises:
            InvalidInput: no such observer, kind or setting, none of what it would see was recorded, or a
                device that it stays on and whose keys were not kept.
        """
        if name in self.declared:
            return self.declared[name], 0
        asked = asked_kind(name, tuple(self.declared))
        place = asked.vantage.choose(self.scene, Seeds(self.seed))
        kept = self._asked_swarms(name, asked, self._recorded(asked, place))
        if kept.taken - self._stolen.taken:  # what their keys open was not read yet
            self._stolen |= Position(taken=kept.taken)
            self.__dict__.pop("transcript", None)
        return kept, len(place.watched - kept.watched)

    def _recorded(self, asked: AskedKind, place: Position) -> Position:
        watched, devices = self.everyone.watched, set(self.scene.client_endpoints)
        closed = sorted((place.entered & devices) - self.everyone.entered)
        again = f"To have it, declare {asked.declared}, and run the scenario again."
        if closed:
            allowed = "devices that an observer of the scenario operates, since only their keys were kept"
            copy = " A copy of a device needs no more: stays=false." if asked.kind == "device-thief" else ""
            found = f"{asked.kind}, which stays on endpoint {closed[0]}"
            raise InvalidInput("--as", found, allowed, again + copy)
        kept = replace(
            place,
            tapped=place.tapped & watched,
            operated=place.operated & watched,
            in_role=frozenset(pair for pair in place.in_role if pair[0] in watched),
        )
        if place.watched and not kept.watched:
            hint = (
                "Only what observers of the scenario could see was recorded; declare one that stands there."
            )
            raise InvalidInput("--as", asked.kind, "observers that stand where something was recorded", hint)
        return kept

    def _asked_swarms(self, name: str, asked: AskedKind, place: Position) -> Position:
        """Leave out what swarms held at a theft that nobody in the scenario committed, and note that."""
        done = {_question(one) for one in self.everyone.taken if one.fetches}
        missing = {one for one in place.taken if one.fetches and _question(one) not in done}
        if not missing:
            return place
        when = ", ".join(f"{one.t_us / US_PER_S:g} s" for one in sorted(missing))
        self.notes[name] = (
            f"what swarms held for it at {when} was not recorded and is left out. It has the keys, and with"
            f" others what they kept. To have all of it, declare {asked.declared}, and run the scenario"
            " again."
        )
        kept = frozenset(one._replace(fetches=one.fetches and one not in missing) for one in place.taken)
        return replace(place, taken=kept)

    def closure(self, name: str, position: Position) -> Closure:
        """Give what an observer at a position can open and read."""
        return Closure(self.see(name, position), self.transcript)

    def facts(self, name: str, position: Position) -> list[Fact]:
        """Deduce the ledger of an observer at a position."""
        return facts_of(self.closure(name, position))

    def ledger(self) -> list[Fact]:
        """Read the ledgers of the scenario's observers, in the order in which they are stored."""
        return read_ledger(self.folder / "ledger.parquet")

    def replicate(
        self, positions: Mapping[str, Position], ledgers: Mapping[str, Sequence[Fact]]
    ) -> Replicate:
        """Give the replicate to metrics, with other observers than those of the scenario."""
        found = assemble(self.folder, self.seed, self.suite)
        return replace(
            found, positions=positions, ledgers={name: tuple(facts) for name, facts in ledgers.items()}
        )


def _question(taking: Taking) -> tuple[int, int, bool]:
    """Give what one question to swarms is kept under."""
    return taking.endpoint, taking.t_us, taking.stays or taking.copies


def _members(manifest: Mapping[str, Any], declared: Mapping[str, Position]) -> dict[str, tuple[str, ...]]:
    """Give the members of each observer of the scenario that is a coalition."""
    settings = manifest.get("resolved", {}).get("vantages", {})
    found = {name: tuple(settings.get(name, {}).get("members") or ()) for name in declared}
    return {name: members for name, members in found.items() if members}


def _path_hops(platforms: Mapping[str, Mapping[str, Any]]) -> int:
    """Give how many relays all paths have; 0 where platforms differ."""
    found = {int(rules["path_hops"]) for rules in platforms.values()}
    return found.pop() if len(found) == 1 else 0
