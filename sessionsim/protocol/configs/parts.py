"""Configs larger than a swarm stores in one message: split, and put together again (messages 5.6).

    part = m l 32:<hash of the whole> 1:<index> 1:<count> <length>:<chunk> e  zeros, to 50 bytes + chunk

The whole is the compressed and padded message. Each part is encrypted on its own and not padded again; the
zeros are what the reference leaves where the length of a short last chunk has fewer than five digits.

Parts may come in any order, from several pushes at once, twice, or never. What waits for the rest is bounded
in time, as in the reference, and in number and size, which the reference leaves open: the set that expires
first gives way. A set whose parts do not give the hash they name is dropped; the reference keeps it until it
expires.
Source: libsession-util: src/config/base.cpp (push, _handle_multipart, _dump_multiparts).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.configs.message import HASH_BYTES, hash_of
from sessionsim.protocol.configs.sealing import OVERHEAD_BYTES
from sessionsim.protocol.wire import bencode

MAX_STORED_BYTES: Final = 76_800  # Source: messages 5.6; limit of a storage server
_FRAME_BYTES: Final = 50  # m, l, e, hash 35, index 3, count 3, length prefix 6. Source: messages 5.6
MAX_CHUNK_BYTES: Final = MAX_STORED_BYTES - _FRAME_BYTES - OVERHEAD_BYTES  # 76,710
# Longest message that is split at all. Source: libsession-util: include/session/config.hpp.
MAX_WHOLE_BYTES: Final = 5_000_000
MAX_WAITING_SETS: Final = 16  # Assumption: far more than the devices of an account
MAX_WAITING_BYTES: Final = 4 * MAX_WHOLE_BYTES  # Assumption: a few of the largest sets
MAX_FINISHED_SETS: Final = 256  # Assumption: a push every hour for 11 days
MARK: Final = b"m"  # Source: messages 5.4


@dataclass(frozen=True, slots=True)
class Part:
    """One part, opened.

    Args:
        whole_hash: names the set.
        index: from 0.
        count: 2 to 255.
        chunk: not empty.
    """

    whole_hash: bytes
    index: int
    count: int
    chunk: bytes


def split(whole: bytes) -> list[bytes]:
    """Cut a padded message into parts, not yet encrypted.

    Raises:
        LocalProtocolError: too long for parts, or it would fit into one message.
    """
    if not MAX_CHUNK_BYTES < len(whole) <= MAX_WHOLE_BYTES:
        raise LocalProtocolError(f"a config of {len(whole)} bytes cannot be split")
    chunks = [whole[at : at + MAX_CHUNK_BYTES] for at in range(0, len(whole), MAX_CHUNK_BYTES)]
    name, count = hash_of(whole), bytes([len(chunks)])
    return [
        (MARK + bencode.encode([name, bytes([index]), count, chunk])).ljust(len(chunk) + _FRAME_BYTES, b"\0")
        for index, chunk in enumerate(chunks)
    ]


def read_part(message: bytes) -> Part:
    """Read a part; `message` is decrypted and starts with m.

    Raises:
        RemoteProtocolError: not a part.
    """
    if len(message) > MAX_STORED_BYTES or not message.startswith(MARK):
        raise RemoteProtocolError("not a part of a config")
    fields = bencode.decode(message[1:].rstrip(b"\0"))
    if type(fields) is not list or [type(item) for item in fields] != [bytes] * 4:
        raise RemoteProtocolError("a part of a config has four strings")
    name, index, count, chunk = fields
    if (len(name), len(index), len(count)) != (HASH_BYTES, 1, 1) or not chunk:
        raise RemoteProtocolError("a part of a config has a hash, two numbers of one byte and a chunk")
    if count[0] < 2 or index[0] >= count[0]:
        raise RemoteProtocolError("a part of a config is numbered wrongly")
    return Part(name, index[0], count[0], chunk)


@dataclass(slots=True)
class _Waiting:
    """Parts of one set so far: index -> (storage hash, chunk). A finished set has count 0 and no parts."""

    count: int
    expiry_ms: int
    parts: dict[int, tuple[str, bytes]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(len(chunk) for _, chunk in self.parts.values())


class Assembly:
    """The parts that wait on one device, and the sets it has seen whole.

    Args:
        wait_ms: how long parts wait after the last that came, ms.
        remember_ms: how long a finished set is known, so that its parts are not collected again, ms.
    """

    def __init__(self, wait_ms: int, remember_ms: int) -> None:
        self._wait_ms, self._remember_ms = wait_ms, remember_ms
        self._sets: dict[bytes, _Waiting] = {}

    def add(self, storage_hash: str, message: bytes, now_ms: int) -> tuple[tuple[str, ...], bytes] | None:
        """Take a part.

        Args:
            storage_hash: the name the swarm gave it.
            message: decrypted, starts with m.

        Returns:
            None until the set is whole; then the storage hashes of its parts, in order, and the padded
            message.

        Raises:
            RemoteProtocolError: not a part, another count than the parts before, or a whole of another hash.
        """
        part = read_part(message)
        found = self._sets.get(part.whole_hash)
        if found is None:
            found = self._sets[part.whole_hash] = _Waiting(part.count, now_ms + self._wait_ms)
        if not found.count or part.index in found.parts:
            return None
        if part.count != found.count:
            raise RemoteProtocolError("parts of a config disagree about their number")
        found.parts[part.index] = (storage_hash, part.chunk)
        found.expiry_ms = now_ms + self._wait_ms
        if len(found.parts) < found.count:
            self._make_room()
            return None
        del self._sets[part.whole_hash]
        in_order = [found.parts[index] for index in range(found.count)]
        whole = b"".join(chunk for _, chunk in in_order)
        if hash_of(whole) != part.whole_hash:
            raise RemoteProtocolError("parts of a config do not give the whole they name")
        self._finished(part.whole_hash, now_ms)
        return tuple(name for name, _ in in_order), whole

    def pushed(self, whole: bytes, now_ms: int) -> None:
        """Remember a set that this device made itself."""
        self._finished(hash_of(whole), now_ms)

    def _finished(self, name: bytes, now_ms: int) -> None:
        self._sets[name] = _Waiting(0, now_ms + self._remember_ms)
        self._make_room()

    def _make_room(self) -> None:
        waiting = {name: found for name, found in self._sets.items() if found.count}
        finished = {name: found for name, found in self._sets.items() if not found.count}
        size = sum(found.size for found in waiting.values())
        while len(waiting) > MAX_WAITING_SETS or size > MAX_WAITING_BYTES:
            size -= self._drop_first(waiting).size
        while len(finished) > MAX_FINISHED_SETS:
            self._drop_first(finished)

    def _drop_first(self, among: dict[bytes, _Waiting]) -> _Waiting:
        name = min(among, key=lambda name: among[name].expiry_ms)
        del self._sets[name]
        return among.pop(name)

    def expire(self, now_ms: int) -> bool:
        """Forget what is past its time; say whether there was anything."""
        late = [name for name, found in self._sets.items() if found.expiry_ms < now_ms]
        for name in late:
            del self._sets[name]
        return bool(late)

    def waiting_hashes(self) -> set[str]:
        """Give the storage hashes of all parts that wait."""
        return {name for found in self._sets.values() for name, _ in found.parts.values()}

    def dump(self) -> dict[bytes, Any]:
        """Write everything as a bencode value, sorted by name."""
        return {name: _written(self._sets[name]) for name in sorted(self._sets)}

    def load(self, raw: dict[bytes, Any], now_ms: int) -> None:
        """Read what `dump` gave, without what is past its time.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: it is something else; the caller reports it.
        """
        sets = {name: _read(row) for name, row in raw.items()}
        self._sets = {name: found for name, found in sets.items() if found.expiry_ms >= now_ms}


def _written(found: _Waiting) -> dict[bytes, Any]:
    row: dict[bytes, Any] = {b"#": found.count, b"T": found.expiry_ms}
    if found.count:
        row[b"p"] = [
            {b"#": index, b"M": name.encode(), b"d": chunk}
            for index, (name, chunk) in sorted(found.parts.items())
        ]
    return row


def _read(row: dict[bytes, Any]) -> _Waiting:
    found = _Waiting(int(row[b"#"]), int(row[b"T"]))
    if found.count:
        found.parts = {int(part[b"#"]): (part[b"M"].decode(), bytes(part[b"d"])) for part in row[b"p"]}
    return found
