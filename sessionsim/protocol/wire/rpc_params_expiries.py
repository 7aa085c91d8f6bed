"""Parameters of expire, expire_all and get_expiries (transport 5.2)."""

from __future__ import annotations

from sessionsim.protocol.wire.rpc_calls import ExpireAllCall, ExpireCall, GetExpiriesCall
from sessionsim.protocol.wire.rpc_fields import Fields, invalid, missing


def read_expire(fields: Fields) -> ExpireCall:
    """Read an expire: one expiry for all messages, or as many as messages. Raises Refused."""
    by, expiries = fields.signer(), fields.timestamps("expiry")
    if expiries is None:
        raise missing("expiry")
    if not expiries:
        raise invalid("'expiry' does not contain any expiration timestamps")
    shorten, extend = fields.flag("shorten"), fields.flag("extend")
    if shorten and extend:
        raise invalid("cannot specify both 'shorten' and 'extend'")
    messages = fields.hashes()
    if len(expiries) not in (1, len(messages)):
        raise invalid("'expiry' must be a single expiry, or the same length as 'messages'")
    mode = "shorten" if shorten else "extend" if extend else ""
    return ExpireCall(by, messages, tuple(expiries), mode)


def read_expire_all(fields: Fields) -> ExpireAllCall:
    """Read an expire_all. Raises Refused."""
    return ExpireAllCall(fields.signer(), fields.namespace_or_all(), fields.needed_timestamp("expiry"))


def read_get_expiries(fields: Fields) -> GetExpiriesCall:
    """Read a get_expiries, whose hashes may be anything: what is no hash is not found. Raises Refused."""
    by, timestamp_ms = fields.signer(), fields.needed_timestamp("timestamp")
    return GetExpiriesCall(by, fields.hashes(checked=False), timestamp_ms)
