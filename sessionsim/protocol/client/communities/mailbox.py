"""Messages through a community to somebody who is known only by a blinded id (messages 3.2, 8).

Such a message is a request to a stranger: it lies in the inbox of the blinded id at the server, which sees
the two pseudonyms, and tells the other side who really writes. A yes to it goes the usual way, from account
to account (`message_requests`); then the writer knows whose pseudonym it was. The writer's other devices read
it in the outbox. The server does not recognise a message that it has: one whose answer was lost lies there
twice, and is shown once.

Command: `("inbox-text", ref, room, blinded id, text)`.
Sources: session-desktop: ts/models/conversation.ts (sendBlindedMessageRequest), sogsApiV3.ts
(handleInboxOutboxMessages), ts/receiver/contentMessage.ts (handleMessageRequestResponse).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import CannotOpen, ProtocolError
from sessionsim.core.units import US_PER_DAY, US_PER_MS
from sessionsim.protocol import blinded_message, contents
from sessionsim.protocol.blinding import blinded_id_matches
from sessionsim.protocol.client.approvals import Approvals
from sessionsim.protocol.client.communities.standing import Standing
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.client.sealing import Opened
from sessionsim.protocol.communities import calls
from sessionsim.protocol.communities.answers import DirectMail
from sessionsim.protocol.communities.mail import mail_names
from sessionsim.protocol.contents import Expiry, Message, Text, write
from sessionsim.protocol.crypto.aead import NONCE_BYTES
from sessionsim.protocol.machine import DELIVER, LOG, Effect
from sessionsim.protocol.versions.v1 import Profile
from sessionsim.protocol.wire import v4
from sessionsim.protocol.wire.onion import STYLES
from sessionsim.protocol.wire.padding import pad, unpad

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_LIFETIME_MS: Final = 15 * US_PER_DAY // US_PER_MS  # Source: messages 8
_ATTEMPT_BITS: Final = 8  # ClientRules.send_attempts ≤ 100
_FIRST: Final = 1 << 41  # numbers below are those of `posting` and `remarks`, which share the purpose
_MAIL: Final = 1  # lowest bit of an exchange number; 0 for polls
_GONE: Final = 404


class _Letter:
    """A message on its way. Args: to: 33 bytes, the blinded id."""

    __slots__ = ("attempts", "number", "ref", "sealed", "standing", "to")

    def __init__(self, number: int, ref: int, standing: Standing, to: bytes, sealed: bytes) -> None:
        self.number, self.ref, self.standing, self.to, self.sealed = number, ref, standing, to, sealed
        self.attempts = 0


class Mailbox:
    """What one client writes and reads in inboxes.

    Args:
        client: whose.
        standings: its servers.
        profile: what it tells about itself.
        approvals: who has accepted whom; None if the run does not ask.
    """

    def __init__(
        self,
        client: Client,
        standings: Sequence[Standing],
        profile: Profile | None,
        approvals: Approvals | None = None,
    ) -> None:
        self._client, self._standings, self.profile = client, standings, profile
        self._approvals = approvals
        self._style = STYLES[client.rules.style]
        self._open: dict[int, _Letter] = {}
        self._retries: list[tuple[int, int, _Letter]] = []
        self._begun = 0
        self._asked: dict[tuple[bytes, bytes], None] = {}  # key of a server, blinded id
        client.readers.append(self._came)

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"inbox-text": self._write}

    def pending(self) -> Iterator[int]:
        """Give the messages that are neither up nor given up."""
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

    def forget(self, reason: str) -> list[Effect]:
        """Give up all messages that are not up."""
        given_up: list[Effect] = [(LOG, "failed", ref, reason) for ref in self._open]
        self._open.clear()
        self._retries.clear()
        return given_up

    # --- writing ------------------------------------------------------------------------------------------

    def _write(self, ref: int, room: int, to: bytes, body: str, now_us: int) -> list[Effect]:
        standing = next((one for one in self._standings if room in one.tokens), None)
        if standing is None:
            return [(LOG, "failed", ref, "a room that is not read")]
        self._begun += 1
        client, sent_ms = self._client, self._client.wire_ms(now_us)
        text = Text(body, profile=self.profile, blocks_community_requests=False)
        content = write(Message(sent_ms, text, Expiry() if self.profile else None))
        nonce = client.entropy.draw(b"inbox nonce" + self._begun.to_bytes(8, "little"))[:NONCE_BYTES]
        try:
            sealed = blinded_message.seal(client.account, standing.address.x25519, to, pad(content), nonce)
        except CannotOpen:
            return [(LOG, "failed", ref, "no blinded id")]
        letter = _Letter(_FIRST + self._begun, ref, standing, to, sealed)
        name, copy = mail_names(sealed)
        self._open[ref] = letter
        standing.seen |= {name, copy}
        self._asked[standing.address.x25519, to] = None
        written = (LOG, "written", ref, (sent_ms, sent_ms + _LIFETIME_MS))
        return [(LOG, "hash", ref, name), written, *self._attempt(letter, now_us)]

    def _attempt(self, letter: _Letter, now_us: int) -> list[Effect]:
        if letter.ref not in self._open:
            return []
        exchange = (letter.number << _ATTEMPT_BITS | letter.attempts) << 1 | _MAIL
        exchange = exchange << 4 | Purpose.COMMUNITY
        letter.attempts += 1
        part = calls.send_direct(letter.to.hex(), letter.sealed)
        request = letter.standing.signed(part.alone(), exchange, now_us)
        return [
            (LOG, "attempts", letter.ref, letter.attempts),
            self._client.requests.send_to_server(
                exchange, letter.standing.address, v4.encode_request(self._style, request),
                note_of(Cause.COMMUNITY, letter.ref), now_us,
                lambda status, _body, t_us: self._answered(letter, status, t_us),
            ),
        ]  # fmt: skip

    def _answered(self, letter: _Letter, status: int, now_us: int) -> list[Effect]:
        ref = letter.ref
        if ref not in self._open:
            return []
        if 200 <= status < 300:
            del self._open[ref]
            copy = mail_names(letter.sealed)[1]
            return [
                (LOG, "stored", ref, now_us), (LOG, "sync_hash", ref, copy), (LOG, "sync_stored", ref, now_us)
            ]  # fmt: skip
        rules = self._client.rules
        if letter.attempts >= rules.send_attempts or status == _GONE:
            del self._open[ref]
            return [(LOG, "failed", ref, f"status {status}")]
        pause_us = rules.send_backoff_us * rules.send_backoff_growth ** (letter.attempts - 1)
        due_us = now_us + int(min(pause_us, rules.send_backoff_cap_us))
        heappush(self._retries, (due_us, letter.number, letter))
        return []

    # --- reading ------------------------------------------------------------------------------------------

    def take(self, standing: Standing, mail: DirectMail, now_us: int, *, sent: bool) -> list[Effect]:
        """Show what a poll brought, once. Args: sent: it lay in the outbox."""
        name = mail_names(mail.sealed)[sent]
        if name in standing.seen:
            return []
        standing.seen.add(name)
        client, server_x = self._client, standing.address.x25519
        try:
            opened = blinded_message.unseal(
                client.account, server_x, mail.sender, mail.recipient, mail.sealed
            )
            content = unpad(opened.message)
            message = contents.read(content)
        except ProtocolError:
            return []
        if not isinstance(message.part, Text):
            return []
        if sent:
            self._asked[server_x, mail.recipient] = None
        effects: list[Effect] = [(DELIVER, opened.sender, message.sent_ms, message.part.body, name)]
        for reader in client.readers if not sent else ():
            effects += reader(name, Opened(opened.sender, content), now_us)
        return effects

    def _came(self, _message_hash: str, opened: Opened, now_us: int) -> list[Effect]:
        """See who says or writes something: perhaps who was asked under a pseudonym, and accepted thereby."""
        if self._approvals is None or not self._asked or opened.group_id:
            return []
        if opened.sender_id == self._client.account.id:
            return []
        for server_x, blinded_id in self._asked:
            if blinded_id_matches(opened.sender_id, blinded_id, server_x):
                return self._approvals.give(opened.sender_id, now_us)
        return []
