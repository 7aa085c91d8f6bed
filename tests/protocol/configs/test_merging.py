"""Merging versions: the reference's worked example, its limits, and that order does not matter."""

from __future__ import annotations

from itertools import permutations
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.configs.merging import merge
from sessionsim.protocol.configs.message import (
    ConfigMessage,
    Draft,
    Version,
    first_message,
    next_draft,
    read_message,
)

MERGED_DATA = {
    b"dictA": {b"goodbye": frozenset((123, 456)), b"hello": 123},
    b"dictB": {b"added": 9999, b"changed": 1, b"nested": {b"a": 1}},
    b"good": frozenset((99, 123, b"Foo", b"bar")),
    b"int1": 5,
    b"int2": 2,
    b"string2": b"hello",
    b"string3": b"omg",
}


def merged(*messages: ConfigMessage) -> ConfigMessage:
    outcome = merge(messages)
    assert isinstance(outcome, Draft)
    return outcome.finish()


def test_two_updates_in_conflict_are_both_done(example: SimpleNamespace) -> None:
    m126 = merged(example.m125a, example.m125b)
    assert m126.version.seqno == 126
    assert m126.data == MERGED_DATA
    assert m126.diff == {}
    unchanged_122 = example.unchanged(example.m118, 4)
    assert m126.lags == {
        unchanged_122.version: {},
        example.m123.version: {b"int0": b"-", b"int1": b"", b"int2": b""},
        example.m124.version: example.m124.diff,
        example.m125a.version: {b"dictB": {b"foo": b"-"}},
        example.m125b.version: {b"int1": b""},
    }


def test_neither_order_nor_what_is_included_or_too_old_matters(example: SimpleNamespace) -> None:
    wanted = merged(example.m125a, example.m125b).raw
    too_old = next_draft(example.unchanged(example.from_scratch(118, {}), 1))
    too_old.data[b"too old"] = b"unseen"
    for given_messages in permutations(
        [example.m125a, example.m125b, example.m124, example.m123, too_old.finish()]
    ):
        assert merged(*given_messages).raw == wanted


def test_merges_of_merges_keep_every_change(example: SimpleNamespace) -> None:
    other = next_draft(example.m123)
    other.data[b"dictB"].update({b"foo": 66, b"answer": 42})
    m124a = other.finish()
    m126a = merged(example.m125a, example.m125b)
    m126b = merged(example.m125b, m124a, example.m125a, example.m123)
    outcome = merge([m126a, m126b])
    assert isinstance(outcome, Draft)
    outcome.data[b"dictA"][b"goodbye"] |= {789}
    m127 = outcome.finish()
    # foo was set at 124a and removed at 125a; the answer is of 124a only.
    dict_b = {**MERGED_DATA[b"dictB"], b"answer": 42}  # type: ignore[dict-item]
    dict_a = {b"goodbye": frozenset((123, 456, 789)), b"hello": 123}
    assert m127.data == {**MERGED_DATA, b"dictA": dict_a, b"dictB": dict_b}
    assert m127.diff == {b"dictA": {b"goodbye": [[789], []]}}
    versions = [example.m123, m124a, example.m124, example.m125a, example.m125b]
    assert list(m127.lags) == sorted(m.version for m in (*versions, m126a, m126b))
    # It includes its parents, so together with them it is taken as it is.
    assert merge([m126b, m127, example.m125a]) == 1


def test_one_version_that_includes_the_others_is_taken_as_it_is(example: SimpleNamespace) -> None:
    assert merge([example.m123, example.m125a, example.m124]) == 1
    assert merge([example.m124]) == 0
    assert merge([example.m125a, example.m124, example.m125a]) == 0
    with pytest.raises(LocalProtocolError):
        merge([])


def test_who_cannot_write_takes_the_highest(example: SimpleNamespace) -> None:
    highest = max(example.m125a, example.m125b, key=lambda message: message.version)
    for given_messages in permutations([example.m125a, example.m125b, example.m124]):
        assert given_messages[merge(given_messages, can_write=False)] is highest  # type: ignore[index]


