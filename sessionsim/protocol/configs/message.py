"""One version of a config: its data, and the last changes that led there (messages 5.2).

    d 1:# i<seqno>e  1:& <data>  1:< l (l i<seqno>e 32:<hash> <diff> e)* e  1:= <own diff>  [1:~ 64:<sig>] e

The rows of `<` are the diffs of the versions before, at most four of them in an unforked history: those with
a seqno above seqno − 5. The hash of a version is over all its bytes, signature included. The signature is
over everything before its own key. Keys at the top that are not known here are kept, in their place, in the
next version. A draft is a version still being changed; finishing it prunes its data, writes and signs it.

The reference reads messages without `<` or `=` as well, although its documentation calls them invalid; nobody
writes them, and they are refused here.
Source: libsession-util: src/config.cpp, docs/api/docs/config-merge-logic.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.configs.diffs import Diff, difference, read_diff
from sessionsim.protocol.configs.values import MAX_INT, MIN_INT, Tree, copied, prune, read_tree, written
from sessionsim.protocol.wire import bencode

HASH_BYTES: Final = 32  # Source: messages 5.2
SIGNATURE_BYTES: Final = 64  # Source: messages 5.2
LAG: Final = 5  # Source: messages 5.2; libsession-util: include/session/config.hpp (DEFAULT_DIFF_LAGS)
_SEQNO, _DATA, _LAGS, _DIFF, _SIGNATURE = b"#", b"&", b"<", b"=", b"~"
_KNOWN: Final = frozenset((_SEQNO, _DATA, _LAGS, _DIFF, _SIGNATURE))
_TRAILER_BYTES: Final = len(b"1:~64:") + SIGNATURE_BYTES + len(b"e")

Signer = Callable[[bytes], bytes]  # gives the signature of some bytes
Verifier = Callable[[bytes, bytes], bool]  # says whether a signature of some bytes is valid


class Version(NamedTuple):
    """What names a version, in the order in which versions rank."""

    seqno: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class ConfigMessage:
    """A finished version. Its data must not be changed; see `Draft`.

    Args:
        version: seqno, and hash of `raw`.
        data: pruned.
        lags: version -> its diff, ascending.
        diff: what this version changed.
        unknown: keys at the top that are not known here.
        raw: the bytes.
    """

    version: Version
    data: Tree
    lags: dict[Version, Diff]
    diff: Diff
    unknown: dict[bytes, Any]
    raw: bytes = field(repr=False)


def hash_of(raw: bytes) -> bytes:
    """Give the hash that names a version's bytes."""
    return hashlib.blake2b(raw, digest_size=HASH_BYTES).digest()


def read_message(
    raw: bytes, *, verify: Verifier | None = None, lag: int = LAG, max_bytes: int = bencode.MAX_BYTES
) -> ConfigMessage:
    """Read a version.

    Args:
        raw: the bencoded dict, without padding or compression.
        verify: checks the signature; without it a signature is neither needed nor checked.
        lag: rows this far behind or further are dropped.
        max_bytes: longest message looked at.

    Raises:
        RemoteProtocolError: not such a message, or not rightly signed.
    """
    top = bencode.decode(raw, max_bytes=max_bytes)
    if type(top) is not dict or next(iter(top), None) != _SEQNO:
        raise RemoteProtocolError("a config message is a dict that starts with #")
    if not {_DATA, _LAGS, _DIFF} <= top.keys():
        raise RemoteProtocolError("a config message lacks &, < or =")
    seqno = _seqno_of(top[_SEQNO])
    _check_signature(raw, top, verify)
    return ConfigMessage(
        Version(seqno, hash_of(raw)),
        read_tree(top[_DATA]),
        _read_lags(top[_LAGS], seqno, lag),
        read_diff(top[_DIFF]),
        {key: value for key, value in top.items() if key not in _KNOWN},
        raw,
    )


def _seqno_of(value: object) -> int:
    if type(value) is not int or not MIN_INT < value < MAX_INT:
        raise RemoteProtocolError("a seqno is an integer of 64 bits with sign")
    return value


def _check_signature(raw: bytes, top: dict[bytes, Any], verify: Verifier | None) -> None:
    last = next(reversed(top))
    if last > _SIGNATURE:
        raise RemoteProtocolError("a config message has a key behind its signature's place")
    if last != _SIGNATURE:
        if verify is not None:
            raise RemoteProtocolError("a config message is not signed")
        return
    signature = top[_SIGNATURE]
    if type(signature) is not bytes or len(signature) != SIGNATURE_BYTES:
        raise RemoteProtocolError("a config signature has 64 bytes")
    if verify is not None and not verify(raw[:-_TRAILER_BYTES], signature):
        raise RemoteProtocolError("a config message is not signed by its group")


def _read_lags(rows: object, seqno: int, lag: int) -> dict[Version, Diff]:
    if type(rows) is not list:
        raise RemoteProtocolError("the lagged diffs of a config are a list")
    lags: dict[Version, Diff] = {}
    for row in rows:
        if type(row) is not list or len(row) != 3:
            raise RemoteProtocolError("a lagged diff has three parts")
        version = Version(_seqno_of(row[0]), row[1])
        if type(version.hash) is not bytes or len(version.hash) != HASH_BYTES:
            raise RemoteProtocolError("a lagged diff names a hash of 32 bytes")
        if version.seqno >= seqno:
            raise RemoteProtocolError("a lagged diff is not older than its message")
        if version.seqno <= seqno - lag:
            continue
        if lags and version <= next(reversed(lags)):
            raise RemoteProtocolError("lagged diffs are not sorted")
        lags[version] = read_diff(row[2])
    return lags


@dataclass(slots=True)
class Draft:
    """A version being made.

    Args:
        seqno: its number.
        data: changes freely.
        original: the data it started from; the diff is against this.
        lags: the diffs of the versions before.
        unknown: keys at the top that are not known here.
    """

    seqno: int
    data: Tree
    original: Tree
    lags: dict[Version, Diff]
    unknown: dict[bytes, Any]

    def finish(self, sign: Signer | None = None) -> ConfigMessage:
        """Prune, write, and sign if there is a signer. The draft can still be changed and finished again."""
        prune(self.data)
        diff = difference(self.original, self.data)
        top = {
            **self.unknown,
            _SEQNO: self.seqno,
            _DATA: written(self.data),
            _LAGS: [[version.seqno, version.hash, row] for version, row in self.lags.items()],
            _DIFF: diff,
        }
        raw = bencode.encode(top)
        if sign is not None:
            raw = raw[:-1] + b"1:~64:" + sign(raw[:-1]) + b"e"
        version = Version(self.seqno, hash_of(raw))
        return ConfigMessage(version, copied(self.data), dict(self.lags), diff, self.unknown, raw)


def next_draft(message: ConfigMessage, lag: int = LAG) -> Draft:
    """Start the version after `message`, with no change yet."""
    seqno = message.version.seqno + 1
    lags = dict(_recent({**message.lags, message.version: message.diff}, seqno, lag))
    return Draft(seqno, copied(message.data), message.data, lags, message.unknown)


def _recent(lags: dict[Version, Diff], seqno: int, lag: int) -> Iterator[tuple[Version, Diff]]:
    return ((version, diff) for version, diff in lags.items() if version.seqno > seqno - lag)


def first_message() -> ConfigMessage:
    """Give the version every config starts from: seqno 0, empty, not signed."""
    return Draft(0, {}, {}, {}, {}).finish()
