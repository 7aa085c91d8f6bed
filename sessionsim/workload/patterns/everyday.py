"""The whole of a messenger's days: direct messages, groups, communities, files, calls, and all that follows.

Every part can be switched off, and has its own keys. The parts are put together by `workload.day`, where each
is described. Direct messages, gaps and hours are measured (metrics 4.1, 4.2); most other rates are assumed,
which each key says.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.intents import Wish
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.workload._registry import PATTERNS
from sessionsim.workload.calls import CallRules
from sessionsim.workload.day import Day, Parts
from sessionsim.workload.floor import Floors
from sessionsim.workload.group_life import GroupRules
from sessionsim.workload.keyboard import KeyboardRules
from sessionsim.workload.media import MediaRules
from sessionsim.workload.presence import PresenceRules
from sessionsim.workload.profiles import ProfileRules
from sessionsim.workload.pseudonyms import PseudonymRules
from sessionsim.workload.reading import ReadingRules
from sessionsim.workload.responses import ResponseRules
from sessionsim.workload.rhythm import Rhythm
from sessionsim.workload.rooms import RoomRules
from sessionsim.workload.strangers import StrangerRules
from sessionsim.workload.talk import Acquaintance, Talk

_SOURCE = "Assumption: everything that the clients offer"


@dataclass(frozen=True, slots=True)
class Config(
    Rhythm, Floors, Acquaintance, PresenceRules, ProfileRules, CallRules, ResponseRules, ReadingRules,
    KeyboardRules, MediaRules, RoomRules, GroupRules, StrangerRules, PseudonymRules, Talk,
):  # fmt: skip
    """Settings of everyday life."""

    start_hour: float = setting(
        12.0,
        doc='Hour of the day at time 0: local time, or UTC with zones = "countries".',
        source="Assumption: noon UTC, as run.epoch_ms has it",
        low=0,
        high=24,
    )
    weekly: bool = setting(
        True,
        doc="Whether the days of the week differ as measured; without, every day is alike.",
        source="metrics 4.1",
    )
    zones: str = setting(
        "countries",
        doc='Time zones: "spread" over zone_spread_h at random, or those of the "countries" of clients.mix.',
        source="metrics 4.1: each person's own zone",
        choices=("spread", "countries"),
    )
    direct: bool = setting(True, doc="Whether people write direct messages.", source=_SOURCE)
    groups: bool = setting(True, doc="Whether there are groups.", source=_SOURCE)
    communities: bool = setting(True, doc="Whether there are communities.", source=_SOURCE)
    files: bool = setting(True, doc="Whether messages carry files and previews of links.", source=_SOURCE)
    calls: bool = setting(True, doc="Whether people call each other.", source=_SOURCE)
    reactions: bool = setting(True, doc="Whether messages get reactions and are deleted.", source=_SOURCE)
    profiles: bool = setting(True, doc="Whether pictures, names and contacts change.", source=_SOURCE)
    typing: bool = setting(True, doc="Whether typing indicators are sent.", source=_SOURCE)
    receipts: bool = setting(True, doc="Whether read receipts are sent.", source=_SOURCE)
    read_marks: bool = setting(
        True, doc="Whether devices of an account tell each other what was read.", source="messages 5.7"
    )
    strangers: bool = setting(
        True, doc="Whether some people write to each other for the first time.", source=_SOURCE
    )
    inboxes: bool = setting(
        True, doc="Whether people write to pseudonyms through the inboxes of communities.", source=_SOURCE
    )
    presence: bool = setting(
        True,
        doc="Whether devices go on- and offline and to the background; without, all are always in front.",
        source=_SOURCE,
    )

    def __post_init__(self) -> None:
        MediaRules.__post_init__(self)
        GroupRules.__post_init__(self)
        CallRules.__post_init__(self)
        StrangerRules.__post_init__(self)


@PATTERNS.register(
    config=Config,
    source="metrics 4 (messages, gaps, hours, sizes); most other rates are assumptions",
)
class Everyday:
    """A mix of everything: direct messages, groups, communities, files, calls, typing, receipts, presence."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def kinds(self) -> frozenset[str]:
        """Give the kinds of wishes that are switched on."""
        config = self._config
        speaks = config.direct or config.groups or config.communities
        mails = config.communities and config.inboxes
        given = {
            "text": config.direct,
            "group": config.groups,
            "group-action": config.groups,
            "group-text": config.groups,
            "community": config.communities,
            "post": config.communities,
            "attachment": config.files and speaks,
            "link-preview": config.files and speaks,
            "call": config.calls,
            "reaction": config.reactions and speaks,
            "deletion": config.reactions and speaks,
            "config-change": config.profiles or (config.read_marks and speaks),
            "typing": config.typing and config.direct,
            "receipt": config.receipts and config.direct,
            "strangers": config.strangers and (config.direct or mails),
            "acceptance": config.strangers and (config.direct or mails),
            "name-lookup": config.strangers and config.direct,
            "refusal": config.strangers and (config.direct or mails),
            "inbox-text": mails,
            "presence": config.presence,
            "online": config.presence,
            "device": config.presence,
        }
        return frozenset(kind for kind, is_on in given.items() if is_on)

    def intents(self, people: People, horizon_us: int, seeds: Seeds) -> list[Wish]:
        """Give all wishes in time order; none without accounts.

        Args:
            people: who takes part.
            horizon_us: times are in [0, horizon_us).
            seeds: used as in the parts.
        """
        config = self._config
        parts = Parts(
            rhythm=config,
            acquaintance=config,
            floors=config,
            talk=config if config.direct else None,
            groups=config if config.groups else None,
            rooms=config if config.communities else None,
            media=config if config.files else None,
            calls=config if config.calls else None,
            responses=config if config.reactions else None,
            profiles=config if config.profiles else None,
            typing=config if config.typing else None,
            receipts=config if config.receipts else None,
            read_marks=config if config.read_marks else None,
            presence=config if config.presence else None,
            strangers=config if config.strangers else None,
            pseudonyms=config if config.communities and config.inboxes else None,
        )
        return Day(parts, people, horizon_us, seeds).wishes()