def test_five_seqnos_behind_is_too_old_and_four_is_not(example: SimpleNamespace) -> None:
    base = first_message()
    fork = next_draft(base)
    fork.data[b"fork"] = 1
    for ahead, counts in ((5, True), (6, False)):
        line = next_draft(base)
        line.data[b"line"] = 1
        outcome = merge([fork.finish(), example.unchanged(line.finish(), ahead - 1)])
        assert isinstance(outcome, Draft) == counts
    assert isinstance(merge([fork.finish(), line.finish()], lag=1), Draft)


def test_of_equal_changes_the_higher_version_wins() -> None:
    base = first_message()
    drafts = [next_draft(base) for _ in range(4)]
    for number, draft in enumerate(drafts):
        draft.data[b"k"] = number
    messages = [draft.finish() for draft in drafts]
    assert merged(*messages).data == max(messages, key=lambda message: message.version).data


def test_what_several_changes_empty_together_is_gone(example: SimpleNamespace) -> None:
    base = example.from_scratch(1, {b"d": {b"x": 1, b"y": {b"z": 1}}, b"s": frozenset((1, 2))})
    first, second = next_draft(base), next_draft(base)
    del first.data[b"d"][b"x"]
    first.data[b"s"] = frozenset((1,))
    del second.data[b"d"][b"y"]
    second.data[b"s"] = frozenset((2,))
    outcome = merge([first.finish(), second.finish()])
    assert isinstance(outcome, Draft)
    assert outcome.data == {}


def test_the_diff_of_the_early_reference_holds_everything(example: SimpleNamespace) -> None:
    outcome = merge([example.m125a, example.m125b], whole_diff=True)
    assert isinstance(outcome, Draft)
    message = outcome.finish()
    assert message.data == MERGED_DATA
    assert message.diff[b"int2"] == b""
    assert message.diff[b"good"] == [[99, 123, b"Foo", b"bar"], []]
    assert len(message.raw) > len(merged(example.m125a, example.m125b).raw)


KEYS = st.sampled_from((b"a", b"b", b"c"))
LEAVES = st.integers(0, 3) | st.frozensets(st.integers(0, 3), max_size=2)
STEPS = st.tuples(KEYS, st.booleans(), KEYS, LEAVES | st.none())


@st.composite
def histories(draw: st.DrawFn) -> list[ConfigMessage]:
    """Draw versions that fork from each other, and sometimes merge."""
    messages = [first_message()]
    for _ in range(draw(st.integers(1, 7))):
        parents = draw(st.lists(st.sampled_from(messages), min_size=1, max_size=2))
        outcome = merge(parents)
        draft = outcome if isinstance(outcome, Draft) else next_draft(parents[outcome])
        for key, nested, inner, leaf in draw(st.lists(STEPS, max_size=3)):
            within = draft.data
            if nested:
                if type(within.get(key)) is not dict:
                    within[key] = {}
                within, key = within[key], inner
            if leaf is None:
                within.pop(key, None)
            else:
                within[key] = leaf
        messages.append(draft.finish())
    return messages


@settings(max_examples=150, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_any_order_and_repetition_gives_the_same_bytes(messages: list[ConfigMessage], random: object) -> None:
    def outcome(given_messages: list[ConfigMessage]) -> bytes:
        result = merge([read_message(message.raw) for message in given_messages])
        return result.finish().raw if isinstance(result, Draft) else given_messages[result].raw

    wanted = outcome(messages)
    shuffled = messages + messages[::2]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert outcome(shuffled) == wanted
    # Merging once more changes nothing: the result includes all it was made of.
    assert outcome([*shuffled, read_message(wanted)]) == wanted


@settings(max_examples=100, deadline=None)
@given(histories())
def test_a_merge_is_readable_and_one_above_all(messages: list[ConfigMessage]) -> None:
    outcome = merge(messages)
    if isinstance(outcome, Draft):
        message = outcome.finish()
        assert read_message(message.raw) == message
        assert message.version.seqno == 1 + max(one.version.seqno for one in messages)
        assert all(type(version) is Version for version in message.lags)
