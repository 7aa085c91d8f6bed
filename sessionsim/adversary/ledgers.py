"""Comparing ledgers: what a coalition knows that none of its members knew alone (metrics 2i)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sessionsim.core.ledger import Fact, Relation

Claim = tuple[Relation, str, str]


def claims(facts: Iterable[Fact]) -> set[Claim]:
    """Give what facts say, without who says it, when, and why."""
    return {(fact.relation, fact.subject, fact.object) for fact in facts}


def emergent(members: Iterable[Sequence[Fact]], coalition: Sequence[Fact]) -> list[Fact]:
    """Give the facts of a coalition that no member has alone, in the coalition's order.

    Args:
        members: the ledgers of the members, each deduced from its own view.
        coalition: the ledger of their union.

    Returns:
        The surplus; empty when the members learn nothing by pooling.
    """
    known = set[Claim]()
    for ledger in members:
        known |= claims(ledger)
    return [fact for fact in coalition if (fact.relation, fact.subject, fact.object) not in known]
