"""Reactions to posts in rooms, and deletions of own posts (messages 8).

Both are requests of their own to the server, which numbers posts; a client knows the number of a post once a
poll has brought it, so what a person wants of a post that it has just written waits for the next poll. Other
readers learn of both with their polls; nobody is told apart from that.

Commands: `("room-react", ref, room, name of the post, emoji, removed)` and `("room-unsend", ref, room,
name)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from sessionsim.core.columns import Cause, note_of
from sessionsim.protocol.client.communities.standing import Standing
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.communities import calls
from sessionsim.protocol.communities.calls import Part
from sessionsim.protocol.machine import LOG, Effect
from sessionsim.protocol.wire import v4
from sessionsim.protocol.wire.onion import STYLES

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_ATTEMPT_BITS: Final = 8  # ClientRules.send_attempts ≤ 100
_FIRST: Final = 1 << 40  # numbers below are those of posts (`posting`), which share the purpose
_REMARK: Final = 1  # lowest bit of an exchange number; 0 for polls
_GONE: Final = 404


class _Remark:
    """A wish about a post. Args: emoji: None for its deletion."""

    __slots__ = ("attempts", "emoji", "name", "number", "ref", "removed", "standing", "token")

    def __init__(
        self,
        number: int,
        ref: int,
        standing: Standing,
        token: str,
        name: str,
        emoji: str | None,
        removed: bool,
    ) -> None:
        self.number, self.ref, self.standing, self.token = number, ref, standing, token
        self.name, self.emoji, self.removed, self.attempts = name, emoji, removed, 0

    def part(self) -> Part:
        post = self.standing.numbers[self.name]
        if self.emoji is None:
            return calls.delete_message(self.token, post)
        return calls.react(self.token, post, self.emoji, add=not self.removed)


class Remarks:
    """What one client wants of posts. Args: client: whose; standings: its servers."""

    def __init__(self, client: Client, standings: Sequence[Standing]) -> None:
        self._client, self._standings = client, standings
        self._style = STYLES[client.rules.style]
        self._open: dict[int, _Remark] = {}
        self._unread: dict[str, list[_Remark]] = {}  # by the name of a post whose number is not known
        self._retries: list[tuple[int, int, _Remark]] = []
        self._begun = 0

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"room-react": self._react, "room-unsend": self._unsend}

    def pending(self) -> Iterator[int]:
        """Give the wishes that are neither carried out nor given up."""
        return iter(self._open)

    def next_due_us(self) -> int | None:
        """Give when the earliest repetition is due."""
        return self._retries[0][0] if self._retries else None

    def wake(self, now_us: int) -> list[Effect]:
        """Start the repetitions that are due."""
        effects: list[Effect] = []
        while self._retries and self._retries[0][0] <= now_us:
            effects += self._attempt(heappop(self._retries)[2], now_us)
        return effects

    def numbered(self, name: str, now_us: int) -> list[Effect]:
        """Learn that the number of a post has become known."""
        return [effect for remark in self._unread.pop(name, ()) for effect in self._attempt(remark, now_us)]

    def _react(self, ref: int, room: int, name: str, emoji: str, removed: bool, now_us: int) -> list[Effect]:
        return self._begin(ref, room, name, emoji, removed, now_us)

    def _unsend(self, ref: int, room: int, name: str, now_us: int) -> list[Effect]:
        return self._begin(ref, room, name, None, False, now_us)

    def _begin(
        self, ref: int, room: int, name: str, emoji: str | None, removed: bool, now_us: int
    ) -> list[Effect]:
        standing = next((one for one in self._standings if room in one.tokens), None)
        if standing is None:
            return [(LOG, "failed", ref, "a room that is not read")]
        self._begun += 1
        remark = _Remark(_FIRST + self._begun, ref, standing, standing.tokens[room], name, emoji, removed)
        self._open[ref] = remark
        if name not in standing.numbers:
            self._unread.setdefault(name, []).append(remark)
            return []
        return self._attempt(remark, now_us)

    def _attempt(self, remark: _Remark, now_us: int) -> list[Effect]:
        exchange = (remark.number << _ATTEMPT_BITS | remark.attempts) << 1 | _REMARK
        exchange = exchange << 4 | Purpose.COMMUNITY
        remark.attempts += 1
        request = remark.standing.signed(remark.part().alone(), exchange, now_us)
        return [
            (LOG, "attempts", remark.ref, remark.attempts),
            self._client.requests.send_to_server(
                exchange, remark.standing.address, v4.encode_request(self._style, request),
                note_of(Cause.COMMUNITY, remark.ref), now_us,
                lambda status, _body, t_us: self._answered(remark, status, t_us),
            ),
        ]  # fmt: skip

    def _answered(self, remark: _Remark, status: int, now_us: int) -> list[Effect]:
        if 200 <= status < 300:
            del self._open[remark.ref]
            return [(LOG, "stored", remark.ref, now_us)]
        rules = self._client.rules
        if remark.attempts >= rules.send_attempts or status == _GONE:
            del self._open[remark.ref]
            return [(LOG, "failed", remark.ref, f"status {status}")]
        pause_us = rules.send_backoff_us * rules.send_backoff_growth ** (remark.attempts - 1)
        heappush(
            self._retries, (now_us + int(min(pause_us, rules.send_backoff_cap_us)), remark.number, remark)
        )
        return []
