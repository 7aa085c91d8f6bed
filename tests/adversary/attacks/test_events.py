"""What attacks look at: when something came to a member, whoever read it on its way."""

from __future__ import annotations

from typing import Any

from sessionsim.adversary.attacks._events import retrieves, stores

ROUTE = (0, 1, 2, 12)  # guard, middle, last, replica
LEG_US = 1000  # from one transmission of the hand-driven message to the next


def test_who_runs_every_node_of_a_path_times_a_request_by_its_coming_to_the_member(stage: Any) -> None:
    stage.store(0, 1, ROUTE)
    stage.poll(1, ROUTE)
    member, everything = (stage.view(nodes) for nodes in ((12,), ROUTE))
    for look in (stores, retrieves):
        (late,), (early,) = look(member).t_us.tolist(), look(everything).t_us.tolist()
        # The link from last hop to member has both ends with the coalition: it is seen when it leaves.
        assert early == late - LEG_US // 2
    assert retrieves(everything).node.tolist() == retrieves(member).node.tolist() == [12]
    assert stores(everything).direct.tolist() == [True]
