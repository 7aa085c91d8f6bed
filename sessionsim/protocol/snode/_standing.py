"""How a node stands: its swarm, the blockchain it sees, and so whether it is ready (transport 5.10).

What it sees of the blockchain is also what ifelse asks about (5.7).
"""

from __future__ import annotations

from typing import Final

from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.wire.rpc_answers import Answer
from sessionsim.protocol.wire.rpc_ifelse import choose, conditional_answer
from sessionsim.protocol.wire.rpc_node import NodeCall

_READY_FORK: Final = 19  # Source: transport 5.10


class Standing:
    """The standing of one node.

    Args:
        endpoint: its position in the node list.
        key: its Ed25519 key.
        nodes: the list it knows at first.
        rules: hard fork, version and block height.

    A node takes its blockchain to be up to date (`synced`) at first.
    """

    def __init__(self, endpoint: int, key: bytes, nodes: NodeList, rules: NodeRules) -> None:
        self._endpoint, self._name, self._rules = endpoint, key.hex(), rules
        self._fork = (rules.hard_fork, rules.hard_fork_revision)
        self.nodes, self.height, self.synced = nodes, rules.block_height, True

    def members(self) -> frozenset[int]:
        """Give the members of its swarm; none if it has no swarm."""
        return frozenset(self.nodes.members.get(self.nodes.swarm[self._endpoint], ()))

    def is_ready(self) -> bool:
        """Say whether it takes requests: it has a swarm, is synced, and the hard fork is recent enough."""
        return bool(self.members()) and self.synced and self._has_fork()

    def _has_fork(self) -> bool:
        return self._fork >= (_READY_FORK, self._rules.ready_revision)

    def not_ready(self, https: bool) -> bytes:
        """Give what a request gets while it is not. Args: https: it came through that door."""
        if not https or self._rules.guard_not_ready != "service node":
            return f"Snode not ready: {self._name}".encode()
        problems = []
        if not self.members():
            problems.append("not in any swarm")
        if not self._has_fork():
            problems.append(f"not yet on hardfork {_READY_FORK}.{self._rules.ready_revision}")
        if not self.synced:
            problems.append("not done syncing")
        return f"Service node is not ready: {'; '.join(problems)}\n".encode()

    def choose(self, call: NodeCall) -> tuple[NodeCall | None, tuple[bool, ...]]:
        """Follow ifelse to the call that is to be executed, see `rpc_ifelse.choose`."""
        return choose(call, self._fork, self._rules.version_numbers, self.height)

    def conditional(self, answer: Answer | None, outcomes: tuple[bool, ...]) -> Answer:
        """Write the answers of ifelse around that of the branch, see `rpc_ifelse.conditional_answer`."""
        fork = b"[%d,%d]" % self._fork
        return conditional_answer(answer, outcomes, fork, self._rules.version_numbers, self.height)
