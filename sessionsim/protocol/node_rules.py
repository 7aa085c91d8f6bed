"""What a service node allows and how long it waits, as numbers a scenario may change.

Defaults are those of session-storage-server (transport 3.5, 5; the file named with each), in its newer
versions where they differ; `VERSION_2_8` holds what differs in 2.8. Times are microseconds; the node converts
to the milliseconds of the wire.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sessionsim.core.errors import InvalidInput
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_MIN, US_PER_S
from sessionsim.protocol.wire.monitor import SUBSCRIPTION_LIFE_US

_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})", re.ASCII)
_HANDLER = "session-storage-server: oxenss/rpc/request_handler.h"
_HANDLING = "session-storage-server: oxenss/rpc/request_handler.cpp"
_DATABASE = "session-storage-server: oxenss/storage/database.cpp"
_SWARMS = "session-storage-server: oxenss/snode/service_node.cpp"
_LIMITER = "transport 5.9; session-storage-server: oxenss/rpc/rate_limiter.h"


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
    forwarded_window_us: int = setting(
        70 * US_PER_S,
        unit="us",
        low=0,
        doc="The same for a delete_all or expire_all that another member passed on.",
        source=f"transport 5.2; {_HANDLER}",
    )
    before_ahead_us: int = setting(
        US_PER_MIN,
        unit="us",
        low=0,
        doc="How far ahead the time of a delete_before may lie.",
        source=f"transport 5.2; {_HANDLING}",
    )
    expire_behind_us: int = setting(
        US_PER_MIN,
        unit="us",
        low=0,
        doc="How far behind the new expiry of an expire may lie.",
        source=f"transport 5.2; {_HANDLING}",
    )
    expiry_lists_from_19_4: bool = setting(
        False,
        doc="Refuse an expire with several expiries before hard fork 19.4, as 2.8 does.",
        source=f"transport 5.2; {_HANDLING} MULTI_EXPIRY_HARDFORK; newer servers need a later fork anyway",
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
    all_failed_is_500: bool = setting(
        True,
        doc="Answer 500 to a recursive request that failed on every member; 2.8 always answers 200.",
        source=f"transport 5.4; {_HANDLING} reply_or_fail, which looks one level too high in 2.8",
    )
    retry_forwards: bool = setting(
        True,
        doc="Keep what a member did not answer in time, and send it again; 2.8 forgets it.",
        source="transport 5.5",
    )
    retry_check_us: int = setting(
        5 * US_PER_S,
        unit="us",
        low=1,
        doc="How often a node looks for forwards to send again.",
        source=f"transport 5.5; {_SWARMS}",
    )
    retry_timeout_us: int = setting(
        10 * US_PER_S,
        unit="us",
        low=1,
        doc="How long such a forward is waited for.",
        source=f"transport 5.5; {_SWARMS}",
    )
    retry_first_us: int = setting(
        15 * US_PER_S,
        unit="us",
        low=0,
        doc="When a forward is sent again for the first time, after it went unanswered.",
        source=f"{_DATABASE} RETRY_INITIAL_DELAY (transport 7 did not find it)",
    )
    retry_again_us: int = setting(
        60 * US_PER_S,
        unit="us",
        low=1,
        doc="How long after one attempt the next is made.",
        source=f"{_DATABASE} RETRY_INTERVAL, 30 s in some builds (transport 7 did not find it)",
    )
    retry_for_us: int = setting(
        US_PER_DAY,
        unit="us",
        low=0,
        doc="How old a forward gets before it is given up.",
        source="Assumption: the server has such a limit (RETRY_EXPIRY), whose value was not found",
    )
    retry_kept_max: int = setting(
        10_000,
        low=1,
        doc="Forwards a node keeps at most; the oldest go first.",
        source="Assumption: bounds memory; the real server keeps them on disk",
    )
    new_methods: bool = setting(
        True,
        doc="Know revoked_subaccounts and active_nodes_bin, which 2.8 does not.",
        source="transport 5.1",
    )
    revoked_max: int = setting(
        50,
        low=1,
        doc="Revoked tokens remembered per account; the oldest go first.",
        source="transport 5.2; session-storage-server: oxenss/common/subaccount_token.h",
    )
    revocations_need_messages: bool = setting(
        False,
        doc="Forget an account's revoked tokens with its last message, and take none before its first.",
        source=f"transport 5.2 knows no such rule; {_DATABASE} (all versions) ties them to the row of "
        "the owner, which goes with its last message",
    )
    revoke_counts: bool = setting(
        True,
        doc="Say how many tokens a revoke_subaccount added.",
        source=f"transport 5.2; {_HANDLING} (all versions) counts in unrevoke_subaccount only",
    )
    outbox_newest_wins: bool = setting(
        True,
        doc="A public outbox keeps what has the latest timestamp; in 2.8, what was stored last.",
        source=f"transport 5.3; {_DATABASE} store",
    )
    merge_prolongs: bool = setting(
        True,
        doc="A message that another node hands on prolongs the same one here; not so in 2.8.",
        source=f"transport 5.10; {_DATABASE} bulk_store",
    )
    transfer_namespaces: bool = setting(
        True,
        doc="Hand messages on with their namespace; 2.8 drops it, and they reappear in namespace 0.",
        source="transport 5.10; session-storage-server: oxenss/snode/serialization.cpp, since 2.11.3",
    )
    transfer_on_request: bool = setting(
        True,
        doc="Hand messages to a new member of the swarm when it asks (sn.data_ready); 2.8 does unasked.",
        source=f"transport 5.10; {_SWARMS}",
    )
    transfer_batch_bytes: int = setting(
        9_000_000,
        unit="bytes",
        low=1,
        doc="Largest batch of messages handed on.",
        source="transport 5.10; session-storage-server: oxenss/snode/serialization.h",
    )
    newcomer_check_us: int = setting(
        10 * US_PER_S,
        unit="us",
        low=1,
        doc="How often a node looks for new members to ask, and for members that have asked.",
        source=f"transport 5.10; {_SWARMS} NEW_SWARM_MEMBER_INTERVAL",
    )
    newcomer_retry_us: int = setting(
        30 * US_PER_S,
        unit="us",
        low=1,
        doc="How long a node waits before it asks a new member again.",
        source="session-storage-server: oxenss/snode/swarm.h NEW_SWARM_MEMBER_RETRY",
    )
    newcomer_attempts_max: int = setting(
        10,
        low=1,
        doc="How often a node asks a new member; versions before 2.10 do not know the question.",
        source="Assumption: the real server knows the other's version, and otherwise goes on for ever",
    )
    monitor_ends: bool = setting(
        True,
        doc="Refuse and end subscriptions to accounts of other swarms; 2.8 keeps them silently.",
        source="transport 5.12; session-storage-server: oxenss/server/mqbase.cpp",
    )
    subscription_us: int = setting(
        SUBSCRIPTION_LIFE_US, unit="us", low=US_PER_S, high=US_PER_DAY,
        doc="How long a subscription of a push server lives unless it is renewed.",
        source="transport 5.12; session-storage-server: oxenss/server/mqbase.h",
    )  # fmt: skip
    rate_bucket: int = setting(
        600,
        low=1,
        doc="Requests a client or node may make at once, without onion.",
        source=_LIMITER,
    )
    rate_client_per_s: int = setting(
        300, low=1, high=US_PER_S, doc="Requests a client may make in a second.", source=_LIMITER
    )
    rate_node_per_s: int = setting(
        600, low=1, high=US_PER_S, doc="Requests a node may make in a second.", source=_LIMITER
    )
    rate_clients_max: int = setting(
        10_000, low=1, doc="Clients whose rate is watched; others are refused.", source=_LIMITER
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
        10 * 1024 * 1024 * 1024,
        unit="bytes",
        low=0,
        doc="Bytes of messages a node keeps before stores fail.",
        source="transport 5.4: 10 GiB; 3.5 GB in 2.8, where GiB is assumed",
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
    ready_revision: int = setting(
        3,
        low=0,
        high=255,
        doc="Revision of hard fork 19 from which on a node is ready.",
        source="transport 5.10; builds after 2.11.3 want 6",
    )
    block_height: int = setting(
        1_900_000,
        low=0,
        doc="Height of the blockchain a node reports.",
        source="Assumption: about that of 2026; only ifelse looks at it",
    )

    def __post_init__(self) -> None:
        if _VERSION.fullmatch(self.version) is None:
            raise InvalidInput("version", self.version, "three numbers like 2.11.3")

    @property
    def version_numbers(self) -> tuple[int, ...]:
        """The version as numbers, most significant first."""
        return tuple(int(part) for part in self.version.split("."))


# What makes `NodeRules` those of version 2.8. Source: transport, head and 5; the sources above.
VERSION_2_8: Final[Mapping[str, Any]] = {
    "version": "2.8.0",
    "expiry_lists_from_19_4": True,
    "all_failed_is_500": False,
    "retry_forwards": False,
    "new_methods": False,
    "outbox_newest_wins": False,
    "merge_prolongs": False,
    "transfer_namespaces": False,
    "transfer_on_request": False,
    "monitor_ends": False,
    "disk_max_bytes": 3_584 * 1024 * 1024,
}
