from __future__ import annotations

import tomllib

from sessionsim.scenario.reading import key_lines


def test_each_key_has_the_line_on_which_it_stands() -> None:
    text = "a = 1\n\n# a comment\n[b.c]\nd = [\n  1,\n  # [x]\n]\n"
    text += 'e = """\n[no]\nf = 2\n"""\n[b]\n"g h" = {i = 1}\nj.k = 2\n'
    tomllib.loads(text)
    assert key_lines(text) == {
        ("a",): 1, ("b",): 4, ("b", "c"): 4, ("b", "c", "d"): 5, ("b", "c", "e"): 9,
        ("b", "g h"): 14, ("b", "g h", "i"): 14, ("b", "j"): 15, ("b", "j", "k"): 15,
    }  # fmt: skip


def test_arrays_of_tables_are_tables_here() -> None:
    assert key_lines("[[a]]\nb = 1\n[[a]]\nb = 2\n") == {("a",): 1, ("a", "b"): 2}
