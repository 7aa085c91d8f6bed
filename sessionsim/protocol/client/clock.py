"""The clock that a client writes into its requests, and how it is put right (transport 4).

    what is written = true time + what the device's clock is ahead + the correction

A 406 or 425 says that a time was wrong. The client then asks some random nodes for their `info`, and takes
the median of what they show more than its own clock, half a round trip before the answer; at most every ten
minutes. What was refused is not repeated by this: its caller does that, with the time put right by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from statistics import median_low
from typing import TYPE_CHECKING, Final

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.units import US_PER_DAY, US_PER_MS
from sessionsim.protocol.client.exchanges import Purpose
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.wire import rpc

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_NOTE: Final = note_of(Cause.NODE_LIST)
_PLAUSIBLE_MS: Final = 36_525 * US_PER_DAY // US_PER_MS  # Assumption: no clock is wrong by a century


class Clock:
    """The clock of one client. Args: client: whose; true_epoch_ms: unix time at simulated time 0."""

    def __init__(self, client: Client, true_epoch_ms: int) -> None:
        self._client, self._true_epoch_ms = client, true_epoch_ms
        self._ahead_ms = self._correction_ms = 0
        self.epoch_ms = true_epoch_ms  # what the client takes to be the time at simulated time 0
        self._question = rpc.request_body(client.body_style, rpc.info_call())
        self._asked = self._awaited = 0
        self._found_ms: list[int] = []
        self._last_us: int | None = None

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"clock": self.set}

    def set(self, ahead_us: int, now_us: int) -> list[Effect]:
        """Have the device's clock be so far ahead of the true time; a correction stays as it was."""
        self._ahead_ms = ahead_us // US_PER_MS
        self._changed()
        return []

    def restart(self) -> None:
        """Begin without a correction."""
        self._correction_ms, self._last_us = 0, None
        self._changed()

    def _changed(self) -> None:
        self.epoch_ms = self._true_epoch_ms + self._ahead_ms + self._correction_ms

    @property
    def off_ms(self) -> int:
        """How far what it writes is ahead of the true time."""
        return self._ahead_ms + self._correction_ms

    def doubt(self, now_us: int) -> None:
        """Learn that a node has taken a time for wrong."""
        client, rules = self._client, self._client.rules
        lately = self._last_us is not None and now_us - self._last_us < rules.clock_pause_us
        if not rules.clock_samples or self._awaited or lately:
            return
        self._last_us, self._found_ms = now_us, []
        draws = client.requests.pool.draws(client.entropy, b"clock" + self._asked.to_bytes(4, "little"))
        nodes = list(islice(draws, rules.clock_samples))
        self._awaited = len(nodes)
        for node in nodes:
            number, self._asked = self._asked, self._asked + 1
            client.requests.put_aside(
                client.requests.send(
                    number << 4 | Purpose.CLOCK, node, self._question, _NOTE, now_us,
                    lambda status, body, t_us: self._told(now_us, status, body, t_us),
                )
            )  # fmt: skip

    def _told(self, asked_us: int, status: int, body: bytes, now_us: int) -> list[Effect]:
        """Take one answer; put the clock right after the last."""
        self._awaited -= 1
        try:
            shown_ms = rpc.read_object(body).get("timestamp") if status == 200 else None
        except RemoteProtocolError:
            shown_ms = None
        if type(shown_ms) is int:
            half_way_us = (asked_us + now_us) // 2
            more_ms = shown_ms - self._client.wire_ms(half_way_us)
            if abs(more_ms) < _PLAUSIBLE_MS:
                self._found_ms.append(more_ms)
        if self._awaited == 0 and self._found_ms:
            self._correction_ms += median_low(self._found_ms)
            self._changed()
        return []
