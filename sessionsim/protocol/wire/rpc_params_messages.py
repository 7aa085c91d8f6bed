"""Parameters of retrieve and get_swarm, read field by field (transport 5.6, 5.8).

A store is read in `rpc_node`, the usual shapes of both in `rpc_params`.
"""

from __future__ import annotations

from sessionsim.protocol.namespaces import is_open_to_read
from sessionsim.protocol.wire.rpc import HASH_LENGTH
from sessionsim.protocol.wire.rpc_fields import BASE64, Fields, invalid, missing
from sessionsim.protocol.wire.rpc_node import RetrieveCall, SwarmCall


def read_retrieve(fields: Fields) -> RetrieveCall:
    """Read a retrieve. Anything that belongs to a signature makes the signature needed. Raises Refused."""
    namespace, timestamp = fields.namespace(), fields.timestamp("timestamp")
    ed25519 = signature = subaccount = None
    if (
        fields.has("pubkey_ed25519")
        or fields.has("signature")
        or timestamp is not None
        or (namespace is not None and not is_open_to_read(namespace))
    ):
        account, ed25519, signature, subaccount = fields.signer(alias=True)
        if timestamp is None:
            raise missing("timestamp")
    else:
        account = fields.account(alias=True)
    count, size = fields.small("max_count"), fields.small("max_size")
    return RetrieveCall(
        account,
        namespace or 0,
        _last_hash(fields),
        count,
        size,
        ed25519,
        signature,
        timestamp or 0,
        subaccount,
    )


def _last_hash(fields: Fields) -> str:
    octets, other = fields.octets("last_hash"), fields.octets("lastHash")
    if octets is not None and other is not None:
        raise invalid("Cannot specify both 'last_hash' and 'lastHash'")
    octets = octets or other or b""
    if not octets:
        return ""
    if len(octets) != HASH_LENGTH:
        raise invalid("Invalid last_hash: expected base64 (43 chars)")
    text = octets.decode("latin-1")
    if BASE64.fullmatch(text) is None:
        raise invalid("Invalid last_hash: not base64")
    return text


def read_swarm(fields: Fields) -> SwarmCall:
    """Read a get_swarm. Raises Refused."""
    return SwarmCall(fields.account("Pubkey must be 66 hex digits/33 bytes long", alias=True))
