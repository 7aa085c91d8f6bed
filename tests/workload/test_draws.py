import numpy as np

from sessionsim.core.seeds import Seeds
from sessionsim.workload.draws import Luck, Rows, pick


def test_luck_is_uniform_and_its_columns_are_unrelated() -> None:
    luck = Luck(Seeds(1), "test")
    table = np.array([[luck.at(row, column) for column in range(4)] for row in range(20_000)])
    assert table.min() >= 0
    assert table.max() < 1
    # Kolmogorov-Smirnov at 1 %: 1.63 / sqrt(n), in each column; correlation within three standard errors.
    for column in table.T:
        steps = (np.arange(20_000) + 0.5) / 20_000
        assert np.abs(np.sort(column) - steps).max() < 1.63 / np.sqrt(20_000)
    assert np.abs(np.corrcoef(table.T) - np.eye(4)).max() < 4 / np.sqrt(20_000)


def test_luck_hangs_on_its_address_alone() -> None:
    first, second, other = Luck(Seeds(1), "a", 1), Luck(Seeds(1), "a", 1), Luck(Seeds(1), "a", 2)
    second.at(7, 1)
    assert first.at(3, 2) == second.at(3, 2)
    assert first.at(3, 2) != other.at(3, 2)
    assert Luck(Seeds(2), "a", 1).at(3, 2) != first.at(3, 2)


def test_normal_luck_is_standard() -> None:
    luck = Luck(Seeds(4), "test")
    drawn = np.array([luck.normal(row) for row in range(20_000)])
    assert abs(drawn.mean()) < 0.03
    assert abs(drawn.std() - 1) < 0.03


def test_rows_come_in_order_whatever_the_block() -> None:
    rows = Rows(Seeds(1), 3, "test")
    found = [rows.row() for _ in range(20)]
    assert found == Seeds(1).stream("workload", "test").random((24, 3))[:20].tolist()


def test_pick_gives_everybody_the_same_share() -> None:
    assert [pick("abcd", u) for u in (0.0, 0.249, 0.25, 0.5, 0.999)] == ["a", "a", "b", "c", "d"]
