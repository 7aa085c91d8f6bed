"""Answers to recursive and other calls as clients read them, beside those of `rpc` (transport 5.2, 5.4).

What is read here is not verified: a member's signature holds over the texts of `rpc_signed`.
"""

from __future__ import annotations

import binascii
from typing import Any, NamedTuple

from sessionsim.core.errors import RemoteProtocolError


class Part(NamedTuple):
    """One member's part of a recursive answer.

    Args:
        failed: it did nothing, or did not say.
        fields: as they stand in the answer.
        signature: 64 bytes; empty if it failed.
    """

    failed: bool
    fields: dict[str, Any]
    signature: bytes


def read_parts(fields: dict[str, Any]) -> dict[bytes, Part]:
    """Read the answer of a recursive call: by Ed25519 key, each member's part.

    Raises:
        RemoteProtocolError: no such answer, or a part without a signature that did not fail.
    """
    swarm = fields.get("swarm")
    if type(swarm) is not dict:
        raise RemoteProtocolError("an answer without swarm")
    parts = {}
    for member, entry in swarm.items():
        if type(entry) is not dict:
            raise RemoteProtocolError("a member's part is not an object")
        failed = bool(entry.get("failed"))
        try:
            signature = b"" if failed else binascii.a2b_base64(entry["signature"], strict_mode=True)
            parts[bytes.fromhex(member)] = Part(failed, entry, signature)
        except (KeyError, ValueError, TypeError) as wrong:
            raise RemoteProtocolError("a member's part is malformed") from wrong
    return parts


def read_expiries(fields: dict[str, Any]) -> dict[str, int]:
    """Read the answer of a get_expiries: hash -> unix ms. Raises RemoteProtocolError."""
    expiries = fields.get("expiries")
    if type(expiries) is not dict or any(type(value) is not int for value in expiries.values()):
        raise RemoteProtocolError("an answer without expiries")
    return expiries


def read_revoked(fields: dict[str, Any]) -> list[bytes]:
    """Read the answer of a revoked_subaccounts: tokens. Raises RemoteProtocolError."""
    tokens = fields.get("revoked_subaccounts")
    if type(tokens) is not list:
        raise RemoteProtocolError("an answer without tokens")
    try:
        return [binascii.a2b_base64(token, strict_mode=True) for token in tokens]
    except (ValueError, TypeError) as wrong:
        raise RemoteProtocolError("a token is not base64") from wrong
