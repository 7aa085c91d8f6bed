"""Keeping the own picture alive: a job that runs once a day on every device (client-behaviour 6.5).

The file is extended; where the server refuses, and the picture was not renewed for long, it is uploaded anew,
and its new address goes into the profile and so to all who read it (`files.avatar` has the rules). What a
device did last it remembers itself. The job runs while the client is awake; one that sleeps makes up for it.

A picture from before the run has drawn bytes of the usual size, since nobody has seen it.

Event: `picture-renewed` (−1; value: 1 extended, 2 uploaded, 0 neither).
Sources: session-desktop: AvatarReuploadJob.ts; session-android: AvatarReuploadWorker.kt; session-ios:
ReuploadUserDisplayPictureJob.swift.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import ProtocolError
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol.client.files.sealing import address_of, file_id_at
from sessionsim.protocol.client.files.transfers import GONE
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.paths import number_at
from sessionsim.protocol.configs.fields import Picture
from sessionsim.protocol.files.avatar import (
    ProfilePicture,
    Upkeep,
    UpkeepRules,
    upkeep,
    upkeep_after_refusal,
)
from sessionsim.protocol.files.client import extend_request, upload_request, uploaded
from sessionsim.protocol.files.deterministic import Purpose as FilePurpose
from sessionsim.protocol.files.deterministic import seal_file
from sessionsim.protocol.machine import EVENT, Effect
from sessionsim.protocol.server_request import ServerAnswer

if TYPE_CHECKING:
    from sessionsim.protocol.client.configs.held import Held
    from sessionsim.protocol.client.files import Files
    from sessionsim.protocol.client.machine import Client

_NOTE: Final = note_of(Cause.FILE)
_EXTENDED, _UPLOADED, _NEITHER = 1, 2, 0
BYTES_BEFORE: Final = 60_000  # Assumption: the median of pictures in `workload` (avatar_median)

# Shows another picture: its address, its key, the time in µs.
Show = Callable[[str, bytes, int], list[Effect]]


class AvatarUpkeep:
    """The daily job of one device.

    Args:
        client: whose.
        rules: its platform's.
        held: the account's configs, which say what is shown.
        files: moves files.
        show: takes what was uploaded anew.
    """

    def __init__(self, client: Client, rules: UpkeepRules, held: Held, files: Files, show: Show) -> None:
        self._client, self._rules, self._held, self._files, self._show = client, rules, held, files, show
        self._made: dict[str, bytes] = {}  # content of the pictures that this device has uploaded
        self._renewed_us = 0  # unix time
        self._next_us: int | None = None

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {}

    def made(self, url: str, content: bytes) -> None:
        """Learn what a picture consists of that this device has uploaded."""
        self._made[url] = content

    def start(self, now_us: int) -> list[Effect]:
        """Go on as if the job had run last at a random time of the past period."""
        period_us = self._rules.period_us
        if period_us:
            ago_us = number_at(self._client.entropy, b"avatar phase", period_us)
            self._renewed_us = self._unix_us(now_us) - ago_us
            self._next_us = now_us + period_us - ago_us
        return []

    def next_due_us(self) -> int | None:
        return self._next_us

    def wake(self, now_us: int) -> list[Effect]:
        if self._next_us is None or self._next_us > now_us:
            return []
        self._next_us = now_us + self._rules.period_us
        picture = self._held.profile.picture
        if picture is None:
            return []
        updated_us = max(self._held.profile.updated_s * US_PER_S, self._renewed_us)
        try:
            what = upkeep(
                self._rules, ProfilePicture(picture.url, picture.key), updated_us, self._unix_us(now_us)
            )
        except ProtocolError:  # the address is none of a file server
            return []
        if what is Upkeep.EXTEND:
            return self._extend(picture, updated_us, now_us)
        return self._upload(picture, now_us) if what is Upkeep.UPLOAD else []

    def _unix_us(self, now_us: int) -> int:
        return self._client.wire_ms(now_us) * US_PER_MS

    def _extend(self, picture: Picture, updated_us: int, now_us: int) -> list[Effect]:
        files = self._files
        request = extend_request(file_id_at(picture.url))

        def done(answer: ServerAnswer | None, status: int, t_us: int) -> list[Effect]:
            if answer is not None:
                return self._over(_EXTENDED, t_us)
            now, expired = self._unix_us(t_us), status == GONE
            if upkeep_after_refusal(self._rules, updated_us, now, expired=expired) is Upkeep.UPLOAD:
                return self._upload(picture, t_us)
            return self._over(_NEITHER, t_us)

        return files.transfers.upload(files.server, lambda _exchange, _t_us: request, _NOTE, now_us, done)

    def _upload(self, picture: Picture, now_us: int) -> list[Effect]:
        """Upload the same content again; the same key gives the same bytes, and so the same id."""
        client, files = self._client, self._files
        content = self._made.get(picture.url)
        if content is None:
            content = client.entropy.expand(b"picture before " + picture.url.encode(), BYTES_BEFORE)
        sealed = seal_file(content, client.account.ed.secret, FilePurpose.PROFILE_PICTURE)
        request = upload_request(sealed.blob, style=client.rules.body_style)

        def done(answer: ServerAnswer | None, _status: int, t_us: int) -> list[Effect]:
            try:
                file_id = uploaded(answer).file_id if answer is not None else None
            except ProtocolError:
                file_id = None
            if file_id is None:
                return self._over(_NEITHER, t_us)
            url = address_of(client, file_id, "deterministic")
            self.made(url, content)
            effects = self._over(_UPLOADED, t_us)
            return effects + self._show(url, sealed.key, t_us) if url != picture.url else effects

        return files.transfers.upload(files.server, lambda _exchange, _t_us: request, _NOTE, now_us, done)

    def _over(self, value: int, now_us: int) -> list[Effect]:
        if value != _NEITHER:
            self._renewed_us = self._unix_us(now_us)
        return [(EVENT, "picture-renewed", -1, value)]
