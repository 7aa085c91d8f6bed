"""Who writes to whom through inboxes, and what the rest of the day makes of it."""

from __future__ import annotations

import pytest

from sessionsim.core.intents import Acceptance, InboxText, Post, Reader, Strangers, Wish, order_of
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_S
from sessionsim.workload.patterns.communities import Communities
from sessionsim.workload.patterns.communities import Config as Rooms
from sessionsim.workload.patterns.everyday import Config, Everyday
from sessionsim.workload.pseudonyms import PseudonymRules, pseudonym_texts
from sessionsim.workload.rhythm import Rhythm, clocks

PEOPLE = People.alike(40, "ios")
CLOCKS = clocks(PEOPLE, Rhythm(diurnal=False), Seeds(1))
POSTS: tuple[Wish, ...] = (
    *(Reader(0, reader, 0) for reader in range(40)),
    *(Post(60 * k * US_PER_S, k % 40, 0, "post", k // 40) for k in range(2000)),
)


def mail(share: float, happened: tuple[Wish, ...] = POSTS, end_us: int = 365 * US_PER_DAY) -> list[InboxText]:
    return pseudonym_texts(happened, PseudonymRules(share), CLOCKS, end_us, Seeds(1))


def test_the_wished_share_of_posts_is_answered_to_the_author_alone() -> None:
    found = mail(0.2)
    assert len(found) == pytest.approx(400, abs=4 * (2000 * 0.2 * 0.8) ** 0.5)
    assert all(one.sender != one.recipient and one.room == 0 for one in found)
    assert [one.t_us for one in found] == sorted(one.t_us for one in found)
    assert len({one.address for one in found}) == len(found)
    assert not mail(0.0)


def test_a_shorter_run_and_one_with_fewer_posts_change_no_message() -> None:
    whole = mail(0.2)
    short = mail(0.2, end_us=US_PER_DAY)
    assert 0 < len(short) < len(whole)
    assert short == whole[: len(short)]
    others = [wish for wish in POSTS if not (isinstance(wish, Post) and wish.sender == 3)]
    left = {one[1:5] for one in map(_row, mail(0.2, tuple(others)))}
    assert left == {row[1:5] for row in map(_row, whole) if row[3] != 3}


def _row(one: InboxText) -> tuple[int, int, int, int, str]:
    return one.number, one.t_us, one.sender, one.recipient, one.body


def test_whoever_reads_a_room_alone_is_written_to_by_nobody() -> None:
    assert not mail(1.0, (Reader(0, 0, 0), Post(5, 0, 0, "hello?", 0)))


def test_rooms_alone_have_it_if_it_is_wished_for() -> None:
    rules = {"rooms_per_account": 2.0, "posts_per_day": 20.0}
    without = Communities(Rooms(**rules)).intents(PEOPLE, US_PER_DAY, Seeds(2))  # type: ignore[arg-type]
    config = Rooms(inbox_share=0.5, **rules)  # type: ignore[arg-type]
    wishes = Communities(config).intents(PEOPLE, US_PER_DAY, Seeds(2))
    assert [wish for wish in wishes if not isinstance(wish, InboxText)] == without
    assert any(isinstance(wish, InboxText) for wish in wishes)
    assert "inbox-text" in Communities(config).kinds() - Communities(Rooms()).kinds()
    assert wishes == sorted(wishes, key=order_of)


def test_who_meets_under_a_pseudonym_is_a_stranger_who_may_say_yes() -> None:
    config = Config(
        rooms_per_account=2.0, posts_per_day=10.0, inbox_share=0.5, silent_acceptance_share=1.0,
        acceptance_mean_us=US_PER_S, strangers_share=0.0,
    )  # fmt: skip
    wishes = Everyday(config).intents(PEOPLE, US_PER_DAY, Seeds(2))
    asked = {wish.address for wish in wishes if isinstance(wish, InboxText)}
    yes = [wish for wish in wishes if isinstance(wish, Acceptance)]
    assert yes
    assert {wish.request for wish in yes} <= asked
    pairs = {frozenset((wish.sender, wish.recipient)) for wish in wishes if isinstance(wish, Strangers)}
    assert {frozenset((wish.sender, wish.recipient)) for wish in yes} <= pairs
