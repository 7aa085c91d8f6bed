"""The whole day: everything fits together, and each part can be taken away without touching the others."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import (
    KINDS,
    Call,
    ConfigChange,
    Deletion,
    Group,
    GroupAction,
    GroupText,
    Intent,
    Post,
    Presence,
    Reaction,
    Receipt,
    Typing,
    Wish,
    kinds_of,
    order_of,
)
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_H
from sessionsim.workload.patterns.conversations import Config as TalkConfig
from sessionsim.workload.patterns.conversations import Conversations
from sessionsim.workload.patterns.everyday import Config, Everyday

SWITCHES = (
    "direct", "groups", "communities", "files", "calls", "reactions", "profiles", "typing", "receipts",
    "read_marks", "presence", "strangers", "inboxes",
)  # fmt: skip
# Busy enough that a day of few people holds everything.
BUSY = Config(
    group_actions_per_month=100.0, group_creations_per_month=6.0, calls_per_day=3.0, call_share=0.7,
    reaction_share=0.2, deletion_share=0.05, link_share=0.2, contact_every_us=US_PER_DAY,
    avatar_every_us=3 * US_PER_DAY, name_every_us=3 * US_PER_DAY, rooms_per_account=1.5, posts_per_day=4.0,
    inbox_share=0.3, strangers_share=0.1, name_share=1.0,
    second_device_share=0.4,
)  # fmt: skip
PEOPLE = People(("android", "desktop", "ios") * 8, ("DE", "US", "IN", "DE") * 6)


def day(config: Config = BUSY, hours: float = 24, seed: int = 1, people: People = PEOPLE) -> list[Wish]:
    return Everyday(config).intents(people, int(hours * US_PER_H), Seeds(seed))


DAY = day()


def test_a_day_holds_every_kind_in_order_each_with_its_own_address() -> None:
    # Devices that come and go have a pattern of their own.
    assert kinds_of(DAY) == set(KINDS) - {"device-change"} == Everyday(BUSY).kinds()
    assert sorted(DAY, key=order_of) == DAY
    assert len({wish.address for wish in DAY}) == len(DAY)
    assert all(0 <= wish.t_us < US_PER_DAY for wish in DAY)


def test_messages_are_counted_through_on_each_tie_group_and_room() -> None:
    numbers: Counter[tuple[str, int, int]] = Counter()
    for wish in DAY:
        if isinstance(wish, Intent | GroupText | Post):
            where, place, author, number = wish.address
            assert number == numbers[where, place, author]
            numbers[where, place, author] += 1
            assert wish.body or wish.files


def test_no_message_is_read_before_it_was_written_or_twice() -> None:
    texts = {wish.address: wish for wish in DAY if isinstance(wish, Intent)}
    read: set[tuple[int, int, int]] = set()
    receipts = [wish for wish in DAY if isinstance(wish, Receipt)]
    for receipt in receipts:
        assert list(receipt.read) == list(range(receipt.read[0], receipt.read[-1] + 1))
        for number in receipt.read:
            assert texts["direct", receipt.sender, receipt.recipient, number].t_us <= receipt.t_us  # type: ignore[index]
            key = (receipt.sender, receipt.recipient, number)
            assert key not in read
            read.add(key)
    assert len(receipts) > 100


def test_who_sends_receipts_has_read_before_typing_an_answer() -> None:
    """Whatever came before somebody began to type is covered by a receipt before the message is sent."""
    senders = {wish.sender for wish in DAY if isinstance(wish, Receipt)}
    begun: dict[tuple[int, int, int], int] = {}
    unread: dict[tuple[int, int], list[int]] = defaultdict(list)
    answered = 0
    for wish in DAY:
        if isinstance(wish, Receipt):
            unread[wish.sender, wish.recipient] = unread[wish.sender, wish.recipient][len(wish.read) :]
        elif isinstance(wish, Typing):
            begun.setdefault((wish.sender, wish.recipient, wish.number), wish.t_us)
        elif isinstance(wish, Intent):
            begin_us = begun.get((wish.sender, wish.recipient, wish.number))
            if wish.sender in senders and begin_us is not None:
                assert all(came_us >= begin_us for came_us in unread[wish.sender, wish.recipient])
                answered += 1
            unread[wish.recipient, wish.sender].append(wish.t_us)
    assert answered > 100


def test_nobody_reads_what_they_wrote_themselves() -> None:
    config = dataclasses.replace(BUSY, rooms_per_account=3.0, posts_per_day=20.0)
    alone, together = (day(config, people=People.alike(n, "ios")) for n in (1, 2))
    for wishes, read in ((alone, False), (together, True)):
        assert sum(isinstance(wish, Post) for wish in wishes) > 5
        assert any(isinstance(wish, ConfigChange) and wish.what == "read" for wish in wishes) == read


def test_indicators_come_before_their_message_and_stop_with_it() -> None:
    sent = {wish.address: wish.t_us for wish in DAY if isinstance(wish, Intent)}
    told: dict[tuple[str | int, ...], list[Typing]] = defaultdict(list)
    for wish in DAY:
        if isinstance(wish, Typing):
            told["direct", wish.recipient, wish.sender, wish.number].append(wish)
    known = [key for key in told if key in sent]
    assert len(told) - len(known) <= 5  # only of messages that are sent after the end
    for key in known:
        assert all(one.t_us <= sent[key] for one in told[key])  # type: ignore[index]
        # What began before the run is left out, and its number with it.
        assert (told[key][0].turn == 0) == (told[key][0].step == "start")


def test_whoever_does_something_is_online_and_in_front_on_that_device() -> None:
    state: dict[tuple[int, int, str], bool] = {}
    acted = 0
    # What a device is told at the same moment as something else is told first.
    for wish in sorted(DAY, key=lambda wish: (wish.t_us, not isinstance(wish, Presence))):
        if isinstance(wish, Presence):
            state[wish.sender, wish.device, wish.what] = wish.on
        elif isinstance(wish, Intent | GroupText | Post | Typing | Receipt | Reaction | Deletion | Call):
            acted += 1
            assert state[wish.sender, wish.device, "foreground"], wish
            assert state[wish.sender, wish.device, "online"], wish
        elif isinstance(wish, GroupAction | ConfigChange):
            assert state[wish.sender, wish.device, "foreground"], wish
    assert acted > 2000


def test_second_devices_are_used() -> None:
    devices = Counter(wish.device for wish in DAY if isinstance(wish, Intent))
    assert 0.02 < devices[1] / sum(devices.values()) < 0.25


@pytest.mark.parametrize("off", SWITCHES)
def test_a_part_can_be_taken_away_and_what_hangs_on_nothing_of_it_stays(off: str) -> None:
    config = dataclasses.replace(BUSY, **{off: False})
    left = day(config)
    assert kinds_of(left) <= Everyday(config).kinds()
    if off not in ("profiles", "read_marks"):  # either makes config changes
        assert Everyday(config).kinds() < set(KINDS)

    def core(wishes: list[Wish], *kinds: str) -> list[tuple[object, ...]]:
        """Give when who says or does what, without device and without what it carries."""
        return [(w.t_us, w.sender, w.address) for w in wishes if w.kind in kinds]

    if off not in ("direct", "groups", "communities"):
        for kind in ("text", "group-text", "post", "group-action", "group", "community"):
            if off != "reactions" or kind != "group-action":
                assert core(left, kind) == core(DAY, kind), kind
    else:
        gone = {"direct": {"text"}, "groups": {"group", "group-text"}, "communities": {"community", "post"}}[
            off
        ]
        assert not gone & kinds_of(left)
        for kind in {"text", "group-text", "post"} - gone:
            assert core(left, kind) == core(DAY, kind), kind
    if off == "strangers":  # nobody calls whom they have just met
        assert set(core(left, "call")) > set(core(DAY, "call"))
    elif off != "calls":
        assert core(left, "call") == core(DAY, "call")


def test_texts_are_those_of_conversations_with_the_same_acquaintances() -> None:
    """The measured part is the same process in both patterns."""
    people = People.alike(12, "ios")
    alone = Conversations(TalkConfig()).intents(people, 6 * US_PER_H, Seeds(3))
    switched_off = dict.fromkeys(set(SWITCHES) - {"direct"}, False)
    config = Config(
        home_share=0.0, one_way_share=0.0, weekly=False, zones="spread", start_hour=20.0, **switched_off
    )
    assert Everyday(config).kinds() == {"text"}
    assert day(config, 6, 3, people) == alone


def test_a_shorter_day_is_the_beginning_of_a_longer_one() -> None:
    shorter = day(hours=7)
    assert shorter == [wish for wish in DAY if wish.t_us < 7 * US_PER_H]


def test_hash_seed_of_the_process_has_no_influence() -> None:
    code = (
        "import hashlib\n"
        "from sessionsim.core.people import People\n"
        "from sessionsim.core.seeds import Seeds\n"
        "from sessionsim.workload.patterns.everyday import Config, Everyday\n"
        "people = People(('android', 'desktop', 'ios') * 3, ('DE', 'US', 'IN') * 3)\n"
        "config = Config(group_actions_per_month=300.0, calls_per_day=5.0)\n"
        f"wishes = Everyday(config).intents(people, {8 * US_PER_H}, Seeds(5))\n"
        "print(len(wishes), hashlib.sha256(repr(wishes).encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2", "77")
    }
    assert len(found) == 1
    assert int(found.pop().split()[0]) > 300


def test_rates_per_account_and_day_are_those_of_the_settings() -> None:
    """Counts against sums of the settings, for people who all live in one zone on an average day."""
    config = Config(zones="spread", weekly=False, start_hour=0.0)
    people = People.alike(120, "android")
    counts: Counter[str] = Counter()
    members = 0
    for seed in range(2):
        for wish in day(config, 24, seed, people):
            counts[wish.kind] += 1
            members += len(wish.members) if isinstance(wish, Group) else 0
    per_account = {kind: count / 240 for kind, count in counts.items()}
    assert per_account["text"] == pytest.approx(40, rel=0.2)
    assert per_account["group-text"] == pytest.approx(3 * members / 240, rel=0.35)
    assert per_account["call"] == pytest.approx(0.3 * 0.5, abs=0.08)
    spoken = counts["text"] + counts["group-text"] + counts["post"]
    assert 0.05 < counts["reaction"] / spoken < 0.09  # some are still to come at the end of a day
    assert counts["deletion"] / spoken == pytest.approx(0.005, abs=0.003)


def test_people_of_the_other_half_of_the_world_are_awake_at_other_hours() -> None:
    people = People(("ios",) * 40, ("JP", "BR") * 20)
    config = Config(communities=False, groups=False, home_share=1.0)  # nobody abroad to wake them
    hours: dict[int, list[int]] = {0: [0] * 24, 1: [0] * 24}
    for wish in (wish for seed in range(4) for wish in day(config, 24, seed, people)):
        if isinstance(wish, Intent):
            hours[wish.sender % 2][(wish.t_us // US_PER_H + 12) % 24] += 1  # the run begins at noon UTC
    # Where each lives, the hours from 18 to 24 hold over twice the messages of those from 3 to 9.
    for k, offset_h in ((0, 9), (1, -3)):
        local = np.roll(hours[k], offset_h)
        assert local.sum() > 300
        assert local[18:24].sum() > 2 * local[3:9].sum()
        assert np.roll(hours[k], -offset_h)[18:24].sum() < local[18:24].sum()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_people_are_no_trouble(n: int) -> None:
    found = day(BUSY, 24, 1, People.alike(n))
    assert (not found) == (n == 0)
    assert not any(isinstance(wish, Intent | Group) for wish in found) or n == 2


@pytest.mark.parametrize("key", ["media_mix", "group_action_mix", "call_declined_share"])
def test_settings_of_all_parts_are_checked(key: str) -> None:
    with pytest.raises(InvalidInput, match=key):
        Config(**{key: "nonsense" if key.endswith("mix") else 0.9})


@settings(deadline=None, max_examples=12, derandomize=True)
@given(
    switches=st.fixed_dictionaries({name: st.booleans() for name in SWITCHES}), n=st.integers(0, 9),
    seed=st.integers(0, 99), start=st.floats(0, 24), weekly=st.booleans(), diurnal=st.booleans(),
    share=st.floats(0, 1),
)  # fmt: skip
def test_any_combination_of_parts_keeps_its_promises(
    switches: dict[str, bool], n: int, seed: int, start: float, weekly: bool, diurnal: bool, share: float
) -> None:
    config = dataclasses.replace(
        BUSY, start_hour=start, weekly=weekly, diurnal=diurnal, typing_share=share, receipt_share=share,
        second_device_share=share, text_share=share, home_share=share, **switches,
    )  # fmt: skip
    people = People(("desktop", "ios", "android")[:n] * 3, ("DE", "US", "IN")[:n] * 3)
    found = day(config, 5, seed, people)
    assert sorted(found, key=order_of) == found
    assert len({wish.address for wish in found}) == len(found)
    assert kinds_of(found) <= Everyday(config).kinds()
    assert all(0 <= wish.t_us < 5 * US_PER_H and 0 <= wish.sender < len(people) for wish in found)
