"""The onion paths of one client as they are now: chosen, built, struck, repaired, dropped (transport 4).

A request takes one of the `ready` paths; where files have paths of their own, those of `for_files`. What a
failed request costs is said by `reactions`; here it is paid. How missing paths come back is `path_building`,
how the nodes behind the guards are replaced in time `rotation`.

Every choice of nodes has an address of its own: what for, and how many of that kind this client has made
before. A client that ran before time 0 has its first paths at once; one that starts for the first time builds
them when it starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.client.path_rules import PathRules
from sessionsim.protocol.client.paths import (
    FIRST_GUARDS,
    FIRST_REST,
    choose_guards,
    choose_rest,
    joined,
    too_small,
)
from sessionsim.protocol.client.pool import Pool, number_at
from sessionsim.protocol.client.reactions import Cost
from sessionsim.protocol.client.turns import luck_of, number_of

if TYPE_CHECKING:
    from sessionsim.protocol.client.path_building import Builder
    from sessionsim.protocol.client.rotation import Rotation

Nodes = tuple[int, ...]
_NOBODY: Final[frozenset[int]] = frozenset()


def _nobody() -> None:
    """Listen in nobody's place."""


class OnionPath:
    """One path. `busy`: requests under way; `guard_since_us`: when its guard was taken; `born_us`: itself."""

    __slots__ = ("born_us", "busy", "files", "guard_since_us", "nodes", "strikes")

    def __init__(self, nodes: Nodes, files: bool, born_us: int, guard_since_us: int) -> None:
        self.nodes, self.files = nodes, files
        self.born_us, self.guard_since_us = born_us, guard_since_us
        self.busy = self.strikes = 0


