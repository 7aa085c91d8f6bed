"""Requests a last hop has posted to servers, until they are answered (transport 3.5).

The node posts the whole plaintext and passes the server's status and body back unchanged. What went wrong on
the way it tells in the words of its HTTP client: 504 if the server was silent too long, 502 for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any, Final, NamedTuple

from sessionsim.core.columns import Transport
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.lsrpc import HEADS, OTHER_HEAD
from sessionsim.protocol.machine import SEND, Effect

# Source: transport 3.6, HTTP(S); plain http, which most servers are asked by, is carried as HTTPS too.
CONNECTION: Final = int(Transport.HTTPS)
_POST: Final = 1 << 49  # exchange numbers of posts lie apart from all others


class Post(NamedTuple):
    """One request under way.

    Args:
        deadline_us: when to give up.
        src, conn, exchange: whom the answer goes to.
        dst: endpoint of the server.
        host, port: how the request named it.
    """

    deadline_us: int
    src: int
    conn: int
    exchange: int
    dst: int
    host: str
    port: int


class ServerRelay:
    """The posts of one node.

    Args:
        servers: endpoint of every server by host name, lower case; a name not in it does not resolve.
        timeout_us: how long to wait.
    """

    def __init__(self, servers: Mapping[str, int], timeout_us: int) -> None:
        self._servers, self._timeout_us = servers, timeout_us
        self._posts: dict[int, Post] = {}
        self._numbers = count(_POST)

    def __len__(self) -> int:
        return len(self._posts)

    def forget(self) -> None:
        """Drop all that is under way."""
        self._posts.clear()

    def resolves(self, host: str) -> bool:
        """Say whether a host name leads anywhere."""
        return host.lower() in self._servers

    def send(self, src: int, conn: int, exchange: int, inner: tuple[Any, ...], now_us: int) -> Effect:
        """Post a request to a server whose name resolves.

        Args:
            src, conn, exchange: whom the answer goes to.
            inner: what `decode_inner` read.
            now_us: simulated time.
        """
        _kind, plaintext, _protocol, host, port, target = inner
        own, dst = next(self._numbers), self._servers[host.lower()]
        self._posts[own] = Post(now_us + self._timeout_us, src, conn, exchange, dst, host[:255], port)
        return (SEND, dst, CONNECTION, own, HEADS.get(target, OTHER_HEAD), plaintext, 0)

    def take(self, src: int, exchange: int) -> Post | None:
        """Take the post a server's answer, or its failure, belongs to."""
        post = self._posts.get(exchange)
        if post is None or post.dst != src:
            return None
        del self._posts[exchange]
        return post

    def overdue(self, now_us: int) -> list[Post]:
        """Take the posts whose time is up, in order of time."""
        late = sorted((p.deadline_us, own) for own, p in self._posts.items() if p.deadline_us <= now_us)
        return [self._posts.pop(own) for _, own in late]

    def next_deadline_us(self) -> int | None:
        """Give the earliest deadline."""
        return min((post.deadline_us for post in self._posts.values()), default=None)

    def timed_out(self) -> tuple[int, bytes]:
        """Give what the client is told about a silent server. Assumption: the words are curl's."""
        text = f"Operation timed out after {self._timeout_us // US_PER_MS} milliseconds with 0 bytes received"
        return 504, text.encode()

    def unreachable(self, post: Post, now_us: int) -> tuple[int, bytes]:
        """Give what the client is told about a server that takes no connection. The words are curl's."""
        took_ms = (now_us - post.deadline_us + self._timeout_us) // US_PER_MS
        text = f"Failed to connect to {post.host} port {post.port} after {took_ms} ms: "
        return 502, (text + "Couldn't connect to server").encode("utf-8", "replace")
