"""The file server: a store of blobs it cannot read (messages 6.3, client-behaviour 6.5).

`handle` takes a request and the time and gives an answer; there is nothing else. With hashed ids a second
upload of the same bytes is recognised: one copy, and the server knows that somebody uploaded it again. What
the operator can learn is what stands in `files` and `checks`: sizes, times, ids, and 07 ids of accounts
that asked for the newest client.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Iterable
from email.utils import formatdate
from heapq import heapify, heappop, heappush
from typing import Any, Final, NamedTuple

from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol.blinding import PLATFORMS
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.files.client import TTL_HEADER
from sessionsim.protocol.files.releases import STABLE, Release, version_answer
from sessionsim.protocol.files.server_rules import FileServerRules
from sessionsim.protocol.files.version_check import PATH, CheckRefused, check_request
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from sessionsim.protocol.wire.file_json import FileFacts, seconds, write_facts, write_json

HASH_BYTES: Final = 33  # gives 44 characters without padding. Source: client-behaviour 6.5
# Source: client-behaviour 6.5; session-file-server: fileserver/routes.py (generate_file_id)
_SALT: Final = b"SessionFileSvr\0\0"
_NUMBER_BITS: Final = 53  # Source: client-behaviour 6.5
_TRIES: Final = 25  # for a number that is free. Source: session-file-server: fileserver/routes.py
_FILE: Final = re.compile(r"/file/([^/]+)(/info|/extend)?")
_TTL: Final = re.compile(r"\s*[+-]?\d{1,15}\s*", re.ASCII)
_JSON: Final = "application/json"
_CHANNEL_LENGTH: Final = 25  # Source: session-file-server: schema.pgsql (varchar of a version check)
_SLACK: Final = 64  # Assumption: stale entries allowed beyond one per file


class StoredFile(NamedTuple):
    """A file on the server.

    Args:
        uploaded_us: when it was last uploaded, unix µs.
        expires_us: unix µs.
        uploads: how often it was uploaded.
    """

    blob: bytes
    uploaded_us: int
    expires_us: int
    uploads: int


class VersionCheck(NamedTuple):
    """A signed version check. Args: version_id: the 07 id, hex; at_us: unix µs."""

    version_id: str
    platform: str
    channel: str
    at_us: int


def hash_id(blob: bytes) -> str:
    """Give the id of a file: 44 characters of base64url. Source: client-behaviour 6.5."""
    digest = hashlib.blake2b(blob, digest_size=HASH_BYTES, salt=_SALT).digest()
    return binascii.b2a_base64(digest, newline=False).decode().translate(_URL_SAFE)


_URL_SAFE: Final = str.maketrans("+/", "-_")


class FileServer:
    """One file server.

    Args:
        rules: limits.
        suite: checks signatures of version checks.
        entropy: draws number ids.
        epoch_ms: unix ms at simulated time 0.
        releases: newest clients by platform.
    """

    __slots__ = ("_due", "_entropy", "_epoch_us", "_releases", "_rules", "_suite", "checks", "drawn", "files")

    def __init__(
        self,
        rules: FileServerRules,
        suite: Suite,
        entropy: Entropy,
        epoch_ms: int,
        releases: Iterable[tuple[str, Release]] = (),
    ) -> None:
        self._rules, self._suite, self._entropy = rules, suite, entropy
        self._epoch_us = epoch_ms * US_PER_MS
        self._releases = {(platform, release.channel): release for platform, release in releases}
        self.files: dict[str, StoredFile] = {}
        self.checks: list[VersionCheck] = []
        self.drawn = 0
        # (expiry, id): may be early or stale, never missing.
        self._due: list[tuple[int, str]] = []

    def handle(self, request: ServerRequest, now_us: int) -> ServerAnswer:
        """Answer a request.

        Args:
            request: anything.
            now_us: simulated time.

        Returns:
            200, or 400, 401, 404, 405, 413, 425, 502, 507 with what the real server says.

        Source: session-file-server: fileserver/routes.py.
        """
        unix_us = self._epoch_us + now_us
        self._clean(unix_us)
        path = request.endpoint.partition("?")[0]
        if path == "/file":
            return self._store(request, unix_us) if request.method == "POST" else _error(405)
        if path == PATH:
            return self._version(request, unix_us) if request.method == "GET" else _error(405)
        match = _FILE.fullmatch(path)
        if match is None:
            return _error(404)
        file_id, action = match.groups()
        if action == "/extend":
            if not self._rules.extends:
                return _error(404)
            return self._extend(request, file_id, unix_us) if request.method == "POST" else _error(405)
        if request.method != "GET":
            return _error(405)
        return self._info(file_id, unix_us) if action else self._fetch(file_id, unix_us)

    def stand(self, file_id: str, blob: bytes, age_us: int, now_us: int) -> None:
        """Have a file that was uploaded, or last extended, so long ago. Args: now_us: simulated time."""
        uploaded_us = self._epoch_us + now_us - age_us
        expires_us = uploaded_us + self._rules.lifetime_us
        self.files[file_id] = StoredFile(blob, uploaded_us, expires_us, 1)
        self._expire_later(file_id, expires_us)

    def _store(self, request: ServerRequest, unix_us: int) -> ServerAnswer:
        if not 0 < len(request.body) <= self._rules.max_bytes:
            return _error(413)
        lifetime_us = self._lifetime(request)
        if lifetime_us is None:
            return _error(400)
        file_id = hash_id(request.body) if self._rules.ids == "hash" else self._number()
        if not file_id:
            return _error(507)
        expires_us, uploads = unix_us + lifetime_us, 1
        known = self.files.get(file_id)
        if known is not None:
            uploads += known.uploads
            if self._rules.never_shortens:
                expires_us = max(expires_us, known.expires_us)
        self.files[file_id] = StoredFile(request.body, unix_us, expires_us, uploads)
        self._expire_later(file_id, expires_us)
        fields: dict[str, Any] = {"id": file_id}
        if self._rules.says_expiry:
            fields["expires"] = seconds(expires_us)
        return _answer(write_json(fields))

    def _lifetime(self, request: ServerRequest) -> int | None:
        wanted = request.header(TTL_HEADER) if self._rules.longest_lifetime_us else None
        if wanted is None:
            return self._rules.lifetime_us
        if _TTL.fullmatch(wanted) is None:
            return None
        lifetime_us = int(wanted) * US_PER_S
        return lifetime_us if 0 <= lifetime_us <= self._rules.longest_lifetime_us else None

    def _number(self) -> str:
        for _attempt in range(_TRIES):
            draw = self._entropy.draw(b"file id %d" % self.drawn)
            self.drawn += 1
            number = str(int.from_bytes(draw[:8], "big") >> (64 - _NUMBER_BITS))
            if number not in self.files:
                return number
        return ""

    def _live(self, file_id: str, unix_us: int) -> StoredFile | None:
        found = self.files.get(file_id)
        if found is None or (found.expires_us <= unix_us and not self._rules.serves_expired):
            return None
        return found

    def _fetch(self, file_id: str, unix_us: int) -> ServerAnswer:
        found = self._live(file_id, unix_us)
        if found is None:
            return _error(404)
        headers = {"content-type": "application/octet-stream"}
        if self._rules.says_expiry:
            headers["expires"] = formatdate(found.expires_us // US_PER_S, usegmt=True)
        return ServerAnswer(200, headers, found.blob)

    def _info(self, file_id: str, unix_us: int) -> ServerAnswer:
        found = self._live(file_id, unix_us)
        return _error(404) if found is None else _facts(found)

    def _extend(self, request: ServerRequest, file_id: str, unix_us: int) -> ServerAnswer:
        lifetime_us = self._lifetime(request)
        if lifetime_us is None:
            return _error(400)
        # A short id could by now be another file's. A file that has expired but was not yet removed lives on.
        found = self.files.get(file_id) if len(file_id) >= 44 else None
        if found is None:
            return _error(404)
        longer = found._replace(expires_us=max(found.expires_us, unix_us + lifetime_us))
        self.files[file_id] = longer
        self._expire_later(file_id, longer.expires_us)
        return _facts(longer)

    def _expire_later(self, file_id: str, expires_us: int) -> None:
        due = self._due
        if len(due) > 2 * len(self.files) + _SLACK:
            # Files that are extended over and over leave stale entries: start anew from what there is.
            due[:] = [(file.expires_us, name) for name, file in self.files.items()]
            heapify(due)
        else:
            heappush(due, (expires_us, file_id))

    def _clean(self, unix_us: int) -> None:
        # The clean-ups lie on a grid of the clock; the store catches up with them when it is used.
        due_us = unix_us - unix_us % self._rules.cleanup_period_us
        while self._due and self._due[0][0] <= due_us:
            expires_us, file_id = heappop(self._due)
            found = self.files.get(file_id)
            if found is not None and found.expires_us == expires_us:
                del self.files[file_id]

    def _version(self, request: ServerRequest, unix_us: int) -> ServerAnswer:
        platform = _queried(request.endpoint, "platform", "")
        channel = _queried(request.endpoint, "release_channel", STABLE)[:_CHANNEL_LENGTH]
        if platform not in PLATFORMS:
            return _error(404)
        try:
            asked_by = check_request(self._suite, request, unix_us)
        except CheckRefused as wrong:
            headers = {"content-type": "text/plain; charset=utf-8"}
            return ServerAnswer(wrong.status, headers, wrong.text.encode())
        if asked_by:
            self.checks.append(VersionCheck(asked_by, platform, channel, unix_us))
        fields = version_answer(self._releases, platform, channel)
        return _error(502) if fields is None else _answer(write_json(fields))


def _queried(endpoint: str, name: str, default: str) -> str:
    """Give a value of the query; the words asked for here need no percent-decoding."""
    fields = (field.partition("=") for field in endpoint.partition("?")[2].split("&"))
    return next((value for key, _, value in fields if key == name), default)


def _facts(found: StoredFile) -> ServerAnswer:
    return _answer(write_facts(FileFacts(len(found.blob), found.uploaded_us, found.expires_us)))


def _answer(body: bytes, status: int = 200) -> ServerAnswer:
    return ServerAnswer(status, {"content-type": _JSON}, body)


def _error(status: int) -> ServerAnswer:
    # 404 for an unknown path and 405 come from the web framework, as a page; here they look like the others.
    return _answer(write_json({"status_code": status}), status)
