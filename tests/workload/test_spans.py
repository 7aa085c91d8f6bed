"""Spans against the plainest model of them: the set of the moments that they hold."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.workload.spans import Span, changes, containing, following, union, without

MOMENTS = range(-5, 45)
spans = st.lists(st.tuples(st.integers(-5, 40), st.integers(-5, 40)), max_size=8)
modest = settings(deadline=None, max_examples=150, derandomize=True)


def held(some: list[Span]) -> set[int]:
    return {t for t in MOMENTS if any(begin <= t < end for begin, end in some)}


@modest
@given(some=spans)
def test_a_union_holds_the_same_moments_in_as_few_spans_as_can_be(some: list[Span]) -> None:
    joined = union(some)
    assert held(joined) == held(some)
    assert all(begin < end for begin, end in joined)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(joined))


@modest
@given(some=spans, holes=spans)
def test_holes_are_cut_out_and_nothing_else(some: list[Span], holes: list[Span]) -> None:
    left = without(union(some), union(holes))
    assert held(left) == held(some) - held(holes)
    assert left == union(left)


@modest
@given(some=spans, t_us=st.integers(-5, 40))
def test_a_moment_finds_its_span_and_the_next(some: list[Span], t_us: int) -> None:
    joined = union(some)
    place = containing(joined, t_us)
    assert (place >= 0) == (t_us in held(joined))
    assert place < 0 or joined[place][0] <= t_us < joined[place][1]
    after = following(joined, t_us)
    assert all(begin <= t_us for begin, _ in joined[:after])
    assert all(begin > t_us for begin, _ in joined[after:])


@modest
@given(some=spans, end_us=st.integers(1, 44))
def test_changes_tell_the_state_of_every_moment(some: list[Span], end_us: int) -> None:
    told = list(changes(union(some), end_us))
    assert told[0][0] == 0
    assert all(a[0] < b[0] and a[1] != b[1] for a, b in itertools.pairwise(told))
    states = {t: next(on for t_us, on in reversed(told) if t_us <= t) for t in range(end_us)}
    assert {t for t, on in states.items() if on} == {t for t in held(some) if 0 <= t < end_us}
