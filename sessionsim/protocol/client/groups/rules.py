"""How the platforms poll groups, push what changes in them, and bring people in and out, as numbers.

Sources: client-behaviour 6.2, 6.3; messages 4, 5.7; session-desktop: ts/session/utils/job_runners/jobs
(GroupSyncJob.ts, GroupInviteJob.ts, GroupPendingRemovalsJob.ts), ts/state/ducks/metaGroups.ts;
session-android: org/thoughtcrime/securesms/groups (GroupManagerV2Impl.kt, RemoveGroupMemberHandler.kt);
session-ios: SessionMessagingKit (GroupPoller.swift, MessageSender+Groups.swift, ConfigurationSyncJob.swift).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN, US_PER_MS, US_PER_S

_POLLS: Final = "client-behaviour 6.2"
_JOBS: Final = "session-desktop: ts/session/utils/job_runners/jobs"
_SHORTEST_US: Final = 10 * US_PER_MS


@dataclass(frozen=True, slots=True)
class GroupRules:
    """The behaviour of one platform in groups. Times in microseconds."""

    poll_rule: str = setting(
        "steps",
        doc="How the pause between polls follows from the time since a group was last active: in three "
        "steps, not at all but for failures, or growing evenly; or `empties`: from the polls in a row that "
        "brought nothing, by two to the power of them in seconds.",
        source=f"{_POLLS}: desktop, Android and iOS in this order; `empties` is the other rule of iOS",
        choices=("steps", "retry", "linear", "empties"),
    )
    poll_joint: bool = setting(
        False,
        doc="Groups are polled in the rounds of the own account: each takes those whose pause is over, and "
        "the next one follows its last answer.",
        source="session-desktop: ts/session/apis/snode_api/swarmPolling.ts, pollForAllKeys",
    )
    poll_interval_us: int = setting(
        5 * US_PER_S, unit="us", low=_SHORTEST_US, high=30 * US_PER_DAY,
        doc="Pause between two polls of an active group; with `linear`, of one active just now; with "
        "`empties`, what the power is added to.",
        source=f"{_POLLS}: desktop 5 s, Android 2 s, iOS 3 s",
    )  # fmt: skip
    poll_middle_us: int = setting(
        60 * US_PER_S, unit="us", low=_SHORTEST_US, high=30 * US_PER_DAY,
        doc="Pause for a group that is no longer active, with `steps`.", source=f"{_POLLS}: desktop 60 s",
    )  # fmt: skip
    poll_quiet_us: int = setting(
        120 * US_PER_S, unit="us", low=_SHORTEST_US, high=30 * US_PER_DAY,
        doc="Pause for a group that has been quiet for long: the last step, the end of `linear`, or the "
        "longest of `empties`.",
        source=f"{_POLLS}: desktop 120 s, iOS 30 s",
    )  # fmt: skip
    active_for_us: int = setting(
        2 * US_PER_DAY, unit="us", low=0, high=366 * US_PER_DAY,
        doc="How long after its last message a group counts as active; with `linear`, when the end comes.",
        source=f"{_POLLS}: desktop 2 days, iOS 12 h",
    )  # fmt: skip
    middle_for_us: int = setting(
        7 * US_PER_DAY, unit="us", low=0, high=366 * US_PER_DAY,
        doc="How long after its last message the middle step holds, with `steps`.",
        source=f"{_POLLS}: desktop 7 days",
    )  # fmt: skip
    quiet_before_us: int = setting(
        5 * US_PER_MIN, unit="us", low=0, high=366 * US_PER_DAY,
        doc="How long before the run, or before it was joined, a group was last active.",
        source="Assumption: as iOS takes it where nothing is known (GroupPoller.swift)",
    )  # fmt: skip
    poll_retry_step_us: int = setting(
        2 * US_PER_S, unit="us", low=0, high=US_PER_DAY,
        doc="What each failed round in a row adds to the pause, with `retry`.",
        source=f"{_POLLS}: Android 2 s",
    )  # fmt: skip
    poll_retry_cap_us: int = setting(
        10 * US_PER_S, unit="us", low=0, high=US_PER_DAY,
        doc="Longest pause that failed rounds lead to, with `retry`.", source=f"{_POLLS}: Android 10 s",
    )  # fmt: skip
    poll_nodes: int = setting(
        2, doc="Nodes of the group's swarm asked in parallel.", source=_POLLS, low=1, high=4
    )
    poll_node_choice: str = setting(
        "random",
        doc="How the polled node is chosen: anew each time, or each once in turn.",
        source=_POLLS,
        choices=("random", "cycle"),
    )
    namespaces: tuple[int, ...] = setting(
        (-11, 11, 13, 14, 12), doc="Namespaces read at each poll, in this order.", source=_POLLS
    )
    max_size_messages: int = setting(
        -2, doc="max_size of the retrieve of namespace 11.", source=_POLLS, low=-100, high=7_800_000
    )
    max_size_others: int = setting(
        -8, doc="max_size of the other retrieves.", source=_POLLS, low=-100, high=7_800_000
    )
    extends: str = setting(
        "admins",
        doc="Who extends, at polls, the life of the configs and keys in the swarm.",
        source="session-android: GroupPoller.kt (with the admin's key only); others alike: Assumption",
        choices=("admins", "all", "nobody"),
    )
    extension_us: int = setting(
        30 * US_PER_DAY, unit="us", low=0, high=30 * US_PER_DAY,
        doc="To how far ahead the life is extended.", source="messages 5.7: Android 14 d, others 30 d",
    )  # fmt: skip
    message_ttl_us: int = setting(
        14 * US_PER_DAY, unit="us", low=10 * US_PER_S, high=30 * US_PER_DAY,
        doc="Lifetime asked for messages to a group.", source="messages 2.3",
    )  # fmt: skip
    config_ttl_us: int = setting(
        30 * US_PER_DAY, unit="us", low=10 * US_PER_S, high=30 * US_PER_DAY,
        doc="Lifetime asked for keys, configs and kicks.", source="messages 2.3, 4.4",
    )  # fmt: skip
    push_delay_us: int = setting(
        US_PER_S, unit="us", low=0, high=US_PER_DAY,
        doc="From a change that is not pushed at once to its push.",
        source=f"{_JOBS}/GroupSyncJob.ts 1 s; session-android: ConfigUploader.kt 1 s; iOS 0 (messages 5.7)",
    )  # fmt: skip
    push_spacing_us: int = setting(
        15 * US_PER_S, unit="us", low=0, high=US_PER_DAY,
        doc="Least time between two such pushes.",
        source=f"{_JOBS}/GroupSyncJob.ts 15 s; messages 5.7: iOS 3 s, Android none",
    )  # fmt: skip
    push_attempts: int = setting(
        3, doc="Attempts of one push.", source="client-behaviour 6.3", low=1, high=100
    )
    push_pause_us: int = setting(
        US_PER_S, unit="us", low=0, high=US_PER_DAY,
        doc="Pause between two attempts of a push.",
        source="client-behaviour 6.3: desktop 1 s (config and group pushes); others alike: Assumption",
    )  # fmt: skip
    push_joins_action: bool = setting(
        True,
        doc="Whether what an admin does and the configs it changes go in one sequence; else configs follow "
        "by themselves.",
        source="session-desktop: metaGroups.ts, session-ios: ConfigurationSyncJob.swift; Android apart: "
        "GroupManagerV2Impl.kt",
    )
    told_in_push: bool = setting(
        True,
        doc="Whether the message that tells the group of a change goes in the same sequence, or by itself "
        "afterwards.",
        source="session-desktop: metaGroups.ts (extraStoreRequests); Android and iOS send it as any message",
    )
    unrevokes_first: bool = setting(
        False,
        doc="Whether tokens are made valid again before or after the stores of the same sequence.",
        source=f"{_JOBS}/GroupSyncJob.ts after; session-ios: ConfigurationSyncJob.swift before",
    )
    always_rekeys: bool = setting(
        True,
        doc="Make a new key also when somebody is added who may read what is older.",
        source="session-desktop: metaGroups.ts yes; session-android: GroupManagerV2Impl.kt no; that iOS "
        "does as Android: Assumption",
    )
    kicks_before_revoking: bool = setting(
        True,
        doc="Whether the kick is stored before the tokens are revoked, or after.",
        source=f"{_JOBS}/GroupPendingRemovalsJob.ts before; session-android: RemoveGroupMemberHandler.kt "
        "after",
    )
    removal_delay_us: int = setting(
        US_PER_S, unit="us", low=0, high=US_PER_DAY,
        doc="From marking somebody as removed to the kick and the revocation.",
        source=f"{_JOBS}/GroupPendingRemovalsJob.ts 1 s; Android at once (RemoveGroupMemberHandler.kt)",
    )  # fmt: skip
    invite_unrevokes: bool = setting(
        True,
        doc="Whether an unrevocation goes to the group's swarm once more before each invitation.",
        source=f"{_JOBS}/GroupInviteJob.ts",
    )
    invites_copied: bool = setting(
        False,
        doc="Store a copy of invitations and promotions in the own swarm.",
        source=f"{_JOBS}/GroupInviteJob.ts none; client-behaviour 6.3: Android every message, iOS none",
    )
    invites_pushed: bool = setting(
        False,
        doc="Push the list of members again when an invitation has been sent.",
        source=f"{_JOBS}/GroupInviteJob.ts: with the next push; session-android, session-ios: each change",
    )
    promoted_reads_again: bool = setting(
        True,
        doc="Whether who becomes an admin fetches again what the group's swarm holds.",
        source="session-desktop: ts/receiver/groupv2/handleGroupV2Message.ts (last hashes of the group are "
        "dropped at a promotion); others: not found",
    )
    response_delay_us: int = setting(
        2 * US_PER_S, unit="us", low=0, high=US_PER_DAY,
        doc="From the first poll of a group just joined to the message that says so.",
        source="session-desktop: ts/receiver/groupv2/handleGroupV2Message.ts 2 s; others at once: Assumption",
    )  # fmt: skip
    deletes_invites: bool = setting(
        True,
        doc="Delete an invitation or promotion from the own swarm once it is read.",
        source="session-desktop: ts/receiver/groupv2/handleGroupV2Message.ts; others: not found",
    )


DESKTOP: Final = GroupRules(poll_joint=True)
ANDROID: Final = replace(
    DESKTOP,
    poll_rule="retry",
    poll_joint=False,
    poll_interval_us=2 * US_PER_S,
    poll_nodes=1,
    poll_node_choice="cycle",
    namespaces=(-11, 11, 12, 13, 14),
    extension_us=14 * US_PER_DAY,
    push_spacing_us=0,
    push_joins_action=False,
    told_in_push=False,
    always_rekeys=False,
    kicks_before_revoking=False,
    removal_delay_us=0,
    invite_unrevokes=False,
    invites_copied=True,
    promoted_reads_again=False,
    invites_pushed=True,
    response_delay_us=0,
    deletes_invites=False,
)
IOS: Final = replace(
    DESKTOP,
    poll_rule="linear",
    poll_joint=False,
    poll_interval_us=3 * US_PER_S,
    poll_quiet_us=30 * US_PER_S,
    active_for_us=12 * US_PER_H,
    poll_nodes=1,
    namespaces=(11, 12, 13, 14, -11),
    push_delay_us=0,
    push_spacing_us=3 * US_PER_S,
    told_in_push=False,
    unrevokes_first=True,
    always_rekeys=False,
    removal_delay_us=0,
    invite_unrevokes=False,
    invites_pushed=True,
    promoted_reads_again=False,
    response_delay_us=0,
    deletes_invites=False,
)
PLATFORMS: Final = {"android": ANDROID, "desktop": DESKTOP, "ios": IOS}
