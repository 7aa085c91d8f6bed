from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.columns import (
    DTYPE,
    HEAD_CODE,
    HEADS,
    ROW,
    Cause,
    note_of,
    note_outside,
    note_within,
    split_note,
)


@given(st.sampled_from(Cause), st.integers(-1, 2**40))
@settings(deadline=None, derandomize=True)
def test_a_note_keeps_cause_and_reference(cause: Cause, ref: int) -> None:
    causes, refs = split_note(np.array([note_of(cause, ref)], dtype=np.int64))
    assert (causes[0], refs[0]) == (cause, ref)


@given(st.sampled_from(Cause), st.sampled_from([c for c in Cause if c]), st.integers(-1, 2**40))
@settings(deadline=None, derandomize=True)
def test_a_side_request_keeps_what_it_is_done_for(own: Cause, outer: Cause, ref: int) -> None:
    within = note_within(note_of(own), note_of(outer, ref))
    causes, refs = split_note(np.array([within], dtype=np.int64))
    assert (causes[0], refs[0]) == (own, ref)
    assert note_outside(within) == note_of(outer, ref)


def test_packed_rows_and_columns_are_the_same_bytes() -> None:
    values = (2**40, -1, 7, note_of(Cause.SYNC, 5), 1, 2, 3, 4, 5, -1, 65535, 404, 2, 1)
    row = np.frombuffer(ROW.pack(*values), DTYPE)[0]
    assert tuple(int(x) for x in row) == values
    assert DTYPE.names is not None
    assert len(DTYPE.names) == len(values)


def test_heads_have_codes_below_every_status() -> None:
    assert [HEAD_CODE[head] for head in HEADS] == list(range(len(HEADS)))
    assert len(HEADS) < 100
