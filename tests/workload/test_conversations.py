import dataclasses
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest

from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import facts_of
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_S
from sessionsim.workload._registry import PATTERNS
from sessionsim.workload.clock import day_curve
from sessionsim.workload.fits import RATE_BY_SLOWNESS
from sessionsim.workload.patterns.conversations import Config, Conversations
from sessionsim.workload.talk import slowness_for

DAY = Conversations(Config()).intents(People.alike(20), US_PER_DAY, Seeds(1))


def test_wishes_are_ordered_between_two_people_and_never_empty() -> None:
    assert len(DAY) > 100
    assert all(0 <= w.t_us < US_PER_DAY for w in DAY)
    assert all(a.t_us <= b.t_us for a, b in itertools.pairwise(DAY))
    assert all(w.sender != w.recipient and {w.sender, w.recipient} <= set(range(20)) and w.body for w in DAY)


def test_same_seed_same_wishes_and_another_seed_others() -> None:
    assert Conversations(Config()).intents(People.alike(20), US_PER_DAY, Seeds(1)) == DAY
    assert Conversations(Config()).intents(People.alike(20), US_PER_DAY, Seeds(2)) != DAY


def test_shorter_horizon_is_the_beginning_of_the_longer_one() -> None:
    shorter = Conversations(Config()).intents(People.alike(20), 5 * US_PER_H, Seeds(1))
    assert shorter == [w for w in DAY if w.t_us < 5 * US_PER_H]


def test_hash_seed_of_the_process_has_no_influence() -> None:
    code = (
        "from sessionsim.workload.patterns.conversations import *\n"
        f"wishes = Conversations(Config()).intents(People.alike(20), {US_PER_DAY}, Seeds(1))\n"
        "print(hash(tuple(w[:3] for w in wishes)))"
    )
    # A hash of numbers does not depend on the hash seed, so equal output means equal wishes.
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert found == {f"{hash(tuple(w[:3] for w in DAY))}\n"}


@pytest.mark.parametrize("n_accounts", [0, 1])
def test_nobody_to_write_to_means_no_wishes(n_accounts: int) -> None:
    assert Conversations(Config()).intents(People.alike(n_accounts), US_PER_DAY, Seeds(1)) == []


def test_two_people_write_to_each_other() -> None:
    wishes = Conversations(Config()).intents(People.alike(2), 3 * US_PER_DAY, Seeds(1))
    assert {(w.sender, w.recipient) for w in wishes} == {(0, 1), (1, 0)}


def test_more_messages_a_day_come_from_shorter_waits_between_sessions() -> None:
    assert slowness_for(60) < slowness_for(30) < slowness_for(1.1)
    for slowness, rate in RATE_BY_SLOWNESS:
        assert slowness_for(rate) == pytest.approx(slowness)


def test_start_hour_moves_the_day() -> None:
    """At three in the night almost nobody writes, at nine in the evening everybody does."""

    def first_hour(start_hour: float) -> int:
        pattern = Conversations(Config(start_hour=start_hour))
        return sum(len(pattern.intents(People.alike(40), US_PER_H, Seeds(seed))) for seed in range(10))

    curve = day_curve(21, 12.0)
    quiet = curve.index(min(curve))
    assert first_hour(21) > 3 * first_hour(quiet)


def test_without_day_and_night_the_start_hour_does_not_matter() -> None:
    flat = [
        Conversations(Config(diurnal=False, start_hour=h)).intents(People.alike(10), US_PER_DAY, Seeds(4))
        for h in (3, 20)
    ]
    assert flat[0] == flat[1]


def test_zones_spread_the_busy_hours() -> None:
    def evening_share(config: Config) -> float:
        hours = [
            int(w.t_us / US_PER_H + config.start_hour) % 24
            for seed in range(4)
            for w in Conversations(config).intents(People.alike(60), 2 * US_PER_DAY, Seeds(seed))
        ]
        return float(np.mean([18 <= hour < 24 for hour in hours]))

    together = evening_share(Config(start_hour=0))
    assert evening_share(Config(start_hour=0, zone_spread_h=24)) < together - 0.1


@pytest.mark.parametrize("name", ["active-pairs", "conversations", "replay"])
def test_pattern_is_registered_with_documented_settings(name: str) -> None:
    PATTERNS.scan()
    entry = PATTERNS[name]
    assert entry.source
    assert entry.summary.endswith(".")
    assert list(facts_of(entry.config)) == [field.name for field in dataclasses.fields(entry.config)]
    assert all(facts.doc.endswith(".") and facts.source for facts in facts_of(entry.config).values())


def test_defaults_are_inside_their_bounds() -> None:
    PATTERNS.scan()
    for entry in PATTERNS:
        for name, facts in facts_of(entry.config).items():
            value = getattr(entry.config(), name)
            assert facts.low is None or facts.low <= value
            assert facts.high is None or value <= facts.high
            assert not facts.choices or value in facts.choices


def test_time_0_lies_in_the_middle_of_the_process() -> None:
    """No empty beginning: the first quarter of a flat day has its share of messages."""
    flat = Conversations(Config(diurnal=False))
    counts = np.zeros(4)
    for seed in range(12):
        times = [w.t_us for w in flat.intents(People.alike(40), US_PER_DAY, Seeds(seed))]
        counts += np.histogram(times, bins=4, range=(0, 86_400 * US_PER_S))[0]
    assert counts[0] / counts.sum() == pytest.approx(0.25, abs=0.04)
