"""The workload against what was measured on real messages (V23 and V24 of metrics section 7).

The parts of a messenger's day are held against the laws that their settings state.
"""

import dataclasses
import os
from collections import Counter, defaultdict

import networkx as nx
import numpy as np
import pytest

from sessionsim.core.intents import (
    Call,
    GroupText,
    Intent,
    Post,
    Reaction,
    Receipt,
    Typing,
    Wish,
)
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_S
from sessionsim.workload.clock import DAY_S, day_curve
from sessionsim.workload.contacts import circles
from sessionsim.workload.fits import (
    HOUR_SHARES_PERCENT,
    ONE_WAY_SHARE,
    RATE_BY_SLOWNESS,
    REPLY_DELAY,
    SEND_GAP,
    WEEKDAY_SHARES_PERCENT,
)
from sessionsim.workload.group_life import GroupRules, standing
from sessionsim.workload.keyboard import Keyboard, KeyboardRules
from sessionsim.workload.laws import Mixture
from sessionsim.workload.patterns.conversations import Config, Conversations
from sessionsim.workload.patterns.everyday import Config as DayConfig
from sessionsim.workload.patterns.everyday import Everyday
from sessionsim.workload.patterns.replay import Config as ReplayConfig
from sessionsim.workload.patterns.replay import Replay
from sessionsim.workload.shape import (
    PROBABILITIES,
    Floats,
    Ints,
    arrays,
    ks_distance,
    quantile_table,
    reply_delays,
    send_gaps,
    session_sizes,
    shipped_quantiles,
)
from sessionsim.workload.trace import load, statistics

FULL = bool(os.environ.get("SESSIONSIM_FULL"))
# The people and days of one world; about 20,000 messages at the measured rate.
PEOPLE, DAYS = 300, 60
SEEDS = range(100, 120) if FULL else range(100, 104)
# The workload as the data were taken: students of 2004, their rate and their hours.
AS_MEASURED = Config(
    messages_per_day=dict(RATE_BY_SLOWNESS)[1.0], start_hour=0.0, peak_hour=0, day_night_ratio=32.0
)

World = tuple[Ints, Ints, Floats]

# KONECT's figures of the same file (metrics 4.1): people, largest component, clustering, mean distance.
MEASURED_GRAPH = (1_899, 1_893, 0.0568, 3.07)


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    pattern = Conversations(AS_MEASURED)
    return [arrays(pattern.intents(People.alike(PEOPLE), DAYS * US_PER_DAY, Seeds(seed))) for seed in SEEDS]


def test_v24_gaps_of_a_sender_follow_the_measured_quantiles(worlds: list[World]) -> None:
    """10,000 gaps drawn from worlds not used in the calibration, against the shipped table."""
    table, rng = shipped_quantiles("send_gap_s"), np.random.default_rng(24)
    gaps = [send_gaps(src, time_s) for src, _, time_s in worlds]
    assert ks_distance(rng.choice(np.concatenate(gaps), 10_000, replace=False), table) < 0.03
    distances = [ks_distance(rng.choice(own, 10_000, replace=False), table) for own in gaps]
    assert np.mean(distances) < 0.025
    # Single worlds differ by who their busiest people are: nine of ten keep the bound, none is far off.
    assert np.mean(np.array(distances) < 0.03) >= 0.9
    assert max(distances) < 0.04


def test_v24_a_wrong_workload_is_seen(worlds: list[World]) -> None:
    """Poisson senders of the same rate fail by far, so the bound above means something."""
    gaps = send_gaps(worlds[0][0], worlds[0][2])
    poisson = np.random.default_rng(1).exponential(gaps.mean(), 10_000)
    assert ks_distance(poisson, shipped_quantiles("send_gap_s")) > 0.4


@pytest.mark.parametrize(
    ("law", "table", "published"), [(SEND_GAP, "send_gap_s", 0.0124), (REPLY_DELAY, "reply_delay_s", 0.0137)]
)
def test_shipped_mixtures_have_the_published_distance(law: Mixture, table: str, published: float) -> None:
    quantiles = shipped_quantiles(table)
    distance = max(abs(law.below(q) - p) for p, q in zip(PROBABILITIES, quantiles, strict=True) if q > 0)
    assert distance == pytest.approx(published, abs=0.006)


