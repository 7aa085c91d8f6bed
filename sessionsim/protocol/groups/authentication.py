"""How requests to a group's swarm are signed, by admins and by members (messages 4.4, transport 5.2).

An admin signs with the group's own key and shows nothing else, so the swarm cannot tell admins apart. A
member signs with the subaccount's key and shows its token and the group's signature of it.
"""

from __future__ import annotations

from base64 import b64encode
from typing import NamedTuple

from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.groups.identity import Group
from sessionsim.protocol.groups.subaccount import Subaccount, sign_request


class Authentication(NamedTuple):
    """The fields that make a request authentic. Args: token and its signature are empty for an admin."""

    signature: bytes
    token: bytes = b""
    token_signature: bytes = b""

    def fields(self) -> dict[str, str]:
        """Give them as they stand in a JSON request; base64, 88, 48 and 88 characters."""
        given = {
            "signature": self.signature,
            "subaccount": self.token,
            "subaccount_sig": self.token_signature,
        }
        return {name: b64encode(raw).decode() for name, raw in given.items() if raw}


def authenticate(suite: Suite, access: Group | Subaccount, text: bytes) -> Authentication:
    """Sign what a request has to sign.

    Args:
        access: the group's keys of an admin, or a member's subaccount.
        text: from `wire.rpc.signed_text` or alike.
    """
    if isinstance(access, Group):
        return Authentication(suite.sign(access.ed, text))
    return Authentication(sign_request(suite, access, text), access.token, access.token_signature)
