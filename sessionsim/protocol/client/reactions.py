"""What a failed request costs: its path, the nodes on it, its destination (transport 4).

A table of (how it failed) -> cost for each family of clients. What a node says in clear is read by
`wire.onion_answer.read_refusal`; silence and a guard that cannot be reached are seen by the client alone;
what comes sealed from the destination costs the destination at most. Who pays, and when a debt is too large,
is the business of `path_keeper`.

Sources: transport 4; session-desktop: ts/session/apis/snode_api/onions.ts; session-android:
api/onion/OnionSessionApiExecutor.kt, OnionSessionApiErrorManager.kt, network/onion/PathManager.kt;
libsession-util: src/network/routing/onion_request_router.cpp (error_patterns).
"""

from __future__ import annotations

from contextlib import suppress
from enum import Enum
from typing import Final, NamedTuple

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.wire.onion_answer import Blame, Refusal, read_refusal, split_quic_error


class Failure(Enum):
    """How a request failed on its way."""

    NOT_FOUND = "a node does not know the next one"
    UNREACHABLE = "a node cannot reach the next one"
    DESTINATION_NOT_FOUND = "the last node does not know the destination"
    DESTINATION_UNREACHABLE = "the last node cannot reach the destination"
    NOT_READY = "a node is not ready"
    GUARD_NOT_READY = "the guard is not ready or busy"
    PATH = "a node got no answer in time, or no readable one"
    SERVER = "the last node cannot reach the server"
    REFUSED = "any other status in clear"
    SILENT = "no answer in time"
    NO_GUARD = "the guard cannot be reached"


class Cost(NamedTuple):
    """What a failure costs.

    Args:
        named: of the node it names: "" nothing, "strike", "remove".
        guard: of the guard: "" or "strike".
        path: "" nothing, "strike", "drop".
        again: the client repeats the request by itself, if its rules say so.
    """

    named: str = ""
    guard: str = ""
    path: str = ""
    again: bool = False


FREE: Final = Cost()
_PATH: Final = Cost(path="strike")

# Desktop knows one text and takes everything else for a failure of the path, a timeout included.
DESKTOP: Final = dict.fromkeys(Failure, _PATH) | {
    Failure.NOT_FOUND: Cost(named="remove"),
    Failure.DESTINATION_NOT_FOUND: Cost(named="remove"),
    Failure.SERVER: FREE,
}
# Android punishes the path that holds a punished node too: see `path_keeper`.
ANDROID: Final = {
    Failure.NOT_FOUND: Cost(named="remove", again=True),
    Failure.UNREACHABLE: Cost(named="remove", again=True),
    Failure.DESTINATION_NOT_FOUND: Cost(named="strike", again=True),
    Failure.DESTINATION_UNREACHABLE: Cost(named="strike", again=True),
    Failure.NOT_READY: Cost(named="strike", again=True),
    Failure.GUARD_NOT_READY: Cost(guard="strike", again=True),
    Failure.PATH: Cost(path="strike", again=True),
    Failure.SERVER: FREE,
    Failure.REFUSED: FREE,
    Failure.SILENT: Cost(guard="strike", again=True),
    Failure.NO_GUARD: Cost(guard="strike", again=True),
}
# A lost connection to the guard drops the path at once; silence alone costs nothing.
LIBSESSION: Final = {
    Failure.NOT_FOUND: Cost(named="remove", path="strike"),
    Failure.UNREACHABLE: Cost(named="remove", path="strike"),
    Failure.DESTINATION_NOT_FOUND: Cost(named="remove"),
    Failure.DESTINATION_UNREACHABLE: Cost(named="remove"),
    Failure.NOT_READY: Cost(named="strike"),
    Failure.GUARD_NOT_READY: Cost(guard="strike"),
    Failure.PATH: _PATH,
    Failure.SERVER: FREE,
    Failure.REFUSED: FREE,
    Failure.SILENT: FREE,
    Failure.NO_GUARD: Cost(path="drop"),
}
TABLES: Final = {"desktop": DESKTOP, "android": ANDROID, "libsession": LIBSESSION}

# Statuses in clear that say nothing about the path. Source: transport 4, reaction to a returned error.
BLAMELESS: Final = frozenset((200, 406, 421, 425))
# What a destination may answer without being blamed for it. Source: the same; onions.ts for desktop.
_DESKTOP_BLAMELESS: Final = frozenset((0, 200, 400, 401, 406, 425))
_SERVER_ERRORS: Final = range(500, 600)

_BY_BLAME: Final = {
    Blame.NODE: Failure.NOT_READY,
    Blame.GUARD: Failure.GUARD_NOT_READY,
    Blame.PATH: Failure.PATH,
    Blame.LAYER: Failure.REFUSED,
    Blame.UNKNOWN: Failure.REFUSED,
}
_BAD_GATEWAY: Final = 502  # of a server, it is no fault of the path. Source: onions.ts
_NOT_FOUND: Final = "Next node not found"


def refusal_of(status: int, payload: bytes, *, quic: bool) -> Refusal:
    """Read a refusal in clear. Args: quic: it came as the error of a stream."""
    if quic:
        with suppress(RemoteProtocolError):  # otherwise it is read as it is
            payload = split_quic_error(payload)[1]
    return read_refusal(status, payload)


def failure_of(refusal: Refusal, destination: str) -> Failure:
    """Say what a refusal in clear means. Args: destination: hex of the node asked, "" for a server."""
    if refusal.blame is not Blame.NEXT_NODE:
        if not destination and refusal.status == _BAD_GATEWAY:
            return Failure.SERVER
        return _BY_BLAME[refusal.blame]
    known = not refusal.text.startswith(_NOT_FOUND)
    if destination and refusal.node == destination:
        return Failure.DESTINATION_UNREACHABLE if known else Failure.DESTINATION_NOT_FOUND
    return Failure.UNREACHABLE if known else Failure.NOT_FOUND


def strikes_destination(family: str, status: int) -> bool:
    """Say whether a sealed answer with this status counts against the destination.

    Desktop lets few statuses pass, and counts even the 421 that it makes use of.
    """
    if family == "desktop":
        return status not in _DESKTOP_BLAMELESS
    return status in _SERVER_ERRORS
