"""A day in the life of everybody: all parts of the workload, put together.

Who says what comes first (`talk`, `group_story`, `rooms`), then what it carries (`media`), how it was typed
(`keyboard`), what else people do (`calls`, `profiles`, `responses`), and who meets (`strangers`). From all
this follows when each device must be in front (`presence`), from that when messages are read (`reading`). A
part that is switched off takes nothing from the others but what follows from it.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from sessionsim.core.intents import (
    Acceptance,
    Call,
    ConfigChange,
    Deletion,
    Group,
    GroupAction,
    GroupText,
    InboxText,
    Intent,
    MessageAt,
    NameLookup,
    Post,
    Reaction,
    Reader,
    Receipt,
    Refusal,
    Spoken,
    Strangers,
    Wish,
    order_of,
)
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_MIN
from sessionsim.workload.calls import CallRules, calls
from sessionsim.workload.draws import Luck
from sessionsim.workload.floor import Floors
from sessionsim.workload.group_life import GroupRules
from sessionsim.workload.group_story import Surroundings, group_wishes
from sessionsim.workload.keyboard import Keyboard, KeyboardRules
from sessionsim.workload.media import Media, MediaRules
from sessionsim.workload.presence import Act, Attendance, PresenceRules
from sessionsim.workload.profiles import ProfileRules, profile_changes
from sessionsim.workload.pseudonyms import PseudonymRules, pseudonym_texts
from sessionsim.workload.reading import ReadingRules, readings, sends_receipts
from sessionsim.workload.responses import ResponseRules, Responses
from sessionsim.workload.rhythm import Rhythm, clocks
from sessionsim.workload.rooms import RoomRules, room_wishes
from sessionsim.workload.strangers import Meetings, StrangerRules, meetings
from sessionsim.workload.talk import Acquaintance, Talk, acquainted, direct_texts

# What is sent after the end may have been begun before it. Assumption: nobody types for longer.
_MARGIN_US: Final = 30 * US_PER_MIN
Chat = tuple[str, int]  # "direct" with the writer, "group" or "room" with its number, as a reader has it
# What is done without typing.
Touch: TypeAlias = (
    InboxText | NameLookup | Acceptance | Refusal | Reaction | Deletion | GroupAction | ConfigChange | Call
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What to put together; None leaves a part out."""

    rhythm: Rhythm
    acquaintance: Acquaintance
    floors: Floors
    talk: Talk | None
    groups: GroupRules | None
    rooms: RoomRules | None
    media: MediaRules | None
    calls: CallRules | None
    responses: ResponseRules | None
    profiles: ProfileRules | None
    typing: KeyboardRules | None
    receipts: ReadingRules | None
    read_marks: ReadingRules | None
    presence: PresenceRules | None
    strangers: StrangerRules | None = None
    pseudonyms: PseudonymRules | None = None


