"""What is read does not depend on how many rows are read together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sessionsim.adversary import Closure, Transcript, deduce, exchanges, transcript


def conversation(stage: Any) -> Any:
    stage.poll(0, (0, 5, 6, 8))
    stage.store(0, 1, (0, 1, 2, 12))
    stage.store(1, 0, (3, 4, 0, 9))
    stage.poll(1, (3, 4, 5, 13))
    return stage


@pytest.mark.parametrize("place", [(0, 1, 12), (12,), tuple(range(16))])
def test_pieces_of_any_length_give_the_same(
    make_stage: Any, place: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = conversation(make_stage())
    view = stage.view(place)
    whole = Transcript(view)
    assert (whole.answer >= 0).any()
    for length in (1, 2, 3, 7):
        monkeypatch.setattr(transcript, "_PIECE", length)
        pieces = Transcript(view)
        for name in ("layer", "request", "asked"):
            assert np.array_equal(getattr(pieces, name), getattr(whole, name))
        assert np.array_equal(pieces.answer >= 0, whole.answer >= 0)
        assert pieces.meaning.calls == whole.meaning.calls
        assert deduce(view, pieces) == deduce(view, whole)
        assert exchanges(Closure(view, pieces)) == exchanges(Closure(view, whole))


def test_answers_wait_for_what_later_rows_open(make_stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is first seen on its way to nobody known, with its answer: what it holds shows later."""
    stage = make_stage()
    stage.poll(0, (0, 5, 6, 8))
    view = stage.view(tuple(range(16)))
    rows = view.rows
    to_guard = [
        int(np.flatnonzero((rows["src"] == end[0]) & (rows["dst"] == end[1]))[0])
        for end in ((16, 0), (0, 16))
    ]
    for name, values in rows.items():
        rows[name] = np.concatenate([values[to_guard], values])
    rows["row"][:2], rows["conn"][:2], rows["dst"][0], rows["src"][1] = (-2, -1), 99, 40, 40
    found = []
    for length in (1, 2, 100):
        monkeypatch.setattr(transcript, "_PIECE", length)
        read = Transcript(view)
        asked, answers = read.meaning.answers
        found.append([(one, read.answer_marks[answer]) for one, answer in zip(asked, answers, strict=True)])
        assert read.answer[1] == answers[0]
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 1


def test_one_answer_on_all_its_rows_is_opened_once(make_stage: Any) -> None:
    stage = conversation(make_stage())
    read = Transcript(stage.view(tuple(range(16))))
    asked, answers = (list(values) for values in read.meaning.answers)
    opened = [number for request, number in zip(asked, answers, strict=True) if read.ciphers[request][0]]
    assert len(set(asked)) == len(asked) == len(set(answers))
    assert [len(read.rows_of_answer.of(number)) for number in opened] == [4] * 4
