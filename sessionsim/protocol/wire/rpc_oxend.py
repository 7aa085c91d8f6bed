"""What the blockchain daemon beside a storage server answers to oxend_request (transport 5.1).

    get_service_nodes   the node list: fields as asked for, all of them if none is named
    ons_resolve         the encrypted value of a name, by the hash of the name (base64 or hex)

Only what a node list holds is here. The status at the end, the answer for a name that does not exist, and the
texts of errors are Assumptions: the daemon is not among the sources.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from sessionsim.core.nodelist import UNASSIGNED, NodeList
from sessionsim.protocol.wire.rpc_answers import Answer, omq_port, text_answer
from sessionsim.protocol.wire.rpc_calls import OxendCall

# Hash of a name -> encrypted value and nonce.
Names = Mapping[bytes, tuple[bytes, bytes]]

_HASH_BYTES: Final = 32  # of a name
_REMEMBERED: Final = 4  # Assumption: forms in which clients ask at one time
# What was written lately: list, what was asked for -> text.
_memo: list[tuple[NodeList, tuple[object, ...], bytes]] = []
_SESSION_NAMES: Final = 0  # type of names of accounts. Source: session-desktop: SnodeRequestTypes.ts


def oxend_answer(
    call: OxendCall, nodes: NodeList, version: Sequence[int], names: Names, now_ms: int, hard_fork: bytes
) -> Answer:
    """Answer an oxend_request.

    Args:
        call: what is asked.
        nodes: the list the daemon knows.
        version: storage server version told of every node: an Assumption.
        names: the registered names.
        now_ms: the node's clock, unix ms.
        hard_fork: as JSON.
    """
    params = call.params if isinstance(call.params, dict) else {}
    result: dict[str, Any] | None
    if call.endpoint == "get_service_nodes":
        states = orjson.Fragment(states_json(nodes, version, params))
        result = {"service_node_states": states, "status": "OK"}
    else:
        result = _resolved(names, params)
    if result is None:
        return text_answer(400, "Invalid parameters")
    fragment = orjson.Fragment(hard_fork)
    body = orjson.dumps({"hf": fragment, "result": result, "t": now_ms}, option=orjson.OPT_SORT_KEYS)
    return 200, body, True


def states_json(nodes: NodeList, version: Sequence[int], params: dict[str, Any]) -> bytes:
    """Write `service_node_states`; the last few texts are remembered, since all clients ask for the same."""
    asked = (_asked(params), tuple(version))
    for known_nodes, known, text in _memo:
        if known_nodes is nodes and known == asked:
            return text
    text = orjson.dumps(service_node_states(nodes, version, params), option=orjson.OPT_SORT_KEYS)
    _memo.insert(0, (nodes, asked, text))
    del _memo[_REMEMBERED:]
    return text


def service_node_states(
    nodes: NodeList, version: Sequence[int], params: dict[str, Any]
) -> list[dict[str, Any]]:
    """List nodes as the daemon does. Args: params: active_only, fields, limit, as far as valid."""
    active_only, wanted, limit = _asked(params)
    chosen = list(nodes.active) if active_only else sorted(nodes.index.values())
    states = [_state(nodes, node, version) for node in (chosen[:limit] if limit else chosen)]
    if not wanted:
        return states
    return [{name: value for name, value in state.items() if name in wanted} for state in states]


def _asked(params: dict[str, Any]) -> tuple[bool, frozenset[str], int]:
    """Give what is asked for: active nodes only, which fields (none: all), how many (0: all)."""
    fields, limit = params.get("fields"), params.get("limit")
    wanted: frozenset[str] = frozenset()
    if isinstance(fields, dict):
        wanted = frozenset(name for name, asked in fields.items() if asked is True)
    elif isinstance(fields, list):
        wanted = frozenset(name for name in fields if isinstance(name, str))
    return params.get("active_only") is True, wanted, max(limit, 0) if type(limit) is int else 0


def _state(nodes: NodeList, node: int, version: Sequence[int]) -> dict[str, Any]:
    key = nodes.ed25519[node].hex()
    return {
        "active": nodes.swarm[node] != UNASSIGNED,
        "pubkey_ed25519": key,
        "pubkey_x25519": nodes.x25519[node].hex(),
        "public_ip": ".".join(str(byte) for byte in nodes.ip[node].to_bytes(4, "big")),
        "service_node_pubkey": key,  # the old key, see rpc_answers.swarm_body
        "storage_lmq_port": omq_port(nodes.port[node]),
        "storage_port": nodes.port[node],
        "storage_server_version": list(version),
        "swarm_id": nodes.swarm[node],
    }


def _resolved(names: Names, params: dict[str, Any]) -> dict[str, Any] | None:
    hash_ = _hash_of(params.get("name_hash"))
    if params.get("type") != _SESSION_NAMES or hash_ is None:
        return None
    found = names.get(hash_)
    if found is None:
        return {"status": "OK"}
    encrypted, nonce = found
    return {"encrypted_value": encrypted.hex(), "nonce": nonce.hex(), "status": "OK"}


def _hash_of(text: Any) -> bytes | None:
    if type(text) is not str or len(text) > 2 * _HASH_BYTES:
        return None
    try:
        if len(text) == 2 * _HASH_BYTES:
            raw = bytes.fromhex(text)
        else:
            raw = binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        return None
    return raw if len(raw) == _HASH_BYTES else None
