"""Lenses and what is known together, from ledgers written by hand."""

from __future__ import annotations

from typing import Any

from sessionsim.core.ledger import Fact, Relation
from sessionsim.report._lenses import MOST_FACTS, lenses, together

MANIFEST: dict[str, Any] = {"resolved": {"vantages": {"g": {}, "m": {}, "both": {"members": ["g", "m"]}}}}


def fact(observer: str, relation: Relation, subject: str, term: str = "", t_us: int = 0) -> Fact:
    return Fact(observer, relation, subject, term, t_us, (f"row {t_us}",))


LEDGER = (
    fact("g", Relation.ONLINE, "addr:1.2.3.4", t_us=2_500_000),
    fact("m", Relation.ONLINE, "account:05aa", t_us=1_000_000),
    fact("both", Relation.ONLINE, "addr:1.2.3.4", t_us=2_500_000),
    fact("both", Relation.ONLINE, "account:05aa", t_us=1_000_000),
    fact("both", Relation.ACTS_FOR, "addr:1.2.3.4", "account:05aa", t_us=3_000_000),
)


def test_a_lens_holds_the_facts_of_its_observer_by_time() -> None:
    both, first, second = lenses(LEDGER)
    assert [one.title for one in (both, first, second)] == ["both: 3 facts", "g: 1 fact", "m: 1 fact"]
    assert [shown.time for shown in both.facts] == ["1.000 s", "2.500 s", "3.000 s"]
    assert both.kinds == (("online", "2"), ("acts for", "1"))
    assert both.facts[2].text == "requests that account:05aa signed came from addr:1.2.3.4"
    assert both.facts[2].steps == ("row 3000000",)
    assert both.rest == ""


def test_known_together_is_what_no_member_has() -> None:
    (surplus,) = together(LEDGER, MANIFEST)
    assert surplus.title == "both (g + m): 1 fact"
    assert [shown.text for shown in surplus.facts] == [
        "requests that account:05aa signed came from addr:1.2.3.4"
    ]
    assert together(LEDGER, {}) == []


def test_a_coalition_that_learns_nothing_more_says_so() -> None:
    (surplus,) = together(LEDGER[:4], MANIFEST)
    assert (surplus.title, surplus.facts) == ("both (g + m): 0 facts", ())


def test_rare_facts_are_shown_and_the_rest_is_counted() -> None:
    many = [fact("g", Relation.SEEN, f"account:{k}", t_us=k) for k in range(100)]
    rare = fact("g", Relation.ACTS_FOR, "addr:1.2.3.4", "account:7", t_us=1_000)
    (lens,) = lenses([*many, rare])
    assert len(lens.facts) == MOST_FACTS
    assert lens.facts[-1].text.startswith("requests that account:7")
    assert lens.rest.startswith("71 more")


def test_no_ledger_no_lens() -> None:
    assert lenses(()) == []
