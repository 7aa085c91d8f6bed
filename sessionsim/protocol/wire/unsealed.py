"""Onion requests whose bytes are not made, and their answers: for routes on which nobody looks at bytes.

What relays do to an onion is known beforehand: each opens a layer, passes on the rest, and takes the answer
back unchanged. So where no relay is observed and none fails, only the client and the node that is asked need
to act, and the lengths of what goes over the lines are counted (`onion_sizes`). Whoever carries such a
request decides whether that is so; `seal` makes the bytes of all others. No bytes can pass for one of these.
"""

from __future__ import annotations

from collections.abc import Callable

# Longest body of a request that may stay unsealed. Assumption: far below what relays refuse.
MOST_BYTES = 1 << 20


class UnsealedRequest:
    """An onion request to a node.

    Args:
        nodes: guard, middle, last hop and the node that is asked.
        style: name of the client family.
        body: of the RPC.
        seal: makes the bytes for the guard.

    `client`, `conn` and `exchange` are for the carrier: where the answer goes.
    """

    __slots__ = ("body", "client", "conn", "exchange", "nodes", "seal", "style")

    def __init__(self, nodes: tuple[int, ...], style: str, body: bytes, seal: Callable[[], bytes]) -> None:
        self.nodes, self.style, self.body, self.seal = nodes, style, body, seal
        self.client = self.conn = self.exchange = -1

    def __len__(self) -> int:
        return len(self.body)

    def answered(self, status: int, body: bytes) -> UnsealedAnswer:
        """Answer it."""
        return UnsealedAnswer(self, status, body)


class UnsealedAnswer:
    """The answer to an unsealed request. Args: status, body: as for `onion.seal_answer`."""

    __slots__ = ("body", "request", "status")

    def __init__(self, request: UnsealedRequest, status: int, body: bytes) -> None:
        self.request, self.status, self.body = request, status, body

    def __len__(self) -> int:
        return len(self.body)

    def opened(self) -> tuple[int, bytes]:
        """Give status and body as `onion.open_answer` would."""
        if self.body.isascii():
            return self.status, self.body
        return self.status, str(self.body, "utf-8", "replace").encode()
