"""What is asked of a server and what it answers, free of the onion that carries it.

File server, push server and communities all get requests of this form. How they travel (v4 payload, layers)
is elsewhere; here are only the four parts that a server's code sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class ServerRequest(NamedTuple):
    """One request.

    Args:
        method: GET or POST.
        endpoint: path with its query, starting with a slash.
        headers: by name, as the client writes the names; servers ignore their case.
        body: raw bytes; empty for none.
    """

    method: str
    endpoint: str
    headers: Mapping[str, str]
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Give a header, whatever case its name is written in; None if it is not there."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), None)


class ServerAnswer(NamedTuple):
    """One answer. Args: status: HTTP status; headers: by lower-case name; body: raw bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes
