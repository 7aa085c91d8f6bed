"""The kinds of interference a scenario can declare, with their settings.

Most act by a secret rhythm: time is cut into slots of equal length, and of each target's slots a share is
marked by a key of its own. A target is a client whose requests pass, or an account whose id is known. What a
marked slot means is for the kind to say. The adversary's log holds the marked slots, and every act.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sessionsim.core.errors import InvalidInput
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_S

_CHOSEN: Final = "Assumption: chosen per question"
_LONGEST_US: Final = 366 * US_PER_DAY
_DIRECT_LEAST: Final = 16  # Assumption: less is no sealed message
_STORE_MOST: Final = 76_800  # Source: transport 5.4, bytes of one message
_MOST_AT_ONCE: Final = 1_000  # Assumption: more in one slot are a mistake


class Interference(NamedTuple):
    """A declared interference. Args: kind: a key of KINDS; vantage: whose place it acts from; config."""

    name: str
    kind: str
    vantage: str
    config: Any


@dataclass(frozen=True, slots=True)
class Timed:
    """When it goes on, and by which rhythm."""

    at_us: int = setting(0, unit="us", low=0, high=_LONGEST_US, doc="When it begins.", source=_CHOSEN)
    lasts_us: int = setting(
        0, unit="us", low=0, high=_LONGEST_US, doc="How long it goes on; 0: to the end of the run.",
        source=_CHOSEN,
    )  # fmt: skip
    slot_us: int = setting(
        4 * US_PER_S, unit="us", low=1000, high=US_PER_DAY, doc="Length of a slot.",
        source="Assumption: about the time between two polls (client-behaviour 6.1)",
    )  # fmt: skip
    share_prob: float = setting(
        0.5, unit="prob", low=0, high=1, doc="Share of each target's slots that are marked.",
        source="metrics 2g; half, as interval-based watermarks do",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Passing(Timed):
    """The same, for what happens to requests of clients on their way."""

    place: str = setting(
        "nodes",
        doc="Where: at the operated nodes that clients talk to, or on the links of clients that are held.",
        source="threat-model A10: active node or network",
        choices=("nodes", "links"),
    )


@dataclass(frozen=True, slots=True)
class Delay(Passing):
    """In marked slots requests wait before they go on."""

    slot_us: int = setting(
        2 * US_PER_S, unit="us", low=1000, high=US_PER_DAY, doc="Length of a slot.",
        source="Assumption: half the time between two polls, so that a poll is moved within its slot",
    )  # fmt: skip
    hold_us: int = setting(
        US_PER_S, unit="us", low=1, high=US_PER_DAY, doc="How long.",
        source="metrics 2g: amplitude of the delay, to be varied; the default, half a slot, is an Assumption",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drop(Passing):
    """In marked slots requests do not go on; on a link TCP and QUIC send again until it is open again."""

    slot_us: int = setting(
        12 * US_PER_S, unit="us", low=1000, high=US_PER_DAY, doc="Length of a slot.",
        source="Assumption: longer than a request waits for its answer (client-behaviour 6.1)",
    )  # fmt: skip
    share_prob: float = setting(
        0.25, unit="prob", low=0, high=1, doc="Share of each target's slots that are marked.",
        source="Assumption: metrics 2g names no share",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Isolate(Passing):
    """Requests go on in marked slots only and wait for one otherwise, so that few are on the way at once."""


@dataclass(frozen=True, slots=True)
class Tag(Timed):
    """In marked slots an operated guard flips one bit in the layer of the next node."""

    slot_us: int = setting(
        12 * US_PER_S, unit="us", low=1000, high=US_PER_DAY, doc="Length of a slot.",
        source="Assumption: as for drops, which tags come to",
    )  # fmt: skip
    share_prob: float = setting(
        0.25, unit="prob", low=0, high=1, doc="Share of each target's slots that are marked.",
        source="Assumption: metrics 2g names no share",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Replay(Timed):
    """In marked slots an operated guard sends what it passes on once more."""

    after_us: int = setting(
        3 * US_PER_S, unit="us", low=1, high=US_PER_DAY, doc="How much later.",
        source="Assumption: signatures of polls hold for a minute (transport 5.2)",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Probe(Timed):
    """At the begin of marked slots something is stored for each known account."""

    slot_us: int = setting(
        8 * US_PER_S, unit="us", low=1000, high=US_PER_DAY, doc="Length of a slot.",
        source="Assumption: time for every platform in front to poll once (client-behaviour 6.1)",
    )  # fmt: skip
    count: int = setting(
        1, low=1, high=_MOST_AT_ONCE, doc="How many messages each time.", source="metrics 2g: online probe"
    )
    size_bytes: int = setting(
        1_000, unit="bytes", low=_DIRECT_LEAST, high=_STORE_MOST, doc="Size of each.", source=_CHOSEN
    )


@dataclass(frozen=True, slots=True)
class Flood(Probe):
    """At the begin of marked slots so much is stored for each known account that it shows in its volume."""

    count: int = setting(
        20, low=1, high=_MOST_AT_ONCE, doc="How many messages each time.",
        source="Assumption: metrics 2g names no volume",
    )  # fmt: skip
    size_bytes: int = setting(
        2_000, unit="bytes", low=_DIRECT_LEAST, high=_STORE_MOST, doc="Size of each.",
        source="Assumption: metrics 2g names no volume",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Equivocate:
    """Operated nodes answer the same question differently to different askers."""

    at_us: int = setting(0, unit="us", low=0, high=_LONGEST_US, doc="When it begins.", source=_CHOSEN)
    lasts_us: int = setting(
        0, unit="us", low=0, high=_LONGEST_US, doc="How long it goes on; 0: to the end of the run.",
        source=_CHOSEN,
    )  # fmt: skip
    renames: bool = setting(
        True,
        doc="The last message of each answer gets a name of its own, which the asker's next request repeats.",
        source="transport 5.6: a client names the last hash that a node gave it",
    )
    hidden_prob: float = setting(
        0.0, unit="prob", low=0, high=1, doc="Share of messages that a node keeps from everybody.",
        source="metrics 2g: replica hides messages",
    )  # fmt: skip

    def __post_init__(self) -> None:
        if not self.renames and not self.hidden_prob:
            raise InvalidInput("renames", self.renames, "true, unless hidden is more than 0 %")


KINDS: Final[dict[str, type[Any]]] = {
    "delay": Delay,
    "drop": Drop,
    "isolate": Isolate,
    "tag": Tag,
    "replay": Replay,
    "probe": Probe,
    "flood": Flood,
    "equivocate": Equivocate,
}
