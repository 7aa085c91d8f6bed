"""Paths of many accounts over months, on arrays: who has when a guard or a path in the coalition's hands.

No bytes and no events: each account keeps its guards and rebuilds its paths as the client does (transport 4),
and what is asked is the first moment at which a coalition stands in certain places. The choice of nodes is
the client's own rule, for all accounts at once (`path_choices`): first, when an app starts again, and when a
phone puts other nodes behind its guards, which then avoids those that its paths have had until then.

Two things make a year of ten-minute rotations cheap without changing any answer. All draws are addressed by
account, epoch of guards, rotation and attempt, so a rotation nobody needs is not drawn. And a path cannot
have both ends in the coalition while its guard is not, so rotations are drawn only for accounts with a bad
guard, and only until their first compromise.

Left out: guards that fail and are tested, node lists that change, phones that sleep.
`guard_loss_per_day` stands for whatever else makes a client give up a guard. Accounts are spread evenly over
swarms, where the nearest-swarm rule gives some swarms more than others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds, mix_array
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_MIN
from sessionsim.network.path_choices import Candidates, Ints, guards_of, joined, rest_of, with_files
from sessionsim.network.path_choices import paths_of as paths_of
from sessionsim.protocol.client.rules import ClientRules

Flags = npt.NDArray[np.bool_]

NEVER: Final = -1
_GUARDS, _REST, _LOSS, _AGE, _SWARM, _FILE_GUARDS, _FILE_REST = range(7)  # what a draw is for


@dataclass(frozen=True, slots=True)
class PathLife:
    """How long guards and paths last. Times in microseconds, 0 for without end."""

    rebuild_us: int = setting(
        US_PER_DAY,
        unit="us",
        doc="After how long the nodes behind the guards are chosen anew; 0 means never.",
        source="transport 4: desktop at start-up only (Assumption: one start a day), phones every 10 min",
        low=0,
    )
    guard_age_us: int = setting(
        0,
        unit="us",
        doc="After how long all guards are chosen anew; 0 means never.",
        source="transport 4: desktop and Android without limit, iOS 10 days",
        low=0,
    )
    guard_loss_per_day: float = setting(
        0.0,
        doc="How often a day a guard is given up for another reason, as a rate; all are then chosen anew.",
        source="Assumption: none, so that the effect of age alone shows; churn of the network is swept",
        low=0,
        high=1000,
    )


DESKTOP: Final = PathLife()
ANDROID: Final = replace(DESKTOP, rebuild_us=10 * US_PER_MIN)
IOS: Final = replace(ANDROID, guard_age_us=10 * US_PER_DAY)
LIVES: Final = {"android": ANDROID, "desktop": DESKTOP, "ios": IOS}


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """What paths are chosen from. Args: net24: /24 of each node; swarm: number of its swarm, 0 and up."""

    net24: Ints
    swarm: Ints

    def __len__(self) -> int:
        return len(self.net24)


@dataclass(frozen=True, slots=True, eq=False)
class FirstTimes:
    """When something first happened to each account, µs, shape (accounts,); NEVER within the horizon.

    Args:
        guard: one of its guards was the coalition's, of any path.
        guard_and_replica: so it was, and a member of the account's swarm too: address and account at once.
        guard_and_last: first and last relay of one path were.
        horizon_us: how long was watched.
        replica: a member of its swarm is the coalition's.
        swarm: how many nodes its swarm has; guards: how many guards it has.
        around: how many nodes its swarm and its first guards are together.
    """

    guard: Ints
    guard_and_replica: Ints
    guard_and_last: Ints
    horizon_us: int
    replica: Flags
    swarm: Ints
    guards: Ints
    around: Ints

    def by(self, event: str, days: float) -> float:
        """Share of accounts that had met an event, named like a field, by the end of a day."""
        times: Ints = getattr(self, event)
        return float(((times >= 0) & (times <= days * US_PER_DAY)).mean())

    def censored(self, event: str) -> tuple[npt.NDArray[np.float64], Flags]:
        """Give days and whether the event was met, for a survival curve; the horizon where it was not."""
        times: Ints = getattr(self, event)
        met = times >= 0
        return np.where(met, times, self.horizon_us) / US_PER_DAY, met


class _Draws:
    """Addressed whole numbers for accounts: a function of account, purpose, epoch, rotation and attempt."""

    def __init__(self, seeds: Seeds, accounts: int, below: int) -> None:
        root = seeds.address("population")
        self._account = mix_array(
            np.uint64(root) * np.ones(accounts, np.uint64), np.arange(accounts).astype(np.uint64)
        )
        self._below = below

    def bits(
        self, account: Ints, purpose: int, epoch: Ints, rotation: Ints, attempt: int
    ) -> npt.NDArray[np.uint64]:
        """Give 64 bits for each account; all arrays of one shape."""
        place = mix_array(
            self._account[account], (epoch.astype(np.uint64) << np.uint64(3)) | np.uint64(purpose)
        )
        turn = mix_array(place, rotation.astype(np.uint64))
        return mix_array(turn, np.full(len(account), attempt, dtype=np.uint64))

    def nodes(self, account: Ints, purpose: int, epoch: Ints, rotation: Ints) -> Candidates:
        """Give a stream of candidate nodes; the bias of the upper 32 bits is below 2^-20."""

        def candidate(k: int, positions: Ints) -> Ints:
            raw = self.bits(account[positions], purpose, epoch[positions], rotation[positions], k)
            return ((raw >> np.uint64(32)) * np.uint64(self._below) >> np.uint64(32)).astype(np.int64)

        return candidate

    def uniform(self, account: Ints, purpose: int, epoch: Ints) -> npt.NDArray[np.float64]:
        """Give a number in [0, 1) for each account."""
        raw = self.bits(account, purpose, epoch, np.zeros_like(epoch), 0)
        return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53


def first_compromise(
    network: Network,
    bad: Flags,
    rules: ClientRules,
    life: PathLife,
    accounts: int,
    days: float,
    seeds: Seeds,
) -> FirstTimes:
    """Follow accounts from their first start until a coalition has stood where it wants to stand.

    Args:
        network: the nodes. bad: which the coalition operates, shape (nodes,).
        rules: number of paths and subnet rule. life: how long guards and paths last.
        accounts: how many, each in a swarm of its own choosing. days: how long to watch, above 0.
        seeds: root of chance.

    Raises:
        InvalidInput: no account, no time, or a network too small for the paths.
    """
    if accounts < 1 or not days > 0:
        raise InvalidInput("population", f"{accounts} accounts, {days} days", "at least one of each")
    horizon = round(days * US_PER_DAY)
    draws, everyone = _Draws(seeds, accounts, len(network)), np.arange(accounts)
    times = {
        name: np.full(accounts, NEVER, dtype=np.int64)
        for name in ("guard", "guard_and_replica", "guard_and_last")
    }
    swarms = int(network.swarm.max()) + 1
    bad_swarm = np.zeros(swarms, dtype=bool)
    bad_swarm[network.swarm[bad]] = True
    zero = np.zeros(accounts, dtype=np.int64)
    own = (draws.uniform(everyone, _SWARM, zero) * swarms).astype(np.int64)
    watched = bad_swarm[own]
    within = zero.copy()
    begin, epoch = zero.copy(), 0
    active = everyone
    while len(active):
        numbers = np.full(len(active), epoch, dtype=np.int64)
        zeros = np.zeros(len(active), dtype=np.int64)
        guards = guards_of(network.net24, rules, len(active), draws.nodes(active, _GUARDS, numbers, zeros))
        first: Ints | None = None
        if rules.file_paths:
            first = rest_of(
                network.net24, rules, guards, rules.paths, draws.nodes(active, _REST, numbers, zeros)
            )
            guards, first = with_files(
                network.net24, rules, guards, first, draws.nodes(active, _FILE_GUARDS, numbers, zeros),
                draws.nodes(active, _FILE_REST, numbers, zeros),
            )  # fmt: skip
        if not epoch:
            within = (network.swarm[guards] == own[:, None]).sum(axis=1)
        end = np.minimum(_end_of_epoch(draws, active, numbers, begin[active], rules, life), horizon)
        held = bad[guards].any(axis=1)
        _mark(times["guard"], active[held], begin[active[held]])
        both = active[held & watched[active]]
        _mark(times["guard_and_replica"], both, begin[both])
        met = _rotate(
            network, bad, rules, life.rebuild_us, draws.nodes, active[held], guards[held], epoch,
            begin[active[held]], end[held], None if first is None else first[held],
        )  # fmt: skip
        _mark(times["guard_and_last"], active[held][met >= 0], met[met >= 0])
        begin[active] = end
        undecided = (times["guard_and_last"][active] < 0) & (end < horizon)
        active, epoch = active[undecided], epoch + 1
    size = np.bincount(network.swarm, minlength=swarms)[own].astype(np.int64)
    many = np.full(accounts, rules.paths + rules.file_paths, dtype=np.int64)
    return FirstTimes(
        **times, horizon_us=horizon, replica=watched, swarm=size, guards=many, around=size + many - within
    )


def _end_of_epoch(
    draws: _Draws, account: Ints, epoch: Ints, begin: Ints, rules: ClientRules, life: PathLife
) -> Ints:
    """Say when guards are given up: by age, or by a loss of any of them; far away if by neither."""
    end = np.full(len(account), np.iinfo(np.int64).max // 2, dtype=np.int64)
    if life.guard_age_us:
        end = begin + life.guard_age_us
    if life.guard_loss_per_day:
        rate = life.guard_loss_per_day * (rules.paths + rules.file_paths)
        wait_days = -np.log1p(-draws.uniform(account, _LOSS, epoch)) / rate
        end = np.minimum(end, begin + 1 + (np.minimum(wait_days, 1e6) * US_PER_DAY).astype(np.int64))
    return end


def _rotate(
    network: Network,
    bad: Flags,
    rules: ClientRules,
    rebuild_us: int,
    nodes: Callable[[Ints, int, Ints, Ints], Candidates],
    account: Ints,
    guards: Ints,
    epoch: int,
    begin: Ints,
    end: Ints,
    first: Ints | None,
) -> Ints:
    """Rebuild the paths of accounts with a bad guard until one has a bad end too, or the time is up.

    Args:
        first: what stands behind the guards at first, if that is known already.

    Returns:
        When that was, shape (accounts,); NEVER if it was not.
    """
    met = np.full(len(account), NEVER, dtype=np.int64)
    on, rotation = np.arange(len(account)), 0
    rest = np.zeros((len(account), guards.shape[1] * (rules.path_hops - 1)), dtype=np.int64)
    while len(on):
        numbers = np.full(len(on), epoch)

        def stream(turn: int, on: Ints = on, numbers: Ints = numbers) -> Candidates:
            return nodes(account[on], _REST, numbers, np.full(len(on), turn))

        before = rest[on] if rotation and rules.rotation_us else None
        if first is not None and not rotation:
            rest[on] = first
        else:
            rest[on] = rotated(network.net24, rules, guards[on], before, rotation, stream)
        owned: Flags = bad[joined(guards[on], rest[on])]
        both: Flags = np.any(owned[:, :, 0] & owned[:, :, -1], axis=1)
        met[on[both]] = begin[on[both]] + rotation * rebuild_us
        rotation += 1
        more = ~both & (begin[on] + rotation * rebuild_us < end[on])
        on = on[more] if rebuild_us else on[:0]
    return met


def rotated(
    net24: Ints,
    rules: ClientRules,
    guards: Ints,
    before: Ints | None,
    rotation: int,
    stream: Callable[[int], Candidates],
) -> Ints:
    """Put nodes behind guards, once more or for the first time (`protocol.client.rotation`).

    Args:
        guards: shape (accounts, paths).
        before: what stood behind them, shape (accounts, paths · others); None if the app starts anew and
            knows nothing of it.
        rotation: how many there were.
        stream: gives candidates by number; with a rotation of each path by itself, each has its own.

    Returns:
        As `before`.
    """
    paths, behind = guards.shape[1], rules.path_hops - 1
    if before is None or rules.rotation_trigger == "request":  # all paths at once
        return rest_of(net24, rules, guards, paths, stream(rotation * paths), before)
    rest = before.copy()
    for path in range(paths):
        place = slice(path * behind, (path + 1) * behind)
        rest[:, place] = rest_of(net24, rules, guards, 1, stream(rotation * paths + path), rest)
    return rest


def _mark(times: Ints, account: Ints, now: Ints) -> None:
    """Note a moment where none is noted yet."""
    fresh = times[account] < 0
    times[account[fresh]] = now[fresh]
