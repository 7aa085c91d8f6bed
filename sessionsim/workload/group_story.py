"""What happens in one group, from its standing or founding to the end of the run.

Messages, actions, people who accept invitations and reactions are merged in time order, because each depends
on who is in at that moment: only members write and react, only admins act on others.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sessionsim.core.intents import Deletion, Group, GroupAction, GroupText, Reaction, Wish
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_S
from sessionsim.workload.contacts import Circle
from sessionsim.workload.draws import Luck, Rows, pick
from sessionsim.workload.fits import REPLY_DELAY
from sessionsim.workload.floor import Floor, Floors, activity
from sessionsim.workload.group_life import MONTH_DAYS, GroupRules, Membership, gather, size_at, standing
from sessionsim.workload.lengths import message
from sessionsim.workload.responses import Responses
from sessionsim.workload.rhythm import Clock, moments, wait_until
from sessionsim.workload.shares import choose

_NAME_BYTES = 24  # Assumption: a group's name is up to 100 bytes (messages 5.2), most are much shorter


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all groups of a run share. Args: responses: None for no reactions and deletions."""

    rules: GroupRules
    floors: Floors
    circles: Sequence[Circle]
    clocks: Sequence[Clock]
    responses: Responses | None
    seeds: Seeds
    end_us: int


def name_of(group: int, renamed: int = 0) -> str:
    """Make a group's name, always of the same length."""
    return f"group {group}, name {renamed}".ljust(_NAME_BYTES, ".")[:_NAME_BYTES]


class GroupStory:
    """One group's story.

    Args:
        group: its number.
        membership: who is in at first; the story changes it.
        floor: its floor, already open.
        world: what groups share.
        begin_us: when the story begins; a founding, if any, has happened by then.
        seeds: streams used: ("workload", "actions", g); luck ("act", g), ("text", "group", g, writer).
    """

    def __init__(
        self, group: int, membership: Membership, floor: Floor, world: Surroundings, begin_us: int
    ) -> None:
        self._group, self._membership, self._floor, self._world = group, membership, floor, world
        self._begin_us = begin_us
        self._luck = Luck(world.seeds, "act", group)
        self._texts: dict[int, Luck] = {}
        self._written: Counter[int] = Counter()
        self._actions = self._decisions = self._asked = 0
        self._order = itertools.count()
        self._pending: list[tuple[int, int, int | Reaction | Deletion]] = []  # who joins, or what follows

    def found(self, t_us: int, invited: Sequence[int]) -> GroupAction:
        """Let the founder bring the group into being and invite people."""
        create = self._act(t_us, self._membership.founder, "create", invited, name=name_of(self._group))
        self._ask(t_us, invited)
        return create

    def tell(self) -> Iterator[Wish]:
        """Give everything in time order. Call it once."""
        world, floor = self._world, self._floor
        per_day = world.rules.group_actions_per_month / MONTH_DAYS
        clock = world.clocks[self._membership.founder]
        begin_s, end_s = self._begin_us / US_PER_S, world.end_us / US_PER_S
        acts = moments(per_day, clock, begin_s, end_s, Rows(world.seeds, 1, "actions", self._group))
        act_s = next(acts, end_s)
        while True:
            t_s = min(floor.next_s, act_s)
            yield from self._due(min(t_s, end_s))
            if t_s >= end_s:
                return
            if t_s == act_s:
                yield from self._decide(int(t_s * US_PER_S))
                act_s = next(acts, end_s)
            else:
                yield from self._speak()

    def _due(self, until_s: float) -> Iterator[Wish]:
        """Let those who said yes come in, and reactions take place."""
        while self._pending and self._pending[0][0] < until_s * US_PER_S:
            t_us, _, what = heapq.heappop(self._pending)
            if not isinstance(what, int):
                if what.sender in self._membership.members:
                    yield what
            elif what in self._membership.invited:
                self._membership.join(what)
                yield self._act(t_us, what, "join")

    def _speak(self) -> Iterator[Wish]:
        t_us = int(self._floor.next_s * US_PER_S)
        members = tuple(self._membership.members)
        writer = self._floor.speak(members)
        if len(members) < 2:
            return  # nobody would read it
        number = self._written[writer]
        self._written[writer] += 1
        luck = self._texts.get(writer)
        if luck is None:
            luck = self._texts[writer] = Luck(self._world.seeds, "text", "group", self._group, writer)
        text = GroupText(t_us, writer, self._group, message(luck.at(number, 0), luck.at(number, 1)), number)
        yield text
        if self._world.responses is not None:
            for response in self._world.responses.to(text, members):
                self._later(response.t_us, response)

    def _decide(self, t_us: int) -> Iterator[Wish]:
        """Take one of the actions of the mix, if there is anybody to take it on."""
        rules, membership, row = self._world.rules, self._membership, self._decisions
        self._decisions += 1
        what = choose(rules.actions(), self._luck.at(row, 0))
        admin, ordinary = pick(membership.admins, self._luck.at(row, 1)), membership.ordinary()
        if what == "rename":
            yield self._act(t_us, admin, what, name=name_of(self._group, row))
        elif what == "invite":
            yield from self._invite(t_us, admin, row)
        elif ordinary:
            subject = pick(ordinary, self._luck.at(row, 2))
            if what == "promote":
                membership.admins.append(subject)
                yield self._act(t_us, admin, what, (subject,))
            else:
                membership.lose(subject)
                leaves = what == "leave"
                yield self._act(
                    t_us,
                    subject if leaves else admin,
                    what,
                    () if leaves else (subject,),
                    rekey="left" if leaves else "removed",
                )

    def _invite(self, t_us: int, admin: int, row: int) -> Iterator[Wish]:
        membership = self._membership
        inside = {*membership.members, *membership.invited}
        outside = [contact for contact in self._world.circles[admin].contacts if contact not in inside]
        if not outside or len(inside) >= self._world.rules.group_cap:
            return
        subject = pick(outside, self._luck.at(row, 2))
        history = self._luck.at(row, 3) < self._world.rules.group_history_share
        rekey = "" if history else "no-history"
        yield self._act(t_us, admin, "invite", (subject,), history=history, rekey=rekey)
        self._ask(t_us, (subject,))

    def _ask(self, t_us: int, invited: Sequence[int]) -> None:
        """Note who will accept an invitation, and when; the others may still be asked again later."""
        for account in invited:
            row = self._asked
            self._asked += 1
            if self._luck.at(row, 4) < self._world.rules.group_accept_share:
                self._membership.invited.add(account)
                clock = self._world.clocks[account]
                at_s = wait_until(
                    REPLY_DELAY, clock, t_us / US_PER_S, self._luck.at(row, 5), self._luck.at(row, 6)
                )
                self._later(max(int(at_s * US_PER_S), t_us + 1), account)

    def _later(self, t_us: int, what: int | Reaction | Deletion) -> None:
        heapq.heappush(self._pending, (t_us, next(self._order), what))

    def _act(
        self,
        t_us: int,
        sender: int,
        what: str,
        subjects: Sequence[int] = (),
        *,
        name: str = "",
        history: bool = True,
        rekey: str = "",
    ) -> GroupAction:
        number = self._actions
        self._actions += 1
        return GroupAction(t_us, sender, self._group, number, what, tuple(subjects), name, history, rekey)


