"""Storage RPC in JSON, as clients write it (transport 5.1-5.8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sessionsim.adversary.fields import id_bytes
from sessionsim.adversary.terms import NOTHING, Body, Call
from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.wire.rpc import read_object

_BUNDLES: Final = frozenset(("batch", "sequence"))
_MAX_BUNDLE: Final = 20  # Source: transport 5.2, sub-requests of a batch
_AROUND: Final = frozenset(("method", "params"))
_NUMBERED: Final = frozenset(("method", "params", "jsonrpc", "id"))
_LONGEST_NUMBER: Final = 10  # Assumption: what JSON-RPC counts requests by, and its version, is no longer


def read_calls(body: bytes) -> Body:
    """Read an RPC body; the members of a batch or sequence stand in order, in place of it."""
    try:
        request = read_object(body)
    except ProtocolError:
        return Body(())
    method, fields = request.get("method"), request.get("params")
    beside = more_around(request)
    if method not in _BUNDLES:
        inner = tuple(fields) if isinstance(fields, dict) else ()
        return Body((call_of(method, fields),), beside, shape=(*request, *inner))
    members = fields.get("requests") if isinstance(fields, dict) else None
    if not isinstance(fields, dict) or not isinstance(members, list) or len(members) > _MAX_BUNDLE:
        return Body(())
    if len(fields) > 1:
        beside = {**beside, **_more(fields, frozenset(("requests",)))}
    first = members[0].get("params") if members and isinstance(members[0], dict) else None
    inner = tuple(first) if isinstance(first, dict) else ()
    return Body(tuple([_member(member) for member in members]), beside, shape=(*request, *inner))


def _member(member: Any) -> Call:
    if not isinstance(member, dict):
        return Call("", b"", {"member": member})
    is_call = len(member) == len(_AROUND) and "method" in member and "params" in member
    more = NOTHING if is_call else more_around(member)
    return call_of(member.get("method"), member.get("params"), more)


def _is_plain(request: Mapping[str, Any]) -> bool:
    """Say whether nothing stands around a method and its parameters but a version and a short number."""
    return _NUMBERED.issuperset(request) and all(
        len(str(request[name])) <= _LONGEST_NUMBER for name in ("jsonrpc", "id") if name in request
    )


def more_around(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what stands around a method and its parameters beyond a version and a short number."""
    return NOTHING if _is_plain(request) else _more(request, _AROUND)


def _more(fields: Mapping[str, Any], known: frozenset[str]) -> Mapping[str, Any]:
    return {key: value for key, value in fields.items() if key not in known}


def call_of(method: object, fields: object, more: Mapping[str, Any] = NOTHING) -> Call:
    """Make a call of its parts, whatever they are. Args: more: further fields beside its parameters."""
    if not isinstance(method, str) or not isinstance(fields, dict):
        return Call("", b"", {**more, "method": method, "params": fields})  # none, but somebody wrote it
    named = fields["pubkey"] if "pubkey" in fields else fields.get("pubKey")
    return Call(method, id_bytes(named), {**fields, **more} if more else fields)
