import numpy as np
import pytest

from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_H, US_PER_MIN
from sessionsim.workload.fits import REPLY_DELAY, SEND_GAP
from sessionsim.workload.patterns.active_pairs import ActivePairs, Config, pairs
from sessionsim.workload.shape import arrays, send_gaps

DEMO_US = 10 * US_PER_MIN


@pytest.mark.parametrize(
    ("n_accounts", "expected"),
    [
        (0, []),
        (1, []),
        (2, [(0, 1)]),
        (3, [(0, 1), (0, 2)]),
        (4, [(0, 1), (2, 3)]),
        (5, [(0, 1), (2, 3), (0, 4)]),
    ],
)
def test_pairs_are_disjoint_but_for_an_odd_last_one(n_accounts: int, expected: list[tuple[int, int]]) -> None:
    assert pairs(n_accounts) == expected


@pytest.mark.parametrize("seed", range(9))
def test_demo_has_enough_messages(seed: int) -> None:
    assert len(ActivePairs(Config()).intents(People.alike(20), DEMO_US, Seeds(seed))) >= 50


def test_wishes_are_in_order_between_partners_and_never_empty() -> None:
    wishes = ActivePairs(Config()).intents(People.alike(7), DEMO_US, Seeds(3))
    assert [w.t_us for w in wishes] == sorted(w.t_us for w in wishes)
    assert all(0 <= w.t_us < DEMO_US and w.body for w in wishes)
    assert {tuple(sorted((w.sender, w.recipient))) for w in wishes} <= set(pairs(7))


def test_another_pair_changes_nothing_for_the_first_ones() -> None:
    few = ActivePairs(Config()).intents(People.alike(4), DEMO_US, Seeds(3))
    many = ActivePairs(Config()).intents(People.alike(6), DEMO_US, Seeds(3))
    assert few == [w for w in many if w.sender < 4]


def test_longer_run_begins_like_the_shorter_one() -> None:
    short = ActivePairs(Config()).intents(People.alike(6), DEMO_US, Seeds(8))
    longer = ActivePairs(Config()).intents(People.alike(6), 3 * DEMO_US, Seeds(8))
    assert longer[: len(short)] == short


def test_turns_change_and_waits_follow_the_measured_short_parts() -> None:
    wishes = ActivePairs(Config(pace=1.0)).intents(People.alike(2), 4000 * US_PER_H, Seeds(1))
    src, _, time_s = arrays(wishes)
    waits, changed = np.diff(time_s), src[1:] != src[:-1]
    assert changed.mean() == pytest.approx(0.686, abs=0.01)
    # Cut at half an hour, so the medians are a little below those of the whole laws.
    assert np.median(waits[changed]) == pytest.approx(REPLY_DELAY.short.at(0.5, 1800), rel=0.03)
    assert np.median(waits[~changed]) == pytest.approx(SEND_GAP.short.at(0.5, 1800), rel=0.03)
    assert waits.max() <= 1800.001


def test_pace_divides_every_wait() -> None:
    slow = ActivePairs(Config(pace=1.0)).intents(People.alike(2), 40 * DEMO_US, Seeds(5))
    fast = ActivePairs(Config(pace=4.0)).intents(People.alike(2), 10 * DEMO_US, Seeds(5))
    assert [w.t_us for w in fast] == pytest.approx([w.t_us / 4 for w in slow], abs=2)
    assert [w[1:] for w in fast] == [w[1:] for w in slow]


def test_time_0_is_a_moment_like_any_other() -> None:
    """Looking in at time 0 meets as many messages a minute as looking in an hour later."""
    early = late = 0
    for seed in range(60):
        times = [w.t_us for w in ActivePairs(Config()).intents(People.alike(20), 12 * DEMO_US, Seeds(seed))]
        early += sum(t < DEMO_US for t in times)
        late += sum(t >= 6 * DEMO_US for t in times) / 6
    assert early / late == pytest.approx(1.0, abs=0.04)


def test_gaps_of_one_writer_stay_inside_a_session_scaled_by_pace() -> None:
    src, _, time_s = arrays(ActivePairs(Config()).intents(People.alike(20), 60 * DEMO_US, Seeds(2)))
    assert 20 < np.median(send_gaps(src, time_s)) < 160
