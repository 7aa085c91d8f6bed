"""Subscribing to pushes: the signed request of a client (messages 9).

    POST /subscribe     signs  MONITOR ‖ account hex ‖ seconds ‖ 0|1 ‖ namespaces joined by commas
    POST /unsubscribe   signs  UNSUBSCRIBE ‖ account hex ‖ seconds

The first signature is the very one that nodes ask of the push server, which keeps it and shows it to them.
Either body may be one object or a list. Bytes are written as hex or base64; the server takes both.
Older servers knew a token as `subkey_tag`, of another scheme; that is not built.
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol import namespaces as ns
from sessionsim.protocol.push.authority import Authority, Sign
from sessionsim.protocol.server_request import ServerRequest
from sessionsim.protocol.wire.monitor import MonitorCall, signed_text
from sessionsim.protocol.wire.push_json import write_fields

# Source: client-behaviour 6.4. The key is X25519.
SERVER: Final = "https://push.getsession.org"
SERVER_X25519: Final = bytes.fromhex("d7557fe563e2610de876c0ac7341b62f3c82d5eea4b62c702392ea4368f51b3b")
KEY_BYTES: Final = 32  # Source: messages 9
SERVICES: Final = ("apns", "apns-sandbox", "firebase", "huawei")  # Source: client-behaviour 6.4

# What clients subscribe to. Source: client-behaviour 6.4.
IOS_NAMESPACES: Final = (
    ns.DEFAULT,
    ns.USER_PROFILE,
    ns.CONTACTS,
    ns.CONVO_INFO_VOLATILE,
    ns.USER_GROUPS,
)
ANDROID_NAMESPACES: Final = (ns.DEFAULT,)
GROUP_NAMESPACES: Final = (
    ns.REVOKED_RETRIEVABLE,
    ns.GROUP_MESSAGES,
    ns.GROUP_KEYS,
    ns.GROUP_INFO,
    ns.GROUP_MEMBERS,
)


@dataclass(frozen=True, slots=True)
class Device:
    """Where pushes go. Args: service: one of `SERVICES`; token: the service's name of the device."""

    service: str
    token: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """A signed subscription.

    Args:
        authority: the account, and by what right.
        namespaces: ascending.
        want_data: send message bodies too.
        signed_s: unix seconds.
        signature: 64 bytes.
    """

    authority: Authority
    namespaces: tuple[int, ...]
    want_data: bool
    signed_s: int
    signature: bytes

    def call(self) -> MonitorCall:
        """Give the request that nodes get. Source: transport 5.12."""
        owner = self.authority
        return MonitorCall(
            b"" if owner.ed25519 else owner.account,
            owner.ed25519,
            owner.token,
            owner.token_signature,
            self.want_data,
            self.namespaces,
            self.signature,
            self.signed_s,
        )

    def same_as(self, other: Subscription) -> bool:
        """Say whether both ask the nodes for the same. Source: spns/hive/subscription.hpp (is_same)."""
        return (self.authority.token, self.namespaces, self.want_data) == (
            other.authority.token,
            other.namespaces,
            other.want_data,
        )


def sign_subscription(
    authority: Authority, sign: Sign, namespaces: Sequence[int], now_s: int, *, want_data: bool = True
) -> Subscription:
    """Make a subscription.

    Args:
        sign: signs with the account's key, the group's, or the subaccount's.
        namespaces: in any order, each once.
        now_s: unix seconds.
        want_data: all clients ask for bodies (client-behaviour 6.4).

    Raises:
        LocalProtocolError: no namespace, or one twice.
    Source: messages 9; session-android: .../notifications/PushRegisterApi.kt.
    """
    ordered = tuple(sorted(namespaces))
    if not ordered or len(set(ordered)) != len(ordered):
        raise LocalProtocolError("a subscription is to some namespaces, each once")
    text = signed_text(authority.account, now_s, want_data, ordered)
    return Subscription(authority, ordered, want_data, now_s, sign(text))


def unsubscribe_text(account: bytes, now_s: int) -> bytes:
    """Give what is signed to unsubscribe. Source: spns/hivemind.cpp (remove_subscription)."""
    return f"UNSUBSCRIBE{account.hex()}{now_s}".encode()


def subscribe_request(
    entries: Sequence[tuple[Subscription, Device, bytes]],
    *,
    as_list: bool = True,
    subaccount_as: str = "base64",
) -> ServerRequest:
    """Build the request that subscribes.

    Args:
        entries: subscription, device, and the 32-byte key that pushes to it are encrypted with.
        as_list: write a list even of one, as newer clients do.
        subaccount_as: `base64` (Android) or `hex` (iOS).

    Raises:
        LocalProtocolError: no entry, several but no list, or a key of wrong length.
    Source: messages 9; session-ios: .../Models/SubscribeRequest.swift, AuthenticatedRequest.swift.
    """
    parts = []
    for subscription, device, enc_key in entries:
        if len(enc_key) != KEY_BYTES:
            raise LocalProtocolError(f"an encryption key has 32 bytes, not {len(enc_key)}")
        fields = _account_fields(subscription.authority, subaccount_as)
        fields |= {"namespaces": list(subscription.namespaces), "data": subscription.want_data}
        fields |= _signed_fields(subscription.signed_s, subscription.signature, device)
        parts.append({**fields, "enc_key": enc_key.hex()})
    return _request("/subscribe", parts, as_list)


def unsubscribe_request(
    entries: Sequence[tuple[Authority, Device]],
    sign: Sign,
    now_s: int,
    *,
    as_list: bool = True,
    subaccount_as: str = "base64",
) -> ServerRequest:
    """Build the request that ends subscriptions of accounts one key can sign for.

    Args:
        entries: account and device.
        sign, now_s, as_list, subaccount_as: as above.

    Raises:
        LocalProtocolError: no entry, or several but no list.
    Source: spns/register.py; session-android: .../notifications/PushUnregisterApi.kt.
    """
    parts = []
    for authority, device in entries:
        signature = sign(unsubscribe_text(authority.account, now_s))
        parts.append(_account_fields(authority, subaccount_as) | _signed_fields(now_s, signature, device))
    return _request("/unsubscribe", parts, as_list)


def _account_fields(authority: Authority, subaccount_as: str) -> dict[str, Any]:
    fields = {"pubkey": authority.account.hex()}
    if authority.ed25519:
        fields["session_ed25519"] = authority.ed25519.hex()
    if authority.token:
        raw = authority.token
        fields["subaccount"] = raw.hex() if subaccount_as == "hex" else _base64(raw)
        fields["subaccount_sig"] = _base64(authority.token_signature)
    return fields


def _signed_fields(signed_s: int, signature: bytes, device: Device) -> dict[str, Any]:
    return {
        "sig_ts": signed_s,
        "signature": _base64(signature),
        "service": device.service,
        "service_info": {"token": device.token},
    }


def _base64(raw: bytes) -> str:
    return binascii.b2a_base64(raw, newline=False).decode()


def _request(endpoint: str, parts: Sequence[dict[str, Any]], as_list: bool) -> ServerRequest:
    if not parts or (len(parts) > 1 and not as_list):
        raise LocalProtocolError("a request has one entry, or a list of them")
    headers = {"Content-Type": "application/json"}
    return ServerRequest("POST", endpoint, headers, write_fields(parts, as_list=as_list))
