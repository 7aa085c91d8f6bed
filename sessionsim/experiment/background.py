"""Other people: streams of events that an observer would also see if the whole network were simulated.

A handful of accounts would make every timing attack look perfect. So the streams of simulated clients and
inboxes, as this observer sees them, are drawn again with replacement, each turned around the run by a random
time, so that its gaps and sizes stay and its hours do not, and given to a stranger. As many are drawn as
make up the rate of messages of a stated population at the links and nodes that this observer watches:

    accounts watched = population x share of clients tapped, or of swarms with a member operated
    rate             = accounts watched x messages per day (each with its sync copy)

Only events that carry messages are laid out as tables; polls are a hundred times as many, so for them it is
only said whose stream each stranger copies (`adversary.attacks._crowds`). What an attack looks at beyond them
(who is online at all) comes as numbers of people. Candidate rule: everyone online in the window.
Source: design (Open world); metrics 8, traps 6 and 7.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._crowds import laid_out
from sessionsim.adversary.attacks._events import FIRST_STRANGER, requests, stores
from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY
from sessionsim.core.view import Table, View

Ints = npt.NDArray[np.int64]
MOST_EVENTS: Final = 10_000_000  # Assumption: what 4 GB of memory hold with room to spare
_APART: Final = 1 << 36  # between the numbers of strangers who write and of those who poll
_MOST_PEOPLE: Final = 10_000_000_000  # Assumption: all there ever were


@dataclass(frozen=True, slots=True)
class Background:
    """Whose company the simulated people are in."""

    populations: tuple[int, ...] = setting(
        (0, 1_000_000),
        doc="Monthly accounts of the worlds in which attacks are made; 0 is the closed world of the run.",
        source="design (Open world): 10^6 by default; threat-model 2: 1 to 1.7 million monthly users",
    )
    messages_per_day: float = setting(
        40.0,
        doc="Messages that a monthly account sends a day.",
        source="Assumption: metrics 4.1 gives 30 to 60 a day for present-day messengers",
        low=0.001,
        high=100_000,
    )
    online_prob: float = setting(
        0.3,
        unit="prob",
        doc="Share of monthly accounts that are online at a moment, and so are candidates.",
        source="Assumption: no figure is published",
        low=0.0001,
        high=1,
    )

    def __post_init__(self) -> None:
        for population in self.populations:
            if not 0 <= population <= _MOST_PEOPLE:
                raise InvalidInput("populations", population, f"0 to {_MOST_PEOPLE:,} monthly accounts each")
        if len(set(self.populations)) != len(self.populations):
            raise InvalidInput("populations", list(self.populations), "each population once")


@dataclass(frozen=True, slots=True)
class Watched:
    """What share of the whole an observer sees. Args: clients, inboxes: 0..1; horizon_us: of the run."""

    clients: float
    inboxes: float
    horizon_us: int


def with_background(
    view: View,
    population: int,
    watched: Watched,
    rules: Background,
    spoken: Ints,
    seeds: Seeds,
    polls: bool = False,
) -> View:
    """Give a view into which strangers are mixed; the view itself for a closed world.

    Args:
        spoken: rows of the run that carry messages, ascending; of these the streams on links are made.
        polls: also say whose other streams everybody online copies, a hundred times as many events.

    Raises:
        InvalidInput: strangers would write more than memory holds.
    """
    if not population:
        return view
    copies = 2 * rules.messages_per_day * watched.horizon_us / US_PER_DAY
    tables: dict[str, Table] = {}
    for name, table, key, share in (
        ("requests", _sent(view, spoken), "client", watched.clients),
        ("stores", _stored(view), "account", watched.inboxes),
    ):
        wanted = population * share * copies
        if wanted > MOST_EVENTS and len(table["t_us"]):
            # A smaller crowd under this name would make the attack look better than it is.
            most = int(population * MOST_EVENTS / wanted)
            allowed = f"at most {most:,} for {view.observer!r} and a run so long, as memory has an end"
            raise InvalidInput("background.populations", population, allowed)
        stream = seeds.stream("background", view.observer, name, population)
        tables[name] = resampled(table, key, wanted, watched.horizon_us, stream)
    people: Table = {
        "clients": np.array([round(population * watched.clients * rules.online_prob)], dtype=np.int64),
        "accounts": np.array([round(population * watched.inboxes)], dtype=np.int64),
    }
    if polls:
        stream = seeds.stream("background", view.observer, "polls", population)
        tables |= _pollers(_sent(view, spoken, carrying=False), int(people["clients"][0]), watched, stream)
    return dataclasses.replace(view, background=tables | {"people": people})


def _pollers(polls: Table, people: int, watched: Watched, stream: np.random.Generator) -> dict[str, Table]:
    """Let everyone online copy a stream of polls; they are laid out by `crowds` when they are looked at."""
    names, number = np.unique(polls["client"], return_inverse=True)
    if not len(names):
        return {}
    drawn, turn = _turned(len(names), people, watched.horizon_us, stream)
    # Strangers who poll are others than those who write: the same would be one client twice as busy.
    client = FIRST_STRANGER + _APART + np.arange(people, dtype=np.int64)
    return {
        "polls": polls | {"client": number.astype(np.int64)},
        "pollers": {"client": client, "stream": drawn, "turn_us": turn},
        "watch": {"horizon_us": np.array([watched.horizon_us], dtype=np.int64)},
    }


def _turned(streams: int, people: int, horizon_us: int, stream: np.random.Generator) -> tuple[Ints, Ints]:
    """Draw whose stream each of some people copies, and how far it is turned."""
    drawn = stream.integers(streams, size=people)
    # At least a quarter of the run: a stream turned by a few polls would keep step with the one it is of.
    return drawn, horizon_us // 4 + stream.integers(max(1, horizon_us // 2), size=people)


def _sent(view: View, spoken: Ints, carrying: bool = True) -> Table:
    found = requests(view)
    here = np.isin(found.row, spoken) == carrying
    return {"t_us": found.t_us[here], "client": found.client[here], "wire_bytes": found.wire_bytes[here]}


def _stored(view: View) -> Table:
    found = stores(view)
    _, inbox = np.unique(found.inbox.astype(str), return_inverse=True)
    return {
        "t_us": found.t_us, "account": inbox.astype(np.int64), "size_bytes": found.size_bytes,
        "namespace": found.namespace, "direct": found.direct.astype(np.int64),
    }  # fmt: skip


def resampled(
    table: Mapping[str, npt.NDArray[np.generic]], key: str, wanted: float, horizon_us: int,
    stream: np.random.Generator,
) -> Table:  # fmt: skip
    """Draw whole streams until about `wanted` events are there.

    Args:
        table: events with column `t_us` and the stream's number in column `key`.
        wanted: expected number of events; the last stream is taken by chance, so the mean is met.
    """
    owner = np.asarray(table[key]).astype(np.int64)
    names, inverse = np.unique(owner, return_inverse=True)
    if not len(names) or wanted <= 0:
        return {name: np.asarray(column)[:0].astype(np.int64) for name, column in table.items()}
    streams = wanted / (len(owner) / len(names))
    n = int(streams) + int(stream.random() < streams - int(streams))
    drawn, turn = _turned(len(names), n, horizon_us, stream)
    client = FIRST_STRANGER + np.arange(n, dtype=np.int64)
    return laid_out({**table, key: inverse}, key, (client, drawn, turn), horizon_us)
