"""Who meets whom: first texts are requests, answers are a yes, and until then little is offered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import (
    Acceptance,
    Call,
    InboxText,
    Intent,
    MessageAt,
    NameLookup,
    Reaction,
    Refusal,
    Strangers,
    Wish,
)
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_S
from sessionsim.workload.patterns.everyday import Config, Everyday
from sessionsim.workload.strangers import StrangerRules, meetings

S = US_PER_S
ALL = StrangerRules(
    strangers_share=1.0, name_share=0.0, silent_acceptance_share=0.0, declined_share=0.0, blocked_share=0.0
)
CALL = Call(0, 0, 1, 0, "missed", S, 0, ())
KNOWN = [{1}, {0}]


def test_whoever_answers_says_yes_at_that_moment_at_the_latest() -> None:
    asked, more = Intent(5 * S, 0, 1, "a"), Intent(6 * S, 0, 1, "b", 1)
    answer = Intent(9 * S, 1, 0, "c")
    found = meetings(
        (asked, more, answer), KNOWN, replace(ALL, acceptance_mean_us=10**15), US_PER_DAY, Seeds(1)
    )
    assert found.wishes == [Strangers(5 * S, 0, 1), Acceptance(9 * S - 100_000, 1, 0, asked.address)]
    assert found.bare == {asked.address, more.address}
    soon = meetings(
        (asked, more, answer),
        KNOWN,
        replace(ALL, acceptance_mean_us=1, silent_acceptance_share=1.0),
        US_PER_DAY,
        Seeds(1),
    )
    (yes,) = (wish for wish in soon.wishes if isinstance(wish, Acceptance))
    assert 5 * S <= yes.t_us < 5 * S + 100


def test_a_reaction_is_an_answer_and_nobody_calls_whom_they_have_just_met() -> None:
    asked, reaction = Intent(5 * S, 0, 1, "a"), Reaction(8 * S, 1, MessageAt("direct", 1, 0, 0), "😮")
    happened: tuple[Wish, ...] = (asked, reaction, replace(CALL, t_us=9 * S))
    found = meetings(happened, KNOWN, ALL, US_PER_DAY, Seeds(1))
    assert found.wishes[1] == Acceptance(8 * S - 100_000, 1, 0, asked.address)
    assert found.undone == {CALL.address}
    old = meetings(happened, KNOWN, replace(ALL, strangers_share=0.0), US_PER_DAY, Seeds(1))
    assert (old.wishes, old.bare, old.undone) == ([], set(), set())


def test_who_is_not_known_is_a_stranger_even_under_a_pseudonym() -> None:
    none = replace(ALL, strangers_share=0.0, silent_acceptance_share=1.0, acceptance_mean_us=1)
    mail = InboxText(5 * S, 0, 1, 3, "a", 0)
    assert not meetings((mail,), KNOWN, none, US_PER_DAY, Seeds(1)).wishes
    stranger, yes = meetings((mail,), [set(), set()], none, US_PER_DAY, Seeds(1)).wishes
    assert stranger == Strangers(5 * S, 0, 1)
    assert isinstance(yes, Acceptance)
    assert (yes.sender, yes.recipient, yes.request) == (1, 0, mail.address)


def test_requests_without_answer_are_accepted_at_the_given_share_and_times() -> None:
    happened = [Intent(5 * S, 2 * k, 2 * k + 1, "a") for k in range(2000)]
    known = [{k ^ 1} for k in range(4000)]
    rules = replace(ALL, silent_acceptance_share=0.3, acceptance_mean_us=US_PER_H)
    found = meetings(happened, known, rules, 100 * US_PER_DAY, Seeds(1))
    waits = [wish.t_us - 5 * S for wish in found.wishes if isinstance(wish, Acceptance)]
    assert len(waits) == pytest.approx(600, abs=4 * (2000 * 0.3 * 0.7) ** 0.5)
    assert sum(waits) / len(waits) == pytest.approx(US_PER_H, rel=4 * len(waits) ** -0.5)
    none = meetings(happened, known, replace(rules, strangers_share=0.0), US_PER_DAY, Seeds(1))
    assert not none.wishes
    some = meetings(happened, known, replace(rules, strangers_share=0.1), US_PER_DAY, Seeds(1))
    n_new = sum(isinstance(wish, Strangers) for wish in some.wishes)
    assert n_new == pytest.approx(200, abs=4 * (2000 * 0.1 * 0.9) ** 0.5)


def test_requests_without_answer_are_refused_at_the_given_shares_and_times() -> None:
    happened = [Intent(5 * S, 2 * k, 2 * k + 1, "a") for k in range(2000)]
    known = [{k ^ 1} for k in range(4000)]
    rules = replace(
        ALL, silent_acceptance_share=0.2, declined_share=0.375, blocked_share=0.125,
        acceptance_mean_us=US_PER_H,
    )  # fmt: skip

    found = meetings(happened, known, rules, 100 * US_PER_DAY, Seeds(1)).wishes
    refusals = [wish for wish in found if isinstance(wish, Refusal)]
    for blocks, share in ((False, 0.3), (True, 0.1)):
        n = sum(wish.blocks is blocks for wish in refusals)
        assert n == pytest.approx(2000 * share, abs=4 * (2000 * share * (1 - share)) ** 0.5)
    waits = [wish.t_us - 5 * S for wish in refusals]
    assert sum(waits) / len(waits) == pytest.approx(US_PER_H, rel=4 * len(waits) ** -0.5)
    assert all(wish.request == MessageAt("direct", wish.sender, wish.recipient, 0) for wish in refusals)
    yes = {wish.sender for wish in found if isinstance(wish, Acceptance)}
    assert not yes & {wish.sender for wish in refusals}
    # What is refused after the end is not refused in the run.
    assert not [w for w in meetings(happened, known, rules, 6 * S, Seeds(1)).wishes if w.t_us >= 6 * S]


def test_some_are_found_by_a_name_that_is_looked_up_before_the_first_text() -> None:
    happened = [Intent(30 * S, 2 * k, 2 * k + 1, "a") for k in range(2000)]
    known = [{k ^ 1} for k in range(4000)]
    found = meetings(happened, known, replace(ALL, name_share=0.25), US_PER_DAY, Seeds(1)).wishes
    lookups = [wish for wish in found if isinstance(wish, NameLookup)]
    assert len(lookups) == pytest.approx(500, abs=4 * (2000 * 0.25 * 0.75) ** 0.5)
    assert {(wish.t_us, wish.recipient - wish.sender) for wish in lookups} == {(10 * S, 1)}
    every = replace(ALL, name_share=1.0)
    early, mail = Intent(5 * S, 0, 1, "a"), InboxText(5 * S, 0, 1, 3, "a", 0)
    assert meetings((early,), KNOWN, every, US_PER_DAY, Seeds(1)).wishes[1] == NameLookup(0, 0, 1)
    met = meetings((mail,), KNOWN, every, US_PER_DAY, Seeds(1)).wishes
    assert [type(wish) for wish in met] == [Strangers]  # a pseudonym has no name


def test_whoever_answers_refuses_nothing() -> None:
    happened = (Intent(5 * S, 0, 1, "a"), Intent(9 * S, 1, 0, "c"))
    no = replace(ALL, blocked_share=1.0, acceptance_mean_us=1)
    assert [type(wish) for wish in meetings(happened, KNOWN, no, US_PER_DAY, Seeds(1)).wishes] == [
        Strangers, Acceptance
    ]  # fmt: skip
    alone = meetings(happened[:1], KNOWN, no, US_PER_DAY, Seeds(1)).wishes
    assert [type(wish) for wish in alone] == [Strangers, Refusal]


def test_shares_of_answers_beyond_all_requests_are_refused() -> None:
    with pytest.raises(InvalidInput, match="blocked_share"):
        StrangerRules(declined_share=0.9, blocked_share=0.2)
    with pytest.raises(InvalidInput, match="blocked_share"):
        Config(declined_share=0.9, blocked_share=0.2)


def test_a_day_with_strangers_says_and_does_what_it_would_without_but_for_what_is_not_offered() -> None:
    people = People(("android", "desktop", "ios") * 4, ("DE", "US", "IN", "DE") * 3)

    def day(**keys: object) -> list[Wish]:
        config = Config(messages_per_day=100.0, **keys)  # type: ignore[arg-type]
        return Everyday(config).intents(people, 6 * US_PER_H, Seeds(2))

    met, known = day(strangers_share=1.0), day(strangers=False)

    def texts(wishes: list[Wish]) -> list[tuple[int, MessageAt]]:
        return [(wish.t_us, wish.address) for wish in wishes if isinstance(wish, Intent)]

    assert texts(met) == texts(known)
    yes = {(w.recipient, w.sender): w.t_us for w in met if isinstance(w, Acceptance)}
    pairs = {(w.sender, w.recipient) for w in met if isinstance(w, Strangers)}
    assert yes.keys() <= pairs
    assert {frozenset(pair) for pair in pairs} == {
        frozenset((wish.sender, wish.recipient)) for wish in met if isinstance(wish, Intent)
    }
    dressed = [w for w in met if isinstance(w, Intent) and (w.files or w.preview)]
    assert dressed
    for text in dressed:
        pair = (text.sender, text.recipient)
        assert text.t_us >= yes[pair if pair in yes else pair[::-1]]
