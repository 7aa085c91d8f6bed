"""The service node: onion relay, storage RPC, replication inside its swarm."""

from sessionsim.protocol.snode._machine import ServiceNode

__all__ = ["ServiceNode"]
