"""The kinds of faults a scenario can declare, with their settings.

A fault strikes the machines that it is for (`by` and what belongs to it) either once, from `at` on for
`lasts`, or again and again: with `every`, each machine has spells of its own, whose distances and lengths are
exponential with the means `every` and `lasts`. A partition, a loss or a delay strikes its machines together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sessionsim.core.errors import InvalidInput
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_MIN, US_PER_MS, US_PER_S

_CHOSEN: Final = "Assumption: chosen per question"
_LONGEST_US: Final = 366 * US_PER_DAY
_NODES: Final = ("random", "per-swarm", "swarm-of", "host", "net24", "net16", "country", "list")
_NO_CLIENTS: Final = (*_NODES, "servers")
_WITH_CLIENTS: Final = ("clients", "all")
_MACHINES: Final = (*_NO_CLIENTS, *_WITH_CLIENTS)


class Fault(NamedTuple):
    """A declared fault. Args: name: as the scenario calls it; kind: a key of KINDS; config: its settings."""

    name: str
    kind: str
    config: Any


@dataclass(frozen=True, slots=True)
class Struck:
    """Who is struck, and when."""

    at_us: int = setting(
        0, unit="us", low=0, high=_LONGEST_US, doc="When it begins, or may begin.", source=_CHOSEN
    )
    lasts_us: int = setting(
        0, unit="us", low=0, high=_LONGEST_US,
        doc="How long it lasts, on average where it comes again; 0 lasts to the end of the run.",
        source=_CHOSEN,
    )  # fmt: skip
    every_us: int = setting(
        0, unit="us", low=0, high=_LONGEST_US,
        doc="Mean time from the end of one spell to the next; 0: it comes once, at `at`.", source=_CHOSEN,
    )  # fmt: skip
    by: str = setting(
        "random",
        doc="Who is struck: random nodes, so many of each swarm, members of the swarm of a client, the "
        "largest hosts, /24s or /16s, a country, listed nodes, servers, random clients, or all machines.",
        source=_CHOSEN,
        choices=_MACHINES,
    )
    count: int = setting(
        0, low=0, high=100_000, doc="How many nodes, clients, hosts or networks; 0: as `share` says.",
        source=_CHOSEN,
    )  # fmt: skip
    share_prob: float = setting(
        1.0, unit="prob", low=0, high=1, doc="Share of those there are, where `count` is 0.", source=_CHOSEN
    )
    country: str = setting("", doc="Two-letter code, when chosen by country.", source=_CHOSEN)
    client: int = setting(
        0, low=0, high=100_000, doc="Number of the account, for `swarm-of`.", source=_CHOSEN
    )
    nodes: tuple[int, ...] = setting((), doc="Node numbers, when chosen by list.", source=_CHOSEN)
    servers: tuple[str, ...] = setting(
        (), doc="Kinds of servers, when they are struck: file, push, community, seed.", source=_CHOSEN
    )

    def __post_init__(self) -> None:
        if self.every_us and not self.lasts_us:
            raise InvalidInput("lasts_us", 0, "a mean length, for what comes again")
        if (self.by == "country") != bool(self.country):
            raise InvalidInput("country", self.country, "a country exactly when chosen by country")
        if (self.by == "list") != bool(self.nodes):
            raise InvalidInput("nodes", list(self.nodes), "node numbers exactly when chosen by list")
        if (self.by == "servers") != bool(self.servers):
            raise InvalidInput("servers", list(self.servers), "kinds exactly when servers are struck")


@dataclass(frozen=True, slots=True)
class StruckPrograms(Struck):
    """The same, for what happens to nodes and servers but not to clients."""

    def __post_init__(self) -> None:
        Struck.__post_init__(self)
        if self.by not in _NO_CLIENTS:
            raise InvalidInput("by", self.by, ", ".join(_NO_CLIENTS))


@dataclass(frozen=True, slots=True)
class Crash(Struck):
    """The program stops. What it had in memory is gone; it starts again when the spell is over.

    A device of a client is down the same way: the app was killed, or the battery is empty. What its platform
    keeps is there afterwards (`protocol.client.restarts`), and what its person wanted meanwhile comes then.
    """

    answer: str = setting(
        "refused",
        doc="What others notice: connections are refused and broken at once (the program died), or nothing "
        "ever comes back (the host is off).",
        source="Assumption: a program dies more often than a host; TCP resets of RFC 9293 section 3.5.2",
        choices=("refused", "silent"),
    )
    disk: str = setting(
        "kept",
        doc="Whether the messages on its disk are there when it starts again.",
        source="transport 5.4: messages lie in a database on disk",
        choices=("kept", "lost"),
    )

    def __post_init__(self) -> None:
        Struck.__post_init__(self)
        if self.by in _WITH_CLIENTS and self.disk != "kept":
            raise InvalidInput("disk", self.disk, "kept, where devices of clients crash too")


@dataclass(frozen=True, slots=True)
class Hang(StruckPrograms):
    """The program does nothing for a while; what reaches it waits, and is done afterwards."""


@dataclass(frozen=True, slots=True)
class Slow(Struck):
    """All that the machine sends leaves later."""

    adds_us: int = setting(
        2 * US_PER_S, unit="us", low=1, high=US_PER_DAY,
        doc="What is added to each transmission, on average if it varies.", source=_CHOSEN,
    )  # fmt: skip
    law: str = setting(
        "fixed", doc="Whether it is always the same or exponential.", source=_CHOSEN,
        choices=("fixed", "exponential"),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Partition(Struck):
    """Nothing passes between the chosen machines and all others."""

    clients: bool = setting(
        True,
        doc="Clients of the country, or the same share of all clients, are on the chosen side too.",
        source="Assumption: what cuts off a country cuts off its people",
    )


@dataclass(frozen=True, slots=True)
class Loss(Struck):
    """Segments are lost on the links of the chosen machines, and sent again by TCP and QUIC."""

    lost_prob: float = setting(
        0.05, unit="prob", low=0, high=1, doc="Share of segments that is lost.", source=_CHOSEN
    )


@dataclass(frozen=True, slots=True)
class Delay(Struck):
    """Transmissions on the links of the chosen machines take longer."""

    adds_us: int = setting(
        500 * US_PER_MS, unit="us", low=1, high=US_PER_DAY,
        doc="What is added one way, on average if it varies.", source=_CHOSEN,
    )  # fmt: skip
    law: str = setting(
        "exponential", doc="Whether it is always the same or exponential.", source=_CHOSEN,
        choices=("fixed", "exponential"),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clock(Struck):
    """The clock of the machine is wrong."""

    ahead_us: int = setting(
        2 * US_PER_MIN, unit="us", low=-_LONGEST_US, high=_LONGEST_US,
        doc="How far it is ahead; negative: behind. Where it varies: the standard deviation around zero.",
        source="Assumption: twice the minute that signed requests may be off (transport 5.2)",
    )  # fmt: skip
    law: str = setting(
        "fixed", doc="Whether it is the same on all, or normal.", source=_CHOSEN, choices=("fixed", "normal")
    )


@dataclass(frozen=True, slots=True)
class DiskFull(Struck):
    """The node can keep no further message."""

    def __post_init__(self) -> None:
        Struck.__post_init__(self)
        if self.by not in _NODES:
            raise InvalidInput("by", self.by, ", ".join(_NODES))


KINDS: Final[dict[str, type[Any]]] = {
    "crash": Crash,
    "hang": Hang,
    "slow": Slow,
    "partition": Partition,
    "loss": Loss,
    "delay": Delay,
    "clock": Clock,
    "disk-full": DiskFull,
}
