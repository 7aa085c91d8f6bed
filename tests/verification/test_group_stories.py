"""Random lives of groups: whatever members and admins of mixed platforms do, all end up with the same group.

One exception is kept out of the stories, because clients behave so: who leaves is not invited again. An admin
promoted later reads all that the group's swarm still has, the old farewell too, and strikes who said it
(`Hearing`; a test of its own shows it).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest

from sessionsim.core.intents import GROUP_ACTIONS, Group, GroupAction, GroupText, order_of
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_S
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.groups.part import Groups
from sessionsim.protocol.client.groups.standing import Place, Standing
from sessionsim.protocol.client.machine import Client

ACCOUNTS = 7
STEPS = 30
SOON_US = 10 * US_PER_S  # Until a removal has been carried out.
QUIET_S = 90.0  # At the end, for what is still on its way.
SEEDS = range(3)
KINDS = ("desktop", "android", "ios")
DEEDS = ("text",) * 4 + ("invite", "join") * 2 + ("leave", "remove", "promote", "rename")


@dataclass(slots=True)
class Life:
    """What is true of one group after all that was wished so far."""

    members: set[int]
    admins: set[int]
    name: str
    since: dict[int, int]  # When somebody came last, µs.
    until: dict[int, int] = field(default_factory=dict)  # When somebody went last, µs.
    invited: set[int] = field(default_factory=set)
    left: set[int] = field(default_factory=set)
    acts: int = 0
    said: dict[int, int] = field(default_factory=dict)


class Story:
    """Wishes drawn from a seed, each possible at its time for who does it, seconds after the one before."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        self._at_us = 5 * US_PER_S
        self.wishes: list[Any] = []
        self.lives = [self._begin(number) for number in range(2)]
        for _ in range(STEPS):
            self._at_us += int(self._draw.uniform(3.0, 25.0) * US_PER_S)
            number = self._draw.randrange(len(self.lives))
            self._step(number, self._draw.choice(DEEDS))
        self.end_us = self._at_us + int(QUIET_S * US_PER_S)

    def _begin(self, number: int) -> Life:
        members = sorted(self._draw.sample(range(ACCOUNTS), self._draw.randint(2, 5)))
        founder = self._draw.choice(members)
        self.wishes.append(Group(0, founder, number, tuple(members), f"group {number}"))
        return Life(set(members), {founder}, f"group {number}", dict.fromkeys(members, 0))

    def _step(self, number: int, deed: str) -> None:
        life = self.lives[number]
        if deed == "text":
            who = self._one(life.members)
            said = life.said.get(who, 0)
            self.wishes.append(GroupText(self._at_us, who, number, f"text {len(self.wishes)}", said))
            life.said[who] = said + 1
        elif deed == "rename":
            life.name = f"renamed {len(self.wishes)}"
            self._act(number, self._one(life.admins), "rename", name=life.name)
        elif deed == "invite":
            self._invite(number)
        elif deed == "join":
            self._join(number)
        else:
            self._change(number, deed)

    def _invite(self, number: int) -> None:
        life = self.lives[number]
        outside = set(range(ACCOUNTS)) - life.members - life.invited - life.left
        if not outside:
            return
        subject = self._one(outside)
        history = self._draw.random() < 0.5
        life.invited.add(subject)
        rekey = "" if history else "no-history"
        self._act(number, self._one(life.admins), "invite", (subject,), history=history, rekey=rekey)

    def _join(self, number: int) -> None:
        life = self.lives[number]
        if life.invited:
            who = self._one(life.invited)
            life.invited.discard(who)
            life.members.add(who)
            life.since[who] = self._at_us
            self._act(number, who, "join")

    def _change(self, number: int, deed: str) -> None:
        """Of somebody who is a member and no admin."""
        life = self.lives[number]
        if not life.members - life.admins:
            return
        subject = self._one(life.members - life.admins)
        if deed == "promote":
            self._act(number, self._one(life.admins), "promote", (subject,))
            life.admins.add(subject)
        elif deed == "leave":
            self._act(number, subject, "leave", rekey="left")
            life.left.add(subject)
        else:
            self._act(number, self._one(life.admins), "remove", (subject,), rekey="removed")
        if deed != "promote":
            life.members.discard(subject)
            life.until[subject] = self._at_us

    def _one(self, among: set[int]) -> int:
        return self._draw.choice(sorted(among))

    def _act(self, number: int, who: int, deed: str, subjects: tuple[int, ...] = (), **more: Any) -> None:
        life = self.lives[number]
        self.wishes.append(GroupAction(self._at_us, who, number, life.acts, deed, subjects, **more))
        life.acts += 1


@cache
def lived(seed: int) -> tuple[Story, World, Truth]:
    story = Story(seed)
    world = build(
        WorldSpec(
            date="2026-04-28",
            platforms=tuple(KINDS[(who + seed) % 3] for who in range(ACCOUNTS)),
            intents=tuple(sorted(story.wishes, key=order_of)),
            horizon_us=story.end_us,
            measured=(0, story.end_us),
            seeds=Seeds(seed),
            epoch_ms=1_777_377_600_000,
            limit_swarms=6,
        )
    )
    return story, world, world.run()


def standing_of(world: World, who: int, number: int) -> Standing | None:
    """How an account's only client stands in a group."""
    client, before = world.machines[len(world.nodes) + who], world._before.groups
    assert isinstance(client, Client)
    assert before is not None
    part = next((part for part in client.parts if isinstance(part, Groups)), None)
    return part.standings.get(before.keys[number].id) if part is not None else None


def test_the_stories_have_every_deed() -> None:
    done = {wish.what for seed in SEEDS for wish in Story(seed).wishes if isinstance(wish, GroupAction)}
    assert done == set(GROUP_ACTIONS) - {"create"}


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_done_everybody_ends_up_with_the_same_group(seed: int) -> None:
    story, world, truth = lived(seed)
    assert set(truth.messages["outcome"].tolist()) == {"delivered"}, truth.messages["reason"].tolist()
    people = {world.accounts[who].id: who for who in range(ACCOUNTS)}
    for number, life in enumerate(story.lives):
        keys = set()
        for who in range(ACCOUNTS):
            standing = standing_of(world, who, number)
            if who not in life.members:
                assert standing is None or standing.place is not Place.IN
                continue
            assert standing is not None
            assert standing.place is Place.IN
            keys.add(standing.ring.sending_key)
            assert standing.info.name == life.name
            listed = {people[member.id]: member for member in standing.members}
            assert set(listed) == life.members | life.invited
            assert {who for who, member in listed.items() if member.admin} == life.admins
        assert len(keys) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_members_and_nobody_else_read_what_is_said(seed: int) -> None:
    """Who was in and stayed has every text; who was out for good, or never in, has none."""
    story, _, truth = lived(seed)
    refs = {at: ref for ref, at in enumerate(truth.messages["intent_us"].tolist())}
    texts = [wish for wish in story.wishes if isinstance(wish, GroupText)]
    assert texts
    for text in texts:
        life = story.lives[text.group]
        rows = truth.deliveries["message"] == refs[text.t_us]
        rows &= np.asarray(truth.deliveries["delivered_us"], dtype=np.int64) >= 0
        readers = set(truth.deliveries["account"][rows].tolist())
        stayed = {who for who in life.members if life.since[who] <= text.t_us}
        lately = {who for who, until in life.until.items() if until > text.t_us - SOON_US}
        assert stayed - {text.sender} <= readers <= life.members | lately
