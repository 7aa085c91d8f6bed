"""Rooms of communities: who reads which, and what they post.

Some rooms are popular, most readers hardly ever write. Only accounts of the run are modelled: a real room
has thousands of readers and writers beside them, whose posts nobody here asks for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sessionsim.core.intents import Post, Reader, Wish
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.workload.draws import Luck
from sessionsim.workload.floor import Floor, Floors, activity
from sessionsim.workload.lengths import message
from sessionsim.workload.responses import Responses
from sessionsim.workload.rhythm import Clock


@dataclass(frozen=True)
class RoomRules:
    """Settings of communities."""

    rooms: int = setting(
        3,
        doc="Rooms of communities that there are.",
        source="Assumption: a few large ones are what most people read",
        low=0,
        high=1000,
    )
    rooms_per_account: float = setting(
        0.5,
        doc="How many rooms an account reads on average; the k-th room has 1/k of the first one's readers.",
        source="Assumption: most accounts read none",
        low=0.0,
        high=50.0,
    )
    posts_per_day: float = setting(
        0.5,
        doc="Posts per reader and day, averaged over the readers of all rooms.",
        source="Assumption: a post every other day",
        low=0.001,
        high=100.0,
    )
    poster_sigma: float = setting(
        2.0,
        doc="Spread of how much readers post: standard deviation of ln(share of the posts).",
        source="Assumption: the busiest tenth writes about three quarters of all posts",
        low=0.0,
        high=4.0,
    )


def readers_of(room: int, rules: RoomRules, n_accounts: int, seeds: Seeds) -> tuple[int, ...]:
    """Give who reads a room, ascending. Args: seeds: luck ("room", room)."""
    popularity = [1 / (k + 1) for k in range(rules.rooms)]
    prob = min(1.0, rules.rooms_per_account * popularity[room] / sum(popularity))
    luck = Luck(seeds, "room", room)
    return tuple(account for account in range(n_accounts) if luck.at(account) < prob)


def room_wishes(
    rules: RoomRules,
    floors: Floors,
    clocks: Sequence[Clock],
    responses: Responses | None,
    end_us: int,
    seeds: Seeds,
) -> Iterator[Wish]:
    """Give all wishes about rooms, in no order, times in [0, end_us).

    Args:
        clocks: of all accounts.
        responses: None for no reactions and deletions.
        seeds: as in `readers_of` and `Floor`; further luck ("activity", "room") and ("text", "room", r, a).
    """
    for room in range(rules.rooms):
        readers = readers_of(room, rules, len(clocks), seeds)
        yield from (Reader(0, account, room) for account in readers)
        if readers:
            busy = activity(Luck(seeds, "activity", "room"), room, floors.place_sigma)
            per_day = rules.posts_per_day * len(readers) * busy
            clock = clocks[readers[0]]
            floor = Floor("room", room, per_day, rules.poster_sigma, floors, clock, clocks, seeds)
            yield from _posts(room, readers, floor, responses, end_us, seeds)


def _posts(
    room: int, readers: Sequence[int], floor: Floor, responses: Responses | None, end_us: int, seeds: Seeds
) -> Iterator[Wish]:
    """Let people post until the end; each post comes with what follows it."""
    floor.open(0.0, in_the_middle=True)
    written: Counter[int] = Counter()
    texts: dict[int, Luck] = {}
    while (t_us := int(floor.next_s * US_PER_S)) < end_us:
        writer = floor.speak(readers)
        luck = texts.get(writer) or texts.setdefault(writer, Luck(seeds, "text", "room", room, writer))
        number = written[writer]
        written[writer] += 1
        post = Post(t_us, writer, room, message(luck.at(number, 0), luck.at(number, 1)), number)
        yield post
        if responses is not None:
            yield from (response for response in responses.to(post, readers) if response.t_us < end_us)
