"""Closed forms against the table of metrics 2a, computed there independently."""

import pytest

from sessionsim.metrics import Shape, mean_coverage
from sessionsim.metrics.closed_forms.coverage import all_bad, any_bad, at_least_bad, coverage_of

N = 1600


@pytest.mark.parametrize(
    ("percent", "first_last", "three", "any_of_three", "s5", "s7", "s10", "majority"),
    [
        (1, 9.38e-5, 8.22e-7, 0.02972, 0.0491, 0.0681, 0.0959, 2.3e-7),
        (5, 0.002470, 1.206e-4, 0.1427, 0.2265, 0.3021, 0.4022, 1.81e-4),
        (10, 0.009944, 9.83e-4, 0.2712, 0.4099, 0.5224, 0.6525, 0.00265),
        (20, 0.03990, 0.00794, 0.4882, 0.6728, 0.7910, 0.8934, 0.0330),
    ],
)
def test_table_of_path_and_swarm_compromise(
    percent: int, first_last: float, three: float, any_of_three: float, s5: float, s7: float, s10: float,
    majority: float,
) -> None:  # fmt: skip
    c = N * percent // 100
    assert all_bad(N, c, 2) == pytest.approx(first_last, rel=2e-3)
    assert all_bad(N, c, 3) == pytest.approx(three, rel=2e-3)
    assert any_bad(N, c, 3) == pytest.approx(any_of_three, rel=1e-3)
    assert [any_bad(N, c, s) for s in (5, 7, 10)] == pytest.approx([s5, s7, s10], rel=1e-3)
    assert at_least_bad(N, c, 7, 4) == pytest.approx(majority, rel=2e-2)


def test_both_is_exact_when_guard_and_swarm_are_apart() -> None:
    # 4 nodes, 2 bad, swarm {0}, guard {1}: of the 6 coalitions exactly one, {0, 1}, covers both.
    assert coverage_of(4, 2, Shape(1, 1, 2)).both == pytest.approx(1 / 6)


def test_both_is_exact_when_the_guard_is_a_replica() -> None:
    # The same node is both: a coalition of 2 in 4 holds it half of the time.
    assert coverage_of(4, 2, Shape(1, 1, 1)).both == pytest.approx(1 / 2)


def test_no_bad_node_covers_nobody_and_all_nodes_cover_everybody() -> None:
    shapes = {Shape(5, 2, 7): 3.0, Shape(7, 2, 8): 1.0}
    assert mean_coverage(100, 0, shapes) == pytest.approx((0, 0, 0))
    assert mean_coverage(100, 100, shapes) == pytest.approx((1, 1, 1))
