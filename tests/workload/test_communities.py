from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.intents import Deletion, Post, Reaction, Reader, Wish
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_H
from sessionsim.workload.draws import Luck
from sessionsim.workload.floor import activity
from sessionsim.workload.patterns.communities import Communities, Config
from sessionsim.workload.rooms import RoomRules, readers_of

RULES = RoomRules()


def wishes(n: int, days: float, seed: int = 1, **keys: object) -> list[Wish]:
    made = Communities(Config(diurnal=False, **keys))  # type: ignore[arg-type]
    return made.intents(People.alike(n), int(days * US_PER_DAY), Seeds(seed))


def test_the_kth_room_has_a_kth_of_the_first_ones_readers() -> None:
    counts = [len(readers_of(room, RULES, 20_000, Seeds(1))) for room in range(3)]
    assert sum(counts) / 20_000 == pytest.approx(0.5, abs=0.012)
    assert counts[1] / counts[0] == pytest.approx(1 / 2, abs=0.03)
    assert counts[2] / counts[0] == pytest.approx(1 / 3, abs=0.03)


def test_somebody_new_changes_nobodys_rooms() -> None:
    few, many = (readers_of(0, RULES, n, Seeds(1)) for n in (50, 90))
    assert few == tuple(reader for reader in many if reader < 50)


def test_only_readers_post_and_react_and_everything_is_counted_through() -> None:
    found = wishes(200, 10, reaction_share=0.5, taken_back_share=0.3, deletion_share=0.1)
    readers = {(wish.room, wish.sender) for wish in found if isinstance(wish, Reader)}
    posts = {wish.address: wish for wish in found if isinstance(wish, Post)}
    assert found[: len(readers)] == [wish for wish in found if isinstance(wish, Reader)]
    numbers: Counter[tuple[int, int]] = Counter()
    for wish in found:
        if isinstance(wish, Post):
            assert (wish.room, wish.sender) in readers
            assert wish.number == numbers[wish.room, wish.sender]
            numbers[wish.room, wish.sender] += 1
        elif isinstance(wish, Reaction | Deletion):
            assert posts[wish.target].t_us < wish.t_us
            assert (wish.target.place, wish.sender) in readers
            assert (wish.sender == wish.target.author) == isinstance(wish, Deletion)
    assert len(posts) > 200
    assert sum(isinstance(wish, Reaction) for wish in found) / len(posts) > 0.4


def test_posts_come_at_the_rate_of_their_readers() -> None:
    ratios = []
    for seed in range(8):
        found = wishes(200, 40, seed, reactions=False)
        luck = Luck(Seeds(seed), "activity", "room")
        readers = Counter(wish.room for wish in found if isinstance(wish, Reader))
        expected = sum(0.5 * n * 40 * activity(luck, room, 1.0) for room, n in readers.items())
        ratios.append(sum(isinstance(wish, Post) for wish in found) / expected)
    # With gaps of so heavy a tail the mean of eight runs has a standard error of 6 %.
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.18)


def test_the_busiest_tenth_writes_most() -> None:
    shares = []
    for seed in range(6):
        found = wishes(300, 10, seed, rooms=1, rooms_per_account=1.0, reactions=False)
        counts = Counter(wish.sender for wish in found if isinstance(wish, Post))
        busiest = sorted(counts.values(), reverse=True)[:30]
        shares.append(sum(busiest) / sum(counts.values()))
    assert 0.65 < np.mean(shares) < 0.85


def test_without_rooms_or_readers_nothing_happens() -> None:
    assert wishes(20, 1, rooms=0) == []
    assert wishes(20, 1, rooms_per_account=0.0) == []


def test_a_pattern_without_reactions_says_so() -> None:
    assert Communities(Config(reactions=False)).kinds() == {"community", "post"}
    assert Communities(Config()).kinds() == {"community", "post", "reaction", "deletion"}


@settings(deadline=None, max_examples=25, derandomize=True)
@given(
    n=st.integers(0, 20), rooms=st.integers(0, 5), per_account=st.floats(0, 4), per_day=st.floats(0.01, 50),
    sigma=st.floats(0, 4), seed=st.integers(0, 99), hours=st.integers(1, 24),
)  # fmt: skip
def test_any_settings_give_wishes_in_order_that_a_longer_run_goes_on_from(
    n: int, rooms: int, per_account: float, per_day: float, sigma: float, seed: int, hours: int
) -> None:
    config = Config(rooms=rooms, rooms_per_account=per_account, posts_per_day=per_day, poster_sigma=sigma)
    shorter, longer = (
        Communities(config).intents(People.alike(n), end * US_PER_H, Seeds(seed)) for end in (hours, 24)
    )
    assert shorter == [wish for wish in longer if wish.t_us < hours * US_PER_H]
    assert all(a.t_us <= b.t_us for a, b in itertools.pairwise(longer))
    assert len({wish.address for wish in longer}) == len(longer)
