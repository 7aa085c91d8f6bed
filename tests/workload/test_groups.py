"""Groups: sizes and rates against their laws, and that nobody does what only others may."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import REKEY_REASONS, Group, GroupAction, GroupText, Reaction, Wish
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_S
from sessionsim.workload.contacts import Circle, circles
from sessionsim.workload.draws import Luck
from sessionsim.workload.fits import REPLY_DELAY
from sessionsim.workload.floor import Floor, Floors, activity
from sessionsim.workload.group_life import GroupRules, Membership, gather, size_at, standing
from sessionsim.workload.group_story import GroupStory, Surroundings, group_wishes, name_of
from sessionsim.workload.laws import LogNormal
from sessionsim.workload.patterns.groups import Config, Groups
from sessionsim.workload.responses import ResponseRules, Responses

RULES = GroupRules()
# No groups at first, hardly a word, and nobody acts.
QUIET = dataclasses.replace(
    RULES, groups_per_account=0.0, group_messages_per_day=0.001, group_actions_per_month=0.0
)
LIVELY = dataclasses.replace(RULES, group_actions_per_month=60.0, group_creations_per_month=2.0)


def check_lawful(wishes: list[Wish], cap: int = 100) -> Counter[str]:
    """Follow who is in each group, and demand that everybody may do what they do. Gives counts of actions."""
    members: dict[int, set[int]] = {}
    admins: dict[int, set[int]] = {}
    asked: dict[int, set[int]] = defaultdict(set)
    numbers: Counter[tuple[str | int, ...]] = Counter()
    done: Counter[str] = Counter()
    for wish in wishes:
        if isinstance(wish, Group):
            assert wish.t_us == 0
            assert wish.group not in members
            assert wish.sender in wish.members
            members[wish.group], admins[wish.group] = set(wish.members), {wish.sender}
        elif isinstance(wish, GroupText):
            assert wish.sender in members[wish.group]
            assert len(members[wish.group]) >= 2
            assert wish.number == numbers[wish.group, wish.sender]
            numbers[wish.group, wish.sender] += 1
        elif isinstance(wish, Reaction):
            assert wish.sender in members[wish.target.place]
        elif isinstance(wish, GroupAction):
            group, what = wish.group, wish.what
            done[what] += 1
            assert wish.number == numbers["action", group]
            numbers["action", group] += 1
            if what == "create":
                assert group not in members
                members[group], admins[group], asked[group] = {wish.sender}, {wish.sender}, set(wish.subjects)
            elif what == "join":
                assert wish.sender in asked[group] - members[group]
                members[group].add(wish.sender)
            elif what == "leave":
                assert wish.sender in members[group] - admins[group]
                assert wish.rekey == "left"
                members[group].remove(wish.sender)
                asked[group].discard(wish.sender)
            else:
                assert wish.sender in admins[group]
            if what == "invite":
                assert not set(wish.subjects) & members[group]
                assert (wish.rekey == "no-history") == (not wish.history)
                asked[group] |= set(wish.subjects)
            elif what == "remove":
                assert set(wish.subjects) <= members[group] - admins[group]
                assert wish.rekey == "removed"
                members[group] -= set(wish.subjects)
                asked[group] -= set(wish.subjects)
            elif what == "promote":
                assert set(wish.subjects) <= members[group] - admins[group]
                admins[group] |= set(wish.subjects)
            assert wish.rekey in ("", *REKEY_REASONS)
            assert len(members[group]) <= cap
    return done


def world(n: int, rules: GroupRules, days: float, seed: int = 1, *, responses: bool = False) -> Surroundings:
    seeds = Seeds(seed)
    clocks = [None] * n
    answers = Responses(ResponseRules(reaction_share=0.5), clocks, seeds) if responses else None
    return Surroundings(rules, Floors(), circles(n, seeds), clocks, answers, seeds, int(days * US_PER_DAY))


def told(*args: object, **options: object) -> list[Wish]:
    return sorted(group_wishes(world(*args, **options)), key=lambda wish: wish.t_us)  # type: ignore[arg-type]


def test_everybody_does_only_what_they_may() -> None:
    wishes = told(40, LIVELY, 30, responses=True)
    done = check_lawful(wishes)
    assert set(done) == {"create", "invite", "join", "leave", "remove", "promote", "rename"}
    assert min(done.values()) > 20
    assert sum(isinstance(wish, Reaction) for wish in wishes) > 1000


def test_sizes_have_the_published_quantiles() -> None:
    """metrics 4.3: median 5-8, 95 % about 50, cap 100."""
    sizes = [size_at(RULES, (k + 0.5) / 10_000, 10_000) for k in range(10_000)]
    assert 5 <= np.median(sizes) <= 8
    assert np.percentile(sizes, 95) == pytest.approx(50, abs=2)
    assert (min(sizes), max(sizes)) == (2, 100)
    law = LogNormal.of_median(6.5, 1.24)
    for limit in (3, 10, 30, 80):
        assert np.mean(np.array(sizes) <= limit) == pytest.approx(law.below(limit + 0.5), abs=0.001)


def test_a_group_is_never_larger_than_the_people_there_are() -> None:
    assert size_at(RULES, 0.999, 4) == 4
    assert size_at(RULES, 0.0001, 4) == 2


def test_founders_gather_whom_they_know_best_then_their_friends() -> None:
    """0 knows 1 and 2, 2 knows 3: a group of four needs the friend of the friend."""
    ties = [((1, 2), (1000.0, 1001.0)), ((0,), (1.0,)), ((0, 3), (1.0, 2.0)), ((2,), (1.0,))]
    known = [Circle(contacts, sums, 0.0) for contacts, sums in ties]
    first = Counter(tuple(gather(0, 2, known, Luck(Seeds(seed), "g"))) for seed in range(200))
    assert first[0, 1] > 190  # the tie to 1 is used a thousand times as much
    assert set(gather(0, 4, known, Luck(Seeds(1), "g"))) == {0, 1, 2, 3}
    assert len(gather(0, 9, known, Luck(Seeds(1), "g"))) == 4
    assert gather(3, 1, known, Luck(Seeds(1), "g")) == [3]


def test_standing_groups_give_the_wanted_memberships() -> None:
    counts = [sum(map(len, standing(RULES, circles(300, Seeds(s)), Seeds(s)))) / 300 for s in range(12)]
    assert np.mean(counts) == pytest.approx(3.0, rel=0.06)
    assert standing(RULES, circles(1, Seeds(1)), Seeds(1)) == []
    none = dataclasses.replace(RULES, groups_per_account=0.0)
    assert standing(none, circles(30, Seeds(1)), Seeds(1)) == []


def test_messages_and_actions_come_at_their_rates() -> None:
    rules = dataclasses.replace(RULES, group_actions_per_month=30.0, group_creations_per_month=0.0)
    kinds: Counter[str] = Counter()
    expected = 0.0
    for seed in range(6):
        wishes = told(100, rules, 20, seed=seed)
        kinds.update(wish.what if isinstance(wish, GroupAction) else wish.kind for wish in wishes)
        busy = Luck(Seeds(seed), "activity", "group")
        sizes = {wish.group: len(wish.members) for wish in wishes if isinstance(wish, Group)}
        expected += sum(3.0 * size * 20 * activity(busy, group, 1.0) for group, size in sizes.items())
    # The rate of a group is that of its first members. Heavy tails of gaps: three standard errors.
    assert kinds["group-text"] == pytest.approx(expected, rel=0.1)
    per_word = kinds["group"] * 20 / 100
    assert kinds["rename"] == pytest.approx(20 * per_word, rel=0.12)
    # Nobody can be removed or promoted where only admins are left.
    assert 5 * per_word < kinds["remove"] < 11 * per_word
    assert 10 * per_word < kinds["leave"] < 22 * per_word


def test_groups_are_founded_at_their_rate() -> None:
    rules = dataclasses.replace(QUIET, group_creations_per_month=3.0)
    created = [sum(w.kind == "group-action" for w in told(200, rules, 30, seed=seed)) for seed in range(3)]
    joins = dataclasses.replace(rules, group_accept_share=0.0)
    alone = [sum(w.kind == "group-action" for w in told(200, joins, 30, seed=seed)) for seed in range(3)]
    assert np.mean(alone) / 200 == pytest.approx(3.0, abs=0.2)  # three Poisson standard deviations
    assert np.mean(created) > 2 * np.mean(alone)


def test_invitations_are_accepted_like_messages_are_answered() -> None:
    rules = dataclasses.replace(QUIET, group_creations_per_month=30.0)
    invited, delays, begun = 0, [], dict[int, int]()
    for wish in told(40, rules, 60):
        assert isinstance(wish, GroupAction | GroupText)
        if isinstance(wish, GroupAction) and wish.what == "create":
            begun[wish.group] = wish.t_us
            invited += len(wish.subjects) if wish.t_us < 20 * US_PER_DAY else 0
        elif isinstance(wish, GroupAction) and begun[wish.group] < 20 * US_PER_DAY:
            delays.append((wish.t_us - begun[wish.group]) / US_PER_S)
    assert invited > 3000
    # Forty days are left to each, in which nearly all of those who will come have come.
    assert len(delays) / invited == pytest.approx(0.686 * REPLY_DELAY.below(40 * 86_400), abs=0.025)
    for limit_s in (60, 300, 3600, 86_400):
        assert np.mean(np.array(delays) <= limit_s) == pytest.approx(REPLY_DELAY.below(limit_s), abs=0.035)


def test_a_story_by_hand() -> None:
    """Two people, no actions: whatever is written is written by them in turn of the floor."""
    surroundings = world(3, dataclasses.replace(RULES, group_actions_per_month=0.0), 9)
    floor = Floor("group", 5, 40.0, 1.0, Floors(), None, [None] * 3, surroundings.seeds)
    floor.open(0.0, in_the_middle=True)
    again = Floor("group", 5, 40.0, 1.0, Floors(), None, [None] * 3, surroundings.seeds)
    again.open(0.0, in_the_middle=True)
    story = list(GroupStory(5, Membership(1, [1, 2]), floor, surroundings, 0).tell())
    for wish in story:
        assert isinstance(wish, GroupText)
        assert (wish.t_us, wish.sender) == (int(again.next_s * US_PER_S), again.speak([1, 2]))
    assert len(story) > 20


def test_nobody_writes_to_an_empty_group() -> None:
    surroundings = world(3, dataclasses.replace(RULES, group_actions_per_month=0.0), 2)
    floor = Floor("group", 5, 40.0, 1.0, Floors(), None, [None] * 3, surroundings.seeds)
    assert list(GroupStory(5, Membership(1, [1]), floor, surroundings, 0).tell()) == []


def test_an_admin_cannot_be_lost() -> None:
    with pytest.raises(InvalidInput, match="no admin"):
        Membership(1, [1, 2]).lose(1)


def test_names_have_one_length() -> None:
    assert {len(name_of(group, renamed)) for group in (0, 7, 12_345) for renamed in (0, 99)} == {24}
    assert name_of(1) != name_of(1, 1)


def test_pattern_is_in_order_and_prefix_of_itself() -> None:
    people = People.alike(30)
    longer = Groups(Config()).intents(people, 3 * US_PER_DAY, Seeds(2))
    shorter = Groups(Config()).intents(people, US_PER_DAY, Seeds(2))
    assert shorter == [wish for wish in longer if wish.t_us < US_PER_DAY]
    assert all(a.t_us <= b.t_us for a, b in itertools.pairwise(longer))


@settings(deadline=None, max_examples=25, derandomize=True)
@given(
    n=st.integers(0, 25), per_account=st.floats(0, 4), per_day=st.floats(0.1, 20), cap=st.integers(2, 12),
    actions=st.floats(0, 300), created=st.floats(0, 30), accepted=st.floats(0, 1), seed=st.integers(0, 99),
)  # fmt: skip
def test_any_settings_give_lawful_groups(
    n: int,
    per_account: float,
    per_day: float,
    cap: int,
    actions: float,
    created: float,
    accepted: float,
    seed: int,
) -> None:  # fmt: skip
    config = Config(
        groups_per_account=per_account, group_messages_per_day=per_day, group_cap=cap,
        group_actions_per_month=actions, group_creations_per_month=created, group_accept_share=accepted,
    )  # fmt: skip
    wishes = Groups(config).intents(People.alike(n), 12 * US_PER_H, Seeds(seed))
    check_lawful(wishes, cap)
    assert all(0 <= wish.t_us < 12 * US_PER_H for wish in wishes)
    assert all(len(wish.members) <= min(cap, n) for wish in wishes if isinstance(wish, Group))
    assert len({wish.address for wish in wishes}) == len(wishes)


def test_a_mix_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInput, match="group_action_mix"):
        Config(group_action_mix="dance 4")