class PathKeeper:
    """Keeps the paths of one client.

    Args:
        nodes: says where nodes stand.
        pool: those the client knows.
        rules: its platform.
        entropy: its addressed chance.
    """

    def __init__(self, nodes: NodeList, pool: Pool, rules: PathRules, entropy: Entropy) -> None:
        self.nodes, self.pool, self.rules, self.entropy = nodes, pool, rules, entropy
        self.ready: list[OnionPath] = []
        self.for_files: list[OnionPath] = []
        self.single = False  # one path for everything: an extension of the app runs in its place
        self.enough = False  # as many paths as requests wait for
        self.changed: Callable[[], None] = _nobody  # told of every change of the paths
        self.builder: Builder | None = None
        self.rotation: Rotation | None = None
        self._exclude, self._least_busy = rules.exclude_destination, rules.path_choice == "least-busy"
        self.luck = luck_of(entropy, b"choose path")
        self._on_paths = _NOBODY
        self._strikes: dict[int, list[int]] = {}  # node -> when it was struck, µs
        self._gone: list[int] = []  # nodes given up by what is being paid for
        self._choices: dict[bytes, int] = {}  # choices made so far, by what for
        # All guards that paths went through, each with when it was taken: truth asks for them.
        self.guards_ever: dict[int, int] = {}
        if not rules.first_start:
            self._recall()

    def _recall(self) -> None:
        """Make the paths of a client that ran before, with guards of random age."""
        rules, pool = self.rules, self.pool
        behind = rules.path_hops - 1
        for files, count in ((False, rules.paths), (True, rules.file_paths)):
            kind = b"f" if files else b""
            used = [path.nodes for path in self.ready]
            beside = [node for nodes in used for node in nodes]
            guards = choose_guards(
                pool.draws(self.entropy, FIRST_GUARDS + kind), count, self.nodes, rules, beside
            )
            rest = choose_rest(
                pool.draws(self.entropy, FIRST_REST + kind), count * behind, self.nodes, rules,
                [n[0] for n in used] + guards, [node for n in used for node in n[1:]],
            )  # fmt: skip
            if len(guards) < count or len(rest) < count * behind:
                raise too_small(len(pool), rules.paths + rules.file_paths, rules)
            for number, nodes in enumerate(joined(guards, rest, behind)):
                place = b"age" + kind + bytes((number,))
                age_us = number_at(self.entropy, place, rules.guard_age_us) if rules.guard_age_us else 0
                born_us = (
                    -number_at(self.entropy, b"path" + place, rules.rotation_us) if rules.rotation_us else 0
                )
                # A guard is at least as old as its path.
                self.adopt(OnionPath(nodes, files, born_us, min(-age_us, born_us)))

    # --- use ----------------------------------------------------------------------------------------------

    @property
    def all(self) -> list[OnionPath]:
        """All paths in use, those of files last."""
        return self.ready + self.for_files

    def choose(self, node: int, address: bytes, files: bool = False) -> OnionPath | None:
        """Choose the path of a request; None if there is none. Args: node: where it goes; -1 for a server."""
        if files and self.rules.file_paths and not self.single:
            usable = self.for_files
        else:
            usable = self.ready if self.enough else []
        if self._exclude and node in self._on_paths:
            usable = [path for path in usable if node not in path.nodes] or usable
        if self._least_busy and usable:
            fewest = min([path.busy for path in usable])
            usable = [path for path in usable if path.busy == fewest]
        if len(usable) < 2:
            return usable[0] if usable else None
        return usable[number_of(self.luck, int.from_bytes(address, "little"), len(usable))]

    def usable(self, nodes: Sequence[int]) -> dict[int, tuple[int, ...]]:
        """Give the positions in `ready` of the paths over which a request may go to each of some nodes.

        Returns:
            By position in `nodes`; those are left out to which it may go over all paths.
        """
        if not self._exclude or self._on_paths.isdisjoint(nodes):
            return {}
        every = range(len(self.ready))
        found = {
            place: tuple(k for k in every if node not in self.ready[k].nodes)
            for place, node in enumerate(nodes)
            if node in self._on_paths
        }
        return {place: paths for place, paths in found.items() if paths}

    def in_use(self, path: OnionPath) -> bool:
        return path in (self.for_files if path.files else self.ready)

    # --- choices ------------------------------------------------------------------------------------------

    def candidates(self, what: bytes) -> Iterator[int]:
        """Give nodes in random order for one choice; each choice has draws of its own."""
        count = self._choices.get(what, 0)
        self._choices[what] = count + 1
        return self.pool.draws(self.entropy, what + count.to_bytes(4, "little"))

    def used(self) -> tuple[list[int], list[int]]:
        """Give the guards of all paths, and the nodes behind them."""
        paths = self.all
        return [path.nodes[0] for path in paths], [node for path in paths for node in path.nodes[1:]]

    # --- coming and going ---------------------------------------------------------------------------------

    def adopt(self, path: OnionPath) -> None:
        """Take a path into use."""
        (self.for_files if path.files else self.ready).append(path)
        self._changed()

    def discard(self, path: OnionPath) -> None:
        """Take a path out of use; requests under way on it may still be answered."""
        paths = self.for_files if path.files else self.ready
        if path in paths:
            paths.remove(path)
            self._changed()

    def exchange(self, old: OnionPath, new: OnionPath) -> None:
        """Put a path in the place of another."""
        paths = self.for_files if old.files else self.ready
        paths[paths.index(old)] = new
        self._changed()

    def _changed(self) -> None:
        self.changed()
        self.enough = len(self.ready) >= (1 if self.single else self.rules.paths_least)
        self._on_paths = frozenset(node for path in self.ready for node in path.nodes)
        for path in self.all:
            self.guards_ever.setdefault(path.nodes[0], path.guard_since_us)

    # --- paying for failures ------------------------------------------------------------------------------

    def pay(self, path: OnionPath, cost: Cost, named: int | None, now_us: int) -> None:
        """Strike and remove what a failed request on a path costs.

        Args:
            named: the node that the failure names, if the client knows it.
        """
        struck: list[int] = []
        if cost.named and named is not None:
            struck.append(named)
            self._strike(named, now_us, remove=cost.named == "remove")
        if cost.guard:
            struck.append(path.nodes[0])
            self._strike(path.nodes[0], now_us)
        if self.rules.reactions == "android":
            for node in struck:
                # Whoever strikes a node strikes the path in which it stands.
                for holder in [held for held in self.all if node in held.nodes]:
                    self._strike_path(holder, struck, now_us)
        if cost.path:
            self._strike_path(path, struck, now_us, drop=cost.path == "drop")
        self._mend(now_us)

    def strike(self, node: int, now_us: int) -> None:
        """Count a failure against a destination."""
        self._strike(node, now_us)
        self._mend(now_us)

    def forget_strikes(self) -> None:
        """Begin to count anew, as with a new node list."""
        if not self.rules.strike_life_us:
            self.forget_failures()

    def forget_failures(self) -> None:
        """Count all failures anew, as after a restart."""
        self._strikes.clear()
        for path in self.all:
            path.strikes = 0

    def _strike(self, node: int, now_us: int, *, remove: bool = False) -> None:
        rules = self.rules
        struck = self._strikes.setdefault(node, [])
        if rules.strike_life_us:
            struck[:] = [t_us for t_us in struck if now_us - t_us < rules.strike_life_us]
        struck.append(now_us)
        if remove or len(struck) >= rules.node_strikes:
            until_us = now_us + rules.strike_life_us if rules.strike_life_us else None
            self.give_up(node, until_us)
            if not rules.strike_life_us:
                del self._strikes[node]

    def _strike_path(self, path: OnionPath, struck: list[int], now_us: int, *, drop: bool = False) -> None:
        if not self.in_use(path):
            return
        rules = self.rules
        path.strikes = rules.path_strikes if drop else path.strikes + 1
        over = path.strikes >= rules.path_strikes
        if rules.reactions == "desktop":
            # The guard pays once, with its path; the others pay each time.
            for node in path.nodes[1:]:
                self._strike(node, now_us)
            if over:
                self.give_up(path.nodes[0])
        elif rules.reactions == "android":
            for node in path.nodes if not struck else ():
                self._strike(node, now_us)
        elif over:
            for node in path.nodes:
                if node not in struck:
                    self._strike(node, now_us)
        if over:
            self.discard(path)

    def give_up(self, node: int, until_us: int | None = None) -> None:
        """Take a node out of the pool, see `Pool.drop`; paths that hold it are mended with what is paid."""
        self.pool.drop(node, until_us)
        self._gone.append(node)

    def _mend(self, now_us: int) -> None:
        """Replace nodes that have been given up, or drop the path; then have what is missing built."""
        gone, self._gone = self._gone, []
        if gone:
            for path in self.all:
                if any(node in gone for node in path.nodes):
                    self._repair(path, [node for node in path.nodes if node in gone], now_us)
        if len(self.ready) < self.rules.paths or len(self.for_files) < self.rules.file_paths:
            assert self.builder is not None
            self.builder.build(now_us)

    def _repair(self, path: OnionPath, gone: list[int], now_us: int) -> None:
        """Put other nodes in the places of those that are gone.

        Desktop puts them at the end, so that a path which loses its guard has its middle node as the next
        one, and keeps them apart only from this path; the others put them in place, unused by any path.
        """
        rules, guard = self.rules, path.nodes[0]
        at_end = rules.reactions == "desktop"
        if rules.reactions == "libsession" and guard in gone:
            self.discard(path)
            return
        # Desktop keeps the newcomer apart from the /24 of the guard too, which it does not when it builds.
        guards, others = ([], list(path.nodes)) if at_end else self.used()
        new = choose_rest(self.candidates(b"repair"), len(gone), self.nodes, rules, guards, others)
        if len(new) < len(gone):
            self.discard(path)
            return
        if at_end:
            path.nodes = (*(node for node in path.nodes if node not in gone), *new)
        else:
            place = dict(zip(gone, new, strict=True))
            path.nodes = tuple(place.get(node, node) for node in path.nodes)
        if path.nodes[0] != guard:
            path.guard_since_us = now_us
        self._changed()
