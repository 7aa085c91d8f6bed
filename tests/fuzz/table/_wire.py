"""Codecs without keys: bencode, JSON, protobuf, zstd, padding, envelopes."""

from __future__ import annotations

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.wire import (
    bencode,
    compression,
    envelope,
    file_json,
    frame,
    group_dict,
    group_envelope,
    padding,
    push_json,
)
from sessionsim.protocol.wire.session_pb2 import Content, Envelope, WebSocketMessage
from tests.fuzz.decoder import Decoder
from tests.fuzz.table._keys import NOW_MS, noise

_ENVELOPE = envelope.write_envelope(
    envelope.DIRECT, noise("box", 200), NOW_MS, source="", pro_signature=bytes(64)
)
_GROUP = envelope.write_envelope(envelope.GROUP, noise("box", 90), NOW_MS, source="05" * 33)
STORED = (
    envelope.wrap(noise("sealed", 320), NOW_MS, noise("decoy", 64)),
    envelope.wrap_old(noise("sealed", 319), NOW_MS, 0xFFFFFFFF),
    envelope.wrap_old(
        noise("sealed", 319), NOW_MS, 7, kind=envelope.GROUP, source="05" * 33, source_device=1
    ),
)
_TREES = (
    {b"a": 1, b"b": [b"", b"x" * 40, -5], b"c": {b"": {b"n": 2**64 - 1}}},
    [b"store", {b"data": noise("d", 60), b"expiry": NOW_MS, b"pubkey": b"\x05" + bytes(32)}],
    [0, [], {}, b""],
)
_PLAIN = b"d1:#i7e1:&d1:n5:Aliceee" * 20


def _padding(raw: bytes) -> bytes:
    """Take the padding off; a shorter Content must be what was padded, in both forms."""
    content = padding.unpad(raw)
    if not raw.startswith(content):
        raise AssertionError("what is left is not what was there")
    return content


_GROUP_DICTS = tuple(
    group_dict.write_group_dict(group_dict.GroupDict(noise("sender", 32), body, packed, noise("signature")))
    + bytes(zeros)
    for body, packed, zeros in ((b"body", False, 0), (b"body", True, 9), (bytes(300), False, 200))
)


def _group_dict(raw: bytes) -> object:
    """Read a dict the short way, and by the general parser: both find the same."""
    try:
        slowly = group_dict.read_group_dict_slowly(raw)
    except RemoteProtocolError:
        slowly = None
    found = group_dict.read_group_dict(raw)
    if found != slowly:
        raise AssertionError("read otherwise by the general parser")
    return found


DECODERS = (
    Decoder("wire.bencode.decode", "bencode", bencode.decode, tuple(map(bencode.encode, _TREES)), share=8),
    Decoder(
        "wire.frame.decode_frame",
        "frame",
        frame.decode_frame,
        (frame.encode_frame(b"blob", b'{"headers":{}}'),),
    ),
    Decoder(
        "wire.frame.decode_object",
        "json",
        frame.decode_object,
        (b'{"a":[1,{"b":null}],"c":"\\u00e9"}', b"{}"),
    ),
    Decoder(
        "wire.compression.decompress",
        "zstd",
        lambda raw: compression.decompress(raw, 50_000),
        (compression.compress(_PLAIN), compression.compress(b""), compression.compress(noise("z", 9_000))),
        base=51_000,
        growth=0,
    ),
    Decoder(
        "wire.padding.unpad",
        "raw",
        _padding,
        (padding.pad(b"content"), padding.pad_old(b"content"), bytes(160)),
        errors=(),
    ),
    Decoder(
        "wire.envelope.decode", "protobuf", lambda raw: envelope.decode(Content, raw), (b"", b"\x78\x01")
    ),
    Decoder(
        "wire.envelope.decode/wrapper", "protobuf", lambda raw: envelope.decode(WebSocketMessage, raw), STORED
    ),
    Decoder(
        "wire.envelope.decode/envelope",
        "protobuf",
        lambda raw: envelope.decode(Envelope, raw),
        (_ENVELOPE, _GROUP),
    ),
    Decoder("wire.group_dict.read_group_dict", "bencode", _group_dict, _GROUP_DICTS),
    Decoder("wire.envelope.read_envelope", "protobuf", envelope.read_envelope, (_ENVELOPE, _GROUP)),
    Decoder("wire.envelope.body_of", "protobuf", envelope.body_of, STORED),
    Decoder("wire.envelope.unwrap", "protobuf", envelope.unwrap, STORED[:2]),
    Decoder(
        "wire.group_envelope.unwrap_group",
        "protobuf",
        group_envelope.unwrap_group,
        (group_envelope.wrap_group(b"content", NOW_MS, bytes(64)),),
    ),
    Decoder(
        "wire.file_json.read_facts",
        "json",
        file_json.read_facts,
        (file_json.write_facts(file_json.FileFacts(5, NOW_MS * 1000, NOW_MS * 1000 + 1)),),
    ),
    Decoder(
        "wire.file_json.read_uploaded",
        "json",
        file_json.read_uploaded,
        (b'{"id": "abc", "expires": 1777000000.25}', b'{"id": "1"}'),
    ),
    Decoder(
        "wire.file_json.read_version",
        "json",
        file_json.read_version,
        (b'{"status_code": 200, "result": "1.17.0"}',),
    ),
    Decoder("wire.push_json.read_parts", "json", push_json.read_parts, (b'[{"a":1},2]', b'{"a":1}')),
)

__all__ = ["DECODERS", "STORED", "RemoteProtocolError"]
