"""A client's view of one community: what it asks for next, what the answers brought (client-behaviour 6.2).

No machine: time and nonces are arguments, requests go out and answers come in by whoever holds an onion path.
Order of a poll's parts: capabilities; for every room its details and its posts; inbox; outbox. Each poll
shows the server the set of rooms, and under one blinded id the rhythm of the client.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.communities import answers, calls
from sessionsim.protocol.communities.auth import sign_request
from sessionsim.protocol.communities.poll_rules import CommunityPollRules
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.identity import Account
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest

_LONGEST_POWER: Final = 64  # failures beyond it change nothing: the pause is bounded


class News(NamedTuple):
    """What a poll brought.

    Args:
        posts: (room, post) in the server's order, whether their signatures hold or not.
        inbox, outbox: direct messages, sealed.
        infos: rooms' answers to the poll for details.
        refused: (part's path, status) of what was refused; 304 is no refusal.
    """

    posts: tuple[tuple[str, answers.RoomPost], ...]
    inbox: tuple[answers.DirectMail, ...]
    outbox: tuple[answers.DirectMail, ...]
    infos: tuple[answers.RoomInfo, ...]
    refused: tuple[tuple[str, int], ...]


class CommunityPoller:
    """Polls one server for one account.

    Args:
        account: who asks.
        server_x: X25519 key of the community.
        rooms: tokens of the rooms joined there.
        rules: the platform.
        blinded: ask under the 15 id; corrected by the server's capabilities.
    """

    def __init__(
        self,
        account: Account,
        server_x: bytes,
        rooms: Sequence[str],
        rules: CommunityPollRules,
        *,
        blinded: bool = True,
    ) -> None:
        self._account, self._server_x, self._rules = account, server_x, rules
        self.rooms, self.blinded, self.failures = list(rooms), blinded, 0
        self._seqno: dict[str, int] = {}
        self._info: dict[str, int] = {}
        self._inbox = self._outbox = 0
        self._asked: list[calls.Part] = []

    def signed(self, suite: Suite, request: ServerRequest, timestamp_s: int, nonce: bytes) -> ServerRequest:
        """Sign any request of this account; see `auth.sign_request`."""
        return sign_request(
            suite,
            self._account,
            self._server_x,
            request,
            timestamp_s,
            nonce,
            blinded=self.blinded,
            family=self._rules.family,
        )

    def parts(self) -> list[calls.Part]:
        """Give the parts of the next poll."""
        parts = [calls.capabilities()]
        for token in self.rooms:
            known = 0 if self._rules.always_all_details else self._info.get(token, 0)
            parts.append(calls.poll_info(token, known))
            seqno = self._seqno.get(token)
            parts.append(
                calls.messages_recent(token) if seqno is None else calls.messages_since(token, seqno)
            )
        if self.blinded:
            if self._rules.asks_inbox:
                parts.append(calls.inbox(self._inbox or None))
            parts.append(calls.outbox(self._outbox or None))
        return parts

    def poll(self, suite: Suite, timestamp_s: int, nonce: bytes) -> ServerRequest:
        """Build the next poll; one is under way at a time."""
        self._asked = self.parts()
        return self.signed(suite, calls.batch(self._asked), timestamp_s, nonce)

    def take(self, answer: ServerAnswer) -> News:
        """Read the answer to the last poll, and remember how far it went.

        A part that is malformed or refused does not spoil the others.

        Raises:
            CommunityRefused: the whole was refused; if for want of a blinded id, one is used from now on.
            RemoteProtocolError: no answer to that batch.
        """
        asked, self._asked = self._asked, []
        try:
            got = answers.read_batch(answer)
            if len(got) != len(asked):
                raise RemoteProtocolError("a batch answered with another number of parts")
        except answers.CommunityRefused as refused:
            self.failures += 1
            if refused.status == 400 and "requires the use of blinded ids" in refused.text:
                self.blinded = True
            raise
        except RemoteProtocolError:
            self.failures += 1
            raise
        self.failures = 0
        found = _Found()
        for part, one in zip(asked, got, strict=True):
            if 200 <= one.status < 300:
                try:
                    self._digest(part.path, one.value, found)
                except RemoteProtocolError:
                    found.refused.append((part.path, 0))
            elif one.status != 304:
                found.refused.append((part.path, one.status))
        return News(
            tuple(found.posts),
            tuple(found.inbox),
            tuple(found.outbox),
            tuple(found.infos),
            tuple(found.refused),
        )

    def _digest(self, path: str, value: object, found: _Found) -> None:
        first, _, rest = path.removeprefix("/").partition("/")
        if first == "capabilities":
            self.blinded = "blind" in answers.read_capabilities(value)
        elif first == "inbox":
            found.inbox = answers.read_mail(value)
            self._inbox = max([self._inbox, *(mail.number for mail in found.inbox)])
        elif first == "outbox":
            found.outbox = answers.read_mail(value)
            self._outbox = max([self._outbox, *(mail.number for mail in found.outbox)])
        else:
            token, _, what = rest.partition("/")
            if what.startswith("pollInfo"):
                info = answers.read_room_info(value)
                found.infos.append(info)
                self._info[token] = info.info_updates or self._info.get(token, 0)
            else:
                posts = answers.read_posts(value)
                found.posts += [(token, post) for post in posts]
                known = self._seqno.get(token)
                if posts or known is not None:
                    self._seqno[token] = max([known or 0, *(post.seqno for post in posts)])

    def failed(self) -> None:
        """Note that no answer came."""
        self._asked, self.failures = [], self.failures + 1

    def pause_us(self) -> int:
        """Say how long to wait before the next poll."""
        rules, failures = self._rules, min(self.failures, _LONGEST_POWER)
        longer = failures * rules.failure_step_us
        if rules.failure_base:
            longer += round(rules.failure_base**failures * US_PER_S)
        return min(rules.interval_us + longer, max(rules.longest_us, rules.interval_us))


class _Found:
    """What is being collected from one answer."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, answers.RoomPost]] = []
        self.inbox: list[answers.DirectMail] = []
        self.outbox: list[answers.DirectMail] = []
        self.infos: list[answers.RoomInfo] = []
        self.refused: list[tuple[str, int]] = []