def group_wishes(world: Surroundings) -> Iterator[Wish]:
    """Give all wishes about groups, group by group; each group's in time order, times in [0, end_us).

    Args:
        world: its seeds are used as in `standing`, `Floor` and `GroupStory`; further the streams
            ("workload", "found", a) per account, and luck ("founding", a, k) and ("activity", "group").
    """
    there = standing(world.rules, world.circles, world.seeds)
    for group, members in enumerate(there):
        yield Group(0, members[0], group, tuple(sorted(members)), name_of(group))
        floor = _floor(group, members[0], len(members), world)
        floor.open(0.0, in_the_middle=True)
        yield from GroupStory(group, Membership(members[0], list(members)), floor, world, 0).tell()
    foundings = sorted(
        (t_s, account, k) for account in range(len(world.circles)) for k, t_s in _foundings(account, world)
    )
    for group, (t_s, founder, k) in enumerate(foundings, start=len(there)):
        luck = Luck(world.seeds, "founding", founder, k)
        size = size_at(world.rules, luck.at(0, 1), len(world.circles))
        _, *invited = gather(founder, size, world.circles, luck)
        floor, t_us = _floor(group, founder, size, world), int(t_s * US_PER_S)
        floor.open(t_s, in_the_middle=False)
        story = GroupStory(group, Membership(founder, [founder]), floor, world, t_us + 1)
        yield story.found(t_us, invited)
        yield from story.tell()


def _floor(group: int, founder: int, size: int, world: Surroundings) -> Floor:
    """Make the floor of a group; it is as busy as its members are many, beside its own activity."""
    rules, luck = world.rules, Luck(world.seeds, "activity", "group")
    per_day = rules.group_messages_per_day * size * activity(luck, group, world.floors.place_sigma)
    clocks, sigma = world.clocks, rules.group_writer_sigma
    return Floor("group", group, per_day, sigma, world.floors, clocks[founder], clocks, world.seeds)


def _foundings(account: int, world: Surroundings) -> Iterator[tuple[int, float]]:
    """Give number and moment of each group that an account founds; nobody founds one alone."""
    if world.circles[account].contacts:
        per_day = world.rules.group_creations_per_month / MONTH_DAYS
        draws = Rows(world.seeds, 1, "found", account)
        yield from enumerate(moments(per_day, world.clocks[account], 0.0, world.end_us / US_PER_S, draws))
