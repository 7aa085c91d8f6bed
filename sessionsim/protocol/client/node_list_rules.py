"""Rules of the node list: when a client asks for it, whom, and what it believes (transport 4)."""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN, US_PER_MS, US_PER_S

_DESKTOP = "session-desktop: ts/session/apis/snode_api/snodePool.ts, snodePoolConstants.ts"
_ANDROID = "session-android: network/snode/SnodeDirectory.kt"
_LIBSESSION = "libsession-util: src/network/snode_pool.cpp"


@dataclass(frozen=True)
class NodeListRules:
    """The node list of one platform. Times in microseconds."""

    ships_list: bool = setting(
        False,
        doc="The app brings a node list with it, to be used where no seed node answers.",
        source=f"transport 4: Android and iOS; {_ANDROID}; {_LIBSESSION}, fallback_snode_pool_path",
    )
    list_first_us: int = setting(
        5 * US_PER_MIN,
        unit="us",
        doc="When after its start a client first refreshes the list; 0: as if it had run before, at a random "
        "time of the interval.",
        source="transport 4: desktop 5 min",
        low=0,
        high=366 * US_PER_DAY,
    )
    list_interval_us: int = setting(
        US_PER_H,
        unit="us",
        doc="After how long the list is refreshed again; 0 means never at all.",
        source="transport 4: desktop 1 h, Android and iOS 2 h",
        low=0,
        high=366 * US_PER_DAY,
    )
    list_least_age_us: int = setting(
        0,
        unit="us",
        doc="A list younger than this is not refreshed, whatever it lacks.",
        source=f"transport 4: iOS 2 s; {_LIBSESSION}, cache_min_lifetime",
        low=0,
        high=US_PER_DAY,
    )
    list_trigger: str = setting(
        "time",
        doc="What starts a refresh that is due: the time, or the next use of a path.",
        source=f"transport 4; {_ANDROID}, refreshPoolIfStaleAsync; {_LIBSESSION}, get_unused_nodes",
        choices=("time", "request", "path"),
    )
    list_form: str = setting(
        "oxend",
        doc="How the list is asked for: get_service_nodes of the daemon, or active_nodes_bin.",
        source=f"transport 4, 5.1; {_LIBSESSION}",
        choices=("oxend", "packed"),
    )
    list_route: str = setting(
        "onion",
        doc="How the asked nodes are reached: over a path, or directly.",
        source=f"transport 4; {_LIBSESSION}, use_direct_fetcher",
        choices=("onion", "direct"),
    )
    list_sources: int = setting(3, doc="Nodes asked for the list.", source="transport 4", low=1, high=16)
    list_sources_apart: bool = setting(
        False, doc="These nodes are of different /24s.", source=f"transport 4: Android; {_ANDROID}"
    )
    list_agreement: int = setting(
        3,
        doc="In how many of their lists a node must stand to be believed.",
        source="transport 4: desktop in all, Android and iOS in 2 of 3",
        low=1,
        high=16,
    )
    list_minimum: int = setting(
        24,
        doc="Fewest nodes that a new list must have.",
        source="transport 4: desktop 24, Android and iOS 12",
        low=1,
        high=10_000,
    )
    list_tries: int = setting(
        4,
        doc="Attempts to get such a list before a seed node is asked instead.",
        source=f"{_DESKTOP}: 1 and 3 retries; Assumption for iOS, which tries without end",
        low=1,
        high=100,
    )
    list_pause_us: int = setting(
        US_PER_S,
        unit="us",
        doc="Pause between these attempts.",
        source=f"{_DESKTOP}; {_LIBSESSION}: 200 ms to 5 s",
        low=10 * US_PER_MS,
        high=US_PER_H,
    )
    list_timeout_us: int = setting(
        10 * US_PER_S,
        unit="us",
        doc="How long a node or a seed node may take to give the list.",
        source=f"session-desktop: getServiceNodesList.ts; {_LIBSESSION}",
        low=100 * US_PER_MS,
        high=US_PER_H,
    )
    pool_minimum: int = setting(
        8,
        doc="With fewer known nodes a client asks a seed node instead of going on.",
        source="transport 4: desktop 8, Android 12, iOS 3",
        low=1,
        high=10_000,
    )
    unused_minimum: int = setting(
        0,
        doc="With fewer known nodes that stand on no path, the list is refreshed when nodes are chosen; only "
        "where choices of nodes begin refreshes.",
        source=f"transport 4: iOS 12 unused; {_LIBSESSION}, cache_min_size",
        low=0,
        high=10_000,
    )
    refresh_minimum: int = setting(
        16,
        doc="With fewer known nodes a refresh asks a seed node instead of nodes.",
        source="transport 4: desktop 16, the others as many as they ask",
        low=1,
        high=10_000,
    )
    seed_tries: int = setting(
        4,
        doc="Attempts to get the list from seed nodes before a client waits for the next refresh, or takes "
        "the list it ships with.",
        source="session-desktop: ts/session/apis/seed_node_api (1 and 3 retries); Assumption for the others",
        low=1,
        high=100,
    )
    seed_retry_us: int = setting(
        US_PER_MIN,
        unit="us",
        doc="How long a client without any nodes waits after that before it asks seed nodes again.",
        source="Assumption: the pollers of the real clients run into it again and again",
        low=US_PER_S,
        high=US_PER_DAY,
    )
