"""What one device keeps of a config between two runs (the reference's form, so that sizes on disk agree).

    d 1:! i<state>e  1:$ <message>  1:( l <current hash>* e  1:) l <obsolete hash>* e  1:* <parts>  1:+ de e

A version is kept with its signature; the reference leaves its own off and signs again when it pushes.
Source: libsession-util: src/config/base.cpp (make_dump, init).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final, NamedTuple

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.configs.storing import MAX_CONFIG_BYTES
from sessionsim.protocol.wire import bencode

MAX_DUMP_BYTES: Final = 4 * MAX_CONFIG_BYTES  # Assumption: the config, and all parts that may wait
_STATE, _RAW, _CURRENT, _OLD, _PARTS, _EXTRA = b"!", b"$", b"(", b")", b"*", b"+"


class State(IntEnum):
    """Where a config stands; the numbers are those of a dump.

    Source: libsession-util: include/session/config/base.hpp.
    """

    CLEAN = 0
    DIRTY = 1
    WAITING = 2


class Dump(NamedTuple):
    """What is kept.

    Args:
        state: where the config stood.
        raw: its version's bytes.
        current, old: storage hashes of the version, and obsolete ones.
        parts: from `Assembly.dump`.
    """

    state: State
    raw: bytes
    current: frozenset[str]
    old: frozenset[str]
    parts: dict[bytes, Any]


def write_dump(kept: Dump) -> bytes:
    """Write a dump."""
    current, old = sorted(kept.current), sorted(kept.old)
    return bencode.encode(
        {
            _STATE: int(kept.state),
            _RAW: kept.raw,
            _CURRENT: current,
            _OLD: old,
            _PARTS: kept.parts,
            _EXTRA: {},
        }
    )


def read_dump(raw: bytes) -> Dump:
    """Read a dump. Raises LocalProtocolError: it is damaged."""
    try:
        held: Any = bencode.decode(raw, max_bytes=MAX_DUMP_BYTES)
        return Dump(
            State(held[_STATE]),
            held[_RAW],
            frozenset(name.decode() for name in held[_CURRENT]),
            frozenset(name.decode() for name in held[_OLD]),
            held[_PARTS],
        )
    except (RemoteProtocolError, KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise LocalProtocolError("the dump of a config is damaged") from wrong
