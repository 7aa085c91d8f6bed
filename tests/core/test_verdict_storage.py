from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sessionsim.core.errors import StorageDamaged
from sessionsim.core.storage import read_table, write_table
from sessionsim.core.verdict import Guess, Labelled, Question, verdict_of
from sessionsim.core.verdict_storage import NAME, are_made_of, read_verdicts, write_verdicts


def some() -> list[Labelled]:
    sender = verdict_of(
        Question.SENDER_ADDRESS,
        [Guess("message:a", "addr:1", 0.25, 0.25, 4, 7), Guess("message:b", "addr:2", 0.5, float("nan"), 4)],
    )
    return [
        Labelled("timing", "likelihood-ratio", "both", 0, sender),
        Labelled("timing", "likelihood-ratio", "both", 1000, sender),
        Labelled("nothing", "intersection", "isp", 0, verdict_of(Question.CONTACT, ())),
        Labelled("other", "intersection", "isp", 0, sender),
    ]


def test_verdicts_come_back_as_they_were(tmp_path: Path) -> None:
    write_verdicts(tmp_path, some(), "this")
    back = read_verdicts(tmp_path)
    assert [(one.attack, one.kind, one.observer, one.population) for one in back] == [
        (one.attack, one.kind, one.observer, one.population) for one in some()
    ]
    for one, other in zip(back, some(), strict=True):
        assert one.verdict.question is other.verdict.question
        for column in ("subject", "candidate", "among", "t_us", "score"):
            assert getattr(one.verdict, column).tolist() == getattr(other.verdict, column).tolist()
        np.testing.assert_array_equal(one.verdict.prob, other.verdict.prob)


def test_equal_verdicts_give_equal_bytes(tmp_path: Path) -> None:
    write_verdicts(tmp_path / "a", some(), "this")
    write_verdicts(tmp_path / "b", some(), "this")
    assert (tmp_path / "a" / NAME).read_bytes() == (tmp_path / "b" / NAME).read_bytes()


def test_what_they_are_made_of_is_told(tmp_path: Path) -> None:
    assert not are_made_of(tmp_path, "this")
    write_verdicts(tmp_path, some(), "this")
    assert are_made_of(tmp_path, "this")
    assert not are_made_of(tmp_path, "that")
    (tmp_path / NAME).write_bytes(b"PAR1 cut off")
    assert not are_made_of(tmp_path, "this")


def test_no_file_and_no_attack_give_no_verdicts(tmp_path: Path) -> None:
    assert read_verdicts(tmp_path) == ()
    write_verdicts(tmp_path, [], "this")
    assert read_verdicts(tmp_path) == ()


def test_a_question_nobody_knows_is_damage(tmp_path: Path) -> None:
    write_verdicts(tmp_path, some(), "this")
    table = dict(read_table(tmp_path / NAME))
    table["question"] = np.array(["why"] * len(table["question"]), dtype=object)
    write_table(tmp_path / NAME, table, {"made of": "this"})
    with pytest.raises(StorageDamaged, match="why"):
        read_verdicts(tmp_path)
