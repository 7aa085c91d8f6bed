from __future__ import annotations

import pickle

from sessionsim.core.errors import InvalidInput, SessionSimError, StorageDamaged


def test_input_errors_name_place_finding_and_what_is_allowed() -> None:
    wrong = InvalidInput("a.toml:3 x", "y", "z", "Try z.")
    assert str(wrong) == "a.toml:3 x: found 'y'; allowed: z. Try z."
    assert isinstance(wrong, SessionSimError)


def test_a_long_value_does_not_hide_the_message() -> None:
    assert len(str(InvalidInput("p", "x" * 10_000, "a"))) < 300
    assert "too long to show" in str(InvalidInput("p", 16**9_999, "a"))


def test_errors_travel_between_processes() -> None:
    wrong = pickle.loads(pickle.dumps(InvalidInput("p", 3, "a", "h")))
    assert (wrong.place, wrong.found, wrong.allowed, wrong.hint, str(wrong)) == (
        "p",
        3,
        "a",
        "h",
        "p: found 3; allowed: a. h",
    )
    assert str(pickle.loads(pickle.dumps(StorageDamaged("gone")))) == "gone"
