"""What a node answers to storage RPC, as text (transport 5.4-5.8).

Nodes write JSON with keys in alphabetical order and no spaces. Hashes, keys and signatures need no escaping,
so the frequent answers are put together as bytes; a test compares them with the general encoder. An answer
is `(status, body, is_json)`: error texts are plain text.
Source: session-storage-server: oxenss/rpc/request_handler.cpp; nlohmann::json::dump sorts keys.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.stored import Message
from sessionsim.protocol.wire import bencode

Answer = tuple[int, bytes, bool]

# A member's answer to a forwarded store in its usual shape.
_MEMBER: Final = re.compile(
    rb"d(?:7:already(i1e))?6:expiryi(\d{1,19})e4:hash43:([A-Za-z0-9+/]{43})9:signature64:(.{64})e", re.DOTALL
)
_BASE32Z: Final = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"ybndrfg8ejkmcpqxot1uwisza345h769")
_MEMBER_MAX_BYTES: Final = 10 * 1024 * 1024  # Source: transport 3.5, the longest OMQ message
_MEMBER_MAX_DEPTH: Final = 4
_REASON_MAX_BYTES: Final = 64 * 1024  # Assumption: as much of a member's error as is worth passing on
# Source: transport 3.6: the usual port pair, and the usual distance in the ranges 22100… / 20200….
_HTTPS_PORT, _OMQ_PORT, _PORT_DISTANCE = 22_021, 22_020, 1_900

TIMEOUT_ENTRY: Final = b'{"failed":true,"timeout":true}'
BAD_PEER_ENTRY: Final = b'{"bad_peer_response":true,"failed":true}'

# Source: session-storage-server: oxenss/http: the reason phrases of the codes a node sends.
_REASONS: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    406: "Not Acceptable",
    413: "Payload Too Large",
    421: "Misdirected Request",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def text_answer(status: int, text: str) -> Answer:
    """Make an answer of plain text. Args: status: its code."""
    return status, text.encode("utf-8", "replace"), False


def quic_error(status: int, body: bytes) -> bytes:
    """Write an error as a QUIC stream carries it: `CODE Reason`, an empty line, the body (transport 3.6)."""
    return b"%d %b\n\n%b" % (status, _REASONS.get(status, "Unknown").encode(), body)


def quic_error_text(payload: bytes) -> bytes:
    """Give the body of what `quic_error` wrote; anything else is given back as it is."""
    _head, found, body = payload.partition(b"\n\n")
    return body if found else payload


def _base64(raw: bytes) -> bytes:
    return binascii.b2a_base64(raw, newline=False)


def retrieve_body(messages: Sequence[Message], more: bool, now_ms: int, hard_fork: bytes) -> bytes:
    """Write the answer of a retrieve. Args: hard_fork: as JSON, `[19,3]`."""
    parts = b",".join(
        [
            b'{"data":"%b","expiration":%d,"hash":"%b","timestamp":%d}'
            % (_base64(message.data), message.expiry_ms, message.hash.encode(), message.timestamp_ms)
            for message in messages
        ]
    )
    return b'{"hf":%b,"messages":[%b],"more":%b,"t":%d}' % (
        hard_fork,
        parts,
        b"true" if more else b"false",
        now_ms,
    )


def info_body(version: Sequence[int], now_ms: int, hard_fork: bytes) -> bytes:
    """Write the answer of info."""
    numbers = ",".join(str(number) for number in version).encode()
    return b'{"hf":%b,"t":%d,"timestamp":%d,"version":[%b]}' % (hard_fork, now_ms, now_ms, numbers)


def swarm_body(nodes: NodeList, swarm: int | None, now_ms: int, hard_fork: bytes) -> bytes:
    """Write the answer of get_swarm, which is also the body of a 421 (transport 5.8).

    The old ("legacy") key of a node is taken to be its Ed25519 key: an Assumption, true for nodes set up
    since both became one. The ports of OMQ and QUIC, which the node list lacks, follow from the HTTPS port.
    """
    members = nodes.members.get(swarm, ()) if swarm is not None else ()
    snodes = [_snode(nodes, node) for node in sorted(members, key=nodes.ed25519.__getitem__)]
    name = f"{swarm:x}" if swarm is not None else "f" * 16
    return orjson.dumps({"hf": orjson.Fragment(hard_fork), "snodes": snodes, "swarm": name, "t": now_ms})


def omq_port(https_port: int) -> int:
    """Give the port of OMQ and QUIC that usually goes with an HTTPS port."""
    return _OMQ_PORT if https_port == _HTTPS_PORT else max(0, https_port - _PORT_DISTANCE)


def _snode(nodes: NodeList, node: int) -> dict[str, Any]:
    key, ip, https = nodes.ed25519[node], nodes.ip[node], nodes.port[node]
    other = omq_port(https)
    return {
        "address": base64.b32encode(key).rstrip(b"=").translate(_BASE32Z).decode() + ".snode",
        "ip": ".".join(str(byte) for byte in ip.to_bytes(4, "big")),
        "port": str(https),
        "port_https": https,
        "port_omq": other,
        "port_quic": other,
        "pubkey_ed25519": key.hex(),
        "pubkey_legacy": key.hex(),
        "pubkey_x25519": nodes.x25519[node].hex(),
    }


def member_answer(hash_: str, signature: bytes, expiry_ms: int, already: bool) -> bytes:
    """Write a member's answer to a forwarded store: a bencoded dict (transport 5.5)."""
    return b"d%b6:expiryi%de4:hash43:%b9:signature64:%be" % (
        b"7:alreadyi1e" if already else b"",
        expiry_ms,
        hash_.encode(),
        signature,
    )


