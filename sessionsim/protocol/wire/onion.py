"""Onion requests and their answers, byte-exact (transport 3.3-3.8).

One function builds a whole request, one opens a layer. Each route object describes the *next* reader: its
Ed25519 key, the ephemeral key of its layer and, in the libsession style, the cipher's name. The destination
encrypts its answer once, under the innermost layer; relays pass it back unchanged.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from struct import Struct
from typing import Final, NamedTuple

import orjson

from sessionsim.core.errors import CannotOpen, RemoteProtocolError
from sessionsim.protocol.crypto.layer import (
    AES_GCM,
    ENC_TYPES,
    LEGACY_ENC_TYPES,
    XCHACHA20,
    GcmLayer,
    Layer,
    XchachaLayer,
    open_layer_type,
)
from sessionsim.protocol.crypto.suite import KeyPair, Suite
from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.filling import fill_answer, fill_request
from sessionsim.protocol.wire.frame import decode_frame, decode_object, encode_frame

FINAL: Final = 0
TO_NODE: Final = 1
TO_SERVER: Final = 2

_HOP_TAIL = re.compile(
    rb"8:enc_type(?:7:(aes-gcm)|9:(xchacha20))13:ephemeral_key32:(.{32})6:hop_noi([1-9]\d{0,2})ee", re.DOTALL
)
# Routes as the two client families write them: by their length, their five parts and the third of these.
_USUAL_ROUTES: Final = {
    165: (Struct("16s64s19s64s2s").unpack_from, b'","ephemeral_key":"', AES_GCM),
    188: (Struct("16s64s42s64s2s").unpack_from, b'","enc_type":"xchacha20","ephemeral_key":"', XCHACHA20),
}
_TARGET_STARTS: Final = ("/loki/", "/oxen/")  # Source: transport 3.5
_PROTOCOLS: Final = ("http", "https")  # Source: transport 3.5
_CONTROL_BYTES: Final = 256  # Assumption: the outer JSON of any client is shorter
_MOST_HOPS: Final = 255  # Assumption: any number above the limit of 15 does
_PORT_BITS: Final = 0xFFFF
_ALL_ENC_TYPES: Final = ENC_TYPES | LEGACY_ENC_TYPES
LAYER_RANDOM_BYTES: Final = 56  # ephemeral secret 32, longest nonce 24


class Style(NamedTuple):
    """How one client family writes the JSON of a request. Source: transport 3.3, 3.4.

    Args:
        name: the family.
        layer: cipher of every layer.
        control: JSON beside the innermost body.
        key_field: what stands before the ephemeral key in a route, cipher name included where it is sent.
    """

    name: str
    layer: type[Layer]
    control: bytes
    key_field: bytes


DESKTOP: Final = Style("desktop", GcmLayer, b'{"body":null,"headers":{}}', b'"ephemeral_key":"')
LIBSESSION: Final = Style(
    "libsession", XchachaLayer, b'{"headers":""}', b'"enc_type":"xchacha20","ephemeral_key":"'
)
# The library told to use the older cipher, which it then names. Source: libsession-util: builder.cpp.
LIBSESSION_GCM: Final = LIBSESSION._replace(
    layer=GcmLayer, key_field=b'"enc_type":"aes-gcm","ephemeral_key":"'
)
# Android's onion code writes as desktop does; transport 6.6 calls its control object "similar".
STYLES: Final = {"desktop": DESKTOP, "libsession": LIBSESSION}
_CONTROLS: Final = frozenset(style.control for style in STYLES.values())


class Hop(NamedTuple):
    """A node on a route. Args: ed25519_hex: 64 ASCII digits; x25519: its 32-byte public key."""

    ed25519_hex: bytes
    x25519: bytes


def build_request(
    suite: Suite, style: Style, route: Sequence[Hop], body: bytes, randoms: Sequence[bytes],
    multiple_bytes: int = 0,
) -> tuple[bytes, Layer]:  # fmt: skip
    """Wrap an RPC body for the last node of a route.

    Args:
        suite: the crypto suite.
        style: the client family.
        route: guard, middle, last hop, destination (any number of nodes works).
        body: the RPC request as JSON bytes.
        randoms: per node of the route LAYER_RANDOM_BYTES: ephemeral secret 32, nonce 12 or 24.
        multiple_bytes: fill it up to a multiple of this; 0: not at all.

    Returns:
        The bytes for the guard, and the innermost layer, which opens the answer.
    """
    return wrap_request(suite, style, route, encode_frame(body, style.control), randoms, multiple_bytes)


def wrap_request(
    suite: Suite, style: Style, route: Sequence[Hop], plaintext: bytes, randoms: Sequence[bytes],
    multiple_bytes: int = 0,
) -> tuple[bytes, Layer]:  # fmt: skip
    """Wrap what the last node of a route is to find, as `build_request` does.

    Args:
        plaintext: blob and JSON of the last node, framed; the other arguments as in `build_request`.
    """
    key_field, layer_type = style.key_field, style.layer
    if multiple_bytes:
        plaintext = fill_request(plaintext, layer_type, key_field, len(route), multiple_bytes)
    innermost: Layer | None = None
    position = len(route)
    while True:
        position -= 1
        ed25519_hex, x25519 = route[position]
        random = randoms[position]
        public, layer = suite.layer_to(layer_type, random[:32], x25519)
        if innermost is None:
            innermost = layer
        blob = layer.seal(plaintext, random[32:])
        tail = key_field + binascii.b2a_hex(public) + b'"}'
        if position == 0:
            return len(blob).to_bytes(4, "little") + blob + b"{" + tail, innermost
        plaintext = b'%b%b{"destination":"%b",%b' % (len(blob).to_bytes(4, "little"), blob, ed25519_hex, tail)


def decode_client_request(payload: bytes) -> tuple[bytes, bytes, str]:
    """Read what a client POSTs to its guard.

    Returns:
        Ciphertext, ephemeral key (32 bytes), usual name of the cipher (default aes-gcm).

    Raises:
        RemoteProtocolError: no frame, no JSON object, no usable key in it, or an unknown cipher.
    """
    blob, text = decode_frame(payload)
    if len(text) == 84 and text.startswith(b'{"ephemeral_key":"') and text.endswith(b'"}'):
        try:
            return blob, binascii.a2b_hex(text[18:82]), AES_GCM
        except ValueError:
            pass  # the general way says what is wrong
    return blob, *_key_and_type(decode_object(text))


def claimed_hop(payload: bytes) -> int:
    """Give the hop number a client may claim in its outer JSON, to hide from later nodes where they are.

    No known client does. Source: session-storage-server: oxenss/server/https.cpp (process_onion_req_v2).

    Args:
        payload: what `decode_client_request` has read.
    """
    # Looked for only in what is longer than the JSON of clients, whose last 64 bytes hold the key's end.
    if b'"hop_no"' not in payload[-_CONTROL_BYTES:]:
        return 0
    claimed = decode_object(decode_frame(payload)[1]).get("hop_no")
    return min(max(claimed, 0), _MOST_HOPS) if type(claimed) is int else 0


def _key_and_type(fields: dict[str, object]) -> tuple[bytes, str]:
    key = fields.get("ephemeral_key")
    enc_type = fields.get("enc_type", AES_GCM)
    if type(key) is not str or type(enc_type) is not str:
        raise RemoteProtocolError("Invalid json")
    return _hex32(key), _usual_name(enc_type)


def _usual_name(enc_type: str) -> str:
    # A node reads every spelling and writes the usual one.
    known = _ALL_ENC_TYPES.get(enc_type)
    if known is None:
        raise RemoteProtocolError(f"Invalid encryption type {enc_type[:32]}")
    return known


def _hex32(text: str) -> bytes:
    # 64 characters that give 32 bytes leave no room for the blanks that fromhex skips.
    try:
        raw = bytes.fromhex(text)
    except ValueError as wrong:
        raise RemoteProtocolError("not a 32-byte hex key") from wrong
    if len(text) != 64 or len(raw) != 32:
        raise RemoteProtocolError("not a 32-byte hex key")
    return raw


def open_request(
    suite: Suite, own: KeyPair, ephemeral: bytes, enc_type: str, ciphertext: bytes, *, legacy: bool = False
) -> tuple[Layer, bytes]:
    """Open the layer addressed to `own`. Args: legacy: take aes-cbc too.

    Returns:
        The layer (to seal the answer with, at the destination) and the plaintext.

    Raises:
        CannotOpen: wrong key, wrong cipher, altered bytes or an unusable ephemeral key.
    """
    layer = suite.layer_from(open_layer_type(enc_type, legacy=legacy), own, ephemeral)
    return layer, layer.open(ciphertext)


Inner = tuple[object, ...]


def decode_inner(plaintext: bytes) -> Inner:
    """Say what an opened layer asks for (transport 3.5, step 5).

    Returns one of
        (FINAL, body: bytes, as_json: bool, as_base64: bool)
        (TO_NODE, ciphertext: bytes, ephemeral: bytes, enc_type: its usual name, destination: bytes 32)
        (TO_SERVER, plaintext: bytes, protocol: str, host: str, port: int, target: str), see
            `server_is_allowed`

    The usual shapes are matched directly, the rest goes through the general parser, with equal results
    (property-tested).

    Raises:
        RemoteProtocolError: no frame or JSON, or fields of a wrong kind.
    """
    end = 4 + int.from_bytes(plaintext[:4], "little")
    if plaintext[end:] in _CONTROLS:
        return FINAL, plaintext[4:end], False, True
    usual = decode_usual_route(plaintext)
    return decode_inner_slowly(plaintext) if usual is None else (TO_NODE, *usual)


def decode_usual_route(plaintext: bytes) -> tuple[bytes, bytes, str, bytes] | None:
    """Read a layer that goes on to a node, as the two client families write it and with nothing else in it.

    Returns:
        Ciphertext, ephemeral key, usual name of the cipher, destination; None for anything else.
    """
    end = 4 + int.from_bytes(plaintext[:4], "little")
    form = _USUAL_ROUTES.get(len(plaintext) - end)
    if form is None:
        return None
    cut, middle, enc_type = form
    begin, destination, between, ephemeral, last = cut(plaintext, end)
    if begin != b'{"destination":"' or between != middle or last != b'"}':
        return None
    try:
        return plaintext[4:end], binascii.a2b_hex(ephemeral), enc_type, binascii.a2b_hex(destination)
    except ValueError:
        return None


def decode_inner_slowly(plaintext: bytes) -> Inner:
    """`decode_inner` by the general JSON parser."""
    blob, text = decode_frame(plaintext)
    fields = decode_object(text)
    if "headers" in fields:
        as_json, as_base64 = fields.get("json", False), fields.get("base64", True)
        if type(as_json) is not bool or type(as_base64) is not bool:
            raise RemoteProtocolError("Invalid json")
        return FINAL, blob, as_json, as_base64
    if "host" in fields:
        return _to_server(plaintext, fields)
    destination = fields.get("destination")
    if type(destination) is not str:
        raise RemoteProtocolError("Invalid json")
    ephemeral, enc_type = _key_and_type(fields)
    return TO_NODE, blob, ephemeral, enc_type, _hex32(destination)


def _to_server(plaintext: bytes, fields: dict[str, object]) -> Inner:
    protocol, port = fields.get("protocol", "https"), fields.get("port", 443)
    host, target = fields["host"], fields.get("target")
    if type(host) is not str or type(target) is not str or type(protocol) is not str:
        raise RemoteProtocolError("Invalid json")
    # The JSON library of the storage server turns any number, and true and false, into 16 bits.
    if not isinstance(port, int | float):
        raise RemoteProtocolError("Invalid json")
    return TO_SERVER, plaintext, protocol, host, int(port) & _PORT_BITS, target


def target_is_allowed(target: str) -> bool:
    """Check a server target: starts /loki/ or /oxen/, ends /lsrpc, no query (transport 3.5)."""
    return target.startswith(_TARGET_STARTS) and target.endswith("/lsrpc") and "?" not in target


def server_is_allowed(protocol: str, target: str) -> bool:
    """Say whether a node sends on to such a server; otherwise it answers 400 "Invalid url"."""
    return protocol in _PROTOCOLS and target_is_allowed(target)


def encode_hop(ciphertext: bytes, ephemeral: bytes, enc_type: str, hop_no: int) -> bytes:
    """Write the node-to-node message: a bencoded dict with sorted keys (transport 3.6)."""
    return b"d4:data%d:%b8:enc_type%d:%b13:ephemeral_key32:%b6:hop_noi%dee" % (
        len(ciphertext), ciphertext, len(enc_type), enc_type.encode(), ephemeral, hop_no,
    )  # fmt: skip


def decode_hop(payload: bytes) -> tuple[bytes, bytes, str, int]:
    """Read a node-to-node message: ciphertext, ephemeral key, cipher name, hop number.

    The usual shape is matched directly; anything else goes through the general parser, with equal results
    (property-tested).

    Raises:
        RemoteProtocolError: not such a dict, or a field missing or of a wrong kind.
    """
    return decode_usual_hop(payload) or decode_hop_slowly(payload)


def decode_usual_hop(payload: bytes) -> tuple[bytes, bytes, str, int] | None:
    """Read a node-to-node message as nodes write it and with nothing else in it, as `decode_hop`.

    Returns:
        None for anything else.
    """
    if payload[:7] != b"d4:data":
        return None
    colon = payload.find(b":", 7, 17)
    digits = payload[7:colon]
    if colon < 0 or not digits.isdigit() or (digits[0] == 48 and len(digits) > 1):
        return None
    start = colon + 1
    end = start + int(digits)
    tail = _HOP_TAIL.fullmatch(payload, end) if end <= len(payload) else None
    if tail is None:
        return None
    gcm, _, ephemeral, hop = tail.groups()
    return payload[start:end], ephemeral, AES_GCM if gcm else XCHACHA20, int(hop)


def decode_hop_slowly(payload: bytes) -> tuple[bytes, bytes, str, int]:
    """`decode_hop` by the general bencode parser."""
    fields = bencode.decode(payload)
    if not isinstance(fields, dict):
        raise RemoteProtocolError("Invalid hop message")
    data, key = fields.get(b"data"), fields.get(b"ephemeral_key")
    enc_type, hop_no = fields.get(b"enc_type", AES_GCM.encode()), fields.get(b"hop_no", 1)
    if (
        type(data) is not bytes
        or type(key) is not bytes
        or type(enc_type) is not bytes
        or type(hop_no) is not int
    ):
        raise RemoteProtocolError("Invalid hop message")
    if len(key) != 32 or not 0 <= hop_no < 1000:
        raise RemoteProtocolError("Invalid hop message")
    # A node counts itself as at least the first hop, whatever the message claims (transport 3.6).
    return data, key, _usual_name(enc_type.decode("latin-1")), max(hop_no, 1)


def seal_answer(
    layer: Layer, status: int, body: bytes, random: bytes, *, as_json: bool = False, as_base64: bool = True,
    multiple_bytes: int = 0,
) -> bytes:  # fmt: skip
    """Encrypt the destination's answer once, under the innermost layer (transport 3.8).

    Args:
        layer: the layer the request was opened with.
        status: status code of the RPC.
        body: JSON (or plain) text as UTF-8 bytes.
        random: at least 24 bytes of nonce.
        as_json: embed the body as JSON instead of as a string.
        as_base64: encode the ciphertext for transport.
        multiple_bytes: fill it up to a multiple of this; 0: not at all.
    """
    embedded = orjson.Fragment(body) if as_json else str(body, "utf-8", "replace")
    text = orjson.dumps({"body": embedded, "status": status})
    if multiple_bytes:
        text = fill_answer(text, type(layer), as_base64, multiple_bytes)
    sealed = layer.seal(text, random)
    return base64.b64encode(sealed) if as_base64 else sealed


def open_answer(layer: Layer, payload: bytes, *, as_base64: bool = True) -> tuple[int, bytes]:
    """Open an answer: status and body (the text of an embedded string, or the JSON of an embedded value).

    Raises:
        CannotOpen: not base64, or it does not authenticate.
        RemoteProtocolError: opened, but not an answer object.
    """
    try:
        sealed = binascii.a2b_base64(payload, strict_mode=True) if as_base64 else payload
    except ValueError as wrong:
        raise CannotOpen("answer is not base64") from wrong
    fields = decode_object(layer.open(sealed))
    status, body = fields.get("status"), fields.get("body")
    if type(status) is not int:
        raise RemoteProtocolError("answer without status")
    try:
        return status, body.encode() if type(body) is str else orjson.dumps(body)
    except TypeError as wrong:  # nested deeper than the writer goes
        raise RemoteProtocolError("answer nested too deeply") from wrong
