"""What bytes say once they are read: the typed terms of deduction. No keys here, and no conclusions.

    outer frame, hop message   a `Layer`: a ciphertext, the ephemeral key and cipher it names, its addressee
    storage RPC, storage_cc    `Call`s: method and the fields beside it; batches are flattened
    answer bodies              `Result`s, one per call

Only the codecs of the protocol read bytes; what they reject is no term. All bytes here come from others and
may be hostile: a reader returns nothing rather than raise. Source: transport 3, 5.
"""

from __future__ import annotations

import binascii
from typing import Any, Final, NamedTuple

from sessionsim.core.columns import HEAD_CODE
from sessionsim.core.errors import ProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.crypto.layer import OVERHEAD_BYTES
from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.onion import FINAL, TO_NODE, decode_client_request, decode_hop, decode_inner
from sessionsim.protocol.wire.rpc import read_batch, read_object

ONION_HEADS: Final = frozenset((HEAD_CODE["onion_req"], HEAD_CODE["sn.onion_request"]))
_FROM_CLIENT: Final = HEAD_CODE["onion_req"]
_FROM_NODE: Final = HEAD_CODE["sn.onion_request"]
_DIRECT: Final = HEAD_CODE["storage_rpc"]
_FORWARDED: Final = HEAD_CODE["sn.storage_cc"]
_BUNDLES: Final = frozenset(("batch", "sequence"))
_MAX_BUNDLE: Final = 20  # Source: transport 5.2, sub-requests of a batch
_ID_BYTES: Final = 33  # Source: transport 1.2
_OK: Final = 200
# Shorter strings hold no nonce and tag, so they are not random and may occur twice. Source: transport 3.3.
MIN_CIPHERTEXT_BYTES: Final = min(OVERHEAD_BYTES.values())


class Layer(NamedTuple):
    """One onion layer, still closed. Args: addressee: endpoint of the node that opens it; -1: unknown."""

    ciphertext: bytes
    ephemeral: bytes
    enc_type: str
    addressee: int


class Call(NamedTuple):
    """One storage request as it was read.

    Args:
        method: its name.
        account: the 33-byte id it is about; empty if it names none.
        fields: its parameters, unchecked.
    """

    method: str
    account: bytes
    fields: dict[str, Any]


class Innermost(NamedTuple):
    """What the last layer of a request held. Args: as_base64: whether the answer is to be base64 text."""

    calls: tuple[Call, ...]
    as_base64: bool


class Result(NamedTuple):
    """The answer to one call. Args: code: its status; fields: the object in its body; empty for none."""

    code: int
    fields: dict[str, Any]


Request = Layer | tuple[Call, ...] | None


def read_request(head: int, payload: bytes, addressee: int) -> Request:
    """Read a request as the endpoint `head` of the node `addressee` would."""
    try:
        if head == _FROM_NODE:
            ciphertext, ephemeral, enc_type, _hop = decode_hop(payload)
            return Layer(ciphertext, ephemeral, enc_type, addressee)
        if head == _FROM_CLIENT:
            return Layer(*decode_client_request(payload), addressee)
        if head == _DIRECT:
            return read_calls(payload)
        if head == _FORWARDED:
            return _read_forwarded(payload)
    except ProtocolError:
        pass
    return None


def read_plaintext(plaintext: bytes, nodes: NodeList) -> Layer | Innermost | None:
    """Read what a layer held: the next layer, or the request itself."""
    try:
        inner: Any = decode_inner(plaintext)
    except ProtocolError:
        return None
    if inner[0] == TO_NODE:
        _, ciphertext, ephemeral, enc_type, destination = inner
        return Layer(ciphertext, ephemeral, enc_type, nodes.index.get(destination, -1))
    if inner[0] == FINAL:
        return Innermost(read_calls(inner[1]), inner[3])
    return None


def read_calls(body: bytes) -> tuple[Call, ...]:
    """Read an RPC body; the members of a batch or sequence stand in order, in place of it."""
    try:
        request: dict[str, Any] = read_object(body)
    except ProtocolError:
        return ()
    method, fields = request.get("method"), request.get("params")
    if method not in _BUNDLES:
        return (_call(method, fields),)
    members = fields.get("requests") if isinstance(fields, dict) else None
    if not isinstance(members, list) or len(members) > _MAX_BUNDLE:
        return ()
    return tuple(
        _call(member.get("method"), member.get("params")) if isinstance(member, dict) else Call("", b"", {})
        for member in members
    )


def read_results(status: int, body: bytes, n_calls: int) -> tuple[Result, ...]:
    """Read an answer's body: one result for each of n calls; a sequence that stopped early gives fewer."""
    try:
        fields = read_object(body)
    except ProtocolError:
        fields = {}
    if "results" not in fields:
        return (Result(status, fields),) if n_calls == 1 else ()
    try:
        return tuple(Result(*member) for member in read_batch(body)[:n_calls])
    except ProtocolError:
        return ()


def read_answer_ciphertext(status: int, payload: bytes) -> bytes:
    """Give the ciphertext of an onion answer; empty for error texts, which relays write in clear.

    An answer is base64 unless its request asked for raw bytes; raw bytes can't be told from text here and are
    taken as they are when they are no ASCII (transport 3.5, 3.8).
    """
    if status != _OK:
        return b""
    try:
        ciphertext = binascii.a2b_base64(payload, strict_mode=True)
    except ValueError:
        ciphertext = b"" if payload.isascii() else payload
    return ciphertext if len(ciphertext) >= MIN_CIPHERTEXT_BYTES else b""


def _read_forwarded(payload: bytes) -> tuple[Call, ...]:
    parts = bencode.decode(payload)
    if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[0], bytes):
        return ()
    fields = parts[1]
    if isinstance(fields, bytes):
        fields = bencode.decode(fields)
    if not isinstance(fields, dict):
        return ()
    named = {key.decode("latin-1"): value for key, value in fields.items()}
    return (_call(parts[0].decode("latin-1"), named),)


def _call(method: object, fields: object) -> Call:
    if not isinstance(method, str) or not isinstance(fields, dict):
        return Call("", b"", {})
    return Call(method, _account(fields.get("pubkey", fields.get("pubKey"))), fields)


def _account(value: object) -> bytes:
    if isinstance(value, bytes) and len(value) == _ID_BYTES:
        return value
    account = hex_bytes(value)
    return account if len(account) == _ID_BYTES else b""


def hex_bytes(value: object) -> bytes:
    """Read a hex field of JSON (text) or bencode (ASCII bytes); empty if it is none."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return b""
    try:
        raw = bytes.fromhex(value)
    except ValueError:
        return b""
    return raw if 2 * len(raw) == len(value) else b""  # fromhex skips blanks


def base64_bytes(value: object) -> bytes:
    """Read a binary field: base64 text in JSON, padded or not, raw in bencode; empty if it is none."""
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        return b""
    try:
        return binascii.a2b_base64(value + "=" * (-len(value) % 4), strict_mode=True)
    except ValueError:
        return b""


def whole_number(value: object) -> int | None:
    """Read a number field; JSON clients may write it as text (transport 5.4)."""
    if type(value) is int:
        return value
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if (
        isinstance(value, str)
        and value.lstrip("-").isascii()
        and value.lstrip("-").isdigit()
        and len(value) < 21
    ):
        try:
            return int(value)
        except ValueError:
            return None
    return None
