"""Where a file lies, as text in a pointer or a profile (messages 6.3).

    http://filev2.getsession.org/file/<id>#p=<server key, hex>&d=

The fragment never leaves the client: `p` names the server's key unless it is the default server, `d` says
that the file is encrypted deterministically. The reader is as tolerant as clients are: order, `d` with or
without `=`, and unknown parts make no difference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError

# Source: client-behaviour 6.5; session-desktop: ts/session/apis/file_server_api/FileServerTarget.ts. The
# X25519 key is the conversion of the Ed25519 one (tested). Older releases used another key pair.
DEFAULT_SERVER: Final = "http://filev2.getsession.org"
DEFAULT_ED25519: Final = bytes.fromhex("b8eef9821445ae16e2e97ef8aa6fe782fd11ad5253cd6723b281341dba22e371")
DEFAULT_X25519: Final = bytes.fromhex("09324794aa9c11948189762d198c618148e9136ac9582068180661208927ef34")

# How clients write the fragment. Sources: session-desktop: .../FileServerApi.ts; session-android:
# .../file_server/FileServerApi.kt; libsession-util: src/network/backends/session_file_server.cpp.
FRAGMENT_STYLES: Final = {"desktop": "p={key}&d=", "android": "d&p={key}", "libsession": "p={key}&d"}

KEY_BYTES: Final = 32  # Source: messages 6.3
_LONGEST: Final = 1024  # Assumption: characters; a configuration allows 223 bytes (messages 5.6)
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,44}", re.ASCII)
# `files` is the path of deprecated servers, which some clients still write.
_ADDRESS: Final = re.compile(
    r"(https?://[A-Za-z0-9.-]{1,253}(?::\d{1,5})?)/files?/([A-Za-z0-9_-]{1,44})/?(?:#(.*))?", re.ASCII
)
_KEY: Final = re.compile(r"p=([0-9a-fA-F]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class FileAddress:
    """The place of a file.

    Args:
        file_id: 44 characters of base64url, or a decimal number on older servers.
        deterministic: how it is encrypted.
        server: scheme and host.
        server_key: Ed25519 key of 32 bytes; empty for the default server. libsession writes the X25519 key
            here; which one it is cannot be seen.
    """

    file_id: str
    deterministic: bool = False
    server: str = DEFAULT_SERVER
    server_key: bytes = b""


def write_address(address: FileAddress, *, style: str = "desktop") -> str:
    """Write an address. Args: style: a client of `FRAGMENT_STYLES`.

    Raises:
        LocalProtocolError: an id, server, key or style that cannot be written.
    Source: messages 6.3; the clients named at `FRAGMENT_STYLES`.
    """
    if len(address.server_key) not in (0, KEY_BYTES) or style not in FRAGMENT_STYLES:
        raise LocalProtocolError("a server key of wrong length, or an unknown style")
    parts = FRAGMENT_STYLES[style].format(key=address.server_key.hex()).split("&")
    kept = [part for part in parts if (address.server_key if part[0] == "p" else address.deterministic)]
    written = f"{address.server}/file/{address.file_id}" + ("#" + "&".join(kept) if kept else "")
    if _ADDRESS.fullmatch(written) is None:
        raise LocalProtocolError("not a server and an id of a file")
    return written


def read_address(written: str) -> FileAddress:
    """Read an address.

    Raises:
        RemoteProtocolError: not the address of a file on a file server.
    Source: as `write_address`.
    """
    match = _ADDRESS.fullmatch(written) if len(written) <= _LONGEST else None
    if match is None:
        raise RemoteProtocolError("not the address of a file")
    server, file_id, fragment = match.groups()
    deterministic, key = False, b""
    for part in (fragment or "").split("&"):
        named = _KEY.fullmatch(part)
        if named is not None:
            key = bytes.fromhex(named[1])
        elif part in ("d", "d="):
            deterministic = True
    return FileAddress(file_id, deterministic, server, key)


def is_file_id(text: str) -> bool:
    """Say whether a text can be the id of a file, of either kind."""
    return _ID.fullmatch(text) is not None
