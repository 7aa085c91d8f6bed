"""The service node: onion relay, storage RPC, replication inside its swarm."""

from sessionsim.protocol.snode._machine import ServiceNode
from sessionsim.protocol.snode._rereads import Again
from sessionsim.protocol.snode._storage_rpc import Reads

__all__ = ["Again", "Reads", "ServiceNode"]
