"""What a client does and when, as numbers: one machine, three parameter sets.

Desktop, Android and iOS are the same client machine under different rules. Every rule is a scenario key with
the real value as default. Sources: client-behaviour 6.1, 6.3, 6.6 and transport 4, read from session-desktop
(April 2026), session-android 1.33.4 and session-ios 2.15.2. Rules of paths and of the node list have files of
their own; here they are put together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN, US_PER_MS, US_PER_S
from sessionsim.protocol.client.background_rules import BackgroundRules
from sessionsim.protocol.client.node_list_rules import NodeListRules
from sessionsim.protocol.client.path_rules import PathRules


@dataclass(frozen=True, slots=True)
class ClientRules(PathRules, NodeListRules, BackgroundRules):
    """The behaviour of one platform. Times in microseconds."""

    style: str = setting(
        "desktop",
        doc="How onion JSON is written and which cipher seals the layers.",
        source="transport 3.3, 6.6: desktop and Android AES-GCM, libsession (iOS) XChaCha20",
        choices=("desktop", "libsession"),
    )
    body_style: str = setting(
        "desktop",
        doc="How the storage RPC inside a request is written.",
        source="transport 3.4, client-behaviour 6.6",
        choices=("desktop", "android", "libsession"),
    )
    transport: str = setting(
        "https",
        doc="What carries requests to the guard.",
        source="transport 3.6",
        choices=("https", "quic"),
    )
    swarm_lookup: str = setting(
        "ask",
        doc="How a client finds a swarm: it asks a random node, or computes it from the node list.",
        source="transport 2.4",
        choices=("ask", "compute"),
    )
    lookup_tries: int = setting(
        9,
        doc="Random nodes asked for a swarm, one after another, before a lookup has failed.",
        source="transport 4: desktop 3x3 tries; Assumption: Android as many",
        low=1,
        high=1000,
    )
    swarm_minimum: int = setting(
        3,
        doc="Fewest nodes that a swarm must have to be believed.",
        source="transport 4",
        low=1,
        high=16,
    )
    poll_interval_us: int = setting(
        5 * US_PER_S,
        unit="us",
        doc="Pause between the end of one poll of the own account and the next.",
        source="client-behaviour 6.1",
        low=10 * US_PER_MS,
        high=30 * US_PER_DAY,
    )
    poll_retry_rule: str = setting(
        "interval",
        doc="Pause after failed rounds: the interval as ever, the interval and a step for each failure in a "
        "row, or the steps alone.",
        source="client-behaviour 6.1: desktop, Android and iOS in this order",
        choices=("interval", "added", "alone"),
    )
    poll_retry_step_us: int = setting(
        2 * US_PER_S,
        unit="us",
        doc="What each failed round in a row adds to the pause, where that is the rule.",
        source="client-behaviour 6.1: Android 2 s, iOS 0.25·1.2 s",
        low=10 * US_PER_MS,
        high=US_PER_DAY,
    )
    poll_retry_cap_us: int = setting(
        10 * US_PER_S,
        unit="us",
        doc="Longest pause that failed rounds lead to.",
        source="client-behaviour 6.1: Android 10 s, iOS 15 s",
        low=10 * US_PER_MS,
        high=US_PER_DAY,
    )
    poll_nodes: int = setting(
        2, doc="Swarm nodes asked in parallel at each poll.", source="client-behaviour 6.1", low=1, high=4
    )
    poll_node_choice: str = setting(
        "random",
        doc="How the polled node is chosen: anew each time, each once in turn, or one kept a while.",
        source="client-behaviour 6.1",
        choices=("random", "cycle", "sticky"),
    )
    polls_per_node: int = setting(
        6, doc="Polls of one node before another is taken, when the choice is sticky.",
        source="client-behaviour 6.1 (iOS)", low=1, high=1000,
    )  # fmt: skip
    first_poll: str = setting(
        "usual",
        doc="What an app that starts for the first time polls first: as ever, or the own profile at every "
        "node of the swarm, and then at once as ever.",
        source="client-behaviour 6.1: Android; session-android: Poller.kt, pollOnlyUserProfileConfig",
        choices=("usual", "profile-everywhere"),
    )
    namespaces: tuple[int, ...] = setting(
        (0, 2, 3, 5, 4), doc="Namespaces read at each poll, in this order.", source="client-behaviour 6.1"
    )
    max_size_messages: int = setting(
        -2,
        doc="max_size of the retrieve of namespace 0.",
        source="client-behaviour 6.1",
        low=-100,
        high=7_800_000,
    )
    max_size_configs: int = setting(
        -8, doc="max_size of the retrieves of config namespaces.",
        source="client-behaviour 6.1", low=-100, high=7_800_000,
    )  # fmt: skip
    request_timeout_us: int = setting(
        10 * US_PER_S,
        unit="us",
        doc="How long a request may take before the client gives it up.",
        source="client-behaviour 6.1, 6.3",
        low=100 * US_PER_MS,
        high=US_PER_DAY,
    )
    repeats: int = setting(
        0,
        doc="How often the client repeats a failed request by itself before its caller learns of it.",
        source="transport 4: Android up to 4 times; session-android: api/AutoRetryApiExecutor.kt",
        low=0,
        high=7,
    )
    repeat_pause_us: int = setting(
        2 * US_PER_S,
        unit="us",
        doc="Pause before the first such repetition; before the n-th it is n times as long.",
        source="transport 4: n·2 s",
        low=0,
        high=US_PER_DAY,
    )
    merge_window_us: int = setting(
        0,
        unit="us",
        doc="How long a batch waits for others to the same node, to go out with them; 0: not at all.",
        source="client-behaviour 6.1, 6.3: Android 100 ms; session-android: api/batch/BatchApiExecutor.kt",
        low=0,
        high=US_PER_MIN,
    )
    clock_samples: int = setting(
        3,
        doc="Nodes asked for their clock after a 406 or 425; 0: the clock is never put right.",
        source="transport 4",
        low=0,
        high=15,
    )
    clock_pause_us: int = setting(
        10 * US_PER_MIN,
        unit="us",
        doc="How long after that the clock is not looked at again.",
        source="transport 4: libsession and Android; Assumption: desktop too",
        low=0,
        high=US_PER_DAY,
    )
    send_attempts: int = setting(
        3, doc="Attempts to store one message.", source="client-behaviour 6.3", low=1, high=100
    )
    send_backoff_us: int = setting(
        100 * US_PER_MS,
        unit="us",
        doc="Pause before the second attempt.",
        source="client-behaviour 6.3: 0.25·2^n s, where Android counts the failure just met "
        "(JobQueue.kt) and iOS only those before it (JobRunner.swift)",
        low=0,
        high=US_PER_DAY,
    )
    send_backoff_growth: float = setting(
        1.0,
        doc="Factor by which the pause grows with each attempt.",
        source="client-behaviour 6.3",
        low=1,
        high=10,
    )
    send_backoff_cap_us: int = setting(
        150 * US_PER_S,
        unit="us",
        doc="Longest pause between attempts.",
        source="client-behaviour 6.3",
        low=0,
        high=US_PER_DAY,
    )
    send_redirects: int = setting(
        100,
        doc="How often an attempt goes on at once with the swarm that a 421 has named, before it has failed.",
        source="client-behaviour 6.3: desktop and Android retry with the new swarm, iOS follows one redirect",
        low=0,
        high=100,
    )
    send_form: str = setting(
        "sequence",
        doc="The RPC method around a store.",
        source="client-behaviour 6.3",
        choices=("sequence", "batch", "store"),
    )
    queue_kept: bool = setting(
        False,
        doc="Messages that wait to be sent are still there after the app was closed.",
        source="client-behaviour 6.3: the job queues of Android and iOS are persisted; Assumption: that of "
        "desktop is not",
    )
    store_confirmed_prob: float = setting(
        0.0,
        unit="prob",
        doc="Share of the members named in the answer to the store of a message, config or key that must "
        "have signed its hash, or the attempt has failed; 0: the status is believed.",
        source="transport 5.4, 5.5: a client can verify every member; session-ios: "
        "ValidatableResponse.swift, SendMessageResponse.swift (half); Assumption: no other client does",
        low=0,
        high=1,
    )
    delete_confirmed: int = setting(
        0,
        doc="Members that must have signed, in the answer to a deletion, what they have deleted, or the "
        "attempt has failed; 0: the status is believed.",
        source="transport 5.2, 5.5; session-ios: DeleteMessagesResponse.swift (one); Assumption: no other "
        "client asks",
        low=0,
        high=10,
    )
    message_ttl_us: int = setting(
        14 * US_PER_DAY,
        unit="us",
        doc="Lifetime asked for direct messages.",
        source="messages 2.3",
        low=10 * US_PER_S,
        high=14 * US_PER_DAY,
    )
    sync_copy: bool = setting(
        True,
        doc="Store a second copy in the own swarm after the first store succeeded.",
        source="client-behaviour 6.3",
    )
    send_profile: bool = setting(
        True,
        doc="Put the sender's name, picture address and profile key into each text.",
        source="messages 2.4: a normal text carries the profile",
    )


DESKTOP: Final = ClientRules()
ANDROID: Final = replace(
    DESKTOP,
    body_style="android",
    path_subnet_rule="none",
    exclude_destination=False,
    guard_test="none",
    guards_lost_together=False,
    build_retries=0,
    rotation_us=10 * US_PER_MIN,
    rotation_trigger="request",
    rotation_test_timeout_us=5 * US_PER_S,
    rotation_retry_us=0,
    paths_at_online=False,
    reactions="android",
    ships_list=True,
    list_first_us=0,
    list_interval_us=2 * US_PER_H,
    list_trigger="request",
    list_form="packed",
    list_sources_apart=True,
    list_agreement=2,
    list_minimum=12,
    list_tries=1,
    list_timeout_us=120 * US_PER_S,
    pool_minimum=12,
    refresh_minimum=3,
    in_background="sleeps",
    background_first_us=30 * US_PER_S,
    background_interval_us=15 * US_PER_MIN,
    poll_interval_us=2 * US_PER_S,
    poll_retry_rule="added",
    poll_nodes=1,
    poll_node_choice="cycle",
    first_poll="profile-everywhere",
    namespaces=(2, 3, 4, 5, 0),
    request_timeout_us=120 * US_PER_S,
    repeats=4,
    merge_window_us=100 * US_PER_MS,
    send_attempts=10,
    send_backoff_us=500 * US_PER_MS,
    send_backoff_growth=2.0,
    send_form="batch",
    queue_kept=True,
)
IOS: Final = replace(
    DESKTOP,
    style="libsession",
    body_style="libsession",
    transport="quic",
    file_paths=2,
    path_subnet_rule="all",
    path_choice="least-busy",
    guard_test="handshake",
    guard_test_timeout_us=3 * US_PER_S,
    guard_age_us=10 * US_PER_DAY,
    guards_lost_together=False,
    build_retries=10,
    build_pause_us=400 * US_PER_MS,
    build_pause_growth=2.0,
    rotation_us=10 * US_PER_MIN,
    reactions="libsession",
    strike_life_us=48 * US_PER_H,
    ships_list=True,
    list_first_us=0,
    list_interval_us=2 * US_PER_H,
    list_least_age_us=2 * US_PER_S,
    list_trigger="path",
    list_form="packed",
    list_route="direct",
    list_agreement=2,
    list_minimum=12,
    list_tries=100,
    list_pause_us=200 * US_PER_MS,
    pool_minimum=3,
    unused_minimum=12,
    refresh_minimum=3,
    in_background="sleeps",
    background_interval_us=US_PER_H,
    background_luck="exponential",
    woken_single_path=True,
    woken_in_fast_mode=True,
    swarm_lookup="compute",
    poll_interval_us=1_500 * US_PER_MS,
    poll_retry_rule="alone",
    poll_retry_step_us=300 * US_PER_MS,
    poll_retry_cap_us=15 * US_PER_S,
    poll_nodes=1,
    poll_node_choice="sticky",
    namespaces=(0, 2, 3, 4, 5),
    send_attempts=10,
    send_redirects=1,
    store_confirmed_prob=0.5,
    delete_confirmed=1,
    send_backoff_us=250 * US_PER_MS,
    send_backoff_growth=2.0,
    send_form="store",
    queue_kept=True,
)
PLATFORMS: Final = {"android": ANDROID, "desktop": DESKTOP, "ios": IOS}


def settled(rules: ClientRules) -> ClientRules:
    """Give the same rules without upkeep: paths and node list stay as they are at first.

    For measurements and tests of one thing at a time.
    """
    return replace(rules, rotation_us=0, list_interval_us=0)
