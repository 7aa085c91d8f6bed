"""The version check: a client asks the file server now and then for the newest app (client-behaviour 6.5).

The request is signed with a key of its own (prefix 07), so the file server counts accounts, sees when their
apps run and on which platform, and knows no account id. Apps that sleep in the background ask in front only.
What comes back changes nothing in a run: nobody installs anything.

Event: `version-checked` (−1; value: the status of the answer, 0 for none).
Sources: see `update_rules`; the request itself is `protocol.files.version_check`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import ProtocolError
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.client.exchanges import Purpose
from sessionsim.protocol.client.files.rules import FileRules
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.paths import number_at
from sessionsim.protocol.client.update_rules import UpdateRules
from sessionsim.protocol.files.client import newest_version
from sessionsim.protocol.files.releases import STABLE
from sessionsim.protocol.files.version_check import version_request
from sessionsim.protocol.machine import EVENT, Effect
from sessionsim.protocol.server_request import ServerAnswer
from sessionsim.protocol.wire import v4
from sessionsim.protocol.wire.onion import STYLES
from sessionsim.protocol.wire.onion_server import ServerAddress

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_NOTE: Final = note_of(Cause.FILE)
_APART: Final = 1 << 44  # exchange numbers of these checks, above those of files
_TRY_BITS: Final = 4  # room for the tries of one check (FileRules.tries ≤ 15)
_OK: Final = 200


class Updates:
    """The version checks of one device.

    Args:
        client: whose.
        platform: desktop, android or ios.
        server: the file server.
        rules: when it asks.
        file_rules: how often a request to a server is tried.
    """

    def __init__(
        self, client: Client, platform: str, server: ServerAddress, rules: UpdateRules, file_rules: FileRules
    ) -> None:
        self._client, self._platform, self._server = client, platform, server
        self._rules, self._tries, self._try_pause_us = rules, file_rules.tries, file_rules.try_pause_us
        self._style = STYLES[client.rules.style]
        self._due_us = 0  # if the last check was answered
        self._again_us: int | None = None  # if it was not
        self._spell = 0  # the time in front in which it was not
        self._next_try_us: int | None = None
        self._under_way = False
        self._checks = self._tried = 0

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {}

    def start(self, now_us: int) -> list[Effect]:
        """Go on as if it had last asked at a random time of the past interval."""
        rules = self._rules
        if self._client.rules.first_start:
            self._due_us = now_us + rules.start_us
        else:
            self._due_us = now_us + number_at(self._client.entropy, b"update phase", rules.interval_us)
        return []

    def away(self, now_us: int) -> list[Effect]:
        """Have no network any more: `Client` ends what is under way."""
        return []

    def back(self, now_us: int) -> list[Effect]:
        """Start anew: who remembers nothing asks a while later."""
        if self._next_try_us is not None:
            self._under_way, self._next_try_us = False, None
        if not self._rules.remembered:
            self._due_us, self._again_us = now_us + self._rules.start_us, None
        return []

    def next_due_us(self) -> int | None:
        presence = self._client.presence
        if self._under_way:
            return self._next_try_us
        if not presence.foreground and self._client.rules.in_background == "sleeps":
            return None
        if self._again_us is None or (self._rules.front_retries and self._spell != presence.spells):
            return self._due_us
        return max(self._due_us, self._again_us)

    def wake(self, now_us: int) -> list[Effect]:
        due_us = self.next_due_us()
        if due_us is None or due_us > now_us:
            return []
        if not self._under_way:
            self._under_way, self._tried = True, 0
            self._checks += 1
        self._next_try_us = None
        self._tried += 1
        return [self._ask(now_us)]

    def _ask(self, now_us: int) -> Effect:
        client = self._client
        # Only desktop has channels. Source: session-desktop: FileServerApi.ts
        channel = STABLE if self._platform == "desktop" else ""
        seconds = client.wire_ms(now_us) * 1000 // US_PER_S
        request = version_request(client.suite, client.account, self._platform, seconds, channel=channel)
        exchange = (_APART | self._checks << _TRY_BITS | self._tried) << 4 | Purpose.FILE
        payload = v4.encode_request(self._style, request)
        return client.requests.send_to_server(
            exchange, self._server, payload, _NOTE, now_us, self._answered, files=True
        )

    def _answered(self, status: int, body: bytes, now_us: int) -> list[Effect]:
        rules = self._rules
        try:
            if status == _OK:
                newest_version(ServerAnswer(status, {}, body))
        except ProtocolError:
            status = 0
        if status != _OK and self._tried < self._tries and self._client.presence.awake:
            self._next_try_us = now_us + (self._try_pause_us << self._tried - 1)
            return []
        self._under_way = False
        if status == _OK:
            self._due_us, self._again_us = now_us + rules.interval_us, None
        else:
            self._again_us, self._spell = now_us + rules.retry_us, self._client.presence.spells
        return [(EVENT, "version-checked", -1, status)]