class Day:
    """One run's wishes. Args: horizon_us: of the run; seeds: used as in the parts."""

    def __init__(self, parts: Parts, people: People, horizon_us: int, seeds: Seeds) -> None:
        self._parts, self._people, self._horizon_us, self._seeds = parts, people, horizon_us, seeds
        self._end_us = horizon_us + _MARGIN_US
        self._circles = acquainted(people, parts.acquaintance, seeds)
        self._clocks = clocks(people, parts.rhythm, seeds)
        self._attendance = Attendance(parts.presence, people, self._clocks, self._end_us, seeds)
        self._linger_us = parts.presence.front_linger_us if parts.presence else 0
        self._acts: list[list[Act]] = [[] for _ in range(len(people))]
        # By reader and conversation: when messages of others came in, when own words there began.
        self._arrivals: dict[tuple[int, Chat], list[int]] = defaultdict(list)
        self._words: dict[tuple[int, Chat], list[int]] = defaultdict(list)

    def wishes(self) -> list[Wish]:
        """Give everything in the order of `order_of`, times in [0, horizon_us). Call it once."""
        happened = sorted(self._happenings(), key=order_of)
        if self._parts.pseudonyms is not None:
            rules = self._parts.pseudonyms
            mail = pseudonym_texts(happened, rules, self._clocks, self._end_us, self._seeds)
            happened = sorted((*happened, *mail), key=order_of)
        met = Meetings()
        if self._parts.strangers is not None:
            known = [set(circle.contacts) for circle in self._circles]
            met = meetings(happened, known, self._parts.strangers, self._horizon_us, self._seeds)
            happened = sorted((*happened, *met.wishes), key=order_of)
        found = list(self._lived(happened, met))
        found += self._read()
        if self._parts.presence is not None:
            for account, acts in enumerate(self._acts):
                found += self._attendance.wishes(account, acts)
        return sorted((wish for wish in found if wish.t_us < self._horizon_us), key=order_of)

    def _happenings(self) -> Iterator[Wish]:
        """Give what people say and do, in no order."""
        parts, seeds, end_us = self._parts, self._seeds, self._end_us
        responses = Responses(parts.responses, self._clocks, seeds) if parts.responses else None
        if parts.talk:
            per_day, one_way = parts.talk.messages_per_day, parts.acquaintance.one_way_share
            for text in direct_texts(self._circles, self._clocks, per_day, one_way, end_us, seeds):
                yield text
                if responses:
                    yield from responses.to(text, (text.recipient,))
        if parts.groups:
            yield from group_wishes(
                Surroundings(
                    parts.groups, parts.floors, self._circles, self._clocks, responses, seeds, end_us
                )
            )
        if parts.rooms:
            yield from room_wishes(parts.rooms, parts.floors, self._clocks, responses, end_us, seeds)
        if parts.calls:
            yield from calls(parts.calls, self._people, self._circles, self._clocks, end_us, seeds)
        if parts.profiles:
            for account, clock in enumerate(self._clocks):
                yield from profile_changes(account, parts.profiles, clock, end_us, seeds)

    def _lived(self, happened: Iterable[Wish], met: Meetings) -> Iterator[Wish]:
        """Give everything its device and what it carries; note who acts when, and what reaches whom."""
        media = Media(self._parts.media, self._seeds) if self._parts.media else None
        keyboard = Keyboard(self._parts.typing or KeyboardRules(), self._seeds)
        free_us: dict[int, int] = {}
        members: dict[int, set[int]] = {}
        readers: dict[int, list[int]] = defaultdict(list)
        for wish in happened:
            if isinstance(wish, Intent | GroupText | Post):
                spoken = media.dress(wish) if media and wish.address not in met.bare else wish
                yield from self._said(spoken, keyboard, free_us)
                self._reach(spoken, members, readers)
            elif isinstance(wish, Group):
                members[wish.group] = set(wish.members)
                yield wish
            elif isinstance(wish, Reader):
                readers[wish.room].append(wish.sender)
                yield wish
            elif isinstance(wish, Strangers):
                yield wish
            elif isinstance(wish, Call) and wish.address in met.undone:
                continue
            elif isinstance(wish, Touch):
                if isinstance(wish, GroupAction):
                    _enter(wish, members)
                yield self._touched(wish)

    def _said(self, spoken: Spoken, keyboard: Keyboard, free_us: dict[int, int]) -> Iterator[Wish]:
        """Give a message and its typing indicators."""
        author = spoken.sender
        device = self._attendance.device_at(author, spoken.t_us)
        platform = self._attendance.platforms[author][device]
        if device:
            spoken = _on(spoken, device)
        draft = keyboard.draft(spoken, free_us.get(author, -_MARGIN_US), platform)
        free_us[author] = spoken.t_us
        self._acts[author].append((draft.begin_us, spoken.t_us + self._linger_us, device))
        self._words[author, _chat(spoken.address, author)].append(draft.begin_us)
        if self._parts.typing and isinstance(spoken, Intent):
            yield from keyboard.indicators(spoken, draft, platform)
        yield spoken

    def _reach(self, spoken: Spoken, members: dict[int, set[int]], readers: dict[int, list[int]]) -> None:
        """Note a message for everybody whom it reaches."""
        where, place, author, _ = spoken.address
        chat = (where, author if where == "direct" else place)
        reached: Iterable[int] = (place,)
        if where != "direct":
            reached = members[place] if where == "group" else readers[place]
        for reader in reached:
            if reader != author:
                self._arrivals[reader, chat].append(spoken.t_us)

    def _touched(self, wish: Touch) -> Wish:
        """Give what is done without typing its device; note when."""
        account, until_us = wish.sender, wish.t_us + self._linger_us
        if isinstance(wish, Call):
            until_us = wish.t_us + wish.ring_us + wish.talk_us
            if wish.outcome != "missed":
                called = self._attendance.device_at(wish.recipient, wish.t_us)
                self._acts[wish.recipient].append((wish.t_us, until_us, called))
        elif isinstance(wish, Reaction):
            self._words[account, _chat(wish.target, account)].append(wish.t_us)
        device = self._attendance.device_at(account, wish.t_us)
        self._acts[account].append((wish.t_us, until_us, device))
        return dataclasses.replace(wish, device=device) if device else wish

    def _read(self) -> Iterator[Wish]:
        """Give receipts and marks of what is read."""
        parts = self._parts
        rules = parts.receipts or parts.read_marks
        if rules is None:
            return
        chats: list[list[Chat]] = [[] for _ in self._acts]
        for reader, chat in self._arrivals:
            chats[reader].append(chat)
        for account in range(len(self._acts)):
            attention = self._attendance.attention(account, self._acts[account])
            shows = parts.receipts is not None and sends_receipts(rules, self._seeds, account)
            read: list[tuple[int, Chat, range]] = []
            for chat in sorted(chats[account]):
                luck = Luck(self._seeds, "reading", account, *chat)
                words = sorted(self._words[account, chat])
                for one in readings(self._arrivals[account, chat], words, attention, rules, luck):
                    read.append((one.t_us, chat, range(one.first, one.end)))
            for number, (t_us, (where, place), covered) in enumerate(sorted(read, key=lambda item: item[:2])):
                device = self._attendance.device_at(account, t_us)
                self._acts[account].append((t_us, t_us + 1, device))
                if shows and where == "direct":
                    yield Receipt(t_us, account, place, tuple(covered), device)
                if parts.read_marks is not None:
                    yield ConfigChange(t_us, account, "conversations", "read", number, device=device)


def _chat(message: MessageAt, own: int) -> Chat:
    """Give the conversation in which a message stands, as one of those who are in it has it."""
    if message.where != "direct":
        return (message.where, message.place)
    return (message.where, message.author if message.author != own else message.place)


def _enter(action: GroupAction, members: dict[int, set[int]]) -> None:
    """Keep track of who is in a group."""
    if action.what == "create":
        members[action.group] = {action.sender}
    elif action.what == "join":
        members[action.group].add(action.sender)
    elif action.what == "leave":
        members[action.group].discard(action.sender)
    elif action.what == "remove":
        members[action.group].difference_update(action.subjects)


def _on(spoken: Spoken, device: int) -> Spoken:
    if isinstance(spoken, Intent):
        return spoken._replace(device=device)
    return dataclasses.replace(spoken, device=device)
