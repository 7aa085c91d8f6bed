"""Parameters of revoke_subaccount, unrevoke_subaccount and revoked_subaccounts (transport 5.2).

Only the owner may ask; tokens shown beside the signature are not looked at.
"""

from __future__ import annotations

from typing import Final

from sessionsim.protocol.wire.rpc_calls import RevokeCall, RevokedCall
from sessionsim.protocol.wire.rpc_fields import Fields, invalid

# Source: transport 5.2; session-storage-server: oxenss/common/subaccount_token.h MAX_SUBACCOUNT_TOKENS.
TOKENS_MAX: Final = 50


def read_revoke(fields: Fields) -> RevokeCall:
    """Read a revoke_subaccount. Raises Refused."""
    by, tokens = fields.signer(subaccounts=False), fields.tokens("revoke", "revoke")
    if len(tokens) > TOKENS_MAX:
        raise invalid(f"invalid revoke: cannot revoke more than {TOKENS_MAX} subaccounts at once")
    return RevokeCall(by, tokens, fields.needed_timestamp("timestamp"), undo=False)


def read_unrevoke(fields: Fields) -> RevokeCall:
    """Read an unrevoke_subaccount; the number of tokens has no limit of its own. Raises Refused."""
    by, timestamp_ms = fields.signer(subaccounts=False), fields.needed_timestamp("timestamp")
    return RevokeCall(by, fields.tokens("unrevoke", "unrevoke"), timestamp_ms, undo=True)


def read_revoked(fields: Fields) -> RevokedCall:
    """Read a revoked_subaccounts. Raises Refused."""
    return RevokedCall(fields.signer(subaccounts=False), fields.needed_timestamp("timestamp"))
