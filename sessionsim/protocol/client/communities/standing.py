"""Where a client stands with one community server: its rooms, its pseudonym, requests in its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sessionsim.core.units import US_PER_S
from sessionsim.protocol.blinding import blind15_id_of_ed25519
from sessionsim.protocol.communities.auth import NONCE_BYTES
from sessionsim.protocol.communities.poll_rules import CommunityPollRules
from sessionsim.protocol.communities.poller import CommunityPoller
from sessionsim.protocol.server_request import ServerRequest
from sessionsim.protocol.wire.onion_server import ServerAddress

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client


class Standing:
    """One client and one server.

    Args:
        client: whose.
        number: of the server among those the client uses.
        address: the server.
        rooms: numbers of the rooms that are read there -> their tokens.
        rules: how the platform polls.
    """

    def __init__(
        self,
        client: Client,
        number: int,
        address: ServerAddress,
        rooms: Sequence[tuple[int, str]],
        rules: CommunityPollRules,
    ) -> None:
        self._client, self.number, self.address = client, number, address
        self.tokens = dict(rooms)
        self.poller = CommunityPoller(client.account, address.x25519, [token for _, token in rooms], rules)
        self.own_id = blind15_id_of_ed25519(client.account.ed.public, address.x25519)
        self.polls = 0
        self.next_us: int | None = None
        self.seen: set[str] = set()  # names of posts shown, or made on this device
        self.numbers: dict[str, int] = {}  # of posts that a poll has brought, by name

    def signed(self, request: ServerRequest, exchange: int, now_us: int) -> ServerRequest:
        """Sign a request; its nonce belongs to its exchange number, so that none is used twice."""
        client = self._client
        nonce = client.entropy.draw(b"community nonce" + exchange.to_bytes(8, "little"))[:NONCE_BYTES]
        return self.poller.signed(client.suite, request, self._seconds(now_us), nonce)

    def poll(self, exchange: int, now_us: int) -> ServerRequest:
        """Write the next poll."""
        nonce = self._client.entropy.draw(b"community nonce" + exchange.to_bytes(8, "little"))[:NONCE_BYTES]
        return self.poller.poll(self._client.suite, self._seconds(now_us), nonce)

    def _seconds(self, now_us: int) -> int:
        return self._client.wire_ms(now_us) * 1000 // US_PER_S
