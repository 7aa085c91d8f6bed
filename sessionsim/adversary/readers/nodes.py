"""What nodes and push servers say to each other in clear (transport 5.5, 5.10, 5.12).

sn.storage_cc   [method, parameters]: a client's request, forwarded
sn.data         messages handed on, one call each
monitor         subscriptions of a push server, one call each
notify          a message that was stored, announced to a subscriber
monitor_ended   the end of a subscription
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sessionsim.adversary.fields import id_bytes
from sessionsim.adversary.readers.storage import call_of
from sessionsim.adversary.terms import Body, Call
from sessionsim.core.columns import HEAD_CODE
from sessionsim.core.errors import CannotOpen
from sessionsim.protocol.identity import account_id_of_ed25519
from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.sn_data import read_batch

# Bencode has one-letter names here. Source: transport 5.12; session-storage-server: oxenss/server/mqbase.cpp.
_NOTIFY: Final = {"@": "pubkey", "h": "hash", "n": "namespace", "t": "timestamp", "z": "expiry", "~": "data"}
_MONITOR: Final = {
    "P": "pubkey_ed25519", "p": "pubkey", "S": "subaccount_sig", "T": "subaccount", "d": "want_data",
    "n": "namespaces", "s": "signature", "t": "timestamp",
}  # fmt: skip


def read_node_request(head: int, payload: bytes) -> Body | None:
    """Read a request between nodes, or between a node and a push server; None for any other."""
    reader = _READERS.get(head)
    return None if reader is None else reader(payload)


def _forwarded(payload: bytes) -> Body | None:
    parts = bencode.decode(payload)
    if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[0], bytes):
        return None
    fields = bencode.decode(parts[1]) if isinstance(parts[1], bytes) else parts[1]
    if not isinstance(fields, dict):
        return None
    return Body((call_of(parts[0].decode("latin-1"), _texts(fields)),))


def _texts(fields: Mapping[bytes, Any], names: Mapping[str, str] | None = None) -> dict[str, Any]:
    found = {key.decode("latin-1"): value for key, value in fields.items()}
    return found if names is None else {names.get(key, key): value for key, value in found.items()}


def _handed_on(payload: bytes) -> Body:
    held, _short = read_batch(payload)
    return Body(
        tuple(
            Call(
                "sn.data",
                one.account,
                {
                    "namespace": one.namespace,
                    "data": one.message.data,
                    "timestamp": one.message.timestamp_ms,
                    "expiry": one.message.expiry_ms,
                },
            )
            for one in held
        )
    )


def _told(method: str, names: Mapping[str, str]) -> Callable[[bytes], Body | None]:
    def read(payload: bytes) -> Body | None:
        value = bencode.decode(payload)
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, dict) for part in parts):
            return None
        fields = [_texts(part, names) for part in parts]
        return Body(tuple(Call(method, _account_of(one), one) for one in fields))

    return read


def _account_of(fields: Mapping[str, Any]) -> bytes:
    """Read the account of a subscription: an id, or the Ed25519 key of an 05 account."""
    key = fields.get("pubkey_ed25519")
    if isinstance(key, bytes):
        try:
            return account_id_of_ed25519(key)
        except CannotOpen:
            return b""
    return id_bytes(fields.get("pubkey"))


_READERS: Final[Mapping[int, Callable[[bytes], Body | None]]] = {
    HEAD_CODE["sn.storage_cc"]: _forwarded,
    HEAD_CODE["sn.data"]: _handed_on,
    HEAD_CODE["monitor"]: _told("monitor", _MONITOR),
    HEAD_CODE["notify"]: _told("notify", _NOTIFY),
    HEAD_CODE["monitor_ended"]: _told("monitor_ended", _NOTIFY),
}
