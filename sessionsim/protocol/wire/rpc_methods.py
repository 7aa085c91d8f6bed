"""All methods that stand for themselves, by name, with what reads their parameters (transport 5.1).

Batch, sequence and ifelse, which hold other calls, are read in `rpc_params` (JSON) and `rpc_direct`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sessionsim.protocol.wire.rpc_calls import ActiveNodesCall
from sessionsim.protocol.wire.rpc_fields import Fields
from sessionsim.protocol.wire.rpc_node import InfoCall, SimpleCall
from sessionsim.protocol.wire.rpc_params_deletes import read_delete, read_delete_all, read_delete_before
from sessionsim.protocol.wire.rpc_params_expiries import read_expire, read_expire_all, read_get_expiries
from sessionsim.protocol.wire.rpc_params_messages import read_retrieve, read_swarm
from sessionsim.protocol.wire.rpc_params_meta import read_oxend
from sessionsim.protocol.wire.rpc_params_subaccounts import read_revoke, read_revoked, read_unrevoke

Reader = Callable[[Fields], SimpleCall]

# Store is missing: it is read with the limit on its size (`rpc_node.read_store`).
READERS: Final[dict[str, Reader]] = {
    "retrieve": read_retrieve,
    "delete": read_delete,
    "delete_all": read_delete_all,
    "delete_before": read_delete_before,
    "expire": read_expire,
    "expire_all": read_expire_all,
    "get_expiries": read_get_expiries,
    "get_swarm": read_swarm,
    "get_snodes_for_pubkey": read_swarm,
    "revoke_subaccount": read_revoke,
    "unrevoke_subaccount": read_unrevoke,
    "revoked_subaccounts": read_revoked,
    "info": lambda _fields: InfoCall(),
    "oxend_request": read_oxend,
    "active_nodes_bin": lambda _fields: ActiveNodesCall(),
}
BUNDLES: Final = ("batch", "sequence")
META: Final = (*BUNDLES, "ifelse")
# Methods of newer servers only. Source: transport 5.1.
NEW: Final = frozenset(("revoked_subaccounts", "active_nodes_bin"))
