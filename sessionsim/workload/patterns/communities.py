"""Communities and nothing else: who reads which rooms, what they post, and the emoji on it.

Rooms and posts: `workload.rooms`; reactions and deletions: `workload.responses`; messages to
pseudonyms: `workload.pseudonyms`. Gaps follow metrics 4.1 by
analogy; the rest is assumed, each number a key.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.intents import Wish, order_of
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.workload._registry import PATTERNS
from sessionsim.workload.floor import Floors
from sessionsim.workload.pseudonyms import PseudonymRules, pseudonym_texts
from sessionsim.workload.responses import ResponseRules, Responses
from sessionsim.workload.rhythm import Rhythm, clocks
from sessionsim.workload.rooms import RoomRules, room_wishes


@dataclass(frozen=True, slots=True)
class Config(Rhythm, Floors, ResponseRules, RoomRules, PseudonymRules):
    """Settings of communities."""

    inbox_share: float = setting(
        0.0,
        unit="prob",
        doc="Share of posts to which a reader of the room writes to their author through the inbox.",
        source="Assumption: nobody does, as this pattern has had it from the start",
        low=0.0,
        high=1.0,
    )
    reactions: bool = setting(
        True,
        doc="Whether posts get reactions and are deleted.",
        source="Assumption: as in the clients, which offer both",
    )


@PATTERNS.register(config=Config, source="metrics 4.1 (gaps, by analogy); rates are assumptions")
class Communities:
    """Rooms of communities: readers, posts, reactions and deletions."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def kinds(self) -> frozenset[str]:
        """Give the kinds of wishes."""
        responses = {"reaction", "deletion"} if self._config.reactions else set()
        mails = {"inbox-text"} if self._config.inbox_share else set()
        return frozenset({"community", "post", *responses, *mails})

    def intents(self, people: People, horizon_us: int, seeds: Seeds) -> list[Wish]:
        """Give all wishes in time order; none if nobody reads a room.

        Args:
            people: who takes part.
            horizon_us: times are in [0, horizon_us).
            seeds: used as in `rhythm.clocks`, `rooms.room_wishes` and `Responses`.
        """
        config = self._config
        own = clocks(people, config, seeds)
        responses = Responses(config, own, seeds) if config.reactions else None
        wishes = list(room_wishes(config, config, own, responses, horizon_us, seeds))
        mail = pseudonym_texts(wishes, config, own, horizon_us, seeds)
        return sorted((*wishes, *mail), key=order_of)
