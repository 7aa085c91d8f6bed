"""Rules of guards and onion paths: how many, chosen and tested how, kept and given up when (transport 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN, US_PER_MS, US_PER_S

HOPS: Final = 3  # Source: transport 3.1
MOST_HOPS: Final = 15  # Source: transport 3.5

_DESKTOP = "transport 4; session-desktop: ts/session/onions/onionPath.ts"
_ANDROID = "transport 4; session-android: network/onion/PathManager.kt"
_LIBSESSION = "transport 4; libsession-util: src/network/routing/onion_request_router.cpp"


@dataclass(frozen=True)
class PathRules:
    """Guards and paths of one platform. Times in microseconds."""

    paths: int = setting(
        2, doc="Onion paths kept, each with its own guard.", source="transport 4", low=1, high=8
    )
    paths_least: int = setting(
        1,
        doc="With fewer of these paths requests wait until there are enough; an extension of an app, which "
        "has one path, waits for none. Not more than paths.",
        source=f"transport 4: desktop at least 1; {_DESKTOP}, getOnionPath; Assumption: the others too",
        low=1,
        high=8,
    )
    path_hops: int = setting(
        HOPS,
        doc="Relays of a path: guard, middle nodes and last hop. The node that is asked stands behind it. "
        "Idle polls are drawn in bulk, and requests pass unseen relays at once, for 3 only.",
        source=f"transport 3.1; at most {MOST_HOPS}, nodes refuse what has come further (transport 3.5)",
        low=1,
        high=MOST_HOPS,
    )
    file_paths: int = setting(
        0,
        doc="Further paths kept for files alone; 0: files share the others.",
        source="transport 4: iOS 2; libsession builds them at its start",
        low=0,
        high=8,
    )
    path_subnet_rule: str = setting(
        "each-kind",
        doc="Which nodes of the paths may not share a /24: none, the guards with each other, the guards with "
        "each other and the rest with each other, or all.",
        source="transport 4",
        choices=("none", "guards", "each-kind", "all"),
    )
    path_choice: str = setting(
        "random",
        doc="Which path a request takes: any at random, or the one with the fewest requests under way.",
        source="transport 4",
        choices=("random", "least-busy"),
    )
    exclude_destination: bool = setting(
        True, doc="Never use a path that contains the request's destination.", source="transport 4"
    )
    first_start: bool = setting(
        False,
        doc="The app starts for the first time at time 0: it has no guards yet, and no nodes but those it "
        "ships with. Otherwise it ran before, and its guards have the ages of guards picked at random times.",
        source="Assumption: most people have had the messenger for longer than a run lasts",
    )
    guard_test: str = setting(
        "own-swarm",
        doc="How a new guard is tested: not at all, by asking it without an onion for the swarm of the own "
        "account, or by opening a connection to it.",
        source=f"{_DESKTOP}, testGuardNode; {_LIBSESSION}, verify_connectivity",
        choices=("none", "own-swarm", "handshake"),
    )
    guard_test_timeout_us: int = setting(
        10 * US_PER_S,
        unit="us",
        doc="How long such a test may take.",
        source="transport 4: desktop 10 s, iOS 3 s",
        low=10 * US_PER_MS,
        high=10 * US_PER_MIN,
    )
    guard_test_rounds: int = setting(
        6,
        doc="Rounds of tests in which one attempt to build paths looks for guards.",
        source=f"{_DESKTOP}, selectGuardNodes",
        low=1,
        high=100,
    )
    guard_age_us: int = setting(
        0,
        unit="us",
        doc="After how long a guard is replaced when its path is rebuilt; 0 means never.",
        source="transport 4: iOS 10 days, the others without limit",
        low=0,
        high=3660 * US_PER_DAY,
    )
    guards_lost_together: bool = setting(
        True,
        doc="When one guard is lost, all are chosen anew.",
        source=f"{_DESKTOP}, getGuardNodeOrSelectNewOnes",
    )
    build_retries: int = setting(
        39,
        doc="How often a failed attempt to build paths is repeated before waiting requests fail.",
        source="transport 4: desktop 4 attempts each time, up to 10 times for a caller; iOS 10 retries",
        low=0,
        high=1000,
    )
    build_pause_us: int = setting(
        US_PER_S,
        unit="us",
        doc="Pause before the first repetition.",
        source="transport 4: desktop 1 s; iOS 200 ms, doubled",
        low=0,
        high=US_PER_H,
    )
    build_pause_growth: float = setting(
        1.0, doc="Factor by which that pause grows.", source="transport 4", low=1, high=10
    )
    build_pause_cap_us: int = setting(
        5 * US_PER_S, unit="us", doc="Longest such pause.", source="transport 4", low=0, high=US_PER_H
    )
    rotation_us: int = setting(
        0,
        unit="us",
        doc="After how long the nodes behind the guards are replaced; 0 means never.",
        source="transport 4: Android and iOS 10 min, desktop never",
        low=0,
        high=366 * US_PER_DAY,
    )
    rotation_trigger: str = setting(
        "time",
        doc="What starts a rotation that is due: the time of each path, or the next request, for all paths.",
        source=f"{_LIBSESSION}; {_ANDROID}, rotatePathsIfStale",
        choices=("time", "request"),
    )
    rotation_test_timeout_us: int = setting(
        10 * US_PER_S,
        unit="us",
        doc="How long the new path may take for the `info` that tests it; 0: it is not tested.",
        source="transport 4: Android 5 s, iOS 10 s",
        low=0,
        high=10 * US_PER_MIN,
    )
    rotation_retry_us: int = setting(
        US_PER_MIN,
        unit="us",
        doc="How long after a failed rotation the next is due.",
        source="transport 4: iOS 1 min; Android at its next request",
        low=0,
        high=US_PER_DAY,
    )
    paths_at_online: bool = setting(
        True,
        doc="Coming online builds all paths anew around the same guards.",
        source="transport 4: desktop at each start (Assumption: a computer that comes online was switched "
        "on); libsession whenever it resumes",
    )
    reactions: str = setting(
        "desktop",
        doc="Whose rules say what a failed request costs its path, its nodes and its destination.",
        source="transport 4, reaction to a returned error",
        choices=("desktop", "android", "libsession"),
    )
    path_strikes: int = setting(
        3, doc="Failures after which a path is dropped.", source="transport 4", low=1, high=1000
    )
    node_strikes: int = setting(
        3, doc="Failures after which a node is dropped.", source="transport 4", low=1, high=1000
    )
    strike_life_us: int = setting(
        0,
        unit="us",
        doc="After how long failures of a node are forgotten; 0: with the next node list.",
        source="transport 4: iOS 48 h; desktop with each list (snodePool.ts). Assumption: Android too",
        low=0,
        high=366 * US_PER_DAY,
    )

    def __post_init__(self) -> None:
        if self.paths_least > self.paths:
            raise InvalidInput("paths_least", self.paths_least, f"at most paths, which is {self.paths}")
