"""Parameters of oxend_request, and the conditions of ifelse (transport 5.1, 5.7)."""

from __future__ import annotations

from typing import Final, NamedTuple

import orjson

from sessionsim.protocol.wire.rpc_calls import OxendCall
from sessionsim.protocol.wire.rpc_fields import MAX_INT32, Fields, invalid, missing

# Source: transport 5.1; session-storage-server: oxenss/rpc/client_rpc_endpoints.cpp.
OXEND_ENDPOINTS: Final = frozenset(("get_service_nodes", "ons_resolve"))
_ECHO_LENGTH: Final = 64  # Assumption: the real server echoes a wrong endpoint at any length
_HF_NUMBERS: Final = 2  # hard fork and its revision
_V_NUMBERS: Final = 3
_KEYS: Final = ("hf_at_least", "hf_before", "v_at_least", "v_before", "height_at_least", "height_before")

Numbers = tuple[int, ...]


class Conditions(NamedTuple):
    """What an ifelse asks, each as least value and first value that is too high; None: not asked."""

    hf: tuple[Numbers | None, Numbers | None]
    v: tuple[Numbers | None, Numbers | None]
    height: tuple[int | None, int | None]


def read_oxend(fields: Fields) -> OxendCall:
    """Read an oxend_request. Raises Refused."""
    endpoint = fields.text("endpoint")
    if endpoint is None:
        raise missing("endpoint")
    if endpoint not in OXEND_ENDPOINTS:
        raise invalid(f"Invalid oxend endpoint '{endpoint[:_ECHO_LENGTH]}'")
    if fields.is_json:
        return OxendCall(endpoint, fields.any("params"))
    octets = fields.octets("params")
    try:
        return OxendCall(endpoint, orjson.loads(octets) if octets is not None else None)
    except (orjson.JSONDecodeError, RecursionError) as wrong:
        raise invalid("oxend_request params field does not contain valid json") from wrong


def read_conditions(fields: Fields) -> Conditions:
    """Read the object `if` of an ifelse: at least one condition. Raises Refused."""
    heights = [fields.small(name) if fields.has(name) else None for name in _KEYS[4:]]
    hf = [_numbers(fields.smalls(name), _HF_NUMBERS) for name in _KEYS[:2]]
    v = [_numbers(fields.smalls(name), _V_NUMBERS) for name in _KEYS[2:4]]
    if all(one is None for one in (*hf, *v, *heights)):
        raise invalid('Invalid ifelse request: must specify at least one "if" condition')
    return Conditions((hf[0], hf[1]), (v[0], v[1]), (heights[0], heights[1]))


def _numbers(found: list[int], size: int) -> Numbers | None:
    """Fill a version up with zeros and cut it off; an empty one is not asked for."""
    return tuple((found + [0] * size)[:size]) if found else None


def meets(conditions: Conditions, hf: Numbers, v: Numbers, height: int) -> bool:
    """Say whether a node meets all conditions. Args: hf, v, height: its hard fork, version, block height."""
    height = min(height, MAX_INT32)
    for value, (least, before) in ((hf, conditions.hf), (v, conditions.v)):
        if (least is not None and value < least) or (before is not None and value >= before):
            return False
    least_height, before_height = conditions.height
    return (least_height is None or height >= least_height) and (
        before_height is None or height < before_height
    )
