from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_S
from sessionsim.workload.patterns.replay import Config, Replay

#        0       20        40       60        100       160
LINES = "50,8,1000\n8,50,1020\n50,9,1040\n9,8,1060\n77,9,1100\n9,77,1160\n"
LONG_US = 1000 * US_PER_S


@pytest.fixture
def path(tmp_path: Path) -> str:
    file = tmp_path / "talk.csv"
    file.write_text(LINES, encoding="utf-8")
    return str(file)


def _who_when(config: Config, n_accounts: int = 4, horizon_us: int = LONG_US) -> list[tuple[float, int, int]]:
    wishes = Replay(config).intents(People.alike(n_accounts), horizon_us, Seeds(1))
    assert all(w.body for w in wishes)
    return [(w.t_us / US_PER_S, w.sender, w.recipient) for w in wishes]


def test_people_become_accounts_by_first_appearance(path: str) -> None:
    # 50, 8, 9, 77 become 0, 1, 2, 3.
    assert _who_when(Config(trace=path)) == [
        (0, 0, 1), (20, 1, 0), (40, 0, 2), (60, 2, 1), (100, 3, 2), (160, 2, 3),
    ]  # fmt: skip


def test_compression_divides_times_and_reaches_further(path: str) -> None:
    plain = _who_when(Config(trace=path), horizon_us=50 * US_PER_S)
    fast = _who_when(Config(trace=path, time_compression=2.0), horizon_us=50 * US_PER_S)
    assert [t for t, _, _ in plain] == [0, 20, 40]
    assert [t for t, _, _ in fast] == [0, 10, 20, 30]  # the message at 100 s would be at 50 s: outside


def test_window_is_cut_from_the_files_own_time(path: str) -> None:
    config = Config(trace=path, window_start_us=40 * US_PER_S, window_us=70 * US_PER_S)
    assert _who_when(config) == [
        (0, 0, 1),
        (20, 1, 2),
        (60, 3, 1),
    ]  # 50, 9, 8, 77 by appearance in the window


def test_too_few_accounts_are_refused_with_the_number_needed(path: str) -> None:
    with pytest.raises(InvalidInput, match="at least 4"):
        _who_when(Config(trace=path), n_accounts=3)


def test_first_keeps_messages_among_those_who_appear_first(path: str) -> None:
    assert _who_when(Config(trace=path, accounts="first"), n_accounts=2) == [(0, 0, 1), (20, 1, 0)]


def test_busiest_keeps_messages_among_those_who_write_most(path: str) -> None:
    # Messages written and received: 9: 4, 50: 3, 8: 3, 77: 2; 50 came before 8.
    assert _who_when(Config(trace=path, accounts="busiest"), n_accounts=2) == [(40, 0, 1)]


def test_more_accounts_than_people_leaves_some_silent(path: str) -> None:
    assert _who_when(Config(trace=path), n_accounts=9) == _who_when(Config(trace=path))


def test_window_without_messages_gives_none(path: str) -> None:
    assert _who_when(Config(trace=path, window_start_us=500 * US_PER_S)) == []


def test_message_keeps_its_text_in_another_window(path: str) -> None:
    whole = Replay(Config(trace=path)).intents(People.alike(4), LONG_US, Seeds(1))
    later = Replay(Config(trace=path, window_start_us=40 * US_PER_S)).intents(
        People.alike(4), LONG_US, Seeds(1)
    )
    assert [w.body for w in later] == [w.body for w in whole[2:]]
    assert [w.body for w in whole] != [
        w.body for w in Replay(Config(trace=path)).intents(People.alike(4), LONG_US, Seeds(2))
    ]


def test_no_file_named_is_refused() -> None:
    with pytest.raises(InvalidInput, match="path of a file"):
        Replay(Config())
