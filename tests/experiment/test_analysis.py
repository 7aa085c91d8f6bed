from __future__ import annotations

from sessionsim.core.seeds import Seeds
from sessionsim.experiment.analysis import owners_of_servers
from sessionsim.network.servers import ServerRules, place_servers


def test_keys_of_servers_are_looked_up_by_the_names_they_are_stored_under() -> None:
    placed = place_servers(ServerRules(community_in=("DE", "FR", "US")), 100, Seeds(1))
    kinds = {server.endpoint: server.kind for server in placed}
    assert owners_of_servers(kinds) == {server.endpoint: server.owner for server in placed}
    assert len(set(owners_of_servers(kinds).values())) == len(placed)
