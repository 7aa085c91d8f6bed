"""Fast mode on a device: registered with its platform, subscribed at the push server, woken by pushes.

A push carries the stored message itself, sealed as it lies in the swarm, so the device reads it without
asking anybody; one that carries none makes it poll. Pushes are confirmed to the platform. What a poll brings
later is known by its hash. The subscription goes over an onion path, so the push server learns account and
token but no address; the platform knows the address and the token.

Events: `push-subscribed` (value 1, or 0 if the server did not take it), `pushed` (message; value: bytes of
the body, -1 for none).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from sessionsim.core.columns import Cause, Transport, note_of
from sessionsim.core.errors import ProtocolError, RemoteProtocolError
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol import namespaces as ns
from sessionsim.protocol.client.exchanges import Done
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.paths import number_at
from sessionsim.protocol.client.push.rules import PushListenerRules
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.machine import CLOSE, EVENT, SEND, Effect
from sessionsim.protocol.push.authority import Authority
from sessionsim.protocol.push.payload import Pushed, read_push
from sessionsim.protocol.push.subscription import Device, sign_subscription, subscribe_request
from sessionsim.protocol.server_request import ServerRequest
from sessionsim.protocol.servers.platform import DELIVERY, REGISTER
from sessionsim.protocol.wire import v4
from sessionsim.protocol.wire.frame import decode_object
from sessionsim.protocol.wire.onion import STYLES
from sessionsim.protocol.wire.onion_server import ServerAddress
from sessionsim.protocol.wire.push_json import read_parts
from sessionsim.protocol.wire.rpc import Retrieved, message_hash

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_TLS: Final = int(Transport.TLS)
_NOTE: Final = note_of(Cause.PUSH)
_PHASE_US: Final = 5 * US_PER_S  # Assumption: devices of a run register within so long of its start
# Lengths of tokens. Source: spns/notifiers/apns.py for Apple; Assumption for the others: as seen in the wild.
TOKEN_LENGTHS: Final = {"apns": 64, "firebase": 163, "huawei": 130}


class PushListener:
    """The part of a device in fast mode.

    Args:
        client: whose.
        server: the push server.
        platform: endpoint of the device's push platform.
        rules: the platform's.
    """

    def __init__(
        self, client: Client, server: ServerAddress, platform: int, rules: PushListenerRules
    ) -> None:
        self._client, self._server, self._platform, self.rules = client, server, platform, rules
        length = TOKEN_LENGTHS[rules.service]
        self.token = client.entropy.expand(b"push token", length // 2 + 1).hex()[:length]
        self.enc_key = client.entropy.draw(b"push key")[:32]
        self.device = Device(rules.service, self.token)
        self.subscribed = False  # the server has taken the own account
        # Who reads what is pushed of other accounts, and who is told of each subscription that was taken.
        self.elsewhere: Callable[[Pushed, int], list[Effect]] | None = None
        self.renewed: Callable[[int], None] = _nobody
        self._numbers = 0
        self._failures = 0
        self._next_us: int | None = None
        self._registered = False
        client.listeners[DELIVERY] = self.receive
        client.presence.fast_mode = True
        client.presence.errands.append(self.next_due_us)

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {}

    def start(self, now_us: int) -> list[Effect]:
        self._next_us = now_us + number_at(self._client.entropy, b"push phase", _PHASE_US)
        return []

    def next_due_us(self) -> int | None:
        return self._next_us

    def wake(self, now_us: int) -> list[Effect]:
        if self._next_us is None or self._next_us > now_us:
            return []
        effects = [] if self._registered else self.register()
        return effects + self._subscribe(now_us)

    def away(self, now_us: int) -> list[Effect]:
        """Lose the connection to the platform, if there is one."""
        return [(CLOSE, self._platform, _TLS)] if self._registered else []

    def back(self, now_us: int) -> list[Effect]:
        """Connect again after a time without network, if it ever was connected."""
        return self.register() if self._registered else []

    def register(self) -> list[Effect]:
        """Connect to the push platform; what it has kept for the device then comes."""
        self._registered = True
        token = self.token.encode()
        return [(SEND, self._platform, _TLS, self._exchange(), REGISTER, token, _NOTE)]

    def _exchange(self) -> int:
        self._numbers += 1
        return self._numbers << 4 | Purpose.PUSH

    # --- the push server ----------------------------------------------------------------------------------

    def _subscribe(self, now_us: int) -> list[Effect]:
        """Subscribe to the own account, or subscribe again."""
        self._next_us = None
        client, account = self._client, self._client.account
        authority = Authority(account.id, account.ed.public)
        now_s = client.wire_ms(now_us) * US_PER_MS // US_PER_S
        signed = sign_subscription(
            authority, lambda text: client.suite.sign(account.ed, text), self.rules.namespaces, now_s
        )
        request = subscribe_request([(signed, self.device, self.enc_key)])
        return [self.ask(request, now_us, self._subscribed)]

    def ask(self, request: ServerRequest, now_us: int, done: Done) -> Effect:
        """Send a request to the push server."""
        payload = v4.encode_request(STYLES[self._client.rules.style], request)
        exchange = self._exchange()
        return self._client.requests.send_to_server(exchange, self._server, payload, _NOTE, now_us, done)

    def _subscribed(self, status: int, body: bytes, now_us: int) -> list[Effect]:
        rules, took = self.rules, status == 200 and _is_taken(body)
        if took:
            self.subscribed = True
            self.renewed(now_us)
            self._failures, pause_us = 0, rules.renew_us
        else:
            pause_us = min(rules.retry_us << min(self._failures, 40), rules.retry_cap_us)
            self._failures += 1
        self._next_us = now_us + pause_us
        return [(EVENT, "push-subscribed", -1, int(took))]

    # --- pushes -------------------------------------------------------------------------------------------

    def receive(self, src: int, conn: int, exchange: int, payload: bytes, now_us: int) -> list[Effect]:
        """Take what claims to be a push. Anybody may send one; only the platform's are looked at."""
        if src != self._platform:
            return []
        effects: list[Effect] = [(SEND, src, conn, exchange, 200, b"", 0)]
        try:
            pushed = self._opened(payload)
        except ProtocolError:
            return effects + self._poll(now_us)
        body = pushed.data
        effects.append((EVENT, "pushed", pushed.hash, -1 if body is None else len(body)))
        if pushed.account != self._client.account.id and self.elsewhere is not None:
            return effects + self.elsewhere(pushed, now_us)
        take = self._client.takers.get(ns.DEFAULT)
        is_own = pushed.account == self._client.account.id and pushed.namespace == ns.DEFAULT
        if body is None or not is_own or not self.rules.takes_body or take is None:
            return effects + self._poll(now_us)
        named = message_hash(pushed.account, pushed.namespace, body)
        message = Retrieved(named, pushed.timestamp_ms or 0, pushed.expiry_ms or 0, body)
        return effects + take(message, now_us)

    def _opened(self, payload: bytes) -> Pushed:
        written = decode_object(payload).get("enc_payload")
        if type(written) is not str:
            raise RemoteProtocolError("a push without payload")
        return read_push(written, self.enc_key, accepts_dict=self.rules.reads_dict)

    def _poll(self, now_us: int) -> list[Effect]:
        if not self.rules.polls_without_body:
            return []
        client = self._client
        return (
            client.do("poll", now_us) if client.presence.awake else client.presence.come_round(now_us, "poll")
        )


def _nobody(now_us: int) -> None:
    """Listen in nobody's place."""


def _is_taken(body: bytes) -> bool:
    try:
        parts, _ = read_parts(body)
    except RemoteProtocolError:
        return False
    return bool(parts) and isinstance(parts[0], dict) and parts[0].get("success") is True
