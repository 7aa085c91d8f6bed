"""The JSON of the file server's answers, written as the server does and read as clients do (messages 6.3).

Python's own writer is used because the server's is the same: a blank after each comma and colon, times as
seconds with fraction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.wire.frame import decode_object

_US_PER_S: Final = 1_000_000
_LATEST_S: Final = 1 << 40  # Assumption: bounds a time that a foreign server names


class FileFacts(NamedTuple):
    """What a server says about a file.

    Args:
        size_bytes: of the blob.
        uploaded_us, expires_us: unix µs.
    """

    size_bytes: int
    uploaded_us: int
    expires_us: int


class Uploaded(NamedTuple):
    """What a server says about an upload. Args: expires_us: unix µs; None from older servers."""

    file_id: str
    expires_us: int | None


def write_json(fields: Mapping[str, Any]) -> bytes:
    """Write any answer. Source: session-file-server: fileserver/routes.py (json_resp)."""
    return json.dumps(fields).encode()


def seconds(unix_us: int) -> float:
    """Give a time as the server writes it: seconds with fraction."""
    return unix_us / _US_PER_S


def write_facts(facts: FileFacts) -> bytes:
    """Write what is known about a file. Source: as `write_json` (get_file_info)."""
    return write_json(
        {
            "size": facts.size_bytes,
            "uploaded": seconds(facts.uploaded_us),
            "expires": seconds(facts.expires_us),
        }
    )


def _time(fields: Mapping[str, object], name: str) -> int:
    value = fields.get(name)
    # A comparison with "not a number" is false.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST_S:
        raise RemoteProtocolError(f"an answer without a time {name!r}")
    return round(value * _US_PER_S)


def read_facts(body: bytes) -> FileFacts:
    """Read the answer to a question about a file, or to an extension. Raises RemoteProtocolError."""
    fields = decode_object(body)
    size = fields.get("size")
    if type(size) is not int or size < 0:
        raise RemoteProtocolError("an answer without a size")
    return FileFacts(size, _time(fields, "uploaded"), _time(fields, "expires"))


def read_uploaded(body: bytes) -> Uploaded:
    """Read the answer to an upload.

    Raises:
        RemoteProtocolError: no JSON object with an id that is text.
    Source: libsession-util: src/network/backends/session_file_server.cpp (parse_upload_response).
    """
    fields = decode_object(body)
    file_id = fields.get("id")
    if type(file_id) is not str:
        raise RemoteProtocolError("an answer to an upload without id")
    return Uploaded(file_id, _time(fields, "expires") if "expires" in fields else None)


def read_version(body: bytes) -> str:
    """Read the newest version of a client. Raises RemoteProtocolError: no text `result`."""
    version = decode_object(body).get("result")
    if type(version) is not str or not version:
        raise RemoteProtocolError("an answer without a version")
    return version
