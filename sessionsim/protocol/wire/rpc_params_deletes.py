"""Parameters of delete, delete_all and delete_before (transport 5.2)."""

from __future__ import annotations

from sessionsim.protocol.wire.rpc_calls import DeleteAllCall, DeleteBeforeCall, DeleteCall
from sessionsim.protocol.wire.rpc_fields import Fields


def read_delete(fields: Fields) -> DeleteCall:
    """Read a delete. Raises Refused."""
    return DeleteCall(fields.signer(), fields.hashes(), fields.flag("required"))


def read_delete_all(fields: Fields) -> DeleteAllCall:
    """Read a delete_all. Raises Refused."""
    return DeleteAllCall(fields.signer(), fields.namespace_or_all(), fields.needed_timestamp("timestamp"))


def read_delete_before(fields: Fields) -> DeleteBeforeCall:
    """Read a delete_before. Raises Refused."""
    return DeleteBeforeCall(fields.signer(), fields.namespace_or_all(), fields.needed_timestamp("before"))
