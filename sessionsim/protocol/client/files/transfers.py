"""Transfers to and from servers, each tried until it succeeds, is refused for good, or used up.

A transfer knows nothing of messages or encryption: a request goes out, its answer comes back or a reason why
there is none. Files travel through onion requests like all else; a server that is down shows as a 502 of the
last hop, a silent one as time that has passed. A request is written anew for every try, since communities
take no signature twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from sessionsim.protocol.client.files.rules import FileRules
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from sessionsim.protocol.wire import v4
from sessionsim.protocol.wire.onion import STYLES
from sessionsim.protocol.wire.onion_server import ServerAddress

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

# Writes a request; gets its exchange number and the time in µs.
Write = Callable[[int, int], ServerRequest]
# Gets the answer, or None and the last status (0: no answer came), and the time in µs.
Done = Callable[[ServerAnswer | None, int, int], list[Effect]]

_TRY_BITS: Final = 12  # room for all tries of one transfer in an exchange number (FileRules: ≤ 15·100)
# A file that is gone stays gone. Source: session-desktop: onionSend.ts; session-ios:
# AttachmentDownloadJob.swift.
GONE: Final = 404


def _ever() -> bool:
    return True


class _Job:
    __slots__ = (
        "attempts",
        "attempts_max",
        "begun_us",
        "done",
        "made",
        "note",
        "number",
        "server",
        "timeout_us",
        "tries",
        "wanted",
        "write",
    )

    def __init__(
        self, number: int, server: ServerAddress, write: Write, note: int, attempts: int, timeout_us: int,
        done: Done, wanted: Callable[[], bool],
    ) -> None:  # fmt: skip
        self.wanted = wanted
        self.number, self.server, self.write = number, server, write
        self.note, self.done = note, done
        self.attempts_max, self.timeout_us = attempts, timeout_us
        self.made = self.attempts = self.tries = 0
        self.begun_us = 0  # of the attempt under way


class Transfers:
    """The transfers of one client.

    Args:
        client: whose.
        rules: the platform's.
    """

    def __init__(self, client: Client, rules: FileRules) -> None:
        self._client, self._rules = client, rules
        self._style = STYLES[client.rules.style]
        self._numbers = 0
        self._retries: list[tuple[int, int, _Job]] = []
        self._waiting: deque[_Job] = deque()  # downloads for which there is no room yet
        self._downloading = 0

    def __len__(self) -> int:
        """How many downloads are not over."""
        return len(self._waiting) + self._downloading

    def upload(
        self, server: ServerAddress, write: Write, note: int, now_us: int, done: Done,
        wanted: Callable[[], bool] = _ever,
    ) -> list[Effect]:  # fmt: skip
        """Start an upload. Args: wanted: says whether it is to be tried once more after a failure."""
        rules = self._rules
        return self._try(
            self._job(server, write, note, rules.upload_attempts, rules.upload_timeout_us, done, wanted),
            now_us,
        )

    def download(
        self, server: ServerAddress, write: Write, note: int, now_us: int, done: Done
    ) -> list[Effect]:
        """Start a download, at once or when those before it have ended."""
        rules = self._rules
        job = self._job(server, write, note, rules.download_attempts, rules.download_timeout_us, done)
        job.done = lambda answer, status, t_us: self._room(done(answer, status, t_us), t_us)
        if self._downloading >= rules.parallel_downloads:
            self._waiting.append(job)
            return []
        self._downloading += 1
        return self._try(job, now_us)

    def _job(
        self, server: ServerAddress, write: Write, note: int, attempts: int, timeout_us: int, done: Done,
        wanted: Callable[[], bool] = _ever,
    ) -> _Job:  # fmt: skip
        self._numbers += 1
        return _Job(self._numbers, server, write, note, attempts, timeout_us, done, wanted)

    def _room(self, effects: list[Effect], now_us: int) -> list[Effect]:
        """Go on with the next download in the place of one that is over."""
        if not self._waiting:
            self._downloading -= 1
            return effects
        return effects + self._try(self._waiting.popleft(), now_us)

    def next_due_us(self) -> int | None:
        """Give when the earliest repetition is due."""
        return self._retries[0][0] if self._retries else None

    def wake(self, now_us: int) -> list[Effect]:
        """Start the repetitions that are due."""
        effects: list[Effect] = []
        while self._retries and self._retries[0][0] <= now_us:
            job = heappop(self._retries)[2]
            effects += self._try(job, now_us) if job.wanted() else []
        return effects

    def _try(self, job: _Job, now_us: int) -> list[Effect]:
        exchange = (job.number << _TRY_BITS | job.made) << 4 | Purpose.FILE
        if not job.tries:
            job.begun_us = now_us
        job.made += 1
        job.tries += 1
        payload = v4.encode_request(self._style, job.write(exchange, now_us))
        return [
            self._client.requests.send_to_server(
                exchange, job.server, payload, job.note, now_us,
                lambda status, body, t_us: self._answered(job, status, body, t_us),
                timeout_us=job.timeout_us, files=True,
            )
        ]  # fmt: skip

    def _answered(self, job: _Job, status: int, body: bytes, now_us: int) -> list[Effect]:
        if 200 <= status < 300:
            return job.done(ServerAnswer(status, {}, body), status, now_us)
        if not job.wanted():
            return []
        rules = self._rules
        late = 0 < rules.attempt_timeout_us <= now_us - job.begun_us
        if job.tries < rules.tries and status != GONE and not late:
            pause_us = float(rules.try_pause_us << job.tries - 1)
        else:
            job.attempts, job.tries = job.attempts + 1, 0
            if job.attempts >= job.attempts_max or status == GONE:
                return job.done(None, status, now_us)
            pause_us = rules.pause_us * rules.pause_growth ** (job.attempts - 1)
            pause_us = min(pause_us, rules.pause_cap_us)
        heappush(self._retries, (now_us + int(pause_us), job.number, job))
        return []