def test_answers_follow_the_measured_quantiles(worlds: list[World]) -> None:
    table = shipped_quantiles("reply_delay_s")
    delays = np.concatenate([reply_delays(*world) for world in worlds])
    # Up to an hour, where conversations are, the shares are the measured ones (metrics 4.1).
    for limit_s, published in ((60, 0.079), (300, 0.32), (3600, 0.52)):
        assert np.mean(delays <= limit_s) == pytest.approx(published, abs=0.03)
    # Beyond it, pairs that fell silent take up again, which most measured pairs do not: see `dialogue.py`.
    assert ks_distance(delays, table) < 0.12


def test_sessions_have_the_measured_size(worlds: list[World]) -> None:
    sizes = np.concatenate([session_sizes(src, time_s) for src, _, time_s in worlds])
    assert sizes.mean() == pytest.approx(2.37, abs=0.12)
    assert np.percentile(sizes, 90) in (4, 5)


def test_hours_of_the_day_follow_the_curve(worlds: list[World]) -> None:
    hours = np.concatenate([(time_s % 86_400) // 3600 for _, _, time_s in worlds]).astype(int)
    shares = np.bincount(hours, minlength=24) / len(hours)
    expected = np.array(HOUR_SHARES_PERCENT) / sum(HOUR_SHARES_PERCENT)
    assert np.abs(shares - expected).max() < 0.02


@pytest.mark.parametrize("messages_per_day", [10.0, 40.0, 80.0])
def test_messages_a_day_are_as_set(messages_per_day: float) -> None:
    pattern = Conversations(Config(messages_per_day=messages_per_day))
    seeds = range(20) if FULL else range(5)
    counts = [len(pattern.intents(People.alike(150), US_PER_DAY, Seeds(seed))) / 150 for seed in seeds]
    assert np.mean(counts) == pytest.approx(messages_per_day, rel=0.15)


def test_contacts_form_the_measured_graph() -> None:
    """Joined at random by their measured numbers, contacts have nearly the measured clustering."""
    n, connected, clustering, distance = MEASURED_GRAPH
    found: dict[str, list[float]] = defaultdict(list)
    for seed in range(300, 306 if FULL else 302):
        known = circles(n, Seeds(seed))
        graph = nx.Graph([(a, b) for a, circle in enumerate(known) for b in circle.contacts])
        largest = graph.subgraph(max(nx.connected_components(graph), key=len))
        rng = np.random.default_rng(seed)
        reach = [
            nx.single_source_shortest_path_length(largest, int(a)) for a in rng.choice(list(largest), 40)
        ]
        found["component"].append(len(largest))
        found["clustering"].append(nx.transitivity(graph))
        found["distance"].append(float(np.mean([steps for one in reach for steps in one.values() if steps])))
        found["contacts"].append(float(np.mean([len(circle.contacts) for circle in known])))
        quantiles = np.percentile([len(circle.contacts) for circle in known], [25, 50, 75, 99])
        assert quantiles == pytest.approx([2, 5, 17, 117], rel=0.2, abs=1)
    assert np.mean(found["component"]) == pytest.approx(connected, abs=6)
    # Chance alone makes a little more triangles than the students did.
    assert clustering < np.mean(found["clustering"]) < 0.1
    assert np.mean(found["distance"]) == pytest.approx(distance, abs=0.15)
    assert np.mean(found["contacts"]) == pytest.approx(14.6, rel=0.1)


@pytest.fixture(scope="module")
def one_sided() -> list[World]:
    """Worlds in which the measured share of ties is used by one side only."""
    pattern = Conversations(dataclasses.replace(AS_MEASURED, one_way_share=ONE_WAY_SHARE))
    people = People.alike(PEOPLE)
    seeds = range(400, 408 if FULL else 402)
    return [arrays(pattern.intents(people, DAYS * US_PER_DAY, Seeds(seed))) for seed in seeds]


def test_reciprocity_is_the_measured_one(one_sided: list[World]) -> None:
    """metrics 4.1: 63.6 % of ordered pairs that occur have their reverse."""
    shares = []
    for src, dst, _ in one_sided:
        ties = set(zip(src.tolist(), dst.tolist(), strict=True))
        shares.append(np.mean([(b, a) in ties for a, b in ties]))
    assert np.mean(shares) == pytest.approx(0.636, abs=0.03)


def test_gaps_keep_their_law_with_ties_of_one_side(one_sided: list[World]) -> None:
    table = shipped_quantiles("send_gap_s")
    assert np.mean([ks_distance(send_gaps(src, t_s), table) for src, _, t_s in one_sided]) < 0.03
    sizes = np.concatenate([session_sizes(src, t_s) for src, _, t_s in one_sided])
    assert sizes.mean() == pytest.approx(2.37, abs=0.15)


def test_weekdays_have_the_measured_shares() -> None:
    config = Config(weekly=True, start_weekday="Monday", start_hour=0.0)
    weeks, seeds = (4, range(6)) if FULL else (2, range(2))
    counts = np.zeros(7)
    for seed in seeds:
        wishes = Conversations(config).intents(People.alike(150), weeks * 7 * US_PER_DAY, Seeds(seed))
        counts += np.bincount([wish.t_us // US_PER_DAY % 7 for wish in wishes], minlength=7)
    assert counts / counts.sum() * 100 == pytest.approx(WEEKDAY_SHARES_PERCENT, abs=1.5)


def test_groups_have_the_published_sizes() -> None:
    """metrics 4.3: median 5-8, 95 % at most about 50, at most 100; founded among contacts of 1,500 people."""
    sizes: list[int] = []
    for seed in range(8 if FULL else 2):
        known = circles(1500, Seeds(seed), one_way_share=ONE_WAY_SHARE)
        sizes += [len(members) for members in standing(GroupRules(), known, Seeds(seed))]
    assert 5 <= np.median(sizes) <= 8
    assert 38 <= np.percentile(sizes, 95) <= 62
    assert max(sizes) <= 100


DAY_PEOPLE = 250


@pytest.fixture(scope="module")
def days() -> list[list[Wish]]:
    """Days of people who all live in one zone, so that hours can be read off."""
    config = DayConfig(zones="spread", weekly=False, start_hour=0.0, calls_per_day=3.0)
    people = People(("android", "ios") * (DAY_PEOPLE // 2), ("DE",) * DAY_PEOPLE)
    return [Everyday(config).intents(people, US_PER_DAY, Seeds(s)) for s in range(500, 512 if FULL else 502)]


@pytest.mark.parametrize("kind", [Intent, GroupText, Call])
def test_what_people_do_follows_the_hours_of_the_day(days: list[list[Wish]], kind: type[Wish]) -> None:
    hours = np.bincount(
        [w.t_us // US_PER_H for day in days for w in day if isinstance(w, kind)], minlength=24
    )
    curve = np.array(day_curve(21, 12.0))
    # What is begun in an hour goes on in the next, on the wall clock, which flattens the busiest hours of
    # busy people by a sixth; and sittings come in lumps.
    assert hours / hours.sum() * 24 == pytest.approx(curve, abs=(0.25 if FULL else 0.35) * curve.max())
    assert np.corrcoef(hours, curve)[0, 1] > 0.85


def test_shares_of_a_day_are_those_of_the_settings(days: list[list[Wish]]) -> None:
    counts: Counter[str] = Counter()
    answered = 0.0  # how many answers would have come by the end
    for day in days:
        for wish in day:
            counts[wish.kind] += 1
            if isinstance(wish, Intent | GroupText | Post):
                counts["spoken"] += 1
                answered += REPLY_DELAY.below((US_PER_DAY - wish.t_us) / US_PER_S)
                counts["files"] += bool(wish.files)
            elif isinstance(wish, Reaction):
                counts["taken back"] += wish.removed
    each, spoken = len(days) * DAY_PEOPLE, counts["spoken"]
    # Days differ by a tenth (see `test_messages_a_day_are_as_set`), shares by their binomial luck.
    assert counts["text"] / each == pytest.approx(40, rel=0.2)
    assert counts["files"] / spoken == pytest.approx(0.12, abs=0.006)
    # Long delays run on the clock of the day: the evening makes them shorter, the night longer.
    reacted = counts["reaction"] - counts["taken back"]
    assert 0.9 < reacted / (0.08 * answered) < 1.25
    assert counts["deletion"] / spoken == pytest.approx(0.005, abs=0.002)
    # A tenth of those who opted in write to nobody, so they call nobody.
    assert counts["call"] / each == pytest.approx(0.3 * 3.0 * 0.93, rel=0.15)


def test_receipts_cover_what_is_read_and_only_half_of_the_accounts_send_them(days: list[list[Wish]]) -> None:
    for day in days:
        senders = {wish.sender for wish in day if isinstance(wish, Receipt)}
        covered = sum(len(wish.read) for wish in day if isinstance(wish, Receipt))
        reached = sum(isinstance(wish, Intent) and wish.recipient in senders for wish in day)
        assert len(senders) / DAY_PEOPLE == pytest.approx(0.5, abs=0.12)
        # What came late in the day waits for the morning.
        assert 0.9 < covered / reached <= 1.0


def test_typing_lasts_as_long_as_the_studies_say(days: list[list[Wish]]) -> None:
    """Indicators of texts that nothing cut short: from the first to sending, words a minute as published."""
    keyboard = Keyboard(KeyboardRules(), Seeds(500))
    speeds: dict[int, list[float]] = defaultdict(list)
    begun: dict[tuple[int, int, int], list[Typing]] = defaultdict(list)
    for wish in days[0]:
        if isinstance(wish, Typing):
            begun[wish.sender, wish.recipient, wish.number].append(wish)
        elif isinstance(wish, Intent) and wish.body and not wish.files and wish.device == 0:
            told = begun.get((wish.sender, wish.recipient, wish.number))
            if told and [one.step for one in told].count("start") == 1 and told[0].t_us > 0:
                taken_us = wish.t_us - told[0].t_us
                if taken_us == keyboard.typed_us(len(wish.body), wish.sender, "ios"):
                    speeds[wish.sender].append(len(wish.body) / 5 / (taken_us / US_PER_S / 60))
    means = [float(np.mean(own)) for own in speeds.values()]
    assert len(means) > 60
    assert np.mean(means) == pytest.approx(36.2, abs=3 * 13.2 / len(means) ** 0.5)
    # One account types at one speed, whatever it writes.
    assert max(np.std(own) / np.mean(own) for own in speeds.values()) < 0.01


def test_gaps_in_groups_follow_the_law_of_their_rate(days: list[list[Wish]]) -> None:
    """Pooled over groups, each gap measured by its own group's law: uniform if the law holds."""
    rules = GroupRules(groups_per_account=0.5)
    config = DayConfig(
        diurnal=False, groups_per_account=0.5, place_sigma=0.0, group_actions_per_month=0.0,
        group_creations_per_month=0.0, **dict.fromkeys(("direct", "communities", "calls", "profiles"), False),
    )  # fmt: skip
    uniform: list[float] = []
    for seed in range(6 if FULL else 2):
        wishes = Everyday(config).intents(People.alike(60), 60 * US_PER_DAY, Seeds(seed))
        times: dict[int, list[float]] = defaultdict(list)
        sizes = {wish.group: len(wish.members) for wish in wishes if wish.kind == "group"}  # type: ignore[union-attr]
        for wish in wishes:
            if isinstance(wish, GroupText):
                times[wish.group].append(wish.t_us / US_PER_S)
        for group, moments in times.items():
            law = SEND_GAP.with_mean(DAY_S / (rules.group_messages_per_day * sizes[group]))
            uniform += [law.below(max(gap, 1e-6)) for gap in np.diff(moments)]
    n = len(uniform)
    distance = np.abs(np.sort(uniform) - (np.arange(n) + 0.5) / n).max()
    assert n > 5000
    # Gaps that the end of the run cuts off are missing, so a little more than Kolmogorov-Smirnov at 1 %.
    assert distance < 1.63 / n**0.5 + 0.01


def test_v23_loader_reproduces_the_published_figures() -> None:
    """The trace itself may not ship; name the file in SESSIONSIM_COLLEGEMSG to run this."""
    path = os.environ.get("SESSIONSIM_COLLEGEMSG")
    if not path:
        pytest.skip("needs a file")
    trace = load(path)
    found = statistics(trace)
    assert (found.messages, found.people, found.ties) == (59_835, 1_899, 20_296)
    assert round(100 * found.reciprocity, 1) == 63.6
    assert (found.senders, found.undirected_ties) == (1_350, 13_838)
    assert quantile_table(send_gaps(trace.src, trace.time_s)) == shipped_quantiles("send_gap_s").tolist()
    delays = reply_delays(trace.src, trace.dst, trace.time_s)
    assert quantile_table(delays) == shipped_quantiles("reply_delay_s").tolist()
    assert session_sizes(trace.src, trace.time_s).mean() == pytest.approx(2.37, abs=0.01)
    wishes = Replay(ReplayConfig(trace=path, time_compression=10_000.0)).intents(
        People.alike(1_899), US_PER_H, Seeds(1)
    )
    assert len(wishes) == 59_835
