"""What one exchange of a client is: its purpose, its number, and the request that awaits its answer."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final

from sessionsim.protocol.client.path_keeper import OnionPath
from sessionsim.protocol.crypto.layer import Layer
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.wire.onion import open_answer
from sessionsim.protocol.wire.onion_answer import open_server_answer
from sessionsim.protocol.wire.unsealed import UnsealedAnswer

SERVER: Final = -1  # in place of a node: the request goes to a server
HELD: Final[Effect] = ("held",)  # in place of an effect: the request waits
REPEAT_SHIFT: Final = 60  # above all numbers; repetitions are at most 7 (ClientRules.repeats)

Done = Callable[..., list[Effect]]


class Purpose(IntEnum):
    """What an exchange is for; the low four bits of its number."""

    POLL = 0
    SEND = 1
    SYNC = 2
    LOOKUP = 3
    NODE_LIST = 4  # refreshing the pool of known nodes
    GUARD_TEST = 5
    PATH_TEST = 6
    CLOCK = 7
    SIGNAL = 8  # messages beside texts: typing, receipts, reactions, deletions, calls
    CONFIG = 9
    GROUP = 10
    GROUP_POLL = 11
    FILE = 12
    PUSH = 13
    COMMUNITY = 14
    KEYS = 15  # account keys and device groups of version 2


class Request:
    """One request under way. `done(status, body, now_us)` takes the answer; status 0 means none came.

    `first` is the endpoint that must answer, over the connection `conn`: the guard of `path`, or whoever was
    asked without an onion (`path` None). `node` is SERVER for a request to a server; then `layers` are those
    its answer may come under. `again` starts the same request anew, for clients that repeat by themselves.
    """

    __slots__ = (
        "again",
        "conn",
        "deadline_us",
        "done",
        "first",
        "layer",
        "layers",
        "node",
        "path",
        "repeats",
    )

    def __init__(
        self, layer: Layer | None, path: OnionPath | None, first: int, conn: int, node: int, deadline_us: int,
        done: Done,
    ) -> None:  # fmt: skip
        self.layer, self.path, self.first, self.conn, self.node = layer, path, first, conn, node
        self.deadline_us, self.done = deadline_us, done
        self.layers: tuple[Layer, ...] = ()
        self.again: Callable[..., Effect] | None = None
        self.repeats = 0

    def open(self, payload: bytes | UnsealedAnswer) -> tuple[int, bytes]:
        """Open the answer: status and body. Raises CannotOpen or RemoteProtocolError."""
        if type(payload) is UnsealedAnswer:
            return payload.opened()
        assert type(payload) is bytes
        if self.layer is None:
            return 200, payload
        if self.node != SERVER:
            return open_answer(self.layer, payload)
        answer = open_server_answer(self.layers, payload)
        return answer.status, answer.body
