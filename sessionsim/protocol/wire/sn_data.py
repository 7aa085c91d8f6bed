"""What nodes write when they hand messages on (transport 5.10).

    sn.data         01 ‖ bencoded list of [pubkey 33, hash, timestamp ms, expiry ms, data (, namespace)]
    sn.data_ready   bencoded dict: @ version 0, t 1 if the asker needs the messages

Before 2.11.3 records end with the data, and the receiver takes them to be of namespace 0. A batch is closed
before a record would carry it beyond the limit; newer servers close it after, which may exceed the limit by
one record. A record whose hash is none, which no honest node sends, is left out: the server takes any bytes.
Source: session-storage-server: oxenss/snode/serialization.cpp, service_node.cpp.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.namespaces import DEFAULT, MAX_NAMESPACE, MIN_NAMESPACE
from sessionsim.protocol.stored import Held, Message
from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.rpc_fields import ACCOUNT_BYTES, MAX_INT64, is_hash

FORMAT: Final = 1  # Source: transport 5.10
_FRAME_BYTES: Final = 3  # the format, and the list around the records
_MAX_DEPTH: Final = 2
_NEEDS: Final = (0, 1)
OK: Final = b"OK"


def write_record(held: Held, *, namespaces: bool) -> bytes:
    """Write one message. Args: namespaces: append the namespace."""
    message = held.message
    fields: list[Any] = [
        held.account, message.hash, message.timestamp_ms, message.expiry_ms, message.data,
    ]  # fmt: skip
    return bencode.encode([*fields, held.namespace] if namespaces else fields)


def write_batches(messages: Iterable[Held], *, namespaces: bool, most_bytes: int) -> list[bytes]:
    """Write messages as batches of at most so many bytes, or of one record that is longer.

    Args:
        messages: in order.
        namespaces: write their namespaces, as 2.11.3 does.
        most_bytes: size of a batch.
    """
    batches: list[bytes] = []
    records: list[bytes] = []
    size = _FRAME_BYTES
    for held in messages:
        record = write_record(held, namespaces=namespaces)
        if records and size + len(record) > most_bytes:
            batches.append(_batch(records))
            records, size = [], _FRAME_BYTES
        records.append(record)
        size += len(record)
    if records:
        batches.append(_batch(records))
    return batches


def _batch(records: list[bytes]) -> bytes:
    return b"%cl%be" % (FORMAT, b"".join(records))


def read_batch(payload: bytes) -> tuple[list[Held], bool]:
    """Read a batch.

    Returns:
        Its messages in order, with order 0, and whether any came without its namespace.

    Raises:
        RemoteProtocolError: another format, or not such a list.
    """
    if payload[:1] != bytes([FORMAT]):
        raise RemoteProtocolError("messages handed on in an unknown format")
    records = bencode.decode(payload[1:], max_depth=_MAX_DEPTH)
    if type(records) is not list:
        raise RemoteProtocolError("messages handed on are a list")
    held = [_read_record(record) for record in records]
    return [one for one in held if one is not None], any(len(record) < 6 for record in records)


def _read_record(record: Any) -> Held | None:
    if type(record) is not list or not 5 <= len(record) <= 6:
        raise RemoteProtocolError("a message handed on has five or six fields")
    account, hash_, timestamp_ms, expiry_ms, data = record[:5]
    namespace = record[5] if len(record) > 5 else DEFAULT
    kinds = [type(field) for field in (account, hash_, timestamp_ms, expiry_ms, data, namespace)]
    if kinds != [bytes, bytes, int, int, bytes, int]:
        raise RemoteProtocolError("a message handed on has a field of a wrong kind")
    if len(account) != ACCOUNT_BYTES or not MIN_NAMESPACE <= namespace <= MAX_NAMESPACE:
        raise RemoteProtocolError("a message handed on is of no account or namespace")
    if not (0 <= timestamp_ms <= MAX_INT64 and 0 <= expiry_ms <= MAX_INT64):
        raise RemoteProtocolError("a message handed on has an impossible time")
    text = hash_.decode("latin-1")
    return (
        Held(account, namespace, Message(0, text, timestamp_ms, expiry_ms, data)) if is_hash(text) else None
    )


def write_ready(needs_messages: bool) -> bytes:
    """Write what `sn.data_ready` carries. Args: needs_messages: the asker wants the swarm's messages."""
    return b"d1:@i0e1:ti%dee" % needs_messages


def read_ready(payload: bytes) -> bool:
    """Read whether the asker needs the swarm's messages. Raises RemoteProtocolError."""
    fields = bencode.decode(payload, max_depth=1)
    version = fields.get(b"@") if type(fields) is dict else None
    needs = fields.get(b"t") if type(fields) is dict else None
    if type(version) is not int or not 0 <= version < 256 or type(needs) is not int or needs not in _NEEDS:
        raise RemoteProtocolError("not a request for messages")
    return bool(needs)
