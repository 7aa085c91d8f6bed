"""What a service node allows and how long it waits, as numbers a scenario may change.

Defaults are those of session-storage-server (transport 3.5, 5.2, 5.4-5.6, 5.11; the file named with each).
Times are microseconds; the node converts to the milliseconds of the wire.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sessionsim.core.errors import InvalidInput
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_S

_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})", re.ASCII)
_HANDLER = "session-storage-server: oxenss/rpc/request_handler.h"


@dataclass(frozen=True, slots=True)
class NodeRules:
    """Limits, windows and timeouts of a service node."""

    ttl_min_us: int = setting(
        10 * US_PER_S,
        unit="us",
        low=0,
        doc="Shortest time to live of a message.",
        source=f"transport 5.2; {_HANDLER}",
    )
    ttl_max_inbox_us: int = setting(
        14 * US_PER_DAY,
        unit="us",
        low=0,
        doc="Longest time to live in a public inbox (namespaces divisible by 10).",
        source=f"transport 5.2; {_HANDLER}",
    )
    ttl_max_private_us: int = setting(
        30 * US_PER_DAY,
        unit="us",
        low=0,
        doc="Longest time to live in every other namespace.",
        source=f"transport 5.2; {_HANDLER}",
    )
    store_tolerance_us: int = setting(
        10 * US_PER_S,
        unit="us",
        low=0,
        doc="How far a stored message's time may lie ahead, and its expiry behind.",
        source=f"transport 5.2; {_HANDLER}",
    )
    signature_window_us: int = setting(
        60 * US_PER_S,
        unit="us",
        low=0,
        doc="How far the time of a signed request may be from the node's clock, either way.",
        source=f"transport 5.2; {_HANDLER}",
    )
    message_max_bytes: int = setting(
        76_800,
        unit="bytes",
        low=3,
        doc="Largest message before base64.",
        source="transport 5.2; session-storage-server: oxenss/rpc/client_rpc_endpoints.h",
    )
    request_max_bytes: int = setting(
        10 * 1024 * 1024,
        unit="bytes",
        low=1,
        doc="Largest request a node reads, over HTTPS, QUIC or OxenMQ.",
        source="transport 3.5; session-storage-server: oxenss/server/https.cpp, omq.cpp",
    )
    batch_max: int = setting(
        20, low=1, doc="Most requests in one batch or sequence.", source="transport 5.2, 5.7"
    )
    hops_max: int = setting(
        15,
        low=1,
        doc="Highest hop counter of an onion request that is still relayed.",
        source="transport 3.5; session-storage-server: oxenss/rpc/onion_processing.h",
    )
    relays_max: int = setting(
        10_000,
        low=1,
        doc="Answers a node waits for at most, of relayed requests and of its swarm each; busy for more.",
        source="Assumption: bounds memory; the real server queues at most 1000 requests per kind (omq.cpp)",
    )
    relay_timeout_us: int = setting(
        30 * US_PER_S,
        unit="us",
        low=1,
        doc="How long a relay waits for the next node.",
        source="transport 3.5, 3.6",
    )
    server_timeout_us: int = setting(
        25 * US_PER_S,
        unit="us",
        low=1,
        doc="How long the last hop waits for a server it has posted a request to.",
        source="transport 3.5; session-storage-server: oxenss/rpc/request_handler.h (ONION_URL_TIMEOUT)",
    )
    accepts_aes_cbc: bool = setting(
        True,
        doc="Open onion layers in the old aes-cbc too.",
        source="transport 3.3; session-storage-server 2.8: oxenss/crypto/channel_encryption.cpp; its newest "
        "source no longer knows it",
    )
    tells_unreachable: bool = setting(
        True,
        doc="Name the next node when it can't be reached; otherwise the request times out.",
        source="transport 3.5; session-storage-server after 2.8: oxenss/rpc/request_handler.cpp",
    )
    guard_not_ready: str = setting(
        "service node",
        choices=("service node", "snode"),
        doc="First words of an HTTPS guard that is not ready: `Service node is` or `Snode`.",
        source="session-storage-server: oxenss/server/https.cpp (check_ready), in every version read; "
        "transport 3.5 calls it new",
    )
    replication_timeout_us: int = setting(
        5 * US_PER_S,
        unit="us",
        low=1,
        doc="How long a node waits for the other members of its swarm before it answers a store.",
        source="transport 5.5; session-storage-server: oxenss/rpc/request_handler.cpp",
    )
    retrieve_max_bytes: int = setting(
        7_800_000,
        unit="bytes",
        low=1,
        doc="Most bytes of messages in one retrieve.",
        source="transport 5.6; session-storage-server: oxenss/rpc/request_handler.h",
    )
    retrieve_share: int = setting(
        5, low=1, doc="A retrieve that names no size gets one part in this many.", source="transport 5.6"
    )
    message_overhead_bytes: int = setting(
        100,
        unit="bytes",
        low=0,
        doc="Bytes a retrieve counts for a message beside its hash and base64 text.",
        source="transport 5.6; session-storage-server: oxenss/storage/database.hpp",
    )
    cleanup_period_us: int = setting(
        10 * US_PER_S,
        unit="us",
        low=1,
        doc="How often expired messages are removed; until then they are still served.",
        source="transport 5.11; session-storage-server: oxenss/storage/database.hpp CLEANUP_PERIOD",
    )
    disk_max_bytes: int = setting(
        3_584 * 1024 * 1024,
        unit="bytes",
        low=0,
        doc="Bytes of messages a node keeps before stores fail.",
        source="transport 5.4: 3.5 GB (GiB is assumed) in 2.8, 10 GiB in newer versions",
    )
    version: str = setting(
        "2.11.3", doc="Version a node reports.", source="transport, head: what mainnet ran in 2026"
    )
    hard_fork: int = setting(
        19, low=0, high=255, doc="Hard fork a node reports.", source="transport 5.4, 5.10"
    )
    hard_fork_revision: int = setting(
        3,
        low=0,
        high=255,
        doc="Revision of the hard fork.",
        source="Assumption: the least that counts as ready (5.10)",
    )

    def __post_init__(self) -> None:
        if _VERSION.fullmatch(self.version) is None:
            raise InvalidInput("version", self.version, "three numbers like 2.11.3")

    @property
    def version_numbers(self) -> tuple[int, ...]:
        """The version as numbers, most significant first."""
        return tuple(int(part) for part in self.version.split("."))
