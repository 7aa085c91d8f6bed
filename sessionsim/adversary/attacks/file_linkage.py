"""File linkage: who sends files to whom, by the server that keeps them and its users' links (metrics 2h).

The file server cannot read what it keeps, and is asked by the last hops of paths. But a file goes up once and
comes down under the same id, and it is large: whoever sent a request at least as large a moment before may
have uploaded it, and whoever got an answer as large a moment after may have downloaded it. One sender among n
such clients counts 1/n, one receiver among m 1/m, and what several files say about a pair is put together as
independent hints.

Source: metrics 2h (file server: times, exact sizes, ids; links uploader and downloaders); threat-model Q10.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._events import (
    Ints,
    Requests,
    addresses_of,
    answers,
    clients_seen,
    online_clients,
    requests,
)
from sessionsim.adversary.attacks._server_events import transfers
from sessionsim.core.ledger import Fact
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.core.verdict import NEVER, Example, Question, Verdict, verdict_of
from sessionsim.core.view import View


@dataclass(frozen=True, slots=True)
class Config:
    """Which transmissions may have carried a file."""

    window_us: int = setting(
        20 * US_PER_S, unit="us", doc="How long a file is on its way between client and server at the most.",
        source="Assumption: a few megabytes through three nodes", low=1_000, high=600 * US_PER_S,
    )  # fmt: skip
    growth: float = setting(
        1.5, doc="How much longer than at the server a file may be on a client's link.",
        source="transport 3.8: an answer in base64 is longer by a third", low=1.0, high=10.0,
    )  # fmt: skip
    added_bytes: int = setting(
        4096, unit="bytes", doc="How many bytes of paths and transport may come on top of that.",
        source="Assumption: layers, heads and records of a small request", low=0, high=1_000_000,
    )  # fmt: skip
    most_downloads: int = setting(
        2, doc="Files that are asked for oftener than this go to groups or show faces, and are passed over.",
        source="Assumption: one recipient with at most two devices", low=1, high=1_000_000,
    )  # fmt: skip
    missed: float = setting(
        0.1, doc="Share of transfers whose client is none of those that fit.",
        source="Assumption: slow links, clients beyond the observer's links", low=0.0, high=1.0,
    )  # fmt: skip


@ATTACKS.register(config=Config, source="metrics 2h; threat-model Q10, A13")
class FileLinkage:
    """Contacts among addresses by which files went up and came down."""

    question = Question.CONTACT_ADDRESS
    needs = frozenset({Need.LINKS, Need.BYTES})
    learns = False
    open_world = False

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: a share of equals is all that is claimed."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Tell for each pair of addresses how likely a file went from the one to the other."""
        moved, clients = transfers(view), clients_seen(view)
        if not len(moved.t_us) or not len(clients):
            return verdict_of(self.question, ())
        sent, got = requests(view), answers(view)
        none = np.ones((len(clients), len(clients)))  # probability that no file went between two
        uploads = {name: at for at, name in enumerate(moved.file.tolist()) if moved.upload[at]}
        often = Counter(moved.file[~moved.upload].tolist())
        for at in np.flatnonzero(~moved.upload).tolist():
            first = uploads.get(moved.file[at])
            if first is None or often[moved.file[at]] > self._config.most_downloads:
                continue
            one, other = (
                self._fitting(passed, clients, int(moved.t_us[row]), int(moved.size_bytes[row]), after)
                for passed, row, after in ((sent, first, False), (got, at, True))
            )
            each = self._share(len(one)) * self._share(len(other))
            none[np.ix_(one, other)] *= 1 - each
        either = 1 - none * none.T
        rows, columns = np.nonzero(~np.eye(len(clients), dtype=bool))
        named = addresses_of(view, clients)
        prob = either[rows, columns]
        among = np.full(len(rows), max(online_clients(view), len(clients)) - 1, dtype=np.int64)
        return Verdict(
            self.question, named[rows], named[columns], prob, prob, among, np.full(len(rows), NEVER)
        )

    def _fitting(self, passed: Requests, clients: Ints, t_us: int, size_bytes: int, after: bool) -> Ints:
        """Give which clients can have carried a file. Args: after: it came from the server, not to it."""
        config = self._config
        begin, end = (t_us, t_us + config.window_us) if after else (t_us - config.window_us, t_us)
        at = slice(*np.searchsorted(passed.t_us, (begin, end + 1)).tolist())
        wire = passed.wire_bytes[at]
        fits = (wire >= size_bytes) & (wire <= size_bytes * config.growth + config.added_bytes)
        found: Ints = np.searchsorted(clients, np.unique(passed.client[at][fits])).astype(np.int64)
        return found

    def _share(self, many: int) -> float:
        """Give how likely each of so many clients is the one."""
        return (1 - self._config.missed) / max(many, 1)
