"""The table of smallest sets: one row per secret, one column per size, counts beside shares."""

from __future__ import annotations

from sessionsim.core.sights import Coalitions, MinimalCoalition, Sights
from sessionsim.report._coalitions import MOST_SETS, panels


def test_secrets_are_rows_and_sizes_are_columns(sights: Sights) -> None:
    panel, empty = panels(sights.coalitions)
    assert panel.head == ("Secret", "one alone", "two together")
    assert [secret for secret, _ in panel.rows] == [
        "Account a message is for (S3)", "Which address an account uses (S6)",
    ]  # fmt: skip
    alone, together = panel.rows[0][1]
    assert alone.sets == (("snodes", "8 of 20 messages (40 %)", 40.0),)
    assert (together.sets, together.more) == ((), "")
    assert panel.rows[1][1][1].sets[0].names == "isp + snodes"
    assert empty.rows == ()


def test_the_note_says_who_was_looked_at_and_who_is_in_no_set(sights: Sights) -> None:
    panel, _ = panels(sights.coalitions)
    assert panel.note == (
        "Parties: isp, snodes, nobody. Sets of up to 3, from the kept bytes of seed 3. Sets of more than 2"
        " learn nothing that no part of them learns. In no smallest set: nobody."
    )


def test_long_lists_are_cut_and_counted() -> None:
    sets = tuple(MinimalCoalition("S77", (f"p{k}",), 1, 1, 9) for k in range(MOST_SETS + 3))
    (panel,) = panels([Coalitions(tuple(f"p{k}" for k in range(8)), 1, (1, 2), sets)])
    ((secret, (cell,)),) = panel.rows
    assert secret == "S77"  # a secret that the page has no words for
    assert len(cell.sets) == MOST_SETS
    assert cell.more == "and 3 more sets"
    assert "kept bytes of seeds 1, 2" in panel.note