def member_failure() -> bytes:
    """Write the answer of a member that could not store."""
    return b"d6:failedi1e13:query_failurei1ee"


def entry_of_answer(status: int, payload: bytes) -> bytes:
    """Turn a member's answer into its entry of the answer for the client, JSON.

    The usual shape is matched directly; anything else goes through the general parser, with equal results
    (tested). Booleans have become numbers on the way, as in the real server.

    Args:
        status: what the member answered with.
        payload: its bytes, from a peer that may be hostile.
    """
    if status == 200:
        match = _MEMBER.fullmatch(payload)
        if match is None:
            return entry_of_answer_slowly(payload)
        already, expiry, hash_, signature = match.groups()
        if expiry[0] == 48 and len(expiry) > 1:
            return BAD_PEER_ENTRY
        known = b'"already":1,' if already else b""
        return b'{%b"expiry":%b,"hash":"%b","signature":"%b"}' % (known, expiry, hash_, _base64(signature))
    reason = payload[:_REASON_MAX_BYTES].decode("utf-8", "replace")
    return orjson.dumps({"code": str(status), "failed": True, "reason": reason})


def entry_of_answer_slowly(payload: bytes) -> bytes:
    """`entry_of_answer` by the general bencode parser."""
    try:
        fields = bencode.decode(payload, max_bytes=_MEMBER_MAX_BYTES, max_depth=_MEMBER_MAX_DEPTH)
    except RemoteProtocolError:
        return BAD_PEER_ENTRY
    if type(fields) is not dict:
        return BAD_PEER_ENTRY
    signature = fields.get(b"signature")
    if type(signature) is bytes:
        fields[b"signature"] = _base64(signature)
    return orjson.dumps(_json_of(fields), option=orjson.OPT_SORT_KEYS)


def _json_of(value: Any) -> Any:
    # As deep as the decoder allowed.
    if type(value) is bytes:
        return value.decode("utf-8", "replace")
    if type(value) is list:
        return [_json_of(item) for item in value]
    if type(value) is dict:
        return {key.decode("utf-8", "replace"): _json_of(item) for key, item in value.items()}
    return value


def own_entry(hash_: str, signature: bytes, expiry_ms: int, already: bool, now_ms: int) -> bytes:
    """Write the entry of the node that answers the client; it alone has a time in it, as the real one."""
    known = b'"already":true,' if already else b""
    return b'{%b"expiry":%d,"hash":"%b","signature":"%b","t":%d}' % (
        known,
        expiry_ms,
        hash_.encode(),
        _base64(signature),
        now_ms,
    )


def own_failure(now_ms: int) -> bytes:
    """Write the entry of the answering node when it could not store."""
    return b'{"failed":true,"query_failure":true,"t":%d}' % now_ms


def store_answer(hash_: str, entries: Mapping[str, bytes], now_ms: int, hard_fork: bytes) -> Answer:
    """Write the answer of a store.

    Args:
        hash_: the message hash; empty if the answering node could not store.
        entries: entry of each member by its Ed25519 key as hex.
        now_ms: when the answering node took the request, unix ms.
        hard_fork: as JSON.

    Returns:
        Status 200, or 500 when every member failed.
    """
    swarm = b",".join([b'"%b":%b' % (member.encode(), entries[member]) for member in sorted(entries)])
    head = b'"hash":"%b",' % hash_.encode() if hash_ else b""
    body = b'{%b"hf":%b,"swarm":{%b},"t":%d}' % (head, hard_fork, swarm, now_ms)
    failed = all(b'"failed":' in entry for entry in entries.values())
    return (500 if failed else 200), body, True


def batch_answer(answers: Sequence[Answer]) -> Answer:
    """Join the answers of a batch or sequence, at least one, in order of its requests."""
    if answers.count(answers[0]) == len(answers):
        results = [_batch_item(*answers[0])] * len(answers)  # the usual poll: nothing anywhere
    else:
        results = [_batch_item(*answer) for answer in answers]
    return 200, b'{"results":[%b]}' % b",".join(results), True


def _batch_item(status: int, body: bytes, is_json: bool) -> bytes:
    text = body if is_json else orjson.dumps(body.decode("utf-8", "replace"))
    return b'{"body":%b,"code":%d}' % (text, status)
