"""Devices whose app stops, over real nodes: what is there afterwards, what is lost, what is accounted for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import Cause, split_note
from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import File, Group, GroupText, Intent, Post, Presence, Reader, Wish
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_MIN, US_PER_S
from sessionsim.network.faults import KINDS, Fault
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.push import PLATFORMS as PUSH
from sessionsim.protocol.client.rules import PLATFORMS

NAMES = ("desktop", "android", "ios")
DESKTOP, ANDROID, IOS = range(3)
EACH = pytest.mark.parametrize("who", range(3), ids=NAMES)
S, MIN = US_PER_S, US_PER_MIN
STOPPED = ("refused", "the app stopped")


def crash(at_us: int, lasts_us: int, *, count: int = 3, answer: str = "refused") -> Fault:
    """Let so many devices be down; all of three by default."""
    rules = KINDS["crash"](by="clients", count=count, at_us=at_us, lasts_us=lasts_us, answer=answer)
    return Fault("down", "crash", rules)


def cut(at_us: int, lasts_us: int) -> Fault:
    """Cut the nodes off from everybody, so that nothing can be sent."""
    return Fault(
        "cut", "partition", KINDS["partition"](by="clients", count=3, at_us=at_us, lasts_us=lasts_us)
    )


def world_of(*wishes: Wish, faults: tuple[Fault, ...], minutes: int = 4, **changed: Any) -> World:
    spec = WorldSpec(
        date="2026-04-28", platforms=NAMES, intents=tuple(sorted(wishes, key=lambda one: one.t_us)),
        horizon_us=minutes * MIN, measured=(0, minutes * MIN), seeds=Seeds(5), epoch_ms=1_777_377_600_000,
        limit_swarms=6, suite="fast", idle_polls="bulk", faults=faults,
    )  # fmt: skip
    return build(replace(spec, **changed))


def fates(truth: Truth) -> list[tuple[str, str]]:
    return list(zip(truth.messages["outcome"].tolist(), truth.messages["reason"].tolist(), strict=True))


def texts(who: int, t_us: int, count: int) -> list[Intent]:
    return [Intent(t_us + k, who, (who + 1) % 3, f"text {k}", k) for k in range(count)]


@EACH
@pytest.mark.parametrize("answer", ["refused", "silent"])
def test_all_that_is_wished_on_a_device_that_is_down_is_done_when_it_is_up_again(
    who: int, answer: str
) -> None:
    """Five of one kind and two of another, none of which replaces another; sent in their order."""
    wishes = texts(who, 60 * S, 5) + [Intent(70 * S, who, (who + 2) % 3, "other", k) for k in range(2)]
    truth = world_of(*wishes, faults=(crash(50 * S, 60 * S, answer=answer),)).run()
    assert fates(truth) == [("delivered", "")] * 7
    stored = truth.messages["stored_us"]
    assert stored.min() > 110 * S
    assert np.all(np.diff(stored[:5]) > 0)
    assert np.all(truth.messages["attempts"] == 1)


def test_what_is_wished_on_a_device_that_stays_down_waits_with_its_sender() -> None:
    wishes = [text for who in range(3) for text in texts(who, 60 * S + 100 * who, 3)]
    truth = world_of(*wishes, faults=(crash(50 * S, 0),)).run()
    assert fates(truth) == [("waiting", "with its sender")] * 9


def test_a_device_that_is_down_at_first_starts_later() -> None:
    truth = world_of(*texts(DESKTOP, 30 * S, 3), faults=(crash(0, 60 * S),)).run()
    assert fates(truth) == [("delivered", "")] * 3
    assert truth.messages["stored_us"].min() > 60 * S


def test_of_what_a_device_is_like_the_last_counts() -> None:
    """Looked at again while it was down, then not: it comes back asleep, and polls when it is woken."""
    seen = [
        Presence(t_us, ANDROID, 0, "foreground", on, k)
        for k, (t_us, on) in enumerate([(0, True), (60 * S, False), (70 * S, True), (80 * S, False)])
    ]
    wishes = (*seen, *texts(ANDROID, 75 * S, 1), Intent(65 * S, DESKTOP, ANDROID, "hello"))
    truth = world_of(*wishes, faults=(crash(50 * S, 60 * S),), minutes=2).run()
    assert fates(truth) == [("waiting", "in the swarm"), ("waiting", "with its sender")]


def waiting_at_the_crash(**changed: Any) -> list[tuple[str, str]]:
    """Fates of three texts from each platform that the nodes were out of reach for before the crash."""
    # Desktop gives up a text within a second, so its queue is slowed down; what is first in it is tried.
    rules = {name: replace(PLATFORMS[name], send_attempts=10, send_backoff_us=20 * S) for name in NAMES}
    wishes = [text for who in range(3) for text in texts(who, 40 * S + 100 * who, 3)]
    faults = (cut(35 * S, 60 * S), crash(60 * S, 20 * S))
    return fates(world_of(*wishes, faults=faults, minutes=8, client_rules=rules, **changed).run())


def test_phones_keep_what_waited_to_be_sent_and_desktop_loses_it() -> None:
    assert waiting_at_the_crash() == [STOPPED] * 3 + [("delivered", "")] * 6


def test_a_desktop_with_a_queue_on_disk_loses_nothing() -> None:
    rules = {
        name: replace(PLATFORMS[name], send_attempts=10, send_backoff_us=20 * S, queue_kept=True)
        for name in NAMES
    }
    wishes = [text for who in range(3) for text in texts(who, 40 * S + 100 * who, 3)]
    faults = (cut(35 * S, 60 * S), crash(60 * S, 20 * S))
    truth = world_of(*wishes, faults=faults, minutes=8, client_rules=rules).run()
    assert fates(truth) == [("delivered", "")] * 9


def test_what_hangs_on_texts_groups_and_rooms_is_given_up_with_them_on_desktop() -> None:
    """Uploads, texts in a group and posts that are under way when the app stops; phones bring theirs up."""
    file = File("file", 1_000)
    wishes: list[Wish] = [Group(0, DESKTOP, 0, (DESKTOP, ANDROID, IOS), "three")]
    wishes += [Reader(0, who, 0) for who in range(3)]
    for who in range(3):
        wishes += [
            Intent(60 * S, who, (who + 1) % 3, "file", 0, files=(file,)),
            GroupText(60 * S, who, 0, "group", 0),
            GroupText(60 * S, who, 0, "behind it", 1),
            Post(60 * S, who, 0, "post", 0),
        ]
    rules = {name: replace(PLATFORMS[name], send_attempts=10, send_backoff_us=20 * S) for name in NAMES}
    faults = (cut(50 * S, 60 * S), crash(75 * S, 20 * S))
    truth = world_of(*wishes, faults=faults, minutes=10, client_rules=rules).run()
    own = {who: [f for f, s in zip(fates(truth), truth.messages["sender"], strict=True) if s == who]
           for who in range(3)}  # fmt: skip
    with_file, first, behind, post = own[DESKTOP]
    assert with_file == behind == STOPPED
    assert truth.messages["stored_us"][truth.messages["sender"] == DESKTOP].tolist() == [-1] * 4
    # What a program has written to its connections its system still sends when it is gone.
    assert {first, post} <= {STOPPED, ("delivered", "")}
    assert own[ANDROID] == own[IOS] == [("delivered", "")] * 4


@EACH
def test_a_device_comes_back_with_its_guards_and_hashes_and_polls_at_once(who: int) -> None:
    """Nothing is fetched again; new connections are opened to the same guards."""
    before = [Intent(20 * S, (who + 1) % 3, who, "before")]
    world = world_of(*before, faults=(crash(60 * S, 30 * S),), minutes=3, idle_polls="each")
    client: Any = world.machines[len(world.nodes) + who]
    guards = {path.nodes[0] for path in client.requests.keeper.all}
    records = MemoryRecords()
    truth = world.run(records, frozenset({len(world.nodes) + who}))
    assert fates(truth) == [("delivered", "")]
    rows = records.table()
    mine = rows["src"] == len(world.nodes) + who
    down = (rows["t_sent_us"] >= 60 * S) & (rows["t_sent_us"] < 90 * S)
    assert not np.any(mine & down)
    cause = split_note(rows["note"])[0]
    polls = mine & (cause == Cause.POLL) & (rows["t_sent_us"] >= 90 * S)
    assert rows["t_sent_us"][polls].min() < 92 * S
    back = mine & (rows["t_sent_us"] >= 90 * S) & (rows["t_sent_us"] < 95 * S)
    assert set(rows["dst"][back].tolist()) <= guards
    shaken = mine & (cause == Cause.HANDSHAKE) & (rows["t_sent_us"] >= 90 * S)
    assert set(rows["dst"][shaken].tolist()) <= guards
    assert np.any(shaken)
    if NAMES[who] != "android":  # it stores its paths whole; the others build them anew around their guards
        assert {path.nodes[0] for path in client.requests.keeper.all} == guards


def test_a_phone_in_fast_mode_registers_again_and_gets_what_was_kept_for_it() -> None:
    push = {name: replace(rules, fast_prob=float(name != "desktop")) for name, rules in PUSH.items()}
    asleep = [Presence(30 * S, ANDROID, 0, "foreground", False, 0)]
    wishes = [*asleep, Intent(70 * S, IOS, ANDROID, "kept", 0), Intent(150 * S, IOS, ANDROID, "later", 1)]
    rules = crash(60 * S, 60 * S, count=3)
    truth = world_of(*wishes, faults=(rules,), push_rules=push).run()
    assert fates(truth) == [("delivered", "")] * 2
    # The first is written when the sender is up again too; a push brings it without a poll.
    assert truth.messages["delivered_us"][0] < 130 * S
    assert truth.messages["delivered_us"][1] < 155 * S


@pytest.mark.parametrize("by", ["clients", "all"])
def test_disks_of_clients_are_not_lost(by: str) -> None:
    with pytest.raises(InvalidInput, match="disk"):
        KINDS["crash"](by=by, disk="lost")
    KINDS["crash"](by=by)


def test_everything_at_once_may_stop() -> None:
    everything = Fault("all", "crash", KINDS["crash"](by="all", at_us=60 * S, lasts_us=10 * S))
    truth = world_of(*texts(DESKTOP, 65 * S, 3), faults=(everything,)).run()
    assert fates(truth) == [("delivered", "")] * 3
