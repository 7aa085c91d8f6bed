"""Storage RPC as clients write and read it (transport 5.1-5.8).

A call is a method and the JSON text of its parameters; bodies and batches are put together from calls as
bytes, since a client writes thousands of the same few shapes. Three client families write them differently
(key order, `jsonrpc`, numbers as text), which shows in sizes; servers accept any. What nodes read and write
is in `rpc_node`.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

from sessionsim.core.errors import RemoteProtocolError

Call = tuple[bytes, bytes]

HASH_LENGTH: Final = 43  # Source: transport 5.4, 32 bytes as unpadded base64
_HASH: Final = re.compile(r"[A-Za-z0-9+/]{43}", re.ASCII)
_REMEMBERED_STARTS: Final = 256  # Assumption: more methods and namespaces than are in use
_RESULT_FIELDS: Final = 2  # status and body. Source: transport 5.7
_TEXT_LIMIT: Final = 200  # Assumption: as much of a foreign error text as is worth keeping
# What stands before, between and behind the answers of a batch. Source: transport 5.1
_BATCH_HEAD: Final = b'{"results":['
_BATCH_NEXT: Final = b'},{"body":'
_BATCH_END: Final = b"]}"


class BodyStyle(NamedTuple):
    """How one client family writes its calls.

    Args:
        name: the family.
        envelope: what stands before the method of the outermost request.
        store: template of store; holds pubkey, namespace, timestamp, ttl, data.
        retrieve: template of retrieve; all of its keys are named.
        get_swarm: template of get_swarm; holds pubkey.
    """

    name: str
    envelope: bytes
    store: bytes
    retrieve: bytes
    get_swarm: bytes


# Source: session-desktop: ts/session/apis/snode_api/SnodeRequestTypes.ts, sessionRpc.ts (insertion order).
DESKTOP: Final = BodyStyle(
    "desktop",
    b'{"jsonrpc":"2.0",',
    b'{"pubkey":"%(pubkey)b","timestamp":%(timestamp)d,"namespace":%(namespace)d,"ttl":%(ttl)d,"data":"%(data)b"}',
    b'{"namespace":%(namespace)d,"pubkey":"%(pubkey)b","pubkey_ed25519":"%(ed25519)b","signature":"%(signature)b",'
    b'"timestamp":%(timestamp)d,"last_hash":"%(last_hash)b","max_size":%(max_size)d}',
    b'{"pubkey":"%(pubkey)b","params":{"active_only":true,"fields":{"public_ip":true,"storage_port":true,'
    b'"pubkey_x25519":true,"pubkey_ed25519":true}}}',
)
# Source: session-android: org/session/libsession/snode/SnodeMessage.kt (numbers as text, no namespace 0),
# org/thoughtcrime/securesms/api/snode/AbstractSnodeApi.kt. The order of keys is an Assumption.
ANDROID: Final = BodyStyle(
    "android",
    b"{",
    b'{"pubKey":"%(pubkey)b","data":"%(data)b","ttl":"%(ttl)d","timestamp":"%(timestamp)d"%(namespace_field)b}',
    b'{"last_hash":"%(last_hash)b","max_size":%(max_size)d,"signature":"%(signature)b",'
    b'"timestamp":%(timestamp)d,"pubkey":"%(pubkey)b"%(namespace_field)b,"pubkey_ed25519":"%(ed25519)b"}',
    b'{"pubKey":"%(pubkey)b"}',
)
# libsession writes keys in alphabetical order without spaces (transport 3.4); that iOS bodies do so too is an
# Assumption.
LIBSESSION: Final = BodyStyle(
    "libsession",
    b"{",
    b'{"data":"%(data)b","namespace":%(namespace)d,"pubkey":"%(pubkey)b","timestamp":%(timestamp)d,"ttl":%(ttl)d}',
    b'{"last_hash":"%(last_hash)b","max_size":%(max_size)d,"namespace":%(namespace)d,"pubkey":"%(pubkey)b",'
    b'"pubkey_ed25519":"%(ed25519)b","signature":"%(signature)b","timestamp":%(timestamp)d}',
    b'{"pubkey":"%(pubkey)b"}',
)
BODY_STYLES: Final = {style.name: style for style in (DESKTOP, ANDROID, LIBSESSION)}


def message_hash(account: bytes, namespace: int, data: bytes) -> str:
    """Give the hash a swarm knows a message by.

    Args:
        account: 33 bytes, prefix included.
        namespace: its number; not hashed when 0.
        data: the stored bytes.

    Returns:
        43 characters of base64: BLAKE2b-32, time and lifetime not included.

    Source: transport 5.4; session-storage-server: oxenss/rpc/request_handler.cpp computeMessageHash.
    """
    text = b"%b%d%b" % (account, namespace, data) if namespace else account + data
    digest = hashlib.blake2b(text, digest_size=32).digest()
    return binascii.b2a_base64(digest, newline=False)[:HASH_LENGTH].decode()


def signed_text(method: str, namespace: int, timestamp_ms: int) -> bytes:
    """Give what `retrieve` and `store` sign: method, namespace unless 0, ms. Source: transport 5.2."""
    return signed_start(method, namespace) + b"%d" % timestamp_ms


@lru_cache(maxsize=_REMEMBERED_STARTS)
def signed_start(method: str, namespace: int) -> bytes:
    """Give what `signed_text` begins with, all but the time."""
    return f"{method}{namespace or ''}".encode()


def store_call(
    style: BodyStyle, account_hex: str, data: bytes, timestamp_ms: int, ttl_ms: int, namespace: int = 0
) -> Call:
    """Write an unsigned store, as direct messages use it. Args: account_hex: 66 digits; data: raw bytes."""
    return b"store", style.store % {
        b"pubkey": account_hex.encode(),
        b"timestamp": timestamp_ms,
        b"ttl": ttl_ms,
        b"namespace": namespace,
        b"namespace_field": b',"namespace":%d' % namespace if namespace else b"",
        b"data": binascii.b2a_base64(data, newline=False),
    }


def retrieve_call(
    style: BodyStyle,
    account_hex: str,
    ed25519_hex: str,
    namespace: int,
    last_hash: str,
    timestamp_ms: int,
    signature: bytes,
    max_size: int,
) -> Call:
    """Write a signed retrieve.

    Args:
        style: the client family.
        account_hex, ed25519_hex: 66 and 64 digits.
        namespace: the box.
        last_hash: the newest hash known from this node; empty for none.
        timestamp_ms: the time that is signed, unix ms.
        signature: 64 bytes over `signed_text("retrieve", namespace, timestamp_ms)`.
        max_size: bytes; negative −k asks for one k-th of the most (transport 5.6).
    """
    return b"retrieve", style.retrieve % {
        b"pubkey": account_hex.encode(),
        b"ed25519": ed25519_hex.encode(),
        b"namespace": namespace,
        b"namespace_field": b',"namespace":%d' % namespace if namespace else b"",
        b"last_hash": last_hash.encode(),
        b"timestamp": timestamp_ms,
        b"signature": binascii.b2a_base64(signature, newline=False),
        b"max_size": max_size,
    }


def open_retrieve_call(account_hex: str, namespace: int, last_hash: str, max_size: int) -> Call:
    """Write an unsigned retrieve, for boxes that anyone may read (`namespaces.is_open_to_read`).

    The order of keys is the alphabetical one for all client families: an Assumption, see `LIBSESSION`.
    """
    return b"retrieve", b'{"last_hash":"%b","max_size":%d,"namespace":%d,"pubkey":"%b"}' % (
        last_hash.encode(), max_size, namespace, account_hex.encode()
    )  # fmt: skip


def get_swarm_call(style: BodyStyle, account_hex: str) -> Call:
    """Ask which swarm keeps an account."""
    return b"get_swarm", style.get_swarm % {b"pubkey": account_hex.encode()}


def info_call() -> Call:
    """Ask a node for its version and clock."""
    return b"info", b"{}"


def request_body(style: BodyStyle, call: Call) -> bytes:
    """Write one call as the body of a request."""
    return b'%b"method":"%b","params":%b}' % (style.envelope, *call)


def batch_body(style: BodyStyle, calls: Sequence[Call], method: bytes = b"batch") -> bytes:
    """Write calls as one `batch` (all at once) or `sequence` (until the first that fails)."""
    parts = b",".join([b'{"method":"%b","params":%b}' % call for call in calls])
    return b'%b"method":"%b","params":{"requests":[%b]}}' % (style.envelope, method, parts)


class Retrieved(NamedTuple):
    """A message as a retrieve gives it. Times in unix ms."""

    hash: str
    timestamp_ms: int
    expiry_ms: int
    data: bytes


def read_object(body: bytes) -> dict[str, Any]:
    """Parse the JSON object of an answer. Raises RemoteProtocolError for anything else."""
    try:
        value = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as wrong:
        raise RemoteProtocolError("answer is not JSON") from wrong
    if type(value) is not dict:
        raise RemoteProtocolError("answer is not an object")
    return value


def read_batch(body: bytes) -> list[tuple[int, dict[str, Any]]]:
    """Split the answer of a batch or sequence into status and body of each request answered.

    Where all answers are equal, they may be one object. A body that is text, as errors are, comes as
    `{"error": text}`; one that is no object, with empty text.

    Raises:
        RemoteProtocolError: not such an answer.
    """
    same = read_equal_results(body)
    if same is not None:
        return [same[:2]] * same[2]
    results = read_object(body).get("results")
    if type(results) is not list:
        raise RemoteProtocolError("batch without results")
    return [_result(result) for result in results]


def _result(result: Any) -> tuple[int, dict[str, Any]]:
    code = result.get("code") if type(result) is dict else None
    if type(code) is not int:
        raise RemoteProtocolError("batch result without code")
    inner = result.get("body")
    text = inner[:_TEXT_LIMIT] if type(inner) is str else ""
    return code, inner if type(inner) is dict else {"error": text}


def read_equal_results(body: bytes) -> tuple[int, dict[str, Any], int] | None:
    """Read the answer of a batch that gives the same result to all requests, as most polls bring nothing.

    Returns:
        Status and body of the result, and how often it stands there: at least twice; there is nothing else
        in the answer, nor in the result. None for any other answer.
    """
    if not body.startswith(_BATCH_HEAD) or not body.endswith(_BATCH_END):
        return None
    end = body.find(_BATCH_NEXT, len(_BATCH_HEAD)) + 1
    if end <= 0:
        return None
    item = body[len(_BATCH_HEAD) : end]
    count = (len(body) - len(_BATCH_HEAD) - len(_BATCH_END) + 1) // (len(item) + 1)
    if count < 2 or body[end : -len(_BATCH_END)] != (b"," + item) * (count - 1):
        return None
    try:
        result = orjson.loads(item)
        plain = len(result) == _RESULT_FIELDS and type(result.get("body")) is dict
        return (*_result(result), count) if plain else None
    except (orjson.JSONDecodeError, RecursionError, RemoteProtocolError):
        return None  # the general way says what is wrong


def read_retrieved(fields: dict[str, Any]) -> tuple[list[Retrieved], bool]:
    """Read the answer of a retrieve: messages in the node's order, and whether there are more.

    Raises:
        RemoteProtocolError: a field is missing or of a wrong kind.
    """
    messages = fields.get("messages")
    if type(messages) is not list:
        raise RemoteProtocolError("retrieve without messages")
    return [_retrieved(message) for message in messages], fields.get("more") is True


def _retrieved(message: Any) -> Retrieved:
    if type(message) is not dict:
        raise RemoteProtocolError("message is not an object")
    get = message.get
    hash_, stamp, expiry, data = get("hash"), get("timestamp"), get("expiration"), get("data")
    if type(stamp) is not int or type(expiry) is not int or type(data) is not str:
        raise RemoteProtocolError("message with missing fields")
    try:
        return Retrieved(_checked_hash(hash_), stamp, expiry, binascii.a2b_base64(data, strict_mode=True))
    except ValueError as wrong:
        raise RemoteProtocolError("message is not base64") from wrong


def renamed(account: bytes, namespace: int, messages: Sequence[Retrieved]) -> list[Retrieved]:
    """Give what a node brought under the hashes that its bytes have, whatever the node called them.

    A node can call a message what it likes. Whoever takes its word would take one message for two, or two for
    one; a cursor, which is the node's own affair, goes back to it in its own words.

    Source: transport 5.4 for the hash. Assumption: a client that takes the node's name still shows a message
    once, by its author and time of sending; here its bytes tell it apart, to the same effect.
    """
    return [one._replace(hash=message_hash(account, namespace, one.data)) for one in messages]


def _checked_hash(value: Any) -> str:
    # A hash goes back into requests as `last_hash`, so nothing but base64 may pass.
    if type(value) is not str or _HASH.fullmatch(value) is None:
        raise RemoteProtocolError("not a message hash")
    return value


def read_stored(fields: dict[str, Any]) -> tuple[str, dict[bytes, bytes]]:
    """Read the answer of a store.

    Returns:
        The message hash, and for each member that stored it its Ed25519 key and its signature over the hash,
        not yet verified. Members that failed are not among them.

    Raises:
        RemoteProtocolError: no hash or no swarm in it.
    """
    hash_, swarm = _checked_hash(fields.get("hash")), fields.get("swarm")
    if type(swarm) is not dict:
        raise RemoteProtocolError("store without swarm")
    signed = {}
    for member, entry in swarm.items():
        signature = entry.get("signature") if type(entry) is dict and "failed" not in entry else None
        if type(signature) is not str:
            continue
        try:
            signed[bytes.fromhex(member)] = binascii.a2b_base64(signature, strict_mode=True)
        except ValueError as wrong:
            raise RemoteProtocolError("store with a malformed member") from wrong
    return hash_, signed


def read_swarm(fields: dict[str, Any]) -> list[bytes]:
    """Read get_swarm or the body of a 421: Ed25519 keys of the members, in the order given.

    Raises:
        RemoteProtocolError: no list of nodes with keys in it.
    """
    nodes = fields.get("snodes")
    if type(nodes) is not list:
        raise RemoteProtocolError("swarm without nodes")
    keys = []
    for node in nodes:
        key = node.get("pubkey_ed25519") if type(node) is dict else None
        if type(key) is not str or len(key) != 64:
            raise RemoteProtocolError("swarm node without key")
        try:
            keys.append(bytes.fromhex(key))
        except ValueError as wrong:
            raise RemoteProtocolError("swarm node without key") from wrong
    return keys


def read_clock(fields: dict[str, Any]) -> int | None:
    """Give the node's clock in an answer, unix ms, if it says."""
    stamp = fields.get("t")
    return stamp if type(stamp) is int else None
