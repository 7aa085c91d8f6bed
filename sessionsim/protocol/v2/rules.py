"""What the public design of V2 leaves open, and what a designer may want to vary: every number a setting.

Holes H1 to H11 are those of protocol-v2 section 11: their defaults are our choices, not statements about
Session, and each description names the values to sweep. A hole that has one way in this program is a setting
with one choice, so that it stands among the assumptions of every result that rests on it. Differences between
the design document and the newest public code are settings too; the code is the default.

Results speak of `LABEL`, never of Session as it is deployed. Source: protocol-v2; libsession-util:
docs/protocol-v2.md, src/core/devices.cpp, include/session/core/devices.hpp, src/session_encrypt.cpp.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN, US_PER_S

LABEL: Final = "V2 as publicly specified"  # Source: protocol-v2 1: designed and coded, not deployed

# Hole -> the settings that fill it.
HOLES: Final = {
    "H1": ("device_key_rotation", "device_key_period_us", "device_key_jitter_us"),
    "H2": ("device_key_retention_us",),
    "H3": ("fallback_form",),
    "H4": ("key_wait_us",),
    "H5": ("own_copy",),
    "H6": ("adoption_prob",),
    "H7": ("tombstones",),
    "H8": ("foreign_record",),
    "H9": ("groups_and_configs",),
    "H10": ("seed_overflow",),
    "H11": ("polls_own_namespaces",),
}
# Setting that fills a hole -> the values to sweep, as a scenario has them; empty for none.
SWEEPS: Final = {
    "device_key_rotation": ("never", "periodic"),
    "device_key_period_us": ("30 d", "7 d", "24 h", "12 h"),
    "device_key_jitter_us": ("0 s", "12 h"),
    "device_key_retention_us": ("0 s", "48 h", "7 d", "30 d"),
    "fallback_form": ("as-pfs", "marked"),
    "key_wait_us": ("0 s", "3 s", "10 s", "60 s"),
    "own_copy": ("v2", "v1"),
    "adoption_prob": ("0 %", "10 %", "50 %", "90 %", "100 %"),
    "tombstones": (),
    "foreign_record": ("ignore", "republish"),
    "groups_and_configs": ("v1", "device-group"),
    "seed_overflow": (),
    "polls_own_namespaces": (),
}
CONFIGS_UNDER_GROUP: Final = "device-group"  # a choice of H9
_HEADER: Final = "libsession-util: include/session/core/devices.hpp"


@dataclass(frozen=True, slots=True)
class V2Rules:
    """The behaviour of a client of version 2. Times in microseconds.

    Raises:
        InvalidInput: settings that contradict each other, at the one that is to be changed.
    """

    device_key_rotation: str = setting(
        "periodic",
        doc="H1: whether a device changes its own keys; never is today's code, whose scheduler is a stub. "
        "Sweep: never, periodic.",
        source="Assumption: protocol-v2 11 H1",
        choices=("periodic", "never"),
    )
    device_key_period_us: int = setting(
        7 * US_PER_DAY,
        unit="us",
        doc="H1: age at which a device changes its own keys. Sweep: 30 d, 7 d, 24 h, 12 h.",
        source="Assumption: protocol-v2 11 H1: 'short-term' rules out months",
        low=US_PER_H,
        high=3650 * US_PER_DAY,
    )
    device_key_jitter_us: int = setting(
        12 * US_PER_H,
        unit="us",
        doc="H1: the change comes so much earlier or later at most, evenly, per device and key. Sweep: 0 s, "
        "12 h.",
        source="Assumption: protocol-v2 11 H1",
        low=0,
        high=30 * US_PER_DAY,
    )
    device_key_retention_us: int = setting(
        48 * US_PER_H,
        unit="us",
        doc="H2: how long a replaced device key is kept once the new record is pushed. Sweep: 0 s, 48 h, "
        "7 d, 30 d.",
        source="Assumption: protocol-v2 11 H2: only pushes under way need the old key",
        low=0,
        high=3650 * US_PER_DAY,
    )
    fallback_form: str = setting(
        "as-pfs",
        doc="H3: marker and least size of messages without forward secrecy: 00 02 and 1536 B, as with it, or "
        "marked: 00 01 and 256 B, the document's other reading, which shows the fallback to every node. "
        "Matters only with no_keys_form v2. Sweep: as-pfs, marked.",
        source="Assumption: protocol-v2 11 H3, as the public code does",
        choices=("as-pfs", "marked"),
    )
    key_wait_us: int = setting(
        10 * US_PER_S,
        unit="us",
        doc="H4: how long a message waits for the recipient's keys before it is sent without. Sweep: 0 s, "
        "3 s, 10 s, 60 s.",
        source="Assumption: protocol-v2 11 H4: libsession's timeout of a request",
        low=0,
        high=US_PER_DAY,
    )
    own_copy: str = setting(
        "v2",
        doc="H5: the copy for the sender's own devices: a V2 message to the own account key, or (bad, for "
        "comparison) a V1 message to the root key. Sweep: v2, v1.",
        source="Assumption: protocol-v2 11 H5",
        choices=("v2", "v1"),
    )
    adoption_prob: float = setting(
        1.0,
        unit="prob",
        doc="H6: share of accounts that use V2 and publish keys, with all their devices at once. Sweep: 0 %, "
        "10 %, 50 %, 90 %, 100 %.",
        source="Assumption: protocol-v2 11 H6",
        low=0,
        high=1,
    )
    tombstones: str = setting(
        "bucket",
        doc="H7: removals that a device group message carries: the latest 4·⌈devices/4⌉, or all of them "
        "(today's code). Sweep: none.",
        source="Assumption: protocol-v2 11 H7: stated by the document, not yet in code",
        choices=("bucket", "all"),
    )
    foreign_record: str = setting(
        "ignore",
        doc="H8: what a device does when the account's public record holds keys that are not the account's: "
        "nothing until its next rotation, or publish its own at once. Sweep: ignore, republish.",
        source="Assumption: protocol-v2 11 H8: the code marks known keys only",
        choices=("ignore", "republish"),
    )
    groups_and_configs: str = setting(
        "v1",
        doc="H9: how group messages and configs are protected: as in version 1; or, what if (device-group), "
        "configs under keys from the seeds that the account's devices share, pushed again whenever these "
        "change, and group messages as in version 1. Sweep: v1, device-group.",
        source="Assumption: protocol-v2 11 H9: the document covers direct messages only",
        choices=("v1", CONFIGS_UNDER_GROUP),
    )
    seed_overflow: str = setting(
        "grow",
        doc="H10: account seeds beyond the allowance of 2300 B grow into the devices' share of a bucket. "
        "Sweep: none.",
        source="Assumption: protocol-v2 11 H10, as the public code does",
        choices=("grow",),
    )
    polls_own_namespaces: bool = setting(
        True,
        doc="H11: namespaces 21 (signed) and -21 of the own account are read at every normal poll. Sweep: "
        "none.",
        source="Assumption: protocol-v2 11 H11",
    )
    account_key_period_us: int = setting(
        12 * US_PER_H,
        unit="us",
        doc="Mean age at which the account's keys are changed.",
        source=f"protocol-v2 5; {_HEADER} (ACCOUNT_KEY_ROTATION_PERIOD)",
        low=US_PER_MIN,
        high=365 * US_PER_DAY,
    )
    account_key_window_us: int = setting(
        2 * US_PER_H,
        unit="us",
        doc="Width of the window, around that age, in which the first device changes them.",
        source=f"protocol-v2 5; {_HEADER} (ACCOUNT_KEY_ROTATION_WINDOW)",
        low=0,
        high=365 * US_PER_DAY,
    )
    account_key_retention_us: int = setting(
        16 * US_PER_DAY,
        unit="us",
        doc="How long changed account keys still open messages: 14 d of TTL, 24 h of sender's cache, 24 h "
        "of margin.",
        source=f"protocol-v2 5; {_HEADER} (ACCOUNT_KEY_RETENTION)",
        low=0,
        high=3650 * US_PER_DAY,
    )
    keys_fresh_us: int = setting(
        24 * US_PER_H,
        unit="us",
        doc="Age up to which a contact's fetched keys are used without asking again.",
        source="protocol-v2 6; libsession-util: src/core/schema (pfs_key_cache)",
        low=0,
        high=365 * US_PER_DAY,
    )
    keys_usable_us: int = setting(
        48 * US_PER_H,
        unit="us",
        doc="Age up to which they are used while they are asked for again.",
        source="protocol-v2 6; libsession-util: src/core/schema (pfs_key_cache)",
        low=0,
        high=365 * US_PER_DAY,
    )
    keys_refused_us: int = setting(
        US_PER_H,
        unit="us",
        doc="How long nothing is asked after a fetch that found no valid keys.",
        source="protocol-v2 6; libsession-util: src/core/schema (pfs_key_cache)",
        low=0,
        high=365 * US_PER_DAY,
    )
    refusal_beside_keys: str = setting(
        "pause",
        doc="After a fetch that found no valid keys while older ones are held and still usable: no fetch for "
        "keys_refused (pause), as without keys; or again with each message and each conversation that is "
        "opened (ask-again). The older keys are used either way.",
        source="protocol-v2 6, which makes no difference; libsession-util: src/core.cpp asks again",
        choices=("pause", "ask-again"),
    )
    cache_enforce_expiry: bool = setting(
        True,
        doc="Keys older than that are not used. The code that we read uses any cached key; the document "
        "forbids it.",
        source="protocol-v2 6, after the document",
    )
    fetch_request_timeout_us: int = setting(
        10 * US_PER_S,
        unit="us",
        doc="How long one node of a swarm is waited for when keys are fetched.",
        source="protocol-v2 6; libsession-util: include/session/network/network_opt.hpp",
        low=0,
        high=US_PER_DAY,
    )
    fetch_timeout_us: int = setting(
        60 * US_PER_S,
        unit="us",
        doc="How long a fetch of keys takes at most, over all nodes it asks.",
        source="protocol-v2 6; libsession-util: src/core/swarm_request.hpp",
        low=0,
        high=US_PER_DAY,
    )
    no_keys_form: str = setting(
        "v1",
        doc="What is sent to an account without keys: a V1 message (for at least six months), or after the "
        "transition a V2 message without forward secrecy.",
        source="protocol-v2 7.5",
        choices=("v1", "v2"),
    )
    record_nonce: str = setting(
        "random",
        doc="Nonce of the signature of the public record: drawn (code) or derived (document). Readers take "
        "both.",
        source="protocol-v2 4; libsession-util: src/xed25519.cpp",
        choices=("random", "derived"),
    )
    description_rule: str = setting(
        "as-given",
        doc="A device's description: written as given (code) or cut to 64 bytes (document).",
        source="protocol-v2 8.1",
        choices=("as-given", "cut"),
    )
    received_seeds: str = setting(
        "distributed",
        doc="Whether an account seed learnt from another device's message counts as distributed, or has to "
        "be pushed once by each device (the newest code that we read), so that every rotation costs one push "
        "per device instead of one.",
        source="protocol-v2 8.3: one push per rotation",
        choices=("distributed", "undistributed"),
    )
    record_ttl_us: int = setting(
        30 * US_PER_DAY,
        unit="us",
        doc="Time to live of the public record.",
        source="protocol-v2 4",
        low=10 * US_PER_S,
        high=30 * US_PER_DAY,
    )
    device_group_ttl_us: int = setting(
        30 * US_PER_DAY,
        unit="us",
        doc="Time to live of a device group message.",
        source=f"protocol-v2 8.2; {_HEADER} (DEVICE_GROUP_TTL)",
        low=10 * US_PER_S,
        high=30 * US_PER_DAY,
    )
    link_request_ttl_us: int = setting(
        10 * US_PER_MIN,
        unit="us",
        doc="Time to live of a link request.",
        source=f"protocol-v2 9; {_HEADER} (LINK_REQUEST_TTL)",
        low=10 * US_PER_S,
        high=30 * US_PER_DAY,
    )
    displacement_grace_us: int = setting(
        5 * US_PER_MIN,
        unit="us",
        doc="How much newer than the last readable message an unreadable one must be before a device takes "
        "itself for displaced.",
        source=f"protocol-v2 9; {_HEADER} (DISPLACEMENT_GRACE)",
        low=0,
        high=US_PER_DAY,
    )

    def __post_init__(self) -> None:
        for long, short in (
            ("keys_usable_us", "keys_fresh_us"),
            ("fetch_timeout_us", "fetch_request_timeout_us"),
        ):
            least_us = getattr(self, short)
            if getattr(self, long) < least_us:
                found, allowed = _seconds(getattr(self, long)), f"at least {short[:-3]}, {_seconds(least_us)}"
                raise InvalidInput(long, found, allowed)
        earliest_us = self.account_key_period_us - self.account_key_window_us // 2
        if earliest_us < US_PER_S:
            allowed = f"less than twice account_key_period, {_seconds(self.account_key_period_us)}"
            raise InvalidInput("account_key_window_us", _seconds(self.account_key_window_us), allowed)
        if self.device_key_rotation == "periodic" and self.device_key_jitter_us > self.device_key_period_us:
            allowed = f"at most device_key_period, {_seconds(self.device_key_period_us)}"
            raise InvalidInput("device_key_jitter_us", _seconds(self.device_key_jitter_us), allowed)


def _seconds(t_us: int) -> str:
    return f"{t_us / US_PER_S:g} s"


PUBLIC: Final = V2Rules()  # the defaults
