"""The onion frame (transport 3.2): a length-prefixed blob followed by a JSON object that runs to the end.

frame(blob, json) = u32_le(len(blob)) ‖ blob ‖ utf8(json)
"""

from __future__ import annotations

import orjson

from sessionsim.core.errors import RemoteProtocolError


def encode_frame(blob: bytes, control: bytes) -> bytes:
    """Join a blob and the JSON text that describes its reader."""
    return len(blob).to_bytes(4, "little") + blob + control


def decode_frame(frame: bytes) -> tuple[bytes, bytes]:
    """Split a frame into blob and JSON text.

    Raises:
        RemoteProtocolError: no length, or one beyond the data; a guard sends these words to its client.
    Source: session-storage-server: oxenss/rpc/onion_processing.cpp (parse_combined_payload).
    """
    end = 4 + int.from_bytes(frame[:4], "little")
    if len(frame) < 4:
        raise RemoteProtocolError("Unexpected payload size; expected ciphertext size")
    if end > len(frame):
        raise RemoteProtocolError(f"Unexpected payload size {len(frame) - 4}, expected >= {end - 4}")
    return frame[4:end], frame[end:]


def decode_object(text: bytes) -> dict[str, object]:
    """Parse a JSON object. Raises RemoteProtocolError for anything else."""
    try:
        value = orjson.loads(text)
    except (orjson.JSONDecodeError, RecursionError) as wrong:
        raise RemoteProtocolError("Invalid json") from wrong
    if type(value) is not dict:
        raise RemoteProtocolError("Invalid json")
    return value
