"""What servers and swarms are asked under a name: uploads and downloads of files, and signed requests.

    transfers   files that were stored at a file server, or handed out by it, with their sizes
    signatures  requests that somebody signed: under a blinded id at a community, under a member's token or
                as an account at a swarm

Read from a view by opening what the observer can open, as in `_events`; the last views read are remembered.
Source: client-behaviour 6.5 (files), messages 8 (communities); metrics 2h.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.closure import Closure
from sessionsim.adversary.columns import column
from sessionsim.adversary.keyring import NEVER
from sessionsim.core.verdict import Texts, texts
from sessionsim.core.view import Table, View

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_MANY: Final = 16  # Assumption: observers of a scenario, times training seeds


class Transfers(NamedTuple):
    """Files stored or handed out, in order of time, by the server's clock when it answered.

    Args:
        file: `file:<id>`; upload: whether it was stored.
        size_bytes: how long the request, or the answer, was at the server.
    """

    t_us: Ints
    file: Texts
    size_bytes: Ints
    upload: Flags


class Signatures(NamedTuple):
    """Signed requests in order of time.

    Args:
        signer: `blinded:…`, `member:…` or `account:…`; inbox: of the request's first call, `account:03…` for
            that of a group, empty where there is none.
    """

    t_us: Ints
    signer: Texts
    inbox: Texts


_remembered: deque[tuple[Table, Transfers, Signatures]] = deque(maxlen=_MANY)


def transfers(view: View) -> Transfers:
    """List the files that were stored or handed out before the observer's eyes."""
    return _read(view)[0]


def signatures(view: View) -> Signatures:
    """List the requests that were signed, one row per signer of a request."""
    return _read(view)[1]


def remember(view: View, moved: Transfers, signed: Signatures) -> None:
    """Take a view as read: for views that are made of events and hold no bytes to read them from."""
    _remembered.append((view.rows, moved, signed))


def transfers_of(rows: list[tuple[int, str, int, bool]]) -> Transfers:
    """Make a table of transfers from rows of time, file, size and whether it is an upload."""
    kept = sorted(rows)
    return Transfers(
        np.array([row[0] for row in kept], dtype=np.int64),
        texts([row[1] for row in kept]),
        np.array([row[2] for row in kept], dtype=np.int64),
        np.array([row[3] for row in kept], dtype=bool),
    )


def signatures_of(rows: list[tuple[int, str, str]]) -> Signatures:
    """Make a table of signatures from rows of time, signer and inbox."""
    kept = sorted(rows)
    times = np.array([row[0] for row in kept], dtype=np.int64)
    return Signatures(times, texts([row[1] for row in kept]), texts([row[2] for row in kept]))


def _read(view: View) -> tuple[Transfers, Signatures]:
    for rows, moved, signed in _remembered:
        if rows is view.rows:
            return moved, signed
    closure = Closure(view)
    found = transfers_of(_transfers(closure)), signatures_of(_signatures(closure))
    remember(view, *found)
    return found


def _transfers(closure: Closure) -> list[tuple[int, str, int, bool]]:
    transcript, meaning = closure.transcript, closure.transcript.meaning
    blobs, blob_of = closure.view.blobs, transcript.rows["blob"]
    found = []
    for table, upload in ((meaning.uploads, True), (meaning.downloads, False)):
        for read, name in zip(*table, strict=True):
            t_us = int(closure.t_answered[read])
            if t_us < NEVER:
                place = closure.answered_at(read)
                if upload:
                    place = closure.reading(meaning.answers[0][read])[0]
                size = len(blobs[int(blob_of[place])])
                found.append((t_us, meaning.names[name], size, upload))
    return found


def _signatures(closure: Closure) -> list[tuple[int, str, str]]:
    meaning = closure.transcript.meaning
    request, signer = (column(values) for values in meaning.signed)
    t_us = closure.t_read[request]
    found = []
    for place in np.flatnonzero(t_us < NEVER).tolist():
        calls = meaning.calls[int(request[place])]
        account = calls[0].account if calls else b""
        inbox = f"account:{account.hex()}" if account else ""
        found.append((int(t_us[place]), meaning.names[int(signer[place])], inbox))
    return found
