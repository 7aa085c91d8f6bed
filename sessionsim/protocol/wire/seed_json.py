"""What a seed node is asked and answers: the node list by JSON-RPC, in clear (transport 4).

    POST /json_rpc   {"jsonrpc":"2.0","id":"0","method":"get_n_service_nodes","params":{…}}
    answer           {"id":"0","jsonrpc":"2.0","result":{"service_node_states":[…],"status":"OK"}}

Both sides are here. `params` as of `get_service_nodes` (see `rpc_oxend`); `limit` bounds the answer. Order of
the nodes and texts of errors are Assumptions: the daemon is not among the sources.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.wire.frame import decode_object
from sessionsim.protocol.wire.json_text import compact_json
from sessionsim.protocol.wire.rpc_oxend import states_json

METHOD: Final = "get_n_service_nodes"  # Source: transport 4
# Source: session-desktop: ts/session/apis/seed_node_api/SeedNodeAPI.ts.
FIELDS: Final = (
    "public_ip", "storage_port", "pubkey_x25519", "pubkey_ed25519", "storage_server_version",
)  # fmt: skip
_MAX_BYTES: Final = 100_000  # Assumption: of a request
_INVALID: Final = {"code": -32600, "message": "Invalid Request"}  # Source: JSON-RPC 2.0, section 5.1
_UNKNOWN: Final = {"code": -32601, "message": "Method not found"}  # Source: JSON-RPC 2.0, section 5.1


def nodes_request(*, limit: int = 0) -> bytes:
    """Write the request. Args: limit: nodes wanted at most; 0 for all."""
    params: dict[str, Any] = {"active_only": True, "fields": dict.fromkeys(FIELDS, True)}
    if limit:
        params["limit"] = limit
    return compact_json({"jsonrpc": "2.0", "id": "0", "method": METHOD, "params": params})


def nodes_answer(request: bytes, nodes: NodeList, version: tuple[int, ...]) -> bytes:
    """Answer a request; errors come as JSON-RPC errors with HTTP status 200.

    Args:
        request: any bytes.
        nodes: the list the seed knows.
        version: storage server version told of every node: an Assumption.
    """
    try:
        if len(request) > _MAX_BYTES:
            raise RemoteProtocolError("too long")
        fields = decode_object(request)
    except RemoteProtocolError:
        return _write(None, error=_INVALID)
    number = fields.get("id")
    if type(number) not in (str, int):
        number = None
    if fields.get("method") != METHOD:
        return _write(number, error=_UNKNOWN)
    params = fields.get("params")
    states = states_json(nodes, version, params if isinstance(params, dict) else {})
    return _write(number, result={"service_node_states": orjson.Fragment(states), "status": "OK"})


def _write(number: object, **outcome: dict[str, Any]) -> bytes:
    if isinstance(number, int) and not -(1 << 63) <= number < 1 << 63:
        number = None
    if isinstance(number, str):
        number = number.encode("utf-8", "replace").decode()
    return orjson.dumps({"id": number, "jsonrpc": "2.0", **outcome})


def read_nodes(answer: bytes) -> list[dict[str, Any]]:
    """Read the answer: one dict of the fields asked for per node.

    Raises:
        RemoteProtocolError: an error, or no list of objects.
    """
    result = decode_object(answer).get("result")
    states = result.get("service_node_states") if isinstance(result, dict) else None
    if not isinstance(states, list) or not all(isinstance(state, dict) for state in states):
        raise RemoteProtocolError("a seed node that names no nodes")
    return states
