"""The file server as a client sees it: requests and answers (messages 6.3, client-behaviour 6.5).

    POST /file                 raw body          -> id, expiry
    GET  /file/<id>                              -> raw body
    GET  /file/<id>/info                         -> size, upload time, expiry
    POST /file/<id>/extend                       -> the same, with the new expiry; 44-character ids only
    GET  /session_version      (`version_check`) -> newest client

Families differ in the headers of an upload; the server ignores all but `X-FS-TTL`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sessionsim.core.errors import InvalidInput, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.files.address import is_file_id
from sessionsim.protocol.files.avatar import HASH_ID_LENGTH
from sessionsim.protocol.files.deterministic import MAX_BYTES, sealed_bytes
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from sessionsim.protocol.wire.file_json import (
    FileFacts,
    Uploaded,
    read_facts,
    read_uploaded,
    read_version,
)

TTL_HEADER: Final = "X-FS-TTL"  # seconds. Source: messages 6.3
# Source: the blob of the largest file a client encrypts (messages 6.2): 10 223 616 bytes.
MAX_BLOB_BYTES: Final = sealed_bytes(MAX_BYTES)
# Headers of an upload. Sources: session-desktop: ts/session/onions/onionSend.ts (none); session-android:
# .../file_server/FileUploadApi.kt; libsession-util: src/network/backends/session_file_server.cpp.
UPLOAD_HEADERS: Final[Mapping[str, Mapping[str, str]]] = {
    "desktop": {},
    "android": {"Content-Disposition": "attachment", "Content-Type": "application/octet-stream"},
    "libsession": {"Content-Type": "application/octet-stream", "Content-Disposition": "attachment"},
}


class FileRefused(RemoteProtocolError):
    """The server answered with an error. Args: status: its HTTP status; 404 for a file that is gone."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the file server answers {status}")
        self.status = status


def upload_request(blob: bytes, *, style: str = "desktop", ttl_s: int | None = None) -> ServerRequest:
    """Build the request that stores a file.

    Args:
        blob: the encrypted file.
        style: a client family of `UPLOAD_HEADERS`.
        ttl_s: how long to keep it, seconds; None for the server's default.

    Raises:
        InvalidInput: nothing to upload, or more than any client encrypts.
        LocalProtocolError: an unknown style or a negative time.
    """
    if style not in UPLOAD_HEADERS:
        raise LocalProtocolError(f"no client family {style!r}")
    if not 0 < len(blob) <= MAX_BLOB_BYTES:
        raise InvalidInput("upload", f"{len(blob)} bytes", f"1 to {MAX_BLOB_BYTES} bytes")
    return ServerRequest("POST", "/file", {**UPLOAD_HEADERS[style], **_ttl(ttl_s)}, blob)


def download_request(file_id: str) -> ServerRequest:
    """Build the request that fetches a file. Raises LocalProtocolError: no id."""
    return ServerRequest("GET", f"/file/{_checked(file_id)}", {})


def facts_request(file_id: str) -> ServerRequest:
    """Build the request that asks for size and expiry. Raises LocalProtocolError: no id."""
    return ServerRequest("GET", f"/file/{_checked(file_id)}/info", {})


def extend_request(file_id: str, *, ttl_s: int | None = None) -> ServerRequest:
    """Build the request that lets a file live longer.

    Args:
        ttl_s: from now, seconds; None for the server's default. libsession always names it.

    Raises:
        LocalProtocolError: no 44-character id; older ids cannot be extended.
    """
    if len(_checked(file_id)) != HASH_ID_LENGTH:
        raise LocalProtocolError("only ids of 44 characters can be extended")
    return ServerRequest("POST", f"/file/{file_id}/extend", _ttl(ttl_s))


def _ttl(ttl_s: int | None) -> dict[str, str]:
    if ttl_s is not None and ttl_s < 0:
        raise LocalProtocolError(f"a time to live of {ttl_s} s")
    return {} if ttl_s is None else {TTL_HEADER: str(ttl_s)}


def _checked(file_id: str) -> str:
    if not is_file_id(file_id):
        raise LocalProtocolError("not the id of a file")
    return file_id


def _body(answer: ServerAnswer) -> bytes:
    if answer.status != 200:
        raise FileRefused(answer.status)
    return answer.body


def uploaded(answer: ServerAnswer) -> Uploaded:
    """Read the answer to `upload_request`.

    Raises:
        FileRefused: an error status, 413 for a file too large.
        RemoteProtocolError: no id that a file can have, or a malformed answer.
    """
    found = read_uploaded(_body(answer))
    if not is_file_id(found.file_id):
        raise RemoteProtocolError("an id no file can have")
    return found


def downloaded(answer: ServerAnswer) -> bytes:
    """Read the answer to `download_request`. Raises FileRefused; RemoteProtocolError: an empty file."""
    blob = _body(answer)
    if not blob:
        raise RemoteProtocolError("an empty file")
    return blob


def facts(answer: ServerAnswer) -> FileFacts:
    """Read the answer to `facts_request` or `extend_request`. Raises FileRefused, RemoteProtocolError."""
    return read_facts(_body(answer))


def newest_version(answer: ServerAnswer) -> str:
    """Read the answer to `version_request`. Raises FileRefused, RemoteProtocolError."""
    return read_version(_body(answer))
